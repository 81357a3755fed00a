//! One request to the text that a test would use for it.

use super::boxes::{Kind, Member};
use super::from_body::Peers;
use crate::policy::{FileOp, IoUringUse, MqueueOp, NamespaceKind, PtraceMode, SocketKind, UnixType};
use crate::tables::{capability_name, signal_name};
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
            format!("mount type {} from {} -> \"{}\" options {}", text(0), text(1), text(2), text(3))
        }
        Kind::MountBind { recursive } => {
            format!("mount {} \"{}\" -> \"{}\"", if recursive { "rbind" } else { "bind" }, text(0), text(1))
        }
        Kind::MountMove => format!("mount move \"{}\" -> \"{}\"", text(0), text(1)),
        Kind::MountRemount { .. } => format!("mount remount {} -> \"{}\"", text(0), text(1)),
        Kind::MountMake => format!("mount make -> \"{}\"", text(1)),
        Kind::Unmount => format!("unmount \"{}\"", text(0)),
        Kind::PivotRoot => format!("pivot_root \"{}\" -> \"{}\"", text(0), text(1)),
    }
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
        SocketKind::Netlink(protocol) => format!("socket netlink {protocol}"),
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
