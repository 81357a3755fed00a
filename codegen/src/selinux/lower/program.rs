//! `exec` and `attach` to the types of programs: the base's own where it has one that may be executed, a private one otherwise.
//!
//! A launch chooses the domain by name, so a program need not be relabelled for it; who starts it otherwise sees no change.
//! Relabelled are programs that enter the domain by themselves: those of `attach`, and those that another policy runs into it.

use super::area::{self, Area};
use super::error::{LowerError, LowerErrorKind};
use super::own::{OwnNo, OwnTypes, Sort};
use crate::selinux::base::{Attribute, Base, Kind, PathSet, Place, Rank, TypeNo};
use crate::selinux::path::FcPath;
use canc_dsl::policy::{Body, Demand, Effect, PathRef, PolicySet, RunTarget, Target};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The programs of one policy.
#[derive(Debug, Default)]
pub(super) struct Programs {
    /// Its private type for programs.
    pub(super) own: Option<OwnNo>,
    /// Types of the base that its programs keep, with a program of each.
    pub(super) kept: BTreeMap<TypeNo, String>,
    /// Private types of other labels that its programs carry.
    pub(super) labelled: Vec<OwnNo>,
}

pub(super) fn programs(
    set: &PolicySet,
    base: &Base,
    types: &mut OwnTypes,
    areas: &mut Vec<Area>,
    errors: &mut Vec<LowerError>,
) -> Vec<Programs> {
    let mut out = Vec::new();
    for (number, policy) in set.policies().iter().enumerate() {
        let mut programs = Programs::default();
        if policy.demand(Target::Selinux) != Demand::Off {
            let reached = is_reached(set, &policy.name);
            for path in policy.exec.iter().chain(&policy.attach) {
                let private = reached || policy.attach.contains(path);
                let mut work =
                    Work { base, types, areas, number, name: &policy.name, programs: &mut programs };
                if let Err(kind) = work.program(path, private) {
                    errors.push(LowerError { span: path.span, other: None, kind });
                }
            }
        }
        out.push(programs);
    }
    out
}

/// Whether another policy runs programs into this one.
fn is_reached(set: &PolicySet, name: &Arc<str>) -> bool {
    let runs = |body: &Body| matches!(body, Body::File(f) if f.run == RunTarget::Policy(Arc::clone(name)));
    set.policies().iter().any(|p| p.rules.iter().any(|r| r.effect == Effect::Allow && runs(&r.body)))
}

struct Work<'w> {
    base: &'w Base,
    types: &'w mut OwnTypes,
    areas: &'w mut Vec<Area>,
    number: usize,
    name: &'w Arc<str>,
    programs: &'w mut Programs,
}

impl Work<'_> {
    fn program(&mut self, path: &PathRef, private: bool) -> Result<(), LowerErrorKind> {
        let covering = self.areas.iter().find(|a| a.pattern.covers(&path.pattern) == Some(true)).cloned();
        if let Some(area) = covering.filter(|_| !private) {
            // The policy that owns the place has labelled it; its type is the entry.
            if !self.programs.labelled.contains(&area.main) {
                self.programs.labelled.push(area.main);
            }
            return Ok(());
        }
        let found = self
            .base
            .under(PathSet { pattern: &path.pattern, without: &[] }, Place::Files)
            .map_err(|e| LowerErrorKind::TooLarge { pattern: e.pattern })?;
        let mut keep = Vec::new();
        let mut relabel = false;
        for hit in found.into_iter().filter(|h| h.kind.covers(Kind::Regular) || h.kind == Kind::Regular) {
            let specific = !area::is_parent_default(self.base, &hit);
            match hit.ty {
                Some(ty) if specific || (!private && self.base.has(ty, Attribute::ExecType)) => {
                    keep.push((ty, hit))
                }
                _ => relabel = true,
            }
        }
        if relabel {
            let line = self.relabel(path)?;
            // The own line wins where the base's is less specific.
            keep.retain(|(_, hit)| self.base.rank(hit.entry) > line);
        }
        for (ty, hit) in keep {
            self.programs.kept.entry(ty).or_insert(hit.witness);
        }
        Ok(())
    }

    /// Labels the program with the policy's own type.
    fn relabel(&mut self, path: &PathRef) -> Result<Rank, LowerErrorKind> {
        let main = match self.programs.own {
            Some(known) => known,
            None => {
                let about = "the programs that enter the domain".to_owned();
                let no = self.types.add((self.number, self.name), &["exec"], Sort::Program, about)?;
                *self.programs.own.insert(no)
            }
        };
        let mut area = Area {
            policy: self.number,
            label: None,
            pattern: path.pattern.clone(),
            kind: Kind::Regular,
            span: path.span,
            takeover: true,
            main,
            displaced: Vec::new(),
            kept: Vec::new(),
        };
        area::check(&mut area, self.base)?;
        let line = Rank::new(&FcPath::new(area.pattern.clone()).text(), area.kind);
        self.areas.push(area);
        Ok(line)
    }
}
