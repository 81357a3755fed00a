//! Patterns, and their parts, to regular expressions over bytes.

use super::{Anchor, Component, Pattern, Piece, Tail};
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, Repetition};

pub(super) fn literal(text: &str) -> Hir {
    Hir::literal(text.as_bytes())
}

/// `min` or more of it.
#[must_use]
pub fn repeat(hir: Hir, min: u32) -> Hir {
    Hir::repetition(Repetition { min, max: None, greedy: true, sub: Box::new(hir) })
}

fn optional(hir: Hir) -> Hir {
    Hir::repetition(Repetition { min: 0, max: Some(1), greedy: true, sub: Box::new(hir) })
}

pub(super) fn any_byte() -> Hir {
    Hir::class(Class::Bytes(ClassBytes::new([ClassBytesRange::new(1, 255)])))
}

pub(super) fn no_slash() -> Hir {
    let ranges = [ClassBytesRange::new(1, b'/' - 1), ClassBytesRange::new(b'/' + 1, 255)];
    Hir::class(Class::Bytes(ClassBytes::new(ranges)))
}

/// `/` and a name.
#[must_use]
pub fn named() -> Hir {
    Hir::concat(vec![literal("/"), repeat(no_slash(), 1)])
}

/// What a component adds to a path, its slash included; any number of names for `**`.
#[must_use]
pub fn component(component: &Component) -> Hir {
    match component {
        Component::Literal(name) => Hir::concat(vec![literal("/"), literal(name)]),
        Component::Globstar => repeat(named(), 0),
        Component::Glob(pieces) if pieces.as_slice() == [Piece::Star] => named(),
        Component::Glob(pieces) => {
            Hir::concat(std::iter::once(literal("/")).chain(pieces.iter().map(piece_to_hir)).collect())
        }
    }
}

/// The expression of a pattern.
pub(super) fn of_pattern(pattern: &Pattern) -> Hir {
    let mut parts = vec![match pattern.anchor {
        Anchor::Root => Hir::empty(),
        Anchor::Home => Hir::alternation(vec![
            literal("/root"),
            Hir::concat(vec![literal("/home/"), repeat(no_slash(), 1)]),
        ]),
        Anchor::RunUser => {
            let digit = Hir::class(Class::Bytes(ClassBytes::new([ClassBytesRange::new(b'0', b'9')])));
            Hir::concat(vec![literal("/run/user/"), repeat(digit, 1)])
        }
        Anchor::SelfProc => literal("/proc/self"),
    }];
    parts.extend(pattern.components.iter().map(component));
    parts.push(match pattern.tail {
        Tail::Directory => literal("/"),
        // The root directory is written with its one slash, whatever the tail.
        Tail::Entry if pattern.components.is_empty() && pattern.anchor == Anchor::Root => literal("/"),
        Tail::Entry => optional(literal("/")),
        Tail::Subtree => {
            let dirs = repeat(Hir::concat(vec![repeat(no_slash(), 1), literal("/")]), 0);
            Hir::concat(vec![literal("/"), dirs, repeat(no_slash(), 0)])
        }
    });
    Hir::concat(parts)
}

/// The expression of a name's pieces.
pub(super) fn of_pieces(pieces: &[Piece]) -> Hir {
    Hir::concat(pieces.iter().map(piece_to_hir).collect())
}

fn piece_to_hir(piece: &Piece) -> Hir {
    match piece {
        Piece::Lit(text) => literal(text),
        Piece::Any => no_slash(),
        Piece::Star => repeat(no_slash(), 0),
        Piece::Class { negated, ranges } => {
            let mut class = ClassBytes::new(ranges.iter().map(|(a, b)| ClassBytesRange::new(*a, *b)));
            if *negated {
                class.negate();
                class.difference(&ClassBytes::new([
                    ClassBytesRange::new(0, 0),
                    ClassBytesRange::new(b'/', b'/'),
                ]));
            }
            Hir::class(Class::Bytes(class))
        }
    }
}
