//! Text to its skeleton: where each statement and each block begins and ends. Resynchronises at `;` and `}`, never recurses, and
//! knows of statements only that they are text without a `;`.

use crate::codes;
use crate::diag::Diagnostic;
use crate::limits::{MAX_NESTING, MAX_RAW_BYTES, MAX_STATEMENT_BYTES, MAX_STATEMENTS, MAX_STRING_BYTES};
use crate::sink::Sink;
use crate::source::{FileId, Span};
use std::ops::Range;

/// One statement: its words, and its block if it has one.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// The bytes from its first word to its last, without `;` and without the block.
    pub(crate) head: Range<usize>,
    /// The statements of the block, when there is one.
    pub(crate) body: Option<Vec<Node>>,
    /// The bytes of the block with its braces; empty without one.
    pub(crate) block: Range<usize>,
    /// Whether a `;` or a block ended it.
    pub(crate) ended: bool,
    /// An error in it was reported here already.
    pub(crate) broken: bool,
}

/// The skeleton of a text.
#[derive(Debug, Default)]
pub(crate) struct Skeleton {
    /// The outermost statements.
    pub(crate) nodes: Vec<Node>,
    /// Where comments stand, without the line end.
    pub(crate) comments: Vec<Span>,
}

/// Splits a text that `scan` accepted.
pub(crate) fn split(file: FileId, text: &str, sink: &mut Sink) -> Skeleton {
    let mut splitter = Splitter {
        file,
        text,
        bytes: text.as_bytes(),
        at: 0,
        sink,
        comments: Vec::new(),
        open: Vec::new(),
        nodes: Vec::new(),
        brackets: Vec::new(),
        start: None,
        last: 0,
        broken: false,
        counted: 0,
        given_up: false,
    };
    splitter.run();
    Skeleton { nodes: splitter.nodes, comments: splitter.comments }
}

/// Words that start an item of a file and never a statement of a block: at the start of a line inside one they show a missing `}`.
const ITEMS: &[&str] = &["policy", "fragment", "test", "use", "param", "can"];

struct Splitter<'s, 'd> {
    file: FileId,
    text: &'s str,
    bytes: &'s [u8],
    at: usize,
    sink: &'d mut Sink,
    comments: Vec<Span>,
    /// The statements whose blocks are open, with the statements around each of them.
    open: Vec<(Node, Vec<Node>)>,
    /// The statements of the innermost open block.
    nodes: Vec<Node>,
    /// The brackets that are open in this statement.
    brackets: Vec<(u8, usize)>,
    /// Where this statement's first word starts.
    start: Option<usize>,
    /// One past the last significant byte.
    last: usize,
    broken: bool,
    /// Statements and comments so far.
    counted: usize,
    /// Nothing more is looked at, and that was reported.
    given_up: bool,
}

