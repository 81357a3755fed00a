//! `separate instances` to whether this host keeps two runs apart, and what that takes.

use super::{Layer, LayerState, Policy};
use crate::failure::reason;
use crate::host::{HostFacts, SelinuxFacts};
use canc_bundle::Refusal;
use std::collections::BTreeMap;

/// Only SELinux tells two runs of one policy apart; where it is not active, or the caller has no categories to give, nothing does.
pub(super) fn check(
    policy: &Policy,
    host: &HostFacts,
    layers: &BTreeMap<Layer, LayerState>,
    reasons: &mut Vec<Refusal>,
    notes: &mut Vec<String>,
) {
    const WHAT: &str = "separate instances";
    if !policy.launch.separate_instances {
        return;
    }
    let active = layers.get(&Layer::Selinux).is_some_and(LayerState::is_active);
    match (active, host.instance(), &host.selinux) {
        (true, Some((context, closed)), _) => {
            notes.push(format!("separate instances: this run is {context}"));
            if !closed.is_empty() {
                let numbers: Vec<String> = closed.iter().map(ToString::to_string).collect();
                let which = numbers.join(", ");
                notes.push(format!(
                    "separate instances: another process hands on the data of descriptors {which}"
                ));
            }
        }
        (true, None, SelinuxFacts::Active { own, .. }) => reasons.push(reason(
            WHAT,
            format!("the caller {own} has no two categories that a run could get"),
            "start it as a SELinux user with a range: semanage login -a -s staff_u -r s0-s0:c0.c1023 NAME",
        )),
        _ => reasons.push(reason(
            WHAT,
            "only SELinux keeps two runs of one policy apart, and it does not enforce the policy here",
            "start it on a host where SELinux enforces the policy, or remove the statement",
        )),
    }
}
