//! Two policies' meanings to the requests that one allows and the other does not, as few patterns with witnesses.

use super::{Change, Side};
use canc_codegen::seccomp::Lowered;
use canc_dsl::meaning::{Dim, Evaluator, Kind, Region, RequestSet, allow_regions, body_regions};
use canc_dsl::policy::{Body, Effect, FileOp, FileOps, FileRule, Rule, RuleId, UnixAddress, UnixRule};
use canc_sets::path::TooLarge;
use std::collections::{BTreeMap, BTreeSet};

/// What `after` allows and `before` does not; `side` is that of `after`.
pub fn gained(before: &Evaluator<'_>, after: &Evaluator<'_>, side: Side) -> Result<Vec<Change>, TooLarge> {
    let (here, there) = (candidates(after)?, candidates(before)?);
    let kinds: BTreeSet<Kind> = here.keys().chain(there.keys()).copied().collect();
    let none = Vec::new();
    let mut out = Vec::new();
    for kind in kinds {
        let (ours, theirs) = (here.get(&kind).unwrap_or(&none), there.get(&kind).unwrap_or(&none));
        if ours.iter().chain(theirs).any(|c| c.has_names()) {
            out.extend(by_pattern(before, after, side, ours, theirs)?);
        } else {
            out.extend(by_box(before, after, kind)?);
        }
    }
    Ok(joined(out))
}

/// The system calls that `after` makes and `before` refuses.
pub fn calls(before: &Lowered, after: &Lowered) -> Vec<Change> {
    let mut by_call: BTreeMap<&str, (Vec<&str>, bool, String)> = BTreeMap::new();
    for witness in after.made_beyond(before) {
        let known = by_call.entry(witness.call);
        let (arches, whole, _) = known.or_insert_with(|| (Vec::new(), true, witness.to_string()));
        arches.push(witness.arch.word());
        *whole &= !witness.depends;
    }
    let all = after.arches.len();
    let mut out: Vec<Change> = Vec::new();
    let mut together: Vec<(String, String)> = Vec::new();
    for (call, (arches, whole, witness)) in by_call {
        if whole && arches.len() == all {
            together.push((call.to_owned(), witness));
            continue;
        }
        let on = if arches.len() == all { String::new() } else { format!(" on {}", arches.join(", ")) };
        out.push(Change { what: format!("syscall {call}{on}"), whole, witness, rule: None });
    }
    if let Some((_, witness)) = together.first().cloned() {
        let names: Vec<String> = together.into_iter().map(|(name, _)| name).collect();
        out.insert(
            0,
            Change { what: format!("syscall {}", names.join(", ")), whole: true, witness, rule: None },
        );
    }
    out
}

/// A part of a rule that is about one pattern, as where a difference may be.
struct Candidate {
    effect: Effect,
    rule: RuleId,
    region: Region,
    near: String,
    /// What the pattern selects, as a rule would say it without its first word.
    what: String,
    /// Equal for equal regions.
    key: String,
}

impl Candidate {
    fn has_names(&self) -> bool {
        self.region.dims.iter().any(|d| matches!(d, Dim::Paths(_) | Dim::Names(_)))
    }
}

fn candidates(evaluator: &Evaluator<'_>) -> Result<BTreeMap<Kind, Vec<Candidate>>, TooLarge> {
    let mut out: BTreeMap<Kind, Vec<Candidate>> = BTreeMap::new();
    for rule in &evaluator.policy().rules {
        for (body, what, near) in parts(rule) {
            let regions = match rule.effect {
                Effect::Allow => allow_regions(&body, evaluator.peers())?,
                Effect::Deny => body_regions(&body, evaluator.peers())?,
            };
            let key = format!("{:?}", body.plain());
            for region in regions {
                let candidate = Candidate {
                    effect: rule.effect,
                    rule: rule.id,
                    near: near.clone(),
                    what: what.clone(),
                    key: key.clone(),
                    region,
                };
                out.entry(candidate.region.kind).or_default().push(candidate);
            }
        }
    }
    Ok(out)
}

/// A rule as rules with one pattern each; what each selects, and a literal prefix of its paths.
fn parts(rule: &Rule) -> Vec<(Body, String, String)> {
    match &rule.body {
        Body::File(file) => file
            .paths
            .iter()
            .flat_map(|path| {
                let (who, except) = (if file.owner { "owner " } else { "" }, excepted(&file.except));
                let what = format!("{who}\"{}\"{except}", path.pattern);
                file.ops.iter().map(move |op| {
                    let one = FileRule { ops: FileOps::of(&[op]), paths: vec![path.clone()], ..file.clone() };
                    (Body::File(one), what.clone(), path.pattern.literal_prefix())
                })
            })
            .collect(),
        Body::Unix(unix) => match &unix.address {
            UnixAddress::Paths(paths) => paths
                .iter()
                .map(|path| {
                    let address = UnixAddress::Paths(vec![path.clone()]);
                    let what = format!("\"{}\"{}", path.pattern, excepted(&unix.except));
                    (Body::Unix(UnixRule { address, ..unix.clone() }), what, "/".to_owned())
                })
                .collect(),
            UnixAddress::Abstract(_) => vec![(rule.body.clone(), String::new(), "/".into())],
        },
        body => vec![(body.clone(), String::new(), "/".into())],
    }
}

