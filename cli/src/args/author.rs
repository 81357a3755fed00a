//! The options of commands for those who write policies: their form, their first lines, their shell.

use clap::Args;
use std::path::PathBuf;

/// `canc fmt`.
#[derive(Debug, Clone, Args)]
pub struct FmtArgs {
    /// The policies; `-` reads one from standard input and prints it
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,

    /// Write nothing, and say which files are not formatted
    #[arg(long)]
    pub check: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
