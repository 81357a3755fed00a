//! A policy's own rules to what is wrong with them beside each other: an allow that the denies take away whole, a rule that says
//! nothing which another does not say. Rules that came by `include` are none of the author's, and are neither reported nor held against one.

use crate::seccomp;
use canc_dsl::codes;
use canc_dsl::diag::Diagnostic;
use canc_dsl::meaning::{Evaluator, RequestSet};
use canc_dsl::policy::{Body, Effect, FileOp, Policy, Rule, RuleId};
use canc_sets::path::TooLarge;

/// Pairs of rules that are compared in one policy at most, so that long lists cost little.
const PAIRS: usize = 20_000;

/// What there is to say about one policy.
pub fn found(evaluator: &Evaluator<'_>) -> Result<Vec<Diagnostic>, TooLarge> {
    let mut out = Vec::new();
    let mut pairs = PAIRS;
    for rule in evaluator.policy().rules.iter().filter(|r| judged(r)) {
        let near = rivals(evaluator, rule)?;
        let Some(left) = pairs.checked_sub(near.len()) else { break };
        pairs = left;
        let all = RequestSet::new(evaluator.rule_regions(rule)?.to_vec());
        if let Some(denies) = taken_away(evaluator, rule, &all, &near)? {
            out.push(dead(rule, &denies));
        } else if let Some(other) = covered(evaluator, rule, &all, &near)? {
            out.push(redundant(rule, other));
        }
    }
    Ok(out)
}

/// Own rules that permit something else than system calls, which have conditions of their own kind.
fn judged(rule: &Rule) -> bool {
    let calls = matches!(rule.body, Body::Syscall(_) | Body::Facility(_));
    rule.effect == Effect::Allow && rule.included.is_empty() && !calls
}

/// The other own rules that can speak of all that this one speaks of.
fn rivals<'a>(evaluator: &Evaluator<'a>, rule: &Rule) -> Result<Vec<&'a Rule>, TooLarge> {
    let mut out: Vec<&Rule> = Vec::new();
    let prefixes: Vec<String> = match &rule.body {
        Body::File(file) => file.paths.iter().map(|p| p.pattern.literal_prefix()).collect(),
        _ => vec!["/".into()],
    };
    let mut kinds: Vec<_> = evaluator.rule_regions(rule)?.iter().map(|r| r.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        for prefix in &prefixes {
            out.extend(evaluator.candidates(kind, prefix));
        }
    }
    out.retain(|r| r.included.is_empty() && r.id != rule.id);
    out.sort_by_key(|r| r.id);
    out.dedup_by_key(|r| r.id);
    Ok(out)
}

/// The denies that leave nothing of it.
fn taken_away<'a>(
    evaluator: &Evaluator<'a>,
    rule: &Rule,
    all: &RequestSet,
    near: &[&'a Rule],
) -> Result<Option<Vec<&'a Rule>>, TooLarge> {
    let mut left = all.clone();
    let mut denies = Vec::new();
    for deny in near.iter().filter(|r| r.effect == Effect::Deny && !r.prefer) {
        let taken = RequestSet::new(evaluator.rule_regions(deny)?.to_vec());
        if !left.intersect(&taken).is_empty()? {
            left = left.minus(&taken);
            denies.push(*deny);
        }
    }
    let dead = !denies.is_empty() && !owns(rule) && left.is_empty()?;
    Ok(dead.then_some(denies))
}

/// An allow that permits all of it; of two that permit the same the first.
fn covered<'a>(
    evaluator: &Evaluator<'a>,
    rule: &Rule,
    all: &RequestSet,
    near: &[&'a Rule],
) -> Result<Option<&'a Rule>, TooLarge> {
    for other in near.iter().filter(|other| other.effect == Effect::Allow && stands_for(other, rule)) {
        let more = RequestSet::new(evaluator.rule_regions(other)?.to_vec());
        if all.minus(&more).is_empty()? && (other.id < rule.id || !more.minus(all).is_empty()?) {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

/// Whether what this rule says beside permitting is said by the other too.
fn stands_for(other: &Rule, rule: &Rule) -> bool {
    let same_run = match (&other.body, &rule.body) {
        (Body::File(other), Body::File(own)) => !own.ops.has(FileOp::Run) || other.run == own.run,
        _ => true,
    };
    same_run && !owns(rule) && (other.audit || !rule.audit)
}

/// It gives paths a label, whatever it permits.
fn owns(rule: &Rule) -> bool {
    matches!(&rule.body, Body::File(file) if file.label.is_some())
}

/// Own allows of which the filters refuse every call, where a deny says so: whatever the other layers permit, nothing comes of them.
pub fn refused(policy: &Policy, seccomp: &seccomp::Lowered) -> Vec<Diagnostic> {
    let one = |(rule, call): &(RuleId, &'static str)| {
        let rule = policy.rule(*rule).filter(|rule| rule.included.is_empty())?;
        let mut denies: Vec<&Rule> =
            seccomp.denying(call).into_iter().filter_map(|id| policy.rule(id)).collect();
        denies.dedup_by_key(|deny| deny.id);
        let (first, rest) = denies.split_first()?;
        let message = format!("nothing of this allow is left, because `{call}` is denied");
        let diagnostic = Diagnostic::new(codes::ALLOW_REFUSED, message).label(rule.span, "allowed here");
        let diagnostic = diagnostic.label(first.span, format!("and `{call}`, which it takes, denied here"));
        let labelled = rest.iter().fold(diagnostic, |d, deny| d.label(deny.span, "and here"));
        Some(
            labelled
                .help("remove the allow, or deny the call with a `where` that leaves what the allow needs"),
        )
    };
    seccomp.dead.iter().filter_map(one).collect()
}

fn dead(rule: &Rule, denies: &[&Rule]) -> Diagnostic {
    let diagnostic = Diagnostic::new(codes::ALLOW_DEAD, "nothing of this allow is left by the denies");
    let labelled = diagnostic.label(rule.span, "allowed here");
    denies
        .iter()
        .fold(labelled, |d, deny| d.label(deny.span, "and denied here, which wins"))
        .help("remove the allow, or narrow the deny with `except`")
}

fn redundant(rule: &Rule, other: &Rule) -> Diagnostic {
    Diagnostic::new(codes::RULE_COVERED, "another rule says all that this one says")
        .label(rule.span, "says nothing more")
        .label(other.span, "covers it")
        .help("remove one of them; if the wider one says too much, narrow it")
}
