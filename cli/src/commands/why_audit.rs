//! `canc why --audit`: a log's records of refusals to the policy's decision about each, and to the rule that would allow it.

use super::compile::{Compiled, compile, options, refuse};
use super::provenance::{RuleReport, one_line, rule};
use super::target_options::build_options;
use super::{Failure, Outcome, to_json};
use crate::args::WhyArgs;
use crate::exit::Exit;
use crate::input;
use crate::paint::Paint;
use crate::stream::Streams;
use canc_analysis::audit::{self, Asked, Log, Refusal, Subject as Whom, shown};
use canc_analysis::prove::prove;
use canc_analysis::why::{Done, why};
use canc_codegen::build::{BuildOptions, Lowered, Subject, lower};
use canc_dsl::parse_request;
use canc_dsl::policy::PolicySet;
use canc_dsl::source::SourceMap;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// For how many refusals an edit is tried; each is a compilation.
const MAX_EDITS: usize = 100;

#[derive(Serialize)]
struct Report {
    refusals: Vec<Entry>,
    /// Records that belong to no policy of this file, by whom they name.
    elsewhere: BTreeMap<String, usize>,
    unreadable: usize,
    beyond: usize,
}

#[derive(Serialize)]
struct Entry {
    policy: String,
    layer: &'static str,
    count: usize,
    only_logged: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    /// Why there is no request, or no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    unclear: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    rules: Vec<RuleReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edit: Option<Edit>,
}

/// The rule that would allow a request, and what else it would do.
#[derive(Serialize)]
struct Edit {
    rule: String,
    /// Assertions that hold now and would not.
    breaks: Vec<String>,
    /// Why it would not do, such as a policy that no longer compiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    fails: Option<String>,
}

pub fn run(args: &WhyArgs, log: &Path, streams: &mut Streams<'_>) -> Outcome {
    let json = args.source.json;
    let targets = build_options(&args.source, &args.deployments)?;
    let mut compiled = compile(&args.source)?;
    let Some(set) = compiled.policies.take() else { return Ok(refuse(json, &compiled, streams)) };
    if let Some(name) = args.policy_name.as_deref() {
        super::choose(set.policies(), Some(name), |p| &p.name)?;
    }
    let lowered = match lower(&set, &targets) {
        Ok(lowered) => lowered,
        Err(errors) => {
            compiled.diagnostics.extend(errors);
            return Ok(refuse(json, &compiled, streams));
        }
    };
    let log = audit::read(&input::log(log).map_err(Failure::host)?);
    let asker = Asker { args, set: &set, compiled: &compiled, lowered: &lowered, targets: &targets };
    let report = asker.report(log)?;
    streams.out(&if json { to_json(&report) } else { text(&report, Paint(streams.color)) });
    let clean = report.refusals.is_empty() && report.unreadable == 0 && report.beyond == 0;
    Ok(if clean { Exit::Done } else { Exit::No })
}

/// One file of policies, asked about many requests.
struct Asker<'a> {
    args: &'a WhyArgs,
    set: &'a PolicySet,
    compiled: &'a Compiled,
    lowered: &'a [Lowered],
    targets: &'a BuildOptions,
}

