//! `manifest.json`: what a bundle holds, what was proved about it, and what a launch must do.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The format number that this version writes and reads.
pub const FORMAT: u32 = 1;
/// The manifest's file name in a bundle directory.
pub const MANIFEST: &str = "manifest.json";

/// The descriptor that a launch keeps the checked program on; every filter permits `execveat` of it. Below 256, where the kernel's
/// table of descriptors is still small, and above what services are handed.
pub const LAUNCH_FD: u32 = 250;

/// The whole manifest. A reader that has no use for the rules, which only explain, can skip them: `Manifest<serde::de::IgnoredAny>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest<Rules = Vec<RuleEntry>> {
    /// [`FORMAT`].
    pub format: u32,
    /// The compiler's version.
    pub compiler: String,
    /// The source that was compiled.
    pub source: Source,
    /// What the build was for.
    pub options: BuildOptions,
    /// One entry per policy, in source order.
    pub policies: Vec<PolicyEntry<Rules>>,
}

/// The source file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its file name without directories, so that equal sources give equal bundles wherever they are built.
    pub name: String,
    /// SHA-256 over all texts that took part, in hexadecimal.
    pub sha256: String,
}

/// The options that change a bundle's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuildOptions {
    /// The name of the SELinux base.
    pub selinux_base: String,
    /// `3.0` or `4.0`.
    pub apparmor_abi: String,
    /// The name of the recorded AppArmor feature set.
    pub apparmor_features: String,
    /// The architectures with a filter.
    pub arches: Vec<String>,
    /// Values given to parameters.
    pub parameters: BTreeMap<String, String>,
    /// SHA-256 over the shares of system calls that filters were weighed by, in hexadecimal; `None` where no call counts more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequencies: Option<String>,
}

/// A file of the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artefact {
    /// Path relative to the bundle directory, with `/`.
    pub path: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// One policy of the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyEntry<Rules = Vec<RuleEntry>> {
    /// Its name.
    pub name: String,
    /// The SELinux artefacts; `None` when the back end is off.
    pub selinux: Option<SelinuxEntry>,
    /// The AppArmor artefact; `None` when the back end is off.
    pub apparmor: Option<ApparmorEntry>,
    /// The filters; `None` when the back end is off.
    pub seccomp: Option<SeccompEntry>,
    /// The Landlock ruleset; `None` when the back end is off.
    pub landlock: Option<LandlockEntry>,
    /// What the runtime does besides loading the layers.
    pub launch: LaunchEntry,
    /// Each rule and the verdict of each target, `@base` first.
    pub rules: Rules,
    /// Whether a launch is refused, for each combination of active layers.
    pub decisions: Vec<Decision>,
}

/// SELinux artefacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelinuxEntry {
    /// The module's name.
    pub module: String,
    /// The domain's type.
    pub domain: String,
    /// The type enforcement source.
    pub te: Artefact,
    /// The file contexts.
    pub fc: Artefact,
    /// The side module for the policy's own ports.
    pub ports: Option<Artefact>,
    /// Whether the domain's type is permissive.
    pub permissive: bool,
}

/// The AppArmor artefact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApparmorEntry {
    /// The profile's name in the kernel.
    pub profile: String,
    /// The profile source.
    pub source: Artefact,
    /// Whether the profile is in complain mode.
    pub complain: bool,
}

/// The filters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeccompEntry {
    /// Programs by architecture word; all programs of one architecture are loaded, first to last, and their conjunction is the policy.
    pub programs: BTreeMap<String, Vec<Artefact>>,
    /// How many instructions each program has, where an architecture has several: what they cost.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub instructions: BTreeMap<String, Vec<usize>>,
    /// The commented listing.
    pub listing: Artefact,
    /// The descriptor number whose `execveat(fd, "", …, AT_EMPTY_PATH)` every filter permits.
    pub launch_fd: u32,
    /// Whether some action needs a tracer.
    pub needs_tracer: bool,
    /// Whether some action needs a listener.
    pub needs_listener: bool,
}

/// The Landlock ruleset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LandlockEntry {
    /// A [`LandlockRuleset`] per ABI, as JSON.
    pub rulesets: Artefact,
}

/// What the runtime does at launch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaunchEntry {
    /// Patterns of programs that may be started in the domain, in the syntax of the language with alternatives expanded.
    pub exec: Vec<String>,
    /// Patterns of programs that enter the domain whoever starts them; among `exec` too.
    pub attach: Vec<String>,
    /// `user`, `systemd`, or `policy NAME`.
    pub launch_from: Vec<String>,
    /// Demands: `require`, `prefer`, `off` by target.
    pub demands: BTreeMap<String, String>,
    /// Groups of targets of which one must be active (`backend selinux or apparmor require`).
    pub require_one_of: Vec<Vec<String>>,
    /// `enforce` or `complain`.
    pub mode: String,
    /// Numbers of the capabilities that may be kept, those for own user namespaces not among them.
    pub capabilities: Vec<u8>,
    /// Whether `no_new_privs` is set.
    pub no_new_privs: bool,
    /// Resource limits by the language's word.
    pub limits: BTreeMap<String, LimitEntry>,
    /// Namespaces to make.
    pub isolate: Vec<String>,
    /// Whether each run gets its own category pair.
    pub separate_instances: bool,
    /// Names kept in the environment; a final `*` matches any rest.
    pub env_keep: Vec<String>,
    /// Variables set, in order.
    pub env_set: Vec<(String, String)>,
    /// Descriptors kept besides 0 to 2.
    pub keep_descriptors: Vec<u32>,
    /// Whether socket activation descriptors are kept.
    pub keep_activation: bool,
}

