//! Accesses to paths to file rules: which permissions each pattern gets, in which form, and what becomes of `except`.

use super::claims::{Claim, Claims, perms};
use super::context::Context;
use super::draft::Source;
use super::exec;
use crate::apparmor::glob::{AaGlob, Form, without};
use crate::apparmor::model::{FilePerm, FilePerms, FileRule, LinkRule, Mode, Rule};
use canc_dsl::policy::{Body, Effect, FileOp, FileOps, PathRef, Policy, RuleId, UnixAddress};
use canc_sets::path::meet;
use canc_sets::path::{Lang, Pattern, TooLarge, Universe};
use std::collections::HashMap;

/// Everything that the policy claims of paths: first what every profile has, then the rules' in their order.
pub(super) fn claims<'a>(cx: &mut Context<'a>) -> Claims<'a> {
    let policy: &'a Policy = cx.policy;
    let mut all: Vec<Claim<'a>> = policy.exec.iter().chain(&policy.attach).map(program).collect();
    for rule in policy.rules.iter().filter(|r| r.effect == Effect::Allow) {
        let template = match &rule.body {
            Body::File(file) => {
                let (on_file, on_directory) = perms(file.ops);
                let exec = file.ops.has(FileOp::Run).then(|| exec::target(cx, rule.id, &file.run)).flatten();
                (&file.paths, &file.except, file.owner, file.ops, on_file, on_directory, exec)
            }
            Body::Unix(unix) => match &unix.address {
                UnixAddress::Paths(paths) => {
                    (paths, &unix.except, false, FileOps::EMPTY, SOCKET, FilePerms::EMPTY, None)
                }
                UnixAddress::Abstract(_) => continue,
            },
            _ => continue,
        };
        let (paths, except, owner, ops, file, directory, exec) = template;
        all.extend(paths.iter().map(|path| Claim {
            source: Source::Rule(rule.id),
            audit: rule.audit,
            owner,
            pattern: &path.pattern,
            except,
            ops,
            file,
            directory,
            exec: exec.clone(),
        }));
    }
    Claims::new(all)
}

/// What connecting to a path, or binding to it, asks for.
const SOCKET: FilePerms = FilePerms::of(&[FilePerm::Read, FilePerm::Write]);

/// A program is read and mapped after its label has changed.
fn program(path: &PathRef) -> Claim<'_> {
    Claim {
        source: Source::Base("a program of this domain, which the kernel and its loader read"),
        audit: false,
        owner: false,
        pattern: &path.pattern,
        except: &[],
        ops: FileOps::EMPTY,
        file: FilePerms::of(&[FilePerm::Read, FilePerm::Map]),
        directory: FilePerms::EMPTY,
        exec: None,
    }
}

/// What is done with the claims that are not simply printed.
#[derive(Default)]
pub(super) struct Plan<'a> {
    /// Claims that are printed without some paths, by number.
    without: HashMap<usize, Vec<&'a Pattern>>,
    /// Claims that lose their permission to execute, by number.
    no_exec: Vec<usize>,
    /// Refusals.
    pub(super) denies: Vec<Refusal<'a>>,
}

/// A refusal of permissions on the paths of a pattern.
#[derive(Debug, Clone)]
pub(super) struct Refusal<'a> {
    pub(super) id: RuleId,
    pub(super) owner: bool,
    pub(super) pattern: &'a Pattern,
    /// What is taken out of the refusal, where that can be written.
    pub(super) except: Vec<&'a Pattern>,
    pub(super) file: FilePerms,
    pub(super) directory: FilePerms,
    /// Refuse hard links to it.
    pub(super) link_to: bool,
    /// Refuse hard links by its name.
    pub(super) link_as: bool,
}

/// The globs of a pattern with the permissions that each of its forms gets.
pub(super) fn forms(
    pattern: &Pattern,
    except: &[&Pattern],
    file: FilePerms,
    directory: FilePerms,
    has_exec: bool,
) -> Option<Vec<(AaGlob, FilePerms, bool)>> {
    let list = if file == directory && !has_exec {
        vec![(Form::Both, file)]
    } else {
        vec![(Form::File, file), (Form::Directory, directory)]
    };
    let mut out = Vec::new();
    for (form, perms) in list {
        let executes = has_exec && form == Form::File;
        if perms.is_empty() && !executes {
            continue;
        }
        if except.is_empty() {
            out.extend(AaGlob::of_pattern(pattern, form).map(|g| (g, perms, executes)));
        } else {
            out.extend(without(pattern, except, form)?.into_iter().map(|g| (g, perms, executes)));
        }
    }
    Some(out)
}

