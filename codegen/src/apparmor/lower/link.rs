//! Hard links to link rules: pairs of what may be linked to and where a new name may be made.

use super::claims::{Claim, Claims};
use super::context::Context;
use super::draft::Source;
use super::files::Plan;
use crate::apparmor::glob::{AaGlob, Form, without};
use crate::apparmor::model::{LinkRule, Mode, Rule};
use canc_dsl::policy::{FileOp, RuleId};

/// The most pairs of new names and link targets that a profile holds. Every pair is a path of the compiled automaton.
const MAX_PAIRS: usize = 10_000;

/// The link rules of all claims, by the rule that brings them.
pub(super) fn rules(cx: &mut Context<'_>, claims: &Claims<'_>, plan: &Plan<'_>) -> Vec<(RuleId, Rule)> {
    let numbered = || claims.all.iter().enumerate();
    let sources: Vec<(usize, &Claim<'_>)> = numbered().filter(|(_, c)| c.ops.has(FileOp::Link)).collect();
    if sources.is_empty() {
        return Vec::new();
    }
    let globs = |op: FileOp| -> Vec<AaGlob> {
        let mut out: Vec<AaGlob> = Vec::new();
        for (number, claim) in numbered().filter(|(_, c)| c.ops.has(op)) {
            out.extend(files(plan, number, claim));
        }
        out.sort_unstable();
        out.dedup();
        out
    };
    let names = globs(FileOp::Create);
    let Some(name) = AaGlob::any_of(&names) else {
        for id in sources.iter().filter_map(|(_, c)| rule_of(c)) {
            cx.narrow(id, "link: no rule lets a new name be made");
        }
        return Vec::new();
    };
    if names.len().saturating_mul(sources.len()) > MAX_PAIRS {
        for id in sources.iter().filter_map(|(_, c)| rule_of(c)) {
            cx.narrow(id, format!("link: more than {MAX_PAIRS} pairs of new names and link targets"));
        }
        return Vec::new();
    }
    let mut out = Vec::new();
    for (number, claim) in sources {
        let Some(id) = rule_of(claim) else { continue };
        cx.note(id, "a link gives no access that its target does not give");
        for target in files(plan, number, claim) {
            let mode = Mode { audit: claim.audit, deny: false };
            let owner = claim.owner || target.is_process();
            out.push((id, Rule::Link(LinkRule { mode, owner, name: name.clone(), target })));
        }
    }
    out
}

fn files(plan: &Plan<'_>, number: usize, claim: &Claim<'_>) -> Vec<AaGlob> {
    match plan.kept_out(number) {
        [] => AaGlob::of_pattern(claim.pattern, Form::File).into_iter().collect(),
        except => without(claim.pattern, except, Form::File).unwrap_or_default(),
    }
}

fn rule_of(claim: &Claim<'_>) -> Option<RuleId> {
    match claim.source {
        Source::Rule(id) => Some(id),
        Source::Base(_) => None,
    }
}
