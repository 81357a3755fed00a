//! Ports to types: the base's where it has one for them, private ones for ports that nobody named.

use super::error::{LowerError, LowerErrorKind};
use super::own::{OwnNo, OwnTypes, Sort};
use crate::selinux::base::{Base, TypeNo};
use crate::selinux::known;
use canc_dsl::policy::{Body, Demand, Effect, NetOp, NetRule, Policy, PolicySet, Protocol, Target};
use canc_sets::interval::Intervals;
use std::collections::BTreeMap;

/// All ports of a protocol by type, the narrowest range having won.
#[derive(Debug, Default)]
pub(super) struct PortMap {
    by_type: BTreeMap<TypeNo, Intervals<u16>>,
    /// Ports of ranges that are nobody's in particular.
    unnamed: Intervals<u16>,
}

impl PortMap {
    fn new(base: &Base, protocol: Protocol) -> Self {
        let mut ranges: Vec<(u16, u16, TypeNo)> = base.port_ranges(protocol).collect();
        ranges.sort_by_key(|(low, high, _)| (high - low, *low));
        let mut taken = Intervals::empty();
        let mut by_type: BTreeMap<TypeNo, Intervals<u16>> = BTreeMap::new();
        for (low, high, ty) in ranges {
            let mine = Intervals::range(low, high).minus(&taken);
            taken = taken.union(&mine);
            let known = by_type.entry(ty).or_default();
            *known = known.union(&mine);
        }
        let catch_all = |ty: &TypeNo| known::UNNAMED_PORTS.contains(&base.type_name(*ty));
        let mut unnamed = taken.complement();
        for (_, ports) in by_type.iter().filter(|(ty, _)| catch_all(ty)) {
            unnamed = unnamed.union(ports);
        }
        Self { by_type, unnamed }
    }

    /// The ports of each type.
    pub(super) fn iter(&self) -> impl Iterator<Item = (TypeNo, &Intervals<u16>)> {
        self.by_type.iter().map(|(ty, ports)| (*ty, ports))
    }
}

/// Ports with a private type.
#[derive(Debug, Clone)]
pub(super) struct OwnPorts {
    pub(super) policy: usize,
    pub(super) protocol: Protocol,
    pub(super) ports: Intervals<u16>,
    pub(super) ty: OwnNo,
}

/// The ports of the whole build.
#[derive(Debug, Default)]
pub(super) struct PortPlan {
    maps: BTreeMap<Protocol, PortMap>,
    pub(super) own: Vec<OwnPorts>,
}

/// Whether an operation looks at the port's type.
pub(super) fn looks_at_port(protocol: Protocol, op: NetOp) -> bool {
    match op {
        NetOp::Bind | NetOp::Listen => true,
        NetOp::Connect => protocol != Protocol::Udp,
        NetOp::Send | NetOp::Receive => false,
    }
}

/// A policy's denies of ports.
pub(super) fn denies(policy: &Policy) -> Vec<&NetRule> {
    let denies = policy.rules.iter().filter(|r| r.effect == Effect::Deny);
    denies.filter_map(|r| if let Body::Net(net) = &r.body { Some(net) } else { None }).collect()
}

/// The ports of a rule that none of these denies takes away for an operation.
pub(super) fn allowed_ports(denies: &[&NetRule], rule: &NetRule, op: NetOp) -> Intervals<u16> {
    let mut ports = rule.ports.clone();
    for net in denies {
        if net.protocol == rule.protocol && net.ops.has(op) && net.addresses.is_none() {
            ports = ports.minus(&net.ports);
        }
    }
    ports
}

/// A policy by its place, and whether it binds to the port.
type User = (usize, bool);

impl PortPlan {
    pub(super) fn new(
        set: &PolicySet,
        base: &Base,
        types: &mut OwnTypes,
        errors: &mut Vec<LowerError>,
    ) -> Self {
        let mut out = Self::default();
        let mut wanted: BTreeMap<Protocol, BTreeMap<u16, Vec<User>>> = BTreeMap::new();
        for (number, policy) in set.policies().iter().enumerate() {
            if policy.demand(Target::Selinux) == Demand::Off {
                continue;
            }
            for (protocol, binds, ports) in out.private(policy, base) {
                let users = wanted.entry(protocol).or_default();
                for (low, high) in ports.ranges() {
                    mark(users, *low, *high, (number, binds));
                }
            }
        }
        for (protocol, users) in wanted {
            if let Err(kind) = out.declare(set, protocol, &users, types) {
                let span = set.policies().first().map(|p| p.span).unwrap_or_default();
                errors.push(LowerError { span, other: None, kind });
            }
        }
        out
    }