fn excepted(except: &[canc_dsl::policy::PathRef]) -> String {
    let list: Vec<String> = except.iter().map(|p| format!("\"{}\"", p.pattern)).collect();
    if list.is_empty() { String::new() } else { format!(" except {}", list.join(", ")) }
}

/// Kinds whose selectors are short lists: the difference itself is what is said.
fn by_box(before: &Evaluator<'_>, after: &Evaluator<'_>, kind: Kind) -> Result<Vec<Change>, TooLarge> {
    let gained = after.allowed(kind, "/")?.minus(&before.allowed(kind, "/")?);
    let mut out: Vec<Change> = Vec::new();
    for region in gained.regions {
        let words = region.words(after.peers());
        if let Some(witness) = RequestSet::new(vec![region]).witness(after.peers())? {
            let what = words.unwrap_or_else(|| witness.clone());
            if !out.iter().any(|c| c.what == what) {
                out.push(Change { what, whole: true, witness, rule: None });
            }
        }
    }
    Ok(out)
}

/// Kinds with paths or names: the patterns of allows that are new and of denies that are gone, as far as they differ.
fn by_pattern(
    before: &Evaluator<'_>,
    after: &Evaluator<'_>,
    side: Side,
    ours: &[Candidate],
    theirs: &[Candidate],
) -> Result<Vec<Change>, TooLarge> {
    let keys = |list: &[Candidate], effect| -> BTreeSet<String> {
        list.iter().filter(|c| c.effect == effect).map(|c| c.key.clone()).collect()
    };
    let (their_allows, our_denies) = (keys(theirs, Effect::Allow), keys(ours, Effect::Deny));
    let denied_alike = keys(theirs, Effect::Deny).is_subset(&our_denies);
    let other = if side == Side::New { Side::Old } else { Side::New };
    // What was allowed by the same words is allowed now, unless a deny is gone.
    let new_allow =
        |c: &&Candidate| c.effect == Effect::Allow && !(denied_alike && their_allows.contains(&c.key));
    let gone_deny = |c: &&Candidate| c.effect == Effect::Deny && !our_denies.contains(&c.key);
    let places = ours.iter().filter(new_allow).map(|c| (c, side));
    let places = places.chain(theirs.iter().filter(gone_deny).map(|c| (c, other)));
    let mut found = Vec::new();
    for (candidate, side) in places {
        let kind = candidate.region.kind;
        let all = RequestSet::new(vec![candidate.region.clone()]);
        let part = all.intersect(&after.allowed(kind, &candidate.near)?);
        let part = part.minus(&before.allowed(kind, &candidate.near)?);
        if let Some(witness) = part.witness(after.peers())? {
            let whole = all.minus(&part).is_empty()?;
            found.push((!whole, candidate, side, part, witness));
        }
    }
    found.sort_by(|a, b| (a.0, a.1.what.len(), &a.1.what).cmp(&(b.0, b.1.what.len(), &b.1.what)));
    cover(found)
}

/// A place, its side, what of it differs, and a witness; the flag is false where all of it does.
type Found<'c> = (bool, &'c Candidate, Side, RequestSet, String);

/// The fewest of the places, in their order, that have all of the difference.
fn cover(found: Vec<Found<'_>>) -> Result<Vec<Change>, TooLarge> {
    let mut covered: Vec<(&str, RequestSet)> = Vec::new();
    let mut out = Vec::new();
    for (partly, candidate, side, part, witness) in found {
        // Only what lies on the way to these paths, or below them, can have them already.
        let near = candidate.near.as_str();
        let meets = |other: &str| near.starts_with(other) || other.starts_with(near);
        let mut left = part.clone();
        for (_, known) in covered.iter().filter(|(other, _)| meets(other)) {
            left = left.minus(known);
        }
        if left.is_empty()? {
            continue;
        }
        let verb = verb(candidate.region.kind);
        let what = match candidate.what.as_str() {
            "" => witness.clone(),
            what => format!("{verb} {what}"),
        };
        let whole = !partly && !candidate.what.is_empty();
        out.push(Change { what, whole, witness, rule: Some((side, candidate.rule)) });
        covered.push((near, part));
    }
    Ok(out)
}

fn verb(kind: Kind) -> String {
    match kind {
        Kind::File(op) => FileOp::word(op).into(),
        Kind::UnixPath { listen: true } => "listen unix".into(),
        Kind::UnixPath { listen: false } => "connect unix".into(),
        _ => String::new(),
    }
}

/// Changes of several accesses to one pattern as one: `read, list "/srv/**"`.
fn joined(changes: Vec<Change>) -> Vec<Change> {
    let mut out: Vec<(String, String, Change)> = Vec::new();
    for change in changes {
        let (verb, rest) = match change.what.find('"').filter(|_| change.rule.is_some()) {
            Some(at) => {
                let at = change.what.find("owner \"").unwrap_or(at);
                (change.what[..at].trim().to_owned(), change.what[at..].to_owned())
            }
            None => (String::new(), change.what.clone()),
        };
        let same = |(_, r, c): &&mut (String, String, Change)| {
            *r == rest && (c.whole, c.rule) == (change.whole, change.rule) && !verb.is_empty()
        };
        match out.iter_mut().find(same) {
            Some((verbs, rest, known)) => {
                *verbs = format!("{verbs}, {verb}");
                known.what = format!("{verbs} {rest}");
            }
            None => out.push((verb, rest, change)),
        }
    }
    out.into_iter().map(|(_, _, change)| change).collect()
}
