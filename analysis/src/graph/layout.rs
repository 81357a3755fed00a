//! The graph to places: columns from left to right by distance, each in an order with few crossings.

use super::{Domains, Edge, Node, edge_label};
use petgraph::algo::greedy_feedback_arc_set;
use petgraph::graph::{EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;
use std::collections::{BTreeMap, BTreeSet};

/// A letter's width, a box's height, and the gaps, in pixels.
const LETTER: f64 = 7.6;
pub const HEIGHT: f64 = 34.0;
const ROW: f64 = 62.0;
const GAP: f64 = 70.0;
const MARGIN: f64 = 24.0;
/// Rounds of sorting columns by their neighbours.
const ROUNDS: usize = 12;

/// A box's centre and width.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    pub x: f64,
    pub y: f64,
    pub width: f64,
}

/// Where everything is.
pub struct Layout {
    pub width: f64,
    pub height: f64,
    pub nodes: BTreeMap<NodeIndex, Place>,
    /// The points that an edge passes between its two boxes, from its source on.
    pub ways: BTreeMap<EdgeIndex, Vec<(f64, f64)>>,
}

/// What stands in a column: a node, or an edge that passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Node(NodeIndex),
    Pass(EdgeIndex, usize),
}

pub fn layout(graph: &Domains) -> Layout {
    let ranks = ranks(graph);
    let mut columns: Vec<Vec<Item>> = Vec::new();
    for (node, rank) in &ranks {
        place(&mut columns, *rank, Item::Node(*node));
    }
    let mut chains: BTreeMap<EdgeIndex, Vec<Item>> = BTreeMap::new();
    for edge in graph.edge_references() {
        let rank = |node| ranks.get(&node).copied().unwrap_or(0);
        let (from, to) = (rank(edge.source()), rank(edge.target()));
        let between: Vec<usize> =
            if from <= to { (from + 1..to).collect() } else { (to + 1..from).rev().collect() };
        let mut chain = vec![Item::Node(edge.source())];
        for rank in between {
            place(&mut columns, rank, Item::Pass(edge.id(), rank));
            chain.push(Item::Pass(edge.id(), rank));
        }
        chain.push(Item::Node(edge.target()));
        chains.insert(edge.id(), chain);
    }
    order(&mut columns, &chains);
    measured(graph, &columns, &chains, &ranks)
}

fn place(columns: &mut Vec<Vec<Item>>, rank: usize, item: Item) {
    while columns.len() <= rank {
        columns.push(Vec::new());
    }
    if let Some(column) = columns.get_mut(rank) {
        column.push(item);
    }
}

/// The longest way to each node, where edges that close rings do not count. Fragments stand right of every domain.
fn ranks(graph: &Domains) -> BTreeMap<NodeIndex, usize> {
    let closing: BTreeSet<EdgeIndex> = greedy_feedback_arc_set(graph).map(|e| e.id()).collect();
    let mut ranks: BTreeMap<NodeIndex, usize> = graph.node_indices().map(|n| (n, 0)).collect();
    let count = graph.node_count();
    let raise = |includes: bool, ranks: &mut BTreeMap<NodeIndex, usize>| {
        for _ in 0..count {
            for edge in graph.edge_references().filter(|e| !closing.contains(&e.id())) {
                if (*edge.weight() == Edge::Include) == includes {
                    let least = ranks.get(&edge.source()).copied().unwrap_or(0) + 1;
                    ranks.entry(edge.target()).and_modify(|r| *r = (*r).max(least));
                }
            }
        }
    };
    // Who is started by nobody in the graph stands with those who are started by a launcher.
    let is_launcher = |n: NodeIndex| matches!(graph.node_weight(n), Some(Node::Launcher(_)));
    let start = usize::from(graph.node_indices().any(is_launcher));
    ranks.iter_mut().filter(|(n, _)| !is_launcher(**n)).for_each(|(_, r)| *r = start);
    raise(false, &mut ranks);
    let is_fragment = |n: NodeIndex| matches!(graph.node_weight(n), Some(Node::Fragment(_)));
    let last = ranks.iter().filter(|(n, _)| !is_fragment(**n)).map(|(_, r)| *r).max().unwrap_or(0);
    ranks.iter_mut().filter(|(n, _)| is_fragment(**n)).for_each(|(_, r)| *r = last + 1);
    raise(true, &mut ranks);
    ranks
}

