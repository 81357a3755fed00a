//! New files to the labels that their rules promise: by default a new file takes its directory's type.

use super::error::{LowerError, LowerErrorKind};
use super::files::{holders, makes};
use super::place::Wanted;
use super::plan::{beats, rule_paths};
use super::sheet::{NewLabel, Sheet, Source, Ty};
use crate::selinux::base::Kind;
use crate::selinux::names::FileName;
use canc_dsl::policy::{Effect, PathRef, Rule};
use canc_sets::path::meet;
use canc_sets::path::{Component, Pattern, Tail, TooLarge};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where something new appears: the directory's type, the class, the name.
type Place<'n> = (Ty, Option<usize>, Option<&'n FileName>);

/// The kinds of what a rule may make, directories last.
const KINDS: [Kind; 5] = [Kind::Regular, Kind::Link, Kind::Pipe, Kind::Socket, Kind::Directory];

impl Sheet<'_, '_> {
    /// The labels of what the policy's rules may make.
    pub(super) fn new_files(&mut self, errors: &mut Vec<LowerError>) -> Result<(), TooLarge> {
        let policy = self.policy;
        for rule in policy.rules.iter().filter(|r| r.effect == Effect::Allow && makes(r)) {
            for path in rule_paths(rule) {
                self.new_files_of(rule, path)?;
                self.new_files_of_parts(rule, path)?;
            }
        }
        self.one_label_per_parent(errors);
        Ok(())
    }

    /// The topmost thing that a path names, made in a directory that is labelled otherwise.
    fn new_files_of(&mut self, rule: &Rule, path: &PathRef) -> Result<(), TooLarge> {
        let source = Source::Rule(rule.id);
        let top = top_of(&path.pattern);
        let Some(parent) = holders(&top).pop() else { return Ok(()) };
        let kinds = if path.pattern.tail() == Tail::Entry { &KINDS[..] } else { &KINDS[4..] };
        let name = last_name(&top);
        let results = self.types_made(&top, kinds.len() > 1)?;
        for parent in self.directory_types(&parent)? {
            for result in results.iter().filter(|r| **r != parent) {
                match (&name, result) {
                    (Named::Whole(name), _) => self.new_label(source, parent, kinds, *result, Some(name)),
                    // Names with wildcards: everything that the domain makes in such a directory.
                    (Named::Pattern, Ty::Own(_)) => self.new_label(source, parent, kinds, *result, None),
                    (Named::Odd | Named::Pattern, _) => {
                        let ty = self.type_name(parent);
                        self.draft(source)
                            .narrow(format!("what it makes itself is labelled `{ty}`, like its directory"));
                    }
                }
            }
        }
        if parent.has_literal_components() && self.in_own_area(&top)? {
            for ty in self.directory_types(&parent)? {
                if let Ty::Base(no) = ty {
                    let name = self.plan.base.type_name(no).to_owned();
                    let shared = crate::selinux::known::is_shared(&parent.literal_prefix());
                    if shared && path.pattern.tail() != Tail::Subtree {
                        self.draft(source).widen(format!("may add names in `{name}` directories"));
                    }
                }
            }
        }
        if ["/run", "/tmp", "/dev/shm"].iter().any(|d| path.pattern.literal_prefix().starts_with(d)) {
            self.draft(source)
                .note("gone after a restart: made anew by the program itself, or by a tmpfiles line");
        }
        Ok(())
    }

