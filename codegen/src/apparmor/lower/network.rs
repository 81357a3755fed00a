//! Internet and other sockets to network rules. AppArmor tells families, types and (in newer ABIs) operations apart, and sees
//! neither ports nor addresses nor protocols.

use super::context::Context;
use super::words;
use crate::apparmor::model::{Family, Mode, NetPerm, NetPerms, NetworkRule, Rule, SocketType};
use crate::verdict::{Outcome, Verdict};
use canc_dsl::policy::{
    Body, Effect, NetOp, NetOps, NetRule, Policy, Protocol, RuleId, SocketKind, SocketRule,
};
use canc_sets::interval::Intervals;
use std::net::IpAddr;

/// What every use of a socket asks for.
pub(super) const ANY_USE: NetPerms = NetPerms::of(&[
    NetPerm::Create,
    NetPerm::Shutdown,
    NetPerm::Getattr,
    NetPerm::Setattr,
    NetPerm::Getopt,
    NetPerm::Setopt,
]);

/// What an operation asks for besides.
pub(crate) fn perms(op: NetOp, protocol: Protocol) -> NetPerms {
    let list: &[NetPerm] = match (op, protocol) {
        (NetOp::Connect, _) => &[NetPerm::Connect, NetPerm::Send, NetPerm::Receive],
        (NetOp::Bind, _) => &[NetPerm::Bind],
        (NetOp::Listen, _) => {
            &[NetPerm::Bind, NetPerm::Listen, NetPerm::Accept, NetPerm::Send, NetPerm::Receive]
        }
        (NetOp::Send, _) => &[NetPerm::Send],
        (NetOp::Receive, _) => &[NetPerm::Receive],
    };
    NetPerms::of(list)
}

/// The permission whose refusal refuses an operation and as little else as can be.
fn refused(op: NetOp) -> NetPerms {
    NetPerms::of(match op {
        NetOp::Connect => &[NetPerm::Connect],
        NetOp::Bind => &[NetPerm::Bind],
        NetOp::Listen => &[NetPerm::Listen, NetPerm::Accept],
        NetOp::Send => &[NetPerm::Send],
        NetOp::Receive => &[NetPerm::Receive],
    })
}

/// The socket types of a protocol.
pub(crate) fn types(protocol: Protocol) -> &'static [SocketType] {
    match protocol {
        Protocol::Tcp => &[SocketType::Stream],
        Protocol::Udp => &[SocketType::Dgram],
        Protocol::Sctp => &[SocketType::Stream, SocketType::Seqpacket],
    }
}

/// The families and types of other sockets.
pub(crate) fn families(kind: SocketKind) -> &'static [(Family, SocketType)] {
    use SocketType::{Dgram, Raw, Seqpacket, Stream};
    match kind {
        SocketKind::Netlink(_) => &[(Family::Netlink, Raw), (Family::Netlink, Dgram)],
        SocketKind::Raw => &[(Family::Inet, Raw), (Family::Inet6, Raw)],
        SocketKind::Packet => &[(Family::Packet, Raw), (Family::Packet, Dgram)],
        SocketKind::Vsock => &[(Family::Vsock, Stream), (Family::Vsock, Dgram), (Family::Vsock, Seqpacket)],
        SocketKind::Icmp => &[(Family::Inet, Dgram), (Family::Inet6, Dgram)],
        SocketKind::Alg => &[(Family::Alg, Seqpacket)],
    }
}

/// With what an allow of these operations implies.
fn with_implied(ops: NetOps, protocol: Protocol) -> NetOps {
    let mut ops = ops;
    if ops.has(NetOp::Listen) {
        ops = ops.with(NetOp::Bind);
    }
    if protocol == Protocol::Udp && ops.has(NetOp::Connect) {
        ops = ops.with(NetOp::Send).with(NetOp::Receive);
    }
    ops
}

/// Ports by operation.
type Ranges = [Vec<(u16, u16)>; NetOp::ALL.len()];

/// The ports that the rules about one protocol name.
#[derive(Default)]
struct Named {
    everywhere: Ranges,
    somewhere: Ranges,
    denied: Ranges,
}

impl Named {
    fn add(&mut self, effect: Effect, net: &NetRule) {
        let ranges = net.ports.ranges();
        let ops = if effect == Effect::Allow { with_implied(net.ops, net.protocol) } else { net.ops };
        let add = |lists: &mut Ranges| {
            for (op, list) in NetOp::ALL.iter().zip(lists) {
                if ops.has(*op) {
                    list.extend_from_slice(ranges);
                }
            }
        };
        match (effect, net.addresses.is_none()) {
            (Effect::Allow, true) => {
                add(&mut self.everywhere);
                add(&mut self.somewhere);
            }
            (Effect::Allow, false) => add(&mut self.somewhere),
            (Effect::Deny, true) => add(&mut self.denied),
            (Effect::Deny, false) => {}
        }
    }

