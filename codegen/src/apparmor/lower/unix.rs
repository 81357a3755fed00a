//! Unix sockets with names: file rules for paths (made with the other files), and network or unix rules by what the kernel sees.

use super::context::Context;
use super::network::ANY_USE;
use super::process;
use crate::apparmor::glob::NameGlob;
use crate::apparmor::model::{self, Family, NetPerm, NetPerms, NetworkRule, Rule, SocketType};
use crate::verdict::{Outcome, Verdict};
use canc_dsl::policy::{Body, NamePattern, Peer, RuleId, UnixAddress, UnixRule, UnixType};
use canc_sets::path::{Lang, TooLarge, Universe};

/// What connecting asks for besides what any use does.
const CONNECT: NetPerms = NetPerms::of(&[NetPerm::Connect, NetPerm::Send, NetPerm::Receive]);
/// What listening asks for besides.
const LISTEN: NetPerms =
    NetPerms::of(&[NetPerm::Bind, NetPerm::Listen, NetPerm::Accept, NetPerm::Send, NetPerm::Receive]);

fn perms(listen: bool) -> NetPerms {
    if listen { LISTEN } else { CONNECT }
}

pub(crate) fn socket_type(kind: UnixType) -> SocketType {
    match kind {
        UnixType::Stream => SocketType::Stream,
        UnixType::Dgram => SocketType::Dgram,
        UnixType::Seqpacket => SocketType::Seqpacket,
    }
}

pub(super) fn rule(cx: &mut Context<'_>, id: RuleId, allow: bool, rule: &UnixRule) {
    if !cx.features.network() {
        cx.set(id, Outcome::new(Verdict::NotApplicable));
        return;
    }
    match (allow, cx.features.af_unix()) {
        (true, false) => by_family(cx, id, rule),
        (true, true) => by_name(cx, id, rule),
        (false, named) => refuse(cx, id, rule, named),
    }
}

/// A kernel that sees family, type and operation alone.
fn by_family(cx: &mut Context<'_>, id: RuleId, rule: &UnixRule) {
    let mode = cx.mode(id);
    let perms = cx.features.network_operations().then_some(ANY_USE.union(perms(rule.listen)));
    for kind in rule.types.iter() {
        cx.add(id, Rule::Network(NetworkRule { mode, perms, family: Family::Unix, kind: socket_type(kind) }));
    }
    let kind = rule.types.iter().next().map_or("stream", UnixType::word);
    let what = match (&rule.address, rule.listen) {
        (UnixAddress::Paths(_), false) => {
            format!(
                "every unix socket of the type, since this kernel checks no name: `connect unix {kind} \"@a\"`"
            )
        }
        (UnixAddress::Paths(_), true) => {
            format!("every abstract name, since this kernel checks none: `listen unix {kind} \"@a\"`")
        }
        (UnixAddress::Abstract(_), false) => {
            format!(
                "every unix socket of the type, since this kernel checks no name: `connect unix {kind} \"/a\"`"
            )
        }
        (UnixAddress::Abstract(_), true) => {
            format!("every abstract name, since this kernel checks none: `listen unix {kind} \"@a\"`")
        }
    };
    cx.widen(id, what);
    if rule.peer.as_ref().is_some_and(|p| *p != Peer::Any) {
        cx.widen(id, "every process at the other end");
    }
    file_remark(cx, id, rule);
}

fn file_remark(cx: &mut Context<'_>, id: RuleId, rule: &UnixRule) {
    if let UnixAddress::Paths(paths) = &rule.address {
        let example = paths.iter().find_map(|p| p.pattern.example(false)).unwrap_or_default();
        cx.widen(id, format!("replacing what is at the socket's path: `delete \"{example}\"`"));
    }
}

/// A kernel that sees names and peers. None was at hand when this was written: it follows apparmor.d(5).
fn by_name(cx: &mut Context<'_>, id: RuleId, rule: &UnixRule) {
    let mode = cx.mode(id);
    let label = match &rule.peer {
        None => None,
        Some(peer) => process::peer(cx, id, peer),
    };
    for kind in rule.types.iter().map(socket_type) {
        let plain = model::UnixRule { mode, perms: ANY_USE, kind, own: None, label: None, peer: None };
        cx.add(id, Rule::Unix(plain.clone()));
        match &rule.address {
            // The kernel judges sockets in the file system by their path, which the file rules have.
            UnixAddress::Paths(_) => {}
            UnixAddress::Abstract(names) => {
                for name in names.iter().map(NameGlob::of_pattern) {
                    let (own, peer) = if rule.listen { (Some(name), None) } else { (None, Some(name)) };
                    let label = label.clone();
                    let perms = perms(rule.listen);
                    cx.add(id, Rule::Unix(model::UnixRule { perms, own, label, peer, ..plain.clone() }));
                }
            }
        }
    }
    file_remark(cx, id, rule);
    let paths = matches!(rule.address, UnixAddress::Paths(_));
    if paths && rule.peer.as_ref().is_some_and(|p| *p != Peer::Any) {
        cx.widen(id, "every process at the other end");
    }
    if let Some(outcome) = cx.outcomes.get_mut(id.0 as usize) {
        outcome.unseen = true;
    }
}

/// No refusal is written: the parser says of every one that older kernels would not get it. So a deny holds where nothing of it is
/// permitted in the first place.
fn refuse(cx: &mut Context<'_>, id: RuleId, rule: &UnixRule, named: bool) {
    if rule.listen && matches!(rule.address, UnixAddress::Paths(_)) {
        // Binding to a path makes a file, and that is refused like any other.
        return;
    }
    let operations = cx.features.network_operations();
    let others: Vec<&UnixRule> = cx
        .allows()
        .filter_map(|body| match body {
            Body::Unix(other) => Some(other),
            _ => None,
        })
        .filter(|other| other.listen == rule.listen || !operations)
        .filter(|other| !other.types.intersect(rule.types).is_empty())
        .collect();
    let mut met = false;
    for other in others {
        match meets(rule, other, named) {
            Ok(one) => met |= one,
            Err(large) => return cx.error(Some(id), large),
        }
    }
    if met {
        let why =
            "other rules need such sockets, and the profile language cannot take any out of what it permits";
        cx.set(id, Outcome::new(Verdict::DenyDropped { why: why.into() }));
    }
}

/// Whether what is permitted for `other` may be something that `rule` denies.
fn meets(rule: &UnixRule, other: &UnixRule, named: bool) -> Result<bool, TooLarge> {
    let (UnixAddress::Abstract(mine), UnixAddress::Abstract(theirs)) = (&rule.address, &other.address) else {
        // Paths are told apart by the file rules, where the kernel looks at names at all.
        return Ok(!named
            || matches!((&rule.address, &other.address), (UnixAddress::Paths(_), UnixAddress::Paths(_))));
    };
    if !named {
        return Ok(true);
    }
    let lang = |names: &[NamePattern]| {
        names.iter().map(|n| NameGlob::of_pattern(n).lang()).collect::<Result<Vec<_>, _>>().map(Lang::Any)
    };
    Ok(lang(mine)?.and(lang(theirs)?).witness(Universe::Names)?.is_some())
}
