//! What the places of a ruleset let through, compared with what the policy allows.

use super::LowerError;
use super::place::{Placed, pattern_of};
use super::rights::{Rights, handled, let_through, mediates, of_op};
use super::rules::Rules;
use crate::near::{Near, meet};
use crate::verdict::{Outcome, Verdict};
use canc_dsl::policy::{Body, Effect, FileOp, FileOps, PathRef, Rule, RuleId};
use canc_sets::path::{Lang, Pattern, TooLarge, Universe};
use std::cell::OnceCell;

/// One pattern of an allow, and the places that it became.
pub(super) struct Want<'a> {
    pub(super) id: RuleId,
    pub(super) pattern: &'a Pattern,
    pub(super) except: &'a [PathRef],
    pub(super) ops: FileOps,
    pub(super) owner: bool,
    pub(super) placed: Placed,
}

impl Want<'_> {
    fn lang(&self) -> Result<Lang, TooLarge> {
        let all = Lang::patterns([self.pattern])?;
        if self.except.is_empty() {
            return Ok(all);
        }
        Ok(all.minus(Lang::patterns(self.except.iter().map(|e| &e.pattern))?))
    }

    /// What the policy allows by it: who may write may append.
    fn allows(&self, op: FileOp) -> bool {
        self.ops.has(op) || (op == FileOp::Append && self.ops.has(FileOp::Write))
    }
}

pub(super) struct Judge<'r, 'a> {
    rules: &'r Rules<'a>,
    handled: Rights,
    abi: u32,
    wants: OnceCell<Near>,
}

impl<'r, 'a> Judge<'r, 'a> {
    pub(super) fn new(rules: &'r Rules<'a>, abi: u32) -> Self {
        Self { rules, handled: handled(abi), abi, wants: OnceCell::new() }
    }

    pub(super) fn run(&self, outcomes: &mut [Outcome], errors: &mut Vec<LowerError>) {
        for want in &self.rules.wants {
            let Some(outcome) = outcomes.get_mut(want.id.0 as usize) else { continue };
            if let Err(large) = self.allow(want, outcome) {
                errors.push(LowerError { rule: Some(want.id), large });
            }
        }
        let denies: Vec<&Rule> = self
            .rules
            .policy
            .rules
            .iter()
            .filter(|r| r.effect == Effect::Deny && matches!(r.body, Body::File(_)))
            .collect();
        if denies.is_empty() {
            return;
        }
        let grants: Vec<(Pattern, Rights)> = self
            .rules
            .grants
            .iter()
            .filter_map(|g| Some((pattern_of(&g.place)?, g.rights.intersect(self.handled))))
            .collect();
        let near = Near::new(grants.iter().map(|g| &g.0));
        for rule in denies {
            let Some(outcome) = outcomes.get_mut(rule.id.0 as usize) else { continue };
            if outcome.verdict == Verdict::NotApplicable {
                continue;
            }
            if let Err(large) = deny(rule, &grants, &near, outcome) {
                errors.push(LowerError { rule: Some(rule.id), large });
            }
        }
    }

    /// What one pattern of an allow does to its rule's verdict.
    fn allow(&self, want: &Want<'a>, outcome: &mut Outcome) -> Result<(), TooLarge> {
        let Verdict::Allow { narrowed, .. } = &mut outcome.verdict else { return Ok(()) };
        for what in &want.placed.narrowed {
            if !narrowed.contains(what) {
                narrowed.push(what.clone());
            }
        }
        let between = [FileOp::Delete, FileOp::Link].into_iter().any(|op| want.ops.has(op));
        let apart = "moving and linking between directories, which this ABI refuses";
        if between && self.abi < 2 && !narrowed.iter().any(|n| n == apart) {
            narrowed.push(apart.into());
        }
        let free: Vec<&str> = want.ops.iter().filter(|op| !mediates(*op)).map(FileOp::word).collect();
        if !free.is_empty() {
            note(outcome, format!("{} is not mediated", free.join(", ")));
        }
        if want.placed.exact && (want.ops.has(FileOp::Create) || want.ops.has(FileOp::Delete)) {
            note(outcome, "the topmost directory itself can neither be made nor removed".into());
        }
        if want.placed.places.iter().any(|(p, _)| !p.is_tree()) {
            note(outcome, "a file that replaces another has no rights of its own".into());
        }
        if let Some(text) = self.surplus(want)? {
            widen(outcome, text);
        }
        Ok(())
    }

    /// What the want's places let through that no rule allows.
    fn surplus(&self, want: &Want<'a>) -> Result<Option<String>, TooLarge> {
        let (mut found, mut witness) = (Vec::new(), None);
        for (place, rights) in &want.placed.places {
            let Some(pattern) = pattern_of(place) else { continue };
            for op in let_through(rights.intersect(self.handled)).iter().filter(|op| *op != FileOp::Map) {
                let same = want.placed.exact && want.allows(op) && want.except.is_empty() && !want.owner;
                if same || found.contains(&op.word()) {
                    continue;
                }
                if let Some((path, other)) = self.escaping(want, op, &pattern)? {
                    found.push(op.word());
                    let who = if other { " as other" } else { "" };
                    let verb = if want.ops.is_empty() { String::new() } else { format!("{} ", op.word()) };
                    witness.get_or_insert_with(|| format!("{verb}\"{path}\"{who}"));
                }
            }
        }
        let Some(witness) = witness else { return Ok(None) };
        if want.ops.is_empty() {
            return Ok(Some(format!(
                "making sockets by other names in the same directory, such as at {witness}"
            )));
        }
        Ok(Some(format!("{} in the same places, such as `{witness}`", found.join(", "))))
    }

