//! The commands and options of canc, with the help that they print.

mod answers;
mod author;
mod compile;
mod filters;
mod host;
mod installed;
mod verify;

pub use answers::{DiffArgs, DiffFormat, GraphArgs, GraphFormat, TestArgs, TestFormat, WhyArgs};
pub use author::{CompletionsArgs, FmtArgs, ManArgs, NewArgs, Shell};
pub use compile::CompileArgs;
pub use filters::{ExportArgs, ExportFormat, ImportArgs, ImportFormat, TraceFilterArgs};
pub use host::{DoctorArgs, Report, RunArgs};
pub use installed::{ApplyArgs, ChangeArgs, HistoryArgs, PlaceArgs, RemoveArgs, RollbackArgs, StatusArgs};
pub use verify::VerifyArgs;

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Compile one policy to SELinux, AppArmor, seccomp and Landlock, and say exactly what each enforces
#[derive(Debug, Parser)]
#[command(name = "canc", version, max_term_width = 100, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Cli {
    /// Colour what people read
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,

    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  canc build web.can                 compile, print what each layer enforces, write ./web.canc/
  canc new nginx -o web.can          start a policy from what this machine knows of a program
  canc check web.can                 only say what is wrong
  canc test web.can                  prove the policy's own tests
  canc diff old.can new.can          what becomes allowed and what becomes denied
  canc graph web.can > web.svg       draw who starts whom and who includes what
  canc why web.can read /etc/shadow  the decision of the policy and of each layer, and the rules behind it
  canc validate web.can              ask apparmor_parser, checkmodule and the kernel
  canc verify web.can                perform its tests and a suite of attacks here, layers on and off
  canc doctor                        what this host can enforce, and what mends what it cannot
  canc run web.can -- CMD            start a program under it, with no file written and nothing applied
  canc apply web.can                 install it on this host, as root; then: canc-run web -- CMD
  canc status                        what is installed, and whether it still is as it was
  canc trace-filter web.can ptrace   which instructions and lines decide about a call
  canc export oci web.can            the filter for a container runtime
  canc fmt web.can                   give the policy the one form that all have
  canc explain E0123                 what a message means and what to write instead
  canc std base                      read a fragment of the standard library

Exit codes: 0 done; 1 the answer is no; 2 usage; 3 the policy is wrong; 4 a tool or the host failed.
`canc run` passes on the program's own and uses 125 to 127 for its own failures";

