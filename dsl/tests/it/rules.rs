//! Every form of rule, and what is in the policy afterwards.

use crate::common::{own, policy, try_policy};
use canc_dsl::policy::{
    Action, Body, Compare, Condition, Effect, Facility, FileOp, FileOps, IoUringUse, IoUringUses, MountFlag,
    MountFlags, MountRule, MountSource, MqueueOp, MqueueOps, NamespaceKind, NamespaceKinds, NetOp, NetOps,
    Peer, Protocol, PtraceMode, PtraceModes, RunTarget, SocketKind, UnixAddress, UnixType, UnixTypes, Width,
};
use canc_sets::syscalls::Arch;

/// The body of the only rule.
fn body(rule: &str) -> Body {
    let policy = policy(rule);
    let rules = own(&policy);
    assert_eq!(rules.len(), 1, "{rule}");
    rules.first().map(|r| r.body.clone()).expect("one rule")
}

fn file(rule: &str) -> canc_dsl::policy::FileRule {
    match body(rule) {
        Body::File(file) => file,
        other => panic!("{rule}: {other:?}"),
    }
}

fn shown<'p>(paths: impl IntoIterator<Item = &'p canc_dsl::policy::PathRef>) -> Vec<String> {
    paths.into_iter().map(|p| p.pattern.to_string()).collect()
}

#[test]
fn accesses_to_files() {
    use FileOp::*;
    let cases: &[(&str, &[FileOp])] = &[
        ("read", &[Read]),
        ("list", &[List]),
        ("write", &[Write]),
        ("append", &[Append]),
        ("create", &[Create]),
        ("delete", &[Delete]),
        ("replace", &[Write, Create, Delete]),
        ("link", &[Link]),
        ("lock", &[Lock]),
        ("setattr", &[Setattr]),
        ("setattr setid", &[Setid]),
        ("map", &[Map]),
        ("mknod", &[Mknod]),
        ("manage", &[Read, List, Write, Append, Create, Delete, Link, Lock, Setattr]),
        ("run", &[Run, Read, Map]),
        ("read, setattr setid, lock", &[Read, Setid, Lock]),
        ("list, run", &[List, Run, Read, Map]),
    ];
    for (words, ops) in cases {
        assert_eq!(file(&format!("allow {words} \"/a\";")).ops, FileOps::of(ops), "{words}");
    }
    // A denied execution leaves reading alone.
    assert_eq!(file("deny run \"/a\";").ops, FileOps::of(&[Run]));
}

#[test]
fn clauses_of_files_come_in_any_order() {
    let a = "allow read owner \"/a/**\", \"/b\" except \"/a/x\" as data takeover because \"why\";";
    let b = "allow read owner \"/a/**\", \"/b\" because \"why\" as data takeover except \"/a/x\";";
    for text in [a, b] {
        let file = file(text);
        assert!(file.owner);
        assert_eq!(shown(&file.paths), ["/a/**", "/b"]);
        assert_eq!(shown(&file.except), ["/a/x"]);
        assert!(file.label.as_ref().is_some_and(|l| &*l.name == "data" && l.takeover));
    }
    let policy = policy("@id(the_one) @prefer deny audit read \"/a\" because \"why\";");
    let rules = own(&policy);
    let rule = rules.first().expect("one");
    assert_eq!((rule.effect, rule.prefer, rule.audit), (Effect::Deny, true, true));
    assert_eq!((rule.name.as_deref(), rule.because.as_deref()), (Some("the_one"), Some("why")));
}

#[test]
fn paths_are_patterns_sets_and_lets() {
    assert_eq!(
        shown(&file("allow read [\"/a\", [\"/b\", \"/c\"]], \"/d\";").paths),
        ["/a", "/b", "/c", "/d"]
    );
    assert_eq!(shown(&file("allow read \"/{x,y}/z\";").paths), ["/x/z", "/y/z"]);
    assert_eq!(
        shown(&file("allow read \"${home}/.x\", \"${self}/maps\";").paths),
        ["${home}/.x", "${self}/maps"]
    );
    assert_eq!(shown(&file("allow read \"/a$$b\";").paths), ["/a\\$b"]);
    assert_eq!(shown(&file("allow read \"/a\\\\*b\", \"/q\\\"q\";").paths), ["/a\\*b", "/q\"q"]);
    assert_eq!(shown(&file("allow read \"/bin/sh\";").paths), ["/usr/bin/sh"]);
}

