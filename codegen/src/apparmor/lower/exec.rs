//! Where executed programs go, and patterns that would send one path to two places: the parser refuses the whole profile then.

use super::claims::{Claim, Claims};
use super::context::Context;
use super::draft::Source;
use crate::apparmor::model::Exec;
use canc_dsl::policy::{RuleId, RunTarget};
use canc_sets::path::meet;
use canc_sets::path::{Pattern, TooLarge, Universe};
use std::collections::HashMap;

/// The target of a rule that lets programs run.
pub(super) fn target(cx: &mut Context<'_>, id: RuleId, target: &RunTarget) -> Option<Exec> {
    let keeps_privileges = cx.policy.no_new_privs_off.is_some();
    match target {
        RunTarget::Inherit => Some(Exec::Inherit),
        RunTarget::Policy(other) => {
            let other = cx.profile(id, other)?;
            if keeps_privileges {
                return Some(Exec::Profile(other));
            }
            if !cx.features.stack() {
                cx.narrow(
                    id,
                    "execution: under no_new_privs it takes stacked profiles, which this kernel lacks",
                );
                return None;
            }
            cx.note(id, "both profiles apply to the program, because no_new_privs lets nothing else through");
            Some(Exec::Stack { own: cx.own.clone(), other })
        }
        RunTarget::Unconfined => {
            if !keeps_privileges {
                cx.narrow(id, "execution: under no_new_privs the kernel lets nobody leave a profile");
            }
            Some(Exec::Unconfined)
        }
    }
}

/// Looks for claims that send some path to different places. Where the exception of one sets them apart, it goes to `forced`;
/// where nothing does, the later one goes to `lost`. An exact path inside a glob is no conflict: the parser prefers it.
pub(super) fn disjoint<'a>(
    cx: &mut Context<'_>,
    claims: &Claims<'a>,
    forced: &mut HashMap<usize, Vec<&'a Pattern>>,
    lost: &mut Vec<usize>,
) -> Result<(), (Option<RuleId>, TooLarge)> {
    let runs: Vec<(usize, &Claim<'a>)> =
        claims.all.iter().enumerate().filter(|(_, c)| c.exec.is_some()).collect();
    let Some((_, first)) = runs.first() else { return Ok(()) };
    if runs.iter().all(|(_, c)| c.exec == first.exec) {
        return Ok(());
    }
    let globs: Vec<&(usize, &Claim<'a>)> =
        runs.iter().filter(|(_, c)| c.pattern.as_literal().is_none()).collect();
    for (at, (number, claim)) in globs.iter().enumerate() {
        for (later, other) in globs.iter().skip(at + 1) {
            let at = |large| (rule_of(claim), large);
            if claim.exec == other.exec || !meet(claim.pattern, other.pattern).map_err(at)? {
                continue;
            }
            let common =
                claim.lang().and_then(|l| l.and(other.lang()?).witness(Universe::Paths)).map_err(at)?;
            let apart = |c: &Claim<'a>, o: &Claim<'a>| -> Vec<&'a Pattern> {
                let met = c.except.iter().map(|e| &e.pattern);
                met.filter(|e| e.meets(o.pattern) != Some(false)).collect()
            };
            match (common, apart(claim, other), apart(other, claim)) {
                (None, list, _) if !list.is_empty() => forced.entry(*number).or_default().extend(list),
                (None, _, list) if !list.is_empty() => forced.entry(*later).or_default().extend(list),
                (witness, ..) => {
                    lost.push(*later);
                    if let Some(id) = rule_of(other) {
                        let what = witness.unwrap_or_else(|| other.pattern.to_string());
                        cx.narrow(
                            id,
                            format!(
                                "execution of paths that another rule sends elsewhere, such as \"{what}\""
                            ),
                        );
                    }
                }
            }
        }
    }
    Ok(())
}

fn rule_of(claim: &Claim<'_>) -> Option<RuleId> {
    match claim.source {
        Source::Rule(id) => Some(id),
        Source::Base(_) => None,
    }
}
