//! A string as written to the text it stands for, with the way back from each byte to the source.

use crate::ast::Name;
use crate::codes;
use crate::diag::Diagnostic;
use crate::sink::Sink;
use crate::source::Span;
use std::borrow::Cow;
use std::sync::Arc;

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A path pattern: a backslash keeps the next character, built-in directories stay, parameters are escaped.
    Pattern,
    /// Any other text.
    Plain,
}

/// A decoded string.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text<'s> {
    /// What it stands for.
    pub(crate) value: Cow<'s, str>,
    /// The string literal.
    pub(crate) span: Span,
    /// For each stretch of the value that is not simply copied from the start of the string: where in the value it starts, where it
    /// was written, and how long that is.
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, Copy)]
struct Piece {
    at: usize,
    start: usize,
    length: usize,
    /// Byte for byte as written.
    copied: bool,
}

impl Text<'_> {
    /// A value that is written elsewhere: every byte of it points at the whole of `span`.
    pub(crate) fn elsewhere(value: String, span: Span) -> Text<'static> {
        let range = span.range();
        let piece = Piece { at: 0, start: range.start, length: range.len(), copied: false };
        Text { value: Cow::Owned(value), span, pieces: vec![piece] }
    }

    /// The source of the bytes `at..at + length` of the value.
    pub(crate) fn locate(&self, at: usize, length: usize) -> Span {
        let from = self.place(at);
        let to = self.place(at + length.max(1) - 1);
        Span { file: self.span.file, start: from.0, end: to.1.max(from.0 + 1).min(self.span.end) }
    }

    fn place(&self, at: usize) -> (u32, u32) {
        let after = self.pieces.partition_point(|p| p.at <= at);
        let (start, end) = match after.checked_sub(1).and_then(|i| self.pieces.get(i)) {
            Some(piece) if piece.copied => (piece.start + (at - piece.at), piece.start + (at - piece.at) + 1),
            Some(piece) => (piece.start, piece.start + piece.length),
            None => (self.span.start as usize + 1 + at, self.span.start as usize + 2 + at),
        };
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).clamp(self.span.start, self.span.end);
        (clamp(start), clamp(end))
    }

    /// The same text without a borrow.
    pub(crate) fn into_owned(self) -> Text<'static> {
        Text { value: Cow::Owned(self.value.into_owned()), span: self.span, pieces: self.pieces }
    }
}

/// What `${NAME}` stands for.
pub(crate) enum Replacement {
    /// This text.
    Text(Arc<str>),
    /// An error about it was reported, or its value is not known here: the whole string is without value.
    Unknown,
}

/// Decodes the string literal `quoted`, which stands at `span`. `replace` gives the text of an interpolated name. `None` when it has
/// no value; if that is an error, it was reported.
pub(crate) fn decode<'s>(
    quoted: &'s str,
    span: Span,
    mode: Mode,
    sink: &mut Sink,
    replace: &mut dyn FnMut(&Name, &mut Sink) -> Replacement,
) -> Option<Text<'s>> {
    let inner = quoted.get(1..quoted.len().checked_sub(1)?)?;
    if !inner.contains(['\\', '$']) {
        return Some(Text { value: Cow::Borrowed(inner), span, pieces: Vec::new() });
    }
    let mut decoder = Decoder {
        inner,
        span,
        mode,
        at: 0,
        out: String::with_capacity(inner.len()),
        pieces: Vec::new(),
        good: true,
    };
    decoder.run(sink, replace);
    decoder.good.then_some(Text { value: Cow::Owned(decoder.out), span, pieces: decoder.pieces })
}

struct Decoder<'s> {
    inner: &'s str,
    span: Span,
    mode: Mode,
    at: usize,
    out: String,
    pieces: Vec<Piece>,
    good: bool,
}

/// Directories that patterns know by name.
const BUILT_IN: &[&str] = &["home", "run_user", "self"];

