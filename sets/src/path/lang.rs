//! Boolean combinations of path patterns to an exact answer: empty, or a shortest witness.
//!
//! Each pattern is one lazily built automaton; a question walks their product breadth first and never builds it whole, so a
//! literal prefix costs its length and a union of a thousand patterns costs what the few that share a prefix cost.

use super::{Anchor, Component, Pattern, Piece, Tail};
use regex_automata::Input;
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, Repetition};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// The most product states that one question may visit.
const MAX_STATES: usize = 200_000;
/// The memory that one automaton may take, in bytes.
const AUTOMATON_BYTES: usize = 8 << 20;

/// A question that would take too many automaton states, and the language that brings most of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLarge {
    /// The pattern as its author wrote it.
    pub pattern: String,
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the automaton of `{}` is too large", self.pattern)
    }
}

impl std::error::Error for TooLarge {}

/// A deterministic automaton that somebody else builds, state by state as it is asked for: a table of a thousand lines, say, of
/// which a question meets a few.
pub trait Machine: Send + Sync {
    /// The state before the first byte.
    fn start(&self) -> u32;
    /// The state after a byte; `None` once no string that goes on so is in the language. `byte` is never 0.
    fn step(&self, state: u32, byte: u8) -> Option<u32>;
    /// Whether the string that led to the state is in the language.
    fn accepts(&self, state: u32) -> bool;
    /// Whether the machine may tell `byte` from the byte before it.
    fn starts_class(&self, byte: u8) -> bool;
}

/// What runs an atom.
enum Engine {
    Dfa(DFA),
    Machine(Arc<dyn Machine>),
}

/// What an engine remembers during a question.
enum Memory {
    Dfa(Cache),
    Machine,
}

/// A state of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum StateId {
    Dfa(LazyStateID),
    Machine(u32),
}

impl Engine {
    fn memory(&self) -> Memory {
        match self {
            Self::Dfa(dfa) => Memory::Dfa(dfa.create_cache()),
            Self::Machine(_) => Memory::Machine,
        }
    }

    /// `None` when the automaton is over its size limit.
    fn start(&self, memory: &mut Memory) -> Option<StateId> {
        match (self, memory) {
            (Self::Dfa(dfa), Memory::Dfa(cache)) => {
                let input = Input::new("").anchored(regex_automata::Anchored::Yes);
                dfa.start_state_forward(cache, &input).ok().map(StateId::Dfa)
            }
            (Self::Machine(machine), _) => Some(StateId::Machine(machine.start())),
            _ => None,
        }
    }

    /// `None` when the automaton is over its size limit, `Some(None)` for a dead state.
    fn step(&self, memory: &mut Memory, id: StateId, byte: u8) -> Option<Option<StateId>> {
        match (self, memory, id) {
            (Self::Dfa(dfa), Memory::Dfa(cache), StateId::Dfa(id)) => {
                let next = dfa.next_state(cache, id, byte).ok()?;
                Some((!next.is_dead()).then_some(StateId::Dfa(next)))
            }
            (Self::Machine(machine), _, StateId::Machine(id)) => {
                Some(machine.step(id, byte).map(StateId::Machine))
            }
            _ => None,
        }
    }

    /// `None` when the automaton is over its size limit.
    fn accepts(&self, memory: &mut Memory, id: StateId) -> Option<bool> {
        match (self, memory, id) {
            (Self::Dfa(dfa), Memory::Dfa(cache), StateId::Dfa(id)) => {
                dfa.next_eoi_state(cache, id).ok().map(|end| end.is_match())
            }
            (Self::Machine(machine), _, StateId::Machine(id)) => Some(machine.accepts(id)),
            _ => None,
        }
    }

    fn starts_class(&self, byte: u8) -> bool {
        match self {
            Self::Dfa(dfa) => {
                let classes = dfa.byte_classes();
                byte == 0 || classes.get(byte) != classes.get(byte - 1)
            }
            Self::Machine(machine) => byte == 0 || machine.starts_class(byte),
        }
    }

    fn weight(&self, memory: &Memory) -> usize {
        match memory {
            Memory::Dfa(cache) => cache.memory_usage(),
            Memory::Machine => 0,
        }
    }
}

