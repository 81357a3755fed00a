//! `where` conditions on the arguments of system calls.

use super::cst::TokenKind;
use super::line::Line;
use crate::ast::{Condition, Operand};
use crate::codes;
use crate::limits::MAX_TESTS;
use crate::policy::Compare;
use crate::sink::Parsed;
use crate::source::Span;
use crate::words;

impl Line<'_, '_, '_> {
    /// A condition; `or` binds least, then `and`, then `not`.
    pub(crate) fn condition(&mut self) -> Parsed<Condition> {
        let start = self.here();
        let condition = self.condition_any()?;
        let tests = tests(&condition);
        if tests > MAX_TESTS {
            let span = self.since(start);
            let message = format!("{tests} comparisons in one condition; at most {MAX_TESTS} are allowed");
            return Err(self.fail(codes::TOO_MANY_TESTS, span, message, "too many", "use ranges"));
        }
        Ok(condition)
    }

    fn condition_any(&mut self) -> Parsed<Condition> {
        let mut any = vec![self.condition_all()?];
        while self.eat("or").is_some() {
            any.push(self.condition_all()?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Condition::Any(any) })
    }

    fn condition_all(&mut self) -> Parsed<Condition> {
        let mut all = vec![self.condition_one()?];
        while self.eat("and").is_some() {
            all.push(self.condition_one()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Condition::All(all) })
    }

    fn condition_one(&mut self) -> Parsed<Condition> {
        let mut negated = false;
        while self.eat("not").is_some() {
            negated = !negated;
        }
        let inner = match self.peek() {
            Some(token) if matches!(token.kind, TokenKind::Group(_)) => {
                let TokenKind::Group(inner) = &token.kind else {
                    return Err(self.expected("a condition", ""));
                };
                self.next();
                self.inside(inner, token.span, |l| l.condition_any())?
            }
            _ => self.comparison_of_argument()?,
        };
        Ok(if negated { Condition::Not(Box::new(inner)) } else { inner })
    }

    /// `arg [& mask] OP value`, `arg [& mask] [not] in [values]`
    fn comparison_of_argument(&mut self) -> Parsed<Condition> {
        let arg = self.name("an argument's name")?;
        let mask = if self.eat_operator("&") { Some(self.operands()?) } else { None };
        let negated = self.eat("not").is_some();
        if negated || self.at_word("in") {
            self.expect("in", "write `not in [ … ]`")?;
            let values = self.values_in()?;
            let span = self.since(arg.span);
            return Ok(Condition::Test { arg, mask, op: Compare::Eq, values, negated, span });
        }
        let op = self.comparison()?.0;
        let values = vec![self.operands()?];
        let span = self.since(arg.span);
        Ok(Condition::Test { arg, mask, op, values, negated: false, span })
    }

    fn values_in(&mut self) -> Parsed<Vec<Vec<Operand>>> {
        let help = "write the values in brackets: `domain in [AF_INET, AF_INET6]`";
        let Some(token) = self.peek() else { return Err(self.expected("a list", help)) };
        match &token.kind {
            TokenKind::List(inner) => {
                self.next();
                self.inside(inner, token.span, |l| l.list(|l| l.operands()))
            }
            // The name of a let.
            TokenKind::Word if !words::is_reserved(self.str(token)) => {
                self.next();
                Ok(vec![vec![Operand::Name(token.span)]])
            }
            _ => Err(self.expected("a list", help)),
        }
    }

    /// `A | B | C`, with or without parentheses.
    fn operands(&mut self) -> Parsed<Vec<Operand>> {
        let mut out = Vec::new();
        loop {
            match self.peek() {
                Some(token) if matches!(token.kind, TokenKind::Group(_)) => {
                    let TokenKind::Group(inner) = &token.kind else {
                        return Err(self.expected("a value", ""));
                    };
                    self.next();
                    out.extend(self.inside(inner, token.span, |l| l.operands())?);
                }
                _ => out.push(self.operand()?),
            }
            if !self.eat_operator("|") {
                return Ok(out);
            }
        }
    }

    fn operand(&mut self) -> Parsed<Operand> {
        let start = self.here();
        if self.eat_operator("-") {
            let value = self.integer("a number")?;
            return self.negative(value, start);
        }
        match self.peek() {
            Some(token) if token.kind == TokenKind::Word && !words::is_reserved(self.str(token)) => {
                self.next();
                Ok(Operand::Name(token.span))
            }
            Some(token) if token.kind == TokenKind::Number => {
                let value = self.integer("a number")?;
                Ok(Operand::Int { value, span: self.since(start) })
            }
            _ => {
                Err(self
                    .expected("a value", "write a number such as `0x5412`, or a constant such as `AF_INET`"))
            }
        }
    }

    fn negative(&mut self, value: u64, start: Span) -> Parsed<Operand> {
        let span = self.since(start);
        if value > 1 << 63 {
            let help = format!("write a number of at least {}", i64::MIN);
            return Err(self.fail(
                codes::NUMBER_TOO_LARGE,
                span,
                "the number is too small",
                "more than 64 bits",
                help,
            ));
        }
        Ok(Operand::Int { value: value.wrapping_neg(), span })
    }
}

fn tests(condition: &Condition) -> usize {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().map(tests).sum(),
        Condition::Not(inner) => tests(inner),
        Condition::Test { values, .. } => values.len(),
    }
}