    /// A path of a place on which the policy does not allow an operation, and whether only to other users than its owner.
    fn escaping(
        &self,
        want: &Want<'a>,
        op: FileOp,
        place: &Pattern,
    ) -> Result<Option<(String, bool)>, TooLarge> {
        let index = self.wants.get_or_init(|| Near::new(self.rules.wants.iter().map(|w| w.pattern)));
        let near: Vec<&Want<'a>> = index
            .to(place)
            .into_iter()
            .filter_map(|n| self.rules.wants.get(n))
            .filter(|w| w.allows(op))
            .collect();
        for owner_only in [false, true] {
            let others: Vec<&&Want<'a>> = near
                .iter()
                .filter(|w| (!owner_only || !w.owner) && w.pattern.meets(place) != Some(false))
                .collect();
            if owner_only && !want.owner && !near.iter().any(|w| w.owner) {
                continue;
            }
            if others.iter().any(|w| w.except.is_empty() && w.pattern.covers(place) == Some(true)) {
                continue;
            }
            if let Some(path) = self.witness(op, place, &others)? {
                return Ok(Some((path, owner_only)));
            }
        }
        Ok(None)
    }

    fn witness(
        &self,
        op: FileOp,
        place: &Pattern,
        allowed: &[&&Want<'a>],
    ) -> Result<Option<String>, TooLarge> {
        if allowed.is_empty() && matches!(op, FileOp::Create | FileOp::Delete) {
            return Ok(place.example(false).or_else(|| place.example(true)));
        }
        if allowed.is_empty() {
            return Ok(place.example(op == FileOp::List));
        }
        let mut lang = Lang::patterns([place])?;
        for want in allowed {
            lang = lang.minus(want.lang()?);
        }
        if let Some(top) = top(place) {
            // Making and removing the topmost directory takes a right on the one above it.
            if matches!(op, FileOp::Create | FileOp::Delete) {
                lang = lang.minus(Lang::patterns([&top])?);
            }
        }
        kind_of(lang, op).witness(Universe::Paths)
    }
}

/// The directory of a subtree.
fn top(place: &Pattern) -> Option<Pattern> {
    let is_tree = place.tail() == canc_sets::path::Tail::Subtree;
    is_tree.then(|| place.with_tail(canc_sets::path::Tail::Directory))
}

/// The paths of a language that an operation can be about.
fn kind_of(lang: Lang, op: FileOp) -> Lang {
    match op {
        FileOp::List => lang.and(Lang::directories()),
        FileOp::Create | FileOp::Delete => lang,
        _ => lang.minus(Lang::directories()),
    }
}

fn note(outcome: &mut Outcome, text: String) {
    if !outcome.notes.contains(&text) {
        outcome.notes.push(text);
    }
}

fn widen(outcome: &mut Outcome, text: String) {
    if let Verdict::Allow { widened, .. } = &mut outcome.verdict
        && !widened.contains(&text)
    {
        widened.push(text);
    }
}

/// A deny is kept where no place gives what it denies; nothing can be taken out of a place.
fn deny(
    rule: &Rule,
    grants: &[(Pattern, Rights)],
    near: &Near,
    outcome: &mut Outcome,
) -> Result<(), TooLarge> {
    let Body::File(file) = &rule.body else { return Ok(()) };
    let (mut through, mut kept) = (Vec::new(), false);
    for path in &file.paths {
        for op in file.ops.iter() {
            match granted(&path.pattern, &file.except, op, grants, near)? {
                Some(witness) => through.push(format!("{} \"{witness}\"", op.word())),
                None => kept = kept || mediates(op),
            }
        }
    }
    let why = "it lies below a directory that is permitted, and nothing can be taken out of one";
    outcome.verdict = match (through.first(), kept) {
        (None, _) => return Ok(()),
        (Some(first), false) => Verdict::DenyDropped { why: format!("`{first}` gets through: {why}") },
        (Some(_), true) => Verdict::DenyPartial { through },
    };
    Ok(())
}

/// A path of a deny on which some place lets an operation through.
fn granted(
    pattern: &Pattern,
    except: &[PathRef],
    op: FileOp,
    grants: &[(Pattern, Rights)],
    near: &Near,
) -> Result<Option<String>, TooLarge> {
    if !mediates(op) {
        return Ok(pattern.example(false).or_else(|| pattern.example(true)));
    }
    for (place, rights) in near.to(pattern).into_iter().filter_map(|n| grants.get(n)) {
        let gives =
            let_through(*rights).has(op) || (op == FileOp::Link && rights.intersect(of_op(op)) == of_op(op));
        if !gives || !meet(place, pattern)? {
            continue;
        }
        let lang = Lang::patterns([pattern])?
            .minus(Lang::patterns(except.iter().map(|e| &e.pattern))?)
            .and(Lang::patterns([place])?);
        if let Some(path) = kind_of(lang, op).witness(Universe::Paths)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}
