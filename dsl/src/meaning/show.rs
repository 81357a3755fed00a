//! One request to the text that a test would use for it.

use super::boxes::{Dim, Kind, Member, Region};
use super::from_body::Peers;
use crate::policy::{FileOp, IoUringUse, MqueueOp, NamespaceKind, PtraceMode, SocketKind, UnixType};
use crate::tables::{NETLINK, capability_name, signal_name};
use crate::words::PROPAGATIONS;
use canc_sets::interval::Intervals;
use std::net::{IpAddr, Ipv6Addr};

pub(super) fn request(kind: Kind, members: &[Member], peers: &Peers) -> String {
    let bit = |i: usize| match members.get(i) {
        Some(Member::Bit(b)) => *b,
        _ => 0,
    };
    let text = |i: usize| match members.get(i) {
        Some(Member::Text(t)) => t.as_str(),
        _ => "",
    };
    let to = |bit: u32| format!(" to {}", peers.word(bit));
    let options = |i: usize| if text(i).is_empty() { "rw".to_owned() } else { text(i).replace(',', ", ") };
    match kind {
        Kind::File(op) => file(op, bit(0), text(1)),
        Kind::Net(op, protocol) => format!("{} {}{}", op.word(), protocol.word(), endpoint(members)),
        Kind::UnixPath { listen } => {
            format!("{} \"{}\"{}", unix(listen, bit(0)), text(2), to(bit(1)))
        }
        Kind::UnixAbstract { listen } => {
            format!("{} \"@{}\"{}", unix(listen, bit(0)), text(2), to(bit(1)))
        }
        Kind::Socket(kind) => socket(kind),
        Kind::Capability => {
            format!(
                "capability {}{}",
                name(capability_name, bit(0)),
                if bit(1) == 1 { " in userns" } else { "" }
            )
        }
        Kind::Signal => format!("signal send {}{}", name(signal_name, bit(0)), to(bit(1))),
        Kind::Ptrace => {
            format!("ptrace {} {}", word_at(PtraceMode::ALL, bit(0), PtraceMode::word), peers.word(bit(1)))
        }
        Kind::UsernsCreate => "userns create".into(),
        Kind::Namespace => format!("namespace {}", word_at(NamespaceKind::ALL, bit(0), NamespaceKind::word)),
        Kind::IoUring => {
            format!("io_uring {}", word_at(IoUringUse::ALL, bit(0), IoUringUse::word)).trim_end().into()
        }
        Kind::Mqueue => format!("mqueue {} \"{}\"", word_at(MqueueOp::ALL, bit(0), MqueueOp::word), text(1)),
        Kind::Facility(facility) => format!("{facility:?}").to_lowercase(),
        Kind::MountNew => {
            format!("mount type {} from {} -> \"{}\" options {}", text(0), text(1), text(2), options(3))
        }
        Kind::MountBind { recursive } => {
            format!("mount {} \"{}\" -> \"{}\"", if recursive { "rbind" } else { "bind" }, text(0), text(1))
        }
        Kind::MountMove => format!("mount move \"{}\" -> \"{}\"", text(0), text(1)),
        Kind::MountRemount { bind } => {
            format!("mount remount {}{} -> \"{}\"", if bind { "bind, " } else { "" }, options(0), text(1))
        }
        Kind::MountMake => {
            let propagation =
                PROPAGATIONS.iter().find(|(_, p)| *p as u32 == bit(0)).map_or("", |(word, _)| word);
            format!("mount make {propagation} -> \"{}\"", text(1))
        }
        Kind::Unmount => format!("unmount \"{}\"", text(0)),
        Kind::PivotRoot => format!("pivot_root \"{}\" -> \"{}\"", text(0), text(1)),
    }
}

