//! The options of commands for those who write policies: their form, their first lines, their shell.

use clap::{Args, ValueEnum};
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

/// `canc completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A shell that completes words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// GNU Bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
}

/// `canc man`.
#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// The directory to write all pages to; canc(1) alone is printed without it
    #[arg(value_name = "DIR")]
    pub directory: Option<PathBuf>,

    /// Print JSON: every page by its file's name, and with DIR what was written
    #[arg(long)]
    pub json: bool,
}

/// `canc new`.
#[derive(Debug, Clone, Args)]
pub struct NewArgs {
    /// The program: a path, or a name that is looked for as a shell does
    #[arg(value_name = "PROGRAM")]
    pub program: String,

    /// Write the policy to this file, which must not be there yet, instead of printing it
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
