//! Each layer to what it comes to on a host, and their combination to the manifest's decision.

use super::Policy;
use super::loaded::{LOAD, contradicted};
use crate::failure::reason;
use crate::host::{ApparmorFacts, HostFacts, ProfileFacts, SelinuxFacts};
use canc_bundle::{Decision, LAUNCH_FD, Refusal};
use serde::Serialize;
use std::collections::BTreeMap;

/// A layer that a bundle can have an artefact for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// SELinux.
    Selinux,
    /// AppArmor.
    Apparmor,
    /// Landlock.
    Landlock,
    /// seccomp.
    Seccomp,
}

impl Layer {
    /// All layers, in the order of reports.
    pub const ALL: [Self; 4] = [Self::Selinux, Self::Apparmor, Self::Landlock, Self::Seccomp];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Selinux => "selinux",
            Self::Apparmor => "apparmor",
            Self::Landlock => "landlock",
            Self::Seccomp => "seccomp",
        }
    }

    /// The layer of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layer| layer.word() == word)
    }
}

/// What a layer comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerState {
    /// The policy has nothing for it.
    Off,
    /// The host lacks it, or the policy is not applied: it does not count.
    Absent {
        /// Which.
        why: String,
    },
    /// It is there, and must not be used as it is.
    Unfit {
        /// Why.
        why: String,
        /// What mends it.
        remedy: String,
    },
    /// It will confine the program.
    Active {
        /// What says so.
        evidence: String,
        /// The exec label to write, and what must be read back.
        write: Option<(String, String)>,
    },
}

impl LayerState {
    /// Whether the layer counts.
    #[must_use]
    pub fn is_active(&self) -> bool {
        matches!(self, Self::Active { .. })
    }

    fn absent(why: impl Into<String>) -> Self {
        Self::Absent { why: why.into() }
    }

    pub(super) fn unfit(why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Unfit { why: why.into(), remedy: remedy.into() }
    }
}

/// The descriptor that the filters permit the launch's exec on.
pub(super) fn launch_descriptor(policy: &Policy) -> u32 {
    policy.seccomp.as_ref().map_or(LAUNCH_FD, |s| s.launch_fd)
}

/// What each layer comes to. Layers that are there and unfit, and missing ones that the policy requires, are reasons to refuse.
pub(super) fn judge(
    policy: &Policy,
    host: &HostFacts,
    reasons: &mut Vec<Refusal>,
) -> BTreeMap<Layer, LayerState> {
    let states: BTreeMap<Layer, LayerState> = Layer::ALL
        .into_iter()
        .map(|layer| {
            let state = match layer {
                Layer::Selinux => selinux(policy, host),
                Layer::Apparmor => apparmor(policy, host),
                Layer::Landlock => landlock(policy, host),
                Layer::Seccomp => seccomp(policy, host),
            };
            (layer, state)
        })
        .collect();
    for (layer, state) in &states {
        if let LayerState::Unfit { why, remedy } = state {
            reasons.push(reason(layer.word(), why, remedy));
        }
        let demand = policy.launch.demands.get(layer.word()).map(String::as_str);
        // Unless the policy says otherwise, seccomp is required; where it has no artefact, it is off.
        let required = demand == Some("require") || (demand.is_none() && *layer == Layer::Seccomp);
        match state {
            LayerState::Absent { why } if required => reasons.push(reason(
                layer.word(),
                format!("required, and {why}"),
                remedy_for_absence(*layer, policy),
            )),
            LayerState::Off if demand == Some("require") => {
                reasons.push(reason(
                    layer.word(),
                    "required, and the bundle has nothing for it",
                    "build the bundle again",
                ));
            }
            _ => {}
        }
    }
    for group in &policy.launch.require_one_of {
        let active = |word: &String| {
            Layer::named(word).and_then(|l| states.get(&l)).is_some_and(LayerState::is_active)
        };
        if !group.iter().any(active) {
            reasons.push(reason(
                group.join(" or "),
                "one of them is required and none is active here",
                format!("on a host that has one, {LOAD}"),
            ));
        }
    }
    states
}

