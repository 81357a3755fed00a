//! Clauses to the decision on each call, made once and asked many times: for tables, verdicts and coverage.

use super::condition::{Compiler, REGISTERS, place};
use super::diagram::{Arena, Half, Leaf, Node, NodeId, Word};
use super::encode::action;
use super::model::{Clauses, EVERYWHERE, Unsayable};
use super::word::{Bound, witness};
use canc_dsl::policy::{Action, Condition, Width};
use canc_sets::syscalls::{self, Arch};
use std::collections::HashMap;

/// What a filter does with the calls that meet a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// The architecture has no such call.
    Absent,
    /// All of them are made.
    All,
    /// Some of them are made.
    Some,
    /// None is made.
    None,
}

/// The decisions on calls.
#[derive(Debug)]
pub struct Decisions<'a> {
    /// What is said about calls.
    pub clauses: &'a Clauses,
    /// The nodes.
    pub arena: Arena,
    known: HashMap<(usize, Option<Arch>), NodeId>,
}

impl<'a> Decisions<'a> {
    /// No decision is made yet.
    #[must_use]
    pub fn new(clauses: &'a Clauses) -> Self {
        Self { clauses, arena: Arena::default(), known: HashMap::new() }
    }

    /// The decision on a call. Architectures with the same arguments share it.
    ///
    /// # Errors
    /// When a condition cannot be compiled.
    pub fn on(&mut self, arch: Arch, call: usize, name: &'static str) -> Result<NodeId, Unsayable> {
        if let Some(value) = self.clauses.plain(call, name, arch) {
            return self.leaf(value);
        }
        let key = (call, self.differs(arch, call, name).then_some(arch));
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let made = self.clauses.decision(&mut self.arena, arch, call, name)?;
        self.known.insert(key, made);
        Ok(made)
    }

    /// The decision to return a value.
    ///
    /// # Errors
    /// When the arena is full.
    pub fn leaf(&mut self, value: u32) -> Result<NodeId, Unsayable> {
        self.arena.leaf(Leaf::Return(value)).map_err(Into::into)
    }

    /// Whether a call's decision may be another one here than on x86_64.
    fn differs(&self, arch: Arch, call: usize, name: &str) -> bool {
        let usual = arch.is_64_bit() && std::ptr::eq(syscalls::args_on(arch, name), syscalls::args(name));
        let clauses = self.clauses.by_call.get(call);
        let alike = clauses.into_iter().flatten().all(|c| c.arches == EVERYWHERE && !self.clauses.names_arch(c));
        !usual || !alike
    }

    /// What the filter does with the calls that meet a condition. What cannot be decided counts as some.
    pub fn permission(&mut self, arch: Arch, name: &str, when: Option<&Condition>) -> Permission {
        let Some(call) = syscalls::index(name) else { return Permission::Absent };
        let (Some(name), Some(_)) = (syscalls::lookup(name), syscalls::number(arch, name)) else {
            return Permission::Absent;
        };
        self.among(arch, call, name, when).unwrap_or(Permission::Some)
    }

    fn among(
        &mut self,
        arch: Arch,
        call: usize,
        name: &'static str,
        when: Option<&Condition>,
    ) -> Result<Permission, Unsayable> {
        let node = self.on(arch, call, name)?;
        // Outside of the condition nothing is asked, which a leaf that no decision has stands for.
        let when = self.condition(arch, name, when)?;
        let outside = self.arena.constant(false)?;
        let node = self.arena.choose(when, node, outside)?;
        let node = self.arena.prune(node)?;
        let (mut made, mut refused) = (false, false);
        let mut todo = vec![node];
        let mut seen = std::collections::HashSet::new();
        while let Some(node) = todo.pop().filter(|_| !(made && refused)) {
            match self.arena.get(node) {
                Node::Leaf(Leaf::Return(value)) if permits(*value) => made = true,
                Node::Leaf(Leaf::Return(_)) => refused = true,
                Node::Leaf(Leaf::Bool(_)) => (),
                Node::Test { edges, .. } => todo.extend(edges.iter().map(|e| e.to).filter(|n| seen.insert(*n))),
            }
        }
        Ok(match (made, refused) {
            (true, false) => Permission::All,
            (true, true) => Permission::Some,
            (false, _) => Permission::None,
        })
    }

    fn condition(&mut self, arch: Arch, name: &'static str, when: Option<&Condition>) -> Result<NodeId, Unsayable> {
        let Some(condition) = when else { return Ok(self.arena.constant(true)?) };
        let mut compiler = Compiler { arena: &mut self.arena, arch, call: name };
        compiler.condition(condition).map_err(|why| Unsayable { source: None, why })
    }

    /// Arguments with which a call that meets a condition is made, and otherwise `None`. Arguments are given in the order of
    /// x86_64.
    pub fn permitted(&mut self, arch: Arch, name: &str, when: Option<&Condition>) -> Option<[u64; 6]> {
        let call = syscalls::index(name)?;
        let name = syscalls::lookup(name)?;
        syscalls::number(arch, name)?;
        let node = self.on(arch, call, name).ok()?;
        let when = self.condition(arch, name, when).ok()?;
        let outside = self.arena.constant(false).ok()?;
        let node = self.arena.choose(when, node, outside).ok()?;
        let node = self.arena.prune(node).ok()?;
        let words = self.path(node, &mut Vec::new())?;
        let value = |word: Word| words.get(&word).copied().unwrap_or(0);
        Some(std::array::from_fn(|arg| {
            let arg = u8::try_from(arg).unwrap_or(REGISTERS);
            let place = place(arch, name, arg, Width::U64);
            let (low, high) = match place {
                Some(place) => (place.low, place.high),
                None => (Word { register: arg, half: Half::Low }, None),
            };
            u64::from(value(low)) | high.map_or(0, |h| u64::from(value(h)) << 32)
        }))
    }

    /// The words of a path to a leaf that lets the call be made.
    fn path(&self, node: NodeId, bounds: &mut Vec<(Word, Bound)>) -> Option<HashMap<Word, u32>> {
        match self.arena.get(node) {
            Node::Leaf(Leaf::Return(value)) if permits(*value) => words(bounds),
            Node::Leaf(_) => None,
            Node::Test { view, edges } => {
                let mut low = 0;
                for edge in edges {
                    bounds.push((view.word, Bound { mask: view.mask, low, high: edge.last }));
                    if let Some(found) = self.path(edge.to, bounds) {
                        return Some(found);
                    }
                    bounds.pop();
                    low = edge.last.saturating_add(1);
                }
                None
            }
        }
    }
}

/// A word for each that is bounded.
fn words(bounds: &[(Word, Bound)]) -> Option<HashMap<Word, u32>> {
    let mut by_word: HashMap<Word, Vec<Bound>> = HashMap::new();
    for (word, bound) in bounds {
        by_word.entry(*word).or_default().push(*bound);
    }
    by_word.into_iter().map(|(word, bounds)| Some((word, witness(&bounds)?))).collect()
}

/// Whether a call is made under this answer, a supervisor's consent included.
#[must_use]
pub fn permits(value: u32) -> bool {
    matches!(action(value), Action::Allow | Action::Log | Action::Trace | Action::Notify)
}
