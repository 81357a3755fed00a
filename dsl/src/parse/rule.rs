//! The words of a rule: annotations, effect, body, and the clauses that every body may have.

use super::cst::TokenKind;
use super::line::Line;
use crate::ast::{Body, Label, Name, Rule, StatementKind};
use crate::codes;
use crate::sink::Parsed;

pub(super) fn rule(line: &mut Line<'_, '_, '_>) -> Parsed<StatementKind> {
    let (id, prefer) = annotations(line)?;
    let deny = match line.peek_word() {
        Some("deny") => true,
        Some("allow") => false,
        _ => {
            return Err(
                line.expected("`allow` or `deny`", "write `allow …` or `deny …` after the annotations")
            );
        }
    };
    line.next();
    let audit = line.eat("audit").is_some();
    let mut body = line.body(false)?;
    let mut because = None;
    loop {
        let span = line.here();
        if line.clause(&mut body, false)? {
            continue;
        }
        match line.peek_word() {
            Some("except") => {
                line.next();
                line.except(&mut body, span)?;
            }
            Some("as") => {
                line.next();
                label(line, &mut body, span)?;
            }
            Some("because") if because.is_none() => because = Some(line.because()?),
            Some("owner") => {
                let help = "write it before the paths: `allow read owner \"…\"`";
                return Err(line.fail(
                    codes::UNEXPECTED,
                    span,
                    "`owner` stands in the wrong place",
                    "here",
                    help,
                ));
            }
            Some("audit") => {
                let help = "write it after `allow` or `deny`";
                return Err(line.fail(
                    codes::UNEXPECTED,
                    span,
                    "`audit` stands in the wrong place",
                    "here",
                    help,
                ));
            }
            _ => break,
        }
    }
    if let Some(token) = line.peek().filter(|t| t.kind == TokenKind::At) {
        let message = format!("`{}` stands in the wrong place", line.str(token));
        let help = "write annotations before `allow` or `deny`";
        return Err(line.fail(codes::UNEXPECTED, token.span, message, "here", help));
    }
    Ok(StatementKind::Rule(Box::new(Rule { id, prefer, deny, audit, body, because })))
}

/// `@prefer` and `@id(name)`, each at most once, in any order.
fn annotations(line: &mut Line<'_, '_, '_>) -> Parsed<(Option<Name>, bool)> {
    let (mut id, mut prefer) = (None, false);
    while let Some(token) = line.peek().filter(|t| t.kind == TokenKind::At) {
        let text = line.str(token);
        let span = token.span;
        match text {
            "@prefer" if !prefer => {
                line.next();
                prefer = true;
            }
            "@id" if id.is_none() => {
                line.next();
                id = Some(line.id_name()?);
            }
            "@prefer" | "@id" => {
                let message = format!("`{text}` stands here twice");
                return Err(line.fail(codes::REPEATED, span, message, "again", "remove it"));
            }
            _ => return Err(line.unknown("an annotation", text, span, ["@prefer", "@id"].into_iter())),
        }
    }
    Ok((id, prefer))
}

fn label(line: &mut Line<'_, '_, '_>, body: &mut Body, span: crate::source::Span) -> Parsed<()> {
    let name = line.new_name("a label", false)?;
    let takeover = line.eat("takeover").is_some();
    let Body::File(file) = body else {
        let help = "only rules on files own paths: remove `as`";
        return Err(line.fail(
            codes::NO_MEANING,
            span,
            "`as` has no meaning here",
            "not a rule on files",
            help,
        ));
    };
    if file.label.is_some() {
        return Err(line.fail(
            codes::REPEATED,
            span,
            "`as` stands here twice",
            "again",
            "one label per rule",
        ));
    }
    file.label = Some(Label { name, takeover });
    Ok(())
}

impl Line<'_, '_, '_> {
    /// `(name)` after `@id`.
    pub(crate) fn id_name(&mut self) -> Parsed<Name> {
        let Some(token) = self.peek() else {
            return Err(self.expected("a name in parentheses", "write `@id(name)`"));
        };
        let TokenKind::Group(inner) = &token.kind else {
            return Err(self.expected("a name in parentheses", "write `@id(name)`"));
        };
        self.next();
        self.inside(inner, token.span, |l| l.new_name("a name", false))
    }
}
