//! The options of the commands on what is installed on this host.

use super::CompileArgs;
use clap::Args;
use std::path::PathBuf;

pub const APPLY_EXAMPLES: &str = "\
Examples:
  canc apply web.can                 show what will change, ask, install
  canc apply web.can db.canc --yes   several at once, without asking
  canc apply web.can --dry-run       only say what would change
  canc apply web.can --unit nginx.service; systemctl restart nginx
  canc run web.can -- nginx          no need to apply: seccomp and Landlock alone, with nothing installed

AppArmor: the profile goes to /etc/apparmor.d, where the distribution loads it at boot, and into the kernel. SELinux: the module
goes to the store after a trial on a copy of it, and declared paths get their labels. The rest is read from /var/lib/canc by
`canc-run NAME -- CMD`. What the kernel does not run is kept for later. An interrupted apply is completed or undone by the next
canc command of root.

With --unit, a drop-in below /etc/systemd/system has the service's program started by canc-run; where AppArmor or SELinux is all that
the policy asks for, by AppArmorProfile= or SELinuxContext= instead. A unit with settings that stand against it is refused.

Exit codes: 0 done, or there was nothing to do; 1 a conflict, a refusal of the trial, or the answer was no; 3 the policy is wrong;
4 a tool or the host failed, and the host is as it was";

pub const STATUS_EXAMPLES: &str = "\
Examples:
  canc status
  canc status web
  canc status --json | jq '.layers[] | select(.is != \"installed\")'

Root sees more than an ordinary user.

Exit codes: 0 everything is as it was installed and enforces; 1 not; 4 the host failed";

/// What each of them takes.
#[derive(Debug, Clone, Args)]
pub struct PlaceArgs {
    /// Work in this root, with its tools, and with files below its `sys` as its kernel; for tests
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,

    /// Wait this long for another canc that is changing the host
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub wait: u64,

    /// End a tool that takes longer [default: 600]
    #[arg(long, value_name = "SECONDS")]
    pub tool_limit: Option<u64>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What those take that change something.
#[derive(Debug, Clone, Args)]
pub struct ChangeArgs {
    /// Do not ask; without a terminal nobody is asked
    #[arg(short, long)]
    pub yes: bool,

    /// Only say what would change
    #[arg(long)]
    pub dry_run: bool,

    /// Where, and how long.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `canc apply`.
#[derive(Debug, Clone, Args)]
pub struct ApplyArgs {
    /// Policies, or directories that `canc build` wrote
    #[arg(value_name = "POLICY|BUNDLE", required = true)]
    pub subjects: Vec<PathBuf>,

    /// Let a service of systemd run under the policy, by a drop-in for its unit; it stays so with later applies
    #[arg(long, value_name = "[POLICY=]NAME.service", conflicts_with = "no_unit")]
    pub unit: Option<String>,

    /// Take the drop-ins away again
    #[arg(long)]
    pub no_unit: bool,

    /// How a policy is compiled.
    #[command(flatten)]
    pub compile: CompileArgs,

    /// How.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// `canc status`.
#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// Names of policies; all without one
    #[arg(value_name = "NAME")]
    pub policies: Vec<String>,

    /// Where, and how long.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `canc remove`.
#[derive(Debug, Clone, Args)]
pub struct RemoveArgs {
    /// Names of policies
    #[arg(value_name = "NAME", required_unless_present = "all")]
    pub policies: Vec<String>,

    /// All of them
    #[arg(long, conflicts_with = "policies")]
    pub all: bool,

    /// How.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// `canc rollback`.
#[derive(Debug, Clone, Args)]
pub struct RollbackArgs {
    /// A number or a digest that `canc history` shows [default: the one before the current]
    #[arg(value_name = "GENERATION")]
    pub generation: Option<String>,

    /// How.
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// `canc history`.
#[derive(Debug, Clone, Args)]
pub struct HistoryArgs {
    /// Where, and how long.
    #[command(flatten)]
    pub place: PlaceArgs,
}
