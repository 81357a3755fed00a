//! What all policies of a build share: their types, the paths that they label, their programs, and who may do what in each part.

use super::area::{self, Area};
use super::error::{LowerError, LowerErrorKind};
use super::own::{OwnNo, OwnType, OwnTypes, Sort};
use super::ports::PortPlan;
use super::program::{self, Programs};
use super::split::{self, Cut, Cutter, Part};
use crate::selinux::base::Base;
use crate::selinux::model::FcLine;
use crate::selinux::words::Words;
use canc_dsl::policy::{
    Body, Demand, Effect, FileOp, FileOps, PathRef, PolicyData, PolicySet, Rule, RuleId, Target, UnixAddress,
};
use canc_dsl::source::Span;
use canc_sets::path::{Near, meet};
use canc_sets::path::{Pattern, TooLarge};
use std::collections::{BTreeMap, BTreeSet};

/// The shared part of lowering.
pub(super) struct Plan<'a> {
    pub(super) set: &'a PolicySet,
    pub(super) base: &'a Base,
    pub(super) words: Words,
    pub(super) types: OwnTypes,
    /// By policy: its domain; `None` where the back end is off.
    pub(super) domains: Vec<Option<OwnNo>>,
    /// By policy: its programs.
    pub(super) programs: Vec<Programs>,
    pub(super) areas: Vec<Area>,
    pub(super) parts: Vec<Vec<Part>>,
    pub(super) cutters: Vec<Vec<Cutter>>,
    pub(super) lines: Vec<Vec<FcLine>>,
    pub(super) near: Near,
    pub(super) ports: PortPlan,
    /// By policy: its rules on paths.
    paths: Vec<RulePaths<'a>>,
}

/// A policy's rules on paths, by place.
pub(super) struct RulePaths<'a> {
    list: Vec<(&'a Rule, &'a PathRef)>,
    near: Near,
}

impl<'a> RulePaths<'a> {
    fn new(policy: &'a PolicyData) -> Self {
        let mut list = Vec::new();
        for rule in &policy.rules {
            list.extend(rule_paths(rule).iter().map(|p| (rule, p)));
        }
        let near = Near::new(list.iter().map(|(_, p)| &p.pattern));
        Self { list, near }
    }

    /// The rules that may meet a pattern, with the path that does.
    pub(super) fn to(&self, pattern: &Pattern) -> impl Iterator<Item = (&'a Rule, &'a PathRef)> {
        let prefixes = |i: usize| self.list.get(i).map(|(_, p)| p.pattern.prefixes()).unwrap_or_default();
        self.near.to(pattern, &prefixes).into_iter().filter_map(|i| self.list.get(i).copied())
    }
}

/// The paths that a rule names; empty for rules that name none.
pub(super) fn rule_paths(rule: &Rule) -> &[PathRef] {
    match &rule.body {
        Body::File(file) => &file.paths,
        Body::Unix(unix) => match &unix.address {
            UnixAddress::Paths(paths) => paths,
            UnixAddress::Abstract(_) => &[],
        },
        _ => &[],
    }
}

/// The paths that a rule excepts.
pub(super) fn rule_except(rule: &Rule) -> &[PathRef] {
    match &rule.body {
        Body::File(file) => &file.except,
        Body::Unix(unix) => &unix.except,
        _ => &[],
    }
}

/// What a rule is about on its paths, as bits that can be taken from one another; sockets have two of their own.
pub(super) fn rule_ops(rule: &Rule) -> u32 {
    match &rule.body {
        Body::File(file) => file_bits(file.ops),
        Body::Unix(unix) if unix.listen => LISTEN,
        Body::Unix(_) => CONNECT,
        _ => 0,
    }
}

/// Listening on a socket of the part.
const LISTEN: u32 = 1 << 30;
/// Connecting to a socket of the part.
const CONNECT: u32 = 1 << 31;

