//! The declared capabilities and the caller's sets to the sets that the program gets.

use super::{Step, namespaces};
use crate::caps::{CapSet, SETPCAP, SYS_ADMIN};
use crate::failure::reason;
use crate::host::{CapabilityFacts, HostFacts};
use canc_bundle::{LaunchEntry, Refusal};

/// The steps up to and with `no_new_privs`. What is declared is a ceiling, never a grant.
pub(super) fn steps(
    launch: &LaunchEntry,
    host: &HostFacts,
    reasons: &mut Vec<Refusal>,
    notes: &mut Vec<String>,
) -> Vec<Step> {
    let caller = host.process.capabilities;
    let now =
        if namespaces::has_user(launch) { in_own_namespace(host.process.last_capability) } else { caller };
    let declared = CapSet::of(&launch.capabilities).unwrap_or_default();
    let privileged = now.effective.has(SETPCAP);
    let mut steps = Vec::new();

    let excess = now.bounding.minus(declared);
    let mut bounding = now.bounding;
    if privileged && excess != CapSet::default() {
        bounding = now.bounding.and(declared);
        steps.push(Step::Bounding { drop: excess });
    } else if !privileged && excess != CapSet::default() {
        notes.push(bounding_stays(launch.no_new_privs));
    }

    let kept = caller.permitted.and(declared);
    // A filter or ruleset without no_new_privs needs CAP_SYS_ADMIN to the last; the bounding set lets the exec drop it.
    let permitted = if launch.no_new_privs { kept } else { kept.with(SYS_ADMIN) };
    let inheritable = if privileged { kept } else { now.inheritable.and(kept) };
    let ambient = match (privileged, host.process.uid) {
        (true, 0) => CapSet::default(),
        (true, _) => kept,
        (false, _) => now.ambient.and(kept),
    };
    let sets = CapabilityFacts { permitted, effective: permitted, inheritable, bounding, ambient };
    steps.push(Step::Capabilities(sets));

    if launch.no_new_privs {
        steps.push(Step::NoNewPrivs);
    } else {
        without_no_new_privs(host, now.effective, declared, reasons);
    }
    steps
}

fn bounding_stays(no_new_privs: bool) -> String {
    let effect = if no_new_privs { "; no_new_privs keeps it from mattering" } else { "" };
    format!("capabilities: the bounding set stays, since cutting it needs CAP_SETPCAP{effect}")
}

/// What a process has after making a user namespace: user_namespaces(7).
fn in_own_namespace(last_capability: u8) -> CapabilityFacts {
    let every = (0..=last_capability).fold(CapSet::default(), CapSet::with);
    CapabilityFacts { permitted: every, effective: every, bounding: every, ..CapabilityFacts::default() }
}

fn without_no_new_privs(host: &HostFacts, effective: CapSet, declared: CapSet, reasons: &mut Vec<Refusal>) {
    if host.process.no_new_privs {
        reasons.push(reason(
            "no_new_privs off",
            "the caller has it set, and it cannot be taken back",
            "start it from a process without it (in a unit: NoNewPrivileges=no)",
        ));
    }
    if !effective.has(SYS_ADMIN) {
        reasons.push(reason(
            "no_new_privs off",
            "loading a filter then needs CAP_SYS_ADMIN",
            "start it as root, or remove the statement",
        ));
    } else if !effective.has(SETPCAP) && !declared.has(SYS_ADMIN) {
        reasons.push(reason(
            "no_new_privs off",
            "CAP_SYS_ADMIN is needed to the end and cannot be dropped from the bounding set without CAP_SETPCAP",
            "start it with CAP_SETPCAP, or remove the statement",
        ));
    }
}
