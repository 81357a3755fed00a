//! One rule on one deployment to `enforced`, `leaks` or `blocks`, each with a witness.

use super::held::{Boxes, Held, Loose, everywhere};
use super::layer::{Grant, Layer, LayerName, Permitted, distinct, grant_key, joined, once};
use canc_bundle::DeploymentEntry;
use canc_dsl::meaning::{Evaluator, Kind, Peers, Region, RequestSet, allow_regions, body_regions};
use canc_dsl::policy::{Body, Class, Effect, FileOp, FileRule, Rule};
use canc_sets::path::TooLarge;
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
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
    held: RefCell<HashMap<(LayerName, Kind), Rc<Held>>>,
    everywhere: RefCell<OfKind>,
    refusing: RefCell<HashMap<(LayerName, Kind), bool>>,
    boxes: RefCell<Option<(Kind, Rc<Vec<Boxes>>)>>,
}

/// What layers permit of one kind, wherever it is.
type OfKind = (Option<Kind>, HashMap<LayerName, Rc<Held>>);

/// A literal prefix, and the boxes near it.
type Place = (String, Rc<Vec<Region>>);

impl<'a, 'l> Judge<'a, 'l> {
    /// For these layers.
    #[must_use]
    pub fn new(evaluator: &'a Evaluator<'a>, layers: Vec<&'a Layer<'l>>) -> Self {
        Self {
            evaluator,
            layers,
            loosest: RefCell::default(),
            known: RefCell::default(),
            held: RefCell::default(),
            everywhere: RefCell::default(),
            refusing: RefCell::default(),
            boxes: RefCell::default(),
        }
    }

    /// What a layer permits; where places do not matter, it is asked once.
    fn held(&self, layer: &Layer<'_>, kind: Kind, prefix: &str) -> Result<Rc<Held>, TooLarge> {
        let ask = || {
            let permitted = (layer.permitted)(kind, prefix)?;
            Ok(Rc::new(Held { permitted, set: OnceCell::new(), by_rule: OnceCell::new() }))
        };
        if matches!(kind, Kind::File(_)) {
            if prefix != "/" {
                return ask();
            }
            // Much memory: only the kind that is being asked about is kept.
            let mut kept = self.everywhere.borrow_mut();
            if kept.0 != Some(kind) {
                *kept = (Some(kind), HashMap::new());
            }
            if let Some(known) = kept.1.get(&layer.name) {
                return Ok(Rc::clone(known));
            }
            let made = ask()?;
            kept.1.insert(layer.name, Rc::clone(&made));
            return Ok(made);
        }
        let key = (layer.name, kind);
        if let Some(known) = self.held.borrow().get(&key) {
            return Ok(Rc::clone(known));
        }
        let made = ask()?;
        self.held.borrow_mut().insert(key, Rc::clone(&made));
        Ok(made)
    }

    /// What rules come to, in their order.
    ///
    /// # Errors
    /// When a pattern's automaton is too large.
    pub fn rules(&self, rules: &[Rule]) -> Result<Vec<RuleResult>, TooLarge> {
        let mut out = Vec::with_capacity(rules.len());
        for rule in rules {
            out.push(match rule.effect {
                Effect::Deny => RuleResult { leak: self.gets_through(rule)?, block: None },
                Effect::Allow => RuleResult { leak: None, block: self.block(rule)? },
            });
        }
        for layer in &self.layers {
            self.leaks(layer, rules, &mut out)?;
        }
        Ok(out)
    }

    /// A request that a deny matches and no layer refuses.
    ///
    /// # Errors
    /// When a pattern's automaton is too large.
    pub fn gets_through(&self, rule: &Rule) -> Result<Option<String>, TooLarge> {
        for (prefix, regions) in self.regions_by_place(rule)? {
            for region in regions.iter() {
                let left = self.permitted_of(RequestSet::new(vec![region.clone()]), &prefix)?;
                if let Some(witness) = left.witness(self.evaluator.peers())? {
                    return Ok(Some(witness));
                }
            }
        }
        Ok(None)
    }

