//! What a policy wants of paths, and a quick way to those wants that may speak of a given path.
//!
//! Questions about one literal path cost a few look-ups; automata are asked only where patterns really meet.

use crate::apparmor::model::{Exec, FilePerm, FilePerms};
use crate::leftover::Narrowed;
use canc_dsl::policy::{FileOp, FileOps, PathRef};
use canc_sets::path::Near;
use canc_sets::path::{Lang, Pattern, TooLarge};
use std::cell::OnceCell;

use super::draft::Source;

/// The words of the language that AppArmor's `w` brings to a file, and nothing separates.
pub(super) const WRITE_WORDS: FileOps = FileOps::of(&[
    FileOp::Write,
    FileOp::Append,
    FileOp::Create,
    FileOp::Delete,
    FileOp::Setattr,
    FileOp::Setid,
    FileOp::Mknod,
]);
/// Those of them that a directory knows.
pub(super) const DIRECTORY_WORDS: FileOps =
    FileOps::of(&[FileOp::Create, FileOp::Delete, FileOp::Setattr, FileOp::Setid]);

/// One pattern and what is wanted of it.
#[derive(Debug, Clone)]
pub(super) struct Claim<'a> {
    pub(super) source: Source,
    pub(super) audit: bool,
    pub(super) owner: bool,
    pub(super) pattern: &'a Pattern,
    pub(super) except: &'a [PathRef],
    /// What the policy allows by it. A rule about sockets allows no operation on files, yet wants permissions.
    pub(super) ops: FileOps,
    /// The permissions on everything but directories.
    pub(super) file: FilePerms,
    /// The permissions on directories.
    pub(super) directory: FilePerms,
    pub(super) exec: Option<Exec>,
}

/// The permissions that operations take: on everything but directories, and on directories.
pub(super) fn perms(ops: FileOps) -> (FilePerms, FilePerms) {
    use FilePerm as P;
    let (mut file, mut directory) = (FilePerms::EMPTY, FilePerms::EMPTY);
    for op in ops.iter() {
        let (on_file, on_directory): (&[P], &[P]) = match op {
            FileOp::Read => (&[P::Read], &[]),
            FileOp::List => (&[], &[P::Read]),
            FileOp::Write => (&[P::Write], &[]),
            FileOp::Append => (&[P::Append], &[]),
            FileOp::Mknod => (&[P::Write], &[]),
            FileOp::Create | FileOp::Delete | FileOp::Setattr | FileOp::Setid => (&[P::Write], &[P::Write]),
            // Links are pairs of paths and have rules of their own.
            FileOp::Link => (&[], &[]),
            FileOp::Lock => (&[P::Lock], &[P::Lock]),
            FileOp::Map => (&[P::Map], &[]),
            FileOp::Run => (&[P::Read, P::Map], &[]),
        };
        file = file.union(FilePerms::of(on_file));
        directory = directory.union(FilePerms::of(on_directory));
    }
    let tidy = |p| super::draft::merged(p, FilePerms::EMPTY);
    (tidy(file), tidy(directory))
}

impl Claim<'_> {
    /// Whether it takes any permission, of either kind, that these are.
    pub(super) fn takes(&self, file: FilePerms, directory: FilePerms) -> bool {
        !widest(self.file).intersect(widest(file)).is_empty()
            || !self.directory.intersect(directory).is_empty()
    }

    /// The paths it is about.
    pub(super) fn lang(&self) -> Result<Lang, TooLarge> {
        Narrowed { pattern: self.pattern, except: self.except }.lang()
    }
}

/// With the appending that writing includes.
fn widest(perms: FilePerms) -> FilePerms {
    if perms.has(FilePerm::Write) { perms.union(FilePerms::of(&[FilePerm::Append])) } else { perms }
}

/// All claims, by where they lie.
pub(super) struct Claims<'a> {
    pub(super) all: Vec<Claim<'a>>,
    index: OnceCell<Near>,
}

impl<'a> Claims<'a> {
    pub(super) fn new(all: Vec<Claim<'a>>) -> Self {
        Self { all, index: OnceCell::new() }
    }

    /// The claims that may have a path in common with `pattern`, in order. Those that cannot are nearly all left out.
    pub(super) fn near(&self, pattern: &Pattern) -> Vec<&Claim<'a>> {
        if self.all.is_empty() {
            return Vec::new();
        }
        let index = self.index.get_or_init(|| Near::new(self.all.iter().map(|c| c.pattern)));
        let prefixes = |n: usize| self.all.get(n).map(|c| c.pattern.prefixes()).unwrap_or_default();
        let claims = index.to(pattern, &prefixes).into_iter().filter_map(|n| self.all.get(n));
        claims.filter(|c| c.pattern.meets(pattern) != Some(false)).collect()
    }
}