/// Decides about every `except`, and about patterns that send one path to two places.
pub(super) fn plan<'a>(cx: &mut Context<'a>, claims: &Claims<'a>) -> Plan<'a> {
    let mut plan = Plan::default();
    let mut forced: HashMap<usize, Vec<&'a Pattern>> = HashMap::new();
    if let Err((id, large)) = exec::disjoint(cx, claims, &mut forced, &mut plan.no_exec) {
        cx.error(id, large);
    }
    for (number, claim) in claims.all.iter().enumerate() {
        let Source::Rule(id) = claim.source else { continue };
        if claim.except.is_empty() {
            continue;
        }
        let forced = forced.remove(&number).unwrap_or_default();
        if let Err(large) = plan.except(cx, claims, number, claim, forced) {
            cx.error(Some(id), large);
        }
    }
    plan
}

impl<'a> Plan<'a> {
    /// One claim's exceptions: refused where nobody else wants the path, left alone where somebody else has it all, and
    /// otherwise kept out of the claim's own globs.
    fn except(
        &mut self,
        cx: &mut Context<'a>,
        claims: &Claims<'a>,
        number: usize,
        claim: &Claim<'a>,
        forced: Vec<&'a Pattern>,
    ) -> Result<(), TooLarge> {
        let Source::Rule(id) = claim.source else { return Ok(()) };
        let mut apart = forced.clone();
        for path in claim.except {
            let except = &path.pattern;
            if except.meets(claim.pattern) == Some(false) || apart.contains(&except) {
                continue;
            }
            let others = wanted(claims, claim, except)?;
            if others.iter().any(|o| o.has_all_of(claim) && o.pattern.covers(except) == Some(true)) {
                continue;
            }
            if others.is_empty() && !cx.complain {
                self.refuse(id, claim, except);
            } else {
                apart.push(except);
            }
        }
        if apart.is_empty() {
            return Ok(());
        }
        if forms(claim.pattern, &apart, claim.file, claim.directory, claim.exec.is_some()).is_some() {
            self.without.insert(number, apart);
            return Ok(());
        }
        if !forced.is_empty() {
            self.no_exec.push(number);
            cx.narrow(
                id,
                "execution: its paths cannot be told apart from those of another rule that go elsewhere",
            );
        }
        if let Some(witness) = left_over(claims, claim, &apart)? {
            cx.widen(
                id,
                format!("paths that it excepts but another rule needs in part, such as `{witness}`"),
            );
        }
        Ok(())
    }

    fn refuse(&mut self, id: RuleId, claim: &Claim<'a>, except: &'a Pattern) {
        let exec = if claim.exec.is_some() { FilePerms::of(&[FilePerm::Exec]) } else { FilePerms::EMPTY };
        let refusal = Refusal {
            id,
            owner: claim.owner,
            pattern: except,
            except: Vec::new(),
            file: claim.file.union(exec),
            directory: claim.directory,
            link_to: claim.ops.has(FileOp::Link),
            link_as: claim.ops.has(FileOp::Create),
        };
        // The patterns of one rule share their exceptions.
        if !self.denies.iter().rev().take_while(|d| d.id == id).any(|d| d.pattern == except) {
            self.denies.push(refusal);
        }
    }

    /// The rules of one claim.
    pub(super) fn print(&self, claim: &Claim<'_>, number: usize) -> Vec<FileRule> {
        let exec = claim.exec.clone().filter(|_| !self.no_exec.contains(&number));
        let except = self.without.get(&number).map_or(&[][..], Vec::as_slice);
        let list = forms(claim.pattern, except, claim.file, claim.directory, exec.is_some());
        let mode = Mode { audit: claim.audit, deny: false };
        let rule = |(path, perms, executes): (AaGlob, FilePerms, bool)| FileRule {
            mode,
            // Only the owner's, because other users' processes have directories there, too.
            owner: claim.owner || path.is_process(),
            exec: exec.clone().filter(|_| executes),
            path,
            perms,
        };
        list.into_iter().flatten().map(rule).collect()
    }

