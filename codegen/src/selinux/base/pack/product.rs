//! Two automata to a shortest text that both match and that none of some others match.

use super::program::{States, each, pleasant};
use super::tables::Inst;
use std::collections::HashMap;

/// An automaton and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// Its instructions.
    pub program: &'a [Inst],
    /// Its classes of bytes.
    pub classes: &'a [[u64; 4]],
    /// The states it is in.
    pub states: States,
}

impl Side<'_> {
    fn bytes(&self, at: u16) -> Option<[u64; 4]> {
        match self.program.get(usize::from(at)) {
            Some(Inst::Byte(b)) => {
                let mut bits = [0; 4];
                if let Some(word) = bits.get_mut(usize::from(b >> 6)) {
                    *word = 1 << (b & 63);
                }
                Some(bits)
            }
            Some(Inst::Any) => Some([u64::MAX; 4]),
            Some(Inst::Class(c)) => self.classes.get(usize::from(*c)).copied(),
            _ => None,
        }
    }

    fn ends(&self, at: u16) -> bool {
        matches!(self.program.get(usize::from(at)), Some(Inst::Match))
    }

    fn after(&self, at: u16) -> States {
        let mut states = [0; 4];
        super::program::add(self.program, &mut states, at + 1);
        states
    }
}

/// The most product states of one question.
const MAX_STATES: usize = 50_000;

/// Where a search stands: one state of each automaton that must match, all states of each that must not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Node {
    at: (u16, u16),
    never: Vec<States>,
}

/// A shortest text that `a` and `b` match from where they stand and none of `never` does: `Some(None)` when there is none, `None`
/// when the question is too large.
pub fn common(a: &Side<'_>, b: &Side<'_>, never: &[Side<'_>]) -> Option<Option<Vec<u8>>> {
    let mut trail: Vec<(usize, u8, Node)> = Vec::new();
    let mut seen: HashMap<Node, ()> = HashMap::new();
    let states: Vec<States> = never.iter().map(|n| n.states).collect();
    for p in each(&a.states) {
        for e in each(&b.states) {
            let node = Node { at: (p, e), never: states.clone() };
            if seen.insert(node.clone(), ()).is_none() {
                trail.push((usize::MAX, 0, node));
            }
        }
    }
    let mut next = 0;
    while let Some((_, _, node)) = trail.get(next).cloned() {
        let ((p, e), here) = (node.at, next);
        next += 1;
        let refused = || never.iter().zip(&node.never).any(|(side, states)| super::program::accepts(side.program, states));
        if a.ends(p) && b.ends(e) && !refused() {
            return Some(Some(spell(&trail, here)));
        }
        let (Some(left), Some(right)) = (a.bytes(p), b.bytes(e)) else { continue };
        for part in split(intersect(&left, &right), never, &node.never) {
            let Some(byte) = pleasant(&part) else { continue };
            let after: Vec<States> =
                never.iter().zip(&node.never).map(|(s, at)| super::program::step(s.program, s.classes, at, byte)).collect();
            for p in each(&a.after(p)) {
                for e in each(&b.after(e)) {
                    let node = Node { at: (p, e), never: after.clone() };
                    if seen.insert(node.clone(), ()).is_none() {
                        trail.push((here, byte, node));
                    }
                }
            }
        }
        if trail.len() > MAX_STATES {
            return None;
        }
    }
    Some(None)
}

fn intersect(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
    let mut out = *a;
    out.iter_mut().zip(b).for_each(|(out, b)| *out &= b);
    out
}

/// The bytes of a set, those together that no automaton of `never` tells apart where it stands.
fn split(all: [u64; 4], never: &[Side<'_>], at: &[States]) -> Vec<[u64; 4]> {
    let mut parts = vec![all];
    for (side, states) in never.iter().zip(at) {
        for bytes in each(states).filter_map(|pc| side.bytes(pc)) {
            let outside = bytes.map(|w| !w);
            parts = parts.iter().flat_map(|p| [intersect(p, &bytes), intersect(p, &outside)]).filter(|p| *p != [0; 4]).collect();
        }
    }
    parts.retain(|p| *p != [0; 4]);
    parts.sort_by_key(|p| pleasant(p).map(|b| (b == b'/', super::program::rank(b), b)));
    parts
}

fn spell(trail: &[(usize, u8, Node)], mut at: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some((from, byte, _)) = trail.get(at) {
        if *from == usize::MAX {
            break;
        }
        out.push(*byte);
        at = *from;
    }
    out.reverse();
    out
}
