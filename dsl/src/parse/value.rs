//! Tokens to values: strings, integers with units, ranges, addresses, names, lists.

use super::cst::TokenKind;
use super::line::Line;
use crate::ast::{Expr, ExprKind, Unit};
use crate::codes;
use crate::sink::{Parsed, Reported};
use crate::source::Span;
use crate::words;

/// The units of integers: the word, what it counts, and its factor.
const UNITS: &[(&str, Unit, u64)] = &[
    ("KiB", Unit::Bytes, 1 << 10),
    ("MiB", Unit::Bytes, 1 << 20),
    ("GiB", Unit::Bytes, 1 << 30),
    ("ms", Unit::Milliseconds, 1),
    ("s", Unit::Milliseconds, 1_000),
    ("min", Unit::Milliseconds, 60_000),
];

/// Words that people write for units, and the unit that is meant.
const MISSPELT_UNITS: &[(&str, &str)] = &[
    ("K", "KiB"),
    ("KB", "KiB"),
    ("kB", "KiB"),
    ("k", "KiB"),
    ("kib", "KiB"),
    ("M", "MiB"),
    ("MB", "MiB"),
    ("m", "MiB"),
    ("mb", "MiB"),
    ("mib", "MiB"),
    ("G", "GiB"),
    ("GB", "GiB"),
    ("g", "GiB"),
    ("gb", "GiB"),
    ("gib", "GiB"),
    ("sec", "s"),
    ("seconds", "s"),
    ("minutes", "min"),
    ("msec", "ms"),
];

/// Which words may stand for a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    /// Names of lets and parameters: no word of the language.
    Names,
    /// Names of system calls too, of which some are words of the language.
    Calls,
}

impl Line<'_, '_, '_> {
    /// Values separated by commas; `what` names one of them with its article.
    pub(crate) fn set(&mut self, what: &str, words: Words) -> Parsed<Vec<Expr>> {
        self.list(|line| line.value(what, words))
    }

    /// One value.
    pub(crate) fn value(&mut self, what: &str, words: Words) -> Parsed<Expr> {
        let Some(token) = self.peek() else { return Err(self.expected(what, hint(what))) };
        let span = token.span;
        let kind = match &token.kind {
            TokenKind::String => ExprKind::String,
            TokenKind::Raw => ExprKind::Raw,
            TokenKind::Address => ExprKind::Address,
            TokenKind::At => ExprKind::Group,
            TokenKind::Number => return self.number(),
            TokenKind::Word if words == Words::Names && words::is_reserved(self.str(token)) => {
                return Err(self.expected(what, hint(what)));
            }
            TokenKind::Word => ExprKind::Name,
            TokenKind::List(inner) => {
                self.next();
                let items = match inner.as_slice() {
                    [] => Vec::new(),
                    inner => self.inside(inner, span, |line| line.set(what, words))?,
                };
                return Ok(Expr { kind: ExprKind::List(items), span });
            }
            _ => return Err(self.expected(what, hint(what))),
        };
        self.next();
        Ok(Expr { kind, span })
    }

    /// `N`, `N UNIT` or `N-M`.
    fn number(&mut self) -> Parsed<Expr> {
        let start = self.here();
        let value = self.integer("a number")?;
        if self.eat_operator("-") {
            let high = self.integer("the end of the range")?;
            return Ok(Expr { kind: ExprKind::Range(value, high), span: self.since(start) });
        }
        let (unit, factor) = self.unit()?;
        let span = self.since(start);
        match value.checked_mul(factor) {
            Some(value) => Ok(Expr { kind: ExprKind::Int { value, unit }, span }),
            None => Err(self.too_large(span)),
        }
    }

    /// A string, as a value.
    pub(crate) fn string(&mut self, what: &str) -> Parsed<Expr> {
        match self.peek() {
            Some(token) if token.kind == TokenKind::String => {
                self.next();
                Ok(Expr { kind: ExprKind::String, span: token.span })
            }
            _ => Err(self.expected(what, format!("write {what} in double quotes: `\"…\"`"))),
        }
    }

    /// `because "why"`, which must be there.
    pub(crate) fn because(&mut self) -> Parsed<Expr> {
        if self.at_word("because") {
            self.next();
            return self.string("a reason");
        }
        if self.peek().is_some() {
            return Err(self.expected("`because`", "say why: `because \"…\"`"));
        }
        let span = self.here();
        let help = "say why: `because \"…\"`";
        Err(self.fail(codes::BECAUSE_MISSING, span, "the reason is missing", "after this", help))
    }

    /// An unsigned integer without unit.
    pub(crate) fn integer(&mut self, what: &str) -> Parsed<u64> {
        let Some(token) = self.peek().filter(|t| t.kind == TokenKind::Number) else {
            return Err(self.expected(what, "write a number such as `443` or `0x10`"));
        };
        let text = self.str(token);
        let parsed = match (text.strip_prefix("0x"), text.strip_prefix("0o")) {
            (Some(hex), _) => u64::from_str_radix(hex, 16),
            (_, Some(octal)) => u64::from_str_radix(octal, 8),
            _ => text.parse(),
        };
        let span = token.span;
        self.next();
        let digits = text.trim_start_matches('0');
        if digits.len() < text.len() && digits.starts_with(|c: char| c.is_ascii_digit())
            || text.len() > 1 && digits.is_empty()
        {
            return Err(self.leading_zero(span, text));
        }
        parsed.map_err(|_| self.too_large(span))
    }

    fn too_large(&mut self, span: Span) -> Reported {
        let help = format!("write a number of at most {}", u64::MAX);
        self.fail(codes::NUMBER_TOO_LARGE, span, "the number is too large", "more than 64 bits", help)
    }

    fn leading_zero(&mut self, span: Span, text: &str) -> Reported {
        let digits = text.trim_start_matches('0');
        let digits = if digits.is_empty() { "0" } else { digits };
        let help = match digits.bytes().all(|b| b < b'8') {
            true => format!("write `{digits}` for the decimal number, `0o{digits}` for the octal one"),
            false => format!("write `{digits}`"),
        };
        let message = format!("the number `{text}` starts with a zero");
        self.fail(codes::LEADING_ZERO, span, message, "decimal or octal?", help)
    }

    fn unit(&mut self) -> Parsed<(Unit, u64)> {
        if self.eat_operator("%") {
            return Ok((Unit::Percent, 1));
        }
        let Some(word) = self.peek_word() else { return Ok((Unit::None, 1)) };
        if let Some((_, unit, factor)) = UNITS.iter().find(|u| u.0 == word) {
            self.next();
            return Ok((*unit, *factor));
        }
        if let Some((_, meant)) = MISSPELT_UNITS.iter().find(|u| u.0 == word) {
            let span = self.here();
            let message = format!("unknown unit `{word}`");
            return Err(self.fail(codes::BAD_UNIT, span, message, "not a unit", format!("write `{meant}`")));
        }
        Ok((Unit::None, 1))
    }
}

fn hint(what: &str) -> String {
    match what {
        "a path" => "write a path such as `\"/etc/hosts\"`, or the name of a `let`".into(),
        "a port" => "write a port such as `443`, a range such as `8000-8010`, or the name of a `let`".into(),
        "an address" => "write an address such as `192.0.2.7` or `2001:db8::/32`".into(),
        "a system call" => "write a system call such as `openat`, or a group such as `@module`".into(),
        what => format!("write {what} here"),
    }
}
