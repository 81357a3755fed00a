//! A line and a set of paths to a path that the line labels: by texts that both patterns have in common, or by exact languages.

use super::{Place, Question};
use crate::selinux::base::pack::program::{self, Compiler, States};
use crate::selinux::base::pack::tables::{Entry, Inst, Shape, part};
use crate::selinux::base::product::{Side, common, prefixed};
use crate::selinux::base::{Base, Kind};
use canc_sets::path::{Atom, Lang, Pattern, Tail, TooLarge, Universe, hir};
use regex_syntax::hir::Hir;
use std::sync::Arc;

/// The most lines and exceptions that one search takes out.
const MAX_BLOCKERS: usize = 24;

impl Question<'_> {
    /// A path of the set that the line labels: texts that the set and the line share are tried, and whatever labels one of them
    /// instead is taken out before the next, until one is the line's own or none is left.
    pub(super) fn search(
        &self,
        at: u32,
        entry: &Entry,
        probe: Kind,
        prefix: &str,
        tail: Option<&Whole>,
    ) -> Result<Option<String>, TooLarge> {
        let Some(tail) = tail else { return self.exactly(at, entry, probe) };
        let tables = &self.base.tables;
        let literal = tables.text(entry.literal);
        let own = if prefix == "/" { "" } else { prefix };
        let line = line_program(entry, part(&tables.program, entry.program));
        let (start, line_states, own_states) = if let Some(rest) = own.strip_prefix(literal) {
            (own, run(line, &tables.classes_of_bytes, rest), program::start(&tail.program))
        } else if let Some(rest) = literal.strip_prefix(own) {
            (literal, program::start(line), run(&tail.program, &tail.classes, rest))
        } else {
            return Ok(None);
        };
        let line = Side { program: line, classes: &tables.classes_of_bytes, states: line_states };
        let own = Side { program: &tail.program, classes: &tail.classes, states: own_states };
        let mut never: Vec<Tailed> = Vec::new();
        loop {
            let sides: Vec<Side<'_>> = never.iter().map(Tailed::side).collect();
            let found = match sides.is_empty() && own.states == tail.states {
                true => self.base.common((at, line.states, Arc::clone(&tail.end)), &own, &line),
                false => common(&own, &line, &sides),
            };
            let Some(found) = found else { return self.exactly(at, entry, probe) };
            let Some(key) =
                found.and_then(|rest| String::from_utf8(rest).ok()).map(|rest| format!("{start}{rest}"))
            else {
                return Ok(None);
            };
            let winner = self.winner(&key, probe);
            let path = self.accept(&key);
            if winner == Some(at) && path.is_some() {
                return Ok(path);
            }
            let blocker = match (winner.filter(|w| *w != at), path) {
                (Some(stronger), _) => tables.entry(stronger).and_then(|e| self.rest_of_line(e, start)),
                (None, _) => self.rest_of_excluded(&key, start),
            };
            match blocker {
                Some(blocker) if never.len() < MAX_BLOCKERS => never.push(blocker),
                _ => return self.exactly(at, entry, probe),
            }
        }
    }

    /// What a line asks of what follows a text.
    fn rest_of_line(&self, entry: &Entry, start: &str) -> Option<Tailed> {
        let tables = &self.base.tables;
        let line = line_program(entry, part(&tables.program, entry.program));
        let classes = tables.classes_of_bytes.to_vec();
        let literal = tables.text(entry.literal);
        if let Some(rest) = start.strip_prefix(literal) {
            let states = run(line, &classes, rest);
            return Some(Tailed { program: line.to_vec(), classes, states });
        }
        let ahead = literal.strip_prefix(start)?;
        let program = prefixed(ahead.as_bytes(), line)?;
        let states = program::start(&program);
        Some(Tailed { program, classes, states })
    }

    /// What the pattern that takes a key out of the set asks of what follows a text.
    fn rest_of_excluded(&self, key: &str, start: &str) -> Option<Tailed> {
        let mut path = key.to_owned();
        if self.place == Place::Directories && path != "/" {
            path.push('/');
        }
        let moved: Vec<Pattern> = self
            .set
            .without
            .iter()
            .flat_map(|w| self.base.images(w))
            .filter(|i| i.alias == self.image.alias)
            .map(|i| i.pattern)
            .chain(self.image.without.iter().filter(|_| self.image.alias.is_none()).cloned())
            .collect();
        let pattern = moved.iter().find(|p| p.matches(&path))?;
        let prefix = pattern.literal_prefix();
        let tail = compile(pattern, self.place)?;
        let own = if prefix == "/" { "" } else { prefix.as_str() };
        if let Some(rest) = start.strip_prefix(own) {
            let states = run(&tail.program, &tail.classes, rest);
            return Some(Tailed { states, ..tail });
        }
        let program = prefixed(own.strip_prefix(start)?.as_bytes(), &tail.program)?;
        let states = program::start(&program);
        Some(Tailed { program, states, ..tail })
    }

    /// The same by languages, which have no limit of size to speak of and are slower.
    fn exactly(&self, at: u32, entry: &Entry, probe: Kind) -> Result<Option<String>, TooLarge> {
        let tables = &self.base.tables;
        let mut asked = self.keys()?.and(self.base.lang(entry, self.place)?);
        let mut last = None;
        loop {
            let Some(key) = asked.witness(Universe::Paths)? else { return Ok(None) };
            let bare = if key.len() > 1 { key.trim_end_matches('/') } else { &key };
            let winner = tables.find(bare, &|k| k.covers(probe));
            if winner == Some(at) {
                return Ok(self.accept(bare));
            }
            let stronger = winner.filter(|w| Some(*w) != last).and_then(|w| tables.entry(w));
            let Some(stronger) = stronger else {
                return Err(TooLarge { pattern: self.set.pattern.to_string() });
            };
            last = winner;
            asked = asked.minus(self.base.lang(stronger, self.place)?);
        }
    }

    /// The set as a language of keys, spelled as canonical paths are.
    fn keys(&self) -> Result<Lang, TooLarge> {
        let mut keys = Lang::patterns([&self.image.pattern])?;
        if self.image.alias.is_none() && !self.image.without.is_empty() {
            keys = keys.minus(Lang::patterns(&self.image.without)?);
        }
        for without in self.set.without {
            let moved = self.base.images(without).into_iter().filter(|i| i.alias == self.image.alias);
            let moved: Vec<Pattern> = moved.map(|i| i.pattern).collect();
            if !moved.is_empty() {
                keys = keys.minus(Lang::patterns(&moved)?);
            }
        }
        Ok(match self.place {
            Place::Directories => keys.and(Lang::directories()),
            Place::Files => keys.minus(Lang::directories()),
        })
    }
}

