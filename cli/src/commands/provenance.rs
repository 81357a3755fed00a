//! A rule to where it stands, what it says, why, and the way it came into its policy.

use canc_dsl::policy::{PolicyData, RuleId};
use canc_dsl::source::{SourceMap, Span};
use serde::Serialize;

/// A rule as reports name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleReport {
    /// `@id(…)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub file: String,
    /// Counts from 1.
    pub line: usize,
    /// The statement on one line.
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// The includes that brought it, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub included: Vec<Include>,
}

/// An `include` on the way to a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Include {
    pub fragment: String,
    pub file: String,
    pub line: usize,
}

/// The report of a rule; `None` where the policy has no such rule.
pub fn rule(policy: &PolicyData, id: RuleId, sources: &SourceMap) -> Option<RuleReport> {
    let rule = policy.rule(id)?;
    let (file, line) = place(sources, rule.span);
    let included = rule.included.iter().map(|site| {
        let (file, line) = place(sources, site.span);
        Include { fragment: site.fragment.to_string(), file, line }
    });
    Some(RuleReport {
        id: rule.name.as_ref().map(ToString::to_string),
        file,
        line,
        text: one_line(sources.text(rule.span)),
        because: rule.because.as_ref().map(ToString::to_string),
        included: included.collect(),
    })
}

impl RuleReport {
    /// `web.can:6: allow read "/srv/x/**"; (by std.base at web.can:4)`
    pub fn line(&self) -> String {
        let way: Vec<String> =
            self.included.iter().map(|i| format!("{} at {}:{}", i.fragment, i.file, i.line)).collect();
        let way = if way.is_empty() { String::new() } else { format!(" (by {})", way.join(", ")) };
        format!("{}:{}: {}{way}", self.file, self.line, self.text)
    }
}

/// The file and the line of a span.
pub fn place(sources: &SourceMap, span: Span) -> (String, usize) {
    (sources.get(span.file).map(|f| f.name.to_string()).unwrap_or_default(), sources.line_column(span).0)
}

/// A text of several lines as one.
pub fn one_line(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}
