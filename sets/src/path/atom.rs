//! One regular language of byte strings, with an automaton that is built when a question needs it.

use super::hir;
use super::{Pattern, Piece, Tail};
use regex_automata::Input;
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_syntax::hir::Hir;
use std::fmt;
use std::sync::{Arc, OnceLock};

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
pub(super) enum Engine {
    Dfa(Box<DFA>),
    Machine(Arc<dyn Machine>),
}

/// What an engine remembers during a question.
pub(super) enum Memory {
    Dfa(Box<Cache>),
    Machine,
}

/// A state of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum StateId {
    Dfa(LazyStateID),
    Machine(u32),
}

impl Engine {
    pub(super) fn memory(&self) -> Memory {
        match self {
            Self::Dfa(dfa) => Memory::Dfa(Box::new(dfa.create_cache())),
            Self::Machine(_) => Memory::Machine,
        }
    }

    /// `None` when the automaton is over its size limit.
    pub(super) fn start(&self, memory: &mut Memory) -> Option<StateId> {
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
    pub(super) fn step(&self, memory: &mut Memory, id: StateId, byte: u8) -> Option<Option<StateId>> {
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
    pub(super) fn accepts(&self, memory: &mut Memory, id: StateId) -> Option<bool> {
        match (self, memory, id) {
            (Self::Dfa(dfa), Memory::Dfa(cache), StateId::Dfa(id)) => {
                dfa.next_eoi_state(cache, id).ok().map(|end| end.is_match())
            }
            (Self::Machine(machine), _, StateId::Machine(id)) => Some(machine.accepts(id)),
            _ => None,
        }
    }

    /// Whether it accepts a text; `None` when the automaton is over its size limit.
    fn runs(&self, text: &str) -> Option<bool> {
        let mut memory = self.memory();
        let mut state = self.start(&mut memory)?;
        for byte in text.bytes() {
            let Some(next) = self.step(&mut memory, state, byte)? else { return Some(false) };
            state = next;
        }
        self.accepts(&mut memory, state)
    }

    pub(super) fn starts_class(&self, byte: u8) -> bool {
        match self {
            Self::Dfa(dfa) => {
                let classes = dfa.byte_classes();
                byte == 0 || classes.get(byte) != classes.get(byte - 1)
            }
            Self::Machine(machine) => byte == 0 || machine.starts_class(byte),
        }
    }

    pub(super) fn weight(&self, memory: &Memory) -> usize {
        match memory {
            Memory::Dfa(cache) => cache.memory_usage(),
            Memory::Machine => 0,
        }
    }
}

/// One regular language of byte strings.
pub struct Atom {
    engine: OnceLock<Option<Engine>>,
    origin: Origin,
}

/// What an atom was made from.
enum Origin {
    /// A path pattern; its automaton is built on demand.
    Pattern(Pattern),
    /// What ends in a slash.
    Directories,
    /// Something whose engine is there from the start.
    Named(String),
}

impl fmt::Debug for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Atom({})", self.label())
    }
}

impl Atom {
    /// The automaton of an expression that must match the whole string.
    ///
    /// # Errors
    /// When the expression alone is over the size limit.
    pub fn new(hir: &Hir, label: impl Into<String>) -> Result<Arc<Self>, TooLarge> {
        let label = label.into();
        match automaton(hir) {
            Some(dfa) => Ok(Self::ready(Engine::Dfa(Box::new(dfa)), label)),
            None => Err(TooLarge { pattern: label }),
        }
    }

    /// The language of a pattern. Its automaton is built by the first question that needs it.
    ///
    /// # Errors
    /// None today: a pattern that is too large fails the question.
    pub fn pattern(pattern: &Pattern) -> Result<Arc<Self>, TooLarge> {
        Ok(Arc::new(Self { engine: OnceLock::new(), origin: Origin::Pattern(pattern.clone()) }))
    }

    /// The paths that end in a slash.
    ///
    /// # Errors
    /// Never in practice: the automaton is small.
    pub(super) fn directories() -> Result<Arc<Self>, TooLarge> {
        let origin = Origin::Directories;
        let hir = Hir::concat(vec![hir::repeat(hir::any_byte(), 0), hir::literal("/")]);
        let made =
            Self { engine: OnceLock::from(automaton(&hir).map(|dfa| Engine::Dfa(Box::new(dfa)))), origin };
        made.engine()?;
        Ok(Arc::new(made))
    }

    /// The language of a machine.
    #[must_use]
    pub fn machine(machine: Arc<dyn Machine>, label: impl Into<String>) -> Arc<Self> {
        Self::ready(Engine::Machine(machine), label.into())
    }

    /// The automaton of a name with metacharacters, outside the file system.
    ///
    /// # Errors
    /// When the name alone is over the size limit.
    pub fn name(pieces: &[Piece]) -> Result<Arc<Self>, TooLarge> {
        let label: String = pieces.iter().map(ToString::to_string).collect();
        Self::new(&hir::of_pieces(pieces), label)
    }

    fn ready(engine: Engine, label: String) -> Arc<Self> {
        Arc::new(Self { engine: OnceLock::from(Some(engine)), origin: Origin::Named(label) })
    }

    /// The pattern that it was made from, when it was one.
    #[must_use]
    pub fn as_pattern(&self) -> Option<&Pattern> {
        match &self.origin {
            Origin::Pattern(pattern) => Some(pattern),
            Origin::Directories | Origin::Named(_) => None,
        }
    }

    /// Whether all paths of a pattern are in the language, or none; `None` where only the automata can tell.
    pub(super) fn of_pattern(&self, pattern: &Pattern) -> Option<bool> {
        match &self.origin {
            Origin::Pattern(own) => match own.covers(pattern) {
                Some(true) => Some(true),
                _ if own.meets(pattern) == Some(false) => Some(false),
                _ => None,
            },
            Origin::Directories => (pattern.tail() == Tail::Directory).then_some(true),
            Origin::Named(_) => None,
        }
    }

    /// Whether a string is in the language.
    pub(super) fn holds(&self, text: &str) -> Result<bool, TooLarge> {
        match &self.origin {
            Origin::Pattern(pattern) => Ok(pattern.matches(text)),
            Origin::Directories => Ok(text.ends_with('/')),
            Origin::Named(_) => self.engine()?.runs(text).ok_or_else(|| self.too_large()),
        }
    }

    /// What its author wrote, or a name for it.
    pub(super) fn label(&self) -> String {
        match &self.origin {
            Origin::Pattern(pattern) => pattern.to_string(),
            Origin::Directories => "**/".into(),
            Origin::Named(label) => label.clone(),
        }
    }

    /// The error that blames this atom.
    pub(super) fn too_large(&self) -> TooLarge {
        TooLarge { pattern: self.label() }
    }

    pub(super) fn engine(&self) -> Result<&Engine, TooLarge> {
        let build = || {
            self.as_pattern()
                .and_then(|p| automaton(&hir::of_pattern(p)))
                .map(|dfa| Engine::Dfa(Box::new(dfa)))
        };
        self.engine.get_or_init(build).as_ref().ok_or_else(|| self.too_large())
    }
}

fn automaton(hir: &Hir) -> Option<DFA> {
    let nfa = thompson::Compiler::new()
        .configure(
            thompson::Config::new()
                .utf8(false)
                .nfa_size_limit(Some(AUTOMATON_BYTES))
                .which_captures(thompson::WhichCaptures::None),
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
}
