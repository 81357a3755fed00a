//! Bytes to text that is safe to look at: refuses what no policy may hold, wherever it stands. It knows nothing of the language.

use crate::codes;
use crate::diag::Diagnostic;
use crate::limits::{MAX_FILE_BYTES, MAX_LINE_BYTES};
use crate::sink::Sink;
use crate::source::{FileId, Span};

/// The text of `bytes`, or `None` when it is too long or no UTF-8 to be looked at further. Other refusals are reported and the text is
/// given all the same; the caller stops because there are errors.
pub(crate) fn scan<'b>(file: FileId, bytes: &'b [u8], sink: &mut Sink) -> Option<&'b str> {
    if bytes.len() > MAX_FILE_BYTES {
        let message = format!("the file is longer than {} MiB", MAX_FILE_BYTES >> 20);
        sink.push(
            Diagnostic::new(codes::FILE_TOO_LONG, message)
                .label(Span::new(file, 0, 0), "this file")
                .help("split it into several files with `use`"),
        );
        return None;
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            // The text that is shown has a replacement character there, and everything before it is as written.
            let at = error.valid_up_to();
            sink.push(
                Diagnostic::new(codes::NOT_UTF8, format!("byte {at} is not UTF-8"))
                    .label(
                        Span::new(file, at, at + char::REPLACEMENT_CHARACTER.len_utf8()),
                        "not UTF-8 from here",
                    )
                    .help("save the file as UTF-8"),
            );
            return None;
        }
    };
    characters(file, text, sink);
    lines(file, text, sink);
    Some(text)
}

fn characters(file: FileId, text: &str, sink: &mut Sink) {
    let mut crs = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b' '..=b'~' | b'\n' | b'\t' => {}
            b'\r' => crs += 1,
            // Lead bytes of the characters that could matter: U+0080-U+00BF, U+0600-U+063F, U+2000-U+2FFF and the byte-order mark.
            0xc2 | 0xd8 | 0xe2 | 0xef => {
                if let Some(c) = text.get(at..).and_then(|t| t.chars().next()) {
                    character(file, at, c, sink);
                }
            }
            0x80.. => {}
            _ => character(file, at, char::from(byte), sink),
        }
        if sink.is_full() {
            return;
        }
    }
    if crs > 0 {
        let at = text.find('\r').unwrap_or(0);
        sink.push(
            Diagnostic::new(codes::CARRIAGE_RETURN, format!("the file holds {crs} carriage returns"))
                .label(Span::new(file, at, at + 1), "the first one")
                .help("end lines with a line feed alone, for instance with `sed -i 's/\\r$//' FILE`"),
        );
    }
}

fn character(file: FileId, at: usize, c: char, sink: &mut Sink) {
    let span = Span::new(file, at, at + c.len_utf8());
    let number = u32::from(c);
    match c {
        '\u{feff}' if at == 0 => {
            sink.push(
                Diagnostic::new(codes::BYTE_ORDER_MARK, "the file starts with a byte-order mark")
                    .label(span, "here")
                    .help("save the file as UTF-8 without a byte-order mark"),
            );
        }
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            sink.push(
                Diagnostic::new(codes::BIDI, format!("bidirectional control U+{number:04X}"))
                    .label(span, "makes the text read otherwise than it is")
                    .help("remove it"),
            );
        }
        c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
            sink.push(
                Diagnostic::new(codes::CONTROL, format!("control character U+{number:04X}"))
                    .label(span, "here")
                    .help("remove it"),
            );
        }
        _ => {}
    }
}

fn lines(file: FileId, text: &str, sink: &mut Sink) {
    let mut start = 0;
    for line in text.split('\n') {
        if line.len() > MAX_LINE_BYTES {
            let message = format!("a line of {} bytes; at most {MAX_LINE_BYTES} are allowed", line.len());
            sink.push(
                Diagnostic::new(codes::LINE_TOO_LONG, message)
                    .label(Span::new(file, start, start + 1), "this line")
                    .help("break it, for instance after a comma"),
            );
        }
        start += line.len() + 1;
    }
}
