//! The text of a glob to its parts and to the expression of what it matches, as the owner's parser reads it.

use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, Repetition};
use std::iter::Peekable;
use std::str::Chars;

/// A part of a glob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// These bytes.
    Literal(Vec<u8>),
    /// `?`: one byte but `/`.
    Any,
    /// `*`: bytes but `/`.
    Star {
        /// Whether one is needed, which is so between two slashes and between a slash and the end.
        some: bool,
    },
    /// `**`: bytes.
    DoubleStar {
        /// As for `Star`.
        some: bool,
    },
    /// `[…]`: one byte in, or not in, the ranges.
    Class {
        /// `[^…]`
        negated: bool,
        /// Inclusive ranges.
        ranges: Vec<(u8, u8)>,
    },
    /// `{…,…}`
    Alternatives(Vec<Vec<Node>>),
}

/// The parts of a glob's text; `None` where this crate would not have written it.
pub(super) fn parse(text: &str) -> Option<Vec<Node>> {
    let mut parser = Parser { rest: text.chars().peekable(), before: None };
    let nodes = parser.sequence(0)?;
    parser.rest.next().is_none().then_some(nodes)
}

/// How deep braces may nest.
const MAX_DEPTH: u32 = 64;

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    /// The character before, for the meaning of a star.
    before: Option<char>,
}

impl Parser<'_> {
    fn take(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        self.before = Some(c);
        Some(c)
    }

    fn sequence(&mut self, depth: u32) -> Option<Vec<Node>> {
        let mut out: Vec<Node> = Vec::new();
        while let Some(c) = self.rest.peek().copied() {
            let before = self.before;
            let node = match c {
                ',' | '}' if depth > 0 => break,
                '"' | ']' | '}' | ',' | '^' | '@' | '\0'..='\x1f' | '\x7f' => return None,
                '{' if depth >= MAX_DEPTH => return None,
                '{' => self.alternatives(depth + 1)?,
                '[' => self.class()?,
                '?' => {
                    self.take();
                    Node::Any
                }
                '*' => self.star(before == Some('/')),
                '\\' => Node::Literal(vec![self.escape()?]),
                c => {
                    self.take();
                    Node::Literal(c.to_string().into_bytes())
                }
            };
            match (out.last_mut(), node) {
                (Some(Node::Literal(bytes)), Node::Literal(more)) => bytes.extend(more),
                (_, node) => out.push(node),
            }
        }
        Some(out)
    }

    fn star(&mut self, after_slash: bool) -> Node {
        self.take();
        let double = self.rest.next_if_eq(&'*').is_some();
        let some = after_slash && self.rest.peek().is_none_or(|c| *c == '/');
        if double { Node::DoubleStar { some } } else { Node::Star { some } }
    }

    /// The byte after a backslash.
    fn escape(&mut self) -> Option<u8> {
        self.take()?;
        match self.take()? {
            'x' => {
                let digit = |c: char| c.to_digit(16).and_then(|d| u8::try_from(d).ok());
                let (high, low) = (digit(self.take()?)?, digit(self.take()?)?);
                Some(high << 4 | low)
            }
            c @ ('*' | '?' | '[' | ']' | '{' | '}' | '^' | ',') => u8::try_from(c).ok(),
            _ => None,
        }
    }

    fn alternatives(&mut self, depth: u32) -> Option<Node> {
        self.take()?;
        let mut branches = vec![self.sequence(depth)?];
        loop {
            match self.take()? {
                ',' => branches.push(self.sequence(depth)?),
                '}' if branches.len() > 1 => return Some(Node::Alternatives(branches)),
                _ => return None,
            }
        }
    }

    fn class(&mut self) -> Option<Node> {
        self.take()?;
        let negated = self.rest.next_if_eq(&'^').is_some();
        let mut ranges = Vec::new();
        while self.rest.peek()? != &']' {
            let low = self.member()?;
            let high = if !ranges.is_empty() || low != b'-' {
                match self.rest.next_if_eq(&'-') {
                    Some(_) => self.member()?,
                    None => low,
                }
            } else {
                low
            };
            ranges.push((low, high));
        }
        self.take()?;
        (!ranges.is_empty()).then_some(Node::Class { negated, ranges })
    }

    fn member(&mut self) -> Option<u8> {
        match self.rest.peek()? {
            '\\' => self.escape(),
            _ => self.take().and_then(|c| u8::try_from(c).ok()).filter(u8::is_ascii),
        }
    }
}

/// The expression of what the parts match.
pub(super) fn to_hir(nodes: &[Node]) -> Hir {
    Hir::concat(nodes.iter().map(node).collect())
}

fn node(node: &Node) -> Hir {
    match node {
        Node::Literal(bytes) => Hir::literal(bytes.as_slice()),
        Node::Any => bytes(b"/"),
        Node::Star { some } => repeat(bytes(b"/"), *some),
        // Where one is needed, it is the same character class: a slash may follow the first slash.
        Node::DoubleStar { some } => repeat(bytes(&[]), *some),
        Node::Class { negated, ranges } => {
            let mut class = ClassBytes::new(ranges.iter().map(|(a, b)| ClassBytesRange::new(*a, *b)));
            if *negated {
                class.negate();
            }
            Hir::class(Class::Bytes(class))
        }
        Node::Alternatives(branches) => Hir::alternation(branches.iter().map(|b| to_hir(b)).collect()),
    }
}

/// Any byte but NUL and these.
fn bytes(without: &[u8]) -> Hir {
    let mut class = ClassBytes::new([ClassBytesRange::new(1, 255)]);
    class.difference(&ClassBytes::new(without.iter().map(|b| ClassBytesRange::new(*b, *b))));
    Hir::class(Class::Bytes(class))
}

fn repeat(sub: Hir, some: bool) -> Hir {
    Hir::repetition(Repetition { min: u32::from(some), max: None, greedy: true, sub: Box::new(sub) })
}

/// The literal directory, or path, that a text starts with, without trailing slash.
pub(super) fn literal_prefix(text: &str) -> String {
    let Some(nodes) = parse(text) else { return "/".into() };
    let (first, whole) = match nodes.as_slice() {
        [Node::Literal(bytes)] => (bytes, true),
        // Both forms of one path.
        [Node::Literal(bytes), Node::Alternatives(ends)]
            if ends.as_slice() == [vec![], vec![Node::Literal(b"/".to_vec())]] =>
        {
            (bytes, true)
        }
        [Node::Literal(bytes), ..] => (bytes, false),
        _ => return "/".into(),
    };
    let text = String::from_utf8_lossy(first).into_owned();
    let end = if whole { text.trim_end_matches('/').len() } else { text.rfind('/').unwrap_or(0) };
    match text.get(..end) {
        None | Some("") => "/".into(),
        Some(prefix) => prefix.into(),
    }
}
