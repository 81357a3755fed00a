//! Path patterns: from the text an author writes to a language of canonical path strings.
//!
//! The universe is the set of canonical absolute paths: no `.`, `..` or empty component, and a trailing `/` on directories and
//! on nothing else (AppArmor's convention), so `/etc/` is the directory and `/etc/hosts` a file in it. Matching is by bytes.

mod atom;
mod escape;
mod few;
mod guide;
pub mod hir;
mod lang;
mod matcher;
mod near;
mod parse;
mod plain;
mod relate;
mod search;
#[cfg(test)]
mod tests;
mod union;

pub use atom::{Atom, Machine, TooLarge};
pub use escape::escape;
pub use lang::{Lang, Universe};
pub use near::{Near, meet};
pub use parse::{MAX_ALTERNATIVES, MAX_PATTERN_BYTES, PatternError, PatternErrorKind};
pub use union::Union;

use std::fmt;
use std::sync::Arc;

/// Where a pattern starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Anchor {
    /// The root directory.
    Root,
    /// `${home}`: any user's home directory, `/root` or `/home/NAME`.
    Home,
    /// `${run_user}`: any user's runtime directory, `/run/user/UID`.
    RunUser,
    /// `${self}`: the `/proc` directory of one of the domain's own processes. As a string it is `/proc/self`.
    SelfProc,
}

/// A part of a component that is not wholly literal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Piece {
    /// These bytes; never a `/`.
    Lit(String),
    /// `?`: exactly one byte that is not `/`.
    Any,
    /// `*`: any number of bytes that are not `/`.
    Star,
    /// `[a-z]` or `[!a-z]`: one byte in, or not in, the ASCII ranges; never `/`.
    Class {
        /// `[!…]`.
        negated: bool,
        /// Inclusive ranges of ASCII bytes, as written.
        ranges: Vec<(u8, u8)>,
    },
}

/// What stands between two slashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Component {
    /// A name without metacharacters.
    Literal(Arc<str>),
    /// A name with metacharacters. A component that is `*` alone needs at least one byte.
    Glob(Vec<Piece>),
    /// `**` in the middle: any number of components, none included.
    Globstar,
}

/// How a pattern ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tail {
    /// `/a/b`: whatever is at that path, file or directory.
    Entry,
    /// `/a/b/`: the directory at that path.
    Directory,
    /// `/a/b/**`: everything below the directory `/a/b`, and the directory itself.
    Subtree,
}

/// One path pattern with its alternatives already expanded.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern {
    anchor: Anchor,
    components: Vec<Component>,
    tail: Tail,
}

impl Pattern {
    /// Parses a pattern; `{a,b}` expands to one pattern per alternative, in the order written and without repetition.
    ///
    /// Leading directories that are links on today's distributions are rewritten to what they point to (`/bin` to `/usr/bin`,
    /// `/var/run` to `/run`), so that both spellings are the same pattern.
    ///
    /// # Errors
    /// What is wrong, with the byte offset in `text`.
    pub fn parse(text: &str) -> Result<Vec<Self>, PatternError> {
        parse::parse(text)
    }

    /// The pattern that matches exactly what is at `path`, which holds no metacharacters with a meaning.
    ///
    /// # Errors
    /// As [`Pattern::parse`].
    pub fn literal_path(path: &str) -> Result<Self, PatternError> {
        parse::parse(&escape(path))?
            .into_iter()
            .next()
            .ok_or(PatternError { kind: PatternErrorKind::NotAbsolute, at: 0 })
    }

    /// A pattern made of the parts of other patterns, for a caller that moves patterns between directories.
    #[must_use]
    pub fn from_parts(anchor: Anchor, mut components: Vec<Component>, tail: Tail) -> Self {
        components.dedup_by(|a, b| *a == Component::Globstar && *b == Component::Globstar);
        Self { anchor, components, tail }
    }

    /// Where the pattern starts.
    #[must_use]
    pub fn anchor(&self) -> Anchor {
        self.anchor
    }

    /// The components after the anchor, without the final `**`.
    #[must_use]
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// How the pattern ends.
    #[must_use]
    pub fn tail(&self) -> Tail {
        self.tail
    }

    /// Whether the anchor is the root and no component has a metacharacter, whatever the tail.
    #[must_use]
    pub fn has_literal_components(&self) -> bool {
        self.anchor == Anchor::Root && self.components.iter().all(|c| matches!(c, Component::Literal(_)))
    }

