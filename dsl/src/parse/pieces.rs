//! Skeleton nodes to the tokens of single statements, also where a `;` between two of them is missing.

use super::cst::{Token, TokenKind, tokens};
use super::line::Context;
use super::split::Node;
use crate::codes;
use crate::diag::Diagnostic;
use crate::sink::Parsed;
use crate::source::Span;
use std::ops::Range;

/// The tokens of one statement, cut out of a node: where a `;` is missing, a node holds several.
pub(crate) struct Piece<'t> {
    pub(crate) tokens: &'t [Token],
    pub(crate) span: Span,
    /// The node, for the last piece alone: its block belongs to it.
    pub(crate) node: Option<&'t Node>,
}

/// Calls `each` for every statement of the nodes, and reports what is missing between them.
pub(crate) fn each_statement<'s, 'd>(
    cx: &mut Context<'s, 'd>,
    nodes: &[Node],
    starts: &[&str],
    mut each: impl FnMut(&mut Context<'s, 'd>, Piece<'_>),
) {
    for node in nodes {
        if cx.sink.is_full() {
            return;
        }
        let head = if node.broken { certain_part(cx.text, node.head.clone()) } else { node.head.clone() };
        let all = tokens(cx.file, cx.text, head, cx.sink);
        let mut rest = all.as_slice();
        while let Some(at) = missing_end(cx, rest, starts) {
            let (head, tail) = rest.split_at(at);
            report_missing_end(cx, head);
            each(cx, Piece { tokens: head, span: span_of(head), node: None });
            rest = tail;
        }
        if !node.ended && !node.broken {
            report_missing_end(cx, rest);
        }
        let span =
            if rest.is_empty() { Span::new(cx.file, node.head.start, node.head.end) } else { span_of(rest) };
        each(cx, Piece { tokens: rest, span, node: Some(node) });
    }
}

/// What of a broken statement is certainly read as it was meant: the words before the first bracket or quote.
fn certain_part(text: &str, head: Range<usize>) -> Range<usize> {
    let words = text.get(head.clone()).unwrap_or_default();
    let end = words.find(['"', '(', ')', '[', ']']).unwrap_or(words.len());
    head.start..head.start + end
}

fn span_of(tokens: &[Token]) -> Span {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => Span::default(),
    }
}

fn report_missing_end(cx: &mut Context<'_, '_>, tokens: &[Token]) {
    let Some(last) = tokens.last() else { return };
    cx.sink.push(
        Diagnostic::new(codes::MISSING_SEMICOLON, "`;` is missing")
            .label(last.span, "the statement ends here")
            .help(format!("write `{};`", super::line::shorten(cx.str(last.span)))),
    );
}

/// Where in the tokens another statement starts: a statement's word at the start of a later line, after something that can end one.
fn missing_end(cx: &Context<'_, '_>, tokens: &[Token], starts: &[&str]) -> Option<usize> {
    /// Words that cannot end a statement, so that the next line goes on with it.
    const GO_ON: &[&str] = &[
        "from", "to", "as", "socket", "allow", "deny", "audit", "or", "and", "not", "with", "except",
        "where", "in", "on", "by", "because", "type", "include", "policy",
    ];
    (1..tokens.len()).find(|at| {
        let (Some(before), Some(token)) = (tokens.get(at - 1), tokens.get(*at)) else { return false };
        let text = cx.str(token.span);
        let next = tokens.get(at + 1).map(|t| cx.str(t.span));
        let starts_one = match token.kind {
            TokenKind::Word => {
                starts.contains(&text)
                    || (starts.is_empty() && next.is_some_and(|n| super::test::VERBS.contains(&n)))
            }
            TokenKind::At => text == "@prefer" || text == "@id",
            _ => false,
        };
        starts_one
            && cx
                .text
                .get(before.span.range().end..token.span.range().start)
                .is_some_and(|t| t.contains('\n'))
            && !matches!(before.kind, TokenKind::Comma | TokenKind::Operator)
            && !GO_ON.contains(&cx.str(before.span))
            && !only_annotations(cx, tokens.get(..*at).unwrap_or_default())
    })
}

fn only_annotations(cx: &Context<'_, '_>, tokens: &[Token]) -> bool {
    tokens.iter().all(|t| match t.kind {
        TokenKind::At => matches!(cx.str(t.span), "@prefer" | "@id"),
        TokenKind::Group(_) => true,
        _ => false,
    })
}

/// Fails if a block follows a statement that has none.
pub(crate) fn no_block(cx: &mut Context<'_, '_>, piece: &Piece<'_>) -> Parsed<()> {
    let Some(node) = piece.node.filter(|n| n.body.is_some()) else { return Ok(()) };
    let span = Span::new(cx.file, node.block.start, node.block.start + 1);
    Err(cx.sink.push(
        Diagnostic::new(codes::UNEXPECTED, "a block stands where none belongs")
            .label(span, "this block")
            .help("end the statement before it with `;`"),
    ))
}
