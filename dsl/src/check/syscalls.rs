//! Rules on system calls: names, groups, conditions, architectures.

use super::Checker;
use super::rules::Use;
use crate::ast;
use crate::codes;
use crate::diag::Diagnostic;
use crate::policy::{Condition, SyscallItem, SyscallRule};
use crate::resolve::{AtomKind, Scope, Step, spend};
use crate::source::Span;
use canc_sets::syscalls::{self, Arch};
use std::collections::HashSet;

/// A call and the group that brought it.
#[derive(Clone, Copy)]
struct Call {
    name: &'static str,
    group: Option<&'static str>,
}

impl Checker<'_, '_> {
    pub(super) fn syscall(
        &mut self,
        body: &ast::SyscallBody,
        scope: &Scope,
        what_for: Use,
        span: Span,
    ) -> Option<SyscallRule> {
        let (calls, except) = (self.calls(&body.calls, scope), self.calls(&body.except, scope));
        if let Some((_, at)) = body.action.filter(|_| what_for != Use::Deny) {
            let help = "remove it: an allowed call is simply made";
            self.fail(
                codes::NO_MEANING,
                at,
                "`with` has no meaning on an `allow`",
                "only a `deny` answers",
                help,
            );
            return None;
        }
        let calls = left(calls?, &except?);
        if calls.is_empty() {
            self.fail(codes::NOTHING_LEFT, span, "no system call is left", "this rule", "name other calls");
            return None;
        }
        let calls = self.items(&calls, body, scope, span)?;
        let mut arches = body.arches.clone();
        if let Some(arches) = &mut arches {
            arches.sort_unstable();
            arches.dedup();
        }
        Some(SyscallRule { calls, arches, action: body.action.map(|a| a.0) })
    }

    /// Each call with the condition as it is for that call; every mistake in one is reported.
    fn items(
        &mut self,
        calls: &[Call],
        body: &ast::SyscallBody,
        scope: &Scope,
        span: Span,
    ) -> Option<Vec<SyscallItem>> {
        let arches = body.arches.as_ref().unwrap_or(&self.world.options.arches).clone();
        let mut items = Vec::with_capacity(calls.len());
        for Call { name, group } in calls {
            let condition = match &body.condition {
                None => None,
                Some(condition) => match self.condition(condition, name, &arches, scope) {
                    Some(condition) if spend(size(&condition), span, self.sink, &mut self.budget) => {
                        Some(condition)
                    }
                    _ => continue,
                },
            };
            items.push(SyscallItem { name, group: *group, condition });
        }
        (items.len() == calls.len()).then_some(items)
    }

    /// The calls of a set, groups multiplied out.
    fn calls(&mut self, exprs: &[ast::Expr], scope: &Scope) -> Option<Vec<Call>> {
        let mut out = Vec::new();
        let mut good = true;
        for expr in exprs {
            good &= self.call(expr, scope, &mut out);
        }
        good.then_some(out)
    }

    fn call(&mut self, expr: &ast::Expr, scope: &Scope, out: &mut Vec<Call>) -> bool {
        let before = self.sink.errors();
        // A name that is nothing at all is an unknown call here, and no unknown name.
        if expr.kind == ast::ExprKind::Name {
            let name = self.text(expr.span);
            let nothing = matches!(self.world.find(name, scope), crate::resolve::Found::Nothing);
            if nothing && syscalls::lookup(name).is_none() {
                self.unknown_call(name, expr.span);
                return false;
            }
        }
        let atoms = self.atoms(std::slice::from_ref(expr), scope);
        let known = !atoms.is_empty() || matches!(expr.kind, ast::ExprKind::List(_));
        for atom in atoms {
            match atom.kind {
                AtomKind::Call(name) => out.push(Call { name, group: None }),
                AtomKind::Group(group) => {
                    let members = syscalls::group(group).unwrap_or_default();
                    if !spend(members.len(), atom.span, self.sink, &mut self.budget) {
                        return false;
                    }
                    out.extend(members.iter().map(|name| Call { name, group: Some(group) }));
                }
                _ => self.wrong_kind(&atom, expr.span, "a system call"),
            }
        }
        known && self.sink.errors() == before
    }

    fn unknown_call(&mut self, name: &str, span: Span) {
        let help = if syscalls::groups().any(|g| g.0 == name) {
            format!("did you mean the group `@{name}`?")
        } else {
            match crate::suggest::nearest_of_many(name, syscalls::names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "system calls are named as in syscalls(2)".into(),
            }
        };
        let message = format!("unknown system call `{}`", crate::parse::shorten(name));
        self.fail(codes::UNKNOWN_CALL, span, message, "on no architecture", help);
    }

    /// Narrows a rule to the architectures of the `when` around it; false where none is left.
    pub(super) fn narrow_arches(&mut self, rule: &mut SyscallRule, step: &Step<'_>) -> bool {
        let Some(when) = &step.arches else { return true };
        let narrowed: Vec<Arch> = match rule.arches.take() {
            Some(named) => named.into_iter().filter(|a| when.contains(a)).collect(),
            None => when.to_vec(),
        };
        let left = !narrowed.is_empty();
        rule.arches = Some(narrowed);
        left
    }

    /// Notes calls that the author named and that a requested architecture lacks. Groups hold what each architecture has.
    pub(super) fn missing_calls(&mut self, rule: &SyscallRule, written: &ast::Rule, step: &Step<'_>) {
        if !step.included.is_empty() {
            return;
        }
        let requested = &self.world.options.arches;
        let arches = rule.arches.as_ref().unwrap_or(requested);
        let named: Vec<&str> = rule.calls.iter().filter(|c| c.group.is_none()).map(|c| c.name).collect();
        let ast::Body::Syscall(body) = &written.body else { return };
        for arch in arches.iter().filter(|a| requested.contains(a)) {
            let missing: Vec<&str> =
                named.iter().copied().filter(|name| syscalls::number(*arch, name).is_none()).collect();
            let Some(first) = missing.first() else { continue };
            let at = body
                .calls
                .iter()
                .find(|c| self.text(c.span) == *first)
                .map_or(step.statement.span, |c| c.span);
            let verb = if missing.len() == 1 { "is" } else { "are" };
            let message = format!("`{}` {verb} not known on {}", missing.join("`, `"), arch.word());
            self.sink.push(
                Diagnostic::new(codes::CALL_MISSING, message)
                    .label(at, "the rule says nothing there")
                    .help("nothing to do; `on ARCH` would say that it is meant so"),
            );
        }
    }
}

/// The calls without those taken out, in the order of their names, each once. One that is named and in a group is named.
fn left(mut calls: Vec<Call>, except: &[Call]) -> Vec<Call> {
    calls.sort_by_key(|c| c.group.is_some());
    let mut seen: HashSet<&str> = except.iter().map(|c| c.name).collect();
    calls.retain(|c| seen.insert(c.name));
    calls.sort_by_key(|c| c.name);
    calls
}

fn size(condition: &Condition) -> usize {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => parts.iter().map(size).sum(),
        Condition::Not(inner) => size(inner),
        Condition::Test(_) | Condition::Arch(_) => 1,
    }
}
