//! A language to its shortest string, by trying the first few there can be: most questions about policies end here, without automata.

use super::search::rank;
use super::{Lang, Pattern, TooLarge};

/// The shortest string of a language that [`super::plain::reduce`] has left, the most readable of its length, as the automata would
/// give it. The outer `None` where the first few strings do not tell.
///
/// # Errors
/// When an automaton that one of them is tried with is too large.
pub(super) fn shortest(lang: &Lang) -> Result<Option<Option<String>>, TooLarge> {
    let one = std::slice::from_ref(lang);
    let branches = if let Lang::Any(all) = lang { all.as_slice() } else { one };
    let mut best: Option<String> = None;
    for branch in branches {
        match of_branch(branch)? {
            None => return Ok(None),
            Some(Some(path)) if best.as_ref().is_none_or(|b| order(&path) < order(b)) => best = Some(path),
            Some(_) => {}
        }
    }
    Ok(Some(best))
}

/// The same of a conjunction whose first part is a pattern.
fn of_branch(branch: &Lang) -> Result<Option<Option<String>>, TooLarge> {
    let Lang::Every(parts) = branch else { return Ok(None) };
    let Some(Lang::Atom(own)) = parts.first() else { return Ok(None) };
    let Some((first, all)) = own.as_pattern().and_then(first_paths) else { return Ok(None) };
    for path in first {
        if !Lang::first_that(parts, false, &path)? {
            return Ok(Some(Some(path)));
        }
    }
    Ok(all.then_some(None))
}

/// The first paths of a pattern in the order of [`order`], and whether that is all of them.
fn first_paths(pattern: &Pattern) -> Option<(Vec<String>, bool)> {
    if let Some(mut paths) = pattern.few_paths() {
        paths.sort_by_key(String::len);
        return Some((paths, true));
    }
    let directory = pattern.as_literal_subtree().filter(|d| d != "/")?;
    Some((vec![format!("{directory}/"), format!("{directory}/a")], false))
}

/// Shorter strings first, and of one length those that are more readable from the left.
fn order(path: &str) -> (usize, Vec<(u8, u8)>) {
    (path.len(), path.bytes().map(|b| (rank(b), b)).collect())
}

impl Lang {
    /// Whether a string is one of the language.
    fn holds(&self, text: &str) -> Result<bool, TooLarge> {
        Ok(match self {
            Self::Empty => false,
            Self::All => true,
            Self::Atom(atom) => atom.holds(text)?,
            Self::Not(inner) => !inner.holds(text)?,
            Self::Any(parts) => Self::first_that(parts, true, text)?,
            Self::Every(parts) => !Self::first_that(parts, false, text)?,
        })
    }

    /// Whether one of the parts answers so.
    fn first_that(parts: &[Self], wanted: bool, text: &str) -> Result<bool, TooLarge> {
        for part in parts {
            if part.holds(text)? == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::super::search::Search;
    use super::super::{Universe, plain};
    use super::*;

    fn any(texts: &[&str]) -> Lang {
        let all: Vec<Pattern> = texts.iter().flat_map(|t| Pattern::parse(t).unwrap()).collect();
        Lang::patterns(&all).unwrap()
    }

    #[test]
    fn what_is_tried_is_what_the_automata_find() {
        let sets: &[&[&str]] = &[
            &["/a/b"],
            &["/a/b/"],
            &["/a/**"],
            &["/a/b/**"],
            &["/a/b", "/a/c", "/b"],
            &["/a/*"],
            &["/a/?"],
            &["/a/b*"],
            &["/**/b"],
            &["/Z/**", "/_/**", "/a/b/c"],
            &["/a/a", "/a/"],
        ];
        let universe = Lang::universe(Universe::Paths).unwrap();
        let Lang::Atom(universe) = universe else { panic!("no atom") };
        let mut told = 0;
        for whole in sets {
            for taken in sets {
                for directories in [None, Some(true), Some(false)] {
                    let mut lang = any(whole).minus(any(taken));
                    match directories {
                        Some(true) => lang = lang.and(Lang::directories()),
                        Some(false) => lang = lang.minus(Lang::directories()),
                        None => {}
                    }
                    let exact = Search::new(&universe, &lang).unwrap().run().unwrap();
                    let exact = exact.map(|bytes| String::from_utf8(bytes).unwrap());
                    let Some(rest) = plain::reduce(&lang) else {
                        assert_eq!(exact, None, "{whole:?} without {taken:?}");
                        continue;
                    };
                    let Some(found) = shortest(&rest).unwrap() else { continue };
                    assert_eq!(found, exact, "{whole:?} without {taken:?}, directories {directories:?}");
                    told += 1;
                }
            }
        }
        assert!(told > 100, "{told}");
    }
}
