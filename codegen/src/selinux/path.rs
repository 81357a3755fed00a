//! Path patterns to the patterns of file contexts and back: PCRE, anchored, never a character that a tool on the way would take.

use super::m4;
use canc_sets::path::{Anchor, Component, Pattern, Piece, Tail};
use std::collections::BTreeSet;
use std::fmt::Write;

/// A pattern of a line of file contexts: what it matches, and how it is spelled.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FcPath {
    main: Pattern,
    also: Vec<Vec<Pattern>>,
    pad: u8,
}

impl FcPath {
    /// The spelling of one pattern.
    #[must_use]
    pub fn new(main: Pattern) -> Self {
        Self { main, also: Vec::new(), pad: 0 }
    }

    /// The spelling of what all of several patterns match. The first gives the literal part, which decides the line's place in the
    /// order; of the others each must match too.
    #[must_use]
    pub fn all(main: Pattern, others: &[Pattern]) -> Self {
        let names: Vec<&Component> =
            main.components().iter().take(main.literal_prefix_components()).collect();
        let residues = |other: &Pattern| {
            let start = vec![other.clone()];
            let rest = names.iter().fold(start, |all, name| match name {
                Component::Literal(name) => all.iter().flat_map(|p| p.below(name)).collect(),
                _ => all,
            });
            let mut rest: Vec<Pattern> = rest
                .into_iter()
                .map(|p| {
                    let all =
                        names.iter().map(|c| (*c).clone()).chain(p.components().iter().cloned()).collect();
                    Pattern::from_parts(main.anchor(), all, p.tail())
                })
                .collect();
            rest.sort();
            rest.dedup();
            rest
        };
        let also = others.iter().map(residues).collect();
        Self { main, also, pad: 0 }
    }

    /// The same pattern spelled longer by `4 * pad` characters, to beat a line with as long a literal part.
    #[must_use]
    pub fn padded(self, pad: u8) -> Self {
        Self { pad, ..self }
    }

    /// The pattern that gives the literal part.
    #[must_use]
    pub fn main(&self) -> &Pattern {
        &self.main
    }

    /// What must match besides, each a choice of patterns.
    #[must_use]
    pub fn also(&self) -> &[Vec<Pattern>] {
        &self.also
    }

    /// Whether the line is about directories alone.
    #[must_use]
    pub fn directories(&self) -> bool {
        let directory = |p: &Pattern| p.tail() == Tail::Directory;
        directory(&self.main)
            || self.also.iter().any(|choice| !choice.is_empty() && choice.iter().all(directory))
    }

    /// Whether it matches a canonical path.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        // A subtree is the directory and what is below; a line that is not about directories alone takes a file of that name too.
        let hit = |p: &Pattern| {
            p.matches(path) || (p.tail() == Tail::Subtree && p.with_tail(Tail::Entry).matches(path))
        };
        hit(&self.main) && self.also.iter().all(|choice| choice.iter().any(hit))
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = match self.main.anchor() {
            Anchor::Root => String::new(),
            Anchor::Home => "HOME_DIR".into(),
            Anchor::RunUser => "/run/user/%{USERID}".into(),
            Anchor::SelfProc => "/proc/self".into(),
        };
        let own = out.len();
        let literals = self.main.literal_prefix_components();
        components(self.main.components().iter().take(literals), &mut out);
        for choice in &self.also {
            out.push_str("(?=");
            for (i, pattern) in choice.iter().enumerate() {
                if i > 0 {
                    out.push('|');
                }
                let skip = literals.min(pattern.components().len());
                components(pattern.components().iter().skip(skip), &mut out);
                tail(pattern, &mut out);
                out.push('$');
            }
            out.push(')');
        }
        components(self.main.components().iter().skip(literals), &mut out);
        tail(&self.main, &mut out);
        (0..self.pad).for_each(|_| out.push_str("(?:)"));
        if out.is_empty() {
            out.push('/');
        }
        // The template's own words are to be replaced; all others are not.
        let rest = break_words(out.get(own..).unwrap_or_default());
        out.truncate(own);
        out + &rest
    }
}

