//! What each kind of rule allows and refuses.

use super::*;
use crate::seccomp::calls::{Context, calls};
use crate::seccomp::families;
use crate::seccomp::implied::Family;
use canc_sets::syscalls::{constant, lookup};

const ALLOW: Action = Action::Allow;

fn value(name: &str) -> u64 {
    constant(name).unwrap_or_else(|| panic!("{name}"))
}

#[test]
fn a_call_is_allowed_by_name_and_everything_else_refused() {
    let made = lowered("allow syscall read, getpid;");
    for (call, action) in
        [("getpid", ALLOW), ("getuid", EPERM), ("clone3", ENOSYS), ("statx", ENOSYS), ("openat", EPERM)]
    {
        for arch in Arch::DEFAULT {
            assert_eq!(on(&made, arch, call, &[]), action, "{call} {arch:?}");
        }
    }
    for unknown in [400, 5_000, 0x3fff_ffff] {
        assert_eq!(made.decide(Arch::X86_64, unknown, [0; 6]).unwrap().action, ENOSYS);
    }
}

#[test]
fn foreign_numbers_and_architectures_are_killed() {
    for body in ["allow syscall @known except [clone3];", "deny syscall ptrace;", "syscall default ENOSYS;"] {
        let made = lowered(body);
        for arch in Arch::DEFAULT {
            for nr in [0x4000_0000, 0x4000_0001, 0x4000_0203, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
                assert_eq!(made.decide(arch, nr, [0; 6]).unwrap().action, Action::Kill, "{arch:?} {nr:#x}");
            }
        }
        for filter in made.filters.values().flatten() {
            for value in
                Arch::ALL.iter().map(|a| a.audit_value()).chain([0, 1, 0x8000_003e, 0x4000_003e, u32::MAX])
            {
                let data = Data { arch: value, nr: 0, args: [0; 6] };
                let killed = filter.answer(&data) == Some(0x8000_0000);
                assert_eq!(killed, value != filter.arch.audit_value(), "{value:#x}");
            }
        }
    }
}

#[test]
fn the_launch_can_always_execute_and_report() {
    let made = lowered("deny syscall execveat with kill; syscall default kill;");
    let fd = u64::from(canc_bundle::LAUNCH_FD);
    let exec = |fd, flags| x86_64(&made, "execveat", &[fd, 0, 0, 0, flags]);
    assert_eq!(exec(fd, 0x1000), ALLOW);
    assert_eq!(exec(fd | 7 << 32, 0x1000), ALLOW, "the kernel takes an int");
    assert_eq!(
        (exec(fd + 1, 0x1000), exec(fd, 0), exec(fd, 0x1100)),
        (Action::Kill, Action::Kill, Action::Kill)
    );
    assert_eq!(x86_64(&made, "exit_group", &[125]), ALLOW);
    assert_eq!((x86_64(&made, "write", &[2]), x86_64(&made, "write", &[1])), (ALLOW, Action::Kill));
    assert_eq!(x86_64(&made, "execve", &[]), Action::Kill);
    let Some(decided) = made.decide(Arch::X86_64, 322, [fd, 0, 0, 0, 0x1000, 0]) else { panic!() };
    assert_eq!((decided.why, decided.rules), (super::super::Why::Base, vec![]));
}

#[test]
fn a_default_is_for_everything_that_nobody_mentions() {
    let made = lowered("syscall default EACCES; allow syscall read; allow syscall ioctl where cmd == 1;");
    let eacces = Action::Errno(13);
    for call in ["getuid", "statx", "ioctl"] {
        assert_eq!(x86_64(&made, call, &[]), eacces, "{call}");
    }
    assert_eq!(made.decide(Arch::X86_64, 5_000, [0; 6]).unwrap().action, eacces);
    assert_eq!(x86_64(&made, "clone3", &[]), ENOSYS, "threads fall back on clone");
    assert_eq!(made.decide(Arch::X86_64, 0x4000_0000, [0; 6]).unwrap().action, Action::Kill);
}

