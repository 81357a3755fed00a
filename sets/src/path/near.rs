//! Patterns to the other patterns that may have a path in common with them: a look-up by literal prefixes, so that questions about
//! one path cost little however many patterns a policy has.

use super::{Anchor, Component, Lang, Pattern, Tail, TooLarge, Universe};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};
use std::sync::OnceLock;

/// Numbered patterns by where they lie. Prefixes are kept as hashes: two that collide cost a comparison, no wrong answer.
#[derive(Debug)]
pub struct Near {
    /// The last item of each prefix.
    heads: HashMap<u64, u32>,
    /// For each place of an item: the item, and the place before with the same prefix.
    places: Vec<(u32, Option<u32>)>,
    sorted: OnceLock<Vec<(String, u32)>>,
}

impl Near {
    /// Numbers the patterns from 0 in their order.
    pub fn new<'a>(patterns: impl Iterator<Item = &'a Pattern>) -> Self {
        let mut out = Self::with_capacity(patterns.size_hint().0);
        for (number, pattern) in (0u32..).zip(patterns) {
            for start in starts(pattern) {
                let mut trail = Trail::default();
                start.names(pattern).for_each(|name| trail.push(name));
                out.insert(trail.hash(), number);
            }
        }
        out
    }

    /// The same of anything that lies below a literal directory, or at a literal path (without trailing slash).
    pub fn of_prefixes<'a>(prefixes: impl Iterator<Item = &'a str>) -> Self {
        let mut out = Self::with_capacity(prefixes.size_hint().0);
        for (number, prefix) in (0u32..).zip(prefixes) {
            let mut trail = Trail::default();
            names_of(prefix).for_each(|name| trail.push(name));
            out.insert(trail.hash(), number);
        }
        out
    }

    fn with_capacity(count: usize) -> Self {
        Self {
            heads: HashMap::with_capacity(count),
            places: Vec::with_capacity(count),
            sorted: OnceLock::new(),
        }
    }

    fn insert(&mut self, hash: u64, number: u32) {
        let place = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        let before = self.heads.insert(hash, place);
        self.places.push((number, before));
    }

    /// The numbers of the patterns that may meet `pattern`, ascending. Some of them may not. `prefix` gives a numbered item's
    /// prefixes; it is asked only where `pattern` has more than a path or two.
    pub fn to(&self, pattern: &Pattern, prefixes: &dyn Fn(usize) -> Vec<String>) -> Vec<usize> {
        let mut found: Vec<u32> = Vec::new();
        for start in starts(pattern) {
            let mut trail = Trail::default();
            self.take(&trail, &mut found);
            for name in start.names(pattern) {
                trail.push(name);
                self.take(&trail, &mut found);
            }
        }
        if pattern.tail() == Tail::Subtree || !pattern.has_literal_components() {
            pattern.prefixes().iter().for_each(|p| self.below(p, prefixes, &mut found));
        }
        sorted(found)
    }

    /// The numbers of those that may have to do with a literal path or what is below it, ascending.
    pub fn around(&self, prefix: &str, prefixes: &dyn Fn(usize) -> Vec<String>) -> Vec<usize> {
        let mut found: Vec<u32> = Vec::new();
        let mut trail = Trail::default();
        self.take(&trail, &mut found);
        for name in names_of(prefix) {
            trail.push(name);
            self.take(&trail, &mut found);
        }
        self.below(prefix, prefixes, &mut found);
        sorted(found)
    }

    /// Those whose prefix is this one.
    fn take(&self, trail: &Trail, found: &mut Vec<u32>) {
        let mut at = self.heads.get(&trail.hash()).copied();
        while let Some((number, before)) = at.and_then(|at| self.places.get(at as usize)) {
            found.push(*number);
            at = *before;
        }
    }

    /// Those whose prefix lies below `prefix`.
    fn below(&self, prefix: &str, prefixes: &dyn Fn(usize) -> Vec<String>, found: &mut Vec<u32>) {
        let sorted = self.sorted.get_or_init(|| {
            let mut numbers: Vec<u32> = self.places.iter().map(|(number, _)| *number).collect();
            numbers.dedup();
            let named = |n: u32| prefixes(n as usize).into_iter().map(move |p| (p, n));
            let mut all: Vec<(String, u32)> = numbers.into_iter().flat_map(named).collect();
            all.sort_unstable();
            all
        });
        let start = if prefix == "/" { "/".to_string() } else { format!("{prefix}/") };
        let from = sorted.partition_point(|(p, _)| p.as_str() < start.as_str());
        found.extend(sorted.iter().skip(from).take_while(|(p, _)| p.starts_with(&start)).map(|(_, n)| *n));
    }
}

fn sorted(mut found: Vec<u32>) -> Vec<usize> {
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|n| n as usize).collect()
}

fn names_of(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty())
}

/// The names from the root on, as a hash.
#[derive(Default)]
struct Trail(DefaultHasher);

impl Trail {
    fn push(&mut self, name: &str) {
        self.0.write(name.as_bytes());
        self.0.write_u8(b'/');
    }

    fn hash(&self) -> u64 {
        self.0.finish()
    }
}

/// A place at which a pattern may start, and whether its own components follow.
struct Start {
    fixed: &'static [&'static str],
    goes_on: bool,
}

impl Start {
    fn names<'a>(&self, pattern: &'a Pattern) -> impl Iterator<Item = &'a str> + use<'a> {
        let own: &'a [Component] = if self.goes_on { pattern.components() } else { &[] };
        let literal = |c: &'a Component| match c {
            Component::Literal(name) => Some(&**name),
            _ => None,
        };
        self.fixed.iter().copied().chain(own.iter().map_while(literal))
    }
}

/// Where a pattern starts: a home directory is in one of two places.
fn starts(pattern: &Pattern) -> impl Iterator<Item = Start> + use<> {
    let (first, second): (Start, Option<Start>) = match pattern.anchor() {
        Anchor::Root => (Start { fixed: &[], goes_on: true }, None),
        Anchor::Home => {
            (Start { fixed: &["root"], goes_on: true }, Some(Start { fixed: &["home"], goes_on: false }))
        }
        Anchor::RunUser => (Start { fixed: &["run", "user"], goes_on: false }, None),
        Anchor::SelfProc => (Start { fixed: &["proc", "self"], goes_on: true }, None),
    };
    std::iter::once(first).chain(second)
}

/// Whether two patterns have a path in common.
///
/// # Errors
/// When their automata are too large.
pub fn meet(a: &Pattern, b: &Pattern) -> Result<bool, TooLarge> {
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
            "/root/y",
            "/home/**",
            "/*/joe/y",
        ];
        let all: Vec<Pattern> = texts.iter().map(|t| Pattern::parse(t).unwrap().remove(0)).collect();
        let index = Near::new(all.iter());
        let prefixes = |n: usize| all[n].prefixes();
        for a in &all {
            let found = index.to(a, &prefixes);
            for (number, b) in all.iter().enumerate() {
                if meet(a, b).unwrap() {
                    assert!(found.contains(&number), "{b} near {a}");
                }
            }
        }
        // And not everything is.
        assert!(!index.to(&all[0], &prefixes).contains(&5) && !index.to(&all[5], &prefixes).contains(&0));
        let places = Near::of_prefixes(["/a/b", "/", "/c", "/a"].into_iter());
        let texts = |n: usize| vec![["/a/b", "/", "/c", "/a"][n].to_string()];
        assert_eq!(places.around("/a", &texts), [0, 1, 3]);
        assert_eq!(places.around("/", &texts), [0, 1, 2, 3]);
        assert_eq!(places.around("/c/d", &texts), [1, 2]);
    }
}
