//! The words of the language, as tables from word to meaning, and which words may name things.

use crate::limits::MAX_NAME_BYTES;
use crate::policy::{
    Class, Demand, Deployment, Facility, FileOp, FileOps, IoUringUse, LimitKind, Mode, MountFlag, MqueueOp,
    NamespaceKind, NetOp, Propagation, Protocol, PtraceMode, Target, UnixType,
};
use crate::spell;
use std::sync::OnceLock;

/// Words that start a statement of a policy or fragment.
pub(crate) const STATEMENTS: &[&str] = &[
    "allow",
    "deny",
    "exec",
    "attach",
    "launch",
    "backend",
    "mode",
    "include",
    "tolerate",
    "when",
    "raw",
    "limit",
    "isolate",
    "separate",
    "no_new_privs",
    "env",
    "keep",
    "syscall",
];

/// Words that start an item of a file.
pub(crate) const ITEMS: &[&str] = &["can", "use", "let", "param", "fragment", "policy", "test"];

/// Words that start a clause within a statement.
pub(crate) const CLAUSES: &[&str] = &[
    "because", "except", "as", "takeover", "owner", "from", "to", "on", "where", "with", "prefer", "address",
    "port", "options", "in",
];

/// Words that start the body of a rule.
pub(crate) const BODIES: &[&str] = &[
    "read",
    "list",
    "write",
    "append",
    "create",
    "delete",
    "replace",
    "link",
    "lock",
    "setattr",
    "map",
    "mknod",
    "manage",
    "run",
    "connect",
    "bind",
    "listen",
    "send",
    "receive",
    "socket",
    "capability",
    "syscall",
    "userns",
    "namespace",
    "signal",
    "ptrace",
    "mount",
    "unmount",
    "pivot_root",
    "io_uring",
    "mqueue",
    "shm",
    "keyring",
    "perf",
];

/// Words of the language that stand in none of the tables.
const OTHERS: &[&str] = &[
    "else",
    "audit",
    "id",
    "and",
    "or",
    "not",
    "instances",
    "default",
    "infer",
    "set",
    "clear",
    "descriptor",
    "activation",
    "user",
    "systemd",
    "self",
    "any",
    "all",
    "inherit",
    "unconfined",
    "unix",
    "netlink",
    "type",
    "make",
    "remount",
    "rbind",
    "move",
    "home",
    "run_user",
    "std",
    "path",
    "int",
    "bool",
    "true",
    "false",
    "arch",
    "selinux",
    "apparmor",
    "allows",
    "denies",
    "never",
    "loses",
    "nothing",
    "reaches",
    "for",
    "by",
    "kill",
    "kill_thread",
    "trap",
    "trace",
    "notify",
    "errno",
    "memory",
];

const fn manage() -> FileOps {
    FileOps::of(&[
        FileOp::Read,
        FileOp::List,
        FileOp::Write,
        FileOp::Append,
        FileOp::Create,
        FileOp::Delete,
        FileOp::Link,
        FileOp::Lock,
        FileOp::Setattr,
    ])
}

/// The words for accesses to files, with what each of them means.
pub(crate) const ACCESSES: &[(&str, FileOps)] = &[
    ("read", FileOps::of(&[FileOp::Read])),
    ("list", FileOps::of(&[FileOp::List])),
    ("write", FileOps::of(&[FileOp::Write])),
    ("append", FileOps::of(&[FileOp::Append])),
    ("create", FileOps::of(&[FileOp::Create])),
    ("delete", FileOps::of(&[FileOp::Delete])),
    ("replace", FileOps::of(&[FileOp::Write, FileOp::Create, FileOp::Delete])),
    ("link", FileOps::of(&[FileOp::Link])),
    ("lock", FileOps::of(&[FileOp::Lock])),
    ("setattr", FileOps::of(&[FileOp::Setattr])),
    ("map", FileOps::of(&[FileOp::Map])),
    ("mknod", FileOps::of(&[FileOp::Mknod])),
    ("manage", manage()),
    ("run", FileOps::of(&[FileOp::Run])),
];

pub(crate) const NET_OPS: &[(&str, NetOp)] = &[
    ("connect", NetOp::Connect),
    ("bind", NetOp::Bind),
    ("listen", NetOp::Listen),
    ("send", NetOp::Send),
    ("receive", NetOp::Receive),
];

pub(crate) const PROTOCOLS: &[(&str, Protocol)] =
    &[("tcp", Protocol::Tcp), ("udp", Protocol::Udp), ("sctp", Protocol::Sctp)];

pub(crate) const UNIX_TYPES: &[(&str, UnixType)] =
    &[("stream", UnixType::Stream), ("dgram", UnixType::Dgram), ("seqpacket", UnixType::Seqpacket)];

pub(crate) const TARGETS: &[(&str, Target)] = &[
    ("selinux", Target::Selinux),
    ("apparmor", Target::Apparmor),
    ("seccomp", Target::Seccomp),
    ("landlock", Target::Landlock),
];

pub(crate) const DEMANDS: &[(&str, Demand)] =
    &[("require", Demand::Require), ("prefer", Demand::Prefer), ("off", Demand::Off)];

pub(crate) const MODES: &[(&str, Mode)] = &[("enforce", Mode::Enforce), ("complain", Mode::Complain)];

pub(crate) const DEPLOYMENTS: &[(&str, Deployment)] =
    &[("selinux", Deployment::Selinux), ("apparmor", Deployment::Apparmor), ("bare", Deployment::Bare)];

