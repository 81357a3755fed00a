//! What every part of the lowering shares: the policy, what the target mediates, the rules so far, and the verdicts.

use super::draft::{Draft, Source};
use super::network::Ports;
use crate::apparmor::features::Features;
use crate::apparmor::model::{Mode, Rule};
use crate::apparmor::token::{BadToken, ProfileName};
use crate::verdict::{Outcome, Verdict};
use canc_dsl::policy::{Body, Effect, Policy, PolicySet, RuleId};
use canc_sets::path::TooLarge;
use std::fmt;
use std::rc::Rc;

/// Why a policy has no profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LowerError {
    /// The rule that brings it; `None` where it is the policy as a whole.
    pub rule: Option<RuleId>,
    /// What is wrong.
    pub kind: LowerErrorKind,
}

/// What can be wrong with a policy for this target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LowerErrorKind {
    /// A text that the profile language cannot hold.
    Token(BadToken),
    /// A pattern about which exact questions cannot be answered.
    TooLarge(TooLarge),
}

impl fmt::Display for LowerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            LowerErrorKind::Token(token) => token.fmt(f),
            LowerErrorKind::TooLarge(large) => large.fmt(f),
        }
    }
}

impl std::error::Error for LowerError {}

impl From<TooLarge> for LowerErrorKind {
    fn from(large: TooLarge) -> Self {
        Self::TooLarge(large)
    }
}

impl From<BadToken> for LowerErrorKind {
    fn from(token: BadToken) -> Self {
        Self::Token(token)
    }
}

/// A lowering at work.
pub(super) struct Context<'a> {
    pub(super) policies: &'a PolicySet,
    pub(super) policy: &'a Policy,
    pub(super) own: ProfileName,
    pub(super) features: &'a Features,
    pub(super) complain: bool,
    pub(super) draft: Draft,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) errors: Vec<LowerError>,
    pub(super) known_ports: Option<Rc<Ports>>,
}

impl Context<'_> {
    /// Adds a rule of the profile for a rule of the policy.
    pub(super) fn add(&mut self, id: RuleId, rule: Rule) {
        self.draft.add(Source::Rule(id), rule);
    }

    /// The mode of an allow.
    pub(super) fn mode(&self, id: RuleId) -> Mode {
        Mode { audit: self.policy.rule(id).is_some_and(|r| r.audit), deny: false }
    }

    pub(super) fn error(&mut self, rule: Option<RuleId>, kind: impl Into<LowerErrorKind>) {
        self.errors.push(LowerError { rule, kind: kind.into() });
    }

    fn outcome(&mut self, id: RuleId) -> Option<&mut Outcome> {
        self.outcomes.get_mut(id.0 as usize)
    }

    pub(super) fn set(&mut self, id: RuleId, outcome: Outcome) {
        if let Some(place) = self.outcome(id) {
            *place = outcome;
        }
    }

    /// What an allow permits besides; said once.
    pub(super) fn widen(&mut self, id: RuleId, what: impl Into<String>) {
        let what = what.into();
        if let Some(Outcome { verdict: Verdict::Allow { widened, .. }, .. }) = self.outcome(id)
            && !widened.contains(&what)
        {
            widened.push(what);
        }
    }

    /// What of an allow is not permitted; said once.
    pub(super) fn narrow(&mut self, id: RuleId, what: impl Into<String>) {
        let what = what.into();
        if let Some(Outcome { verdict: Verdict::Allow { narrowed, .. }, .. }) = self.outcome(id)
            && !narrowed.contains(&what)
        {
            narrowed.push(what);
        }
    }

    /// What of a deny gets through; said once.
    pub(super) fn through(&mut self, id: RuleId, what: impl Into<String>) {
        let what = what.into();
        let Some(outcome) = self.outcome(id) else { return };
        match &mut outcome.verdict {
            Verdict::DenyPartial { through } if !through.contains(&what) => through.push(what),
            Verdict::DenyPartial { .. } => {}
            other => *other = Verdict::DenyPartial { through: vec![what] },
        }
    }

    pub(super) fn note(&mut self, id: RuleId, what: impl Into<String>) {
        let what = what.into();
        if let Some(outcome) = self.outcome(id)
            && !outcome.notes.contains(&what)
        {
            outcome.notes.push(what);
        }
    }

    /// What the policy as a whole allows of ports.
    pub(super) fn ports(&mut self) -> Rc<Ports> {
        let policy = self.policy;
        Rc::clone(self.known_ports.get_or_insert_with(|| Rc::new(Ports::new(policy))))
    }

    /// The allows of the policy.
    pub(super) fn allows(&self) -> impl Iterator<Item = &Body> {
        self.policy.rules.iter().filter(|r| r.effect == Effect::Allow).map(|r| &r.body)
    }

    /// The profile of a policy by its name.
    pub(super) fn profile(&mut self, id: RuleId, policy: &str) -> Option<ProfileName> {
        match ProfileName::of_policy(policy) {
            Ok(name) => Some(name),
            Err(bad) => {
                self.error(Some(id), bad);
                None
            }
        }
    }
}
