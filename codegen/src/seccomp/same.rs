//! Conditions that hold for all arguments of a call, or for none, to warnings.

use super::condition::Compiler;
use super::diagram::{Arena, Leaf};
use super::reach::{Reach, reach};
use canc_dsl::codes;
use canc_dsl::diag::Diagnostic;
use canc_dsl::policy::{Body, Condition, Policy, Rule};
use canc_sets::syscalls::{self, Arch};

/// A warning for each rule with such a condition, about the first of its calls for which that is so on every architecture.
#[must_use]
pub fn warnings(policy: &Policy) -> Vec<Diagnostic> {
    policy.rules.iter().filter_map(warning).collect()
}

fn warning(rule: &Rule) -> Option<Diagnostic> {
    let Body::Syscall(body) = &rule.body else { return None };
    let arches = body.arches.as_deref().unwrap_or(&Arch::ALL);
    let found = body
        .calls
        .iter()
        .find_map(|item| Some((item.name, always(item.name, item.condition.as_ref()?, arches)?)));
    let (call, always) = found?;
    let (how, help) = if always {
        ("always holds", "leave the condition out, or compare with a value that some call does not have")
    } else {
        ("never holds", "remove the rule, or compare with values that one call can have")
    };
    let diagnostic = Diagnostic::new(codes::CONDITION_SAME, format!("the condition on `{call}` {how}"));
    Some(diagnostic.label(rule.span, "whatever the arguments are").help(help))
}

/// Whether it always or never holds; `None` where that depends on the arguments or the architecture, or was not found out.
fn always(call: &'static str, condition: &Condition, arches: &[Arch]) -> Option<bool> {
    let mut answers = arches.iter().filter(|arch| syscalls::number(**arch, call).is_some()).map(|arch| {
        let mut arena = Arena::default();
        let node = Compiler { arena: &mut arena, arch: *arch, call }.condition(condition).ok()?;
        let nowhere = |value| matches!(reach(&arena, node, |leaf| leaf == Leaf::Bool(value)), Reach::Nowhere);
        match (nowhere(false), nowhere(true)) {
            (true, false) => Some(true),
            (false, true) => Some(false),
            _ => None,
        }
    });
    let first = answers.next()??;
    answers.all(|answer| answer == Some(first)).then_some(first)
}