/// Whether a command line, which may be wrong, is one of `canc run`, whose exit codes below 125 are the program's.
#[must_use]
pub fn is_run(args: &[OsString]) -> bool {
    let mut words = args.iter().skip(1);
    while let Some(word) = words.next() {
        match word.to_str() {
            Some("--color") => drop(words.next()),
            Some(option) if option.starts_with('-') => {}
            command => return command == Some("run"),
        }
    }
    false
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compile a policy, print what each layer enforces, and write the bundle
    #[command(after_help = BUILD_EXAMPLES)]
    Build(BuildArgs),
    /// Say what is wrong with a policy, and write nothing
    #[command(
        after_help = "Examples:\n  canc check web.can\n  canc check --watch web.can\n  canc check --json web.can | jq '.diagnostics[].code'\n  canc check --sarif web.can > canc.sarif"
    )]
    Check(CheckArgs),
    /// Prove the tests in a policy against the policy and against what is emitted
    #[command(after_help = answers::TEST_EXAMPLES)]
    Test(TestArgs),
    /// Say what a policy and each layer decide about a request, and why
    #[command(after_help = answers::WHY_EXAMPLES)]
    Why(WhyArgs),
    /// Say what a second version of a policy allows and denies beside the first
    #[command(after_help = answers::DIFF_EXAMPLES)]
    Diff(DiffArgs),
    /// Draw who starts whom and who includes what, or ask whether one policy reaches another
    #[command(after_help = answers::GRAPH_EXAMPLES)]
    Graph(GraphArgs),
    /// Say what this host can enforce, or what of a policy, by trying it
    #[command(after_help = host::DOCTOR_EXAMPLES)]
    Doctor(DoctorArgs),
    /// Perform a policy's tests and a suite of attacks on this host, under all layers, each alone, and none
    #[command(after_help = verify::EXAMPLES)]
    Verify(VerifyArgs),
    /// Start a program under a policy, or refuse and say why
    #[command(after_help = host::RUN_EXAMPLES, override_usage = "canc run [OPTIONS] POLICY|BUNDLE -- CMD [ARG…]")]
    Run(RunArgs),
    /// Start a policy for a program from what this machine knows of it: its package, unit, sockets and libraries
    #[command(after_help = author::NEW_EXAMPLES)]
    New(NewArgs),
    /// Give policies their one form: blanks, line ends and indents; words, comments and meaning stay
    #[command(after_help = author::FMT_EXAMPLES)]
    Fmt(FmtArgs),
    /// Install policies on this host, all or nothing
    #[command(after_help = installed::APPLY_EXAMPLES)]
    Apply(ApplyArgs),
    /// Say what is installed, and whether it still is as it was installed
    #[command(after_help = installed::STATUS_EXAMPLES)]
    Status(StatusArgs),
    /// Take policies from this host again, and give it back as it was
    #[command(
        after_help = "Examples:\n  canc remove web\n  canc remove --all --dry-run\n\nWhat canc remembers in /var/lib/canc stays, so that `canc rollback` can undo it.\n\nExit codes: 0 done; 1 it is not installed; 4 a tool or the host failed"
    )]
    Remove(RemoveArgs),
    /// List what was done on this host
    #[command(after_help = "Examples:\n  canc history\n  canc history --json | jq '.history[-1]'")]
    History(HistoryArgs),
    /// Go back to what was installed before
    #[command(
        after_help = "Examples:\n  canc rollback\n  canc rollback 3\n  canc rollback 1f0c9a --dry-run\n\nExit codes: 0 done; 1 there is no such generation, or a conflict; 4 a tool or the host failed"
    )]
    Rollback(RollbackArgs),
    /// Explain a message by its code
    #[command(after_help = "Examples:\n  canc explain E0123\n  canc explain --list")]
    Explain(ExplainArgs),
    /// Read the standard library
    #[command(after_help = "Examples:\n  canc std\n  canc std base")]
    Std(StdArgs),
    /// Print what completes canc's words in a shell
    #[command(after_help = author::COMPLETIONS_EXAMPLES)]
    Completions(CompletionsArgs),
    /// Write manual pages: one for each command, and canc(5) for the language
    #[command(
        after_help = "Examples:\n  canc man | man -l -\n  canc man /usr/local/share/man     writes man1/canc.1, man1/canc-build.1, …, man5/canc.5"
    )]
    Man(ManArgs),
    /// Ask the target languages' own tools about a policy: apparmor_parser, checkmodule, semodule, the kernel
    #[command(after_help = VALIDATE_EXAMPLES)]
    Validate(ValidateArgs),
    /// Walk a system call through the filters and show each step with its line of the policy
    #[command(after_help = filters::TRACE_FILTER_EXAMPLES)]
    TraceFilter(TraceFilterArgs),
    /// Write a policy's filter in another program's format, and say what the format cannot
    #[command(after_help = filters::EXPORT_EXAMPLES)]
    Export(ExportArgs),
    /// Read another program's filter into a policy that answers every call as it does
    #[command(after_help = filters::IMPORT_EXAMPLES)]
    Import(ImportArgs),
}

const VALIDATE_EXAMPLES: &str = "\
Examples:
  canc validate web.can
  canc build web.can && canc validate web.canc
  canc validate web.canc --sysroot /srv/debian13
  canc validate web.canc --json | jq '.checks[] | select(.answer != \"accepted\")'

Nothing is installed: profiles are only parsed, modules go into a private copy of the policy store, filters into processes
that end at once. The store can be read by root alone.

Exit codes: 0 every tool accepted; 1 a tool refused; 3 the policy is wrong; 4 something could not be checked";

const BUILD_EXAMPLES: &str = "\
Examples:
  canc build web.can
  canc build web.can -o /tmp/web.canc --json
  canc build web.can --set root=/srv/www --for selinux,apparmor
  canc build web.can --deny leaks --deny selinux:dropped
  canc build web.can --emit asm
  canc build web.can --sarif > canc.sarif
  canc build web.can --with-runtime && ./web.canc/canc-run web.canc -- nginx
  strace -f -c -o web.counts web; canc build web.can --frequencies web.counts";

/// The architectures that filters are made for unless others are named.
pub const ARCHES: &str = "x86_64,aarch64,riscv64";

/// What every command that compiles takes.
#[derive(Debug, Clone, Args)]
pub struct SourceArgs {
    /// The policy
    #[arg(value_name = "POLICY")]
    pub policy: PathBuf,

    /// Give a parameter its value; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,

    /// The SELinux policy that the module is made for: debian13, fedora, or a directory of facts
    #[arg(long, value_name = "BASE", default_value = "debian13")]
    pub selinux_base: String,

