//! A policy to what it allows and denies, near any place one asks about.

use super::boxes::{Dim, Kind, Region, RequestSet};
use super::from_body::{Peers, allow_regions, always_allowed, body_regions};
use crate::policy::{Body, Class, Effect, Policy, PolicySet, Rule, RuleId};
use canc_sets::interval::Intervals;
use canc_sets::path::TooLarge;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// The answer to one request, or to a set of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether all of it is allowed.
    pub allowed: bool,
    /// Whether none of it is allowed.
    pub denied: bool,
    /// A part that is not allowed, when not all of it is.
    pub not_allowed: Option<String>,
    /// A part that is allowed, when not all of it is denied.
    pub not_denied: Option<String>,
    /// The deny rules that meet it, in order.
    pub denied_by: Vec<RuleId>,
    /// The allow rules that meet it, in order.
    pub allowed_by: Vec<RuleId>,
}

/// Answers questions about one policy.
pub struct Evaluator<'a> {
    policy: &'a Policy,
    peers: Peers,
    /// Rules on paths by the longest literal prefix of each path; `except` narrows a rule and needs no entry.
    by_prefix: BTreeMap<String, Vec<RuleId>>,
    by_class: BTreeMap<Class, Vec<RuleId>>,
    regions: RefCell<HashMap<RuleId, Rc<Vec<Region>>>>,
    merged: RefCell<HashMap<Kind, Rc<RequestSet>>>,
    any: RefCell<HashMap<Kind, bool>>,
}

impl<'a> Evaluator<'a> {
    /// Indexes the rules of `policy`, one of `set`.
    #[must_use]
    pub fn new(set: &PolicySet, policy: &'a Policy) -> Self {
        Self::with_peers(policy, Peers::new(set, &policy.name))
    }

    /// The same with other bits for peers, so that policies of two builds can be compared.
    #[must_use]
    pub fn with_peers(policy: &'a Policy, peers: Peers) -> Self {
        let mut by_prefix: BTreeMap<String, Vec<RuleId>> = BTreeMap::new();
        let mut by_class: BTreeMap<Class, Vec<RuleId>> = BTreeMap::new();
        for rule in &policy.rules {
            match &rule.body {
                Body::File(file) => {
                    for path in &file.paths {
                        by_prefix.entry(path.pattern.literal_prefix()).or_default().push(rule.id);
                    }
                }
                body => by_class.entry(body_class(body)).or_default().push(rule.id),
            }
        }
        by_prefix.values_mut().for_each(|rules| rules.dedup());
        Self {
            policy,
            peers,
            by_prefix,
            by_class,
            regions: RefCell::default(),
            merged: RefCell::default(),
            any: RefCell::default(),
        }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &'a Policy {
        self.policy
    }

    /// The peers as bits.
    #[must_use]
    pub fn peers(&self) -> &Peers {
        &self.peers
    }

    /// The boxes of one rule.
    ///
    /// # Errors
    /// When a pattern's automaton is too large.
    pub fn rule_regions(&self, rule: &Rule) -> Result<Rc<Vec<Region>>, TooLarge> {
        if let Some(known) = self.regions.borrow().get(&rule.id) {
            return Ok(Rc::clone(known));
        }
        let made = Rc::new(match rule.effect {
            Effect::Allow => allow_regions(&rule.body, &self.peers)?,
            Effect::Deny => body_regions(&rule.body, &self.peers)?,
        });
        self.regions.borrow_mut().insert(rule.id, Rc::clone(&made));
        Ok(made)
    }

