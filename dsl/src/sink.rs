//! Collects diagnostics: each place is reported once per code, and a hostile text cannot make the list grow without end.

use crate::codes;
use crate::diag::{Code, Diagnostic, Severity};
use crate::limits::MAX_DIAGNOSTICS;
use crate::source::Span;
use std::collections::HashSet;

/// Proof that an error was reported, so that whoever sees it can stop in silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reported(());

/// The result of understanding something; the error has been reported already.
pub(crate) type Parsed<T> = Result<T, Reported>;

/// The diagnostics so far.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    list: Vec<Diagnostic>,
    seen: HashSet<(Code, Span, String)>,
    errors: usize,
    full: bool,
}

impl Sink {
    /// Adds a diagnostic, unless the same one was reported at the same place: a fragment's text is understood once per use.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) -> Reported {
        if diagnostic.severity == Severity::Error {
            self.errors += 1;
        }
        if self.full {
            return Reported(());
        }
        if let Some(label) = diagnostic.labels.first()
            && !self.seen.insert((diagnostic.code, label.span, diagnostic.message.clone()))
        {
            return Reported(());
        }
        if self.list.len() >= MAX_DIAGNOSTICS {
            self.full = true;
            let more = format!("more than {MAX_DIAGNOSTICS} messages: the rest is left out");
            self.list.push(Diagnostic::new(codes::TOO_MANY_MESSAGES, more).help("repair these first"));
            return Reported(());
        }
        self.list.push(diagnostic);
        Reported(())
    }

    /// How many errors were reported, repetitions included: a difference tells whether a step failed.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// Whether the list is full, so that going on would only cost time.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// The diagnostics in the order of the text, those of the first file first.
    pub(crate) fn into_sorted(mut self) -> Vec<Diagnostic> {
        let place = |d: &Diagnostic| d.labels.first().map(|l| (l.span.file, l.span.start));
        let last = |d: &Diagnostic| d.code == codes::TOO_MANY_MESSAGES;
        self.list.sort_by_key(|d| (last(d), place(d)));
        self.list
    }
}