impl Asker<'_> {
    fn report(&self, log: Log) -> Result<Report, Failure> {
        let (unreadable, beyond) = (log.unreadable, log.beyond);
        let mut report = Report { refusals: Vec::new(), elsewhere: BTreeMap::new(), unreadable, beyond };
        let subject = Subject::new(self.set, self.lowered, self.targets);
        let holds = self.failing(&subject)?;
        for (refusal, count) in log.refusals {
            match self.policy(&refusal.subject) {
                Ok(policy) => {
                    let tried = report.refusals.iter().filter(|r| r.edit.is_some()).count();
                    let edits = (tried < MAX_EDITS).then_some(&holds);
                    report.refusals.push(self.entry(&subject, policy, &refusal, count, edits)?);
                }
                Err(whom) => *report.elsewhere.entry(whom).or_default() += count,
            }
        }
        Ok(report)
    }

    /// The policy that a record is about, or whom else it names.
    fn policy(&self, whom: &Whom) -> Result<String, String> {
        let wanted = |name: &str| self.args.policy_name.as_deref().is_none_or(|w| w == name);
        let of = |name: &str| match self.set.policy(name).is_some() && wanted(name) {
            true => Ok(name.to_owned()),
            false => Err(format!("policy {}", shown(name))),
        };
        match whom {
            Whom::Policy(name) => of(name),
            Whom::Program(exe) => {
                let runs = |p: &&canc_dsl::policy::Policy| p.exec.iter().any(|e| e.pattern.matches(exe));
                let mut of_program = self.set.policies().iter().filter(runs).filter(|p| wanted(&p.name));
                match (of_program.next(), of_program.next()) {
                    (Some(policy), None) => Ok(policy.name.to_string()),
                    (None, _) => Err(format!("program {}", shown(exe))),
                    _ => Err(format!("program {} of several policies (name one with --policy)", shown(exe))),
                }
            }
            Whom::Other(other) => Err(other.clone()),
        }
    }

    fn entry(
        &self,
        subject: &Subject<'_>,
        policy: String,
        refusal: &Refusal,
        count: usize,
        edits: Option<&BTreeSet<String>>,
    ) -> Result<Entry, Failure> {
        let (request, unclear) = match &refusal.asked {
            Asked::Request(text) => (Some(text.clone()), None),
            Asked::Unclear(what) => (None, Some(what.clone())),
        };
        let mut entry = Entry {
            policy,
            layer: refusal.layer.word(),
            count,
            only_logged: refusal.only_logged,
            request,
            unclear,
            decision: None,
            reason: None,
            rules: Vec::new(),
            edit: None,
        };
        let Some(text) = entry.request.clone() else { return Ok(entry) };
        let Some(request) = parse_request(&text, self.set, &options(&self.args.source)?).request else {
            entry.unclear = Some("the language has no such request".into());
            return Ok(entry);
        };
        match why(subject, &entry.policy, &request) {
            Err(why) => entry.unclear = Some(why.to_string()),
            Ok(answer) => {
                let done = answer.decision.done;
                entry.decision = Some(done.word());
                entry.reason = Some(answer.decision.reason);
                let policy = self.set.policy(&entry.policy);
                let report = |id| rule(policy?, id, &self.compiled.sources);
                entry.rules = answer.decision.rules.into_iter().filter_map(report).collect();
                if let (Done::Denied | Done::Partly, Some(holds)) = (done, edits) {
                    entry.edit = self.edit(&entry.policy, &text, holds)?;
                }
            }
        }
        Ok(entry)
    }

    /// The rule, tried in the policy; `None` where the policy has no block of its own to write it to.
    fn edit(&self, policy: &str, request: &str, failing: &BTreeSet<String>) -> Result<Option<Edit>, Failure> {
        let Some(span) = self.set.policy(policy).map(|p| p.span) else { return Ok(None) };
        let Some(file) = self.compiled.sources.get(span.file) else { return Ok(None) };
        let end = span.range().end;
        let (Some(before), Some(after)) = (file.text.get(..end), file.text.get(end..)) else {
            return Ok(None);
        };
        // A policy that is an instance of a template has no block, and one with parameters is written for others, too.
        let Some(block) = after.trim_start().strip_prefix('{') else { return Ok(None) };
        let rule = format!("allow {request};");
        let text = format!("{before} {{ {rule}{block}");
        let options = options(&self.args.source)?;
        let name = self.args.source.policy.display().to_string();
        let compilation = canc_dsl::compile(&name, text.as_bytes(), &input::Disk, &options);
        let mut edit = Edit { rule, breaks: Vec::new(), fails: None };
        let Some(set) = compilation.policies else {
            edit.fails = Some("the policy would no longer compile".into());
            return Ok(Some(edit));
        };
        let Ok(lowered) = lower(&set, self.targets) else {
            edit.fails = Some("a target could not hold the policy".into());
            return Ok(Some(edit));
        };
        let subject = Subject::new(&set, &lowered, self.targets);
        let asker = Asker { set: &set, lowered: &lowered, ..*self };
        edit.breaks =
            asker.failing_in(&subject, &compilation.sources)?.difference(failing).cloned().collect();
        let again = parse_request(request, &set, &options).request;
        let allowed = again.and_then(|r| why(&subject, policy, &r).ok()).map(|a| a.decision.done);
        if allowed != Some(Done::Allowed) {
            edit.fails = Some("a deny of the policy still refuses it".into());
        }
        Ok(Some(edit))
    }

    fn failing(&self, subject: &Subject<'_>) -> Result<BTreeSet<String>, Failure> {
        self.failing_in(subject, &self.compiled.sources)
    }

    /// The assertions that do not hold.
    fn failing_in(&self, subject: &Subject<'_>, sources: &SourceMap) -> Result<BTreeSet<String>, Failure> {
        let mut out = BTreeSet::new();
        for test in self.set.tests() {
            let too_large =
                |e: canc_sets::path::TooLarge| Failure { exit: Exit::Policy, message: e.to_string() };
            let proofs = prove(subject, test).map_err(too_large)?;
            let failing = proofs.iter().filter(|p| !p.findings.is_empty());
            out.extend(failing.map(|p| one_line(sources.text(p.assertion.span))));
        }
        Ok(out)
    }
}

