//! Families to their calls, each with the condition on which it is meant.

use super::families::*;
use super::implied::{
    Family, MS_BIND, MS_MOVE, MS_REC, MS_REMOUNT, MS_SILENT, MountKind, PROPAGATION, SocketType,
};
use canc_dsl::policy::{ArgTest, Body, Compare, Condition, Effect, FileOp, Policy, Width};

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
pub(super) fn bits(arg: u8, width: Width, mask: u32, value: u32) -> Condition {
    let (mask, value) = (u64::from(mask), u64::from(value));
    Condition::Test(ArgTest { arg, width, mask, op: Compare::Eq, value })
}

/// `arg OP value`
pub(super) fn compare(arg: u8, width: Width, op: Compare, value: u32) -> Condition {
    Condition::Test(ArgTest { arg, width, mask: u64::MAX, op, value: u64::from(value) })
}

/// Flags that open(2) makes a file with; `__O_TMPFILE` is alike on all architectures of the tables.
pub(super) const O_CREAT: u32 = 0o100;
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
