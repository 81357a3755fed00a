//! A decision to the same one without what no word can reach.

use super::{Arena, Edge, Node, NodeId, TooLarge, View};
use crate::seccomp::word::{Bound, narrowed, satisfiable};

/// Answers about one word that pruning remembers on a path. More of them are forgotten, which keeps what is remembered few.
const MOST_KNOWN: usize = 5;

impl Arena {
    /// The same decision without edges that no word can take because of the questions asked before about the same word; the decision
    /// itself where looking for them takes too long.
    ///
    /// # Errors
    /// When the arena is full.
    pub fn prune(&mut self, id: NodeId) -> Result<NodeId, TooLarge> {
        match self.prune_under(id, Vec::new()) {
            // What no word can reach costs instructions and never correctness.
            Err(TooLarge) => Ok(id),
            done => done,
        }
    }

    /// `known`: the answers on the path so far about the word that this node asks about.
    fn prune_under(&mut self, id: NodeId, known: Vec<Bound>) -> Result<NodeId, TooLarge> {
        let Node::Test { view, edges } = self.get(id) else { return Ok(id) };
        let (view, edges) = (*view, edges.clone());
        let key = (id, known);
        if let Some(done) = self.pruned.get(&key) {
            return Ok(*done);
        }
        let mut kept = Vec::new();
        let mut low = 0;
        for edge in &edges {
            // What many masks have in common takes long to find out.
            self.spend(1 + 8 * key.1.len() * key.1.len())?;
            let mut bounds = narrowed(&key.1, Bound { mask: view.mask, low, high: edge.last });
            if bounds.len() > MOST_KNOWN {
                bounds.remove(0);
            }
            low = edge.last.saturating_add(1);
            let obvious = view.mask == u32::MAX && key.1.is_empty();
            if !obvious && !satisfiable(&bounds) {
                continue;
            }
            let same = self.view(edge.to).is_some_and(|v| v.word == view.word);
            let to = self.prune_under(edge.to, if same { bounds } else { Vec::new() })?;
            kept.push(Edge { last: edge.last, to });
        }
        // Values between two kept edges do not occur, so the last edge may reach to the end.
        if let Some(last) = kept.last_mut() {
            last.last = u32::MAX;
        }
        let made = self.test(view, kept)?;
        let made = self.fuse(made)?;
        self.pruned.insert(key, made);
        Ok(made)
    }

    /// Two questions in a row whether some bits are zero, with one place for "no", are one question.
    fn fuse(&mut self, id: NodeId) -> Result<NodeId, TooLarge> {
        let Some((view, zero, other)) = self.zero_test(id) else { return Ok(id) };
        match self.zero_test(zero) {
            Some((inner, deeper, same)) if inner.word == view.word && same == other => {
                let view = View { word: view.word, mask: view.mask | inner.mask };
                self.test(view, [Edge { last: 0, to: deeper }, Edge { last: u32::MAX, to: other }])
            }
            _ => Ok(id),
        }
    }
}