/// One regular language of byte strings.
pub struct Atom {
    engine: Engine,
    label: String,
}

impl fmt::Debug for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Atom({})", self.label)
    }
}

impl Atom {
    /// The automaton of an expression that must match the whole string.
    ///
    /// # Errors
    /// When the expression alone is over the size limit.
    pub fn new(hir: &Hir, label: impl Into<String>) -> Result<Arc<Self>, TooLarge> {
        let label = label.into();
        let build = || {
            let nfa = regex_automata::nfa::thompson::Compiler::new()
                .configure(
                    regex_automata::nfa::thompson::Config::new()
                        .utf8(false)
                        .nfa_size_limit(Some(AUTOMATON_BYTES))
                        .which_captures(regex_automata::nfa::thompson::WhichCaptures::None),
                )
                .build_from_hir(hir)
                .ok()?;
            DFA::builder()
                .configure(
                    DFA::config()
                        .match_kind(regex_automata::MatchKind::All)
                        .cache_capacity(AUTOMATON_BYTES)
                        .skip_cache_capacity_check(true)
                        .minimum_cache_clear_count(Some(0)),
                )
                .build_from_nfa(nfa)
                .ok()
        };
        match build() {
            Some(dfa) => Ok(Arc::new(Self { engine: Engine::Dfa(dfa), label })),
            None => Err(TooLarge { pattern: label }),
        }
    }

    /// The automaton of a pattern.
    ///
    /// # Errors
    /// When the pattern alone is over the size limit.
    pub fn pattern(pattern: &Pattern) -> Result<Arc<Self>, TooLarge> {
        Self::new(&to_hir(pattern), pattern.to_string())
    }

    /// The language of a machine.
    #[must_use]
    pub fn machine(machine: Arc<dyn Machine>, label: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { engine: Engine::Machine(machine), label: label.into() })
    }

    /// The automaton of a name with metacharacters, outside the file system.
    ///
    /// # Errors
    /// When the name alone is over the size limit.
    pub fn name(pieces: &[Piece]) -> Result<Arc<Self>, TooLarge> {
        let label: String = pieces.iter().map(ToString::to_string).collect();
        Self::new(&Hir::concat(pieces.iter().map(piece_to_hir).collect()), label)
    }
}

/// A language built from others.
#[derive(Debug, Clone)]
pub enum Lang {
    /// No string.
    Empty,
    /// Every string of the universe.
    All,
    /// One automaton.
    Atom(Arc<Atom>),
    /// What any of them has.
    Any(Vec<Lang>),
    /// What each of them has.
    Every(Vec<Lang>),
    /// What it does not have.
    Not(Box<Lang>),
}

/// Which strings a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Universe {
    /// Canonical path strings, directories with a trailing slash.
    Paths,
    /// Any byte string without NUL: names of sockets and queues.
    Names,
}

