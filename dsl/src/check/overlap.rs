//! Patterns with owners to the pairs of different owners that match one path. Linear in the common case: patterns meet only where the
//! literal start of one is the start of the other, and only what meets there is compared by automaton.

use crate::limits::{MAX_COMPARISONS, MAX_PAIRS};
use crate::policy::PathRef;
use canc_sets::path::{Anchor, Component, Lang, Pattern, Piece, Tail, TooLarge, Universe};
use std::collections::HashMap;

/// A pattern that somebody claims.
pub(super) struct Claimed<'p> {
    /// By whom; claims of one owner never conflict.
    pub(super) owner: usize,
    pub(super) path: &'p PathRef,
    /// What the owner takes out of it.
    pub(super) except: &'p [PathRef],
}

/// Two claims that meet.
pub(super) struct Meeting {
    /// Places in the list; the first one was claimed first.
    pub(super) first: usize,
    pub(super) second: usize,
    /// A path that both match.
    pub(super) witness: String,
}

/// Why no answer is given.
pub(super) enum Unanswered {
    /// More than [`MAX_PAIRS`] pairs, or [`MAX_COMPARISONS`] that are hard, would have to be compared.
    TooMany,
    /// One pattern's automaton is too large.
    TooLarge(TooLarge),
}

#[derive(Default)]
struct Node<'p> {
    children: HashMap<&'p str, usize>,
    /// Claims whose literal start ends here, by owner.
    claims: Vec<(usize, Vec<usize>)>,
}

/// The first meeting of each claim with an earlier one of another owner; at most `most`.
pub(super) fn meetings(claims: &[Claimed<'_>], most: usize) -> Result<Vec<Meeting>, Unanswered> {
    let Some(first) = claims.first() else { return Ok(Vec::new()) };
    if claims.iter().all(|c| c.owner == first.owner) {
        return Ok(Vec::new());
    }
    let prefixes: Vec<String> = claims.iter().map(|c| c.path.pattern.literal_prefix()).collect();
    let mut nodes: Vec<Node<'_>> = vec![Node::default()];
    let mut trails: Vec<Vec<usize>> = Vec::with_capacity(claims.len());
    for (number, (claim, prefix)) in claims.iter().zip(&prefixes).enumerate() {
        let trail = enter(&mut nodes, prefix);
        if let Some(node) = trail.last().and_then(|n| nodes.get_mut(*n)) {
            match node.claims.iter_mut().find(|c| c.0 == claim.owner) {
                Some((_, list)) => list.push(number),
                None => node.claims.push((claim.owner, vec![number])),
            }
        }
        trails.push(trail);
    }
    let mut out = Vec::new();
    let mut work = Work { pairs: MAX_PAIRS, comparisons: MAX_COMPARISONS };
    for (number, trail) in trails.iter().enumerate() {
        if out.len() >= most {
            break;
        }
        out.extend(first_meeting(claims, &nodes, number, trail, &mut work)?);
    }
    Ok(out)
}

fn enter<'p>(nodes: &mut Vec<Node<'p>>, prefix: &'p str) -> Vec<usize> {
    let mut at = 0;
    let mut trail = vec![0];
    for name in prefix.split('/').filter(|n| !n.is_empty()) {
        let next = nodes.len();
        let Some(node) = nodes.get_mut(at) else { break };
        at = *node.children.entry(name).or_insert(next);
        if at == next {
            nodes.push(Node::default());
        }
        trail.push(at);
    }
    trail
}

