//! `canc test`: prove the tests in a policy against its meaning and against what every layer permits.

use super::compile::{compile_with, refuse};
use super::provenance::{RuleReport, one_line, place, rule};
use super::target_options::build_options;
use super::{Failure, Outcome, to_json, watch};
use crate::args::{TestArgs, TestFormat};
use crate::exit::Exit;
use crate::input::Disk;
use crate::paint::Paint;
use crate::stream::Streams;
use canc_analysis::cover::covered;
use canc_analysis::prove::{Finding, prove};
use canc_codegen::build::{Subject, build};
use canc_dsl::Loader;
use canc_dsl::policy::{PolicySet, Test};
use canc_dsl::source::SourceMap;
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
    let coverage = coverage(&set, &subject, &compiled.sources)?;
    let format = if args.source.json { TestFormat::Json } else { args.format };
    streams.out(&match format {
        TestFormat::Json => {
            to_json(&serde_json::json!({ "ok": passed, "tests": reports, "coverage": coverage }))
        }
        TestFormat::Junit => junit(&reports, &args.source.policy.display().to_string()),
        TestFormat::Text => text(&reports, Paint(streams.color)) + &untouched(&coverage),
    });
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
        rule(subject.set.policy(policy)?, *id, sources).map(|rule| rule.line())
    };
    FindingReport {
        deployment: finding.deployment.map(canc_dsl::policy::Deployment::word),
        message: finding.message.clone(),
        rules: finding.rules.iter().filter_map(rule).collect(),
    }
}

/// The rules of one policy that its tests touch, and those that they do not.
#[derive(Serialize)]
struct CoverageReport {
    policy: String,
    touched: usize,
    untouched: Vec<RuleReport>,
}

fn coverage(
    set: &PolicySet,
    subject: &Subject<'_>,
    sources: &SourceMap,
) -> Result<Vec<CoverageReport>, Failure> {
    let all = covered(subject).map_err(|e| Failure { exit: Exit::Policy, message: e.to_string() })?;
    let report =
        |(policy, covered): (&canc_dsl::policy::Policy, canc_analysis::cover::Covered)| CoverageReport {
            policy: policy.name.to_string(),
            touched: covered.touched.len(),
            untouched: covered.untouched.iter().filter_map(|id| rule(policy, *id, sources)).collect(),
        };
    Ok(set.policies().iter().zip(all).map(report).collect())
}

/// The own rules that no test touches, for people; nothing where there is none.
fn untouched(coverage: &[CoverageReport]) -> String {
    let mut out = String::new();
    for policy in coverage.iter().filter(|c| !c.untouched.is_empty()) {
        let all = policy.touched + policy.untouched.len();
        out.push_str(&format!(
            "no test touches {} of {all} rules of {}\n",
            policy.untouched.len(),
            policy.policy
        ));
        policy.untouched.iter().for_each(|rule| out.push_str(&format!("  {}\n", rule.line())));
    }
    out
}

/// The form that build servers read: a suite per test, a case per assertion.
fn junit(reports: &[Report], policy: &str) -> String {
    let failed = |report: &Report| report.assertions.iter().filter(|a| !a.passed).count();
    let (all, bad) = (
        reports.iter().map(|r| r.assertions.len()).sum::<usize>(),
        reports.iter().map(failed).sum::<usize>(),
    );
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\" tests=\"{all}\" failures=\"{bad}\">\n",
        xml(policy)
    );
    for report in reports {
        out.push_str(&format!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\">\n",
            xml(&report.title),
            report.assertions.len(),
            failed(report)
        ));
        for a in &report.assertions {
            let head = format!(
                "    <testcase name=\"{}\" classname=\"{}\" file=\"{}\" line=\"{}\"",
                xml(&a.text),
                xml(&report.title),
                xml(&a.file),
                a.line
            );
            if a.passed {
                out.push_str(&format!("{head}/>\n"));
                continue;
            }
            let first = a.findings.first().map(|f| f.message.as_str()).unwrap_or_default();
            let lines: Vec<String> = a.findings.iter().flat_map(finding_lines).collect();
            out.push_str(&format!(
                "{head}>\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n",
                xml(first),
                xml(&lines.join("\n"))
            ));
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// Text that means itself in XML; characters that XML has no way to say are replaced.
fn xml(text: &str) -> String {
    let one = |c: char| match c {
        '&' => "&amp;".into(),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '"' => "&quot;".into(),
        '\n' | '\t' => c.to_string(),
        c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => "\u{fffd}".into(),
        c => c.to_string(),
    };
    text.chars().map(one).collect()
}

/// A finding and the rules behind it, a line each.
fn finding_lines(finding: &FindingReport) -> Vec<String> {
    let on = finding.deployment.map(|d| format!("on {d}: ")).unwrap_or_default();
    let rules = finding.rules.iter().map(|rule| format!("  {rule}"));
    std::iter::once(format!("{on}{}", finding.message)).chain(rules).collect()
}

fn text(reports: &[Report], paint: Paint) -> String {
    let mut out = String::new();
    for report in reports {
        let sign = if report.passed { paint.good("pass") } else { paint.bad("FAIL") };
        out.push_str(&format!("{sign} {} ({} assertions)\n", report.title, report.assertions.len()));
        for assertion in report.assertions.iter().filter(|a| !a.passed) {
            out.push_str(&format!("  {}:{}: {}\n", assertion.file, assertion.line, assertion.text));
            for finding in &assertion.findings {
                finding_lines(finding).iter().for_each(|line| out.push_str(&format!("    {line}\n")));
            }
        }
    }
    let failed = reports.iter().flat_map(|r| &r.assertions).filter(|a| !a.passed).count();
    let all = reports.iter().map(|r| r.assertions.len()).sum::<usize>();
    out.push_str(&format!("{} of {all} assertions hold\n", all - failed));
    out
}
