//! One rule on one deployment to `enforced`, `leaks` or `blocks`, each with a witness.

use super::layer::{Grant, Layer, LayerName, Permitted, Source};
use canc_bundle::DeploymentEntry;
use canc_dsl::meaning::{Evaluator, Kind, Region, RequestSet, allow_regions, body_regions};
use canc_dsl::policy::{Body, Class, Effect, FileOp, FileRule, Rule};
use canc_sets::path::TooLarge;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// What a rule comes to under some layers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleResult {
    /// A request that gets through though the policy does not allow it.
    pub leak: Option<String>,
    /// A request that the policy allows and an active layer refuses, and that layer.
    pub block: Option<(String, &'static str)>,
}

impl RuleResult {
    /// The form of the manifest.
    #[must_use]
    pub fn entry(&self) -> DeploymentEntry {
        let result = match (&self.leak, &self.block) {
            (None, None) => "enforced",
            (Some(_), None) => "leaks",
            (None, Some(_)) => "blocks",
            (Some(_), Some(_)) => "leaks, blocks",
        };
        DeploymentEntry {
            result: result.into(),
            leak: self.leak.clone(),
            block: self.block.as_ref().map(|(request, layer)| format!("{request} ({layer})")),
        }
    }

    /// What two starters together come to: the worse of both.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self { leak: self.leak.or(other.leak), block: self.block.or(other.block) }
    }
}

/// Judges the rules of one policy under some layers, all of them active.
pub struct Judge<'a, 'l> {
    evaluator: &'a Evaluator<'a>,
    layers: Vec<&'a Layer<'l>>,
    loosest: RefCell<HashMap<Kind, Rc<Loose>>>,
    known: RefCell<HashMap<(Kind, LayerName, String), Option<String>>>,
}

/// The grants of one kind through which anything that leaks must pass: those of the layer that has fewest of them.
struct Loose {
    layer: Option<LayerName>,
    grants: Vec<Grant>,
}

impl<'a, 'l> Judge<'a, 'l> {
    /// For these layers.
    #[must_use]
    pub fn new(evaluator: &'a Evaluator<'a>, layers: Vec<&'a Layer<'l>>) -> Self {
        Self { evaluator, layers, loosest: RefCell::default(), known: RefCell::default() }
    }

    /// What a rule comes to.
    ///
    /// # Errors
    /// When a pattern's automaton is too large.
    pub fn rule(&self, rule: &Rule) -> Result<RuleResult, TooLarge> {
        match rule.effect {
            Effect::Deny => Ok(RuleResult { leak: self.gets_through(rule)?, block: None }),
            Effect::Allow => Ok(RuleResult { leak: self.leak(rule)?, block: self.block(rule)? }),
        }
    }

    /// A request that a deny matches and no layer refuses.
    ///
    /// # Errors
    /// When a pattern's automaton is too large.
    pub fn gets_through(&self, rule: &Rule) -> Result<Option<String>, TooLarge> {
        for (prefix, regions) in self.regions_by_place(rule)? {
            for region in regions.iter() {
                let left = self.permitted_of(RequestSet::new(vec![region.clone()]), &prefix)?;
                if let Some(witness) = left.witness()? {
                    return Ok(Some(witness));
                }
            }
        }
        Ok(None)
    }

    /// The requests of a rule near each of its places: what a layer permits near one place says nothing of another.
    fn regions_by_place(&self, rule: &Rule) -> Result<Vec<(String, Rc<Vec<Region>>)>, TooLarge> {
        let places = places(rule);
        let (Body::File(file), true) = (&rule.body, places.len() > 1) else {
            let regions = self.evaluator.rule_regions(rule)?;
            return Ok(places.into_iter().map(|place| (place, Rc::clone(&regions))).collect());
        };
        let at = |place: String| {
            let here = file.paths.iter().filter(|p| p.pattern.literal_prefix() == place).cloned();
            let body = Body::File(FileRule { paths: here.collect(), ..file.clone() });
            let peers = self.evaluator.peers();
            let regions = match rule.effect {
                Effect::Allow => allow_regions(&body, peers)?,
                Effect::Deny => body_regions(&body, peers)?,
            };
            Ok((place, Rc::new(regions)))
        };
        places.into_iter().map(at).collect()
    }

    /// What every layer permits of `asked`, whose paths lie below `prefix`.
    fn permitted_of(&self, asked: RequestSet, prefix: &str) -> Result<RequestSet, TooLarge> {
        let Some(kind) = asked.regions.first().map(|r| r.kind) else { return Ok(asked) };
        let mut left = asked;
        for layer in &self.layers {
            if let Some(permitted) = (layer.permitted)(kind, prefix)?.set() {
                left = left.intersect(&permitted);
            }
        }
        Ok(left)
    }

    /// A request that the rule and the policy as a whole allow and a layer refuses.
    fn block(&self, rule: &Rule) -> Result<Option<(String, &'static str)>, TooLarge> {
        for (prefix, regions) in self.regions_by_place(rule)? {
            for region in regions.iter() {
                for layer in &self.layers {
                    if let Some(witness) = self.blocked_by(layer, rule, region, &prefix)? {
                        return Ok(Some((witness, layer.name.word())));
                    }
                }
            }
        }
        Ok(None)
    }

