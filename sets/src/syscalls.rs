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
