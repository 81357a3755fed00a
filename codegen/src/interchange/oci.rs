//! The `seccomp` object of the OCI runtime specification (`config-linux.md`), and what Docker's own profiles have besides.

use canc_sets::syscalls::Arch;
use serde::{Deserialize, Serialize};

/// A profile. Fields that nobody knows are refused: what they say would be lost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Profile {
    /// What is done where no entry matches.
    pub default_action: String,
    /// The error number of a default `SCMP_ACT_ERRNO`; `EPERM` where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_errno_ret: Option<u32>,
    /// Architectures besides the host's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architectures: Option<Vec<String>>,
    /// Docker's form of the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arch_map: Option<Vec<ArchMap>>,
    /// Flags of seccomp(2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<Vec<String>>,
    /// The socket of a listener.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listener_path: Option<String>,
    /// What a listener is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listener_metadata: Option<String>,
    /// The entries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub syscalls: Option<Vec<Entry>>,
}

/// An architecture and those whose programs its kernels run too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ArchMap {
    /// `SCMP_ARCH_…`
    pub architecture: String,
    /// `SCMP_ARCH_…`
    #[serde(default)]
    pub sub_architectures: Option<Vec<String>>,
}

/// What is done with some calls.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Entry {
    /// The calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<String>>,
    /// One call, as profiles had it first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What is done.
    pub action: String,
    /// The error number of `SCMP_ACT_ERRNO`; `EPERM` where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errno_ret: Option<u32>,
    /// On which arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<Vec<ArgEntry>>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Where Docker takes the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub includes: Option<Where>,
    /// Where Docker does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excludes: Option<Where>,
}

/// A comparison.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ArgEntry {
    /// The register, from 0.
    pub index: u32,
    /// With what it is compared; for `SCMP_CMP_MASKED_EQ` the mask.
    pub value: u64,
    /// For `SCMP_CMP_MASKED_EQ` with what the masked register is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_two: Option<u64>,
    /// `SCMP_CMP_…`
    pub op: String,
}

/// Where an entry of Docker's profiles applies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Where {
    /// Capabilities such as `CAP_SYS_ADMIN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caps: Option<Vec<String>>,
    /// Architectures of the host, named as Go does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arches: Option<Vec<String>>,
    /// The oldest kernel, such as `4.8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_kernel: Option<String>,
}

/// The names of libseccomp for architectures (`scmp_arch`), in the order of [`Arch::ALL`].
const ARCHES: [&str; Arch::ALL.len()] = [
    "SCMP_ARCH_X86_64",
    "SCMP_ARCH_X32",
    "SCMP_ARCH_X86",
    "SCMP_ARCH_AARCH64",
    "SCMP_ARCH_ARM",
    "SCMP_ARCH_RISCV64",
    "SCMP_ARCH_PPC64LE",
    "SCMP_ARCH_S390X",
    "SCMP_ARCH_LOONGARCH64",
];

/// Architectures of the specification for which there are no tables here.
pub const WITHOUT_TABLES: [&str; 14] = [
    "SCMP_ARCH_M68K",
    "SCMP_ARCH_MIPS",
    "SCMP_ARCH_MIPS64",
    "SCMP_ARCH_MIPS64N32",
    "SCMP_ARCH_MIPSEL",
    "SCMP_ARCH_MIPSEL64",
    "SCMP_ARCH_MIPSEL64N32",
    "SCMP_ARCH_PPC",
    "SCMP_ARCH_PPC64",
    "SCMP_ARCH_S390",
    "SCMP_ARCH_SH",
    "SCMP_ARCH_SHEB",
    "SCMP_ARCH_PARISC",
    "SCMP_ARCH_PARISC64",
];

/// The name of an architecture.
#[must_use]
pub fn arch_name(arch: Arch) -> &'static str {
    ARCHES.get(arch.index()).copied().unwrap_or_default()
}

/// The architecture with this name.
#[must_use]
pub fn arch(name: &str) -> Option<Arch> {
    Arch::ALL.into_iter().find(|a| arch_name(*a) == name)
}

/// The architecture that Go, and so Docker, calls so.
#[must_use]
pub fn go_arch(name: &str) -> Option<Arch> {
    Some(match name {
        "amd64" => Arch::X86_64,
        "x32" => Arch::X32,
        "386" | "x86" => Arch::X86,
        "arm64" => Arch::Aarch64,
        "arm" => Arch::Arm,
        "riscv64" => Arch::Riscv64,
        "ppc64le" => Arch::Ppc64le,
        "s390x" => Arch::S390x,
        "loong64" | "loongarch64" => Arch::Loongarch64,
        _ => return None,
    })
}
