//! One system call to what the emitted filters do with it, and which rules are behind that.

use super::Lowered;
use super::condition::holds;
use super::encode::{action, rank, return_value};
use super::model::{Clause, Effect, Source, X32_BIT};
use super::sim::Data;
use canc_dsl::policy::{Action, RuleId};
use canc_sets::syscalls::{self, Arch};

/// What filters do with a call, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The action of the emitted programs.
    pub action: Action,
    /// Why.
    pub why: Why,
    /// The rules behind it, in order; empty where no rule is.
    pub rules: Vec<RuleId>,
}

/// Why filters do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Rules say so.
    Rules,
    /// Every filter permits it.
    Base,
    /// Rules allow the call, but none with these arguments.
    Unmatched,
    /// It makes or enters a namespace that no rule allows.
    Namespace,
    /// It opens a connection where no layer looks at the port.
    FastOpen,
    /// No rule mentions the call.
    Unmentioned,
    /// The architecture has no call with this number.
    UnknownNumber,
    /// The number belongs to no architecture that the filters serve.
    Foreign,
}

impl Lowered {
    /// What the filters of an architecture do with a call; `None` when the build has none for it.
    #[must_use]
    pub fn decide(&self, arch: Arch, nr: u32, args: [u64; 6]) -> Option<Decided> {
        let filters = self.filters.get(&arch.host())?;
        let data = Data { arch: arch.audit_value(), nr, args };
        let answers = filters.iter().map(|f| f.answer(&data).map(action));
        let action = answers.collect::<Option<Vec<Action>>>()?.into_iter().min_by_key(|a| (rank(*a), *a))?;
        let (why, rules) = self.why(arch, nr, &args, action);
        Some(Decided { action, why, rules })
    }

    /// The reason, from what the rules say about the call.
    fn why(&self, arch: Arch, nr: u32, args: &[u64; 6], action: Action) -> (Why, Vec<RuleId>) {
        let here =
            |a: &&Arch| a.audit_value() == arch.audit_value() && (nr & X32_BIT != 0) == (**a == Arch::X32);
        let Some(arch) = self.arches.iter().find(here).filter(|_| nr < 2 * X32_BIT) else {
            return (Why::Foreign, Vec::new());
        };
        let Some(name) = syscalls::name(*arch, nr) else { return (Why::UnknownNumber, Vec::new()) };
        let Some(call) = syscalls::index(name) else { return (Why::UnknownNumber, Vec::new()) };
        let conditions = &self.clauses.conditions;
        let matches = |c: &&Clause| match c.condition.and_then(|i| conditions.get(i)) {
            None => true,
            Some(condition) => holds(condition, *arch, name, args).unwrap_or(false),
        };
        let answer = return_value(action);
        let agrees = |c: &&Clause| self.clauses.answer(self.clauses.action(c.effect, name)) == answer;
        // Guards refuse only what something allows.
        let allowed = self.clauses.about(call, *arch).filter(matches).any(|c| strength(c.effect) == ALLOWS);
        let counts = |c: &&Clause| allowed || !matches!(c.effect, Effect::Guard(_));
        let matching: Vec<&Clause> =
            self.clauses.about(call, *arch).filter(matches).filter(agrees).filter(counts).collect();
        let strongest = matching.iter().map(|c| strength(c.effect)).min();
        let decisive = matching.into_iter().filter(|c| Some(strength(c.effect)) == strongest);
        let mentioned =
            self.clauses.about(call, *arch).any(|c| strength(c.effect) == ALLOWS && c.source != Source::Base);
        self.reason(decisive.copied().collect(), mentioned)
    }

    fn reason(&self, decisive: Vec<Clause>, mentioned: bool) -> (Why, Vec<RuleId>) {
        let mut rules: Vec<RuleId> = decisive.iter().flat_map(|c| self.rules(&c.source)).collect();
        rules.sort_unstable();
        rules.dedup();
        let why = match decisive.first() {
            None if mentioned => Why::Unmatched,
            None => Why::Unmentioned,
            Some(clause) => match clause.source {
                Source::NamespaceGuard => Why::Namespace,
                Source::FastOpenGuard => Why::FastOpen,
                _ if rules.is_empty() => Why::Base,
                _ => Why::Rules,
            },
        };
        (why, rules)
    }
}

/// The strength of clauses that allow.
const ALLOWS: u8 = 3;

/// The order in which clauses beat each other.
fn strength(effect: Effect) -> u8 {
    match effect {
        Effect::Launch => 0,
        Effect::Deny(_) => 1,
        Effect::Guard(_) => 2,
        Effect::Log | Effect::Allow => ALLOWS,
    }
}
