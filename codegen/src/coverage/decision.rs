//! Every combination of active layers to "launch" or "refuse, because": a table that the runtime looks up without computing.

use super::bounded::{Boundedness, bounded_classes};
use super::deployment::Judge;
use super::layer::{Layer, LayerName};
use canc_bundle::{Decision, Refusal};
use canc_dsl::meaning::Evaluator;
use canc_dsl::policy::{Class, Demand, Effect, Policy, Rule, Target};
use canc_sets::path::TooLarge;

/// A combination of layers that a host may have active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Combination {
    /// SELinux enforces the module.
    pub selinux: bool,
    /// AppArmor enforces the profile.
    pub apparmor: bool,
    /// Landlock's ABI; 0 is none.
    pub landlock: u32,
}

/// The ABI that deployments have unless the build says otherwise: that of Linux 6.12.
pub const DEPLOYED_LANDLOCK: u32 = 6;
/// The newest Landlock ABI that rulesets are made for; a host with a newer one uses this one's.
pub const NEWEST_LANDLOCK: u32 = 7;

/// The layers of one policy: Landlock's are numbered by ABI.
pub struct PolicyLayers<'a> {
    /// `None` when the back end is off.
    pub selinux: Option<Layer<'a>>,
    /// `None` when the back end is off.
    pub apparmor: Option<Layer<'a>>,
    /// `None` when the back end is off.
    pub seccomp: Option<Layer<'a>>,
    /// By ABI from 1; empty when the back end is off.
    pub landlock: Vec<Layer<'a>>,
    /// Capability sets.
    pub runtime: Layer<'a>,
}

impl<'a> PolicyLayers<'a> {
    /// The MAC layers that are active on a host with this combination.
    #[must_use]
    pub fn mac(&self, on: Combination) -> Vec<&Layer<'a>> {
        let mac =
            [self.selinux.as_ref().filter(|_| on.selinux), self.apparmor.as_ref().filter(|_| on.apparmor)];
        mac.into_iter().flatten().collect()
    }

    /// The layers that are active on a host with this combination.
    #[must_use]
    pub fn active(&self, on: Combination) -> Vec<&Layer<'a>> {
        let mac =
            [self.selinux.as_ref().filter(|_| on.selinux), self.apparmor.as_ref().filter(|_| on.apparmor)];
        let landlock =
            (on.landlock as usize).min(self.landlock.len()).checked_sub(1).and_then(|i| self.landlock.get(i));
        mac.into_iter()
            .flatten()
            .chain(landlock)
            .chain(self.seccomp.as_ref())
            .chain([&self.runtime])
            .collect()
    }
}

/// The launch decision for each combination; neighbouring ABIs with one answer are joined.
///
/// # Errors
/// When a pattern's automaton is too large.
pub fn decisions(evaluator: &Evaluator<'_>, layers: &PolicyLayers<'_>) -> Result<Vec<Decision>, TooLarge> {
    let mut out: Vec<Decision> = Vec::new();
    for (selinux, apparmor) in [(false, false), (true, false), (false, true), (true, true)] {
        if (selinux && layers.selinux.is_none()) || (apparmor && layers.apparmor.is_none()) {
            continue;
        }
        for landlock in 0..=u32::try_from(layers.landlock.len()).unwrap_or(0) {
            let next = decide(evaluator, layers, Combination { selinux, apparmor, landlock })?;
            match out.last_mut() {
                Some(last) if joins(last, &next) => last.landlock_to = landlock,
                _ => out.push(next),
            }
        }
        // A host with a newer Landlock than this compiler knows behaves like the newest known.
        if let Some(last) = out.last_mut() {
            last.landlock_to = u32::MAX;
        }
    }
    Ok(out)
}

fn joins(last: &Decision, next: &Decision) -> bool {
    (last.selinux, last.apparmor) == (next.selinux, next.apparmor)
        && last.refused == next.refused
        && last.accepted == next.accepted
}

fn decide(
    evaluator: &Evaluator<'_>,
    layers: &PolicyLayers<'_>,
    on: Combination,
) -> Result<Decision, TooLarge> {
    let active = layers.active(on);
    let policy = evaluator.policy();
    let (mut refused, mut accepted) = (Vec::new(), Vec::new());
    for missing in missing_layers(policy, &active) {
        refused.push(missing);
    }
    for (class, known) in bounded_classes(evaluator, &active)? {
        let Boundedness::Unbounded(what) = known else { continue };
        let tolerated = policy.tolerate.iter().find(|t| t.class == class);
        match (tolerated, class) {
            (_, Class::FileAttributes) => {}
            (Some(t), _) => accepted.push(refusal(class.word(), what, format!("tolerated: {}", t.because))),
            (None, _) => refused.push(refusal(class.word(), what, remedy(class, on))),
        }
    }
    let judge = Judge::new(evaluator, active);
    for rule in policy.rules.iter().filter(|r| r.effect == Effect::Deny) {
        if let Some(witness) = judge.gets_through(rule)? {
            let what = rule_name(rule);
            if rule.prefer {
                accepted.push(refusal(
                    &what,
                    format!("{witness} gets through"),
                    "accepted by @prefer".into(),
                ));
            } else {
                refused.push(refusal(&what, format!("{witness} gets through"), deny_remedy(on)));
            }
        }
    }
    Ok(Decision {
        selinux: on.selinux,
        apparmor: on.apparmor,
        landlock_from: on.landlock,
        landlock_to: on.landlock,
        refused,
        accepted,
    })
}

fn refusal(what: &str, why: String, remedy: String) -> Refusal {
    Refusal { what: what.into(), why, remedy }
}

/// How reports name a rule.
#[must_use]
pub fn rule_name(rule: &Rule) -> String {
    rule.name.as_ref().map_or_else(|| format!("r{}", rule.id.0 + 1), |name| format!("@{name}"))
}

fn missing_layers(policy: &Policy, active: &[&Layer<'_>]) -> Vec<Refusal> {
    let is_active = |t: Target| active.iter().any(|l| l.name == LayerName::Target(t));
    let mut out = Vec::new();
    for target in Target::ALL {
        if policy.demand(target) == Demand::Require && !is_active(target) {
            let why = format!("the policy requires {}", target.word());
            out.push(refusal(target.word(), why, install_hint(target).into()));
        }
    }
    for demand in policy.backends.iter().filter(|b| b.targets.len() > 1 && b.demand == Demand::Require) {
        if !demand.targets.iter().any(|t| is_active(*t)) {
            let words: Vec<&str> = demand.targets.iter().map(|t| t.word()).collect();
            let why = format!("the policy requires {}", words.join(" or "));
            out.push(refusal(
                &words.join(" or "),
                why,
                "apply the policy on a host that has one of them".into(),
            ));
        }
    }
    out
}

fn install_hint(target: Target) -> &'static str {
    match target {
        Target::Selinux | Target::Apparmor => "apply the policy on a host where it is enforcing",
        Target::Seccomp => "use a kernel with seccomp filters",
        Target::Landlock => "use a kernel with Landlock, and `lsm=` with landlock in it",
    }
}

fn remedy(class: Class, on: Combination) -> String {
    let mac = if on.selinux || on.apparmor { "" } else { "apply the policy under SELinux or AppArmor, or " };
    format!("{mac}write `tolerate {} because \"…\";`", class.word())
}

fn deny_remedy(on: Combination) -> String {
    let mac = if on.selinux || on.apparmor { "" } else { "apply the policy under SELinux or AppArmor, or " };
    format!("{mac}mark the rule `@prefer`")
}
