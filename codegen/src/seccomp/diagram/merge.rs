//! Three lists of edges to the pieces on which none of them changes.

use super::{Edge, NodeId};

/// Walks three lists of edges together: each piece on which none of them changes.
pub(super) struct Merge {
    sides: [Box<[Edge]>; 3],
    at: [usize; 3],
    done: bool,
}

impl Merge {
    pub(super) fn new(sides: [Box<[Edge]>; 3]) -> Self {
        Self { sides, at: [0; 3], done: false }
    }
}

impl Iterator for Merge {
    type Item = (u32, [NodeId; 3]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let [a, b, c] = &self.sides;
        let [i, j, k] = self.at;
        let (a, b, c) = (a.get(i)?, b.get(j)?, c.get(k)?);
        let last = a.last.min(b.last).min(c.last);
        self.at = [
            i + usize::from(a.last == last),
            j + usize::from(b.last == last),
            k + usize::from(c.last == last),
        ];
        self.done = last == u32::MAX;
        Some((last, [a.to, b.to, c.to]))
    }
}
