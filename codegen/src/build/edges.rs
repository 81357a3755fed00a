//! Transitions between policies: what the program at the far end may do must lie within what its starter may do.

use super::judge::Subject;
use canc_dsl::codes;
use canc_dsl::diag::Diagnostic;
use canc_dsl::meaning::{Evaluator, Kind, RequestSet};
use canc_dsl::policy::{Body, Class, Effect, FileOp, Policy, Rule, RunTarget};
use canc_sets::path::TooLarge;

/// An error for every edge whose far end exceeds its starter, with a witness.
pub fn exceeding(subject: &Subject<'_>) -> Result<Vec<Diagnostic>, TooLarge> {
    let mut out = Vec::new();
    for (from, policy) in subject.set.policies().iter().enumerate() {
        for edge in policy.rules.iter().filter(|r| r.effect == Effect::Allow) {
            let Some(to) = target(edge).and_then(|name| subject.index(name)) else { continue };
            if let Some((rule, witness)) = excess(subject, from, to)? {
                out.push(diagnostic(subject, policy, edge, to, &rule, &witness));
            }
        }
    }
    Ok(out)
}

fn target(rule: &Rule) -> Option<&str> {
    match &rule.body {
        Body::File(file) if file.ops.has(FileOp::Run) => match &file.run {
            RunTarget::Policy(name) => Some(name),
            RunTarget::Inherit | RunTarget::Unconfined => None,
        },
        _ => None,
    }
}

/// The first rule of the far end that goes beyond the starter, and a request that shows it.
pub(super) fn excess(
    subject: &Subject<'_>,
    from: usize,
    to: usize,
) -> Result<Option<(Rule, String)>, TooLarge> {
    let (Some(starter), Some(started)) = (subject.evaluators.get(from), subject.evaluators.get(to)) else {
        return Ok(None);
    };
    let free = starter.policy().no_new_privs_off.is_some();
    for rule in started.policy().rules.iter().filter(|r| r.effect == Effect::Allow) {
        let witness = match &rule.body {
            Body::Syscall(_) => {
                subject.lowered(from).and_then(|l| l.seccomp.as_ref()).and_then(|s| s.beyond(rule))
            }
            _ => beyond(starter, started, rule, free)?,
        };
        if let Some(witness) = witness {
            return Ok(Some((rule.clone(), witness)));
        }
    }
    Ok(None)
}

/// A request that a rule of the started policy allows and the starter does not.
fn beyond(
    starter: &Evaluator<'_>,
    started: &Evaluator<'_>,
    rule: &Rule,
    free: bool,
) -> Result<Option<String>, TooLarge> {
    for region in started.rule_regions(rule)?.iter() {
        if free && may_exceed(region.kind) {
            continue;
        }
        let wanted = RequestSet::new(vec![region.clone()]).intersect(&started.allowed(region.kind, "/")?);
        let wanted = started.peers().as_reached_from(starter.peers(), wanted);
        if let Some(witness) = wanted.minus(&starter.allowed(region.kind, "/")?).witness(starter.peers())? {
            return Ok(Some(witness));
        }
    }
    Ok(None)
}

/// What a label alone decides, so that a transition without `no_new_privs` really changes it.
fn may_exceed(kind: Kind) -> bool {
    matches!(
        kind.class(),
        Class::Files
            | Class::Execution
            | Class::FileAttributes
            | Class::TcpConnect
            | Class::TcpBind
            | Class::Udp
            | Class::Sockets
            | Class::UnixSockets
            | Class::Capabilities
    )
}

fn diagnostic(
    subject: &Subject<'_>,
    from: &Policy,
    edge: &Rule,
    to: usize,
    rule: &Rule,
    witness: &str,
) -> Diagnostic {
    let name = subject.set.policies().get(to).map_or("", |p| &p.name);
    let message = format!("`{name}` may do what its starter `{}` may not", from.name);
    Diagnostic::new(codes::EDGE_EXCEEDS, message)
        .label(edge.span, format!("started here, where {witness} is not allowed"))
        .label(rule.span, "allowed here")
        .help(format!("allow it in `{}` too, or remove it from `{name}`: a transition changes the label and nothing else", from.name))
}
