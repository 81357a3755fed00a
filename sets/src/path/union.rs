//! Members of a union to those that a pattern may have strings in common with: a large union is looked up, not walked.

use super::{Lang, Near, Pattern};
use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

/// Walking so many members is cheaper than an index of them.
const SMALL: usize = 16;

/// What a [`Lang::Any`] is the union of.
pub struct Union {
    parts: Box<[Lang]>,
    index: OnceLock<Index>,
    single_paths: OnceLock<bool>,
}

/// Where the members of a large union lie.
struct Index {
    near: Near,
    /// Of each place in `near`: the member.
    members: Vec<usize>,
    /// Members of which nothing is known.
    anywhere: Vec<usize>,
}

impl Union {
    pub(super) fn new(parts: Vec<Lang>) -> Self {
        Self { parts: parts.into(), index: OnceLock::new(), single_paths: OnceLock::new() }
    }

    /// Whether asking its members one by one takes long.
    pub(super) fn is_large(&self) -> bool {
        self.parts.len() > SMALL
    }

    /// Whether each member is a pattern with a single path.
    pub(super) fn is_of_single_paths(&self) -> bool {
        let single = |part: &Lang| part.as_pattern().is_some_and(Pattern::is_single);
        *self.single_paths.get_or_init(|| self.parts.iter().all(single))
    }

    /// The members that may have strings in common with a pattern, in their order. Those that are left out have none.
    pub(super) fn near(&self, pattern: &Pattern) -> Vec<&Lang> {
        if !self.is_large() {
            return self.parts.iter().collect();
        }
        let index = self.index.get_or_init(|| Index::new(&self.parts));
        let place = |n: usize| index.members.get(n).and_then(|m| self.parts.get(*m)).and_then(outline);
        let prefixes = |n: usize| place(n).map(Pattern::prefixes).unwrap_or_default();
        let found = index.near.to(pattern, &prefixes);
        let mut members: Vec<usize> =
            found.into_iter().filter_map(|n| index.members.get(n).copied()).collect();
        members.extend(&index.anywhere);
        members.sort_unstable();
        members.into_iter().filter_map(|m| self.parts.get(m)).collect()
    }
}

impl Index {
    fn new(parts: &[Lang]) -> Self {
        let (mut members, mut anywhere, mut patterns) = (Vec::new(), Vec::new(), Vec::new());
        for (number, part) in parts.iter().enumerate() {
            match outline(part) {
                Some(pattern) => {
                    patterns.push(pattern);
                    members.push(number);
                }
                None => anywhere.push(number),
            }
        }
        Self { near: Near::new(patterns.into_iter()), members, anywhere }
    }
}

/// A pattern that has all strings of a language.
fn outline(lang: &Lang) -> Option<&Pattern> {
    match lang {
        Lang::Every(all) => all.iter().find_map(outline),
        Lang::Any(all) if all.len() == 1 => all.first().and_then(outline),
        other => other.as_pattern(),
    }
}

impl Deref for Union {
    type Target = [Lang];

    fn deref(&self) -> &[Lang] {
        &self.parts
    }
}

impl fmt::Debug for Union {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.parts.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Universe, meet};
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap().remove(0)
    }

    #[test]
    fn what_is_left_out_has_nothing_in_common() {
        let mut texts: Vec<String> = (0..40).map(|i| format!("/srv/d{}/f{i}", i % 7)).collect();
        texts.extend(["/srv/**", "/**/x", "${home}/y", "/srv/d1/", "/srv/*/f8"].map(str::to_owned));
        let all: Vec<Pattern> = texts.iter().map(|t| pattern(t)).collect();
        let union = Lang::patterns(&all).unwrap();
        let Lang::Any(members) = &union else { panic!("no union") };
        for asked in
            ["/srv/d1/f8", "/srv/d1/**", "/srv/d1/x", "/home/joe/y", "/etc/**", "/", "/srv/*/f3"].map(pattern)
        {
            let near = members.near(&asked);
            assert!(near.len() < members.len(), "{asked} is near everything");
            for (member, lang) in all.iter().zip(members.iter()) {
                let found = near.iter().any(|l| std::ptr::eq(*l, lang));
                assert!(found || !meet(member, &asked).unwrap(), "{member} is not near {asked}");
            }
            // And questions by it are answered as by walking.
            let own = Lang::patterns([&asked]).unwrap();
            let walked = all.iter().any(|m| meet(m, &asked).unwrap());
            assert_eq!(union.clone().and(own).witness(Universe::Paths).unwrap().is_some(), walked, "{asked}");
        }
    }

    #[test]
    fn conjunctions_lie_where_a_part_lies() {
        let of = |text: &str| Lang::patterns([&pattern(text)]).unwrap();
        let parts: Vec<Lang> = (0..30).map(|i| of(&format!("/a/f{i}")).minus(Lang::directories())).collect();
        let Lang::Any(members) = Lang::any(parts) else { panic!("no union") };
        assert_eq!(members.near(&pattern("/a/f7")).len(), 1);
        let Lang::Any(members) = Lang::any(vec![Lang::directories(); 20]) else { panic!("no union") };
        assert_eq!(members.near(&pattern("/a/f7")).len(), 20);
    }
}
