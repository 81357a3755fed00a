//! How a command ended, as the process's exit code.

use std::process::ExitCode;

/// The exit codes of every command but `run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It was done.
    Done = 0,
    /// The answer is no: a test fails, a host cannot enforce.
    No = 1,
    /// The command was called wrongly.
    Usage = 2,
    /// The policy is wrong.
    Policy = 3,
    /// A tool or the host failed.
    Host = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
