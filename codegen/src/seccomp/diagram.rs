//! Decision diagrams over argument words: conditions and decisions as shared nodes, combined exactly. They know no system call.
//!
//! A node looks at the bits of one mask of one word and has an edge for each interval of values. Nodes are shared, views follow one
//! fixed order, so equal functions become equal nodes wherever no two masks of one word meet; where they do, [`Arena::prune`] drops
//! what no word can reach.

mod merge;
mod prune;

use super::word::Bound;
use canc_sets::interval::Intervals;
use merge::Merge;
use std::collections::HashMap;

/// Half of a 64-bit argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Half {
    /// Bits 32 to 63.
    High,
    /// Bits 0 to 31.
    Low,
}

/// A 32-bit word of `seccomp_data.args`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Word {
    /// Which argument, from 0.
    pub register: u8,
    /// Which half.
    pub half: Half,
}

/// The bits of a mask of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct View {
    /// The word.
    pub word: Word,
    /// The bits; never 0.
    pub mask: u32,
}

impl View {
    /// The order in which diagrams ask: argument by argument, high half first, the whole word before parts of it.
    pub fn rank(self) -> (Word, u32) {
        (self.word, !self.mask)
    }
}

/// A node of an [`Arena`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

/// The end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Leaf {
    /// Of a condition.
    Bool(bool),
    /// Of a decision: what the filter returns.
    Return(u32),
}

/// All values above the previous edge's, up to `last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Edge {
    /// The greatest value.
    pub last: u32,
    /// Where they lead.
    pub to: NodeId,
}

/// A leaf or a question.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Node {
    /// An end.
    Leaf(Leaf),
    /// A question.
    Test {
        /// What is looked at.
        view: View,
        /// At least two, in ascending order; the last one's `last` is `u32::MAX`.
        edges: Box<[Edge]>,
    },
}

/// A diagram grew beyond [`MOST_NODES`], or took more steps than it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

/// Nodes an arena holds at most, so that a hostile condition costs bounded time and memory.
pub const MOST_NODES: usize = 400_000;

/// Steps of combining in one arena at most: about a second.
const MOST_STEPS: usize = 2_000_000;

/// All nodes of one lowering.
#[derive(Debug)]
pub struct Arena {
    nodes: Vec<Node>,
    ids: HashMap<Node, NodeId>,
    chosen: HashMap<(NodeId, NodeId, NodeId), NodeId>,
    pruned: HashMap<(NodeId, Vec<Bound>), NodeId>,
    edges: usize,
    steps_left: usize,
}

impl Default for Arena {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            ids: HashMap::new(),
            chosen: HashMap::new(),
            pruned: HashMap::new(),
            edges: 0,
            steps_left: MOST_STEPS,
        }
    }
}

impl Arena {
    /// Work that may take this many steps, an edge of a combined node each.
    ///
    /// # Errors
    /// When the work is too large.
    pub fn limited<T, E: From<TooLarge>>(
        &mut self,
        steps: usize,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let before = self.steps_left;
        let given = steps.min(before);
        self.steps_left = given;
        let done = work(self);
        self.steps_left = before - (given - self.steps_left);
        done
    }

