//! The tests in a policy to proofs: each claim held against the policy's meaning and against what every layer's artefact permits.

mod calls;

use crate::reach;
use canc_codegen::build::{Deployed, Subject};
use canc_codegen::coverage::Layer;
use canc_codegen::verdict::Verdict;
use canc_dsl::meaning::{Evaluator, Peers, Region, RequestSet, request_regions};
use canc_dsl::policy::{
    Assertion, Body, Claim, Class, DecidedBy, Deployment, FileRule, Request, RuleId, Target, Test,
};
use canc_sets::path::TooLarge;
use std::collections::BTreeSet;

/// A claim that does not hold, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where it does not hold; `None` for the policy itself.
    pub deployment: Option<Deployment>,
    /// One line, lower case, no full stop, with a witness where there is one.
    pub message: String,
    /// The rules that decide otherwise.
    pub rules: Vec<RuleId>,
}

/// One assertion and what was found about it; nothing found is a proof.
#[derive(Debug)]
pub struct Proof<'a> {
    /// The assertion.
    pub assertion: &'a Assertion,
    /// Why it does not hold.
    pub findings: Vec<Finding>,
}

/// Proves every assertion of a test, or says what is wrong with it.
///
/// # Errors
/// When a pattern's automaton is too large for an exact answer.
pub fn prove<'a>(subject: &Subject<'_>, test: &'a Test) -> Result<Vec<Proof<'a>>, TooLarge> {
    test.assertions.iter().map(|a| Ok(Proof { assertion: a, findings: assertion(subject, a)? })).collect()
}

fn assertion(subject: &Subject<'_>, assertion: &Assertion) -> Result<Vec<Finding>, TooLarge> {
    let Some(index) = subject.index(&assertion.policy) else {
        // The checker knows every policy that a test names, so this is a template's test asked of another build.
        return Ok(vec![about_policy(format!("there is no policy `{}` here", assertion.policy))]);
    };
    let question = Question { subject, index, on: &assertion.on };
    match &assertion.claim {
        Claim::Allows(request) => question.allows(request),
        Claim::Denies(request, by) => question.denies(request, by.as_ref()),
        Claim::Never(request) => question.denies(request, None),
        Claim::LosesNothing(target, class) => Ok(question.loses(*target, *class)),
        Claim::Reaches { to, not } => Ok(reaches(subject, &assertion.policy, to, *not)),
    }
}

fn about_policy(message: String) -> Finding {
    Finding { deployment: None, message, rules: Vec::new() }
}

fn reaches(subject: &Subject<'_>, from: &str, to: &str, not: bool) -> Vec<Finding> {
    match (reach::path(subject.set, from, to), not) {
        (Some(path), true) => vec![about_policy(format!("`{from}` reaches `{to}`: {}", path.join(" -> ")))],
        (None, false) => vec![about_policy(format!("no transition leads from `{from}` to `{to}`"))],
        _ => Vec::new(),
    }
}

/// One policy of a build, asked about on some deployments.
struct Question<'q, 'a> {
    subject: &'q Subject<'a>,
    index: usize,
    on: &'q [Deployment],
}

impl<'q, 'a> Question<'q, 'a> {
    fn evaluator(&self) -> Option<&'q Evaluator<'a>> {
        self.subject.evaluators.get(self.index)
    }

    /// The deployments of the build that the assertion is about.
    fn deployments(&self) -> impl Iterator<Item = Deployment> {
        self.subject.deployments().filter(|d| self.on.is_empty() || self.on.contains(d))
    }

    /// Every way to be started on every deployment that the assertion is about.
    fn starts(&self) -> Vec<(Deployment, Deployed<'q, 'a>)> {
        let each = |d| self.subject.deployed(self.index, d).into_iter().map(move |started| (d, started));
        self.deployments().flat_map(each).collect()
    }

    fn allows(&self, request: &Request) -> Result<Vec<Finding>, TooLarge> {
        if let Body::Syscall(rule) = &request.body {
            return Ok(calls::allows(self.subject, self.index, rule));
        }
        let Some(evaluator) = self.evaluator() else { return Ok(Vec::new()) };
        let (regions, place) = (request_regions(request, evaluator.peers())?, place(&request.body));
        let verdict = evaluator.decide(&regions, &place)?;
        if let Some(witness) = verdict.not_allowed {
            let why = if verdict.denied_by.is_empty() { "no rule allows" } else { "a deny refuses" };
            return Ok(vec![Finding {
                deployment: None,
                message: format!("{why} {witness}"),
                rules: verdict.denied_by,
            }]);
        }
        let mut out = Vec::new();
        for (deployment, started) in self.starts() {
            for layer in &started.layers {
                if let Some(witness) = refused_part(layer, &regions, &place, evaluator.peers())? {
                    let message = format!("{} refuses {witness}{}", layer.name.word(), starter(&started));
                    out.push(Finding { deployment: Some(deployment), message, rules: Vec::new() });
                }
            }
        }
        Ok(out)
    }

