//! A syntax tree to the alternatives of the grammar that it uses, by name. Every enum is matched whole and every struct taken apart
//! whole, so that what is added to the tree does not compile here until it has a name; `alternatives!` keeps the list of all names
//! from the same lines.

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

/// The alternatives that a rule uses.
pub fn of_rule(rule: &Rule) -> Names {
    let Rule { id, prefer, deny, audit, body: of, because } = rule;
    let effect = if *deny { "deny" } else { "allow" };
    let mut walk = Walk::default();
    walk.add(format!("{effect} {}", body(of)));
    walk.clause("@id", id.is_some());
    walk.clause("@prefer", *prefer);
    walk.clause("audit", *audit);
    walk.clause("because", because.is_some());
    walk.body(of);
    walk.values(because);
    walk.0
}

/// The alternatives that a file uses beside those of its rules, and each rule with its statement.
pub fn of_file(file: &File) -> (Names, Vec<&Statement>) {
    let File { id: _, items, comments: _ } = file;
    let mut walk = Walk::default();
    let mut rules = Vec::new();
    for one in items {
        walk.add(item(one));
        match one {
            Item::Edition(_) => {}
            Item::Use(used) => walk.values(&Some(used.path.clone())),
            Item::Let(named) => walk.values(&named.value),
            Item::Param(param) => walk.param(param),
            Item::Fragment(block) | Item::Policy(block) => {
                block.params.iter().flatten().for_each(|p| walk.param(p));
                walk.statements(&block.body, &mut rules);
            }
            Item::Instance(instance) => walk.call(&instance.template),
            Item::Test(test) => walk.test(test),
        }
    }
    (walk.0, rules)
}

#[derive(Default)]
struct Walk(Names);

impl Walk {
    fn add(&mut self, name: String) {
        self.0.insert(name);
    }

    fn clause(&mut self, name: &str, there: bool) {
        assert!(OF_CLAUSES.contains(&name), "{name}");
        if there {
            self.add(name.to_owned());
        }
    }

