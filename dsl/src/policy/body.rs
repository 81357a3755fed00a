//! What rules speak of: files, networks, capabilities, system calls, namespaces, processes, mounts.

use super::PathRef;
use canc_sets::interval::Intervals;
use canc_sets::path::{Pattern, Piece};
use canc_sets::syscalls::Arch;
use std::net::IpAddr;
use std::sync::Arc;

/// A set of the values of a small enum, for rules that list words.
macro_rules! bit_set {
    ($(#[$meta:meta])* $set:ident($repr:ty) of $item:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $item { $($(#[$vmeta])* $variant,)* }

        impl $item {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word for it in policies.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        #[doc = concat!("A set of [`", stringify!($item), "`].")]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $set($repr);

        impl $set {
            /// No member.
            pub const EMPTY: Self = Self(0);

            /// The set of these.
            #[must_use]
            pub const fn of(items: &[$item]) -> Self {
                let mut bits = 0;
                let mut rest = items;
                while let [first, tail @ ..] = rest {
                    bits |= 1 << (*first as u32);
                    rest = tail;
                }
                Self(bits)
            }

            /// Every member.
            #[must_use]
            pub const fn all() -> Self { Self::of($item::ALL) }

            /// Whether it has `item`.
            #[must_use]
            pub const fn has(self, item: $item) -> bool { self.0 & (1 << (item as u32)) != 0 }

            /// Whether it has no member.
            #[must_use]
            pub const fn is_empty(self) -> bool { self.0 == 0 }

            /// With `item` added.
            #[must_use]
            pub const fn with(self, item: $item) -> Self { Self(self.0 | 1 << (item as u32)) }

            /// What either has.
            #[must_use]
            pub const fn union(self, other: Self) -> Self { Self(self.0 | other.0) }

            /// What both have.
            #[must_use]
            pub const fn intersect(self, other: Self) -> Self { Self(self.0 & other.0) }

            /// What `self` has and `other` has not.
            #[must_use]
            pub const fn minus(self, other: Self) -> Self { Self(self.0 & !other.0) }

            /// The members in order.
            pub fn iter(self) -> impl Iterator<Item = $item> {
                $item::ALL.iter().copied().filter(move |i| self.has(*i))
            }
        }

        impl FromIterator<$item> for $set {
            fn from_iter<I: IntoIterator<Item = $item>>(iter: I) -> Self {
                iter.into_iter().fold(Self::EMPTY, Self::with)
            }
        }

        impl std::fmt::Debug for $set {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_set().entries(self.iter().map($item::word)).finish()
            }
        }
    };
}

bit_set! {
    /// One kind of request on a path. The words `replace` and `manage` are several of them.
    FileOps(u16) of FileOp {
        /// Open for reading, readlink, map without exec.
        Read = "read",
        /// Read a directory's entries.
        List = "list",
        /// Change existing contents, truncate, ioctl on a device.
        Write = "write",
        /// Add at the end only.
        Append = "append",
        /// Make an entry that is no device node.
        Create = "create",
        /// Remove an entry.
        Delete = "delete",
        /// Be the source of a hard link.
        Link = "link",
        /// Lock.
        Lock = "lock",
        /// chmod, chown, utimes, extended attributes; never the set-id bits.
        Setattr = "setattr",
        /// Set the set-user-id and set-group-id bits.
        Setid = "setattr setid",
        /// Map with exec.
        Map = "map",
        /// Make a device node.
        Mknod = "mknod",
        /// Execute.
        Run = "run",
    }
}

bit_set! {
    /// What a network rule permits.
    NetOps(u8) of NetOp {
        /// Connect; for UDP it implies sending to and receiving from that peer.
        Connect = "connect",
        /// Bind to a local port.
        Bind = "bind",
        /// Bind, listen and accept.
        Listen = "listen",
        /// Send a datagram to a port.
        Send = "send",
        /// Receive datagrams.
        Receive = "receive",
    }
}

bit_set! {
    /// A unix socket's type.
    UnixTypes(u8) of UnixType {
        /// `SOCK_STREAM`
        Stream = "stream",
        /// `SOCK_DGRAM`
        Dgram = "dgram",
        /// `SOCK_SEQPACKET`
        Seqpacket = "seqpacket",
    }
}

bit_set! {
    /// A kind of ptrace access.
    PtraceModes(u8) of PtraceMode {
        /// Read memory and state.
        Read = "read",
        /// Attach and control.
        Trace = "trace",
    }
}

bit_set! {
    /// A part of io_uring.
    IoUringUses(u8) of IoUringUse {
        /// Set up and use rings.
        Rings = "",
        /// Kernel-side polling threads.
        Sqpoll = "sqpoll",
        /// Personalities registered by another.
        OverrideCreds = "override_creds",
        /// Pass-through commands to drivers.
        Cmd = "cmd",
    }
}

bit_set! {
    /// What a POSIX message queue rule permits.
    MqueueOps(u8) of MqueueOp {
        /// Make a queue.
        Create = "create",
        /// Receive.
        Read = "read",
        /// Send.
        Write = "write",
        /// Remove a queue.
        Delete = "delete",
    }
}

bit_set! {
    /// A kind of namespace, for `isolate` and for `allow namespace`.
    NamespaceKinds(u8) of NamespaceKind {
        /// `CLONE_NEWNS`
        Mount = "mount",
        /// `CLONE_NEWPID`
        Pid = "pid",
        /// `CLONE_NEWNET`
        Net = "net",
        /// `CLONE_NEWIPC`
        Ipc = "ipc",
        /// `CLONE_NEWUTS`
        Uts = "uts",
        /// `CLONE_NEWCGROUP`
        Cgroup = "cgroup",
        /// `CLONE_NEWTIME`
        Time = "time",
        /// `CLONE_NEWUSER`; only for `isolate`, since rules say `userns create`.
        User = "user",
    }
}

bit_set! {
    /// A mount flag that rules may name.
    MountFlags(u16) of MountFlag {
        /// `MS_RDONLY`
        Ro = "ro",
        /// `MS_NOSUID`
        Nosuid = "nosuid",
        /// `MS_NODEV`
        Nodev = "nodev",
        /// `MS_NOEXEC`
        Noexec = "noexec",
        /// `MS_SYNCHRONOUS`
        Sync = "sync",
        /// `MS_DIRSYNC`
        Dirsync = "dirsync",
        /// `MS_NOATIME`
        Noatime = "noatime",
        /// `MS_NODIRATIME`
        Nodiratime = "nodiratime",
        /// `MS_RELATIME`
        Relatime = "relatime",
        /// `MS_STRICTATIME`
        Strictatime = "strictatime",
        /// `MS_SILENT`
        Silent = "silent",
        /// `MS_MANDLOCK`
        Mand = "mand",
    }
}

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

/// What a filter answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// End the process.
    Kill,
    /// End the thread.
    KillThread,
    /// Send SIGSYS.
    Trap,
    /// Fail with this error number.
    Errno(u16),
    /// Ask a user-space listener.
    Notify,
    /// Ask a tracer.
    Trace,
    /// Allow and log.
    Log,
    /// Allow.
    Allow,
}