/// A box without paths or names, as a rule would say it.
pub(super) fn region(region: &Region, peers: &Peers) -> Option<String> {
    let bits = |i: usize| match region.dims.get(i) {
        Some(Dim::Bits(bits)) => *bits,
        _ => 0,
    };
    let list = |bits: u128, word: &dyn Fn(u32) -> String| {
        (0..128).filter(|b| bits >> b & 1 == 1).map(word).collect::<Vec<_>>().join(", ")
    };
    let to = |bits: u128| match bits == peers.all() {
        true => "any".to_owned(),
        false => list(bits, &|b| peers.word(b)),
    };
    Some(match region.kind {
        Kind::Net(op, protocol) => {
            let [Dim::Addresses(addresses), Dim::Ports(ports)] = region.dims.as_slice() else { return None };
            format!("{} {}{}{}", op.word(), protocol.word(), shown_addresses(addresses), shown_ports(ports))
        }
        Kind::Capability => {
            let inside = if bits(1) == 2 { " in userns" } else { "" };
            format!("capability {}{inside}", list(bits(0), &|b| name(capability_name, b)))
        }
        Kind::Signal => {
            let all = (1..=64).all(|n| bits(0) >> n & 1 == 1);
            let signals = if all { "all".into() } else { list(bits(0), &|b| name(signal_name, b)) };
            format!("signal send {signals} to {}", to(bits(1)))
        }
        Kind::Ptrace => {
            let modes = list(bits(0), &|b| word_at(PtraceMode::ALL, b, PtraceMode::word).into());
            format!("ptrace {modes} {}", to(bits(1)))
        }
        Kind::Namespace => {
            format!(
                "namespace {}",
                list(bits(0), &|b| word_at(NamespaceKind::ALL, b, NamespaceKind::word).into())
            )
        }
        Kind::IoUring => {
            let uses = list(bits(0), &|b| word_at(IoUringUse::ALL, b, IoUringUse::word).into());
            format!("io_uring {}", uses.trim_start_matches(", ")).trim_end().into()
        }
        Kind::Socket(_) | Kind::UsernsCreate | Kind::Facility(_) => {
            request(region.kind, &region.members().ok()??, peers)
        }
        _ => return None,
    })
}

fn shown_ports(ports: &Intervals<u16>) -> String {
    if ports.is_full() {
        return String::new();
    }
    let range =
        |(low, high): &(u16, u16)| if low == high { low.to_string() } else { format!("{low}-{high}") };
    format!(" port {}", ports.ranges().iter().map(range).collect::<Vec<_>>().join(", "))
}

fn shown_addresses(addresses: &Intervals<u128>) -> String {
    if addresses.is_full() {
        return String::new();
    }
    let one = |number: u128| {
        let address = Ipv6Addr::from(number);
        address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4)
    };
    let range = |(low, high): &(u128, u128)| match low == high {
        true => one(*low).to_string(),
        false => format!("{}-{}", one(*low), one(*high)),
    };
    format!(" address {}", addresses.ranges().iter().map(range).collect::<Vec<_>>().join(", "))
}

fn name(of: fn(u32) -> Option<&'static str>, number: u32) -> String {
    of(number).map_or_else(|| number.to_string(), str::to_owned)
}

fn file(op: FileOp, who: u32, path: &str) -> String {
    format!("{} \"{path}\"{}", op.word(), if who == 1 { " as other" } else { "" })
}

fn endpoint(members: &[Member]) -> String {
    let mut out = String::new();
    if let Some(Member::Address(number)) = members.first()
        && *number != 0
    {
        let address = Ipv6Addr::from(*number);
        let address = address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4);
        out.push_str(&format!(" address {address}"));
    }
    if let Some(Member::Port(port)) = members.get(1) {
        out.push_str(&format!(" port {port}"));
    }
    out
}

fn unix(listen: bool, kind: u32) -> String {
    let verb = if listen { "listen" } else { "connect" };
    format!("{verb} unix {}", word_at(UnixType::ALL, kind, UnixType::word))
}

fn socket(kind: SocketKind) -> String {
    match kind {
        SocketKind::Netlink(protocol) => {
            let word = NETLINK.iter().find(|(_, number)| u32::from(*number) == u32::from(protocol));
            format!(
                "socket netlink {}",
                word.map_or_else(|| protocol.to_string(), |(word, _)| (*word).to_owned())
            )
        }
        SocketKind::Raw => "socket raw".into(),
        SocketKind::Packet => "socket packet".into(),
        SocketKind::Vsock => "socket vsock".into(),
        SocketKind::Icmp => "socket icmp".into(),
        SocketKind::Alg => "socket alg".into(),
    }
}

fn word_at<T: Copy>(all: &[T], bit: u32, word: fn(T) -> &'static str) -> &'static str {
    all.get(bit as usize).map_or("", |item| word(*item))
}