pub(super) fn file_bits(ops: FileOps) -> u32 {
    ops.iter().fold(0, |bits, op| bits | 1 << (op as u32))
}

pub(super) fn from_bits(bits: u32) -> FileOps {
    FileOp::ALL.iter().copied().filter(|op| bits >> (*op as u32) & 1 == 1).collect()
}

impl<'a> Plan<'a> {
    pub(super) fn new(set: &'a PolicySet, base: &'a Base) -> Result<Self, Vec<LowerError>> {
        let mut errors = Vec::new();
        let mut types = OwnTypes::default();
        let mut domains = Vec::new();
        for (i, policy) in set.policies().iter().enumerate() {
            let on = policy.demand(Target::Selinux) != Demand::Off;
            let about = "the processes of the policy".to_owned();
            let domain = on.then(|| types.add((i, &policy.name), &[], Sort::Domain, about));
            domains.push(domain.and_then(|d| d.map_err(|kind| errors.push(at(policy.span, kind))).ok()));
        }
        let mut areas = area::label_areas(set, base, &mut types, &mut errors);
        let programs = program::programs(set, base, &mut types, &mut areas, &mut errors);
        area::conflicts(set, &areas, &mut errors);
        let ports = PortPlan::new(set, base, &mut types, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let near = Near::new(areas.iter().map(|a| &a.pattern));
        let paths = set.policies().iter().map(|p| RulePaths::new(p)).collect();
        let mut plan = Self {
            set,
            base,
            words: Words::new(base),
            types,
            domains,
            programs,
            areas,
            parts: Vec::new(),
            cutters: Vec::new(),
            lines: Vec::new(),
            near,
            ports,
            paths,
        };
        plan.cut(&mut errors);
        if errors.is_empty() { Ok(plan) } else { Err(errors) }
    }

    pub(super) fn own(&self, no: OwnNo) -> Option<&OwnType> {
        self.types.get(no)
    }

    /// A policy's rules on paths.
    pub(super) fn rule_paths(&self, policy: usize) -> Option<&RulePaths<'a>> {
        self.paths.get(policy)
    }

    /// The areas that a pattern may meet.
    pub(super) fn areas_near(&self, pattern: &Pattern) -> impl Iterator<Item = (usize, &Area)> {
        let prefixes = |i: usize| self.areas.get(i).map(|a| a.pattern.prefixes()).unwrap_or_default();
        self.near.to(pattern, &prefixes).into_iter().filter_map(|i| self.areas.get(i).map(|a| (i, a)))
    }

    /// The areas that lie inside another and win there.
    pub(super) fn nested(&self, index: usize) -> Result<Vec<&Pattern>, TooLarge> {
        let Some(area) = self.areas.get(index) else { return Ok(Vec::new()) };
        let mut out = Vec::new();
        for (i, other) in self.areas_near(&area.pattern) {
            if i != index && beats(other, area) && meet(&other.pattern, &area.pattern)? {
                out.push(&other.pattern);
            }
        }
        Ok(out)
    }

    fn cut(&mut self, errors: &mut Vec<LowerError>) {
        for index in 0..self.areas.len() {
            match self.cut_one(index) {
                Ok((cutters, parts)) => {
                    let lines = self.areas.get(index).map_or(Vec::new(), |area| {
                        split::lines(area, &cutters, &parts, &|no| self.own(no).map(|t| t.name.clone()))
                    });
                    self.cutters.push(cutters);
                    self.parts.push(parts);
                    self.lines.push(lines);
                }
                Err(kind) => {
                    let span = self.areas.get(index).map(|a| a.span).unwrap_or_default();
                    errors.push(at(span, kind));
                }
            }
        }
    }

