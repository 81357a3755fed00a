//! The linked policy against the emitted text: a type has what the text says and what a bare type beside it has, no more and no less,
//! as the one who acts and as the one acted upon.

use super::Linked;
use super::corpus::{Bare, Case};
use crate::Error;
use crate::oracle::selinux::{Access, Transition};
use canc_codegen::selinux::read::te;
use std::collections::{BTreeMap, BTreeSet};

/// What is wrong with a case's types; nothing where all is as it was emitted.
pub fn check(linked: &Linked, bare: &Bare, case: &Case) -> Result<Vec<String>, Error> {
    let mut wrong = Vec::new();
    for module in case.said()? {
        for ty in &module.types {
            one(linked, &bare.beside(&module, ty), ty, &mut wrong)?;
        }
    }
    Ok(wrong)
}

/// The types that the checks ask about.
pub fn types(cases: &[Case], bare: &Bare) -> Result<BTreeSet<String>, Error> {
    let mut out: BTreeSet<String> = bare.names().collect();
    for case in cases {
        out.extend(case.said()?.into_iter().flat_map(|m| m.types));
    }
    Ok(out)
}

fn one(linked: &Linked, bare: &str, ty: &str, wrong: &mut Vec<String>) -> Result<(), Error> {
    let (found, beside) = (linked.reach(ty)?, linked.reach(bare)?);
    let (mut by, mut to) = (as_if(&beside.by, bare, ty), as_if(&beside.to, bare, ty));
    // What the bare type suffers from this one may be a rule of ours about all domains: what it may do itself is compared besides.
    to.retain(|(source, _), _| source != bare);
    let found_to: Access =
        found.to.iter().filter(|((s, _), _)| s != bare).map(|(k, v)| (k.clone(), v.clone())).collect();
    for allow in &linked.said.allows {
        let targets = linked.targets(allow);
        let mine: Vec<&String> = targets.iter().filter(|_| allow.source == ty).collect();
        mine.into_iter().for_each(|t| add(&mut by, t, allow));
        if targets.contains(ty) {
            add(&mut to, &allow.source, allow);
        }
    }
    for (what, found, expected) in [("may do", &found.by, &by), ("may suffer", &found_to, &to)] {
        let (more, less) = (difference(found, expected), difference(expected, found));
        if !more.is_empty() {
            wrong.push(format!("`{ty}` {what} more than was emitted: {more:?}"));
        }
        if !less.is_empty() {
            wrong.push(format!("`{ty}` {what} less than was emitted: {less:?}"));
        }
    }
    let found: BTreeSet<&Transition> = found.transitions.iter().collect();
    let mine = linked.said.transitions.iter().filter(|t| t.source == ty).map(transition);
    let expected: BTreeSet<Transition> = mine.collect();
    if found != expected.iter().collect() {
        wrong.push(format!("`{ty}` has the transitions {found:?} instead of {expected:?}"));
    }
    Ok(())
}

fn transition(said: &te::NewType) -> Transition {
    Transition {
        source: said.source.clone(),
        target: said.target.clone(),
        class: said.class.clone(),
        default: said.result.clone(),
        name: said.name.clone(),
    }
}

fn add(access: &mut Access, other: &str, allow: &te::Allow) {
    let perms = access.entry((other.to_owned(), allow.class.clone())).or_default();
    perms.extend(allow.perms.iter().cloned());
}

/// What the bare type has, told of another type in its place.
fn as_if(access: &Access, bare: &str, ty: &str) -> Access {
    let swapped = |name: &str| match name {
        name if name == bare => ty.to_owned(),
        name if name == ty => bare.to_owned(),
        name => name.to_owned(),
    };
    access.iter().map(|((name, class), perms)| ((swapped(name), class.clone()), perms.clone())).collect()
}

fn difference(a: &Access, b: &Access) -> Vec<String> {
    let lacks = |(key, perms): (&(String, String), &BTreeSet<String>)| {
        let other = b.get(key).cloned().unwrap_or_default();
        let left: Vec<String> = perms.difference(&other).cloned().collect();
        (!left.is_empty()).then(|| format!("{}:{} {{ {} }}", key.0, key.1, left.join(" ")))
    };
    a.iter().filter_map(lacks).collect()
}

/// The types that each attribute in a target stands for.
pub fn attributes(
    store: &crate::oracle::selinux::Store,
    said: &te::Module,
) -> Result<BTreeMap<String, BTreeSet<String>>, Error> {
    let used: BTreeSet<&String> = said.allows.iter().map(|a| &a.target).collect();
    let attributes = used.into_iter().filter(|t| !t.ends_with("_t") && *t != "self");
    attributes.map(|a| Ok((a.clone(), store.members(a)?))).collect()
}
