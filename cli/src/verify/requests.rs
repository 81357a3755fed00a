//! A request of the language to what the probe performs for it, or to why nothing can be performed.

use super::{Reading, Standin, Task};
use canc_dsl::policy::{
    Body, Facility, FileOp, FileRule, MountRule, NamespaceKind, NetOp, NetRule, Peer, Protocol, Request,
    SignalRule, SocketKind, SyscallRule, UnixAddress, UnixRule, UnixType, Who,
};
use canc_sets::path::Tail;
use canc_sets::syscalls::{self, Arch};

/// Calls that are not made with nonsense for arguments: they do not come back, take long, or do something even so.
const NEVER_MADE: [&str; 13] = [
    "exit",
    "exit_group",
    "pause",
    "rt_sigreturn",
    "sigreturn",
    "vhangup",
    "sync",
    "fork",
    "vfork",
    "clone",
    "restart_syscall",
    "sched_yield",
    "rt_sigsuspend",
];
/// All bits set: no pointer, no descriptor, no known flags.
const NONSENSE: &str = "0xffffffffffffffff";
/// Where nobody outside is reached.
const LOOPBACK: &str = "127.0.0.1";

/// What can be performed for a request; several where it speaks of several operations, each with its word.
///
/// # Errors
/// Why nothing can be, in one line.
pub fn tasks(request: &Request, arch: Arch) -> Result<Vec<(String, Task)>, String> {
    if request.who != Who::Owner {
        return Err("it is about another user's file or another user".into());
    }
    let one = |task: Task| vec![(String::new(), task)];
    match &request.body {
        Body::File(rule) => file(rule),
        Body::Net(rule) => net(rule),
        Body::Unix(rule) => unix(rule).map(one),
        Body::Socket(rule) => Ok(rule.kinds.iter().map(|kind| (String::new(), socket(*kind))).collect()),
        Body::Capability(rule) if rule.in_userns => {
            Err("only a program that made a namespace can tell".into())
        }
        Body::Capability(rule) => Ok(capabilities(rule.bits)),
        Body::Syscall(rule) => calls(rule, arch),
        Body::UsernsCreate => Ok(vec![
            ("unshare".into(), Task::new(&["unshare", "0x10000000"], Reading::Plain)),
            ("clone".into(), Task::new(&["clone", "0x10000000"], Reading::Plain)),
        ]),
        Body::Namespace(kinds) => Ok(kinds.iter().map(namespace).collect()),
        Body::Signal(rule) => signal(rule),
        Body::Ptrace(_) => Err("another process of the policy would have to run".into()),
        Body::Mount(rule) => mount(rule).map(one),
        Body::IoUring(_) => call("io_uring_setup", arch).map(one),
        Body::Mqueue(_) => Err("message queues are not performed".into()),
        Body::Facility(facility) => {
            let names: &[_] = match facility {
                Facility::Shm => &["shmget"],
                Facility::Keyring => &["keyctl", "add_key"],
                Facility::Perf => &["perf_event_open"],
            };
            names.iter().map(|name| Ok(((*name).to_owned(), call(name, arch)?))).collect()
        }
    }
}

fn file(rule: &FileRule) -> Result<Vec<(String, Task)>, String> {
    let [path] = rule.paths.as_slice() else { return Err("it is about more than one path".into()) };
    let name = path.pattern.as_literal().or_else(|| path.pattern.as_literal_subtree());
    let name = name.ok_or("it is about many paths; `canc test` proves it for all of them")?;
    let name = if name.len() > 1 { name.trim_end_matches('/') } else { &name };
    let directory = path.pattern.tail() != Tail::Entry;
    let several = rule.ops.iter().count() > 1;
    let each = rule.ops.iter().map(|op| {
        let word = if several { op.word().to_owned() } else { String::new() };
        Ok((word, access(op, name, directory)?))
    });
    each.collect()
}

