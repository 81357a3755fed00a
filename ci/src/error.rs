//! What can go wrong in the test bed, in words that say what to do.

use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error as ThisError;

/// A failure of the test bed itself, or of a tool that had to succeed.
#[derive(Debug, ThisError)]
pub enum Error {
    /// A file operation failed.
    #[error("{doing} {path}: {source}")]
    Io {
        /// What was tried, as a participle.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A program could not be started.
    #[error("starting {command}: {source}")]
    Start {
        /// The command line.
        command: String,
        /// Why not.
        source: std::io::Error,
    },
    /// A program ended with another code than 0.
    #[error("{command}: {status}\n{stderr}")]
    Failed {
        /// The command line.
        command: String,
        /// How it ended.
        status: String,
        /// What it said.
        stderr: String,
    },
    /// A program took too long and was ended.
    #[error("{command}: not finished after {limit:?}, ended")]
    Slow {
        /// The command line.
        command: String,
        /// What it was allowed.
        limit: Duration,
    },
    /// The machine lacks something.
    #[error("{0}")]
    Missing(String),
    /// A tool said something that cannot be understood, or a test's description is wrong.
    #[error("{0}")]
    Odd(String),
}

impl Error {
    /// How `canc-ci` ends: 1 where something is not as it should be, 4 where the test bed could not work.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Odd(_) => 1,
            Self::Io { .. }
            | Self::Start { .. }
            | Self::Failed { .. }
            | Self::Slow { .. }
            | Self::Missing(_) => 4,
        }
    }

    /// For `map_err` on file operations.
    pub fn io(doing: &'static str, path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::Io { doing, path, source }
    }
}
