//! Assertions to the tests of a [`crate::policy::PolicySet`].

use super::Checker;
use super::policy::Making;
use crate::ast;
use crate::codes;
use crate::diag::Diagnostic;
use crate::policy::{Assertion, Claim, DecidedBy, Effect, Test};
use crate::resolve::Scope;
use crate::source::Span;
use std::collections::HashMap;
use std::sync::Arc;

impl Checker<'_, '_> {
    pub(super) fn tests(&mut self, tests: &[&ast::Test], policies: &[Making]) -> Vec<Test> {
        let by_name: HashMap<&str, &Making> = policies.iter().map(|m| (&*m.data.name, m)).collect();
        let mut titles: HashMap<Arc<str>, Span> = HashMap::new();
        let mut out = Vec::new();
        for test in tests {
            let Some(title) = self.plain(&test.title, &Scope::default()) else { continue };
            if let Some(before) = titles.insert(Arc::clone(&title), test.title.span) {
                self.sink.push(
                    Diagnostic::new(codes::DUPLICATE, "two tests have the same title")
                        .label(test.title.span, "the second one")
                        .label(before, "the first one")
                        .help("give one of them another title"),
                );
            }
            let assertions = test.assertions.iter().filter_map(|a| self.assertion(a, &by_name)).collect();
            out.push(Test { title, assertions, span: test.title.span });
        }
        out
    }

    fn assertion(
        &mut self,
        assertion: &ast::Assertion,
        policies: &HashMap<&str, &Making>,
    ) -> Option<Assertion> {
        let known = self.known_policy(&assertion.policy);
        let making = policies.get(&*assertion.policy.text).copied();
        let claim = match &assertion.claim {
            ast::Claim::Allows(request) => Claim::Allows(self.request(request, true)?),
            ast::Claim::Denies(request, by) => {
                let request = self.request(request, true);
                let by = match by {
                    Some(by) => Some(self.decided_by(by, making)?),
                    None => None,
                };
                Claim::Denies(request?, by)
            }
            ast::Claim::Never(request) => Claim::Never(self.request(request, false)?),
            ast::Claim::LosesNothing(target, class) => Claim::LosesNothing(*target, *class),
            ast::Claim::Reaches { to, not } => {
                if !self.known_policy(to) {
                    return None;
                }
                Claim::Reaches { to: Arc::clone(&to.text), not: *not }
            }
        };
        let mut on = assertion.on.clone();
        on.sort_unstable();
        on.dedup();
        known.then(|| Assertion {
            policy: Arc::clone(&assertion.policy.text),
            claim,
            on,
            span: assertion.span,
        })
    }

    /// The rule that a test says decides must exist, or the test could never fail for its reason.
    fn decided_by(&mut self, by: &ast::DecidedBy, making: Option<&Making>) -> Option<DecidedBy> {
        let denies = |m: &Making, same: &dyn Fn(&crate::policy::Rule) -> bool| {
            m.broken || m.data.rules.iter().any(|r| r.effect == Effect::Deny && same(r))
        };
        match by {
            ast::DecidedBy::Because(why) => {
                let text = self.plain(why, &Scope::default())?;
                let same = |r: &crate::policy::Rule| r.because.as_deref() == Some(&*text);
                if making.is_some_and(|m| !denies(m, &same)) {
                    let help = "write the reason of a `deny` word by word, or leave it out";
                    self.fail(codes::NO_SUCH_RULE, why.span, "no `deny` has this reason", "not found", help);
                    return None;
                }
                Some(DecidedBy::Because(text))
            }
            ast::DecidedBy::Id(id) => {
                let same = |r: &crate::policy::Rule| r.name.as_deref() == Some(&*id.text);
                if making.is_some_and(|m| !denies(m, &same)) {
                    let known =
                        making.into_iter().flat_map(|m| &m.data.rules).filter_map(|r| r.name.as_deref());
                    let help = match crate::suggest::nearest(&id.text, known) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("write `@id({}) deny …` in the policy", id.text),
                    };
                    let message = format!("no `deny` has the id `{}`", id.text);
                    self.fail(codes::NO_SUCH_RULE, id.span, message, "not found", help);
                    return None;
                }
                Some(DecidedBy::Id(Arc::clone(&id.text)))
            }
        }
    }
}