    /// The refusals of writing, as claims.
    pub(super) fn refused_writing(&self) -> Vec<Claim<'a>> {
        let writing = FilePerms::of(&[FilePerm::Write]);
        let whole =
            self.denies.iter().filter(|d| d.except.is_empty() && d.file.union(d.directory).contains(writing));
        whole
            .map(|d| Claim {
                source: Source::Rule(d.id),
                audit: false,
                owner: d.owner,
                pattern: d.pattern,
                except: &[],
                ops: FileOps::EMPTY,
                file: d.file,
                directory: d.directory,
                exec: None,
            })
            .collect()
    }

    /// The patterns that are kept out of a claim's globs.
    pub(super) fn kept_out(&self, number: usize) -> &[&'a Pattern] {
        self.without.get(&number).map_or(&[], Vec::as_slice)
    }
}

impl Claim<'_> {
    /// Whether it allows all that `other` allows, to everybody that `other` allows it to.
    fn has_all_of(&self, other: &Claim<'_>) -> bool {
        self.except.is_empty()
            && other.ops.minus(self.ops).is_empty()
            && (!self.owner || other.owner)
            && (other.exec.is_none() || self.exec.is_some())
    }
}

/// The claims of others on some path of `except` that a refusal of `claim`'s permissions would hurt.
fn wanted<'c, 'a>(
    claims: &'c Claims<'a>,
    claim: &Claim<'a>,
    except: &Pattern,
) -> Result<Vec<&'c Claim<'a>>, TooLarge> {
    let joint = FileOps::of(&[FileOp::Link, FileOp::Create]);
    let mut out = Vec::new();
    for other in claims.near(except) {
        let same = claim.exec.is_some() && other.exec.is_some();
        let links = !claim.ops.intersect(other.ops).intersect(joint).is_empty();
        let hurt = other.takes(claim.file, claim.directory) || same || links;
        let spared = other.except.iter().any(|e| e.pattern.covers(except) == Some(true));
        if other.source != claim.source && hurt && !spared && meet(other.pattern, except)? {
            out.push(other);
        }
    }
    Ok(out)
}

/// A request on an excepted path that no rule allows but the claim's globs let through.
fn left_over(claims: &Claims<'_>, claim: &Claim<'_>, apart: &[&Pattern]) -> Result<Option<String>, TooLarge> {
    let through = Lang::patterns([claim.pattern])?.and(Lang::patterns(apart.iter().copied())?);
    for op in claim.ops.iter() {
        let mut lang = match op {
            FileOp::List => through.clone().and(Lang::directories()),
            FileOp::Create | FileOp::Delete | FileOp::Setattr | FileOp::Lock => through.clone(),
            _ => through.clone().minus(Lang::directories()),
        };
        for except in apart {
            for other in claims.near(except) {
                if other.ops.has(op) && (claim.owner || !other.owner) {
                    lang = lang.minus(other.lang()?);
                }
            }
        }
        if let Some(path) = lang.witness(Universe::Paths)? {
            return Ok(Some(format!("{} \"{path}\"", op.word())));
        }
    }
    Ok(None)
}

/// The rules of a refusal.
pub(super) fn refusal_rules(refusal: &Refusal<'_>) -> Vec<Rule> {
    let list = forms(refusal.pattern, &refusal.except, refusal.file, refusal.directory, false);
    let mode = Mode::DENY;
    let owner = refusal.owner;
    let mut out: Vec<Rule> = list
        .into_iter()
        .flatten()
        .map(|(path, perms, _)| {
            let owner = owner || path.is_process();
            Rule::File(FileRule { mode, owner, path, perms, exec: None })
        })
        .collect();
    let globs = || match refusal.except.as_slice() {
        [] => AaGlob::of_pattern(refusal.pattern, Form::File).into_iter().collect(),
        except => without(refusal.pattern, except, Form::File).unwrap_or_default(),
    };
    if refusal.link_to {
        out.extend(
            globs()
                .into_iter()
                .map(|target| Rule::Link(LinkRule { mode, owner, name: AaGlob::everything(), target })),
        );
    }
    if refusal.link_as {
        out.extend(
            globs()
                .into_iter()
                .map(|name| Rule::Link(LinkRule { mode, owner: false, name, target: AaGlob::everything() })),
        );
    }
    out
}
