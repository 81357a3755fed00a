//! The options of the commands on filters: walking them, and the formats of other programs.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

pub const EXPORT_EXAMPLES: &str = "\
Examples:
  canc export oci web.can -o web.json                  for Docker, Podman, containerd, a pod's localhostProfile
  canc export oci web.can --arch aarch64 --json | jq .verdicts
  canc export systemd web.can -o /etc/systemd/system/web.service.d/seccomp.conf
  canc export systemd web.can --widen                  let calls through whole that are allowed with some arguments

System calls alone are exported; the verdicts say what the format lacks. A runtime or systemd starts the program after the
filter is loaded: the policy must allow `execve` for that.";

pub const IMPORT_EXAMPLES: &str = "\
Examples:
  canc import oci seccomp.json --exec /usr/sbin/nginx -o nginx.can
  canc import oci default.json --exec /bin/app --cap CAP_SYS_ADMIN --kernel 6.12

Entries that depend on capabilities, the kernel or the host apply as for a container that has what --cap and --kernel say.
Nothing is written unless the whole profile can be said.";

pub const TRACE_FILTER_EXAMPLES: &str = "\
Examples:
  canc trace-filter web.can socket AF_INET SOCK_STREAM
  canc trace-filter web.can openat flags=O_RDWR|O_CREAT --arch aarch64
  canc trace-filter web.canc ioctl arg1=0x100005412
  canc trace-filter web.can 439 --json | jq .action

Arguments stand in the order of the call's manual page, or as NAME=VALUE. A value is a number, a constant of the kernel's headers,
or several joined by `|`. Those that are not given are 0; `arg0=` to `arg5=` set whole registers, bits included that the kernel
does not look at. A bundle is walked as it was built; a policy is built for the time of the question.";

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
