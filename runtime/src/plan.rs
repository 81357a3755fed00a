//! A policy of a bundle and the facts of a host to the ordered steps of a launch, or to every reason not to launch. Pure: it reads no
//! file, asks no kernel and computes no policy; what a combination of layers comes to stands in the manifest.

mod capabilities;
mod cgroup;
mod instances;
mod layers;
mod loaded;
mod namespaces;
mod text;

pub use layers::{Layer, LayerState};
pub use namespaces::Namespace;

use crate::caps::CapSet;
use crate::failure::{Code, Failure, reason};
use crate::host::{CapabilityFacts, HostFacts};
use crate::label::Attribute;
use crate::limits;
use canc_bundle::{Artefact, LaunchEntry, PolicyEntry, Refusal};
use serde::Serialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// The entry of a policy as the launcher reads it: without the rules, which only explain.
pub type Policy = PolicyEntry<IgnoredAny>;

/// What a launch will do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The policy's name.
    pub policy: String,
    /// Whether everything is only logged.
    pub complain: bool,
    /// Each layer and what it comes to on this host.
    pub layers: BTreeMap<Layer, LayerState>,
    /// What is done without, because the policy says it may be.
    pub accepted: Vec<Refusal>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
    /// What is done, in order.
    pub steps: Vec<Step>,
}

/// One step of a launch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Open what is closed of descriptors 0 to 2.
    Stdio,
    /// Mark all descriptors from 3 on close-on-exec but these.
    Descriptors {
        /// Kept.
        keep: Vec<u32>,
        /// Those that a service manager announces are kept too.
        activation: bool,
    },
    /// Make the program's environment from the caller's.
    Environment {
        /// Names kept; a final `*` matches any rest.
        keep: Vec<String>,
        /// Variables set.
        set: Vec<(String, String)>,
    },
    /// A session keyring of its own.
    Keyring,
    /// A cgroup of the program's own.
    Cgroup {
        /// Below which it is made.
        parent: String,
        /// The controllers that are enabled there first.
        enable: Vec<String>,
        /// What it is limited to.
        limits: Vec<CgroupLimit>,
    },
    /// An rlimit, soft and hard.
    Limit {
        /// The language's word.
        word: String,
        /// The bound.
        value: u64,
    },
    /// The label of the next exec.
    Label {
        /// The security module.
        layer: Layer,
        /// What is written.
        write: String,
        /// What must be read back.
        expect: String,
    },
    /// Make these namespaces, map the caller to itself in a user namespace, bring the loopback device of a network namespace up.
    Namespaces(Vec<Namespace>),
    /// Stay as the program's parent outside of the PID namespace, and as its first process inside.
    Parent,
    /// Mount a private `/tmp` and a fresh `/proc`, hide kernel files.
    Mounts,
    /// Open the paths of the Landlock ruleset, as they are now.
    Ruleset {
        /// The kernel's ABI.
        abi: u32,
    },
    /// Drop from the bounding set.
    Bounding {
        /// What is dropped.
        drop: CapSet,
    },
    /// Set the other four sets, which are read back.
    Capabilities(CapabilityFacts),
    /// Set `no_new_privs`.
    NoNewPrivs,
    /// Say what was done so far, and what follows.
    Report,
    /// Unblock all signals and give them their default action.
    Signals,
    /// Enforce the prepared ruleset.
    Landlock {
        /// The kernel's ABI.
        abi: u32,
        /// Whether the kernel is to log refusals.
        log: bool,
    },
    /// Load the filters.
    Seccomp {
        /// The programs, first to last.
        programs: Vec<Artefact>,
        /// Whether the kernel is to log what they do not allow.
        log: bool,
    },
    /// Become the program.
    Exec {
        /// On this descriptor.
        descriptor: u32,
    },
}

/// A limit of a cgroup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CgroupLimit {
    /// The language's word.
    pub word: String,
    /// The bound: bytes, a count, or percent of one processor.
    pub value: u64,
}

