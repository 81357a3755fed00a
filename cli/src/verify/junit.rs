//! Matrices to the XML that build servers read: a suite for each policy, a case for each line.

use super::{Judgement, Matrix, Origin, Row};

/// The document.
#[must_use]
pub fn document(matrices: &[Matrix]) -> String {
    let mut out =
        String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"canc verify\">\n");
    for matrix in matrices {
        let count = |of: &[Judgement]| matrix.rows.iter().filter(|row| of.contains(&row.result)).count();
        out.push_str(&format!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">\n",
            escaped(&matrix.policy),
            matrix.rows.len(),
            count(&[Judgement::Differs]),
            count(&[Judgement::NotRun]),
            count(&SKIPPED),
        ));
        matrix.rows.iter().for_each(|row| out.push_str(&case(&matrix.policy, row)));
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// What shows nothing.
const SKIPPED: [Judgement; 2] = [Judgement::Vacuous, Judgement::NotApplicable];

fn case(policy: &str, row: &Row) -> String {
    let class = match row.origin {
        Origin::Test => format!("{policy}.test.{}", row.title),
        Origin::Attack => format!("{policy}.attack"),
    };
    let name = if row.origin == Origin::Test { &row.text } else { &row.title };
    let head = format!("    <testcase classname=\"{}\" name=\"{}\"", escaped(&class), escaped(name));
    let inner = |element: &str, kind: &str| {
        format!(
            "{head}>\n      <{element} type=\"{kind}\" message=\"{}\"/>\n    </testcase>\n",
            escaped(&row.why)
        )
    };
    match row.result {
        Judgement::Stopped | Judgement::Permitted | Judgement::Leaks => format!("{head}/>\n"),
        Judgement::Differs => inner("failure", "differs"),
        Judgement::NotRun => inner("error", "not run"),
        Judgement::Vacuous => inner("skipped", "vacuous"),
        Judgement::NotApplicable => inner("skipped", "not applicable"),
    }
}

/// Text in an attribute; what XML cannot say at all is replaced.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(result: Judgement, why: &str) -> Row {
        Row {
            origin: Origin::Test,
            title: "a \"title\"".into(),
            text: "p denies read \"/x<&>\"".into(),
            at: String::new(),
            result,
            why: why.into(),
            private_copy: None,
            cells: Vec::new(),
        }
    }

    #[test]
    fn hostile_text_stays_one_attribute() {
        let rows = vec![
            row(Judgement::Stopped, ""),
            row(Judgement::Differs, "\"/><evil>\n\u{1}"),
            row(Judgement::NotRun, "gone"),
            row(Judgement::Vacuous, "x"),
        ];
        let matrix = Matrix { policy: "p".into(), host: "bare", absent: Vec::new(), rows };
        let text = document(&[matrix]);
        assert!(text.contains("tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\""), "{text}");
        assert!(text.contains("message=\"&quot;/&gt;&lt;evil&gt;\u{fffd}\u{fffd}\""), "{text}");
        assert!(text.contains("classname=\"p.test.a &quot;title&quot;\""), "{text}");
        assert_eq!(text.matches("<testcase").count(), 4);
        assert_eq!(text.matches("</testcase>").count(), 3);
    }
}
