//! Questions about patterns to smaller questions, by looking at components: most of them vanish before any automaton is built.

use super::{Atom, Lang, Pattern};

/// A language with the same strings, or `None` when it plainly has none.
///
/// A string of the language is in every part of its outermost conjunction. Where one of those is a union of patterns, each of its
/// members is looked at alone: what it lies in, and what it lies apart from, decides the other parts.
pub(super) fn reduce(lang: &Lang) -> Option<Lang> {
    let mut parts = Vec::new();
    conjunction(lang, &mut parts);
    let known: Vec<(&Atom, bool)> = parts.iter().filter_map(|p| p.as_known()).collect();
    let unions = parts.iter().filter_map(|p| p.as_patterns());
    // Single paths decide most.
    let Some(union) = unions.min_by_key(|u| (!u.iter().all(|(_, p)| p.is_single()), u.len())) else {
        return Some(lang.clone());
    };
    let kept: Vec<Lang> = union.into_iter().filter_map(|member| branch(member, &parts, &known)).collect();
    match kept.len() {
        0 => None,
        1 => kept.into_iter().next(),
        _ => Some(Lang::Any(kept)),
    }
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
        Lang::Any(all) => all.iter().for_each(|l| negation(l, parts)),
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

    /// The members of a union of patterns, or a single one.
    fn as_patterns(&self) -> Option<Vec<(&'a Lang, &'a Pattern)>> {
        let member = |lang: &'a Lang| match lang {
            Lang::Atom(atom) => atom.as_pattern().map(|p| (lang, p)),
            _ => None,
        };
        match self.lang {
            _ if !self.positive => None,
            Lang::Any(all) => all.iter().map(member).collect(),
            other => member(other).map(|m| vec![m]),
        }
    }
}

/// What is left of the conjunction for the strings of one member.
fn branch((own, pattern): (&Lang, &Pattern), parts: &[Part<'_>], known: &[(&Atom, bool)]) -> Option<Lang> {
    let value = |atom: &Atom| {
        let known = known.iter().find(|(k, _)| std::ptr::eq(*k, atom)).map(|(_, v)| *v);
        known.or_else(|| atom.of_pattern(pattern))
    };
    let mut left = vec![own.clone()];
    for part in parts {
        // What is known by itself must still be asked for; what follows from the member need not.
        let value: &dyn Fn(&Atom) -> Option<bool> = match part.as_known() {
            Some((atom, _)) => {
                &|a: &Atom| if std::ptr::eq(a, atom) { a.of_pattern(pattern) } else { value(a) }
            }
            None => &value,
        };
        match (decide(part.lang, value), part.positive) {
            (Decided::Known(v), positive) if v == positive => {}
            (Decided::Known(_), _) => return None,
            (Decided::Open(rest), true) => left.push(rest),
            (Decided::Open(rest), false) => left.push(Lang::Not(Box::new(rest))),
        }
    }
    Some(Lang::Every(left))
}

enum Decided {
    Known(bool),
    Open(Lang),
}

/// A language without the parts that are decided.
fn decide(lang: &Lang, value: &dyn Fn(&Atom) -> Option<bool>) -> Decided {
    match lang {
        Lang::Empty => Decided::Known(false),
        Lang::All => Decided::Known(true),
        Lang::Atom(atom) => value(atom).map_or_else(|| Decided::Open(lang.clone()), Decided::Known),
        Lang::Not(inner) => match decide(inner, value) {
            Decided::Known(v) => Decided::Known(!v),
            Decided::Open(rest) => Decided::Open(Lang::Not(Box::new(rest))),
        },
        Lang::Any(all) => join(all, true, value),
        Lang::Every(all) => join(all, false, value),
    }
}

fn join(all: &[Lang], decides: bool, value: &dyn Fn(&Atom) -> Option<bool>) -> Decided {
    let mut open = Vec::new();
    for lang in all {
        match decide(lang, value) {
            Decided::Known(v) if v == decides => return Decided::Known(decides),
            Decided::Known(_) => {}
            Decided::Open(rest) => open.push(rest),
        }
    }
    match open.len() {
        0 => Decided::Known(!decides),
        1 => Decided::Open(open.swap_remove(0)),
        _ if decides => Decided::Open(Lang::Any(open)),
        _ => Decided::Open(Lang::Every(open)),
    }
}
