//! `canc why`: a request to the decision of the policy and of every layer, with the rules behind it.

use super::compile::{Compiled, compile, options, refuse};
use super::provenance::{RuleReport, rule};
use super::target_options::build_options;
use super::{Failure, Outcome, choose, to_json};
use crate::args::WhyArgs;
use crate::exit::Exit;
use crate::paint::Paint;
use crate::render::{self, Look};
use crate::stream::Streams;
use canc_analysis::why::{Answer, Done, Host, LayerAnswer, Unanswered, why};
use canc_codegen::build::{Subject, lower};
use canc_dsl::policy::{PolicySet, Request, RuleId};
use canc_dsl::source::SourceMap;
use canc_dsl::{parse_request, spell};
use serde::Serialize;

/// The answer as scripts see it.
#[derive(Serialize)]
struct Report {
    policy: String,
    request: String,
    decision: &'static str,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_allowed: Option<String>,
    rules: Vec<RuleReport>,
    deployments: Vec<HostReport>,
}

#[derive(Serialize)]
struct HostReport {
    deployment: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_by: Option<String>,
    decision: &'static str,
    /// Whether the layers do together what the policy says.
    agrees: bool,
    layers: Vec<LayerReport>,
}

#[derive(Serialize)]
struct LayerReport {
    layer: &'static str,
    decision: &'static str,
    /// Whether the layer grants it to every policy.
    base: bool,
    rules: Vec<RuleReport>,
}

pub fn run(args: &WhyArgs, streams: &mut Streams<'_>) -> Outcome {
    if let Some(log) = &args.audit {
        return super::why_audit::run(args, log, streams);
    }
    let json = args.source.json;
    let targets = build_options(&args.source, &args.deployments)?;
    let mut compiled = compile(&args.source)?;
    let Some(set) = compiled.policies.take() else { return Ok(refuse(json, &compiled, streams)) };
    let policy = choose(set.policies(), args.policy_name.as_deref(), |p| &p.name)?;
    let Some((request, text)) = request(args, &set, streams)? else { return Ok(Exit::Usage) };
    let lowered = match lower(&set, &targets) {
        Ok(lowered) => lowered,
        Err(errors) => {
            compiled.diagnostics.extend(errors);
            return Ok(refuse(json, &compiled, streams));
        }
    };
    let subject = Subject::new(&set, &lowered, &targets);
    let answer = why(&subject, &policy.name, &request).map_err(|e| match e {
        Unanswered::TooLarge(_) => Failure { exit: Exit::Policy, message: e.to_string() },
        _ => Failure::usage(e.to_string()),
    })?;
    let report = report(&policy.name, text, &answer, &set, &compiled);
    streams.out(&if json { to_json(&report) } else { shown(&report, Paint(streams.color)) });
    Ok(if answer.decision.done == Done::Allowed { Exit::Done } else { Exit::No })
}

/// The request and its text; `None` where it was wrong, which was said.
fn request(
    args: &WhyArgs,
    set: &PolicySet,
    streams: &mut Streams<'_>,
) -> Result<Option<(Request, String)>, Failure> {
    let several = args.request.len() > 1;
    // A word of the shell that is a path may have blanks in it.
    let word = |w: &String| match several && w.starts_with('/') {
        true => format!("\"{}\"", spell::literal_path(w)),
        false => w.clone(),
    };
    let text = args.request.iter().map(word).collect::<Vec<_>>().join(" ");
    let text = text.trim().trim_end_matches(';');
    let reading = parse_request(text, set, &options(&args.source)?);
    if let Some(request) = reading.request {
        let text = reading.sources.text(request.span).to_owned();
        return Ok(Some((request, text)));
    }
    if args.source.json {
        let diagnostics = render::json(&reading.diagnostics, &reading.sources);
        streams.out(&to_json(&serde_json::json!({ "ok": false, "diagnostics": diagnostics })));
    } else {
        let look = Look { color: streams.color, ..Look::PLAIN };
        streams.err(&render::text(&reading.diagnostics, &reading.sources, look));
    }
    Ok(None)
}

fn report(policy: &str, request: String, answer: &Answer, set: &PolicySet, compiled: &Compiled) -> Report {
    let sources = &compiled.sources;
    Report {
        policy: policy.into(),
        request,
        decision: answer.decision.done.word(),
        reason: answer.decision.reason.clone(),
        not_allowed: answer.decision.not_allowed.clone(),
        rules: rules(set, policy, &answer.decision.rules, sources),
        deployments: answer.hosts.iter().map(|h| host(h, answer, set, sources)).collect(),
    }
}

fn rules(set: &PolicySet, policy: &str, ids: &[RuleId], sources: &SourceMap) -> Vec<RuleReport> {
    let Some(policy) = set.policy(policy) else { return Vec::new() };
    ids.iter().filter_map(|id| rule(policy, *id, sources)).collect()
}

fn host(host: &Host, answer: &Answer, set: &PolicySet, sources: &SourceMap) -> HostReport {
    let layer = |l: &LayerAnswer| LayerReport {
        layer: l.name.word(),
        decision: l.done.word(),
        base: l.base,
        rules: rules(set, &l.policy, &l.rules, sources),
    };
    HostReport {
        deployment: host.deployment.word(),
        started_by: host.starter.as_ref().map(ToString::to_string),
        decision: host.done.word(),
        agrees: host.done == answer.decision.done,
        layers: host.layers.iter().map(layer).collect(),
    }
}

fn shown(report: &Report, paint: Paint) -> String {
    let verb = match report.decision {
        "allowed" => paint.good("allows"),
        "denied" => paint.bad("denies"),
        _ => paint.bad("allows a part of"),
    };
    let mut out = format!("{} {verb} {}: {}\n", paint.bold(&report.policy), report.request, report.reason);
    rule_lines(&mut out, 4, report.rules.iter());
    if let Some(witness) = &report.not_allowed {
        out.push_str(&format!("  not allowed is {witness}\n"));
    }
    for host in &report.deployments {
        let by = host.started_by.as_ref().map(|p| format!(", started by {p}")).unwrap_or_default();
        let differs = if host.agrees { String::new() } else { paint.bad(" (not what the policy says)") };
        out.push_str(&format!("on {}{by}: {}{differs}\n", host.deployment, host.decision));
        host.layers.iter().for_each(|l| layer_line(&mut out, l, report));
    }
    out
}

fn layer_line(out: &mut String, layer: &LayerReport, report: &Report) {
    let what = match layer.decision {
        "allowed" => "permits it",
        "denied" => "refuses it",
        "partly" => "permits a part of it",
        _ => "does not see it",
    };
    let base = if layer.base { ", as it does for every policy" } else { "" };
    out.push_str(&format!("  {:9} {what}{base}\n", layer.layer));
    // What the policy itself was said to have decided by is not said again for each layer.
    rule_lines(out, 6, layer.rules.iter().filter(|r| !report.rules.contains(r)));
}

/// How many rules people are shown; scripts get all.
const SHOWN: usize = 6;

fn rule_lines<'r>(out: &mut String, indent: usize, rules: impl Iterator<Item = &'r RuleReport>) {
    let rules: Vec<&RuleReport> = rules.collect();
    for rule in rules.iter().take(SHOWN) {
        out.push_str(&format!("{:indent$}{}\n", "", rule.line()));
    }
    if rules.len() > SHOWN {
        out.push_str(&format!("{:indent$}and {} rules more\n", "", rules.len() - SHOWN));
    }
}
