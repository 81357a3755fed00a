//! Rules, and what they are about.

use super::{Expr, Name};
use crate::policy::{
    Action, Compare, Facility, FileOps, IoUringUses, MountFlags, MqueueOps, NamespaceKinds, NetOp,
    Propagation, Protocol, PtraceModes, SocketKind, UnixTypes,
};
use crate::source::Span;
use canc_sets::syscalls::Arch;

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `@id(name)`
    pub id: Option<Name>,
    /// `@prefer`
    pub prefer: bool,
    /// Whether it is a `deny`.
    pub deny: bool,
    /// `audit`
    pub audit: bool,
    /// What it is about.
    pub body: Body,
    /// `because "why"`
    pub because: Option<Expr>,
}

/// What a rule or a request is about.
#[derive(Debug, Clone)]
pub enum Body {
    /// Accesses to paths.
    File(FileBody),
    /// TCP, UDP, SCTP.
    Net(NetBody),
    /// Unix sockets.
    Unix(UnixBody),
    /// Other socket families.
    Socket(Vec<SocketKind>),
    /// Capabilities.
    Capability {
        /// Bit N is capability N.
        bits: u64,
        /// `in userns`
        in_userns: bool,
    },
    /// System calls.
    Syscall(SyscallBody),
    /// `userns create`
    UsernsCreate,
    /// `namespace …`
    Namespace(NamespaceKinds),
    /// Signals.
    Signal(SignalBody),
    /// Tracing.
    Ptrace {
        /// The kinds of access.
        modes: PtraceModes,
        /// Whom.
        peer: Peer,
    },
    /// Mounts.
    Mount(MountBody),
    /// io_uring; empty when the author named no part.
    IoUring(IoUringUses),
    /// Message queues.
    Mqueue {
        /// What may be done.
        ops: MqueueOps,
        /// The names.
        names: Vec<Expr>,
    },
    /// A whole facility.
    Facility(Facility),
}

/// Accesses to paths.
#[derive(Debug, Clone)]
pub struct FileBody {
    /// What may be done; `replace` and `manage` are multiplied out, `run` is alone here.
    pub ops: FileOps,
    /// The words for it.
    pub words: Span,
    /// Only the owner's files.
    pub owner: bool,
    /// The paths.
    pub paths: Vec<Expr>,
    /// What is taken out.
    pub except: Vec<Expr>,
    /// `as LABEL [takeover]`
    pub label: Option<Label>,
    /// `-> …`
    pub run: Option<RunTarget>,
}

/// `as LABEL [takeover]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The label.
    pub name: Name,
    /// `takeover`
    pub takeover: bool,
}

/// Where an executed program goes, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunTarget {
    /// `-> inherit`
    Inherit,
    /// `-> policy Q`
    Policy(Name),
    /// `-> unconfined`
    Unconfined,
}

/// TCP, UDP, SCTP.
#[derive(Debug, Clone)]
pub struct NetBody {
    /// What may be done.
    pub ops: Vec<(NetOp, Span)>,
    /// The protocol.
    pub protocol: (Protocol, Span),
    /// `address SET`
    pub addresses: Option<Vec<Expr>>,
    /// `port SET`
    pub ports: Option<Vec<Expr>>,
    /// `except SET`
    pub except: Vec<Expr>,
}

/// Unix sockets.
#[derive(Debug, Clone)]
pub struct UnixBody {
    /// `listen`, or `connect`.
    pub listen: bool,
    /// The types.
    pub types: UnixTypes,
    /// Paths or abstract names.
    pub names: Vec<Expr>,
    /// What is taken out.
    pub except: Vec<Expr>,
    /// `to …`
    pub peer: Option<Peer>,
}

/// Another process, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// `self`
    SelfDomain,
    /// `policy NAME`
    Policy(Name),
    /// `user`
    User,
    /// `systemd`
    Systemd,
    /// `any`
    Any,
}

/// System calls.
#[derive(Debug, Clone)]
pub struct SyscallBody {
    /// Calls, groups, lets.
    pub calls: Vec<Expr>,
    /// What is taken out.
    pub except: Vec<Expr>,
    /// `where COND`
    pub condition: Option<Condition>,
    /// `on ARCH, …`
    pub arches: Option<Vec<Arch>>,
    /// `with ACTION`
    pub action: Option<(Action, Span)>,
}

/// A condition on arguments.
#[derive(Debug, Clone)]
pub enum Condition {
    /// All hold.
    All(Vec<Condition>),
    /// One holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// A comparison.
    Test {
        /// The argument, by name or as `argN`.
        arg: Name,
        /// `& mask`
        mask: Option<Vec<Operand>>,
        /// The operator; `Eq` for `in`.
        op: Compare,
        /// The values: one, or those of `in […]`.
        values: Vec<Vec<Operand>>,
        /// `not in`
        negated: bool,
        /// The comparison.
        span: Span,
    },
}

/// A number of a condition: one of several joined by `|`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// An integer; two's complement when negative.
    Int {
        /// Its bits.
        value: u64,
        /// Where it stands.
        span: Span,
    },
    /// A constant such as `AF_INET`, or a let.
    Name(Span),
}

/// Signals.
#[derive(Debug, Clone)]
pub struct SignalBody {
    /// `send`, or `receive`.
    pub send: bool,
    /// Bit N is signal N.
    pub signals: u128,
    /// `to …`, `from …`
    pub peers: Vec<Peer>,
}

/// Mounts.
#[derive(Debug, Clone)]
pub enum MountBody {
    /// `mount type T, … [from SRC] -> DST [options …]`
    New {
        /// The types.
        types: Vec<Name>,
        /// `from SRC`
        source: Option<Expr>,
        /// The mount points.
        target: Vec<Expr>,
        /// `options …`
        options: Option<MountFlags>,
    },
    /// `mount bind|rbind SRC -> DST`
    Bind {
        /// `rbind`
        recursive: bool,
        /// What.
        source: Vec<Expr>,
        /// Where.
        target: Vec<Expr>,
    },
    /// `mount move SRC -> DST`
    Move {
        /// What.
        source: Vec<Expr>,
        /// Where.
        target: Vec<Expr>,
    },
    /// `mount remount OPTIONS -> DST`
    Remount {
        /// The flags; `None` when none is named.
        options: Option<MountFlags>,
        /// `bind` among the options.
        bind: bool,
        /// What.
        target: Vec<Expr>,
    },
    /// `mount make PROPAGATION -> DST`
    Make {
        /// The propagation.
        propagation: Propagation,
        /// Where.
        target: Vec<Expr>,
    },
    /// `unmount DST`
    Unmount(Vec<Expr>),
    /// `pivot_root OLD -> NEW`
    PivotRoot {
        /// Where the old root goes.
        old: Vec<Expr>,
        /// The new root.
        new: Vec<Expr>,
    },
}
