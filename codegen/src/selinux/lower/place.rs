//! Paths to the types of the base that are found there, wherever labels come from: file contexts, or the kernel's own tables.

use super::own::OwnNo;
use super::sheet::{Sheet, Ty};
use crate::selinux::base::{Attribute, Kind, PathSet, Place, TypeNo};
use crate::selinux::known;
use canc_sets::path::meet;
use canc_sets::path::{Anchor, Component, Pattern, Tail, TooLarge};
use std::collections::BTreeSet;

/// Which things a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) files: bool,
    pub(super) directories: bool,
}

/// A type of the base that is found among some paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) ty: TypeNo,
    /// The kind of file of the line that gives the type.
    pub(super) kind: Kind,
    pub(super) directory: bool,
    /// A path that carries it.
    pub(super) witness: String,
}

/// What is found among some paths.
#[derive(Debug, Clone, Default)]
pub(super) struct Hits {
    /// Types, each kind once.
    pub(super) found: Vec<Hit>,
    /// Whether the domain's own entries of `/proc` are among them.
    pub(super) own_processes: bool,
    /// What cannot be said of some of them.
    pub(super) narrowed: Vec<String>,
}

impl Hits {
    fn push(&mut self, hit: Hit) {
        let same = |h: &Hit| h.ty == hit.ty && h.kind == hit.kind && h.directory == hit.directory;
        if !self.found.iter().any(same) {
            self.found.push(hit);
        }
    }
}

impl Sheet<'_, '_> {
    /// The types of the base among the paths of a pattern, without those of others and without what the build labels.
    pub(super) fn base_hits(
        &self,
        pattern: &Pattern,
        without: &[&Pattern],
        wanted: Wanted,
    ) -> Result<Hits, TooLarge> {
        let mut out = Hits::default();
        if pattern.anchor() == Anchor::SelfProc {
            out.own_processes = true;
            return Ok(out);
        }
        let mut without: Vec<Pattern> = without.iter().map(|p| (*p).clone()).collect();
        for (_, area) in self.plan.areas_near(pattern) {
            if area.pattern.covers(pattern) == Some(true) {
                return Ok(out);
            }
            if meet(&area.pattern, pattern)? {
                without.push(area.pattern.clone());
            }
        }
        if let Some((mount, fs)) = self.mount_of(pattern) {
            self.kernel_labels(pattern, mount, fs, wanted, &mut out);
            return Ok(out);
        }
        for (mount, fs) in known::mounts().filter(|(mount, _)| holds(pattern, mount)) {
            // A pattern from above takes in what is mounted; the kernel's tables say what that is.
            self.kernel_labels(pattern, mount, fs, wanted, &mut out);
            without.extend(Pattern::literal_path(mount).ok().map(|p| p.with_tail(Tail::Subtree)));
        }
        let without: Vec<&Pattern> = without.iter().collect();
        let places = [(Place::Files, wanted.files), (Place::Directories, wanted.directories)];
        for place in places.into_iter().filter(|(_, wanted)| *wanted).map(|(place, _)| place) {
            for found in self.plan.base.under(PathSet { pattern, without: &without }, place)? {
                let directory = place == Place::Directories;
                match found.ty {
                    Some(ty) => out.push(Hit { ty, kind: found.kind, directory, witness: found.witness }),
                    None => self.unlabelled(&found.witness, directory, &mut out),
                }
            }
        }
        Ok(out)
    }

    /// What the base gives no label takes its maker's: of that only the directory's own type is known.
    fn unlabelled(&self, witness: &str, directory: bool, out: &mut Hits) {
        let mut parent = witness.trim_end_matches('/');
        while let Some((above, _)) = parent.rsplit_once('/') {
            let path = format!("{above}/");
            let found = self.plan.base.label(&path, crate::selinux::base::Ask::Exactly(Kind::Directory));
            if let Some(ty) = found.and_then(|e| self.plan.base.entry_type(e)) {
                out.push(Hit { ty, kind: Kind::Any, directory, witness: witness.into() });
                let name = self.plan.base.type_name(ty);
                let text = format!(
                    "what is below {path} and not labelled `{name}`: other programs' files carry types of their own"
                );
                if !out.narrowed.contains(&text) {
                    out.narrowed.push(text);
                }
                return;
            }
            parent = above;
        }
    }

    fn mount_of(&self, pattern: &Pattern) -> Option<(&'static str, &'static str)> {
        let prefix = pattern.literal_prefix();
        let below =
            |mount: &str| prefix.strip_prefix(mount).is_some_and(|r| r.is_empty() || r.starts_with('/'));
        known::mounts().filter(|(mount, _)| below(mount)).max_by_key(|(mount, _)| mount.len())
    }