/// Looks up what the compiler said of this combination of layers.
pub(super) fn decide(
    policy: &Policy,
    host: &HostFacts,
    layers: &BTreeMap<Layer, LayerState>,
    reasons: &mut Vec<Refusal>,
    accepted: &mut Vec<Refusal>,
) {
    let active = |layer| layers.get(&layer).is_some_and(LayerState::is_active);
    let abi = if active(Layer::Landlock) { host.landlock_abi } else { 0 };
    let here = |d: &&Decision| {
        d.selinux == active(Layer::Selinux)
            && d.apparmor == active(Layer::Apparmor)
            && (d.landlock_from..=d.landlock_to).contains(&abi)
    };
    let mut found = policy.decisions.iter().filter(here);
    match (found.next(), found.next()) {
        (Some(decision), None) => {
            // Where everything is only logged, nothing is enforced anyhow, and that is what the policy asks for.
            let refused = if policy.launch.mode == "complain" { &mut *accepted } else { reasons };
            refused.extend(decision.refused.iter().cloned());
            accepted.extend(decision.accepted.iter().cloned());
        }
        (None, _) => reasons.push(reason(
            "this host",
            format!(
                "the bundle does not say what the policy comes to with selinux {}, apparmor {}, landlock {abi}",
                if active(Layer::Selinux) { "on" } else { "off" },
                if active(Layer::Apparmor) { "on" } else { "off" },
            ),
            "build it again for this kind of host",
        )),
        (Some(_), Some(_)) => {
            reasons.push(reason("this host", "the bundle says two things about it", "build the bundle again"));
        }
    }
}

fn remedy_for_absence(layer: Layer, policy: &Policy) -> String {
    match layer {
        Layer::Selinux | Layer::Apparmor => {
            format!("{LOAD}; or write `backend {} prefer;`", layer.word())
        }
        Layer::Landlock => {
            "use a kernel with Landlock switched on (lsm=landlock,… on its command line)".into()
        }
        Layer::Seccomp if policy.seccomp.is_some() => {
            "use Linux 4.14 or later with CONFIG_SECCOMP_FILTER".into()
        }
        Layer::Seccomp => "build the bundle again".into(),
    }
}

fn selinux(policy: &Policy, host: &HostFacts) -> LayerState {
    let Some(entry) = &policy.selinux else { return LayerState::Off };
    let complain = policy.launch.mode == "complain";
    let (enforcing, own, domain) = match &host.selinux {
        SelinuxFacts::NotAsked => return LayerState::absent("nobody asked for it"),
        SelinuxFacts::Absent { why } => return LayerState::absent(why),
        SelinuxFacts::Unreadable { why } => {
            return LayerState::unfit(
                format!("it is on and cannot be asked: {why}"),
                "mount selinuxfs, and start it from a domain that may ask the policy, such as unconfined_t",
            );
        }
        SelinuxFacts::Active { domain: None, .. } => {
            return LayerState::absent(format!("the loaded policy has no type {}", entry.domain));
        }
        SelinuxFacts::Active { enforcing, own, domain: Some(domain) } => (*enforcing, own, domain),
    };
    if !domain.valid {
        return LayerState::unfit(
            format!("the context {} is not valid: the caller's role may not have that type", domain.context),
            "start it from a role that the policy's `launch from` covers",
        );
    }
    if !complain && !enforcing {
        return LayerState::unfit("the host is permissive: nothing would be enforced", "setenforce 1");
    }
    if complain != domain.permissive {
        return LayerState::unfit(
            format!(
                "the type {} is {}, and the policy's mode is {}",
                entry.domain,
                if domain.permissive { "permissive" } else { "enforced" },
                policy.launch.mode
            ),
            format!("{LOAD}; and look for the type in `semanage permissive -l`"),
        );
    }
    let what = format!("the module {}", entry.module);
    let source = crate::loaded::module_source(entry);
    if let Some(unfit) = contradicted(&what, domain.record.as_ref(), &source, None) {
        return unfit;
    }
    if !domain.missing.is_empty() {
        return LayerState::unfit(
            format!("the loaded policy does not let {own} start it: no {}", domain.missing.join(", no ")),
            format!("start it from what `launch from` names, or {LOAD}"),
        );
    }
    LayerState::Active {
        evidence: domain.context.clone(),
        write: Some((domain.context.clone(), domain.context.clone())),
    }
}

