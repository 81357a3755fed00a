//! User namespaces, message queues and io_uring, each as far as the kernel and the ABI have words for it.

use super::context::Context;
use crate::apparmor::glob::NameGlob;
use crate::apparmor::model::{Mode, MqueuePerm, MqueuePerms, Rule};
use crate::verdict::{Outcome, Verdict};
use canc_dsl::policy::{MqueueOp, MqueueRule, RuleId};

pub(super) fn userns(cx: &mut Context<'_>, id: RuleId, allow: bool) {
    if !cx.features.userns() {
        cx.set(id, Outcome::new(Verdict::NotApplicable));
    } else if allow {
        let mode = cx.mode(id);
        cx.add(id, Rule::Userns(mode));
    } else if !cx.complain {
        cx.add(id, Rule::Userns(Mode::DENY));
    }
}

pub(super) fn mqueue(cx: &mut Context<'_>, id: RuleId, allow: bool, rule: &MqueueRule) {
    if !cx.features.posix_mqueue() {
        let opens = rule.ops.has(MqueueOp::Read) || rule.ops.has(MqueueOp::Write);
        let refused = "reading and writing: this kernel takes queues for files, which no rule can name";
        let outcome = if allow && opens && !cx.complain {
            Outcome::narrowed(refused)
        } else {
            Outcome::new(Verdict::NotApplicable)
        };
        cx.set(id, outcome);
        return;
    }
    if cx.complain && !allow {
        return;
    }
    let mode = if allow { cx.mode(id) } else { Mode::DENY };
    let perms = rule.ops.iter().fold(MqueuePerms::EMPTY, |all, op| all.union(perms(op, allow)));
    for name in rule.names.iter().map(NameGlob::of_pattern) {
        cx.add(id, Rule::Mqueue { mode, perms, name });
    }
    if let Some(outcome) = cx.outcomes.get_mut(id.0 as usize) {
        outcome.unseen = true;
    }
}

/// What an operation takes; what refuses it is its own permission alone.
fn perms(op: MqueueOp, allow: bool) -> MqueuePerms {
    use MqueuePerm as P;
    let own = match op {
        MqueueOp::Create => P::Create,
        MqueueOp::Read => P::Read,
        MqueueOp::Write => P::Write,
        MqueueOp::Delete => P::Delete,
    };
    match (op, allow) {
        (_, false) | (MqueueOp::Delete, true) => MqueuePerms::of(&[own]),
        (_, true) => MqueuePerms::of(&[own, P::Open, P::Getattr]),
    }
}

/// No ABI has a word for io_uring, so the kernel is never told to mediate it.
pub(super) fn io_uring(cx: &mut Context<'_>, id: RuleId, allow: bool) {
    let why = "no AppArmor ABI has words for io_uring";
    cx.set(
        id,
        if allow {
            Outcome::new(Verdict::NotApplicable)
        } else {
            Outcome::new(Verdict::DenyDropped { why: why.into() })
        },
    );
}
