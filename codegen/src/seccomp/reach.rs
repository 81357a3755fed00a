//! A decision and an answer to words that lead there: exact where it ends in time, which it says.

use super::diagram::{Arena, Half, Leaf, Node, NodeId, TooLarge, Word};
use super::word::{Bound, narrowed, satisfiable, witness};
use std::collections::HashMap;

/// Whether an answer is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// By these words, and any values of others.
    By(HashMap<Word, u32>),
    /// No words lead to it.
    Nowhere,
    /// It takes too long to find out.
    Unknown,
}

impl Reach {
    /// The registers that lead to the answer; `None` where none do.
    ///
    /// # Errors
    /// It is not known whether any do.
    pub fn registers(&self) -> Result<Option<[u64; 6]>, TooLarge> {
        let words = match self {
            Self::Nowhere => return Ok(None),
            Self::Unknown => return Err(TooLarge),
            Self::By(words) => words,
        };
        let value = |register: u8, half| u64::from(words.get(&Word { register, half }).copied().unwrap_or(0));
        Ok(Some([0, 1, 2, 3, 4, 5].map(|r| value(r, Half::High) << 32 | value(r, Half::Low))))
    }
}

/// Edges looked at before the search is given up.
const MOST_STEPS: usize = 30_000;

/// Words that lead from a node to a leaf that is wanted.
#[must_use]
pub fn reach(arena: &Arena, node: NodeId, wanted: impl Fn(Leaf) -> bool) -> Reach {
    let mut search = Search { arena, wanted, steps: 0, skipped: false, leads: HashMap::new() };
    match search.walk(node, &HashMap::new()) {
        Some(words) => Reach::By(words),
        None if search.skipped || search.steps > MOST_STEPS => Reach::Unknown,
        None => Reach::Nowhere,
    }
}

struct Search<'a, F> {
    arena: &'a Arena,
    wanted: F,
    steps: usize,
    /// Whether a way was left out because no words were found for it in time.
    skipped: bool,
    /// Whether some edges lead from a node to what is wanted, possible ones or not.
    leads: HashMap<NodeId, bool>,
}

impl<F: Fn(Leaf) -> bool> Search<'_, F> {
    fn leads(&mut self, node: NodeId) -> bool {
        if let Some(known) = self.leads.get(&node) {
            return *known;
        }
        let leads = match self.arena.get(node) {
            Node::Leaf(leaf) => (self.wanted)(*leaf),
            Node::Test { edges, .. } => edges.iter().any(|e| self.leads(e.to)),
        };
        self.leads.insert(node, leads);
        leads
    }

    /// `known`: what the path so far says of each word.
    fn walk(&mut self, node: NodeId, known: &HashMap<Word, Vec<Bound>>) -> Option<HashMap<Word, u32>> {
        if self.steps > MOST_STEPS || !self.leads(node) {
            return None;
        }
        let (view, edges) = match self.arena.get(node) {
            Node::Leaf(_) => {
                let words: Option<_> = known.iter().map(|(w, b)| Some((*w, witness(b)?))).collect();
                self.skipped |= words.is_none();
                return words;
            }
            Node::Test { view, edges } => (*view, edges),
        };
        let before = known.get(&view.word).map_or(&[][..], Vec::as_slice);
        let mut low = 0;
        for edge in edges {
            self.steps += 1 + known.len();
            let bounds = narrowed(before, Bound { mask: view.mask, low, high: edge.last });
            low = edge.last.saturating_add(1);
            if !satisfiable(&bounds) {
                continue;
            }
            let mut more = known.clone();
            more.insert(view.word, bounds);
            if let Some(found) = self.walk(edge.to, &more) {
                return Some(found);
            }
        }
        None
    }
}
