//! A program to a [`PolicySet`]: every value understood by what its rule means. The only place that makes policies, so that no back
//! end ever sees unchecked input.

mod addresses;
mod claims;
mod condition;
mod edges;
mod errnos;
mod files;
mod mounts;
mod names;
mod net;
mod overlap;
mod paths;
mod policy;
mod request;
mod rules;
mod statements;
mod syscalls;
mod tests;
mod unix;

use crate::ast::Expr;
use crate::codes;
use crate::diag::{Code, Diagnostic};
use crate::limits::MAX_VALUES;
use crate::policy::PolicySet;
use crate::resolve::{Atom, Program, Scope, World};
use crate::sink::Sink;
use crate::source::Span;
use std::collections::HashSet;
use std::sync::Arc;

/// What every part of the check needs.
pub(crate) struct Checker<'w, 'd> {
    world: World<'w>,
    sink: &'d mut Sink,
    /// The policies of this compilation, in order.
    policies: Vec<Arc<str>>,
    /// The same, to ask for one.
    known: HashSet<Arc<str>>,
    /// How many values the sets may still expand to.
    budget: usize,
}

/// Checks a program. `None` when there is an error.
pub(crate) fn check(program: &Program<'_>, world: World<'_>, sink: &mut Sink) -> Option<PolicySet> {
    let policies = program.plans.iter().map(|p| Arc::clone(&p.name.text)).collect();
    let mut checker = Checker::new(world, sink, policies);
    let mut done = Vec::with_capacity(program.plans.len());
    for plan in &program.plans {
        done.push(checker.policy(plan));
    }
    for plan in &program.unused {
        checker.look_at(&plan.steps);
    }
    checker.look_at(&program.aside);
    checker.edges(&done);
    checker.claims(&done);
    let tests = checker.tests(&program.tests, &done);
    (checker.sink.errors() == 0).then(|| PolicySet::new(done.into_iter().map(|d| d.data).collect(), tests))
}

impl<'w, 'd> Checker<'w, 'd> {
    pub(crate) fn new(world: World<'w>, sink: &'d mut Sink, policies: Vec<Arc<str>>) -> Self {
        let known = policies.iter().cloned().collect();
        Self { world, sink, policies, known, budget: MAX_VALUES }
    }

    fn text(&self, span: Span) -> &'w str {
        self.world.sources.text(span)
    }

    fn fail(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.sink.push(Diagnostic::new(code, message).label(span, label).help(help));
    }

    /// The members of a set; what is wrong with one of them is reported.
    fn atoms(&mut self, exprs: &[Expr], scope: &Scope) -> Vec<Atom> {
        let mut out = Vec::new();
        for expr in exprs {
            self.world.atoms(expr, scope, self.sink, &mut self.budget, &mut out);
        }
        out
    }

    /// The text of a string that is no path.
    fn plain(&mut self, expr: &Expr, scope: &Scope) -> Option<Arc<str>> {
        let quoted = self.text(expr.span);
        let text = self.world.decode(quoted, expr.span, scope, crate::resolve::Mode::Plain, self.sink)?;
        Some(text.value.into())
    }

    /// Whether a policy exists; reports it if not.
    fn known_policy(&mut self, name: &crate::ast::Name) -> bool {
        if self.known.contains(&name.text) {
            return true;
        }
        let help = match crate::suggest::nearest(&name.text, self.policies.iter().map(|p| &**p)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("define it in this file: `policy {} {{ … }}`", name.text),
        };
        let message = format!("unknown policy `{}`", crate::parse::shorten(&name.text));
        self.fail(codes::UNKNOWN_POLICY, name.span, message, "not known", help);
        false
    }
}
