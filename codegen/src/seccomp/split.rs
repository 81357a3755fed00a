//! Sections to programs the kernel accepts: one where it fits, several whose conjunction is the same decision where it does not.
//!
//! The kernel takes the most restrictive answer of all filters, and `allow` is the least. So each of several filters decides some
//! numbers, or some arguments of a call, and allows the rest.

use super::LowerError;
use super::decisions::Decisions;
use super::diagram::{Arena, Edge, Node, NodeId, TooLarge};
use super::encode::{MOST_INSTRUCTIONS, return_value};
use super::layout::{Program, Section, Trees, program};
use super::model::{Clauses, Source};
use super::tree::Weight;
use canc_dsl::policy::{Action, RuleId};
use canc_sets::syscalls::{self, Arch};
use std::collections::BTreeMap;

/// All filters of a process together (`MAX_INSNS_PER_PATH` in `kernel/seccomp.c`), where each counts four more.
const MOST_IN_ALL: usize = 32_768;

/// What finding a call's number takes at most, where everything else is allowed.
const NUMBERS: usize = 64;

/// How many parts are looked at for room.
const OPEN: usize = 16;

/// The programs for these sections.
///
/// # Errors
/// When all of them together are longer than a process may have.
pub fn filters(
    decisions: &mut Decisions<'_>,
    trees: &mut Trees,
    host: Arch,
    sections: &[Section],
) -> Result<Vec<Program>, LowerError> {
    let (foreign, big_endian) = (decisions.clauses.answer(Action::Kill), host.is_big_endian());
    let expected =
        sections.iter().flat_map(|s| &s.intervals).map(|i| decisions.arena.cost(i.1) + 2).sum::<usize>();
    if expected <= 2 * MOST_INSTRUCTIONS {
        let one = program(&decisions.arena, trees, sections, foreign, big_endian);
        if one.instructions.len() <= MOST_INSTRUCTIONS {
            return Ok(vec![one]);
        }
    }
    // An estimate decides what goes together, so a part may come out too long; then parts become smaller.
    for budget in [7, 6, 4, 2].map(|eighths| MOST_INSTRUCTIONS / 8 * eighths) {
        let Ok(parts) = parts(decisions, host, sections, budget) else { break };
        if expected > 2 * MOST_IN_ALL {
            break;
        }
        let made = parts.iter().map(|p| program(&decisions.arena, trees, p, foreign, big_endian));
        let programs: Vec<Program> = made.collect();
        if programs.iter().map(|p| p.instructions.len() + 4).sum::<usize>() > MOST_IN_ALL {
            break;
        }
        if programs.iter().all(|p| p.instructions.len() <= MOST_INSTRUCTIONS) {
            return Ok(programs);
        }
    }
    Err(LowerError::TooLong { arch: host, instructions: expected, rules: dearest(decisions, host) })
}

/// One thing to decide: in which section, which interval, by which node.
struct Piece {
    section: usize,
    interval: usize,
    node: NodeId,
}

/// What one program decides.
struct Part {
    /// Whether `seccomp(2)` is among it.
    loads: bool,
    /// Instructions that there is room for.
    left: usize,
    pieces: Vec<Piece>,
}

impl Part {
    fn add(&mut self, piece: Piece, cost: usize, loads: bool) {
        self.loads |= loads;
        self.left = self.left.saturating_sub(cost);
        self.pieces.push(piece);
    }
}

/// Sections that each decide a part, with the part that decides `seccomp(2)` last, since it may be what refuses to load more.
fn parts(
    decisions: &mut Decisions<'_>,
    host: Arch,
    sections: &[Section],
    budget: usize,
) -> Result<Vec<Vec<Section>>, TooLarge> {
    let allow = decisions.arena.leaf(super::diagram::Leaf::Return(return_value(Action::Allow)))?;
    let loading = syscalls::number(host, "seccomp").unwrap_or(0);
    let mut parts: Vec<Part> = Vec::new();
    for (section, own) in sections.iter().enumerate() {
        for (interval, (last, node, _)) in own.intervals.iter().enumerate().filter(|i| i.1.1 != allow) {
            let low = interval
                .checked_sub(1)
                .and_then(|i| own.intervals.get(i))
                .map_or(0, |i| i.0.saturating_add(1));
            let loads = own.audit == host.audit_value() && (low..=*last).contains(&loading);
            let whole = fits(&decisions.arena, own.audit, *node, budget);
            let cut = if whole { vec![*node] } else { pieces(&mut decisions.arena, *node, allow, budget)? };
            for node in cut {
                let cost = decisions.arena.cost(node) + 2;
                // A part decides a number by one node.
                let same = |p: &Piece| p.section == section && p.interval == interval;
                let room = |p: &&mut Part| cost <= p.left && !p.pieces.iter().any(same);
                let piece = Piece { section, interval, node };
                match parts.iter_mut().rev().take(OPEN).find(room) {
                    Some(part) => part.add(piece, cost, loads),
                    None => {
                        let mut part = Part { loads: false, left: budget, pieces: Vec::new() };
                        part.add(piece, cost, loads);
                        parts.push(part);
                    }
                }
            }
        }
    }
    parts.sort_by_key(|p| p.loads);
    // Of two parts that decide `seccomp(2)` the first could keep the second from being loaded.
    if parts.iter().filter(|p| p.loads).count() > 1 {
        return Err(TooLarge);
    }
    Ok(parts.iter().map(|p| only(sections, &p.pieces, allow)).collect())
}

