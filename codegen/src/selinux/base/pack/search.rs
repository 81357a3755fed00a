//! One path to the entry that labels it.

use super::program;
use super::rank::Kind;
use super::tables::{Entry, Node, Shape, Tables, part};

/// The most directories of a path that the index is asked about.
const DEPTH: usize = 64;

impl Tables {
    /// The entry that labels the file `path` (no trailing slash but for the root) among those whose kind `wanted` accepts.
    ///
    /// The path is looked up as it is: aliases of directories are the caller's work.
    pub fn find(&self, path: &str, wanted: &dyn Fn(Kind) -> bool) -> Option<u32> {
        self.find_plain(path, wanted).or_else(|| self.find_pattern(path, wanted))
    }

    /// The plain path that labels it.
    pub fn find_plain(&self, path: &str, wanted: &dyn Fn(Kind) -> bool) -> Option<u32> {
        let literal = |at: &u32| self.entry(*at).map_or("", |e| self.text(e.literal));
        let first = self.plain.partition_point(|at| literal(at) < path);
        let equal = self.plain.get(first..)?.iter().take_while(|at| literal(at) == path);
        equal.copied().find(|at| self.entry(*at).is_some_and(|e| wanted(e.kind)))
    }

    fn find_pattern(&self, path: &str, wanted: &dyn Fn(Kind) -> bool) -> Option<u32> {
        let mut best = None;
        let mut nodes: [Option<&Node>; DEPTH] = [None; DEPTH];
        let mut used = 0;
        for (slot, node) in nodes.iter_mut().zip(self.nodes_along(path)) {
            *slot = Some(node);
            used += 1;
        }
        // Deeper directories hold longer stems, so they are usually decided by the first hit.
        for node in nodes.iter().take(used).rev().flatten() {
            for at in part(&self.indexed, node.entries) {
                if best.is_some_and(|b| b > *at) {
                    break;
                }
                if self.entry(*at).is_some_and(|e| wanted(e.kind) && self.matches(e, path)) {
                    best = Some(*at);
                    break;
                }
            }
        }
        best
    }

    /// The directories of the index on the way to `path`, the root first.
    pub fn nodes_along<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a Node> {
        let mut rest = path.strip_prefix('/').unwrap_or(path);
        let mut at = self.nodes.first();
        std::iter::from_fn(move || {
            let node = at?;
            at = rest.split_once('/').and_then(|(name, tail)| {
                rest = tail;
                self.child(node, name)
            });
            Some(node)
        })
    }

    /// The subdirectory of this name.
    pub fn child(&self, node: &Node, name: &str) -> Option<&Node> {
        let children = part(&self.nodes, node.children);
        let found = children.binary_search_by(|n| self.text(n.name).cmp(name)).ok()?;
        children.get(found)
    }

    /// An entry by its number.
    pub fn entry(&self, at: u32) -> Option<&Entry> {
        self.entries.get(at as usize)
    }

    /// Whether the entry's pattern matches the path, its kind apart.
    pub fn matches(&self, entry: &Entry, path: &str) -> bool {
        let Some(rest) = path.strip_prefix(self.text(entry.literal)) else { return false };
        match entry.shape {
            Shape::Plain => rest.is_empty(),
            Shape::Below => true,
            Shape::Subtree => rest.is_empty() || rest.starts_with('/'),
            Shape::Program => {
                let needs = self.text(entry.needs);
                (needs.is_empty() || rest.contains(needs))
                    && program::matches(
                        part(&self.program, entry.program),
                        &self.classes_of_bytes,
                        rest.as_bytes(),
                    )
            }
        }
    }
}