    /// The map of a protocol.
    pub(super) fn map(&mut self, base: &Base, protocol: Protocol) -> &PortMap {
        self.maps.entry(protocol).or_insert_with(|| PortMap::new(base, protocol))
    }

    /// The same, when some rule asked for it.
    pub(super) fn known(&self, protocol: Protocol) -> Option<&PortMap> {
        self.maps.get(&protocol)
    }

    /// The ports for which a policy needs private types, and whether it binds to them or connects.
    fn private(&mut self, policy: &Policy, base: &Base) -> Vec<(Protocol, bool, Intervals<u16>)> {
        let mut all: BTreeMap<(Protocol, bool), Vec<(u16, u16)>> = BTreeMap::new();
        let denies = denies(policy);
        for rule in policy.rules.iter().filter(|r| r.effect == Effect::Allow) {
            let Body::Net(net) = &rule.body else { continue };
            for op in net.ops.iter().filter(|op| looks_at_port(net.protocol, *op)) {
                let ports = allowed_ports(&denies, net, op);
                all.entry((net.protocol, op != NetOp::Connect)).or_default().extend(ports.ranges());
            }
        }
        let mut out = Vec::new();
        for ((protocol, binds), ranges) in all {
            let ports: Intervals<u16> = ranges.into_iter().collect();
            // Every port is a matter of attributes, not of types.
            if covers_all(&ports) {
                continue;
            }
            let map = self.map(base, protocol);
            let mut unnamed = ports.intersect(&map.unnamed);
            for (_, whole) in map.iter() {
                // A type that is wanted whole is granted itself.
                if whole.is_subset(&ports) {
                    unnamed = unnamed.minus(whole);
                }
            }
            out.push((protocol, binds, unnamed));
        }
        out
    }

    fn declare(
        &mut self,
        set: &PolicySet,
        protocol: Protocol,
        users: &BTreeMap<u16, Vec<User>>,
        types: &mut OwnTypes,
    ) -> Result<(), LowerErrorKind> {
        let mut groups: BTreeMap<Vec<User>, Vec<(u16, u16)>> = BTreeMap::new();
        let mut from = users.iter().peekable();
        while let Some((low, who)) = from.next() {
            let high = from.peek().map_or(u16::MAX, |(next, _)| **next - 1);
            if !who.is_empty() {
                groups.entry(who.clone()).or_default().push((*low, high));
            }
        }
        for (who, ranges) in groups {
            let ports: Intervals<u16> = ranges.into_iter().collect();
            let (Some((policy, _)), Some((low, high))) = (who.first(), ports.ranges().first()) else {
                continue;
            };
            let Some(owner) = set.policies().get(*policy) else { continue };
            let name = if low == high {
                format!("port_{}_{low}", protocol.word())
            } else {
                format!("port_{}_{low}_{high}", protocol.word())
            };
            let about = format!("{} ports that the base leaves to nobody", protocol.word());
            let ty = types.add((*policy, &owner.name), &[&name], Sort::Port, about)?;
            self.own.push(OwnPorts { policy: *policy, protocol, ports, ty });
        }
        Ok(())
    }
}

/// Adds a user to every port of a range; the map holds, from each port on, who uses it.
fn mark(users: &mut BTreeMap<u16, Vec<User>>, low: u16, high: u16, user: User) {
    let at = |users: &BTreeMap<u16, Vec<User>>, port: u16| {
        users.range(..=port).next_back().map(|(_, w)| w.clone()).unwrap_or_default()
    };
    let first = at(users, low);
    users.entry(low).or_insert(first);
    if let Some(after) = high.checked_add(1) {
        let rest = at(users, after);
        users.entry(after).or_insert(rest);
    }
    for (_, who) in users.range_mut(low..=high) {
        if let Err(place) = who.binary_search(&user) {
            who.insert(place, user);
        }
    }
}

/// Whether these are all ports but perhaps 0, which nobody is asked for.
pub(super) fn covers_all(ports: &Intervals<u16>) -> bool {
    Intervals::range(1, u16::MAX).is_subset(ports)
}
