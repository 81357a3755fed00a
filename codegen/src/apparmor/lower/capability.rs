//! Capabilities to capability rules.

use super::context::Context;
use super::words;
use crate::apparmor::emit::{LAST_CAPABILITY, Word};
use crate::apparmor::model::{CapabilityRule, Mode, Rule};
use crate::verdict::{Outcome, Verdict};
use canc_dsl::policy as dsl;
use canc_dsl::policy::{Body, Effect, Policy, RuleId};

/// `CAP_MKNOD` of `linux/capability.h`.
const MKNOD: u32 = 27;

/// The capabilities that the policy allows and does not deny, outside user namespaces and inside.
fn allowed(policy: &Policy) -> (u64, u64) {
    let of = |effect: Effect, inside: bool| {
        let rules = policy.rules.iter().filter(|r| r.effect == effect);
        rules.fold(0u64, |bits, rule| match &rule.body {
            Body::Capability(c) if c.in_userns == inside => bits | c.bits,
            _ => bits,
        })
    };
    let left = |inside| of(Effect::Allow, inside) & !of(Effect::Deny, inside);
    (left(false), left(true))
}

/// Whether the profile lets the domain make device nodes, as far as capabilities go.
pub(super) fn may_make_device_nodes(policy: &Policy) -> bool {
    let (outside, inside) = allowed(policy);
    (outside | inside) & (1 << MKNOD) != 0
}

pub(super) fn rule(cx: &mut Context<'_>, id: RuleId, allow: bool, rule: dsl::CapabilityRule) {
    let (numbers, unknown): (Vec<u8>, Vec<u8>) =
        (0..64u8).filter(|n| rule.bits & (1 << n) != 0).partition(|n| is_known(cx, *n));
    if allow {
        permit(cx, id, rule, numbers, &unknown);
    } else {
        refuse(cx, id, rule, numbers, &unknown);
    }
}

fn is_known(cx: &Context<'_>, number: u8) -> bool {
    number <= LAST_CAPABILITY && cx.features.capability(&Word::Capability(number).text())
}

fn names(numbers: impl Iterator<Item = u8>) -> String {
    let name = |n: u8| if n <= LAST_CAPABILITY { Word::Capability(n).text() } else { n.to_string() };
    let all: Vec<String> = numbers.map(name).collect();
    words::list(&all.iter().map(String::as_str).collect::<Vec<_>>())
}

fn permit(cx: &mut Context<'_>, id: RuleId, rule: dsl::CapabilityRule, numbers: Vec<u8>, unknown: &[u8]) {
    if !unknown.is_empty() {
        cx.narrow(
            id,
            format!("{}: unknown to this ABI or kernel, which refuses it", names(unknown.iter().copied())),
        );
    }
    let (outside, inside) = allowed(cx.policy);
    let elsewhere = if rule.in_userns { outside } else { inside };
    let surplus: Vec<u8> = numbers.iter().copied().filter(|n| elsewhere & (1 << n) == 0).collect();
    let enters = !cx.features.userns() || cx.allows().any(|body| matches!(body, Body::UsernsCreate));
    if !surplus.is_empty() && rule.in_userns {
        cx.widen(id, format!("{} outside user namespaces, too", names(surplus.into_iter())));
    } else if !surplus.is_empty() && enters {
        cx.widen(id, format!("{} inside own user namespaces, too", names(surplus.into_iter())));
    }
    if !numbers.is_empty() {
        let mode = cx.mode(id);
        cx.add(id, Rule::Capability(CapabilityRule { mode, numbers }));
    }
}

fn refuse(cx: &mut Context<'_>, id: RuleId, rule: dsl::CapabilityRule, numbers: Vec<u8>, unknown: &[u8]) {
    let (outside, inside) = allowed(cx.policy);
    let elsewhere = if rule.in_userns { outside } else { inside };
    let (shared, own): (Vec<u8>, Vec<u8>) = numbers.into_iter().partition(|n| elsewhere & (1 << n) != 0);
    if !own.is_empty() && !cx.complain {
        cx.add(id, Rule::Capability(CapabilityRule { mode: Mode::DENY, numbers: own.clone() }));
    }
    if shared.is_empty() {
        return;
    }
    let place = if rule.in_userns { "inside user namespaces" } else { "outside user namespaces" };
    let what = format!("{} {place}, which AppArmor does not tell apart", names(shared.into_iter()));
    if own.is_empty() && unknown.is_empty() {
        cx.set(id, Outcome::new(Verdict::DenyDropped { why: what }));
    } else {
        cx.through(id, what);
    }
}
