//! A manifest to the table that `canc build` prints: what each target does with each rule, and what each kind of host comes to.
//!
//! It fits 80 columns; colours are `anstyle` codes that the output stream drops where they do not belong.

use crate::paint::{Paint, pad, shorten};
use canc_bundle::{Decision, Manifest, PolicyEntry, RuleEntry, VerdictEntry};
use std::fmt::Write as _;

/// The targets in column order, with the width of each column.
const TARGETS: [(&str, usize); 4] = [("selinux", 9), ("apparmor", 9), ("seccomp", 8), ("landlock", 8)];
/// The deployments in row order.
const DEPLOYMENTS: [&str; 3] = ["selinux", "apparmor", "bare"];
const WIDTH: usize = 80;

/// The whole report of a build.
#[must_use]
pub fn report(manifest: &Manifest, paint: Paint, all: bool) -> String {
    let mut out = String::new();
    for policy in &manifest.policies {
        // Writing to a string cannot fail.
        let _ = policy_report(&mut out, policy, paint, all);
    }
    out
}

fn policy_report(out: &mut String, policy: &PolicyEntry, paint: Paint, all: bool) -> std::fmt::Result {
    let rule_width = WIDTH - 2 - TARGETS.iter().map(|t| t.1 + 1).sum::<usize>();
    write!(out, "{}", paint.bold(&pad(&format!("policy {}", policy.name), rule_width + 2)))?;
    columns(out, |target| target.to_owned(), |text| paint.bold(text))?;
    let included: Vec<&RuleEntry> = policy.rules.iter().filter(|r| !r.included_from.is_empty()).collect();
    for rule in policy.rules.iter().filter(|r| all || r.included_from.is_empty()) {
        row(out, &label(rule), rule, rule_width, paint)?;
    }
    if !all {
        for (fragment, rules) in by_fragment(&included) {
            let text = format!("{fragment} ({} rules)", rules.len());
            summary_row(out, &text, &rules, rule_width, paint)?;
        }
    }
    writeln!(out)?;
    remarks(out, policy, paint, all)?;
    deployments(out, policy, paint)
}

fn label(rule: &RuleEntry) -> String {
    if rule.id == "@base" {
        "@base (whatever the policy says)".into()
    } else {
        format!("{} {}", rule.id, rule.text)
    }
}

fn row(out: &mut String, text: &str, rule: &RuleEntry, width: usize, paint: Paint) -> std::fmt::Result {
    write!(out, "  {}", pad(&shorten(text, width), width))?;
    let said = |target: &str| rule.verdicts.get(target).map_or_else(|| "off".to_owned(), word);
    columns(out, said, |text| paint.verdict(text))
}

/// The columns of the targets and the end of the line, without blanks before it.
fn columns(
    out: &mut String,
    text: impl Fn(&str) -> String,
    painted: impl Fn(&str) -> String,
) -> std::fmt::Result {
    for (number, (target, width)) in TARGETS.into_iter().enumerate() {
        let last = number + 1 == TARGETS.len();
        let text = text(target);
        write!(out, " {}", painted(&if last { text } else { pad(&text, width) }))?;
    }
    writeln!(out)
}

/// The word of a verdict in a narrow column; a `*` says that the facts were read and not seen on a kernel.
fn word(verdict: &VerdictEntry) -> String {
    let short = match verdict.verdict.as_str() {
        "widened, narrowed" => "wid+nar",
        "base unknown" => "unknown",
        other => other,
    };
    let mark = if verdict.unseen { "*" } else { "" };
    let raw = if verdict.unproved { "?" } else { "" };
    format!("{short}{mark}{raw}")
}

/// Rules of one fragment in one row: the worst word of each column.
fn summary_row(
    out: &mut String,
    text: &str,
    rules: &[&RuleEntry],
    width: usize,
    paint: Paint,
) -> std::fmt::Result {
    write!(out, "  {}", pad(&shorten(text, width), width))?;
    let worst = |target: &str| {
        let all = rules.iter().filter_map(|r| r.verdicts.get(target));
        all.max_by_key(|v| badness(&v.verdict)).map_or_else(|| "off".to_owned(), word)
    };
    columns(out, worst, |text| paint.verdict(text))
}

fn badness(verdict: &str) -> u8 {
    match verdict {
        "n/a" => 0,
        "exact" => 1,
        "widened" => 2,
        "partial" => 3,
        "narrowed" => 4,
        "widened, narrowed" => 5,
        "base unknown" => 6,
        _ => 7,
    }
}

