//! The syntax tree: every item, statement and rule form with its words understood and its values still as written.
//!
//! A statement that could not be understood is `Broken`; the error has been reported, and whoever comes later passes it by.

use crate::policy::{
    Action, Class, Compare, Demand, Deployment, Facility, FileOps, IoUringUses, LimitKind, Mode, MountFlags,
    MqueueOps, NamespaceKind, NamespaceKinds, NetOp, Propagation, Protocol, PtraceModes, SocketKind, Target,
    UnixTypes, Who,
};
use crate::source::{FileId, Span};
use canc_sets::syscalls::Arch;
use std::sync::Arc;

/// One source text.
#[derive(Debug, Clone, Default)]
pub struct File {
    /// Which text.
    pub id: FileId,
    /// The items in order.
    pub items: Vec<Item>,
    /// Where comments stand, without the line end, in order.
    pub comments: Vec<Span>,
}

/// A name that the source gives to something, or uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name; dotted where it names something of another file.
    pub text: Arc<str>,
    /// Where it stands.
    pub span: Span,
}

/// What stands at the top of a file.
#[derive(Debug, Clone)]
pub enum Item {
    /// `can 1;`
    Edition(Span),
    /// `use "path" as name;`
    Use(Use),
    /// `let name = value;`
    Let(Let),
    /// `param name: type;`
    Param(Param),
    /// `fragment name(…) { … }`
    Fragment(Block),
    /// `policy name { … }`, or a template when it has parameters.
    Policy(Block),
    /// `policy name = template(…);`
    Instance(Instance),
    /// `test "title" { … }`
    Test(Test),
}

/// `use "path" as name;`
#[derive(Debug, Clone)]
pub struct Use {
    /// The path.
    pub path: Expr,
    /// The name for it in this file.
    pub alias: Name,
    /// The statement.
    pub span: Span,
}

/// `let name = value;`
#[derive(Debug, Clone)]
pub struct Let {
    /// The name.
    pub name: Name,
    /// The value; `None` when it could not be understood.
    pub value: Option<Expr>,
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParamKind {
    /// One path, no pattern.
    Path,
    /// A port number.
    Port,
    /// An integer.
    Int,
    /// `true` or `false`.
    Bool,
}

impl ParamKind {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Port => "port",
            Self::Int => "int",
            Self::Bool => "bool",
        }
    }
}

/// `name: type [= value]`
#[derive(Debug, Clone)]
pub struct Param {
    /// The name.
    pub name: Name,
    /// The type; `None` when it could not be understood.
    pub kind: Option<ParamKind>,
    /// The value it has when nobody gives one.
    pub default: Option<Expr>,
}

/// A fragment, a policy or a template.
#[derive(Debug, Clone)]
pub struct Block {
    /// The name.
    pub name: Name,
    /// The parameters; `None` without parentheses.
    pub params: Option<Vec<Param>>,
    /// The statements.
    pub body: Vec<Statement>,
    /// Its first line, without the block.
    pub span: Span,
}

/// `policy name = template(…);`
#[derive(Debug, Clone)]
pub struct Instance {
    /// The name of the new policy.
    pub name: Name,
    /// The template and its arguments.
    pub template: Call,
}

/// A fragment or template with its arguments.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its name.
    pub name: Name,
    /// The arguments in order.
    pub args: Vec<Expr>,
    /// Name and arguments.
    pub span: Span,
}

/// A value as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExprKind {
    /// `"…"`: its text is that of the span.
    String,
    /// `"""…"""`: its text is that of the span.
    Raw,
    /// An integer with its unit's factor already applied.
    Int {
        /// The value.
        value: u64,
        /// The unit.
        unit: Unit,
    },
    /// `low-high`
    Range(u64, u64),
    /// The name of a let, a parameter, a system call or a constant.
    Name,
    /// `@name`, a group of system calls.
    Group,
    /// An IP address, perhaps with a prefix length; its text is that of the span.
    Address,
    /// `[…]`
    List(Vec<Expr>),
}

