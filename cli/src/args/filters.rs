//! The options of the commands on filters: walking them, and the formats of other programs.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `canc trace-filter`.
#[derive(Debug, Clone, Args)]
pub struct TraceFilterArgs {
    /// A policy, or the directory that `canc build` wrote
    #[arg(value_name = "POLICY|BUNDLE")]
    pub subject: PathBuf,

    /// The system call: its name, or a number
    #[arg(value_name = "SYSCALL")]
    pub call: String,

    /// Its arguments
    #[arg(value_name = "ARG", allow_negative_numbers = true)]
    pub args: Vec<String>,

    /// The architecture that the call is made on [default: this host's]
    #[arg(long, value_name = "ARCH")]
    pub arch: Option<String>,

    /// The policy, where there are several
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,

    /// Give a parameter of the policy its value; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,

    /// Accept `raw` text for a target in the policy
    #[arg(long)]
    pub allow_raw: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The formats of other programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// The `seccomp` object of the OCI runtime specification
    Oci,
    /// A drop-in for a systemd unit
    Systemd,
}

/// `canc export`.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// The format
    #[arg(value_name = "FORMAT")]
    pub format: ExportFormat,

    /// The policy
    #[arg(value_name = "POLICY")]
    pub subject: PathBuf,

    /// Where to write it [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// The host's architecture, and those whose programs it runs too [default: this host's]
    #[arg(long, value_name = "ARCH", value_delimiter = ',')]
    pub arch: Vec<String>,

    /// The policy, where there are several
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,

    /// For systemd: let calls through that are allowed with some arguments alone
    #[arg(long)]
    pub widen: bool,

    /// Give a parameter its value; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,

    /// Accept `raw` text for a target in the policy
    #[arg(long)]
    pub allow_raw: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ImportFormat {
    /// The `seccomp` object of the OCI runtime specification, or a profile of Docker
    Oci,
}

/// `canc import`.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// The format
    #[arg(value_name = "FORMAT")]
    pub format: ImportFormat,

    /// The file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// The program that the policy starts
    #[arg(long, value_name = "PATH")]
    pub exec: String,

    /// The policy's name [default: the file's]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// A capability that the container has; may be repeated
    #[arg(long = "cap", value_name = "CAP", value_delimiter = ',')]
    pub capabilities: Vec<String>,

    /// The kernel's version [default: the newest]
    #[arg(long, value_name = "VERSION")]
    pub kernel: Option<String>,

    /// Where to write the policy [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
