//! Statements of a policy or a fragment, and what they are under.

use super::{Call, Expr, Name, Rule};
use crate::policy::{Action, Class, Compare, Demand, LimitKind, Mode, NamespaceKind, Target};
use crate::source::Span;
use canc_sets::syscalls::Arch;
use std::sync::Arc;

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
