//! The alternatives of the grammar to their names. Every enum is matched whole and, in `walk`, every struct taken apart whole, so that
//! what is added to the tree does not compile here until it has a name; `alternatives!` keeps the list of all names from the same lines.

mod walk;

pub use walk::{of_file, of_rule};

use canc_dsl::ast::{
    Assertion, Block, Body, Call, Claim, Condition, DecidedBy, Expr, ExprKind, File, FileBody, Item,
    Launcher, MountBody, NetBody, Operand, Param, ParamKind, Peer, Request, Rule, RunTarget, SignalBody,
    Statement, StatementKind, SyscallBody, Test, Unit, UnixBody, When, WhenCondition,
};
use canc_dsl::policy::{
    Action, Compare, Demand, Deployment, Facility, FileOp, IoUringUse, IoUringUses, LimitKind, Mode,
    MountFlag, MqueueOp, NamespaceKind, NetOp, Propagation, Protocol, PtraceMode, SocketKind, Target,
    UnixType, Who,
};
use std::collections::BTreeSet;

/// Names of alternatives.
pub type Names = BTreeSet<String>;

macro_rules! alternatives {
    ($($function:ident($type:ty, $what:literal) { $($pattern:pat => $word:literal,)* })*) => {
        $(fn $function(value: &$type) -> String {
            let word = match value { $($pattern => $word,)* };
            format!(concat!($what, " {}"), word)
        })*

        /// Every name that the enums of the tree give.
        pub const OF_ENUMS: &[&[&str]] = &[$(&[$(concat!($what, " ", $word),)*],)*];
    };
}