    fn denies(&self, request: &Request, by: Option<&DecidedBy>) -> Result<Vec<Finding>, TooLarge> {
        if let Body::Syscall(rule) = &request.body {
            return Ok(calls::denies(self.subject, self.index, rule, by));
        }
        let Some(evaluator) = self.evaluator() else { return Ok(Vec::new()) };
        let (regions, place) = (request_regions(request, evaluator.peers())?, place(&request.body));
        let verdict = evaluator.decide(&regions, &place)?;
        if let Some(witness) = verdict.not_denied {
            let message = format!("the policy allows {witness}");
            return Ok(vec![Finding { deployment: None, message, rules: verdict.allowed_by }]);
        }
        let mut out = Vec::new();
        if let Some(by) = by
            && !verdict.denied_by.iter().any(|id| is_rule(evaluator, *id, by))
        {
            let message = match by {
                DecidedBy::Because(why) => format!("it is not the rule \"{why}\" that denies it"),
                DecidedBy::Id(name) => format!("it is not `@{name}` that denies it"),
            };
            out.push(Finding { deployment: None, message, rules: verdict.denied_by });
        }
        for (deployment, started) in self.starts() {
            if let Some(witness) = let_through(&started.layers, &regions, &place, evaluator.peers())? {
                let message = format!("no layer refuses {witness}{}", starter(&started));
                out.push(Finding { deployment: Some(deployment), message, rules: Vec::new() });
            }
        }
        Ok(out)
    }

    fn loses(&self, target: Target, class: Option<Class>) -> Vec<Finding> {
        let (Some(evaluator), Some(layers)) = (self.evaluator(), self.subject.layers.get(self.index)) else {
            return Vec::new();
        };
        let layer = match target {
            Target::Selinux => layers.selinux.as_ref(),
            Target::Apparmor => layers.apparmor.as_ref(),
            Target::Seccomp => layers.seccomp.as_ref(),
            Target::Landlock => layers.landlock.get(canc_codegen::coverage::DEPLOYED_LANDLOCK as usize - 1),
        };
        let Some(layer) = layer else {
            return vec![about_policy(format!("the back end {} is off", target.word()))];
        };
        let rules =
            evaluator.policy().rules.iter().filter(|r| class.is_none_or(|c| classes(&r.body).contains(&c)));
        let lost = rules.filter(|rule| {
            layer.outcomes.get(rule.id.0 as usize).is_some_and(|o| match &o.verdict {
                Verdict::NotApplicable | Verdict::DenyExact => false,
                Verdict::Allow { widened, narrowed } => !widened.is_empty() || !narrowed.is_empty(),
                Verdict::DenyPartial { .. } | Verdict::DenyDropped { .. } | Verdict::BaseUnknown { .. } => {
                    true
                }
            })
        });
        lost.map(|rule| {
            let word = layer.outcomes.get(rule.id.0 as usize).map_or("", |o| o.word());
            let message =
                format!("{} is {word} on {}", canc_codegen::coverage::rule_name(rule), target.word());
            Finding { deployment: None, message, rules: vec![rule.id] }
        })
        .collect()
    }
}

fn starter(started: &Deployed<'_, '_>) -> String {
    started.starter.map(|p| format!(" when `{}` starts it", p.name)).unwrap_or_default()
}

fn is_rule(evaluator: &Evaluator<'_>, id: RuleId, by: &DecidedBy) -> bool {
    evaluator.policy().rule(id).is_some_and(|rule| match by {
        DecidedBy::Because(why) => rule.because.as_ref() == Some(why),
        DecidedBy::Id(name) => rule.name.as_ref() == Some(name),
    })
}

/// A part of the requests that a layer refuses.
fn refused_part(
    layer: &Layer<'_>,
    regions: &[Region],
    place: &str,
    peers: &Peers,
) -> Result<Option<String>, TooLarge> {
    for region in regions {
        let Some(permitted) = (layer.permitted)(region.kind, place)?.set() else { continue };
        if let Some(witness) = RequestSet::new(vec![region.clone()]).minus(&permitted).witness(peers)? {
            return Ok(Some(witness));
        }
    }
    Ok(None)
}

/// A part of the requests that every layer permits.
fn let_through(
    layers: &[&Layer<'_>],
    regions: &[Region],
    place: &str,
    peers: &Peers,
) -> Result<Option<String>, TooLarge> {
    for region in regions {
        let mut left = RequestSet::new(vec![region.clone()]);
        for layer in layers {
            if let Some(permitted) = (layer.permitted)(region.kind, place)?.set() {
                left = left.intersect(&permitted);
            }
        }
        if let Some(witness) = left.witness(peers)? {
            return Ok(Some(witness));
        }
    }
    Ok(None)
}

/// A literal prefix below which all paths of a request lie.
pub(crate) fn place(body: &Body) -> String {
    match body {
        Body::File(FileRule { paths, .. }) => match paths.as_slice() {
            [one] => one.pattern.literal_prefix(),
            _ => "/".into(),
        },
        _ => "/".into(),
    }
}

/// The classes that a body's requests are counted in.
fn classes(body: &Body) -> BTreeSet<Class> {
    match body {
        Body::Syscall(_) | Body::Facility(_) => BTreeSet::from([Class::Syscalls]),
        body => canc_dsl::meaning::body_classes(body),
    }
}
