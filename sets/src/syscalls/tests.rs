use super::*;
use std::collections::BTreeSet;

/// The numbers of a published crate, an independent reading of the same kernel tables.
macro_rules! published {
    ($module:ident) => {
        (0..2_000)
            .filter_map(|nr| {
                Some((
                    u32::try_from(nr).ok()?,
                    ::syscalls::$module::Sysno::new(nr)?.name().trim_start_matches("r#").to_owned(),
                ))
            })
            .collect::<Vec<_>>()
    };
}

/// Entries of the crate that the kernel's own headers do not have: the calls with 64-bit times exist on 32-bit architectures only,
/// and LoongArch came after three old calls had been retired.
fn known_mistake(arch: Arch, name: &str, nr: u32) -> bool {
    match arch {
        Arch::Aarch64 => (403..=423).contains(&nr),
        Arch::Loongarch64 => {
            (403..=423).contains(&nr) || ["renameat", "getrlimit", "setrlimit"].contains(&name)
        }
        _ => false,
    }
}

#[test]
fn numbers_agree_with_the_published_tables() {
    let peers = [
        (Arch::X86_64, published!(x86_64)),
        (Arch::X86, published!(x86)),
        (Arch::Aarch64, published!(aarch64)),
        (Arch::Arm, published!(arm)),
        (Arch::Riscv64, published!(riscv64)),
        (Arch::Ppc64le, published!(powerpc64)),
        (Arch::S390x, published!(s390x)),
        (Arch::Loongarch64, published!(loongarch64)),
    ];
    for (arch, peer) in peers {
        assert!(peer.len() > 290, "{arch:?}");
        for (nr, theirs) in peer {
            let theirs = if theirs == "fstatat" { "newfstatat" } else { &theirs };
            if !known_mistake(arch, theirs, nr) {
                assert_eq!(lookup(theirs).and_then(|n| number(arch, n)), Some(nr), "{arch:?} {theirs}");
            }
        }
    }
}

#[test]
fn the_newest_calls_are_there() {
    for arch in Arch::ALL {
        let bit = if arch == Arch::X32 { 0x4000_0000 } else { 0 };
        for (nr, name_) in [(452, "fchmodat2"), (467, "open_tree_attr"), (470, "listns"), (472, "fchroot")] {
            assert_eq!(number(arch, name_), Some(nr | bit), "{arch:?}");
            assert_eq!(name(arch, nr | bit), Some(name_), "{arch:?}");
        }
    }
}

#[test]
fn numbers_and_names_are_inverse() {
    for arch in Arch::ALL {
        for call in names() {
            if let Some(nr) = number(arch, call) {
                assert_eq!(name(arch, nr), Some(call));
                assert!(nr <= max_number(arch));
            }
        }
        assert!(numbers(arch).iter().all(|(nr, call)| number(arch, call) == Some(*nr)));
        assert_eq!(name(arch, max_number(arch) + 1), None);
        let places = numbers(arch).iter().map(|e| index(e.1)).collect::<Vec<_>>();
        assert_eq!(places, indices(arch).iter().map(|i| Some(usize::from(*i))).collect::<Vec<_>>());
    }
    assert!(names().is_sorted() && names().all(|n| Arch::ALL.iter().any(|a| number(*a, n).is_some())));
}

#[test]
fn x32_is_told_from_x86_64_by_one_bit() {
    assert!(numbers(Arch::X32).iter().all(|e| e.0 & 0x4000_0000 != 0));
    assert!(numbers(Arch::X86_64).iter().all(|e| e.0 & 0x4000_0000 == 0));
    assert_eq!(number(Arch::X32, "execve"), Some(0x4000_0000 + 520));
}

#[test]
fn every_call_is_classified() {
    let grouped: BTreeSet<&str> = groups().filter(|g| g.0 != "known").flat_map(|g| g.1).copied().collect();
    let loose: Vec<&str> = names().filter(|n| !grouped.contains(n)).collect();
    assert!(loose.is_empty(), "add to data/groups.manual.tsv: {loose:?}");
    assert_eq!(group("known").map(<[_]>::len), Some(names().len()));
    for (group_, calls) in groups() {
        assert!(!group_.contains('-') && !calls.is_empty());
        assert!(calls.iter().all(|c| lookup(c) == Some(*c)) && calls.is_sorted());
    }
}

#[test]
fn groups_hold_what_their_names_promise() {
    let has = |g: &str, c: &str| group(g).is_some_and(|calls| calls.contains(&c));
    assert!(has("mount", "mount") && has("mount", "move_mount") && has("module", "finit_module"));
    assert!(has("system_service", "openat") && !has("system_service", "kexec_load"));
    assert!(has("debug", "ptrace") && has("keyring", "keyctl") && has("aio", "io_uring_setup"));
    assert_eq!(group("system-service"), None);
}

