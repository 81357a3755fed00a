//! Permissions on files to the paths on which an operation is permitted.

use super::access::{Accesses, Enough, On};
use super::kernel;
use crate::coverage::{Grant, Source};
use crate::selinux::base::places::{Kinds, Label, Places, Wanted};
use crate::selinux::base::{Attribute, Base, Kind};
use crate::selinux::known;
use canc_dsl::meaning::{Dim, Kind as RequestKind, Region};
use canc_dsl::policy::FileOp;
use canc_sets::path::{Anchor, Component, Lang, Pattern, Tail, TooLarge};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

/// Something that needs permissions on files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Deed {
    /// An operation of the language.
    Op(FileOp),
    /// Connecting to a socket at a path.
    Connect,
    /// Making a socket at a path.
    Listen,
    /// Mounting something there.
    MountOn,
}

/// Permissions without which the kernel refuses a deed, by kind of file; any of several sets is enough.
/// Source: `security/selinux/hooks.c`.
type Needs = &'static [(&'static [Kind], &'static Enough<'static>)];

const ANY: &[Kind] = &[Kind::Regular, Kind::Character, Kind::Block, Kind::Socket, Kind::Pipe, Kind::Link];
const EVERYTHING: &[Kind] =
    &[Kind::Regular, Kind::Directory, Kind::Character, Kind::Block, Kind::Socket, Kind::Pipe, Kind::Link];
const OPENED: &[Kind] = &[Kind::Regular, Kind::Character, Kind::Block, Kind::Pipe];
const MADE: &[Kind] = &[Kind::Regular, Kind::Directory, Kind::Socket, Kind::Pipe, Kind::Link];
const DEVICES: &[Kind] = &[Kind::Character, Kind::Block];

impl Deed {
    /// What it needs on the thing itself.
    fn needs(self) -> Needs {
        match self {
            Self::Op(FileOp::Read) => &[(OPENED, &[&["open", "read"]]), (&[Kind::Link], &[&["read"]])],
            Self::Op(FileOp::List) => &[(&[Kind::Directory], &[&["open", "read"]])],
            Self::Op(FileOp::Write) => &[(OPENED, &[&["open", "write"]])],
            // Whoever may write anywhere may write at the end.
            Self::Op(FileOp::Append) => &[(OPENED, &[&["append", "open"], &["open", "write"]])],
            Self::Op(FileOp::Create) => &[(MADE, &[&["create"]])],
            Self::Op(FileOp::Delete) => {
                &[(ANY, &[&["unlink"], &["rename"]]), (&[Kind::Directory], &[&["rmdir"], &["rename"]])]
            }
            Self::Op(FileOp::Link) => &[(ANY, &[&["link"]])],
            Self::Op(FileOp::Lock) => &[(EVERYTHING, &[&["lock"]])],
            Self::Op(FileOp::Setattr | FileOp::Setid) => &[(EVERYTHING, &[&["setattr"]])],
            Self::Op(FileOp::Map) => &[(OPENED, &[&["execute", "map"]])],
            Self::Op(FileOp::Mknod) => &[(DEVICES, &[&["create"]])],
            Self::Op(FileOp::Run) => &[(&[Kind::Regular], &[&["execute", "execute_no_trans"]])],
            Self::Connect => &[(&[Kind::Socket], &[&["write"]])],
            Self::Listen => &[(&[Kind::Socket], &[&["create"]])],
            Self::MountOn => &[(&[Kind::Directory, Kind::Regular], &[&["mounton"]])],
        }
    }

    /// What it needs on the directory that holds the thing.
    fn holder(self) -> Option<&'static Enough<'static>> {
        match self {
            Self::Op(FileOp::Create | FileOp::Mknod) | Self::Listen => Some(&[&["add_name", "write"]]),
            Self::Op(FileOp::Delete) => Some(&[&["remove_name", "write"]]),
            _ => None,
        }
    }

