//! `canc diff`: two versions of a policy to what becomes allowed, what becomes denied, and what layers now do otherwise.

use super::compile::{Compiled, compile, refuse};
use super::provenance::{RuleReport, rule};
use super::target_options::build_options;
use super::{Failure, Outcome, to_json};
use crate::args::{DiffArgs, DiffFormat, SourceArgs};
use crate::exit::Exit;
use crate::paint::Paint;
use crate::stream::Streams;
use canc_analysis::diff::{Change, PolicyDiff, Side, Statement, VerdictChange, diff};
use canc_codegen::build::{BuildOptions, Lowered, Subject, lower};
use canc_dsl::policy::PolicySet;
use canc_dsl::source::SourceMap;
use serde::Serialize;

/// What differs between two versions, for people and scripts.
#[derive(Serialize)]
pub struct Report {
    /// Whether something becomes allowed, or is held by less.
    widens: bool,
    policies: Vec<PolicyReport>,
}

#[derive(Serialize)]
struct PolicyReport {
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<String>,
    widens: bool,
    allowed: Vec<ChangeReport>,
    denied: Vec<ChangeReport>,
    statements: Vec<StatementReport>,
    verdicts: Vec<VerdictReport>,
}

#[derive(Serialize)]
struct ChangeReport {
    what: String,
    /// Whether it is all of it, or a part.
    whole: bool,
    witness: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<RuleReport>,
}

#[derive(Serialize)]
struct StatementReport {
    statement: &'static str,
    gone: Vec<String>,
    added: Vec<String>,
    widens: bool,
}

#[derive(Serialize)]
struct VerdictReport {
    rule: Option<RuleReport>,
    layer: &'static str,
    old: String,
    new: String,
    widens: bool,
}

/// One version, ready for questions.
pub struct Version {
    sources: SourceMap,
    set: PolicySet,
    lowered: Vec<Lowered>,
}

impl Version {
    /// Lowers it for the targets; or says why not.
    pub fn new(sources: SourceMap, set: PolicySet, options: &BuildOptions) -> Result<Self, Box<Compiled>> {
        match lower(&set, options) {
            Ok(lowered) => Ok(Self { sources, set, lowered }),
            Err(diagnostics) => Err(Box::new(Compiled { sources, diagnostics, policies: None })),
        }
    }
}

/// What differs in the policies that are asked for by their new names.
pub fn between(
    old: &Version,
    new: &Version,
    options: &BuildOptions,
    asked: impl Fn(&str) -> bool,
) -> Result<Report, Failure> {
    let found =
        diff(&Subject::new(&old.set, &old.lowered, options), &Subject::new(&new.set, &new.lowered, options))
            .map_err(|e| Failure { exit: Exit::Policy, message: e.to_string() })?;
    let found: Vec<_> =
        found.iter().filter(|p| p.new.as_ref().or(p.old.as_ref()).is_some_and(|n| asked(n))).collect();
    Ok(Report {
        widens: found.iter().any(|p| p.widens()),
        policies: found.into_iter().map(|p| policy(p, old, new)).collect(),
    })
}

pub fn run(args: &DiffArgs, streams: &mut Streams<'_>) -> Outcome {
    let options = build_options(&args.source, &[])?;
    let first = SourceArgs { policy: args.old.clone(), ..args.source.clone() };
    let mut versions = Vec::new();
    for source in [&first, &args.source] {
        match version(source, &options)? {
            Ok(version) => versions.push(version),
            Err(compiled) => return Ok(refuse(args.source.json, &compiled, streams)),
        }
    }
    let [old, new] = versions.as_slice() else { return Err(Failure::host("two versions were read")) };
    let report = between(old, new, &options, |_| true)?;
    let format = if args.source.json { DiffFormat::Json } else { args.format };
    streams.out(&match format {
        DiffFormat::Json => to_json(&report),
        DiffFormat::Markdown => markdown(&report),
        DiffFormat::Text => text(&report, Paint(streams.color)),
    });
    Ok(if report.widens { Exit::No } else { Exit::Done })
}

fn version(source: &SourceArgs, options: &BuildOptions) -> Result<Result<Version, Box<Compiled>>, Failure> {
    let mut compiled = compile(source)?;
    let Some(set) = compiled.policies.take() else { return Ok(Err(Box::new(compiled))) };
    let warnings = compiled.diagnostics;
    Ok(Version::new(compiled.sources, set, options).map_err(|mut refused| {
        refused.diagnostics.splice(0..0, warnings);
        refused
    }))
}

