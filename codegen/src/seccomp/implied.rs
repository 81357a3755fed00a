//! Rules to the families of system calls that they take, whole ones, because C libraries and their versions differ.
//!
//! The tables of names are in [`super::families`]; which calls a family has, and when, is in [`super::calls`].

use super::calls::{Context, calls};
use canc_dsl::policy::{
    Body, Facility, FileOp, FileRule, MountFlag, MountFlags, MountRule, MqueueOp, NetOp, NetRule,
    Propagation, Protocol, PtraceMode, Rule, SocketKind, UnixRule, UnixType,
};

/// A family of calls, one for all rules that bring it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// Open, close, stat, readlink and access.
    Paths,
    /// Read contents.
    Read,
    /// Read directories.
    List,
    /// Change contents.
    Write,
    /// Cut contents off.
    Truncate,
    /// Make entries.
    Create,
    /// Remove and rename entries.
    Delete,
    /// Hard links.
    Link,
    /// Locks.
    Lock,
    /// Attributes.
    Setattr,
    /// Executable mappings.
    Map,
    /// Device nodes.
    Mknod,
    /// Execute.
    Run,
    /// A socket of one kind.
    Socket(SocketType),
    /// What every socket is used with.
    SocketUse,
    /// `connect`
    Connect,
    /// `bind`
    Bind,
    /// `listen` and `accept`
    Listen,
    /// What a capability is for, by its number.
    Capability(u8),
    /// New namespaces.
    Namespaces,
    /// A new user namespace.
    Userns,
    /// Signals.
    Signal,
    /// Looking at other processes.
    PtraceRead,
    /// Controlling other processes.
    PtraceTrace,
    /// Mounts of one kind.
    Mount(MountKind),
    /// Unmounts.
    Unmount,
    /// `pivot_root`
    PivotRoot,
    /// Rings.
    IoUring,
    /// Opening message queues.
    MqueueOpen {
        /// With making them.
        create: bool,
    },
    /// Receiving messages.
    MqueueRead,
    /// Sending messages.
    MqueueWrite,
    /// Removing message queues.
    MqueueDelete,
    /// System V shared memory.
    Shm,
    /// Key rings.
    Keyring,
    /// Performance events.
    Perf,
}

/// The kinds of socket that rules tell apart: what `socket(2)` is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SocketType {
    Tcp,
    Udp,
    Sctp,
    UnixStream,
    UnixDgram,
    UnixSeqpacket,
    Netlink(u8),
    Raw,
    Packet,
    Vsock,
    Icmp,
    Alg,
}

impl From<Protocol> for SocketType {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Tcp => Self::Tcp,
            Protocol::Udp => Self::Udp,
            Protocol::Sctp => Self::Sctp,
        }
    }
}

impl From<UnixType> for SocketType {
    fn from(kind: UnixType) -> Self {
        match kind {
            UnixType::Stream => Self::UnixStream,
            UnixType::Dgram => Self::UnixDgram,
            UnixType::Seqpacket => Self::UnixSeqpacket,
        }
    }
}

impl From<SocketKind> for SocketType {
    fn from(kind: SocketKind) -> Self {
        match kind {
            SocketKind::Netlink(protocol) => Self::Netlink(protocol),
            SocketKind::Raw => Self::Raw,
            SocketKind::Packet => Self::Packet,
            SocketKind::Vsock => Self::Vsock,
            SocketKind::Icmp => Self::Icmp,
            SocketKind::Alg => Self::Alg,
        }
    }
}

/// The kinds of mount that flags tell apart, with the flags that must be given, where a rule names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MountKind {
    New(Option<u32>),
    Bind { recursive: bool },
    Move,
    Remount { bind: bool, flags: Option<u32> },
    Make(u32),
}

/// The families that a rule's body brings when it allows, or is about when it denies.
#[must_use]
pub fn families(rule: &Rule) -> Vec<Family> {
    match &rule.body {
        Body::File(file) => files(file),
        Body::Net(net) => network(net),
        Body::Unix(unix) => unix_sockets(unix),
        Body::Socket(sockets) => {
            let own = sockets.kinds.iter().map(|k| Family::Socket((*k).into()));
            own.chain([Family::SocketUse, Family::Connect, Family::Bind]).collect()
        }
        Body::Capability(capability) => {
            let numbers = (0u8..64).filter(|n| capability.bits >> n & 1 == 1);
            numbers.map(Family::Capability).filter(|f| !calls(*f, Context::default()).is_empty()).collect()
        }
        Body::UsernsCreate => vec![Family::Userns],
        Body::Namespace(_) => vec![Family::Namespaces],
        Body::Signal(signal) if signal.send => vec![Family::Signal],
        Body::Ptrace(ptrace) if ptrace.modes.has(PtraceMode::Trace) => {
            vec![Family::PtraceRead, Family::PtraceTrace]
        }
        Body::Ptrace(_) => vec![Family::PtraceRead],
        Body::Mount(mount) => vec![mounts(mount)],
        Body::IoUring(_) => vec![Family::IoUring],
        Body::Mqueue(queue) => queue.ops.iter().flat_map(mqueue).collect(),
        Body::Facility(Facility::Shm) => vec![Family::Shm],
        Body::Facility(Facility::Keyring) => vec![Family::Keyring],
        Body::Facility(Facility::Perf) => vec![Family::Perf],
        Body::Signal(_) | Body::Syscall(_) => Vec::new(),
    }
}