/// What an integer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Nothing that the author named.
    None,
    /// Bytes: `KiB`, `MiB` and `GiB` are multiplied out.
    Bytes,
    /// Milliseconds: `ms`, `s` and `min` are multiplied out.
    Milliseconds,
    /// `%`
    Percent,
}

/// A statement of a policy or fragment.
#[derive(Debug, Clone)]
pub struct Statement {
    /// What it says.
    pub kind: StatementKind,
    /// The whole statement without its `;`.
    pub span: Span,
}

/// What a statement says.
#[derive(Debug, Clone)]
pub enum StatementKind {
    /// A rule.
    Rule(Box<Rule>),
    /// `exec PATH, …;`
    Exec(Vec<Expr>),
    /// `attach PATH, …;`
    Attach(Vec<Expr>),
    /// `launch from …;`
    Launch(Vec<Launcher>),
    /// `backend … require|prefer|off;`
    Backend {
        /// One, or several of which one must do.
        targets: Vec<Target>,
        /// The demand.
        demand: Demand,
    },
    /// `mode enforce|complain;`
    Mode(Mode),
    /// `include FRAGMENT(args), …;`
    Include(Vec<Call>),
    /// `tolerate CLASS, … because "why";`
    Tolerate {
        /// The classes.
        classes: Vec<(Class, Span)>,
        /// Why.
        because: Expr,
    },
    /// `when COND { … } else { … }`
    When(Box<When>),
    /// `raw TARGET """…""" because "why";`
    Raw {
        /// SELinux or AppArmor.
        target: Target,
        /// The text.
        text: Expr,
        /// Why.
        because: Expr,
    },
    /// `limit WORD N [prefer];`
    Limit {
        /// What is bounded.
        kind: LimitKind,
        /// How much.
        value: Expr,
        /// Launch where it cannot be set.
        prefer: bool,
    },
    /// `isolate KIND, …;`
    Isolate(Vec<NamespaceKind>),
    /// `separate instances;`
    SeparateInstances,
    /// `no_new_privs off because "why";`
    NoNewPrivsOff(Expr),
    /// `env keep "NAME", …;`
    EnvKeep(Vec<Expr>),
    /// `env set NAME "value";`
    EnvSet {
        /// The variable's name.
        name: Expr,
        /// Its value.
        value: Expr,
    },
    /// `env clear;`
    EnvClear,
    /// `keep descriptor N, …;`
    KeepDescriptors(Vec<Expr>),
    /// `keep activation;`
    KeepActivation,
    /// `syscall default ACTION;`
    SyscallDefault(Action),
    /// `syscall infer off;`
    SyscallInferOff,
    /// Not understood; the error has been reported. The statement's first word.
    Broken(Arc<str>),
}

/// Who may start a policy, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launcher {
    /// `user`
    User,
    /// `systemd`
    Systemd,
    /// `policy NAME`
    Policy(Name),
}

/// `when COND { … } else { … }`
#[derive(Debug, Clone)]
pub struct When {
    /// The condition.
    pub condition: WhenCondition,
    /// What holds if it does.
    pub then: Vec<Statement>,
    /// What holds if it does not.
    pub otherwise: Vec<Statement>,
}

/// A condition that is decided when the policy is compiled.
#[derive(Debug, Clone)]
pub enum WhenCondition {
    /// All hold.
    All(Vec<WhenCondition>),
    /// One holds.
    Any(Vec<WhenCondition>),
    /// It does not hold.
    Not(Box<WhenCondition>),
    /// `arch == NAME`, `arch in […]`
    Arch(Vec<Arch>),
    /// `selinux.base == NAME`
    SelinuxBase(Name),
    /// `apparmor.abi >= 4.0`
    ApparmorAbi(Compare, crate::Version),
    /// A boolean parameter.
    Param(Name),
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `@id(name)`
    pub id: Option<Name>,
    /// `@prefer`
    pub prefer: bool,
    /// Whether it is a `deny`.
    pub deny: bool,
    /// `audit`
    pub audit: bool,
    /// What it is about.
    pub body: Body,
    /// `because "why"`
    pub because: Option<Expr>,
}

