//! What a base policy has: labels of paths, ports, classes, launchers, and what every domain gets from it.
//!
//! It knows no policy of ours. Paths are canonical ones: no empty component, a final slash on directories alone.

mod alias;
mod apart;
mod builtin;
mod facts;
pub mod labelling;
pub mod pack;
pub mod places;
mod product;
#[cfg(test)]
mod tests;
mod under;

pub use facts::{Assertion, Attribute, ClassNo, DomainRule, Launcher, PermSet, TypeNo, UnknownPerm};
pub use pack::facts::FactError;
pub use pack::rank::{Kind, Rank};
use under::End;
pub use under::{Found, PathSet, Place};

use labelling::Labelling;
use pack::program::States;
use pack::tables::{Entry, NO_TYPE, Tables};
use std::collections::{BTreeMap, HashMap};
use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock};

/// Packed tables, compiled in or read at run time.
#[derive(Debug, Clone)]
pub(in crate::selinux) enum Packed {
    /// Compiled in.
    Static(&'static Tables),
    /// Read.
    Owned(Arc<Tables>),
}

impl Deref for Packed {
    type Target = Tables;
    fn deref(&self) -> &Tables {
        match self {
            Self::Static(tables) => tables,
            Self::Owned(tables) => tables,
        }
    }
}

/// The facts of one base policy.
#[derive(Clone)]
pub struct Base {
    name: Arc<str>,
    unseen: bool,
    tables: Packed,
    labelling: Arc<OnceLock<Labelling>>,
    /// What was found under patterns that were asked for.
    answers: Arc<Mutex<Answers>>,
    /// What lines and the ends of patterns have in common.
    commons: Arc<Mutex<Commons>>,
}

/// The shortest text that a line in some states and the end of a pattern both match, by line, states and end; `None` for a
/// question that is too large.
type Commons = HashMap<(u32, States, Arc<End>), Option<Option<Vec<u8>>>>;

/// Lines that label something under a pattern, by pattern and place.
type Answers = HashMap<(canc_sets::path::Pattern, Place), Arc<Vec<Found>>>;

impl std::fmt::Debug for Base {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Base").field("name", &self.name).field("unseen", &self.unseen).finish_non_exhaustive()
    }
}

/// A number of a line of file contexts; a greater one beats a lesser one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryNo(pub u32);

/// What is at a path, as far as a label may depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ask {
    /// A file of exactly this kind; never [`Kind::Any`].
    Exactly(Kind),
    /// Something that is no directory: the line that wins says what.
    NoDirectory,
}

impl Ask {
    /// What a canonical path says of itself.
    #[must_use]
    pub fn of(path: &str) -> Self {
        if path.ends_with('/') { Self::Exactly(Kind::Directory) } else { Self::NoDirectory }
    }

    /// Whether a line of this kind may label it.
    #[must_use]
    pub fn wants(self, kind: Kind) -> bool {
        match self {
            Self::Exactly(asked) => kind.covers(asked),
            Self::NoDirectory => kind != Kind::Directory,
        }
    }
}

impl Base {
    /// The names of the bases that are compiled in.
    pub const BUILTIN: [&'static str; 2] = ["debian13", "fedora"];

    /// A base that is compiled in; `None` for an unknown name.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Self> {
        // Fedora's facts come from sources: nobody saw them on a kernel.
        let (tables, unseen) = match name {
            "debian13" => (&builtin::DEBIAN13, false),
            "fedora" => (&builtin::FEDORA, true),
            _ => return None,
        };
        Some(Self::new(name, unseen, Packed::Static(tables)))
    }

    /// Debian 13's reference policy.
    #[must_use]
    pub fn debian13() -> Self {
        Self::new("debian13", false, Packed::Static(&builtin::DEBIAN13))
    }

