//! Automata that must accept to how many bytes each of their states is from that: what is too far need not be visited.

use super::TooLarge;
use super::atom::StateId;
use super::search::{Runner, index};
use crate::mix::Mixed;
use std::collections::{HashMap, VecDeque};

/// An automaton with more states guides nobody.
const MAX_STATES: usize = 4_000;

/// The distances of some automata, by their numbers.
#[derive(Default)]
pub(super) struct Guide {
    distances: HashMap<u32, HashMap<StateId, usize, Mixed>, Mixed>,
    start: usize,
}

type Distances = (usize, HashMap<StateId, usize, Mixed>);

/// How many bytes it takes to a string that an automaton accepts.
pub(super) enum Distance {
    AtLeast(usize),
    /// There is none.
    Endless,
}

impl Guide {
    /// Of the patterns among the automata that must accept.
    pub(super) fn new(runners: &mut [Runner<'_>], alphabet: &[u8]) -> Result<Self, TooLarge> {
        let mut out = Self::default();
        for (number, runner) in runners.iter_mut().enumerate() {
            if runner.required
                && runner.atom.as_pattern().is_some()
                && let Some(known) = distances_of(runner, alphabet)?
            {
                let (start, known) = known;
                out.start = out.start.max(start);
                out.distances.insert(index(number), known);
            }
        }
        if out.distances.is_empty() {
            out.start = usize::MAX;
        }
        Ok(out)
    }

    /// The least length of a string; the greatest number there is where nothing guides.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// What an automaton says of one of its states.
    pub(super) fn distance(&self, number: u32, state: StateId) -> Distance {
        match self.distances.get(&number) {
            Some(known) => known.get(&state).map_or(Distance::Endless, |d| Distance::AtLeast(*d)),
            None => Distance::AtLeast(0),
        }
    }
}

/// The distance of the first state and of each from which the automaton can accept; `None` when it has too many, or when none leads
/// away again, so that nothing would be left out.
fn distances_of(runner: &mut Runner<'_>, alphabet: &[u8]) -> Result<Option<Distances>, TooLarge> {
    let too_large = || runner.atom.too_large();
    let start = runner.engine.start(&mut runner.memory).ok_or_else(too_large)?;
    let mut before: HashMap<StateId, Vec<StateId>> = HashMap::from([(start, Vec::new())]);
    let mut queue = VecDeque::from([start]);
    let mut depths: HashMap<StateId, usize, Mixed> = HashMap::default();
    depths.insert(start, 0);
    let mut out: HashMap<StateId, usize, Mixed> = HashMap::default();
    let mut accepting = VecDeque::new();
    while let Some(state) = queue.pop_front() {
        if runner.engine.accepts(&mut runner.memory, state).ok_or_else(too_large)? {
            out.insert(state, 0);
            accepting.push_back(state);
        }
        for byte in alphabet {
            let next = runner.engine.step(&mut runner.memory, state, *byte).ok_or_else(too_large)?;
            let Some(next) = next else { continue };
            let depth = depths.get(&state).map_or(0, |d| d + 1);
            let known = before.entry(next).or_insert_with(|| {
                depths.insert(next, depth);
                queue.push_back(next);
                Vec::new()
            });
            if known.last() != Some(&state) {
                known.push(state);
            }
        }
        if before.len() > MAX_STATES {
            return Ok(None);
        }
    }
    while let Some(state) = accepting.pop_front() {
        let next = out.get(&state).map_or(0, |d| d + 1);
        for earlier in before.get(&state).into_iter().flatten() {
            if !out.contains_key(earlier) {
                out.insert(*earlier, next);
                accepting.push_back(*earlier);
            }
        }
    }
    let least = out.get(&start).copied().unwrap_or(0);
    let leads_away = out.iter().any(|(state, left)| depths.get(state).is_some_and(|d| d + left > least));
    Ok(leads_away.then_some((least, out)))
}