/// What a rule or a request is about.
#[derive(Debug, Clone)]
pub enum Body {
    /// Accesses to paths.
    File(FileBody),
    /// TCP, UDP, SCTP.
    Net(NetBody),
    /// Unix sockets.
    Unix(UnixBody),
    /// Other socket families.
    Socket(Vec<SocketKind>),
    /// Capabilities.
    Capability {
        /// Bit N is capability N.
        bits: u64,
        /// `in userns`
        in_userns: bool,
    },
    /// System calls.
    Syscall(SyscallBody),
    /// `userns create`
    UsernsCreate,
    /// `namespace …`
    Namespace(NamespaceKinds),
    /// Signals.
    Signal(SignalBody),
    /// Tracing.
    Ptrace {
        /// The kinds of access.
        modes: PtraceModes,
        /// Whom.
        peer: Peer,
    },
    /// Mounts.
    Mount(MountBody),
    /// io_uring; empty when the author named no part.
    IoUring(IoUringUses),
    /// Message queues.
    Mqueue {
        /// What may be done.
        ops: MqueueOps,
        /// The names.
        names: Vec<Expr>,
    },
    /// A whole facility.
    Facility(Facility),
}

/// Accesses to paths.
#[derive(Debug, Clone)]
pub struct FileBody {
    /// What may be done; `replace` and `manage` are multiplied out, `run` is alone here.
    pub ops: FileOps,
    /// The words for it.
    pub words: Span,
    /// Only the owner's files.
    pub owner: bool,
    /// The paths.
    pub paths: Vec<Expr>,
    /// What is taken out.
    pub except: Vec<Expr>,
    /// `as LABEL [takeover]`
    pub label: Option<Label>,
    /// `-> …`
    pub run: Option<RunTarget>,
}

/// `as LABEL [takeover]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The label.
    pub name: Name,
    /// `takeover`
    pub takeover: bool,
}

/// Where an executed program goes, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunTarget {
    /// `-> inherit`
    Inherit,
    /// `-> policy Q`
    Policy(Name),
    /// `-> unconfined`
    Unconfined,
}

/// TCP, UDP, SCTP.
#[derive(Debug, Clone)]
pub struct NetBody {
    /// What may be done.
    pub ops: Vec<(NetOp, Span)>,
    /// The protocol.
    pub protocol: (Protocol, Span),
    /// `address SET`
    pub addresses: Option<Vec<Expr>>,
    /// `port SET`
    pub ports: Option<Vec<Expr>>,
    /// `except SET`
    pub except: Vec<Expr>,
}

/// Unix sockets.
#[derive(Debug, Clone)]
pub struct UnixBody {
    /// `listen`, or `connect`.
    pub listen: bool,
    /// The types.
    pub types: UnixTypes,
    /// Paths or abstract names.
    pub names: Vec<Expr>,
    /// What is taken out.
    pub except: Vec<Expr>,
    /// `to …`
    pub peer: Option<Peer>,
}

/// Another process, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// `self`
    SelfDomain,
    /// `policy NAME`
    Policy(Name),
    /// `user`
    User,
    /// `systemd`
    Systemd,
    /// `any`
    Any,
}

/// System calls.
#[derive(Debug, Clone)]
pub struct SyscallBody {
    /// Calls, groups, lets.
    pub calls: Vec<Expr>,
    /// What is taken out.
    pub except: Vec<Expr>,
    /// `where COND`
    pub condition: Option<Condition>,
    /// `on ARCH, …`
    pub arches: Option<Vec<Arch>>,
    /// `with ACTION`
    pub action: Option<(Action, Span)>,
}

