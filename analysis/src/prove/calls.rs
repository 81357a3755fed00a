//! Claims about system calls, held against the filters of every architecture.

use super::{Finding, about_policy};
use canc_codegen::build::Subject;
use canc_codegen::seccomp::{Lowered, Permission};
use canc_dsl::policy::{DecidedBy, RuleId, SyscallItem, SyscallRule};
use canc_sets::syscalls::{self, Arch};

fn filters<'a>(subject: &Subject<'a>, index: usize) -> Result<&'a Lowered, Vec<Finding>> {
    let lowered = subject.lowered(index).and_then(|l| l.seccomp.as_ref());
    lowered.ok_or_else(|| vec![about_policy("the back end seccomp is off, and nothing else sees system calls".into())])
}

fn cases<'r>(rule: &'r SyscallRule, lowered: &'r Lowered) -> impl Iterator<Item = (Arch, &'r SyscallItem)> {
    let arches = lowered.filters.keys().copied().filter(|a| rule.arches.as_ref().is_none_or(|only| only.contains(a)));
    arches.flat_map(|arch| rule.calls.iter().map(move |call| (arch, call)))
}

/// Every call, with every argument that meets the condition, passes on every architecture that has it.
pub fn allows(subject: &Subject<'_>, index: usize, rule: &SyscallRule) -> Vec<Finding> {
    let lowered = match filters(subject, index) {
        Ok(lowered) => lowered,
        Err(findings) => return findings,
    };
    let mut out = Vec::new();
    for (arch, call) in cases(rule, lowered) {
        let how = match lowered.permission(arch, call.name, call.condition.as_ref()) {
            Permission::All | Permission::Absent => continue,
            Permission::Some => "refuses some of",
            Permission::None => "refuses",
        };
        out.push(about_policy(format!("the filter for {} {how} `{}`", arch.word(), call.name)));
    }
    out
}

/// No call with arguments that meet the condition passes on any architecture, and where a rule is named it is one of those that
/// refuse it.
pub fn denies(subject: &Subject<'_>, index: usize, rule: &SyscallRule, by: Option<&DecidedBy>) -> Vec<Finding> {
    let lowered = match filters(subject, index) {
        Ok(lowered) => lowered,
        Err(findings) => return findings,
    };
    let mut out = Vec::new();
    for (arch, call) in cases(rule, lowered) {
        if let Some(args) = lowered.permitted(arch, call.name, call.condition.as_ref()) {
            let args: Vec<String> = args.iter().map(|a| format!("{a:#x}")).collect();
            let message = format!("the filter for {} lets `{}({})` through", arch.word(), call.name, args.join(", "));
            out.push(about_policy(message));
        } else if let Some(by) = by
            && let Some(number) = syscalls::number(arch, call.name)
        {
            let rules = lowered.decide(arch, number, [0; 6]).map(|d| d.rules).unwrap_or_default();
            let named = |id: &RuleId| subject.evaluators.get(index).is_some_and(|e| super::is_rule(e, *id, by));
            if !rules.iter().any(named) {
                out.push(Finding {
                    deployment: None,
                    message: format!("on {} `{}` is not refused by that rule", arch.word(), call.name),
                    rules,
                });
            }
        }
    }
    out.dedup();
    out
}