impl Lang {
    /// The union of patterns.
    ///
    /// # Errors
    /// When a pattern alone is over the size limit.
    pub fn patterns<'a>(patterns: impl IntoIterator<Item = &'a Pattern>) -> Result<Self, TooLarge> {
        let atoms: Result<Vec<_>, _> =
            patterns.into_iter().map(|p| Atom::pattern(p).map(Lang::Atom)).collect();
        Ok(Self::Any(atoms?))
    }

    /// The canonical paths of directories, which are those that end in a slash.
    #[must_use]
    pub fn directories() -> Self {
        static DIRECTORIES: OnceLock<Option<Arc<Atom>>> = OnceLock::new();
        let make = || Atom::new(&Hir::concat(vec![repeat(any_byte(), 0), literal("/")]), "**/").ok();
        DIRECTORIES.get_or_init(make).clone().map_or(Self::Empty, Self::Atom)
    }

    /// All strings of a universe.
    ///
    /// # Errors
    /// Never in practice: the automaton is small.
    pub fn universe(universe: Universe) -> Result<Self, TooLarge> {
        universe_atom(universe).map(Self::Atom)
    }

    /// What both have.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::Every(vec![self, other])
    }

    /// What either has.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::Any(vec![self, other])
    }

    /// What `self` has and `other` has not.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self::Every(vec![self, Self::Not(Box::new(other))])
    }

    /// A shortest string of the language within the universe, the most readable of its length; `None` when there is none.
    ///
    /// # Errors
    /// When the search meets its limit.
    pub fn witness(&self, universe: Universe) -> Result<Option<String>, TooLarge> {
        let mut atoms = vec![universe_atom(universe)?];
        let formula = Formula::And(vec![Formula::Atom(0), Formula::new(self, &mut atoms)]);
        let found = Search::new(&atoms).run(&formula)?;
        Ok(found.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Whether every string of `self` within the universe is in `other`.
    ///
    /// # Errors
    /// When the search meets its limit.
    pub fn is_subset(&self, other: &Self, universe: Universe) -> Result<bool, TooLarge> {
        Ok(self.clone().minus(other.clone()).witness(universe)?.is_none())
    }
}

/// A [`Lang`] whose atoms are numbers into a list without repetition.
enum Formula {
    Constant(bool),
    Atom(usize),
    Or(Vec<Formula>),
    And(Vec<Formula>),
    Not(Box<Formula>),
}

impl Formula {
    fn new(lang: &Lang, atoms: &mut Vec<Arc<Atom>>) -> Self {
        match lang {
            Lang::Empty => Self::Constant(false),
            Lang::All => Self::Constant(true),
            Lang::Atom(atom) => {
                let known = atoms.iter().position(|a| Arc::ptr_eq(a, atom));
                Self::Atom(known.unwrap_or_else(|| {
                    atoms.push(Arc::clone(atom));
                    atoms.len() - 1
                }))
            }
            Lang::Any(parts) => Self::Or(parts.iter().map(|p| Self::new(p, atoms)).collect()),
            Lang::Every(parts) => Self::And(parts.iter().map(|p| Self::new(p, atoms)).collect()),
            Lang::Not(inner) => Self::Not(Box::new(Self::new(inner, atoms))),
        }
    }

    /// The value where it is already decided by what `atom` knows; `None` where it is open.
    fn value(&self, atom: &dyn Fn(usize) -> Option<bool>) -> Option<bool> {
        match self {
            Self::Constant(value) => Some(*value),
            Self::Atom(i) => atom(*i),
            Self::Not(inner) => inner.value(atom).map(|v| !v),
            Self::Or(parts) => Self::join(parts, true, atom),
            Self::And(parts) => Self::join(parts, false, atom),
        }
    }

    fn join(parts: &[Self], decides: bool, atom: &dyn Fn(usize) -> Option<bool>) -> Option<bool> {
        let mut open = false;
        for part in parts {
            match part.value(atom) {
                Some(v) if v == decides => return Some(decides),
                Some(_) => {}
                None => open = true,
            }
        }
        if open { None } else { Some(!decides) }
    }
}

/// The live automata of a product state; a dead one is left out.
type Node = Vec<(u32, StateId)>;

struct Search<'a> {
    atoms: &'a [Arc<Atom>],
    caches: Vec<Memory>,
    /// One byte for each class that no automaton tells apart, the most readable first.
    alphabet: Vec<u8>,
}

impl<'a> Search<'a> {
    fn new(atoms: &'a [Arc<Atom>]) -> Self {
        let caches = atoms.iter().map(|a| a.engine.memory()).collect();
        Self { atoms, caches, alphabet: alphabet(atoms) }
    }

