//! Denies and exceptions inside an area to parts with a type each, and to the lines that give them.
//!
//! Parts are the atoms of the patterns that cut the area; two parts in which every policy may do the same share a type.

use super::area::Area;
use super::error::LowerErrorKind;
use super::own::OwnNo;
use crate::selinux::base::{Kind, Rank};
use crate::selinux::model::FcLine;
use crate::selinux::names::TypeName;
use crate::selinux::path::FcPath;
use canc_dsl::policy::RuleId;
use canc_sets::path::meet;
use canc_sets::path::{Lang, Pattern, Tail, TooLarge, Universe};
use std::collections::BTreeSet;

/// The most parts of one area.
pub(super) const MAX_PARTS: usize = 64;

/// What a cutting pattern is to one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Cut {
    /// The rule is a deny and names the pattern.
    Deny,
    /// The rule is an allow and excepts the pattern.
    Except,
    /// The rule is a deny and excepts the pattern.
    DenyExcept,
    /// The rule is an allow and names the pattern, which is a part of the area.
    Allow,
}

/// A pattern that cuts an area, and for which rules.
#[derive(Debug, Clone)]
pub(super) struct Cutter {
    /// The pattern.
    pub(super) pattern: Pattern,
    /// Policy, rule and role.
    pub(super) uses: Vec<(usize, RuleId, Cut)>,
}

/// A part of an area.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// The cutters that it lies in, by their place; it lies in no other.
    pub(super) inside: BTreeSet<usize>,
    /// A path of it.
    pub(super) witness: String,
    /// Its type.
    pub(super) ty: OwnNo,
}

/// The parts of an area that the cutters make; `nested` are areas that lie in it and are no part of it.
pub(super) fn parts(
    area: &Area,
    cutters: &[Cutter],
    nested: &[&Pattern],
) -> Result<Vec<Part>, LowerErrorKind> {
    atoms(area, cutters, nested).map_err(|e| match e {
        Trouble::TooLarge(e) => LowerErrorKind::TooLarge { pattern: e.pattern },
        Trouble::TooMany => {
            LowerErrorKind::TooManyParts { label: area.label.clone().unwrap_or_default(), most: MAX_PARTS }
        }
    })
}

enum Trouble {
    TooLarge(TooLarge),
    TooMany,
}

impl From<TooLarge> for Trouble {
    fn from(e: TooLarge) -> Self {
        Self::TooLarge(e)
    }
}

fn atoms(area: &Area, cutters: &[Cutter], nested: &[&Pattern]) -> Result<Vec<Part>, Trouble> {
    let mut whole = Lang::patterns([&area.pattern])?;
    if !nested.is_empty() {
        whole = whole.minus(Lang::patterns(nested.iter().copied())?);
    }
    let Some(witness) = whole.witness(Universe::Paths)? else { return Ok(Vec::new()) };
    let mut done: Vec<(BTreeSet<usize>, Lang, String)> = vec![(BTreeSet::new(), whole, witness)];
    for (number, cutter) in cutters.iter().enumerate() {
        let cut = Lang::patterns([&cutter.pattern])?;
        let mut next = Vec::new();
        for (inside, lang, witness) in done {
            // What lies in a pattern that this one does not meet stays as it is.
            let apart =
                |c: &usize| cutters.get(*c).is_some_and(|c| c.pattern.meets(&cutter.pattern) == Some(false));
            if inside.iter().any(apart) {
                next.push((inside, lang, witness));
                continue;
            }
            let within = lang.clone().and(cut.clone());
            if let Some(witness) = within.witness(Universe::Paths)? {
                let mut inside = inside.clone();
                inside.insert(number);
                next.push((inside, within, witness));
            }
            let without = lang.minus(cut.clone());
            let kept = if cutter.pattern.matches(&witness) {
                without.witness(Universe::Paths)?
            } else {
                Some(witness)
            };
            if let Some(witness) = kept {
                next.push((inside, without, witness));
            }
        }
        done = next;
        if done.len() > MAX_PARTS {
            return Err(Trouble::TooMany);
        }
    }
    Ok(done.into_iter().map(|(inside, _, witness)| Part { inside, witness, ty: area.main }).collect())
}

/// The lines that give each part its type. `name` is the name of a type.
pub(super) fn lines(
    area: &Area,
    cutters: &[Cutter],
    parts: &[Part],
    name: &dyn Fn(OwnNo) -> Option<TypeName>,
) -> Vec<FcLine> {
    let mut lines: Vec<FcLine> = Vec::new();
    let whole = FcPath::new(area.pattern.clone());
    lines.extend(name(area.main).map(|ty| FcLine { path: whole, kind: area.kind, ty }));
    let mut order: Vec<&Part> = parts.iter().collect();
    order.sort_by_key(|p| (p.inside.len(), p.inside.clone()));
    for part in order {
        let Some(ty) = name(part.ty) else { continue };
        let matching = |l: &&FcLine| l.path.matches(&part.witness) && kind_fits(l.kind, &part.witness);
        let winner = lines.iter().filter(matching).max_by_key(|l| Rank::new(&l.path.text(), l.kind));
        if winner.is_some_and(|l| l.ty == ty) {
            continue;
        }
        let beaten: Vec<Rank> =
            lines.iter().filter(matching).map(|l| Rank::new(&l.path.text(), l.kind)).collect();
        lines.extend(line_for(area, cutters, part, &beaten).map(|(path, kind)| FcLine { path, kind, ty }));
    }
    lines
}

fn kind_fits(kind: Kind, path: &str) -> bool {
    match kind {
        Kind::Any => true,
        Kind::Directory => path.ends_with('/'),
        _ => !path.ends_with('/'),
    }
}

/// The spelling of a part that beats the lines it lies under. The pattern with the longest literal part comes first, since
/// that length decides; the others become conditions; the rest is length.
fn line_for(area: &Area, cutters: &[Cutter], part: &Part, beaten: &[Rank]) -> Option<(FcPath, Kind)> {
    let mut all: Vec<&Pattern> =
        part.inside.iter().filter_map(|i| cutters.get(*i)).map(|c| &c.pattern).collect();
    // A cutter wider than the area is a condition that always holds.
    all.retain(|p| p.covers(&area.pattern) != Some(true));
    if all.is_empty() || all.iter().all(|p| p.literal_prefix().len() < area.pattern.literal_prefix().len()) {
        all.push(&area.pattern);
    }
    let longest = all
        .iter()
        .copied()
        .max_by(|a, b| a.literal_prefix().len().cmp(&b.literal_prefix().len()).then_with(|| b.cmp(a)))?;
    let others: Vec<Pattern> = all.into_iter().filter(|p| *p != longest).cloned().collect();
    let path = FcPath::all(longest.clone(), &others);
    let kind = if path.directories() { Kind::Directory } else { area.kind };
    (0..=u8::MAX)
        .map(|pad| path.clone().padded(pad))
        .find(|p| {
            let rank = Rank::new(&p.text(), kind);
            beaten.iter().all(|b| *b < rank)
        })
        .map(|p| (p, kind))
}

/// Whether a pattern lies in the area and is not the whole of it.
pub(super) fn cuts(pattern: &Pattern, area: &Area) -> Result<bool, TooLarge> {
    Ok(pattern.covers(&area.pattern) != Some(true) && meet(pattern, &area.pattern)?)
}

/// Whether an allow of this form may get a part of its own: a literal path, or a literal directory with its contents.
pub(super) fn is_literal(pattern: &Pattern) -> bool {
    pattern.has_literal_components()
        || (pattern.literal_prefix_components() == pattern.components().len()
            && pattern.tail() != Tail::Entry)
}
