//! A source text and the places of labels to the few lines that a message quotes: without what would act on a terminal instead of
//! being seen, and without the ends of endless lines. It knows nothing of diagnostics.

use canc_dsl::source::SourceFile;
use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};
use std::ops::Range;

/// Lines are quoted up to here, and a little beyond the last label in them; in bytes.
const LINE: usize = 240;
/// How much of a line is quoted after a label's start, at least, in bytes.
const AFTER: usize = 60;
/// Lines around a label that are quoted.
const AROUND: usize = 1;

/// The lines of a text from the first that is quoted to the last; those between that are not quoted are empty.
#[derive(Debug)]
pub struct Excerpt {
    name: String,
    text: String,
    /// The number of its first line in the text, from 0.
    first: usize,
    /// The labels in it, in the order in which they were given.
    pub labels: Vec<Range<usize>>,
}

impl Excerpt {
    /// What is quoted of `file` for labels at these ranges of bytes.
    pub fn new(file: &SourceFile, labels: &[Range<usize>]) -> Self {
        let spans: Vec<(usize, usize)> =
            labels.iter().map(|l| (file.line(l.start).0, file.line(l.end.max(l.start + 1) - 1).0)).collect();
        let first = spans.iter().map(|s| s.0).min().unwrap_or(0).saturating_sub(AROUND);
        let last = spans.iter().map(|s| s.1).max().unwrap_or(0) + AROUND;
        let mut out =
            Self { name: file.name.to_string(), text: String::new(), first, labels: labels.to_vec() };
        let mut start = file.start(first);
        for number in first..=last {
            // After the last line feed is a line only for a label that is there.
            let ended = |rest: &str| rest.is_empty() && spans.iter().all(|(_, to)| *to < number);
            let Some(rest) = file.text.get(start..).filter(|r| !ended(r)) else { break };
            let line = rest.find('\n').map_or(rest, |end| rest.get(..end).unwrap_or(rest));
            let quoted =
                spans.iter().any(|(from, to)| (from.saturating_sub(AROUND)..=to + AROUND).contains(&number));
            out.line(if quoted { line } else { "" }, start..start + line.len(), labels);
            start += line.len() + 1;
        }
        out
    }

    /// Adds a line whose place in the text is `place`, and moves the labels that start or end in it.
    fn line(&mut self, line: &str, place: Range<usize>, labels: &[Range<usize>]) {
        let here = |at: usize| place.start <= at && at <= place.end;
        let reach =
            labels.iter().filter(|l| here(l.start)).map(|l| l.end.min(l.start + AFTER) - place.start + AFTER);
        let most = reach.max().unwrap_or(0).max(LINE);
        let kept = if line.len() <= most { line } else { line.get(..boundary(line, most)).unwrap_or(line) };
        let at = self.text.len();
        for (label, moved) in labels.iter().zip(&mut self.labels) {
            if here(label.start) {
                moved.start = at + (label.start - place.start).min(kept.len());
            }
            if here(label.end) {
                moved.end = at + (label.end - place.start).min(kept.len());
            }
        }
        self.text.extend(kept.chars().map(visible));
        self.text.push_str(if kept.len() < line.len() { "…\n" } else { "\n" });
    }
}

/// The last place up to `most` that is between two characters.
fn boundary(line: &str, most: usize) -> usize {
    (0..=most).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0)
}

/// A character that is seen, of the same length in bytes: controls, also those of writing direction, would act instead.
fn visible(c: char) -> char {
    let acts = c.is_control() && c != '\t'
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    match (acts, c.len_utf8()) {
        (false, _) => c,
        (true, 1) => '?',
        (true, 2) => '\u{bf}',
        (true, _) => char::REPLACEMENT_CHARACTER,
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let inner = self.text.as_str().read_span(span, before, after)?;
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            inner.data(),
            *inner.span(),
            inner.line() + self.first,
            inner.column(),
            inner.line_count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::single_range_in_vec_init,
        reason = "tests may fail by panic, and have lists of one range"
    )]

    use super::*;
    use canc_dsl::source::SourceMap;

    fn excerpt(text: &str, labels: &[Range<usize>]) -> Excerpt {
        let mut map = SourceMap::default();
        let id = map.add("x", text);
        Excerpt::new(map.get(id).unwrap(), labels)
    }

    #[test]
    fn labels_keep_their_texts() {
        let text = format!("first\n\nabc\n{}\nlast é word\nend\n", "y\n".repeat(50));
        let (abc, word) = (text.find("abc").unwrap(), text.find("word").unwrap());
        let made = excerpt(&text, &[abc..abc + 3, word..word + 4]);
        assert_eq!((&made.text[made.labels[0].clone()], &made.text[made.labels[1].clone()]), ("abc", "word"));
        assert!(made.text.starts_with("\nabc\ny\n\n\n"), "{:?}", made.text);
        assert_eq!(made.first, 1);
        let both = made.labels[0].start..made.labels[1].end;
        let read = made.read_span(&(both.start, both.len()).into(), 1, 1).unwrap();
        assert_eq!(read.line(), 1);
    }

    #[test]
    fn nothing_acts_on_a_terminal() {
        let text = "a\u{1b}[2J\u{85}\u{202e}b\tc\0";
        let made = excerpt(text, std::slice::from_ref(&(0..text.len())));
        assert_eq!(made.text, "a?[2J\u{bf}\u{fffd}b\tc?\n");
        assert_eq!(made.labels.first(), Some(&(0..text.len())));
    }

    #[test]
    fn long_lines_end_after_their_labels() {
        let text = format!("{}é{}", "x".repeat(LINE - 1), "x".repeat(70_000));
        assert_eq!(excerpt(&text, &[3..5]).text, format!("{}…\n", "x".repeat(LINE - 1)));
        let made = excerpt(&text, &[30_001..70_000]);
        assert_eq!(made.labels, [30_001..30_001 + 2 * AFTER]);
        assert_eq!(made.text.len(), 30_001 + 2 * AFTER + "…\n".len());
    }

    #[test]
    fn labels_at_the_very_end_are_in_the_excerpt() {
        for text in ["", "a", "a\n", "a\n\n"] {
            let made = excerpt(text, &[text.len()..text.len()]);
            assert!(made.labels[0].end <= made.text.len(), "{text:?} {made:?}");
        }
    }
}
