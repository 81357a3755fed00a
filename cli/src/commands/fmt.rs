//! `canc fmt`: policies to their one form, in place.

use super::compile::print_diagnostics;
use super::{Failure, Outcome, to_json};
use crate::args::FmtArgs;
use crate::exit::Exit;
use crate::stream::Streams;
use crate::{input, render, write};
use canc_dsl::format::{Unformatted, format};
use serde::Serialize;
use std::path::Path;

/// What names standard input.
const STDIN: &str = "-";

/// A file and what it should hold.
struct Formatted<'a> {
    path: &'a Path,
    text: String,
    changed: bool,
    /// The first line that changes, from 1.
    line: usize,
}

/// The same for scripts.
#[derive(Serialize)]
struct Report {
    file: String,
    changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

pub fn run(args: &FmtArgs, streams: &mut Streams<'_>) -> Outcome {
    let from_stdin = args.files.iter().any(|f| f == Path::new(STDIN));
    if from_stdin && (args.files.len() > 1 || args.json && !args.check) {
        let with = if args.files.len() > 1 { "other files" } else { "`--json` without `--check`" };
        return Err(Failure::usage(format!("`-` prints the formatted policy and cannot stand with {with}")));
    }
    let mut formatted = Vec::new();
    let mut broken = Vec::new();
    // All files are looked at before the first one is written.
    for path in &args.files {
        match one(path)? {
            Ok(file) => formatted.push(file),
            Err(why) => broken.push(why),
        }
    }
    if !broken.is_empty() {
        refuse(args.json, &broken, streams);
        return Ok(Exit::Policy);
    }
    let changed = formatted.iter().any(|f| f.changed);
    if !args.check {
        if let (true, Some(only)) = (from_stdin, formatted.first()) {
            streams.out(&only.text);
            return Ok(Exit::Done);
        }
        for file in formatted.iter().filter(|f| f.changed) {
            write::again(file.path, file.text.as_bytes()).map_err(Failure::host)?;
        }
    }
    report(args, &formatted, streams);
    Ok(if args.check && changed { Exit::No } else { Exit::Done })
}

fn one(path: &Path) -> Result<Result<Formatted<'_>, Box<Unformatted>>, Failure> {
    let is_stdin = path == Path::new(STDIN);
    let bytes = if is_stdin { input::standard() } else { input::read(path) }.map_err(Failure::host)?;
    let name = if is_stdin { "<stdin>".into() } else { path.display().to_string() };
    Ok(format(&name, &bytes).map(|text| {
        let changed = text.as_bytes() != bytes;
        let same = bytes.split(|b| *b == b'\n').zip(text.split('\n')).take_while(|(a, b)| *a == b.as_bytes());
        let line = same.count() + 1;
        Formatted { path, text, changed, line }
    }))
}

fn refuse(json: bool, broken: &[Box<Unformatted>], streams: &mut Streams<'_>) {
    if json {
        let all: Vec<_> = broken.iter().flat_map(|b| render::json(&b.diagnostics, &b.sources)).collect();
        streams.out(&to_json(&serde_json::json!({ "ok": false, "diagnostics": all })));
        return;
    }
    for why in broken {
        print_diagnostics(&why.diagnostics, &why.sources, streams);
    }
    streams.err("nothing was formatted\n");
}

fn report(args: &FmtArgs, formatted: &[Formatted<'_>], streams: &mut Streams<'_>) {
    if args.json {
        let one = |f: &Formatted<'_>| Report {
            file: f.path.display().to_string(),
            changed: f.changed,
            line: f.changed.then_some(f.line),
        };
        let ok = !args.check || formatted.iter().all(|f| !f.changed);
        let files: Vec<Report> = formatted.iter().map(one).collect();
        streams.out(&to_json(&serde_json::json!({ "ok": ok, "files": files })));
        return;
    }
    for file in formatted.iter().filter(|f| f.changed) {
        let name = file.path.display();
        streams.out(&if args.check {
            format!("{name}:{}: not formatted\n", file.line)
        } else {
            format!("formatted {name}\n")
        });
    }
}
