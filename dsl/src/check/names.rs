//! Names that are no paths: abstract sockets and message queues.

use super::Checker;
use crate::ast::Expr;
use crate::codes;
use crate::policy::NamePattern;
use crate::resolve::{Scope, Text};
use canc_sets::path::Piece;

impl Checker<'_, '_> {
    /// A pattern of a name from byte `from` of a text on.
    pub(super) fn name_pattern(&mut self, text: &Text<'_>, from: usize) -> Option<NamePattern> {
        let value = text.value.get(from..).unwrap_or_default();
        match pieces(value) {
            Ok(pieces) => Some(NamePattern { pieces }),
            Err((at, length, message)) => {
                let help = "in a name `*`, `?` and `[a-z]` have a meaning; write `\\\\` before a character that has none, `$$` for a dollar";
                self.fail(codes::BAD_NAME_PATTERN, text.locate(from + at, length), message, "here", help);
                None
            }
        }
    }

    /// Names of message queues: one `/` at the start, none after it.
    pub(super) fn queue_names(&mut self, exprs: &[Expr], scope: &Scope) -> Option<Vec<NamePattern>> {
        let mut out = Vec::new();
        let good = self.each_text(exprs, scope, "a queue's name", |checker, text| {
            let rest = text.value.strip_prefix('/');
            if rest.is_none_or(|r| r.is_empty() || r.contains('/')) {
                let help = "write one `/` and a name without `/`, such as `\"/jobs\"`";
                checker.fail(
                    codes::BAD_QUEUE_NAME,
                    text.span,
                    "not the name of a message queue",
                    "here",
                    help,
                );
                return false;
            }
            let pattern = checker.name_pattern(text, 0);
            let good = pattern.is_some();
            out.extend(pattern);
            good
        });
        good.then_some(out)
    }
}

type Problem = (usize, usize, String);

fn pieces(text: &str) -> Result<Vec<Piece>, Problem> {
    let mut out: Vec<Piece> = Vec::new();
    let mut chars = text.char_indices().peekable();
    let literal = |out: &mut Vec<Piece>, c: char| match out.last_mut() {
        Some(Piece::Lit(text)) => text.push(c),
        _ => out.push(Piece::Lit(c.into())),
    };
    while let Some((at, c)) = chars.next() {
        match c {
            '?' => out.push(Piece::Any),
            '*' if out.last() == Some(&Piece::Star) => {}
            '*' => out.push(Piece::Star),
            '\\' => match chars.next() {
                Some((_, c)) => literal(&mut out, c),
                None => return Err((at, 1, "nothing follows the backslash".into())),
            },
            '[' => out.push(class(&mut chars, at)?),
            '{' | '}' | ']' | '$' => return Err((at, 1, format!("`{c}` has no meaning in a name"))),
            c => literal(&mut out, c),
        }
    }
    Ok(out)
}

fn class(chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>, start: usize) -> Result<Piece, Problem> {
    let bad = |at: usize| (at, 1, "bad character class".to_owned());
    let negated = chars.next_if(|(_, c)| *c == '!').is_some();
    let mut ranges: Vec<(u8, u8)> = Vec::new();
    loop {
        let Some((at, c)) = chars.next() else { return Err((start, 1, "`[` is never closed".into())) };
        if c == ']' {
            break;
        }
        let low = if c == '\\' { chars.next().ok_or_else(|| bad(at))?.1 } else { c };
        let mut high = low;
        if chars.next_if(|(_, c)| *c == '-').is_some() {
            high = match chars.next() {
                Some((_, '\\')) => chars.next().ok_or_else(|| bad(at))?.1,
                Some((_, c)) if c != ']' => c,
                _ => return Err(bad(at)),
            };
        }
        match (u8::try_from(low), u8::try_from(high)) {
            (Ok(a), Ok(b)) if a <= b && b.is_ascii() && !(a..=b).contains(&b'/') => ranges.push((a, b)),
            _ => return Err(bad(at)),
        }
    }
    if ranges.is_empty() { Err(bad(start)) } else { Ok(Piece::Class { negated, ranges }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_pieces() {
        let lit = |t: &str| Piece::Lit(t.into());
        assert_eq!(pieces("a/b").unwrap(), [lit("a/b")]);
        assert_eq!(pieces("x**?").unwrap(), [lit("x"), Piece::Star, Piece::Any]);
        assert_eq!(
            pieces("\\*[!a-c]").unwrap(),
            [lit("*"), Piece::Class { negated: true, ranges: vec![(b'a', b'c')] }]
        );
        for bad in ["[", "[]", "[b-a]", "{a}", "a\\", "[a-]", "[.-0]", "[é]"] {
            assert!(pieces(bad).is_err(), "{bad}");
        }
    }
}
