//! File and link rules to boxes, and to the answer about one path.

use super::{Sourced, rules_of};
use crate::apparmor::glob::AaGlob;
use crate::apparmor::model::{FilePerm, FileRule, Profile, Rule};
use crate::coverage::{Grant, Permitted, Source};
use canc_dsl::meaning::{Dim, Kind, Region};
use canc_dsl::policy::{FileOp, RuleId};
use canc_sets::path::Near;
use canc_sets::path::{Lang, TooLarge};
use std::cell::OnceCell;

struct Entry<'a> {
    sourced: Sourced<'a>,
    near: String,
    lang: OnceCell<Lang>,
}

/// The rules about paths, by where they lie.
pub(super) struct Files<'a> {
    entries: Vec<Entry<'a>>,
    index: Near,
    device_nodes: bool,
}

/// The path that a rule speaks of. Of a link rule it is what is linked to.
fn glob(rule: &Rule) -> Option<&AaGlob> {
    match rule {
        Rule::File(file) => Some(&file.path),
        Rule::Link(link) => Some(&link.target),
        _ => None,
    }
}

/// Whether a rule permits, or refuses, an operation on the paths of its glob that are of the right kind.
fn speaks_of(rule: &Rule, op: FileOp, device_nodes: bool) -> bool {
    let file = |file: &FileRule| match op {
        FileOp::Read | FileOp::List => file.perms.has(FilePerm::Read),
        FileOp::Append => file.perms.has(FilePerm::Write) || file.perms.has(FilePerm::Append),
        FileOp::Write | FileOp::Create | FileOp::Delete | FileOp::Setattr | FileOp::Setid => {
            file.perms.has(FilePerm::Write)
        }
        FileOp::Mknod => (device_nodes || file.mode.deny) && file.perms.has(FilePerm::Write),
        FileOp::Lock => file.perms.has(FilePerm::Lock),
        FileOp::Map => file.perms.has(FilePerm::Map),
        FileOp::Run => file.exec.is_some() || file.perms.has(FilePerm::Exec),
        FileOp::Link => false,
    };
    match rule {
        Rule::File(rule) => file(rule),
        // A refusal of a new name is no refusal of what it would be a link to.
        Rule::Link(link) => op == FileOp::Link && !(link.mode.deny && link.target == AaGlob::everything()),
        _ => false,
    }
}

/// Whether a rule refuses, and whether it speaks of the owner's files alone.
fn mode(rule: &Rule) -> (bool, bool) {
    match rule {
        Rule::File(file) => (file.mode.deny, file.owner),
        Rule::Link(link) => (link.mode.deny, link.owner),
        _ => (false, false),
    }
}

impl<'a> Files<'a> {
    pub(super) fn new(rules: Vec<Sourced<'a>>, device_nodes: bool) -> Self {
        let entries: Vec<Entry<'a>> = rules
            .into_iter()
            .map(|sourced| {
                let near = glob(sourced.rule).map_or_else(|| "/".into(), AaGlob::near);
                Entry { sourced, near, lang: OnceCell::new() }
            })
            .collect();
        let index = Near::of_prefixes(entries.iter().map(|e| e.near.as_str()));
        Self { entries, index, device_nodes }
    }

    pub(super) fn permitted(&self, op: FileOp, prefix: &str) -> Result<Permitted, TooLarge> {
        let (mut grants, mut denies) = (Vec::new(), Vec::new());
        let prefixes = |n: usize| self.entries.get(n).map(|e| e.near.clone()).into_iter().collect();
        for entry in self.index.around(prefix, &prefixes).into_iter().filter_map(|n| self.entries.get(n)) {
            let rule = entry.sourced.rule;
            if !speaks_of(rule, op, self.device_nodes) {
                continue;
            }
            let (deny, owner) = mode(rule);
            let region = region(op, owner, entry.lang()?);
            let list = if deny { &mut denies } else { &mut grants };
            for source in &entry.sourced.sources {
                let key = glob(rule).map(|g| format!("{owner} {g}"));
                list.push(Grant { source: *source, region: region.clone(), near: entry.near.clone(), key });
            }
        }
        Ok(Permitted::Only { grants, denies })
    }