#[test]
fn execution_goes_somewhere() {
    assert_eq!(file("allow run \"/a\" -> inherit;").run, RunTarget::Inherit);
    assert_eq!(file("allow run \"/a\" -> unconfined;").run, RunTarget::Unconfined);
    assert_eq!(file("allow run \"/a/**\" except \"/a/b\" -> unconfined;").run, RunTarget::Unconfined);
    let policy = policy("launch from policy example, user; allow run \"/a\"->policy example;");
    let Some(Body::File(file)) = own(&policy).first().map(|r| &r.body) else { panic!("a file rule") };
    assert_eq!(file.run, RunTarget::Policy("example".into()));
}

#[test]
fn network() {
    let net = |rule: &str| match body(rule) {
        Body::Net(net) => net,
        other => panic!("{other:?}"),
    };
    let all = net("allow connect, bind, listen, send, receive sctp;");
    assert_eq!((all.ops, all.protocol), (NetOps::all(), Protocol::Sctp));
    assert!(all.ports.is_full() && all.addresses.is_none());
    let some = net("allow connect tcp port 80, 8000-8010, [443] except 8005;");
    assert_eq!(some.ops, NetOps::of(&[NetOp::Connect]));
    assert_eq!(some.ports.ranges(), [(80, 80), (443, 443), (8000, 8004), (8006, 8010)]);
    assert_eq!(net("allow bind udp except 1-1023;").ports.ranges(), [(0, 0), (1024, 65535)]);
    let here = net("allow connect tcp port 443 address 10.0.0.0/31, ::1, 10.0.0.2/31 except 10.0.0.3;");
    let blocks: Vec<String> =
        here.addresses.iter().flatten().map(|b| format!("{}/{}", b.address, b.prefix)).collect();
    assert_eq!(blocks, ["10.0.0.0/31", "10.0.0.2/32", "::1/128"]);
    assert_eq!(here.ports.ranges(), [(443, 443)]);
    let elsewhere = net("allow connect tcp except ::/1;");
    assert_eq!(elsewhere.addresses.map(|a| a.len()), Some(2));
    assert!(elsewhere.ports.is_full());
}

#[test]
fn unix_sockets() {
    let unix = |rule: &str| match body(rule) {
        Body::Unix(unix) => unix,
        other => panic!("{other:?}"),
    };
    let plain = unix("allow connect unix \"/run/a.sock\" except \"/run/b\";");
    assert!(!plain.listen && plain.peer.is_none());
    assert_eq!(plain.types, UnixTypes::all());
    assert!(matches!(&plain.address, UnixAddress::Paths(p) if shown(p) == ["/run/a.sock"]));
    assert_eq!(shown(&plain.except), ["/run/b"]);
    let named = unix("allow listen unix dgram, seqpacket \"@a-*\", \"@b/c\" to systemd;");
    assert!(named.listen);
    assert_eq!(named.types, UnixTypes::of(&[UnixType::Dgram, UnixType::Seqpacket]));
    assert_eq!(named.peer, Some(Peer::Systemd));
    let UnixAddress::Abstract(names) = named.address else { panic!("names") };
    assert_eq!(
        names.iter().map(canc_dsl::policy::NamePattern::as_literal).collect::<Vec<_>>(),
        [None, Some("b/c".into())]
    );
}