impl Plan {
    /// Decides.
    ///
    /// # Errors
    /// All reasons to refuse the launch, each with its remedy.
    pub fn new(policy: &Policy, host: &HostFacts) -> Result<Self, Failure> {
        let mut reasons = Vec::new();
        let mut accepted = Vec::new();
        check_words(policy, &mut reasons);
        if !reasons.is_empty() {
            return Err(Failure { code: Code::Refused, reasons });
        }
        not_done_yet(&policy.launch, &mut reasons);
        let layers = layers::judge(policy, host, &mut reasons);
        layers::decide(policy, host, &layers, &mut reasons, &mut accepted);
        let mut notes = Vec::new();
        instances::check(policy, host, &layers, &mut reasons, &mut notes);
        let cgroup = cgroup::step(&policy.launch, host, &mut reasons, &mut accepted);
        let steps = steps(policy, host, &layers, cgroup, &mut reasons, &mut notes);
        if !reasons.is_empty() {
            return Err(Failure { code: Code::Refused, reasons });
        }
        let complain = policy.launch.mode == "complain";
        Ok(Self { policy: policy.name.clone(), complain, layers, accepted, notes, steps })
    }

    /// What each layer would come to, whether or not the launch is refused.
    #[must_use]
    pub fn layers(policy: &Policy, host: &HostFacts) -> BTreeMap<Layer, LayerState> {
        layers::judge(policy, host, &mut Vec::new())
    }

    /// The filters that are loaded, first to last.
    #[must_use]
    pub fn programs(&self) -> &[Artefact] {
        match self.steps.iter().find(|step| matches!(step, Step::Seccomp { .. })) {
            Some(Step::Seccomp { programs, .. }) => programs,
            _ => &[],
        }
    }

    /// The kernel's Landlock ABI, where a ruleset is enforced.
    #[must_use]
    pub fn landlock_abi(&self) -> Option<u32> {
        self.steps
            .iter()
            .find_map(|step| if let Step::Landlock { abi, .. } = step { Some(*abi) } else { None })
    }
}

/// Words that this version does not know mean a bundle from a newer compiler: never pass over one.
fn check_words(policy: &Policy, reasons: &mut Vec<Refusal>) {
    let launch = &policy.launch;
    let mut unknown = |what: &str, word: &str| {
        reasons.push(reason(
            format!("{what} `{word}`"),
            "this canc-run does not know it",
            "use a canc-run of the version that built the bundle",
        ));
    };
    if !matches!(&*launch.mode, "enforce" | "complain") {
        unknown("mode", &launch.mode);
    }
    for word in launch.limits.keys() {
        if limits::resource(word).is_none() && limits::controller(word).is_none() {
            unknown("limit", word);
        }
    }
    for (target, demand) in &launch.demands {
        if Layer::named(target).is_none() {
            unknown("backend", target);
        }
        if !matches!(&**demand, "require" | "prefer" | "off") {
            unknown("demand", demand);
        }
    }
    for target in launch.require_one_of.iter().flatten().filter(|t| Layer::named(t).is_none()) {
        unknown("backend", target);
    }
    for from in &launch.launch_from {
        if !(matches!(&**from, "user" | "systemd") || from.starts_with("policy ")) {
            unknown("launcher", from);
        }
    }
    for word in launch.isolate.iter().filter(|w| Namespace::named(w).is_none()) {
        unknown("namespace", word);
    }
    if let Err(number) = CapSet::of(&launch.capabilities) {
        unknown("capability number", &number.to_string());
    }
}

/// What the manifest can ask for and this version does not do.
fn not_done_yet(launch: &LaunchEntry, reasons: &mut Vec<Refusal>) {
    if !launch.launch_from.iter().any(|from| matches!(&**from, "user" | "systemd")) {
        reasons.push(reason(
            "launch from",
            format!("only {} enters this policy", launch.launch_from.join(", ")),
            "start that policy, or add `launch from user;`",
        ));
    }
}

