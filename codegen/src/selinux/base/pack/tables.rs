//! The packed facts: plain integers into one pool of text, so that a built-in base needs no relocation and no parsing.

use super::rank::Kind;
use std::borrow::Cow;

/// A piece of the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Text {
    /// The first byte.
    pub at: u32,
    /// How many bytes.
    pub len: u16,
}

/// A range of another table: the first element and one past the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Range {
    /// The first element.
    pub from: u32,
    /// One past the last.
    pub to: u32,
}

/// The number of no type: the policy gives such paths no label of its own (`<<none>>`).
pub const NO_TYPE: u16 = u16::MAX;

/// What an entry's pattern is, as far as look-ups tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Shape {
    /// A plain path, compared as a string.
    Plain,
    /// The literal part, and whatever is below it: `/dir(/.*)?`.
    Subtree,
    /// Whatever is below the literal part, which ends in a slash: `/dir/.*`.
    Below,
    /// Anything else: the program tells.
    Program,
}

/// One line of file contexts. The table is in ascending order of precedence, plain paths and patterns together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The line's pattern, templates expanded.
    pub pattern: Text,
    /// What each match starts with, escapes removed.
    pub literal: Text,
    /// What each match has somewhere after the literal; may be empty.
    pub needs: Text,
    /// A path that this line labels; empty when none was found.
    pub witness: Text,
    /// The file type.
    pub kind: Kind,
    /// How it matches.
    pub shape: Shape,
    /// Whether it comes from a template of home directories, which beats the others but not plain paths.
    pub home: bool,
    /// Of such templates, whether it is the one for root.
    pub root: bool,
    /// The characters before the first metacharacter, as the policy's sort counts them: before templates are expanded.
    pub stem: u16,
    /// All characters, counted so.
    pub length: u16,
    /// The SELinux type's number, or [`NO_TYPE`].
    pub ty: u16,
    /// The automaton for what follows the literal.
    pub program: Range,
}

/// One instruction of an automaton; targets are relative to its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inst {
    /// This byte, then the next instruction.
    Byte(u8),
    /// A byte of this class, then the next instruction.
    Class(u8),
    /// Any byte, then the next instruction.
    Any,
    /// Either.
    Split(u16, u16),
    /// There.
    Jump(u16),
    /// The end.
    Match,
}

/// A directory of the index over literal parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Node {
    /// Its name.
    pub name: Text,
    /// Its subdirectories in this table, by name.
    pub children: Range,
    /// The patterns whose literal part ends in this directory, in [`Tables::indexed`], the strongest first.
    pub entries: Range,
}

/// A type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeFact {
    /// Its name.
    pub name: Text,
    /// The module that declares it; `base` cannot be removed, `?` is not known.
    pub module: Text,
    /// Bit N is attribute N of [`ATTRIBUTES`].
    pub attributes: u16,
    /// Its entries in [`Tables::by_type`].
    pub entries: Range,
}

/// The attributes that lowering asks for.
pub const ATTRIBUTES: [&str; 12] = [
    "device_node",
    "domain",
    "entry_type",
    "exec_type",
    "file_type",
    "filesystem_type",
    "non_security_file_type",
    "port_type",
    "ptynode",
    "ttynode",
    "ubac_constrained_type",
    "unconfined_domain_type",
];

/// A class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassFact {
    /// Its name.
    pub name: Text,
    /// Its permissions in [`Tables::words`].
    pub perms: Range,
}

/// A range of ports and its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortFact {
    /// `tcp`, `udp` or `sctp`.
    pub protocol: Text,
    /// The first port.
    pub low: u16,
    /// The last port.
    pub high: u16,
    /// The type.
    pub ty: u16,
}

/// A row of words: each table's columns are its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The columns in [`Tables::words`].
    pub columns: Range,
}

/// All facts of one base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// All text.
    pub pool: Cow<'static, str>,
    /// File contexts, weakest first.
    pub entries: Cow<'static, [Entry]>,
    /// Plain paths among the entries, by path, those with a file type first.
    pub plain: Cow<'static, [u32]>,
    /// All entries by their literal part.
    pub by_literal: Cow<'static, [u32]>,
    /// Bytes that some pattern may tell from the byte before them.
    pub boundaries: [u64; 4],
    /// Directories; the first is the root.
    pub nodes: Cow<'static, [Node]>,
    /// Entries by directory.
    pub indexed: Cow<'static, [u32]>,
    /// Entries by type, strongest first.
    pub by_type: Cow<'static, [u32]>,
    /// Automata.
    pub program: Cow<'static, [Inst]>,
    /// Classes of bytes, a bit each.
    pub classes_of_bytes: Cow<'static, [[u64; 4]]>,
    /// Types by name.
    pub types: Cow<'static, [TypeFact]>,
    /// Classes by name.
    pub classes: Cow<'static, [ClassFact]>,
    /// Ports by protocol and number.
    pub ports: Cow<'static, [PortFact]>,
    /// Words of rows.
    pub words: Cow<'static, [Text]>,
    /// The other tables by the order of [`ROWS`].
    pub rows: Cow<'static, [Row]>,
    /// Where each of them is in `rows`.
    pub row_tables: [Range; ROWS.len()],
}

/// The tables that are kept as rows of words, and how many columns each has.
pub const ROWS: [(&str, usize); 9] = [
    ("subs_dist", 2),
    ("genfs", 4),
    ("fs_use", 3),
    ("domain", 4),
    ("assertions", 4),
    ("launchers", 5),
    ("users", 3),
    ("booleans", 2),
    ("reach", 3),
];

impl Tables {
    /// The text.
    pub fn text(&self, text: Text) -> &str {
        let at = text.at as usize;
        self.pool.get(at..at + usize::from(text.len)).unwrap_or_default()
    }
}

/// The part of a table.
pub fn part<T>(table: &[T], range: Range) -> &[T] {
    table.get(range.from as usize..range.to as usize).unwrap_or_default()
}
