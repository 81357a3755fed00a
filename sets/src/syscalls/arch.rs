//! The architectures and how the kernel tells them apart.

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
    /// All of them, in the order of the tables.
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

    /// Those that a build serves when nobody says otherwise.
    pub const DEFAULT: [Self; 3] = [Self::X86_64, Self::Aarch64, Self::Riscv64];

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

    /// The architecture with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.word() == word)
    }

    /// Its place in [`Arch::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }

    /// The value that a filter sees (`AUDIT_ARCH_*` of `linux/audit.h`). x32 shares that of x86_64.
    #[must_use]
    pub fn audit_value(self) -> u32 {
        match self {
            Self::X86_64 | Self::X32 => 0xc000_003e,
            Self::X86 => 0x4000_0003,
            Self::Aarch64 => 0xc000_00b7,
            Self::Arm => 0x4000_0028,
            Self::Riscv64 => 0xc000_00f3,
            Self::Ppc64le => 0xc000_0015,
            Self::S390x => 0x8000_0016,
            Self::Loongarch64 => 0xc000_0102,
        }
    }

    /// Whether system calls take 64-bit words. x32 does, in spite of its 32-bit addresses.
    #[must_use]
    pub fn is_64_bit(self) -> bool {
        !matches!(self, Self::X86 | Self::Arm)
    }

    /// Whether the kernel lays out words with the high half first.
    #[must_use]
    pub fn is_big_endian(self) -> bool {
        self == Self::S390x
    }

    /// The architecture whose kernels run its programs: itself, but for x32, x86 and arm.
    #[must_use]
    pub fn host(self) -> Self {
        match self {
            Self::X32 | Self::X86 => Self::X86_64,
            Self::Arm => Self::Aarch64,
            other => other,
        }
    }
}
