//! Assertions that a policy makes about itself.

use super::{Body, Class, Target};
use crate::source::Span;
use std::sync::Arc;

/// `test "title" { … }`
#[derive(Debug, Clone)]
pub struct Test {
    /// The title.
    pub title: Arc<str>,
    /// The assertions in order.
    pub assertions: Vec<Assertion>,
    /// The title in the source.
    pub span: Span,
}

/// A kind of host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Deployment {
    /// SELinux enforcing.
    Selinux,
    /// AppArmor.
    Apparmor,
    /// Neither: seccomp, Landlock and the runtime.
    Bare,
}

impl Deployment {
    /// All of them, in the order that reports use.
    pub const ALL: [Self; 3] = [Self::Selinux, Self::Apparmor, Self::Bare];

    /// The word for it in policies and reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Selinux => "selinux",
            Self::Apparmor => "apparmor",
            Self::Bare => "bare",
        }
    }
}

/// Whose process makes the request, for rules with `owner`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Who {
    /// The user who owns the file; the default.
    #[default]
    Owner,
    /// The superuser, on a file of another user.
    Root,
    /// An ordinary user, on a file of another user.
    Other,
}

/// A request: a rule body whose values are concrete.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is asked for.
    pub body: Body,
    /// By whom.
    pub who: Who,
    /// The text in the source.
    pub span: Span,
}

/// Which rule a test says decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecidedBy {
    /// The rule with this reason.
    Because(Arc<str>),
    /// The rule with this `@id`.
    Id(Arc<str>),
}

/// One statement of a test.
#[derive(Debug, Clone)]
pub struct Assertion {
    /// The policy it is about.
    pub policy: Arc<str>,
    /// What it claims.
    pub claim: Claim,
    /// On which deployments; all when the author named none.
    pub on: Vec<Deployment>,
    /// The statement.
    pub span: Span,
}

/// What an assertion claims.
#[derive(Debug, Clone)]
pub enum Claim {
    /// `P allows REQUEST`
    Allows(Request),
    /// `P denies REQUEST`
    Denies(Request, Option<DecidedBy>),
    /// `P never BODY`: every request that matches is denied.
    Never(Request),
    /// `P loses nothing on TARGET [for CLASS]`
    LosesNothing(Target, Option<Class>),
    /// `P reaches Q`, or `P never reaches Q` when `not`.
    Reaches {
        /// The other policy.
        to: Arc<str>,
        /// Whether it must not be reachable.
        not: bool,
    },
}
