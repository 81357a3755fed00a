//! `canc doctor`: what this host offers, found out by trying; and what it makes of a policy that is compiled for just this host.

use super::compile::{Compiled, compile, print_diagnostics, refuse};
use super::target_options::build_options;
use super::{Failure, Outcome, to_json};
use crate::args::{DoctorArgs, SourceArgs};
use crate::doctor::policy::{Answer, answers};
use crate::doctor::{text, tools};
use crate::exit::Exit;
use crate::paint::Paint;
use crate::render;
use crate::stream::Streams;
use canc_codegen::apparmor::ApparmorOptions;
use canc_codegen::apparmor::features::{Abi, FeatureSet};
use canc_codegen::build::{BuildOptions, build};
use canc_codegen::coverage::NEWEST_LANDLOCK;
use canc_dsl::policy::{Deployment, PolicySet};
use canc_runtime::diagnose::{confines, diagnose};
use canc_runtime::survey::{Survey, survey};
use std::path::Path;

pub fn run(args: &DoctorArgs, streams: &mut Streams<'_>) -> Outcome {
    let host = survey(tools());
    let (checks, good) = (diagnose(&host), confines(&host));
    let asked = match &args.policy {
        None => None,
        Some(policy) => match ask(args, policy, &host, streams)? {
            Asked::Wrong => return Ok(Exit::Policy),
            Asked::Answered(answered) => Some(answered),
        },
    };
    let enforceable = asked
        .as_ref()
        .is_none_or(|asked| asked.refused.is_none() && asked.policies.iter().all(Answer::enforceable));
    let ok = good && enforceable;
    if args.json {
        let mut report = serde_json::json!({ "ok": ok, "confines": good, "checks": checks, "host": host });
        if let (Some(asked), Some(report)) = (&asked, report.as_object_mut()) {
            report.insert("policies".into(), serde_json::json!(asked.policies));
            report.insert("diagnostics".into(), asked.refused.clone().unwrap_or_default());
        }
        streams.out(&to_json(&report));
    } else {
        let paint = Paint(streams.color);
        streams.out(&text(&host, &checks, good, paint));
        for answer in asked.iter().flat_map(|asked| &asked.policies) {
            streams.out(&answer.text(paint));
        }
    }
    Ok(if ok { Exit::Done } else { Exit::No })
}

/// What became of the question about a policy.
enum Asked {
    /// The policy does not compile, which was said.
    Wrong,
    /// The host's answers.
    Answered(Answered),
}

struct Answered {
    policies: Vec<Answer>,
    /// What the compiler says where no host of this kind enforces a `deny` or `require` of the policy.
    refused: Option<serde_json::Value>,
}

fn ask(args: &DoctorArgs, policy: &Path, host: &Survey, streams: &mut Streams<'_>) -> Result<Asked, Failure> {
    let source = source(args, policy, host);
    let (options, deployment) = options(&source, host)?;
    let mut compiled = compile(&source)?;
    let Some(set) = compiled.policies.take() else {
        refuse(args.json, &compiled, streams);
        return Ok(Asked::Wrong);
    };
    match build(&set, &compiled.sources, &options) {
        Ok(built) => {
            let policies = answers(&built.manifest, deployment).map_err(Failure::host)?;
            Ok(Asked::Answered(Answered { policies, refused: None }))
        }
        Err(errors) => not_here(args, &source, set, (compiled, errors), streams),
    }
}

/// A policy that no host of this kind enforces is right as long as some other kind does.
fn not_here(
    args: &DoctorArgs,
    source: &SourceArgs,
    set: PolicySet,
    (mut compiled, errors): (Compiled, Vec<canc_dsl::diag::Diagnostic>),
    streams: &mut Streams<'_>,
) -> Result<Asked, Failure> {
    let elsewhere = build(&set, &compiled.sources, &build_options(source, &[])?);
    if let Err(errors) = elsewhere {
        compiled.diagnostics.extend(errors);
        refuse(args.json, &compiled, streams);
        return Ok(Asked::Wrong);
    }
    if !args.json {
        print_diagnostics(&errors, &compiled.sources, streams);
    }
    let refused = serde_json::json!(render::json(&errors, &compiled.sources));
    Ok(Asked::Answered(Answered { policies: Vec::new(), refused: Some(refused) }))
}

/// What `canc build` would be told to build for this host.
fn source(args: &DoctorArgs, policy: &Path, host: &Survey) -> SourceArgs {
    let old_parser =
        host.apparmor.as_ref().is_some_and(|a| !a.abis.is_empty() && !a.abis.iter().any(|abi| abi == "4.0"));
    SourceArgs {
        selinux_base: args.selinux_base.clone().unwrap_or_else(distribution),
        apparmor_abi: if old_parser { "3.0" } else { "4.0" }.into(),
        json: args.json,
        ..SourceArgs::new(policy, &args.set, vec![host.arch.clone()], args.allow_raw)
    }
}

/// The built-in base of this host's distribution: os-release(5).
fn distribution() -> String {
    let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let fedora = text.lines().any(|line| {
        line.split_once('=').is_some_and(|(key, value)| {
            matches!(key, "ID" | "ID_LIKE")
                && value.trim_matches('"').split(' ').any(|id| matches!(id, "fedora" | "rhel"))
        })
    });
    if fedora { "fedora" } else { "debian13" }.into()
}

/// The one kind of host that matters: this one, with its kernel's features and its Landlock.
fn options(source: &SourceArgs, host: &Survey) -> Result<(BuildOptions, Deployment), Failure> {
    let mut options = build_options(source, &[])?;
    let deployment = match (&host.selinux, &host.apparmor) {
        (Some(_), _) => Deployment::Selinux,
        (None, Some(_)) => Deployment::Apparmor,
        (None, None) => Deployment::Bare,
    };
    let abi = if host.landlock.ruleset.works() { host.landlock.abi.min(NEWEST_LANDLOCK) } else { 0 };
    options.deployments = vec![(deployment, abi)];
    if let Some(features) = host.apparmor.as_ref().and_then(|apparmor| apparmor.features.as_ref()) {
        let abi = if source.apparmor_abi == "3.0" { Abi::V3 } else { Abi::V4 };
        let odd = |e: &dyn std::fmt::Display| {
            Failure::host(format!("this kernel's AppArmor features cannot be read: {e}"))
        };
        let set = FeatureSet::parse(features).map_err(|e| odd(&e))?;
        options.apparmor = ApparmorOptions::new(abi, set).map_err(|e| odd(&e))?;
        options.apparmor_features = "this host".into();
    }
    Ok((options, deployment))
}
