//! Examples in Markdown: fenced blocks whose info string starts with `can` and says what must come of them.
//!
//! ` ```can ` compiles without error. `error=E0101` gives errors of that code alone (`E0101+E0102`: of both), `report=W0001` a warning or note of it and no
//! error. `in=file` puts `can 1;` before it, `in=policy` a policy around it, `in=test` a test around it. `file=NAME` is a file that the
//! other blocks of the page may use. `set=NAME:VALUE`, `allow-raw` are options. `escapes` decodes `\xHH`, `\u{H}`, `\r`, `\n` and
//! multiplies out `{{N * TEXT}}`, where `§` in TEXT is the number of the copy and `§+` the next one. `chain=N` adds N files that use
//! each other in a row.

use canc_dsl::diag::{Diagnostic, Severity};
use canc_dsl::policy::{Policy, Rule};
use canc_dsl::{Compilation, MemoryFiles, NoFiles, Options, compile};
use std::collections::BTreeSet;

/// The policy `example` with these statements; panics with the messages if there is an error.
pub fn policy(statements: &str) -> Policy {
    let (policy, messages) = try_policy(statements);
    policy.unwrap_or_else(|| panic!("{statements}: {messages:?}"))
}

/// The policy `example` with these statements, and the messages as `CODE text: message`.
pub fn try_policy(statements: &str) -> (Option<Policy>, Vec<String>) {
    let text = format!("can 1;\npolicy example {{\nexec \"/usr/bin/example\";\n{statements}\n}}\n");
    let done = compile("example.can", text.as_bytes(), &NoFiles, &Options::default());
    let messages = messages(&done);
    (done.policies.and_then(|p| p.policy("example").cloned()), messages)
}

/// The messages as `CODE text: message`, where the text is the labelled one.
pub fn messages(done: &Compilation) -> Vec<String> {
    let text =
        |d: &Diagnostic| d.labels.first().map(|l| done.sources.text(l.span).to_owned()).unwrap_or_default();
    done.diagnostics.iter().map(|d| format!("{} {}: {}", d.code.0, text(d), d.message)).collect()
}

/// The rules of a policy that are its own.
pub fn own(policy: &Policy) -> Vec<&Rule> {
    policy.rules.iter().filter(|r| r.included.is_empty()).collect()
}

/// One example.
pub struct Example {
    /// The words of the info string after `can`.
    pub attributes: Vec<String>,
    /// The text between the fences.
    pub text: String,
    /// The line of the opening fence, from 1.
    pub line: usize,
}

impl Example {
    /// The value of `key=value`, or nothing.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find_map(|a| a.strip_prefix(key)?.strip_prefix('='))
    }

    fn has(&self, word: &str) -> bool {
        self.attributes.iter().any(|a| a == word)
    }
}

/// The examples of a page.
pub fn examples(page: &str) -> Vec<Example> {
    let mut out: Vec<Example> = Vec::new();
    let mut open: Option<Example> = None;
    for (number, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some("")) => out.extend(open.take()),
            (Some(example), _) => {
                example.text.push_str(line);
                example.text.push('\n');
            }
            (None, Some(info)) => {
                let attributes = info.split(',').map(str::to_owned).collect();
                open = Some(Example { attributes, text: String::new(), line: number + 1 });
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is never closed");
    out.retain(|e| e.attributes.first().is_some_and(|a| a == "can"));
    out
}

/// Compiles an example among those of its page.
pub fn run(example: &Example, page: &[Example]) -> Compilation {
    let bytes =
        if example.has("escapes") { expand(&example.text) } else { example.text.clone().into_bytes() };
    let bytes = wrap(example, bytes);
    let mut files = MemoryFiles::default();
    for other in page {
        if let Some(name) = other.attribute("file") {
            files.0.insert(name.into(), other.text.clone().into_bytes());
        }
    }
    let chain: usize = example.attribute("chain").map_or(0, |n| n.parse().unwrap());
    for n in 0..chain {
        files.0.insert(format!("f{n}.can"), format!("can 1;\nuse \"f{}.can\" as f;\n", n + 1).into());
    }
    let mut options = Options { allow_raw: example.has("allow-raw"), ..Options::default() };
    if let Some((name, value)) = example.attribute("set").and_then(|s| s.split_once(':')) {
        options.parameters.insert(name.into(), value.into());
    }
    compile("example.can", &bytes, &files, &options)
}

fn wrap(example: &Example, text: Vec<u8>) -> Vec<u8> {
    let (before, after) = match example.attribute("in") {
        None => ("", ""),
        Some("file") => ("can 1;\n", ""),
        Some("policy") => ("can 1;\npolicy example {\nexec \"/usr/bin/example\";\n", "}\n"),
        Some("test") => {
            ("can 1;\npolicy example { exec \"/usr/bin/example\"; }\ntest \"example\" {\n", "}\n")
        }
        Some(other) => panic!("in={other}"),
    };
    [before.as_bytes(), &text, after.as_bytes()].concat()
}

/// Panics unless what an example gives is what its info string says.
pub fn check(example: &Example, page: &[Example], place: &str) {
    let done = run(example, page);
    let place = format!("{place}:{}", example.line);
    let found = |severe: bool| -> BTreeSet<&str> {
        let wanted = done.diagnostics.iter().filter(|d| (d.severity == Severity::Error) == severe);
        wanted.map(|d| d.code.0).collect()
    };
    let shown: Vec<String> =
        done.diagnostics.iter().take(10).map(|d| format!("{} {}", d.code.0, d.message)).collect();
    let want: BTreeSet<&str> = example.attribute("error").into_iter().flat_map(|e| e.split('+')).collect();
    assert_eq!(found(true), want, "{place}: {shown:#?}");
    assert_eq!(done.policies.is_some(), want.is_empty(), "{place}");
    if let Some(code) = example.attribute("report") {
        assert!(found(false).contains(code), "{place}: {shown:#?}");
    }
}

fn expand(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.extend(decode(before));
        let (inner, tail) = after.split_once("}}").unwrap();
        let (count, body) = inner.split_once(" * ").unwrap();
        let count: usize = count.parse().unwrap();
        if !body.contains('§') {
            out.extend(decode(body).repeat(count));
        }
        for n in 0..if body.contains('§') { count } else { 0 } {
            out.extend(decode(&body.replace("§+", &(n + 1).to_string()).replace('§', &n.to_string())));
        }
        rest = tail;
    }
    out.extend(decode(rest));
    out
}

fn decode(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.extend(before.bytes());
        if let Some(tail) = after.strip_prefix('x') {
            out.push(u8::from_str_radix(&tail[..2], 16).unwrap());
            rest = &tail[2..];
        } else if let Some(tail) = after.strip_prefix("u{") {
            let (hex, tail) = tail.split_once('}').unwrap();
            let c = char::from_u32(u32::from_str_radix(hex, 16).unwrap()).unwrap();
            out.extend(c.to_string().bytes());
            rest = tail;
        } else {
            out.push(match after.as_bytes()[0] {
                b'r' => b'\r',
                b'n' => b'\n',
                other => panic!("\\{}", char::from(other)),
            });
            rest = &after[1..];
        }
    }
    out.extend(rest.bytes());
    out
}
