//! The graph to a picture that needs no other program.

use super::layout::{HEIGHT, Layout, Place, layout};
use super::{Domains, Edge, Node, edge_label};
use petgraph::visit::EdgeRef;
use std::fmt::Write;

const HEAD: &str = "<style>text{font:13px ui-monospace,monospace;fill:#1b1f24}.e{font-size:11px;fill:#57606a}\
path{fill:none;stroke:#57606a;stroke-width:1.4}.i{stroke-dasharray:4 4;stroke:#9aa4af}rect{stroke:#57606a;stroke-width:1.4}\
.l{fill:#eef2f6}.p{fill:#dbeafe;stroke:#1d4ed8}.f{fill:#fff;stroke:#9aa4af;stroke-dasharray:4 4}.u{fill:#fee2e2;stroke:#b91c1c}\
</style><defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"7.5\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">\
<path d=\"M0 0 8 4 0 8z\" style=\"fill:#57606a;stroke:none\"/></marker></defs>\n";

/// The graph as an SVG document: launchers on the left, domains after them in the order of their starts, fragments on the right.
#[must_use]
pub fn svg(graph: &Domains) -> String {
    let places = layout(graph);
    let (width, height) = (places.width.ceil(), places.height.ceil());
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>Domains, who starts them, and the fragments that they include</title>\n\
         {HEAD}<rect width=\"{width}\" height=\"{height}\" style=\"fill:#fff;stroke:none\"/>\n"
    );
    for edge in graph.edge_references() {
        let (Some(from), Some(to)) = (places.nodes.get(&edge.source()), places.nodes.get(&edge.target()))
        else {
            continue;
        };
        let own = edge.source() == edge.target();
        let way = way(&places, from, to, places.ways.get(&edge.id()).map_or(&[][..], Vec::as_slice), own);
        let class = if *edge.weight() == Edge::Include { " class=\"i\"" } else { "" };
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(out, "<path d=\"{}\" marker-end=\"url(#a)\"{class}/>", way.path);
        let label = edge_label(edge.weight());
        if !label.is_empty() {
            let (x, y, anchor) = way.label;
            let _ = writeln!(
                out,
                "<text class=\"e\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" style=\"paint-order:stroke;stroke:#fff;stroke-width:4\">{}</text>",
                escaped(&label)
            );
        }
    }
    for (node, place) in &places.nodes {
        let Some(weight) = graph.node_weight(*node) else { continue };
        let (class, round) = match weight {
            Node::Launcher(_) => ("l", 17.0),
            Node::Policy(_) => ("p", 6.0),
            Node::Fragment(_) => ("f", 0.0),
            Node::Unconfined => ("u", 6.0),
        };
        let (x, y) = (place.x - place.width / 2.0, place.y - HEIGHT / 2.0);
        let _ = writeln!(
            out,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{HEIGHT}\" rx=\"{round}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            place.width,
            place.x,
            place.y + 4.5,
            escaped(weight.label())
        );
    }
    out.push_str("</svg>\n");
    out
}

/// An edge's curve, and where its label stands.
struct Way {
    path: String,
    label: (f64, f64, &'static str),
}

fn way(places: &Layout, from: &Place, to: &Place, between: &[(f64, f64)], own: bool) -> Way {
    if own {
        // A domain that starts itself: a loop above its box.
        let (x, y) = (from.x, from.y - HEIGHT / 2.0);
        let path = format!("M{:.1} {y:.1}c-14 -24 42 -24 28 0", x - 14.0);
        return Way { path, label: (x, y - 20.0, "middle") };
    }
    // An edge that closes a ring leaves on the left.
    let side = if to.x > from.x { 1.0 } else { -1.0 };
    let start = (from.x + side * from.width / 2.0, from.y);
    let end = (to.x - side * to.width / 2.0, to.y);
    // Two edges to and fro between the same boxes are drawn apart.
    let bend = if side < 0.0 { 26.0f64.min(places.height - from.y - 4.0) } else { 0.0 };
    let mut path = format!("M{:.1} {:.1}", start.0, start.1);
    let mut last = start;
    for point in between.iter().copied().chain([end]) {
        let half = (point.0 - last.0) / 2.0;
        let _ = write!(
            path,
            "C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}",
            last.0 + half,
            last.1 + bend,
            point.0 - half,
            point.1 + bend,
            point.0,
            point.1
        );
        last = point;
    }
    // Ends of edges are a row apart, so that is where labels have room: those of edges to the right before the end, above it.
    let next = between.first().copied().unwrap_or(end);
    let label = match side > 0.0 {
        true => (next.0 - 14.0, next.1 - 6.0, "end"),
        false => (end.0 + 14.0, end.1 + 18.0, "start"),
    };
    Way { path, label }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
