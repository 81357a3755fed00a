//! The options of `canc verify`.

use super::SourceArgs;
use clap::Args;
use std::path::PathBuf;

/// `canc verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// What to compile.
    #[command(flatten)]
    pub source: SourceArgs,

    /// Only the policy of this name, of several in the file
    #[arg(long = "policy", value_name = "NAME")]
    pub name: Option<String>,

    /// Leave the attack suite out, and perform only the policy's own tests
    #[arg(long)]
    pub no_attacks: bool,

    /// Write the matrix as JUnit XML to this file too
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,

    /// The static probe that performs the requests [default: `canc-probe` beside canc]
    #[arg(long, value_name = "PATH")]
    pub probe: Option<PathBuf>,
}

pub(super) const EXAMPLES: &str = "\
Examples:
  canc verify web.can
  canc verify web.can --set root=/srv/www --policy web
  canc verify web.can --junit verify.xml
  canc verify web.can --json | jq '.policies[].rows[] | select(.result == \"differs\")'
  sudo canc verify web.can                       more shows something: much is refused to an ordinary user by itself

A static program, canc-probe, performs each request in place of the policy's own. A request that would change the host, or needs a
file that is not there, is performed in a mount namespace where a private copy covers the directory. A request that fails with no
layer as well shows nothing and is called vacuous. SELinux and AppArmor count where this very policy is applied, and then only
root can ask: the probe takes the place of the policy's program.

Exit codes: 0 the kernel does what the policy says; 1 it does not; 3 the policy is wrong; 4 a probe could not run";