fn components<'a>(list: impl Iterator<Item = &'a Component>, out: &mut String) {
    for component in list {
        match component {
            Component::Literal(name) => {
                out.push('/');
                literal(name, out);
            }
            Component::Globstar => out.push_str("(/.*)?"),
            Component::Glob(pieces) if pieces.as_slice() == [Piece::Star] => out.push_str("/[^/]+"),
            Component::Glob(pieces) => {
                out.push('/');
                pieces.iter().for_each(|p| piece(p, out));
            }
        }
    }
}

fn tail(pattern: &Pattern, out: &mut String) {
    if pattern.tail() == Tail::Subtree {
        out.push_str("(/.*)?");
    }
}

fn piece(piece: &Piece, out: &mut String) {
    match piece {
        Piece::Lit(text) => literal(text, out),
        Piece::Any => out.push_str("[^/]"),
        Piece::Star => out.push_str("[^/]*"),
        Piece::Class { negated, ranges } => {
            out.push_str(if *negated { "[^/" } else { "[" });
            for (low, high) in ranges {
                class_byte(*low, out);
                if low != high {
                    out.push('-');
                    class_byte(*high, out);
                }
            }
            out.push(']');
        }
    }
}

/// Letters and digits stand for themselves in a class, everything else is spelled by number.
fn class_byte(byte: u8, out: &mut String) {
    if byte.is_ascii_alphanumeric() {
        out.push(char::from(byte));
    } else {
        hexadecimal(byte, out);
    }
}

fn hexadecimal(byte: u8, out: &mut String) {
    let _ = write!(out, "\\x{byte:02x}");
}

/// Metacharacters get a backslash; blanks end a field, quotes are m4's, and bytes outside ASCII are refused by libselinux.
fn literal(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'.' | b'^' | b'$' | b'?' | b'*' | b'+' | b'|' | b'[' | b']' | b'(' | b')' | b'{' | b'}' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b'!'..=b'~' if !b"`'\"\\#<>%".contains(&byte) => out.push(char::from(byte)),
            byte => hexadecimal(byte, out),
        }
    }
}

/// What `libsemanage` looks for anywhere in a line, as part of a longer word too: such a line is a template of home directories, in
/// which these are replaced. Source: `semanage_split_fc` in `semanage_store.c`.
const TEMPLATE_WORDS: &[&str] = &["HOME_DIR", "HOME_ROOT", "ROLE", "USER"];

/// Spells one character of each word that m4 or a home-directory template would replace by its number.
fn break_words(text: &str) -> String {
    let words = m4::words(text).filter(|(_, w)| m4::replaces(w)).map(|(at, word)| at + word.len() - 1);
    let templates =
        TEMPLATE_WORDS.iter().flat_map(|w| text.match_indices(w).map(|(at, word)| at + word.len() - 1));
    let places: BTreeSet<usize> = words.chain(templates).collect();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for at in places {
        out.push_str(text.get(done..at).unwrap_or_default());
        match text.as_bytes().get(at) {
            Some(byte) => hexadecimal(*byte, &mut out),
            None => break,
        }
        done = at + 1;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_but_ours_is_a_template_of_home_directories() {
        for (path, text) in [
            ("/srv/USERS", "/srv/USE\\x52S"),
            ("/srv/%\\{USERID\\}", "/srv/\\x25\\{USE\\x52ID\\}"),
            ("/srv/aHOME_ROOTb/MYROLE", "/srv/aHOME_ROO\\x54b/MYROL\\x45"),
            ("/srv/HOME_DIR", "/srv/HOME_DI\\x52"),
        ] {
            assert_eq!(FcPath::new(Pattern::parse(path).unwrap().remove(0)).text(), text);
        }
    }
}
