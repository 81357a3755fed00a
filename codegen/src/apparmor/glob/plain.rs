//! Globs that name one path, or all below one directory, to patterns of the language: what is asked about those needs no automaton.
//!
//! The parts are read off the profile's text like everything else. What is not plainly of such a form is left to the automata.

use super::nodes::Node;
use canc_sets::path::{Anchor, Component, Lang, Pattern, Tail};

/// The canonical paths that the parts match; `None` where they are of another form.
pub(super) fn lang(nodes: &[Node]) -> Option<Lang> {
    let (first, rest) = nodes.split_first()?;
    let Node::Literal(bytes) = first else { return None };
    let text = std::str::from_utf8(bytes).ok()?;
    let below = text.ends_with('/');
    match rest {
        [] if below => of(text, Tail::Directory),
        [] => of(text, Tail::Entry).map(without_directories),
        [Node::Alternatives(ends)] => match ends.as_slice() {
            [a, b] if a.is_empty() && is(b, b"/") && !below => of(text, Tail::Entry),
            [a, b] if a.is_empty() && matches!(b.as_slice(), [Node::DoubleStar { some: false }]) && below => {
                of(text, Tail::Subtree)
            }
            [a, b] if a.is_empty() && below => match b.as_slice() {
                [Node::DoubleStar { some: false }, slash] if is(std::slice::from_ref(slash), b"/") => {
                    of(text, Tail::Subtree).map(|all| all.and(Lang::directories()))
                }
                _ => None,
            },
            _ => None,
        },
        [Node::DoubleStar { some: false }, Node::Class { negated: true, ranges }]
            if below && ranges.as_slice() == [(b'/', b'/')] =>
        {
            of(text, Tail::Subtree).map(without_directories)
        }
        _ => None,
    }
}

fn is(nodes: &[Node], text: &[u8]) -> bool {
    matches!(nodes, [Node::Literal(bytes)] if bytes == text)
}

fn without_directories(all: Lang) -> Lang {
    all.minus(Lang::directories())
}

/// The pattern of a canonical path; the root directory has a spelling of its own and is left to the automata.
fn of(text: &str, tail: Tail) -> Option<Lang> {
    let names = text.strip_prefix('/')?;
    let names = names.strip_suffix('/').unwrap_or(names);
    let component = |name: &str| match name {
        "" | "." | ".." => None,
        name => Some(Component::Literal(name.into())),
    };
    let components: Vec<Component> = names.split('/').map(component).collect::<Option<_>>()?;
    Lang::patterns([&Pattern::from_parts(Anchor::Root, components, tail)]).ok()
}