fn files(rule: &FileRule) -> Vec<Family> {
    let brings = |op: FileOp| -> &'static [Family] {
        match op {
            FileOp::Read => &[Family::Read],
            FileOp::List => &[Family::List],
            FileOp::Write => &[Family::Write, Family::Truncate],
            FileOp::Append => &[Family::Write],
            FileOp::Create => &[Family::Create],
            FileOp::Delete => &[Family::Delete],
            FileOp::Link => &[Family::Link],
            FileOp::Lock => &[Family::Lock],
            FileOp::Setattr | FileOp::Setid => &[Family::Setattr],
            FileOp::Map => &[Family::Map],
            FileOp::Mknod => &[Family::Mknod],
            FileOp::Run => &[Family::Run],
        }
    };
    std::iter::once(Family::Paths).chain(rule.ops.iter().flat_map(|op| brings(op).iter().copied())).collect()
}

fn network(rule: &NetRule) -> Vec<Family> {
    let mut out = vec![Family::Socket(rule.protocol.into()), Family::SocketUse];
    if rule.ops.has(NetOp::Connect) {
        out.push(Family::Connect);
    }
    if rule.ops.has(NetOp::Bind) || rule.ops.has(NetOp::Listen) {
        out.push(Family::Bind);
    }
    if rule.ops.has(NetOp::Listen) {
        out.push(Family::Listen);
    }
    out
}

fn unix_sockets(rule: &UnixRule) -> Vec<Family> {
    let sockets = rule.types.iter().map(|t| Family::Socket(t.into()));
    let ways: &[Family] = if rule.listen { &[Family::Bind, Family::Listen] } else { &[Family::Connect] };
    sockets.chain([Family::SocketUse]).chain(ways.iter().copied()).collect()
}

fn mqueue(op: MqueueOp) -> Vec<Family> {
    match op {
        MqueueOp::Create => vec![Family::MqueueOpen { create: true }],
        MqueueOp::Read => vec![Family::MqueueOpen { create: false }, Family::MqueueRead],
        MqueueOp::Write => vec![Family::MqueueOpen { create: false }, Family::MqueueWrite],
        MqueueOp::Delete => vec![Family::MqueueDelete],
    }
}

fn mounts(rule: &MountRule) -> Family {
    Family::Mount(match rule {
        MountRule::New { options, .. } => MountKind::New(options.map(mount_flags)),
        MountRule::Bind { recursive, .. } => MountKind::Bind { recursive: *recursive },
        MountRule::Move { .. } => MountKind::Move,
        MountRule::Remount { options, bind, .. } => {
            MountKind::Remount { bind: *bind, flags: options.map(mount_flags) }
        }
        MountRule::Make { propagation, .. } => MountKind::Make(propagation_flags(*propagation)),
        MountRule::Unmount { .. } => return Family::Unmount,
        MountRule::PivotRoot { .. } => return Family::PivotRoot,
    })
}

/// `MS_*` of `linux/mount.h`.
fn mount_flags(flags: MountFlags) -> u32 {
    flags.iter().fold(0, |bits, flag| bits | mount_flag(flag))
}

/// The other way: the flags that are in such bits.
#[must_use]
pub fn flags_of(bits: u32) -> MountFlags {
    MountFlag::ALL.iter().copied().filter(|flag| bits & mount_flag(*flag) != 0).collect()
}

fn mount_flag(flag: MountFlag) -> u32 {
    match flag {
        MountFlag::Ro => 1,
        MountFlag::Nosuid => 2,
        MountFlag::Nodev => 4,
        MountFlag::Noexec => 8,
        MountFlag::Sync => 16,
        MountFlag::Mand => 64,
        MountFlag::Dirsync => 128,
        MountFlag::Noatime => 1024,
        MountFlag::Nodiratime => 2048,
        MountFlag::Silent => 1 << 15,
        MountFlag::Relatime => 1 << 21,
        MountFlag::Strictatime => 1 << 24,
    }
}

pub(super) const MS_REMOUNT: u32 = 32;
pub(super) const MS_BIND: u32 = 4096;
pub(super) const MS_MOVE: u32 = 8192;
pub(super) const MS_REC: u32 = 16384;
pub(super) const MS_SILENT: u32 = 1 << 15;
/// `MS_UNBINDABLE`, `MS_PRIVATE`, `MS_SLAVE`, `MS_SHARED`
pub(super) const PROPAGATION: u32 = 0b1111 << 17;

/// `MS_*` of a propagation.
#[must_use]
pub fn propagation_flags(propagation: Propagation) -> u32 {
    let (unbindable, private, slave, shared) = (1 << 17, 1 << 18, 1 << 19, 1 << 20);
    match propagation {
        Propagation::Shared => shared,
        Propagation::Slave => slave,
        Propagation::Private => private,
        Propagation::Unbindable => unbindable,
        Propagation::Rshared => shared | MS_REC,
        Propagation::Rslave => slave | MS_REC,
        Propagation::Rprivate => private | MS_REC,
        Propagation::Runbindable => unbindable | MS_REC,
    }
}