    /// A base from the texts of its tables by file name (`file_contexts.tsv`, …), as an import from a host writes them.
    ///
    /// # Errors
    /// The first table that is missing or wrong, with its line.
    pub fn from_files(name: &str, files: &BTreeMap<String, String>) -> Result<Self, FactError> {
        let facts = pack::facts::Facts::parse(files)?;
        let tables = pack::packer::pack(&facts)?;
        Ok(Self::new(name, false, Packed::Owned(Arc::new(tables))))
    }

    fn new(name: &str, unseen: bool, tables: Packed) -> Self {
        Self {
            name: name.into(),
            unseen,
            tables,
            labelling: Arc::default(),
            answers: Arc::default(),
            commons: Arc::default(),
        }
    }

    /// The lines as one automaton.
    #[must_use]
    pub fn labelling(&self) -> &Labelling {
        self.labelling.get_or_init(|| Labelling::new(self, None))
    }

    /// The base's name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether the facts were read from sources and not seen on a kernel.
    #[must_use]
    pub fn unseen(&self) -> bool {
        self.unseen
    }

    /// The line that labels a canonical path; `None` where no line matches.
    #[must_use]
    pub fn label(&self, path: &str, ask: Ask) -> Option<EntryNo> {
        let key = self.lookup_key(path);
        self.tables.find(&key, &|kind| ask.wants(kind)).map(EntryNo)
    }

    /// The pattern of a line.
    #[must_use]
    pub fn pattern(&self, entry: EntryNo) -> &str {
        self.entry(entry).map_or("", |e| self.tables.text(e.pattern))
    }

    /// The file type of a line.
    #[must_use]
    pub fn kind(&self, entry: EntryNo) -> Kind {
        self.entry(entry).map_or(Kind::Any, |e| e.kind)
    }

    /// The type of a line; `None` where the policy gives paths no label of their own.
    #[must_use]
    pub fn entry_type(&self, entry: EntryNo) -> Option<TypeNo> {
        self.entry(entry).filter(|e| e.ty != NO_TYPE).map(|e| TypeNo(e.ty))
    }

    /// The place of a line in the policy's order.
    #[must_use]
    pub fn rank(&self, entry: EntryNo) -> Rank {
        Rank::new(self.pattern(entry), self.kind(entry))
    }

    /// Whether a line comes from a template of home directories.
    #[must_use]
    pub fn is_home(&self, entry: EntryNo) -> bool {
        self.entry(entry).is_some_and(|e| e.home)
    }

    /// A path that the line labels, as it is looked up; `None` where none is known.
    #[must_use]
    pub fn witness(&self, entry: EntryNo) -> Option<&str> {
        self.entry(entry).map(|e| self.tables.text(e.witness)).filter(|w| !w.is_empty())
    }

    /// The literal text that every path of a line starts with.
    #[must_use]
    pub fn literal(&self, entry: EntryNo) -> &str {
        self.entry(entry).map_or("", |e| self.tables.text(e.literal))
    }

    /// The line whose pattern is spelled so, whatever its file type. Templates are spelled as in a module's file contexts.
    #[must_use]
    pub fn same_spelling(&self, text: &str) -> Option<EntryNo> {
        let text = pack::packer::home_of_anyone(text);
        let literal = pack::program::parse(&text).ok().and_then(|p| String::from_utf8(p.literal).ok())?;
        let tables = &self.tables;
        let literal_of = |at: &u32| tables.entry(*at).map_or("", |e| tables.text(e.literal));
        let first = tables.by_literal.partition_point(|at| literal_of(at) < literal.as_str());
        let same = tables.by_literal.get(first..)?.iter().take_while(|at| literal_of(at) == literal);
        same.copied().map(EntryNo).find(|at| self.pattern(*at) == text)
    }

    /// Every line, weakest first.
    pub fn entries(&self) -> impl Iterator<Item = EntryNo> + use<> {
        (0..u32::try_from(self.tables.entries.len()).unwrap_or(u32::MAX)).map(EntryNo)
    }

    /// The packed tables.
    pub(in crate::selinux) fn tables(&self) -> &Packed {
        &self.tables
    }

    fn entry(&self, entry: EntryNo) -> Option<&Entry> {
        self.tables.entry(entry.0)
    }
}
