//! A pattern without others as globs that do not meet them.
//!
//! The profile language has no difference, but the names that differ from some given ones can be written down: those that go
//! another way at the first byte, at the second, and so on. That covers exceptions which name something below a directory of
//! the pattern; the general case is nobody's.

use super::{AaGlob, Form, write};
use canc_sets::path::{Component, Pattern, Piece, Tail};
use std::collections::{BTreeMap, BTreeSet};

/// The most branches that one alternation of names may have.
const MAX_BRANCHES: usize = 512;

/// Globs for the paths of `pattern` (of one form) that are in none of `except`; `None` where they cannot be written.
#[must_use]
pub fn without(pattern: &Pattern, except: &[&Pattern], form: Form) -> Option<Vec<AaGlob>> {
    let (base, tree) = match pattern.tail() {
        Tail::Subtree => (pattern.components(), false),
        Tail::Entry => match pattern.components().split_last()? {
            (Component::Glob(last), base) if *last == [Piece::Star] => (base, true),
            _ => return None,
        },
        Tail::Directory => return None,
    };
    if base.contains(&Component::Globstar) {
        return None;
    }
    let mut root = Directory::default();
    for taken in except {
        let below = taken.components().strip_prefix(base)?;
        if taken.anchor() != pattern.anchor() || (tree && below.len() != 1) {
            return None;
        }
        root.take(below, taken.tail())?;
    }
    let mut out = Writer { form, globs: Vec::new() };
    let place = prefix(pattern, base)?;
    if tree {
        out.entries(&place, &root)?
    } else {
        out.directory(&place, &root)?
    }
    out.globs.into_iter().map(|text| AaGlob::parse(&text).ok()).collect()
}

/// The text of a directory that consists of the pattern's anchor and some of its components, without trailing slash.
fn prefix(pattern: &Pattern, base: &[Component]) -> Option<String> {
    let whole = write::pattern(&pattern.with_tail(Tail::Directory), Form::Directory)?;
    let dropped = pattern.components().len() - base.len();
    let mut text = whole.trim_end_matches('/');
    for _ in 0..dropped {
        text = text.rsplit_once('/')?.0;
    }
    Some(text.into())
}

/// What is taken out of a directory.
#[derive(Default)]
struct Directory {
    /// The directory itself.
    itself: bool,
    /// It, and everything below it.
    whole: bool,
    /// An entry that is no directory.
    as_file: bool,
    names: BTreeMap<String, Directory>,
    /// Names by what they start with, and how the pattern that took them ends.
    prefixes: BTreeMap<String, Tail>,
}

impl Directory {
    fn take(&mut self, below: &[Component], tail: Tail) -> Option<()> {
        match below {
            [] => {
                self.itself = true;
                self.as_file |= tail == Tail::Entry;
                self.whole |= tail == Tail::Subtree;
            }
            [Component::Literal(name), rest @ ..] => {
                if !name.is_ascii() || self.prefixes.keys().any(|p| name.starts_with(p.as_str())) {
                    return None;
                }
                self.names.entry(name.to_string()).or_default().take(rest, tail)?;
            }
            [Component::Glob(pieces)] => {
                let [Piece::Lit(start), Piece::Star] = pieces.as_slice() else { return None };
                let clash = self.names.keys().any(|n| n.starts_with(start.as_str()))
                    || self
                        .prefixes
                        .keys()
                        .any(|p| p.starts_with(start.as_str()) || start.starts_with(p.as_str()));
                if clash || !start.is_ascii() {
                    return None;
                }
                self.prefixes.insert(start.clone(), tail);
            }
            _ => return None,
        }
        Some(())
    }
}

struct Writer {
    form: Form,
    globs: Vec<String>,
}

impl Writer {
    fn push(&mut self, file: Option<&str>, directory: Option<&str>, both: Option<&str>, place: &str) {
        let end = match self.form {
            Form::File => file,
            Form::Directory => directory,
            Form::Both => both,
        };
        self.globs.extend(end.map(|end| format!("{place}{end}")));
    }

