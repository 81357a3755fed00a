//! Pattern text to [`Pattern`]s: alternatives expanded, components split, aliases of directories rewritten.

use super::{Anchor, Component, Pattern, Piece, Tail};
use std::fmt;

/// The longest pattern text, in bytes: Linux's `PATH_MAX`.
pub const MAX_PATTERN_BYTES: usize = 4096;
/// The most patterns that the alternatives of one text may expand to.
pub const MAX_ALTERNATIVES: usize = 256;

/// Why a pattern text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// What is wrong.
    pub kind: PatternErrorKind,
    /// Where, as a byte offset into the text.
    pub at: usize,
}

/// What can be wrong with a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternErrorKind {
    /// It does not start with `/` or a built-in directory.
    NotAbsolute,
    /// A component is `.` or `..`.
    Dots,
    /// Two slashes in a row.
    EmptyComponent,
    /// `**` beside other characters of a component.
    GlobstarMixed,
    /// `[` or `{` without its end, or an end without its start.
    Unbalanced,
    /// `{` inside `{…}`.
    NestedAlternatives,
    /// `[]`, a reversed range, a `/` or a character outside ASCII in a class.
    BadClass,
    /// A backslash at the end.
    DanglingEscape,
    /// `$` that starts nothing known, or a built-in that is not at the start.
    BadDollar,
    /// More than [`MAX_ALTERNATIVES`] expansions.
    TooManyAlternatives,
    /// More than [`MAX_PATTERN_BYTES`] bytes.
    TooLong,
    /// A control character.
    Control,
}

impl fmt::Display for PatternErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAbsolute => "a path pattern starts with `/`",
            Self::Dots => "`.` and `..` are not allowed in a path pattern",
            Self::EmptyComponent => "empty path component `//`",
            Self::GlobstarMixed => "`**` stands alone between slashes",
            Self::Unbalanced => "unbalanced bracket or brace",
            Self::NestedAlternatives => "alternatives inside alternatives",
            Self::BadClass => "bad character class",
            Self::DanglingEscape => "nothing follows the backslash",
            Self::BadDollar => "`$` starts no known name here",
            Self::TooManyAlternatives => "the alternatives expand to too many patterns",
            Self::TooLong => "the pattern is too long",
            Self::Control => "control character in a path pattern",
        })
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)
    }
}

impl std::error::Error for PatternError {}

/// Directories that are symbolic links on a system with merged `/usr` and `/run`, and what they point to.
const ALIASES: &[(&[&str], &[&str])] = &[
    (&["bin"], &["usr", "bin"]),
    (&["sbin"], &["usr", "sbin"]),
    (&["lib"], &["usr", "lib"]),
    (&["lib32"], &["usr", "lib32"]),
    (&["lib64"], &["usr", "lib64"]),
    (&["libx32"], &["usr", "libx32"]),
    (&["var", "run"], &["run"]),
    (&["var", "lock"], &["run", "lock"]),
];

/// A lexical unit of a pattern; `Slash` separates components.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Unit {
    Slash,
    Char(char),
    Any,
    Star,
    Globstar,
    Class { negated: bool, ranges: Vec<(u8, u8)> },
}

type Units = Vec<(Unit, usize)>;

fn fail<T>(kind: PatternErrorKind, at: usize) -> Result<T, PatternError> {
    Err(PatternError { kind, at })
}

pub(super) fn parse(text: &str) -> Result<Vec<Pattern>, PatternError> {
    if text.len() > MAX_PATTERN_BYTES {
        return fail(PatternErrorKind::TooLong, MAX_PATTERN_BYTES);
    }
    if let Some((at, _)) = text.char_indices().find(|(_, c)| c.is_control()) {
        return fail(PatternErrorKind::Control, at);
    }
    let (anchor, skip) = anchor(text)?;
    match plain(anchor, text.get(skip..).unwrap_or_default()) {
        Some(pattern) => Ok(vec![pattern]),
        None => general(text, anchor, skip),
    }
}

fn general(text: &str, anchor: Anchor, skip: usize) -> Result<Vec<Pattern>, PatternError> {
    let mut out: Vec<Pattern> = Vec::new();
    for units in expand(text, skip)? {
        let pattern = assemble(anchor, &units, text.len())?;
        if !out.contains(&pattern) {
            out.push(pattern);
        }
    }
    Ok(out)
}