#[test]
fn calls_that_callers_do_without_are_known() {
    for yes in [
        "clone3",
        "openat2",
        "pidfd_open",
        "io_uring_enter",
        "getxattrat",
        "lsm_list_modules",
        "futex_time64",
        "clock_gettime64",
    ] {
        assert!(has_fallback(yes), "{yes}");
    }
    for no in ["openat", "clone", "getxattr", "ptrace", "fstat64", "futex"] {
        assert!(!has_fallback(no), "{no}");
    }
}

#[test]
fn every_call_has_arguments_that_a_condition_can_name() {
    for call in names() {
        for arch in Arch::ALL {
            let own = args_on(arch, call);
            assert!(own.len() <= 6, "{call}");
            let distinct: BTreeSet<&str> = own.iter().map(|a| a.name).collect();
            assert_eq!(distinct.len(), own.len(), "{call}");
            // `arg0` and so on are numbers, never names.
            assert!(
                distinct.iter().all(|n| n.strip_prefix("arg").is_none_or(|d| d.parse::<u8>().is_err())),
                "{call}"
            );
            // What differs by architecture is the order and the width, never the names of what is compared.
            let scalars = own.iter().filter(|a| a.kind != ArgKind::Pointer);
            assert!(
                scalars.into_iter().all(|a| args(call).iter().any(|b| b.name == a.name)),
                "{call} {arch:?}"
            );
        }
    }
    assert_eq!(args("no_such_call"), []);
}

#[test]
fn arguments_have_the_kernels_widths() {
    let kind = |call: &str, arg: &str| args(call).iter().find(|a| a.name == arg).map(|a| a.kind);
    assert_eq!(kind("ioctl", "cmd"), Some(ArgKind::U32));
    assert_eq!(kind("chmod", "mode"), Some(ArgKind::U16));
    assert_eq!(kind("clone", "flags"), Some(ArgKind::U32));
    assert_eq!(kind("socket", "domain"), Some(ArgKind::I32));
    assert_eq!(kind("mmap", "len"), Some(ArgKind::U64));
    assert_eq!(kind("lseek", "offset"), Some(ArgKind::I64));
    assert_eq!(kind("openat", "filename"), Some(ArgKind::Pointer));
    assert_eq!(args_on(Arch::S390x, "clone").get(1).map(|a| a.name), Some("flags"));
    assert_eq!(args_on(Arch::X86, "setuid").first().map(|a| a.kind), Some(ArgKind::U16));
    assert!(args("pread64").iter().any(|a| a.name == "pos" && a.pair));
}

#[test]
fn constants_have_the_headers_values() {
    for (name, value) in [
        ("AF_INET", 2),
        ("AF_INET6", 10),
        ("SOCK_STREAM", 1),
        ("CLONE_NEWUSER", 0x1000_0000),
        ("TIOCSTI", 0x5412),
        ("TIOCLINUX", 0x541c),
        ("PROT_EXEC", 4),
        ("MSG_FASTOPEN", 0x2000_0000),
        ("IPPROTO_MPTCP", 262),
        ("AT_FDCWD", 0xffff_ffff_ffff_ff9c),
        ("EPERM", 1),
        ("ADDR_NO_RANDOMIZE", 0x4_0000),
        ("PTRACE_TRACEME", 0),
        ("O_CREAT", 0o100),
        ("FUTEX_WAIT", 0),
        ("KEYCTL_READ", 11),
    ] {
        assert_eq!(constant(name), Some(value), "{name}");
    }
    assert_eq!(constant("AF_INTE"), None);
    assert!(constants().is_sorted());
}

#[test]
fn a_constant_that_differs_by_architecture_has_no_common_value() {
    assert_eq!(constant("O_DIRECTORY"), None);
    assert_eq!(constant_on(Arch::X86_64, "O_DIRECTORY"), Some(0o20_0000));
    assert_eq!(constant_on(Arch::Aarch64, "O_DIRECTORY"), Some(0o4_0000));
    assert_eq!(constant_on(Arch::Ppc64le, "TIOCSTI"), Some(0x5412));
    assert_eq!(constant_on(Arch::Ppc64le, "SO_PEERCRED"), Some(21));
}

#[test]
fn architectures_have_the_kernels_values() {
    for arch in Arch::ALL {
        assert_eq!(Arch::parse(arch.word()), Some(arch));
        assert_eq!(Arch::ALL.get(arch.index()), Some(&arch));
        // __AUDIT_ARCH_64BIT and __AUDIT_ARCH_LE of linux/audit.h
        assert_eq!(arch.audit_value() & 0x8000_0000 != 0, arch.is_64_bit());
        assert_eq!(arch.audit_value() & 0x4000_0000 == 0, arch.is_big_endian());
    }
    assert_eq!(Arch::parse("i386"), None);
}

/// Rules count arguments as x86_64 has them, so that each architecture's own must be found among those by name.
#[test]
fn every_number_that_an_architecture_takes_has_its_name_on_x86_64() {
    for arch in Arch::ALL {
        for (_, call) in numbers(arch) {
            for arg in args_on(arch, call).iter().filter(|a| a.kind != ArgKind::Pointer) {
                let known = args(call).iter().any(|u| u.name == arg.name);
                assert!(known, "{call} of {arch:?} has `{}`", arg.name);
            }
        }
    }
}