#[test]
fn denies_win_in_the_kernels_order() {
    let made = lowered(
        "allow syscall @known except [clone3];
         deny syscall getuid;
         deny syscall getgid with trap; deny syscall getgid with ENOTTY;
         deny syscall kill where sig == 9 with kill; deny syscall kill with trace; deny syscall kill where sig > 8 with EACCES;
         deny syscall statx;",
    );
    assert_eq!(x86_64(&made, "getuid", &[]), EPERM);
    assert_eq!(x86_64(&made, "getgid", &[]), Action::Trap);
    assert_eq!(x86_64(&made, "kill", &[0, 9]), Action::Kill);
    assert_eq!(x86_64(&made, "kill", &[0, 10]), Action::Errno(13));
    assert_eq!(x86_64(&made, "kill", &[0, 1]), Action::Trace);
    assert_eq!(x86_64(&made, "statx", &[]), ENOSYS, "as if nobody mentioned it");
    assert!(made.needs_tracer && !made.needs_listener);
}

#[test]
fn complain_only_logs() {
    let made = lowered("mode complain; allow syscall read; deny syscall ptrace with kill;");
    for call in ["ptrace", "getuid", "clone3", "statx"] {
        assert_eq!(x86_64(&made, call, &[]), Action::Log, "{call}");
    }
    assert_eq!(x86_64(&made, "read", &[]), ALLOW);
    assert_eq!(made.decide(Arch::X86_64, 0x4000_0000, [0; 6]).unwrap().action, Action::Log);
    assert!(!made.needs_tracer);
}

#[test]
fn an_audited_call_is_logged() {
    let made = lowered(
        "allow audit syscall socket where domain == AF_INET; allow syscall socket where domain == AF_UNIX;",
    );
    assert_eq!(x86_64(&made, "socket", &[2]), Action::Log);
    assert_eq!(x86_64(&made, "socket", &[1]), ALLOW);
    assert!(made.wants_log);
}

#[test]
fn conditions_compare_what_the_kernel_sees() {
    let made = lowered("allow syscall ioctl; deny syscall ioctl where cmd == TIOCSTI;");
    for high in [0, 1, 0x123, 0xffff_ffff] {
        assert_eq!(x86_64(&made, "ioctl", &[0, high << 32 | 0x5412]), EPERM);
        assert_eq!(x86_64(&made, "ioctl", &[0, high << 32 | 0x5413]), ALLOW);
    }
    let made = lowered(
        "allow syscall chmod where mode == 0o644; allow syscall lseek where offset < 0; allow syscall mmap where len <= 0x100000000;",
    );
    assert_eq!(x86_64(&made, "chmod", &[0, 0o644]), ALLOW);
    assert_eq!(x86_64(&made, "chmod", &[0, 0x1_0000 | 0o644]), ALLOW, "16 bits");
    assert_eq!(x86_64(&made, "chmod", &[0, 0o4644]), EPERM);
    assert_eq!(x86_64(&made, "lseek", &[0, u64::MAX]), ALLOW);
    assert_eq!(x86_64(&made, "lseek", &[0, 0]), EPERM);
    assert_eq!(x86_64(&made, "mmap", &[0, 0x1_0000_0000]), ALLOW);
    assert_eq!(x86_64(&made, "mmap", &[0, 0x1_0000_0001]), EPERM);
}

#[test]
fn namespaces_need_their_own_rules() {
    let made = lowered("allow syscall clone, unshare, setns, fork;");
    for flag in [
        "CLONE_NEWUSER",
        "CLONE_NEWNS",
        "CLONE_NEWPID",
        "CLONE_NEWNET",
        "CLONE_NEWIPC",
        "CLONE_NEWUTS",
        "CLONE_NEWCGROUP",
    ] {
        let flag = value(flag);
        assert_eq!(x86_64(&made, "clone", &[flag | 17]), EPERM);
        assert_eq!(x86_64(&made, "clone", &[flag | 17 | 5 << 32]), EPERM);
        assert_eq!(x86_64(&made, "unshare", &[flag]), EPERM);
        assert_eq!(x86_64(&made, "setns", &[0, flag]), EPERM);
    }
    assert_eq!(x86_64(&made, "clone", &[0x003d_0f00]), ALLOW, "a thread of a C library");
    assert_eq!((x86_64(&made, "setns", &[0, 0]), x86_64(&made, "unshare", &[0x80])), (EPERM, EPERM));
    assert_eq!(x86_64(&made, "unshare", &[0x400]), ALLOW, "the descriptor table is no namespace");

    let made = lowered("allow namespace net; allow userns create;");
    let (net, user, pid) = (value("CLONE_NEWNET"), value("CLONE_NEWUSER"), value("CLONE_NEWPID"));
    assert_eq!(x86_64(&made, "unshare", &[net | user]), ALLOW);
    assert_eq!(x86_64(&made, "unshare", &[net | pid]), EPERM);
    assert_eq!(x86_64(&made, "clone", &[user | 17]), ALLOW);
    assert_eq!((x86_64(&made, "setns", &[3, net]), x86_64(&made, "setns", &[3, 0])), (ALLOW, EPERM));
    let made = lowered("allow userns create; deny userns create; allow syscall unshare;");
    assert_eq!(x86_64(&made, "unshare", &[user]), EPERM);
}

