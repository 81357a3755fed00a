//! Rules to the families of system calls that they take, whole ones, because C libraries and their versions differ.
//!
//! The tables of names are in [`super::families`]; here is which rule brings which family, and on what condition.

use super::families::*;
use canc_dsl::policy::{
    ArgTest, Body, Compare, Condition, Effect, Facility, FileOp, FileRule, MountFlag, MountRule, MqueueOp,
    NamespaceKind, NamespaceKinds, NetOp, NetRule, Policy, Propagation, Protocol, PtraceMode, Rule,
    SocketKind, UnixRule, UnixType, Width,
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

/// A call of a family, and when it is meant.
pub type Implied = (&'static str, Option<Condition>);

/// What families need to know of the whole policy.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context {
    /// Files are made, and nothing says that they may be set-user-id: then the mode of every call that makes one is looked at.
    pub guard_modes: bool,
    /// `setattr setid` is allowed somewhere.
    pub setid: bool,
}

impl Context {
    /// Of a policy.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        let allows = |op: FileOp| {
            policy.rules.iter().any(|r| match &r.body {
                Body::File(file) => r.effect == Effect::Allow && file.ops.has(op),
                _ => false,
            })
        };
        let setid = allows(FileOp::Setid);
        Self { guard_modes: allows(FileOp::Create) && !setid, setid }
    }
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
fn mount_flags(flags: canc_dsl::policy::MountFlags) -> u32 {
    let bit = |flag| match flag {
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
    };
    flags.iter().fold(0, |bits, flag| bits | bit(flag))
}

const MS_REMOUNT: u32 = 32;
const MS_BIND: u32 = 4096;
const MS_MOVE: u32 = 8192;
const MS_REC: u32 = 16384;
const MS_SILENT: u32 = 1 << 15;
/// `MS_UNBINDABLE`, `MS_PRIVATE`, `MS_SLAVE`, `MS_SHARED`
const PROPAGATION: u32 = 0b1111 << 17;

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

