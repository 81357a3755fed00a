//! Directories that are looked up under another name (`file_contexts.subs_dist`): paths and patterns to the names that count.

use super::Base;
use canc_sets::path::{Anchor, Component, Pattern, Tail};
use std::borrow::Cow;

impl Base {
    /// Directories that are looked up as others, in the order in which they are tried.
    pub fn aliases(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rows(0).map(|row| (row.first().copied().unwrap_or(""), row.get(1).copied().unwrap_or("")))
    }

    /// The key under which a canonical path is looked up: aliases applied once, no trailing slash but for the root.
    #[must_use]
    pub fn lookup_key<'p>(&self, path: &'p str) -> Cow<'p, str> {
        let path = if path.len() > 1 { path.strip_suffix('/').unwrap_or(path) } else { path };
        for (from, to) in self.aliases() {
            if let Some(rest) = path.strip_prefix(from)
                && (rest.is_empty() || rest.starts_with('/'))
            {
                return Cow::Owned(format!("{to}{rest}"));
            }
        }
        Cow::Borrowed(path)
    }

    /// The canonical path that is looked up as `key`, through the alias or through none; `None` when no such path is.
    pub(super) fn path_of_key(&self, key: &str, alias: Option<(&str, &str)>) -> Option<String> {
        let Some((from, to)) = alias else { return Some(key.into()) };
        let rest = key.strip_prefix(to)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| format!("{from}{rest}"))
    }

    /// The patterns as which a pattern is looked up: one per alias that it meets, with that alias, and the pattern itself for what
    /// lies under none.
    ///
    /// Patterns that start at a home or runtime directory become patterns from the root.
    #[must_use]
    pub fn images(&self, pattern: &Pattern) -> Vec<Image<'_>> {
        let mut out = Vec::new();
        for rooted in rooted(pattern) {
            let mut taken: Vec<Pattern> = Vec::new();
            let mut whole = true;
            let prefix = rooted.literal_prefix();
            for (from, to) in self.aliases() {
                if !(prefix == "/" || from.starts_with(&prefix) || prefix.starts_with(from)) {
                    continue;
                }
                let below = components(from).try_fold(vec![rooted.clone()], |all, name| {
                    let next: Vec<Pattern> = all.iter().flat_map(|p| p.below(name)).collect();
                    (!next.is_empty()).then_some(next)
                });
                let Some(below) = below else { continue };
                let literal = covered_by(&rooted, from);
                for rest in below {
                    let names = components(to).map(|n| Component::Literal(n.into()));
                    let moved = names.chain(rest.components().iter().cloned()).collect();
                    let pattern = Pattern::from_parts(Anchor::Root, moved, rest.tail());
                    out.push(Image { pattern, without: taken.clone(), alias: Some((from, to)) });
                }
                if literal {
                    whole = false;
                    break;
                }
                let names: Vec<Component> = components(from).map(|n| Component::Literal(n.into())).collect();
                taken.push(Pattern::from_parts(Anchor::Root, names.clone(), Tail::Entry));
                taken.push(Pattern::from_parts(Anchor::Root, names, Tail::Subtree));
            }
            if whole {
                out.push(Image { pattern: rooted, without: taken, alias: None });
            }
        }
        out
    }
}

/// A pattern as it is looked up.
#[derive(Debug, Clone)]
pub struct Image<'b> {
    /// The pattern of keys.
    pub pattern: Pattern,
    /// Canonical paths that are looked up otherwise, when `alias` is `None`.
    pub without: Vec<Pattern>,
    /// The alias that was applied.
    pub alias: Option<(&'b str, &'b str)>,
}

fn components(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|c| !c.is_empty())
}

/// Whether every path of the pattern is at or below the directory.
fn covered_by(pattern: &Pattern, directory: &str) -> bool {
    let prefix = pattern.literal_prefix();
    prefix.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The pattern as patterns from the root: a home is `/root` or `/home/*`, a runtime directory `/run/user/*`.
pub(in crate::selinux) fn rooted(pattern: &Pattern) -> Vec<Pattern> {
    let star = || Component::Glob(vec![canc_sets::path::Piece::Star]);
    let literal = |name: &str| Component::Literal(name.into());
    let starts = match pattern.anchor() {
        Anchor::Root => return vec![pattern.clone()],
        Anchor::Home => vec![vec![literal("root")], vec![literal("home"), star()]],
        Anchor::RunUser => vec![vec![literal("run"), literal("user"), star()]],
        Anchor::SelfProc => vec![vec![literal("proc"), literal("self")]],
    };
    let join = |start: Vec<Component>| {
        let all = start.into_iter().chain(pattern.components().iter().cloned()).collect();
        Pattern::from_parts(Anchor::Root, all, pattern.tail())
    };
    starts.into_iter().map(join).collect()
}
