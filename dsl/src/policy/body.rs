//! What rules speak of: files, networks, capabilities, system calls, namespaces, processes, mounts.

use super::{
    FileOps, IoUringUses, MountFlags, MqueueOps, NamespaceKinds, NetOps, PathRef, PtraceModes, SyscallRule,
    UnixTypes,
};
use canc_sets::interval::Intervals;
use canc_sets::path::{Pattern, Piece};
use std::net::IpAddr;
use std::sync::Arc;

/// What a rule, or a request in a test, is about.
#[derive(Debug, Clone)]
pub enum Body {
    /// Accesses to paths, execution included.
    File(FileRule),
    /// TCP, UDP or SCTP.
    Net(NetRule),
    /// Unix sockets with a name.
    Unix(UnixRule),
    /// Other socket families.
    Socket(SocketRule),
    /// Capabilities.
    Capability(CapabilityRule),
    /// System calls.
    Syscall(SyscallRule),
    /// `userns create`
    UsernsCreate,
    /// `namespace …`
    Namespace(NamespaceKinds),
    /// Signals.
    Signal(SignalRule),
    /// Tracing.
    Ptrace(PtraceRule),
    /// Mounting, unmounting, pivoting.
    Mount(MountRule),
    /// io_uring.
    IoUring(IoUringUses),
    /// POSIX message queues.
    Mqueue(MqueueRule),
    /// System V shared memory, key rings, performance events.
    Facility(Facility),
}

/// Accesses to paths.
#[derive(Debug, Clone)]
pub struct FileRule {
    /// What may be done. `Run` brings `Read` and `Map` of the program.
    pub ops: FileOps,
    /// Only on files that the process's user owns.
    pub owner: bool,
    /// The paths.
    pub paths: Vec<PathRef>,
    /// What is taken out of them.
    pub except: Vec<PathRef>,
    /// `as LABEL`: the policy owns these paths.
    pub label: Option<LabelRef>,
    /// Where executed programs go; meaningful when `ops` has `Run`.
    pub run: RunTarget,
}

/// `as LABEL [takeover]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelRef {
    /// The label's name.
    pub name: Arc<str>,
    /// Accept that other domains lose access.
    pub takeover: bool,
    /// The name in the source.
    pub span: crate::source::Span,
}

/// Where an executed program goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum RunTarget {
    /// It stays in the domain.
    #[default]
    Inherit,
    /// Another policy of the same source.
    Policy(Arc<str>),
    /// Out of the domain: the label alone.
    Unconfined,
}

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the protocols' own names")]
pub enum Protocol {
    Tcp,
    Udp,
    Sctp,
}

impl Protocol {
    /// The word for it in policies.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}

/// An address block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IpBlock {
    /// The first address; host bits are zero.
    pub address: IpAddr,
    /// How many leading bits are fixed.
    pub prefix: u8,
}

/// TCP, UDP or SCTP.
#[derive(Debug, Clone)]
pub struct NetRule {
    /// What may be done.
    pub ops: NetOps,
    /// The protocol.
    pub protocol: Protocol,
    /// `None` for any address. Sorted, without repetition, excepted blocks already taken out.
    pub addresses: Option<Vec<IpBlock>>,
    /// The ports, excepted ones already taken out; full when the rule names none.
    pub ports: Intervals<u16>,
}

/// A name with `?`, `*` and classes; no `/` has a meaning in it beyond itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NamePattern {
    /// Its parts; `*` and `?` do not match `/`.
    pub pieces: Vec<Piece>,
}

/// Where a unix socket is.
#[derive(Debug, Clone)]
pub enum UnixAddress {
    /// In the file system.
    Paths(Vec<PathRef>),
    /// In the abstract name space, without the `@`.
    Abstract(Vec<NamePattern>),
}

/// Connect to, or listen on, a unix socket with a name.
#[derive(Debug, Clone)]
pub struct UnixRule {
    /// `listen` (which implies bind and accept) or `connect` (which implies sending).
    pub listen: bool,
    /// The types.
    pub types: UnixTypes,
    /// The names.
    pub address: UnixAddress,
    /// What is taken out of path names.
    pub except: Vec<PathRef>,
    /// Who is at the other end; `None` when the rule does not say.
    pub peer: Option<Peer>,
}

