//! Patterns to the other patterns that may have a path in common with them: a look-up by literal prefixes, so that questions about
//! one path cost little however many patterns a policy has.

use canc_sets::path::{Lang, Pattern, Tail, TooLarge, Universe};
use std::cell::OnceCell;
use std::collections::HashMap;

/// Numbered patterns by where they lie.
pub(crate) struct Near {
    by_prefix: HashMap<String, Vec<u32>>,
    sorted: OnceCell<Vec<String>>,
}

impl Near {
    /// Numbers the patterns from 0 in their order.
    pub(crate) fn new<'a>(patterns: impl Iterator<Item = &'a Pattern>) -> Self {
        let mut by_prefix: HashMap<String, Vec<u32>> = HashMap::with_capacity(patterns.size_hint().0);
        for (number, pattern) in (0u32..).zip(patterns) {
            for prefix in pattern.prefixes() {
                by_prefix.entry(prefix).or_default().push(number);
            }
        }
        Self { by_prefix, sorted: OnceCell::new() }
    }

    /// The numbers of the patterns that may meet `pattern`, ascending. Some of them may not.
    pub(crate) fn to(&self, pattern: &Pattern) -> Vec<usize> {
        let mut found: Vec<u32> = Vec::new();
        let exact = pattern.tail() != Tail::Subtree && pattern.has_literal_components();
        for prefix in pattern.prefixes() {
            self.above(&prefix, &mut found);
            if !exact {
                self.below(&prefix, &mut found);
            }
        }
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|n| n as usize).collect()
    }

    /// Those at `prefix` and at the directories above it.
    fn above(&self, prefix: &str, found: &mut Vec<u32>) {
        let mut take = |place: &str| found.extend(self.by_prefix.get(place).into_iter().flatten());
        take("/");
        if prefix == "/" {
            return;
        }
        for (end, _) in prefix.match_indices('/').skip(1) {
            take(prefix.get(..end).unwrap_or_default());
        }
        take(prefix);
    }

    /// Those below `prefix`.
    fn below(&self, prefix: &str, found: &mut Vec<u32>) {
        let sorted = self.sorted.get_or_init(|| {
            let mut all: Vec<String> = self.by_prefix.keys().cloned().collect();
            all.sort_unstable();
            all
        });
        let start = if prefix == "/" { "/".to_string() } else { format!("{prefix}/") };
        let from = sorted.partition_point(|p| p.as_str() < start.as_str());
        for place in sorted.iter().skip(from).take_while(|p| p.starts_with(&start)) {
            found.extend(self.by_prefix.get(place).into_iter().flatten());
        }
    }
}

/// Whether two patterns have a path in common.
///
/// # Errors
/// When their automata are too large.
pub(crate) fn meet(a: &Pattern, b: &Pattern) -> Result<bool, TooLarge> {
    match a.meets(b) {
        Some(known) => Ok(known),
        None => Ok(Lang::patterns([a])?.and(Lang::patterns([b])?).witness(Universe::Paths)?.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_meets_is_near() {
        let texts = [
            "/a",
            "/a/**",
            "/a/b",
            "/a/b/c*",
            "/a-b",
            "/b/**",
            "/**/x",
            "${home}/y",
            "/home/joe/y",
            "/root/**",
            "${self}/fd",
            "/proc/**",
            "/",
            "/a/*/d",
            "${run_user}/z",
            "/run/**",
            "/a/",
        ];
        let all: Vec<Pattern> = texts.iter().map(|t| Pattern::parse(t).unwrap().remove(0)).collect();
        let index = Near::new(all.iter());
        for a in &all {
            let found = index.to(a);
            for (number, b) in all.iter().enumerate() {
                if meet(a, b).unwrap() {
                    assert!(found.contains(&number), "{b} near {a}");
                }
            }
        }
        // And not everything is.
        assert!(!index.to(&all[0]).contains(&5) && !index.to(&all[5]).contains(&0));
    }
}