fn policy(found: &PolicyDiff, old: &Version, new: &Version) -> PolicyReport {
    let rule_of = |side, id| {
        let (version, name) = match side {
            Side::Old => (old, found.old.as_ref()?),
            Side::New => (new, found.new.as_ref()?),
        };
        rule(version.set.policy(name)?, id, &version.sources)
    };
    let change = |c: &Change| ChangeReport {
        what: c.what.clone(),
        whole: c.whole,
        witness: c.witness.clone(),
        rule: c.rule.and_then(|(side, id)| rule_of(side, id)),
    };
    let statement = |s: &Statement| StatementReport {
        statement: s.word,
        gone: s.gone.clone(),
        added: s.added.clone(),
        widens: s.widens,
    };
    let verdict = |v: &VerdictChange| VerdictReport {
        rule: rule_of(VerdictChange::SIDE, v.rule),
        layer: v.target.word(),
        old: v.old.clone(),
        new: v.new.clone(),
        widens: v.widens,
    };
    PolicyReport {
        old: found.old.as_ref().map(ToString::to_string),
        new: found.new.as_ref().map(ToString::to_string),
        widens: found.widens(),
        allowed: found.allowed.iter().map(change).collect(),
        denied: found.denied.iter().map(change).collect(),
        statements: found.statements.iter().map(statement).collect(),
        verdicts: found.verdicts.iter().map(verdict).collect(),
    }
}

fn title(policy: &PolicyReport) -> String {
    match (&policy.old, &policy.new) {
        (Some(a), Some(b)) if a != b => format!("{a}, now {b}"),
        (Some(_), Some(name)) => name.clone(),
        (Some(name), None) => format!("{name} is gone"),
        (None, Some(name)) => format!("{name} is new"),
        (None, None) => String::new(),
    }
}

fn statement_line(s: &StatementReport) -> String {
    let list = |sign: &str, items: &[String]| items.iter().map(|i| format!(" {sign}{i}")).collect::<String>();
    format!("{}:{}{}", s.statement, list("-", &s.gone), list("+", &s.added))
}

fn text(report: &Report, paint: Paint) -> String {
    let mut out = changes(report, paint);
    out.push_str(match (report.policies.is_empty(), report.widens) {
        (true, _) => "nothing differs\n",
        (false, true) => "something becomes allowed, or is held by less\n",
        (false, false) => "nothing becomes allowed\n",
    });
    out
}

/// What becomes allowed and denied, a line each.
pub fn changes(report: &Report, paint: Paint) -> String {
    let mut out = String::new();
    for policy in &report.policies {
        out.push_str(&format!("{}\n", paint.bold(&title(policy))));
        for (sign, changes) in
            [(paint.bad("+ allowed"), &policy.allowed), (paint.good("- denied "), &policy.denied)]
        {
            for change in changes {
                let part = if change.whole { "" } else { "a part of " };
                out.push_str(&format!("  {sign} {part}{}", change.what));
                if change.witness != change.what {
                    out.push_str(&format!(", such as {}", change.witness));
                }
                out.push('\n');
                if let Some(rule) = &change.rule {
                    out.push_str(&paint.dim(&format!("      {}", rule.line())));
                    out.push('\n');
                }
            }
        }
        for statement in &policy.statements {
            let sign = if statement.widens { paint.bad("! ") } else { "  ".into() };
            out.push_str(&format!("  {sign}{}\n", statement_line(statement)));
        }
        for verdict in &policy.verdicts {
            let sign = if verdict.widens { paint.bad("! ") } else { "  ".into() };
            let rule = verdict.rule.as_ref().map(RuleReport::line).unwrap_or_default();
            out.push_str(&format!(
                "  {sign}{}: {}, was {}: {rule}\n",
                verdict.layer, verdict.new, verdict.old
            ));
        }
    }
    out
}

/// Text in a cell or a list of Markdown that means itself.
fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if longest > 0 { " " } else { "" };
    format!("{fence}{space}{}{space}{fence}", text.replace('|', "\\|"))
}

fn markdown(report: &Report) -> String {
    let mut out = String::new();
    for policy in &report.policies {
        out.push_str(&format!("### {}\n\n", title(policy)));
        if !policy.allowed.is_empty() || !policy.denied.is_empty() {
            out.push_str("| | what | for example | rule |\n|---|---|---|---|\n");
        }
        for (sign, changes) in [("**allowed**", &policy.allowed), ("denied", &policy.denied)] {
            for c in changes {
                let part = if c.whole { "" } else { "a part of " };
                let rule = c.rule.as_ref().map(|r| code(&r.line())).unwrap_or_default();
                out.push_str(&format!(
                    "| {sign} | {part}{} | {} | {rule} |\n",
                    code(&c.what),
                    code(&c.witness)
                ));
            }
        }
        out.push('\n');
        for statement in &policy.statements {
            let widens = if statement.widens { " (**holds less**)" } else { "" };
            out.push_str(&format!("- {}{widens}\n", code(&statement_line(statement))));
        }
        for verdict in &policy.verdicts {
            let widens = if verdict.widens { " (**holds less**)" } else { "" };
            let rule = verdict.rule.as_ref().map(|r| code(&r.line())).unwrap_or_default();
            out.push_str(&format!(
                "- {}: {}, was {}{widens}: {rule}\n",
                verdict.layer, verdict.new, verdict.old
            ));
        }
    }
    if report.policies.is_empty() {
        out.push_str("Nothing differs.\n");
    }
    out
}
