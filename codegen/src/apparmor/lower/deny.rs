//! Denies of accesses to paths to refusals, and what of a deny nobody can say: the words that AppArmor joins with allowed ones.

use super::claims::{Claim, Claims, DIRECTORY_WORDS, WRITE_WORDS};
use super::context::Context;
use super::draft::Source;
use super::files::{Plan, Refusal, forms};
use super::words;
use crate::apparmor::glob::{Form, without};
use crate::apparmor::model::{FilePerm, FilePerms};
use canc_dsl::policy::{Body, Effect, FileOp, FileOps, PathRef, RuleId, UnixAddress};
use canc_sets::path::meet;
use canc_sets::path::{Lang, Pattern, TooLarge, Universe};

/// The words whose loss a program notices most. A refusal that would take one of them from an allow is not said, unless the
/// deny names writing itself.
const CONTENTS: FileOps = FileOps::of(&[FileOp::Write, FileOp::Append, FileOp::Create, FileOp::Delete]);

/// Adds the refusals of all denies about paths.
pub(super) fn files<'a>(cx: &mut Context<'a>, claims: &Claims<'a>, plan: &mut Plan<'a>, device_nodes: bool) {
    let policy = cx.policy;
    for rule in policy.rules.iter().filter(|r| r.effect == Effect::Deny) {
        let (paths, except, ops, owner) = match &rule.body {
            Body::File(file) => (&file.paths, file.except.as_slice(), file.ops, file.owner),
            // Binding to a path makes a file there.
            Body::Unix(unix) if unix.listen => match &unix.address {
                UnixAddress::Paths(paths) => {
                    (paths, unix.except.as_slice(), FileOps::of(&[FileOp::Create]), false)
                }
                UnixAddress::Abstract(_) => continue,
            },
            _ => continue,
        };
        for path in paths {
            let job = Job { id: rule.id, ops, owner, except, pattern: &path.pattern, device_nodes };
            if let Err(large) = job.run(cx, claims, plan) {
                cx.error(Some(rule.id), large);
            }
        }
    }
}

/// One pattern of one deny.
struct Job<'a> {
    id: RuleId,
    ops: FileOps,
    owner: bool,
    except: &'a [PathRef],
    pattern: &'a Pattern,
    device_nodes: bool,
}

impl<'a> Job<'a> {
    fn run(&self, cx: &mut Context<'a>, claims: &Claims<'a>, plan: &mut Plan<'a>) -> Result<(), TooLarge> {
        let except: Vec<&Pattern> =
            self.except.iter().map(|e| &e.pattern).filter(|e| e.meets(self.pattern) != Some(false)).collect();
        let mut refusal = self.plain();
        let writing = self.ops.intersect(WRITE_WORDS);
        if !writing.is_empty() {
            match self.hindrance(claims, writing)? {
                None => self.add_writing(&mut refusal, writing),
                Some(witness) => cx.through(self.id, format!("{witness}: {JOINED}")),
            }
        }
        if self.spare(&mut refusal, except) {
            return self.finish(cx, claims, plan, refusal);
        }
        // The exceptions cannot be written. Without them the refusal says more than the deny, which is well as long as nobody
        // wants the rest.
        for except in self.except.iter().map(|e| &e.pattern) {
            if let Some(other) = self.hurt(claims, &refusal, except)? {
                let Some(witness) = self.granted(claims, self.ops)? else { return Ok(()) };
                let what = format!(
                    "{witness}: its exception `{except}` is allowed by {other} and cannot be told apart"
                );
                cx.through(self.id, what);
                return Ok(());
            }
        }
        self.finish(cx, claims, plan, refusal)
    }