#[test]
fn clone3_and_io_uring_come_by_name_only() {
    let made = lowered("allow userns create; allow syscall @system_service, @aio;");
    assert_eq!((x86_64(&made, "clone3", &[]), x86_64(&made, "io_uring_setup", &[])), (ENOSYS, ENOSYS));
    let made = lowered("allow userns create; allow syscall clone3; allow io_uring;");
    assert_eq!((x86_64(&made, "clone3", &[]), x86_64(&made, "io_uring_setup", &[])), (ALLOW, ALLOW));
    let made = lowered("allow syscall io_uring_enter; deny io_uring;");
    assert_eq!(x86_64(&made, "io_uring_enter", &[]), ENOSYS);
}

#[test]
fn sockets_are_told_apart_by_family_type_and_protocol() {
    let (inet, inet6, unix) = (value("AF_INET"), value("AF_INET6"), value("AF_UNIX"));
    let (stream, dgram) = (value("SOCK_STREAM"), value("SOCK_DGRAM"));
    let flags = value("SOCK_CLOEXEC") | value("SOCK_NONBLOCK");
    let made = lowered("allow connect tcp port 443;");
    let socket = |made: &Lowered, d: u64, t: u64, p: u64| x86_64(made, "socket", &[d, t, p]);
    for domain in [inet, inet6] {
        assert_eq!(socket(&made, domain, stream | flags, 0), ALLOW);
        assert_eq!(socket(&made, domain, stream, value("IPPROTO_TCP")), ALLOW);
        for protocol in ["IPPROTO_MPTCP", "IPPROTO_SCTP", "IPPROTO_UDP"] {
            assert_eq!(socket(&made, domain, stream, value(protocol)), EPERM, "{protocol}");
        }
        assert_eq!(socket(&made, domain, dgram, 0), EPERM);
        assert_eq!(socket(&made, domain, value("SOCK_RAW"), 6), EPERM);
    }
    assert_eq!((socket(&made, unix, stream, 0), socket(&made, value("AF_SMC"), stream, 0)), (EPERM, EPERM));
    assert_eq!(
        (x86_64(&made, "connect", &[]), x86_64(&made, "bind", &[]), x86_64(&made, "listen", &[])),
        (ALLOW, EPERM, EPERM)
    );

    let made = lowered(
        "allow bind udp port 53; allow listen unix stream \"/run/x\"; allow socket netlink route; allow socket icmp;",
    );
    assert_eq!(
        (socket(&made, inet, dgram, 17), socket(&made, inet6, dgram, 0), socket(&made, inet, dgram, 136)),
        (ALLOW, ALLOW, EPERM)
    );
    assert_eq!((socket(&made, unix, stream, 0), socket(&made, unix, dgram, 0)), (ALLOW, EPERM));
    let netlink = value("AF_NETLINK");
    assert_eq!((socket(&made, netlink, value("SOCK_RAW"), 0), socket(&made, netlink, 3, 9)), (ALLOW, EPERM));
    assert_eq!(
        (socket(&made, inet, dgram, 1), socket(&made, inet6, dgram, 58), socket(&made, inet6, dgram, 1)),
        (ALLOW, ALLOW, EPERM)
    );
    assert_eq!((x86_64(&made, "accept4", &[]), x86_64(&made, "bind", &[])), (ALLOW, ALLOW));
    let made = lowered("allow socket packet;");
    assert_eq!((socket(&made, inet, 10, 3), socket(&made, value("AF_PACKET"), 3, 0)), (ALLOW, ALLOW));
    let made = lowered("allow syscall socket; deny socket packet; deny connect, bind, listen tcp;");
    assert_eq!(
        (socket(&made, inet, 10, 3), socket(&made, inet, stream, 0), socket(&made, inet, stream, 262)),
        (EPERM, EPERM, ALLOW)
    );
}

