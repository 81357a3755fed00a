//! A reader over the tokens of one statement, with the errors that every kind of statement shares.

use super::cst::{Token, TokenKind};
use crate::ast::Name;
use crate::codes;
use crate::diag::{Code, Diagnostic};
use crate::sink::{Parsed, Reported, Sink};
use crate::source::{FileId, Span};
use crate::suggest::nearest;
use crate::words;
use std::collections::HashMap;
use std::sync::Arc;

/// What the reader of a file needs everywhere.
pub(crate) struct Context<'s, 'd> {
    pub(crate) file: FileId,
    pub(crate) text: &'s str,
    pub(crate) sink: &'d mut Sink,
    names: HashMap<&'s str, Arc<str>>,
}

impl<'s, 'd> Context<'s, 'd> {
    pub(crate) fn new(file: FileId, text: &'s str, sink: &'d mut Sink) -> Self {
        Self { file, text, sink, names: HashMap::new() }
    }

    /// One shared copy of a name.
    pub(crate) fn intern(&mut self, name: &'s str) -> Arc<str> {
        Arc::clone(self.names.entry(name).or_insert_with(|| name.into()))
    }

    pub(crate) fn str(&self, span: Span) -> &'s str {
        self.text.get(span.range()).unwrap_or_default()
    }
}

/// The tokens of a statement, or of a list in it, and how far they have been read.
pub(crate) struct Line<'t, 's, 'd> {
    pub(crate) cx: &'t mut Context<'s, 'd>,
    tokens: &'t [Token],
    at: usize,
    /// The whole of it, for errors at its end.
    pub(crate) whole: Span,
}

impl<'t, 's, 'd> Line<'t, 's, 'd> {
    pub(crate) fn new(cx: &'t mut Context<'s, 'd>, tokens: &'t [Token], whole: Span) -> Self {
        Self { cx, tokens, at: 0, whole }
    }

    /// Reads the inside of a list or group with `read`, which must use it up.
    pub(crate) fn inside<T>(
        &mut self,
        tokens: &[Token],
        whole: Span,
        read: impl FnOnce(&mut Line<'_, 's, 'd>) -> Parsed<T>,
    ) -> Parsed<T> {
        let mut line = Line { cx: self.cx, tokens, at: 0, whole };
        let value = read(&mut line)?;
        line.finish()?;
        Ok(value)
    }

    pub(crate) fn peek(&self) -> Option<&'t Token> {
        self.tokens.get(self.at)
    }

