//! Two patterns to "meet" or "covers" by looking at their components, where that tells it; and one pattern to a path of it.
//!
//! Most questions about policies are about literal paths and subtrees. Answering those here costs a comparison; the rest go to
//! the automata. An answer that is given is exact.

use super::matcher::glob;
use super::{Anchor, Component, Pattern, Piece, Tail};
use std::sync::Arc;

impl Pattern {
    /// Whether both have a path in common; `None` where only the automata can tell.
    #[must_use]
    pub fn meets(&self, other: &Self) -> Option<bool> {
        if self == other {
            return Some(true);
        }
        if let Some(paths) = self.few_paths() {
            return Some(paths.iter().any(|p| other.matches(p)));
        }
        if let Some(paths) = other.few_paths() {
            return Some(paths.iter().any(|p| self.matches(p)));
        }
        if self.lies_in_subtree(other) || other.lies_in_subtree(self) {
            return Some(true);
        }
        let apart = |a: &[Component]| other.views().iter().all(|b| components_differ(a, b));
        if self.views().iter().all(|a| apart(a)) { Some(false) } else { None }
    }

    /// Whether every path of `other` is one of this pattern; `None` where only the automata can tell.
    #[must_use]
    pub fn covers(&self, other: &Self) -> Option<bool> {
        if self == other || self.as_literal_subtree().as_deref() == Some("/") || other.lies_in_subtree(self) {
            return Some(true);
        }
        if let Some(paths) = other.few_paths() {
            return Some(paths.iter().all(|p| self.matches(p)));
        }
        if self.meets(other) == Some(false) { Some(false) } else { None }
    }

    /// Literal directories (or paths) without trailing slash that together hold all paths of the pattern.
    #[must_use]
    pub fn prefixes(&self) -> Vec<String> {
        let view = |names: &[Component]| {
            let mut out = String::new();
            for component in names {
                let Component::Literal(name) = component else { break };
                out.push('/');
                out.push_str(name);
            }
            if out.is_empty() { "/".into() } else { out }
        };
        match self.anchor {
            Anchor::Root => vec![self.literal_prefix()],
            _ => self.views().iter().map(|v| view(v)).collect(),
        }
    }

    /// A path that the pattern matches, short and readable; `None` where it has none of the kind that is asked for.
    #[must_use]
    pub fn example(&self, directory: bool) -> Option<String> {
        self.example_with(directory, "")
    }

    /// The same with `fill` (without slash) in the place of every `*`, and of what lies below a subtree's directory; where that
    /// cannot be empty, an empty `fill` stands for `a`.
    #[must_use]
    pub fn example_with(&self, directory: bool, fill: &str) -> Option<String> {
        let below = if fill.is_empty() { "a" } else { fill };
        let mut out: String = match self.anchor {
            Anchor::Root => String::new(),
            Anchor::Home => "/root".into(),
            Anchor::RunUser => "/run/user/1000".into(),
            Anchor::SelfProc => "/proc/self".into(),
        };
        for component in &self.components {
            out.push('/');
            match component {
                Component::Literal(name) => out.push_str(name),
                Component::Globstar => {
                    out.pop();
                }
                Component::Glob(pieces) => out.push_str(&example_name(pieces, fill)?),
            }
        }
        match (self.tail, directory) {
            (Tail::Directory, false) => return None,
            (Tail::Subtree, false) => {
                out.push('/');
                out.push_str(below);
            }
            (Tail::Entry, false) if out.is_empty() => return None,
            (Tail::Entry, false) => {}
            (Tail::Subtree, true) if !fill.is_empty() => {
                out.push('/');
                out.push_str(fill);
                out.push('/');
            }
            (_, true) => out.push('/'),
        }
        self.matches(&out).then_some(out)
    }

    /// The paths of a pattern that has one or two.
    pub(super) fn few_paths(&self) -> Option<Vec<String>> {
        let path = self.as_literal()?;
        Some(match (self.tail, path.as_str()) {
            (_, "/") => vec![path],
            (Tail::Directory, _) => vec![format!("{path}/")],
            _ => vec![format!("{path}/"), path],
        })
    }

    /// Whether `other` is a literal directory's subtree and this pattern starts below that directory.
    fn lies_in_subtree(&self, other: &Self) -> bool {
        if other.tail != Tail::Subtree || !other.has_literal_components() {
            return false;
        }
        let inside = |view: &Vec<Component>| {
            view.starts_with(&other.components)
                && view.get(other.components.len()).is_some_and(|c| *c != Component::Globstar)
        };
        self.views().iter().all(inside)
    }

    /// The components from the root; a home directory is in one of two places.
    fn views(&self) -> Vec<Vec<Component>> {
        let literal = |name: &str| Component::Literal(Arc::from(name));
        let some = Component::Glob(vec![Piece::Star]);
        let starts = match self.anchor {
            Anchor::Root => return vec![self.components.clone()],
            Anchor::Home => vec![vec![literal("root")], vec![literal("home"), some]],
            Anchor::RunUser => vec![vec![literal("run"), literal("user"), some]],
            Anchor::SelfProc => vec![vec![literal("proc"), literal("self")]],
        };
        starts.into_iter().map(|s| s.into_iter().chain(self.components.iter().cloned()).collect()).collect()
    }
}

/// Whether some component that stands in the same place of both can never be the same name.
fn components_differ(a: &[Component], b: &[Component]) -> bool {
    for (a, b) in a.iter().zip(b) {
        let apart = match (a, b) {
            (Component::Globstar, _) | (_, Component::Globstar) => return false,
            (Component::Literal(a), Component::Literal(b)) => a != b,
            (Component::Literal(name), Component::Glob(pieces))
            | (Component::Glob(pieces), Component::Literal(name)) => !glob(pieces, name.as_bytes()),
            (Component::Glob(_), Component::Glob(_)) => false,
        };
        if apart {
            return true;
        }
    }
    false
}

fn example_name(pieces: &[Piece], fill: &str) -> Option<String> {
    let spell = |star: &str| {
        pieces
            .iter()
            .map(|piece| {
                Some(match piece {
                    Piece::Lit(text) => text.clone(),
                    Piece::Any => "a".into(),
                    Piece::Star => star.into(),
                    Piece::Class { negated, ranges } => {
                        let member =
                            |b: &u8| ranges.iter().any(|(low, high)| (low..=high).contains(&b)) != *negated;
                        let order = (b'a'..=b'z').chain(b'0'..=b'9').chain(b'A'..=b'Z').chain(b' '..=b'~');
                        char::from(order.filter(|b| *b != b'/').find(member)?).to_string()
                    }
                })
            })
            .collect::<Option<String>>()
    };
    let short = spell(fill)?;
    if matches!(short.as_str(), "" | "." | "..") { spell("a") } else { Some(short) }
}
