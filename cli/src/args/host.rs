//! The options of the commands on this host: starting a program, and what the host can enforce.

use super::CompileArgs;
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

pub const DOCTOR_EXAMPLES: &str = "\
Examples:
  canc doctor                                    what there is, what is missing, and what mends it
  canc doctor web.can                            whether this host can enforce the policy, now and once it is loaded
  canc doctor --json | jq '.checks[] | select(.state == \"missing\") | .fix'

Nothing of the host changes: child processes try each thing and end. Root sees more than an ordinary user.

Exit codes: 0 programs can be confined here (the policy can be enforced here); 1 not; 3 the policy is wrong; 4 the host failed";

pub const RUN_EXAMPLES: &str = "\
Examples:
  canc run cat.can -- cat /srv/x/notes
  canc run web.can --policy web --report text -- /usr/sbin/nginx -g 'daemon off;'
  canc run web.can --set root=/srv/www --dry-run -- nginx
  canc run web.canc --report json --report-to 3 -- nginx 3>report.json

The policy is compiled in memory, and canc becomes the program: nothing is written and nothing stays behind. Landlock and
seccomp need no privilege; SELinux and AppArmor count where this very policy is applied. What the layers of this host cannot
enforce is refused, unless the policy says `tolerate` or `prefer`.

Exit codes: the program's own, 128+n where signal n ended it in a PID namespace of its own; 125 refused, or canc itself failed;
126 the program cannot be executed; 127 it was not found. --dry-run: 0 if it would start";

/// `canc run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// A policy, or the directory that `canc build` wrote
    #[arg(value_name = "POLICY|BUNDLE")]
    pub subject: PathBuf,

    /// The policy in the file, where it has several that can be started
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,

    /// Say what is enforced, before the program starts
    #[arg(long, value_name = "FORMAT")]
    pub report: Option<Report>,

    /// Write the report to this descriptor instead of standard error
    #[arg(long, value_name = "N", requires = "report", value_parser = clap::value_parser!(u32).range(0..=0x7fff_ffff))]
    pub report_to: Option<u32>,

    /// Decide, print the plan and the facts about this host, start nothing
    #[arg(long)]
    pub dry_run: bool,

    /// How a policy is compiled.
    #[command(flatten)]
    pub compile: CompileArgs,

    /// The AppArmor features of the kernel that verdicts are for [default: those of Debian 13's kernel]
    #[arg(long, value_name = "FILE")]
    pub apparmor_features: Option<PathBuf>,

    /// The program and its arguments
    #[arg(value_name = "CMD", required = true, last = true)]
    pub command: Vec<OsString>,
}

/// `canc doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// A policy that the host is asked about too
    #[arg(value_name = "POLICY")]
    pub policy: Option<PathBuf>,

    /// Give a parameter of the policy its value; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE", requires = "policy")]
    pub set: Vec<String>,

    /// The SELinux policy that the module is made for [default: that of this host's distribution, or debian13]
    #[arg(long, value_name = "BASE", requires = "policy")]
    pub selinux_base: Option<String>,

    /// Accept `raw` text for a target in the policy
    #[arg(long, requires = "policy")]
    pub allow_raw: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// How `canc run` reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Report {
    /// Lines to read
    Text,
    /// One JSON object on a line
    Json,
}