    /// Whether the thing is new, so that its type follows from its directory's.
    fn makes(self) -> bool {
        matches!(self, Self::Op(FileOp::Create | FileOp::Mknod) | Self::Listen)
    }
}

/// The class of a kind of file.
fn class_of(kind: Kind) -> &'static str {
    known::KIND_CLASSES.get(kind as usize).copied().unwrap_or_default()
}

/// Paths on which a deed is permitted.
#[derive(Debug, Clone)]
pub struct Permit {
    /// Who brought it.
    pub source: Source,
    /// The paths.
    pub paths: Lang,
    /// The directory below which they lie.
    pub near: String,
    /// Equal for equal paths.
    pub key: String,
}

impl Permit {
    /// As a grant of an operation, whoever owns the file.
    pub fn grant(&self, op: FileOp) -> Grant {
        const EVERY_OWNER: u128 = 0b11;
        let dims = vec![Dim::Bits(EVERY_OWNER), Dim::Paths(self.paths.clone())];
        let region = Region { kind: RequestKind::File(op), dims };
        Grant { source: self.source, region, near: self.near.clone(), key: Some(self.key.clone()) }
    }
}

/// What answers about files are made of.
pub struct Files<'a> {
    /// The base.
    pub base: &'a Base,
    /// The permissions.
    pub accesses: &'a Accesses,
    /// The labels.
    pub places: &'a Places,
    /// Whether all that is permitted counts as one, whoever brought it.
    pub joined: bool,
    /// What is known of types that the kernel gives.
    pub kernel: &'a KernelPaths,
}

/// Paths by type, each with the directory below which they lie.
pub type KernelPaths = RefCell<HashMap<On, Rc<Vec<(String, Lang)>>>>;

/// Kinds of file by type, by who brought them.
type Types = BTreeMap<Source, BTreeMap<On, Kinds>>;

