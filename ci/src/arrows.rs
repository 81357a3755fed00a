//! `cargo metadata` against the allowed arrows between the crates: an edge that is not listed here is an error, and so is
//! a listed edge that no longer exists.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

type Edges = BTreeMap<String, BTreeSet<String>>;

/// Crates of the workspace and those that they may link.
const NORMAL: &[(&str, &[&str])] = &[
    ("canc", &["canc-analysis", "canc-bundle", "canc-codegen", "canc-dsl", "canc-runtime", "canc-sets"]),
    ("canc-analysis", &["canc-codegen", "canc-dsl", "canc-sets"]),
    ("canc-bundle", &[]),
    ("canc-ci", &["canc-bundle", "canc-codegen", "canc-dsl", "canc-guest", "canc-runtime", "canc-sets"]),
    ("canc-codegen", &["canc-bundle", "canc-dsl", "canc-sets"]),
    ("canc-dsl", &["canc-sets"]),
    ("canc-golden", &["canc"]),
    ("canc-guest", &[]),
    ("canc-probe", &[]),
    ("canc-runtime", &["canc-bundle"]),
    ("canc-sets", &[]),
];

/// The same for what only tests link.
const FOR_TESTS: &[(&str, &[&str])] = &[
    ("canc-bundle", &["canc-sets"]),
    ("canc-codegen", &["canc-dsl", "canc-sets"]),
    ("canc-golden", &["canc-bundle", "canc-codegen", "canc-dsl", "canc-sets"]),
];

/// What the launcher may name; it starts programs with privileges, so every addition is a decision.
const LAUNCHER: &[&str] =
    &["canc-bundle", "landlock", "libc", "rustix", "serde", "serde_json", "sha2", "thiserror"];

/// Libraries that read languages or draw pictures: none of them belongs into the launcher, however indirectly.
const NOT_IN_THE_LAUNCHER: &[&str] =
    &["askama", "clap", "logos", "miette", "nom", "regex", "regex-automata", "toml"];

struct Graph {
    members: BTreeSet<String>,
    normal: Edges,
    build: Edges,
    dev: Edges,
}

fn graph() -> Graph {
    graph_with(&[])
}

fn graph_with(features: &[&str]) -> Graph {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let args =
        ["metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"];
    let output = Command::new(cargo)
        .args(args)
        .args(features)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    read(&metadata)
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_else(|| panic!("not an array: {value}"))
}

fn read(metadata: &Value) -> Graph {
    let names: BTreeMap<&str, &str> = array(&metadata["packages"])
        .iter()
        .map(|package| (package["id"].as_str().unwrap(), package["name"].as_str().unwrap()))
        .collect();
    let member = |id: &Value| names[id.as_str().unwrap()].to_owned();
    let mut graph = Graph {
        members: array(&metadata["workspace_members"]).iter().map(member).collect(),
        normal: Edges::new(),
        build: Edges::new(),
        dev: Edges::new(),
    };
    for node in array(&metadata["resolve"]["nodes"]) {
        let from = names[node["id"].as_str().unwrap()];
        for dep in array(&node["deps"]) {
            let to = names[dep["pkg"].as_str().unwrap()];
            for kind in array(&dep["dep_kinds"]) {
                let edges = match kind["kind"].as_str() {
                    None => &mut graph.normal,
                    Some("build") => &mut graph.build,
                    Some("dev") => &mut graph.dev,
                    Some(other) => panic!("unknown kind {other}"),
                };
                edges.entry(from.to_owned()).or_default().insert(to.to_owned());
            }
        }
    }
    graph
}

/// Edges within the workspace alone, crates without any left out.
fn within(members: &BTreeSet<String>, edges: &Edges) -> Edges {
    let inner = |from: &String| edges.get(from).map(|to| to & members).unwrap_or_default();
    members.iter().map(|from| (from.clone(), inner(from))).filter(|(_, to)| !to.is_empty()).collect()
}

fn listed(table: &[(&str, &[&str])]) -> Edges {
    let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
    table.iter().map(|(from, to)| ((*from).to_owned(), set(to))).filter(|(_, to)| !to.is_empty()).collect()
}

fn reachable(edges: &Edges, from: &str) -> BTreeSet<String> {
    let (mut seen, mut todo) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(name) = todo.pop() {
        let next = edges.get(&name).into_iter().flatten();
        todo.extend(next.filter(|to| seen.insert((*to).clone())).cloned().collect::<Vec<_>>());
    }
    seen
}

fn users(graph: &Graph, of: &str) -> BTreeSet<String> {
    let all = [&graph.normal, &graph.build, &graph.dev];
    let uses = |edges: &&Edges, from: &String| edges.get(from).is_some_and(|to| to.contains(of));
    graph.members.iter().filter(|from| all.iter().any(|edges| uses(edges, from))).cloned().collect()
}

#[test]
fn every_crate_is_listed() {
    let names: BTreeSet<String> = NORMAL.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(graph().members, names);
}

#[test]
fn the_arrows_between_the_crates_are_the_listed_ones() {
    let graph = graph();
    assert_eq!(within(&graph.members, &graph.normal), listed(NORMAL));
    assert_eq!(within(&graph.members, &graph.dev), listed(FOR_TESTS));
    assert_eq!(within(&graph.members, &graph.build), Edges::new());
}

#[test]
fn only_the_language_parses_with_pest() {
    let graph = graph();
    let language = BTreeSet::from(["canc-dsl".to_owned()]);
    assert_eq!(users(&graph, "pest"), language);
    assert_eq!(users(&graph, "pest_derive"), language);
}

#[test]
fn the_launcher_names_few_libraries_and_links_no_parser() {
    let graph = graph();
    let named: BTreeSet<&str> = graph.normal["canc-runtime"].iter().map(String::as_str).collect();
    assert_eq!(named, LAUNCHER.iter().copied().collect());
    let linked = reachable(&graph.normal, "canc-runtime");
    let ours = &linked & &graph.members;
    assert_eq!(ours, BTreeSet::from(["canc-bundle".to_owned()]));
    let unwanted = |name: &&String| name.starts_with("pest") || NOT_IN_THE_LAUNCHER.contains(&name.as_str());
    assert_eq!(linked.iter().filter(unwanted).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// What a plain build must do without, and no more than that.
#[test]
fn the_launchers_feature_adds_one_library() {
    let (plain, all) = (graph(), graph_with(&["--all-features"]));
    let added = &all.normal["canc-runtime"] - &plain.normal["canc-runtime"];
    assert_eq!(added, BTreeSet::from(["selinux-sys".to_owned()]));
    assert!(!reachable(&plain.normal, "canc").contains("selinux-sys"));
}

#[test]
fn the_reading_of_the_graph_sees_edges_of_each_kind() {
    let graph = graph();
    assert!(graph.dev["canc-sets"].contains("proptest") && !graph.normal["canc-sets"].contains("proptest"));
    assert!(reachable(&graph.normal, "canc").contains("pest"));
}
