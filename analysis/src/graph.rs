//! Policies to the graph of who starts whom and who includes what, and that graph to texts that draw it.

mod layout;
mod svg;
mod text;

use canc_dsl::policy::{Body, Effect, FileOp, Launcher, PolicySet, RunTarget};
use petgraph::graph::{Graph, NodeIndex};
use std::collections::{BTreeMap, BTreeSet};

pub use svg::svg;
pub use text::{dot, mermaid};

/// What a node stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    /// A user's session or the service manager.
    Launcher(&'static str),
    /// A confined domain.
    Policy(String),
    /// A fragment of rules.
    Fragment(String),
    /// Outside of every domain.
    Unconfined,
}

impl Node {
    /// What is written in it.
    #[must_use]
    pub fn label(&self) -> &str {
        match self {
            Self::Launcher(word) => word,
            Self::Policy(name) | Self::Fragment(name) => name,
            Self::Unconfined => "unconfined",
        }
    }

    /// A word without blanks that no other node has.
    fn key(&self) -> String {
        let kind = match self {
            Self::Launcher(_) => "launcher",
            Self::Policy(_) => "policy",
            Self::Fragment(_) => "fragment",
            Self::Unconfined => "outside",
        };
        let safe: String =
            self.label().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        format!("{kind}_{safe}")
    }
}

/// What an edge stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    /// `launch from`
    Launch,
    /// `run … -> policy`, by these programs.
    Run(Vec<String>),
    /// `include`
    Include,
}

/// The graph.
pub type Domains = Graph<Node, Edge>;

/// The graph of all policies of a build. Fragments are in it where `includes` says so.
#[must_use]
pub fn domains(set: &PolicySet, includes: bool) -> Domains {
    let mut edges: BTreeMap<(Node, Node), Edge> = BTreeMap::new();
    let mut alone: BTreeSet<Node> = BTreeSet::new();
    for policy in set.policies() {
        let own = Node::Policy(policy.name.to_string());
        alone.insert(own.clone());
        for launcher in &policy.launch {
            let from = match launcher {
                Launcher::User => Node::Launcher("user"),
                Launcher::Systemd => Node::Launcher("systemd"),
                // The rule of the starter is the edge.
                Launcher::Policy(_) => continue,
            };
            edges.insert((from, own.clone()), Edge::Launch);
        }
        for rule in policy.rules.iter().filter(|r| r.effect == Effect::Allow) {
            let Body::File(file) = &rule.body else { continue };
            let to = match &file.run {
                RunTarget::Policy(name) => Node::Policy(name.to_string()),
                RunTarget::Unconfined => Node::Unconfined,
                RunTarget::Inherit => continue,
            };
            if file.ops.has(FileOp::Run) {
                let edge = edges.entry((own.clone(), to)).or_insert_with(|| Edge::Run(Vec::new()));
                if let Edge::Run(programs) = edge {
                    programs.extend(file.patterns().map(ToString::to_string));
                    programs.sort();
                    programs.dedup();
                }
            }
        }
        for rule in policy.rules.iter().filter(|_| includes) {
            let mut from = own.clone();
            for site in rule.included.iter() {
                let to = Node::Fragment(site.fragment.to_string());
                edges.insert((from, to.clone()), Edge::Include);
                from = to;
            }
        }
    }
    let mut graph = Domains::new();
    let mut known: BTreeMap<Node, NodeIndex> = BTreeMap::new();
    for node in alone.into_iter().chain(edges.keys().flat_map(|(a, b)| [a.clone(), b.clone()])) {
        known.entry(node.clone()).or_insert_with(|| graph.add_node(node));
    }
    for ((from, to), edge) in edges {
        if let (Some(from), Some(to)) = (known.get(&from), known.get(&to)) {
            graph.add_edge(*from, *to, edge);
        }
    }
    graph
}

/// What is written beside an edge.
fn edge_label(edge: &Edge) -> String {
    const MOST: usize = 2;
    match edge {
        Edge::Launch | Edge::Include => String::new(),
        Edge::Run(programs) => {
            let more = programs.len().saturating_sub(MOST);
            let shown = programs.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
            if more == 0 { shown } else { format!("{shown} and {more} more") }
        }
    }
}