fn access(op: FileOp, path: &str, directory: bool) -> Result<Task, String> {
    let file = || if directory { Standin::Directory(path.into()) } else { Standin::File(path.into()) };
    let (words, standin, changes): (&[&str], _, _) = match op {
        FileOp::Read => (&["open-read", path], file(), false),
        FileOp::List => (&["list", path], Standin::Directory(path.into()), false),
        FileOp::Write => (&["open-write", path], file(), false),
        FileOp::Append => (&["open-append", path], file(), false),
        FileOp::Map => (&["map-exec", path], Standin::Program(path.into()), false),
        FileOp::Lock => (&["lock", path], file(), false),
        // To open a new file would be to write it as well.
        FileOp::Create => (&["mkdir", path], Standin::Absent(path.into()), true),
        FileOp::Delete => (&["unlink", path], file(), true),
        FileOp::Setattr => (&["chmod", "0o700", path], file(), true),
        FileOp::Setid => (&["chmod", "0o4755", path], file(), true),
        FileOp::Mknod => (&["mknod", path], Standin::Absent(path.into()), true),
        FileOp::Run => (&["exec", path, "--version"], Standin::Program(path.into()), true),
        FileOp::Link => return Err("a link has two names; `create` is about the new one".into()),
    };
    Ok(Task { standin: Some(standin), changes, ..Task::new(words, Reading::Plain) })
}

fn net(rule: &NetRule) -> Result<Vec<(String, Task)>, String> {
    let address = match rule.addresses.as_deref() {
        None => LOOPBACK.to_owned(),
        Some([one]) if one.address.is_loopback() => one.address.to_string(),
        Some(_) => return Err("only this host's own addresses are reached".into()),
    };
    // Zero is any port, and those below 1024 are for the privileged.
    let ports = rule.ports.ranges();
    let free = ports.iter().find(|(_, high)| *high >= 1024).map(|(low, _)| *low.max(&1024));
    let port = free.or_else(|| ports.iter().map(|(low, high)| (*low).max(1).min(*high)).find(|p| *p > 0));
    let port = port.ok_or("it is about no port")?.to_string();
    let protocol = match rule.protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Sctp => return Err("SCTP is not performed".into()),
    };
    let several = rule.ops.iter().count() > 1;
    let each = rule.ops.iter().map(|op| {
        let word = match op {
            NetOp::Connect => "connect",
            NetOp::Bind => "bind",
            NetOp::Listen => "listen",
            NetOp::Send => "send",
            NetOp::Receive => return Err("receiving needs somebody who sends".to_owned()),
        };
        let name = if several { word.to_owned() } else { String::new() };
        Ok((name, Task::new(&[word, protocol, &address, &port], Reading::Socket)))
    });
    each.collect()
}

fn unix(rule: &UnixRule) -> Result<Task, String> {
    let kind = match rule.types.iter().next() {
        Some(UnixType::Dgram) => "dgram",
        Some(UnixType::Seqpacket) => "seqpacket",
        Some(UnixType::Stream) | None => "stream",
    };
    let request = if rule.listen { "bind-unix" } else { "connect-unix" };
    match &rule.address {
        UnixAddress::Abstract(names) => {
            let name = names.first().and_then(|n| n.as_literal()).ok_or("it is about many names")?;
            Ok(Task::new(&[request, kind, &format!("@{name}")], Reading::Plain))
        }
        UnixAddress::Paths(paths) => {
            let path = paths.first().and_then(|p| p.pattern.as_literal()).ok_or("it is about many paths")?;
            let task = Task::new(&[request, kind, &path], Reading::Plain);
            // A socket that is there is connected to; nothing stands in for a program that listens.
            Ok(if rule.listen {
                Task { standin: Some(Standin::Absent(path)), changes: true, ..task }
            } else {
                task
            })
        }
    }
}

