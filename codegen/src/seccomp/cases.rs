//! Decisions on calls to lists of cases for formats that know no tree: each a masked equality per register, and what is done then.

use super::Lowered;
use super::decisions::Decisions;
use super::diagram::{Arena, Half, Leaf, Node, NodeId};
use super::encode::{action, return_value};
use super::model::{Effect, Source};
use canc_dsl::policy::{Action, NamespaceKinds, Policy};
use canc_sets::syscalls::{self, Arch};

/// Cases of one call at most; a list of more serves nobody.
const MOST_CASES: usize = 2_000;

/// One case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Case {
    /// For each register a mask, and the value of its bits; a mask of 0 asks nothing.
    pub registers: [(u64, u64); 6],
    /// What is done.
    pub action: Action,
}

/// What is done with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cases {
    /// The same, whatever it is asked with.
    Always(Action),
    /// One of these, which exclude each other; in all other cases what was left out.
    Depends(Vec<Case>),
    /// What it is asked with matters in more ways than can be listed.
    TooMany,
}

/// What conditions a call's decision has besides those of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarded {
    /// None.
    No,
    /// It makes no namespace that no rule allows; else it is allowed.
    Namespaces,
    /// It opens no connection; else it is allowed.
    FastOpen,
}

impl Lowered {
    /// What is done with each call of an architecture, in the order of their numbers. Cases in which a call gets the default are left
    /// out.
    #[must_use]
    pub fn cases(&self, arch: Arch, default: Action) -> Vec<(&'static str, Cases)> {
        let mut decisions = Decisions::new(&self.clauses);
        let mut out = Vec::new();
        for ((_, name), call) in syscalls::numbers(arch).iter().zip(syscalls::indices(arch)) {
            let cases = match decisions.on(arch, usize::from(*call), name) {
                Ok(node) => listed(&decisions.arena, node, default),
                Err(_) => Cases::TooMany,
            };
            out.push((*name, cases));
        }
        out
    }

    /// What numbers answer that no call has.
    #[must_use]
    pub fn unknown(&self) -> Action {
        action(self.clauses.answer(self.clauses.unknown()))
    }

    /// What calls answer that rules allow with other arguments.
    #[must_use]
    pub fn unmatched(&self) -> Action {
        action(self.clauses.answer(self.clauses.unmatched()))
    }

    /// Whether the only condition on an allowed call is one of the guards.
    #[must_use]
    pub fn guarded(&self, arch: Arch, name: &str) -> Guarded {
        let Some(call) = syscalls::index(name) else { return Guarded::No };
        let mut out = Guarded::No;
        for clause in self.clauses.about(call, arch) {
            out = match (clause.effect, clause.source) {
                (Effect::Guard(_), Source::NamespaceGuard) if out != Guarded::FastOpen => Guarded::Namespaces,
                (Effect::Guard(_), Source::FastOpenGuard) if out != Guarded::Namespaces => Guarded::FastOpen,
                (Effect::Allow, _) if clause.condition.is_none() => out,
                _ => return Guarded::No,
            };
        }
        out
    }
}

/// The namespaces that a policy lets its program make.
#[must_use]
pub fn allowed_namespaces(policy: &Policy) -> NamespaceKinds {
    super::lower::allowed_namespaces(policy)
}

fn listed(arena: &Arena, root: NodeId, default: Action) -> Cases {
    if let Node::Leaf(Leaf::Return(value)) = arena.get(root) {
        return Cases::Always(action(*value));
    }
    let mut out: Vec<Case> = Vec::new();
    let mut open = vec![(root, [(0u64, 0u64); 6])];
    let mut steps = 0;
    while let Some((node, registers)) = open.pop() {
        steps += 1;
        if out.len() > MOST_CASES || steps > 20 * MOST_CASES {
            return Cases::TooMany;
        }
        match arena.get(node) {
            Node::Leaf(Leaf::Return(value)) => out.push(Case { registers, action: action(*value) }),
            Node::Leaf(Leaf::Bool(_)) => return Cases::TooMany,
            Node::Test { view, edges } => {
                let shift = if view.word.half == Half::High { 32 } else { 0 };
                let mut low = 0;
                for edge in edges {
                    let left_out = arena.get(edge.to) == &Node::Leaf(Leaf::Return(return_value(default)));
                    let words = if left_out { Vec::new() } else { cover(view.mask, low, edge.last) };
                    for (mask, value) in words {
                        let (mask, value) = (u64::from(mask) << shift, u64::from(value) << shift);
                        open.extend(
                            narrowed(registers, view.word.register, mask, value).map(|r| (edge.to, r)),
                        );
                    }
                    low = edge.last.saturating_add(1);
                }
            }
        }
    }
    out.sort_unstable();
    Cases::Depends(out)
}

/// The registers with some bits of one known besides; `None` where they are known to be others.
fn narrowed(mut registers: [(u64, u64); 6], register: u8, mask: u64, value: u64) -> Option<[(u64, u64); 6]> {
    let slot = registers.get_mut(usize::from(register))?;
    if (slot.1 ^ value) & slot.0 & mask != 0 {
        return None;
    }
    *slot = (slot.0 | mask, slot.1 | value);
    Some(registers)
}

/// The words whose bits of a mask lie in an interval, as masked equalities that exclude each other.
fn cover(mask: u32, low: u32, high: u32) -> Vec<(u32, u32)> {
    let mut out = Vec::new();
    // The bits that are still open, and the value of the others.
    let mut open = vec![(mask, 0u32)];
    while let Some((free, value)) = open.pop() {
        let (least, greatest) = (value, value | free);
        if low <= least && greatest <= high {
            out.push((mask & !free, value));
        } else if least <= high && low <= greatest && free != 0 {
            let bit = 1 << (31 - free.leading_zeros());
            open.extend([(free & !bit, value | bit), (free & !bit, value)]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_are_exact() {
        for mask in 0..64u32 {
            for low in 0..64u32 {
                for high in low..64u32 {
                    let list = cover(mask, low, high);
                    for word in 0..64u32 {
                        let hits = list.iter().filter(|(m, v)| word & m == *v).count();
                        assert_eq!(
                            hits,
                            usize::from((low..=high).contains(&(word & mask))),
                            "{mask} {low} {high} {word}"
                        );
                    }
                }
            }
        }
        assert_eq!(cover(u32::MAX, 40, 40), [(u32::MAX, 40)]);
        assert_eq!(cover(u32::MAX, 0, u32::MAX), [(0, 0)]);
    }
}
