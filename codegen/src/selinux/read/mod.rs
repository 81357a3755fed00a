//! Emitted text to what it says: the judge of what a module permits reads the files of the bundle, and knows nothing of how they
//! came about.

pub mod fc;
pub mod ports;
pub mod te;
#[cfg(test)]
mod tests;

use std::fmt;

/// Text that is not of the form in which modules are emitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for ReadError {}
