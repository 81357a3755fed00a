//! What was lowered to what it comes to on each deployment: rule by rule, launch by launch, edge by edge.

use super::{BuildOptions, Lowered};
use crate::coverage::{Combination, Judge, Layer, PolicyLayers, RuleResult, decisions};
use canc_bundle::Decision;
use canc_dsl::codes;
use canc_dsl::diag::Diagnostic;
use canc_dsl::meaning::Evaluator;
use canc_dsl::policy::{Demand, Deployment, Effect, Launcher, Policy, PolicySet, Rule, Target};
use canc_sets::path::TooLarge;
use std::collections::BTreeMap;

/// What one policy comes to.
pub struct PolicyJudgement {
    /// By deployment, the results by rule.
    pub rules: BTreeMap<Deployment, Vec<RuleResult>>,
    /// The launch decisions.
    pub decisions: Vec<Decision>,
}

/// What a build comes to.
pub struct Judged {
    /// By policy, in their order.
    pub policies: Vec<PolicyJudgement>,
    /// What no deployment enforces, and edges that exceed their starters.
    pub diagnostics: Vec<Diagnostic>,
}

/// The policies of a build with their meaning and their layers, ready for questions.
pub struct Subject<'a> {
    /// All policies.
    pub set: &'a PolicySet,
    /// Their meaning, in their order.
    pub evaluators: Vec<Evaluator<'a>>,
    /// Their layers, in their order.
    pub layers: Vec<PolicyLayers<'a>>,
    lowered: &'a [Lowered],
    options: &'a BuildOptions,
}

/// The layers of one policy on one deployment, for each way it may be started there.
pub struct Deployed<'s, 'a> {
    /// Who starts it: `None` for a user or the service manager, else another policy.
    pub starter: Option<&'a Policy>,
    /// The active layers.
    pub layers: Vec<&'s Layer<'a>>,
}

impl<'a> Subject<'a> {
    /// Prepares what was lowered for questions.
    #[must_use]
    pub fn new(set: &'a PolicySet, lowered: &'a [Lowered], options: &'a BuildOptions) -> Self {
        let policies = || set.policies().iter();
        Self {
            set,
            evaluators: policies().map(|p| Evaluator::new(set, p)).collect(),
            layers: policies().zip(lowered).map(|(p, l)| l.layers(set, p, options)).collect(),
            lowered,
            options,
        }
    }

    /// The position of a policy.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<usize> {
        self.set.policies().iter().position(|p| &*p.name == name)
    }

    /// What one policy became.
    #[must_use]
    pub fn lowered(&self, index: usize) -> Option<&'a Lowered> {
        self.lowered.get(index)
    }

    /// The deployments of the build.
    pub fn deployments(&self) -> impl Iterator<Item = Deployment> {
        self.options.deployments.iter().map(|d| d.0)
    }

    /// The layers of a policy on a deployment, for each way it may be started: by itself, or by a policy whose seccomp, Landlock
    /// and capabilities stay with it, and whose AppArmor profile is stacked.
    #[must_use]
    pub fn deployed(&self, index: usize, deployment: Deployment) -> Vec<Deployed<'_, 'a>> {
        let Some(policy) = self.set.policies().get(index) else { return Vec::new() };
        let starts = policy.launch.iter().filter_map(|launcher| match launcher {
            Launcher::Policy(name) => Some(Some(self.index(name)?)),
            Launcher::User | Launcher::Systemd => Some(None),
        });
        let mut starts: Vec<Option<usize>> = starts.collect();
        starts.sort_unstable();
        starts.dedup();
        starts.into_iter().map(|starter| self.started(index, starter, deployment)).collect()
    }

    fn started(&self, index: usize, starter: Option<usize>, deployment: Deployment) -> Deployed<'_, 'a> {
        let on = self.combination(deployment);
        let mac = Combination { landlock: 0, ..on };
        let own = self.layers.get(index);
        let Some(starter) = starter else {
            return Deployed { starter: None, layers: own.map(|l| l.active(on)).unwrap_or_default() };
        };
        let mut layers: Vec<&Layer<'a>> = own.map(|l| l.mac(mac)).unwrap_or_default();
        if let Some(from) = self.layers.get(starter) {
            let without_selinux = Combination { selinux: false, ..on };
            layers.extend(from.active(without_selinux));
        }
        Deployed { starter: self.set.policies().get(starter), layers }
    }

    fn combination(&self, deployment: Deployment) -> Combination {
        let landlock = self.options.deployments.iter().find(|d| d.0 == deployment).map_or(0, |d| d.1);
        Combination {
            selinux: deployment == Deployment::Selinux,
            apparmor: deployment == Deployment::Apparmor,
            landlock,
        }
    }
}

