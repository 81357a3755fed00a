//! A set of paths to the lines of file contexts that label something in it, each with a witness.
//!
//! Most lines are decided by a path that is known to be theirs, or by a text that the set's pattern and the line's have in
//! common; only what those leave open is asked of exact languages.

mod search;

use super::alias::Image;
use super::pack::program::{self, States};
use super::pack::tables::{Entry, NO_TYPE, Node, Shape, part};
use super::product::takes_all;
use super::{Base, EntryNo, Kind, TypeNo};
use canc_sets::path::{Pattern, TooLarge};
pub(in crate::selinux::base) use search::{End, line_program};
use search::{Whole, run};
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
        let tail = Whole::new(&self.image.pattern, self.place);
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
