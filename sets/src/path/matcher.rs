//! One pattern and one path to yes or no, by direct search and independent of the automata.

use super::{Anchor, Component, Pattern, Piece, Tail};

pub(super) fn matches(pattern: &Pattern, path: &[u8]) -> bool {
    let Some(path) = path.strip_prefix(b"/") else { return false };
    let (names, is_dir) = match path.strip_suffix(b"/") {
        Some(rest) => (rest, true),
        None => (path, path.is_empty()),
    };
    let names: Vec<&[u8]> = if names.is_empty() { Vec::new() } else { names.split(|b| *b == b'/').collect() };
    after_anchor(pattern.anchor, &names)
        .is_some_and(|rest| below(&pattern.components, pattern.tail, rest, is_dir))
}

fn after_anchor<'a, 'b>(anchor: Anchor, names: &'a [&'b [u8]]) -> Option<&'a [&'b [u8]]> {
    match (anchor, names) {
        (Anchor::Root, names) => Some(names),
        (Anchor::Home, [b"root", rest @ ..] | [b"home", _, rest @ ..]) => Some(rest),
        (Anchor::RunUser, [b"run", b"user", uid, rest @ ..]) if uid.iter().all(u8::is_ascii_digit) => {
            Some(rest)
        }
        (Anchor::SelfProc, [b"proc", b"self", rest @ ..]) => Some(rest),
        _ => None,
    }
}

fn below(components: &[Component], tail: Tail, names: &[&[u8]], is_dir: bool) -> bool {
    match components.split_first() {
        None => match tail {
            Tail::Entry => names.is_empty(),
            Tail::Directory => names.is_empty() && is_dir,
            Tail::Subtree => !names.is_empty() || is_dir,
        },
        Some((Component::Globstar, rest)) => {
            (0..=names.len()).any(|skip| names.get(skip..).is_some_and(|n| below(rest, tail, n, is_dir)))
        }
        Some((component, rest)) => names.split_first().is_some_and(|(name, names)| {
            self::component(component, name) && below(rest, tail, names, is_dir)
        }),
    }
}

/// Whether a component other than `**` matches a name.
pub(super) fn component(component: &Component, name: &[u8]) -> bool {
    match component {
        Component::Literal(want) => want.as_bytes() == name,
        Component::Glob(pieces) => glob(pieces, name),
        Component::Globstar => false,
    }
}

/// Greedy matching with one point of return, the last `*`: linear in the product of both lengths.
pub(super) fn glob(pieces: &[Piece], name: &[u8]) -> bool {
    if let [Piece::Star] = pieces {
        return !name.is_empty();
    }
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let step = match pieces.get(p) {
            None if n == name.len() => return true,
            Some(Piece::Star) => {
                retry = Some((p + 1, n));
                p += 1;
                continue;
            }
            Some(piece) => one(piece, name.get(n..).unwrap_or_default()),
            None => None,
        };
        match (step, retry) {
            (Some(used), _) => (p, n) = (p + 1, n + used),
            (None, Some((piece, from))) if from < name.len() => {
                retry = Some((piece, from + 1));
                (p, n) = (piece, from + 1);
            }
            _ => return false,
        }
    }
}

/// How many bytes a piece other than `*` takes from the start of `rest`.
fn one(piece: &Piece, rest: &[u8]) -> Option<usize> {
    match piece {
        Piece::Lit(text) => rest.starts_with(text.as_bytes()).then_some(text.len()),
        Piece::Any => rest.first().map(|_| 1),
        Piece::Class { negated, ranges } => rest
            .first()
            .filter(|b| ranges.iter().any(|(low, high)| (low..=high).contains(b)) != *negated)
            .map(|_| 1),
        Piece::Star => None,
    }
}