#[test]
fn other_sockets_capabilities_and_facilities() {
    let Body::Socket(netlink) = body("allow socket netlink audit, route;") else { panic!() };
    assert_eq!(netlink.kinds, [SocketKind::Netlink(0), SocketKind::Netlink(9)]);
    let Body::Socket(others) = body("allow socket raw, alg;") else { panic!() };
    assert_eq!(others.kinds, [SocketKind::Raw, SocketKind::Alg]);
    let Body::Capability(caps) = body("allow capability chown, bpf in userns;") else { panic!() };
    assert_eq!((caps.bits, caps.in_userns), (1 | 1 << 39, true));
    for (word, facility) in [("shm", Facility::Shm), ("keyring", Facility::Keyring), ("perf", Facility::Perf)]
    {
        assert!(matches!(body(&format!("allow {word};")), Body::Facility(f) if f == facility));
    }
    assert!(matches!(body("allow userns create;"), Body::UsernsCreate));
    let Body::Namespace(kinds) = body("allow namespace net, time;") else { panic!() };
    assert_eq!(kinds, NamespaceKinds::of(&[NamespaceKind::Net, NamespaceKind::Time]));
    let uses = |rule: &str| match body(rule) {
        Body::IoUring(uses) => uses,
        other => panic!("{other:?}"),
    };
    assert_eq!(uses("allow io_uring;"), IoUringUses::of(&[IoUringUse::Rings]));
    assert_eq!(
        uses("allow io_uring cmd because \"x\";"),
        IoUringUses::of(&[IoUringUse::Rings, IoUringUse::Cmd])
    );
    assert_eq!(uses("deny io_uring;"), IoUringUses::all());
    assert_eq!(uses("deny io_uring sqpoll;"), IoUringUses::of(&[IoUringUse::Sqpoll]));
    let Body::Mqueue(queue) = body("allow mqueue create, read \"/a\", \"/b*\";") else { panic!() };
    assert_eq!(queue.ops, MqueueOps::of(&[MqueueOp::Create, MqueueOp::Read]));
    assert_eq!(
        queue.names.first().and_then(canc_dsl::policy::NamePattern::as_literal).as_deref(),
        Some("/a")
    );
}

#[test]
fn processes() {
    let signal = |rule: &str| match body(rule) {
        Body::Signal(signal) => signal,
        other => panic!("{other:?}"),
    };
    let all: u128 = (1..=64).map(|n| 1u128 << n).sum();
    let send = signal("allow signal send all except kill;");
    assert!(send.send);
    assert_eq!((send.signals, send.peers), (all & !(1 << 9), vec![Peer::SelfDomain]));
    let receive = signal("allow signal receive term, 34-35;");
    assert_eq!(receive.signals, 1 << 15 | 1 << 34 | 1 << 35);
    assert_eq!(receive.peers, [Peer::SelfDomain, Peer::User, Peer::Systemd]);
    assert_eq!(signal("allow signal send hup to any;").peers, [Peer::SelfDomain, Peer::Any]);
    assert_eq!(signal("deny signal receive hup;").peers, [Peer::Any]);
    assert_eq!(signal("deny signal send hup to user;").peers, [Peer::User]);
    let Body::Ptrace(ptrace) = body("allow ptrace read, trace self;") else { panic!() };
    assert_eq!(
        (ptrace.modes, ptrace.peer),
        (PtraceModes::of(&[PtraceMode::Read, PtraceMode::Trace]), Peer::SelfDomain)
    );
}

