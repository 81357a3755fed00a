//! Lines of a text that is being written, and the atoms of one statement to such lines.

use super::atoms::{Atom, Gap, Kind};
use super::{INDENT, WIDTH};

/// The text so far.
#[derive(Default)]
pub(super) struct Lines {
    text: String,
}

impl Lines {
    /// Starts a line, after an empty one where `apart`.
    pub(super) fn line(&mut self, indent: usize, text: &str, apart: bool) {
        if apart && !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(&" ".repeat(indent));
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// Adds to the last line.
    pub(super) fn append(&mut self, text: &str) {
        if self.text.ends_with('\n') {
            self.text.pop();
        }
        self.text.push_str(text);
        self.text.push('\n');
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// How many columns a text takes; of one with several lines, the first.
pub(super) fn width(text: &str) -> usize {
    text.split('\n').next().unwrap_or_default().chars().count()
}

/// The atoms on one line; `None` when a comment is among them.
pub(super) fn flat(atoms: &[Atom<'_>]) -> Option<String> {
    let mut out = String::new();
    for atom in atoms {
        if matches!(atom.kind, Kind::Comment(_)) {
            return None;
        }
        if atom.before != Gap::None && !out.is_empty() {
            out.push(' ');
        }
        out.push_str(atom.text);
    }
    Some(out)
}

/// The atoms and `end` in as few lines as the width allows, indented from the second line on.
pub(super) fn statement(atoms: &[Atom<'_>], indent: usize, end: &str) -> String {
    if let Some(one) = flat(atoms)
        && indent + width(&one) + width(end) <= WIDTH
    {
        return one + end;
    }
    // A reason stands on a line of its own, and so does a condition if what is left is still too long.
    let reason = atoms.iter().position(|a| a.kind == Kind::Because).unwrap_or(atoms.len());
    let (front, reason) = atoms.split_at(reason);
    let last = if reason.is_empty() { end } else { "" };
    let mut fill = Fill::new(indent);
    let fits = flat(front).is_some_and(|one| indent + width(&one) + width(last) <= WIDTH);
    let condition = if fits { None } else { front.iter().position(|a| a.kind == Kind::Where) };
    let (rule, condition) = front.split_at(condition.unwrap_or(front.len()));
    for part in [rule, condition, reason] {
        if !part.is_empty() {
            fill.new_line();
            let is_last = part.as_ptr_range().end == atoms.as_ptr_range().end;
            fill.part(part, if is_last { width(end) } else { 0 });
        }
    }
    fill.finish(end)
}

/// Lines that are filled greedily.
struct Fill {
    out: String,
    indent: usize,
    /// The columns of the last line that are taken.
    column: usize,
    /// Nothing stands on the last line.
    fresh: bool,
    /// The last line is a comment's, so that nothing may follow on it.
    ended: bool,
}

impl Fill {
    fn new(indent: usize) -> Self {
        Self { out: String::new(), indent, column: indent, fresh: true, ended: false }
    }

    fn new_line(&mut self) {
        if self.ended || !self.fresh {
            self.out.push('\n');
            self.column = self.indent + INDENT;
            self.out.push_str(&" ".repeat(self.column));
            self.fresh = true;
            self.ended = false;
        }
    }

    /// Places atoms; `end` columns follow the last of them.
    fn part(&mut self, atoms: &[Atom<'_>], end: usize) {
        let mut rest = atoms;
        while let Some(first) = rest.first() {
            if let Kind::Comment(follows) = first.kind {
                self.comment(first.text, follows);
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            let stop = |a: &Atom<'_>| a.before == Gap::Break || matches!(a.kind, Kind::Comment(_));
            let length = rest.iter().skip(1).position(stop).map_or(rest.len(), |at| at + 1);
            let (chunk, after) = rest.split_at(length);
            self.chunk(
                &flat(chunk).unwrap_or_default(),
                first.before,
                if after.is_empty() { end } else { 0 },
            );
            rest = after;
        }
    }

    fn chunk(&mut self, text: &str, before: Gap, end: usize) {
        let blank = usize::from(before != Gap::None && !self.fresh);
        if self.ended || before == Gap::Break && self.column + blank + width(text) + end > WIDTH {
            self.new_line();
        }
        if before != Gap::None && !self.fresh {
            self.out.push(' ');
            self.column += 1;
        }
        self.out.push_str(text);
        self.column = match text.rsplit_once('\n') {
            Some((_, last)) => last.chars().count(),
            None => self.column + width(text),
        };
        self.fresh = false;
    }

    fn comment(&mut self, text: &str, follows: bool) {
        if self.ended || !follows {
            self.new_line();
        }
        if !self.fresh {
            self.out.push(' ');
        }
        self.out.push_str(text);
        self.fresh = false;
        self.ended = true;
    }

    fn finish(mut self, end: &str) -> String {
        if self.ended {
            self.new_line();
            self.out.push_str(end.trim_start());
        } else {
            self.out.push_str(end);
        }
        self.out
    }
}
