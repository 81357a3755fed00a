//! The checked policy: what every back end and every question starts from. It knows no target language.

mod body;
mod ops;
mod plain;
mod syscall;
mod test;

pub use body::*;
pub use ops::*;
pub use syscall::*;
pub use test::*;

use crate::source::Span;
use canc_sets::path::Pattern;
use std::ops::Deref;
use std::sync::Arc;

/// Everything a source file defines, checked. Only `check` makes one.
#[derive(Debug, Clone)]
pub struct PolicySet {
    policies: Vec<Policy>,
    tests: Vec<Test>,
}

impl PolicySet {
    pub(crate) fn new(policies: Vec<PolicyData>, tests: Vec<Test>) -> Self {
        Self { policies: policies.into_iter().map(Policy).collect(), tests }
    }

    /// The policies in the order of the source.
    #[must_use]
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// The tests in the order of the source.
    #[must_use]
    pub fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// The policy of this name.
    #[must_use]
    pub fn policy(&self, name: &str) -> Option<&Policy> {
        self.policies.iter().find(|p| &*p.name == name)
    }
}

/// One checked policy. It can be read as a [`PolicyData`] and made by `check` alone, so that no back end sees unchecked input.
#[derive(Debug, Clone)]
pub struct Policy(PolicyData);

impl Deref for Policy {
    type Target = PolicyData;
    fn deref(&self) -> &PolicyData {
        &self.0
    }
}

#[cfg(feature = "testing")]
impl PolicySet {
    /// Wraps data that nobody checked, for unit tests of back ends.
    #[must_use]
    pub fn unchecked(policies: Vec<PolicyData>, tests: Vec<Test>) -> Self {
        Self::new(policies, tests)
    }
}

#[cfg(feature = "testing")]
impl Policy {
    /// Wraps data that nobody checked, for unit tests of back ends.
    #[must_use]
    pub fn unchecked(data: PolicyData) -> Self {
        Self(data)
    }
}

/// The contents of a policy.
#[derive(Debug, Clone, Default)]
pub struct PolicyData {
    /// The name, which also names the profile, the module and the types.
    pub name: Arc<str>,
    /// The name in the source.
    pub span: Span,
    /// Programs that a launch may start in this domain; `attach` paths are among them.
    pub exec: Vec<PathRef>,
    /// Programs that enter the domain whoever starts them.
    pub attach: Vec<PathRef>,
    /// Who may start it; never empty.
    pub launch: Vec<Launcher>,
    /// Demands on back ends. Absent targets have the defaults of the language: seccomp `require`, the others `prefer`.
    pub backends: Vec<BackendDemand>,
    /// Enforce or only log.
    pub mode: Mode,
    /// Classes accepted as unbounded.
    pub tolerate: Vec<Tolerate>,
    /// Resource limits.
    pub limits: Vec<Limit>,
    /// Namespaces made at launch.
    pub isolate: Vec<NamespaceKind>,
    /// Whether two runs may not touch each other's files.
    pub separate_instances: bool,
    /// `Some` with the reason where `no_new_privs off` was written.
    pub no_new_privs_off: Option<Arc<str>>,
    /// The environment at launch.
    pub env: Environment,
    /// Inherited descriptors besides 0 to 2.
    pub keep_descriptors: Vec<u32>,
    /// Whether socket activation descriptors are kept.
    pub keep_activation: bool,
    /// `syscall default …`; `None` leaves the language's default (`ENOSYS` for the calls libc falls back on, else `EPERM`).
    pub syscall_default: Option<Action>,
    /// Whether rules bring the system calls they take (`syscall infer off` clears it).
    pub syscall_infer: bool,
    /// Verbatim text for one target.
    pub raw: Vec<Raw>,
    /// The rules in source order, those of included fragments in place of the `include`. `rules[i].id == RuleId(i)`.
    pub rules: Vec<Rule>,
}

impl PolicyData {
    /// The rule with this number.
    #[must_use]
    pub fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.rules.get(id.0 as usize)
    }

    /// What the policy demands of one back end: its own word, or the language's default.
    #[must_use]
    pub fn demand(&self, target: Target) -> Demand {
        let own = self.backends.iter().find(|b| b.targets.as_slice() == [target]).map(|b| b.demand);
        own.unwrap_or(if target == Target::Seccomp { Demand::Require } else { Demand::Prefer })
    }
}

/// A path pattern and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathRef {
    /// The pattern; the alternatives of one text are several references with one span.
    pub pattern: Pattern,
    /// The string in the source.
    pub span: Span,
}

/// A rule's number within its policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(pub u32);

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its number.
    pub id: RuleId,
    /// `@id(name)`.
    pub name: Option<Arc<str>>,
    /// Allow or deny.
    pub effect: Effect,
    /// `@prefer`: where no layer enforces it, launch all the same.
    pub prefer: bool,
    /// `audit`: log what matches.
    pub audit: bool,
    /// What it is about.
    pub body: Body,
    /// Why.
    pub because: Option<Arc<str>>,
    /// The whole statement.
    pub span: Span,
    /// The `include` statements that brought it, outermost first; empty for the policy's own rules.
    pub included: Arc<[IncludeSite]>,
}

