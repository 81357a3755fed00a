//! The syntax tree: every item, statement and rule form with its words understood and its values still as written.
//!
//! A statement that could not be understood is `Broken`; the error has been reported, and whoever comes later passes it by.

mod body;
mod statement;
mod test;

pub use body::*;
pub use statement::*;
pub use test::*;

use crate::source::{FileId, Span};
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