impl Decoder<'_> {
    fn run(&mut self, sink: &mut Sink, replace: &mut dyn FnMut(&Name, &mut Sink) -> Replacement) {
        // Set after a backslash of a pattern, which keeps the next character from having a meaning.
        let mut kept = false;
        while let Some(c) = self.inner.get(self.at..).and_then(|r| r.chars().next()) {
            let was_kept = std::mem::take(&mut kept);
            match c {
                '\\' => {
                    let decoded = self.escape(sink);
                    kept = decoded == Some('\\') && self.mode == Mode::Pattern && !was_kept;
                }
                '$' if !was_kept => self.dollar(sink, replace),
                c => {
                    self.copied();
                    self.out.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
    }

    fn source(&self, start: usize, end: usize) -> Span {
        let first = self.span.start as usize + 1;
        Span::new(self.span.file, first + start, first + end)
    }

    fn piece(&mut self, length: usize, copied: bool) {
        let start = self.span.start as usize + 1 + self.at;
        self.pieces.push(Piece { at: self.out.len(), start, length, copied });
    }

    /// Starts a stretch that is copied, unless one is under way.
    fn copied(&mut self) {
        if !self.pieces.last().is_some_and(|p| p.copied) {
            self.piece(0, true);
        }
    }

    fn escape(&mut self, sink: &mut Sink) -> Option<char> {
        let c = self.inner.get(self.at + 1..).and_then(|r| r.chars().next());
        let decoded = match c {
            Some('\\') => Some('\\'),
            Some('"') => Some('"'),
            Some('t') => Some('\t'),
            _ => None,
        };
        let length = 1 + c.map_or(0, char::len_utf8);
        match decoded {
            Some(c) => {
                self.piece(length, false);
                self.out.push(c);
            }
            None => {
                let written = self.inner.get(self.at..self.at + length).unwrap_or_default();
                let message = format!("`{written}` is no escape");
                let help =
                    format!("write `\\{written}` for a backslash; the escapes are `\\\\`, `\\\"` and `\\t`");
                sink.push(
                    Diagnostic::new(codes::BAD_ESCAPE, message)
                        .label(self.source(self.at, self.at + length), "not known")
                        .help(help),
                );
                self.good = false;
            }
        }
        self.at += length;
        decoded
    }

    fn dollar(&mut self, sink: &mut Sink, replace: &mut dyn FnMut(&Name, &mut Sink) -> Replacement) {
        let rest = self.inner.get(self.at + 1..).unwrap_or_default();
        if rest.starts_with('$') {
            self.piece(2, false);
            // A dollar has a meaning in a pattern.
            self.out.push_str(if self.mode == Mode::Pattern { "\\$" } else { "$" });
            self.at += 2;
            return;
        }
        let name = rest.strip_prefix('{').and_then(|r| r.split_once('}')).map(|r| r.0);
        match name {
            Some(name) if !name.is_empty() => self.interpolate(name, sink, replace),
            _ => {
                sink.push(
                    Diagnostic::new(codes::LONE_DOLLAR, "a single `$` means nothing")
                        .label(self.source(self.at, self.at + 1), "here")
                        .help("write `$$` for a dollar, or `${NAME}` for the value of a name"),
                );
                self.good = false;
                self.at += 1;
            }
        }
    }

    fn interpolate(
        &mut self,
        name: &str,
        sink: &mut Sink,
        replace: &mut dyn FnMut(&Name, &mut Sink) -> Replacement,
    ) {
        let length = name.len() + 3;
        let span = self.source(self.at + 2, self.at + 2 + name.len());
        if self.mode == Mode::Pattern && BUILT_IN.contains(&name) {
            self.copied();
            self.out.push_str(self.inner.get(self.at..self.at + length).unwrap_or_default());
        } else if BUILT_IN.contains(&name) {
            sink.push(
                Diagnostic::new(
                    codes::BUILT_IN_OUTSIDE_PATH,
                    format!("`${{{name}}}` stands for directories"),
                )
                .label(span, "not in a path")
                .help("use it at the start of a path alone; write `$$` for a dollar"),
            );
            self.good = false;
        } else {
            match replace(&Name { text: name.into(), span }, sink) {
                Replacement::Text(text) => {
                    self.piece(length, false);
                    self.out.push_str(&text);
                }
                Replacement::Unknown => self.good = false,
            }
        }
        self.at += length;
    }
}

/// The names that a string literal interpolates, and where.
pub(crate) fn interpolated(quoted: &str, span: Span) -> Vec<Name> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(found) = quoted.get(at..).and_then(|r| r.find('$')) {
        let start = at + found;
        let rest = quoted.get(start + 1..).unwrap_or_default();
        at = start + if rest.starts_with('$') { 2 } else { 1 };
        if let Some((name, _)) = rest.strip_prefix('{').and_then(|r| r.split_once('}')) {
            let first = span.start as usize + start + 2;
            out.push(Name { text: name.into(), span: Span::new(span.file, first, first + name.len()) });
        }
    }
    out
}
