//! What the documents name against what there is: tests, steps, libraries, paths, links.

use std::collections::{BTreeMap, BTreeSet};
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

/// The rows of a Markdown table below its head, as trimmed cells.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let lines = text.lines().filter(|l| l.starts_with("| "));
    lines.skip(1).map(|l| l.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// Each library with the rooms that name it: a crate's folder, or `tests` where only tests do.
fn libraries() -> BTreeMap<String, BTreeSet<String>> {
    let manifest: toml::Table = text("Cargo.toml").parse().unwrap();
    let own = |name: &str| name == "canc" || name.starts_with("canc-");
    let names = manifest["workspace"]["dependencies"].as_table().unwrap().keys();
    let mut out: BTreeMap<String, BTreeSet<String>> =
        names.filter(|n| !own(n)).map(|n| (n.clone(), BTreeSet::new())).collect();
    for member in manifest["workspace"]["members"].as_array().unwrap() {
        let member = member.as_str().unwrap();
        let manifest: toml::Table = text(&format!("{member}/Cargo.toml")).parse().unwrap();
        let room = member.split('/').next().unwrap();
        for section in ["dependencies", "build-dependencies"] {
            let named =
                manifest.get(section).and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys);
            for name in named.filter(|n| !own(n)) {
                out.get_mut(name).unwrap().insert(room.to_owned());
            }
        }
    }
    for rooms in out.values_mut().filter(|r| r.is_empty()) {
        rooms.insert("tests".to_owned());
    }
    out
}

#[test]
fn each_library_has_its_reason_and_its_rooms() {
    let reasons = text("docs/decisions/0002-dependencies.md");
    let rows = rows(&reasons);
    let used = libraries();
    for (library, rooms) in &used {
        let row = rows.iter().find(|r| r[0].split(", ").any(|n| n == library));
        let row =
            row.unwrap_or_else(|| panic!("{library} has no row in docs/decisions/0002-dependencies.md"));
        let said: BTreeSet<String> =
            row[1].split(", ").map(|room| room.trim_matches('`').to_owned()).collect();
        assert_eq!(&said, rooms, "the rooms of {library}");
    }
    for name in rows.iter().flat_map(|r| r[0].split(", ")) {
        assert!(used.contains_key(name), "{name} has a row and no use");
    }
}

/// The workspace's folders and the top files, as the first part of a path that a document may name.
fn is_a_path(word: &str) -> bool {
    let first = word.split('/').next().unwrap_or_default();
    word.contains('/')
        && !word.contains(['<', '{', '*', ' ', '$'])
        && !first.is_empty()
        && root().join(first).is_dir()
}

#[test]
fn each_path_that_is_named_is_there() {
    let mut seen = 0;
    for name in ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"] {
        for path in quoted(&text(name)).filter(|word| is_a_path(word)) {
            assert!(root().join(path).exists(), "{name} names `{path}`");
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} paths are named");
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