    /// The refusal of the words that are separate permissions.
    fn plain(&self) -> Refusal<'a> {
        use FilePerm as P;
        let (mut file, mut directory) = (FilePerms::EMPTY, FilePerms::EMPTY);
        for op in self.ops.iter() {
            match op {
                FileOp::Read => file = file.union(FilePerms::of(&[P::Read])),
                FileOp::List => directory = directory.union(FilePerms::of(&[P::Read])),
                FileOp::Lock => {
                    file = file.union(FilePerms::of(&[P::Lock]));
                    directory = directory.union(FilePerms::of(&[P::Lock]));
                }
                FileOp::Map => file = file.union(FilePerms::of(&[P::Map])),
                FileOp::Run => file = file.union(FilePerms::of(&[P::Exec])),
                _ => {}
            }
        }
        Refusal {
            id: self.id,
            owner: self.owner,
            pattern: self.pattern,
            except: Vec::new(),
            file,
            directory,
            link_to: self.ops.has(FileOp::Link),
            link_as: false,
        }
    }

    fn add_writing(&self, refusal: &mut Refusal<'a>, writing: FileOps) {
        let only_append = writing == FileOps::of(&[FileOp::Append]);
        let word = if only_append { FilePerm::Append } else { FilePerm::Write };
        refusal.file = refusal.file.union(FilePerms::of(&[word]));
        if !writing.intersect(DIRECTORY_WORDS).is_empty() {
            refusal.directory = refusal.directory.union(FilePerms::of(&[FilePerm::Write]));
        }
        refusal.link_as = writing.has(FileOp::Create);
    }

    /// A request that the deny matches and that has to get through, because an allow needs the same permission.
    fn hindrance(&self, claims: &Claims<'a>, writing: FileOps) -> Result<Option<String>, TooLarge> {
        let only = |op: FileOp| writing == FileOps::of(&[op]);
        if writing.has(FileOp::Write) || only(FileOp::Append) || (only(FileOp::Mknod) && !self.device_nodes) {
            return Ok(None);
        }
        for claim in self.meeting(claims)? {
            if !claim.ops.intersect(CONTENTS).minus(writing).is_empty() {
                return self.granted(claims, writing);
            }
        }
        Ok(None)
    }

    /// The claims that meet the paths of this deny.
    fn meeting<'c>(&self, claims: &'c Claims<'a>) -> Result<Vec<&'c Claim<'a>>, TooLarge> {
        let mut out = Vec::new();
        for claim in claims.near(self.pattern) {
            let taken = self.except.iter().any(|e| e.pattern.covers(claim.pattern) == Some(true));
            if !taken && meet(claim.pattern, self.pattern)? {
                out.push(claim);
            }
        }
        Ok(out)
    }

    /// A request that the deny matches and that the claims' permissions let through; `None` when there is none.
    fn granted(&self, claims: &Claims<'a>, ops: FileOps) -> Result<Option<String>, TooLarge> {
        let denied =
            Lang::patterns([self.pattern])?.minus(Lang::patterns(self.except.iter().map(|e| &e.pattern))?);
        for op in ops.iter() {
            let (file, directory) = super::claims::perms(FileOps::of(&[op]));
            for claim in self.meeting(claims)? {
                let runs = op == FileOp::Run && claim.exec.is_some();
                if !claim.takes(file, directory) && !runs {
                    continue;
                }
                let lang = denied.clone().and(claim.lang()?);
                let lang = match op {
                    FileOp::List => lang.and(Lang::directories()),
                    FileOp::Create | FileOp::Delete | FileOp::Setattr | FileOp::Setid | FileOp::Lock => lang,
                    _ => lang.minus(Lang::directories()),
                };
                if let Some(path) = lang.witness(Universe::Paths)? {
                    return Ok(Some(format!("{} \"{path}\"", op.word())));
                }
            }
        }
        Ok(None)
    }

    /// Writes the exceptions into the refusal; false where that cannot be done.
    fn spare(&self, refusal: &mut Refusal<'a>, except: Vec<&'a Pattern>) -> bool {
        let links = refusal.link_to || refusal.link_as;
        let written = except.is_empty()
            || forms(self.pattern, &except, refusal.file, refusal.directory, false).is_some()
                && (!links || without(self.pattern, &except, Form::File).is_some());
        if written {
            refusal.except = except;
        }
        written
    }

    /// The rule that wants a path which a refusal without its exceptions would take.
    fn hurt(
        &self,
        claims: &Claims<'a>,
        refusal: &Refusal<'a>,
        except: &Pattern,
    ) -> Result<Option<String>, TooLarge> {
        for claim in claims.near(except) {
            let runs = refusal.file.has(FilePerm::Exec) && claim.exec.is_some();
            if (claim.takes(refusal.file, refusal.directory) || runs) && meet(claim.pattern, except)? {
                return Ok(Some(match claim.source {
                    Source::Rule(id) => format!("r{}", u64::from(id.0) + 1),
                    Source::Base(_) => "@base".into(),
                }));
            }
        }
        Ok(None)
    }

    /// Says the refusal, and tells the allows what it takes from them.
    fn finish(
        &self,
        cx: &mut Context<'a>,
        claims: &Claims<'a>,
        plan: &mut Plan<'a>,
        refusal: Refusal<'a>,
    ) -> Result<(), TooLarge> {
        let said = self.ops;
        if refusal.file.has(FilePerm::Write) || refusal.directory.has(FilePerm::Write) {
            let joined = WRITE_WORDS.minus(FileOps::of(&[FileOp::Setid, FileOp::Mknod])).minus(said);
            for claim in self.meeting(claims)? {
                let lost = claim.ops.intersect(joined);
                if let (Source::Rule(id), false) = (claim.source, lost.is_empty()) {
                    narrow(cx, id, self.id, lost, self.pattern);
                }
            }
        }
        let nothing =
            refusal.file.is_empty() && refusal.directory.is_empty() && !refusal.link_to && !refusal.link_as;
        if !nothing {
            plan.denies.push(refusal);
        }
        Ok(())
    }
}

fn narrow(cx: &mut Context<'_>, id: RuleId, deny: RuleId, lost: FileOps, pattern: &Pattern) {
    let list: Vec<&str> = lost.iter().map(FileOp::word).collect();
    let which = u64::from(deny.0) + 1;
    cx.narrow(
        id,
        format!("{} on `{pattern}`: the deny r{which} refuses writing there, {JOINED}", words::list(&list)),
    );
}

/// Why words come and go together.
const JOINED: &str = "and AppArmor has one permission for writing, creating, deleting, chmod and chown";