    fn cut_one(&mut self, index: usize) -> Result<(Vec<Cutter>, Vec<Part>), LowerErrorKind> {
        let large = |e: TooLarge| LowerErrorKind::TooLarge { pattern: e.pattern };
        let cutters = self.cutters_of(index).map_err(large)?;
        let Some(area) = self.areas.get(index) else { return Ok((cutters, Vec::new())) };
        if cutters.is_empty() {
            // The usual case needs no automaton.
            let witness =
                area.pattern.example(false).or_else(|| area.pattern.example(true)).unwrap_or_default();
            let whole = Part { inside: BTreeSet::new(), witness, ty: area.main };
            return Ok((cutters, vec![whole]));
        }
        let nested = self.nested(index).map_err(large)?;
        let mut parts = split::parts(area, &cutters, &nested)?;
        let (policy, label, main) = (area.policy, area.label.clone(), area.main);
        let mut types: BTreeMap<Vec<u32>, OwnNo> = BTreeMap::new();
        parts.sort_by_key(|p| (p.inside.len(), p.inside.clone()));
        let sort = self.own(main).map_or(Sort::Program, |t| t.sort);
        for part in &mut parts {
            let rights = self.rights(index, &cutters, part).map_err(large)?;
            if types.is_empty() {
                types.insert(rights, main);
                part.ty = main;
                continue;
            }
            let number = types.len();
            part.ty = match types.get(&rights) {
                Some(known) => *known,
                None => {
                    let Some(name) = self.set.policies().get(policy).map(|p| &p.name) else { continue };
                    let label = label.as_deref().unwrap_or("exec");
                    let about = format!(
                        "what a deny or an exception takes out of `{label}`, such as {}",
                        part.witness
                    );
                    let no = self.types.add((policy, name), &[label, &number.to_string()], sort, about)?;
                    types.insert(rights, no);
                    no
                }
            };
        }
        Ok((cutters, parts))
    }

    /// The patterns that cut an area, in an order that does not depend on the order of rules.
    fn cutters_of(&self, index: usize) -> Result<Vec<Cutter>, TooLarge> {
        let Some(area) = self.areas.get(index) else { return Ok(Vec::new()) };
        let mut out: BTreeMap<Pattern, Vec<(usize, RuleId, Cut)>> = BTreeMap::new();
        for policy in 0..self.set.policies().len() {
            if self.domains.get(policy).copied().flatten().is_none() {
                continue;
            }
            let near: Vec<(&Rule, &PathRef)> =
                self.rule_paths(policy).map(|p| p.to(&area.pattern).collect()).unwrap_or_default();
            let allowed = near
                .iter()
                .filter(|(r, _)| r.effect == Effect::Allow)
                .fold(0, |bits, (r, _)| bits | rule_ops(r));
            for (rule, path) in near {
                if !meet(&path.pattern, &area.pattern)? {
                    continue;
                }
                let mut cut = |pattern: &Pattern, how: Cut| -> Result<(), TooLarge> {
                    if how == Cut::Deny
                        || split::cuts(pattern, area)?
                        || how != Cut::Allow && meet(pattern, &area.pattern)?
                    {
                        let uses = out.entry(pattern.clone()).or_default();
                        if !uses.contains(&(policy, rule.id, how)) {
                            uses.push((policy, rule.id, how));
                        }
                    }
                    Ok(())
                };
                match rule.effect {
                    Effect::Deny if rule_ops(rule) & allowed != 0 => {
                        cut(&path.pattern, Cut::Deny)?;
                        rule_except(rule).iter().try_for_each(|e| cut(&e.pattern, Cut::DenyExcept))?;
                    }
                    Effect::Deny => {}
                    Effect::Allow => {
                        if !owns(rule, policy, area) && split::is_literal(&path.pattern) {
                            cut(&path.pattern, Cut::Allow)?;
                        }
                        rule_except(rule).iter().try_for_each(|e| cut(&e.pattern, Cut::Except))?;
                    }
                }
            }
        }
        Ok(out.into_iter().map(|(pattern, uses)| Cutter { pattern, uses }).collect())
    }

