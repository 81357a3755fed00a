//! `test "title" { … }`: assertions, and the requests that the command line reads too.

use super::cst::TokenKind;
use super::line::Line;
use super::pieces::{Piece, each_statement, no_block};
use super::split::Node;
use crate::ast::{Assertion, Claim, DecidedBy, Item, Name, Request, Test};
use crate::policy::{Deployment, Who};
use crate::sink::Parsed;
use crate::words;

/// Words that follow the name of a policy in an assertion.
pub(super) const VERBS: &[&str] = &["allows", "denies", "never", "loses", "reaches"];

pub(super) fn test(mut line: Line<'_, '_, '_>, piece: &Piece<'_>) -> Parsed<Item> {
    let title = line.string("a title");
    let finished = title.and_then(|t| line.finish().map(|()| t));
    let Some(nodes) = piece.node.and_then(|n| n.body.as_deref()) else {
        return Err(match finished {
            Ok(_) => line.expected("a block", "write the assertions between `{` and `}`"),
            Err(reported) => reported,
        });
    };
    let assertions = assertions(&mut line, nodes);
    Ok(Item::Test(Test { title: finished?, assertions }))
}

fn assertions(line: &mut Line<'_, '_, '_>, nodes: &[Node]) -> Vec<Assertion> {
    let mut out = Vec::new();
    each_statement(line.cx, nodes, &[], |cx, piece| {
        if piece.node.is_some_and(|n| n.broken) {
            return;
        }
        let mut line = Line::new(cx, piece.tokens, piece.span);
        let read = line.assertion().and_then(|a| line.finish().map(|()| a));
        let blockless = no_block(cx, &piece);
        if let (Ok(assertion), Ok(())) = (read, blockless) {
            out.push(assertion);
        }
    });
    out
}

impl Line<'_, '_, '_> {
    fn assertion(&mut self) -> Parsed<Assertion> {
        const HELP: &str = "write for instance `NAME denies read \"/etc/shadow\";`";
        let policy = match self.peek_word() {
            Some("test" | "policy" | "allow" | "deny") | None => {
                return Err(self.expected("a policy's name", HELP));
            }
            Some(_) => self.name("a policy's name")?,
        };
        let verbs: Vec<(&'static str, usize)> = VERBS.iter().copied().zip(0..).collect();
        let claim = match self.choose("an assertion", &verbs)?.0 {
            0 => Claim::Allows(self.request()?),
            1 => {
                let request = self.request()?;
                Claim::Denies(request, self.decided_by()?)
            }
            2 if self.eat("reaches").is_some() => {
                Claim::Reaches { to: self.name("a policy's name")?, not: true }
            }
            2 => Claim::Never(self.request()?),
            3 => self.loses()?,
            _ => Claim::Reaches { to: self.name("a policy's name")?, not: false },
        };
        let on = if self.eat("on").is_some() { self.deployments()? } else { Vec::new() };
        Ok(Assertion { policy, claim, on, span: self.whole })
    }

    fn loses(&mut self) -> Parsed<Claim> {
        self.expect("nothing", "write `NAME loses nothing on TARGET`")?;
        self.expect("on", "write `NAME loses nothing on TARGET`")?;
        let target = self.choose("a target", words::TARGETS)?.0;
        let class = match self.eat("for") {
            Some(_) => Some(self.choose("a class", words::CLASSES)?.0),
            None => None,
        };
        Ok(Claim::LosesNothing(target, class))
    }

    fn deployments(&mut self) -> Parsed<Vec<Deployment>> {
        Ok(self.choices("a deployment", words::DEPLOYMENTS)?.into_iter().map(|d| d.0).collect())
    }

    /// `because "why"`, `by @id(name)` or `by @name`
    fn decided_by(&mut self) -> Parsed<Option<DecidedBy>> {
        if self.at_word("because") {
            return Ok(Some(DecidedBy::Because(self.because()?)));
        }
        if self.eat("by").is_none() {
            return Ok(None);
        }
        match self.peek() {
            Some(token) if token.kind == TokenKind::At => {
                self.next();
                let text = self.str(token);
                if text == "@id" {
                    return Ok(Some(DecidedBy::Id(self.id_name()?)));
                }
                let text = self.cx.intern(text.trim_start_matches('@'));
                Ok(Some(DecidedBy::Id(Name { text, span: token.span })))
            }
            _ => Err(self.expected("the rule's id", "write `by @id(name)`")),
        }
    }

    /// A rule body with concrete values, and who asks.
    pub(crate) fn request(&mut self) -> Parsed<Request> {
        let start = self.here();
        let mut body = self.body(true)?;
        let mut who = Who::default();
        let span = loop {
            let span = self.since(start);
            let here = self.here();
            if self.eat("except").is_some() {
                self.except(&mut body, here)?;
            } else if self.eat("as").is_some() {
                const WHO: &[(&str, Who)] =
                    &[("root", Who::Root), ("owner", Who::Owner), ("other", Who::Other)];
                who = self.choose("a user", WHO)?.0;
            } else {
                break span;
            }
        };
        Ok(Request { body, who, span })
    }
}