impl Splitter<'_, '_> {
    fn run(&mut self) {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\n' => self.at += 1,
                b'#' => self.comment(),
                b'"' => self.string(),
                b'(' | b'[' => self.open_bracket(byte),
                b')' | b']' => self.close_bracket(byte),
                b';' => {
                    self.end_statement(true);
                    self.at += 1;
                }
                b'{' => self.open_block(),
                b'}' => self.close_block(),
                _ => self.word(),
            }
            if self.sink.is_full() {
                return;
            }
        }
        self.end_statement(false);
        while let Some((node, _)) = self.open.last() {
            let at = node.block.start;
            if self.given_up {
                self.pop_block(self.last);
            } else {
                self.unclosed_block(at, self.last);
            }
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    /// Takes `length` bytes as a part of the statement.
    fn take(&mut self, length: usize) {
        self.start.get_or_insert(self.at);
        self.at += length;
        self.last = self.at;
    }

    fn comment(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        self.comments.push(self.span(self.at, self.at + length));
        self.at += length;
        self.count();
    }

    /// Everything that is no punctuation of the skeleton, up to the next that is.
    fn word(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let stop = |b: &u8| {
            matches!(b, b' ' | b'\t' | b'\n' | b'#' | b'"' | b'(' | b')' | b'[' | b']' | b';' | b'{' | b'}')
        };
        let length = rest.iter().position(stop).unwrap_or(rest.len());
        if self.start.is_none() && !self.open.is_empty() {
            self.maybe_item(length);
        }
        self.take(length);
    }

    /// A new item at the start of a line inside a block: the block was not closed.
    fn maybe_item(&mut self, length: usize) {
        let at_line_start = self.at == 0 || self.bytes.get(self.at - 1) == Some(&b'\n');
        let word = self.text.get(self.at..self.at + length).unwrap_or_default();
        if at_line_start && ITEMS.contains(&word) {
            while let Some((node, _)) = self.open.last() {
                let at = node.block.start;
                self.unclosed_block(at, self.last);
            }
        }
    }

    fn string(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if let Some(inner) = rest.strip_prefix("\"\"\"") {
            self.raw_string(inner);
            return;
        }
        let bytes = rest.as_bytes();
        let mut length = 1;
        loop {
            match bytes.get(length) {
                Some(b'\\') if bytes.get(length + 1).is_some_and(|b| *b != b'\n') => length += 2,
                Some(b'"') => break,
                None | Some(b'\n') => {
                    self.unclosed_string(length);
                    return;
                }
                Some(_) => length += 1,
            }
        }
        self.limit_string(length - 1, MAX_STRING_BYTES);
        self.take(length + 1);
    }

    fn raw_string(&mut self, inner: &str) {
        let Some(length) = inner.find("\"\"\"") else {
            self.sink.push(
                Diagnostic::new(codes::UNCLOSED_STRING, "this text is never closed")
                    .label(self.span(self.at, self.at + 3), "opened here")
                    .help("close it with `\"\"\"`"),
            );
            self.broken = true;
            self.take(inner.len() + 3);
            return;
        };
        self.limit_string(length, MAX_RAW_BYTES);
        self.take(length + 6);
    }

    fn limit_string(&mut self, length: usize, limit: usize) {
        if length > limit {
            self.broken = true;
            self.sink.push(
                Diagnostic::new(
                    codes::STRING_TOO_LONG,
                    format!("a text of {length} bytes; at most {limit} are allowed"),
                )
                .label(self.span(self.at, self.at + 1), "this text")
                .help("shorten it"),
            );
        }
    }

    /// Resynchronises at the end of the line, where the author surely meant the string to have ended.
    fn unclosed_string(&mut self, length: usize) {
        let line = self.text.get(self.at..self.at + length).unwrap_or_default();
        let text = line.trim_end().trim_end_matches(';').trim_end();
        self.sink.push(
            Diagnostic::new(codes::UNCLOSED_STRING, "this string is never closed")
                .label(self.span(self.at, self.at + text.len().max(1)), "opened here")
                .help("close it with `\"` on the same line"),
        );
        self.broken = true;
        self.take(length);
        self.brackets.clear();
        self.end_statement(true);
    }

    fn open_bracket(&mut self, byte: u8) {
        if self.open.len() + self.brackets.len() >= MAX_NESTING {
            self.too_deep();
            return;
        }
        self.brackets.push((byte, self.at));
        self.take(1);
    }

    fn close_bracket(&mut self, byte: u8) {
        let opener = if byte == b')' { b'(' } else { b'[' };
        match self.brackets.pop() {
            Some((open, _)) if open == opener => {}
            Some((_, at)) => self.unclosed_bracket(at),
            None => {
                self.broken = true;
                let message = format!("`{}` closes nothing", char::from(byte));
                self.sink.push(
                    Diagnostic::new(codes::UNBALANCED, message)
                        .label(self.span(self.at, self.at + 1), "nothing is open here")
                        .help("remove it"),
                );
            }
        }
        self.take(1);
    }

    fn unclosed_bracket(&mut self, at: usize) {
        self.broken = true;
        let (open, close) = if self.bytes.get(at) == Some(&b'(') { ('(', ')') } else { ('[', ']') };
        self.sink.push(
            Diagnostic::new(codes::UNBALANCED, format!("`{open}` is never closed"))
                .label(self.span(at, at + 1), "opened here")
                .help(format!("close it with `{close}` in the same statement")),
        );
    }

    /// Ends the statement before `self.at`; `ended` when something says so.
    fn end_statement(&mut self, ended: bool) {
        if let Some(node) = self.node(ended) {
            self.nodes.push(node);
        }
    }

    /// Counts a statement or comment; gives up when there are too many.
    fn count(&mut self) {
        self.counted += 1;
        if self.counted == MAX_STATEMENTS {
            let message = format!("more than {MAX_STATEMENTS} statements and comments");
            self.sink.push(
                Diagnostic::new(codes::TOO_MANY_STATEMENTS, message)
                    .label(self.span(self.at, self.at + 1), "one too many")
                    .help("use sets and patterns, or split the file with `use`"),
            );
            self.give_up();
        }
    }

    fn node(&mut self, ended: bool) -> Option<Node> {
        if let Some((_, at)) = self.brackets.pop() {
            self.unclosed_bracket(at);
            self.brackets.clear();
        }
        let start = self.start.take()?;
        let mut broken = std::mem::take(&mut self.broken);
        self.count();
        if self.last - start > MAX_STATEMENT_BYTES {
            broken = true;
            let message = format!(
                "a statement of {} bytes; at most {MAX_STATEMENT_BYTES} are allowed",
                self.last - start
            );
            self.sink.push(
                Diagnostic::new(codes::STATEMENT_TOO_LONG, message)
                    .label(self.span(start, start + 1), "this statement")
                    .help("split it into several"),
            );
        }
        Some(Node { head: start..self.last, ended, broken, ..Node::default() })
    }

    fn open_block(&mut self) {
        if self.open.len() >= MAX_NESTING {
            self.too_deep();
            return;
        }
        let nothing = Node { head: self.at..self.at, ended: true, ..Node::default() };
        let mut node = self.node(true).unwrap_or(nothing);
        node.block = self.at..self.at + 1;
        self.open.push((node, std::mem::take(&mut self.nodes)));
        self.at += 1;
        self.last = self.at;
    }

    fn close_block(&mut self) {
        self.end_statement(false);
        self.at += 1;
        if !self.open.is_empty() {
            self.pop_block(self.at);
            self.last = self.at;
            return;
        }
        self.sink.push(
            Diagnostic::new(codes::STRAY_BRACE, "`}` closes nothing")
                .label(self.span(self.at - 1, self.at), "no block is open here")
                .help("remove it"),
        );
    }

    fn pop_block(&mut self, end: usize) {
        if let Some((mut node, around)) = self.open.pop() {
            node.block.end = end;
            node.body = Some(std::mem::replace(&mut self.nodes, around));
            self.nodes.push(node);
        }
    }

    fn unclosed_block(&mut self, at: usize, end: usize) {
        self.sink.push(
            Diagnostic::new(codes::UNCLOSED_BLOCK, "this block is never closed")
                .label(self.span(at, at + 1), "opened here")
                .help("close it with `}`"),
        );
        self.pop_block(end);
    }

    /// Gives up: whatever is nested so deep is no policy.
    fn too_deep(&mut self) {
        self.sink.push(
            Diagnostic::new(codes::TOO_DEEP, format!("nested more than {MAX_NESTING} deep"))
                .label(self.span(self.at, self.at + 1), "this is one too many")
                .help("name inner lists with `let`, and put inner rules into fragments"),
        );
        self.broken = true;
        self.give_up();
    }

    /// Looks at nothing that follows.
    fn give_up(&mut self) {
        self.brackets.clear();
        self.start = None;
        self.bytes = &[];
        self.given_up = true;
    }
}