fn by_fragment<'a>(rules: &[&'a RuleEntry]) -> Vec<(&'a str, Vec<&'a RuleEntry>)> {
    let mut out: Vec<(&str, Vec<&RuleEntry>)> = Vec::new();
    for rule in rules {
        let Some(first) = rule.included_from.first() else { continue };
        match out.iter_mut().find(|(name, _)| name == first) {
            Some((_, list)) => list.push(rule),
            None => out.push((first, vec![rule])),
        }
    }
    out
}

/// What the words mean here: each thing that a target permits besides, or does not permit.
fn remarks(out: &mut String, policy: &PolicyEntry, paint: Paint, all: bool) -> std::fmt::Result {
    let mut any = false;
    for rule in policy.rules.iter().filter(|r| all || r.included_from.is_empty()) {
        for (target, _) in TARGETS {
            let Some(verdict) = rule.verdicts.get(target) else { continue };
            let lists = [("also ", &verdict.widened), ("not ", &verdict.narrowed)];
            for (sign, text) in lists.into_iter().flat_map(|(sign, list)| list.iter().map(move |t| (sign, t)))
            {
                let is_said =
                    matches!(verdict.verdict.as_str(), "partial" | "dropped") || text.starts_with("and ");
                let sign = if is_said { "" } else { sign };
                let line = format!("{} {target}: {sign}{text}", rule.id);
                writeln!(out, "  {}", paint.dim(&wrapped(&line, WIDTH - 2, "      ")))?;
                any = true;
            }
        }
    }
    if any { writeln!(out) } else { Ok(()) }
}

pub(crate) fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push('\n');
            out.push_str(indent);
            column = indent.len();
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

fn deployments(out: &mut String, policy: &PolicyEntry, paint: Paint) -> std::fmt::Result {
    for deployment in DEPLOYMENTS {
        let results: Vec<_> =
            policy.rules.iter().filter_map(|r| Some((r, r.deployments.get(deployment)?))).collect();
        if results.is_empty() {
            continue;
        }
        let count = |word: &str| results.iter().filter(|(_, d)| d.result.contains(word)).count();
        let line =
            format!("{} enforced, {} leak, {} block", count("enforced"), count("leaks"), count("blocks"));
        let decision = decision_for(policy, deployment);
        let refused = decision.is_some_and(|d| !d.refused.is_empty());
        let launch = if refused { paint.bad("refused") } else { paint.good("ok") };
        writeln!(out, "  on {} {}  launch: {launch}", pad(deployment, 9), pad(&line, 36))?;
        for (rule, result) in &results {
            let witnesses = [("leaks", &result.leak), ("blocks", &result.block)];
            for (word, witness) in witnesses.into_iter().filter_map(|(w, t)| Some((w, t.as_ref()?))) {
                let line = format!("{} {word} {witness}", rule.id);
                writeln!(out, "      {}", wrapped(&line, WIDTH - 6, "        "))?;
            }
        }
        for (sign, list) in
            [("refused", decision.map(|d| &d.refused)), ("accepted", decision.map(|d| &d.accepted))]
        {
            for refusal in list.into_iter().flatten() {
                let line = format!("{sign}: {}: {}; {}", refusal.what, refusal.why, refusal.remedy);
                writeln!(out, "      {}", wrapped(&line, WIDTH - 6, "        "))?;
            }
        }
    }
    split(out, policy)?;
    writeln!(out)
}

/// What it costs that one filter does not hold the policy.
fn split(out: &mut String, policy: &PolicyEntry) -> std::fmt::Result {
    for (arch, lengths) in policy.seccomp.iter().flat_map(|s| &s.instructions) {
        let each: Vec<String> = lengths.iter().map(ToString::to_string).collect();
        let line = format!(
            "seccomp on {arch}: {} filters of {} instructions, all of which every call passes",
            each.len(),
            each.join(", ")
        );
        writeln!(out, "  {}", wrapped(&line, WIDTH - 2, "      "))?;
    }
    Ok(())
}

/// The launch decision of a deployment's own layers: the MAC layer of its name, and Landlock as the deployment has it.
fn decision_for<'a>(policy: &'a PolicyEntry, deployment: &str) -> Option<&'a Decision> {
    let (selinux, apparmor) = (deployment == "selinux", deployment == "apparmor");
    let landlock = canc_codegen::coverage::DEPLOYED_LANDLOCK;
    policy.decisions.iter().find(|d| {
        d.selinux == selinux
            && d.apparmor == apparmor
            && (d.landlock_from..=d.landlock_to).contains(&landlock)
    })
}