fn first_meeting(
    claims: &[Claimed<'_>],
    nodes: &[Node<'_>],
    number: usize,
    trail: &[usize],
    work: &mut Work,
) -> Result<Option<Meeting>, Unanswered> {
    let Some(claim) = claims.get(number) else { return Ok(None) };
    for (depth, node) in trail.iter().enumerate() {
        let own = depth + 1 == trail.len();
        let others = nodes.get(*node).map(|n| n.claims.as_slice()).unwrap_or_default();
        for (_, list) in others.iter().filter(|(owner, _)| *owner != claim.owner) {
            for other in list {
                let Some(theirs) = claims.get(*other) else { continue };
                // Both ends of a pair at one node see each other: the later one reports it.
                if own && *other > number || !own && is_literal(&theirs.path.pattern) {
                    continue;
                }
                if let Some(witness) = meet(claim, theirs, work)? {
                    let (first, second) = (number.min(*other), number.max(*other));
                    return Ok(Some(Meeting { first, second, witness }));
                }
            }
        }
    }
    Ok(None)
}

fn is_literal(pattern: &Pattern) -> bool {
    pattern.anchor() == Anchor::Root && pattern.as_literal().is_some()
}

/// How much may still be compared.
struct Work {
    pairs: usize,
    comparisons: usize,
}

impl Work {
    fn take(left: &mut usize) -> Result<(), Unanswered> {
        *left = left.checked_sub(1).ok_or(Unanswered::TooMany)?;
        Ok(())
    }
}

fn meet(a: &Claimed<'_>, b: &Claimed<'_>, work: &mut Work) -> Result<Option<String>, Unanswered> {
    Work::take(&mut work.pairs)?;
    if let Some(answer) = literal_meets(a, b).or_else(|| literal_meets(b, a)) {
        return Ok(answer);
    }
    if surely_apart(&a.path.pattern, &b.path.pattern) {
        return Ok(None);
    }
    Work::take(&mut work.comparisons)?;
    let lang = |claim: &Claimed<'_>| -> Result<Lang, TooLarge> {
        let whole = Lang::patterns([&claim.path.pattern])?;
        if claim.except.is_empty() {
            return Ok(whole);
        }
        Ok(whole.minus(Lang::patterns(claim.except.iter().map(|p| &p.pattern))?))
    };
    let both = lang(a).and_then(|a| Ok(a.and(lang(b)?)));
    both.and_then(|l| l.witness(Universe::Paths)).map_err(Unanswered::TooLarge)
}

/// The answer where the first claim is one path: no automaton is needed.
fn literal_meets(a: &Claimed<'_>, b: &Claimed<'_>) -> Option<Option<String>> {
    let path = a.path.pattern.as_literal()?;
    let directory = if path == "/" { path.clone() } else { format!("{path}/") };
    let in_both = |path: &String| {
        let has = |claim: &Claimed<'_>| {
            claim.path.pattern.matches(path) && !claim.except.iter().any(|e| e.pattern.matches(path))
        };
        has(a) && has(b)
    };
    Some([path, directory].into_iter().find(in_both))
}

/// Whether a look at the names one by one, from both ends, shows that no path matches both.
fn surely_apart(a: &Pattern, b: &Pattern) -> bool {
    if a.anchor() != b.anchor() {
        return false;
    }
    let differ = |(x, y): (&Component, &Component)| match (x, y) {
        (Component::Globstar, _) | (_, Component::Globstar) => None,
        (x, y) => Some(names_apart(x, y)),
    };
    let whole = |p: &Pattern| p.tail() != Tail::Subtree && !p.components().contains(&Component::Globstar);
    let (left, right) = (a.components(), b.components());
    // `None` ends the walk: beyond a `**` names stand against no certain other.
    left.iter().zip(right).map(differ).take_while(Option::is_some).any(|d| d == Some(true))
        || a.tail() != Tail::Subtree
            && b.tail() != Tail::Subtree
            && left
                .iter()
                .rev()
                .zip(right.iter().rev())
                .map(differ)
                .take_while(Option::is_some)
                .any(|d| d == Some(true))
        || whole(a) && whole(b) && left.len() != right.len()
}