#[test]
fn mounts() {
    let mount = |rule: &str| match body(rule) {
        Body::Mount(mount) => mount,
        other => panic!("{other:?}"),
    };
    let new = "allow mount type tmpfs, \"fuse.sshfs\", proc from none -> \"/mnt/\" options ro, nosuid because \"x\";";
    let MountRule::New { types, source, target, options } = mount(new) else { panic!() };
    assert_eq!(types.iter().map(|t| &**t).collect::<Vec<_>>(), ["fuse.sshfs", "proc", "tmpfs"]);
    assert_eq!(source, Some(MountSource::Name("none".into())));
    assert_eq!(shown(&target), ["/mnt/"]);
    assert_eq!(options, Some(MountFlags::of(&[MountFlag::Ro, MountFlag::Nosuid])));
    let MountRule::New { source, options, .. } =
        mount("allow mount type ext4 from \"/dev/sd*\" -> \"/mnt\" options rw;")
    else {
        panic!()
    };
    assert!(matches!(source, Some(MountSource::Path(p)) if p.pattern.to_string() == "/dev/sd*"));
    assert_eq!(options, Some(MountFlags::EMPTY));
    assert!(matches!(mount("allow mount rbind \"/a\" -> \"/b\";"), MountRule::Bind { recursive: true, .. }));
    assert!(matches!(mount("allow mount bind \"/a\" -> \"/b\";"), MountRule::Bind { recursive: false, .. }));
    assert!(matches!(mount("allow mount move \"/a\" -> \"/b\";"), MountRule::Move { .. }));
    let MountRule::Remount { options, bind, .. } = mount("allow mount remount bind, ro -> \"/b\";") else {
        panic!()
    };
    assert_eq!((options, bind), (Some(MountFlags::of(&[MountFlag::Ro])), true));
    assert!(matches!(
        mount("allow mount remount -> \"/b\";"),
        MountRule::Remount { options: None, bind: false, .. }
    ));
    assert!(matches!(mount("allow mount make rslave -> \"/\";"), MountRule::Make { .. }));
    assert!(
        matches!(mount("allow unmount \"/b\";"), MountRule::Unmount { target } if shown(&target) == ["/b"])
    );
    let MountRule::PivotRoot { old, new } = mount("allow pivot_root \"/n/old/\" -> \"/n/\";") else {
        panic!()
    };
    assert_eq!((shown(&old), shown(&new)), (vec!["/n/old/".into()], vec!["/n/".into()]));
}

#[test]
fn system_calls() {
    let calls = |rule: &str| match body(rule) {
        Body::Syscall(calls) => calls,
        other => panic!("{other:?}"),
    };
    let deny = calls("deny syscall @module, ptrace, ptrace on x86_64, riscv64, x86_64 with kill;");
    let named: Vec<_> = deny.calls.iter().map(|c| (c.name, c.group)).collect();
    assert_eq!(
        named,
        [
            ("delete_module", Some("module")),
            ("finit_module", Some("module")),
            ("init_module", Some("module")),
            ("ptrace", None)
        ]
    );
    assert_eq!(deny.arches, Some(vec![Arch::X86_64, Arch::Riscv64]));
    assert_eq!(deny.action, Some(Action::Kill));
    for (word, action) in [
        ("EPERM", Action::Errno(1)),
        ("errno(38)", Action::Errno(38)),
        ("kill_thread", Action::KillThread),
        ("trap", Action::Trap),
        ("trace", Action::Trace),
        ("notify", Action::Notify),
    ] {
        assert_eq!(calls(&format!("deny syscall bpf with {word};")).action, Some(action), "{word}");
    }
    let both = calls("allow syscall @module, init_module;");
    assert!(
        both.calls.iter().any(|c| c.name == "init_module" && c.group.is_none()),
        "named, not only in a group"
    );
    let rest = calls("allow syscall @module except finit_module;");
    assert_eq!(rest.calls.iter().map(|c| c.name).collect::<Vec<_>>(), ["delete_module", "init_module"]);
}

/// A condition as a text.
fn text(condition: &Condition) -> String {
    let join = |parts: &[Condition], word: &str| {
        format!("({})", parts.iter().map(text).collect::<Vec<_>>().join(&format!(" {word} ")))
    };
    match condition {
        Condition::All(parts) => join(parts, "and"),
        Condition::Any(parts) => join(parts, "or"),
        Condition::Not(inner) => format!("not {}", text(inner)),
        Condition::Arch(arches) => arches.iter().map(|a| a.word()).collect::<Vec<_>>().join("|"),
        Condition::Test(t) => {
            let op = match t.op {
                Compare::Eq => "==",
                Compare::Ne => "!=",
                Compare::Lt => "<",
                Compare::Le => "<=",
                Compare::Gt => ">",
                Compare::Ge => ">=",
            };
            let mask = if t.mask == u64::MAX { String::new() } else { format!("&{:#x}", t.mask) };
            let width = match t.width {
                Width::U16 => "h",
                Width::U32 => "u",
                Width::I32 => "i",
                Width::U64 => "U",
                Width::I64 => "I",
            };
            format!("{width}{}{mask}{op}{:#x}", t.arg, t.value)
        }
    }
}

