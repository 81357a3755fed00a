//! `canc apply`: policies, compiled in memory, and bundles to a host, after its own tools took them in a trial.

use super::compile::{compile_and_build, refuse};
use super::installed::{RuleChange, change, engine, stopped};
use super::words::keep;
use super::{Failure, Outcome, refuse_options_of_a_build};
use crate::args::{ARCHES, ApplyArgs};
use crate::exit::Exit;
use crate::stream::Streams;
use crate::validate::{self, Options};
use crate::write;
use canc_bundle::{MANIFEST, Manifest, PolicyEntry};
use canc_runtime::Bundle;
use canc_runtime::apply::{Engine, Input, Plan, Units};
use serde::de::IgnoredAny;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

type Files = BTreeMap<String, Vec<u8>>;
/// Where a source is, and what is kept of it.
type Origin = (String, Vec<u8>);
/// A manifest without rules, and its files.
type Parts = (Manifest<[(); 0]>, Files);

pub fn run(args: &ApplyArgs, streams: &mut Streams<'_>) -> Outcome {
    let mut all = Vec::new();
    let mut inputs = Vec::new();
    for subject in &args.subjects {
        let (files, kept) = match opened(args, subject, streams)? {
            Ok(found) => found,
            Err(refused) => return Ok(refused),
        };
        let manifest = files.get(MANIFEST).cloned().unwrap_or_default();
        let bundle =
            Bundle::from_memory(&manifest, files.clone()).map_err(|f| Failure::host(f.to_string()))?;
        let (origin, source) = kept.unzip();
        inputs.push(Input { bundle, origin, source, units: Units::Same });
        all.push(files);
    }
    give_units(args, &mut inputs)?;
    let engine = engine(&args.change.place)?;
    let did = args.subjects.iter().map(|s| s.display().to_string()).collect::<Vec<_>>().join(" ");
    change(
        &engine,
        &args.change,
        &format!("apply {did}"),
        streams,
        |engine| {
            let plan = engine.plan(&inputs).map_err(stopped)?;
            let rules = rules(engine, &plan, &all);
            Ok((plan, rules))
        },
        |plan| trial(args, plan, &all),
        &inputs,
    )
}

/// Which service is to run under which policy.
fn give_units(args: &ApplyArgs, inputs: &mut [Input]) -> Result<(), Failure> {
    if args.no_unit {
        inputs.iter_mut().for_each(|input| input.units = Units::None);
    }
    let Some(asked) = &args.unit else { return Ok(()) };
    let names: Vec<String> =
        inputs.iter().flat_map(|input| input.bundle.policies()).map(|policy| policy.name.clone()).collect();
    let (policy, unit) = match (asked.split_once('='), names.as_slice()) {
        (Some((policy, unit)), _) => (policy.to_owned(), unit.to_owned()),
        (None, [policy]) => (policy.clone(), asked.clone()),
        (None, _) => {
            let names = names.join(", ");
            return Err(Failure::usage(format!("there are the policies {names}: say --unit NAME={asked}")));
        }
    };
    let owner = inputs.iter_mut().find(|input| input.bundle.policies().iter().any(|p| p.name == policy));
    match owner {
        Some(input) => input.units = Units::Of(policy, unit),
        None => {
            return Err(Failure::usage(format!(
                "there is no policy {policy}; there are {}",
                names.join(", ")
            )));
        }
    }
    Ok(())
}

/// The files of a bundle and where its source is; or the exit code where the policy is wrong and the diagnostics say so.
fn opened(
    args: &ApplyArgs,
    subject: &Path,
    streams: &mut Streams<'_>,
) -> Result<Result<(Files, Option<Origin>), Exit>, Failure> {
    if subject.is_dir() {
        refuse_options_of_a_build(&args.compile.given(), subject)?;
        let read = Bundle::open(subject).and_then(|bundle| bundle.files());
        let (manifest, files) = read.map_err(|f| Failure::host(f.to_string()))?;
        let files = files.into_iter().chain([(MANIFEST.to_owned(), manifest)]).collect();
        return Ok(Ok((files, None)));
    }
    let source = args.compile.source(subject, ARCHES.split(',').map(str::to_owned).collect());
    let (compiled, built) = compile_and_build(&source)?;
    let Some(built) = built else { return Ok(Err(refuse(args.change.place.json, &compiled, streams))) };
    let origin = subject.canonicalize().ok().and_then(|path| path.to_str().map(str::to_owned));
    let kept = origin.zip(keep(&source, &compiled.sources));
    Ok(Ok((built.files.into_iter().collect(), kept)))
}

