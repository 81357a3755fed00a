//! The text of one statement to a tree of tokens. This alone names the grammar's rules.

use crate::codes;
use crate::diag::Diagnostic;
use crate::sink::Sink;
use crate::source::{FileId, Span};
use pest::Parser;
use pest::iterators::{Pair, Pairs};
use std::ops::Range;

mod grammar {
    #[derive(pest_derive::Parser)]
    #[grammar = "parse/grammar.pest"]
    pub(super) struct Grammar;
}
use grammar::{Grammar, Rule};

/// One token and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// What it is.
    pub(crate) kind: TokenKind,
    /// Its text.
    pub(crate) span: Span,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenKind {
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
        Ok(mut pairs) => {
            let place = Place { file, start, text: statement };
            pairs.next().map(|statement| place.tokens(statement.into_inner())).unwrap_or_default()
        }
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

/// Where the text that is parsed stands in its file.
#[derive(Clone, Copy)]
struct Place<'s> {
    file: FileId,
    start: usize,
    text: &'s str,
}

impl Place<'_> {
    fn tokens(self, pairs: Pairs<'_, Rule>) -> Vec<Token> {
        let mut out = Vec::with_capacity(8);
        for pair in pairs {
            self.token(pair, &mut out);
        }
        out
    }

    fn token(self, pair: Pair<'_, Rule>, out: &mut Vec<Token>) {
        let written = pair.as_span();
        let (at, text) = (self.start + written.start(), written.as_str());
        let kind = match pair.as_rule() {
            Rule::word => return self.word(at, text, out),
            Rule::number => return self.number(at, text, out),
            Rule::string if text.starts_with("\"\"\"") && text.len() >= 6 => TokenKind::Raw,
            Rule::string => TokenKind::String,
            Rule::at_name => TokenKind::At,
            Rule::address => TokenKind::Address,
            Rule::comma => TokenKind::Comma,
            Rule::operator => return self.operator(at, text, out),
            Rule::list => TokenKind::List(self.tokens(pair.into_inner())),
            Rule::group => TokenKind::Group(self.tokens(pair.into_inner())),
            Rule::junk => TokenKind::Junk,
            _ => return,
        };
        self.push(kind, at, text.len(), out);
    }

    fn push(self, kind: TokenKind, at: usize, length: usize, out: &mut Vec<Token>) {
        if length > 0 {
            out.push(Token { kind, span: Span::new(self.file, at, at + length) });
        }
    }

    /// A run that starts with a letter: a word, an address, or `name:type` written without blanks.
    fn word(self, at: usize, text: &str, out: &mut Vec<Token>) {
        match text.split_once(':') {
            None => self.push(TokenKind::Word, at, text.len(), out),
            Some(_) if is_address(text) => self.push(TokenKind::Address, at, text.len(), out),
            Some((name, rest)) => {
                self.push(TokenKind::Word, at, name.len(), out);
                self.push(TokenKind::Operator, at + name.len(), 1, out);
                let at = at + name.len() + 1;
                match rest.bytes().next() {
                    Some(b'0'..=b'9') => self.number(at, rest, out),
                    Some(b':' | b'.' | b'/' | b'-') => self.push(TokenKind::Junk, at, rest.len(), out),
                    _ => self.word(at, rest, out),
                }
            }
        }
    }

    /// A run that starts with a digit: an integer perhaps with its unit, a version, or an address.
    fn number(self, at: usize, text: &str, out: &mut Vec<Token>) {
        let digits = match text.get(..2) {
            Some("0x") => 2 + run(text.get(2..), u8::is_ascii_hexdigit),
            Some("0o") => 2 + run(text.get(2..), |b| (b'0'..b'8').contains(b)),
            _ => run(Some(text), u8::is_ascii_digit),
        };
        if digits == text.len() {
            self.push(TokenKind::Number, at, digits, out);
        } else if text.contains(':') || text.matches('.').count() > 1 {
            self.push(TokenKind::Address, at, text.len(), out);
        } else if text.contains('.') {
            self.push(TokenKind::Version, at, text.len(), out);
        } else {
            self.push(TokenKind::Number, at, digits, out);
            let rest = text.get(digits..).unwrap_or_default();
            let kind = if rest.starts_with('/') { TokenKind::Junk } else { TokenKind::Word };
            self.push(kind, at + digits, rest.len(), out);
        }
    }

    /// An operator; a `>` right after a word that ends in `-` is the arrow `->`.
    fn operator(self, at: usize, text: &str, out: &mut Vec<Token>) {
        let before = at.checked_sub(self.start + 1).and_then(|i| self.text.as_bytes().get(i));
        match out.last_mut() {
            // No word is a single `-`, so something is left of it.
            Some(last) if text == ">" && before == Some(&b'-') && last.kind == TokenKind::Word => {
                last.span.end -= 1;
                self.push(TokenKind::Operator, at - 1, 2, out);
            }
            _ => self.push(TokenKind::Operator, at, text.len(), out),
        }
    }
}

