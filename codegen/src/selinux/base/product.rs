//! Two automata to a shortest text that both match and that none of some others match.

use super::pack::program::{self, MAX_INSTRUCTIONS, States, each, pleasant};
use super::pack::tables::Inst;
use canc_sets::mix::Mixed;
use std::collections::{HashMap, HashSet};

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
        program::add(self.program, &mut states, at + 1);
        states
    }
}

/// The most product states of one question.
const MAX_STATES: usize = 50_000;

/// Where a search stands: one state of each automaton that must match, and a number for all states of those that must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Node {
    a: u16,
    b: u16,
    never: u32,
}

/// The states of the automata that must not match, numbered.
struct Nevers<'n> {
    sides: &'n [Side<'n>],
    list: Vec<Vec<States>>,
    known: HashMap<Vec<States>, u32>,
    steps: HashMap<(u32, u8), u32>,
}

impl<'n> Nevers<'n> {
    fn new(sides: &'n [Side<'n>]) -> Self {
        let mut out = Self { sides, list: Vec::new(), known: HashMap::new(), steps: HashMap::new() };
        out.number(sides.iter().map(|n| n.states).collect());
        out
    }

    fn number(&mut self, states: Vec<States>) -> u32 {
        if let Some(known) = self.known.get(&states) {
            return *known;
        }
        let number = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.known.insert(states.clone(), number);
        self.list.push(states);
        number
    }

    fn after(&mut self, at: u32, byte: u8) -> u32 {
        if self.sides.is_empty() {
            return at;
        }
        if let Some(known) = self.steps.get(&(at, byte)) {
            return *known;
        }
        let states = self.list.get(at as usize).cloned().unwrap_or_default();
        let next = self
            .sides
            .iter()
            .zip(&states)
            .map(|(s, at)| program::step(s.program, s.classes, at, byte))
            .collect();
        let number = self.number(next);
        self.steps.insert((at, byte), number);
        number
    }

    fn refuse(&self, at: u32) -> bool {
        let states = self.list.get(at as usize).into_iter().flatten();
        self.sides.iter().zip(states).any(|(side, states)| program::accepts(side.program, states))
    }

    /// The bytes of a set, those together that none of the automata tells apart where it stands.
    fn split(&self, at: u32, all: [u64; 4]) -> Vec<[u64; 4]> {
        let mut parts = vec![all];
        for (side, states) in self.sides.iter().zip(self.list.get(at as usize).into_iter().flatten()) {
            for bytes in each(states).filter_map(|pc| side.bytes(pc)) {
                let outside = bytes.map(|w| !w);
                parts = parts
                    .iter()
                    .flat_map(|p| [intersect(p, &bytes), intersect(p, &outside)])
                    .filter(|p| *p != [0; 4])
                    .collect();
            }
        }
        parts.retain(|p| *p != [0; 4]);
        if parts.len() > 1 {
            parts.sort_by_key(|p| pleasant(p).map(|b| (b == b'/', rank(b), b)));
        }
        parts
    }
}

/// A shortest text that `a` and `b` match from where they stand and none of `never` does: `Some(None)` when there is none, `None`
/// when the question is too large.
pub fn common(a: &Side<'_>, b: &Side<'_>, never: &[Side<'_>]) -> Option<Option<Vec<u8>>> {
    let mut nevers = Nevers::new(never);
    let mut trail: Vec<(u32, u8, Node)> = Vec::new();
    let mut seen: HashSet<Node, Mixed> = HashSet::default();
    let mut push = |trail: &mut Vec<(u32, u8, Node)>, from: u32, byte: u8, node: Node| {
        if seen.insert(node) {
            trail.push((from, byte, node));
        }
    };
    for p in each(&a.states) {
        for e in each(&b.states) {
            push(&mut trail, u32::MAX, 0, Node { a: p, b: e, never: 0 });
        }
    }
    let mut next = 0;
    while let Some((_, _, node)) = trail.get(next).copied() {
        let here = u32::try_from(next).unwrap_or(u32::MAX);
        next += 1;
        if a.ends(node.a) && b.ends(node.b) && !nevers.refuse(node.never) {
            return Some(Some(spell(&trail, here)));
        }
        let (Some(left), Some(right)) = (a.bytes(node.a), b.bytes(node.b)) else { continue };
        let (after_a, after_b) = (a.after(node.a), b.after(node.b));
        for part in nevers.split(node.never, intersect(&left, &right)) {
            let Some(byte) = pleasant(&part) else { continue };
            let never = nevers.after(node.never, byte);
            for p in each(&after_a) {
                for e in each(&after_b) {
                    push(&mut trail, here, byte, Node { a: p, b: e, never });
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

fn spell(trail: &[(u32, u8, Node)], mut at: u32) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some((from, byte, _)) = trail.get(at as usize) {
        if *from == u32::MAX {
            break;
        }
        out.push(*byte);
        at = *from;
    }
    out.reverse();
    out
}

/// The automaton that reads a text first; `None` when that is too long.
pub fn prefixed(text: &[u8], program: &[Inst]) -> Option<Vec<Inst>> {
    let shift = u16::try_from(text.len()).ok()?;
    let moved = program.iter().map(|i| match i {
        Inst::Split(a, b) => Inst::Split(a + shift, b + shift),
        Inst::Jump(a) => Inst::Jump(a + shift),
        other => *other,
    });
    let out: Vec<Inst> = text.iter().map(|b| Inst::Byte(*b)).chain(moved).collect();
    (out.len() <= MAX_INSTRUCTIONS).then_some(out)
}

/// Whether everything that may follow is matched: the instruction is the loop of a final `.*`.
pub fn takes_all(program: &[Inst], at: u16) -> bool {
    let get = |at: u16| program.get(usize::from(at)).copied();
    matches!((get(at), get(at + 1), get(at + 2)), (Some(Inst::Split(body, end)), Some(Inst::Any), Some(Inst::Jump(back)))
        if body == at + 1 && back == at && get(end) == Some(Inst::Match))
}

/// How pleasant a byte is in an example; less is better.
fn rank(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => 0,
        b'0'..=b'9' => 1,
        b'.' | b'_' | b'-' => 2,
        b'A'..=b'Z' => 3,
        0x21..=0x7e => 4,
        _ => 5,
    }
}
