//! Rules that both builds have to the verdicts that differ.

use super::Side;
use canc_codegen::build::Subject;
use canc_codegen::coverage::{DEPLOYED_LANDLOCK, Layer};
use canc_codegen::verdict::{Outcome, Verdict};
use canc_dsl::policy::{Effect, Policy, RuleId, Target};
use std::collections::HashMap;

/// A layer's verdict on a rule that stands in both builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictChange {
    /// The rule in the second build.
    pub rule: RuleId,
    /// The layer.
    pub target: Target,
    /// The verdict in the first build; nothing where the back end is off.
    pub old: String,
    /// The verdict in the second.
    pub new: String,
    /// Whether the layer now permits more beside the rule.
    pub widens: bool,
}

impl VerdictChange {
    /// The build that the rule's number is of.
    pub const SIDE: Side = Side::New;
}

/// The verdicts that differ.
pub fn changed(old: &Subject<'_>, new: &Subject<'_>, a: &Policy, b: &Policy) -> Vec<VerdictChange> {
    let mut known: HashMap<(Effect, String), RuleId> = HashMap::new();
    for rule in &a.rules {
        known.entry((rule.effect, format!("{:?}", rule.body.plain()))).or_insert(rule.id);
    }
    let mut out = Vec::new();
    for rule in &b.rules {
        let Some(before) = known.get(&(rule.effect, format!("{:?}", rule.body.plain()))) else { continue };
        for target in Target::ALL {
            let was = layer(old, a, target).and_then(|l| l.outcomes.get(before.0 as usize));
            let is = layer(new, b, target).and_then(|l| l.outcomes.get(rule.id.0 as usize));
            let word = |o: Option<&Outcome>| o.map_or("off", |o| o.word()).to_owned();
            if word(was) != word(is) {
                let widens = loose(is) && !loose(was);
                out.push(VerdictChange { rule: rule.id, target, old: word(was), new: word(is), widens });
            }
        }
    }
    out
}

fn layer<'s, 'a>(subject: &'s Subject<'a>, policy: &Policy, target: Target) -> Option<&'s Layer<'a>> {
    let layers = subject.layers.get(subject.index(&policy.name)?)?;
    match target {
        Target::Selinux => layers.selinux.as_ref(),
        Target::Apparmor => layers.apparmor.as_ref(),
        Target::Seccomp => layers.seccomp.as_ref(),
        Target::Landlock => layers.landlock.get(DEPLOYED_LANDLOCK as usize - 1),
    }
}

/// Whether a layer permits more than the rule says: a back end that is off does.
fn loose(outcome: Option<&Outcome>) -> bool {
    outcome.is_none_or(|o| match &o.verdict {
        Verdict::NotApplicable | Verdict::DenyExact => false,
        Verdict::Allow { widened, .. } => !widened.is_empty(),
        Verdict::DenyPartial { .. } | Verdict::DenyDropped { .. } | Verdict::BaseUnknown { .. } => true,
    })
}
