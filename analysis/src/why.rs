//! A request to the policy's decision, the rules behind it, and what every layer of every deployment does with it.

use crate::prove::place;
use canc_codegen::build::{Deployed, Subject};
use canc_codegen::coverage::{Layer, LayerName, PolicyLayers, Source};
use canc_codegen::seccomp::{Lowered, Why};
use canc_dsl::meaning::{Peers, Region, RequestSet, request_regions};
use canc_dsl::policy::{Body, Deployment, Request, RuleId, SyscallRule, Target};
use canc_sets::path::TooLarge;
use canc_sets::syscalls;
use std::sync::Arc;
use thiserror::Error;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unanswered {
    /// A pattern's automaton is too large for an exact answer.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The build has no such policy.
    #[error("there is no policy `{0}` here")]
    NoPolicy(Arc<str>),
    /// The request is about system calls and there is no filter.
    #[error("the back end seccomp is off, and nothing else sees system calls")]
    NoFilter,
    /// What was asked is nothing that the confined process asks for.
    #[error("receiving a signal is no request of the confined process; ask whether the sender may send it")]
    NoRequest,
    /// No request is like that.
    #[error(
        "nothing is like that: a directory, whose path ends in `/`, is listed, made and removed, not read, written or run"
    )]
    Impossible,
}

/// What is done with a request, or with the set of requests that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// All of it is allowed.
    Allowed,
    /// None of it is allowed.
    Denied,
    /// Some of it is allowed and some is not.
    Partly,
    /// The layer does not see requests of this kind.
    Unseen,
}

impl Done {
    /// The word for it in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Partly => "partly",
            Self::Unseen => "unseen",
        }
    }

    fn of(allowed: bool, denied: bool) -> Self {
        match (allowed, denied) {
            (true, _) => Self::Allowed,
            (false, true) => Self::Denied,
            (false, false) => Self::Partly,
        }
    }
}

/// What the policy decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What it is.
    pub done: Done,
    /// Why: one line, lower case, no full stop.
    pub reason: String,
    /// The rules that decide it, in their order.
    pub rules: Vec<RuleId>,
    /// Where only a part is allowed, a request that is not.
    pub not_allowed: Option<String>,
}

/// What one layer does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerAnswer {
    /// The layer.
    pub name: LayerName,
    /// The policy whose artefact it is: the asked one, or the one that starts it.
    pub policy: Arc<str>,
    /// What it does.
    pub done: Done,
    /// The rules of that policy that its text has the answer from.
    pub rules: Vec<RuleId>,
    /// Whether it permits this to every policy.
    pub base: bool,
}

/// What the layers of one deployment do together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// The deployment.
    pub deployment: Deployment,
    /// The policy that starts this one; `None` for a user or the service manager.
    pub starter: Option<Arc<str>>,
    /// What all of them do together: what one refuses is refused.
    pub done: Done,
    /// Each.
    pub layers: Vec<LayerAnswer>,
}

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The policy's decision.
    pub decision: Decision,
    /// By deployment and starter.
    pub hosts: Vec<Host>,
}

/// Answers a request for the policy of this name.
///
/// # Errors
/// Where there is no exact answer.
pub fn why(subject: &Subject<'_>, policy: &str, request: &Request) -> Result<Answer, Unanswered> {
    let index = subject.index(policy).ok_or_else(|| Unanswered::NoPolicy(policy.into()))?;
    match &request.body {
        Body::Syscall(rule) => calls(subject, index, policy.into(), rule),
        _ => requests(subject, index, request),
    }
}