    /// The rules that can speak of requests of `kind`; for paths, only those whose literal prefix meets `prefix`
    /// (a canonical path without trailing slash, or `/` for everywhere).
    #[must_use]
    pub fn candidates(&self, kind: Kind, prefix: &str) -> Vec<&'a Rule> {
        let ids = match kind {
            Kind::File(_) => self.near(prefix),
            // One rule may bind and connect, so both TCP classes are kept together.
            Kind::Net(_, crate::policy::Protocol::Tcp) => self.of_class(Class::TcpBind),
            other => self.of_class(other.class()),
        };
        ids.into_iter().filter_map(|id| self.policy.rule(id)).collect()
    }

    fn of_class(&self, class: Class) -> Vec<RuleId> {
        self.by_class.get(&class).cloned().unwrap_or_default()
    }

    fn near(&self, prefix: &str) -> Vec<RuleId> {
        let mut out: Vec<RuleId> = Vec::new();
        let mut take = |rules: Option<&Vec<RuleId>>| out.extend(rules.into_iter().flatten());
        take(self.by_prefix.get("/"));
        if prefix == "/" {
            self.by_prefix.values().for_each(|rules| take(Some(rules)));
        } else {
            for (end, _) in prefix.match_indices('/').skip(1) {
                take(prefix.get(..end).and_then(|p| self.by_prefix.get(p)));
            }
            take(self.by_prefix.get(prefix));
            let below = format!("{prefix}/");
            self.by_prefix
                .range(below.clone()..)
                .take_while(|(p, _)| p.starts_with(&below))
                .for_each(|(_, r)| take(Some(r)));
        }
        out.sort_unstable();
        out.dedup();
        out
    }

    /// What the policy allows of a kind: every allow without every deny.
    ///
    /// # Errors
    /// When a pattern's automaton is too large.
    pub fn allowed(&self, kind: Kind, prefix: &str) -> Result<RequestSet, TooLarge> {
        if let Some(known) = self.merged.borrow().get(&kind) {
            return Ok(RequestSet::clone(known));
        }
        let candidates = self.candidates(kind, prefix);
        let allows =
            self.effect(&candidates, kind, Effect::Allow)?.union(RequestSet::new(always_allowed(kind)));
        let set = allows.minus(&self.effect(&candidates, kind, Effect::Deny)?);
        if !matches!(kind, Kind::File(_)) {
            self.merged.borrow_mut().insert(kind, Rc::new(set.clone()));
        }
        Ok(set)
    }

    /// Whether the policy allows anything of a kind.
    ///
    /// # Errors
    /// When a pattern's automaton is too large.
    pub fn allows_any(&self, kind: Kind) -> Result<bool, TooLarge> {
        if let Some(known) = self.any.borrow().get(&kind) {
            return Ok(*known);
        }
        let candidates = self.candidates(kind, "/");
        let denied = self.effect(&candidates, kind, Effect::Deny)?;
        let mut found = !always_allowed(kind).is_empty();
        for rule in candidates.iter().filter(|r| r.effect == Effect::Allow) {
            let regions = self.rule_regions(rule)?.iter().filter(|r| r.kind == kind).cloned().collect();
            found = found || !RequestSet::new(regions).minus(&denied).is_empty()?;
            if found {
                break;
            }
        }
        self.any.borrow_mut().insert(kind, found);
        Ok(found)
    }

    fn effect(&self, rules: &[&'a Rule], kind: Kind, effect: Effect) -> Result<RequestSet, TooLarge> {
        let mut regions = Vec::new();
        for rule in rules.iter().filter(|r| r.effect == effect) {
            regions.extend(self.rule_regions(rule)?.iter().filter(|r| r.kind == kind).cloned());
        }
        Ok(RequestSet::new(merge_ports(regions)))
    }

    /// Whether the policy allows a request or a set of them, and which rules meet it.
    ///
    /// # Errors
    /// When a pattern's automaton is too large.
    pub fn decide(&self, asked: &[Region], prefix: &str) -> Result<Verdict, TooLarge> {
        let (mut not_allowed, mut not_denied) = (None, None);
        let (mut denied_by, mut allowed_by) = (Vec::new(), Vec::new());
        for region in asked {
            let asked = RequestSet::new(vec![region.clone()]);
            let allowed = self.allowed(region.kind, prefix)?;
            not_allowed = not_allowed.or(asked.minus(&allowed).witness(&self.peers)?);
            not_denied = not_denied.or(asked.intersect(&allowed).witness(&self.peers)?);
            for rule in self.candidates(region.kind, prefix) {
                let meets = asked.intersect(&RequestSet::new(self.rule_regions(rule)?.to_vec()));
                if !meets.is_empty()? {
                    if rule.effect == Effect::Deny {
                        denied_by.push(rule.id)
                    } else {
                        allowed_by.push(rule.id)
                    }
                }
            }
        }
        for list in [&mut denied_by, &mut allowed_by] {
            list.sort_unstable();
            list.dedup();
        }
        let (allowed, denied) = (not_allowed.is_none(), not_denied.is_none());
        Ok(Verdict { allowed, denied, not_allowed, not_denied, denied_by, allowed_by })
    }
}

/// A kind of request and the addresses it is about.
type PortKey = (Kind, Intervals<u128>);

/// Joins boxes that name the same addresses, so that a thousand ports are one box.
fn merge_ports(regions: Vec<Region>) -> Vec<Region> {
    let mut out: Vec<Region> = Vec::new();
    let mut by_addresses: HashMap<PortKey, Vec<(u16, u16)>> = HashMap::new();
    let mut order = Vec::new();
    for region in regions {
        match region.dims.as_slice() {
            [Dim::Addresses(addresses), Dim::Ports(ports)] => {
                let key = (region.kind, addresses.clone());
                let known = by_addresses.entry(key.clone()).or_default();
                if known.is_empty() {
                    order.push(key);
                }
                known.extend(ports.ranges());
            }
            _ => out.push(region),
        }
    }
    for key in order {
        let ports: Intervals<u16> = by_addresses.remove(&key).unwrap_or_default().into_iter().collect();
        out.push(Region { kind: key.0, dims: vec![Dim::Addresses(key.1), Dim::Ports(ports)] });
    }
    out
}

/// The class under which the index keeps a body that is not about paths; all its kinds are of that class or found with it.
fn body_class(body: &Body) -> Class {
    use crate::policy::Protocol;
    match body {
        Body::File(_) => Class::Files,
        Body::Net(rule) if rule.protocol == Protocol::Tcp => Class::TcpBind,
        Body::Net(rule) if rule.protocol == Protocol::Udp => Class::Udp,
        Body::Net(_) | Body::Socket(_) => Class::Sockets,
        Body::Unix(_) => Class::UnixSockets,
        Body::Capability(_) => Class::Capabilities,
        Body::Syscall(_) | Body::Facility(_) => Class::Syscalls,
        Body::UsernsCreate => Class::Userns,
        Body::Namespace(_) => Class::Namespaces,
        Body::Signal(_) => Class::Signals,
        Body::Ptrace(_) => Class::Ptrace,
        Body::Mount(_) => Class::Mounts,
        Body::IoUring(_) => Class::IoUring,
        Body::Mqueue(_) => Class::Mqueue,
    }
}
