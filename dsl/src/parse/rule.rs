//! The words of a rule: annotations, effect, body, and the clauses that every body may have.

use super::cst::TokenKind;
use super::line::Line;
use crate::ast::{Body, Expr, Label, Name, Rule, StatementKind};
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
    while more(line, &mut body, &mut because)? {}
    misplaced(line)?;
    Ok(StatementKind::Rule(Box::new(Rule { id, prefer, deny, audit, body, because })))
}

/// Reads one clause; false if none is next.
fn more(line: &mut Line<'_, '_, '_>, body: &mut Body, because: &mut Option<Expr>) -> Parsed<bool> {
    let span = line.here();
    if line.clause(body, false)? {
        return Ok(true);
    }
    if line.eat("except").is_some() {
        line.except(body, span)?;
    } else if line.eat("as").is_some() {
        label(line, body, span)?;
    } else if because.is_none() && line.at_word("because") {
        *because = Some(line.because()?);
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// Fails on what has its place further up.
fn misplaced(line: &mut Line<'_, '_, '_>) -> Parsed<()> {
    let Some(token) = line.peek() else { return Ok(()) };
    let text = line.str(token);
    let help = match text {
        "owner" => "write it before the paths: `allow read owner \"…\"`",
        "audit" => "write it after `allow` or `deny`",
        _ if token.kind == TokenKind::At => "write annotations before `allow` or `deny`",
        _ => return Ok(()),
    };
    let message = format!("`{text}` stands in the wrong place");
    Err(line.fail(codes::UNEXPECTED, token.span, message, "here", help))
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