    /// The paths on which writing is permitted and not refused.
    pub(super) fn written(&self) -> Result<Lang, TooLarge> {
        let (mut allowed, mut denied) = (Vec::new(), Vec::new());
        for entry in &self.entries {
            if speaks_of(entry.sourced.rule, FileOp::Write, false) {
                let list = if mode(entry.sourced.rule).0 { &mut denied } else { &mut allowed };
                list.push(entry.lang()?);
            }
        }
        Ok(Lang::any(allowed).minus(Lang::any(denied)))
    }
}

impl Entry<'_> {
    fn lang(&self) -> Result<Lang, TooLarge> {
        if let Some(lang) = self.lang.get() {
            return Ok(lang.clone());
        }
        let made = glob(self.sourced.rule).map_or(Ok(Lang::Empty), AaGlob::lang)?;
        Ok(self.lang.get_or_init(|| made).clone())
    }
}

/// The caller owns the file, or does not.
const OWNER: u128 = 1;
const ANYBODY: u128 = 3;

fn region(op: FileOp, owner: bool, lang: Lang) -> Region {
    let who = if owner { OWNER } else { ANYBODY };
    Region { kind: Kind::File(op), dims: vec![Dim::Bits(who), Dim::Paths(of_kind(lang, op))] }
}

/// The paths that an operation can be about: directories, everything else, or both.
fn of_kind(lang: Lang, op: FileOp) -> Lang {
    match op {
        FileOp::List => lang.and(Lang::directories()),
        FileOp::Create | FileOp::Delete | FileOp::Lock | FileOp::Setattr | FileOp::Setid => lang,
        _ => lang.minus(Lang::directories()),
    }
}

/// What a profile does with an operation on one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is permitted.
    pub permitted: bool,
    /// Whether every profile permits it.
    pub by_base: bool,
    /// The policy's rules that permit it.
    pub permitted_by: Vec<RuleId>,
    /// The policy's rules that refuse it, whatever permits it.
    pub refused_by: Vec<RuleId>,
}

/// What a profile does with an operation on a path (a directory's ends in a slash), asked by its owner or by somebody else.
///
/// # Errors
/// When a glob's automaton is too large.
pub fn decide(profile: &Profile, op: FileOp, path: &str, owner: bool) -> Result<Decision, TooLarge> {
    let directory = path.ends_with('/');
    let (mut by_base, mut permitted_by, mut refused_by) = (false, Vec::new(), Vec::new());
    let mut refused = false;
    let fits = match op {
        FileOp::List => directory,
        FileOp::Create | FileOp::Delete | FileOp::Lock | FileOp::Setattr | FileOp::Setid => true,
        _ => !directory,
    };
    let device_nodes = profile.rules().any(|(_, r)| super::makes_device_nodes(r));
    for (origins, rule) in profile.rules().filter(|_| fits) {
        let Some(glob) = glob(rule).filter(|_| speaks_of(rule, op, device_nodes)) else { continue };
        let (deny, owners) = mode(rule);
        if (owners && !owner) || !lies_at(glob, path) || !glob.matches(path)? {
            continue;
        }
        let sources = super::sources(origins);
        if deny {
            refused = true;
            refused_by.extend(rules_of(&sources));
        } else {
            by_base |= sources.contains(&Source::Base);
            permitted_by.extend(rules_of(&sources));
        }
    }
    for list in [&mut permitted_by, &mut refused_by] {
        list.sort_unstable();
        list.dedup();
    }
    let permitted = !refused && (by_base || !permitted_by.is_empty());
    Ok(Decision { permitted, by_base, permitted_by, refused_by })
}

/// Whether a path can be one of a glob's, by its literal start.
fn lies_at(glob: &AaGlob, path: &str) -> bool {
    let near = glob.near();
    let below =
        |dir: &str| dir == "/" || path.strip_prefix(dir).is_some_and(|r| r.is_empty() || r.starts_with('/'));
    below(&near)
}
