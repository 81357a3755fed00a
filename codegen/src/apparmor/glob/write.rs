//! Patterns to the text of globs.

use super::PROCESS;
use canc_sets::path::{Anchor, Component, Pattern, Piece, Tail};

/// Which paths of a pattern a glob is for: AppArmor writes directories with a slash at the end and everything else without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// Everything but directories.
    File,
    /// Directories.
    Directory,
    /// Both.
    Both,
}

/// Ten digits, the length of the greatest user number.
const USER_NUMBER: &str = "[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]}}}}}}}}}";

/// The glob of a pattern for a form; `None` when the pattern has no such path.
pub(super) fn pattern(pattern: &Pattern, form: Form) -> Option<String> {
    if form == Form::File && pattern.tail() == Tail::Directory {
        return None;
    }
    let mut out = String::with_capacity(64);
    let is_root = pattern.anchor() == Anchor::Root && pattern.components().is_empty();
    match pattern.anchor() {
        Anchor::Root => {}
        Anchor::Home => out.push_str("/{home/?*,root}"),
        Anchor::RunUser => {
            out.push_str("/run/user/");
            out.push_str(USER_NUMBER);
        }
        Anchor::SelfProc => out.push_str(PROCESS),
    }
    if is_root && pattern.tail() != Tail::Subtree {
        // The root directory has one spelling, and it is a directory's.
        return (form != Form::File).then(|| "/".into());
    }
    let end = ending(pattern.tail(), form);
    let mut components = own_process(pattern).iter().peekable();
    if components.len() != pattern.components().len() {
        out.push_str(PROCESS);
    }
    let mut in_globstar = false;
    while let Some(component) = components.next() {
        let last = components.peek().is_none();
        if !in_globstar {
            out.push('/');
        }
        let after_slash = !std::mem::take(&mut in_globstar);
        match component {
            Component::Literal(name) => literal(&mut out, name),
            Component::Globstar => {
                out.push_str("{,**/}");
                in_globstar = true;
            }
            Component::Glob(list) => pieces(&mut out, list, after_slash && (!last || !end.starts_with('{'))),
        }
    }
    match (in_globstar, pattern.tail(), form) {
        (false, ..) => out.push_str(end),
        // What ends in any number of components ends like a subtree.
        (true, Tail::Directory, _) | (true, _, Form::Directory) => {}
        (true, _, form) => {
            out.truncate(out.len() - "{,**/}".len());
            out.push_str(ending(Tail::Subtree, form).trim_start_matches('/'));
        }
    }
    Some(out)
}

/// Whether a pattern starts at the directory of the own process, by its built-in name or by its path.
pub(super) fn is_process(pattern: &Pattern) -> bool {
    pattern.anchor() == Anchor::SelfProc || own_process(pattern).len() != pattern.components().len()
}

/// The components after `/proc/self`, where a pattern from the root names that directory; else all of them.
fn own_process(pattern: &Pattern) -> &[Component] {
    let literal =
        |c: Option<&Component>, want: &str| matches!(c, Some(Component::Literal(name)) if &**name == want);
    let all = pattern.components();
    let own = pattern.anchor() == Anchor::Root && literal(all.first(), "proc") && literal(all.get(1), "self");
    if own { all.get(2..).unwrap_or_default() } else { all }
}

fn ending(tail: Tail, form: Form) -> &'static str {
    match (tail, form) {
        (Tail::Entry, Form::File) => "",
        (Tail::Entry, Form::Both) => "{,/}",
        (Tail::Entry, Form::Directory) | (Tail::Directory, _) => "/",
        (Tail::Subtree, Form::File) => "/**[^/]",
        (Tail::Subtree, Form::Directory) => "/{,**/}",
        (Tail::Subtree, Form::Both) => "/{,**}",
    }
}

/// Text that matches exactly `text`, inside double quotes and wherever in a glob.
pub(super) fn literal(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '*' | '?' | '[' | ']' | '{' | '}' | '^' | ',' => {
                out.push('\\');
                out.push(c);
            }
            // An at sign before a brace of ours would start a variable, a backslash at the end would escape the closing quote, and a quote
            // has no other escape.
            '"' | '@' | '\\' | '\u{1}'..='\u{1f}' | '\u{7f}' => hex(out, c),
            c => out.push(c),
        }
    }
}

fn hex(out: &mut String, c: char) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let code = u32::from(c) & 0xff;
    out.push_str("\\x");
    for digit in [code >> 4, code & 15] {
        out.push(DIGITS.get(digit as usize).copied().map_or('0', char::from));
    }
}

/// A component with metacharacters. `alone` tells whether a slash stands before it and a slash, or nothing, after it.
fn pieces(out: &mut String, list: &[Piece], alone: bool) {
    if list == [Piece::Star] {
        out.push_str(if alone { "*" } else { "?*" });
        return;
    }
    for piece in list {
        match piece {
            Piece::Lit(text) => literal(out, text),
            Piece::Any => out.push('?'),
            Piece::Star => out.push('*'),
            Piece::Class { negated, ranges } => class(out, *negated, ranges),
        }
    }
}

/// The characters that stand for themselves in a class, wherever they stand in it.
fn plain_in_class(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'()+,./:;<=>_`|~ ".contains(&byte)
}

/// A class of one byte other than `/` and NUL, in a spelling that every byte survives: inside a class a comma has no working
/// escape, `^` means "not" when it is first however it is escaped, and `-` is literal only when it is first.
pub(super) fn class(out: &mut String, negated: bool, ranges: &[(u8, u8)]) {
    let member = |b: u8| b != b'/' && ranges.iter().any(|(low, high)| (*low..=*high).contains(&b));
    let all: Vec<u8> = (1..=127).filter(|b| member(*b)).collect();
    if let ([only], false) = (all.as_slice(), negated) {
        literal(out, &char::from(*only).to_string());
        return;
    }
    out.push_str(if negated { "[^" } else { "[" });
    if all.contains(&b'-') {
        out.push('-');
    }
    if negated {
        out.push_str("\\x00/");
    }
    let mut rest = all.iter().copied().filter(|b| !matches!(b, b'^' | b'-')).peekable();
    while let Some(first) = rest.next() {
        let mut last = first;
        // Only letters and digits are joined, so that no end of a range needs an escape.
        while let Some(next) = rest.next_if(|n| same_run(last, *n)) {
            last = next;
        }
        class_range(out, first, last);
    }
    if all.contains(&b'^') {
        out.push('^');
    }
    out.push(']');
}

fn same_run(last: u8, next: u8) -> bool {
    let kind = |b: u8| (b.is_ascii_digit(), b.is_ascii_lowercase(), b.is_ascii_uppercase());
    last.is_ascii_alphanumeric() && last.checked_add(1) == Some(next) && kind(last) == kind(next)
}

fn class_range(out: &mut String, first: u8, last: u8) {
    let one = |out: &mut String, b: u8| {
        if plain_in_class(b) { out.push(char::from(b)) } else { hex(out, char::from(b)) }
    };
    one(out, first);
    if last > first.saturating_add(1) {
        out.push('-');
    }
    if last > first {
        one(out, last);
    }
}
