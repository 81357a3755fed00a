//! An automaton of the kernel's `security/apparmor/match.c`: its tables, one step, and the words that it accepts.

use std::collections::{HashMap, HashSet, VecDeque};

/// The magic number of its tables, big-endian.
const MAGIC: [u8; 4] = [0x1b, 0x5e, 0x78, 0x3d];
/// A state's transitions are those of another but for the ones that it lists.
const DIFFERENCES: u32 = 0x4000_0000;
/// Where rules start.
pub const START: u32 = 1;

/// The tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dfa {
    accept: Vec<u32>,
    base: Vec<u32>,
    default: Vec<u32>,
    next: Vec<u32>,
    check: Vec<u32>,
    classes: Vec<u32>,
    /// What numbers in `accept` stand for, where they are rows of a table.
    perms: Vec<u32>,
}

impl Dfa {
    /// Reads the tables, which may have padding before them.
    pub fn parse(bytes: &[u8], perms: Vec<u32>) -> Option<Self> {
        let start = bytes.windows(4).position(|w| w == MAGIC)?;
        let bytes = bytes.get(start..)?;
        let header = usize::try_from(big(bytes.get(4..8)?)).ok()?;
        let total = usize::try_from(big(bytes.get(8..12)?)).ok()?;
        let mut out = Self {
            accept: Vec::new(),
            base: Vec::new(),
            default: Vec::new(),
            next: Vec::new(),
            check: Vec::new(),
            classes: Vec::new(),
            perms,
        };
        let mut at = header;
        while at < total {
            let (id, width) = (big(bytes.get(at..at + 2)?), big(bytes.get(at + 2..at + 4)?));
            let (width, count) =
                (usize::try_from(width).ok()?, usize::try_from(big(bytes.get(at + 8..at + 12)?)).ok()?);
            let data = bytes.get(at + 12..at + 12 + width * count)?;
            let numbers: Vec<u32> = data.chunks(width.max(1)).map(big).collect();
            match id {
                1 => out.accept = numbers,
                2 => out.base = numbers,
                3 => out.check = numbers,
                4 => out.default = numbers,
                5 => out.classes = numbers,
                8 => out.next = numbers,
                _ => {}
            }
            at += (12 + width * count).next_multiple_of(8);
        }
        (!out.base.is_empty() && out.next.len() == out.check.len()).then_some(out)
    }

    /// The state after a byte.
    pub fn step(&self, mut state: u32, byte: u8) -> u32 {
        let class = self.classes.get(usize::from(byte)).copied().unwrap_or(u32::from(byte));
        loop {
            let Some(base) = self.base.get(state as usize).copied() else { return 0 };
            let place = (base & 0x00ff_ffff).saturating_add(class) as usize;
            if self.check.get(place) == Some(&state) {
                return self.next.get(place).copied().unwrap_or(0);
            }
            let other = self.default.get(state as usize).copied().unwrap_or(0);
            if base & DIFFERENCES == 0 {
                return other;
            }
            state = other;
        }
    }

    /// The state after some bytes.
    pub fn run(&self, state: u32, bytes: &[u8]) -> u32 {
        bytes.iter().fold(state, |state, byte| self.step(state, *byte))
    }

    /// What a state permits, in the parser's own numbers; without what every state does, the one where nothing matches among them.
    pub fn accept(&self, state: u32) -> u32 {
        let word = self.accept.get(state as usize).copied().unwrap_or(0);
        match self.perms.first() {
            None => word,
            Some(always) => self.perms.get(word as usize).copied().unwrap_or(0) & !always,
        }
    }

    /// Whether `accept` gives rows of a table, which are in the kernel's numbers.
    pub fn has_table(&self) -> bool {
        !self.perms.is_empty()
    }

    /// The words from `start` on whose last state permits something; `None` when there are more than `most`, or one is longer
    /// than `length`.
    pub fn words(&self, start: u32, most: usize, length: usize) -> Option<Vec<Vec<u8>>> {
        let live = self.live();
        let is_live = |state: u32| live.get(state as usize).copied().unwrap_or(false);
        let mut found = Vec::new();
        let mut open = vec![(start, Vec::new())];
        while let Some((state, word)) = open.pop() {
            if self.accept(state) != 0 && !word.is_empty() {
                found.push(word.clone());
            }
            if found.len() > most || word.len() > length {
                return None;
            }
            for byte in 0..=255u8 {
                let next = self.step(state, byte);
                if is_live(next) {
                    let mut word = word.clone();
                    word.push(byte);
                    open.push((next, word));
                }
            }
        }
        found.sort();
        Some(found)
    }

    /// A shortest word from `start` on whose last state permits something, with `run` times `byte` in a row in it.
    pub fn word_with(&self, start: u32, byte: u8, run: usize) -> Option<Vec<u8>> {
        let mut seen = HashSet::from([(start, 0)]);
        let mut open = VecDeque::from([(start, 0, Vec::new())]);
        while let Some((state, had, word)) = open.pop_front() {
            if had == run && self.accept(state) != 0 {
                return Some(word);
            }
            for next_byte in 0..=255u8 {
                let next = self.step(state, next_byte);
                let had = match (had == run, next_byte == byte) {
                    (true, _) => run,
                    (false, true) => had + 1,
                    (false, false) => 0,
                };
                if next != 0 && seen.insert((next, had)) {
                    let mut word = word.clone();
                    word.push(next_byte);
                    open.push_back((next, had, word));
                }
            }
        }
        None
    }

    /// For each state, whether anything can be permitted from it on.
    fn live(&self) -> Vec<bool> {
        let states = 0..u32::try_from(self.base.len()).unwrap_or(u32::MAX);
        let mut before: HashMap<u32, Vec<u32>> = HashMap::new();
        for state in states.clone() {
            let mut after: Vec<u32> = (0..=255u8).map(|byte| self.step(state, byte)).collect();
            after.sort_unstable();
            after.dedup();
            after.into_iter().for_each(|next| before.entry(next).or_default().push(state));
        }
        let mut live = vec![false; self.base.len()];
        let mut open: Vec<u32> = states.filter(|state| self.accept(*state) != 0).collect();
        while let Some(state) = open.pop() {
            let Some(mark) = live.get_mut(state as usize).filter(|mark| !**mark) else { continue };
            *mark = true;
            open.extend(before.get(&state).into_iter().flatten());
        }
        live
    }
}

fn big(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |n, b| n << 8 | u32::from(*b))
}