fn text(report: &Report, paint: Paint) -> String {
    let mut out = String::new();
    for entry in &report.refusals {
        let what = match (&entry.request, &entry.unclear) {
            (Some(request), _) => request.as_str(),
            (None, unclear) => unclear.as_deref().unwrap_or_default(),
        };
        let did = if entry.only_logged { "logged" } else { "refused" };
        let times = if entry.count == 1 { String::new() } else { format!(" {} times", entry.count) };
        out.push_str(&format!("{}: {} {did}{times}: {what}\n", paint.bold(&entry.policy), entry.layer));
        match (&entry.decision, &entry.reason, &entry.unclear) {
            (Some("allowed"), ..) => out.push_str(
                "  the policy allows it: another version of it was in force, or the layer blocks it (see `canc why`)\n",
            ),
            (Some(decision), Some(reason), _) => out.push_str(&format!("  {decision}: {reason}\n")),
            (None, _, Some(unclear)) if entry.request.is_some() => out.push_str(&format!("  {unclear}\n")),
            _ => {}
        }
        entry.rules.iter().for_each(|r| out.push_str(&format!("    {}\n", r.line())));
        if let Some(edit) = &entry.edit {
            edit_lines(&mut out, edit, paint);
        }
    }
    rest(&mut out, report);
    out
}

fn edit_lines(out: &mut String, edit: &Edit, paint: Paint) {
    if let Some(fails) = &edit.fails {
        out.push_str(&format!("  {} would not do: {fails}\n", edit.rule));
        return;
    }
    out.push_str(&format!("  to allow it: {}\n", edit.rule));
    let breaks = edit.breaks.iter().map(|b| format!("    {} {b}\n", paint.bad("then fails:")));
    out.extend(breaks);
}

fn rest(out: &mut String, report: &Report) {
    for (whom, count) in &report.elsewhere {
        out.push_str(&format!("{count} of no policy here: {whom}\n"));
    }
    if report.unreadable > 0 {
        out.push_str(&format!(
            "{} records of refusals cannot be read: they are cut or garbled\n",
            report.unreadable
        ));
    }
    if report.beyond > 0 {
        out.push_str(&format!("{} records more, of other refusals than these\n", report.beyond));
    }
    if out.is_empty() {
        out.push_str("no record of a refusal\n");
    }
}
