//! Tests and what they assert.

use super::{Body, Expr, Name};
use crate::policy::{Class, Deployment, Target, Who};
use crate::source::Span;

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