/// Whether two names have no name in common, as far as their literal starts and ends tell.
fn names_apart(a: &Component, b: &Component) -> bool {
    let ends = |c: &Component| -> (String, String, bool) {
        match c {
            Component::Literal(name) => (name.to_string(), name.to_string(), true),
            Component::Glob(pieces) => {
                let lit = |p: Option<&Piece>| match p {
                    Some(Piece::Lit(text)) => text.clone(),
                    _ => String::new(),
                };
                (lit(pieces.first()), lit(pieces.last()), false)
            }
            Component::Globstar => (String::new(), String::new(), false),
        }
    };
    let ((start_a, end_a, whole_a), (start_b, end_b, whole_b)) = (ends(a), ends(b));
    if whole_a && whole_b {
        return start_a != start_b;
    }
    !(start_a.starts_with(&start_b) || start_b.starts_with(&start_a))
        || !(end_a.ends_with(&end_b) || end_b.ends_with(&end_a))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Span;

    fn path(text: &str) -> PathRef {
        PathRef { pattern: Pattern::parse(text).unwrap().remove(0), span: Span::default() }
    }

    fn found(list: &[(usize, &str, &[&str])]) -> Vec<(usize, usize, String)> {
        let paths: Vec<(usize, PathRef, Vec<PathRef>)> =
            list.iter().map(|(o, p, e)| (*o, path(p), e.iter().map(|e| path(e)).collect())).collect();
        let claims: Vec<Claimed<'_>> =
            paths.iter().map(|(owner, path, except)| Claimed { owner: *owner, path, except }).collect();
        let Ok(found) = meetings(&claims, 100) else { panic!("unanswered") };
        found.into_iter().map(|m| (m.first, m.second, m.witness)).collect()
    }

    #[test]
    fn meetings_have_witnesses() {
        assert_eq!(found(&[(0, "/a/**", &[]), (1, "/a/b", &[])]), [(0, 1, "/a/b".into())]);
        assert_eq!(found(&[(1, "/a/b", &[]), (0, "/a/**", &[])]), [(0, 1, "/a/b".into())]);
        assert_eq!(found(&[(0, "/a/*.x", &[]), (1, "/a/y*", &[])]), [(0, 1, "/a/y.x".into())]);
        assert_eq!(found(&[(0, "/a/**", &["/a/b"]), (1, "/a/b", &[])]), []);
        assert_eq!(found(&[(0, "/a/**", &["/a/b/**"]), (1, "/a/b/c*", &[])]), []);
        assert_eq!(found(&[(0, "/a/**", &[]), (0, "/a/b", &[])]), [], "one owner");
        assert_eq!(found(&[(0, "/a/b", &[]), (1, "/a/c", &[]), (2, "/a/b/", &[])]), [(0, 2, "/a/b/".into())]);
        assert_eq!(found(&[(0, "${home}/x", &[]), (1, "/home/joe/x", &[])]), [(0, 1, "/home/joe/x".into())]);
        assert_eq!(found(&[(0, "/**/x", &[]), (1, "/a/b/**", &[])]), [(0, 1, "/a/b/x".into())]);
    }

    #[test]
    fn what_looks_apart_is_apart() {
        let names = ["a", "b", "a*", "b*", "*a", "*b", "*", "a*b", "?", "[ab]", "**", "ab"];
        let mut texts = Vec::new();
        for x in names {
            for y in names {
                texts.extend([format!("/{x}/{y}"), format!("/{x}/{y}/**"), format!("/{x}/{y}/")]);
            }
            texts.extend([format!("/{x}"), format!("${{home}}/{x}")]);
        }
        let patterns: Vec<Pattern> = texts.iter().flat_map(|t| Pattern::parse(t).unwrap()).collect();
        let mut apart = 0;
        for (number, a) in patterns.iter().enumerate() {
            // A sample: every pair would take minutes.
            for b in patterns.iter().skip(number + 1).step_by(37).filter(|b| surely_apart(a, b)) {
                apart += 1;
                let both = Lang::patterns([a]).unwrap().and(Lang::patterns([b]).unwrap());
                assert_eq!(both.witness(Universe::Paths).unwrap(), None, "{a} {b}");
            }
        }
        assert!(apart > 500, "{apart}");
    }

    #[test]
    fn many_patterns_of_one_directory_are_told_apart_without_automata() {
        let paths: Vec<PathRef> = (0..1_000).map(|n| path(&format!("/usr/lib/app/x{n:04}*"))).collect();
        let claims: Vec<Claimed<'_>> =
            paths.iter().enumerate().map(|(owner, path)| Claimed { owner, path, except: &[] }).collect();
        assert!(matches!(meetings(&claims, 10), Ok(found) if found.is_empty()));
    }

    #[test]
    fn too_many_pairs_are_refused() {
        let paths: Vec<PathRef> = (0..2_100).map(|n| path(&format!("/usr/lib/app/x{n:04}*"))).collect();
        let claims: Vec<Claimed<'_>> =
            paths.iter().enumerate().map(|(owner, path)| Claimed { owner, path, except: &[] }).collect();
        assert!(matches!(meetings(&claims, 10), Err(Unanswered::TooMany)));
    }

    #[test]
    fn too_many_hard_pairs_are_refused() {
        let paths: Vec<PathRef> = (0..100).map(|n| path(&format!("/usr/*{n}*"))).collect();
        let except: Vec<PathRef> = vec![path("/usr/**")];
        let claims: Vec<Claimed<'_>> =
            paths.iter().enumerate().map(|(owner, path)| Claimed { owner, path, except: &except }).collect();
        assert!(matches!(meetings(&claims, 10), Err(Unanswered::TooMany)));
    }

    #[test]
    fn the_common_case_compares_nothing() {
        let paths: Vec<PathRef> = (0..50_000).map(|n| path(&format!("/usr/lib/p{n}/**"))).collect();
        let claims: Vec<Claimed<'_>> =
            paths.iter().enumerate().map(|(owner, path)| Claimed { owner, path, except: &[] }).collect();
        assert!(matches!(meetings(&claims, 10), Ok(found) if found.is_empty()));
    }
}
