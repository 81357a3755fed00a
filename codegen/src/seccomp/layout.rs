//! Tables of decisions to a program: trees and blocks with labels, laid out back to front. No jump is ever counted by hand.
//!
//! Writing from the last instruction to the first, every destination of a jump is already there, so its distance is known. Where it
//! is beyond what a conditional jump reaches, a return is written once more, or a jump is put between.

use super::diagram::{Arena, Leaf, Node, NodeId, View, Word};
use super::encode::{ARCHITECTURE, Instruction, NUMBER, offset, op};
use super::tree::{Piece, Tree, Weight, build};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// The decisions of one architecture value: intervals of numbers that cover all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The `AUDIT_ARCH_*` value.
    pub audit: u32,
    /// The greatest number of each interval, ascending, its decision, and how often its calls are expected.
    pub intervals: Vec<(u32, NodeId, Weight)>,
}

/// Why an instruction is there, for listings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The section of this architecture value starts here.
    Section(u32),
    /// The questions of this node start here.
    Node(NodeId),
    /// This comparison ends the search: when it holds (or when it does not), the number lies in this interval of the section.
    Found {
        /// The section.
        audit: u32,
        /// The least number.
        low: u32,
        /// The greatest number.
        high: u32,
        /// The side of the comparison.
        when: bool,
    },
}

/// A program and its marks, by instruction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Program {
    /// The instructions.
    pub instructions: Vec<Instruction>,
    /// What they are for, in ascending order of the instruction.
    pub marks: Vec<(usize, Mark)>,
}

/// The trees of questions that were built before: programs of several architectures share most of them.
#[derive(Debug, Default)]
pub struct Trees(HashMap<NodeId, Rc<Tree<Place>>>);

/// The program that decides by architecture first, then by number; another architecture gets `foreign`.
#[must_use]
pub fn program(
    arena: &Arena,
    trees: &mut Trees,
    sections: &[Section],
    foreign: u32,
    big_endian: bool,
) -> Program {
    let mut writer = Writer::new(arena, trees, big_endian);
    for section in sections {
        for (_, node, _) in &section.intervals {
            writer.plan(*node, false);
        }
    }
    let mut next = Place::Return(foreign);
    if sections.is_empty() {
        writer.write_return(foreign);
    }
    for section in sections.iter().rev() {
        let start = writer.section(section);
        writer.branch(op::EQUAL, section.audit, start, next);
        next = writer.here();
    }
    writer.push(Instruction::plain(op::LOAD, ARCHITECTURE));
    writer.finish()
}

/// The most instructions that a run through a program executes.
#[must_use]
pub fn longest(program: &[Instruction]) -> usize {
    // Jumps lead forward only, so what follows is known first.
    let mut behind: Vec<usize> = Vec::with_capacity(program.len());
    for instruction in program.iter().rev() {
        let after = |skip: usize| behind.len().checked_sub(skip + 1).and_then(|i| behind.get(i)).copied();
        let next = match instruction.code {
            op::RETURN => None,
            op::JUMP => after(usize::try_from(instruction.k).unwrap_or(usize::MAX - 1)),
            op::EQUAL | op::AT_LEAST | op::ANY_BIT => {
                after(usize::from(instruction.jt)).max(after(usize::from(instruction.jf)))
            }
            _ => after(0),
        };
        behind.push(1 + next.unwrap_or(0));
    }
    behind.last().copied().unwrap_or(0)
}

/// A destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    /// Return this value.
    Return(u32),
    /// The start of a node; `loaded` when the accumulator holds the word it asks about.
    Node { node: NodeId, loaded: bool },
    /// The instruction that was written as number N, from 1, counted from the end of the program.
    At(usize),
}

struct Writer<'a> {
    arena: &'a Arena,
    trees: &'a mut Trees,
    big_endian: bool,
    /// The instructions in reverse.
    reversed: Vec<Instruction>,
    marks: Vec<(usize, Mark)>,
    /// The nearest instruction that serves for a place.
    known: HashMap<Place, usize>,
    /// Ways in which nodes are entered.
    entered: HashSet<(NodeId, bool)>,
}

/// The farthest that a conditional jump reaches.
const REACH: usize = 255;

