//! Decision diagrams to how many instructions they will take and how deep they go, without writing any.

use super::diagram::{Arena, Edge, Node, NodeId};
use std::collections::{HashMap, HashSet};

impl Arena {
    /// About how many instructions the questions below a node take.
    #[must_use]
    pub fn cost(&self, node: NodeId) -> usize {
        let mut seen = HashSet::new();
        let mut todo = vec![node];
        let mut total = 0;
        while let Some(node) = todo.pop() {
            if let Node::Test { edges, .. } = self.get(node)
                && seen.insert(node)
            {
                // Single values cost one comparison, ranges two; a load and a mask come in front.
                total += edges.len() * 4 / 5 + 2;
                todo.extend(edges.iter().map(|e| e.to));
            }
        }
        total
    }

    /// How many instructions the questions below a node take where each is entered in one way, and nothing lies too far off.
    #[must_use]
    pub fn size(&self, node: NodeId) -> usize {
        let mut seen = HashSet::new();
        let mut todo = vec![node];
        let mut total = 0;
        while let Some(node) = todo.pop() {
            if let Node::Test { view, edges } = self.get(node)
                && seen.insert(node)
            {
                let masked = view.mask != u32::MAX && self.zero_test(node).is_none();
                total += comparisons(edges) + 1 + usize::from(masked);
                todo.extend(edges.iter().map(|e| e.to));
            }
        }
        total
    }

    /// The most questions on a path from a node; `None` for more than `most`.
    #[must_use]
    pub fn depth(&self, node: NodeId, most: usize) -> Option<usize> {
        let mut known: HashMap<NodeId, usize> = HashMap::new();
        let mut todo = vec![(node, false)];
        while let Some((node, entered)) = todo.pop() {
            let Node::Test { edges, .. } = self.get(node) else { continue };
            if known.contains_key(&node) {
                continue;
            }
            if entered {
                let below = edges.iter().filter_map(|e| known.get(&e.to)).max();
                known.insert(node, below.map_or(1, |d| d + 1));
            } else {
                todo.push((node, true));
                todo.extend(edges.iter().map(|e| (e.to, false)));
            }
        }
        Some(known.get(&node).copied().unwrap_or(0)).filter(|d| *d <= most)
    }
}

/// The comparisons of a tree over these edges: one for each cut, less one for each single value between edges to one place.
fn comparisons(edges: &[Edge]) -> usize {
    let mut count = edges.len().saturating_sub(1);
    let mut taken = false;
    for three in edges.windows(3) {
        if let [before, own, after] = three {
            let single = before.last.checked_add(1) == Some(own.last);
            taken = !taken && single && before.to == after.to;
            count -= usize::from(taken);
        }
    }
    count
}
