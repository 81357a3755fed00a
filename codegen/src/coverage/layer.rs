//! One layer as coverage sees it: what it permits near a place, and which kinds of request it can tell apart.

use crate::verdict::{Outcome, Verdict};
use canc_dsl::meaning::{Kind, Region, RequestSet};
use canc_dsl::policy::{RuleId, Target};
use canc_sets::path::TooLarge;

/// Something on a host that refuses requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LayerName {
    /// A back end.
    Target(Target),
    /// Capability sets and `no_new_privs`, which every launch has.
    Runtime,
}

impl LayerName {
    /// The word for it in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Target(target) => target.word(),
            Self::Runtime => "runtime",
        }
    }
}

/// Who brought a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// The target grants it whatever the policy says.
    Base,
    /// A rule.
    Rule(RuleId),
}

/// A permission, or a refusal that beats permissions, and who brought it.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Who brought it.
    pub source: Source,
    /// The requests.
    pub region: Region,
    /// A literal path prefix (without trailing slash) below which all of them lie; `/` when unknown or not about paths.
    pub near: String,
    /// Equal for grants of one kind with equal regions, such as a label's name; `None` when it is not known.
    pub key: Option<String>,
}

/// What a layer does with one kind of request near a place.
#[derive(Debug, Clone)]
pub enum Permitted {
    /// It does not mediate the kind.
    Everything,
    /// It permits the grants without the denies, and refuses the rest.
    Only {
        /// Permissions.
        grants: Vec<Grant>,
        /// Refusals that beat them.
        denies: Vec<Grant>,
    },
    /// The same without refusals, from a layer that knows the union of its permissions as fewer boxes.
    Joined {
        /// Permissions.
        grants: Vec<Grant>,
        /// All of them together.
        whole: RequestSet,
    },
}

impl Permitted {
    /// Nothing is permitted.
    #[must_use]
    pub fn nothing() -> Self {
        Self::Only { grants: Vec::new(), denies: Vec::new() }
    }

    /// The permitted requests; `None` for everything.
    #[must_use]
    pub fn set(&self) -> Option<RequestSet> {
        match self {
            Self::Everything => None,
            Self::Only { grants, denies } => {
                let all = |list: &[Grant]| RequestSet::new(list.iter().map(|g| g.region.clone()).collect());
                Some(all(grants).minus(&all(denies)))
            }
            Self::Joined { whole, .. } => Some(whole.clone()),
        }
    }

    /// The permissions; none where the kind is not mediated.
    #[must_use]
    pub fn grants(&self) -> &[Grant] {
        match self {
            Self::Everything => &[],
            Self::Only { grants, .. } | Self::Joined { grants, .. } => grants,
        }
    }

    /// The refusals that beat permissions.
    #[must_use]
    pub fn denies(&self) -> &[Grant] {
        match self {
            Self::Only { denies, .. } => denies,
            Self::Everything | Self::Joined { .. } => &[],
        }
    }

    /// The grants that may hold more than the policy allows: those of `@base` and of rules that `widens` names.
    #[must_use]
    pub fn loose(&self, widens: impl Fn(RuleId) -> bool) -> Vec<Grant> {
        let loose = |g: &&Grant| match g.source {
            Source::Base => true,
            Source::Rule(rule) => widens(rule),
        };
        self.grants().iter().filter(loose).cloned().collect()
    }

    /// Whether only `@base` is permitted.
    #[must_use]
    pub fn refuses_all_but_base(&self) -> bool {
        match self {
            Self::Everything => false,
            Self::Only { grants, .. } | Self::Joined { grants, .. } => grants.iter().all(|g| g.source == Source::Base),
        }
    }
}

/// What a layer answers when asked for its permissions of a kind near a literal path prefix.
pub type Ask<'a> = dyn Fn(Kind, &str) -> Result<Permitted, TooLarge> + 'a;

/// One layer of one policy.
pub struct Layer<'a> {
    /// Which.
    pub name: LayerName,
    /// The verdicts by rule; empty for the runtime.
    pub outcomes: &'a [Outcome],
    /// Its permissions.
    pub permitted: Box<Ask<'a>>,
    /// Whether it can tell requests of a kind apart by the selector of their class (the table of classes in the reference).
    pub sees: Box<dyn Fn(Kind) -> bool + 'a>,
}

impl Layer<'_> {
    /// Whether the verdict on a rule says that the layer permits more than the rule.
    #[must_use]
    pub fn widens(&self, rule: RuleId) -> bool {
        self.outcomes.get(rule.0 as usize).is_some_and(|o| match &o.verdict {
            Verdict::Allow { widened, .. } => !widened.is_empty(),
            Verdict::BaseUnknown { .. } => true,
            _ => false,
        })
    }

    /// Whether the verdict on a rule says that the layer permits less than the rule.
    #[must_use]
    pub fn narrows(&self, rule: RuleId) -> bool {
        self.outcomes.get(rule.0 as usize).is_some_and(|o| match &o.verdict {
            Verdict::Allow { narrowed, .. } => !narrowed.is_empty(),
            Verdict::BaseUnknown { .. } => true,
            _ => false,
        })
    }
}