/// The rules, by their text, in which policies differ from what is installed under their names.
fn rules(engine: &Engine, plan: &Plan, all: &[Files]) -> Vec<RuleChange> {
    let mut out = Vec::new();
    for policy in all.iter().filter_map(|files| files.get(MANIFEST)).flat_map(|bytes| policies(bytes)) {
        let (Some(old), Some(new)) =
            (plan.from.policies.get(&policy.name), plan.to.policies.get(&policy.name))
        else {
            continue;
        };
        if old.bundle == new.bundle {
            continue;
        }
        // What cannot be read cannot be compared; the plan says that it was changed by hand.
        let bytes = std::fs::read(engine.bundle_of(old).join(MANIFEST)).unwrap_or_default();
        let Some(before) = policies(&bytes).into_iter().find(|p| p.name == policy.name) else { continue };
        let texts = |p: &PolicyEntry| p.rules.iter().map(|r| r.text.clone()).collect::<BTreeSet<_>>();
        let (before, after) = (texts(&before), texts(&policy));
        let mut add = |does, one: &BTreeSet<String>, other: &BTreeSet<String>| {
            let rules = one.difference(other).cloned();
            out.extend(rules.map(|rule| RuleChange { policy: policy.name.clone(), does, rule }));
        };
        add("adds", &after, &before);
        add("drops", &before, &after);
    }
    out
}

fn policies(manifest: &[u8]) -> Vec<PolicyEntry> {
    serde_json::from_slice::<Manifest>(manifest).map(|manifest| manifest.policies).unwrap_or_default()
}

/// Asks the host's own tools about the profiles and modules that are new, all in one bundle, since that is how they are installed.
fn trial(args: &ApplyArgs, plan: &Plan, all: &[Files]) -> Result<Option<Exit>, Failure> {
    let Some((manifest, files)) = new_parts(plan, all)? else { return Ok(None) };
    let dir = tempfile::Builder::new().prefix("canc-trial-").tempdir();
    let dir = dir.map_err(|e| Failure::host(format!("cannot make a temporary directory: {e}")))?;
    let bundle = dir.path().join("bundle");
    let manifest = serde_json::to_vec(&manifest).map_err(|e| Failure::host(e.to_string()))?;
    let files: Vec<_> = files.into_iter().chain([(MANIFEST.to_owned(), manifest)]).collect();
    write::bundle(&bundle, &files, &[]).map_err(|e| Failure::host(e.to_string()))?;
    let place = &args.change.place;
    let limit = place.tool_limit.map(Duration::from_secs);
    let options = Options { sysroot: None, beside: place.root.clone(), limit };
    let report = validate::run(&bundle, &options).map_err(Failure::host)?;
    match report.exit() {
        Exit::Done => Ok(None),
        exit => {
            let message = format!("nothing was changed; the host's own tools:\n{}", report.text().trim_end());
            Err(Failure { exit, message })
        }
    }
}

/// The policies whose profile or module is new, with these parts alone; `None` where there is none.
fn new_parts(plan: &Plan, all: &[Files]) -> Result<Option<Parts>, Failure> {
    let new: BTreeSet<(&str, &str)> = plan
        .changes
        .iter()
        .filter(|change| change.does != "keep")
        .map(|change| (change.policy.as_str(), change.layer.as_str()))
        .collect();
    let mut merged: Option<Manifest<[(); 0]>> = None;
    let mut files = Files::new();
    for one in all {
        let bytes = one.get(MANIFEST).cloned().unwrap_or_default();
        let manifest: Manifest<IgnoredAny> =
            serde_json::from_slice(&bytes).map_err(|e| Failure::host(e.to_string()))?;
        let Manifest { format, compiler, source, options, policies } = manifest;
        let wanted = |policy: &str, layer| new.contains(&(policy, layer));
        let policies = policies.into_iter().map(|p| PolicyEntry {
            selinux: p.selinux.filter(|_| wanted(&p.name, "selinux")),
            apparmor: p.apparmor.filter(|_| wanted(&p.name, "apparmor")),
            seccomp: None,
            landlock: None,
            rules: [],
            name: p.name,
            launch: p.launch,
            decisions: p.decisions,
        });
        let policies: Vec<_> = policies.filter(|p| p.selinux.is_some() || p.apparmor.is_some()).collect();
        if policies.is_empty() {
            continue;
        }
        files.extend(one.iter().filter(|(name, _)| *name != MANIFEST).map(|(n, b)| (n.clone(), b.clone())));
        match &mut merged {
            Some(merged) => merged.policies.extend(policies),
            None => merged = Some(Manifest { format, compiler, source, options, policies }),
        }
    }
    Ok(merged.map(|manifest| (manifest, files)))
}
