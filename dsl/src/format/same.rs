//! Two texts to what tells them apart beside blanks: the check that formatting changed nothing else.

use super::atoms::words;
use super::reads;
use crate::codes;
use crate::diag::Diagnostic;
use crate::limits::MAX_LINE_BYTES;
use crate::parse::split::{Node, split};
use crate::sink::Sink;
use crate::source::{FileId, Span};

/// The words of all statements, with `{`, `}` and `;` where blocks and statements begin and end, and the comments.
fn content(file: FileId, text: &str) -> (Vec<&str>, Vec<&str>) {
    fn walk<'s>(file: FileId, text: &'s str, nodes: &[Node], out: &mut Vec<&'s str>) {
        for node in nodes {
            out.extend(words(file, text, &node.head));
            match &node.body {
                None => out.push(";"),
                Some(body) => {
                    out.push("{");
                    walk(file, text, body, out);
                    out.push("}");
                }
            }
        }
    }
    let skeleton = split(file, text, &mut Sink::default());
    let mut out = Vec::new();
    walk(file, text, &skeleton.nodes, &mut out);
    let comments = skeleton.comments.iter().map(|c| text.get(c.range()).unwrap_or_default().trim_end());
    (out, comments.collect())
}

/// Why `formatted` must not take the place of `text`; `None` if it may.
pub(super) fn difference(file: FileId, text: &str, formatted: &str) -> Option<Diagnostic> {
    let whole = Span::new(file, 0, 0);
    if formatted.lines().any(|line| line.len() > MAX_LINE_BYTES) {
        let message = format!("a line of the formatted text would be longer than {MAX_LINE_BYTES} bytes");
        let help = "break the longest comment or text of the file";
        return Some(Diagnostic::new(codes::LINE_TOO_LONG, message).label(whole, "this file").help(help));
    }
    if content(file, text) == content(file, formatted) && reads(file, formatted) {
        return None;
    }
    let message = "this compiler cannot format the file without changing it";
    Some(
        Diagnostic::new(codes::INTERNAL, message)
            .label(whole, "this file")
            .help("please report this as a bug"),
    )
}
