//! What rules say of system calls: which, under which conditions, and what a filter answers.

use canc_sets::syscalls::Arch;

/// What a filter answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// End the process.
    Kill,
    /// End the thread.
    KillThread,
    /// Send SIGSYS.
    Trap,
    /// Fail with this error number.
    Errno(u16),
    /// Ask a user-space listener.
    Notify,
    /// Ask a tracer.
    Trace,
    /// Allow and log.
    Log,
    /// Allow.
    Allow,
}

/// `syscall …`
#[derive(Debug, Clone)]
pub struct SyscallRule {
    /// The calls, groups expanded, in table order without repetition.
    pub calls: Vec<SyscallItem>,
    /// Only on these architectures; `None` for all.
    pub arches: Option<Vec<Arch>>,
    /// `with …` of a deny.
    pub action: Option<Action>,
}

/// One call of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyscallItem {
    /// Its name in the kernel's tables.
    pub name: &'static str,
    /// The group the author named, such as `module` for `@module`.
    pub group: Option<&'static str>,
    /// On which arguments; `None` for all.
    pub condition: Option<Condition>,
}

/// A condition on the scalar arguments of a call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Condition {
    /// All hold; true when empty.
    All(Vec<Condition>),
    /// One holds; false when empty.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// A comparison.
    Test(ArgTest),
    /// The architecture is one of these: how a constant that differs by architecture is compared, as
    /// `(Arch([x86_64]) and flags & 0x10000 != 0) or (Arch([aarch64]) and flags & 0x4000 != 0)`.
    Arch(Vec<Arch>),
}

/// How wide the kernel takes an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Width {
    /// The low 16 bits, unsigned: modes, and the identities of the first 32-bit tables.
    U16,
    /// The low 32 bits, unsigned.
    U32,
    /// The low 32 bits, signed.
    I32,
    /// 64 bits, unsigned (on a 32-bit architecture, 32).
    U64,
    /// 64 bits, signed (on a 32-bit architecture, 32).
    I64,
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the operators' own names")]
pub enum Compare {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// `argN & mask OP value`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArgTest {
    /// Which argument, from 0.
    pub arg: u8,
    /// How the kernel takes it.
    pub width: Width,
    /// Applied before comparing; all ones when the author wrote none. Only with `Eq` and `Ne`.
    pub mask: u64,
    /// The operator.
    pub op: Compare,
    /// The value as the author wrote it, two's complement when negative.
    pub value: u64,
}