/// Sorts each column by the middle of the neighbours of its items, to and fro.
fn order(columns: &mut [Vec<Item>], chains: &BTreeMap<EdgeIndex, Vec<Item>>) {
    let mut neighbours: BTreeMap<Item, Vec<Item>> = BTreeMap::new();
    for pair in chains.values().flat_map(|c| c.windows(2)) {
        if let [a, b] = pair {
            neighbours.entry(*a).or_default().push(*b);
            neighbours.entry(*b).or_default().push(*a);
        }
    }
    for _ in 0..ROUNDS {
        let at: BTreeMap<Item, f64> = columns
            .iter()
            .flat_map(|c| c.iter().enumerate().map(|(i, item)| (*item, middle(i, c.len()))))
            .collect();
        for column in columns.iter_mut() {
            let weight = |item: &Item| {
                let near: Vec<f64> =
                    neighbours.get(item).into_iter().flatten().filter_map(|n| at.get(n)).copied().collect();
                if near.is_empty() {
                    at.get(item).copied().unwrap_or(0.0)
                } else {
                    near.iter().sum::<f64>() / f64::from(u32::try_from(near.len()).unwrap_or(1))
                }
            };
            column.sort_by(|a, b| weight(a).total_cmp(&weight(b)).then(a.cmp(b)));
        }
    }
}

/// The place of an item among others, as a distance from the column's middle.
fn middle(index: usize, of: usize) -> f64 {
    let number = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    number(index) - (number(of) - 1.0) / 2.0
}

fn measured(
    graph: &Domains,
    columns: &[Vec<Item>],
    chains: &BTreeMap<EdgeIndex, Vec<Item>>,
    ranks: &BTreeMap<NodeIndex, usize>,
) -> Layout {
    let letters = |text: &str| f64::from(u32::try_from(text.chars().count()).unwrap_or(u32::MAX)) * LETTER;
    let wide = |item: &Item| match item {
        Item::Node(node) => letters(graph.node_weight(*node).map_or("", Node::label)) + 28.0,
        Item::Pass(..) => 0.0,
    };
    let most = columns.iter().map(Vec::len).max().unwrap_or(0);
    let height = f64::from(u32::try_from(most).unwrap_or(u32::MAX)) * ROW + 2.0 * MARGIN;
    let mut points: BTreeMap<Item, (f64, f64)> = BTreeMap::new();
    let mut nodes = BTreeMap::new();
    let mut left = MARGIN;
    for (rank, column) in columns.iter().enumerate() {
        let width = column.iter().map(wide).fold(0.0, f64::max);
        for (index, item) in column.iter().enumerate() {
            let (x, y) = (left + width / 2.0, height / 2.0 + middle(index, column.len()) * ROW);
            points.insert(*item, (x, y));
            if let Item::Node(node) = item {
                nodes.insert(*node, Place { x, y, width: wide(item) });
            }
        }
        // What is written beside an edge stands between its first two columns.
        let leaving = graph.edge_references().filter(|e| ranks.get(&e.source()) == Some(&rank));
        let label = leaving.map(|e| letters(&edge_label(e.weight())) * 0.85 + 24.0).fold(0.0, f64::max);
        left += width + GAP.max(label + 20.0);
    }
    let right = nodes.values().map(|p| p.x + p.width / 2.0).fold(0.0, f64::max);
    let inner = |chain: &Vec<Item>| -> Vec<(f64, f64)> {
        let passes = chain.iter().filter(|i| matches!(i, Item::Pass(..)));
        passes.filter_map(|i| points.get(i)).copied().collect()
    };
    let ways = chains.iter().map(|(edge, chain)| (*edge, inner(chain))).collect();
    Layout { width: right + MARGIN, height, nodes, ways }
}
