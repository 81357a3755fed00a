//! A set of paths to the lines of file contexts that label something in it, each with a witness.
//!
//! Most lines are decided by a path that is known to be theirs, or by a text that the set's pattern and the line's have in
//! common; only what those leave open is asked of exact languages.

use super::alias::Image;
use super::pack::program::{self, Compiler, States};
use super::pack::tables::{Entry, Inst, NO_TYPE, Node, Shape, part};
use super::product::{Side, common, prefixed, takes_all};
use super::{Base, EntryNo, Kind, TypeNo};
use canc_sets::path::{Atom, Component, Lang, Pattern, Piece, Tail, TooLarge, Universe};
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, Repetition};
use std::sync::Arc;

/// The paths of a pattern without those of others.
#[derive(Debug, Clone, Copy)]
pub struct PathSet<'a> {
    /// The pattern.
    pub pattern: &'a Pattern,
    /// What is taken out.
    pub without: &'a [&'a Pattern],
}

/// A line that labels a path of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The line.
    pub entry: EntryNo,
    /// Its type; `None` where the policy gives no label.
    pub ty: Option<TypeNo>,
    /// Its file type.
    pub kind: Kind,
    /// A canonical path of the set that it labels.
    pub witness: String,
}

/// Files or directories: what a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// Everything that is no directory.
    Files,
    /// Directories.
    Directories,
}

impl Place {
    /// The kind of file that stands for a line: its own, or an ordinary one.
    fn probe(self, line: Kind) -> Option<Kind> {
        match (self, line) {
            (Self::Directories, Kind::Any | Kind::Directory) => Some(Kind::Directory),
            (Self::Directories, _) | (Self::Files, Kind::Directory) => None,
            (Self::Files, Kind::Any) => Some(Kind::Regular),
            (Self::Files, kind) => Some(kind),
        }
    }
}

impl Base {
    /// The lines that label a file, or a directory, of the set; the strongest first for each alias that the set meets.
    ///
    /// # Errors
    /// When a pattern's automaton is too large.
    pub fn under(&self, set: PathSet<'_>, place: Place) -> Result<Vec<Found>, TooLarge> {
        let mut out = Vec::new();
        for image in self.images(set.pattern) {
            let question = Question { base: self, set, image: &image, place };
            if let Some(path) = image.pattern.as_literal() {
                question.literal(&path, &mut out);
            } else if set.without.is_empty() && image.without.is_empty() {
                self.remembered(&question, &mut out)?;
            } else {
                question.pattern(&mut out)?;
            }
        }
        Ok(out)
    }

    /// The answer to a question that nothing is taken out of: several aliases lead to one directory, and policies share rules.
    fn remembered(&self, question: &Question<'_>, out: &mut Vec<Found>) -> Result<(), TooLarge> {
        let key = (question.image.pattern.clone(), question.place);
        let known = self.answers.lock().ok().and_then(|a| a.get(&key).cloned());
        let keys = match known {
            Some(keys) => keys,
            None => {
                let image =
                    Image { pattern: question.image.pattern.clone(), without: Vec::new(), alias: None };
                let set = PathSet { pattern: &image.pattern, without: &[] };
                let mut found = Vec::new();
                Question { base: self, set, image: &image, place: question.place }.pattern(&mut found)?;
                let found = Arc::new(found);
                if let Ok(mut answers) = self.answers.lock() {
                    answers.insert(key, Arc::clone(&found));
                }
                found
            }
        };
        for found in keys.iter() {
            let bare =
                if found.witness.len() > 1 { found.witness.trim_end_matches('/') } else { &found.witness };
            match question.accept(bare) {
                Some(witness) => out.push(Found { witness, ..found.clone() }),
                // A home is only nearly a pattern from the root: this line's example is no home after all.
                None => return question.pattern(out),
            }
        }
        Ok(())
    }
}

struct Question<'q> {
    base: &'q Base,
    set: PathSet<'q>,
    image: &'q Image<'q>,
    place: Place,
}

