//! The words that AppArmor joins: what a permission to write lets through that the policy does not allow.

use super::claims::{Claim, Claims, DIRECTORY_WORDS, WRITE_WORDS};
use super::words;
use crate::apparmor::model::FilePerm;
use crate::leftover::{Leftover, Narrowed};
use canc_dsl::policy::{FileOp, FileOps};
use canc_sets::path::Near;
use canc_sets::path::TooLarge;
use std::cell::OnceCell;

/// What of the policy is needed to judge joined words.
pub(super) struct Joined<'c, 'a> {
    /// The refusals of writing that are in the profile.
    denied: &'c Claims<'a>,
    /// Whether the policy lets the domain make device nodes at all (the capability is mediated, too).
    device_nodes: bool,
    /// The claims that allow any of the joined words, by number.
    writers: Vec<&'c Claim<'a>>,
    /// The words that any of them allows.
    present: FileOps,
    index: OnceCell<Near>,
}

/// What one rule brings besides.
#[derive(Default)]
pub(super) struct Surplus {
    ops: FileOps,
    witness: Option<String>,
}

impl Surplus {
    /// The words and a request, for the verdict; `None` when nothing comes besides.
    pub(super) fn text(&self) -> Option<String> {
        let witness = self.witness.as_ref()?;
        let list: Vec<&str> = self.ops.iter().map(FileOp::word).collect();
        Some(format!("{} of the same paths, such as `{witness}`", words::list(&list)))
    }
}

impl<'c, 'a> Joined<'c, 'a> {
    pub(super) fn new(claims: &'c Claims<'a>, denied: &'c Claims<'a>, device_nodes: bool) -> Self {
        let writes = |c: &&Claim<'_>| !c.ops.intersect(WRITE_WORDS).is_empty();
        let writers: Vec<&Claim<'_>> = claims.all.iter().filter(writes).collect();
        let present = writers.iter().fold(FileOps::EMPTY, |all, c| all.union(with_implied(c.ops)));
        Self { denied, device_nodes, writers, present, index: OnceCell::new() }
    }

    /// Adds to `known` what a claim lets through that no rule of the policy allows.
    pub(super) fn surplus(&self, claim: &Claim<'a>, known: &mut Surplus) -> Result<(), TooLarge> {
        let writes = |perms: crate::apparmor::model::FilePerms| perms.has(FilePerm::Write);
        let mut out = FileOps::of(&[FileOp::Setid]);
        if !self.device_nodes {
            out = out.with(FileOp::Mknod);
        }
        let allowed = with_implied(claim.ops);
        let missing = |words: FileOps| words.minus(out).minus(allowed);
        let on_files = if writes(claim.file) { missing(WRITE_WORDS) } else { FileOps::EMPTY };
        let on_directories = if writes(claim.directory) { missing(DIRECTORY_WORDS) } else { FileOps::EMPTY };
        let open = on_files.union(on_directories).minus(known.ops);
        if open.is_empty() {
            return Ok(());
        }
        let near = self.near(claim, open);
        for op in open.iter() {
            let forms = (on_files.has(op), on_directories.has(op));
            if let Some(path) = self.escaping(claim, op, forms, &near)? {
                known.ops = known.ops.with(op);
                known.witness.get_or_insert_with(|| format!("{} \"{path}\"", op.word()));
            }
        }
        Ok(())
    }

    /// The claims that allow any of some words near a claim.
    fn near(&self, claim: &Claim<'_>, words: FileOps) -> Vec<&'c Claim<'a>> {
        if self.present.intersect(words).is_empty() {
            return Vec::new();
        }
        let index = self.index.get_or_init(|| Near::new(self.writers.iter().map(|c| c.pattern)));
        let prefixes = |n: usize| self.writers.get(n).map(|c| c.pattern.prefixes()).unwrap_or_default();
        index
            .to(claim.pattern, &prefixes)
            .into_iter()
            .filter_map(|n| self.writers.get(n).copied())
            .filter(|c| !with_implied(c.ops).intersect(words).is_empty())
            .filter(|c| c.pattern.meets(claim.pattern) != Some(false))
            .collect()
    }

    /// A path of the claim on which no rule allows `op`, among files and directories as asked.
    fn escaping(
        &self,
        claim: &Claim<'a>,
        op: FileOp,
        (files, directories): (bool, bool),
        near: &[&Claim<'a>],
    ) -> Result<Option<String>, TooLarge> {
        let others =
            near.iter().copied().filter(|c| with_implied(c.ops).has(op) && (claim.owner || !c.owner));
        let denied = self.denied.near(claim.pattern).into_iter().filter(|d| !d.owner || claim.owner);
        let narrowed = |c: &'_ Claim<'a>| Narrowed { pattern: c.pattern, except: c.except };
        let taken = others.chain(denied).map(narrowed).collect();
        Leftover { whole: narrowed(claim), taken, files, directories }.witness()
    }
}

/// The operations that a rule with these allows: who may write may append.
pub(super) fn with_implied(ops: FileOps) -> FileOps {
    if ops.has(FileOp::Write) { ops.with(FileOp::Append) } else { ops }
}
