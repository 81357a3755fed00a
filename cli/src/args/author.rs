//! The options of commands for those who write policies: their form, their first lines, their shell.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

pub const FMT_EXAMPLES: &str = "\
Examples:
  canc fmt web.can api.can
  canc fmt --check *.can                         for a pipeline: 1 and the names of what is not formatted
  canc fmt - < web.can                           for an editor: print it, write nothing

A file that is not of the language's form is left as it is, and so is every other file of the same command. A file is replaced
whole and keeps its mode; a symbolic link stays one, and what it leads to is formatted; a file with several names is written in
place, so that they stay names of one file; one that may not be written is an error.

Exit codes: 0 done (with --check: all are formatted); 1 some are not; 3 a policy is wrong; 4 a file cannot be read or written";

pub const NEW_EXAMPLES: &str = "\
Examples:
  canc new nginx -o nginx.can
  canc new /usr/sbin/cron | less

What is found is a start and no proof: files of the package, directories and capabilities of the unit that starts the program,
ports of its socket units. Everything else is for its author to add. The policy compiles; nothing is written otherwise.

Exit codes: 0 done; 2 FILE is there already; 4 the program is missing, a script, or of another architecture";

pub const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  canc completions bash > ~/.local/share/bash-completion/completions/canc
  canc completions zsh > ~/.zfunc/_canc          with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc
  canc completions fish > ~/.config/fish/completions/canc.fish";

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