/// A condition on arguments.
#[derive(Debug, Clone)]
pub enum Condition {
    /// All hold.
    All(Vec<Condition>),
    /// One holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// A comparison.
    Test {
        /// The argument, by name or as `argN`.
        arg: Name,
        /// `& mask`
        mask: Option<Vec<Operand>>,
        /// The operator; `Eq` for `in`.
        op: Compare,
        /// The values: one, or those of `in […]`.
        values: Vec<Vec<Operand>>,
        /// `not in`
        negated: bool,
        /// The comparison.
        span: Span,
    },
}

/// A number of a condition: one of several joined by `|`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// An integer; two's complement when negative.
    Int {
        /// Its bits.
        value: u64,
        /// Where it stands.
        span: Span,
    },
    /// A constant such as `AF_INET`, or a let.
    Name(Span),
}

/// Signals.
#[derive(Debug, Clone)]
pub struct SignalBody {
    /// `send`, or `receive`.
    pub send: bool,
    /// Bit N is signal N.
    pub signals: u128,
    /// `to …`, `from …`
    pub peers: Vec<Peer>,
}

/// Mounts.
#[derive(Debug, Clone)]
pub enum MountBody {
    /// `mount type T, … [from SRC] -> DST [options …]`
    New {
        /// The types.
        types: Vec<Name>,
        /// `from SRC`
        source: Option<Expr>,
        /// The mount points.
        target: Vec<Expr>,
        /// `options …`
        options: Option<MountFlags>,
    },
    /// `mount bind|rbind SRC -> DST`
    Bind {
        /// `rbind`
        recursive: bool,
        /// What.
        source: Vec<Expr>,
        /// Where.
        target: Vec<Expr>,
    },
    /// `mount move SRC -> DST`
    Move {
        /// What.
        source: Vec<Expr>,
        /// Where.
        target: Vec<Expr>,
    },
    /// `mount remount OPTIONS -> DST`
    Remount {
        /// The flags; `None` when none is named.
        options: Option<MountFlags>,
        /// `bind` among the options.
        bind: bool,
        /// What.
        target: Vec<Expr>,
    },
    /// `mount make PROPAGATION -> DST`
    Make {
        /// The propagation.
        propagation: Propagation,
        /// Where.
        target: Vec<Expr>,
    },
    /// `unmount DST`
    Unmount(Vec<Expr>),
    /// `pivot_root OLD -> NEW`
    PivotRoot {
        /// Where the old root goes.
        old: Vec<Expr>,
        /// The new root.
        new: Vec<Expr>,
    },
}

/// `test "title" { … }`
#[derive(Debug, Clone)]
pub struct Test {
    /// The title.
    pub title: Expr,
    /// The assertions.
    pub assertions: Vec<Assertion>,
}

/// One statement of a test.
#[derive(Debug, Clone)]
pub struct Assertion {
    /// The policy it is about.
    pub policy: Name,
    /// What it claims.
    pub claim: Claim,
    /// `on …`; empty for all.
    pub on: Vec<Deployment>,
    /// The statement.
    pub span: Span,
}

/// A request as written.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is asked for.
    pub body: Body,
    /// By whom.
    pub who: Who,
    /// The text.
    pub span: Span,
}

/// What an assertion claims.
#[derive(Debug, Clone)]
pub enum Claim {
    /// `P allows REQUEST`
    Allows(Request),
    /// `P denies REQUEST`
    Denies(Request, Option<DecidedBy>),
    /// `P never BODY`
    Never(Request),
    /// `P loses nothing on TARGET [for CLASS]`
    LosesNothing(Target, Option<Class>),
    /// `P reaches Q`, `P never reaches Q`
    Reaches {
        /// The other policy.
        to: Name,
        /// `never`
        not: bool,
    },
}

/// Which rule a test says decides, as written.
#[derive(Debug, Clone)]
pub enum DecidedBy {
    /// `because "why"`
    Because(Expr),
    /// `by @id(name)`
    Id(Name),
}