fn steps(
    policy: &Policy,
    host: &HostFacts,
    layers: &BTreeMap<Layer, LayerState>,
    cgroup: Option<Step>,
    reasons: &mut Vec<Refusal>,
    notes: &mut Vec<String>,
) -> Vec<Step> {
    let launch = &policy.launch;
    let mut steps = vec![
        Step::Stdio,
        Step::Descriptors { keep: kept_descriptors(policy, reasons), activation: launch.keep_activation },
        Step::Environment { keep: launch.env_keep.clone(), set: launch.env_set.clone() },
        Step::Keyring,
    ];
    steps.extend(cgroup);
    for layer in [Layer::Selinux, Layer::Apparmor] {
        if let Some(LayerState::Active { write: Some((write, expect)), .. }) = layers.get(&layer) {
            steps.push(Step::Label { layer, write: write.clone(), expect: expect.clone() });
        }
    }
    steps.extend(namespaces::steps(launch, host, reasons, notes));
    let landlock = layers.get(&Layer::Landlock).is_some_and(LayerState::is_active);
    if landlock {
        steps.push(Step::Ruleset { abi: host.landlock_abi });
    }
    steps.extend(rlimits(launch, host, notes));
    steps.extend(capabilities::steps(launch, host, reasons, notes));
    steps.extend([Step::Report, Step::Signals]);
    let complain = launch.mode == "complain";
    if landlock {
        // From ABI 7 on the kernel logs refusals after an exec only where it is told to.
        steps.push(Step::Landlock { abi: host.landlock_abi, log: host.landlock_abi >= 7 });
    }
    if let Some(programs) = filters(policy, host, reasons) {
        steps.push(Step::Seccomp { programs, log: complain });
    }
    steps.push(Step::Exec { descriptor: layers::launch_descriptor(policy) });
    steps
}

fn kept_descriptors(policy: &Policy, reasons: &mut Vec<Refusal>) -> Vec<u32> {
    let keep = &policy.launch.keep_descriptors;
    let launch = layers::launch_descriptor(policy);
    if keep.contains(&launch) {
        reasons.push(reason(
            format!("keep descriptor {launch}"),
            "that number is the launch's own",
            "hand the descriptor over under another number",
        ));
    }
    keep.clone()
}

fn rlimits(launch: &LaunchEntry, host: &HostFacts, notes: &mut Vec<String>) -> Vec<Step> {
    // In a user namespace of its own the process has no privilege over what the machine gave it.
    let may_raise =
        host.process.capabilities.effective.has(crate::caps::SYS_RESOURCE) && !namespaces::has_user(launch);
    let mut steps = Vec::new();
    for (word, limit) in launch.limits.iter().filter(|(word, _)| limits::resource(word).is_some()) {
        let Some(now) = host.process.limits.get(word) else { continue };
        let value = limits::bound(limit.value, *now, may_raise);
        if value != limit.value {
            notes.push(format!(
                "limit {word}: the caller's hard limit {value} is lower than {} and stays",
                limit.value
            ));
        }
        steps.push(Step::Limit { word: word.clone(), value });
    }
    steps
}

fn filters(policy: &Policy, host: &HostFacts, reasons: &mut Vec<Refusal>) -> Option<Vec<Artefact>> {
    let seccomp = policy.seccomp.as_ref()?;
    match seccomp.programs.get(&host.arch) {
        Some(programs) if !programs.is_empty() => Some(programs.clone()),
        _ => {
            reasons.push(reason(
                "seccomp",
                format!("the bundle has no filter for {}", host.arch),
                format!("build it with --arch {}", host.arch),
            ));
            None
        }
    }
}

impl Layer {
    /// The attribute that holds the label of the next exec.
    #[must_use]
    pub fn exec_attribute(self) -> Option<Attribute> {
        match self {
            Self::Selinux => Some(Attribute::SelinuxExec),
            Self::Apparmor => Some(Attribute::ApparmorExec),
            Self::Seccomp | Self::Landlock => None,
        }
    }
}