    /// The AppArmor policy ABI
    #[arg(long, value_name = "ABI", default_value = "4.0", value_parser = ["3.0", "4.0"])]
    pub apparmor_abi: String,

    /// The AppArmor features of the kernel that verdicts are for [default: those of Debian 13's kernel]
    #[arg(long, value_name = "FILE")]
    pub apparmor_features: Option<PathBuf>,

    /// The architectures to make filters for
    #[arg(long, value_name = "ARCH", value_delimiter = ',', default_value = ARCHES)]
    pub arch: Vec<String>,

    /// Accept `raw` text for a target in this file
    #[arg(long)]
    pub allow_raw: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl SourceArgs {
    /// A policy for the usual targets on these architectures.
    #[must_use]
    pub fn new(policy: &Path, set: &[String], arch: Vec<String>, allow_raw: bool) -> Self {
        Self {
            policy: policy.to_owned(),
            set: set.to_vec(),
            selinux_base: "debian13".into(),
            apparmor_abi: "4.0".into(),
            apparmor_features: None,
            arch,
            allow_raw,
            json: false,
        }
    }
}

/// `canc check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// What to compile.
    #[command(flatten)]
    pub source: SourceArgs,

    /// Print SARIF 2.1.0, which code hosts and editors read
    #[arg(long, conflicts_with = "json")]
    pub sarif: bool,

    /// Do it again whenever the policy or a file that it uses changes, until interrupted
    #[arg(long, conflicts_with_all = ["json", "sarif"])]
    pub watch: bool,
}

/// `canc build`.
#[derive(Debug, Clone, Args)]
pub struct BuildArgs {
    /// What to compile.
    #[command(flatten)]
    pub source: SourceArgs,

    /// Where to write the bundle [default: ./<stem>.canc]
    #[arg(short, long, value_name = "DIR", conflicts_with = "emit")]
    pub output: Option<PathBuf>,

    /// The deployments that matter: selinux, apparmor, bare; `bare:4` states a Landlock ABI
    #[arg(long = "for", value_name = "DEPLOYMENT", value_delimiter = ',')]
    pub deployments: Vec<String>,

    /// Make a result an error: leaks, blocks, or TARGET:VERDICT such as selinux:dropped; may be repeated
    #[arg(long, value_name = "RESULT")]
    pub deny: Vec<String>,

    /// Put the launcher into the bundle, so that it needs nothing of canc on its host: a static `canc-run` beside canc, or PATH
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true, conflicts_with = "emit")]
    pub with_runtime: Option<Option<PathBuf>>,

    /// Print one artefact instead of writing the bundle
    #[arg(long, value_name = "WHAT")]
    pub emit: Option<Emit>,

    /// How often the program makes each call, as `strace -c`, `perf trace -s` or an audit log have it, or `default`: the filters
    /// find frequent calls sooner and answer the same
    #[arg(long, value_name = "FILE")]
    pub frequencies: Option<PathBuf>,

    /// List the rules of included fragments one by one
    #[arg(long)]
    pub all: bool,

    /// Print the messages as SARIF 2.1.0, which code hosts and editors read
    #[arg(long, conflicts_with_all = ["json", "emit"])]
    pub sarif: bool,
}

/// What `canc build --emit` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Emit {
    /// The SELinux type enforcement source
    Te,
    /// The SELinux file contexts
    Fc,
    /// The AppArmor profile
    Apparmor,
    /// The commented listing of the seccomp filters
    Asm,
    /// The Landlock rulesets
    Landlock,
    /// The manifest
    Manifest,
}

/// `canc explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// The code, such as E0123
    #[arg(value_name = "CODE", required_unless_present = "list")]
    pub code: Option<String>,

    /// List all codes
    #[arg(long)]
    pub list: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `canc std`.
#[derive(Debug, Clone, Args)]
pub struct StdArgs {
    /// The fragment, such as base; all names without it
    #[arg(value_name = "NAME")]
    pub name: Option<String>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `canc validate`.
#[derive(Debug, Clone, Args)]
pub struct ValidateArgs {
    /// A policy, or the directory that `canc build` wrote
    #[arg(value_name = "POLICY|BUNDLE")]
    pub subject: PathBuf,

    /// How a policy is compiled.
    #[command(flatten)]
    pub compile: CompileArgs,

    /// Ask the tools of this root file system instead of the host's; root only
    #[arg(long, value_name = "DIR")]
    pub sysroot: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
