//! The tests of a policy to the rules that they touch: an untouched rule could be wrong, and every test would still hold.

use crate::prove::place;
use crate::reach::edges;
use canc_codegen::build::Subject;
use canc_dsl::meaning::{body_regions, request_regions};
use canc_dsl::policy::{Assertion, Body, Claim, Effect, Policy, Request, RuleId, SyscallRule};
use canc_sets::path::TooLarge;
use canc_sets::syscalls;
use std::collections::BTreeSet;

/// The rules of one policy, as far as its tests go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Covered {
    /// Its own rules that some request of some test meets.
    pub touched: BTreeSet<RuleId>,
    /// Those that none meets.
    pub untouched: BTreeSet<RuleId>,
}

/// What the tests of a build touch, policy by policy. Rules of fragments are their authors' to test, and rules that no request of
/// the process can meet, such as receiving a signal, are not counted.
///
/// # Errors
/// When a pattern's automaton is too large.
pub fn covered(subject: &Subject<'_>) -> Result<Vec<Covered>, TooLarge> {
    let mut out = Vec::new();
    for (index, policy) in subject.set.policies().iter().enumerate() {
        let mut touched = BTreeSet::new();
        for assertion in subject.set.tests().iter().flat_map(|t| &t.assertions) {
            if assertion.policy == policy.name {
                touched.extend(met(subject, index, assertion)?);
            }
        }
        let own: BTreeSet<RuleId> = countable(subject, index, policy)?;
        out.push(Covered {
            touched: own.intersection(&touched).copied().collect(),
            untouched: own.difference(&touched).copied().collect(),
        });
    }
    Ok(out)
}

fn countable(subject: &Subject<'_>, index: usize, policy: &Policy) -> Result<BTreeSet<RuleId>, TooLarge> {
    let mut out = BTreeSet::new();
    let Some(evaluator) = subject.evaluators.get(index) else { return Ok(out) };
    for rule in policy.rules.iter().filter(|r| r.included.is_empty()) {
        let asked = matches!(rule.body, Body::Syscall(_));
        if asked || !body_regions(&rule.body, evaluator.peers())?.is_empty() {
            out.insert(rule.id);
        }
    }
    Ok(out)
}

fn met(subject: &Subject<'_>, index: usize, assertion: &Assertion) -> Result<Vec<RuleId>, TooLarge> {
    match &assertion.claim {
        Claim::Allows(request) | Claim::Denies(request, _) | Claim::Never(request) => {
            by_request(subject, index, request)
        }
        Claim::LosesNothing(..) => Ok(Vec::new()),
        Claim::Reaches { to, .. } => {
            let all = edges(subject.set);
            let own = all.iter().filter(|((from, next), _)| **from == *assertion.policy && **next == **to);
            Ok(own.flat_map(|(_, rules)| rules.clone()).collect())
        }
    }
}

fn by_request(subject: &Subject<'_>, index: usize, request: &Request) -> Result<Vec<RuleId>, TooLarge> {
    if let Body::Syscall(calls) = &request.body {
        return Ok(by_call(subject, index, calls));
    }
    let Some(evaluator) = subject.evaluators.get(index) else { return Ok(Vec::new()) };
    let regions = request_regions(request, evaluator.peers())?;
    let verdict = evaluator.decide(&regions, &place(&request.body))?;
    Ok(verdict.allowed_by.into_iter().chain(verdict.denied_by).collect())
}

/// The rules behind what the filters do with the calls, with arguments for which they are made and for which they are not.
fn by_call(subject: &Subject<'_>, index: usize, calls: &SyscallRule) -> Vec<RuleId> {
    let Some(filters) = subject.lowered(index).and_then(|l| l.seccomp.as_ref()) else { return Vec::new() };
    let mut out = Vec::new();
    for item in &calls.calls {
        let one = SyscallRule { calls: vec![item.clone()], ..calls.clone() };
        let asked = filters.asked(&one);
        for example in [asked.made, asked.refused].into_iter().flatten() {
            let number = syscalls::number(example.arch, example.call);
            let decided = number.and_then(|n| filters.decide(example.arch, n, example.args));
            out.extend(decided.map(|d| d.rules).unwrap_or_default());
        }
    }
    // What is brought by rules of other kinds is not what a test of the call is about.
    let policy = subject.set.policies().get(index);
    out.retain(|id| {
        policy
            .and_then(|p| p.rule(*id))
            .is_some_and(|r| matches!(r.body, Body::Syscall(_)) || r.effect == Effect::Deny)
    });
    out
}
