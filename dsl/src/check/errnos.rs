//! Two different error numbers for one system call: the kernel would choose by the order of rules, which policies do not have.

use super::Checker;
use crate::codes;
use crate::diag::Diagnostic;
use crate::policy::{Action, Body, Condition, Effect, PolicyData, Rule, SyscallItem, SyscallRule};
use canc_sets::syscalls::Arch;
use std::collections::HashMap;

/// The architectures of several rules together.
#[derive(Default)]
struct Arches {
    all: bool,
    some: Vec<Arch>,
}

impl Arches {
    fn add(&mut self, rule: &SyscallRule) {
        match &rule.arches {
            None => self.all = true,
            Some(arches) => self
                .some
                .extend(arches.iter().filter(|a| !self.some.contains(a)).copied().collect::<Vec<_>>()),
        }
    }

    fn meets(&self, rule: &SyscallRule) -> bool {
        match &rule.arches {
            None => self.all || !self.some.is_empty(),
            Some(arches) => self.all || arches.iter().any(|a| self.some.contains(a)),
        }
    }
}

/// The rules that answer one call with one error number.
#[derive(Default)]
struct Answer<'r> {
    rules: Vec<&'r Rule>,
    any: Arches,
    unconditional: Arches,
    by_condition: HashMap<&'r Condition, Arches>,
}

impl<'r> Answer<'r> {
    fn add(&mut self, rule: &'r Rule, calls: &'r SyscallRule, item: &'r SyscallItem) {
        self.rules.push(rule);
        self.any.add(calls);
        match &item.condition {
            None => self.unconditional.add(calls),
            Some(condition) => self.by_condition.entry(condition).or_default().add(calls),
        }
    }

    /// Whether a rule certainly meets one of these. Conditions that differ are compared exactly where filters are made.
    fn meets(&self, calls: &SyscallRule, item: &SyscallItem) -> bool {
        match &item.condition {
            None => self.any.meets(calls),
            Some(condition) => {
                self.unconditional.meets(calls)
                    || self.by_condition.get(condition).is_some_and(|a| a.meets(calls))
            }
        }
    }
}

impl Checker<'_, '_> {
    pub(super) fn errnos(&mut self, data: &PolicyData) {
        let mut answers: HashMap<&str, Vec<(u16, Answer<'_>)>> = HashMap::new();
        for rule in data.rules.iter().filter(|r| r.effect == Effect::Deny) {
            let Body::Syscall(calls) = &rule.body else { continue };
            let Some(Action::Errno(errno)) = calls.action else { continue };
            for item in &calls.calls {
                let known = answers.entry(item.name).or_default();
                if let Some((other, answer)) = known.iter().find(|a| a.0 != errno && a.1.meets(calls, item)) {
                    self.two_errnos(
                        item.name,
                        (errno, rule),
                        (*other, answer.rules.first().copied().unwrap_or(rule)),
                    );
                }
                match known.iter_mut().find(|a| a.0 == errno) {
                    Some((_, answer)) => answer.add(rule, calls, item),
                    None => {
                        let mut answer = Answer::default();
                        answer.add(rule, calls, item);
                        known.push((errno, answer));
                    }
                }
            }
        }
    }

    fn two_errnos(&mut self, call: &str, one: (u16, &Rule), other: (u16, &Rule)) {
        let name = |n: u16| crate::tables::errno_name(n).map_or_else(|| format!("errno({n})"), Into::into);
        self.sink.push(
            Diagnostic::new(codes::TWO_ERRNOS, format!("`{call}` fails with two different errors"))
                .label(one.1.span, name(one.0))
                .label(other.1.span, name(other.0))
                .help("give both rules one error, or conditions that exclude each other"),
        );
    }
}
