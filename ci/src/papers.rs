//! What the documents name against what there is: tests, steps, libraries, links.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("")
}

fn text(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The Rust sources of the workspace.
fn sources() -> Vec<String> {
    let mut out = Vec::new();
    let mut todo = vec![root()];
    while let Some(directory) = todo.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                todo.push(path);
            } else if name.ends_with(".rs") {
                out.push(fs::read_to_string(path).unwrap());
            }
        }
    }
    out
}

/// What stands between backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The names of steps behind `ci/test`.
fn steps(text: &str) -> BTreeSet<&str> {
    let named = quoted(text).filter_map(|q| q.strip_prefix("ci/test "));
    named
        .flat_map(|words| words.split(' '))
        .filter(|w| !w.starts_with('-') && !matches!(*w, "quick" | "STEP…"))
        .collect()
}

#[test]
fn each_promise_names_tests_that_exist() {
    let security = text("SECURITY.md");
    let sources = sources();
    let is_name = |word: &&str| {
        word.matches('_').count() >= 2
            && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let named: Vec<&str> = quoted(&security).filter(is_name).collect();
    assert!(named.len() > 25, "{named:?}");
    for name in named {
        let test = format!("fn {name}(");
        assert!(sources.iter().any(|s| s.contains(&test)), "SECURITY.md names `{name}`, which is no test");
    }
    for path in quoted(&security).filter(|q| q.ends_with(".rs")) {
        assert!(root().join(path).exists(), "SECURITY.md names `{path}`");
    }
}

#[test]
fn each_step_that_is_named_is_one() {
    let table = text("ci/steps");
    let known: BTreeSet<&str> = table.lines().filter_map(|l| l.split_whitespace().next()).collect();
    for name in ["README.md", "SECURITY.md", "CONTRIBUTING.md", "ci/README.md"] {
        let text = text(name);
        for step in steps(&text) {
            assert!(known.contains(step), "{name} names the step `{step}`");
        }
    }
}

#[test]
fn each_library_has_its_reason() {
    let reasons = text("docs/decisions/0002-dependencies.md");
    let manifest: toml::Table = text("Cargo.toml").parse().unwrap();
    let libraries = manifest["workspace"]["dependencies"].as_table().unwrap().keys();
    let rows: Vec<&str> = reasons.lines().filter(|l| l.starts_with('|')).collect();
    for library in libraries.filter(|l| *l != "canc" && !l.starts_with("canc-")) {
        let named =
            |row: &&str| row.split('|').nth(1).unwrap_or_default().split(", ").any(|n| n.trim() == library);
        assert!(rows.iter().any(named), "{library} has no row in docs/decisions/0002-dependencies.md");
    }
}

#[test]
fn each_link_leads_somewhere() {
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"] {
        let text = text(name);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(root().join(target).exists(), "{name} links to {target}");
        }
    }
}