impl Files<'_> {
    /// Where a deed is permitted.
    pub fn permits(&self, deed: Deed) -> Result<Vec<Permit>, TooLarge> {
        let mut out = Vec::new();
        if deed.makes() {
            self.made(deed, &mut out)?;
        } else {
            let types = self.types(deed);
            let holders = deed.holder().map(|enough| self.holders(enough));
            for (source, types) in types {
                self.labelled(source, &types, holders.as_ref(), &mut out)?;
            }
        }
        Ok(out)
    }

    /// The types on which a deed is permitted.
    fn types(&self, deed: Deed) -> Types {
        let mut out = Types::new();
        let mut add = |on, kind, sources: BTreeSet<Source>| {
            for source in self.who(sources) {
                let kinds = out.entry(source).or_default().entry(on).or_default();
                *kinds = kinds.or(Kinds::one(kind));
            }
        };
        for (kinds, enough) in deed.needs() {
            for kind in *kinds {
                for (on, sources) in self.accesses.all(self.base, class_of(*kind), enough) {
                    add(on, *kind, sources);
                }
            }
        }
        if deed == Deed::Op(FileOp::Run) {
            let class = class_of(Kind::Regular);
            for (on, sources) in self.accesses.all(self.base, class, &[&["execute"]]) {
                if self.accesses.leaves_by(self.base, on) {
                    add(on, Kind::Regular, sources);
                }
            }
        }
        out
    }

    fn who(&self, sources: BTreeSet<Source>) -> BTreeSet<Source> {
        if self.joined && !sources.is_empty() { BTreeSet::from([Source::Base]) } else { sources }
    }

    fn holders(&self, enough: &Enough<'_>) -> BTreeMap<On, BTreeSet<Source>> {
        self.accesses.all(self.base, class_of(Kind::Directory), enough).into_iter().collect()
    }

    fn label(&self, on: On) -> Option<Label> {
        match on {
            On::Base(ty) => Some(Label::Base(ty)),
            On::Own(_) => self.places.label_named(self.base, self.accesses.name(self.base, on)),
            On::Itself | On::AllPorts | On::AllDomains => None,
        }
    }

    /// Whether files may carry the type although no line gives it.
    fn is_loose(&self, on: On) -> bool {
        let On::Base(ty) = on else { return false };
        self.base.has(ty, Attribute::FileType) && self.base.entries_of(ty).next().is_none()
    }

    fn labelled(
        &self,
        source: Source,
        types: &BTreeMap<On, Kinds>,
        holders: Option<&BTreeMap<On, BTreeSet<Source>>>,
        out: &mut Vec<Permit>,
    ) -> Result<(), TooLarge> {
        let mut labels: BTreeMap<Label, Kinds> = BTreeMap::new();
        let mut unlabelled = Kinds::default();
        for (on, kinds) in types {
            if self.is_loose(*on) {
                unlabelled = unlabelled.or(*kinds);
            }
            labels.extend(self.label(*on).map(|l| (l, *kinds)));
        }
        let near = if unlabelled == Kinds::default() { self.near(labels.keys()) } else { "/".into() };
        let holders = holders.map(|h| h.keys().filter_map(|on| self.label(*on)).collect());
        let wanted = Wanted { labels: Some(labels), unlabelled, holders, things: Kinds::ALL };
        out.extend(self.permit(source, wanted, None, near));
        for (on, kinds) in types {
            for (near, paths) in self.by_kernel(*on)?.iter().cloned() {
                let name = self.accesses.name(self.base, *on);
                let key = format!("{near} {name} {on:?} {kinds:?}");
                out.push(Permit { source, paths: narrow(paths, *kinds), near, key });
            }
        }
        Ok(())
    }

    /// Paths whose labels the kernel makes, with the directory below which they lie.
    fn by_kernel(&self, on: On) -> Result<Rc<Vec<(String, Lang)>>, TooLarge> {
        if let Some(known) = self.kernel.borrow().get(&on) {
            return Ok(Rc::clone(known));
        }
        let made = Rc::new(self.made_by_kernel(on)?);
        self.kernel.borrow_mut().insert(on, Rc::clone(&made));
        Ok(made)
    }

    fn made_by_kernel(&self, on: On) -> Result<Vec<(String, Lang)>, TooLarge> {
        match on {
            On::Base(ty) if self.base.has(ty, Attribute::Domain) => Ok(vec![kernel::other_processes()?]),
            On::Base(ty) => kernel::paths(self.base, self.base.type_name(ty)),
            On::Itself => Ok(vec![kernel::own_processes()?]),
            On::AllDomains => Ok(vec![kernel::own_processes()?, kernel::other_processes()?]),
            // A type of the build that no line gives is a domain's.
            On::Own(_) if self.label(on).is_none() => Ok(vec![kernel::other_processes()?]),
            On::Own(_) | On::AllPorts => Ok(Vec::new()),
        }
    }

    /// New things: what counts is the directory, and the type that they get there.
    fn made(&self, deed: Deed, out: &mut Vec<Permit>) -> Result<(), TooLarge> {
        let holders = self.holders(deed.holder().unwrap_or_default());
        // The new name of a rename or a link needs no right to make the file.
        let moved = deed == Deed::Op(FileOp::Create) && self.moves();
        let mut by_source: BTreeMap<(Source, Kinds, Option<String>), BTreeSet<On>> = BTreeMap::new();
        for (parent, sources) in &holders {
            let mut kinds: BTreeMap<Option<String>, (Kinds, BTreeSet<Source>)> = BTreeMap::new();
            if moved {
                kinds.insert(None, (Kinds::ALL, sources.clone()));
            }
            for (list, enough) in deed.needs() {
                for kind in *list {
                    for (result, name) in self.accesses.new_types(self.base, *parent, class_of(*kind)) {
                        let made = self.accesses.sources(self.base, result, class_of(*kind), enough);
                        if made.is_empty() {
                            continue;
                        }
                        let both: BTreeSet<Source> = made.intersection(sources).copied().collect();
                        let who = if both.is_empty() { sources.clone() } else { both };
                        let known = kinds.entry(name.map(str::to_owned)).or_default();
                        known.0 = known.0.or(Kinds::one(*kind));
                        known.1.extend(who);
                    }
                }
            }
            for (name, (kinds, sources)) in kinds {
                for source in self.who(sources) {
                    by_source.entry((source, kinds, name.clone())).or_default().insert(*parent);
                }
            }
        }
        for ((source, things, name), parents) in by_source {
            let holders: BTreeSet<Label> = parents.iter().filter_map(|on| self.label(*on)).collect();
            let near = self.near(holders.iter());
            let wanted =
                Wanted { labels: None, unlabelled: Kinds::default(), holders: Some(holders), things };
            out.extend(self.permit(source, wanted, name.as_deref(), near));
            for on in parents {
                for (near, paths) in self.by_kernel(on)?.iter().cloned() {
                    let key = format!("in {near} {on:?} {things:?}");
                    out.push(Permit { source, paths: narrow(paths, things), near, key });
                }
            }
        }
        Ok(())
    }

    /// Whether the domain may give something another name.
    fn moves(&self) -> bool {
        let all = |kind: &Kind| self.accesses.all(self.base, class_of(*kind), &[&["rename"], &["link"]]);
        // Nothing in `/proc` has another name to get.
        EVERYTHING.iter().any(|kind| all(kind).iter().any(|(on, _)| !matches!(on, On::Itself)))
    }

    fn permit(&self, source: Source, wanted: Wanted, name: Option<&str>, near: String) -> Option<Permit> {
        let nothing = wanted.unlabelled == Kinds::default()
            && wanted.labels.as_ref().is_some_and(BTreeMap::is_empty)
            || wanted.holders.as_ref().is_some_and(BTreeSet::is_empty);
        if nothing {
            return None;
        }
        let key = format!("{wanted:?} {name:?}");
        let mut paths = self.places.lang("what the labels permit", wanted);
        if let Some(name) = name {
            let components = vec![Component::Globstar, Component::Literal(name.into())];
            let named = Pattern::from_parts(Anchor::Root, components, Tail::Entry);
            paths = paths.and(Lang::patterns([&named]).ok()?);
        }
        Some(Permit { source, paths, near, key })
    }

    /// The directory below which lie all canonical paths with one of the labels.
    fn near<'l>(&self, labels: impl Iterator<Item = &'l Label>) -> String {
        let mut near = self.places.near(labels);
        // What is looked up there may be spelled otherwise.
        for (from, to) in self.base.aliases() {
            if meets(&near, to) && !below(from, &near) {
                near = common(&near, from);
            }
        }
        near
    }
}

/// Only directories, or only what is none, where just one of them is permitted.
fn narrow(paths: Lang, kinds: Kinds) -> Lang {
    let directory = kinds.0 & Kinds::one(Kind::Directory).0 != 0;
    match (directory, kinds.0 & Kinds::NO_DIRECTORY.0 != 0) {
        (true, true) => paths,
        (true, false) => paths.and(Lang::directories()),
        _ => paths.minus(Lang::directories()),
    }
}

/// Whether a path is a directory, or below it.
pub fn below(path: &str, directory: &str) -> bool {
    directory == "/" || path.strip_prefix(directory).is_some_and(|r| r.is_empty() || r.starts_with('/'))
}

/// Whether something may lie below both.
pub fn meets(a: &str, b: &str) -> bool {
    below(a, b) || below(b, a)
}

fn common(a: &str, b: &str) -> String {
    let names = a.split('/').zip(b.split('/')).take_while(|(x, y)| x == y).map(|(x, _)| x);
    let out = names.collect::<Vec<_>>().join("/");
    if out.is_empty() { "/".into() } else { out }
}
