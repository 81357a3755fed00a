//! What the places of a ruleset let through, compared with what the policy allows.

use super::LowerError;
use super::place::{Placed, pattern_of};
use super::rights::{Rights, let_through, mediates, of_op};
use super::rules::Rules;
use crate::leftover::{Leftover, Narrowed};
use crate::verdict::{Outcome, Verdict};
use canc_dsl::policy::{Body, Effect, FileOp, FileOps, PathRef, Rule, RuleId};
use canc_sets::path::{Lang, Pattern, Tail, TooLarge, Universe};
use canc_sets::path::{Near, meet};
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;

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
    /// What the policy allows by it: who may write may append.
    fn allows(&self, op: FileOp) -> bool {
        self.ops.has(op) || (op == FileOp::Append && self.ops.has(FileOp::Write))
    }
}

/// A pattern, what is done there, and whether to owned files alone.
type Asked = (Pattern, FileOp, bool);

pub(super) struct Judge<'r, 'a> {
    rules: &'r Rules<'a>,
    wants: OnceCell<Near>,
    known: RefCell<HashMap<Asked, Option<(String, bool)>>>,
}

impl<'r, 'a> Judge<'r, 'a> {
    pub(super) fn new(rules: &'r Rules<'a>) -> Self {
        Self { rules, wants: OnceCell::new(), known: RefCell::default() }
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
        let grants: Vec<(Pattern, Rights)> =
            self.rules.grants.iter().filter_map(|g| Some((pattern_of(&g.place)?, g.rights))).collect();
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
        let free: Vec<&str> = want.ops.iter().filter(|op| !mediates(*op)).map(FileOp::word).collect();
        if !free.is_empty() {
            note(outcome, format!("{} is not mediated", free.join(", ")));
        }
        if want.placed.exact && (want.ops.has(FileOp::Create) || want.ops.has(FileOp::Delete)) {
            note(outcome, "the topmost directory itself can neither be made nor removed".into());
        }
        if let Some(text) = self.surplus(want)? {
            widen(outcome, text);
        }
        Ok(())
    }

    /// What the want's places let through that no rule allows.
    fn surplus(&self, want: &Want<'a>) -> Result<Option<String>, TooLarge> {
        let (mut found, mut witness) = (FileOps::EMPTY, None);
        for (place, rights) in &want.placed.places {
            let said = want.placed.exact && want.except.is_empty() && !want.owner;
            let more = |op: FileOp| !(said && want.allows(op));
            let open: FileOps = let_through(*rights).minus(found).iter().filter(|op| more(*op)).collect();
            if open.is_empty() {
                continue;
            }
            let pattern = if want.placed.exact { Some(want.pattern.clone()) } else { pattern_of(place) };
            let Some(pattern) = pattern else { continue };
            for op in open.iter() {
                if let Some((path, other)) = self.escaping(want, op, &pattern)? {
                    found = found.with(op);
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
        let list: Vec<&str> = found.iter().map(FileOp::word).collect();
        Ok(Some(format!("{} in the same places, such as `{witness}`", list.join(", "))))
    }

    /// A path of a place on which the policy does not allow an operation, and whether only to other users than its owner. Many rules
    /// may share a place that is not exactly what they say, so the answer is kept.
    fn escaping(
        &self,
        want: &Want<'a>,
        op: FileOp,
        place: &Pattern,
    ) -> Result<Option<(String, bool)>, TooLarge> {
        // A file is nearly always one rule's, and so is a directory that is exactly what a rule says.
        let shared = !want.placed.exact && place.tail() == Tail::Subtree;
        let key = shared.then(|| (place.clone(), op, want.owner));
        if let Some(known) = key.as_ref().and_then(|key| self.known.borrow().get(key).cloned()) {
            return Ok(known);
        }
        let index = self.wants.get_or_init(|| Near::new(self.rules.wants.iter().map(|w| w.pattern)));
        let prefixes = |n: usize| self.rules.wants.get(n).map(|w| w.pattern.prefixes()).unwrap_or_default();
        let near = index.to(place, &prefixes).into_iter().filter_map(|n| self.rules.wants.get(n));
        let near: Vec<&Want<'a>> =
            near.filter(|w| w.allows(op) && w.pattern.meets(place) != Some(false)).collect();
        let owners_alone = want.owner || near.iter().any(|w| w.owner);
        let mut found = left(op, place, near.iter().copied())?.map(|path| (path, false));
        if found.is_none() && owners_alone {
            let others = near.iter().copied().filter(|w| !w.owner);
            found = left(op, place, others)?.map(|path| (path, true));
        }
        if let Some(key) = key {
            self.known.borrow_mut().insert(key, found.clone());
        }
        Ok(found)
    }
}

/// What the first ABI makes of a rule: it has no right for what goes from one directory to another, and refuses that.
pub(super) fn without_refer(ops: FileOps, outcome: &mut Outcome) {
    let between = [FileOp::Delete, FileOp::Link].into_iter().any(|op| ops.has(op));
    if let Verdict::Allow { narrowed, .. } = &mut outcome.verdict
        && between
    {
        narrowed.push("moving and linking between directories, which this ABI refuses".into());
    }
}

/// A path of a place that none of some wants has.
fn left<'w, 'a: 'w>(
    op: FileOp,
    place: &Pattern,
    allowed: impl Iterator<Item = &'w Want<'a>>,
) -> Result<Option<String>, TooLarge> {
    let in_directory = matches!(op, FileOp::Create | FileOp::Delete);
    // Making and removing the topmost directory takes a right on the one above it.
    let top = place.with_tail(Tail::Directory);
    let tops = in_directory && place.tail() == Tail::Subtree;
    let plain = |pattern| Narrowed { pattern, except: &[] };
    let taken = allowed.map(|w| Narrowed { pattern: w.pattern, except: w.except });
    let taken = taken.chain(tops.then_some(plain(&top))).collect();
    let (files, directories) = (op != FileOp::List, op == FileOp::List || in_directory);
    Leftover { whole: plain(place), taken, files, directories }.witness()
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
    let prefixes = |n: usize| grants.get(n).map(|g| g.0.prefixes()).unwrap_or_default();
    for (place, rights) in near.to(pattern, &prefixes).into_iter().filter_map(|n| grants.get(n)) {
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
