//! The tokens and comments of one statement to atoms: texts that stay whole, with what may stand between two of them.

use crate::parse::cst::{self, Token, TokenKind};
use crate::sink::Sink;
use crate::source::{FileId, Span};
use std::ops::Range;

/// A text that stays whole.
pub(super) struct Atom<'s> {
    pub(super) text: &'s str,
    /// What may stand before it.
    pub(super) before: Gap,
    pub(super) kind: Kind,
}

/// What may stand before an atom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    /// Nothing.
    None,
    /// A blank.
    Blank,
    /// A blank, or the end of a line where the line would become too long.
    Break,
}

/// What the layout asks of an atom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing.
    Plain,
    /// A word that starts the reason of a rule.
    Because,
    /// A word that starts the condition of a rule.
    Where,
    /// A comment; it ends its line. With `true` it follows something on the line where it is written.
    Comment(bool),
}

/// A token without what is inside of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Word,
    Number,
    Text,
    At,
    Comma,
    Operator,
    Open,
    Close,
    Other,
}

#[derive(Clone, Copy)]
struct Flat<'s> {
    shape: Shape,
    text: &'s str,
    start: usize,
    end: usize,
    depth: usize,
}

/// Operators that stand between blanks.
const SPACED: &[&str] = &["->", "==", "!=", "<=", ">=", "<", ">", "&", "|", "="];

/// Words that may start a line of a statement, outside of parentheses. None of them starts a statement, or it would be taken for one.
const CLAUSES: &[&str] = &["because", "where", "with", "to", "from", "on", "except", "options"];

/// Words that may start a line anywhere.
const JOINTS: &[&str] = &["and", "or"];

/// Words after which a parenthesis opens a condition or a list, and no arguments.
const BEFORE_GROUPS: &[&str] = &["and", "or", "not", "in", "where", "when"];

/// The atoms of the statement at `head`, with the comments that stand in it.
pub(super) fn atoms<'s>(
    file: FileId,
    text: &'s str,
    head: &Range<usize>,
    comments: &[Span],
) -> Vec<Atom<'s>> {
    let mut flat = Vec::new();
    flatten(text, &cst::tokens(file, text, head.clone(), &mut Sink::default()), 0, &mut flat);
    let mut comments = comments.iter().filter(|c| head.contains(&(c.start as usize))).peekable();
    let mut out: Vec<Atom<'s>> = Vec::with_capacity(flat.len());
    let mut previous: Option<Flat<'s>> = None;
    for token in flat {
        while let Some(comment) = comments.next_if(|c| (c.start as usize) < token.start) {
            out.push(written(text, comment, head.start));
        }
        out.push(Atom { text: token.text, before: gap(previous, token), kind: kind(token) });
        previous = Some(token);
    }
    out.extend(comments.map(|c| written(text, c, head.start)));
    out
}

/// The texts of the tokens at `head`, each with what it is: what formatting must not change.
pub(super) fn words<'s>(file: FileId, text: &'s str, head: &Range<usize>) -> Vec<&'s str> {
    let mut flat = Vec::new();
    flatten(text, &cst::tokens(file, text, head.clone(), &mut Sink::default()), 0, &mut flat);
    flat.iter().map(|t| t.text).collect()
}

/// A comment as an atom.
fn written<'s>(text: &'s str, comment: &Span, from: usize) -> Atom<'s> {
    let before = text.get(from..comment.start as usize).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    Atom {
        text: text.get(comment.range()).unwrap_or_default().trim_end(),
        before: Gap::Blank,
        kind: Kind::Comment(!line.trim().is_empty()),
    }
}

fn flatten<'s>(text: &'s str, tokens: &[Token], depth: usize, out: &mut Vec<Flat<'s>>) {
    for token in tokens {
        let range = token.span.range();
        let mut push = |shape, start: usize, end: usize| {
            out.push(Flat { shape, text: text.get(start..end).unwrap_or_default(), start, end, depth });
        };
        match &token.kind {
            TokenKind::List(inner) | TokenKind::Group(inner) => {
                push(Shape::Open, range.start, range.start + 1);
                flatten(text, inner, depth + 1, out);
                let end = Flat {
                    shape: Shape::Close,
                    text: text.get(range.end - 1..range.end).unwrap_or_default(),
                    start: range.end - 1,
                    end: range.end,
                    depth,
                };
                out.push(end);
            }
            TokenKind::Word => push(Shape::Word, range.start, range.end),
            TokenKind::Number => push(Shape::Number, range.start, range.end),
            TokenKind::String | TokenKind::Raw => push(Shape::Text, range.start, range.end),
            TokenKind::At => push(Shape::At, range.start, range.end),
            TokenKind::Comma => push(Shape::Comma, range.start, range.end),
            TokenKind::Operator => push(Shape::Operator, range.start, range.end),
            TokenKind::Version | TokenKind::Address | TokenKind::Junk => {
                push(Shape::Other, range.start, range.end);
            }
        }
    }
}

fn kind(token: Flat<'_>) -> Kind {
    match token.text {
        "because" if token.shape == Shape::Word && token.depth == 0 => Kind::Because,
        "where" if token.shape == Shape::Word && token.depth == 0 => Kind::Where,
        _ => Kind::Plain,
    }
}

/// What may stand between two tokens.
fn gap(before: Option<Flat<'_>>, token: Flat<'_>) -> Gap {
    let Some(before) = before else { return Gap::None };
    if token.shape == Shape::Comma || token.shape == Shape::Close || before.shape == Shape::Open {
        return Gap::None;
    }
    if before.shape == Shape::Comma {
        return Gap::Break;
    }
    if token.shape == Shape::Word
        && (JOINTS.contains(&token.text) || token.depth == 0 && CLAUSES.contains(&token.text))
    {
        return Gap::Break;
    }
    if is_glued(before, token) { Gap::None } else { Gap::Blank }
}

fn is_glued(before: Flat<'_>, token: Flat<'_>) -> bool {
    let operator = |t: Flat<'_>, text: &str| t.shape == Shape::Operator && t.text == text;
    let spaced = |t: Flat<'_>| t.shape == Shape::Operator && SPACED.contains(&t.text);
    let adjacent = before.end == token.start;
    if spaced(before) || spaced(token) || operator(before, ":") {
        return false;
    }
    if operator(token, ":") {
        return true;
    }
    // `8000-8010`, `-1`
    if operator(token, "-") && before.shape == Shape::Number {
        return true;
    }
    if operator(before, "-") && token.shape == Shape::Number {
        return true;
    }
    match token.text {
        "(" if token.shape == Shape::Open => match before.shape {
            Shape::At => true,
            Shape::Word => adjacent && !BEFORE_GROUPS.contains(&before.text),
            _ => adjacent,
        },
        "[" if token.shape == Shape::Open => false,
        // Elsewhere a blank can be what tells two words from one.
        _ => adjacent && token.shape != Shape::Text && before.shape != Shape::Text,
    }
}
