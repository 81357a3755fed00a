//! The text of file contexts to lines that stand beside a base's: which of them label a path, and which beat the base's.

use super::ReadError;
use crate::selinux::base::labelling::{Labelling, Overlay};
use crate::selinux::base::pack::facts::{Context, Facts};
use crate::selinux::base::pack::packer;
use crate::selinux::base::pack::tables::{Entry, NO_TYPE, Shape, Tables};
use crate::selinux::base::{Base, Kind, Packed, Rank};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// The pattern.
    pub pattern: String,
    /// The file type.
    pub kind: Kind,
    /// The type.
    pub ty: String,
}

/// Reads file contexts.
///
/// # Errors
/// The first line that no emitted file has.
pub fn read(text: &str) -> Result<Vec<Line>, ReadError> {
    let lines = text.lines().zip(1..).filter(|(l, _)| !l.is_empty() && !l.starts_with('#'));
    lines
        .map(|(line, number)| {
            let wrong = || ReadError { line: number, what: format!("`{line}` is not understood") };
            let words: Vec<&str> = line.split_whitespace().collect();
            let (pattern, kind, context) = match words.as_slice() {
                [pattern, context] => (*pattern, Kind::Any, *context),
                [pattern, kind, context] => (*pattern, Kind::from_field(kind).ok_or_else(wrong)?, *context),
                _ => return Err(wrong()),
            };
            let ty = context.strip_prefix("system_u:object_r:").and_then(|c| c.strip_suffix(":s0"));
            Ok(Line { pattern: pattern.into(), kind, ty: ty.ok_or_else(wrong)?.into() })
        })
        .collect()
}

/// The lines beside the base's.
///
/// # Errors
/// A pattern that is not understood.
pub fn beside(base: &Base, lines: &[Line]) -> Result<Labelling, ReadError> {
    let wrong = |what: String| ReadError { line: 0, what };
    let mut facts = Facts::default();
    let mut helpers: BTreeSet<String> = BTreeSet::new();
    let add = |facts: &mut Facts, context: Context| {
        let template = context.pattern.starts_with("HOME_") || context.pattern.contains("%{");
        if template { &mut facts.homes } else { &mut facts.contexts }.push(context);
    };
    for line in lines {
        let (plain, ahead) = split(&line.pattern).ok_or_else(|| wrong(format!("`{}`", line.pattern)))?;
        for text in ahead {
            if helpers.insert(text.clone()) {
                let pattern = helper(&text);
                add(&mut facts, Context { pattern, matched: Some(text), kind: Kind::Any, ty: None });
            }
        }
        let matched = (plain != line.pattern).then_some(plain);
        let ty = Some(line.ty.clone());
        add(&mut facts, Context { pattern: line.pattern.clone(), matched, kind: line.kind, ty });
    }
    let tables = packer::pack(&facts).map_err(|e| wrong(e.to_string()))?;
    let beats = beats(base, &tables);
    let places: HashMap<&str, u32> = (0u32..)
        .zip(tables.entries.iter())
        .filter(|(_, e)| e.ty == NO_TYPE)
        .map(|(at, e)| (tables.text(e.pattern), at))
        .collect();
    let with = tables
        .entries
        .iter()
        .map(|e| {
            let ahead = if e.ty == NO_TYPE { None } else { split(tables.text(e.pattern)) };
            let ahead = ahead.map(|s| s.1).unwrap_or_default();
            ahead.iter().filter_map(|text| places.get(helper(text).as_str()).copied()).collect()
        })
        .collect();
    let helper = tables.entries.iter().map(|e| e.ty == NO_TYPE).collect();
    let overlay = Overlay { beats, with, helper, tables: Packed::Owned(Arc::new(tables)) };
    Ok(Labelling::new(base, Some(overlay)))
}

/// The name under which what a look-ahead asks for stands in the tables: no line of a module is spelled so.
fn helper(text: &str) -> String {
    format!("{text}(?=)")
}

/// A pattern without its look-aheads, and what each of them asks of the whole path; `None` where a bracket is open.
fn split(pattern: &str) -> Option<(String, Vec<String>)> {
    const OPEN: &str = "(?=";
    let Some((head, mut rest)) = pattern.split_once(OPEN) else {
        return Some((pattern.to_owned(), Vec::new()));
    };
    let mut ahead = Vec::new();
    loop {
        let (choices, after) = choices(rest)?;
        let whole: Vec<&str> = choices.iter().map(|c| c.strip_suffix('$')).collect::<Option<_>>()?;
        ahead.push(format!("{head}(?:{})", whole.join("|")));
        match after.strip_prefix(OPEN) {
            Some(next) => rest = next,
            None => return Some((format!("{head}{after}"), ahead)),
        }
    }
}

/// The choices of a group whose opening bracket is behind us, and what follows the closing one.
fn choices(text: &str) -> Option<(Vec<&str>, &str)> {
    let (mut depth, mut in_class, mut from) = (0u32, false, 0);
    let mut out = Vec::new();
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b']' if in_class => in_class = false,
            _ if in_class => {}
            b'[' => in_class = true,
            b'(' => depth += 1,
            b')' if depth == 0 => {
                out.push(text.get(from..at)?);
                return Some((out, text.get(at + 1..)?));
            }
            b')' => depth -= 1,
            b'|' if depth == 0 => {
                out.push(text.get(from..at)?);
                from = at + 1;
            }
            _ => {}
        }
    }
    None
}

/// For each line how many of the base's it beats.
fn beats(base: &Base, own: &Tables) -> Vec<u32> {
    let theirs = base.tables();
    let beaten = |e: &Entry| theirs.entries.partition_point(|t| key(theirs, t) < key(own, e));
    own.entries.iter().map(|e| u32::try_from(beaten(e)).unwrap_or(u32::MAX)).collect()
}

/// A line's place in the order of a policy.
pub(super) fn key(tables: &Tables, entry: &Entry) -> (bool, bool, bool, Rank) {
    let rank = Rank {
        plain: Rank::new(tables.text(entry.pattern), entry.kind).plain,
        stem: u32::from(entry.stem),
        length: u32::from(entry.length),
        kind: entry.kind,
    };
    (entry.shape == Shape::Plain, entry.home, entry.root, rank)
}