/// One step on the way from a policy to a rule of a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncludeSite {
    /// The fragment as the author named it, such as `std.base`.
    pub fragment: Arc<str>,
    /// The name in the `include` statement.
    pub span: Span,
}

/// Allow or deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// Permits.
    Allow,
    /// Refuses, whatever any rule permits.
    Deny,
}

/// A back end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// An SELinux module.
    Selinux,
    /// An AppArmor profile.
    Apparmor,
    /// A seccomp filter.
    Seccomp,
    /// A Landlock ruleset.
    Landlock,
}

impl Target {
    /// All back ends, in the order that reports use.
    pub const ALL: [Self; 4] = [Self::Selinux, Self::Apparmor, Self::Seccomp, Self::Landlock];

    /// The word for it in policies and reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Selinux => "selinux",
            Self::Apparmor => "apparmor",
            Self::Seccomp => "seccomp",
            Self::Landlock => "landlock",
        }
    }
}

/// What a policy demands of a back end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Demand {
    /// Active and holding this very policy, or no launch.
    Require,
    /// Counts as absent where the host lacks it.
    Prefer,
    /// Not emitted.
    Off,
}

/// `backend selinux or apparmor require;`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendDemand {
    /// One target, or several of which one must do.
    pub targets: Vec<Target>,
    /// The demand.
    pub demand: Demand,
    /// The statement.
    pub span: Span,
}

/// Who may start a policy's programs in its domain.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Launcher {
    /// A user's session.
    User,
    /// The service manager.
    Systemd,
    /// Another policy of the same source, by a `run … -> policy` rule.
    Policy(Arc<str>),
}

/// Enforce or complain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// Refuse what is not allowed.
    #[default]
    Enforce,
    /// Log what would be refused.
    Complain,
}

/// `tolerate CLASS because "why";`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tolerate {
    /// The class.
    pub class: Class,
    /// Why.
    pub because: Arc<str>,
    /// The word in the source.
    pub span: Span,
}

/// A resource that `limit` bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LimitKind {
    /// `RLIMIT_NOFILE`, a count.
    OpenFiles,
    /// `RLIMIT_FSIZE`, bytes.
    FileSize,
    /// `RLIMIT_CPU`, seconds.
    CpuTime,
    /// `RLIMIT_CORE`, bytes.
    Core,
    /// `RLIMIT_STACK`, bytes.
    Stack,
    /// `RLIMIT_MEMLOCK`, bytes.
    LockedMemory,
    /// cgroup v2 `memory.max`, bytes.
    Memory,
    /// cgroup v2 `pids.max`, a count.
    Processes,
    /// cgroup v2 `cpu.max`, percent of one processor.
    Cpu,
}

impl LimitKind {
    /// The word for it in policies.
    #[must_use]
    pub fn word(self) -> &'static str {
        crate::words::LIMITS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

/// `limit WORD N [prefer];`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// What is bounded.
    pub kind: LimitKind,
    /// How much, in the unit of the kind.
    pub value: u64,
    /// Whether to launch where it cannot be set.
    pub prefer: bool,
    /// The statement.
    pub span: Span,
}

/// The environment a launch leaves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environment {
    /// Names kept besides the default ones; a final `*` matches any rest.
    pub keep: Vec<Arc<str>>,
    /// Variables set, in order.
    pub set: Vec<(Arc<str>, Arc<str>)>,
    /// `env clear`: not even the default names are kept.
    pub clear: bool,
}

/// `raw TARGET """…""" because "why";`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// SELinux or AppArmor.
    pub target: Target,
    /// The text.
    pub text: Arc<str>,
    /// Why.
    pub because: Arc<str>,
    /// The statement.
    pub span: Span,
}

/// What kinds of request the report counts together (`language.md` §7 in the reference).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the words of the language, explained in its reference")]
pub enum Class {
    Files,
    Execution,
    FileAttributes,
    TcpConnect,
    TcpBind,
    Udp,
    Sockets,
    UnixSockets,
    Capabilities,
    Signals,
    Ptrace,
    Syscalls,
    Userns,
    Namespaces,
    Mounts,
    IoUring,
    Mqueue,
}

impl Class {
    /// All classes in the order of the reference.
    pub const ALL: [Self; 17] = [
        Self::Files,
        Self::Execution,
        Self::FileAttributes,
        Self::TcpConnect,
        Self::TcpBind,
        Self::Udp,
        Self::Sockets,
        Self::UnixSockets,
        Self::Capabilities,
        Self::Signals,
        Self::Ptrace,
        Self::Syscalls,
        Self::Userns,
        Self::Namespaces,
        Self::Mounts,
        Self::IoUring,
        Self::Mqueue,
    ];

    /// The word for it in policies and reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Execution => "execution",
            Self::FileAttributes => "file_attributes",
            Self::TcpConnect => "tcp_connect",
            Self::TcpBind => "tcp_bind",
            Self::Udp => "udp",
            Self::Sockets => "sockets",
            Self::UnixSockets => "unix_sockets",
            Self::Capabilities => "capabilities",
            Self::Signals => "signals",
            Self::Ptrace => "ptrace",
            Self::Syscalls => "syscalls",
            Self::Userns => "userns",
            Self::Namespaces => "namespaces",
            Self::Mounts => "mounts",
            Self::IoUring => "io_uring",
            Self::Mqueue => "mqueue",
        }
    }
}
