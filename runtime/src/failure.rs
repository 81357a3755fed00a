//! Why a program was not started: an exit code, and for each reason what, why and what would mend it.

use canc_bundle::Refusal;
use std::fmt;

/// The exit codes of env(1) for everything that is not the program's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Refused, or canc itself failed.
    Refused = 125,
    /// The program is there and cannot be executed.
    CannotExecute = 126,
    /// There is no such program.
    NotFound = 127,
}

/// A launch that did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Failure {
    /// What canc-run exits with.
    pub code: Code,
    /// At least one.
    pub reasons: Vec<Refusal>,
}

impl Failure {
    /// Refused, for one reason.
    #[must_use]
    pub fn refused(what: impl Into<String>, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { code: Code::Refused, reasons: vec![reason(what, why, remedy)] }
    }

    /// What to tell on standard error: each line that gives a reason begins with the name of the program that refuses.
    #[must_use]
    pub fn told_by(&self, called: &str) -> String {
        let named = |line: &str| {
            if line.starts_with(' ') { format!("{line}\n") } else { format!("{called}: {line}\n") }
        };
        self.to_string().lines().map(named).collect()
    }

    /// The same with another exit code.
    #[must_use]
    pub fn with_code(self, code: Code) -> Self {
        Self { code, ..self }
    }
}

/// One reason.
#[must_use]
pub fn reason(what: impl Into<String>, why: impl Into<String>, remedy: impl Into<String>) -> Refusal {
    Refusal { what: what.into(), why: why.into(), remedy: remedy.into() }
}

impl fmt::Display for Failure {
    /// A line for each reason, and one below it for its remedy where there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, Refusal { what, why, remedy }) in self.reasons.iter().enumerate() {
            let separator = if i == 0 { "" } else { "\n" };
            write!(f, "{separator}{what}: {why}")?;
            if !remedy.is_empty() {
                write!(f, "\n  to mend it: {remedy}")?;
            }
        }
        Ok(())
    }
}