fn apparmor(policy: &Policy, host: &HostFacts) -> LayerState {
    let Some(entry) = &policy.apparmor else { return LayerState::Off };
    let (own, profile) = match &host.apparmor {
        ApparmorFacts::NotAsked => return LayerState::absent("nobody asked for it"),
        ApparmorFacts::Absent { why } => return LayerState::absent(why),
        ApparmorFacts::Unreadable { why } => {
            return LayerState::unfit(format!("it is on and cannot be asked: {why}"), "mount a fresh /proc");
        }
        ApparmorFacts::Active { own, profile } => (own, profile),
    };
    let want = if policy.launch.mode == "complain" { "complain" } else { "enforce" };
    match profile {
        ProfileFacts::Missing => LayerState::absent(format!("the profile {} is not loaded", entry.profile)),
        ProfileFacts::Refused { why } => LayerState::unfit(
            format!("the label {own} may not change to the profile {}: {why}", entry.profile),
            format!(
                "start it unconfined, or allow `change_profile -> {}` in the caller's profile",
                entry.profile
            ),
        ),
        ProfileFacts::Loaded { mode, .. } if mode != want => LayerState::unfit(
            format!("the profile {} is in {mode} mode, and the policy's mode is {want}", entry.profile),
            format!("aa-{want} {}, or as root: canc-run --load BUNDLE -- COMMAND", entry.profile),
        ),
        ProfileFacts::Loaded { digest, record, .. } => {
            let what = format!("the profile {}", entry.profile);
            let source = crate::loaded::profile_source(entry);
            if let Some(unfit) = contradicted(&what, record.as_ref(), &source, digest.as_deref()) {
                return unfit;
            }
            let expect = format!("{} ({want})", entry.profile);
            let write = crate::label::apparmor_command(own, &entry.profile);
            LayerState::Active {
                evidence: format!("{expect}, by `{write}` from {own}"),
                write: Some((write, expect)),
            }
        }
    }
}

fn landlock(policy: &Policy, host: &HostFacts) -> LayerState {
    if policy.landlock.is_none() {
        LayerState::Off
    } else if policy.launch.mode == "complain" {
        LayerState::absent("Landlock has no mode that only logs")
    } else if host.landlock_abi == 0 {
        LayerState::absent("the kernel has no Landlock, or it is off")
    } else {
        LayerState::Active { evidence: format!("ABI {}", host.landlock_abi), write: None }
    }
}

fn seccomp(policy: &Policy, host: &HostFacts) -> LayerState {
    let Some(entry) = &policy.seccomp else { return LayerState::Off };
    let needs = [(entry.needs_tracer, "with trace"), (entry.needs_listener, "with notify")];
    if let Some((_, what)) = needs.iter().find(|(needed, _)| *needed) {
        return LayerState::unfit(
            format!("the policy denies calls `{what}`, and nobody here answers them"),
            "deny them with an errno",
        );
    }
    if !host.seccomp.filter {
        return LayerState::absent("the kernel has no seccomp filters");
    }
    if policy.launch.mode == "complain" && !host.seccomp.log {
        return LayerState::absent("the kernel's seccomp cannot only log");
    }
    let programs = entry.programs.get(&host.arch).map_or(0, Vec::len);
    LayerState::Active { evidence: format!("{programs} for {}", host.arch), write: None }
}