/// Judges a build.
pub fn judge(set: &PolicySet, lowered: &[Lowered], options: &BuildOptions) -> Result<Judged, TooLarge> {
    let subject = Subject::new(set, lowered, options);
    let mut diagnostics = Vec::new();
    let mut policies = Vec::new();
    for (index, policy) in set.policies().iter().enumerate() {
        let judgement = one(&subject, index, policy)?;
        diagnostics.extend(enforced_nowhere(policy, &judgement));
        diagnostics.extend(required_nowhere(policy, options));
        if policy.demand(Target::Seccomp) != Demand::Off {
            diagnostics.extend(crate::seccomp::same::warnings(policy));
        }
        if let Some(evaluator) = subject.evaluators.get(index) {
            diagnostics.extend(super::dead::found(evaluator)?);
        }
        if let Some(seccomp) = subject.lowered(index).and_then(|l| l.seccomp.as_ref()) {
            diagnostics.extend(super::dead::refused(policy, seccomp));
        }
        diagnostics.extend(super::escapes::found(&subject, index)?);
        policies.push(judgement);
    }
    diagnostics.extend(super::edges::exceeding(&subject)?);
    Ok(Judged { policies, diagnostics })
}

fn one(subject: &Subject<'_>, index: usize, policy: &Policy) -> Result<PolicyJudgement, TooLarge> {
    let mut rules = BTreeMap::new();
    let (Some(evaluator), Some(layers)) = (subject.evaluators.get(index), subject.layers.get(index)) else {
        return Ok(PolicyJudgement { rules, decisions: Vec::new() });
    };
    for deployment in subject.deployments() {
        let mut results = vec![RuleResult::default(); policy.rules.len()];
        for deployed in subject.deployed(index, deployment) {
            let judge = Judge::new(evaluator, deployed.layers);
            for (found, result) in judge.rules(&policy.rules)?.into_iter().zip(&mut results) {
                *result = std::mem::take(result).join(found);
            }
        }
        rules.insert(deployment, results);
    }
    Ok(PolicyJudgement { rules, decisions: decisions(evaluator, layers)? })
}

/// Denies that get something through on every deployment of the build.
fn enforced_nowhere(policy: &Policy, judgement: &PolicyJudgement) -> Vec<Diagnostic> {
    let leak =
        |rule: &Rule, results: &Vec<RuleResult>| results.get(rule.id.0 as usize).and_then(|r| r.leak.clone());
    let denies = policy.rules.iter().filter(|r| r.effect == Effect::Deny && !r.prefer);
    let failing = denies.filter_map(|rule| {
        let leaks: Vec<String> = judgement.rules.values().filter_map(|results| leak(rule, results)).collect();
        (leaks.len() == judgement.rules.len())
            .then(|| leaks.into_iter().next().map(|leak| (rule, leak)))
            .flatten()
    });
    failing
        .map(|(rule, witness)| {
            let name = rule.name.as_ref().map(|name| format!(" `@id({name})`")).unwrap_or_default();
            let message = format!("nothing enforces this deny{name}");
            Diagnostic::new(codes::DENY_UNENFORCED, message)
                .label(rule.span, format!("{witness} gets through on every deployment"))
                .help("narrow the allow that permits it, or accept it by writing `@prefer` before the deny")
        })
        .collect()
}

/// Back ends that are required and that no deployment of the build has.
fn required_nowhere(policy: &Policy, options: &BuildOptions) -> Vec<Diagnostic> {
    let has = |target| {
        options.deployments.iter().any(|(deployment, landlock)| match target {
            Target::Selinux => *deployment == Deployment::Selinux,
            Target::Apparmor => *deployment == Deployment::Apparmor,
            Target::Landlock => *landlock > 0,
            Target::Seccomp => true,
        })
    };
    let unmet =
        policy.backends.iter().filter(|b| b.demand == Demand::Require && !b.targets.iter().any(|t| has(*t)));
    unmet
        .map(|demand| {
            let words: Vec<&str> = demand.targets.iter().map(|t| t.word()).collect();
            Diagnostic::new(
                codes::REQUIRE_UNMET,
                format!("no deployment of this build has {}", words.join(" or ")),
            )
            .label(demand.span, "required here")
            .help("name a deployment that has it with `--for`, or write `prefer`")
        })
        .collect()
}

/// A question that could not be answered; the pattern is looked for among the rules.
pub fn too_large(set: &PolicySet, large: &TooLarge) -> Diagnostic {
    use canc_dsl::policy::Body;
    let holds = |rule: &&Rule| match &rule.body {
        Body::File(file) => {
            file.paths.iter().chain(&file.except).any(|p| p.pattern.to_string() == large.pattern)
        }
        _ => false,
    };
    let place = set.policies().iter().find_map(|p| p.rules.iter().find(holds).map(|r| (p, Some(r.id))));
    match place.or_else(|| set.policies().first().map(|p| (p, None))) {
        Some((policy, rule)) => super::lower::too_large(policy, rule, large),
        None => Diagnostic::new(codes::PATH_EXPLODES, large.to_string()),
    }
}
