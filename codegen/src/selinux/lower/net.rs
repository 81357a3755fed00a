//! Rules on networks and on sockets of other families to grants.

use super::ports::{allowed_ports, covers_all, looks_at_port};
use super::sheet::{Sheet, Source, Target, Ty};
use crate::selinux::known;
use crate::selinux::words::{Access, class_of};
use canc_dsl::policy::{Body, Effect, NetOp, NetRule, Protocol, Rule, SocketKind, SocketRule};
use canc_sets::interval::Intervals;

/// What an operation needs: on the socket, on a port's type, on the node's type.
struct Needs {
    socket: Access,
    port: Option<Access>,
    node: Option<Access>,
}

fn needs(protocol: Protocol, op: NetOp) -> Needs {
    use Access as A;
    let (socket, port, node) = match (protocol, op) {
        (Protocol::Tcp, NetOp::Listen) => (A::TcpServer, Some(A::TcpBindPort), Some(A::TcpBindNode)),
        (Protocol::Tcp, NetOp::Bind) => (A::TcpBind, Some(A::TcpBindPort), Some(A::TcpBindNode)),
        (Protocol::Tcp, _) => (A::TcpClient, Some(A::TcpConnectPort), None),
        (Protocol::Udp, NetOp::Bind | NetOp::Listen) => {
            (A::UdpBind, Some(A::UdpBindPort), Some(A::UdpBindNode))
        }
        (Protocol::Udp, NetOp::Connect) => (A::UdpClient, None, None),
        (Protocol::Udp, NetOp::Send) => (A::UdpSend, None, None),
        (Protocol::Udp, NetOp::Receive) => (A::UdpReceive, None, None),
        (Protocol::Sctp, NetOp::Listen) => (A::SctpServer, Some(A::SctpBindPort), Some(A::SctpBindNode)),
        (Protocol::Sctp, NetOp::Bind) => (A::SctpBind, Some(A::SctpBindPort), Some(A::SctpBindNode)),
        (Protocol::Sctp, _) => (A::SctpClient, Some(A::SctpConnectPort), None),
    };
    Needs { socket, port, node }
}

impl Sheet<'_, '_> {
    pub(super) fn net_rule(&mut self, rule: &Rule, net: &NetRule) {
        let source = Source::Rule(rule.id);
        for op in net.ops.iter() {
            let ports = allowed_ports(&self.net_denies, net, op);
            if ports.is_empty() {
                continue;
            }
            let needs = needs(net.protocol, op);
            self.grant(source, Target::Itself, needs.socket);
            if let Some(node) = needs.node {
                for name in known::NODE {
                    if let Some(ty) = self.base_type(source, name) {
                        self.grant(source, Target::Type(ty), node);
                    }
                }
                self.base_draft.widen(
                    "binding to ports of the kernel's own range (32768 to 60999 unless changed), which is never checked".into(),
                );
            }
            match needs.port {
                Some(access) => self.grant_ports(source, net.protocol, &ports, access),
                None if !covers_all(&ports) => {
                    self.draft(source).widen(format!(
                        "every port: SELinux does not look at the port of {} {}",
                        op.word(),
                        net.protocol.word()
                    ));
                }
                None => {}
            }
        }
        if net.addresses.is_some() {
            self.draft(source).widen("every address: the base gives all of them one type".into());
        }
    }

    fn grant_ports(&mut self, source: Source, protocol: Protocol, ports: &Intervals<u16>, access: Access) {
        if covers_all(ports) {
            self.grant(source, Target::AllPorts, access);
            return;
        }
        let plan = self.plan;
        let mut left = ports.clone();
        for own in plan.ports.own.iter().filter(|o| o.protocol == protocol) {
            let mine = own.ports.intersect(ports);
            if mine.is_empty() {
                continue;
            }
            left = left.minus(&mine);
            self.grant(source, Target::Type(Ty::Own(own.ty)), access);
            self.widen_ports(source, &own.ports.minus(ports), Ty::Own(own.ty));
        }
        let Some(map) = plan.ports.known(protocol) else { return };
        for (ty, whole) in map.iter() {
            let mine = whole.intersect(&left);
            if mine.is_empty() {
                continue;
            }
            self.grant(source, Target::Type(Ty::Base(ty)), access);
            self.widen_ports(source, &whole.minus(ports), Ty::Base(ty));
        }
    }

    fn widen_ports(&mut self, source: Source, others: &Intervals<u16>, ty: Ty) {
        if let Some(port) = others.first() {
            let name = self.type_name(ty);
            self.draft(source).widen(format!("other ports labelled `{name}`, such as {port}"));
        }
    }

    /// Judges a deny of ports.
    pub(super) fn net_deny(&mut self, rule: &Rule, net: &NetRule) {
        let source = Source::Rule(rule.id);
        let mut through = Vec::new();
        for op in net.ops.iter() {
            let needs = needs(net.protocol, op);
            if !self.has(Target::Itself, needs.socket) {
                continue;
            }
            if net.addresses.is_some() || !looks_at_port(net.protocol, op) {
                if self.policy_allows_net(net.protocol, op) {
                    through.push(format!(
                        "{} {}: SELinux does not look at what the rule selects by",
                        op.word(),
                        net.protocol.word()
                    ));
                }
                continue;
            }
            let Some(access) = needs.port else { continue };
            if let Some(port) = self.granted_port(net, access) {
                through.push(format!("{} {} port {port}", op.word(), net.protocol.word()));
            }
        }
        self.draft(source).through = through;
    }

