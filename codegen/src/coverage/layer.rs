//! One layer as coverage sees it: what it permits near a place, and which kinds of request it can tell apart.

use crate::verdict::{Outcome, Verdict};
use canc_dsl::meaning::{Dim, Kind, Region, RequestSet};
use canc_dsl::policy::{RuleId, Target};
use canc_sets::path::{Lang, TooLarge};
use std::collections::HashSet;

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
            Self::Only { grants, denies } => Some(regions(grants).minus(&joined(regions(denies)))),
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
            Self::Only { grants, .. } | Self::Joined { grants, .. } => {
                grants.iter().all(|g| g.source == Source::Base)
            }
        }
    }
}

/// The grants of distinct boxes: a thousand rules that all bring every port are one.
pub(super) fn once(mut grants: Vec<Grant>) -> Vec<Grant> {
    let mut seen: HashSet<String> = HashSet::new();
    grants.retain(|g| grant_key(g).is_none_or(|key| seen.insert(key)));
    grants
}

/// The boxes of some grants, each once.
fn regions(grants: &[Grant]) -> RequestSet {
    let mut seen: HashSet<String> = HashSet::new();
    let new = |g: &&Grant| grant_key(g).is_none_or(|key| seen.insert(key));
    RequestSet::new(grants.iter().filter(new).map(|g| g.region.clone()).collect())
}

/// A text that is equal for grants of equal boxes and kinds; `None` where that is not known.
pub(super) fn grant_key(grant: &Grant) -> Option<String> {
    plain_key(&grant.region).or_else(|| grant.key.as_ref().map(|key| format!("={key}")))
}

/// The same of a box, by its selectors.
fn plain_key(region: &Region) -> Option<String> {
    let plain = |dim: &Dim| match dim {
        Dim::Bits(_) | Dim::Ports(_) | Dim::Addresses(_) => true,
        Dim::Paths(lang) | Dim::Names(lang) => matches!(lang, Lang::All),
    };
    region.dims.iter().all(plain).then(|| format!("{:?}", region.dims))
}

/// The same requests without boxes that are there twice.
pub(super) fn distinct(mut set: RequestSet) -> RequestSet {
    if set.regions.len() > 1 {
        let mut seen: HashSet<String> = HashSet::new();
        set.regions.retain(|r| plain_key(r).is_none_or(|key| seen.insert(key)));
    }
    set
}

/// The same requests in fewer boxes: those that differ in their paths alone are one. Taking many paths away at once is one step.
pub(super) fn joined(set: RequestSet) -> RequestSet {
    let mut out: Vec<Region> = Vec::new();
    let mut paths: Vec<(Kind, u128, Vec<Lang>)> = Vec::new();
    for region in set.regions {
        let kind = region.kind;
        match <[Dim; 2]>::try_from(region.dims) {
            Ok([Dim::Bits(who), Dim::Paths(lang)]) => {
                match paths.iter_mut().find(|(k, w, _)| (*k, *w) == (kind, who)) {
                    Some((_, _, langs)) => langs.push(lang),
                    None => paths.push((kind, who, vec![lang])),
                }
            }
            Ok(dims) => out.push(Region { kind, dims: dims.into() }),
            Err(dims) => out.push(Region { kind, dims }),
        }
    }
    let join = |(kind, who, langs): (Kind, u128, Vec<Lang>)| {
        let lang = if langs.len() == 1 { langs.into_iter().next() } else { Some(Lang::Any(langs)) };
        Region { kind, dims: vec![Dim::Bits(who), Dim::Paths(lang.unwrap_or(Lang::Empty))] }
    };
    out.extend(paths.into_iter().map(join));
    RequestSet::new(out)
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