/// How many bytes of the start of `text` are so.
fn run(text: Option<&str>, so: impl Fn(&u8) -> bool) -> usize {
    text.unwrap_or_default().bytes().take_while(so).count()
}

/// Whether a run that starts with a letter can be an IPv6 address.
fn is_address(text: &str) -> bool {
    text.matches(':').count() > 1 && text.bytes().all(|b| b.is_ascii_hexdigit() || b":./".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(TokenKind, String)> {
        let mut sink = Sink::default();
        let tokens = tokens(FileId(0), text, 0..text.len(), &mut sink);
        assert_eq!(sink.errors(), 0);
        tokens.into_iter().map(|t| (t.kind, text.get(t.span.range()).unwrap().to_owned())).collect()
    }

    fn kinds(text: &str) -> Vec<(TokenKind, String)> {
        read(text)
    }

    #[test]
    fn runs_are_told_apart() {
        use TokenKind::*;
        let cases: &[(&str, &[(TokenKind, &str)])] = &[
            ("read std.base AF_INET", &[(Word, "read"), (Word, "std.base"), (Word, "AF_INET")]),
            ("net-bind-service", &[(Word, "net-bind-service")]),
            ("x: path", &[(Word, "x"), (Operator, ":"), (Word, "path")]),
            ("ab:bool", &[(Word, "ab"), (Operator, ":"), (Word, "bool")]),
            (
                "fe80::1/64 ::1 2001:db8::/32",
                &[(Address, "fe80::1/64"), (Address, "::1"), (Address, "2001:db8::/32")],
            ),
            (
                "10.0.0.0/8 4.0 443 0x5412 0o755",
                &[
                    (Address, "10.0.0.0/8"),
                    (Version, "4.0"),
                    (Number, "443"),
                    (Number, "0x5412"),
                    (Number, "0o755"),
                ],
            ),
            (
                "512MiB 8000-8010",
                &[(Number, "512"), (Word, "MiB"), (Number, "8000"), (Operator, "-"), (Number, "8010")],
            ),
            ("www->policy q", &[(Word, "www"), (Operator, "->"), (Word, "policy"), (Word, "q")]),
            ("a -> b", &[(Word, "a"), (Operator, "->"), (Word, "b")]),
            (
                "a>b a-b>c",
                &[(Word, "a"), (Operator, ">"), (Word, "b"), (Word, "a-b"), (Operator, ">"), (Word, "c")],
            ),
            ("é->é", &[(Word, "é"), (Operator, "->"), (Word, "é")]),
            ("a > b >= c", &[(Word, "a"), (Operator, ">"), (Word, "b"), (Operator, ">="), (Word, "c")]),
            (
                "\"a\\\"b\" \"\" \"\"\"r \"x\" \"\"\"",
                &[(String, "\"a\\\"b\""), (String, "\"\""), (Raw, "\"\"\"r \"x\" \"\"\"")],
            ),
            ("@prefer @id", &[(At, "@prefer"), (At, "@id")]),
            ("a # b\nc", &[(Word, "a"), (Word, "c")]),
            ("§ 'x'", &[(Junk, "§"), (Junk, "'"), (Word, "x"), (Junk, "'")]),
            ("-1", &[(Operator, "-"), (Number, "1")]),
            ("a,b", &[(Word, "a"), (Comma, ","), (Word, "b")]),
        ];
        for (text, want) in cases {
            let want: Vec<_> = want.iter().map(|(k, t)| (k.clone(), (*t).to_owned())).collect();
            assert_eq!(kinds(text), want, "{text}");
        }
    }

    #[test]
    fn lists_nest() {
        let tokens = read("[a, (b)]");
        let [(TokenKind::List(inner), _)] = tokens.as_slice() else { panic!("{tokens:?}") };
        assert!(matches!(inner.as_slice(), [_, _, Token { kind: TokenKind::Group(_), .. }]));
    }
}
