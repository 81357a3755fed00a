//! Two automata to a shortest text that both match.

use super::program::{States, each, has, pleasant};
use super::tables::Inst;
use std::collections::{HashMap, VecDeque};

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

/// A shortest text that both match from where they stand; `None` when there is none.
pub fn common(a: &Side<'_>, b: &Side<'_>) -> Option<Vec<u8>> {
    let mut seen: HashMap<(u16, u16), (Option<(u16, u16)>, u8)> = HashMap::new();
    let mut queue = VecDeque::new();
    for p in each(&a.states) {
        for e in each(&b.states) {
            seen.insert((p, e), (None, 0));
            queue.push_back((p, e));
        }
    }
    while let Some(at) = queue.pop_front() {
        if a.ends(at.0) && b.ends(at.1) {
            return Some(spell(&seen, at));
        }
        let (Some(left), Some(right)) = (a.bytes(at.0), b.bytes(at.1)) else { continue };
        let mut both = [0; 4];
        both.iter_mut().zip(left.iter().zip(&right)).for_each(|(out, (l, r))| *out = l & r);
        let Some(byte) = pleasant(&both) else { continue };
        debug_assert!(has(&both, byte));
        for p in each(&a.after(at.0)) {
            for e in each(&b.after(at.1)) {
                seen.entry((p, e)).or_insert_with(|| {
                    queue.push_back((p, e));
                    (Some(at), byte)
                });
            }
        }
    }
    None
}

fn spell(seen: &HashMap<(u16, u16), (Option<(u16, u16)>, u8)>, end: (u16, u16)) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = Some(end);
    while let Some(pair) = at {
        let Some((from, byte)) = seen.get(&pair) else { break };
        if from.is_some() {
            out.push(*byte);
        }
        at = *from;
    }
    out.reverse();
    out
}
