//! Conditions with their answers to one decision: merged where that is small, else asked one after another. It knows no system call.
//!
//! Merging asks about each word once, but conditions that overlap in several words multiply. Asked in a row they add up instead. So
//! both are made, within bounds, and the better one is taken; in a row, too, what becomes smaller by it is merged first.

use super::diagram::{Arena, NodeId, TooLarge};
use super::layout::{Section, Trees, longest, program};
use super::tree::Weight;

/// One answer, and the conditions on which it is given.
#[derive(Debug)]
pub struct Layer {
    /// The leaf.
    pub answer: NodeId,
    /// One of them is enough.
    pub when: Vec<NodeId>,
}

/// What a decision is made of.
#[derive(Debug)]
pub struct Layers {
    /// The answer where no condition holds.
    pub otherwise: NodeId,
    /// What grants: the weaker answer, then the stronger.
    pub granted: [Layer; 2],
    /// What beats grants where there are any, the weakest first.
    pub guards: Vec<Layer>,
    /// What beats all that, the weakest first.
    pub above: Vec<Layer>,
}

/// Steps for each instruction of the conditions, within which they are merged.
const MERGING: usize = 64;
/// How many of its predecessors a condition is tried to be merged with.
const TRIES: usize = 8;
/// After how many of them that were in vain no more are tried.
const VAIN: usize = 400;
/// The most questions on a path.
const DEEPEST: usize = 1_500;
/// The estimate from which on a program is not measured.
const MEASURED: usize = 6_000;

/// The decision.
///
/// # Errors
/// When there is no way to ask it in bounded space.
pub fn combine(arena: &mut Arena, layers: &Layers) -> Result<NodeId, TooLarge> {
    let all = || layers.granted.iter().chain(&layers.guards).chain(&layers.above).flat_map(|l| &l.when);
    let size: usize = all().map(|c| arena.cost(*c)).sum();
    let merged = arena.limited(MERGING * (size + MERGING), |arena| {
        let merged = merged(arena, layers)?;
        arena.prune(merged)
    });
    // What shares more than half of its questions is as good as it gets.
    if let Ok(merged) = merged
        && (all().count() < 2 || arena.cost(merged) * 2 < size)
    {
        return Ok(merged);
    }
    let apart = all().map(|c| arena.size(*c)).sum();
    let row = chained(arena, layers)?;
    let row = arena.limited(MERGING * (size + MERGING), |arena| arena.prune(row))?;
    let best = match merged {
        Ok(merged) if better(arena, merged, row, apart) => merged,
        _ => row,
    };
    arena.depth(best, DEEPEST).map(|_| best).ok_or(TooLarge)
}

/// Whether the first is the better program. `apart`: the instructions of all conditions, each by itself.
fn better(arena: &Arena, one: NodeId, other: NodeId, apart: usize) -> bool {
    if one == other || arena.depth(other, DEEPEST).is_none() {
        return true;
    }
    let (a, b) = (arena.cost(one), arena.cost(other));
    if a.max(b) > MEASURED || a > 4 * b {
        return a <= b;
    }
    let price = |node| {
        let section = Section { audit: 0, intervals: vec![(u32::MAX, node, Weight::of(1))] };
        let made = program(arena, &mut Trees::default(), &[section], 0, false);
        (made.instructions.len(), longest(&made.instructions))
    };
    let ((size, run), (other_size, other_run)) = (price(one), price(other));
    // Of two that are clearly shorter than the conditions by themselves, the one with the shorter run; else the shorter one.
    if size.max(other_size) * 10 <= apart * 8 {
        (run, size) <= (other_run, other_size)
    } else {
        (size, run) <= (other_size, other_run)
    }
}

/// Everything in one diagram that asks about each view once.
fn merged(arena: &mut Arena, layers: &Layers) -> Result<NodeId, TooLarge> {
    let [weak, strong] = &layers.granted;
    let (allow, log) = (arena.fold(weak.when.clone(), false)?, arena.fold(strong.when.clone(), false)?);
    let mut granted = arena.choose(log, strong.answer, weak.answer)?;
    for Layer { answer, when } in &layers.guards {
        let when = arena.fold(when.clone(), false)?;
        granted = arena.choose(when, *answer, granted)?;
    }
    let any = arena.fold(vec![allow, log], false)?;
    let mut decision = arena.choose(any, granted, layers.otherwise)?;
    for Layer { answer, when } in &layers.above {
        let when = arena.fold(when.clone(), false)?;
        decision = arena.choose(when, *answer, decision)?;
    }
    Ok(decision)
}

/// The conditions in a row, the strongest first.
fn chained(arena: &mut Arena, layers: &Layers) -> Result<NodeId, TooLarge> {
    let mut next = layers.otherwise;
    for Layer { answer, when } in &layers.granted {
        let mut granted = *answer;
        for guard in layers.guards.iter().filter(|_| !when.is_empty()) {
            granted = row(arena, &guard.when, guard.answer, granted)?;
        }
        next = row(arena, when, granted, next)?;
    }
    for Layer { answer, when } in &layers.above {
        next = row(arena, when, *answer, next)?;
    }
    Ok(next)
}

/// The first of the conditions that holds leads to `then`; none, to `next`.
fn row(arena: &mut Arena, when: &[NodeId], then: NodeId, mut next: NodeId) -> Result<NodeId, TooLarge> {
    let mut list = arena.join_sets(when.to_vec(), false)?;
    // Neighbours that ask about one word first leave it in the accumulator for each other.
    list.sort_by_key(|c| (arena.view(*c).map(super::diagram::View::rank), *c));
    list.dedup();
    let list = gather(arena, &list, &mut 0)?;
    for (condition, _) in list.iter().rev() {
        next = arena.graft(*condition, then, next)?;
    }
    Ok(next)
}

/// The conditions, where merging two makes them smaller merged, with what each costs.
///
/// `vain`: how many were tried without success since one succeeded.
fn gather(arena: &mut Arena, list: &[NodeId], vain: &mut usize) -> Result<Vec<(NodeId, usize)>, TooLarge> {
    if let [only] = list {
        let only = arena.prune(*only)?;
        return Ok(vec![(only, arena.size(only))]);
    }
    let (front, back) = list.split_at(list.len() / 2);
    if front.is_empty() {
        return Ok(Vec::new());
    }
    let mut out = gather(arena, front, vain)?;
    for added in gather(arena, back, vain)? {
        let tries = if *vain < VAIN { TRIES } else { 0 };
        let placed = out
            .iter_mut()
            .rev()
            .take(tries)
            .any(|slot| smaller(arena, *slot, added).map(|merged| *slot = merged).is_some());
        if placed {
            *vain = 0;
        } else {
            *vain += tries;
            out.push(added);
        }
    }
    Ok(out)
}

/// The condition that one of two holds, where it costs no more than both.
fn smaller(
    arena: &mut Arena,
    (one, first): (NodeId, usize),
    (other, second): (NodeId, usize),
) -> Option<(NodeId, usize)> {
    let merged = arena.limited(16 * (first + second), |arena| {
        let merged = arena.choose(one, one, other)?;
        arena.prune(merged)
    });
    let merged = merged.ok()?;
    let cost = arena.size(merged);
    (cost < first + second).then_some((merged, cost))
}