pub(crate) const LIMITS: &[(&str, LimitKind)] = &[
    ("open_files", LimitKind::OpenFiles),
    ("file_size", LimitKind::FileSize),
    ("cpu_time", LimitKind::CpuTime),
    ("core", LimitKind::Core),
    ("stack", LimitKind::Stack),
    ("locked_memory", LimitKind::LockedMemory),
    ("memory", LimitKind::Memory),
    ("processes", LimitKind::Processes),
    ("cpu", LimitKind::Cpu),
];

pub(crate) const CLASSES: &[(&str, Class)] = &[
    ("files", Class::Files),
    ("execution", Class::Execution),
    ("file_attributes", Class::FileAttributes),
    ("tcp_connect", Class::TcpConnect),
    ("tcp_bind", Class::TcpBind),
    ("udp", Class::Udp),
    ("sockets", Class::Sockets),
    ("unix_sockets", Class::UnixSockets),
    ("capabilities", Class::Capabilities),
    ("signals", Class::Signals),
    ("ptrace", Class::Ptrace),
    ("syscalls", Class::Syscalls),
    ("userns", Class::Userns),
    ("namespaces", Class::Namespaces),
    ("mounts", Class::Mounts),
    ("io_uring", Class::IoUring),
    ("mqueue", Class::Mqueue),
];

pub(crate) const NAMESPACES: &[(&str, NamespaceKind)] = &[
    ("mount", NamespaceKind::Mount),
    ("pid", NamespaceKind::Pid),
    ("net", NamespaceKind::Net),
    ("ipc", NamespaceKind::Ipc),
    ("uts", NamespaceKind::Uts),
    ("cgroup", NamespaceKind::Cgroup),
    ("time", NamespaceKind::Time),
    ("user", NamespaceKind::User),
];

pub(crate) const PTRACE_MODES: &[(&str, PtraceMode)] =
    &[("read", PtraceMode::Read), ("trace", PtraceMode::Trace)];

pub(crate) const IO_URING_USES: &[(&str, IoUringUse)] = &[
    ("sqpoll", IoUringUse::Sqpoll),
    ("override_creds", IoUringUse::OverrideCreds),
    ("cmd", IoUringUse::Cmd),
];

pub(crate) const MQUEUE_OPS: &[(&str, MqueueOp)] = &[
    ("create", MqueueOp::Create),
    ("read", MqueueOp::Read),
    ("write", MqueueOp::Write),
    ("delete", MqueueOp::Delete),
];

pub(crate) const FACILITIES: &[(&str, Facility)] =
    &[("shm", Facility::Shm), ("keyring", Facility::Keyring), ("perf", Facility::Perf)];

pub(crate) const PROPAGATIONS: &[(&str, Propagation)] = &[
    ("shared", Propagation::Shared),
    ("slave", Propagation::Slave),
    ("private", Propagation::Private),
    ("unbindable", Propagation::Unbindable),
    ("rshared", Propagation::Rshared),
    ("rslave", Propagation::Rslave),
    ("rprivate", Propagation::Rprivate),
    ("runbindable", Propagation::Runbindable),
];

/// `rw` is the absence of flags.
pub(crate) const MOUNT_OPTIONS: &[(&str, Option<MountFlag>)] = &[
    ("rw", None),
    ("ro", Some(MountFlag::Ro)),
    ("nosuid", Some(MountFlag::Nosuid)),
    ("nodev", Some(MountFlag::Nodev)),
    ("noexec", Some(MountFlag::Noexec)),
    ("sync", Some(MountFlag::Sync)),
    ("dirsync", Some(MountFlag::Dirsync)),
    ("noatime", Some(MountFlag::Noatime)),
    ("nodiratime", Some(MountFlag::Nodiratime)),
    ("relatime", Some(MountFlag::Relatime)),
    ("strictatime", Some(MountFlag::Strictatime)),
    ("silent", Some(MountFlag::Silent)),
    ("mand", Some(MountFlag::Mand)),
];

fn keys<T>(table: &'static [(&'static str, T)]) -> impl Iterator<Item = &'static str> {
    table.iter().map(|t| t.0)
}

/// Every word of the language, sorted: none of them may name a let, a parameter, a fragment or a policy.
pub fn reserved_words() -> &'static [&'static str] {
    static WORDS: OnceLock<Vec<&'static str>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let lists = [STATEMENTS, ITEMS, CLAUSES, BODIES, OTHERS].into_iter().flatten().copied();
        let mut words: Vec<&'static str> = lists
            .chain(keys(PROTOCOLS))
            .chain(keys(UNIX_TYPES))
            .chain(keys(TARGETS))
            .chain(keys(DEMANDS))
            .chain(keys(MODES))
            .chain(keys(LIMITS))
            .chain(keys(CLASSES))
            .chain(keys(NAMESPACES))
            .chain(keys(PTRACE_MODES))
            .chain(keys(IO_URING_USES))
            .chain(keys(DEPLOYMENTS))
            .collect();
        words.sort_unstable();
        words.dedup();
        words
    })
}

/// Whether a word belongs to the language.
pub(crate) fn is_reserved(word: &str) -> bool {
    reserved_words().binary_search(&word).is_ok()
}

/// What keeps a text from being a name: the message, and what to write instead.
pub(crate) fn name_error(name: &str) -> Option<(String, String)> {
    let ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let problem = if name.len() > MAX_NAME_BYTES {
        return Some((
            format!("a name of {} characters; at most {MAX_NAME_BYTES} are allowed", name.len()),
            "shorten it".into(),
        ));
    } else if name.contains('.') {
        "a new name has no dot"
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        "a name starts with a small letter"
    } else if !name.chars().all(ok) {
        "a name has small letters, digits and `_` alone"
    } else if name.contains("__") {
        "a name has no two `_` in a row"
    } else if name.ends_with('_') {
        "a name does not end in `_`"
    } else {
        return None;
    };
    Some((problem.into(), format!("write `{}`", spell::name_like(name))))
}