    fn run(&mut self, formula: &Formula) -> Result<Option<Vec<u8>>, TooLarge> {
        let mut start: Node = Vec::with_capacity(self.atoms.len());
        for (i, (atom, cache)) in self.atoms.iter().zip(&mut self.caches).enumerate() {
            let id = atom.engine.start(cache).ok_or_else(|| TooLarge { pattern: atom.label.clone() })?;
            start.push((index(i), id));
        }
        if self.accepts(&start, formula)? {
            return Ok(Some(Vec::new()));
        }
        // Each visited node remembers the node and the byte it was reached by.
        let mut trail: Vec<(usize, u8)> = vec![(0, 0)];
        let mut nodes: Vec<Node> = vec![start.clone()];
        let mut seen: HashMap<Node, ()> = HashMap::from([(start, ())]);
        let mut queue: VecDeque<usize> = VecDeque::from([0]);
        while let Some(at) = queue.pop_front() {
            for symbol in 0..self.alphabet.len() {
                let Some(&byte) = self.alphabet.get(symbol) else { break };
                let from = nodes.get(at).cloned().unwrap_or_default();
                let next = self.step(&from, byte)?;
                let alive =
                    |i: usize| if next.iter().any(|(a, _)| *a == index(i)) { None } else { Some(false) };
                if formula.value(&alive) == Some(false) || seen.contains_key(&next) {
                    continue;
                }
                trail.push((at, byte));
                if self.accepts(&next, formula)? {
                    return Ok(Some(spell(&trail, trail.len() - 1)));
                }
                seen.insert(next.clone(), ());
                nodes.push(next);
                queue.push_back(nodes.len() - 1);
                if nodes.len() > MAX_STATES {
                    return Err(self.too_large());
                }
            }
        }
        Ok(None)
    }

    fn step(&mut self, from: &Node, byte: u8) -> Result<Node, TooLarge> {
        let mut next = Node::with_capacity(from.len());
        for (i, id) in from {
            let (Some(atom), Some(cache)) = (self.atoms.get(*i as usize), self.caches.get_mut(*i as usize))
            else {
                continue;
            };
            let id = atom
                .engine
                .step(cache, *id, byte)
                .ok_or_else(|| TooLarge { pattern: atom.label.clone() })?;
            if let Some(id) = id {
                next.push((*i, id));
            }
        }
        Ok(next)
    }

    fn accepts(&mut self, node: &Node, formula: &Formula) -> Result<bool, TooLarge> {
        let mut hits = vec![false; self.atoms.len()];
        for (i, id) in node {
            let (Some(atom), Some(cache)) = (self.atoms.get(*i as usize), self.caches.get_mut(*i as usize))
            else {
                continue;
            };
            let end = atom
                .engine
                .accepts(cache, *id)
                .ok_or_else(|| TooLarge { pattern: atom.label.clone() })?;
            if let Some(hit) = hits.get_mut(*i as usize) {
                *hit = end;
            }
        }
        Ok(formula.value(&|i| Some(hits.get(i).copied().unwrap_or(false))) == Some(true))
    }

    /// Blames the automaton that has grown most.
    fn too_large(&self) -> TooLarge {
        let worst = self.atoms.iter().zip(&self.caches).max_by_key(|(a, c)| a.engine.weight(c));
        TooLarge { pattern: worst.map(|(a, _)| a.label.clone()).unwrap_or_default() }
    }
}

fn index(i: usize) -> u32 {
    u32::try_from(i).unwrap_or(u32::MAX)
}

fn spell(trail: &[(usize, u8)], mut at: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while at != 0 {
        let Some((from, byte)) = trail.get(at) else { break };
        out.push(*byte);
        at = *from;
    }
    out.reverse();
    out
}

/// How pleasant a byte is in a witness; less is better.
fn rank(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => 0,
        b'0'..=b'9' => 1,
        b'/' | b'.' | b'_' | b'-' => 2,
        b'A'..=b'Z' => 3,
        0x21..=0x7e => 4,
        b' ' => 5,
        0x80.. => 6,
        _ => 7,
    }
}

fn alphabet(atoms: &[Arc<Atom>]) -> Vec<u8> {
    let mut starts = [false; 256];
    for atom in atoms {
        for (byte, start) in (0..=255u8).zip(&mut starts) {
            *start |= atom.engine.starts_class(byte);
        }
    }
    // Intervals between starts may still be one class of every automaton; telling them apart costs time, never exactness.
    let mut best: Vec<u8> = Vec::new();
    for byte in 0..=255u8 {
        match best.last_mut() {
            Some(kept) if !starts.get(usize::from(byte)).copied().unwrap_or(true) => {
                if rank(byte) < rank(*kept) {
                    *kept = byte;
                }
            }
            _ => best.push(byte),
        }
    }
    best.sort_by_key(|b| (rank(*b), *b));
    best
}