alternatives! {
    item(Item, "item") {
        Item::Edition(_) => "can",
        Item::Use(_) => "use",
        Item::Let(_) => "let",
        Item::Param(_) => "param",
        Item::Fragment(_) => "fragment",
        Item::Policy(Block { params: None, .. }) => "policy",
        Item::Policy(Block { params: Some(_), .. }) => "template",
        Item::Instance(_) => "instance",
        Item::Test(_) => "test",
    }
    param_kind(ParamKind, "parameter") {
        ParamKind::Path => "path",
        ParamKind::Port => "port",
        ParamKind::Int => "int",
        ParamKind::Bool => "bool",
    }
    value(ExprKind, "value") {
        ExprKind::String => "string",
        ExprKind::Raw => "raw",
        ExprKind::Int { unit: Unit::None, .. } => "integer",
        ExprKind::Int { unit: Unit::Bytes, .. } => "bytes",
        ExprKind::Int { unit: Unit::Milliseconds, .. } => "time",
        ExprKind::Int { unit: Unit::Percent, .. } => "percent",
        ExprKind::Range(..) => "range",
        ExprKind::Name => "name",
        ExprKind::Group => "group",
        ExprKind::Address => "address",
        ExprKind::List(_) => "list",
    }
    statement(StatementKind, "statement") {
        StatementKind::Rule(_) => "rule",
        StatementKind::Exec(_) => "exec",
        StatementKind::Attach(_) => "attach",
        StatementKind::Launch(_) => "launch",
        StatementKind::Backend { .. } => "backend",
        StatementKind::Mode(_) => "mode",
        StatementKind::Include(_) => "include",
        StatementKind::Tolerate { .. } => "tolerate",
        StatementKind::When(_) => "when",
        StatementKind::Raw { .. } => "raw",
        StatementKind::Limit { .. } => "limit",
        StatementKind::Isolate(_) => "isolate",
        StatementKind::SeparateInstances => "separate instances",
        StatementKind::NoNewPrivsOff(_) => "no_new_privs off",
        StatementKind::EnvKeep(_) => "env keep",
        StatementKind::EnvSet { .. } => "env set",
        StatementKind::EnvClear => "env clear",
        StatementKind::KeepDescriptors(_) => "keep descriptor",
        StatementKind::KeepActivation => "keep activation",
        StatementKind::SyscallDefault(_) => "syscall default",
        StatementKind::SyscallInferOff => "syscall infer off",
        StatementKind::Broken(_) => "",
    }
    launcher(Launcher, "launch from") {
        Launcher::User => "user",
        Launcher::Systemd => "systemd",
        Launcher::Policy(_) => "policy",
    }
    demand(Demand, "demand") {
        Demand::Require => "require",
        Demand::Prefer => "prefer",
        Demand::Off => "off",
    }
    mode(Mode, "mode") {
        Mode::Enforce => "enforce",
        Mode::Complain => "complain",
    }
    limit(LimitKind, "limit") {
        LimitKind::OpenFiles => "open_files",
        LimitKind::FileSize => "file_size",
        LimitKind::CpuTime => "cpu_time",
        LimitKind::Core => "core",
        LimitKind::Stack => "stack",
        LimitKind::LockedMemory => "locked_memory",
        LimitKind::Memory => "memory",
        LimitKind::Processes => "processes",
        LimitKind::Cpu => "cpu",
    }
    when(WhenCondition, "when") {
        WhenCondition::All(_) => "and",
        WhenCondition::Any(_) => "or",
        WhenCondition::Not(_) => "not",
        WhenCondition::Arch(_) => "arch",
        WhenCondition::SelinuxBase(_) => "selinux.base",
        WhenCondition::ApparmorAbi(..) => "apparmor.abi",
        WhenCondition::Param(_) => "parameter",
    }
    body(Body, "about") {
        Body::File(_) => "files",
        Body::Net(_) => "tcp, udp and sctp",
        Body::Unix(_) => "unix sockets",
        Body::Socket(_) => "other sockets",
        Body::Capability { .. } => "capabilities",
        Body::Syscall(_) => "system calls",
        Body::UsernsCreate => "userns create",
        Body::Namespace(_) => "namespaces",
        Body::Signal(_) => "signals",
        Body::Ptrace { .. } => "ptrace",
        Body::Mount(_) => "mounts",
        Body::IoUring(_) => "io_uring",
        Body::Mqueue { .. } => "message queues",
        Body::Facility(_) => "facilities",
    }
    run_target(RunTarget, "run ->") {
        RunTarget::Inherit => "inherit",
        RunTarget::Policy(_) => "policy",
        RunTarget::Unconfined => "unconfined",
    }
    socket(SocketKind, "socket") {
        SocketKind::Netlink(_) => "netlink",
        SocketKind::Raw => "raw",
        SocketKind::Packet => "packet",
        SocketKind::Vsock => "vsock",
        SocketKind::Icmp => "icmp",
        SocketKind::Alg => "alg",
    }
    peer(Peer, "peer") {
        Peer::SelfDomain => "self",
        Peer::Policy(_) => "policy",
        Peer::User => "user",
        Peer::Systemd => "systemd",
        Peer::Any => "any",
    }
    condition(Condition, "condition") {
        Condition::All(_) => "and",
        Condition::Any(_) => "or",
        Condition::Not(_) => "not",
        Condition::Test { .. } => "comparison",
    }
    compare(Compare, "compare") {
        Compare::Eq => "==",
        Compare::Ne => "!=",
        Compare::Lt => "<",
        Compare::Le => "<=",
        Compare::Gt => ">",
        Compare::Ge => ">=",
    }
    operand(Operand, "operand") {
        Operand::Int { .. } => "integer",
        Operand::Name(_) => "name",
    }
    action(Action, "action") {
        Action::Kill => "kill",
        Action::KillThread => "kill_thread",
        Action::Trap => "trap",
        Action::Errno(_) => "errno",
        Action::Notify => "notify",
        Action::Trace => "trace",
        Action::Log => "",
        Action::Allow => "",
    }
    mount(MountBody, "mount") {
        MountBody::New { .. } => "type",
        MountBody::Bind { recursive: false, .. } => "bind",
        MountBody::Bind { recursive: true, .. } => "rbind",
        MountBody::Move { .. } => "move",
        MountBody::Remount { bind: false, .. } => "remount",
        MountBody::Remount { bind: true, .. } => "remount bind",
        MountBody::Make { .. } => "make",
        MountBody::Unmount(_) => "unmount",
        MountBody::PivotRoot { .. } => "pivot_root",
    }
    propagation(Propagation, "propagation") {
        Propagation::Shared => "shared",
        Propagation::Slave => "slave",
        Propagation::Private => "private",
        Propagation::Unbindable => "unbindable",
        Propagation::Rshared => "rshared",
        Propagation::Rslave => "rslave",
        Propagation::Rprivate => "rprivate",
        Propagation::Runbindable => "runbindable",
    }
    facility(Facility, "facility") {
        Facility::Shm => "shm",
        Facility::Keyring => "keyring",
        Facility::Perf => "perf",
    }
    claim(Claim, "claim") {
        Claim::Allows(_) => "allows",
        Claim::Denies(_, None) => "denies",
        Claim::Denies(_, Some(DecidedBy::Because(_))) => "denies because",
        Claim::Denies(_, Some(DecidedBy::Id(_))) => "denies by",
        Claim::Never(_) => "never",
        Claim::LosesNothing(_, None) => "loses nothing",
        Claim::LosesNothing(_, Some(_)) => "loses nothing for",
        Claim::Reaches { not: false, .. } => "reaches",
        Claim::Reaches { not: true, .. } => "never reaches",
    }
    who(Who, "as") {
        Who::Owner => "owner",
        Who::Root => "root",
        Who::Other => "other",
    }
}