/// Whether a program can decide this. Beyond the budget an estimate may be twice of what comes out, and cutting costs much.
fn fits(arena: &Arena, audit: u32, node: NodeId, budget: usize) -> bool {
    let cost = arena.cost(node);
    cost <= budget
        || cost <= 2 * MOST_INSTRUCTIONS && {
            let section = Section { audit, intervals: vec![(u32::MAX, node, Weight::of(1))] };
            let made = program(arena, &mut Trees::default(), &[section], 0, false);
            made.instructions.len() + NUMBERS <= MOST_INSTRUCTIONS
        }
}

/// The sections with everything but these pieces allowed.
fn only(sections: &[Section], pieces: &[Piece], allow: NodeId) -> Vec<Section> {
    let decided: BTreeMap<(usize, usize), NodeId> =
        pieces.iter().map(|p| ((p.section, p.interval), p.node)).collect();
    let reduced = |(index, section): (usize, &Section)| {
        let mut intervals: Vec<(u32, NodeId, Weight)> = Vec::new();
        for (interval, (last, _, weight)) in section.intervals.iter().enumerate() {
            let node = decided.get(&(index, interval)).copied().unwrap_or(allow);
            match intervals.last_mut() {
                Some(before) if before.1 == node => {
                    before.0 = *last;
                    before.2 += *weight;
                }
                _ => intervals.push((*last, node, *weight)),
            }
        }
        Section { audit: section.audit, intervals }
    };
    sections.iter().enumerate().map(reduced).collect()
}

/// Nodes that each fit the budget and whose most restrictive answer is the node's.
fn pieces(arena: &mut Arena, node: NodeId, allow: NodeId, budget: usize) -> Result<Vec<NodeId>, TooLarge> {
    // Nodes with several ways in are cut once for each.
    let cost = arena.cost(node);
    arena.spend(cost)?;
    let (view, edges) = match arena.get(node) {
        Node::Test { view, edges } if cost > budget => (*view, edges.clone()),
        _ => return Ok(vec![node]),
    };
    let mut out = Vec::new();
    let mut current: Vec<((u32, u32), NodeId)> = Vec::new();
    let mut spent = 0;
    let mut low = 0;
    for Edge { last, to } in edges {
        let range = (low, last);
        low = last.saturating_add(1);
        for part in pieces(arena, to, allow, budget.saturating_sub(8))? {
            let price = 1 + arena.cost(part);
            // Two parts of one edge cannot stand in one piece.
            if spent + price > budget || current.last().is_some_and(|c| c.0 == range) {
                out.push(arena.branch(view, std::mem::take(&mut current), allow)?);
                spent = 0;
            }
            spent += price;
            current.push((range, part));
        }
    }
    out.push(arena.branch(view, current, allow)?);
    Ok(out)
}

/// The rules on the calls that take the most instructions, the dearest first.
fn dearest(decisions: &mut Decisions<'_>, host: Arch) -> Vec<RuleId> {
    let mut calls: Vec<(usize, usize)> = Vec::new();
    for ((_, name), index) in syscalls::numbers(host).iter().zip(syscalls::indices(host)) {
        let call = usize::from(*index);
        if let Ok(node) = decisions.on(host, call, name) {
            calls.push((decisions.arena.cost(node), call));
        }
    }
    calls.sort_by_key(|c| std::cmp::Reverse(c.0));
    let rules = |c: &(usize, usize)| conditional(decisions.clauses, c.1);
    let mut out: Vec<RuleId> = Vec::new();
    for rule in calls.iter().filter(|c| c.0 > 0).flat_map(rules) {
        if !out.contains(&rule) && out.len() < 5 {
            out.push(rule);
        }
    }
    out
}

/// The rules with conditions on a call.
fn conditional(clauses: &Clauses, call: usize) -> Vec<RuleId> {
    let own = clauses.by_call.get(call).into_iter().flatten().filter(|c| c.condition.is_some());
    own.filter_map(|c| if let Source::Rule(rule) = c.source { Some(rule) } else { None }).take(5).collect()
}