    fn in_own_area(&self, pattern: &Pattern) -> Result<bool, TooLarge> {
        for (_, area) in self.plan.areas_near(pattern) {
            if area.policy == self.number && meet(&area.pattern, pattern)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The types of what is at a pattern, the build's first: those decide.
    fn types_made(&mut self, pattern: &Pattern, files: bool) -> Result<Vec<Ty>, TooLarge> {
        let plan = self.plan;
        let mut best: Option<usize> = None;
        for (index, area) in plan.areas_near(pattern) {
            let better = best.and_then(|b| plan.areas.get(b)).is_none_or(|b| beats(area, b));
            if better && area.kind != Kind::Regular && meet(&area.pattern, pattern)? {
                best = Some(index);
            }
        }
        if let Some(parts) = best.and_then(|b| plan.parts.get(b)) {
            return Ok(parts.first().map(|p| Ty::Own(p.ty)).into_iter().collect());
        }
        if pattern.as_literal().is_none() {
            return Ok(Vec::new());
        }
        let hits = self.base_hits(pattern, &[], Wanted { files, directories: !files })?;
        let ordinary =
            |k: Kind| k.covers(if files { Kind::Regular } else { Kind::Directory }) || k == Kind::Socket;
        Ok(hits.found.iter().filter(|h| ordinary(h.kind)).map(|h| Ty::Base(h.ty)).take(1).collect())
    }

    /// Parts that a deny cut out of an area in which the rule makes files: a directory of that name gets the part's type at once.
    fn new_files_of_parts(&mut self, rule: &Rule, path: &PathRef) -> Result<(), TooLarge> {
        let source = Source::Rule(rule.id);
        let plan = self.plan;
        let near: Vec<usize> = plan.areas_near(&path.pattern).map(|(i, _)| i).collect();
        for index in near {
            let (Some(area), Some(parts), Some(cutters)) =
                (plan.areas.get(index), plan.parts.get(index), plan.cutters.get(index))
            else {
                continue;
            };
            if !meet(&area.pattern, &path.pattern)? {
                continue;
            }
            for part in parts.iter().filter(|p| p.ty != area.main) {
                for cutter in part.inside.iter().filter_map(|i| cutters.get(*i)) {
                    let top = top_of(&cutter.pattern);
                    let Named::Whole(name) = last_name(&top) else { continue };
                    if top.components().len() <= area.pattern.components().len() {
                        continue;
                    }
                    let kinds = if cutter.pattern.tail() == Tail::Entry { &KINDS[..] } else { &KINDS[4..] };
                    self.new_label(source, Ty::Own(area.main), kinds, Ty::Own(part.ty), Some(&name));
                }
            }
        }
        Ok(())
    }

    fn new_label(&mut self, source: Source, parent: Ty, kinds: &[Kind], result: Ty, name: Option<&FileName>) {
        for kind in kinds {
            let label = NewLabel { parent, class: Some(*kind as usize), result, name: name.cloned() };
            self.new_labels.entry(label).or_insert(source);
        }
    }

    /// The policy language has one default label per maker, directory type and class.
    fn one_label_per_parent(&self, errors: &mut Vec<LowerError>) {
        let mut known: BTreeMap<Place<'_>, (Ty, Source)> = BTreeMap::new();
        for (label, source) in &self.new_labels {
            let key = (label.parent, label.class, label.name.as_ref());
            let Some((other, other_source)) = known.insert(key, (label.result, *source)) else { continue };
            if other == label.result || label.class.is_none() {
                continue;
            }
            let span = |s: &Source| match s {
                Source::Rule(id) => self.policy.rule(*id).map(|r| r.span),
                Source::Base => None,
            };
            let text = |ty: Ty| -> Arc<str> { self.type_name(ty).into() };
            errors.push(LowerError {
                span: span(source).unwrap_or(self.policy.span),
                other: span(&other_source),
                kind: LowerErrorKind::OneParent {
                    labels: [text(other), text(label.result)],
                    parent: self.type_name(label.parent),
                },
            });
            return;
        }
    }
}

/// A last component as a file name.
enum Named {
    /// Exactly this name.
    Whole(FileName),
    /// A name that a transition cannot hold.
    Odd,
    /// Wildcards.
    Pattern,
}

fn last_name(pattern: &Pattern) -> Named {
    match pattern.components().last() {
        Some(Component::Literal(name)) => FileName::new(name).map_or(Named::Odd, Named::Whole),
        _ => Named::Pattern,
    }
}

/// The directory itself for everything below it, else the pattern.
fn top_of(pattern: &Pattern) -> Pattern {
    if pattern.tail() == Tail::Subtree { pattern.with_tail(Tail::Directory) } else { pattern.clone() }
}
