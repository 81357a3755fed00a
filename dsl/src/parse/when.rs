//! The conditions of `when`, and the comparisons that they share with `where`.

use super::cst::TokenKind;
use super::line::Line;
use crate::Version;
use crate::ast::{Name, WhenCondition};
use crate::codes;
use crate::policy::Compare;
use crate::sink::Parsed;
use crate::source::Span;
use canc_sets::syscalls::Arch;

const COMPARISONS: &[(&str, Compare)] = &[
    ("==", Compare::Eq),
    ("!=", Compare::Ne),
    ("<", Compare::Lt),
    ("<=", Compare::Le),
    (">", Compare::Gt),
    (">=", Compare::Ge),
];

impl Line<'_, '_, '_> {
    /// Whether what comes next compares what came before.
    fn at_comparison(&self) -> bool {
        self.at_word("in") || self.at_operator("=") || COMPARISONS.iter().any(|c| self.at_operator(c.0))
    }

    /// A comparison operator.
    pub(crate) fn comparison(&mut self) -> Parsed<(Compare, Span)> {
        let found = COMPARISONS.iter().find(|c| self.at_operator(c.0));
        let span = self.here();
        match found {
            Some((_, compare)) => {
                self.next();
                Ok((*compare, span))
            }
            None => {
                let help = if self.at_operator("=") {
                    "write `==`"
                } else {
                    "write one of `==` `!=` `<` `<=` `>` `>=`"
                };
                Err(self.expected("a comparison", help))
            }
        }
    }

    /// A condition; `or` binds least, then `and`, then `not`.
    pub(crate) fn when_condition(&mut self) -> Parsed<WhenCondition> {
        let mut any = vec![self.when_all()?];
        while self.eat("or").is_some() {
            any.push(self.when_all()?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { WhenCondition::Any(any) })
    }

    fn when_all(&mut self) -> Parsed<WhenCondition> {
        let mut all = vec![self.when_one()?];
        while self.eat("and").is_some() {
            all.push(self.when_one()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { WhenCondition::All(all) })
    }

    fn when_one(&mut self) -> Parsed<WhenCondition> {
        let mut negations = 0;
        while self.eat("not").is_some() {
            negations += 1;
        }
        let inner = self.when_atom()?;
        Ok(if negations % 2 == 0 { inner } else { WhenCondition::Not(Box::new(inner)) })
    }

    fn when_atom(&mut self) -> Parsed<WhenCondition> {
        let Some(token) = self.peek() else {
            return Err(self.expected("a condition", "write for instance `when arch == x86_64`"));
        };
        if let TokenKind::Group(inner) = &token.kind {
            self.next();
            return self.inside(inner, token.span, |l| l.when_condition());
        }
        let name = self.name("a condition")?;
        match &*name.text {
            "arch" => self.when_arch(),
            "selinux.base" => self.when_base(),
            "apparmor.abi" => {
                let compare = self.comparison()?.0;
                Ok(WhenCondition::ApparmorAbi(compare, self.version()?))
            }
            other if other.contains('.') || self.at_comparison() => {
                const KNOWN: &[&str] = &["arch", "selinux.base", "apparmor.abi"];
                Err(self.unknown("a condition", other, name.span, KNOWN.iter().copied()))
            }
            _ => Ok(WhenCondition::Param(name)),
        }
    }

    fn when_arch(&mut self) -> Parsed<WhenCondition> {
        let table: Vec<(&'static str, Arch)> = Arch::ALL.iter().map(|a| (a.word(), *a)).collect();
        if self.eat("in").is_some() {
            let Some(token) = self.peek() else {
                return Err(self.expected("a list", "write `arch in [x86_64, aarch64]`"));
            };
            let TokenKind::List(inner) = &token.kind else {
                return Err(self.expected("a list", "write `arch in [x86_64, aarch64]`"));
            };
            self.next();
            let arches = self.inside(inner, token.span, |l| l.choices("an architecture", &table))?;
            return Ok(WhenCondition::Arch(arches.into_iter().map(|a| a.0).collect()));
        }
        let (compare, span) = self.comparison()?;
        let arch = WhenCondition::Arch(vec![self.choose("an architecture", &table)?.0]);
        self.equality(compare, span, arch)
    }

    fn when_base(&mut self) -> Parsed<WhenCondition> {
        let (compare, span) = self.comparison()?;
        let name = match self.peek() {
            Some(token) if token.kind == TokenKind::String => {
                self.next();
                let text = self.str(token).trim_matches('"');
                Name { text: self.cx.intern(text), span: token.span }
            }
            _ => self.name("the name of an SELinux base")?,
        };
        self.equality(compare, span, WhenCondition::SelinuxBase(name))
    }

    fn equality(&mut self, compare: Compare, span: Span, yes: WhenCondition) -> Parsed<WhenCondition> {
        match compare {
            Compare::Eq => Ok(yes),
            Compare::Ne => Ok(WhenCondition::Not(Box::new(yes))),
            _ => Err(self.fail(codes::UNEXPECTED, span, "names have no order", "here", "write `==` or `!=`")),
        }
    }

    fn version(&mut self) -> Parsed<Version> {
        let parsed = self.peek().and_then(|t| Version::parse(self.str(t)));
        match parsed {
            Some(version) => {
                self.next();
                Ok(version)
            }
            None => Err(self.expected("a version", "write a version such as `4.0`")),
        }
    }
}