    /// What each policy may do in a part, as a key.
    fn rights(&self, index: usize, cutters: &[Cutter], part: &Part) -> Result<Vec<u32>, TooLarge> {
        let Some(area) = self.areas.get(index) else { return Ok(Vec::new()) };
        let mut out = Vec::new();
        for policy in 0..self.set.policies().len() {
            let mut ops = 0;
            if let Some(paths) = self.rule_paths(policy) {
                for (rule, path) in paths.to(&area.pattern) {
                    if rule.effect == Effect::Allow && applies(rule, path, policy, area, cutters, part)? {
                        ops |=
                            rule_ops(rule) & !denied(self.set.policies().get(policy), policy, cutters, part);
                    }
                }
            }
            out.push(ops);
        }
        Ok(out)
    }

    /// What an allow grants in a part of an area: none of it where the rule excepts the part, and nothing that a deny takes.
    pub(super) fn granted(
        &self,
        policy: usize,
        rule: &Rule,
        path: &PathRef,
        index: usize,
        part: &Part,
    ) -> Result<u32, TooLarge> {
        let (Some(area), Some(cutters)) = (self.areas.get(index), self.cutters.get(index)) else {
            return Ok(0);
        };
        if !applies(rule, path, policy, area, cutters, part)? {
            return Ok(0);
        }
        Ok(rule_ops(rule) & !denied(self.set.policies().get(policy), policy, cutters, part))
    }
}

fn at(span: Span, kind: LowerErrorKind) -> LowerError {
    LowerError { span, other: None, kind }
}

/// Whether the rule is one of those that claim the area.
pub(super) fn owns(rule: &Rule, policy: usize, area: &Area) -> bool {
    let Body::File(file) = &rule.body else { return false };
    policy == area.policy
        && file.label.as_ref().map(|l| &l.name) == area.label.as_ref()
        && area.label.is_some()
}

/// Whether one area's line beats another's where both match.
pub(super) fn beats(a: &Area, b: &Area) -> bool {
    use crate::selinux::base::Rank;
    use crate::selinux::path::FcPath;
    let rank = |area: &Area| Rank::new(&FcPath::new(area.pattern.clone()).text(), area.kind);
    rank(a) > rank(b)
}

/// Whether an allow speaks of a part.
fn applies(
    rule: &Rule,
    path: &PathRef,
    policy: usize,
    area: &Area,
    cutters: &[Cutter],
    part: &Part,
) -> Result<bool, TooLarge> {
    let mut named = owns(rule, policy, area) || path.pattern.covers(&area.pattern) == Some(true);
    let mut literal = false;
    for (number, cutter) in cutters.iter().enumerate() {
        let inside = part.inside.contains(&number);
        for (p, r, cut) in &cutter.uses {
            if (*p, *r) != (policy, rule.id) {
                continue;
            }
            match cut {
                Cut::Except if inside => return Ok(false),
                Cut::Allow if cutter.pattern == path.pattern => {
                    literal = true;
                    named |= inside;
                }
                _ => {}
            }
        }
    }
    if named || literal {
        return Ok(named);
    }
    // A pattern with wildcards cannot follow new files by name, so it speaks of the whole part.
    meet(&path.pattern, &area.pattern)
}

/// What denies take from a policy in a part.
fn denied(policy: Option<&canc_dsl::policy::Policy>, number: usize, cutters: &[Cutter], part: &Part) -> u32 {
    let mut spared: BTreeSet<RuleId> = BTreeSet::new();
    let mut denies: BTreeSet<RuleId> = BTreeSet::new();
    for cutter in part.inside.iter().filter_map(|i| cutters.get(*i)) {
        for (p, rule, cut) in &cutter.uses {
            match cut {
                Cut::Deny if *p == number => drop(denies.insert(*rule)),
                Cut::DenyExcept if *p == number => drop(spared.insert(*rule)),
                _ => {}
            }
        }
    }
    let rules = denies.difference(&spared).filter_map(|id| policy.and_then(|p| p.rule(*id)));
    rules.fold(0, |bits, rule| bits | rule_ops(rule))
}
