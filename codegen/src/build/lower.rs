//! One policy to what it became in each target, with every target's errors as diagnostics.

use super::BuildOptions;
use crate::apparmor;
use crate::coverage::{
    DEPLOYED_LANDLOCK, Grant, Layer, LayerName, NEWEST_LANDLOCK, Permitted, PolicyLayers, Source,
};
use crate::{landlock, seccomp, selinux};
use canc_dsl::codes;
use canc_dsl::diag::Diagnostic;
use canc_dsl::meaning::{Dim, Kind, Region};
use canc_dsl::policy::{Body, Demand, Effect, Policy, PolicySet, RuleId, Target};
use canc_sets::path::TooLarge;

/// What one policy became in each target; `None` where the back end is off.
#[derive(Debug)]
pub struct Lowered {
    /// The module, its contexts and its ports.
    pub selinux: Option<selinux::Lowered>,
    /// The profile.
    pub apparmor: Option<apparmor::Lowered>,
    /// The filters.
    pub seccomp: Option<seccomp::Lowered>,
    /// The rulesets, by ABI from 1; empty where the back end is off.
    pub landlock: Vec<landlock::Lowered>,
}

impl Lowered {
    /// Lowers one policy of a set for every target that is not off; adds what fails to `errors`.
    pub(super) fn new(
        set: &PolicySet,
        policy: &Policy,
        selinux: Option<selinux::Lowered>,
        options: &BuildOptions,
        errors: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let on = |target| policy.demand(target) != Demand::Off;
        let before = errors.len();
        let apparmor = on(Target::Apparmor).then(|| {
            apparmor::lower(set, policy, &options.apparmor)
                .map_err(|list| errors.extend(list.iter().map(|e| apparmor_error(policy, e))))
                .ok()
        });
        let seccomp = on(Target::Seccomp).then(|| {
            seccomp::lower(policy, &options.seccomp)
                .map_err(|e| errors.extend(e.iter().map(|e| e.diagnostic(policy))))
                .ok()
        });
        let landlock = on(Target::Landlock).then(|| {
            landlock::lower_all(set, policy)
                .map_err(|list| errors.extend(list.iter().map(|e| too_large(policy, e.rule, &e.large))))
                .ok()
        });
        (errors.len() == before).then(|| Self {
            selinux,
            apparmor: apparmor.flatten(),
            seccomp: seccomp.flatten(),
            landlock: landlock.flatten().unwrap_or_default(),
        })
    }

    /// The ruleset and verdicts that reports show: those of the ABI that deployments have.
    #[must_use]
    pub fn deployed_landlock(&self) -> Option<&landlock::Lowered> {
        self.landlock.iter().find(|l| l.abi == DEPLOYED_LANDLOCK)
    }

    /// The layers that the artefacts make on a host.
    #[must_use]
    pub fn layers<'a>(
        &'a self,
        set: &'a PolicySet,
        policy: &'a Policy,
        options: &'a BuildOptions,
    ) -> PolicyLayers<'a> {
        debug_assert!(self.landlock.len() <= NEWEST_LANDLOCK as usize);
        PolicyLayers {
            selinux: self.selinux.as_ref().map(|l| selinux::layer(set, policy, l, &options.base)),
            apparmor: self.apparmor.as_ref().map(|l| apparmor::layer(set, policy, l, &options.apparmor)),
            seccomp: self.seccomp.as_ref().map(|l| seccomp::layer(set, policy, l)),
            landlock: self.landlock.iter().map(|l| landlock::layer(set, policy, l)).collect(),
            runtime: runtime_layer(policy),
        }
    }
}

/// The bounding set: it refuses every capability that no rule allows, and says nothing of namespaces that the program makes.
fn runtime_layer(policy: &Policy) -> Layer<'_> {
    let mut grants = vec![capability_grant(Source::Base, u128::MAX, 2)];
    for rule in policy.rules.iter().filter(|r| r.effect == Effect::Allow) {
        if let Body::Capability(c) = &rule.body
            && !c.in_userns
        {
            grants.push(capability_grant(Source::Rule(rule.id), u128::from(c.bits), 1));
        }
    }
    let denies: Vec<Grant> = policy
        .rules
        .iter()
        .filter(|r| r.effect == Effect::Deny)
        .filter_map(|r| match &r.body {
            Body::Capability(c) if !c.in_userns => {
                Some(capability_grant(Source::Rule(r.id), u128::from(c.bits), 1))
            }
            _ => None,
        })
        .collect();
    Layer {
        name: LayerName::Runtime,
        outcomes: &[],
        permitted: Box::new(move |kind, _| {
            Ok(match kind {
                Kind::Capability => Permitted::Only { grants: grants.clone(), denies: denies.clone() },
                _ => Permitted::Everything,
            })
        }),
        sees: Box::new(|kind| kind == Kind::Capability),
    }
}

fn capability_grant(source: Source, bits: u128, inside: u128) -> Grant {
    let region = Region { kind: Kind::Capability, dims: vec![Dim::Bits(bits), Dim::Bits(inside)] };
    Grant { source, region, near: "/".into(), key: None }
}

fn apparmor_error(policy: &Policy, error: &apparmor::LowerError) -> Diagnostic {
    match &error.kind {
        apparmor::LowerErrorKind::TooLarge(large) => too_large(policy, error.rule, large),
        apparmor::LowerErrorKind::Token(token) => {
            let span = error.rule.and_then(|r| policy.rule(r)).map_or(policy.span, |r| r.span);
            Diagnostic::new(codes::NOT_IN_PROFILE, format!("an AppArmor profile cannot hold this: {token}"))
                .label(span, "here")
                .help("write it in other words, or switch this back end off with `backend apparmor off;`")
        }
    }
}

/// A pattern about which exact questions cannot be answered.
pub(super) fn too_large(policy: &Policy, rule: Option<RuleId>, large: &TooLarge) -> Diagnostic {
    let span = rule.and_then(|r| policy.rule(r)).map_or(policy.span, |r| r.span);
    Diagnostic::new(codes::PATH_EXPLODES, format!("the automaton of `{}` is too large", large.pattern))
        .label(span, "asked about here")
        .help("use fewer `*` and `?` in one component of the pattern")
}

/// What the labels of a build cannot say.
pub(super) fn selinux_error(error: &selinux::LowerError) -> Diagnostic {
    use selinux::LowerErrorKind as Kind;
    let (code, label) = match &error.kind {
        Kind::Specific { .. } => (codes::LABEL_SPECIFIC, "owned here"),
        Kind::Identical { .. } => (codes::LABEL_IDENTICAL, "owned here"),
        Kind::Shared { .. } => (codes::SHARED_DIRECTORY, "owned here"),
        Kind::Virtual { .. } => (codes::LABEL_VIRTUAL, "owned here"),
        Kind::TwoLabels { .. } => (codes::TWO_LABELS, "labelled here"),
        Kind::OneParent { .. } => (codes::LABEL_ONE_PARENT, "labelled here"),
        Kind::Claimed { .. } => (codes::TWO_OWNERS, "owned here"),
        Kind::TooManyParts { .. } => (codes::LABEL_TOO_MANY_PARTS, "this label"),
        Kind::Name { .. } => (codes::NAME_TOO_LONG, "from this name"),
        Kind::TooLarge { .. } => (codes::PATH_EXPLODES, "asked about here"),
    };
    let diagnostic = Diagnostic::new(code, error.kind.to_string()).label(error.span, label);
    let diagnostic = error.other.into_iter().fold(diagnostic, |d, span| d.label(span, "and here"));
    diagnostic.help(error.kind.help())
}
