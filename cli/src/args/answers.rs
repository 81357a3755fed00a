//! The commands that answer questions about policies, and their options.

use super::SourceArgs;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

pub const WHY_EXAMPLES: &str = "\
Examples:
  canc why web.can read /srv/www/index.html
  canc why web.can connect tcp port 25
  canc why web.can 'syscall ioctl where arg1 == 0x5412'
  canc why web.can capability sys_admin --json | jq .decision
  canc why web.can read /srv/www/.git/config as other --for bare
  canc why web.can --audit /var/log/audit/audit.log
  journalctl -k -b | canc why web.can --audit -
  dmesg | canc why --audit - web.can --json | jq '.refusals[].edit'

With `--audit`, records of SELinux, AppArmor, seccomp and Landlock in a log become requests: each once, with the policy's decision, the
rules behind it, and the rule that would allow it, marked where tests of the policy then fail. A record says what was refused, not that
it should be allowed; and who may write to the log may have written the record.

A request is spelled as in tests; a path may be bare and stands for itself, without wildcards.

Exit codes: 0 the policy allows it; 1 the policy denies it, or a part of it, or a log holds a refusal that concerns the policy or cannot
be read; 2 usage, such as a request with a mistake; 3 the policy is wrong; 4 the host failed";

/// `canc why`.
#[derive(Debug, Clone, Args)]
pub struct WhyArgs {
    /// What to compile.
    #[command(flatten)]
    pub source: SourceArgs,

    /// The request, in one word of the shell or in several
    #[arg(value_name = "REQUEST", required_unless_present = "audit", conflicts_with = "audit")]
    pub request: Vec<String>,

    /// Answer for what records of refusals in this log tell of: audit.log, the journal's or dmesg's text, or `-` for standard input
    #[arg(long, value_name = "FILE")]
    pub audit: Option<PathBuf>,

    /// The policy that is asked, where the file has several
    #[arg(long = "policy", value_name = "NAME")]
    pub policy_name: Option<String>,

    /// The deployments that matter: selinux, apparmor, bare; `bare:4` states a Landlock ABI
    #[arg(long = "for", value_name = "DEPLOYMENT", value_delimiter = ',')]
    pub deployments: Vec<String>,
}

pub const DIFF_EXAMPLES: &str = "\
Examples:
  canc diff old/web.can web.can
  git show main:web.can > /tmp/old.can; canc diff /tmp/old.can web.can --format markdown
  canc diff old.can new.can --json | jq '.policies[].allowed[].witness'

Policies are compared by what they mean: other names, another order, and rules that moved into fragments are no difference. Each
request that is shown is one that the one version allows and the other denies.

Exit codes: 0 nothing becomes allowed; 1 something becomes allowed, or is held by less; 2 usage; 3 a policy is wrong";

/// `canc diff`.
#[derive(Debug, Clone, Args)]
pub struct DiffArgs {
    /// The first version
    #[arg(value_name = "OLD")]
    pub old: PathBuf,

    /// What to compile, the second version.
    #[command(flatten)]
    pub source: SourceArgs,

    /// How to print it; `--json` is `--format json`
    #[arg(long, value_enum, default_value_t = DiffFormat::Text, conflicts_with = "json")]
    pub format: DiffFormat,
}

/// How a difference is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// For a terminal
    Text,
    /// For a comment on a change
    Markdown,
    /// For scripts
    Json,
}

pub const GRAPH_EXAMPLES: &str = "\
Examples:
  canc graph web.can > web.svg
  canc graph web.can --format mermaid --no-includes
  canc graph web.can --format dot | dot -Tpdf -o web.pdf
  canc graph web.can --reaches webd webd_cgi

Exit codes: 0 drawn, or the one policy reaches the other; 1 it does not; 2 usage; 3 the policy is wrong";

/// `canc graph`.
#[derive(Debug, Clone, Args)]
pub struct GraphArgs {
    /// What to compile.
    #[command(flatten)]
    pub source: SourceArgs,

    /// In which language to draw; `--json` prints nodes and edges
    #[arg(long, value_enum, default_value_t = GraphFormat::Svg)]
    pub format: GraphFormat,

    /// Leave fragments out
    #[arg(long)]
    pub no_includes: bool,

    /// Say whether transitions lead from one policy to another, and by which way
    #[arg(long, num_args = 2, value_names = ["FROM", "TO"])]
    pub reaches: Option<Vec<String>>,
}

/// How a graph is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    /// A picture that needs no other program
    Svg,
    /// For graphviz
    Dot,
    /// For Markdown on code hosts
    Mermaid,
}

pub const TEST_EXAMPLES: &str = "\
Examples:
  canc test web.can
  canc test --watch web.can
  canc test web.can --format junit > report.xml
  canc test web.can --json | jq '.coverage[].untouched[].text'

After the tests stand the policy's own rules that no test touches.

Exit codes: 0 all assertions hold; 1 one does not; 2 usage; 3 the policy is wrong";

/// `canc test`.
#[derive(Debug, Clone, Args)]
pub struct TestArgs {
    /// What to compile.
    #[command(flatten)]
    pub source: SourceArgs,

    /// How to print it; `--json` is `--format json`
    #[arg(long, value_enum, default_value_t = TestFormat::Text, conflicts_with = "json")]
    pub format: TestFormat,

    /// Do it again whenever the policy or a file that it uses changes, until interrupted
    #[arg(long, conflicts_with_all = ["json", "format"])]
    pub watch: bool,
}

/// How results of tests are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TestFormat {
    /// For a terminal
    Text,
    /// For the pages of build servers
    Junit,
    /// For scripts
    Json,
}
