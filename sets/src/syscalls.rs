//! System calls: architectures, numbers, arguments and named groups.

/// A system-call architecture, as the kernel's `AUDIT_ARCH_*` values tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the architectures' own names")]
pub enum Arch {
    X86_64,
    X32,
    X86,
    Aarch64,
    Arm,
    Riscv64,
    Ppc64le,
    S390x,
    Loongarch64,
}

impl Arch {
    /// The word for it in policies and on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::X32 => "x32",
            Self::X86 => "x86",
            Self::Aarch64 => "aarch64",
            Self::Arm => "arm",
            Self::Riscv64 => "riscv64",
            Self::Ppc64le => "ppc64le",
            Self::S390x => "s390x",
            Self::Loongarch64 => "loongarch64",
        }
    }
}

impl Arch {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::X86_64,
        Self::X32,
        Self::X86,
        Self::Aarch64,
        Self::Arm,
        Self::Riscv64,
        Self::Ppc64le,
        Self::S390x,
        Self::Loongarch64,
    ];

    /// The architecture with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.word() == word)
    }
}

/// How the kernel takes an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the kinds' own names")]
pub enum ArgKind {
    Pointer,
    I32,
    U32,
    I64,
    U64,
}

/// An argument of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Arg {
    /// Its name.
    pub name: &'static str,
    /// How the kernel takes it.
    pub kind: ArgKind,
}

const fn arg(name: &'static str, kind: ArgKind) -> Arg {
    Arg { name, kind }
}

/// The canonical name of a call.
#[must_use]
pub fn lookup(name: &str) -> Option<&'static str> {
    use std::collections::HashMap;
    use std::sync::OnceLock;
    static NAMES: OnceLock<HashMap<&'static str, ()>> = OnceLock::new();
    NAMES.get_or_init(|| names().map(|n| (n, ())).collect()).get_key_value(name).map(|(n, ())| *n)
}

/// All names.
pub fn names() -> impl Iterator<Item = &'static str> {
    syscalls::x86_64::Sysno::iter().map(|s| s.name())
}

/// The members of a group.
#[must_use]
pub fn group(name: &str) -> Option<&'static [&'static str]> {
    groups().find(|g| g.0 == name).map(|g| g.1)
}

/// All groups.
pub fn groups() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    const GROUPS: &[(&str, &[&str])] = &[
        ("module", &["init_module", "finit_module", "delete_module"]),
        ("raw_io", &["ioperm", "iopl"]),
        ("clock", &["adjtimex", "clock_adjtime", "clock_settime", "settimeofday"]),
    ];
    GROUPS.iter().copied()
}

/// The arguments of a call.
#[must_use]
pub fn args(name: &str) -> &'static [Arg] {
    const SOCKET: &[Arg] =
        &[arg("domain", ArgKind::I32), arg("type", ArgKind::I32), arg("protocol", ArgKind::I32)];
    const CLONE: &[Arg] = &[
        arg("flags", ArgKind::U64),
        arg("newsp", ArgKind::U64),
        arg("parent_tidptr", ArgKind::Pointer),
        arg("child_tidptr", ArgKind::Pointer),
        arg("tls", ArgKind::U64),
    ];
    const IOCTL: &[Arg] = &[arg("fd", ArgKind::U32), arg("cmd", ArgKind::U32), arg("arg", ArgKind::U64)];
    const OPENAT: &[Arg] = &[
        arg("dfd", ArgKind::I32),
        arg("filename", ArgKind::Pointer),
        arg("flags", ArgKind::I32),
        arg("mode", ArgKind::U32),
    ];
    match name {
        "socket" => SOCKET,
        "clone" => CLONE,
        "ioctl" => IOCTL,
        "openat" => OPENAT,
        _ => &[],
    }
}

/// The value of a constant.
#[must_use]
pub fn constant(name: &str) -> Option<u64> {
    const CONSTANTS: &[(&str, u64)] = &[
        ("AF_UNIX", 1),
        ("AF_INET", 2),
        ("AF_INET6", 10),
        ("AF_NETLINK", 16),
        ("AF_PACKET", 17),
        ("CLONE_NEWUSER", 0x1000_0000),
        ("CLONE_NEWNS", 0x2_0000),
        ("TIOCSTI", 0x5412),
        ("AT_FDCWD", 0xffff_ffff_ffff_ff9c),
    ];
    CONSTANTS.iter().find(|c| c.0 == name).map(|c| c.1)
}

/// The number of a call.
#[must_use]
pub fn number(arch: Arch, name: &str) -> Option<u32> {
    let id = match arch {
        Arch::X86_64 => name.parse::<syscalls::x86_64::Sysno>().ok()?.id(),
        Arch::Aarch64 => name.parse::<syscalls::aarch64::Sysno>().ok()?.id(),
        Arch::Riscv64 => name.parse::<syscalls::riscv64::Sysno>().ok()?.id(),
        _ => return None,
    };
    u32::try_from(id).ok()
}