    /// Everything at and below a directory that is not taken.
    fn directory(&mut self, place: &str, taken: &Directory) -> Option<()> {
        if taken.whole {
            return Some(());
        }
        if !taken.itself {
            self.push(None, Some("/"), Some("/"), place);
        }
        let others = other_names(taken)?;
        self.push(Some("{,/**[^/]}"), Some("/{,**/}"), Some("{,/{,**}}"), &format!("{place}/{others}"));
        for (name, child) in &taken.names {
            let place = joined(place, name);
            if !child.as_file {
                self.push(Some(""), None, Some(""), &place);
            }
            self.directory(&place, child)?;
        }
        for (start, tail) in &taken.prefixes {
            let place = format!("{}*", joined(place, start));
            if *tail != Tail::Entry {
                self.push(Some(""), None, Some(""), &place);
            }
            if *tail != Tail::Subtree {
                self.push(Some("/**[^/]"), Some("/?*/{,**/}"), Some("/?**"), &place);
            }
        }
        Some(())
    }

    /// The entries of a directory that are not taken, without what is below them.
    fn entries(&mut self, place: &str, taken: &Directory) -> Option<()> {
        let others = other_names(taken)?;
        self.push(Some(""), Some("/"), Some("{,/}"), &format!("{place}/{others}"));
        let names =
            taken.names.iter().map(|(name, child)| (joined(place, name), child.as_file, child.itself));
        let starts = taken
            .prefixes
            .iter()
            .map(|(start, tail)| (format!("{}*", joined(place, start)), *tail == Tail::Entry, true));
        for (place, as_file, itself) in names.chain(starts).collect::<Vec<_>>() {
            if !as_file {
                self.push(Some(""), None, Some(""), &place);
            }
            if !itself {
                self.push(None, Some("/"), Some("/"), &place);
            }
        }
        Some(())
    }
}

fn joined(place: &str, name: &str) -> String {
    let mut out = format!("{place}/");
    write::literal(&mut out, name);
    out
}

/// The alternation of all names that are neither taken nor start as taken ones do.
fn other_names(taken: &Directory) -> Option<String> {
    let names: BTreeSet<&[u8]> = taken.names.keys().map(String::as_bytes).collect();
    let starts: BTreeSet<&[u8]> = taken.prefixes.keys().map(String::as_bytes).collect();
    let mut branches = Vec::new();
    branch(&mut Vec::new(), &names, &starts, &mut branches)?;
    match branches.as_slice() {
        [one] => Some(one.clone()),
        many => Some(format!("{{{}}}", many.join(","))),
    }
}

/// The names that start with `so_far` and are not taken.
fn branch(
    so_far: &mut Vec<u8>,
    names: &BTreeSet<&[u8]>,
    starts: &BTreeSet<&[u8]>,
    out: &mut Vec<String>,
) -> Option<()> {
    if out.len() > MAX_BRANCHES {
        return None;
    }
    let text = |so_far: &[u8]| {
        let mut out = String::new();
        write::literal(&mut out, &String::from_utf8_lossy(so_far));
        out
    };
    if !so_far.is_empty() && !names.contains(so_far.as_slice()) {
        out.push(text(so_far));
    }
    let next: BTreeSet<u8> = names
        .iter()
        .chain(starts)
        .filter(|n| n.starts_with(so_far) && n.len() > so_far.len())
        .filter_map(|n| n.get(so_far.len()).copied())
        .collect();
    let mut other = text(so_far);
    match next.is_empty() {
        // Nothing taken goes on from here.
        true => other.push_str("?*"),
        false => {
            let ranges: Vec<(u8, u8)> = next.iter().map(|b| (*b, *b)).collect();
            write::class(&mut other, true, &ranges);
            other.push('*');
        }
    }
    out.push(other);
    for byte in next {
        so_far.push(byte);
        if !starts.contains(so_far.as_slice()) {
            branch(so_far, names, starts, out)?;
        }
        so_far.pop();
    }
    Some(())
}