/// Another process, seen by its domain.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Peer {
    /// The same domain.
    SelfDomain,
    /// Another policy of the same source.
    Policy(Arc<str>),
    /// A user's session.
    User,
    /// The service manager.
    Systemd,
    /// Anybody.
    Any,
}

/// A socket family besides the internet and unix ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the families' own names")]
pub enum SocketKind {
    /// A netlink protocol by its number in `linux/netlink.h`.
    Netlink(u8),
    Raw,
    Packet,
    Vsock,
    Icmp,
    Alg,
}

/// `socket netlink route, audit;` and the like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketRule {
    /// The kinds; never empty.
    pub kinds: Vec<SocketKind>,
}

/// `capability …`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapabilityRule {
    /// Bit N is capability number N of `linux/capability.h`.
    pub bits: u64,
    /// Only inside user namespaces that the program made.
    pub in_userns: bool,
}

/// `signal send|receive …`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignalRule {
    /// Sent by the domain, or received by it.
    pub send: bool,
    /// Bit N is signal number N of x86 and ARM (`asm-generic/signal.h`); all of 1 to 64 for `all`.
    pub signals: u128,
    /// To whom, or from whom; never empty.
    pub peers: Vec<Peer>,
}

/// `ptrace …`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PtraceRule {
    /// The kinds of access.
    pub modes: PtraceModes,
    /// `SelfDomain` or a policy.
    pub peer: Peer,
}

/// What a mount takes its contents from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountSource {
    /// A path.
    Path(PathRef),
    /// A name that is no path, such as `tmpfs`.
    Name(Arc<str>),
}

/// How mount events propagate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the words of mount(8)")]
pub enum Propagation {
    Shared,
    Slave,
    Private,
    Unbindable,
    Rshared,
    Rslave,
    Rprivate,
    Runbindable,
}

/// Mounting, unmounting, pivoting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountRule {
    /// A new mount of a file system.
    New {
        /// The types; never empty.
        types: Vec<Arc<str>>,
        /// `from SRC`; `None` for any.
        source: Option<MountSource>,
        /// The mount points.
        target: Vec<PathRef>,
        /// The flags that must be given, no others; `None` when the rule names none, which permits any.
        options: Option<MountFlags>,
    },
    /// `bind`, `rbind`
    Bind {
        /// `rbind`
        recursive: bool,
        /// What is bound.
        source: Vec<PathRef>,
        /// Where.
        target: Vec<PathRef>,
    },
    /// `move`
    Move {
        /// What is moved.
        source: Vec<PathRef>,
        /// Where to.
        target: Vec<PathRef>,
    },
    /// `remount OPTIONS -> DST`
    Remount {
        /// The flags that must be given, no others; `None` for any.
        options: Option<MountFlags>,
        /// Whether it is the bind remount of one mount point.
        bind: bool,
        /// What is mounted anew.
        target: Vec<PathRef>,
    },
    /// `make shared -> DST`
    Make {
        /// The propagation.
        propagation: Propagation,
        /// The mount points.
        target: Vec<PathRef>,
    },
    /// `unmount DST`
    Unmount {
        /// The mount points.
        target: Vec<PathRef>,
    },
    /// `pivot_root OLD -> NEW`: OLD is where the old root goes, NEW becomes the root.
    PivotRoot {
        /// Where the old root is put.
        old: Vec<PathRef>,
        /// The new root.
        new: Vec<PathRef>,
    },
}

/// POSIX message queues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqueueRule {
    /// What may be done.
    pub ops: MqueueOps,
    /// The names, each starting with `/`.
    pub names: Vec<NamePattern>,
}

/// A facility that is wholly allowed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Facility {
    /// System V shared memory.
    Shm,
    /// Key rings.
    Keyring,
    /// Performance events.
    Perf,
}

impl NamePattern {
    /// The name, when it has no metacharacter.
    #[must_use]
    pub fn as_literal(&self) -> Option<String> {
        self.pieces
            .iter()
            .map(|p| match p {
                Piece::Lit(text) => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }
}

impl FileRule {
    /// The patterns of the paths, without their spans.
    pub fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        self.paths.iter().map(|p| &p.pattern)
    }
}