fn socket(kind: SocketKind) -> Task {
    let number;
    let words = match kind {
        SocketKind::Netlink(protocol) => {
            number = protocol.to_string();
            ["socket", "netlink", "raw", &number]
        }
        SocketKind::Raw => ["socket", "inet", "raw", "1"],
        SocketKind::Packet => ["socket", "packet", "raw", "3"],
        SocketKind::Vsock => ["socket", "vsock", "stream", "0"],
        SocketKind::Icmp => ["socket", "inet", "dgram", "1"],
        SocketKind::Alg => ["socket", "alg", "seqpacket", "0"],
    };
    Task::new(&words, Reading::Plain)
}

fn capabilities(bits: u64) -> Vec<(String, Task)> {
    let several = bits.count_ones() > 1;
    let each = (0..64_u32).filter(|n| bits >> n & 1 == 1).map(|n| {
        let name = if several { format!("number {n}") } else { String::new() };
        (name, Task::new(&["capability", &n.to_string()], Reading::Plain))
    });
    each.collect()
}

fn calls(rule: &SyscallRule, arch: Arch) -> Result<Vec<(String, Task)>, String> {
    if rule.arches.as_ref().is_some_and(|arches| !arches.contains(&arch)) {
        return Err("it is about another architecture".into());
    }
    let several = rule.calls.len() > 1;
    let each = rule.calls.iter().map(|item| {
        if item.condition.is_some() {
            return Err("it is about arguments; `canc trace-filter` walks them through the filter".to_owned());
        }
        let name = if several { item.name.to_owned() } else { String::new() };
        Ok((name, call(item.name, arch)?))
    });
    each.collect()
}

/// A call that does nothing, because all of its arguments are wrong.
pub fn call(name: &str, arch: Arch) -> Result<Task, String> {
    if NEVER_MADE.contains(&name) {
        return Err(format!("`{name}` cannot be made without doing something"));
    }
    let number = syscalls::number(arch, name).ok_or_else(|| format!("{} has no `{name}`", arch.word()))?;
    let number = number.to_string();
    Ok(Task::new(
        &["syscall", &number, NONSENSE, NONSENSE, NONSENSE, NONSENSE, NONSENSE, NONSENSE],
        Reading::Call,
    ))
}

/// `CLONE_NEW…`
fn namespace(kind: NamespaceKind) -> (String, Task) {
    let flag = match kind {
        NamespaceKind::Mount => "0x20000",
        NamespaceKind::Pid => "0x20000000",
        NamespaceKind::Net => "0x40000000",
        NamespaceKind::Ipc => "0x8000000",
        NamespaceKind::Uts => "0x4000000",
        NamespaceKind::Cgroup => "0x2000000",
        NamespaceKind::Time => "0x80",
        NamespaceKind::User => "0x10000000",
    };
    (kind.word().into(), Task::new(&["unshare", flag], Reading::Plain))
}

fn signal(rule: &SignalRule) -> Result<Vec<(String, Task)>, String> {
    if !rule.send {
        return Err("receiving a signal is no request".into());
    }
    if !rule.peers.iter().any(|peer| matches!(peer, Peer::User | Peer::Any)) {
        return Err("another process of the policy or a service would have to run".into());
    }
    let first = (1..=64_u32).find(|n| rule.signals >> n & 1 == 1).ok_or("it is about no signal")?;
    Ok(vec![(String::new(), Task::new(&["kill", "%pid", &first.to_string()], Reading::Plain))])
}

fn mount(rule: &MountRule) -> Result<Task, String> {
    match rule {
        MountRule::New { types, target, options: None, .. } if types.iter().any(|t| &**t == "tmpfs") => {
            let path = target.first().and_then(|p| p.pattern.as_literal()).ok_or("it is about many paths")?;
            let path = path.trim_end_matches('/').to_owned();
            let task = Task::new(&["mount", "tmpfs", &path, "tmpfs", "0"], Reading::Plain);
            Ok(Task { standin: Some(Standin::Directory(path)), changes: true, ..task })
        }
        _ => Err("only a new mount of tmpfs is performed".into()),
    }
}
