//! TCP ports. Landlock knows binding to them and connecting to them, and no address.

use crate::verdict::{Outcome, Verdict};
use canc_bundle::{LandlockPort, LandlockRuleset};
use canc_dsl::policy::{Body, Effect, NetOp, NetRule, Policy, Protocol};
use canc_sets::interval::Intervals;

/// The first ABI with ports.
const SINCE: u32 = 4;

/// The words of the bundle.
const CONNECT: &str = "connect_tcp";
const BIND: &str = "bind_tcp";

/// The operations that a right is about.
fn ops(right: &str) -> &'static [NetOp] {
    if right == CONNECT { &[NetOp::Connect] } else { &[NetOp::Bind, NetOp::Listen] }
}

fn tcp(policy: &Policy, effect: Effect) -> impl Iterator<Item = (usize, &NetRule)> {
    policy.rules.iter().filter(move |r| r.effect == effect).filter_map(|r| match &r.body {
        Body::Net(net) if net.protocol == Protocol::Tcp => Some((r.id.0 as usize, net)),
        _ => None,
    })
}

/// Whether the policy lets the domain listen at all.
pub(super) fn listens(policy: &Policy) -> bool {
    tcp(policy, Effect::Allow).any(|(_, net)| net.ops.has(NetOp::Listen))
}

/// The ports of the rules of an effect that name any of these operations; of denies, only those that hold everywhere.
fn ports(policy: &Policy, effect: Effect, wanted: &[NetOp]) -> Intervals<u16> {
    let named = tcp(policy, effect).filter(|(_, net)| wanted.iter().any(|op| net.ops.has(*op)));
    let counts = named.filter(|(_, net)| effect == Effect::Allow || net.addresses.is_none());
    counts.flat_map(|(_, net)| net.ports.ranges().to_vec()).collect()
}

pub(super) fn lower(policy: &Policy, abi: u32, ruleset: &mut LandlockRuleset, outcomes: &mut [Outcome]) {
    if abi < SINCE {
        return;
    }
    for right in [BIND, CONNECT] {
        let permitted = permitted(policy, right);
        // A right to every port would be 65,536 rules; leaving it to itself says the same.
        if permitted.is_full() {
            continue;
        }
        ruleset.handled_net.push(right.into());
        ruleset.ports.extend(permitted.ranges().iter().map(|(from, to)| LandlockPort {
            from: *from,
            to: *to,
            access: vec![right.into()],
        }));
    }
    verdicts(policy, outcomes);
}

/// The ports that a right is given for: a deny of binding refuses listening there, too, and none of listening alone can be said
/// where binding is allowed.
fn permitted(policy: &Policy, right: &str) -> Intervals<u16> {
    let allowed = ports(policy, Effect::Allow, ops(right));
    let denied = if right == CONNECT {
        ports(policy, Effect::Deny, &[NetOp::Connect])
    } else {
        let only_bind = ports(policy, Effect::Allow, &[NetOp::Bind]);
        let listen = ports(policy, Effect::Deny, &[NetOp::Listen]).minus(&only_bind);
        ports(policy, Effect::Deny, &[NetOp::Bind]).union(&listen)
    };
    allowed.minus(&denied)
}

fn verdicts(policy: &Policy, outcomes: &mut [Outcome]) {
    for (number, net) in tcp(policy, Effect::Allow) {
        let Some(Outcome { verdict: Verdict::Allow { widened, narrowed }, .. }) = outcomes.get_mut(number)
        else {
            continue;
        };
        if net.addresses.is_some() {
            widened.push("every address".into());
        }
        if net.ops.has(NetOp::Bind) && !net.ops.has(NetOp::Listen) {
            let listened = ports(policy, Effect::Allow, &[NetOp::Listen]);
            if let Some(port) = net.ports.minus(&listened).first() {
                widened.push(format!("listening, such as `listen tcp port {port}`"));
            }
        }
        for right in [BIND, CONNECT] {
            let wanted = ops(right).iter().any(|op| net.ops.has(*op));
            let lost = net.ports.minus(&permitted(policy, right));
            let denied = ports(policy, Effect::Deny, ops(right));
            if let (true, Some(port)) = (wanted, lost.minus(&denied).first()) {
                narrowed.push(format!("port {port}"));
            }
        }
    }
    for (number, net) in tcp(policy, Effect::Deny) {
        let Some(outcome) = outcomes.get_mut(number) else { continue };
        for right in [BIND, CONNECT] {
            let Some(op) = ops(right).iter().find(|op| net.ops.has(**op)) else { continue };
            let left = net.ports.intersect(&permitted(policy, right));
            if let Some(port) = left.first() {
                let what = format!("{} tcp port {port}", op.word());
                outcome.verdict = Verdict::DenyPartial { through: vec![what] };
            }
        }
    }
}
