//! Two that claim the same thing, found before anything changes: policies among each other, and policies and what the host already has.

use super::disk::{at, known};
use super::engine::Engine;
use super::kernel::Facts;
use super::labels::check;
use super::state::{Applied, State, module_names};
use super::{Input, Stop};
use crate::failure::Failure;
use crate::loaded::Record;
use canc_bundle::glob::Glob;
use std::collections::BTreeMap;

/// Bundles that are applied together and have policies of one name.
pub fn among(inputs: &[Input]) -> Result<(), Stop> {
    let mut seen = BTreeMap::new();
    for (number, input) in inputs.iter().enumerate() {
        for policy in input.bundle.policies() {
            if seen.insert(&policy.name, number).is_some() {
                return no(
                    format!("policy {}", policy.name),
                    "two of the bundles have one of this name",
                    "rename one of them",
                );
            }
        }
    }
    Ok(())
}

/// Policies that would be installed, among each other and with what is on the host and not canc's.
pub fn with_host(engine: &Engine, from: &State, to: &State, facts: &Facts) -> Result<(), Stop> {
    among_policies(to)?;
    for (name, applied) in &to.policies {
        let old = from.policies.get(name);
        if old == Some(applied) {
            continue;
        }
        foreign_profile(engine, from, name, applied, facts)?;
        foreign_module(engine, from, name, applied, facts)?;
        foreign_attachment(to, name, applied, facts)?;
        let labelled = old.map(|old| &old.labelled);
        for declared in applied.labelled.iter().filter(|d| labelled.is_none_or(|old| !old.contains(*d))) {
            check(&engine.root, declared)?;
        }
    }
    Ok(())
}

fn among_policies(to: &State) -> Result<(), Stop> {
    let mut claims: BTreeMap<(&str, String), &str> = BTreeMap::new();
    let all: Vec<(&String, &Applied)> = to.policies.iter().collect();
    for (name, applied) in &all {
        let profile = applied.apparmor.iter().map(|entry| ("AppArmor profile", entry.profile.clone()));
        let modules = applied.selinux.iter().flat_map(module_names).map(|module| ("SELinux module", module));
        let labels = applied.labelled.iter().map(|declared| ("label of", declared.clone()));
        let attach = applied.attach.iter().map(|pattern| ("attachment to", pattern.clone()));
        for (kind, what) in attach.chain(profile).chain(modules).chain(labels) {
            if let Some(other) = claims.insert((kind, what.clone()), name) {
                return both(other, name, kind, &what);
            }
        }
    }
    for (i, (name, applied)) in all.iter().enumerate() {
        for (other, second) in all.iter().skip(i + 1) {
            for pattern in &applied.attach {
                if let Some(shared) = second.attach.iter().find(|p| overlap(pattern, p)) {
                    return both(name, other, "attachment to", shared);
                }
            }
        }
    }
    Ok(())
}

fn both(one: &str, other: &str, kind: &str, what: &str) -> Result<(), Stop> {
    let why = format!("both policy {one} and policy {other} claim it");
    no(format!("{kind} {what}"), &why, &format!("change one of them, or remove one: canc remove {one}"))
}

/// Whether one of the two is a path that the other takes. Two patterns with signs are compared as they stand.
fn overlap(one: &str, other: &str) -> bool {
    let takes = |pattern: &str, path: &str| Glob::parse(pattern).is_ok_and(|g| g.matches(path.as_bytes()));
    one == other || takes(one, other) || takes(other, one)
}

/// A file in the profile's place, or a loaded profile, that canc did not put there.
fn foreign_profile(
    engine: &Engine,
    from: &State,
    name: &str,
    applied: &Applied,
    facts: &Facts,
) -> Result<(), Stop> {
    let Some(entry) = &applied.apparmor else { return Ok(()) };
    if from.profiles().any(|(_, old)| old.profile == entry.profile) {
        return Ok(());
    }
    let file = engine.profile_file(entry);
    if known(std::fs::symlink_metadata(&file)).map_err(at(&file))?.is_some() {
        let why =
            format!("policy {name} needs this place, and a file that canc did not install stands there");
        let remedy = "see whose it is (dpkg -S, rpm -qf); move it away, or rename the policy";
        return no(file.display().to_string(), &why, remedy);
    }
    let loaded = facts.apparmor.as_ref().is_some_and(|profiles| profiles.contains_key(&entry.profile));
    // What `canc-run --load` put into the kernel is remembered, and is canc's.
    if loaded && !matches!(engine.record("apparmor", &entry.profile), Some(Record::Known { .. })) {
        let why = format!(
            "policy {name} needs this name, and the kernel has such a profile that canc did not load"
        );
        return no(
            format!("profile {}", entry.profile),
            &why,
            "see `aa-status`; unload it, or rename the policy",
        );
    }
    Ok(())
}

fn foreign_module(
    engine: &Engine,
    from: &State,
    name: &str,
    applied: &Applied,
    facts: &Facts,
) -> Result<(), Stop> {
    let (Some(entry), Some(selinux)) = (&applied.selinux, &facts.selinux) else { return Ok(()) };
    if matches!(engine.record("selinux", &entry.domain), Some(Record::Known { .. })) {
        return Ok(());
    }
    let ours = |module: &String| from.modules().any(|(_, old)| module_names(old).contains(module));
    match module_names(entry).into_iter().find(|m| selinux.modules.contains(m) && !ours(m)) {
        Some(module) => {
            let why = format!(
                "policy {name} needs this name, and SELinux's store has such a module that canc did not install"
            );
            let remedy =
                format!("see `semodule -lfull`; remove it (semodule -r {module}), or rename the policy");
            no(format!("module {module}"), &why, &remedy)
        }
        None => Ok(()),
    }
}

/// A loaded profile that programs of this policy enter already.
fn foreign_attachment(to: &State, name: &str, applied: &Applied, facts: &Facts) -> Result<(), Stop> {
    if applied.apparmor.is_none() {
        return Ok(());
    }
    for (other, profile) in facts.apparmor.iter().flatten() {
        if profile.attach.is_empty() || to.profiles().any(|(_, ours)| ours.profile == *other) {
            continue;
        }
        if let Some(pattern) = applied.attach.iter().find(|pattern| overlap(pattern, &profile.attach)) {
            let why =
                format!("policy {name} attaches to it, and so does the profile {other}, which is not canc's");
            let remedy = format!(
                "take that one out of use (aa-disable), or leave out `attach` and start it with canc-run {name}"
            );
            return no(format!("program {pattern}"), &why, &remedy);
        }
    }
    Ok(())
}

fn no(what: String, why: &str, remedy: &str) -> Result<(), Stop> {
    Err(Stop::No(Failure::refused(what, why, remedy)))
}
