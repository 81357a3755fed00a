//! What no filter can say, with the rules that ask for it.

use super::condition::Unfit;
use super::model::{Clauses, Unsayable};
use canc_dsl::codes;
use canc_dsl::diag::Diagnostic;
use canc_dsl::policy::{PolicyData, RuleId};
use canc_sets::syscalls::Arch;

/// Why a policy has no filter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LowerError {
    /// `clone3` is allowed by name where user namespaces are not.
    Clone3 {
        /// The rule.
        rule: RuleId,
    },
    /// A call is to fail with two errors where one of the rules' conditions meets the other's.
    TwoErrnos {
        /// The call.
        call: &'static str,
        /// One rule.
        first: RuleId,
        /// The other.
        second: RuleId,
    },
    /// A condition compares an argument that is no number to the kernel of some architecture.
    NoScalar {
        /// The call.
        call: &'static str,
        /// The argument, from 0.
        arg: u8,
        /// The rules.
        rules: Vec<RuleId>,
    },
    /// Conditions on a call multiply beyond all bounds.
    TooComplicated {
        /// The call, when it is known.
        call: Option<&'static str>,
        /// The rules on it.
        rules: Vec<RuleId>,
    },
    /// The filters together are longer than the kernel loads.
    TooLong {
        /// The architecture.
        arch: Arch,
        /// About how long they would be.
        instructions: usize,
        /// The rules that cost most, first the dearest.
        rules: Vec<RuleId>,
    },
}

/// At most this many rules are named.
pub(super) const MOST_NAMED: usize = 5;

impl LowerError {
    /// The error for a call's decision.
    #[must_use]
    pub(super) fn unsayable(clauses: &Clauses, call: usize, name: &'static str, error: Unsayable) -> Self {
        let mut rules: Vec<RuleId> = match &error.source {
            Some(source) => clauses.rules(source).to_vec(),
            None => clauses
                .by_call
                .get(call)
                .into_iter()
                .flatten()
                .flat_map(|c| clauses.rules(&c.source))
                .copied()
                .collect(),
        };
        rules.sort_unstable();
        rules.dedup();
        rules.truncate(MOST_NAMED);
        match error.why {
            Unfit::TooLarge => Self::TooComplicated { call: Some(name), rules },
            Unfit::NoScalar { arg } => Self::NoScalar { call: name, arg, rules },
        }
    }

    /// The rules that it is about.
    #[must_use]
    pub fn rules(&self) -> Vec<RuleId> {
        match self {
            Self::Clone3 { rule } => vec![*rule],
            Self::TwoErrnos { first, second, .. } => vec![*first, *second],
            Self::NoScalar { rules, .. }
            | Self::TooComplicated { rules, .. }
            | Self::TooLong { rules, .. } => rules.clone(),
        }
    }

    /// The message to the author of the policy.
    #[must_use]
    pub fn diagnostic(&self, policy: &PolicyData) -> Diagnostic {
        let (code, message, label, help) = match self {
            Self::Clone3 { .. } => (
                codes::CLONE3_ALONE,
                "`clone3` is allowed and user namespaces are not".to_owned(),
                "a filter cannot see its flags",
                "remove it, and threads are made by `clone`; or add `allow userns create`".to_owned(),
            ),
            Self::TwoErrnos { call, .. } => (
                codes::TWO_ERRNOS,
                format!("`{call}` fails with two different errors"),
                "here",
                "give both rules one error, or conditions that exclude each other".to_owned(),
            ),
            Self::NoScalar { call, arg, .. } => (
                codes::POINTER_ARGUMENT,
                format!("argument {arg} of `{call}` is no number on every architecture of the build"),
                "this condition",
                "restrict the rule to other architectures with `on`".to_owned(),
            ),
            Self::TooComplicated { call, .. } => (
                codes::FILTER_TOO_COMPLICATED,
                match call {
                    Some(call) => format!("the conditions on `{call}` are too complicated together"),
                    None => "the conditions of this policy are too complicated together".to_owned(),
                },
                "one of them",
                "use fewer rules, or fewer masks of one argument".to_owned(),
            ),
            Self::TooLong { arch, instructions, .. } => (
                codes::FILTER_TOO_LONG,
                format!(
                    "the filters for {} would have about {instructions} instructions, more than a kernel loads",
                    arch.word()
                ),
                "costs most",
                "compare with ranges or masks instead of many values".to_owned(),
            ),
        };
        let spans = self.rules().into_iter().filter_map(|r| policy.rule(r)).map(|r| r.span);
        spans.fold(Diagnostic::new(code, message), |d, span| d.label(span, label)).help(help)
    }
}
