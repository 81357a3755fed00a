//! The commands that answer questions about policies, and their options.

use super::SourceArgs;
use clap::Args;

pub const WHY_EXAMPLES: &str = "\
Examples:
  canc why web.can read /srv/www/index.html
  canc why web.can connect tcp port 25
  canc why web.can 'syscall ioctl where arg1 == 0x5412'
  canc why web.can capability sys_admin --json | jq .decision
  canc why web.can read /srv/www/.git/config as other --for bare

A request is spelled as in tests; a path may be bare and stands for itself, without wildcards.

Exit codes: 0 the policy allows it; 1 the policy denies it, or a part of it; 2 usage, such as a request with a mistake; 3 the policy is
wrong; 4 the host failed";

/// `canc why`.
#[derive(Debug, Clone, Args)]
pub struct WhyArgs {
    /// What to compile.
    #[command(flatten)]
    pub source: SourceArgs,

    /// The request, in one word of the shell or in several
    #[arg(value_name = "REQUEST", required = true)]
    pub request: Vec<String>,

    /// The policy that is asked, where the file has several
    #[arg(long = "policy", value_name = "NAME")]
    pub policy_name: Option<String>,

    /// The deployments that matter: selinux, apparmor, bare; `bare:4` states a Landlock ABI
    #[arg(long = "for", value_name = "DEPLOYMENT", value_delimiter = ',')]
    pub deployments: Vec<String>,
}
