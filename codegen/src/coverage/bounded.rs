//! Classes to "bounded" or not: whether what the layers permit beyond the policy is known and named.

use super::layer::Layer;
use canc_dsl::meaning::{Evaluator, Kind};
use canc_dsl::policy::{Class, FileOp, NamespaceKind, NetOp, Protocol, SocketKind};
use canc_sets::path::TooLarge;
use std::collections::BTreeMap;

/// What is known of one class under some layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Boundedness {
    /// Nothing beyond the policy, `@base` and named residuals gets through.
    Bounded,
    /// Requests of this kind get through that nobody can name; the text is one of them, or its kind.
    Unbounded(String),
}

/// The kinds that decide whether a class is bounded. System calls are judged by the filter itself.
fn kinds(class: Class) -> Vec<Kind> {
    let files = |ops: &[FileOp]| ops.iter().map(|op| Kind::File(*op)).collect();
    let net = |ops: &[NetOp], p| ops.iter().map(|op| Kind::Net(*op, p)).collect();
    match class {
        Class::Files => files(&[
            FileOp::Read,
            FileOp::List,
            FileOp::Write,
            FileOp::Append,
            FileOp::Create,
            FileOp::Delete,
            FileOp::Link,
        ]),
        Class::Execution => files(&[FileOp::Run]),
        Class::FileAttributes => {
            files(&[FileOp::Lock, FileOp::Setattr, FileOp::Setid, FileOp::Map, FileOp::Mknod])
        }
        Class::TcpConnect => net(&[NetOp::Connect], Protocol::Tcp),
        Class::TcpBind => net(&[NetOp::Bind, NetOp::Listen], Protocol::Tcp),
        Class::Udp => net(&[NetOp::Bind, NetOp::Connect, NetOp::Send, NetOp::Receive], Protocol::Udp),
        Class::Sockets => {
            [SocketKind::Raw, SocketKind::Packet, SocketKind::Vsock, SocketKind::Icmp, SocketKind::Alg]
                .into_iter()
                .map(Kind::Socket)
                .chain((0..=22).map(|n| Kind::Socket(SocketKind::Netlink(n))))
                .chain([NetOp::Bind, NetOp::Connect].map(|op| Kind::Net(op, Protocol::Sctp)))
                .collect()
        }
        Class::UnixSockets => [false, true]
            .into_iter()
            .flat_map(|listen| [Kind::UnixPath { listen }, Kind::UnixAbstract { listen }])
            .collect(),
        Class::Capabilities => vec![Kind::Capability],
        Class::Signals => vec![Kind::Signal],
        Class::Ptrace => vec![Kind::Ptrace],
        Class::Syscalls => Vec::new(),
        Class::Userns => vec![Kind::UsernsCreate],
        Class::Namespaces => vec![Kind::Namespace],
        Class::Mounts => vec![
            Kind::MountNew,
            Kind::MountBind { recursive: false },
            Kind::MountBind { recursive: true },
            Kind::MountMove,
            Kind::MountRemount { bind: false },
            Kind::MountRemount { bind: true },
            Kind::MountMake,
            Kind::Unmount,
            Kind::PivotRoot,
        ],
        Class::IoUring => vec![Kind::IoUring],
        Class::Mqueue => vec![Kind::Mqueue],
    }
}

/// Each class under `layers`, all of them active. `syscalls` is bounded exactly when seccomp is among them.
///
/// # Errors
/// When a pattern's automaton is too large.
pub fn bounded_classes(
    evaluator: &Evaluator<'_>,
    layers: &[&Layer<'_>],
) -> Result<BTreeMap<Class, Boundedness>, TooLarge> {
    let mut out = BTreeMap::new();
    for class in Class::ALL {
        out.insert(class, class_bounded(evaluator, layers, class)?);
    }
    Ok(out)
}

fn class_bounded(
    evaluator: &Evaluator<'_>,
    layers: &[&Layer<'_>],
    class: Class,
) -> Result<Boundedness, TooLarge> {
    use super::layer::LayerName;
    use canc_dsl::policy::Target;
    if class == Class::Syscalls {
        let filtered = layers.iter().any(|l| l.name == LayerName::Target(Target::Seccomp));
        return Ok(if filtered {
            Boundedness::Bounded
        } else {
            Boundedness::Unbounded("any system call".into())
        });
    }
    for kind in kinds(class) {
        // (b) of the rule: a seeing layer permits what it grants to rules and to `@base`, and its verdicts name both.
        if layers.iter().any(|l| (l.sees)(kind)) {
            continue;
        }
        // (a): nothing is allowed and some layer refuses all of it.
        let mut refused = false;
        if !evaluator.allows_any(kind)? {
            for layer in layers {
                refused = refused || (layer.permitted)(kind, "/")?.refuses_all_but_base();
            }
        }
        if !refused {
            return Ok(Boundedness::Unbounded(describe(kind)));
        }
    }
    Ok(Boundedness::Bounded)
}

fn describe(kind: Kind) -> String {
    match kind {
        Kind::File(op) => format!("{} on any path", op.word()),
        Kind::Net(op, protocol) => format!("{} {} to any port", op.word(), protocol.word()),
        Kind::UnixPath { listen: false } => "connecting to any unix socket path".into(),
        Kind::UnixPath { listen: true } => "listening on any unix socket path".into(),
        Kind::UnixAbstract { listen: false } => "connecting to any abstract unix socket".into(),
        Kind::UnixAbstract { listen: true } => "listening on any abstract unix socket".into(),
        Kind::Socket(_) => "sockets of other families".into(),
        Kind::Capability => "any capability".into(),
        Kind::Signal => "signals to any process of the same user".into(),
        Kind::Ptrace => "tracing any process of the same user".into(),
        Kind::UsernsCreate => "making user namespaces".into(),
        Kind::Namespace => format!("making namespaces such as {}", NamespaceKind::Mount.word()),
        Kind::IoUring => "any use of io_uring".into(),
        Kind::Mqueue => "any message queue".into(),
        Kind::Facility(_) => "the facility as a whole".into(),
        _ => "mounts anywhere".into(),
    }
}