/// The calls of a family, each with its condition.
#[must_use]
pub fn calls(family: Family, context: Context) -> Vec<Implied> {
    let plain = |names: &[&'static str]| names.iter().map(|n| (*n, None)).collect::<Vec<Implied>>();
    match family {
        Family::Paths => paths(context),
        Family::Read => with(plain(READ), "ioctl", no_injection()),
        Family::List => plain(LIST),
        Family::Write => with(plain(WRITE), "ioctl", no_injection()),
        Family::Truncate => plain(TRUNCATE),
        Family::Create => create(context),
        Family::Delete => plain(DELETE),
        Family::Link => plain(LINK),
        Family::Lock => plain(LOCK),
        Family::Setattr => setattr(context),
        Family::Map => plain(MAP),
        Family::Mknod => plain(MKNOD),
        Family::Run => plain(RUN),
        Family::Socket(kind) => vec![("socket", Some(socket(kind)))],
        Family::SocketUse => with(plain(SOCKET_USE), "ioctl", no_injection()),
        Family::Connect => plain(&["connect"]),
        Family::Bind => plain(&["bind"]),
        Family::Listen => plain(LISTEN),
        Family::Capability(number) => plain(capability(number)),
        Family::Namespaces => plain(NAMESPACES),
        Family::Userns => plain(USERNS),
        Family::Signal => plain(SIGNAL),
        Family::PtraceRead => plain(PTRACE_READ),
        Family::PtraceTrace => plain(PTRACE_TRACE),
        Family::Mount(kind) => vec![("mount", Some(mount(kind)))],
        Family::Unmount => plain(UNMOUNT),
        Family::PivotRoot => plain(&["pivot_root"]),
        Family::IoUring => plain(IO_URING),
        Family::MqueueOpen { create: true } => plain(&["mq_open"]),
        Family::MqueueOpen { create: false } => vec![("mq_open", Some(bits(1, Width::I32, O_CREAT, 0)))],
        Family::MqueueRead => plain(MQUEUE_READ),
        Family::MqueueWrite => plain(MQUEUE_WRITE),
        Family::MqueueDelete => plain(&["mq_unlink"]),
        Family::Shm => plain(SHM),
        Family::Keyring => plain(KEYRING),
        Family::Perf => plain(&["perf_event_open"]),
    }
}

fn with(mut list: Vec<Implied>, call: &'static str, condition: Condition) -> Vec<Implied> {
    list.push((call, Some(condition)));
    list
}

/// `arg & mask == value`
fn bits(arg: u8, width: Width, mask: u32, value: u32) -> Condition {
    let (mask, value) = (u64::from(mask), u64::from(value));
    Condition::Test(ArgTest { arg, width, mask, op: Compare::Eq, value })
}

/// `arg OP value`
fn compare(arg: u8, width: Width, op: Compare, value: u32) -> Condition {
    Condition::Test(ArgTest { arg, width, mask: u64::MAX, op, value: u64::from(value) })
}

/// Flags that open(2) makes a file with; `__O_TMPFILE` is alike on all architectures of the tables.
const O_CREAT: u32 = 0o100;
const O_TMPFILE_BIT: u32 = 0o2000_0000;
/// `S_ISUID | S_ISGID`
const SET_ID: u32 = 0o6000;
const S_IFMT: u32 = 0o17_0000;
const S_IFCHR: u32 = 0o2_0000;
const S_IFBLK: u32 = 0o6_0000;

fn no_set_id(arg: u8) -> Condition {
    bits(arg, Width::U16, SET_ID, 0)
}

fn paths(context: Context) -> Vec<Implied> {
    let open = |flags: u8| {
        let plain = bits(flags, Width::I32, O_CREAT | O_TMPFILE_BIT, 0);
        context.guard_modes.then(|| Condition::Any(vec![plain, no_set_id(flags + 1)]))
    };
    let mut out: Vec<Implied> = PATHS.iter().map(|n| (*n, None)).collect();
    out.extend([("open", open(1)), ("openat", open(2))]);
    if !context.guard_modes {
        // Its flags and mode are behind a pointer.
        out.push(("openat2", None));
    }
    out
}

fn create(context: Context) -> Vec<Implied> {
    let set_id = |arg| (!context.setid).then(|| no_set_id(arg));
    let node = |mode: u8| {
        let kind = |value| Condition::Not(Box::new(bits(mode, Width::U16, S_IFMT, value)));
        let mut all = vec![kind(S_IFCHR), kind(S_IFBLK)];
        all.extend(set_id(mode));
        Some(Condition::All(all))
    };
    let mut out: Vec<Implied> = CREATE.iter().map(|n| (*n, None)).collect();
    out.extend([("creat", set_id(1)), ("mknod", node(1)), ("mknodat", node(2))]);
    out
}

fn setattr(context: Context) -> Vec<Implied> {
    let mode = |arg| (!context.setid).then(|| no_set_id(arg));
    let mut out: Vec<Implied> = SETATTR.iter().map(|n| (*n, None)).collect();
    out.extend([("chmod", mode(1)), ("fchmod", mode(1)), ("fchmodat", mode(2)), ("fchmodat2", mode(2))]);
    out
}

/// Pushing characters into a terminal's input (`asm-generic/ioctls.h`).
const TIOCSTI: u32 = 0x5412;
const TIOCLINUX: u32 = 0x541c;

fn no_injection() -> Condition {
    Condition::All([TIOCSTI, TIOCLINUX].map(|c| compare(1, Width::U32, Compare::Ne, c)).into())
}

/// What `socket(2)` is asked for: domains, type without its flags, protocols.
fn socket(kind: SocketType) -> Condition {
    let any = |arg: u8, values: &[u32]| {
        Condition::Any(values.iter().map(|v| compare(arg, Width::I32, Compare::Eq, *v)).collect())
    };
    let typed = |types: &[u32]| {
        Condition::Any(types.iter().map(|t| bits(1, Width::I32, SOCK_TYPE_MASK, *t)).collect())
    };
    Condition::All(match kind {
        SocketType::Tcp => vec![any(0, INET), typed(&[SOCK_STREAM]), any(2, &[0, IPPROTO_TCP])],
        SocketType::Udp => vec![any(0, INET), typed(&[SOCK_DGRAM]), any(2, &[0, IPPROTO_UDP])],
        SocketType::Sctp => {
            vec![any(0, INET), typed(&[SOCK_STREAM, SOCK_SEQPACKET]), any(2, &[IPPROTO_SCTP])]
        }
        SocketType::UnixStream => vec![any(0, &[AF_UNIX]), typed(&[SOCK_STREAM])],
        SocketType::UnixDgram => vec![any(0, &[AF_UNIX]), typed(&[SOCK_DGRAM])],
        SocketType::UnixSeqpacket => vec![any(0, &[AF_UNIX]), typed(&[SOCK_SEQPACKET])],
        SocketType::Netlink(protocol) => vec![any(0, &[AF_NETLINK]), any(2, &[u32::from(protocol)])],
        SocketType::Raw => vec![any(0, INET), typed(&[SOCK_RAW])],
        SocketType::Packet => return packet(&any, &typed),
        SocketType::Vsock => vec![any(0, &[AF_VSOCK])],
        SocketType::Icmp => return icmp(&any, &typed),
        SocketType::Alg => vec![any(0, &[AF_ALG])],
    })
}

/// `net/socket.c` turns an internet socket of the old packet type into a packet socket.
fn packet(any: &dyn Fn(u8, &[u32]) -> Condition, typed: &dyn Fn(&[u32]) -> Condition) -> Condition {
    let old = Condition::All(vec![any(0, &[AF_INET]), typed(&[SOCK_PACKET])]);
    Condition::Any(vec![any(0, &[AF_PACKET]), old])
}

/// The datagram sockets that ping uses.
fn icmp(any: &dyn Fn(u8, &[u32]) -> Condition, typed: &dyn Fn(&[u32]) -> Condition) -> Condition {
    let of = |domain, protocol| Condition::All(vec![any(0, &[domain]), any(2, &[protocol])]);
    let either = Condition::Any(vec![of(AF_INET, IPPROTO_ICMP), of(AF_INET6, IPPROTO_ICMPV6)]);
    Condition::All(vec![typed(&[SOCK_DGRAM]), either])
}

/// How `fs/namespace.c` tells the kinds of mount apart, in its order.
fn mount(kind: MountKind) -> Condition {
    let flags = |mask, value| bits(3, Width::U32, mask, value);
    let exactly = |value| compare(3, Width::U32, Compare::Eq, value);
    let others = MS_REMOUNT | MS_BIND | PROPAGATION | MS_MOVE;
    match kind {
        MountKind::New(None) => flags(others, 0),
        MountKind::New(Some(given)) => exactly(given),
        MountKind::Bind { recursive } => {
            flags(MS_REMOUNT | MS_BIND | MS_REC, MS_BIND | if recursive { MS_REC } else { 0 })
        }
        MountKind::Move => flags(others, MS_MOVE),
        MountKind::Remount { bind, flags: None } => {
            flags(MS_REMOUNT | MS_BIND, MS_REMOUNT | if bind { MS_BIND } else { 0 })
        }
        MountKind::Remount { bind, flags: Some(given) } => {
            exactly(given | MS_REMOUNT | if bind { MS_BIND } else { 0 })
        }
        // The kernel refuses any other flag beside these.
        MountKind::Make(value) => flags(!MS_SILENT, value),
    }
}

/// Flags of `clone(2)`, `unshare(2)` and `setns(2)` by kind (`linux/sched.h`).
#[must_use]
pub fn namespace_flag(kind: NamespaceKind) -> u32 {
    match kind {
        NamespaceKind::Time => 0x80,
        NamespaceKind::Mount => 0x2_0000,
        NamespaceKind::Cgroup => 0x200_0000,
        NamespaceKind::Uts => 0x400_0000,
        NamespaceKind::Ipc => 0x800_0000,
        NamespaceKind::User => 0x1000_0000,
        NamespaceKind::Pid => 0x2000_0000,
        NamespaceKind::Net => 0x4000_0000,
    }
}

/// The calls that make or enter namespaces, with what they may not be asked for when only `allowed` kinds are.
#[must_use]
pub fn namespace_guards(allowed: NamespaceKinds) -> Vec<(&'static str, Condition)> {
    let refused = NamespaceKinds::all().minus(allowed);
    let mask = refused.iter().fold(0, |bits, kind| bits | namespace_flag(kind));
    let any_bit = |arg, width, mask| Condition::Not(Box::new(bits(arg, width, mask, 0)));
    // In clone's flags the lowest byte is the exit signal.
    let clone = mask & !0xff;
    let mut out = Vec::new();
    if clone != 0 {
        out.push(("clone", any_bit(0, Width::U32, clone)));
    }
    if mask != 0 {
        out.push(("unshare", any_bit(0, Width::U64, mask)));
        // 0 stands for every kind.
        let every = compare(1, Width::I32, Compare::Eq, 0);
        out.push(("setns", Condition::Any(vec![every, any_bit(1, Width::I32, mask)])));
    }
    out
}

/// A call of `unshare` for a kind of namespace and nothing else.
#[must_use]
pub fn unshare_of(kind: NamespaceKind) -> Condition {
    compare(0, Width::U64, Compare::Eq, namespace_flag(kind))
}

/// A call of `clone` for a kind of namespace; `None` for the one that its flags have no room for.
#[must_use]
pub fn clone_of(kind: NamespaceKind) -> Option<Condition> {
    let flag = namespace_flag(kind) & !0xff;
    (flag != 0).then(|| compare(0, Width::U32, Compare::Eq, flag))
}

/// A call of `mq_open` that makes a queue.
#[must_use]
pub fn queue_made() -> Condition {
    bits(1, Width::I32, O_CREAT, O_CREAT)
}

/// The calls that can open a TCP connection without `connect(2)`, with the flag that asks for it.
#[must_use]
pub fn fast_open_guards() -> Vec<(&'static str, Condition)> {
    const MSG_FASTOPEN: u32 = 0x2000_0000;
    let asked = |arg| Condition::Not(Box::new(bits(arg, Width::U32, MSG_FASTOPEN, 0)));
    vec![("sendto", asked(3)), ("send", asked(3)), ("sendmsg", asked(2)), ("sendmmsg", asked(3))]
}

/// The launch's own exec: the checked descriptor, by an empty path.
#[must_use]
pub fn launch_exec(launch_fd: u32) -> Condition {
    const AT_EMPTY_PATH: u32 = 0x1000;
    Condition::All(vec![
        compare(0, Width::I32, Compare::Eq, launch_fd),
        compare(4, Width::I32, Compare::Eq, AT_EMPTY_PATH),
    ])
}

/// Writing to standard error, by which the runtime says why an exec failed.
#[must_use]
pub fn failure_report() -> Condition {
    compare(0, Width::U32, Compare::Eq, 2)
}
