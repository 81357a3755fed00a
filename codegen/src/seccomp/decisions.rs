//! Clauses to the decision on each call, made once and asked many times: for tables, verdicts and coverage.

use super::condition::Compiler;
use super::diagram::{Arena, Leaf, NodeId};
use super::encode::action;
use super::model::{Clauses, EVERYWHERE, Unsayable};
use super::reach::{Reach, reach};
use canc_dsl::policy::{Action, Condition};
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

/// Steps for each instruction of a decision, within which it is cut down to the calls that meet a condition.
const ASKING: usize = 64;

/// The decisions on calls.
#[derive(Debug)]
pub struct Decisions<'a> {
    /// What is said about calls.
    pub clauses: &'a Clauses,
    /// The nodes.
    pub arena: Arena,
    known: HashMap<(usize, Option<Arch>), NodeId>,
    /// Whether guards are left out: what the rules on system calls alone say.
    unguarded: bool,
}

impl<'a> Decisions<'a> {
    /// No decision is made yet.
    #[must_use]
    pub fn new(clauses: &'a Clauses) -> Self {
        Self { clauses, arena: Arena::default(), known: HashMap::new(), unguarded: false }
    }

    /// The decisions without guards, to compare what two policies' rules on system calls say.
    #[must_use]
    pub fn unguarded(clauses: &'a Clauses) -> Self {
        Self { unguarded: true, ..Self::new(clauses) }
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
        let made = self.clauses.decision(&mut self.arena, arch, call, name, self.unguarded)?;
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
        let alike =
            clauses.into_iter().flatten().all(|c| c.arches == EVERYWHERE && !self.clauses.names_arch(c));
        !usual || !alike
    }

    /// What the filter does with the calls that meet a condition. What cannot be decided counts as some.
    pub fn permission(&mut self, arch: Arch, name: &str, when: Option<&Condition>) -> Permission {
        let Some(name) = on_table(arch, name) else { return Permission::Absent };
        let Ok(node) = self.among(arch, name, when) else { return Permission::Some };
        let reaches = |made| !matches!(reach(&self.arena, node, |l| is(l, made)), Reach::Nowhere);
        match (reaches(true), reaches(false)) {
            (true, false) => Permission::All,
            (true, true) => Permission::Some,
            (false, _) => Permission::None,
        }
    }

    /// The decision on the calls that meet a condition; for others a leaf that no decision has.
    fn among(
        &mut self,
        arch: Arch,
        name: &'static str,
        when: Option<&Condition>,
    ) -> Result<NodeId, Unsayable> {
        let call = syscalls::index(name).unwrap_or(usize::MAX);
        let node = self.on(arch, call, name)?;
        let when = self.condition(arch, name, when)?;
        let outside = self.arena.constant(false)?;
        let steps = ASKING * (self.arena.cost(node) + self.arena.cost(when) + ASKING);
        Ok(self.arena.limited(steps, |arena| {
            let node = arena.choose(when, node, outside)?;
            arena.prune(node)
        })?)
    }

    fn condition(
        &mut self,
        arch: Arch,
        name: &'static str,
        when: Option<&Condition>,
    ) -> Result<NodeId, Unsayable> {
        let Some(condition) = when else { return Ok(self.arena.constant(true)?) };
        let mut compiler = Compiler { arena: &mut self.arena, arch, call: name };
        compiler.condition(condition).map_err(|why| Unsayable { source: None, why })
    }

    /// Arguments of a call that meets a condition and is made (or refused); `None` when there are none. The registers are the
    /// architecture's own.
    ///
    /// # Errors
    /// When finding out takes too long.
    pub fn example(
        &mut self,
        arch: Arch,
        name: &str,
        when: Option<&Condition>,
        made: bool,
    ) -> Result<Option<[u64; 6]>, Unsayable> {
        let Some(name) = on_table(arch, name) else { return Ok(None) };
        let node = self.among(arch, name, when)?;
        Ok(reach(&self.arena, node, |l| is(l, made)).registers()?)
    }
}

/// Whether a leaf makes, or refuses, the call.
fn is(leaf: Leaf, made: bool) -> bool {
    matches!(leaf, Leaf::Return(value) if permits(value) == made)
}

/// The table's own name of a call that an architecture has.
fn on_table(arch: Arch, name: &str) -> Option<&'static str> {
    syscalls::number(arch, name).and_then(|_| syscalls::lookup(name))
}

/// Whether a call is made under this answer, a supervisor's consent included.
#[must_use]
pub fn permits(value: u32) -> bool {
    matches!(action(value), Action::Allow | Action::Log | Action::Trace | Action::Notify)
}
