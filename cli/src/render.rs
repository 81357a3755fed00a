//! Diagnostics to what people and scripts read: labelled source text on a terminal, JSON otherwise.

use crate::excerpt::Excerpt;
use canc_dsl::diag::{Diagnostic, Severity};
use canc_dsl::source::{FileId, SourceMap};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode, ThemeCharacters, ThemeStyles};
use serde::Serialize;
use std::fmt;

/// How to print for people.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Whether to colour.
    pub color: bool,
    /// The width to wrap at, in columns.
    pub width: usize,
}

impl Look {
    /// Plain text, as goldens and pipes get it.
    pub const PLAIN: Self = Self { color: false, width: 100 };
}

/// One diagnostic as the printer wants it: the labels of one file, those of other files as notes below.
struct Report<'a> {
    diagnostic: &'a Diagnostic,
    source: Option<Excerpt>,
    labels: Vec<LabeledSpan>,
    elsewhere: Vec<Report<'a>>,
    primary: bool,
}

impl<'a> Report<'a> {
    fn new(diagnostic: &'a Diagnostic, sources: &SourceMap) -> Self {
        let mut files: Vec<FileId> = Vec::new();
        for label in &diagnostic.labels {
            if !files.contains(&label.span.file) {
                files.push(label.span.file);
            }
        }
        let mut parts =
            files.iter().map(|file| Self::part(diagnostic, sources, *file, files.first() == Some(file)));
        let mut first =
            parts.next().unwrap_or_else(|| Self::part(diagnostic, sources, FileId(u32::MAX), true));
        first.elsewhere = parts.collect();
        first
    }

    fn part(diagnostic: &'a Diagnostic, sources: &SourceMap, file: FileId, primary: bool) -> Self {
        let labels = || diagnostic.labels.iter().filter(|l| l.span.file == file);
        let ranges: Vec<_> = labels().map(|l| l.span.range()).collect();
        let source = sources.get(file).filter(|_| !ranges.is_empty()).map(|f| Excerpt::new(f, &ranges));
        let places = source.iter().flat_map(|s| &s.labels);
        let marked = labels().zip(places).map(|(label, place)| {
            let text = Some(label.text.clone()).filter(|t| !t.is_empty());
            LabeledSpan::new(text, place.start, place.len())
        });
        Self { diagnostic, labels: marked.collect(), source, elsewhere: Vec::new(), primary }
    }
}

impl fmt::Debug for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.primary { &self.diagnostic.message } else { "and here" })
    }
}

impl std::error::Error for Report<'_> {}

impl miette::Diagnostic for Report<'_> {
    fn code<'s>(&'s self) -> Option<Box<dyn fmt::Display + 's>> {
        self.primary.then(|| Box::new(self.diagnostic.code.0) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            _ if !self.primary => miette::Severity::Advice,
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'s>(&'s self) -> Option<Box<dyn fmt::Display + 's>> {
        let help = self.diagnostic.help.as_ref().filter(|_| self.primary)?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|s| s as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty())
            .then(|| Box::new(self.labels.iter().cloned()) as Box<dyn Iterator<Item = _>>)
    }

    fn related<'s>(&'s self) -> Option<Box<dyn Iterator<Item = &'s dyn miette::Diagnostic> + 's>> {
        (!self.elsewhere.is_empty()).then(|| {
            Box::new(self.elsewhere.iter().map(|r| r as &dyn miette::Diagnostic))
                as Box<dyn Iterator<Item = _>>
        })
    }
}

/// All diagnostics as text for people, one after another.
#[must_use]
pub fn text(diagnostics: &[Diagnostic], sources: &SourceMap, look: Look) -> String {
    let theme = GraphicalTheme {
        characters: ThemeCharacters::unicode(),
        styles: if look.color { ThemeStyles::ansi() } else { ThemeStyles::none() },
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(look.width)
        .with_links(false)
        .with_context_lines(1);
    let mut out = String::new();
    for diagnostic in diagnostics {
        // Writing to a string cannot fail; a label outside its text would only lose the excerpt.
        let _ = handler.render_report(&mut out, &Report::new(diagnostic, sources));
        out.push('\n');
    }
    out
}

/// A diagnostic for scripts. Lines and columns count from 1, columns in characters, offsets in bytes.
#[derive(Debug, Serialize)]
pub struct JsonDiagnostic {
    code: &'static str,
    severity: &'static str,
    message: String,
    labels: Vec<JsonLabel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

#[derive(Debug, Serialize)]
struct JsonLabel {
    file: String,
    line: usize,
    column: usize,
    start: u32,
    end: u32,
    text: String,
}

/// All diagnostics for scripts.
#[must_use]
pub fn json(diagnostics: &[Diagnostic], sources: &SourceMap) -> Vec<JsonDiagnostic> {
    let label = |l: &canc_dsl::diag::Label| {
        let (line, column) = sources.line_column(l.span);
        let file = sources.get(l.span.file).map(|f| f.name.to_string()).unwrap_or_default();
        JsonLabel { file, line, column, start: l.span.start, end: l.span.end, text: l.text.clone() }
    };
    let one = |d: &Diagnostic| JsonDiagnostic {
        code: d.code.0,
        severity: match d.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        },
        message: d.message.clone(),
        labels: d.labels.iter().map(label).collect(),
        help: d.help.clone(),
    };
    diagnostics.iter().map(one).collect()
}

/// `2 errors, 1 warning`, or nothing.
#[must_use]
pub fn count(diagnostics: &[Diagnostic]) -> String {
    let number = |severity| diagnostics.iter().filter(|d| d.severity == severity).count();
    let part = |n: usize, word: &str| match n {
        0 => None,
        1 => Some(format!("1 {word}")),
        n => Some(format!("{n} {word}s")),
    };
    [part(number(Severity::Error), "error"), part(number(Severity::Warning), "warning")]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
}
