//! Network and unix rules to boxes.

use super::Reader;
use crate::apparmor::lower::network::{families, types};
use crate::apparmor::lower::unix::socket_type;
use crate::apparmor::model::{Family, NetPerm, NetPerms, NetworkRule, SocketType, UnixRule};
use canc_dsl::meaning::{Dim, Kind};
use canc_dsl::policy::{NetOp, UnixType};
use canc_sets::interval::Intervals;
use canc_sets::path::{Lang, TooLarge};

/// The permission without which an operation is refused, whatever else there is.
fn needed(op: NetOp) -> NetPerm {
    match op {
        NetOp::Connect => NetPerm::Connect,
        NetOp::Bind => NetPerm::Bind,
        NetOp::Listen => NetPerm::Listen,
        NetOp::Send => NetPerm::Send,
        NetOp::Receive => NetPerm::Receive,
    }
}

fn has(perms: Option<NetPerms>, perm: NetPerm) -> bool {
    perms.is_none_or(|p| p.has(perm))
}

/// The selectors of what a network rule says of a kind; `None` where it says nothing.
pub(super) fn network(
    kind: Kind,
    rule: &NetworkRule,
    reader: &Reader<'_>,
) -> Result<Option<Vec<Dim>>, TooLarge> {
    let inet = matches!(rule.family, Family::Inet | Family::Inet6);
    Ok(match kind {
        Kind::Net(op, protocol) if inet => {
            let fits = types(protocol).contains(&rule.kind) && has(rule.perms, needed(op));
            fits.then(|| vec![Dim::Addresses(addresses(rule.family)), Dim::Ports(Intervals::full())])
        }
        Kind::Socket(kind) => {
            let fits = families(kind).contains(&(rule.family, rule.kind)) && has(rule.perms, NetPerm::Create);
            fits.then(|| vec![Dim::Bits(1)])
        }
        Kind::UnixPath { listen } if rule.family == Family::Unix && has(rule.perms, end(listen)) => {
            // Binding makes a file, which the file rules judge; connecting to one is not checked.
            let paths = if listen && !rule.mode.deny { reader.files.written()? } else { Lang::All };
            types_of(rule.kind).map(|types| vec![types, Dim::Bits(reader.peers.all()), Dim::Paths(paths)])
        }
        Kind::UnixAbstract { listen } if rule.family == Family::Unix && has(rule.perms, end(listen)) => {
            types_of(rule.kind).map(|types| vec![types, Dim::Bits(reader.peers.all()), Dim::Names(Lang::All)])
        }
        _ => None,
    })
}

fn end(listen: bool) -> NetPerm {
    if listen { NetPerm::Bind } else { NetPerm::Connect }
}

/// An IPv6 socket reaches IPv4 addresses, too, unless it is told otherwise.
fn addresses(family: Family) -> Intervals<u128> {
    let mapped = 0xffff_0000_0000u128;
    if family == Family::Inet { Intervals::range(mapped, mapped | 0xffff_ffff) } else { Intervals::full() }
}

fn types_of(kind: SocketType) -> Option<Dim> {
    UnixType::ALL.iter().find(|t| socket_type(**t) == kind).map(|t| Dim::Bits(1 << (*t as u32)))
}

/// The same for a rule that names addresses and peers.
pub(super) fn unix(kind: Kind, rule: &UnixRule, reader: &Reader<'_>) -> Result<Option<Vec<Dim>>, TooLarge> {
    let listen = match kind {
        Kind::UnixAbstract { listen } | Kind::UnixPath { listen } => listen,
        _ => return Ok(None),
    };
    let Some(types) = types_of(rule.kind) else { return Ok(None) };
    let peers = Dim::Bits(reader.peers.bits(rule.label.as_ref()));
    Ok(match kind {
        // A kernel that checks names judges paths by the file rules, and asks of sockets that they may be made.
        Kind::UnixPath { .. } if rule.perms.has(NetPerm::Create) => {
            Some(vec![types, peers, Dim::Paths(reader.files.written()?)])
        }
        Kind::UnixAbstract { .. } if rule.perms.has(end(listen)) => {
            let name = if listen { &rule.own } else { &rule.peer };
            let names = name.as_ref().map_or(Ok(Lang::All), |n| n.lang())?;
            Some(vec![types, peers, Dim::Names(names)])
        }
        _ => None,
    })
}
