//! Boolean combinations of path patterns to an exact answer: empty, or a shortest witness.
//!
//! What the patterns' components tell is answered by looking at them; the rest walks the product of lazily built automata breadth
//! first and never builds it whole.

use super::search::Search;
use super::{Atom, Pattern, TooLarge, Union, few, hir, plain};
use regex_syntax::hir::Hir;
use std::sync::{Arc, OnceLock};

/// A language built from others, which it shares: a copy costs nothing.
#[derive(Debug, Clone)]
pub enum Lang {
    /// No string.
    Empty,
    /// Every string of the universe.
    All,
    /// One automaton.
    Atom(Arc<Atom>),
    /// What any of them has.
    Any(Arc<Union>),
    /// What each of them has.
    Every(Arc<[Lang]>),
    /// What it does not have.
    Not(Arc<Lang>),
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
        Ok(Self::any(atoms?))
    }

    /// What any of them has.
    #[must_use]
    pub fn any(parts: Vec<Self>) -> Self {
        Self::Any(Arc::new(Union::new(parts)))
    }

    /// The pattern that it is the language of, where it is one's.
    pub(super) fn as_pattern(&self) -> Option<&Pattern> {
        match self {
            Self::Atom(atom) => atom.as_pattern(),
            _ => None,
        }
    }

    /// The canonical paths of directories, which are those that end in a slash.
    #[must_use]
    pub fn directories() -> Self {
        static DIRECTORIES: OnceLock<Option<Arc<Atom>>> = OnceLock::new();
        DIRECTORIES.get_or_init(|| Atom::directories().ok()).clone().map_or(Self::Empty, Self::Atom)
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
        Self::Every(Arc::from([self, other]))
    }

    /// What either has.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self::any(vec![self, other])
    }

    /// What `self` has and `other` has not.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self::Every(Arc::from([self, Self::Not(Arc::new(other))]))
    }

    /// Whether looking at components tells that the language is empty. One that is not plainly empty may still be.
    #[must_use]
    pub fn is_plainly_empty(&self) -> bool {
        plain::reduce(self).is_none()
    }

    /// A shortest string of the language within the universe, the most readable of its length; `None` when there is none.
    ///
    /// # Errors
    /// When the search meets its limit.
    pub fn witness(&self, universe: Universe) -> Result<Option<String>, TooLarge> {
        let Some(rest) = plain::reduce(self) else { return Ok(None) };
        if let Some(tried) = few::shortest(&rest)? {
            return Ok(tried);
        }
        let universe = universe_atom(universe)?;
        let found = Search::new(&universe, &rest)?.run()?;
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

fn universe_atom(universe: Universe) -> Result<Arc<Atom>, TooLarge> {
    static PATHS: OnceLock<Result<Arc<Atom>, TooLarge>> = OnceLock::new();
    static NAMES: OnceLock<Result<Arc<Atom>, TooLarge>> = OnceLock::new();
    match universe {
        Universe::Paths => PATHS.get_or_init(|| {
            let named = Hir::concat(vec![hir::repeat(hir::no_slash(), 1), hir::literal("/")]);
            let path = vec![hir::literal("/"), hir::repeat(named, 0), hir::repeat(hir::no_slash(), 0)];
            Atom::new(&Hir::concat(path), "/**")
        }),
        Universe::Names => NAMES.get_or_init(|| Atom::new(&hir::repeat(hir::any_byte(), 0), "*")),
    }
    .clone()
}
