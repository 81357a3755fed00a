//! `as` and programs to areas: which paths a policy labels, and why it may.
//!
//! A label covers the literal directory in front of its patterns' first wildcard with all that is in it, because a new file
//! takes the type of its directory; in a directory that many packages share it covers the pattern alone.

use super::error::{LowerError, LowerErrorKind};
use super::own::{OwnNo, OwnTypes, Sort};
use crate::selinux::base::{Base, Found, Kind, PathSet, Place, Rank};
use crate::selinux::known;
use crate::selinux::path::FcPath;
use canc_dsl::policy::{Body, Effect, PathRef, PolicySet, RuleId, Target};
use canc_dsl::source::Span;
use canc_sets::path::{Anchor, Component, Lang, Pattern, Piece, Tail, TooLarge, Universe};
use canc_sets::path::{Near, meet};
use std::collections::HashMap;
use std::sync::Arc;

/// Paths that one policy labels with one type, or with several where denies cut it.
#[derive(Debug, Clone)]
pub(super) struct Area {
    /// The policy, by its place in the build.
    pub(super) policy: usize,
    /// The label; `None` for programs.
    pub(super) label: Option<Arc<str>>,
    /// What is labelled.
    pub(super) pattern: Pattern,
    /// The file type of the line.
    pub(super) kind: Kind,
    /// Where it was written.
    pub(super) span: Span,
    /// `takeover`
    pub(super) takeover: bool,
    /// The type of what no deny cuts off.
    pub(super) main: OwnNo,
    /// What the base would have given, where that is not the parent's default.
    pub(super) displaced: Vec<Found>,
    /// Lines of the base that keep their paths, since theirs are more specific.
    pub(super) kept: Vec<Found>,
}

/// What a policy claims: `as LABEL` on a pattern.
struct Claim<'a> {
    policy: usize,
    rule: RuleId,
    label: &'a Arc<str>,
    takeover: bool,
    path: &'a PathRef,
}

/// The areas of all labels of the build.
pub(super) fn label_areas(
    set: &PolicySet,
    base: &Base,
    own: &mut OwnTypes,
    errors: &mut Vec<LowerError>,
) -> Vec<Area> {
    let mut out = Vec::new();
    let mut types: HashMap<(usize, Arc<str>), OwnNo> = HashMap::new();
    for claim in claims(set) {
        let fail = |kind| LowerError { span: claim.path.span, other: None, kind };
        let pattern = match area_of(&claim.path.pattern, claim.takeover) {
            Ok(pattern) => pattern,
            Err(kind) => {
                errors.push(fail(kind));
                continue;
            }
        };
        let key = (claim.policy, Arc::clone(claim.label));
        let known = out
            .iter()
            .any(|a: &Area| a.policy == key.0 && a.label.as_ref() == Some(&key.1) && a.pattern == pattern);
        if known {
            continue;
        }
        let Some(policy) = set.policies().get(claim.policy) else { continue };
        let main = match types.get(&key) {
            Some(known) => *known,
            None => {
                let about = format!("paths labelled `{}`, first by r{}", claim.label, claim.rule.0 + 1);
                match own.add((claim.policy, &policy.name), &[claim.label], sort_of(&pattern), about) {
                    Ok(no) => *types.entry(key).or_insert(no),
                    Err(kind) => {
                        errors.push(fail(kind));
                        continue;
                    }
                }
            }
        };
        let kind = if pattern.tail() == Tail::Directory { Kind::Directory } else { Kind::Any };
        let mut area = Area {
            policy: claim.policy,
            label: Some(Arc::clone(claim.label)),
            pattern,
            kind,
            span: claim.path.span,
            takeover: claim.takeover,
            main,
            displaced: Vec::new(),
            kept: Vec::new(),
        };
        match check(&mut area, base) {
            Ok(()) => out.push(area),
            Err(kind) => errors.push(fail(kind)),
        }
    }
    out
}

fn claims(set: &PolicySet) -> Vec<Claim<'_>> {
    let mut out = Vec::new();
    for (policy, data) in set.policies().iter().enumerate() {
        if data.demand(Target::Selinux) == canc_dsl::policy::Demand::Off {
            continue;
        }
        for rule in data.rules.iter().filter(|r| r.effect == Effect::Allow) {
            let Body::File(file) = &rule.body else { continue };
            let Some(label) = &file.label else { continue };
            let (name, takeover) = (&label.name, label.takeover);
            out.extend(file.paths.iter().map(|path| Claim {
                policy,
                rule: rule.id,
                label: name,
                takeover,
                path,
            }));
        }
    }
    out
}

/// Whether files there are of a log, and whether they are gone after a reboot.
fn sort_of(pattern: &Pattern) -> Sort {
    let prefix = pattern.literal_prefix();
    let below = |d: &str| prefix.strip_prefix(d).is_some_and(|r| r.is_empty() || r.starts_with('/'));
    Sort::Data {
        log: below("/var/log"),
        volatile: pattern.anchor() == Anchor::RunUser || below("/run") || below("/tmp") || below("/dev/shm"),
    }
}