fn universe_atom(universe: Universe) -> Result<Arc<Atom>, TooLarge> {
    static PATHS: OnceLock<Result<Arc<Atom>, TooLarge>> = OnceLock::new();
    static NAMES: OnceLock<Result<Arc<Atom>, TooLarge>> = OnceLock::new();
    match universe {
        Universe::Paths => PATHS.get_or_init(|| {
            let named = Hir::concat(vec![repeat(no_slash(), 1), literal("/")]);
            Atom::new(&Hir::concat(vec![literal("/"), repeat(named, 0), repeat(no_slash(), 0)]), "/**")
        }),
        Universe::Names => NAMES.get_or_init(|| Atom::new(&repeat(any_byte(), 0), "*")),
    }
    .clone()
}

fn literal(text: &str) -> Hir {
    Hir::literal(text.as_bytes())
}

fn repeat(hir: Hir, min: u32) -> Hir {
    Hir::repetition(Repetition { min, max: None, greedy: true, sub: Box::new(hir) })
}

fn optional(hir: Hir) -> Hir {
    Hir::repetition(Repetition { min: 0, max: Some(1), greedy: true, sub: Box::new(hir) })
}

fn any_byte() -> Hir {
    Hir::class(Class::Bytes(ClassBytes::new([ClassBytesRange::new(1, 255)])))
}

fn no_slash() -> Hir {
    let ranges = [ClassBytesRange::new(1, b'/' - 1), ClassBytesRange::new(b'/' + 1, 255)];
    Hir::class(Class::Bytes(ClassBytes::new(ranges)))
}

fn to_hir(pattern: &Pattern) -> Hir {
    let mut parts = vec![match pattern.anchor {
        Anchor::Root => Hir::empty(),
        Anchor::Home => Hir::alternation(vec![
            literal("/root"),
            Hir::concat(vec![literal("/home/"), repeat(no_slash(), 1)]),
        ]),
        Anchor::RunUser => {
            let digit = Hir::class(Class::Bytes(ClassBytes::new([ClassBytesRange::new(b'0', b'9')])));
            Hir::concat(vec![literal("/run/user/"), repeat(digit, 1)])
        }
        Anchor::SelfProc => literal("/proc/self"),
    }];
    for component in &pattern.components {
        parts.push(match component {
            Component::Literal(name) => Hir::concat(vec![literal("/"), literal(name)]),
            Component::Globstar => repeat(Hir::concat(vec![literal("/"), repeat(no_slash(), 1)]), 0),
            Component::Glob(pieces) if pieces.as_slice() == [Piece::Star] => {
                Hir::concat(vec![literal("/"), repeat(no_slash(), 1)])
            }
            Component::Glob(pieces) => {
                Hir::concat(std::iter::once(literal("/")).chain(pieces.iter().map(piece_to_hir)).collect())
            }
        });
    }
    parts.push(match pattern.tail {
        Tail::Directory => literal("/"),
        // The root directory is written with its one slash, whatever the tail.
        Tail::Entry if pattern.components.is_empty() && pattern.anchor == Anchor::Root => literal("/"),
        Tail::Entry => optional(literal("/")),
        Tail::Subtree => {
            let dirs = repeat(Hir::concat(vec![repeat(no_slash(), 1), literal("/")]), 0);
            Hir::concat(vec![literal("/"), dirs, repeat(no_slash(), 0)])
        }
    });
    Hir::concat(parts)
}

fn piece_to_hir(piece: &Piece) -> Hir {
    match piece {
        Piece::Lit(text) => literal(text),
        Piece::Any => no_slash(),
        Piece::Star => repeat(no_slash(), 0),
        Piece::Class { negated, ranges } => {
            let mut class = ClassBytes::new(ranges.iter().map(|(a, b)| ClassBytesRange::new(*a, *b)));
            if *negated {
                class.negate();
                class.difference(&ClassBytes::new([
                    ClassBytesRange::new(0, 0),
                    ClassBytesRange::new(b'/', b'/'),
                ]));
            }
            Hir::class(Class::Bytes(class))
        }
    }
}
