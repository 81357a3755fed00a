//! TCP ports. Landlock knows binding to them and connecting to them, and no address.

use crate::verdict::{Outcome, Verdict};
use canc_bundle::{LandlockPort, LandlockRuleset};
use canc_dsl::policy::{Body, Effect, NetOp, NetRule, Policy, Protocol};
use canc_sets::interval::Intervals;

/// The first ABI with ports.
const SINCE: u32 = 4;

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
    counts.flat_map(|(_, net)| net.ports.ranges().iter().copied()).collect()
}

/// One right and what the policy says of its ports.
struct Right {
    word: &'static str,
    /// The operations that it lets through.
    ops: &'static [NetOp],
    /// The ports that it is given for.
    permitted: Intervals<u16>,
    /// The ports that it is given for, and those that denies name.
    answered: Intervals<u16>,
}

impl Right {
    /// A deny of binding refuses listening there, too, and none of listening alone can be said where binding is allowed.
    fn bind(policy: &Policy) -> Self {
        let ops = &[NetOp::Bind, NetOp::Listen];
        let only_bind = ports(policy, Effect::Allow, &[NetOp::Bind]);
        let listen = ports(policy, Effect::Deny, &[NetOp::Listen]).minus(&only_bind);
        let refused = ports(policy, Effect::Deny, &[NetOp::Bind]).union(&listen);
        let permitted = ports(policy, Effect::Allow, ops).minus(&refused);
        let answered = permitted.union(&ports(policy, Effect::Deny, ops));
        Self { word: "bind_tcp", ops, permitted, answered }
    }

    fn connect(policy: &Policy) -> Self {
        let ops = &[NetOp::Connect];
        let denied = ports(policy, Effect::Deny, ops);
        let permitted = ports(policy, Effect::Allow, ops).minus(&denied);
        let answered = permitted.union(&denied);
        Self { word: "connect_tcp", ops, permitted, answered }
    }
}

pub(super) fn lower(policy: &Policy, abi: u32, ruleset: &mut LandlockRuleset, outcomes: &mut [Outcome]) {
    if abi < SINCE {
        return;
    }
    let rights = [Right::bind(policy), Right::connect(policy)];
    for right in &rights {
        // A right to every port would be 65,536 rules; leaving it to itself says the same.
        if right.permitted.is_full() {
            continue;
        }
        ruleset.handled_net.push(right.word.into());
        ruleset.ports.extend(right.permitted.ranges().iter().map(|(from, to)| LandlockPort {
            from: *from,
            to: *to,
            access: vec![right.word.into()],
        }));
    }
    let listened = ports(policy, Effect::Allow, &[NetOp::Listen]);
    for (number, net) in tcp(policy, Effect::Allow) {
        if let Some(outcome) = outcomes.get_mut(number) {
            allow(net, &rights, &listened, outcome);
        }
    }
    for (number, net) in tcp(policy, Effect::Deny) {
        if let Some(outcome) = outcomes.get_mut(number) {
            deny(net, &rights, outcome);
        }
    }
}

/// A port of a set that another lacks. A rule mostly names one port, and a policy may have thousands.
fn missing(ports: &Intervals<u16>, from: &Intervals<u16>) -> Option<u16> {
    match ports.ranges() {
        [(low, high)] if low == high => (!from.contains(*low)).then_some(*low),
        _ => ports.minus(from).first(),
    }
}

/// A port of both sets.
fn common(ports: &Intervals<u16>, with: &Intervals<u16>) -> Option<u16> {
    match ports.ranges() {
        [(low, high)] if low == high => with.contains(*low).then_some(*low),
        _ => ports.intersect(with).first(),
    }
}

fn allow(net: &NetRule, rights: &[Right], listened: &Intervals<u16>, outcome: &mut Outcome) {
    let Verdict::Allow { widened, narrowed } = &mut outcome.verdict else { return };
    if net.addresses.is_some() {
        widened.push("every address".into());
    }
    if net.ops.has(NetOp::Bind)
        && !net.ops.has(NetOp::Listen)
        && let Some(port) = missing(&net.ports, listened)
    {
        widened.push(format!("listening, such as `listen tcp port {port}`"));
    }
    for right in rights.iter().filter(|right| right.ops.iter().any(|op| net.ops.has(*op))) {
        if let Some(port) = missing(&net.ports, &right.answered) {
            narrowed.push(format!("port {port}"));
        }
    }
}

fn deny(net: &NetRule, rights: &[Right], outcome: &mut Outcome) {
    let mut through = Vec::new();
    for right in rights {
        let Some(op) = right.ops.iter().find(|op| net.ops.has(**op)) else { continue };
        if let Some(port) = common(&net.ports, &right.permitted) {
            through.push(format!("{} tcp port {port}", op.word()));
        }
    }
    if !through.is_empty() {
        outcome.verdict = Verdict::DenyPartial { through };
    }
}