    fn known(self, protocol: Protocol) -> impl Iterator<Item = Known> {
        let lists = self.everywhere.into_iter().zip(self.somewhere).zip(self.denied);
        NetOp::ALL.iter().zip(lists).map(move |(op, ((everywhere, somewhere), denied))| {
            let set = |list: Vec<(u16, u16)>| list.into_iter().collect::<Intervals<u16>>();
            let denied = set(denied);
            let everywhere = set(everywhere).minus(&denied);
            let missing = everywhere.complement().intersect(&Intervals::range(1, u16::MAX)).first();
            let any = !set(somewhere).minus(&denied).is_empty();
            Known { op: *op, protocol, missing, any }
        })
    }
}

/// What the policy as a whole allows of one operation of one protocol.
struct Known {
    op: NetOp,
    protocol: Protocol,
    /// A port to which it is not allowed from and to everywhere.
    missing: Option<u16>,
    /// Whether any of it is allowed anywhere.
    any: bool,
}

/// The same for each protocol and operation, computed once.
pub(super) struct Ports {
    known: Vec<Known>,
}

impl Ports {
    pub(super) fn new(policy: &Policy) -> Self {
        let (mut tcp, mut udp, mut sctp) = (Named::default(), Named::default(), Named::default());
        for rule in &policy.rules {
            let Body::Net(net) = &rule.body else { continue };
            let named = match net.protocol {
                Protocol::Tcp => &mut tcp,
                Protocol::Udp => &mut udp,
                Protocol::Sctp => &mut sctp,
            };
            named.add(rule.effect, net);
        }
        let all = [(tcp, Protocol::Tcp), (udp, Protocol::Udp), (sctp, Protocol::Sctp)];
        Self { known: all.into_iter().flat_map(|(named, protocol)| named.known(protocol)).collect() }
    }

    fn get(&self, op: NetOp, protocol: Protocol) -> Option<&Known> {
        self.known.iter().find(|k| k.op == op && k.protocol == protocol)
    }

    fn missing(&self, op: NetOp, protocol: Protocol) -> Option<u16> {
        self.get(op, protocol).and_then(|k| k.missing)
    }

    fn any(&self, op: NetOp, protocol: Protocol) -> bool {
        self.get(op, protocol).is_some_and(|k| k.any)
    }
}

pub(super) fn net(cx: &mut Context<'_>, id: RuleId, allow: bool, rule: &NetRule) {
    if !cx.features.network() {
        cx.set(id, Outcome::new(Verdict::NotApplicable));
    } else if allow {
        permit(cx, id, rule);
    } else {
        refuse(cx, id, rule);
    }
}

fn permit(cx: &mut Context<'_>, id: RuleId, rule: &NetRule) {
    let ops = with_implied(rule.ops, rule.protocol);
    let wanted = ops.iter().fold(ANY_USE, |all, op| all.union(perms(op, rule.protocol)));
    let perms = cx.features.network_operations().then_some(wanted);
    let mode = cx.mode(id);
    for family in families_of(rule) {
        for kind in types(rule.protocol) {
            cx.add(id, Rule::Network(NetworkRule { mode, perms, family, kind: *kind }));
        }
    }
    judge(cx, id, rule, ops);
}

/// A rule whose addresses are all of one version needs one family.
fn families_of(rule: &NetRule) -> Vec<Family> {
    let has = |v4: bool| match &rule.addresses {
        None => true,
        Some(list) => list.iter().any(|block| matches!(block.address, IpAddr::V4(_)) == v4),
    };
    [(Family::Inet, true), (Family::Inet6, false)]
        .into_iter()
        .filter(|(_, v4)| has(*v4))
        .map(|(f, _)| f)
        .collect()
}

fn judge(cx: &mut Context<'_>, id: RuleId, rule: &NetRule, ops: NetOps) {
    let protocol = rule.protocol;
    let ports = cx.ports();
    let open = ops.iter().find_map(|op| ports.missing(op, protocol).map(|port| (op, port)));
    if let Some((op, port)) = open {
        let what = if rule.addresses.is_some() { "every address and port" } else { "every port" };
        cx.widen(id, format!("{what}, such as `{} {} port {port}`", op.word(), protocol.word()));
    }
    if !cx.features.network_operations() {
        cx.widen(id, "every operation on sockets of this family and type, which this ABI cannot tell apart");
    }
    if protocol == Protocol::Sctp
        && let Some((op, port)) =
            ops.iter().find_map(|op| ports.missing(op, Protocol::Tcp).map(|port| (op, port)))
    {
        cx.widen(
            id,
            format!("TCP, which has the same family and type, such as `{} tcp port {port}`", op.word()),
        );
    }
    match protocol {
        Protocol::Tcp => cx.note(id, "SCTP and MPTCP streams have the same family and type"),
        Protocol::Udp => cx.note(id, "UDP-Lite and ICMP echo sockets have the same family and type"),
        Protocol::Sctp => {}
    }
}

