//! What layers permit, kept so that a place or a rule is looked up and not searched for.

use super::layer::{Grant, LayerName, Permitted, Source, joined};
use canc_dsl::meaning::RequestSet;
use canc_dsl::policy::RuleId;
use canc_sets::path::Near;
use std::cell::OnceCell;
use std::collections::HashMap;

/// The grants of one kind through which anything that leaks must pass: those of the layer that has fewest of them.
pub(super) struct Loose {
    pub(super) layer: Option<LayerName>,
    pub(super) grants: Vec<Grant>,
    pub(super) places: Near,
}

impl Loose {
    pub(super) fn new(layer: Option<LayerName>, grants: Vec<Grant>) -> Self {
        let places = Near::of_prefixes(grants.iter().map(|g| g.near.as_str()));
        Self { layer, grants, places }
    }

    /// The grants that may have paths in common with what lies below a prefix.
    pub(super) fn near(&self, prefix: &str) -> impl Iterator<Item = &Grant> {
        let prefixes = |n: usize| self.grants.get(n).map(|g| g.near.clone()).into_iter().collect();
        self.places.around(prefix, &prefixes).into_iter().filter_map(|n| self.grants.get(n))
    }
}

/// What a layer permits and refuses of a kind, each box once.
pub(super) struct Boxes {
    pub(super) grants: Loose,
    pub(super) denies: Loose,
}

impl Boxes {
    /// What it permits of what lies near a prefix.
    pub(super) fn around(&self, prefix: &str) -> RequestSet {
        let near = |list: &Loose| RequestSet::new(list.near(prefix).map(|g| g.region.clone()).collect());
        near(&self.grants).minus(&joined(near(&self.denies)))
    }
}

/// What a layer permits of a kind near a place.
pub(super) struct Held {
    pub(super) permitted: Permitted,
    pub(super) set: OnceCell<Option<RequestSet>>,
    pub(super) by_rule: OnceCell<HashMap<RuleId, Vec<usize>>>,
}

impl Held {
    pub(super) fn set(&self) -> Option<&RequestSet> {
        self.set.get_or_init(|| self.permitted.set()).as_ref()
    }

    /// What a rule brings.
    pub(super) fn of_rule(&self, rule: RuleId) -> impl Iterator<Item = &Grant> {
        let grants = self.permitted.grants();
        let numbers = self.by_rule.get_or_init(|| by_rule(grants)).get(&rule);
        numbers.into_iter().flatten().filter_map(|n| grants.get(*n))
    }
}

/// Boxes that may hold any path.
pub(super) fn everywhere(set: RequestSet) -> Vec<Grant> {
    let grant = |region| Grant { source: Source::Base, region, near: "/".to_owned(), key: None };
    set.regions.into_iter().map(grant).collect()
}

fn by_rule(grants: &[Grant]) -> HashMap<RuleId, Vec<usize>> {
    let mut out: HashMap<RuleId, Vec<usize>> = HashMap::new();
    for (number, grant) in grants.iter().enumerate() {
        if let Source::Rule(rule) = grant.source {
            out.entry(rule).or_default().push(number);
        }
    }
    out
}