    /// The requests of a rule near each of its places: what a layer permits near one place says nothing of another.
    fn regions_by_place(&self, rule: &Rule) -> Result<Vec<Place>, TooLarge> {
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
            if let Some(permitted) = self.held(layer, kind, prefix)?.set() {
                left = distinct(left.intersect(permitted));
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
        if !layer.narrows(rule.id) && !self.refuses(layer, region.kind)? {
            return Ok(None);
        }
        let held = self.held(layer, region.kind, prefix)?;
        if matches!(held.permitted, Permitted::Everything) {
            return Ok(None);
        }
        let overruled = held.permitted.denies().iter().any(|d| d.region.intersect(region).is_some());
        if !layer.narrows(rule.id) && !overruled {
            return Ok(None);
        }
        let wanted =
            RequestSet::new(vec![region.clone()]).intersect(&self.evaluator.allowed(region.kind, prefix)?);
        wanted.minus(&joined(held.set().cloned().unwrap_or_default())).witness(self.evaluator.peers())
    }

    /// For each allow, a request that its lowering adds in a layer, the policy does not allow, and every layer permits. A layer is
    /// asked once for each kind.
    fn leaks(&self, layer: &Layer<'_>, rules: &[Rule], out: &mut [RuleResult]) -> Result<(), TooLarge> {
        let mut by_kind: BTreeMap<Kind, Vec<usize>> = BTreeMap::new();
        for (number, rule) in rules.iter().enumerate() {
            if rule.effect == Effect::Allow && layer.widens(rule.id) {
                for kind in kinds_near(rule, &self.evaluator.rule_regions(rule)?) {
                    by_kind.entry(kind).or_default().push(number);
                }
            }
        }
        for (kind, numbers) in by_kind {
            let loosest = self.loosest(kind)?;
            if loosest.grants.is_empty() {
                continue;
            }
            let held = self.held(layer, kind, "/")?;
            for number in numbers {
                if let (Some(rule), Some(result)) = (rules.get(number), out.get_mut(number))
                    && result.leak.is_none()
                {
                    result.leak = self.leak_through(layer, &held, rule, &loosest)?;
                }
            }
        }
        Ok(())
    }

    /// A leak through what a rule brings in a layer, near the rule's own places.
    fn leak_through(
        &self,
        layer: &Layer<'_>,
        held: &Held,
        rule: &Rule,
        loosest: &Loose,
    ) -> Result<Option<String>, TooLarge> {
        for prefix in places(rule) {
            for grant in held.of_rule(rule.id).filter(|g| near(&g.near, &prefix)) {
                let key = grant_key(grant).map(|key| (grant.region.kind, layer.name, key));
                let known = key.as_ref().and_then(|k| self.known.borrow().get(k).cloned());
                let witness = match known {
                    Some(known) => known,
                    None => self.leak_of(grant, layer, loosest)?,
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
        let here = joined(self.evaluator.allowed(grant.region.kind, &grant.near)?);
        if own.minus(&here).is_plainly_empty() {
            return Ok(None);
        }
        let through: Vec<(RequestSet, &str)> = if loosest.layer == Some(layer.name) {
            vec![(own, grant.near.as_str())]
        } else {
            let both = |g: &Grant| own.intersect(&RequestSet::new(vec![g.region.clone()]));
            loosest.near(&grant.near).map(|g| (both(g), longer(&g.near, &grant.near))).collect()
        };
        for (asked, prefix) in through {
            let Some(kind) = asked.regions.first().map(|r| r.kind) else { continue };
            let allowed = joined(self.evaluator.allowed(kind, prefix)?);
            if asked.minus(&allowed).is_plainly_empty() {
                continue;
            }
            let witness = match kind {
                Kind::File(_) => self.through_all(asked, kind, prefix, &allowed)?,
                _ => self.permitted_of(asked, prefix)?.minus(&allowed).witness(self.evaluator.peers())?,
            };
            if witness.is_some() {
                return Ok(witness);
            }
        }
        Ok(None)
    }

    /// A request of `asked` that every layer permits and that is not `allowed`: box by box, until there is one.
    fn through_all(
        &self,
        asked: RequestSet,
        kind: Kind,
        prefix: &str,
        allowed: &RequestSet,
    ) -> Result<Option<String>, TooLarge> {
        let boxes = self.boxes(kind)?;
        let sets: Vec<RequestSet> = boxes.iter().map(|b| b.around(prefix)).collect();
        let sets: Vec<&RequestSet> = sets.iter().collect();
        for region in asked.regions {
            if let Some(witness) = first_left(region, &sets, allowed, self.evaluator.peers())? {
                return Ok(Some(witness));
            }
        }
        Ok(None)
    }

    /// What the layers that mediate a kind permit of it, by place. Kinds are asked about one after the other, and one is kept.
    fn boxes(&self, kind: Kind) -> Result<Rc<Vec<Boxes>>, TooLarge> {
        if let Some((known, boxes)) = &*self.boxes.borrow()
            && *known == kind
        {
            return Ok(Rc::clone(boxes));
        }
        let mut made = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let (grants, denies) = match &self.held(layer, kind, "/")?.permitted {
                Permitted::Everything => continue,
                Permitted::Only { grants, denies } => (once(grants.clone()), denies.clone()),
                Permitted::Joined { whole, .. } => (everywhere(whole.clone()), Vec::new()),
            };
            made.push(Boxes { grants: Loose::new(None, grants), denies: Loose::new(None, denies) });
        }
        let made = Rc::new(made);
        *self.boxes.borrow_mut() = Some((kind, Rc::clone(&made)));
        Ok(made)
    }

    /// Whether a layer has any refusal of a kind that beats permissions.
    fn refuses(&self, layer: &Layer<'_>, kind: Kind) -> Result<bool, TooLarge> {
        if let Some(known) = self.refusing.borrow().get(&(layer.name, kind)) {
            return Ok(*known);
        }
        let held = self.held(layer, kind, "/")?;
        let found = !held.permitted.denies().is_empty();
        self.refusing.borrow_mut().insert((layer.name, kind), found);
        Ok(found)
    }

    /// Every leak is permitted by every layer, and a layer permits what the policy does not allow by `@base` and by widened
    /// rules only. So it is enough to look through the layer that has fewest of those.
    fn loosest(&self, kind: Kind) -> Result<Rc<Loose>, TooLarge> {
        if let Some(known) = self.loosest.borrow().get(&kind) {
            return Ok(Rc::clone(known));
        }
        let mut best: Option<(LayerName, Vec<Grant>)> = None;
        for layer in &self.layers {
            let held = self.held(layer, kind, "/")?;
            if matches!(held.permitted, Permitted::Everything) {
                continue;
            }
            let grants = held.permitted.loose(|rule| layer.widens(rule));
            if best.as_ref().is_none_or(|b| grants.len() < b.1.len()) {
                best = Some((layer.name, grants));
            }
        }
        let (name, grants) = best.map_or((None, Vec::new()), |(name, grants)| (Some(name), grants));
        let best = Rc::new(Loose::new(name, grants));
        self.loosest.borrow_mut().insert(kind, Rc::clone(&best));
        Ok(best)
    }
}

fn first_left(
    region: Region,
    sets: &[&RequestSet],
    without: &RequestSet,
    peers: &Peers,
) -> Result<Option<String>, TooLarge> {
    let Some((set, others)) = sets.split_first() else {
        return RequestSet::new(vec![region]).minus(without).witness(peers);
    };
    for both in set.regions.iter().filter_map(|other| region.intersect(other)) {
        if let Some(witness) = first_left(both, others, without, peers)? {
            return Ok(Some(witness));
        }
    }
    Ok(None)
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
