//! The words that AppArmor joins: what a permission to write lets through that the policy does not allow.

use super::claims::{Claim, Claims, DIRECTORY_WORDS, WRITE_WORDS};
use super::words;
use crate::apparmor::model::FilePerm;
use canc_dsl::policy::{FileOp, FileOps};
use canc_sets::path::{Lang, Pattern, TooLarge, Universe};

/// What of the policy is needed to judge joined words.
pub(super) struct Joined<'c, 'a> {
    pub(super) claims: &'c Claims<'a>,
    /// The refusals of writing that are in the profile.
    pub(super) denied: &'c Claims<'a>,
    /// Whether the policy lets the domain make device nodes at all (the capability is mediated, too).
    pub(super) device_nodes: bool,
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

impl Joined<'_, '_> {
    /// Adds to `known` what a claim lets through that no rule of the policy allows.
    pub(super) fn surplus(&self, claim: &Claim<'_>, known: &mut Surplus) -> Result<(), TooLarge> {
        let writes = |perms: crate::apparmor::model::FilePerms| perms.has(FilePerm::Write);
        let mut out = FileOps::of(&[FileOp::Setid]);
        if !self.device_nodes {
            out = out.with(FileOp::Mknod);
        }
        let allowed = with_implied(claim.ops);
        let missing = |words: FileOps| words.minus(out).minus(allowed);
        let on_files = if writes(claim.file) { missing(WRITE_WORDS) } else { FileOps::EMPTY };
        let on_directories = if writes(claim.directory) { missing(DIRECTORY_WORDS) } else { FileOps::EMPTY };
        for op in on_files.union(on_directories).minus(known.ops).iter() {
            let forms = (on_files.has(op), on_directories.has(op));
            if let Some(path) = self.escaping(claim, op, forms)? {
                known.ops = known.ops.with(op);
                known.witness.get_or_insert_with(|| format!("{} \"{path}\"", op.word()));
            }
        }
        Ok(())
    }

    /// A path of the claim on which no rule allows `op`, among files and directories as asked.
    fn escaping(
        &self,
        claim: &Claim<'_>,
        op: FileOp,
        (files, directories): (bool, bool),
    ) -> Result<Option<String>, TooLarge> {
        let near = self.claims.near(claim.pattern);
        let others: Vec<&Claim<'_>> =
            near.into_iter().filter(|c| with_implied(c.ops).has(op) && (claim.owner || !c.owner)).collect();
        if others.iter().any(|c| c.except.is_empty() && c.pattern.covers(claim.pattern) == Some(true)) {
            return Ok(None);
        }
        let denied: Vec<&Pattern> = self
            .denied
            .near(claim.pattern)
            .into_iter()
            .filter(|d| !d.owner || claim.owner)
            .map(|d| d.pattern)
            .collect();
        if others.is_empty() && denied.is_empty() && claim.except.is_empty() {
            let file = if files { claim.pattern.example(false) } else { None };
            return Ok(file.or_else(|| if directories { claim.pattern.example(true) } else { None }));
        }
        let mut lang = claim.lang()?.minus(Lang::patterns(denied)?);
        for other in others {
            lang = lang.minus(other.lang()?);
        }
        let lang = match (files, directories) {
            (true, true) => lang,
            (true, false) => lang.minus(Lang::directories()),
            _ => lang.and(Lang::directories()),
        };
        lang.witness(Universe::Paths)
    }
}

/// The operations that a rule with these allows: who may write may append.
pub(super) fn with_implied(ops: FileOps) -> FileOps {
    if ops.has(FileOp::Write) { ops.with(FileOp::Append) } else { ops }
}
