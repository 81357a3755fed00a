//! Claims about system calls, held against the filters of every architecture.

use super::{Finding, about_policy};
use canc_codegen::build::Subject;
use canc_codegen::seccomp::Lowered;
use canc_dsl::policy::{DecidedBy, RuleId, SyscallRule};
use canc_sets::syscalls;

fn filters<'a>(subject: &Subject<'a>, index: usize) -> Result<&'a Lowered, Vec<Finding>> {
    let lowered = subject.lowered(index).and_then(|l| l.seccomp.as_ref());
    lowered.ok_or_else(|| {
        vec![about_policy("the back end seccomp is off, and nothing else sees system calls".into())]
    })
}

/// Every call, with every argument that meets the condition, is made on every architecture that has it.
pub fn allows(subject: &Subject<'_>, index: usize, rule: &SyscallRule) -> Vec<Finding> {
    match filters(subject, index) {
        Err(findings) => findings,
        Ok(lowered) => {
            let refused = lowered.asked(rule).refused;
            refused
                .map(|w| about_policy(format!("the filter for {} refuses {w}", w.arch.word())))
                .into_iter()
                .collect()
        }
    }
}

/// No call with arguments that meet the condition is made on any architecture, and where a rule is named it is among those that
/// refuse it.
pub fn denies(
    subject: &Subject<'_>,
    index: usize,
    rule: &SyscallRule,
    by: Option<&DecidedBy>,
) -> Vec<Finding> {
    let lowered = match filters(subject, index) {
        Ok(lowered) => lowered,
        Err(findings) => return findings,
    };
    if let Some(w) = lowered.asked(rule).made {
        return vec![about_policy(format!("the filter for {} lets {w} through", w.arch.word()))];
    }
    by.map(|by| named(subject, index, lowered, rule, by)).unwrap_or_default()
}

fn named(
    subject: &Subject<'_>,
    index: usize,
    lowered: &Lowered,
    rule: &SyscallRule,
    by: &DecidedBy,
) -> Vec<Finding> {
    let Some(evaluator) = subject.evaluators.get(index) else { return Vec::new() };
    let mut out = Vec::new();
    for (arch, call) in
        lowered.filters.keys().flat_map(|arch| rule.calls.iter().map(move |call| (*arch, call)))
    {
        let Some(number) = syscalls::number(arch, call.name) else { continue };
        let rules: Vec<RuleId> = lowered.decide(arch, number, [0; 6]).map(|d| d.rules).unwrap_or_default();
        if !rules.iter().any(|id| super::is_rule(evaluator, *id, by)) {
            let message = format!("on {} another rule, or none, refuses `{}`", arch.word(), call.name);
            out.push(Finding { deployment: None, message, rules });
        }
    }
    out
}
