//! A checked policy to a profile and a verdict on each rule.
//!
//! One part per concern; none of them knows how a rule is spelled.

mod base;
mod capability;
mod claims;
mod context;
mod deny;
mod draft;
mod exec;
mod files;
mod joined;
mod link;
mod mount;
pub(super) mod network;
mod other;
mod process;
pub(super) mod unix;
mod words;

pub use context::{LowerError, LowerErrorKind};

use super::features::{Abi, DEBIAN13, FeatureSet, Features, FeaturesError};
use super::glob::{AaGlob, Form};
use super::limits::{self, Limit};
use super::model::{Profile, Rule};
use super::token::{BadToken, ProfileName, RawText};
use crate::verdict::{Outcome, Verdict};
use canc_dsl::policy::{Body, Effect, Mode, Policy, PolicySet, RuleId, Target};
use claims::Claims;
use context::Context;
use draft::{Draft, Source};
use files::Plan;
use joined::{Joined, Surplus};

/// What a profile is made for.
#[derive(Debug, Clone)]
pub struct ApparmorOptions {
    /// The version of the profile language.
    pub abi: Abi,
    /// What the kernel mediates and the ABI has words for.
    pub features: Features,
}

impl ApparmorOptions {
    /// For profiles of `abi` on a kernel with these features.
    ///
    /// # Errors
    /// Never in practice: the ABIs' own feature sets are tested.
    pub fn new(abi: Abi, kernel: FeatureSet) -> Result<Self, FeaturesError> {
        Ok(Self { abi, features: Features::new(abi, kernel)? })
    }

    /// For the kernel of Debian 13.
    ///
    /// # Errors
    /// Never in practice: the recorded feature set is tested.
    pub fn debian13(abi: Abi) -> Result<Self, FeaturesError> {
        Self::new(abi, FeatureSet::parse(DEBIAN13)?)
    }
}

/// A profile, and what it makes of each rule.
#[derive(Debug, Clone)]
pub struct Lowered {
    /// The profile.
    pub profile: Profile,
    /// The verdicts, by the rules' numbers.
    pub outcomes: Vec<Outcome>,
    /// What the profile grants whatever the policy says.
    pub base: Outcome,
    /// What the owner's parser will find hard, and the rules that bring it.
    pub limits: Vec<Limit>,
}

/// Lowers one policy of a set.
///
/// # Errors
/// Every text that the profile language cannot hold and every pattern that exact answers are impossible for, with its rule.
pub fn lower(
    policies: &PolicySet,
    policy: &Policy,
    options: &ApparmorOptions,
) -> Result<Lowered, Vec<LowerError>> {
    let fail = |bad: BadToken| vec![LowerError { rule: None, kind: bad.into() }];
    let own = ProfileName::of_policy(&policy.name).map_err(fail)?;
    let outcomes = policy.rules.iter().map(start).collect();
    let mut cx = Context {
        policies,
        policy,
        own: own.clone(),
        features: &options.features,
        complain: policy.mode == Mode::Complain,
        draft: Draft::with_capacity(policy.rules.len() + 16),
        outcomes,
        errors: Vec::new(),
        known_ports: None,
    };
    base::rules(&mut cx);
    let claims = files::claims(&mut cx);
    let device_nodes = capability::may_make_device_nodes(policy);
    let mut plan = files::plan(&mut cx, &claims);
    deny::files(&mut cx, &claims, &mut plan, device_nodes);
    print(&mut cx, &claims, &plan);
    judge(&mut cx, &claims, &plan, device_nodes);
    let raw = raw(&mut cx);
    let base = base::outcome(&cx);
    let attachment: Vec<AaGlob> =
        policy.attach.iter().filter_map(|p| AaGlob::of_pattern(&p.pattern, Form::File)).collect();
    let Context { draft, errors, outcomes, complain, .. } = cx;
    if !errors.is_empty() {
        return Err(errors);
    }
    let blocks = draft.blocks(policy).map_err(|(rule, bad)| vec![LowerError { rule, kind: bad.into() }])?;
    let profile = Profile {
        name: own,
        abi: options.abi,
        attachment: AaGlob::any_of(&attachment),
        complain,
        blocks,
        raw,
    };
    let limits = limits::find(&profile);
    Ok(Lowered { profile, outcomes, base, limits })
}

/// The verdict that a rule has until something is found: an allow is exact, and what nobody lowers is not mediated.
fn start(rule: &canc_dsl::policy::Rule) -> Outcome {
    match rule.effect {
        Effect::Allow => Outcome::exact(),
        Effect::Deny => Outcome::new(Verdict::DenyExact),
    }
}