impl Base {
    /// [`common`] without exceptions, remembered: most patterns end in one of a few ways, and their directories' names mean nothing
    /// to most lines.
    fn common(
        &self,
        key: (u32, States, Arc<End>),
        own: &Side<'_>,
        line: &Side<'_>,
    ) -> Option<Option<Vec<u8>>> {
        if let Some(known) = self.commons.lock().ok().and_then(|c| c.get(&key).cloned()) {
            return known;
        }
        let found = common(own, line, &[]);
        if let Ok(mut commons) = self.commons.lock() {
            commons.insert(key, found.clone());
        }
        found
    }

    /// The keys that a line's pattern matches, spelled as canonical paths of the place.
    fn lang(&self, entry: &Entry, place: Place) -> Result<Lang, TooLarge> {
        let text = self.tables.text(entry.pattern);
        let too_large = || TooLarge { pattern: text.into() };
        let parsed = program::parse(text).map_err(|_| too_large())?;
        let root = parsed.literal == b"/" && parsed.shape == Shape::Plain;
        let end = if place == Place::Directories && !root { Hir::literal(*b"/") } else { Hir::empty() };
        let hir = Hir::concat(vec![Hir::literal(parsed.literal), parsed.rest, end]);
        Ok(Lang::Atom(Atom::new(&hir, text)?))
    }
}

pub(super) fn run(program: &[Inst], classes: &[[u64; 4]], text: &str) -> States {
    let mut states = program::start(program);
    for byte in text.bytes() {
        states = program::step(program, classes, &states, byte);
    }
    states
}

/// The automaton for what follows a line's literal part. Class 0 of no table is used: plain shapes have programs of their own.
pub(in crate::selinux::base) fn line_program<'a>(entry: &Entry, program: &'a [Inst]) -> &'a [Inst] {
    match entry.shape {
        Shape::Program => program,
        Shape::Plain => &[Inst::Match],
        Shape::Subtree => {
            &[Inst::Split(1, 5), Inst::Byte(b'/'), Inst::Split(3, 5), Inst::Any, Inst::Jump(2), Inst::Match]
        }
        Shape::Below => &[Inst::Split(1, 3), Inst::Any, Inst::Jump(0), Inst::Match],
    }
}

/// What follows the literal prefix of a pattern, for files or for directories.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(in crate::selinux::base) struct End {
    pattern: Pattern,
    place: Place,
    /// The root directory needs no slash before a name.
    of_root: bool,
}

/// All that follows the literal prefix of a pattern, and its automaton.
pub(super) struct Whole {
    end: Arc<End>,
    program: Vec<Inst>,
    classes: Vec<[u64; 4]>,
    states: States,
}

impl Whole {
    /// `None` when the automaton is too long.
    pub(super) fn new(pattern: &Pattern, place: Place) -> Option<Self> {
        let Tailed { program, classes, states } = compile(pattern, place)?;
        let rest = pattern.components().iter().skip(pattern.literal_prefix_components()).cloned().collect();
        let of_root = pattern.components().is_empty();
        let pattern = Pattern::from_parts(pattern.anchor(), rest, pattern.tail());
        Some(Self { end: Arc::new(End { pattern, place, of_root }), program, classes, states })
    }
}

/// What follows some text, as an automaton over keys.
struct Tailed {
    program: Vec<Inst>,
    classes: Vec<[u64; 4]>,
    states: States,
}

impl Tailed {
    fn side(&self) -> Side<'_> {
        Side { program: &self.program, classes: &self.classes, states: self.states }
    }
}

/// The automaton of a pattern behind its literal prefix; `None` when it is too long.
fn compile(pattern: &Pattern, place: Place) -> Option<Tailed> {
    let skip = pattern.literal_prefix_components();
    let mut parts: Vec<Hir> = pattern.components().iter().skip(skip).map(hir::component).collect();
    let empty_root = pattern.components().is_empty();
    match pattern.tail() {
        Tail::Subtree if empty_root => {
            parts.push(Hir::alternation(vec![Hir::literal(*b"/"), hir::repeat(hir::named(), 1)]));
        }
        // The directory itself is no file.
        Tail::Subtree => parts.push(hir::repeat(hir::named(), u32::from(place == Place::Files))),
        Tail::Entry | Tail::Directory if empty_root => parts.push(Hir::literal(*b"/")),
        Tail::Entry | Tail::Directory => {}
    }
    let mut compiler = Compiler::default();
    let program = compiler.compile(&Hir::concat(parts)).ok()?;
    let states = program::start(&program);
    Some(Tailed { program, classes: compiler.classes, states })
}