    pub(crate) fn peek_second(&self) -> Option<&'t Token> {
        self.tokens.get(self.at + 1)
    }

    pub(crate) fn next(&mut self) -> Option<&'t Token> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    /// Passes over everything that is left, because an error in it has been reported.
    pub(crate) fn skip_rest(&mut self) {
        self.at = self.tokens.len();
    }

    pub(crate) fn str(&self, token: &Token) -> &'s str {
        self.cx.str(token.span)
    }

    /// The next token's text if it is a word.
    pub(crate) fn peek_word(&self) -> Option<&'s str> {
        let token = self.peek()?;
        (token.kind == TokenKind::Word).then(|| self.str(token))
    }

    pub(crate) fn at_word(&self, word: &str) -> bool {
        self.peek_word() == Some(word)
    }

    /// Reads a word if it is the next token.
    pub(crate) fn eat(&mut self, word: &str) -> Option<Span> {
        let span = self.peek()?.span;
        self.at_word(word).then(|| {
            self.at += 1;
            span
        })
    }

    pub(crate) fn at_operator(&self, operator: &str) -> bool {
        self.peek().is_some_and(|t| t.kind == TokenKind::Operator && self.str(t) == operator)
    }

    pub(crate) fn eat_operator(&mut self, operator: &str) -> bool {
        let hit = self.at_operator(operator);
        self.at += usize::from(hit);
        hit
    }

    pub(crate) fn eat_comma(&mut self) -> bool {
        let hit = self.peek().is_some_and(|t| t.kind == TokenKind::Comma);
        self.at += usize::from(hit);
        hit
    }

    /// The next token, or the last one where nothing is left.
    pub(crate) fn here(&self) -> Span {
        self.peek().or(self.tokens.last()).map_or(self.whole, |t| t.span)
    }

    /// From the token at which reading `from` began to the one read last.
    pub(crate) fn since(&self, from: Span) -> Span {
        let last = self.at.checked_sub(1).and_then(|i| self.tokens.get(i));
        last.map_or(from, |t| from.to(t.span))
    }

    pub(crate) fn fail(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Reported {
        self.cx.sink.push(Diagnostic::new(code, message).label(span, label).help(help))
    }

    /// "expected X, found Y" at the next token.
    pub(crate) fn expected(&mut self, what: &str, help: impl Into<String>) -> Reported {
        let span = self.here();
        let Some(token) = self.peek() else {
            let message = format!("expected {what} at the end");
            return self.fail(codes::EXPECTED, span, message, "after this", help);
        };
        if token.kind == TokenKind::Junk {
            return self.junk(token);
        }
        let message = format!("expected {what}, found {}", self.describe(token));
        self.fail(codes::EXPECTED, span, message, format!("expected {what}"), help)
    }

    fn junk(&mut self, token: &Token) -> Reported {
        let text = self.str(token);
        let help = match text {
            "'" | "`" => "write strings in double quotes: `\"…\"`",
            "/" => "write paths in double quotes: `\"/etc/hosts\"`",
            "!" => "write `not`, or `!=`",
            "*" => "write patterns in double quotes: `\"/etc/*\"`",
            _ => "remove it",
        };
        self.fail(codes::STRAY_CHARACTER, token.span, format!("unexpected character `{text}`"), "here", help)
    }

    fn describe(&self, token: &Token) -> String {
        match &token.kind {
            TokenKind::String | TokenKind::Raw => "a string".into(),
            TokenKind::List(_) => "a list".into(),
            TokenKind::Group(_) => "parentheses".into(),
            _ => format!("`{}`", shorten(self.str(token))),
        }
    }

    /// Reads the word `word` or fails.
    pub(crate) fn expect(&mut self, word: &str, help: &str) -> Parsed<Span> {
        match self.eat(word) {
            Some(span) => Ok(span),
            None => Err(self.expected(&format!("`{word}`"), help)),
        }
    }

    /// Fails if anything is left.
    pub(crate) fn finish(&mut self) -> Parsed<()> {
        let Some(token) = self.peek() else { return Ok(()) };
        if token.kind == TokenKind::Junk {
            return Err(self.junk(token));
        }
        let message = format!("unexpected {}", self.describe(token).trim_start_matches("a "));
        let help = match self.peek_word() {
            Some(word) if words::CLAUSES.contains(&word) => {
                format!("`{word}` has no meaning here, or is here twice")
            }
            Some(word) => match nearest(word, words::CLAUSES.iter().copied()) {
                Some(known) => format!("did you mean `{known}`?"),
                None => "end the statement with `;` before it, or remove it".into(),
            },
            None => "separate values with `,`, and end the statement with `;`".into(),
        };
        Err(self.fail(codes::UNEXPECTED, token.span, message, "nothing more was expected here", help))
    }

    /// Items separated by commas.
    pub(crate) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut out = vec![item(self)?];
        while self.eat_comma() {
            out.push(item(self)?);
        }
        Ok(out)
    }

    /// A word of a table; an unknown one is reported with the one it was probably meant to be.
    pub(crate) fn choose<T: Copy>(&mut self, what: &str, table: &[(&'static str, T)]) -> Parsed<(T, Span)> {
        let Some(word) = self.peek_word() else {
            let help = one_of(table.iter().map(|t| t.0));
            return Err(self.expected(what, help));
        };
        let span = self.here();
        match table.iter().find(|t| t.0 == word) {
            Some((_, value)) => {
                self.at += 1;
                Ok((*value, span))
            }
            None => Err(self.unknown(what, word, span, table.iter().map(|t| t.0))),
        }
    }

    /// Words of a table separated by commas; every unknown one is reported.
    pub(crate) fn choices<T: Copy>(
        &mut self,
        what: &str,
        table: &[(&'static str, T)],
    ) -> Parsed<Vec<(T, Span)>> {
        let mut out = Vec::new();
        let mut failed = None;
        loop {
            let before = self.at;
            match self.choose(what, table) {
                Ok(value) => out.push(value),
                // A word that is none of the table is passed by, so that the next one is looked at too.
                Err(reported) if self.peek_word().is_some() && self.at == before => {
                    self.at += 1;
                    failed = Some(reported);
                }
                Err(reported) => return Err(reported),
            }
            if !self.eat_comma() {
                break;
            }
        }
        failed.map_or(Ok(out), Err)
    }

    pub(crate) fn unknown<'k>(
        &mut self,
        what: &str,
        word: &str,
        span: Span,
        known: impl Iterator<Item = &'k str> + Clone,
    ) -> Reported {
        let what = what.strip_prefix("a ").or(what.strip_prefix("an ")).unwrap_or(what);
        let help = match kernel_name(word, known.clone()).or_else(|| nearest(word, known.clone())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => one_of(known),
        };
        let message = format!("unknown {what} `{}`", shorten(word));
        self.fail(codes::UNKNOWN_WORD, span, message, "not known", help)
    }

    /// A name that the source uses: perhaps dotted.
    pub(crate) fn name(&mut self, what: &str) -> Parsed<Name> {
        match (self.peek(), self.peek_word()) {
            (Some(token), Some(word)) => {
                self.at += 1;
                Ok(Name { text: self.cx.intern(word), span: token.span })
            }
            _ => Err(self.expected(what, format!("write {what} here"))),
        }
    }

    /// A name that the source gives to something. A bad one is reported and used all the same, so that its uses are not reported too.
    pub(crate) fn new_name(&mut self, what: &str, reserved: bool) -> Parsed<Name> {
        let name = self.name(what)?;
        if let Some((message, help)) = words::name_error(&name.text) {
            self.fail(codes::BAD_NAME, name.span, message, "not a name", help);
        } else if reserved && words::is_reserved(&name.text) {
            let message = format!("`{}` is a word of the language", name.text);
            let help = format!("choose another name, for instance `my_{}`", name.text);
            self.fail(codes::RESERVED_NAME, name.span, message, "reserved", help);
        }
        Ok(name)
    }
}

/// The known word that a kernel's spelling such as `CAP_NET_ADMIN` or `SIGTERM` means.
fn kernel_name<'k>(word: &str, mut known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    const PREFIXES: &[&str] = &["cap_", "sig", "netlink_", "clone_new", "rlimit_", "ms_", "sock_"];
    let word = word.to_ascii_lowercase();
    known.find(|k| PREFIXES.iter().any(|p| word.strip_prefix(p) == Some(*k)))
}

/// "one of: `a`, `b`, …" with at most a dozen words.
pub(crate) fn one_of<'k>(known: impl Iterator<Item = &'k str>) -> String {
    const SHOWN: usize = 12;
    let mut words: Vec<String> = known.filter(|k| !k.is_empty()).map(|k| format!("`{k}`")).collect();
    if words.len() > SHOWN {
        words.truncate(SHOWN);
        words.push("…".into());
    }
    format!("write one of {}", words.join(", "))
}

/// A text cut to a length that fits a message.
pub(crate) fn shorten(text: &str) -> String {
    const SHOWN: usize = 60;
    if text.chars().count() <= SHOWN {
        return text.into();
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}