    /// Whether the pattern names exactly one path.
    pub(crate) fn is_single(&self) -> bool {
        self.tail != Tail::Subtree && self.has_literal_components()
    }

    /// The path without trailing slash, when the pattern names exactly one path (`/` for the root directory).
    #[must_use]
    pub fn as_literal(&self) -> Option<String> {
        self.is_single().then(|| self.literal_prefix())
    }

    /// The directory without trailing slash, when the pattern is `DIR/**` with a literal `DIR` (`/` for the root).
    #[must_use]
    pub fn as_literal_subtree(&self) -> Option<String> {
        (self.tail == Tail::Subtree && self.has_literal_components()).then(|| self.literal_prefix())
    }

    /// The longest run of leading literal components as a path without trailing slash; `/` when there is none.
    ///
    /// For a pattern that starts at a home, runtime or process directory it is what all of those share: `/`, `/run/user`, `/proc/self`.
    #[must_use]
    pub fn literal_prefix(&self) -> String {
        let mut out = match self.anchor {
            Anchor::Root => String::new(),
            Anchor::Home => return "/".into(),
            Anchor::RunUser => return "/run/user".into(),
            Anchor::SelfProc => "/proc/self".into(),
        };
        for component in &self.components {
            let Component::Literal(name) = component else { break };
            out.push('/');
            out.push_str(name);
        }
        if out.is_empty() { "/".into() } else { out }
    }

    /// How many leading components [`Pattern::literal_prefix`] covers.
    #[must_use]
    pub fn literal_prefix_components(&self) -> usize {
        self.components.iter().take_while(|c| matches!(c, Component::Literal(_))).count()
    }

    /// What the pattern says below a directory of this name, its first component taken off: `/*/x` below `a` is `/x`.
    ///
    /// Only for a pattern that starts at the root. Several where `**` may or may not have taken the name, none where it has another.
    #[must_use]
    pub fn below(&self, name: &str) -> Vec<Self> {
        let Some((first, rest)) = self.components.split_first() else {
            return if self.tail == Tail::Subtree { vec![self.clone()] } else { Vec::new() };
        };
        let below = |rest: &[Component]| Self { components: rest.to_vec(), ..*self };
        match first {
            Component::Globstar => {
                let mut out = vec![self.clone()];
                out.extend(below(rest).below(name).into_iter().filter(|p| p != self));
                out
            }
            component if matcher::component(component, name.as_bytes()) => vec![below(rest)],
            _ => Vec::new(),
        }
    }

    /// Whether the pattern matches this canonical path (with a trailing `/` if it is a directory).
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        matcher::matches(self, path.as_bytes())
    }

    /// A copy with another tail.
    #[must_use]
    pub fn with_tail(&self, tail: Tail) -> Self {
        Self { tail, ..self.clone() }
    }
}

impl fmt::Display for Pattern {
    /// The pattern as an author would write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.anchor {
            Anchor::Root => "",
            Anchor::Home => "${home}",
            Anchor::RunUser => "${run_user}",
            Anchor::SelfProc => "${self}",
        })?;
        for component in &self.components {
            match component {
                Component::Literal(name) => write!(f, "/{}", escape(name))?,
                Component::Globstar => f.write_str("/**")?,
                Component::Glob(pieces) => {
                    f.write_str("/")?;
                    pieces.iter().try_for_each(|p| write!(f, "{p}"))?;
                }
            }
        }
        match self.tail {
            Tail::Subtree => f.write_str("/**"),
            Tail::Directory => f.write_str("/"),
            Tail::Entry if self.components.is_empty() && self.anchor == Anchor::Root => f.write_str("/"),
            Tail::Entry => Ok(()),
        }
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({self})")
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lit(text) => f.write_str(&escape(text)),
            Self::Any => f.write_str("?"),
            Self::Star => f.write_str("*"),
            Self::Class { negated, ranges } => {
                f.write_str(if *negated { "[!" } else { "[" })?;
                // Beside what has a meaning everywhere, these have one in a class.
                let end = |c: u8| match c {
                    b'-' | b'!' => format!("\\{}", char::from(c)),
                    _ => escape(&char::from(c).to_string()),
                };
                for (a, b) in ranges {
                    f.write_str(&end(*a))?;
                    if a != b {
                        write!(f, "-{}", end(*b))?;
                    }
                }
                f.write_str("]")
            }
        }
    }
}
