//! Questions about patterns to smaller questions, by looking at components: most of them vanish before any automaton is built.

use super::{Atom, Lang, Pattern};
use std::sync::Arc;

/// A language with the same strings, or `None` when it plainly has none.
///
/// A string of the language is in every part of its outermost conjunction. Where one of those is a union of patterns, each of its
/// members is looked at alone: what it lies in, and what it lies apart from, decides the other parts.
pub(super) fn reduce(lang: &Lang) -> Option<Lang> {
    let mut parts = Vec::new();
    conjunction(lang, &mut parts);
    let mut seen: Vec<(*const Atom, bool)> = Vec::with_capacity(parts.len());
    parts.retain(|part| part.as_known().is_none_or(|(atom, positive)| once(&mut seen, (atom, positive))));
    let known: Vec<(&Atom, bool)> = parts.iter().filter_map(|p| p.as_known()).collect();
    let mut unions: Vec<((bool, usize), Part<'_>)> =
        parts.iter().filter_map(|p| p.cost().map(|c| (c, *p))).collect();
    unions.sort_by_key(|(cost, _)| *cost);
    let Some(union) = unions.into_iter().find_map(|(_, part)| part.as_patterns()) else {
        return Some(lang.clone());
    };
    let kept: Vec<Lang> = union.into_iter().filter_map(|member| branch(member, &parts, &known)).collect();
    match kept.len() {
        0 => None,
        1 => kept.into_iter().next(),
        _ => Some(Lang::any(kept)),
    }
}

/// Whether a part is the first of its kind: layers share what they are made of.
fn once(seen: &mut Vec<(*const Atom, bool)>, part: (*const Atom, bool)) -> bool {
    let new = !seen.contains(&part);
    if new {
        seen.push(part);
    }
    new
}

/// A part of a conjunction: a language, or what is not in one.
#[derive(Clone, Copy)]
struct Part<'a> {
    lang: &'a Lang,
    positive: bool,
}

fn conjunction<'a>(lang: &'a Lang, parts: &mut Vec<Part<'a>>) {
    match lang {
        Lang::Every(all) => all.iter().for_each(|l| conjunction(l, parts)),
        Lang::Any(all) if all.len() == 1 => all.iter().for_each(|l| conjunction(l, parts)),
        Lang::Not(inner) => negation(inner, parts),
        other => parts.push(Part { lang: other, positive: true }),
    }
}

fn negation<'a>(lang: &'a Lang, parts: &mut Vec<Part<'a>>) {
    match lang {
        Lang::Any(all) if !all.is_large() => all.iter().for_each(|l| negation(l, parts)),
        Lang::Every(all) if all.len() == 1 => all.iter().for_each(|l| negation(l, parts)),
        Lang::Not(inner) => conjunction(inner, parts),
        other => parts.push(Part { lang: other, positive: false }),
    }
}

impl<'a> Part<'a> {
    /// An atom that every string is in, or not in.
    fn as_known(&self) -> Option<(&'a Atom, bool)> {
        match self.lang {
            Lang::Atom(atom) => Some((atom, self.positive)),
            _ => None,
        }
    }

    /// How little looking at each member of a union alone gains: single paths decide most. `None` for what is no union.
    fn cost(&self) -> Option<(bool, usize)> {
        match self.lang {
            _ if !self.positive => None,
            Lang::Any(all) => Some((!all.is_of_single_paths(), all.len())),
            Lang::Atom(atom) => atom.as_pattern().map(|p| (!p.is_single(), 1)),
            _ => None,
        }
    }

    /// The members of a union of patterns, or a single one.
    fn as_patterns(&self) -> Option<Vec<(&'a Lang, &'a Pattern)>> {
        let member = |lang: &'a Lang| lang.as_pattern().map(|p| (lang, p));
        match self.lang {
            _ if !self.positive => None,
            Lang::Any(all) => all.iter().map(member).collect(),
            other => member(other).map(|m| vec![m]),
        }
    }
}

/// What is left of the conjunction for the strings of one member.
fn branch((own, pattern): (&Lang, &Pattern), parts: &[Part<'_>], known: &[(&Atom, bool)]) -> Option<Lang> {
    let mut left = vec![own.clone()];
    for part in parts {
        // What is known by itself must still be asked for; what follows from the member need not.
        let asked = part.as_known().map(|(atom, _)| atom);
        let member = Member { pattern, known, asked };
        match (member.decide(part.lang), part.positive) {
            (Decided::Known(v), positive) if v == positive => {}
            (Decided::Known(_), _) => return None,
            (Decided::Open(rest), true) => left.push(rest),
            (Decided::Open(rest), false) => left.push(Lang::Not(Arc::new(rest))),
        }
    }
    Some(Lang::Every(left.into()))
}

/// What holds for the strings of one member of a union.
struct Member<'a> {
    pattern: &'a Pattern,
    /// Atoms that they are in, or not in, because the whole conjunction is.
    known: &'a [(&'a Atom, bool)],
    /// The one of those that is the question.
    asked: Option<&'a Atom>,
}

enum Decided {
    Known(bool),
    Open(Lang),
}

impl Member<'_> {
    fn value(&self, atom: &Atom) -> Option<bool> {
        let is_it = |other: &Atom| std::ptr::eq(other, atom);
        let known = self.known.iter().find(|(k, _)| is_it(k) && !self.asked.is_some_and(is_it));
        known.map(|(_, v)| *v).or_else(|| atom.of_pattern(self.pattern))
    }

    /// A language without the parts that are decided.
    fn decide(&self, lang: &Lang) -> Decided {
        match lang {
            Lang::Empty => Decided::Known(false),
            Lang::All => Decided::Known(true),
            Lang::Atom(atom) => self.value(atom).map_or_else(|| Decided::Open(lang.clone()), Decided::Known),
            Lang::Not(inner) => match self.decide(inner) {
                Decided::Known(v) => Decided::Known(!v),
                Decided::Open(rest) => Decided::Open(Lang::Not(Arc::new(rest))),
            },
            Lang::Any(all) if all.is_large() => self.join(all.near(self.pattern), true),
            Lang::Any(all) => self.join(all.iter(), true),
            Lang::Every(all) => self.join(all.iter(), false),
        }
    }

    fn join<'l>(&self, all: impl IntoIterator<Item = &'l Lang>, decides: bool) -> Decided {
        let mut open = Vec::new();
        for lang in all {
            match self.decide(lang) {
                Decided::Known(v) if v == decides => return Decided::Known(decides),
                Decided::Known(_) => {}
                Decided::Open(rest) => open.push(rest),
            }
        }
        match open.len() {
            0 => Decided::Known(!decides),
            1 => Decided::Open(open.swap_remove(0)),
            _ if decides => Decided::Open(Lang::any(open)),
            _ => Decided::Open(Lang::Every(open.into())),
        }
    }
}
