//! Policies with a mistake in each statement: each statement has its message, at a place inside it, with a help.

use crate::case::{Case, case};
use canc_dsl::{NoFiles, Options, compile};

/// The lines with a statement that is meant to be wrong: all but the first edition, what opens or closes a block, and what the next
/// lines need.
fn wrong_lines(case: &Case) -> Vec<usize> {
    let fine = |line: &str| {
        let opens = line.ends_with('{') || line == "}" || line.is_empty();
        opens || line.starts_with("exec \"/p\"") || RIGHT.contains(&line)
    };
    let text = case.text();
    let lines = text.lines().zip(1..).skip(1).filter(|(line, _)| !fine(line.trim()));
    lines.map(|(_, number)| number).collect()
}

/// Statements that are right where they stand.
const RIGHT: &[&str] =
    &["allow syscall read on x86;", "policy y { exec \"/y\"; deny read \"/z\" because \"yes\"; }"];

#[test]
fn each_statement_with_a_mistake_has_its_message() {
    for name in ["mistake_in_each_statement", "mistake_in_each_item_and_assertion"] {
        let case = case("bad", name);
        let text = case.text();
        let done = compile("policy.can", text.as_bytes(), &NoFiles, &Options::default());
        let wrong = wrong_lines(&case);
        let mut found = Vec::new();
        for diagnostic in &done.diagnostics {
            let label = diagnostic.labels.first().unwrap_or_else(|| panic!("{diagnostic:?} has no label"));
            assert!(diagnostic.help.as_ref().is_some_and(|h| !h.is_empty()), "{diagnostic:?} has no help");
            assert!(
                text.get(label.span.range()).is_some_and(|t| !t.is_empty()),
                "{diagnostic:?} points at nothing"
            );
            found.push(done.sources.line_column(label.span).0);
        }
        found.sort_unstable();
        found.dedup();
        let missing: Vec<&str> =
            wrong.iter().filter(|n| !found.contains(n)).map(|n| text.lines().nth(n - 1).unwrap()).collect();
        assert_eq!(missing, Vec::<&str>::new(), "{name}: no message for these");
        assert!(wrong.len() > 30, "{name}: {}", wrong.len());
    }
}
