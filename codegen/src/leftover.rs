//! One pattern without many others, to a path that is left: by trying short paths first, and by automata where those are all taken.

use canc_dsl::policy::PathRef;
use canc_sets::path::{Lang, Pattern, TooLarge, Universe};

/// A pattern and what is taken out of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Narrowed<'a> {
    pub(crate) pattern: &'a Pattern,
    pub(crate) except: &'a [PathRef],
}

impl Narrowed<'_> {
    fn matches(&self, path: &str) -> bool {
        self.pattern.matches(path) && !self.except.iter().any(|e| e.pattern.matches(path))
    }

    /// The paths.
    pub(crate) fn lang(&self) -> Result<Lang, TooLarge> {
        let all = Lang::patterns([self.pattern])?;
        if self.except.is_empty() {
            return Ok(all);
        }
        Ok(all.minus(Lang::patterns(self.except.iter().map(|e| &e.pattern))?))
    }
}

/// Whether anything of `whole` is left.
#[derive(Debug)]
pub(crate) struct Leftover<'a> {
    pub(crate) whole: Narrowed<'a>,
    pub(crate) taken: Vec<Narrowed<'a>>,
    /// Ask about everything but directories.
    pub(crate) files: bool,
    /// Ask about directories.
    pub(crate) directories: bool,
}

/// How many paths are tried before an automaton is asked.
const TRIES: usize = 6;
/// The most patterns that one automaton is made of.
const MAX_ATOMS: usize = 300;

impl Leftover<'_> {
    /// A path that is left, `None` when nothing is.
    pub(crate) fn witness(&self) -> Result<Option<String>, TooLarge> {
        let pattern = self.whole.pattern;
        if self.taken.iter().any(|t| t.except.is_empty() && t.pattern.covers(pattern) == Some(true)) {
            return Ok(None);
        }
        let single = pattern.as_literal().is_some();
        for directory in [false, true] {
            let asked = if directory { self.directories } else { self.files };
            let tries = match (asked, single) {
                (false, _) => 0,
                (true, true) => 1,
                (true, false) => TRIES,
            };
            for length in 0..tries {
                if let Some(path) = pattern.example_with(directory, &"a".repeat(length))
                    && self.is_left(&path)
                {
                    return Ok(Some(path));
                }
            }
        }
        if single { Ok(None) } else { self.ask() }
    }

    /// One path, by direct comparison.
    fn is_left(&self, path: &str) -> bool {
        self.whole.matches(path) && !self.taken.iter().any(|t| t.matches(path))
    }

    /// All paths. Where very many are taken, single paths among them are left out of the automata: they are few beside a glob.
    fn ask(&self) -> Result<Option<String>, TooLarge> {
        let mut lang = self.whole.lang()?;
        let many = self.taken.len() > MAX_ATOMS;
        let counted = self.taken.iter().filter(|t| !many || t.pattern.as_literal().is_none());
        for taken in counted.take(MAX_ATOMS) {
            lang = lang.minus(taken.lang()?);
        }
        let lang = match (self.files, self.directories) {
            (true, true) => lang,
            (true, false) => lang.minus(Lang::directories()),
            _ => lang.and(Lang::directories()),
        };
        lang.witness(Universe::Paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(whole: &str, taken: &[&str], files: bool, directories: bool) -> Option<String> {
        let parse = |t: &str| Pattern::parse(t).unwrap().remove(0);
        let whole = parse(whole);
        let taken: Vec<Pattern> = taken.iter().map(|t| parse(t)).collect();
        let plain = |pattern| Narrowed { pattern, except: &[] };
        let question =
            Leftover { whole: plain(&whole), taken: taken.iter().map(plain).collect(), files, directories };
        question.witness().unwrap()
    }

    #[test]
    fn what_is_left() {
        assert_eq!(left("/a", &[], true, true).as_deref(), Some("/a"));
        assert_eq!(left("/a", &["/a"], true, true), None);
        assert_eq!(left("/a", &["/a/"], true, true).as_deref(), Some("/a"));
        assert_eq!(left("/a", &["/*"], false, true), None);
        assert_eq!(left("/a/**", &["/a/a", "/a/aa", "/a/aaa"], true, false).as_deref(), Some("/a/aaaa"));
        assert_eq!(left("/a/**", &["/a/*", "/a/"], true, true).as_deref(), Some("/a/a/a"));
        assert_eq!(left("/a/**", &["/a/*"], false, true).as_deref(), Some("/a/"));
        assert_eq!(left("/a/*", &["/a/?*"], true, true), None);
        assert_eq!(left("/a/*", &["/**"], true, true), None);
        assert_eq!(left("/a/", &["/a"], true, true), None);
        // Very many single paths do not use a subtree up.
        let many: Vec<String> = (0..400).map(|n| format!("/a/{}", "a".repeat(n + 1))).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(left("/a/**", &many, true, false).is_some());
    }
}