#[test]
fn conditions() {
    let condition = |written: &str| match body(&format!("allow syscall {written};")) {
        Body::Syscall(calls) => text(calls.calls[0].condition.as_ref().expect("a condition")),
        other => panic!("{other:?}"),
    };
    for (written, want) in [
        ("socket where domain == AF_INET", "i0==0x2"),
        ("socket where domain in [AF_INET, AF_INET6]", "(i0==0x2 or i0==0xa)"),
        ("socket where domain not in [1, 2]", "not (i0==0x1 or i0==0x2)"),
        ("socket where domain == 1 or domain == 2 and type != 3", "(i0==0x1 or (i0==0x2 and i1!=0x3))"),
        (
            "socket where (domain == 1 or domain == 2) and not type == 3",
            "((i0==0x1 or i0==0x2) and not i1==0x3)",
        ),
        ("socket where not not domain >= 1", "i0>=0x1"),
        ("ioctl where arg1 == 0x5412", "u1==0x5412"),
        ("ioctl where cmd <= TIOCSTI", "u1<=0x5412"),
        ("clone where flags & (CLONE_NEWUSER | CLONE_NEWNS) == 0", "u0&0x10020000==0x0"),
        ("clone where flags & CLONE_NEWUSER | CLONE_NEWNS == CLONE_NEWNS", "u0&0x10020000==0x20000"),
        ("openat where dfd == AT_FDCWD", "i0==0xffffffffffffff9c"),
        ("openat where dfd == -100", "i0==0xffffffffffffff9c"),
        ("fchmod where mode & 0o6000 == 0", "h1&0xc00==0x0"),
    ] {
        assert_eq!(condition(written), want, "{written}");
    }
    // A constant that differs is compared on each architecture as it has it.
    let own = condition("openat where flags & O_DIRECTORY != 0");
    assert_eq!(own, "((x86_64|riscv64 and i2&0x10000!=0x0) or (aarch64 and i2&0x4000!=0x0))");
    let one = condition("openat where flags & O_DIRECTORY != 0 on aarch64");
    assert_eq!(one, "i2&0x4000!=0x0");
}

#[test]
fn lets_serve_in_conditions() {
    let done = canc_dsl::compile(
        "x.can",
        b"can 1; let families = [AF_INET, AF_INET6]; let raw_type = 3; let some = [openat, @module];\n\
          policy p { exec \"/p\"; allow syscall socket where domain in families and type == raw_type; allow syscall some; }",
        &canc_dsl::NoFiles,
        &canc_dsl::Options::default(),
    );
    let set = done.policies.expect("compiles");
    let rules = &set.policy("p").expect("p").rules;
    let [Body::Syscall(socket), Body::Syscall(some)] = [&rules[0].body, &rules[1].body] else { panic!() };
    assert_eq!(text(socket.calls[0].condition.as_ref().expect("one")), "((i0==0x2 or i0==0xa) and i1==0x3)");
    assert_eq!(some.calls.len(), 4);
}

#[test]
fn a_call_that_an_architecture_lacks_is_a_note() {
    let (policy, messages) = try_policy("allow syscall open, stat;");
    assert!(policy.is_some());
    assert_eq!(
        messages,
        [
            "N0001 open: `open`, `stat` are not known on aarch64",
            "N0001 open: `open`, `stat` are not known on riscv64"
        ]
    );
    assert_eq!(try_policy("allow syscall open on x86_64;").1, Vec::<String>::new());
    assert_eq!(
        try_policy("allow syscall @file_system;").1,
        Vec::<String>::new(),
        "groups hold what there is"
    );
}