impl<'a> Writer<'a> {
    fn new(arena: &'a Arena, trees: &'a mut Trees, big_endian: bool) -> Self {
        Self {
            arena,
            trees,
            big_endian,
            reversed: Vec::new(),
            marks: Vec::new(),
            known: HashMap::new(),
            entered: HashSet::new(),
        }
    }

    /// Notes how a node and those below it are entered.
    fn plan(&mut self, node: NodeId, loaded: bool) {
        let Node::Test { view, edges } = self.arena.get(node) else { return };
        if !self.entered.insert((node, loaded)) {
            return;
        }
        let keeps = self.keeps_word(node, *view);
        for edge in edges {
            self.plan(edge.to, keeps && self.asks(edge.to, view.word));
        }
    }

    /// Whether a node asks about this word.
    fn asks(&self, node: NodeId, word: Word) -> bool {
        self.arena.view(node).is_some_and(|v| v.word == word)
    }

    /// Whether the accumulator still holds the word after the questions of a node.
    fn keeps_word(&self, node: NodeId, view: View) -> bool {
        view.mask == u32::MAX || self.arena.zero_test(node).is_some()
    }

    fn push(&mut self, instruction: Instruction) {
        self.reversed.push(instruction);
    }

    fn here(&self) -> Place {
        Place::At(self.reversed.len())
    }

    fn mark(&mut self, mark: Mark) {
        self.marks.push((self.reversed.len(), mark));
    }

    /// Where a place is; writes it first when it is nowhere yet.
    fn locate(&mut self, place: Place) -> usize {
        match (place, self.known.get(&place)) {
            (Place::At(at), _) => at,
            (_, Some(at)) => *at,
            (Place::Return(value), None) => self.write_return(value),
            (Place::Node { node, loaded }, None) => {
                self.block(node);
                // A leaf is no node to write, and every entered side of a block is known afterwards.
                self.known.get(&Place::Node { node, loaded }).copied().unwrap_or(self.reversed.len())
            }
        }
    }

    fn write_return(&mut self, value: u32) -> usize {
        self.push(Instruction::plain(op::RETURN, value));
        self.known.insert(Place::Return(value), self.reversed.len());
        self.reversed.len()
    }

    /// How many instructions lie between the next one written and a position.
    fn distance(&self, at: usize) -> usize {
        self.reversed.len().saturating_sub(at)
    }

    /// A position that serves for `place` within reach of a conditional jump written next.
    fn near(&mut self, place: Place) -> usize {
        let at = self.locate(place);
        if self.distance(at) <= REACH {
            return at;
        }
        if let Place::Return(value) = place {
            return self.write_return(value);
        }
        let skipped = self.distance(at);
        self.push(Instruction::plain(op::JUMP, u32::try_from(skipped).unwrap_or(u32::MAX)));
        let at = self.reversed.len();
        if place != Place::At(at) && !matches!(place, Place::At(_)) {
            self.known.insert(place, at);
        }
        at
    }

    /// A conditional jump.
    fn branch(&mut self, code: u16, k: u32, holds: Place, fails: Place) {
        let (mut on_true, mut on_false) = (self.near(holds), self.near(fails));
        // What was written for one side may have pushed the other out of reach.
        while self.distance(on_true) > REACH || self.distance(on_false) > REACH {
            on_true = self.near(if self.distance(on_true) > REACH { holds } else { Place::At(on_true) });
            on_false = self.near(if self.distance(on_false) > REACH { fails } else { Place::At(on_false) });
        }
        let skip = |at: usize| u8::try_from(self.distance(at)).unwrap_or(u8::MAX);
        let instruction = Instruction { code, jt: skip(on_true), jf: skip(on_false), k };
        self.push(instruction);
    }

    /// The search for a number among a section's intervals.
    fn section(&mut self, section: &Section) -> Place {
        let mut pieces = Vec::with_capacity(section.intervals.len());
        let mut low = 0;
        for (high, node, weight) in &section.intervals {
            pieces.push(Piece { low, high: *high, to: self.entry(*node, false), weight: *weight });
            low = high.saturating_add(1);
        }
        let Some(tree) = build(&pieces) else { return Place::Return(0) };
        let start = self.tree(&tree, (0, u32::MAX), Some(section.audit));
        if let Place::At(_) = start {
            self.push(Instruction::plain(op::LOAD, NUMBER));
            self.mark(Mark::Section(section.audit));
            return self.here();
        }
        start
    }