    /// Counts steps of work.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn spend(&mut self, steps: usize) -> Result<(), TooLarge> {
        let left = self.steps_left.checked_sub(steps);
        self.steps_left = left.unwrap_or(0);
        left.map(|_| ()).ok_or(TooLarge)
    }

    /// The node with this number. Numbers come from the same arena, so there always is one.
    #[must_use]
    pub fn get(&self, id: NodeId) -> &Node {
        static NONE: Node = Node::Leaf(Leaf::Bool(false));
        self.nodes.get(id.0 as usize).unwrap_or(&NONE)
    }

    fn add(&mut self, node: Node) -> Result<NodeId, TooLarge> {
        if let Some(id) = self.ids.get(&node) {
            return Ok(*id);
        }
        if let Node::Test { edges, .. } = &node {
            self.edges += edges.len();
        }
        if self.edges > 4 * MOST_NODES || self.nodes.len() > MOST_NODES {
            return Err(TooLarge);
        }
        let id = NodeId(u32::try_from(self.nodes.len()).map_err(|_| TooLarge)?);
        self.nodes.push(node.clone());
        self.ids.insert(node, id);
        Ok(id)
    }

    /// A leaf.
    ///
    /// # Errors
    /// When the arena is full.
    pub fn leaf(&mut self, leaf: Leaf) -> Result<NodeId, TooLarge> {
        self.add(Node::Leaf(leaf))
    }

    /// The condition that always or never holds.
    ///
    /// # Errors
    /// When the arena is full.
    pub fn constant(&mut self, value: bool) -> Result<NodeId, TooLarge> {
        self.leaf(Leaf::Bool(value))
    }

    /// Whether it is the condition that always, or never, holds.
    #[must_use]
    pub fn is_constant(&self, id: NodeId, value: bool) -> bool {
        *self.get(id) == Node::Leaf(Leaf::Bool(value))
    }

    /// The node with these edges: neighbours that lead to one place are joined, and a question with one answer is left out.
    fn test(&mut self, view: View, edges: impl IntoIterator<Item = Edge>) -> Result<NodeId, TooLarge> {
        let mut joined: Vec<Edge> = Vec::new();
        for edge in edges {
            match joined.last_mut() {
                Some(last) if last.to == edge.to => last.last = edge.last,
                _ => joined.push(edge),
            }
        }
        match joined.as_slice() {
            [only] => Ok(only.to),
            _ => self.add(Node::Test { view, edges: joined.into() }),
        }
    }

    /// The condition that a view's value is in a set.
    ///
    /// # Errors
    /// When the arena is full.
    pub fn member(&mut self, view: View, set: &Intervals<u32>) -> Result<NodeId, TooLarge> {
        let (yes, no) = (self.constant(true)?, self.constant(false)?);
        self.branch(view, set.ranges().iter().map(|r| (*r, yes)), no)
    }

    /// The diagram that leads to a place for each range, in ascending order, and elsewhere to `otherwise`.
    ///
    /// # Errors
    /// When the arena is full.
    pub fn branch(
        &mut self,
        view: View,
        ranges: impl IntoIterator<Item = ((u32, u32), NodeId)>,
        otherwise: NodeId,
    ) -> Result<NodeId, TooLarge> {
        let mut edges = Vec::new();
        let mut next = Some(0u32);
        for ((low, high), to) in ranges {
            if let (Some(start), Some(before)) = (next, low.checked_sub(1))
                && start <= before
            {
                edges.push(Edge { last: before, to: otherwise });
            }
            edges.push(Edge { last: high, to });
            next = high.checked_add(1);
        }
        if next.is_some() {
            edges.push(Edge { last: u32::MAX, to: otherwise });
        }
        self.test(view, edges)
    }

    /// Where the condition `if_` holds, what `then` says, elsewhere what `else_` says.
    ///
    /// # Errors
    /// When the arena is full.
    pub fn choose(&mut self, if_: NodeId, then: NodeId, else_: NodeId) -> Result<NodeId, TooLarge> {
        if then == else_ || self.is_constant(if_, true) {
            return Ok(then);
        }
        if self.is_constant(if_, false) {
            return Ok(else_);
        }
        let key = (if_, then, else_);
        if let Some(known) = self.chosen.get(&key) {
            return Ok(*known);
        }
        let three = [if_, then, else_];
        let views = three.iter().filter_map(|id| self.view(*id));
        let Some(view) = views.min_by_key(|v| v.rank()) else { return Ok(else_) };
        let sides = three.map(|id| self.sides(id, view));
        let mut edges = Vec::new();
        for (last, [a, b, c]) in Merge::new(sides) {
            self.spend(1)?;
            edges.push(Edge { last, to: self.choose(a, b, c)? });
        }
        let made = self.test(view, edges)?;
        self.chosen.insert(key, made);
        Ok(made)
    }

    /// The view of a question.
    #[must_use]
    pub fn view(&self, id: NodeId) -> Option<View> {
        match self.get(id) {
            Node::Test { view, .. } => Some(*view),
            Node::Leaf(_) => None,
        }
    }

    /// A node's edges on a view: its own, or one that leads to itself.
    fn sides(&self, id: NodeId, view: View) -> Box<[Edge]> {
        match self.get(id) {
            Node::Test { view: own, edges } if *own == view => edges.clone(),
            _ => Box::new([Edge { last: u32::MAX, to: id }]),
        }
    }

    /// The condition that `of` does not hold.
    ///
    /// # Errors
    /// When the arena is full.
    pub fn not(&mut self, of: NodeId) -> Result<NodeId, TooLarge> {
        let (yes, no) = (self.constant(true)?, self.constant(false)?);
        self.choose(of, no, yes)
    }

    /// The condition that all hold (`every`), or that one does. Neighbours are combined first, so that a long list costs no square.
    ///
    /// # Errors
    /// When the arena is full.
    pub fn fold(&mut self, list: Vec<NodeId>, every: bool) -> Result<NodeId, TooLarge> {
        let neutral = self.constant(every)?;
        let mut list = if list.len() > 2 { self.join_sets(list, every)? } else { list };
        while list.len() > 1 {
            let mut next = Vec::with_capacity(list.len().div_ceil(2));
            for pair in list.chunks(2) {
                next.push(match pair {
                    [a, b] if every => self.choose(*a, *b, *a)?,
                    [a, b] => self.choose(*a, *a, *b)?,
                    _ => pair.first().copied().unwrap_or(neutral),
                });
            }
            list = next;
        }
        Ok(list.first().copied().unwrap_or(neutral))
    }

    /// Conditions that ask about one view alone, such as a long list of values, are joined as sets.
    ///
    /// # Errors
    /// When the arena is full.
    pub fn join_sets(&mut self, list: Vec<NodeId>, every: bool) -> Result<Vec<NodeId>, TooLarge> {
        let mut sets: Vec<(View, Vec<(u32, u32)>)> = Vec::new();
        let mut out = Vec::new();
        for id in list {
            // Of a conjunction the values that fail are collected, of a disjunction those that hold.
            let Some((view, ranges)) = self.ranges(id, !every) else {
                out.push(id);
                continue;
            };
            match sets.iter_mut().find(|s| s.0 == view) {
                Some(set) => set.1.extend(ranges),
                None => sets.push((view, ranges)),
            }
        }
        for (view, ranges) in sets {
            let set: Intervals<u32> = ranges.into_iter().collect();
            let set = if every { set.complement() } else { set };
            out.push(self.member(view, &set)?);
        }
        Ok(out)
    }

    /// The values of a condition's only view for which it is `wanted`; `None` when it has more to ask or nothing.
    fn ranges(&self, id: NodeId, wanted: bool) -> Option<(View, Vec<(u32, u32)>)> {
        let Node::Test { view, edges } = self.get(id) else { return None };
        let mut out = Vec::new();
        let mut low = 0;
        for edge in edges {
            let Node::Leaf(Leaf::Bool(value)) = self.get(edge.to) else { return None };
            if *value == wanted {
                out.push((low, edge.last));
            }
            low = edge.last.saturating_add(1);
        }
        Some((*view, out))
    }

    /// The view, the place for zero and the place for anything else, of a node that asks only this.
    #[must_use]
    pub fn zero_test(&self, id: NodeId) -> Option<(View, NodeId, NodeId)> {
        match self.get(id) {
            Node::Test { view, edges } => match &**edges {
                // The least value besides 0 is the lowest bit of the mask.
                [zero, other] if zero.last < 1 << view.mask.trailing_zeros() => {
                    Some((*view, zero.to, other.to))
                }
                _ => None,
            },
            Node::Leaf(_) => None,
        }
    }

    /// The condition with other places in place of true and false, without a look at what is known there.
    ///
    /// # Errors
    /// When the arena is full.
    pub fn graft(&mut self, of: NodeId, then: NodeId, else_: NodeId) -> Result<NodeId, TooLarge> {
        self.graft_known(of, then, else_, &mut HashMap::new())
    }

    fn graft_known(
        &mut self,
        of: NodeId,
        then: NodeId,
        else_: NodeId,
        known: &mut HashMap<NodeId, NodeId>,
    ) -> Result<NodeId, TooLarge> {
        if let Some(done) = known.get(&of) {
            return Ok(*done);
        }
        let (view, edges) = match self.get(of) {
            Node::Leaf(Leaf::Bool(true)) => return Ok(then),
            Node::Leaf(Leaf::Bool(false)) => return Ok(else_),
            Node::Leaf(Leaf::Return(_)) => return Ok(of),
            Node::Test { view, edges } => (*view, edges.clone()),
        };
        let mut made = Vec::with_capacity(edges.len());
        for Edge { last, to } in edges {
            made.push(Edge { last, to: self.graft_known(to, then, else_, known)? });
        }
        let made = self.test(view, made)?;
        known.insert(of, made);
        Ok(made)
    }

    /// The leaf that these words lead to.
    #[cfg(test)]
    #[must_use]
    pub fn evaluate(&self, root: NodeId, value: impl Fn(Word) -> u32) -> Leaf {
        let mut at = root;
        loop {
            match self.get(at) {
                Node::Leaf(leaf) => return *leaf,
                Node::Test { view, edges } => {
                    let seen = value(view.word) & view.mask;
                    let Some(edge) = edges.get(edges.partition_point(|e| e.last < seen)) else {
                        return Leaf::Bool(false);
                    };
                    at = edge.to;
                }
            }
        }
    }
}
