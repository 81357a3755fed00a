//! How a command ended, as the process's exit code.

use std::process::ExitCode;

/// The exit codes; `canc run` uses the last three for everything of its own, as env(1) does.
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
    /// A launch was refused, or `canc run` itself failed.
    Refused = 125,
    /// The program to launch is there and cannot be executed.
    CannotExecute = 126,
    /// The program to launch was not found.
    NotFound = 127,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
