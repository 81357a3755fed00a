//! Policies to the graph of transitions between them.

use canc_dsl::policy::{Body, Effect, FileOp, PolicySet, RuleId, RunTarget};
use std::collections::{BTreeMap, BTreeSet};

/// Every edge `from -> to` with the rules of `from` that make it.
#[must_use]
pub fn edges(set: &PolicySet) -> BTreeMap<(&str, &str), Vec<RuleId>> {
    let mut out: BTreeMap<(&str, &str), Vec<RuleId>> = BTreeMap::new();
    for policy in set.policies() {
        for rule in policy.rules.iter().filter(|r| r.effect == Effect::Allow) {
            let Body::File(file) = &rule.body else { continue };
            if let (true, RunTarget::Policy(to)) = (file.ops.has(FileOp::Run), &file.run) {
                out.entry((&policy.name, to)).or_default().push(rule.id);
            }
        }
    }
    out
}

/// The policies on a shortest way of transitions from one policy to another, both included; `None` when there is none.
#[must_use]
pub fn path<'a>(set: &'a PolicySet, from: &'a str, to: &str) -> Option<Vec<&'a str>> {
    let edges = edges(set);
    let mut ways: Vec<Vec<&str>> = vec![vec![from]];
    let mut seen = BTreeSet::from([from]);
    let mut at = 0;
    while let Some(way) = ways.get(at).cloned() {
        at += 1;
        let last = way.last().copied().unwrap_or(from);
        for (_, next) in edges.keys().filter(|(a, _)| *a == last) {
            let longer: Vec<&str> = way.iter().copied().chain([*next]).collect();
            if *next == to {
                return Some(longer);
            }
            if seen.insert(next) {
                ways.push(longer);
            }
        }
    }
    None
}
