//! What makes a policy impossible to lower, with the place in its source.

use canc_dsl::source::Span;
use std::fmt;
use std::sync::Arc;

/// Why a policy cannot become an SELinux module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LowerError {
    /// The place in the source.
    pub span: Span,
    /// Another place that is part of the trouble.
    pub other: Option<Span>,
    /// What.
    pub kind: LowerErrorKind,
}

/// The kinds of error; each has its own message and help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LowerErrorKind {
    /// `as` on paths that the base labels specifically.
    Specific {
        /// The base's line.
        line: String,
        /// The type that it gives.
        ty: String,
        /// A path that both are about.
        witness: String,
    },
    /// `as` on a pattern that the base has too, letter for letter: two types for one pattern fail the whole installation.
    Identical {
        /// The base's line.
        line: String,
        /// The type that it gives.
        ty: String,
    },
    /// `as` on the contents of a directory that many packages share.
    Shared {
        /// The directory.
        directory: String,
    },
    /// `as` where labels do not come from file contexts.
    Virtual {
        /// The file system's mount point.
        mount: String,
    },
    /// Two labels of one policy on the same paths.
    TwoLabels {
        /// The labels.
        labels: [Arc<str>; 2],
        /// A path of both.
        witness: String,
    },
    /// Two labels for the files that one policy makes in one directory.
    OneParent {
        /// The labels.
        labels: [Arc<str>; 2],
        /// The type of the directory.
        parent: String,
    },
    /// Two policies of the build own the same paths.
    Claimed {
        /// The policies.
        policies: [Arc<str>; 2],
        /// A path of both.
        witness: String,
    },
    /// Denies and exceptions cut a label into too many parts.
    TooManyParts {
        /// The label.
        label: Arc<str>,
        /// The most that are allowed.
        most: usize,
    },
    /// A name that comes out too long, or that cannot be a name.
    Name {
        /// The name.
        name: String,
    },
    /// A pattern whose automaton is too large.
    TooLarge {
        /// The pattern.
        pattern: String,
    },
}

impl LowerErrorKind {
    /// What to write instead.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Specific { .. } => {
                "drop `as` and use the base's own type, or add `takeover` and accept that other domains lose access"
            }
            Self::Identical { .. } => "drop `as`: a pattern that the base labels itself cannot be taken over",
            Self::Shared { .. } => "own a directory below it, or names that start with letters of your own",
            Self::Virtual { .. } => "drop `as`: the kernel labels what is there",
            Self::TwoLabels { .. } => "give the paths one label",
            Self::OneParent { .. } => "give both the same label, or spell the names out",
            Self::Claimed { .. } => "let one policy own the paths and leave `as` out in the other",
            Self::TooManyParts { .. } => "use several labels, or fewer overlapping exceptions",
            Self::Name { .. } => "use a shorter name",
            Self::TooLarge { .. } => "use fewer wildcards",
        }
    }
}

impl fmt::Display for LowerErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Specific { line, ty, witness } => {
                write!(f, "the base labels {witness} as `{ty}` (`{line}`)")
            }
            Self::Identical { line, ty } => write!(f, "the base has `{line}` itself and labels it `{ty}`"),
            Self::Shared { directory } => write!(f, "{directory} is shared by many packages"),
            Self::Virtual { mount } => write!(f, "labels below {mount} do not come from file contexts"),
            Self::TwoLabels { labels: [a, b], witness } => write!(f, "{witness} would be labelled `{a}` and `{b}`"),
            Self::OneParent { labels: [a, b], parent } => {
                write!(f, "new files in a `{parent}` directory would be labelled `{a}` and `{b}`")
            }
            Self::Claimed { policies: [a, b], witness } => {
                write!(f, "policies `{a}` and `{b}` both own {witness}")
            }
            Self::TooManyParts { label, most } => {
                write!(f, "denies and exceptions cut label `{label}` into more than {most} parts")
            }
            Self::Name { name } => write!(f, "`{name}` cannot be a name in an SELinux module"),
            Self::TooLarge { pattern } => write!(f, "the automaton of `{pattern}` is too large"),
        }
    }
}