    /// What the kernel's tables say of the paths of a mounted file system.
    fn kernel_labels(&self, pattern: &Pattern, mount: &str, fs: &str, wanted: Wanted, out: &mut Hits) {
        let base = self.plan.base;
        let mut add = |ty: &str, witness: String, kind: Kind| {
            let Some(ty) = base.type_no(ty) else { return };
            if wanted.files {
                out.push(Hit { ty, kind, directory: false, witness: witness.clone() });
            }
            if wanted.directories {
                out.push(Hit { ty, kind: Kind::Any, directory: true, witness });
            }
        };
        let prefix = pattern.literal_prefix();
        let inside = prefix.strip_prefix(mount).filter(|r| r.starts_with('/')).unwrap_or("/").to_owned();
        let rows: Vec<[&str; 4]> = base.genfs().filter(|r| r[0] == fs).collect();
        let holder =
            rows.iter().filter(|r| inside.starts_with(r[1]) || r[1] == "/").max_by_key(|r| r[1].len());
        let mut any = false;
        if let Some([_, path, _, ty]) = holder {
            any = true;
            add(ty, format!("{mount}{}", if *path == "/" { "" } else { path }), Kind::Any);
        }
        for [_, path, kind, ty] in
            rows.iter().filter(|r| r[1].starts_with(&inside) && r[1].len() > inside.len())
        {
            let whole = format!("{mount}{path}");
            if pattern.matches(whole.trim_end_matches('/')) || pattern.tail() == Tail::Subtree {
                add(ty, whole, Kind::from_field(kind).unwrap_or(Kind::Any));
            }
        }
        if any {
            self.other_processes(pattern, mount, out);
            return;
        }
        // Without a table of its own the file system's type is everything's, and terminals get types of their users.
        for [_, _, ty] in base.fs_use().filter(|r| r[1] == fs) {
            if let Some(ty) = base.type_no(ty) {
                out.push(Hit { ty, kind: Kind::Any, directory: false, witness: format!("{mount}/0") });
            }
        }
        if fs == "devpts" {
            for ty in base.types().filter(|t| base.has(*t, Attribute::PtyNode)) {
                out.push(Hit { ty, kind: Kind::Character, directory: false, witness: format!("{mount}/0") });
            }
        }
    }

    /// Entries of `/proc` for processes carry the types of their domains, which nothing here may name.
    fn other_processes(&self, pattern: &Pattern, mount: &str, out: &mut Hits) {
        if mount != "/proc" {
            return;
        }
        let first = pattern.components().get(1);
        let numbers = match first {
            None => pattern.tail() == Tail::Subtree,
            Some(Component::Literal(name)) => name.bytes().all(|b| b.is_ascii_digit()),
            Some(_) => true,
        };
        if matches!(first, Some(Component::Literal(name)) if &**name == "self" || &**name == "thread-self") {
            out.own_processes = true;
        } else if numbers {
            out.own_processes = true;
            out.narrowed.push("entries of other domains' processes carry the types of those domains".into());
        }
    }

    /// The types that directories of a pattern carry, the build's among them.
    pub(super) fn directory_types(&mut self, pattern: &Pattern) -> Result<BTreeSet<Ty>, TooLarge> {
        if pattern.has_literal_components()
            && let Some(known) = self.known_directories.get(pattern)
        {
            return Ok(known.clone());
        }
        let mut out: BTreeSet<Ty> = BTreeSet::new();
        for (index, area) in self.plan.areas_near(pattern) {
            if area.kind != Kind::Regular && meet(&area.pattern, pattern)? {
                out.extend(self.parts_at(index, pattern)?.into_iter().map(Ty::Own));
            }
        }
        let hits = self.base_hits(pattern, &[], Wanted { files: false, directories: true })?;
        out.extend(hits.found.iter().filter(|h| h.directory).map(|h| Ty::Base(h.ty)));
        if pattern.has_literal_components() {
            self.known_directories.insert(pattern.clone(), out.clone());
        }
        Ok(out)
    }

    /// The types of an area that a pattern of directories meets.
    fn parts_at(&self, index: usize, pattern: &Pattern) -> Result<Vec<OwnNo>, TooLarge> {
        let plan = self.plan;
        let (Some(parts), Some(cutters)) = (plan.parts.get(index), plan.cutters.get(index)) else {
            return Ok(Vec::new());
        };
        let literal = pattern.as_literal().map(|p| if p == "/" { p } else { format!("{p}/") });
        let mut out = Vec::new();
        for part in parts {
            let fits = match &literal {
                Some(path) => cutters
                    .iter()
                    .enumerate()
                    .all(|(i, c)| c.pattern.matches(path) == part.inside.contains(&i)),
                None => true,
            };
            if fits && !out.contains(&part.ty) {
                out.push(part.ty);
            }
        }
        Ok(out)
    }
}

/// Whether a pattern takes in a directory from above.
fn holds(pattern: &Pattern, mount: &str) -> bool {
    let prefix = pattern.literal_prefix();
    let above = prefix == "/" || mount.strip_prefix(&prefix).is_some_and(|r| r.starts_with('/'));
    above && pattern.matches(&format!("{mount}/"))
}