    /// How to get to a node: a leaf is a return.
    fn entry(&self, node: NodeId, loaded: bool) -> Place {
        match self.arena.get(node) {
            Node::Leaf(Leaf::Return(value)) => Place::Return(*value),
            Node::Leaf(Leaf::Bool(_)) => Place::Return(0),
            Node::Test { .. } => Place::Node { node, loaded },
        }
    }

    /// Marks the end of a search in a section.
    fn found(&mut self, audit: Option<u32>, side: &Tree<Place>, (low, high): (u32, u32), when: bool) {
        if let (Some(audit), Tree::Leaf(_)) = (audit, side) {
            self.mark(Mark::Found { audit, low, high, when });
        }
    }

    /// Writes a tree, the greater side first, and says where it starts. `found`: the section whose numbers it searches.
    fn tree(&mut self, tree: &Tree<Place>, (low, high): (u32, u32), found: Option<u32>) -> Place {
        match tree {
            Tree::Leaf(place) => {
                if let Place::Node { .. } = place {
                    self.locate(*place);
                }
                *place
            }
            Tree::AtLeast { at, below, above } => {
                let under = at.saturating_sub(1);
                let greater = self.tree(above, (*at, high), found);
                let smaller = self.tree(below, (low, under), found);
                self.branch(op::AT_LEAST, *at, greater, smaller);
                self.found(found, above, (*at, high), true);
                self.found(found, below, (low, under), false);
                self.here()
            }
            Tree::Equal { at, hit, rest } => {
                let other = self.tree(rest, (low, high), found);
                if let Place::Node { .. } = hit {
                    self.locate(*hit);
                }
                self.branch(op::EQUAL, *at, *hit, other);
                self.found(found, &Tree::Leaf(*hit), (*at, *at), true);
                self.found(found, rest, (low, high), false);
                self.here()
            }
        }
    }

    /// Writes the questions of a node, with the load in front where some way in needs it.
    fn block(&mut self, node: NodeId) {
        let Node::Test { view, .. } = self.arena.get(node) else { return };
        let view = *view;
        self.questions(node, view);
        let body = self.reversed.len();
        self.known.insert(Place::Node { node, loaded: true }, body);
        if self.entered.contains(&(node, false)) {
            self.push(Instruction::plain(op::LOAD, offset(view.word, self.big_endian)));
            self.known.insert(Place::Node { node, loaded: false }, self.reversed.len());
        }
        self.mark(Mark::Node(node));
    }

    fn questions(&mut self, node: NodeId, view: View) {
        let keeps = self.keeps_word(node, view);
        let next = |writer: &Self, to: NodeId| writer.entry(to, keeps && writer.asks(to, view.word));
        if let Some((_, zero, other)) = self.arena.zero_test(node) {
            let (zero, other) = (next(self, zero), next(self, other));
            self.settle(other);
            self.settle(zero);
            self.branch(op::ANY_BIT, view.mask, other, zero);
            return;
        }
        let tree = match self.trees.0.get(&node) {
            Some(known) => Rc::clone(known),
            None => {
                let Node::Test { edges, .. } = self.arena.get(node) else { return };
                let mut pieces = Vec::with_capacity(edges.len());
                let mut low = 0;
                for edge in edges {
                    pieces.push(Piece {
                        low,
                        high: edge.last,
                        to: next(self, edge.to),
                        weight: Weight::of(1),
                    });
                    low = edge.last.saturating_add(1);
                }
                let Some(tree) = build(&pieces).map(Rc::new) else { return };
                self.trees.0.insert(node, Rc::clone(&tree));
                tree
            }
        };
        self.tree(&tree, (0, u32::MAX), None);
        if view.mask != u32::MAX {
            self.push(Instruction::plain(op::AND, view.mask));
        }
    }

    /// Writes a node now, so that it stands near the jump that follows.
    fn settle(&mut self, place: Place) {
        if let Place::Node { .. } = place {
            self.locate(place);
        }
    }

    fn finish(self) -> Program {
        let count = self.reversed.len();
        let mut instructions = self.reversed;
        instructions.reverse();
        let mut marks: Vec<(usize, Mark)> = self.marks.into_iter().map(|(at, m)| (count - at, m)).collect();
        marks.reverse();
        marks.sort_by_key(|m| m.0);
        marks.dedup();
        Program { instructions, marks }
    }
}
