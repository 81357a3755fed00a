//! Diagnostics as data: a permanent code, labels on exact text, and what to write instead. Rendering is the command line's work.

use crate::source::Span;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The policy is wrong; nothing is written.
    Error,
    /// The policy builds, but its author should know.
    Warning,
    /// For information, such as a system call that one architecture lacks.
    Note,
}

/// A permanent code such as `E0123`, `W0007` or `N0001`; never reused for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub &'static str);

/// A piece of source text and what to say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The exact text.
    pub span: Span,
    /// Lower case, no full stop, in the words of the policy language.
    pub text: String,
}

/// One message to the author of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The permanent code; its page is `canc explain CODE`.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// One line, lower case, no full stop.
    pub message: String,
    /// The first label is the primary one.
    pub labels: Vec<Label>,
    /// What to write instead.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic whose severity follows from the code's first letter.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let severity = match code.0.as_bytes().first() {
            Some(b'W') => Severity::Warning,
            Some(b'N') => Severity::Note,
            _ => Severity::Error,
        };
        Self { code, severity, message: message.into(), labels: Vec::new(), help: None }
    }

    /// Adds a label; the first one added is the primary one.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Says what to write instead.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }
}
