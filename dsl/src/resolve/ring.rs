//! A graph of things that need each other to an order in which each comes after what it needs, and to the rings that have none.

use crate::source::Span;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use std::collections::{HashMap, VecDeque};

/// The order, and what stands in none.
pub(crate) struct Order {
    /// Nodes of no ring, each after those that it needs.
    pub(crate) order: Vec<usize>,
    /// Rings: each node with the place where it names the next one; the last one names the first.
    pub(crate) rings: Vec<Vec<(usize, Span)>>,
}

/// Orders `nodes` nodes; an edge says that the first needs the second, and where it says so.
pub(crate) fn order(nodes: usize, edges: &[(usize, usize, Span)]) -> Order {
    let mut graph: DiGraph<usize, Span> = DiGraph::with_capacity(nodes, edges.len());
    let index: Vec<NodeIndex> = (0..nodes).map(|n| graph.add_node(n)).collect();
    for (from, to, span) in edges {
        if let (Some(from), Some(to)) = (index.get(*from), index.get(*to)) {
            graph.add_edge(*from, *to, *span);
        }
    }
    let mut out = Order { order: Vec::with_capacity(nodes), rings: Vec::new() };
    for component in kosaraju_scc(&graph) {
        match component.as_slice() {
            [node] if graph.find_edge(*node, *node).is_none() => out.order.push(node.index()),
            nodes => out.rings.push(ring(&graph, nodes)),
        }
    }
    out
}

/// A shortest ring through the first node of a strongly connected component.
fn ring(graph: &DiGraph<usize, Span>, component: &[NodeIndex]) -> Vec<(usize, Span)> {
    let Some(start) = component.iter().copied().min() else { return Vec::new() };
    let members: HashMap<NodeIndex, ()> = component.iter().map(|n| (*n, ())).collect();
    let mut came: HashMap<NodeIndex, (NodeIndex, Span)> = HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        // Edges come newest first; the ring that is written first reads best.
        let mut edges: Vec<_> = graph.edges(node).collect();
        edges.sort_by_key(|e| e.weight().start);
        for edge in edges {
            if edge.target() == start {
                return walk_back(&came, start, node, *edge.weight());
            }
            if members.contains_key(&edge.target()) && !came.contains_key(&edge.target()) {
                came.insert(edge.target(), (node, *edge.weight()));
                queue.push_back(edge.target());
            }
        }
    }
    Vec::new()
}

fn walk_back(
    came: &HashMap<NodeIndex, (NodeIndex, Span)>,
    start: NodeIndex,
    last: NodeIndex,
    closing: Span,
) -> Vec<(usize, Span)> {
    let mut out = vec![(last.index(), closing)];
    let mut at = last;
    while at != start {
        let Some((before, span)) = came.get(&at) else { break };
        out.push((before.index(), *span));
        at = *before;
    }
    out.reverse();
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    fn edge(from: usize, to: usize) -> (usize, usize, Span) {
        (from, to, Span::new(FileId(0), from * 10 + to, from * 10 + to + 1))
    }

    #[test]
    fn needs_come_first_and_rings_are_whole() {
        let edges = [edge(0, 1), edge(1, 2), edge(3, 4), edge(4, 5), edge(5, 3), edge(6, 6), edge(7, 3)];
        let found = order(8, &edges);
        let place = |n| found.order.iter().position(|o| *o == n);
        assert!(place(2) < place(1) && place(1) < place(0), "{:?}", found.order);
        assert!(place(7).is_some(), "what only needs a ring is not in it");
        let mut rings: Vec<Vec<usize>> =
            found.rings.iter().map(|r| r.iter().map(|n| n.0).collect()).collect();
        rings.sort();
        assert_eq!(rings, [vec![3, 4, 5], vec![6]]);
    }

    #[test]
    fn a_chain_of_a_hundred_thousand_is_no_recursion() {
        let edges: Vec<_> = (0..99_999).map(|n| edge(n, n + 1)).collect();
        assert_eq!(order(100_000, &edges).order.first(), Some(&99_999));
    }
}