    fn blocked_by(
        &self,
        layer: &Layer<'_>,
        rule: &Rule,
        region: &Region,
        prefix: &str,
    ) -> Result<Option<String>, TooLarge> {
        let permitted = (layer.permitted)(region.kind, prefix)?;
        let Permitted::Only { denies, .. } = &permitted else { return Ok(None) };
        let overruled = denies.iter().any(|d| d.region.intersect(region).is_some());
        if !layer.narrows(rule.id) && !overruled {
            return Ok(None);
        }
        let wanted =
            RequestSet::new(vec![region.clone()]).intersect(&self.evaluator.allowed(region.kind, prefix)?);
        wanted.minus(&permitted.set().unwrap_or_default()).witness()
    }

    /// A request that the rule's lowering adds in some layer, the policy does not allow, and every layer permits.
    fn leak(&self, rule: &Rule) -> Result<Option<String>, TooLarge> {
        let regions = self.evaluator.rule_regions(rule)?;
        for layer in self.layers.iter().filter(|l| l.widens(rule.id)) {
            for kind in kinds_near(rule, &regions) {
                if let Some(witness) = self.leak_through(layer, rule, kind)? {
                    return Ok(Some(witness));
                }
            }
        }
        Ok(None)
    }

    fn leak_through(&self, layer: &Layer<'_>, rule: &Rule, kind: Kind) -> Result<Option<String>, TooLarge> {
        let loosest = self.loosest(kind)?;
        if loosest.grants.is_empty() {
            return Ok(None);
        }
        for prefix in places(rule) {
            let Permitted::Only { grants, .. } = (layer.permitted)(kind, &prefix)? else { continue };
            for grant in grants.iter().filter(|g| g.source == Source::Rule(rule.id)) {
                let key = grant.key.clone().map(|key| (kind, layer.name, key));
                let known = key.as_ref().and_then(|k| self.known.borrow().get(k).cloned());
                let witness = match known {
                    Some(known) => known,
                    None => self.leak_of(grant, layer, &loosest)?,
                };
                if let Some(key) = key {
                    self.known.borrow_mut().insert(key, witness.clone());
                }
                if witness.is_some() {
                    return Ok(witness);
                }
            }
        }
        Ok(None)
    }

    fn leak_of(&self, grant: &Grant, layer: &Layer<'_>, loosest: &Loose) -> Result<Option<String>, TooLarge> {
        let own = RequestSet::new(vec![grant.region.clone()]);
        let through: Vec<(RequestSet, &str)> = if loosest.layer == Some(layer.name) {
            vec![(own, grant.near.as_str())]
        } else {
            let meets = |g: &&Grant| near(&g.near, &grant.near);
            let both = |g: &'_ Grant| own.intersect(&RequestSet::new(vec![g.region.clone()]));
            loosest.grants.iter().filter(meets).map(|g| (both(g), longer(&g.near, &grant.near))).collect()
        };
        for (asked, prefix) in through {
            let Some(kind) = asked.regions.first().map(|r| r.kind) else { continue };
            let left = self.permitted_of(asked, prefix)?.minus(&self.evaluator.allowed(kind, prefix)?);
            if let Some(witness) = left.witness()? {
                return Ok(Some(witness));
            }
        }
        Ok(None)
    }

    /// Every leak is permitted by every layer, and a layer permits what the policy does not allow by `@base` and by widened
    /// rules only. So it is enough to look through the layer that has fewest of those.
    fn loosest(&self, kind: Kind) -> Result<Rc<Loose>, TooLarge> {
        if let Some(known) = self.loosest.borrow().get(&kind) {
            return Ok(Rc::clone(known));
        }
        let mut best: Option<Loose> = None;
        for layer in &self.layers {
            let permitted = (layer.permitted)(kind, "/")?;
            if matches!(permitted, Permitted::Everything) {
                continue;
            }
            let grants = permitted.loose(|rule| layer.widens(rule));
            if best.as_ref().is_none_or(|b| grants.len() < b.grants.len()) {
                best = Some(Loose { layer: Some(layer.name), grants });
            }
        }
        let best = Rc::new(best.unwrap_or(Loose { layer: None, grants: Vec::new() }));
        self.loosest.borrow_mut().insert(kind, Rc::clone(&best));
        Ok(best)
    }
}

/// The literal prefixes near which a rule's requests lie.
fn places(rule: &Rule) -> BTreeSet<String> {
    match &rule.body {
        Body::File(file) => file.paths.iter().map(|p| p.pattern.literal_prefix()).collect(),
        _ => BTreeSet::from(["/".into()]),
    }
}

/// The kinds of which a widened rule may bring more: its own, and for files those that targets join with them.
/// Attributes are reported in verdicts and are no reason for a leak.
fn kinds_near(rule: &Rule, regions: &[Region]) -> BTreeSet<Kind> {
    let mut kinds: BTreeSet<Kind> = regions.iter().map(|r| r.kind).collect();
    if let Body::File(_) = &rule.body {
        kinds.extend(FileOp::ALL.iter().map(|op| Kind::File(*op)));
    }
    kinds.retain(|k| k.class() != Class::FileAttributes);
    kinds
}

/// Whether two prefixes may have paths in common.
fn near(a: &str, b: &str) -> bool {
    let below =
        |a: &str, b: &str| b == "/" || a == b || a.strip_prefix(b).is_some_and(|rest| rest.starts_with('/'));
    below(a, b) || below(b, a)
}

fn longer<'s>(a: &'s str, b: &'s str) -> &'s str {
    if a.len() >= b.len() { a } else { b }
}