fn anchor(text: &str) -> Result<(Anchor, usize), PatternError> {
    let known = [("${home}", Anchor::Home), ("${run_user}", Anchor::RunUser), ("${self}", Anchor::SelfProc)];
    for (name, anchor) in known {
        if let Some(rest) = text.strip_prefix(name) {
            return if rest.is_empty() || rest.starts_with('/') {
                Ok((anchor, name.len()))
            } else {
                fail(PatternErrorKind::BadDollar, name.len())
            };
        }
    }
    match text.chars().next() {
        Some('/') => Ok((Anchor::Root, 0)),
        Some('$') => fail(PatternErrorKind::BadDollar, 0),
        _ => fail(PatternErrorKind::NotAbsolute, 0),
    }
}

/// The pattern of a text whose only metacharacters are a final `/**`, which is what most are; `None` for any other text, and for one
/// with an error, so that the errors are found in one place.
fn plain(anchor: Anchor, text: &str) -> Option<Pattern> {
    let (stem, tail) = match text.strip_suffix("/**") {
        Some(stem) => (stem, Tail::Subtree),
        None => match text.strip_suffix('/') {
            Some(stem) => (stem, Tail::Directory),
            None => (text, Tail::Entry),
        },
    };
    if stem.contains(['*', '?', '[', ']', '{', '}', '\\', '$']) {
        return None;
    }
    let mut components = Vec::with_capacity(stem.bytes().filter(|b| *b == b'/').count());
    if !stem.is_empty() {
        for name in stem.strip_prefix('/')?.split('/') {
            if matches!(name, "" | "." | "..") {
                return None;
            }
            components.push(Component::Literal(name.into()));
        }
    }
    if anchor == Anchor::Root {
        rewrite_alias(&mut components);
    }
    Some(Pattern { anchor, components, tail })
}

/// Splits into units and multiplies out `{a,b}`.
fn expand(text: &str, skip: usize) -> Result<Vec<Units>, PatternError> {
    let mut done: Vec<Units> = vec![Vec::new()];
    let mut chars = Scanner { text, at: skip };
    while let Some((at, c)) = chars.next() {
        if c == '{' {
            let options = alternatives(&mut chars, at)?;
            if done.len().saturating_mul(options.len()) > MAX_ALTERNATIVES {
                return fail(PatternErrorKind::TooManyAlternatives, at);
            }
            done = done
                .iter()
                .flat_map(|head| options.iter().map(move |tail| head.iter().chain(tail).cloned().collect()))
                .collect();
            continue;
        }
        let unit = unit(&mut chars, at, c)?;
        done.iter_mut().for_each(|units| units.push((unit.clone(), at)));
    }
    Ok(done)
}

