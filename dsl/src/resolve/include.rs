//! Which fragment an `include` means, which fragments include each other, and which nobody includes.

use super::load::ring_error;
use super::ring::order;
use super::values::{Scope, World};
use crate::ast::{Block, Call, Item, Name, Statement, StatementKind};
use crate::codes;
use crate::diag::Diagnostic;
use crate::sink::Sink;
use crate::std_fragments;
use crate::suggest::nearest;
use std::collections::{HashMap, HashSet};

/// What is known of fragments: by unit and place in its items.
pub(super) struct Fragments {
    ring: HashSet<(usize, usize)>,
    used: HashSet<(usize, usize)>,
}

impl Fragments {
    /// Finds the rings and reports them.
    pub(super) fn new(world: World<'_>, sink: &mut Sink) -> Self {
        let mut numbers: HashMap<(usize, usize), usize> = HashMap::new();
        let mut blocks: Vec<((usize, usize), &Block)> = Vec::new();
        for (unit, own) in world.units.list.iter().enumerate() {
            for (place, item) in own.tree.items.iter().enumerate() {
                if let Item::Fragment(block) = item {
                    numbers.insert((unit, place), blocks.len());
                    blocks.push(((unit, place), block));
                }
            }
        }
        let mut edges = Vec::new();
        for (from, ((unit, _), block)) in blocks.iter().enumerate() {
            let mut calls = Vec::new();
            calls_of(&block.body, &mut calls);
            for call in calls {
                let to = place_of(world, *unit, &call.name.text).and_then(|p| numbers.get(&p));
                edges.extend(to.map(|to| (from, *to, call.name.span)));
            }
        }
        let mut ring = HashSet::new();
        for found in order(blocks.len(), &edges).rings {
            let name = |n: usize| blocks.get(n).map(|b| b.1.name.text.to_string()).unwrap_or_default();
            ring.extend(found.iter().filter_map(|(n, _)| blocks.get(*n).map(|b| b.0)));
            sink.push(ring_error(codes::FRAGMENT_RING, "fragments include each other", &found, name));
        }
        Self { ring, used: HashSet::new() }
    }

    pub(super) fn in_ring(&self, unit: usize, place: usize) -> bool {
        self.ring.contains(&(unit, place))
    }

    pub(super) fn mark_used(&mut self, unit: usize, place: usize) {
        self.used.insert((unit, place));
    }

    pub(super) fn is_used(&self, unit: usize, place: usize) -> bool {
        self.used.contains(&(unit, place))
    }
}

fn calls_of<'u>(body: &'u [Statement], out: &mut Vec<&'u Call>) {
    for statement in body {
        match &statement.kind {
            StatementKind::Include(calls) => out.extend(calls),
            StatementKind::When(when) => {
                calls_of(&when.then, out);
                calls_of(&when.otherwise, out);
            }
            _ => {}
        }
    }
}

fn place_of(world: World<'_>, unit: usize, name: &str) -> Option<(usize, usize)> {
    let (unit, rest) = world.units.qualify(unit, name)?;
    let place = world.units.list.get(unit)?.fragments.get(rest)?;
    Some((unit, *place))
}

/// The fragment that an `include` names; reports it if there is none.
pub(super) fn find_fragment<'u>(
    world: World<'u>,
    call: &Call,
    scope: &Scope,
    sink: &mut Sink,
) -> Option<(usize, usize, &'u Block)> {
    let name = &call.name;
    if let Some((unit, place)) = place_of(world, scope.unit, &name.text) {
        return match world.units.list.get(unit)?.tree.items.get(place)? {
            Item::Fragment(block) => Some((unit, place, block)),
            _ => None,
        };
    }
    if world.units.is_lost(scope.unit, &name.text) {
        return None;
    }
    let own = world.units.list.get(scope.unit)?;
    let mut known: Vec<String> = std_fragments().iter().map(|f| format!("std.{}", f.0)).collect();
    for (alias, unit) in own.used() {
        let names = world.units.list.get(unit).map(|u| u.names(fragment_name)).into_iter().flatten();
        known.extend(names.map(|n| format!("{alias}.{n}")));
    }
    known.extend(own.names(fragment_name).map(String::from));
    let help = match nearest(&name.text, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if own.policies.contains_key(&name.text) => {
            "a policy cannot be included: put what both need into a `fragment`".into()
        }
        None => format!("define it: `fragment {} {{ … }}`, or name its file with `use`", name.text),
    };
    let message = format!("unknown fragment `{}`", crate::parse::shorten(&name.text));
    sink.push(Diagnostic::new(codes::UNKNOWN_FRAGMENT, message).label(name.span, "not known").help(help));
    None
}

fn fragment_name(item: &Item) -> Option<&Name> {
    match item {
        Item::Fragment(block) => Some(&block.name),
        _ => None,
    }
}
