//! `canc graph`: policies to a drawing of who starts whom, and to the way from one policy to another.

use super::compile::{compile, refuse};
use super::{Failure, Outcome, to_json};
use crate::args::{GraphArgs, GraphFormat};
use crate::exit::Exit;
use crate::stream::Streams;
use canc_analysis::graph::{Domains, Edge, Node, domains, dot, mermaid, svg};
use canc_analysis::path;
use canc_dsl::policy::PolicySet;

pub fn run(args: &GraphArgs, streams: &mut Streams<'_>) -> Outcome {
    let mut compiled = compile(&args.source)?;
    let Some(set) = compiled.policies.take() else { return Ok(refuse(args.source.json, &compiled, streams)) };
    if let Some([from, to]) = args.reaches.as_deref() {
        return reaches(&set, from, to, args.source.json, streams);
    }
    let graph = domains(&set, !args.no_includes);
    streams.out(&match (args.source.json, args.format) {
        (true, _) => to_json(&json(&graph)),
        (false, GraphFormat::Svg) => svg(&graph),
        (false, GraphFormat::Dot) => dot(&graph),
        (false, GraphFormat::Mermaid) => mermaid(&graph),
    });
    Ok(Exit::Done)
}

fn reaches(set: &PolicySet, from: &str, to: &str, json: bool, streams: &mut Streams<'_>) -> Outcome {
    if let Some(unknown) = [from, to].into_iter().find(|name| set.policy(name).is_none()) {
        let names: Vec<&str> = set.policies().iter().map(|p| &*p.name).collect();
        return Err(Failure::usage(format!(
            "there is no policy `{unknown}`; there are {}",
            names.join(", ")
        )));
    }
    let way = path(set, from, to);
    if json {
        streams.out(&to_json(
            &serde_json::json!({ "reaches": way.is_some(), "way": way.clone().unwrap_or_default() }),
        ));
    } else {
        streams.out(&match &way {
            Some(way) => format!("{}\n", way.join(" -> ")),
            None => format!("no transition leads from {from} to {to}\n"),
        });
    }
    Ok(if way.is_some() { Exit::Done } else { Exit::No })
}

fn json(graph: &Domains) -> serde_json::Value {
    let kind = |node: &Node| match node {
        Node::Launcher(_) => "launcher",
        Node::Policy(_) => "policy",
        Node::Fragment(_) => "fragment",
        Node::Unconfined => "unconfined",
    };
    let nodes = graph.node_weights().map(|n| serde_json::json!({ "kind": kind(n), "name": n.label() }));
    let edges = graph.raw_edges().iter().map(|e| {
        let (kind, programs) = match &e.weight {
            Edge::Launch => ("launch", Vec::new()),
            Edge::Run(programs) => ("run", programs.clone()),
            Edge::Include => ("include", Vec::new()),
        };
        serde_json::json!({ "kind": kind, "from": e.source().index(), "to": e.target().index(), "programs": programs })
    });
    serde_json::json!({ "nodes": nodes.collect::<Vec<_>>(), "edges": edges.collect::<Vec<_>>() })
}