fn requests(subject: &Subject<'_>, index: usize, request: &Request) -> Result<Answer, Unanswered> {
    let (Some(evaluator), Some(own)) = (subject.evaluators.get(index), subject.layers.get(index)) else {
        return Err(Unanswered::NoRequest);
    };
    let regions = request_regions(request, evaluator.peers())?;
    if regions.is_empty() {
        return Err(Unanswered::NoRequest);
    }
    let place = place(&request.body);
    let verdict = evaluator.decide(&regions, &place)?;
    if verdict.allowed && verdict.denied {
        return Err(Unanswered::Impossible);
    }
    let done = Done::of(verdict.allowed, verdict.denied);
    let (reason, rules) = match (done, verdict.denied_by.is_empty(), verdict.allowed_by.is_empty()) {
        (Done::Allowed, _, true) => ("every domain may do this to itself", Vec::new()),
        (Done::Allowed, _, false) => ("allowed by", verdict.allowed_by),
        (_, false, _) => ("denied by", verdict.denied_by),
        (_, true, false) => ("allowed in part alone by", verdict.allowed_by),
        (_, true, true) => ("no rule allows it", Vec::new()),
    };
    let not_allowed = verdict.not_allowed.filter(|_| done == Done::Partly);
    let decision = Decision { done, reason: reason.into(), rules, not_allowed };
    let name = Arc::clone(&evaluator.policy().name);
    let asked = Asked { regions, place, peers: evaluator.peers(), name, own };
    let mut hosts = Vec::new();
    for deployment in subject.deployments() {
        for started in subject.deployed(index, deployment) {
            hosts.push(asked.host(deployment, &started)?);
        }
    }
    Ok(Answer { decision, hosts })
}

/// A set of requests, as layers are asked for it.
struct Asked<'a> {
    regions: Vec<Region>,
    place: String,
    peers: &'a Peers,
    name: Arc<str>,
    own: &'a PolicyLayers<'a>,
}

impl Asked<'_> {
    fn host(&self, deployment: Deployment, started: &Deployed<'_, '_>) -> Result<Host, TooLarge> {
        let layers: Vec<LayerAnswer> =
            started.layers.iter().map(|l| self.layer(l, started)).collect::<Result<_, _>>()?;
        let any = |done| layers.iter().any(|l| l.done == done);
        let done = if any(Done::Denied) {
            Done::Denied
        } else if any(Done::Partly) {
            self.together(started)?
        } else {
            Done::Allowed
        };
        Ok(Host { deployment, starter: started.starter.map(|p| Arc::clone(&p.name)), done, layers })
    }

    /// Under a starter, the own policy has its labels alone.
    fn whose(&self, layer: &Layer<'_>, started: &Deployed<'_, '_>) -> Arc<str> {
        let own = [self.own.selinux.as_ref(), self.own.apparmor.as_ref()];
        match started.starter {
            Some(starter) if !own.into_iter().flatten().any(|l| std::ptr::eq(l, layer)) => {
                Arc::clone(&starter.name)
            }
            _ => Arc::clone(&self.name),
        }
    }

    /// What several layers leave, of which each refuses a part.
    fn together(&self, started: &Deployed<'_, '_>) -> Result<Done, TooLarge> {
        for region in &self.regions {
            let mut left = RequestSet::new(vec![region.clone()]);
            for layer in &started.layers {
                if let Some(permitted) = (layer.permitted)(region.kind, &self.place)?.set() {
                    left = left.intersect(&permitted);
                }
            }
            if left.witness(self.peers)?.is_some() {
                return Ok(Done::Partly);
            }
        }
        Ok(Done::Denied)
    }

    fn layer(&self, layer: &Layer<'_>, started: &Deployed<'_, '_>) -> Result<LayerAnswer, TooLarge> {
        let (mut seen, mut refused, mut permitted) = (false, false, false);
        let (mut granting, mut denying) = (Vec::new(), Vec::new());
        for region in &self.regions {
            let answer = (layer.permitted)(region.kind, &self.place)?;
            let Some(set) = answer.set() else {
                permitted = true;
                continue;
            };
            seen = true;
            let asked = RequestSet::new(vec![region.clone()]);
            refused |= !asked.minus(&set).is_empty()?;
            permitted |= !asked.intersect(&set).is_empty()?;
            for (grants, into) in [(answer.grants(), &mut granting), (answer.denies(), &mut denying)] {
                for grant in grants {
                    if !asked.intersect(&RequestSet::new(vec![grant.region.clone()])).is_empty()? {
                        into.push(grant.source);
                    }
                }
            }
        }
        let done = if seen { Done::of(!refused, !permitted) } else { Done::Unseen };
        let sources = if done == Done::Allowed || denying.is_empty() { granting } else { denying };
        let base = done != Done::Denied && sources.contains(&Source::Base);
        let mut rules: Vec<RuleId> = sources
            .into_iter()
            .filter_map(|s| match s {
                Source::Rule(id) => Some(id),
                Source::Base => None,
            })
            .collect();
        rules.sort_unstable();
        rules.dedup();
        Ok(LayerAnswer { name: layer.name, policy: self.whose(layer, started), done, rules, base })
    }
}