/// A resource limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitEntry {
    /// The bound, in the unit of the word.
    pub value: u64,
    /// Whether to launch where it cannot be set.
    pub prefer: bool,
}

/// One rule and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleEntry {
    /// `@base`, `@NAME` where the author named it, else `rN` with N from 1.
    pub id: String,
    /// `FILE:LINE`, empty for `@base`.
    pub at: String,
    /// The rule's own text on one line.
    pub text: String,
    /// Why.
    pub because: Option<String>,
    /// The fragments that brought it, outermost first.
    pub included_from: Vec<String>,
    /// The verdict by target.
    pub verdicts: BTreeMap<String, VerdictEntry>,
    /// `enforced`, `leaks`, `blocks`, or both joined, by deployment.
    pub deployments: BTreeMap<String, DeploymentEntry>,
}

/// A verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictEntry {
    /// `exact`, `widened`, `narrowed`, `widened, narrowed`, `partial`, `dropped`, `n/a`, `base unknown`.
    pub verdict: String,
    /// The base's facts were read and not seen on a kernel.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unseen: bool,
    /// Raw text stands beside it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unproved: bool,
    /// What is permitted besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub widened: Vec<String>,
    /// What is not permitted, or which part of a deny gets through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub narrowed: Vec<String>,
    /// What else a reader should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What a rule comes to on one kind of host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeploymentEntry {
    /// `enforced`, `leaks`, `blocks`, `leaks, blocks`.
    pub result: String,
    /// A request that gets through though the policy does not allow it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leak: Option<String>,
    /// A request that the policy allows and a layer refuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<String>,
}

/// What a launch does under one combination of active layers. The runtime looks its host's combination up; it computes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Whether SELinux enforces the module.
    pub selinux: bool,
    /// Whether AppArmor enforces the profile.
    pub apparmor: bool,
    /// Landlock's ABI from this number on; 0 is none.
    pub landlock_from: u32,
    /// Landlock's ABI up to this number.
    pub landlock_to: u32,
    /// Why a launch is refused; empty when it is not.
    pub refused: Vec<Refusal>,
    /// What a launch accepts because the policy says so, for the report.
    pub accepted: Vec<Refusal>,
}

/// One reason to refuse, or one thing accepted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// The class word, or the rule's id.
    pub what: String,
    /// What is missing, with a witness.
    pub why: String,
    /// What would mend it.
    pub remedy: String,
}

/// The file with the Landlock rulesets: by ABI number, from 1.
pub type LandlockRulesets = BTreeMap<u32, LandlockRuleset>;

/// What one ABI's ruleset holds. Access words are the kernel's constants in lower case without prefix, such as `read_file`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LandlockRuleset {
    /// File accesses that are refused unless a rule permits them.
    pub handled_fs: Vec<String>,
    /// Network accesses that are refused unless a rule permits them.
    pub handled_net: Vec<String>,
    /// Scopes.
    pub scoped: Vec<String>,
    /// Its paths are those of this ABI's ruleset, with the accesses that this one handles; then [`LandlockRuleset::paths`] is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths_of: Option<u32>,
    /// Permitted below a directory, or on one file.
    pub paths: Vec<LandlockPath>,
    /// Permitted ports.
    pub ports: Vec<LandlockPort>,
}

impl LandlockRuleset {
    /// The ruleset with the paths of another ABI's, cut to the accesses that this one handles.
    #[must_use]
    pub fn with_paths(mut self, paths: impl IntoIterator<Item = LandlockPath>) -> Self {
        let cut = paths.into_iter().map(|mut path| {
            path.access.retain(|word| self.handled_fs.contains(word));
            path
        });
        self.paths = cut.filter(|path| !path.access.is_empty()).collect();
        self.paths_of = None;
        self
    }
}

/// Takes out the ruleset for a kernel: that of the highest ABI which the kernel has too, with its paths. `None` where there is none.
#[must_use]
pub fn take_ruleset(all: &mut LandlockRulesets, abi: u32) -> Option<LandlockRuleset> {
    let best = all.range(..=abi).next_back().map(|(abi, _)| *abi)?;
    let ruleset = all.remove(&best)?;
    match ruleset.paths_of {
        None => Some(ruleset),
        Some(of) => Some(ruleset.with_paths(all.remove(&of)?.paths)),
    }
}

/// A permission beneath a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LandlockPath {
    /// Absolute; `~/…` is below the caller's home, `%t/…` below the caller's runtime directory. With a final `/` it is a directory and
    /// everything below; without one it is a single file, and a directory found there gets the accesses only if some of them are a
    /// directory's own (`read_dir`, `make_…`, `remove_…`, `refer`).
    pub path: String,
    /// The accesses.
    pub access: Vec<String>,
    /// Whether a missing path may be skipped and reported.
    pub optional: bool,
    /// The rules it comes from, by id.
    pub rules: Vec<String>,
}

/// Permitted ports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LandlockPort {
    /// The first port.
    pub from: u16,
    /// The last port.
    pub to: u16,
    /// `bind_tcp`, `connect_tcp`.
    pub access: Vec<String>,
}
