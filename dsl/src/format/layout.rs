//! The skeleton of a text to lines: statements, blocks, and the comments and empty lines around them.

use super::atoms::atoms;
use super::lines::{Lines, flat, statement, width};
use super::{INDENT, WIDTH};
use crate::parse::split::{Node, Skeleton};
use crate::source::{FileId, Span};
use std::ops::Range;

/// The formatted text.
pub(super) fn text(file: FileId, text: &str, skeleton: &Skeleton) -> String {
    let mut printer = Printer { file, text, comments: &skeleton.comments, lines: Lines::default() };
    printer.statements(&skeleton.nodes, 0..text.len(), 0, false);
    printer.lines.finish()
}

struct Printer<'s> {
    file: FileId,
    text: &'s str,
    comments: &'s [Span],
    lines: Lines,
}

/// Where the last thing that was printed ends in the text, and what may come after it.
struct Cursor {
    at: usize,
    /// A comment may still follow on its line.
    open: bool,
    /// Nothing was printed here yet.
    first: bool,
    /// An empty line comes next, whether there is one in the text or not.
    apart: bool,
}

impl<'s> Printer<'s> {
    /// Prints the statements of a stretch of the text. `open`: a comment may follow on the line before them.
    fn statements(&mut self, nodes: &[Node], within: Range<usize>, indent: usize, open: bool) {
        let mut cursor = Cursor { at: within.start, open, first: true, apart: false };
        let mut rest = nodes;
        while let Some(first) = rest.first() {
            let (chain, after) = rest.split_at(self.chain(rest));
            let line = self.line(chain, indent);
            // Items of several lines stand apart from what is before and after them, with their comments.
            let is_large = indent == 0 && line.is_none();
            cursor.apart |= is_large;
            self.comments(&mut cursor, first.head.start, indent);
            let apart = self.is_apart(&cursor, first.head.start);
            match line {
                Some(line) => self.lines.line(indent, &line, apart),
                None => self.blocks(chain, indent, apart),
            }
            let end =
                chain.last().map_or(cursor.at, |n| if n.body.is_some() { n.block.end } else { n.head.end });
            cursor = Cursor { at: end, open: true, first: false, apart: is_large };
            rest = after;
        }
        self.comments(&mut cursor, within.end, indent);
    }

    /// Prints the comments up to a place of the text.
    fn comments(&mut self, cursor: &mut Cursor, to: usize, indent: usize) {
        for comment in self.comments_in(cursor.at..to) {
            let range = comment.range();
            let text = self.text.get(range.clone()).unwrap_or_default().trim_end();
            let gap = self.text.get(cursor.at..range.start).unwrap_or_default();
            if cursor.open && !gap.contains('\n') {
                self.lines.append(&format!(" {text}"));
            } else {
                let apart = self.is_apart(cursor, range.start);
                self.lines.line(indent, text, apart);
                cursor.first = false;
                cursor.apart = false;
            }
            cursor.open = false;
            cursor.at = range.end;
        }
    }

    /// Whether an empty line comes before what starts at `start`.
    fn is_apart(&self, cursor: &Cursor, start: usize) -> bool {
        let gap = self.text.get(cursor.at..start).unwrap_or_default();
        !cursor.first && (cursor.apart || gap.bytes().filter(|b| *b == b'\n').count() > 1)
    }

    fn comments_in(&self, range: Range<usize>) -> &'s [Span] {
        let place = |at: usize| self.comments.partition_point(|c| (c.start as usize) < at);
        self.comments.get(place(range.start)..place(range.end)).unwrap_or_default()
    }

    /// How many statements from the first on belong together: a block and each `else` of it.
    fn chain(&self, nodes: &[Node]) -> usize {
        let goes_on = |pair: &[Node]| match pair {
            [before, node] => {
                before.body.is_some()
                    && node.body.is_some()
                    && self.text.get(node.head.clone()).is_some_and(starts_with_else)
                    && self.comments_in(before.block.end..node.head.start).is_empty()
            }
            _ => false,
        };
        1 + nodes.windows(2).take_while(|pair| goes_on(pair)).count()
    }

    /// A statement, or blocks that were written on one line and fit on one; `None` for blocks that take several.
    fn line(&self, chain: &[Node], indent: usize) -> Option<String> {
        if let [node] = chain
            && node.body.is_none()
        {
            return Some(self.head(node, indent, ";"));
        }
        let one: Option<Vec<String>> = chain.iter().map(|node| self.flat(node)).collect();
        let whole = chain.first()?.head.start..chain.last()?.block.end;
        let is_one = chain.iter().all(|n| n.body.as_ref().is_some_and(Vec::is_empty))
            || !self.text.get(whole)?.contains('\n');
        one.filter(|_| is_one).map(|one| one.join(" ")).filter(|one| indent + width(one) <= WIDTH)
    }

    /// A statement with its block on one line; `None` when it has comments.
    fn flat(&self, node: &Node) -> Option<String> {
        let Some(body) = &node.body else {
            return Some(flat(&self.atoms(node))? + ";");
        };
        // Most blocks have several lines, and their insides need not be looked at for that.
        if !body.is_empty() && self.text.get(node.head.start..node.block.end)?.contains('\n')
            || !self.comments_in(node.head.start..node.block.end).is_empty()
        {
            return None;
        }
        let head = flat(&self.atoms(node))?;
        let inside: Option<Vec<String>> = body.iter().map(|n| self.flat(n)).collect();
        let inside = inside?.join(" ");
        Some(if inside.is_empty() { format!("{head} {{}}") } else { format!("{head} {{ {inside} }}") })
    }

    /// Blocks of several lines.
    fn blocks(&mut self, chain: &[Node], indent: usize, apart: bool) {
        for (number, node) in chain.iter().enumerate() {
            let body = node.body.as_deref().unwrap_or_default();
            let close = node.block.end.saturating_sub(1);
            let is_empty = body.is_empty() && self.comments_in(node.head.end..close).is_empty();
            let head = self.head(node, indent, if is_empty { " {}" } else { " {" });
            if number == 0 {
                self.lines.line(indent, &head, apart);
            } else {
                self.lines.append(&format!(" {head}"));
            }
            if !is_empty {
                self.statements(body, node.head.end..close, indent + INDENT, true);
                self.lines.line(indent, "}", false);
            }
        }
    }

    fn head(&self, node: &Node, indent: usize, end: &str) -> String {
        statement(&self.atoms(node), indent, end)
    }

    fn atoms(&self, node: &Node) -> Vec<super::atoms::Atom<'s>> {
        atoms(self.file, self.text, &node.head, self.comments_in(node.head.clone()))
    }
}

fn starts_with_else(head: &str) -> bool {
    head.strip_prefix("else").is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}
