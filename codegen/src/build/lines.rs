//! Spans to line numbers, with one pass over each text however many spans there are.

use canc_dsl::source::{FileId, SourceMap, Span};
use std::collections::BTreeMap;

/// Where the lines of every text start.
pub struct Lines<'a> {
    sources: &'a SourceMap,
    starts: BTreeMap<FileId, Vec<u32>>,
}

impl<'a> Lines<'a> {
    /// Reads the texts once.
    pub fn new(sources: &'a SourceMap) -> Self {
        let starts = |text: &str| -> Vec<u32> {
            let newlines = text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
            newlines.filter_map(|(i, _)| u32::try_from(i + 1).ok()).collect()
        };
        Self { sources, starts: sources.iter().map(|(id, file)| (id, starts(&file.text))).collect() }
    }

    /// `FILE:LINE`, the file without its directories.
    pub fn place(&self, span: Span) -> String {
        let line =
            self.starts.get(&span.file).map_or(0, |s| s.partition_point(|start| *start <= span.start)) + 1;
        let name = self.sources.get(span.file).map_or("", |f| &f.name);
        format!("{}:{line}", name.rsplit('/').next().unwrap_or(name))
    }

    /// The text of a span on one line, its blanks run together and its final `;` left out.
    pub fn text(&self, span: Span) -> String {
        let text = self.sources.text(span).trim_end().trim_end_matches(';');
        let mut out = String::with_capacity(text.len());
        for word in text.split_ascii_whitespace() {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(word);
        }
        out
    }
}