    fn policy_allows_net(&self, protocol: Protocol, op: NetOp) -> bool {
        self.policy.rules.iter().any(|r| match &r.body {
            Body::Net(n) => r.effect == Effect::Allow && n.protocol == protocol && n.ops.has(op),
            _ => false,
        })
    }

    /// A port of a deny that some grant reaches all the same.
    fn granted_port(&self, net: &NetRule, access: Access) -> Option<u16> {
        if self.has(Target::AllPorts, access) {
            return net.ports.first();
        }
        let own = self.plan.ports.own.iter().filter(|o| o.protocol == net.protocol);
        let own = own
            .filter(|o| self.has(Target::Type(Ty::Own(o.ty)), access))
            .map(|o| o.ports.intersect(&net.ports));
        let map = self.plan.ports.known(net.protocol);
        let base = map
            .into_iter()
            .flat_map(|m| m.iter())
            .filter(|(ty, _)| self.has(Target::Type(Ty::Base(*ty)), access));
        own.chain(base.map(|(_, ports)| ports.intersect(&net.ports))).find_map(|p| p.first())
    }

    /// Whether all of an access is granted on a target.
    pub(super) fn has(&self, target: Target, access: Access) -> bool {
        let Ok(rows) = self.plan.words.of(access) else { return false };
        !rows.is_empty()
            && rows.iter().all(|row| {
                let mine = self.grants.iter().filter(|g| g.target == target && g.class == row.class);
                row.perms.0 & !mine.fold(0, |bits, g| bits | g.perms.0) == 0
            })
    }

    pub(super) fn socket_rule(&mut self, rule: &Rule, socket: &SocketRule) {
        let source = Source::Rule(rule.id);
        let denied: Vec<SocketKind> = self
            .policy
            .rules
            .iter()
            .filter(|r| r.effect == Effect::Deny)
            .filter_map(|r| if let Body::Socket(s) = &r.body { Some(s.kinds.clone()) } else { None })
            .flatten()
            .collect();
        for kind in socket.kinds.iter().filter(|k| !denied.contains(k)) {
            let (access, node, exact) = socket_access(*kind);
            self.grant(source, Target::Itself, access);
            if let Some(node) = node {
                for name in known::NODE {
                    if let Some(ty) = self.base_type(source, name) {
                        self.grant(source, Target::Type(ty), node);
                    }
                }
            }
            if !exact {
                self.draft(source).widen("every netlink protocol without a class of its own".into());
            }
        }
    }

    /// Judges a deny of socket families.
    pub(super) fn socket_deny(&mut self, rule: &Rule, socket: &SocketRule) {
        let granted = |k: &SocketKind| self.has(Target::Itself, socket_access(*k).0);
        if let Some(kind) = socket.kinds.iter().find(|k| granted(k)) {
            let text = format!("a socket of {kind:?}, for which another rule needs the same class");
            self.draft(Source::Rule(rule.id)).through.push(text);
        }
    }
}

/// The class of a family's sockets.
#[must_use]
pub fn socket_class(kind: SocketKind) -> &'static str {
    class_of(socket_access(kind).0)
}

/// What a family needs; on nodes too where it binds; and whether its class is for it alone.
fn socket_access(kind: SocketKind) -> (Access, Option<Access>, bool) {
    use Access as A;
    match kind {
        SocketKind::Raw => (A::RawSocket, Some(A::RawBindNode), true),
        SocketKind::Packet => (A::PacketSocket, None, true),
        SocketKind::Vsock => (A::VsockSocket, None, true),
        SocketKind::Icmp => (A::IcmpSocket, Some(A::IcmpBindNode), true),
        SocketKind::Alg => (A::AlgSocket, None, true),
        // Numbers of `linux/netlink.h`; classes of the kernel's `socket_type_to_security_class`.
        SocketKind::Netlink(0) => (A::NetlinkRoute, None, true),
        SocketKind::Netlink(4) => (A::NetlinkTcpdiag, None, true),
        SocketKind::Netlink(5) => (A::NetlinkNflog, None, true),
        SocketKind::Netlink(6) => (A::NetlinkXfrm, None, true),
        SocketKind::Netlink(7) => (A::NetlinkSelinux, None, true),
        SocketKind::Netlink(8) => (A::NetlinkIscsi, None, true),
        SocketKind::Netlink(9) => (A::NetlinkAudit, None, true),
        SocketKind::Netlink(10) => (A::NetlinkFibLookup, None, true),
        SocketKind::Netlink(11) => (A::NetlinkConnector, None, true),
        SocketKind::Netlink(12) => (A::NetlinkNetfilter, None, true),
        SocketKind::Netlink(14) => (A::NetlinkDnrt, None, true),
        SocketKind::Netlink(15) => (A::NetlinkUevent, None, true),
        SocketKind::Netlink(16) => (A::NetlinkGeneric, None, true),
        SocketKind::Netlink(18) => (A::NetlinkScsi, None, true),
        SocketKind::Netlink(20) => (A::NetlinkRdma, None, true),
        SocketKind::Netlink(21) => (A::NetlinkCrypto, None, true),
        SocketKind::Netlink(_) => (A::NetlinkOther, None, false),
    }
}
