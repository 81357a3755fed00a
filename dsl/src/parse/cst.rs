//! The text of one statement to a tree of tokens. This alone names the grammar's rules.

use crate::codes;
use crate::diag::Diagnostic;
use crate::sink::Sink;
use crate::source::{FileId, Span};
use pest::Parser;
use pest::iterators::Pair;
use std::ops::Range;

mod grammar {
    #[derive(pest_derive::Parser)]
    #[grammar = "parse/grammar.pest"]
    pub(super) struct Grammar;
}
use grammar::{Grammar, Rule};

/// One token and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its text.
    pub span: Span,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenKind {
    /// A word, a constant or a dotted name.
    Word,
    /// `"…"`
    String,
    /// `"""…"""`
    Raw,
    /// `@name`
    At,
    /// An integer.
    Number,
    /// Two integers joined by a dot.
    Version,
    /// An IP address, perhaps with a prefix length.
    Address,
    /// `,`
    Comma,
    /// An operator.
    Operator,
    /// `[…]`
    List(Vec<Token>),
    /// `(…)`
    Group(Vec<Token>),
    /// A character that starts nothing.
    Junk,
}

/// The tokens of the statement at `range` of `text`.
pub(crate) fn tokens(file: FileId, text: &str, range: Range<usize>, sink: &mut Sink) -> Vec<Token> {
    let start = range.start;
    let Some(statement) = text.get(range) else { return Vec::new() };
    match Grammar::parse(Rule::statement, statement) {
        Ok(pairs) => pairs.filter_map(|p| token(file, start, p)).collect(),
        Err(error) => {
            // The skeleton keeps brackets balanced and `junk` takes the rest, so this is a fault of the grammar.
            let span = Span::new(file, start, start + statement.len());
            let message = format!("this compiler cannot read the statement: {}", error.variant.message());
            sink.push(
                Diagnostic::new(codes::INTERNAL, message)
                    .label(span, "here")
                    .help("please report this as a bug"),
            );
            Vec::new()
        }
    }
}

fn token(file: FileId, start: usize, pair: Pair<'_, Rule>) -> Option<Token> {
    let at = pair.as_span();
    let span = Span::new(file, start + at.start(), start + at.end());
    let kind = match pair.as_rule() {
        Rule::word => TokenKind::Word,
        Rule::quoted => TokenKind::String,
        Rule::raw_text => TokenKind::Raw,
        Rule::at_name => TokenKind::At,
        Rule::number => TokenKind::Number,
        Rule::version => TokenKind::Version,
        Rule::address => TokenKind::Address,
        Rule::comma => TokenKind::Comma,
        Rule::operator => TokenKind::Operator,
        Rule::list => TokenKind::List(pair.into_inner().filter_map(|p| token(file, start, p)).collect()),
        Rule::group => TokenKind::Group(pair.into_inner().filter_map(|p| token(file, start, p)).collect()),
        Rule::junk => TokenKind::Junk,
        _ => return None,
    };
    Some(Token { kind, span })
}