    fn values<'e>(&mut self, list: impl IntoIterator<Item = &'e Expr>) {
        for one in list {
            self.add(value(&one.kind));
            if let ExprKind::List(inner) = &one.kind {
                self.values(inner);
            }
        }
    }

    fn param(&mut self, param: &Param) {
        let Param { name: _, kind, default } = param;
        kind.iter().for_each(|k| self.add(param_kind(k)));
        self.clause("default of a parameter", default.is_some());
        self.values(default);
    }

    fn call(&mut self, call: &Call) {
        self.clause("arguments", !call.args.is_empty());
        self.values(&call.args);
    }

    fn statements<'a>(&mut self, list: &'a [Statement], rules: &mut Vec<&'a Statement>) {
        for one in list {
            self.add(statement(&one.kind));
            self.statement(one, rules);
        }
    }

    fn statement<'a>(&mut self, one: &'a Statement, rules: &mut Vec<&'a Statement>) {
        match &one.kind {
            StatementKind::Rule(_) => rules.push(one),
            StatementKind::Exec(paths) | StatementKind::Attach(paths) => self.values(paths),
            StatementKind::Launch(who) => who.iter().for_each(|w| self.add(launcher(w))),
            StatementKind::Backend { targets, demand: what } => {
                self.clause("one of several back ends", targets.len() > 1);
                targets.iter().for_each(|t| self.add(format!("backend {}", t.word())));
                self.add(demand(what));
            }
            StatementKind::Mode(what) => self.add(mode(what)),
            StatementKind::Include(calls) => calls.iter().for_each(|c| self.call(c)),
            StatementKind::Tolerate { classes, because } => {
                classes.iter().for_each(|(class, _)| self.add(format!("tolerate {}", class.word())));
                self.values([because]);
            }
            StatementKind::When(when) => self.when(when, rules),
            StatementKind::Raw { target, text, because } => {
                self.add(format!("raw {}", target.word()));
                self.values([text, because]);
            }
            StatementKind::Limit { kind, value, prefer } => {
                self.add(limit(kind));
                self.values([value]);
                self.clause("limit prefer", *prefer);
            }
            StatementKind::Isolate(kinds) => {
                kinds.iter().for_each(|k| self.add(format!("isolate {}", k.word())));
            }
            StatementKind::EnvSet { name: _, value } => self.values([value]),
            StatementKind::EnvKeep(values) | StatementKind::KeepDescriptors(values) => self.values(values),
            StatementKind::NoNewPrivsOff(because) => self.values([because]),
            StatementKind::SyscallDefault(what) => self.add(action(what)),
            StatementKind::SeparateInstances
            | StatementKind::EnvClear
            | StatementKind::KeepActivation
            | StatementKind::SyscallInferOff
            | StatementKind::Broken(_) => {}
        }
    }

    fn when<'a>(&mut self, when: &'a When, rules: &mut Vec<&'a Statement>) {
        let When { condition, then, otherwise } = when;
        self.when_condition(condition);
        self.clause("else", !otherwise.is_empty());
        self.statements(then, rules);
        self.statements(otherwise, rules);
    }

    fn when_condition(&mut self, condition: &WhenCondition) {
        self.add(when(condition));
        match condition {
            WhenCondition::All(list) | WhenCondition::Any(list) => {
                list.iter().for_each(|c| self.when_condition(c));
            }
            WhenCondition::Not(one) => self.when_condition(one),
            WhenCondition::ApparmorAbi(how, _) => self.add(compare(how)),
            WhenCondition::Arch(_) | WhenCondition::SelinuxBase(_) | WhenCondition::Param(_) => {}
        }
    }

    fn body(&mut self, of: &Body) {
        match of {
            Body::File(file) => self.file(file),
            Body::Net(net) => self.net(net),
            Body::Unix(unix) => self.unix(unix),
            Body::Socket(kinds) => kinds.iter().for_each(|k| self.add(socket(k))),
            Body::Capability { bits: _, in_userns } => self.clause("in userns", *in_userns),
            Body::Syscall(calls) => self.syscall(calls),
            Body::UsernsCreate => {}
            Body::Namespace(kinds) => {
                kinds.iter().for_each(|k| self.add(format!("namespace {}", k.word())));
            }
            Body::Signal(signal) => self.signal(signal),
            Body::Ptrace { modes, peer: with } => {
                modes.iter().for_each(|m| self.add(format!("ptrace {}", m.word())));
                self.add(peer(with));
            }
            Body::Mount(what) => self.mount(what),
            Body::IoUring(uses) => self.io_uring(*uses),
            Body::Mqueue { ops, names } => {
                ops.iter().for_each(|op| self.add(format!("mqueue {}", op.word())));
                self.values(names);
            }
            Body::Facility(which) => self.add(facility(which)),
        }
    }

    fn file(&mut self, file: &FileBody) {
        let FileBody { ops, words: _, owner, paths, except, label, run } = file;
        ops.iter().for_each(|op| self.add(format!("access {}", op.word())));
        self.clause("owner", *owner);
        self.values(paths.iter().chain(except));
        self.clause("except of files", !except.is_empty());
        self.clause("as label", label.is_some());
        self.clause("takeover", label.as_ref().is_some_and(|l| l.takeover));
        run.iter().for_each(|to| self.add(run_target(to)));
    }

    fn net(&mut self, net: &NetBody) {
        let NetBody { ops, protocol, addresses, ports, except } = net;
        ops.iter().for_each(|(op, _)| self.add(format!("{} {}", op.word(), protocol.0.word())));
        self.clause("address", addresses.is_some());
        self.clause("port", ports.is_some());
        self.clause("except of ports and addresses", !except.is_empty());
        self.values(addresses.iter().flatten().chain(ports.iter().flatten()).chain(except));
    }

    fn unix(&mut self, unix: &UnixBody) {
        let UnixBody { listen, types, names, except, peer: with } = unix;
        self.clause("listen unix", *listen);
        self.clause("connect unix", !listen);
        types.iter().for_each(|t| self.add(format!("unix {}", t.word())));
        self.values(names.iter().chain(except));
        self.clause("except of sockets", !except.is_empty());
        self.clause("to peer", with.is_some());
        with.iter().for_each(|p| self.add(peer(p)));
    }

    fn syscall(&mut self, calls: &SyscallBody) {
        let SyscallBody { calls, except, condition, arches, action: with } = calls;
        self.values(calls.iter().chain(except));
        self.clause("except of calls", !except.is_empty());
        self.clause("where", condition.is_some());
        self.clause("on architectures", arches.is_some());
        self.clause("with", with.is_some());
        condition.iter().for_each(|c| self.condition(c));
        with.iter().for_each(|(a, _)| self.add(action(a)));
    }

    fn condition(&mut self, one: &Condition) {
        self.add(condition(one));
        match one {
            Condition::All(list) | Condition::Any(list) => list.iter().for_each(|c| self.condition(c)),
            Condition::Not(inner) => self.condition(inner),
            Condition::Test { arg: _, mask, op, values, negated, span: _ } => {
                self.clause("& mask", mask.is_some());
                self.clause("in a set", values.len() > 1 && !negated);
                self.clause("not in a set", *negated);
                self.add(compare(op));
                mask.iter().flatten().chain(values.iter().flatten()).for_each(|o| self.add(operand(o)));
            }
        }
    }

    fn signal(&mut self, signal: &SignalBody) {
        let SignalBody { send, signals, peers } = signal;
        self.clause("signal send", *send);
        self.clause("signal receive", !send);
        self.clause("all signals", signals.count_ones() >= 64);
        self.clause("to or from peers", !peers.is_empty());
        peers.iter().for_each(|p| self.add(peer(p)));
    }

    fn mount(&mut self, what: &MountBody) {
        self.add(mount(what));
        match what {
            MountBody::New { types: _, source, target, options } => {
                self.clause("mount from", source.is_some());
                self.clause("mount options", options.is_some());
                self.values(source.iter().chain(target));
                options.iter().flat_map(|o| o.iter()).for_each(|f| self.add(format!("option {}", f.word())));
            }
            MountBody::Remount { options, bind: _, target } => {
                self.values(target);
                options.iter().flat_map(|o| o.iter()).for_each(|f| self.add(format!("option {}", f.word())));
            }
            MountBody::Bind { recursive: _, source, target } | MountBody::Move { source, target } => {
                self.values(source.iter().chain(target));
            }
            MountBody::Make { propagation: how, target } => {
                self.add(propagation(how));
                self.values(target);
            }
            MountBody::Unmount(target) => self.values(target),
            MountBody::PivotRoot { old, new } => self.values(old.iter().chain(new)),
        }
    }

    fn io_uring(&mut self, uses: IoUringUses) {
        uses.iter()
            .filter(|u| *u != IoUringUse::Rings)
            .for_each(|u| self.add(format!("io_uring {}", u.word())));
    }

    fn test(&mut self, test: &Test) {
        let Test { title, assertions } = test;
        self.values([title]);
        for Assertion { policy: _, claim: what, on, span: _ } in assertions {
            self.add(claim(what));
            self.clause("on deployments", !on.is_empty());
            on.iter().for_each(|d| self.add(format!("on {}", d.word())));
            match what {
                Claim::Allows(request) | Claim::Denies(request, _) | Claim::Never(request) => {
                    let Request { body: of, who: by, span: _ } = request;
                    self.add(who(by));
                    self.body(of);
                }
                Claim::LosesNothing(target, class) => {
                    self.add(format!("loses nothing on {}", target.word()));
                    class.iter().for_each(|c| self.add(format!("for {}", c.word())));
                }
                Claim::Reaches { .. } => {}
            }
        }
    }
}

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
