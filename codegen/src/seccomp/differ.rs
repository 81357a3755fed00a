//! Two policies' filters to the system calls that one makes and the other refuses, each with arguments.

use super::Lowered;
use super::ask::Witness;
use super::decisions::permits;
use super::diagram::{Arena, Edge, Leaf, Node, NodeId, TooLarge};
use super::model::{Clauses, Unsayable};
use super::reach::reach;
use canc_sets::syscalls::{self, Arch};
use std::collections::HashMap;

impl Lowered {
    /// The calls that these filters make and those of `other` refuse, with arguments for which that is so. One that depends on
    /// nothing is refused there whatever its arguments are, and made here whatever they are. Architectures that only one of them
    /// serves are not compared.
    #[must_use]
    pub fn made_beyond(&self, other: &Self) -> Vec<Witness> {
        let mut out = Vec::new();
        for arch in self.arches.iter().filter(|a| other.arches.contains(a)) {
            for name in syscalls::names() {
                if let Some(call) = syscalls::index(name).filter(|_| syscalls::number(*arch, name).is_some())
                {
                    out.extend(beyond(&self.clauses, &other.clauses, *arch, call, name));
                }
            }
        }
        out
    }
}

fn beyond(here: &Clauses, there: &Clauses, arch: Arch, call: usize, name: &'static str) -> Option<Witness> {
    let found = Witness { arch, call: name, args: [0; 6], depends: false, found: true };
    let (plain_here, plain_there) = (here.plain(call, name, arch), there.plain(call, name, arch));
    match (plain_here, plain_there) {
        (Some(ours), Some(theirs)) => return (permits(ours) && !permits(theirs)).then_some(found),
        (Some(ours), _) if !permits(ours) => return None,
        (_, Some(theirs)) if permits(theirs) => return None,
        _ => {}
    }
    if said(here, arch, call) == said(there, arch, call) {
        return None;
    }
    match arguments(here, there, arch, call, name) {
        Ok(args) => args.map(|args| Witness { args, depends: true, ..found }),
        Err(_) => Some(Witness { depends: true, found: false, ..found }),
    }
}

/// Everything that is said about a call, in an order of its own.
fn said(clauses: &Clauses, arch: Arch, call: usize) -> (Vec<String>, String) {
    let condition = |at: Option<usize>| at.and_then(|i| clauses.conditions.get(i));
    let about = clauses.about(call, arch);
    let mut list: Vec<String> =
        about.map(|c| format!("{:?} {:?}", c.effect, condition(c.condition))).collect();
    list.sort_unstable();
    list.dedup();
    (list, format!("{:?} {}", clauses.default, clauses.complain))
}

fn arguments(
    here: &Clauses,
    there: &Clauses,
    arch: Arch,
    call: usize,
    name: &'static str,
) -> Result<Option<[u64; 6]>, Unsayable> {
    let mut arena = Arena::default();
    let ours = here.decision(&mut arena, arch, call, name, false)?;
    let theirs = there.decision(&mut arena, arch, call, name, false)?;
    let ours = made(&mut arena, ours, &mut HashMap::new())?;
    let theirs = made(&mut arena, theirs, &mut HashMap::new())?;
    let never = arena.constant(false)?;
    let only = arena.choose(theirs, never, ours)?;
    let only = arena.prune(only)?;
    Ok(reach(&arena, only, |leaf| leaf == Leaf::Bool(true)).registers()?)
}

/// A decision to the condition under which the call is made.
fn made(arena: &mut Arena, node: NodeId, known: &mut HashMap<NodeId, NodeId>) -> Result<NodeId, TooLarge> {
    if let Some(done) = known.get(&node) {
        return Ok(*done);
    }
    let (view, edges) = match arena.get(node) {
        Node::Leaf(Leaf::Return(value)) => {
            let value = permits(*value);
            return arena.constant(value);
        }
        Node::Leaf(Leaf::Bool(_)) => return Ok(node),
        Node::Test { view, edges } => (*view, edges.clone()),
    };
    let mut ranges = Vec::with_capacity(edges.len());
    let mut low = 0u32;
    for Edge { last, to } in edges {
        ranges.push(((low, last), made(arena, to, known)?));
        low = last.saturating_add(1);
    }
    let otherwise = arena.constant(false)?;
    let done = arena.branch(view, ranges, otherwise)?;
    known.insert(node, done);
    Ok(done)
}