/// What a claimed pattern labels.
fn area_of(pattern: &Pattern, takeover: bool) -> Result<Pattern, LowerErrorKind> {
    if let Some((mount, _)) = known::mounts().find(|(mount, _)| is_below(pattern, mount)) {
        return Err(LowerErrorKind::Virtual { mount: mount.into() });
    }
    let literals = pattern.literal_prefix_components();
    let names: Vec<Component> = pattern.components().iter().take(literals).cloned().collect();
    let directory = directory_name(pattern.anchor(), &names);
    let shared = match pattern.anchor() {
        Anchor::Root => known::is_shared(&directory),
        // A home or runtime directory itself is everybody's.
        _ => literals == 0,
    };
    match pattern.components().get(literals) {
        None if pattern.tail() != Tail::Subtree => Ok(pattern.clone()),
        None if !shared || takeover => Ok(pattern.clone()),
        Some(_) if !shared => Ok(Pattern::from_parts(pattern.anchor(), names, Tail::Subtree)),
        Some(Component::Glob(pieces)) if matches!(pieces.first(), Some(Piece::Lit(_))) || takeover => {
            let last = pattern.components().len() == literals + 1;
            let all = names.into_iter().chain([Component::Glob(pieces.clone())]).collect();
            Ok(Pattern::from_parts(pattern.anchor(), all, if last { pattern.tail() } else { Tail::Subtree }))
        }
        _ => Err(LowerErrorKind::Shared { directory }),
    }
}

fn is_below(pattern: &Pattern, directory: &str) -> bool {
    pattern.anchor() == Anchor::SelfProc
        || pattern
            .literal_prefix()
            .strip_prefix(directory)
            .is_some_and(|r| r.is_empty() || r.starts_with('/'))
}

fn directory_name(anchor: Anchor, names: &[Component]) -> String {
    Pattern::from_parts(anchor, names.to_vec(), Tail::Entry).to_string()
}

/// Whether the area's line wins against the base's, and what it displaces.
pub(super) fn check(area: &mut Area, base: &Base) -> Result<(), LowerErrorKind> {
    let line = FcPath::new(area.pattern.clone());
    let text = line.text();
    let rank = Rank::new(&text, area.kind);
    if let Some(same) = base.same_spelling(&text) {
        return Err(LowerErrorKind::Identical { line: text, ty: type_text(base, base.entry_type(same)) });
    }
    for place in [Place::Files, Place::Directories] {
        if place == Place::Directories && area.kind == Kind::Regular {
            continue;
        }
        let found = base
            .under(PathSet { pattern: &area.pattern, without: &[] }, place)
            .map_err(|e| LowerErrorKind::TooLarge { pattern: e.pattern })?;
        for hit in found {
            let theirs = base.rank(hit.entry);
            let default = is_parent_default(base, &hit);
            if !default && !area.takeover && theirs.stem >= rank.stem {
                return Err(LowerErrorKind::Specific {
                    line: base.pattern(hit.entry).into(),
                    ty: type_text(base, hit.ty),
                    witness: hit.witness,
                });
            }
            match (theirs < rank, default) {
                (false, _) => area.kept.push(hit),
                (true, false) => area.displaced.push(hit),
                (true, true) => {}
            }
        }
    }
    Ok(())
}

fn type_text(base: &Base, ty: Option<crate::selinux::base::TypeNo>) -> String {
    ty.map_or("<<none>>".into(), |t| base.type_name(t).into())
}

/// Whether a line gives what the directory would give anyhow.
pub(super) fn is_parent_default(base: &Base, hit: &Found) -> bool {
    hit.ty.is_none_or(|ty| known::PARENTS.contains(&base.type_name(ty)))
}

/// Areas that two labels claim, of one policy or of two.
pub(super) fn conflicts(set: &PolicySet, areas: &[Area], errors: &mut Vec<LowerError>) {
    let near = Near::new(areas.iter().map(|a| &a.pattern));
    let prefixes = |i: usize| areas.get(i).map(|a| a.pattern.prefixes()).unwrap_or_default();
    for (i, area) in areas.iter().enumerate() {
        for j in near.to(&area.pattern, &prefixes) {
            let Some(other) = areas.get(j).filter(|o| j < i && o.main != area.main) else { continue };
            match clash(area, other) {
                Ok(None) => {}
                Ok(Some(witness)) => {
                    let name = |a: &Area| {
                        set.policies().get(a.policy).map(|p| Arc::clone(&p.name)).unwrap_or_default()
                    };
                    let label = |a: &Area| a.label.clone().unwrap_or_else(|| "exec".into());
                    let kind = if area.policy == other.policy {
                        LowerErrorKind::TwoLabels { labels: [label(other), label(area)], witness }
                    } else {
                        LowerErrorKind::Claimed { policies: [name(other), name(area)], witness }
                    };
                    errors.push(LowerError { span: area.span, other: Some(other.span), kind });
                }
                Err(e) => errors.push(LowerError {
                    span: area.span,
                    other: None,
                    kind: LowerErrorKind::TooLarge { pattern: e.pattern },
                }),
            }
        }
    }
}

/// A path for which the order of lines would be chance: both lines match it, and their literal parts are equally long.
fn clash(a: &Area, b: &Area) -> Result<Option<String>, TooLarge> {
    let rank = |area: &Area| Rank::new(&FcPath::new(area.pattern.clone()).text(), area.kind);
    let (ra, rb) = (rank(a), rank(b));
    if ra.plain != rb.plain || ra.stem != rb.stem || !meet(&a.pattern, &b.pattern)? {
        return Ok(None);
    }
    Lang::patterns([&a.pattern])?.and(Lang::patterns([&b.pattern])?).witness(Universe::Paths)
}
