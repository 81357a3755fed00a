//! An unknown word to the known one that its author most likely meant.

use crate::limits::MAX_CANDIDATES;

/// How many changes still count as a slip of the finger.
const MAX_DISTANCE: usize = 2;

/// The known word nearest to `word`: at most two insertions, removals, replacements or swaps of neighbours away, and less than half
/// of the word. Of several equally near ones, the first in the order of the alphabet.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_of_many(word, known.into_iter().take(MAX_CANDIDATES))
}

/// As [`nearest`], for a list of fixed length that is allowed to be long.
#[must_use]
pub fn nearest_of_many<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = MAX_DISTANCE.min((word.chars().count() / 2).max(1));
    let folded = word.to_ascii_lowercase().replace('-', "_");
    known
        .into_iter()
        .filter(|k| !k.is_empty() && k.len().abs_diff(word.len()) <= limit)
        .map(|k| (distance(&folded, &k.to_ascii_lowercase()), k))
        .filter(|(d, _)| *d <= limit)
        .min()
        .map(|(_, k)| k)
}

/// The number of edits between two words, a swap of neighbours counted as one (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
            let mut best =
                (at(&last, j) + usize::from(x != y)).min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            if i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x) {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_words_are_found_and_far_ones_are_not() {
        let known = ["read", "write", "append", "create", "net_bind_service", "EPERM", "tcp"];
        let found = |word| nearest(word, known);
        assert_eq!(found("raed"), Some("read"));
        assert_eq!(found("wrte"), Some("write"));
        assert_eq!(found("Read"), Some("read"));
        assert_eq!(found("net-bind-service"), Some("net_bind_service"));
        assert_eq!(found("creaet"), Some("create"));
        assert_eq!(found("eperm"), Some("EPERM"));
        assert_eq!(found("tpc"), Some("tcp"));
        assert_eq!(found("xyz"), None, "three replacements of three letters are no slip");
        assert_eq!(found("appendixes"), None);
    }

    #[test]
    fn distance_counts_edits() {
        for (a, b, n) in
            [("", "", 0), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "ab", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(a, b), n, "{a} {b}");
            assert_eq!(distance(b, a), n, "{b} {a}");
        }
    }
}
