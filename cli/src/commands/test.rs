//! `canc test`: prove the tests in a policy against its meaning and against what every layer permits.

use super::compile::{compile_with, refuse};
use super::target_options::build_options;
use super::{Failure, Outcome, to_json, watch};
use crate::args::TestArgs;
use crate::exit::Exit;
use crate::input::Disk;
use crate::paint::Paint;
use crate::stream::Streams;
use canc_analysis::prove::{Finding, prove};
use canc_codegen::build::{Subject, build};
use canc_dsl::Loader;
use canc_dsl::policy::{PolicySet, Test};
use canc_dsl::source::{SourceMap, Span};
use serde::Serialize;

/// One test as scripts see it.
#[derive(Serialize)]
struct Report {
    title: String,
    passed: bool,
    assertions: Vec<AssertionReport>,
}

#[derive(Serialize)]
struct AssertionReport {
    text: String,
    file: String,
    line: usize,
    passed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<FindingReport>,
}

#[derive(Serialize)]
struct FindingReport {
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment: Option<&'static str>,
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules: Vec<String>,
}

pub fn run(args: &TestArgs, streams: &mut Streams<'_>) -> Outcome {
    if args.watch {
        return watch::run(&args.source.policy, streams, |files, streams| once(args, files, streams));
    }
    once(args, &Disk, streams)
}

fn once(args: &TestArgs, files: &dyn Loader, streams: &mut Streams<'_>) -> Outcome {
    let options = build_options(&args.source, &[])?;
    let mut compiled = compile_with(&args.source, files)?;
    let Some(set) = compiled.policies.take() else { return Ok(refuse(args.source.json, &compiled, streams)) };
    let built = match build(&set, &compiled.sources, &options) {
        Ok(built) => built,
        Err(errors) => {
            compiled.diagnostics.extend(errors);
            return Ok(refuse(args.source.json, &compiled, streams));
        }
    };
    let subject = Subject::new(&set, &built.lowered, &options);
    let reports = reports(&set, &subject, &compiled.sources)?;
    let passed = reports.iter().all(|r| r.passed);
    if args.source.json {
        streams.out(&to_json(&serde_json::json!({ "ok": passed, "tests": reports })));
    } else {
        streams.out(&text(&reports, Paint(streams.color)));
    }
    Ok(if passed { Exit::Done } else { Exit::No })
}

fn reports(set: &PolicySet, subject: &Subject<'_>, sources: &SourceMap) -> Result<Vec<Report>, Failure> {
    set.tests().iter().map(|t| report(t, subject, sources)).collect()
}

fn report(test: &Test, subject: &Subject<'_>, sources: &SourceMap) -> Result<Report, Failure> {
    let proofs = prove(subject, test).map_err(|e| Failure { exit: Exit::Policy, message: e.to_string() })?;
    let assertions: Vec<AssertionReport> = proofs
        .iter()
        .map(|proof| {
            let (file, line) = place(sources, proof.assertion.span);
            AssertionReport {
                text: one_line(sources.text(proof.assertion.span)),
                file,
                line,
                passed: proof.findings.is_empty(),
                findings: proof
                    .findings
                    .iter()
                    .map(|f| finding(f, &proof.assertion.policy, subject, sources))
                    .collect(),
            }
        })
        .collect();
    Ok(Report { title: test.title.to_string(), passed: assertions.iter().all(|a| a.passed), assertions })
}

fn finding(finding: &Finding, policy: &str, subject: &Subject<'_>, sources: &SourceMap) -> FindingReport {
    let rule = |id: &canc_dsl::policy::RuleId| {
        let rule = subject.set.policy(policy)?.rule(*id)?;
        let (file, line) = place(sources, rule.span);
        Some(format!("{file}:{line}: {}", one_line(sources.text(rule.span))))
    };
    FindingReport {
        deployment: finding.deployment.map(canc_dsl::policy::Deployment::word),
        message: finding.message.clone(),
        rules: finding.rules.iter().filter_map(rule).collect(),
    }
}

fn place(sources: &SourceMap, span: Span) -> (String, usize) {
    (sources.get(span.file).map(|f| f.name.to_string()).unwrap_or_default(), sources.line_column(span).0)
}

fn one_line(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

fn text(reports: &[Report], paint: Paint) -> String {
    let mut out = String::new();
    for report in reports {
        let sign = if report.passed { paint.good("pass") } else { paint.bad("FAIL") };
        out.push_str(&format!("{sign} {} ({} assertions)\n", report.title, report.assertions.len()));
        for assertion in report.assertions.iter().filter(|a| !a.passed) {
            out.push_str(&format!("  {}:{}: {}\n", assertion.file, assertion.line, assertion.text));
            for finding in &assertion.findings {
                let on = finding.deployment.map(|d| format!("on {d}: ")).unwrap_or_default();
                out.push_str(&format!("    {on}{}\n", finding.message));
                finding.rules.iter().for_each(|rule| out.push_str(&format!("      {rule}\n")));
            }
        }
    }
    let failed = reports.iter().flat_map(|r| &r.assertions).filter(|a| !a.passed).count();
    let all = reports.iter().map(|r| r.assertions.len()).sum::<usize>();
    out.push_str(&format!("{} of {all} assertions hold\n", all - failed));
    out
}
