//! The statements of one policy, in order, to its data.

use super::Checker;
use crate::ast::StatementKind;
use crate::codes;
use crate::diag::Diagnostic;
use crate::policy::{Body, Effect, Environment, Launcher, PolicyData, Rule, RuleId};
use crate::resolve::{Plan, Step};
use crate::source::Span;
use canc_sets::path::Pattern;
use std::collections::HashMap;
use std::sync::Arc;

/// A policy that is being made.
pub(crate) struct Making {
    pub(super) data: PolicyData,
    /// Launchers with the place that names each.
    pub(super) launch: Vec<(Launcher, Span)>,
    /// Statements that may stand once, and where they stood.
    pub(super) once: Vec<(&'static str, Span)>,
    /// Something in it was not understood, so nothing can be said of what it lacks.
    pub(super) broken: bool,
}

impl Making {
    pub(super) fn new() -> Self {
        let data = PolicyData { syscall_infer: true, env: Environment::default(), ..PolicyData::default() };
        Self { data, launch: Vec::new(), once: Vec::new(), broken: false }
    }
}

impl Checker<'_, '_> {
    pub(super) fn policy(&mut self, plan: &Plan<'_>) -> Making {
        let mut making = Making::new();
        making.data.name = Arc::clone(&plan.name.text);
        making.data.span = plan.name.span;
        making.data.rules.reserve(plan.steps.len());
        let before = self.sink.errors();
        self.steps(&plan.steps, &mut making);
        making.broken = plan.broken || self.sink.errors() > before;
        self.complete(&mut making);
        making
    }

    /// Looks for mistakes in statements that no policy has.
    pub(super) fn look_at(&mut self, steps: &[Step<'_>]) {
        for step in steps {
            // Each by itself: what branches and fragments hold together is known only where they are used.
            self.steps(std::slice::from_ref(step), &mut Making::new());
        }
    }

    fn steps(&mut self, steps: &[Step<'_>], making: &mut Making) {
        let mut ids: HashMap<Arc<str>, Span> = HashMap::new();
        for step in steps {
            if self.sink.is_full() {
                return;
            }
            let StatementKind::Rule(rule) = &step.statement.kind else {
                self.statement(step, making);
                continue;
            };
            if let Some(id) = &rule.id
                && let Some(before) = ids.insert(Arc::clone(&id.text), id.span)
                // A fragment that is included with several values brings one rule several times.
                && before != id.span
            {
                self.sink.push(
                    Diagnostic::new(codes::DUPLICATE, format!("two rules have the id `{}`", id.text))
                        .label(id.span, "the second one")
                        .label(before, "the first one")
                        .help("give one of them another id"),
                );
            }
            if let Some(mut checked) = self.rule(step, rule) {
                checked.id = RuleId(u32::try_from(making.data.rules.len()).unwrap_or(u32::MAX));
                making.data.rules.push(checked);
            }
        }
    }

    /// What a policy needs as a whole, and the language's defaults.
    fn complete(&mut self, making: &mut Making) {
        let data = &mut making.data;
        data.launch = making.launch.iter().map(|l| l.0.clone()).collect();
        if data.launch.is_empty() {
            data.launch.push(Launcher::User);
        }
        if data.launch.contains(&Launcher::Systemd) {
            data.keep_activation = true;
        }
        if data.exec.is_empty() && !making.broken {
            let message = format!("the policy `{}` does not say what it is for", data.name);
            self.sink.push(
                Diagnostic::new(codes::NO_EXEC, message)
                    .label(data.span, "no `exec`")
                    .help("name its programs: `exec \"/usr/bin/…\";`"),
            );
        }
        self.errnos(data);
        self.clone3(data);
        self.label_twice(data);
    }

    /// `clone3` takes its flags from memory, so whoever may call it may make any namespace.
    fn clone3(&mut self, data: &PolicyData) {
        let allowed = |r: &&Rule| r.effect == Effect::Allow;
        if data.rules.iter().filter(allowed).any(|r| matches!(r.body, Body::UsernsCreate)) {
            return;
        }
        for rule in data.rules.iter().filter(allowed) {
            let Body::Syscall(calls) = &rule.body else { continue };
            if calls.calls.iter().any(|c| c.name == "clone3" && c.group.is_none()) {
                let message = "`clone3` is allowed by name, and user namespaces are not";
                let help =
                    "leave `clone3` out: C libraries fall back on `clone`; or write `allow userns create;`";
                self.fail(codes::CLONE3_ALONE, rule.span, message, "its flags cannot be seen", help);
            }
        }
    }

    /// One pattern under two labels of one policy: a file has one label.
    fn label_twice(&mut self, data: &PolicyData) {
        let labelled = data.rules.iter().filter_map(|r| match &r.body {
            Body::File(file) => file.label.as_ref().map(|l| (file, &l.name)),
            _ => None,
        });
        let Some((_, only)) = labelled.clone().next() else { return };
        if labelled.clone().all(|(_, name)| name == only) {
            return;
        }
        let mut seen: HashMap<&Pattern, (&Arc<str>, Span)> = HashMap::new();
        for (path, label) in labelled.flat_map(|(file, label)| file.paths.iter().map(move |p| (p, label))) {
            let (other, before) = *seen.entry(&path.pattern).or_insert((label, path.span));
            if other != label {
                let message = format!("`{}` has two labels, `{other}` and `{label}`", path.pattern);
                self.sink.push(
                    Diagnostic::new(codes::TWO_LABELS, message)
                        .label(path.span, format!("`{label}` here"))
                        .label(before, format!("`{other}` here"))
                        .help("use one label for both rules"),
                );
            }
        }
    }
}