/// Names of what a tree may have or not have.
pub const OF_CLAUSES: &[&str] = &[
    "default of a parameter",
    "arguments",
    "one of several back ends",
    "limit prefer",
    "else",
    "@id",
    "@prefer",
    "audit",
    "because",
    "owner",
    "except of files",
    "as label",
    "takeover",
    "address",
    "port",
    "except of ports and addresses",
    "except of sockets",
    "to peer",
    "in userns",
    "except of calls",
    "where",
    "on architectures",
    "with",
    "& mask",
    "in a set",
    "not in a set",
    "signal send",
    "signal receive",
    "all signals",
    "to or from peers",
    "mount from",
    "mount options",
    "on deployments",
    "listen unix",
    "connect unix",
];

/// The names that come from the words of the language's own enums, with the kinds of each.
pub fn of_words() -> Names {
    let mut out = Names::new();
    let mut add = |what: &str, words: Vec<&str>| {
        out.extend(words.into_iter().filter(|w| !w.is_empty()).map(|w| format!("{what} {w}")));
    };
    add("access", FileOp::ALL.iter().map(|w| w.word()).collect());
    add("unix", UnixType::ALL.iter().map(|w| w.word()).collect());
    add("ptrace", PtraceMode::ALL.iter().map(|w| w.word()).collect());
    add("io_uring", IoUringUse::ALL.iter().map(|w| w.word()).collect());
    add("mqueue", MqueueOp::ALL.iter().map(|w| w.word()).collect());
    add("option", MountFlag::ALL.iter().map(|w| w.word()).collect());
    add("backend", Target::ALL.iter().map(|w| w.word()).collect());
    add("on", Deployment::ALL.iter().map(|w| w.word()).collect());
    add("tolerate", canc_dsl::policy::Class::ALL.iter().map(|w| w.word()).collect());
    // What rules and `isolate` do not share of the kinds of namespaces; the messages say so where they are mixed up.
    let not = |k: NamespaceKind| move |w: &&NamespaceKind| **w != k;
    add("namespace", NamespaceKind::ALL.iter().filter(not(NamespaceKind::User)).map(|w| w.word()).collect());
    let isolated =
        NamespaceKind::ALL.iter().filter(not(NamespaceKind::Cgroup)).filter(not(NamespaceKind::Time));
    add("isolate", isolated.map(|w| w.word()).collect());
    add("raw", vec!["selinux", "apparmor"]);
    for protocol in [Protocol::Tcp, Protocol::Udp, Protocol::Sctp] {
        let ops = NetOp::ALL.iter().filter(|op| has(**op, protocol)).map(|op| op.word());
        out.extend(ops.map(|op| format!("{op} {}", protocol.word())));
    }
    out
}

/// Whether the language has an operation of a protocol: the compiler is asked.
fn has(op: NetOp, protocol: Protocol) -> bool {
    let text = format!("can 1; policy p {{ exec \"/p\"; allow {} {}; }}", op.word(), protocol.word());
    canc_dsl::compile("p", text.as_bytes(), &canc_dsl::NoFiles, &canc_dsl::Options::default())
        .policies
        .is_some()
}

/// The names of everything that a rule may be: each of them is wanted for every target.
pub fn of_rules() -> Names {
    const OF_STATEMENTS: &[&str] = &[
        "item",
        "parameter",
        "statement",
        "launch from",
        "demand",
        "mode",
        "limit",
        "when",
        "claim",
        "as",
        "backend",
        "on",
        "tolerate",
        "isolate",
        "raw",
    ];
    const CLAUSES_OF_STATEMENTS: &[&str] = &[
        "default of a parameter",
        "arguments",
        "one of several back ends",
        "limit prefer",
        "else",
        "on deployments",
    ];
    let of_statement = |name: &str| {
        CLAUSES_OF_STATEMENTS.contains(&name)
            || ["value raw", "value bytes", "value time", "value percent"].contains(&name)
            || (!OF_CLAUSES.contains(&name)
                && OF_STATEMENTS.iter().any(|s| name.strip_prefix(s).is_some_and(|r| r.starts_with(' '))))
    };
    let mut out: Names = all().into_iter().filter(|name| !of_statement(name)).collect();
    for kind in all().iter().filter(|name| name.starts_with("about ")) {
        out.remove(kind);
        out.extend(["allow", "deny"].map(|effect| format!("{effect} {kind}")));
    }
    out
}

/// Every name.
pub fn all() -> Names {
    let enums =
        OF_ENUMS.iter().copied().flatten().filter(|name| !name.ends_with(' ')).map(|n| (*n).to_owned());
    enums.chain(OF_CLAUSES.iter().map(|n| (*n).to_owned())).chain(of_words()).collect()
}
