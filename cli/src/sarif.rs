//! Diagnostics to SARIF 2.1.0, which code hosts and editors read.

use canc_dsl::diag::{Diagnostic, Label, Severity};
use canc_dsl::source::{FileId, SourceFile, SourceMap, Span};
use canc_dsl::{codes, std_fragments};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Where the format is defined.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// A log with one run. Lines and columns count from 1, columns in UTF-16 code units; ends are exclusive.
#[must_use]
pub fn log(diagnostics: &[Diagnostic], sources: &SourceMap) -> Value {
    let named: BTreeSet<FileId> = diagnostics.iter().flat_map(|d| &d.labels).map(|l| l.span.file).collect();
    let run = Run {
        sources,
        files: named.into_iter().filter(|f| sources.get(*f).is_some()).collect(),
        codes: diagnostics.iter().map(|d| d.code.0).collect::<BTreeSet<_>>().into_iter().collect(),
    };
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "canc",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": run.codes.iter().map(|code| rule(code)).collect::<Vec<_>>(),
            }},
            "columnKind": "utf16CodeUnits",
            "artifacts": run.files.iter().map(|file| run.artifact(*file)).collect::<Vec<_>>(),
            "results": diagnostics.iter().map(|d| run.result(d)).collect::<Vec<_>>(),
        }],
    })
}

struct Run<'a> {
    sources: &'a SourceMap,
    /// The texts that results point into.
    files: Vec<FileId>,
    /// The codes of the results.
    codes: Vec<&'static str>,
}

/// What a code means.
fn rule(code: &str) -> Value {
    let entry = codes::ALL.iter().find(|e| e.code.0 == code);
    let title = entry.map_or(code, |e| e.title);
    let page = entry.map_or("", |e| e.page);
    json!({
        "id": code,
        "shortDescription": { "text": title },
        "help": { "text": format!("canc explain {code}"), "markdown": page },
    })
}

impl Run<'_> {
    fn artifact(&self, file: FileId) -> Value {
        let Some(source) = self.sources.get(file) else { return json!({}) };
        match fragment(source) {
            // A fragment is no file, so that its text comes along.
            Some(name) => json!({
                "location": { "uri": uri(source) },
                "description": { "text": format!("the fragment std.{name} of the standard library") },
                "contents": { "text": *source.text },
            }),
            None => json!({ "location": { "uri": uri(source) } }),
        }
    }

    fn result(&self, diagnostic: &Diagnostic) -> Value {
        let help = diagnostic.help.iter().map(|help| format!("\nhelp: {help}")).collect::<String>();
        let mut labels = diagnostic.labels.iter().filter(|l| self.sources.get(l.span.file).is_some());
        let mut out = json!({
            "ruleId": diagnostic.code.0,
            "ruleIndex": self.codes.iter().position(|c| *c == diagnostic.code.0),
            "level": match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            },
            "message": { "text": format!("{}{help}", diagnostic.message) },
            "locations": labels.next().map(|l| self.location(l)).into_iter().collect::<Vec<_>>(),
        });
        let related: Vec<Value> = labels
            .enumerate()
            .map(|(id, label)| {
                let mut place = self.location(label);
                if let Some(place) = place.as_object_mut() {
                    place.insert("id".into(), json!(id));
                }
                place
            })
            .collect();
        if let (false, Some(out)) = (related.is_empty(), out.as_object_mut()) {
            out.insert("relatedLocations".into(), json!(related));
        }
        out
    }

    fn location(&self, label: &Label) -> Value {
        let mut place = json!({ "physicalLocation": self.place(label.span) });
        if let (false, Some(place)) = (label.text.is_empty(), place.as_object_mut()) {
            place.insert("message".into(), json!({ "text": label.text }));
        }
        place
    }

    fn place(&self, span: Span) -> Value {
        let Some(source) = self.sources.get(span.file) else { return json!({}) };
        let range = span.range();
        let (start_line, start_column) = position(source, range.start);
        let (end_line, end_column) = position(source, range.end);
        json!({
            "artifactLocation": {
                "uri": uri(source),
                "index": self.files.iter().position(|f| *f == span.file),
            },
            "region": {
                "startLine": start_line,
                "startColumn": start_column,
                "endLine": end_line,
                "endColumn": end_column,
                "snippet": { "text": self.sources.text(span) },
            },
        })
    }
}

/// The line and the column in UTF-16 code units.
fn position(source: &SourceFile, offset: usize) -> (usize, usize) {
    let (line, start) = source.line(offset);
    let before = source.text.get(start..offset).unwrap_or_default();
    (line + 1, before.encode_utf16().count() + 1)
}

/// The name of the standard library's fragment that a text is.
fn fragment(source: &SourceFile) -> Option<&'static str> {
    let name = source.name.strip_prefix("std.")?;
    std_fragments().iter().find(|(n, text)| *n == name && **text == *source.text).map(|f| f.0)
}

/// A reference to a text: relative where its name is.
fn uri(source: &SourceFile) -> String {
    if let Some(name) = fragment(source) {
        return format!("canc:std/{name}.can");
    }
    let mut out = String::from(if source.name.starts_with('/') { "file://" } else { "" });
    for byte in source.name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