fn alternatives(chars: &mut Scanner<'_>, start: usize) -> Result<Vec<Units>, PatternError> {
    let mut options: Vec<Units> = Vec::new();
    let mut current: Units = Vec::new();
    while let Some((at, c)) = chars.next() {
        match c {
            '{' => return fail(PatternErrorKind::NestedAlternatives, at),
            ',' => options.push(std::mem::take(&mut current)),
            '}' => {
                options.push(current);
                return Ok(options);
            }
            _ => {
                let unit = unit(chars, at, c)?;
                current.push((unit, at));
            }
        }
    }
    fail(PatternErrorKind::Unbalanced, start)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn next(&mut self) -> Option<(usize, char)> {
        let at = self.at;
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some((at, c))
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    /// The next character with a backslash taken as "the next one is literal", and whether there was one.
    fn literal(&mut self) -> Result<Option<(char, bool)>, PatternError> {
        match self.next() {
            None => Ok(None),
            Some((at, '\\')) => match self.next() {
                Some((_, c)) => Ok(Some((c, true))),
                None => fail(PatternErrorKind::DanglingEscape, at),
            },
            Some((_, c)) => Ok(Some((c, false))),
        }
    }
}

fn unit(chars: &mut Scanner<'_>, at: usize, c: char) -> Result<Unit, PatternError> {
    match c {
        '/' => Ok(Unit::Slash),
        '?' => Ok(Unit::Any),
        '[' => class(chars, at),
        ']' | '}' => fail(PatternErrorKind::Unbalanced, at),
        '$' => fail(PatternErrorKind::BadDollar, at),
        '*' if chars.peek() == Some('*') => {
            chars.next();
            Ok(Unit::Globstar)
        }
        '*' => Ok(Unit::Star),
        '\\' => match chars.next() {
            Some((_, '/')) => Ok(Unit::Slash),
            Some((_, c)) => Ok(Unit::Char(c)),
            None => fail(PatternErrorKind::DanglingEscape, at),
        },
        c => Ok(Unit::Char(c)),
    }
}

fn class(chars: &mut Scanner<'_>, at: usize) -> Result<Unit, PatternError> {
    let negated = chars.peek() == Some('!');
    if negated {
        chars.next();
    }
    let mut ranges = Vec::new();
    loop {
        let Some((low, escaped)) = chars.literal()? else { return fail(PatternErrorKind::Unbalanced, at) };
        if low == ']' && !escaped {
            break;
        }
        let mut high = low;
        if chars.peek() == Some('-') {
            chars.next();
            match chars.literal()? {
                Some((c, escaped)) if c != ']' || escaped => high = c,
                _ => return fail(PatternErrorKind::BadClass, at),
            }
        }
        match (u8::try_from(low), u8::try_from(high)) {
            (Ok(a), Ok(b)) if a <= b && b.is_ascii() && !(a..=b).contains(&b'/') => ranges.push((a, b)),
            _ => return fail(PatternErrorKind::BadClass, at),
        }
    }
    if ranges.is_empty() { fail(PatternErrorKind::BadClass, at) } else { Ok(Unit::Class { negated, ranges }) }
}

fn assemble(anchor: Anchor, units: &[(Unit, usize)], end: usize) -> Result<Pattern, PatternError> {
    let mut components = Vec::new();
    let mut rest = units;
    let mut trailing_slash = false;
    while let Some(((first, at), tail)) = rest.split_first() {
        if *first != Unit::Slash {
            // Only an alternative at the very start can bring a component without its slash.
            return fail(PatternErrorKind::NotAbsolute, *at);
        }
        let length = tail.iter().position(|(u, _)| *u == Unit::Slash).unwrap_or(tail.len());
        let (name, after) = tail.split_at(length);
        trailing_slash = name.is_empty();
        if trailing_slash && !after.is_empty() {
            return fail(PatternErrorKind::EmptyComponent, at + 1);
        }
        if !trailing_slash {
            components.push(component(name)?);
        }
        rest = after;
    }
    if components.is_empty() && !trailing_slash && anchor == Anchor::Root {
        return fail(PatternErrorKind::NotAbsolute, end);
    }
    components.dedup_by(|a, b| *a == Component::Globstar && *b == Component::Globstar);
    let tail = match components.last() {
        Some(Component::Globstar) if !trailing_slash => {
            components.pop();
            Tail::Subtree
        }
        _ if trailing_slash => Tail::Directory,
        _ => Tail::Entry,
    };
    if anchor == Anchor::Root {
        rewrite_alias(&mut components);
    }
    Ok(Pattern { anchor, components, tail })
}

fn component(units: &[(Unit, usize)]) -> Result<Component, PatternError> {
    if let [(Unit::Globstar, _)] = units {
        return Ok(Component::Globstar);
    }
    let mut pieces: Vec<Piece> = Vec::new();
    for (unit, at) in units {
        match unit {
            Unit::Globstar => return fail(PatternErrorKind::GlobstarMixed, *at),
            Unit::Any => pieces.push(Piece::Any),
            Unit::Star if pieces.last() == Some(&Piece::Star) => {}
            Unit::Star => pieces.push(Piece::Star),
            Unit::Class { negated, ranges } => {
                pieces.push(Piece::Class { negated: *negated, ranges: ranges.clone() });
            }
            Unit::Char(c) => match pieces.last_mut() {
                Some(Piece::Lit(text)) => text.push(*c),
                _ => pieces.push(Piece::Lit((*c).into())),
            },
            Unit::Slash => {}
        }
    }
    match pieces.as_slice() {
        [Piece::Lit(name)] if name == "." || name == ".." => {
            fail(PatternErrorKind::Dots, units.first().map_or(0, |u| u.1))
        }
        [Piece::Lit(name)] => Ok(Component::Literal(name.as_str().into())),
        _ => Ok(Component::Glob(pieces)),
    }
}

fn rewrite_alias(components: &mut Vec<Component>) {
    let literal =
        |c: Option<&Component>, want: &str| matches!(c, Some(Component::Literal(n)) if &**n == want);
    for (from, to) in ALIASES {
        if from.iter().enumerate().all(|(i, want)| literal(components.get(i), want)) {
            components.splice(..from.len(), to.iter().map(|n| Component::Literal((*n).into())));
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_short_way_reads_what_the_long_way_reads(text in r"(\$\{home\})?(/|//|/\.|\.\.|/\*\*|a|b,|bin|var|run|/lib|\*){0,6}") {
            if let Ok((anchor, skip)) = anchor(&text)
                && let Some(short) = plain(anchor, &text[skip..])
            {
                prop_assert_eq!(general(&text, anchor, skip), Ok(vec![short]));
            }
        }
    }
}
