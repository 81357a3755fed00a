//! A text of the policy language to the same text in the one form that `canc fmt` gives it: the same words, strings and comments, with
//! other blanks and line ends between them.

mod atoms;
mod layout;
mod lines;
mod same;

use crate::diag::{Diagnostic, Severity};
use crate::parse::{self, split};
use crate::sink::Sink;
use crate::source::{FileId, SourceMap};

/// The columns that a line should keep to. A long string may still go over them.
pub const WIDTH: usize = 100;

/// The columns by which the inside of a block, and the later lines of a statement, stand further right.
pub const INDENT: usize = 2;

/// Why a text was not formatted.
#[derive(Debug)]
pub struct Unformatted {
    /// The text.
    pub sources: SourceMap,
    /// What is wrong with it; at least one error.
    pub diagnostics: Vec<Diagnostic>,
}

/// Formats `bytes`, which people know as `name`.
///
/// The text must be of the language's form; what its names stand for is not looked at. What comes back was read again, and holds the
/// same statements and comments.
///
/// # Errors
/// When the text is not of the language's form, or a line of it would become too long.
pub fn format(name: &str, bytes: &[u8]) -> Result<String, Box<Unformatted>> {
    let (sources, tree, diagnostics) = crate::parse(name, bytes);
    if has_error(&diagnostics) {
        return Err(Box::new(Unformatted { sources, diagnostics }));
    }
    let text = sources.get(tree.id).map(|f| f.text.to_string()).unwrap_or_default();
    let mut sink = Sink::default();
    let skeleton = split::split(tree.id, &text, &mut sink);
    let formatted = layout::text(tree.id, &text, &skeleton);
    match same::difference(tree.id, &text, &formatted) {
        None => Ok(formatted),
        Some(diagnostic) => Err(Box::new(Unformatted { sources, diagnostics: vec![diagnostic] })),
    }
}

fn has_error(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|d| d.severity == Severity::Error)
}

/// The tree of a text and whether there is no error in it.
fn reads(file: FileId, text: &str) -> bool {
    let mut sink = Sink::default();
    if parse::scan(file, text.as_bytes(), &mut sink).is_none() {
        return false;
    }
    parse::parse(file, text, &mut sink);
    sink.errors() == 0
}
