//! Two builds to what becomes allowed and what becomes denied, policy by policy, each with a witness, and to changed verdicts.

mod requests;
mod statements;
mod verdicts;

use canc_codegen::build::Subject;
use canc_codegen::seccomp::Lowered;
use canc_dsl::meaning::{Evaluator, Peers};
use canc_dsl::policy::{Policy, PolicySet, RuleId};
use canc_sets::path::TooLarge;
use std::collections::BTreeSet;
use std::sync::Arc;

pub use statements::Statement;
pub use verdicts::VerdictChange;

/// Which of the two builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The first.
    Old,
    /// The second.
    New,
}

/// Requests of one kind that one build allows and the other does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The requests as a rule would say them, such as `read "/srv/x/**"`.
    pub what: String,
    /// Whether it is all that `what` says, or a part of it.
    pub whole: bool,
    /// One of them, spelled as a test of the policy would.
    pub witness: String,
    /// The rule behind it: an allow of the build that allows, or a deny of the one that does not.
    pub rule: Option<(Side, RuleId)>,
}

/// What differs between two builds of one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyDiff {
    /// Its name in the first build.
    pub old: Option<Arc<str>>,
    /// Its name in the second.
    pub new: Option<Arc<str>>,
    /// What only the second allows.
    pub allowed: Vec<Change>,
    /// What only the first allows.
    pub denied: Vec<Change>,
    /// Statements that are no rules.
    pub statements: Vec<Statement>,
    /// Rules that both have, and of which a layer now does something else.
    pub verdicts: Vec<VerdictChange>,
}

impl PolicyDiff {
    /// Whether both builds mean the same, and every layer does the same for it. Another name alone is no difference.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.old.is_some()
            && self.new.is_some()
            && self.allowed.is_empty()
            && self.denied.is_empty()
            && self.statements.is_empty()
            && self.verdicts.is_empty()
    }

    /// Whether the second build allows something that the first does not, or enforces less of it.
    #[must_use]
    pub fn widens(&self) -> bool {
        self.old.is_none()
            || !self.allowed.is_empty()
            || self.statements.iter().any(|s| s.widens)
            || self.verdicts.iter().any(|v| v.widens)
    }
}

/// Compares two builds; policies that differ in nothing are left out.
///
/// # Errors
/// When a pattern's automaton is too large for an exact answer.
pub fn diff(old: &Subject<'_>, new: &Subject<'_>) -> Result<Vec<PolicyDiff>, TooLarge> {
    let pairs = pairs(old.set, new.set);
    let mut out = Vec::new();
    for pair in &pairs {
        let found = match pair {
            (Some(a), Some(b)) => both(old, new, a, b, &pairs)?,
            (a, b) => alone(a.map(|p| &p.name), b.map(|p| &p.name)),
        };
        if !found.is_empty() {
            out.push(found);
        }
    }
    Ok(out)
}

fn alone(old: Option<&Arc<str>>, new: Option<&Arc<str>>) -> PolicyDiff {
    PolicyDiff {
        old: old.cloned(),
        new: new.cloned(),
        allowed: Vec::new(),
        denied: Vec::new(),
        statements: Vec::new(),
        verdicts: Vec::new(),
    }
}

fn both(
    old: &Subject<'_>,
    new: &Subject<'_>,
    a: &Policy,
    b: &Policy,
    pairs: &[Pair<'_>],
) -> Result<PolicyDiff, TooLarge> {
    let (before, after) = (evaluator(a, pairs, Side::Old), evaluator(b, pairs, Side::New));
    let mut allowed = requests::gained(&before, &after, Side::New)?;
    let mut denied = requests::gained(&after, &before, Side::Old)?;
    if let (Some(first), Some(second)) = (filters(old, &a.name), filters(new, &b.name)) {
        allowed.extend(requests::calls(first, second));
        denied.extend(requests::calls(second, first));
    }
    let name = |side| pairs.iter().filter_map(move |p| Some((name_in(p, Side::Old)?, name_in(p, side)?)));
    let renamed = name(Side::New).filter(|(a, b)| a != b).collect();
    Ok(PolicyDiff {
        old: Some(Arc::clone(&a.name)),
        new: Some(Arc::clone(&b.name)),
        allowed,
        denied,
        statements: statements::changed(a, b, &renamed),
        verdicts: verdicts::changed(old, new, a, b),
    })
}

fn filters<'a>(subject: &Subject<'a>, policy: &str) -> Option<&'a Lowered> {
    subject.lowered(subject.index(policy)?)?.seccomp.as_ref()
}

/// A policy of the first build and the same in the second.
type Pair<'a> = (Option<&'a Policy>, Option<&'a Policy>);

fn name_in<'a>(pair: &Pair<'a>, side: Side) -> Option<&'a Arc<str>> {
    match side {
        Side::Old => pair.0,
        Side::New => pair.1,
    }
    .map(|p| &p.name)
}

/// Policies of one name are the same; of the others those are that start the same programs.
fn pairs<'a>(old: &'a PolicySet, new: &'a PolicySet) -> Vec<Pair<'a>> {
    let mut out: Vec<Pair<'a>> = Vec::new();
    let mut left: Vec<&Policy> = new.policies().iter().filter(|p| old.policy(&p.name).is_none()).collect();
    for policy in old.policies() {
        let same = new.policy(&policy.name).or_else(|| {
            let at = left.iter().position(|p| programs(p) == programs(policy))?;
            Some(left.remove(at))
        });
        out.push((Some(policy), same));
    }
    out.extend(left.into_iter().map(|p| (None, Some(p))));
    out
}

fn programs(policy: &Policy) -> BTreeSet<String> {
    policy.exec.iter().map(|p| p.pattern.to_string()).collect()
}

/// The meaning of a policy, with the peers of both builds told apart in one way.
fn evaluator<'a>(policy: &'a Policy, pairs: &[Pair<'_>], side: Side) -> Evaluator<'a> {
    let other = if side == Side::Old { Side::New } else { Side::Old };
    let names = pairs.iter().filter_map(|p| name_in(p, side).or(name_in(p, other)).cloned());
    Evaluator::with_peers(policy, Peers::in_places(&policy.name, names.collect()))
}