fn calls(
    subject: &Subject<'_>,
    index: usize,
    name: Arc<str>,
    rule: &SyscallRule,
) -> Result<Answer, Unanswered> {
    let filters = |index| subject.lowered(index).and_then(|l| l.seccomp.as_ref());
    let own = filters(index).ok_or(Unanswered::NoFilter)?;
    let decision = decided(own, rule);
    let mut hosts = Vec::new();
    for deployment in subject.deployments() {
        for started in subject.deployed(index, deployment) {
            let starter = started.starter.map(|p| Arc::clone(&p.name));
            let lowered = match &starter {
                Some(name) => subject.index(name).and_then(filters),
                None => Some(own),
            };
            let layer = lowered.map(|l| {
                let decided = decided(l, rule);
                LayerAnswer {
                    name: LayerName::Target(Target::Seccomp),
                    policy: starter.clone().unwrap_or_else(|| Arc::clone(&name)),
                    done: decided.done,
                    rules: decided.rules,
                    base: false,
                }
            });
            let done = layer.as_ref().map_or(Done::Allowed, |l| l.done);
            hosts.push(Host { deployment, starter, done, layers: layer.into_iter().collect() });
        }
    }
    Ok(Answer { decision, hosts })
}

/// What filters do with the calls, and the rules behind one that is an example of it.
fn decided(filters: &Lowered, rule: &SyscallRule) -> Decision {
    let asked = filters.asked(rule);
    let done = Done::of(asked.refused.is_none(), asked.made.is_none());
    let Some(example) = asked.refused.or(asked.made) else {
        let reason = "the filters serve no architecture that has it".into();
        return Decision { done: Done::Denied, reason, rules: Vec::new(), not_allowed: None };
    };
    let decided = syscalls::number(example.arch, example.call)
        .and_then(|number| filters.decide(example.arch, number, example.args));
    let (reason, rules) = match decided {
        None => ("the filters could not be asked", Vec::new()),
        Some(decided) => (words(decided.why), decided.rules),
    };
    let not_allowed = asked.refused.filter(|_| done == Done::Partly).map(|w| w.to_string());
    Decision { done, reason: reason.into(), rules, not_allowed }
}

/// Why filters do something, for people.
#[must_use]
pub fn words(why: Why) -> &'static str {
    match why {
        Why::Rules => "rules of the policy say so",
        Why::Base => "every filter permits what launches and ends a program",
        Why::Unmatched => "rules allow the call, but none with these arguments",
        Why::Namespace => "it makes or enters a namespace that no rule allows",
        Why::FastOpen => "it opens a connection where no layer looks at the port",
        Why::Unmentioned => "no rule mentions the call",
        Why::UnknownNumber => "the architecture has no call with this number",
        Why::Foreign => "the number belongs to no architecture that the filters serve",
    }
}

impl Answer {
    /// Whether the policy allows all of it and no layer refuses any of it: what `P allows REQUEST` claims.
    #[must_use]
    pub fn is_allowed_everywhere(&self) -> bool {
        let layer = |l: &LayerAnswer| matches!(l.done, Done::Allowed | Done::Unseen);
        self.decision.done == Done::Allowed && self.hosts.iter().flat_map(|h| &h.layers).all(layer)
    }

    /// Whether the policy allows none of it and some layer of each deployment refuses all of it: what `P denies REQUEST` claims.
    #[must_use]
    pub fn is_denied_everywhere(&self) -> bool {
        self.decision.done == Done::Denied && self.hosts.iter().all(|h| h.done == Done::Denied)
    }
}
