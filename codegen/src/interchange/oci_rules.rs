//! What the entries of a profile say of each call to rules of the language.

use super::oci_sets::Set;
use canc_dsl::policy::Action;
use canc_sets::syscalls::{self, Arch, ArgKind};
use std::collections::{BTreeMap, BTreeSet};

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    Allow,
    Log,
    Deny(Action),
}

/// A rule of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub effect: Effect,
    pub calls: Vec<&'static str>,
    /// One of them is enough; none for always. Where `negated`, none may hold.
    pub conditions: Vec<Vec<Comparison>>,
    pub negated: bool,
    /// Empty for all.
    pub arches: Vec<Arch>,
}

/// One argument in a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Comparison {
    pub name: &'static str,
    pub kind: ArgKind,
    pub set: Set,
}

/// What entries say of a call: on which architectures, in which cases, and what is done.
pub(super) type Said = BTreeMap<&'static str, Vec<Case>>;

/// One of them.
pub(super) struct Case {
    /// Where it stands.
    pub at: String,
    pub arches: BTreeSet<Arch>,
    pub action: Action,
    /// All hold; none for always.
    pub all: Vec<Comparison>,
}

/// The rules, those without conditions first, joined where they say the same.
pub(super) fn rules(said: &Said, default: Action, served: &[Arch]) -> Vec<Rule> {
    let mut out = Vec::new();
    let mut plain: BTreeMap<(Effect, Vec<Arch>), Vec<&'static str>> = BTreeMap::new();
    let mut conditional: Vec<Rule> = Vec::new();
    for (call, cases) in said {
        let mut merged: BTreeMap<(Effect, Vec<Arch>), Vec<Vec<Comparison>>> = BTreeMap::new();
        for case in cases {
            let effect = effect(case.action);
            let arches = on(call, served, case.arches.iter().copied().collect());
            merged.entry((effect, arches)).or_default().push(case.all.clone());
        }
        for ((effect, arches), conditions) in merged {
            if conditions.iter().any(Vec::is_empty) {
                plain.entry((effect, arches)).or_default().push(call);
            } else {
                conditional.push(Rule { effect, calls: vec![call], conditions, negated: false, arches });
            }
        }
    }
    if let Action::Allow | Action::Log = default {
        out.extend(usual(said, effect(default), served));
    } else if !said.contains_key("clone3") && default != Action::Errno(super::ENOSYS) {
        // Filters answer ENOSYS of their own accord, so that C libraries fall back on clone.
        out.push(Rule { calls: vec!["clone3"], ..Rule::plain(Effect::Deny(default), Vec::new()) });
    }
    out.extend(
        plain.into_iter().map(|((effect, arches), calls)| Rule { calls, ..Rule::plain(effect, arches) }),
    );
    out.extend(conditional);
    out
}

/// The architectures that a rule names: none where it is about all that have the call.
fn on(call: &str, served: &[Arch], own: Vec<Arch>) -> Vec<Arch> {
    let all = served.iter().filter(|a| syscalls::number(**a, call).is_some()).count();
    if own.len() == all { Vec::new() } else { own }
}

impl Rule {
    fn plain(effect: Effect, arches: Vec<Arch>) -> Self {
        Self { effect, calls: Vec::new(), conditions: Vec::new(), negated: false, arches }
    }
}

fn effect(action: Action) -> Effect {
    match action {
        Action::Allow => Effect::Allow,
        Action::Log => Effect::Log,
        other => Effect::Deny(other),
    }
}

/// What a default that refuses nothing says of every call: `log` would win over what entries allow, so those are left out of it.
fn usual(said: &Said, effect: Effect, served: &[Arch]) -> Vec<Rule> {
    let allowed = |c: &&Case| effect == Effect::Log && c.action == Action::Allow;
    let excepted: Vec<(&'static str, Vec<&Case>)> = said
        .iter()
        .map(|(call, cases)| (*call, cases.iter().filter(allowed).collect::<Vec<_>>()))
        .filter(|(_, cases)| !cases.is_empty())
        .collect();
    let calls = syscalls::names().filter(|n| !excepted.iter().any(|e| e.0 == *n)).collect();
    let mut out = vec![Rule { calls, ..Rule::plain(effect, Vec::new()) }];
    for (call, cases) in excepted {
        let mut by_arch: BTreeMap<Vec<Vec<Comparison>>, Vec<Arch>> = BTreeMap::new();
        for arch in served.iter().copied().filter(|a| syscalls::number(*a, call).is_some()) {
            let own = cases.iter().filter(|c| c.arches.contains(&arch)).map(|c| c.all.clone()).collect();
            by_arch.entry(own).or_default().push(arch);
        }
        for (conditions, arches) in by_arch {
            if !conditions.iter().any(Vec::is_empty) {
                let negated = !conditions.is_empty();
                let arches = on(call, served, arches);
                out.push(Rule { effect, calls: vec![call], conditions, negated, arches });
            }
        }
    }
    out
}
