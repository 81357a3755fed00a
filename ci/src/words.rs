//! The templates' own words against the strings of the lowering: what only a target language says stands in its templates.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Words that the templates print and that the lowering also needs in another sense: operations of the policy language, names of
/// system calls, and types that a base declares.
const SHARED: &[&str] = &["log", "read", "self", "stream", "unconfined", "write"];

/// Shorter words are letters of a permission or placeholders of a message.
const SHORTEST: usize = 3;

fn codegen() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../codegen")
}

/// What a template prints as it stands, without its remarks.
fn printed(template: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(start) = rest.find('{') {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let close = match from.get(..2) {
            Some("{{") => "}}",
            Some("{%") => "%}",
            Some("{#") => "#}",
            _ => {
                out.push(' ');
                rest = from.get(1..).unwrap_or_default();
                continue;
            }
        };
        out.push(' ');
        rest = from.find(close).and_then(|end| from.get(end + 2..)).unwrap_or_default();
    }
    out.push_str(rest);
    let remark = |line: &&str| !line.trim_start().starts_with(['#', ';']);
    out.lines().filter(remark).collect::<Vec<_>>().join("\n")
}

fn words(text: &str) -> BTreeSet<String> {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !inside(c)).filter(|w| w.len() >= SHORTEST).map(str::to_owned).collect()
}

/// The string literals of Rust text, without those of comments.
fn literals(source: &str) -> Vec<String> {
    let mut out = Vec::new();
    let code = |line: &&str| !line.trim_start().starts_with("//");
    let text = source.lines().filter(code).collect::<Vec<_>>().join("\n");
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // A character literal, which may be a quote; a lifetime has no second apostrophe so near.
            '\'' if chars.peek() == Some(&'"') => {
                chars.next();
            }
            '"' => {
                let mut literal = String::new();
                while let Some(c) = chars.next() {
                    match c {
                        '"' => break,
                        '\\' => literal.extend(chars.next()),
                        c => literal.push(c),
                    }
                }
                out.push(literal);
            }
            _ => {}
        }
    }
    out
}

/// The sources that lower to a language: everything of a target called `lower`.
fn lowering() -> BTreeMap<PathBuf, String> {
    let mut out = BTreeMap::new();
    let mut todo = vec![codegen().join("src")];
    while let Some(directory) = todo.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let text = path.to_string_lossy().into_owned();
            if path.is_dir() {
                todo.push(path);
            } else if text.contains("/lower") && text.ends_with(".rs") && !text.contains("tests") {
                out.insert(path.clone(), fs::read_to_string(&path).unwrap());
            }
        }
    }
    out
}

fn template_words() -> BTreeSet<String> {
    let of = |path: PathBuf| words(&printed(&fs::read_to_string(path).unwrap()));
    let all = fs::read_dir(codegen().join("templates")).unwrap().map(|e| e.unwrap().path());
    // One prints the language of the policies themselves.
    all.filter(|path| path.extension().is_none_or(|e| e != "can")).flat_map(of).collect()
}

#[test]
fn keywords_of_the_targets_stand_in_the_templates_alone() {
    let keywords = template_words();
    for known in [
        "auditallow",
        "type_transition",
        "typeattribute",
        "portcon",
        "profile",
        "userns",
        "pivot_root",
        "fstype",
    ] {
        assert!(keywords.contains(known), "the templates do not print `{known}`");
    }
    let sources = lowering();
    assert!(sources.len() > 30, "{} sources", sources.len());
    let mut shared = BTreeSet::new();
    for (path, source) in &sources {
        for literal in literals(source) {
            let literal = literal.trim();
            let first = literal.split(' ').next().unwrap_or_default();
            let whole = keywords.contains(literal);
            // A rule or a statement that somebody put together.
            let statement = keywords.contains(first) && literal.ends_with([',', ';']);
            if whole && SHARED.contains(&literal) {
                shared.insert(literal.to_owned());
            } else {
                assert!(!whole && !statement, "{}: `{literal}` belongs into a template", path.display());
            }
        }
    }
    assert_eq!(shared.into_iter().collect::<Vec<_>>(), SHARED, "words that nobody needs any more");
}

#[test]
fn literals_and_printed_words_are_found() {
    let source = "let a = \"allow x:y z;\"; // \"no\"\n // \"neither\"\nlet b = '\"'; f(\"a \\\" b\")";
    assert_eq!(literals(source), ["allow x:y z;", "no", "a \" b"]);
    let template = "{# a remark #}{%- match x -%}# another\nallow {{ source|ty }} { {{ p|perm }} };\n";
    assert_eq!(words(&printed(template)), BTreeSet::from(["allow".to_owned()]));
}