/// `syscall …`
#[derive(Debug, Clone)]
pub struct SyscallRule {
    /// The calls, groups expanded, in table order without repetition.
    pub calls: Vec<SyscallItem>,
    /// Only on these architectures; `None` for all.
    pub arches: Option<Vec<Arch>>,
    /// `with …` of a deny.
    pub action: Option<Action>,
}

/// One call of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyscallItem {
    /// Its name in the kernel's tables.
    pub name: &'static str,
    /// The group the author named, such as `module` for `@module`.
    pub group: Option<&'static str>,
    /// On which arguments; `None` for all.
    pub condition: Option<Condition>,
}

/// A condition on the scalar arguments of a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Condition {
    /// All hold; true when empty.
    All(Vec<Condition>),
    /// One holds; false when empty.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// A comparison.
    Test(ArgTest),
    /// The architecture is one of these: how a constant that differs by architecture is compared, as
    /// `(Arch([x86_64]) and flags & 0x10000 != 0) or (Arch([aarch64]) and flags & 0x4000 != 0)`.
    Arch(Vec<Arch>),
}

/// How wide the kernel takes an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Width {
    /// The low 16 bits, unsigned: modes, and the identities of the first 32-bit tables.
    U16,
    /// The low 32 bits, unsigned.
    U32,
    /// The low 32 bits, signed.
    I32,
    /// 64 bits, unsigned (on a 32-bit architecture, 32).
    U64,
    /// 64 bits, signed (on a 32-bit architecture, 32).
    I64,
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the operators' own names")]
pub enum Compare {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// `argN & mask OP value`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArgTest {
    /// Which argument, from 0.
    pub arg: u8,
    /// How the kernel takes it.
    pub width: Width,
    /// Applied before comparing; all ones when the author wrote none. Only with `Eq` and `Ne`.
    pub mask: u64,
    /// The operator.
    pub op: Compare,
    /// The value as the author wrote it, two's complement when negative.
    pub value: u64,
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
