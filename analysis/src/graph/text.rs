//! The graph to the languages of graphviz and mermaid.

use super::{Domains, Edge, Node, edge_label};
use petgraph::visit::EdgeRef;
use std::fmt::Write;

/// The graph for graphviz.
#[must_use]
pub fn dot(graph: &Domains) -> String {
    let mut out = String::from("digraph domains {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n");
    for node in graph.node_weights() {
        let shape = match node {
            Node::Launcher(_) => "shape=ellipse",
            Node::Policy(_) => "shape=box, style=rounded",
            Node::Fragment(_) => "shape=note",
            Node::Unconfined => "shape=box, style=dashed",
        };
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(out, "  {} [label={}, {shape}];", node.key(), quoted(node.label()));
    }
    for edge in graph.edge_references() {
        let (Some(from), Some(to)) = (graph.node_weight(edge.source()), graph.node_weight(edge.target()))
        else {
            continue;
        };
        let look = match edge.weight() {
            Edge::Launch => String::new(),
            Edge::Run(_) => format!(" [label={}]", quoted(&edge_label(edge.weight()))),
            Edge::Include => " [style=dashed, arrowhead=open]".into(),
        };
        let _ = writeln!(out, "  {} -> {}{look};", from.key(), to.key());
    }
    out.push_str("}\n");
    out
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The graph for mermaid, as code hosts draw it in Markdown.
#[must_use]
pub fn mermaid(graph: &Domains) -> String {
    let mut out = String::from("flowchart LR\n");
    for node in graph.node_weights() {
        let label = entities(node.label());
        let _ = match node {
            Node::Launcher(_) => writeln!(out, "  {}([\"{label}\"])", node.key()),
            Node::Policy(_) => writeln!(out, "  {}[\"{label}\"]", node.key()),
            Node::Fragment(_) => writeln!(out, "  {}[/\"{label}\"/]", node.key()),
            Node::Unconfined => writeln!(out, "  {}{{{{\"{label}\"}}}}", node.key()),
        };
    }
    for edge in graph.edge_references() {
        let (Some(from), Some(to)) = (graph.node_weight(edge.source()), graph.node_weight(edge.target()))
        else {
            continue;
        };
        let arrow = match edge.weight() {
            Edge::Launch => "-->".to_owned(),
            Edge::Run(_) => format!("-->|\"{}\"|", entities(&edge_label(edge.weight()))),
            Edge::Include => "-.->".to_owned(),
        };
        let _ = writeln!(out, "  {} {arrow} {}", from.key(), to.key());
    }
    out
}

/// A text that means itself between quotes of mermaid: what is no letter, digit or plain sign is a number.
fn entities(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | ',' | '/' | '_' | '-');
    text.chars().map(|c| if plain(c) { c.to_string() } else { format!("#{};", u32::from(c)) }).collect()
}
