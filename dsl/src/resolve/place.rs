//! Where a statement stands, and whether it may stand there.

use super::values::Scope;
use super::when::{on_arch, on_target};
use crate::ast::{Body, Statement, StatementKind, WhenCondition};
use crate::codes;
use crate::diag::Diagnostic;
use crate::policy::IncludeSite;
use crate::sink::Sink;
use canc_sets::syscalls::Arch;
use std::rc::Rc;
use std::sync::Arc;

/// Where a statement stands.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) scope: Rc<Scope>,
    pub(super) included: Arc<[IncludeSite]>,
    pub(super) arches: Option<Rc<[Arch]>>,
    /// Inside a `when` on `arch`.
    pub(super) in_arch: bool,
    /// Inside a `when` on a target.
    pub(super) in_target: bool,
    pub(super) in_fragment: bool,
}

impl Place {
    /// At the top of a policy, a template or a fragment.
    pub(super) fn top(scope: Scope) -> Self {
        let included: Arc<[IncludeSite]> = Arc::from([]);
        Self {
            scope: Rc::new(scope),
            included,
            arches: None,
            in_arch: false,
            in_target: false,
            in_fragment: false,
        }
    }

    /// Inside a `when` with this condition.
    pub(super) fn inside(&self, condition: &WhenCondition) -> Self {
        Self {
            in_arch: self.in_arch || on_arch(condition),
            in_target: self.in_target || on_target(condition),
            ..self.clone()
        }
    }

    /// Whether a statement may stand where it stands; reports it if not.
    pub(super) fn allows(&self, statement: &Statement, sink: &mut Sink) -> bool {
        let (code, message, help) = match &statement.kind {
            StatementKind::Broken(_) => return true,
            StatementKind::Rule(rule) => {
                if self.in_arch && !matches!(rule.body, Body::Syscall(_)) {
                    let help = "move the rule out of the `when`: no other layer tells architectures apart";
                    (codes::ARCH_RULE, "only rules on system calls depend on `arch`".into(), help)
                } else if rule.deny && self.in_target {
                    let help = "move it out of the `when`: what is denied must not depend on a target";
                    (codes::DENY_IN_WHEN, "a `deny` stands in a `when` on a target".into(), help)
                } else if rule.deny && self.in_fragment && !rule.prefer {
                    let help = "write `@prefer deny …`: whoever includes it cannot take it back";
                    (codes::DENY_IN_FRAGMENT, "a `deny` in a fragment must be `@prefer`".into(), help)
                } else {
                    return true;
                }
            }
            kind if self.in_arch => {
                let message = format!("`{}` does not depend on `arch`", first_word(kind));
                (
                    codes::ARCH_RULE,
                    message,
                    "move it out of the `when`: only rules on system calls may stand there",
                )
            }
            kind if self.in_fragment && !in_fragments(kind) => {
                let message = format!("`{}` cannot stand in a fragment", first_word(kind));
                (codes::NOT_IN_FRAGMENT, message, "write it in each policy that includes the fragment")
            }
            _ => return true,
        };
        sink.push(Diagnostic::new(code, message).label(statement.span, "this statement").help(help));
        false
    }
}

/// Whether a fragment may hold a statement: rules, and what a program that needs those rules also needs at launch.
fn in_fragments(kind: &StatementKind) -> bool {
    matches!(
        kind,
        StatementKind::Rule(_)
            | StatementKind::EnvKeep(_)
            | StatementKind::EnvSet { .. }
            | StatementKind::KeepDescriptors(_)
            | StatementKind::KeepActivation
            | StatementKind::Include(_)
    )
}

/// The word that a statement starts with.
fn first_word(kind: &StatementKind) -> &str {
    match kind {
        StatementKind::Rule(rule) if rule.deny => "deny",
        StatementKind::Rule(_) => "allow",
        StatementKind::Exec(_) => "exec",
        StatementKind::Attach(_) => "attach",
        StatementKind::Launch(_) => "launch",
        StatementKind::Backend { .. } => "backend",
        StatementKind::Mode(_) => "mode",
        StatementKind::Include(_) => "include",
        StatementKind::Tolerate { .. } => "tolerate",
        StatementKind::When(_) => "when",
        StatementKind::Raw { .. } => "raw",
        StatementKind::Limit { .. } => "limit",
        StatementKind::Isolate(_) => "isolate",
        StatementKind::SeparateInstances => "separate",
        StatementKind::NoNewPrivsOff(_) => "no_new_privs",
        StatementKind::EnvKeep(_) | StatementKind::EnvSet { .. } | StatementKind::EnvClear => "env",
        StatementKind::KeepDescriptors(_) | StatementKind::KeepActivation => "keep",
        StatementKind::SyscallDefault(_) | StatementKind::SyscallInferOff => "syscall",
        StatementKind::Broken(word) => word,
    }
}