#[test]
fn fast_open_needs_every_port() {
    let fast = value("MSG_FASTOPEN");
    for (rules, action) in [
        ("allow connect tcp port 443;", EOPNOTSUPP),
        ("allow connect tcp;", ALLOW),
        ("allow bind tcp port 80;", EOPNOTSUPP),
    ] {
        let made = lowered(rules);
        assert_eq!(x86_64(&made, "sendto", &[3, 0, 0, fast]), action, "{rules}");
        assert_eq!(x86_64(&made, "sendmsg", &[3, 0, fast | 1]), action, "{rules}");
        assert_eq!(x86_64(&made, "sendmmsg", &[3, 0, 1, fast]), action, "{rules}");
        assert_eq!(x86_64(&made, "sendto", &[3, 0, 0, 0x4000]), ALLOW, "{rules}");
    }
    let made = lowered("allow connect tcp; deny connect tcp port 25; allow syscall sendto;");
    assert_eq!(x86_64(&made, "sendto", &[3, 0, 0, fast]), EOPNOTSUPP);
    let made = lowered("allow syscall read;");
    assert_eq!(x86_64(&made, "sendto", &[3, 0, 0, fast]), EPERM, "not allowed at all");
}

#[test]
fn files_bring_whole_families() {
    let made = lowered("allow read \"/srv/**\";");
    for call in [
        "open",
        "openat",
        "openat2",
        "stat",
        "newfstatat",
        "statx",
        "access",
        "faccessat2",
        "readlink",
        "read",
        "pread64",
        "mmap",
        "getxattr",
    ] {
        assert_eq!(x86_64(&made, call, &[]), ALLOW, "{call}");
    }
    for call in
        ["write", "getdents64", "mkdir", "unlink", "rename", "link", "flock", "mprotect", "mknod", "execve"]
    {
        assert_eq!(x86_64(&made, call, &[]), EPERM, "{call}");
    }
    assert_eq!(x86_64(&made, "chmod", &[]), EPERM);
    assert_eq!((x86_64(&made, "ioctl", &[0, 0x5401]), x86_64(&made, "ioctl", &[0, 0x5412])), (ALLOW, EPERM));
    let made = lowered("allow list, append, delete, link, lock, map \"/srv/**\"; allow run \"/usr/bin/x\";");
    for call in
        ["getdents64", "write", "unlinkat", "renameat2", "linkat", "flock", "mprotect", "execve", "execveat"]
    {
        assert_eq!(x86_64(&made, call, &[]), ALLOW, "{call}");
    }
    assert_eq!((x86_64(&made, "truncate", &[]), x86_64(&made, "mkdir", &[])), (EPERM, EPERM));
}

#[test]
fn set_id_bits_need_their_own_word() {
    let made = lowered("allow create, setattr \"/srv/**\";");
    let creat = value("O_CREAT");
    assert_eq!(
        (x86_64(&made, "open", &[0, creat, 0o644]), x86_64(&made, "open", &[0, creat, 0o4755])),
        (ALLOW, EPERM)
    );
    assert_eq!(x86_64(&made, "open", &[0, 0, 0o4755]), ALLOW, "no mode is taken without a file to make");
    assert_eq!(x86_64(&made, "openat", &[0, 0, 0x40_0000, 0o2755]), EPERM);
    assert_eq!(x86_64(&made, "openat2", &[]), ENOSYS, "its mode cannot be seen");
    for call in ["chmod", "fchmod", "creat"] {
        assert_eq!(
            (x86_64(&made, call, &[0, 0o755]), x86_64(&made, call, &[0, 0o6755])),
            (ALLOW, EPERM),
            "{call}"
        );
    }
    for call in ["fchmodat", "fchmodat2"] {
        assert_eq!(
            (x86_64(&made, call, &[0, 0, 0o1777]), x86_64(&made, call, &[0, 0, 0x1_0000 | 0o2755])),
            (ALLOW, EPERM),
            "{call}"
        );
    }
    let node = |mode: u64| x86_64(&made, "mknodat", &[0, 0, mode]);
    assert_eq!((node(0o010_0644), node(0o100_0644), node(0), node(0o100_4755)), (ALLOW, ALLOW, ALLOW, EPERM));
    assert_eq!((node(0o002_0644), node(0o006_0644)), (EPERM, EPERM), "devices");
    let made = lowered("allow create, setattr setid \"/srv/**\"; allow mknod \"/dev/**\";");
    assert_eq!((x86_64(&made, "chmod", &[0, 0o4755]), x86_64(&made, "openat2", &[])), (ALLOW, ALLOW));
    assert_eq!(x86_64(&made, "mknod", &[0, 0o006_0644]), ALLOW);
}

