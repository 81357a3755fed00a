//! Two rules that answer one call with two different errors: found exactly, on the conditions' diagrams.

use super::LowerError;
use super::condition::Compiler;
use super::decisions::Decisions;
use super::diagram::{Arena, Leaf, NodeId, TooLarge};
use super::errors::MOST_NAMED;
use super::model::{Clause, Effect, Source};
use super::reach::{Reach, reach};
use canc_dsl::policy::{Action, RuleId};
use canc_sets::syscalls::{self, Arch};

/// Steps for each instruction of conditions that are held against each other.
const MERGING: usize = 64;

/// A deny that names its error.
struct Answer {
    number: u16,
    rule: RuleId,
    clause: Clause,
}

/// All conflicts, one for each call.
pub(super) fn conflicts(decisions: &mut Decisions<'_>, arches: &[Arch]) -> Vec<LowerError> {
    let mut out = Vec::new();
    for (index, call) in syscalls::names().enumerate() {
        let answers: Vec<Answer> =
            decisions.clauses.by_call.get(index).into_iter().flatten().filter_map(answer).collect();
        let differ = answers.first().is_some_and(|first| answers.iter().any(|a| a.number != first.number));
        let mut on = arches.iter().filter(|_| differ);
        // What cannot be compiled is reported with the decision on the call.
        out.extend(on.find_map(|arch| match conflict(decisions, *arch, call, &answers) {
            Ok(None) => None,
            Ok(Some((first, second))) => Some(LowerError::TwoErrnos { call, first, second }),
            Err(TooLarge) => Some(LowerError::TooComplicated {
                call: Some(call),
                rules: answers.iter().map(|a| a.rule).take(MOST_NAMED).collect(),
            }),
        }));
    }
    out
}

fn answer(clause: &Clause) -> Option<Answer> {
    match (clause.effect, clause.source) {
        (Effect::Deny(Some(Action::Errno(number))), Source::Rule(rule)) => {
            Some(Answer { number, rule, clause: *clause })
        }
        _ => None,
    }
}

/// Two rules with different errors that both match some arguments.
fn conflict(
    decisions: &mut Decisions<'_>,
    arch: Arch,
    call: &'static str,
    answers: &[Answer],
) -> Result<Option<(RuleId, RuleId)>, TooLarge> {
    let here = answers.iter().filter(|a| a.clause.arches >> arch.index() & 1 == 1);
    let mut by_number: Vec<(u16, Vec<(RuleId, NodeId)>)> = Vec::new();
    for answer in here {
        let Some(holds) = condition(decisions, arch, call, answer)? else { continue };
        match by_number.iter_mut().find(|g| g.0 == answer.number) {
            Some(group) => group.1.push((answer.rule, holds)),
            None => by_number.push((answer.number, vec![(answer.rule, holds)])),
        }
    }
    let mut before: Vec<(RuleId, NodeId)> = Vec::new();
    for (_, group) in by_number {
        if let Some((second, holds)) = meeting(decisions, &group, &before)? {
            let first = meeting(decisions, &before, &[(second, holds)])?;
            return Ok(first.map(|(first, _)| (first, second)));
        }
        before.extend(group);
    }
    Ok(None)
}

fn condition(
    decisions: &mut Decisions<'_>,
    arch: Arch,
    call: &'static str,
    answer: &Answer,
) -> Result<Option<NodeId>, TooLarge> {
    let Some(condition) = answer.clause.condition.and_then(|c| decisions.clauses.conditions.get(c)) else {
        return decisions.arena.constant(true).map(Some);
    };
    let mut compiler = Compiler { arena: &mut decisions.arena, arch, call };
    Ok(compiler.condition(condition).ok())
}

/// The first of `these` that some arguments share with one of `those`.
fn meeting(
    decisions: &mut Decisions<'_>,
    these: &[(RuleId, NodeId)],
    those: &[(RuleId, NodeId)],
) -> Result<Option<(RuleId, NodeId)>, TooLarge> {
    let arena = &mut decisions.arena;
    let size: usize = those.iter().map(|t| arena.cost(t.1)).sum();
    let any = arena
        .limited(MERGING * (size + MERGING), |arena| arena.fold(those.iter().map(|t| t.1).collect(), false));
    // Where all of them together are too much, one by one.
    let rest = match any {
        Ok(any) => vec![any],
        Err(TooLarge) => those.iter().map(|t| t.1).collect(),
    };
    for (rule, holds) in these {
        for other in &rest {
            if meets(arena, *holds, *other)? {
                return Ok(Some((*rule, *holds)));
            }
        }
    }
    Ok(None)
}

/// Whether some words meet both conditions.
fn meets(arena: &mut Arena, one: NodeId, other: NodeId) -> Result<bool, TooLarge> {
    let steps = MERGING * (arena.cost(one) + arena.cost(other) + MERGING);
    let both = arena.limited(steps, |arena| arena.fold(vec![one, other], true))?;
    match reach(arena, both, |l| l == Leaf::Bool(true)) {
        Reach::By(_) => Ok(true),
        Reach::Nowhere => Ok(false),
        Reach::Unknown => Err(TooLarge),
    }
}
