//! Sets of system calls to whether filters make all of them, some or none, with examples.

use super::Lowered;
use super::decisions::Decisions;
use super::model::Effect;
use super::verdicts::only_by_name;
use canc_dsl::policy::{Body, Rule, RuleId, SyscallRule};
use canc_sets::syscalls::{self, Arch};
use std::fmt;

/// What filters do with a set of calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// One that is made, a supervisor's consent included; `None` when all are refused.
    pub made: Option<Witness>,
    /// One that is refused; `None` when all are made.
    pub refused: Option<Witness>,
}

/// A system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Witness {
    /// The architecture.
    pub arch: Arch,
    /// The call.
    pub call: &'static str,
    /// Its registers there.
    pub args: [u64; 6],
    /// Whether what happens depends on them.
    pub depends: bool,
    /// Whether they were found. Where looking takes too long, the call counts as one with unknown arguments.
    pub found: bool,
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "syscall {}", self.call)?;
        let shown = self.args.iter().rposition(|a| *a != 0).map_or(1, |last| last + 1);
        if !self.found {
            write!(f, " with some arguments, for all that could be found out")?;
        } else if self.depends {
            let list: Vec<String> = self.args.iter().take(shown).map(|a| format!("{a:#x}")).collect();
            write!(f, "({})", list.join(", "))?;
        }
        Ok(())
    }
}

impl Lowered {
    /// What the filters do with the calls of a rule or a request, on its architectures as far as they are served.
    #[must_use]
    pub fn asked(&self, calls: &SyscallRule) -> Asked {
        self.look(&mut Decisions::new(&self.clauses), calls, |_| true)
    }

    /// The rules that deny a call.
    #[must_use]
    pub fn denying(&self, call: &str) -> Vec<RuleId> {
        let clauses = syscalls::index(call).and_then(|i| self.clauses.by_call.get(i)).into_iter().flatten();
        let denies = clauses.filter(|clause| matches!(clause.effect, Effect::Deny(_)));
        denies.flat_map(|clause| self.clauses.rules(&clause.source)).copied().collect()
    }

    /// A system call that a rule of another policy allows and these filters' rules do not; guards, which both have, apart.
    #[must_use]
    pub fn beyond(&self, rule: &Rule) -> Option<String> {
        let Body::Syscall(calls) = &rule.body else { return None };
        let meant = |group: bool, name: &str| !(group && only_by_name(name));
        let asked =
            self.look(&mut Decisions::unguarded(&self.clauses), calls, |i| meant(i.group.is_some(), i.name));
        asked.refused.map(|w| w.to_string())
    }

    fn look(
        &self,
        decisions: &mut Decisions<'_>,
        calls: &SyscallRule,
        counts: impl Fn(&canc_dsl::policy::SyscallItem) -> bool,
    ) -> Asked {
        let mut out = Asked { made: None, refused: None };
        let served = |a: &&Arch| calls.arches.as_ref().is_none_or(|list| list.contains(a));
        for arch in self.arches.iter().filter(served) {
            for item in calls.calls.iter().filter(|i| counts(i)) {
                let depends = syscalls::index(item.name)
                    .and_then(|i| self.clauses.plain(i, item.name, *arch))
                    .is_none();
                let mut example = |made| {
                    let args = decisions.example(*arch, item.name, item.condition.as_ref(), made);
                    let found = args.is_ok();
                    let args = args.unwrap_or(Some([0; 6]))?;
                    Some(Witness { arch: *arch, call: item.name, args, depends, found })
                };
                out.made = out.made.or_else(|| example(true));
                out.refused = out.refused.or_else(|| example(false));
            }
        }
        out
    }
}