#[test]
fn mounts_are_told_apart_by_their_flags() {
    let (bind, rec, remount, private) =
        (value("MS_BIND"), value("MS_REC"), value("MS_REMOUNT"), value("MS_PRIVATE"));
    let mount = |made: &Lowered, flags: u64| x86_64(made, "mount", &[0, 0, 0, flags]);
    let made = lowered("allow mount bind \"/a\" -> \"/b\";");
    assert_eq!(
        (mount(&made, bind), mount(&made, bind | rec), mount(&made, 0), mount(&made, remount | bind)),
        (ALLOW, EPERM, EPERM, EPERM)
    );
    let made = lowered("allow mount type tmpfs -> \"/b\" options ro, nosuid;");
    assert_eq!((mount(&made, 3), mount(&made, 1), mount(&made, 3 | bind)), (ALLOW, EPERM, EPERM));
    let made = lowered("allow mount type tmpfs -> \"/b\";");
    assert_eq!(
        (mount(&made, 7), mount(&made, private), mount(&made, remount), mount(&made, value("MS_MOVE"))),
        (ALLOW, EPERM, EPERM, EPERM)
    );
    let made = lowered(
        "allow mount make private -> \"/b\"; allow unmount \"/b\"; allow pivot_root \"/a\" -> \"/b\";",
    );
    assert_eq!(
        (mount(&made, private), mount(&made, private | rec), mount(&made, 0xc0ed_0000)),
        (ALLOW, EPERM, EPERM)
    );
    assert_eq!((x86_64(&made, "umount2", &[]), x86_64(&made, "pivot_root", &[])), (ALLOW, ALLOW));
    assert_eq!(x86_64(&made, "fsopen", &[]), ENOSYS, "mount(8) falls back");
}

#[test]
fn other_kinds_bring_their_calls() {
    let made = lowered(
        "allow signal send term to any; allow ptrace trace self; allow mqueue read \"/q\"; allow shm; allow keyring; allow perf;
         allow capability sys_time, setuid;",
    );
    for call in [
        "kill",
        "tgkill",
        "pidfd_send_signal",
        "ptrace",
        "process_vm_writev",
        "mq_timedreceive",
        "shmget",
        "keyctl",
        "perf_event_open",
        "clock_settime",
        "setresuid",
    ] {
        assert_eq!(x86_64(&made, call, &[]), ALLOW, "{call}");
    }
    assert_eq!((x86_64(&made, "mq_open", &[0, 0]), x86_64(&made, "mq_open", &[0, 0o100])), (ALLOW, EPERM));
    for call in ["mq_timedsend", "mq_unlink", "setgid", "reboot", "bpf"] {
        assert_eq!(x86_64(&made, call, &[]), EPERM, "{call}");
    }
    let made = lowered("syscall infer off; allow read \"/srv/**\"; allow connect tcp;");
    assert_eq!((x86_64(&made, "openat", &[]), x86_64(&made, "socket", &[2, 1])), (EPERM, EPERM));
    let made = lowered("allow syscall keyctl, shmget; deny keyring;");
    assert_eq!((x86_64(&made, "keyctl", &[]), x86_64(&made, "shmget", &[])), (EPERM, ALLOW));
}

