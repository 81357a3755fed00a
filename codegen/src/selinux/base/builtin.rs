//! The bases that are compiled in, as the build script packed them.

use super::pack::rank::Kind::{self, Any, Block, Character, Directory, Link, Pipe, Regular, Socket};
use super::pack::tables::Inst::{Any as A, Byte as B, Class as C, Jump as J, Match as M, Split as S};
use super::pack::tables::Shape::{self, Below as Be, Plain as Pl, Program as Pr, Subtree as Su};
use super::pack::tables::{ClassFact, Entry, Node, PortFact, Range, Row, Tables, Text, TypeFact};
use std::borrow::Cow;

const fn tx(at: u32, len: u16) -> Text {
    Text { at, len }
}

const fn rg(from: u32, to: u32) -> Range {
    Range { from, to }
}

#[expect(clippy::too_many_arguments, reason = "one line of generated tables, flattened")]
const fn en(
    pattern: u32,
    pattern_len: u16,
    literal: u32,
    literal_len: u16,
    needs: u32,
    needs_len: u16,
    witness: u32,
    witness_len: u16,
    kind: Kind,
    shape: Shape,
    home: bool,
    root: bool,
    stem: u16,
    length: u16,
    ty: u16,
    from: u32,
    to: u32,
) -> Entry {
    Entry {
        pattern: tx(pattern, pattern_len),
        literal: tx(literal, literal_len),
        needs: tx(needs, needs_len),
        witness: tx(witness, witness_len),
        kind,
        shape,
        home,
        root,
        stem,
        length,
        ty,
        program: rg(from, to),
    }
}

const fn nd(name: u32, len: u16, child: u32, child_to: u32, entry: u32, entry_to: u32) -> Node {
    Node { name: tx(name, len), children: rg(child, child_to), entries: rg(entry, entry_to) }
}

const fn ty(
    name: u32,
    len: u16,
    module: u32,
    module_len: u16,
    attributes: u16,
    from: u32,
    to: u32,
) -> TypeFact {
    TypeFact { name: tx(name, len), module: tx(module, module_len), attributes, entries: rg(from, to) }
}

const fn cl(name: u32, len: u16, from: u32, to: u32) -> ClassFact {
    ClassFact { name: tx(name, len), perms: rg(from, to) }
}

const fn po(protocol: u32, len: u16, low: u16, high: u16, ty: u16) -> PortFact {
    PortFact { protocol: tx(protocol, len), low, high, ty }
}

const fn rw(from: u32, to: u32) -> Row {
    Row { columns: rg(from, to) }
}

/// Debian 13's reference policy, as the testbed has it installed.
pub(super) static DEBIAN13: Tables = include!(concat!(env!("OUT_DIR"), "/debian13.rs"));
/// Fedora's policy, from its public sources; not seen on a kernel.
pub(super) static FEDORA: Tables = include!(concat!(env!("OUT_DIR"), "/fedora.rs"));