/// Puts every rule into the draft, in the policy's order.
fn print<'a>(cx: &mut Context<'a>, claims: &Claims<'a>, plan: &Plan<'a>) {
    let mut links = link::rules(cx, claims, plan).into_iter().peekable();
    let mut claims = claims.all.iter().enumerate().peekable();
    let mut denies = plan.denies.iter().collect::<Vec<_>>();
    denies.sort_by_key(|d| d.id);
    let mut denies = denies.into_iter().peekable();
    while let Some((number, claim)) = claims.next_if(|(_, c)| matches!(c.source, Source::Base(_))) {
        for file in plan.print(claim, number) {
            cx.draft.add(claim.source, Rule::File(file));
        }
    }
    let policy = cx.policy;
    for rule in &policy.rules {
        while let Some((number, claim)) = claims.next_if(|(_, c)| c.source == Source::Rule(rule.id)) {
            for file in plan.print(claim, number) {
                if !cx.draft.file(claim.source, file) {
                    cx.narrow(rule.id, "execution: another rule sends the same path elsewhere");
                }
            }
        }
        while let Some((id, link)) = links.next_if(|(id, _)| *id == rule.id) {
            cx.add(id, link);
        }
        while let Some(refusal) = denies.next_if(|d| d.id == rule.id) {
            if !cx.complain {
                files::refusal_rules(refusal).into_iter().for_each(|r| cx.add(rule.id, r));
            }
        }
        body(cx, rule);
        if rule.effect == Effect::Deny && cx.complain {
            cx.set(
                rule.id,
                Outcome::new(Verdict::DenyDropped { why: "complain mode refuses nothing".into() }),
            );
        }
    }
}

/// What is not about files.
fn body(cx: &mut Context<'_>, rule: &canc_dsl::policy::Rule) {
    let (id, allow) = (rule.id, rule.effect == Effect::Allow);
    match &rule.body {
        Body::File(_) => {}
        Body::Net(net) => network::net(cx, id, allow, net),
        Body::Socket(socket) => network::socket(cx, id, allow, socket),
        Body::Unix(unix) => unix::rule(cx, id, allow, unix),
        Body::Capability(capability) => capability::rule(cx, id, allow, *capability),
        Body::Signal(signal) => process::signal(cx, id, allow, signal),
        Body::Ptrace(ptrace) => process::ptrace(cx, id, allow, ptrace),
        Body::Mount(mount) => mount::rule(cx, id, allow, mount),
        Body::UsernsCreate => other::userns(cx, id, allow),
        Body::Mqueue(mqueue) => other::mqueue(cx, id, allow, mqueue),
        Body::IoUring(_) => other::io_uring(cx, id, allow),
        Body::Syscall(_) | Body::Namespace(_) | Body::Facility(_) => {
            cx.set(id, Outcome::new(Verdict::NotApplicable));
        }
    }
}

/// Compares what allows about files let through with what the policy allows.
fn judge<'a>(cx: &mut Context<'a>, claims: &Claims<'a>, plan: &Plan<'a>, device_nodes: bool) {
    let denied = if cx.complain { Claims::new(Vec::new()) } else { Claims::new(plan.refused_writing()) };
    let joined = Joined::new(claims, &denied, device_nodes);
    let mut found: Option<(RuleId, Surplus)> = None;
    for claim in &claims.all {
        let Source::Rule(id) = claim.source else { continue };
        if found.as_ref().is_none_or(|(of, _)| *of != id) {
            conclude(cx, found.take());
            found = Some((id, Surplus::default()));
            base::remarks(cx, id, claim);
        }
        if let Some((_, surplus)) = &mut found
            && let Err(large) = joined.surplus(claim, surplus)
        {
            cx.error(Some(id), large);
        }
        base::process_remarks(cx, id, claim);
    }
    conclude(cx, found);
}

fn conclude(cx: &mut Context<'_>, found: Option<(RuleId, Surplus)>) {
    if let Some((id, surplus)) = found
        && let Some(text) = surplus.text()
    {
        cx.widen(id, text);
    }
}

/// Verbatim text. What stands beside it is not proved.
fn raw(cx: &mut Context<'_>) -> Vec<RawText> {
    let mut out = Vec::new();
    for raw in cx.policy.raw.iter().filter(|r| r.target == Target::Apparmor) {
        let text = if raw.text.ends_with('\n') { raw.text.to_string() } else { format!("{}\n", raw.text) };
        match RawText::new(&text) {
            Ok(text) => out.push(text),
            Err(bad) => cx.error(None, bad),
        }
    }
    if !out.is_empty() {
        cx.outcomes.iter_mut().for_each(|o| o.unproved = true);
    }
    out
}

#[cfg(test)]
mod tests;