#[test]
fn rules_may_be_for_some_architectures() {
    let made = lowered("allow syscall getuid on aarch64; allow syscall getgid;");
    assert_eq!(
        (on(&made, Arch::Aarch64, "getuid", &[]), on(&made, Arch::Riscv64, "getuid", &[])),
        (ALLOW, EPERM)
    );
    assert!(Arch::DEFAULT.iter().all(|a| on(&made, *a, "getgid", &[]) == ALLOW));
}

#[test]
fn the_order_of_rules_changes_nothing() {
    let rules = [
        "allow syscall read, ioctl;",
        "deny syscall ioctl where cmd == TIOCSTI with kill;",
        "deny syscall ioctl where cmd > 0x5400;",
        "allow connect tcp port 1-10;",
        "allow create \"/srv/**\";",
        "allow audit syscall kill where sig in [1, 2, 15];",
        "deny syscall kill where sig & 8 != 0 with trap;",
    ];
    let bytes = |order: &[usize]| {
        let body: Vec<&str> = order.iter().map(|i| rules[*i]).collect();
        lowered(&body.join("\n")).filters.into_values().flatten().map(|f| f.encode()).collect::<Vec<_>>()
    };
    let first = bytes(&[0, 1, 2, 3, 4, 5, 6]);
    for order in [[6, 5, 4, 3, 2, 1, 0], [3, 1, 4, 0, 6, 2, 5], [2, 0, 1, 6, 5, 4, 3]] {
        assert_eq!(bytes(&order), first, "{order:?}");
    }
}

#[test]
fn families_name_calls_that_exist() {
    let lists = [
        families::PATHS,
        families::READ,
        families::LIST,
        families::WRITE,
        families::TRUNCATE,
        families::CREATE,
        families::DELETE,
        families::LINK,
        families::LOCK,
        families::SETATTR,
        families::MAP,
        families::MKNOD,
        families::RUN,
        families::SOCKET_USE,
        families::LISTEN,
        families::NAMESPACES,
        families::USERNS,
        families::SIGNAL,
        families::PTRACE_READ,
        families::PTRACE_TRACE,
        families::UNMOUNT,
        families::IO_URING,
        families::MQUEUE_READ,
        families::MQUEUE_WRITE,
        families::SHM,
        families::KEYRING,
    ];
    let capabilities = (0..64).map(families::capability);
    for list in lists.into_iter().chain(capabilities) {
        assert!(list.is_sorted() && list.iter().all(|n| lookup(n) == Some(*n)), "{list:?}");
    }
    for name in
        calls(Family::Paths, Context::default()).iter().chain(&calls(Family::Setattr, Context::default()))
    {
        assert_eq!(lookup(name.0), Some(name.0));
    }
}

#[test]
fn constants_are_those_of_the_headers() {
    for (name, own) in [
        ("AF_UNIX", families::AF_UNIX),
        ("AF_INET", families::AF_INET),
        ("AF_INET6", families::AF_INET6),
        ("AF_NETLINK", families::AF_NETLINK),
        ("AF_PACKET", families::AF_PACKET),
        ("AF_ALG", families::AF_ALG),
        ("AF_VSOCK", families::AF_VSOCK),
        ("SOCK_STREAM", families::SOCK_STREAM),
        ("SOCK_DGRAM", families::SOCK_DGRAM),
        ("SOCK_RAW", families::SOCK_RAW),
        ("SOCK_SEQPACKET", families::SOCK_SEQPACKET),
        ("SOCK_PACKET", families::SOCK_PACKET),
        ("IPPROTO_ICMP", families::IPPROTO_ICMP),
        ("IPPROTO_TCP", families::IPPROTO_TCP),
        ("IPPROTO_UDP", families::IPPROTO_UDP),
        ("IPPROTO_ICMPV6", families::IPPROTO_ICMPV6),
        ("IPPROTO_SCTP", families::IPPROTO_SCTP),
    ] {
        assert_eq!(constant(name), Some(u64::from(own)), "{name}");
    }
    use crate::seccomp::model::{ENOSYS, EOPNOTSUPP, EPERM};
    let errnos = [("EPERM", EPERM), ("ENOSYS", ENOSYS), ("EOPNOTSUPP", EOPNOTSUPP)];
    assert!(errnos.iter().all(|(n, e)| constant(n) == Some(u64::from(*e))));
}