/// A deny is said where nothing of the operation is left and no other protocol shares the sockets.
fn refuse(cx: &mut Context<'_>, id: RuleId, rule: &NetRule) {
    let protocol = rule.protocol;
    let (said, open): (Vec<NetOp>, Vec<NetOp>) =
        rule.ops.iter().partition(|op| !is_needed(cx, *op, protocol));
    let perms = said.iter().fold(NetPerms::EMPTY, |all, op| all.union(refused(*op)));
    if !perms.is_empty() && cx.features.network_operations() && !cx.complain {
        for family in [Family::Inet, Family::Inet6] {
            for kind in types(protocol) {
                let rule = NetworkRule { mode: Mode::DENY, perms: Some(perms), family, kind: *kind };
                cx.add(id, Rule::Network(rule));
            }
        }
    }
    let Some(first) = open.first() else { return };
    let list: Vec<&str> = open.iter().map(|op| op.word()).collect();
    let port = rule.ports.intersect(&Intervals::range(1, u16::MAX)).first().unwrap_or_default();
    let what = format!(
        "{} {}: AppArmor sees no ports, addresses or protocols, and other rules need such sockets; `{} {} port {port}` gets through",
        words::list(&list),
        protocol.word(),
        first.word(),
        protocol.word()
    );
    if said.is_empty() {
        cx.set(id, Outcome::new(Verdict::DenyDropped { why: what }));
    } else {
        cx.through(id, what);
    }
}

/// Whether an allow needs what the refusal of an operation would take.
fn is_needed(cx: &mut Context<'_>, op: NetOp, protocol: Protocol) -> bool {
    let ports = cx.ports();
    let sharing: &[Protocol] = match protocol {
        Protocol::Tcp | Protocol::Sctp => &[Protocol::Tcp, Protocol::Sctp],
        Protocol::Udp => &[Protocol::Udp],
    };
    let takes =
        |o: NetOp, p| !cx.features.network_operations() || !perms(o, p).intersect(refused(op)).is_empty();
    let by_rule = sharing.iter().any(|p| NetOp::ALL.iter().any(|o| ports.any(*o, *p) && takes(*o, *p)));
    by_rule || (protocol == Protocol::Udp && allows(cx.policy, SocketKind::Icmp))
}

pub(super) fn socket(cx: &mut Context<'_>, id: RuleId, allow: bool, rule: &SocketRule) {
    if !cx.features.network() {
        cx.set(id, Outcome::new(Verdict::NotApplicable));
        return;
    }
    for kind in &rule.kinds {
        if allow {
            for (family, kind) in families(*kind) {
                let mode = cx.mode(id);
                cx.add(id, Rule::Network(NetworkRule { mode, perms: None, family: *family, kind: *kind }));
            }
            judge_socket(cx, id, *kind);
        } else {
            refuse_socket(cx, id, *kind, rule.kinds.len());
        }
    }
}

fn judge_socket(cx: &mut Context<'_>, id: RuleId, kind: SocketKind) {
    match kind {
        SocketKind::Netlink(_) => {
            if let Some(other) = (0..=22).find(|n| !allows(cx.policy, SocketKind::Netlink(*n))) {
                cx.widen(id, format!("every netlink protocol, such as `socket netlink {other}`"));
            }
        }
        SocketKind::Icmp => {
            let ports = cx.ports();
            let all = [NetOp::Connect, NetOp::Bind, NetOp::Send, NetOp::Receive];
            if let Some((op, port)) =
                all.iter().find_map(|op| ports.missing(*op, Protocol::Udp).map(|port| (op, port)))
            {
                cx.widen(
                    id,
                    format!(
                        "UDP, which has the same family and type, such as `{} udp port {port}`",
                        op.word()
                    ),
                );
            }
        }
        SocketKind::Raw | SocketKind::Packet | SocketKind::Vsock | SocketKind::Alg => {}
    }
}

fn allows(policy: &Policy, kind: SocketKind) -> bool {
    policy
        .rules
        .iter()
        .any(|r| r.effect == Effect::Allow && matches!(&r.body, Body::Socket(s) if s.kinds.contains(&kind)))
}

fn refuse_socket(cx: &mut Context<'_>, id: RuleId, kind: SocketKind, kinds: usize) {
    let mine = families(kind);
    let shares = |r: &canc_dsl::policy::Rule| match &r.body {
        Body::Socket(s) => {
            s.kinds.iter().any(|k| *k != kind && families(*k).iter().any(|f| mine.contains(f)))
        }
        Body::Net(net) => {
            let inet = mine.iter().any(|(f, t)| *f == Family::Inet && types(net.protocol).contains(t));
            inet && net.ops.iter().next().is_some()
        }
        _ => false,
    };
    if cx.policy.rules.iter().any(|r| r.effect == Effect::Allow && shares(r)) {
        let what = "sockets of the same family and type are allowed, and AppArmor does not see protocols";
        if kinds == 1 {
            cx.set(id, Outcome::new(Verdict::DenyDropped { why: what.into() }));
        } else {
            cx.through(id, what);
        }
    } else if !cx.complain {
        for (family, kind) in mine {
            let rule = NetworkRule { mode: Mode::DENY, perms: None, family: *family, kind: *kind };
            cx.add(id, Rule::Network(rule));
        }
    }
}