impl Question<'_> {
    /// The canonical path of a key, when the set has it.
    fn accept(&self, key: &str) -> Option<String> {
        let mut path = self.base.path_of_key(key, self.image.alias)?;
        if self.place == Place::Directories && path != "/" {
            path.push('/');
        }
        let outside = self.image.alias.is_none() && self.image.without.iter().any(|p| p.matches(&path));
        let taken = self.set.without.iter().any(|p| p.matches(&path));
        // A home is only nearly a pattern from the root, so the pattern itself has the last word.
        (!outside && !taken && self.set.pattern.matches(&path)).then_some(path)
    }

    fn push(&self, at: u32, entry: &Entry, witness: String, out: &mut Vec<Found>) {
        let ty = (entry.ty != NO_TYPE).then_some(TypeNo(entry.ty));
        out.push(Found { entry: EntryNo(at), ty, kind: entry.kind, witness });
    }

    fn literal(&self, key: &str, out: &mut Vec<Found>) {
        let Some(path) = self.accept(key) else { return };
        let each = self.base.tables.find_each(key);
        let mut found: Vec<u32> = Vec::new();
        for (kind, at) in Kind::ALL.iter().zip(each).skip(1) {
            let Some((at, entry)) = at.and_then(|at| Some((at, self.base.tables.entry(at)?))) else {
                continue;
            };
            if self.place.probe(entry.kind) == Some(*kind) && !found.contains(&at) {
                found.push(at);
                self.push(at, entry, path.clone(), out);
            }
        }
    }

    fn pattern(&self, out: &mut Vec<Found>) -> Result<(), TooLarge> {
        let prefix = self.image.pattern.literal_prefix();
        let tail = compile(&self.image.pattern, self.place);
        for at in self.candidates(&prefix) {
            let Some(entry) = self.base.tables.entry(at) else { continue };
            let Some(probe) = self.place.probe(entry.kind) else { continue };
            let found = match self.known(at, entry, probe) {
                Some(path) => Some(path),
                None => self.search(at, entry, probe, &prefix, tail.as_ref())?,
            };
            if let Some(path) = found {
                self.push(at, entry, path, out);
                if self.covers(at, entry, &prefix) {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The lines whose literal part goes with the pattern's, strongest first.
    fn candidates(&self, prefix: &str) -> Vec<u32> {
        let tables = &self.base.tables;
        let slashed = if prefix == "/" { "/".to_owned() } else { format!("{prefix}/") };
        let goes = |at: &u32| {
            let literal = tables.entry(*at).map_or("", |e| tables.text(e.literal));
            literal.starts_with(prefix) || slashed.starts_with(literal)
        };
        let mut out: Vec<u32> = Vec::new();
        let along: Vec<&Node> = tables.nodes_along(&slashed).collect();
        for node in &along {
            out.extend(part(&tables.indexed, node.entries).iter().copied().filter(goes));
        }
        let depth = slashed.matches('/').count();
        if along.len() == depth
            && let Some(last) = along.last()
        {
            self.below(last, &mut out);
        }
        let literal = |at: &u32| tables.entry(*at).map_or("", |e| tables.text(e.literal));
        let first = tables.plain.partition_point(|at| literal(at) < prefix);
        let plain = tables.plain.get(first..).unwrap_or_default();
        out.extend(plain.iter().take_while(|at| literal(at).starts_with(prefix)));
        out.sort_unstable_by(|a, b| b.cmp(a));
        out
    }

    fn below(&self, node: &Node, out: &mut Vec<u32>) {
        let tables = &self.base.tables;
        for child in part(&tables.nodes, node.children) {
            out.extend(part(&tables.indexed, child.entries));
            self.below(child, out);
        }
    }

    /// Whether the line labels everything of the pattern that no stronger line does.
    fn covers(&self, at: u32, entry: &Entry, prefix: &str) -> bool {
        let tables = &self.base.tables;
        let fits = entry.kind == Kind::Any || self.place == Place::Directories;
        let own = if prefix == "/" { "" } else { prefix };
        let line = line_program(entry, part(&tables.program, entry.program));
        let states = match own.strip_prefix(tables.text(entry.literal)) {
            Some(rest) => run(line, &tables.classes_of_bytes, rest),
            // The literal part may take the slash after the prefix too.
            None if tables.text(entry.literal).strip_prefix(own) == Some("/") => {
                return fits && entry.shape == Shape::Below && self.head_is_decided(at, own);
            }
            None => return false,
        };
        let after = program::step(line, &tables.classes_of_bytes, &states, b'/');
        let takes_all = |s: &States| program::each(s).any(|pc| takes_all(line, pc));
        fits && takes_all(&after) && (program::accepts(line, &states) || self.head_is_decided(at, own))
    }

    /// Whether the pattern does not take in the path that is its prefix, or a stronger line labels that one.
    fn head_is_decided(&self, at: u32, prefix: &str) -> bool {
        let head = if prefix.is_empty() { "/" } else { prefix };
        self.accept(head).is_none()
            || self.base.tables.find(head, &|k| k.covers(Kind::Directory)).is_some_and(|w| w > at)
    }

    /// A path that is known to be the line's own, when the set has it.
    fn known(&self, at: u32, entry: &Entry, probe: Kind) -> Option<String> {
        let known = self.base.tables.text(entry.witness);
        if known.is_empty() {
            return None;
        }
        let path = self.accept(known)?;
        (probe != Kind::Directory || self.winner(known, probe) == Some(at)).then_some(path)
    }

    fn winner(&self, key: &str, probe: Kind) -> Option<u32> {
        self.base.tables.find(key, &|k| k.covers(probe))
    }

    /// A path of the set that the line labels: texts that the set and the line share are tried, and whatever labels one of them
    /// instead is taken out before the next, until one is the line's own or none is left.
    fn search(
        &self,
        at: u32,
        entry: &Entry,
        probe: Kind,
        prefix: &str,
        tail: Option<&Tailed>,
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
            let Some(found) = common(&own, &line, &sides) else { return self.exactly(at, entry, probe) };
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

impl super::Tables {
    /// The entry for each kind of file at `path`, by the kind's number; the first place, which is for no kind, stays empty.
    fn find_each(&self, path: &str) -> [Option<u32>; 8] {
        let mut out = [None; 8];
        for (kind, slot) in Kind::ALL.iter().zip(&mut out).skip(1) {
            *slot = self.find_plain(path, &|k| k.covers(*kind));
        }
        let plain = out;
        let mut offer = |at: u32, kind: Kind| {
            for ((asked, slot), plain) in Kind::ALL.iter().zip(&mut out).zip(&plain).skip(1) {
                if kind.covers(*asked) && plain.is_none() {
                    *slot = (*slot).max(Some(at));
                }
            }
            out.iter()
                .skip(1)
                .all(Option::is_some)
                .then(|| out.iter().skip(1).flatten().min().copied())
                .flatten()
        };
        let mut floor = None;
        let nodes: Vec<&Node> = self.nodes_along(path).collect();
        for node in nodes.iter().rev() {
            for at in part(&self.indexed, node.entries) {
                if floor.is_some_and(|f| *at < f) {
                    break;
                }
                if let Some(e) = self.entry(*at).filter(|e| self.matches(e, path)) {
                    floor = offer(*at, e.kind);
                }
            }
        }
        out
    }
}

impl Base {
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

fn run(program: &[Inst], classes: &[[u64; 4]], text: &str) -> States {
    let mut states = program::start(program);
    for byte in text.bytes() {
        states = program::step(program, classes, &states, byte);
    }
    states
}

/// The automaton for what follows a line's literal part. Class 0 of no table is used: plain shapes have programs of their own.
pub(super) fn line_program<'a>(entry: &Entry, program: &'a [Inst]) -> &'a [Inst] {
    match entry.shape {
        Shape::Program => program,
        Shape::Plain => &[Inst::Match],
        Shape::Subtree => {
            &[Inst::Split(1, 5), Inst::Byte(b'/'), Inst::Split(3, 5), Inst::Any, Inst::Jump(2), Inst::Match]
        }
        Shape::Below => &[Inst::Split(1, 3), Inst::Any, Inst::Jump(0), Inst::Match],
    }
}

/// The most lines and exceptions that one search takes out.
const MAX_BLOCKERS: usize = 24;

/// What follows the literal prefix of a pattern, as an automaton over keys.
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
    let mut parts: Vec<Hir> = pattern.components().iter().skip(skip).map(component).collect();
    let empty_root = pattern.components().is_empty();
    match pattern.tail() {
        Tail::Subtree if empty_root => {
            parts.push(Hir::alternation(vec![Hir::literal(*b"/"), repeat(named(), 1)]));
        }
        // The directory itself is no file.
        Tail::Subtree => parts.push(repeat(named(), u32::from(place == Place::Files))),
        Tail::Entry | Tail::Directory if empty_root => parts.push(Hir::literal(*b"/")),
        Tail::Entry | Tail::Directory => {}
    }
    let mut compiler = Compiler::default();
    let program = compiler.compile(&Hir::concat(parts)).ok()?;
    let states = program::start(&program);
    Some(Tailed { program, classes: compiler.classes, states })
}

fn component(component: &Component) -> Hir {
    match component {
        Component::Literal(name) => Hir::concat(vec![Hir::literal(*b"/"), Hir::literal(name.as_bytes())]),
        Component::Globstar => repeat(named(), 0),
        Component::Glob(pieces) if pieces.as_slice() == [Piece::Star] => named(),
        Component::Glob(pieces) => {
            Hir::concat(std::iter::once(Hir::literal(*b"/")).chain(pieces.iter().map(piece)).collect())
        }
    }
}

fn piece(piece: &Piece) -> Hir {
    match piece {
        Piece::Lit(text) => Hir::literal(text.as_bytes()),
        Piece::Any => name_byte(),
        Piece::Star => repeat(name_byte(), 0),
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

/// `/` and a name.
fn named() -> Hir {
    Hir::concat(vec![Hir::literal(*b"/"), repeat(name_byte(), 1)])
}

fn name_byte() -> Hir {
    let ranges = [ClassBytesRange::new(1, b'/' - 1), ClassBytesRange::new(b'/' + 1, 255)];
    Hir::class(Class::Bytes(ClassBytes::new(ranges)))
}

fn repeat(hir: Hir, min: u32) -> Hir {
    Hir::repetition(Repetition { min, max: None, greedy: true, sub: Box::new(hir) })
}
