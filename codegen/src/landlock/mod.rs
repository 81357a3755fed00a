//! A checked policy to Landlock rulesets, one per ABI, with a verdict on each rule. The runtime loads them and decides nothing.
//!
//! A rule of Landlock is a directory with everything below it, or one existing file. So `DIR/**` is exact, other globs become their
//! longest literal directory, and nothing can be taken out of a directory again. Rights sit on inodes: what is made later in the
//! place of a file that had some has none.

mod judge;
mod layer;
mod net;
mod place;
mod process;
mod rights;
mod rules;
#[cfg(test)]
mod tests;

pub use layer::{Paths, decide, layer};
pub use place::{Place, pattern_of};
pub use rights::{Right, Rights};

use crate::coverage::NEWEST_LANDLOCK;
use crate::verdict::{Outcome, Verdict};
use canc_bundle::{LandlockRuleset, LandlockRulesets};
use canc_dsl::policy::{Policy, PolicySet, RuleId};
use canc_sets::path::TooLarge;
use std::fmt;
use std::sync::Arc;

/// The ABI that verdicts are for where none is stated: that of Debian 13's kernel.
pub const DEFAULT_ABI: u32 = 6;

/// A pattern about which exact questions cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LowerError {
    /// The rule that brings it; `None` where it is the policy as a whole.
    pub rule: Option<RuleId>,
    /// Which.
    pub large: TooLarge,
}

impl fmt::Display for LowerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.large.fmt(f)
    }
}

impl std::error::Error for LowerError {}

/// What one ABI makes of a policy.
#[derive(Debug, Clone)]
pub struct Lowered {
    /// The ABI.
    pub abi: u32,
    /// What the runtime loads, without its paths: those are [`Lowered::paths`], with the accesses that this ABI handles.
    pub ruleset: LandlockRuleset,
    /// The paths with their accesses in the newest ABI; one list for all ABIs of a policy.
    pub paths: Arc<Paths>,
    /// The verdicts, by the rules' numbers.
    pub outcomes: Vec<Outcome>,
    /// What is permitted whatever the policy says.
    pub base: Outcome,
}

/// Lowers one policy of a set for one ABI (1 to [`NEWEST_LANDLOCK`]; a newer kernel is given that one's).
///
/// # Errors
/// Every pattern that exact answers are impossible for, with its rule.
pub fn lower(policies: &PolicySet, policy: &Policy, abi: u32) -> Result<Lowered, Vec<LowerError>> {
    let rules = rules::Rules::new(policy);
    rules.lower(policies, abi)
}

/// Lowers one policy of a set for every ABI, oldest first.
///
/// # Errors
/// As for [`lower`].
pub fn lower_all(policies: &PolicySet, policy: &Policy) -> Result<Vec<Lowered>, Vec<LowerError>> {
    let rules = rules::Rules::new(policy);
    (1..=NEWEST_LANDLOCK).map(|abi| rules.lower(policies, abi)).collect()
}

impl Lowered {
    /// What the runtime loads, whole.
    #[must_use]
    pub fn whole(&self) -> LandlockRuleset {
        self.ruleset.clone().with_paths(self.paths.list.iter().cloned())
    }
}

/// The form of the bundle: the newest ABI has the paths, and the others refer to it.
#[must_use]
pub fn rulesets(all: &[Lowered]) -> LandlockRulesets {
    let newest = all.iter().map(|l| l.abi).max();
    let form = |l: &Lowered| {
        let ruleset = if Some(l.abi) == newest {
            l.whole()
        } else {
            LandlockRuleset { paths_of: newest, ..l.ruleset.clone() }
        };
        (l.abi, ruleset)
    };
    all.iter().map(form).collect()
}

/// The synthetic verdict.
fn base(abi: u32, listens: bool) -> Outcome {
    let mut granted: Vec<String> = [
        "stat, readlink, chdir and searching directories, of anything",
        "chmod, chown, timestamps, extended attributes, locks and mapping, of anything",
        "descriptors that were open at the launch",
        "the programs that the policy names, and the loaders of its C library",
    ]
    .map(Into::into)
    .into();
    if abi < 3 {
        granted.push("truncating what other permissions let one reach by path".into());
    }
    if abi < 5 {
        granted.push("ioctl on devices that are open".into());
    }
    if listens && abi >= 4 {
        granted.push("listening on a free port that the kernel picks, without binding first".into());
    }
    let out = Outcome::new(Verdict::Allow { widened: granted, narrowed: Vec::new() })
        .note("rights sit on files: one that is put in the place of another has none of its own");
    match abi {
        1 => out.note("moves and links between directories are refused"),
        _ => out,
    }
}
