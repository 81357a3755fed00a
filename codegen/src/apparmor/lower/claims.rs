//! What a policy wants of paths, and a quick way to those wants that may speak of a given path.
//!
//! Questions about one literal path cost a few look-ups; automata are asked only where patterns really meet.

use crate::apparmor::model::{Exec, FilePerm, FilePerms};
use canc_dsl::policy::{FileOp, FileOps, PathRef};
use canc_sets::path::{Lang, Pattern, Tail, TooLarge};
use std::cell::OnceCell;
use std::collections::HashMap;

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
        let all = Lang::patterns([self.pattern])?;
        if self.except.is_empty() {
            return Ok(all);
        }
        Ok(all.minus(Lang::patterns(self.except.iter().map(|p| &p.pattern))?))
    }
}

/// With the appending that writing includes.
fn widest(perms: FilePerms) -> FilePerms {
    if perms.has(FilePerm::Write) { perms.union(FilePerms::of(&[FilePerm::Append])) } else { perms }
}

/// Whether two patterns have a path in common.
pub(super) fn meet(a: &Pattern, b: &Pattern) -> Result<bool, TooLarge> {
    match a.meets(b) {
        Some(known) => Ok(known),
        None => {
            let common = Lang::patterns([a])?.and(Lang::patterns([b])?);
            Ok(common.witness(canc_sets::path::Universe::Paths)?.is_some())
        }
    }
}

/// All claims, by where they lie.
pub(super) struct Claims<'a> {
    pub(super) all: Vec<Claim<'a>>,
    index: OnceCell<Index>,
}

/// The claims by the literal prefixes of their patterns.
struct Index {
    by_prefix: HashMap<String, Vec<u32>>,
    sorted: OnceCell<Vec<String>>,
}

impl<'a> Claims<'a> {
    pub(super) fn new(all: Vec<Claim<'a>>) -> Self {
        Self { all, index: OnceCell::new() }
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| {
            let mut by_prefix: HashMap<String, Vec<u32>> = HashMap::with_capacity(self.all.len());
            for (number, claim) in (0u32..).zip(&self.all) {
                for prefix in claim.pattern.prefixes() {
                    by_prefix.entry(prefix).or_default().push(number);
                }
            }
            Index { by_prefix, sorted: OnceCell::new() }
        })
    }

    /// The claims that may have a path in common with `pattern`, in order. Those that cannot are nearly all left out.
    pub(super) fn near(&self, pattern: &Pattern) -> Vec<&Claim<'a>> {
        let index = self.index();
        let mut found: Vec<u32> = Vec::new();
        let exact = pattern.tail() != Tail::Subtree && pattern.has_literal_components();
        for prefix in pattern.prefixes() {
            index.above(&prefix, &mut found);
            if !exact {
                index.below(&prefix, &mut found);
            }
        }
        found.sort_unstable();
        found.dedup();
        let claims = found.into_iter().filter_map(|n| self.all.get(n as usize));
        claims.filter(|c| c.pattern.meets(pattern) != Some(false)).collect()
    }
}

impl Index {
    /// Those at `prefix` and at the directories above it.
    fn above(&self, prefix: &str, found: &mut Vec<u32>) {
        let mut take = |place: &str| found.extend(self.by_prefix.get(place).into_iter().flatten());
        take("/");
        if prefix == "/" {
            return;
        }
        for (end, _) in prefix.match_indices('/').skip(1) {
            take(prefix.get(..end).unwrap_or_default());
        }
        take(prefix);
    }

    /// Those below `prefix`.
    fn below(&self, prefix: &str, found: &mut Vec<u32>) {
        let sorted = self.sorted.get_or_init(|| {
            let mut all: Vec<String> = self.by_prefix.keys().cloned().collect();
            all.sort_unstable();
            all
        });
        let start = if prefix == "/" { "/".to_string() } else { format!("{prefix}/") };
        let from = sorted.partition_point(|p| p.as_str() < start.as_str());
        for place in sorted.iter().skip(from).take_while(|p| p.starts_with(&start)) {
            found.extend(self.by_prefix.get(place).into_iter().flatten());
        }
    }
}
