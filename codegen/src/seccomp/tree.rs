//! A sorted list of intervals, each with a destination, to a small and shallow tree of comparisons. It knows no instruction.
//!
//! Two comparisons serve: "at least K" cuts a list in two, "equal to K" takes a single value out of a list whose neighbours lead to
//! one place, and so removes two cuts at the price of one. The cost of a tree is its number of comparisons and, weighted against it,
//! the comparisons that an average value runs through.

/// An interval as the tree builder sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<T> {
    /// The least value; the interval ends before the next piece's.
    pub low: u32,
    /// The greatest value.
    pub high: u32,
    /// Where it leads.
    pub to: T,
    /// How often values of it are expected, relative to other pieces.
    pub weight: u64,
}

/// A tree of comparisons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree<T> {
    /// No comparison is left.
    Leaf(T),
    /// `value >= at`
    AtLeast {
        /// The bound.
        at: u32,
        /// Where smaller values go.
        below: Box<Tree<T>>,
        /// Where the others go.
        above: Box<Tree<T>>,
    },
    /// `value == at`
    Equal {
        /// The value.
        at: u32,
        /// Where it goes.
        hit: T,
        /// Where the others go.
        rest: Box<Tree<T>>,
    },
}

impl<T> Tree<T> {
    /// The number of comparisons.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Leaf(_) => 0,
            Self::AtLeast { below, above, .. } => 1 + below.size() + above.size(),
            Self::Equal { rest, .. } => 1 + rest.size(),
        }
    }

    /// The most comparisons that a value runs through.
    #[must_use]
    pub fn depth(&self) -> usize {
        match self {
            Self::Leaf(_) => 0,
            Self::AtLeast { below, above, .. } => 1 + below.depth().max(above.depth()),
            Self::Equal { rest, .. } => 1 + rest.depth(),
        }
    }
}

/// Lists up to this long are searched for the cheapest tree; longer ones are cut near the middle.
const WINDOW: usize = 18;
/// How many comparisons of program text one comparison of the average run is worth.
const SPEED: u64 = 4;

/// The cheapest tree, exactly so within windows of pieces.
#[must_use]
pub fn build<T: Copy + Eq>(pieces: &[Piece<T>]) -> Option<Tree<T>> {
    let mut builder = Builder::new(pieces);
    (!pieces.is_empty()).then(|| builder.tree(0, pieces.len())).flatten()
}

struct Builder<'a, T> {
    pieces: &'a [Piece<T>],
    /// Sums of weights before each piece.
    sums: Vec<u64>,
    /// By start and length: the cost and the step that reaches it.
    best: Vec<Option<(u64, Step)>>,
}

/// What to do with a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Nothing is left to decide.
    Done,
    /// Cut before this piece.
    Cut(usize),
    /// Take out the second piece.
    TakeSecond,
    /// Take out the last but one.
    TakeLast,
}

impl<'a, T: Copy + Eq> Builder<'a, T> {
    fn new(pieces: &'a [Piece<T>]) -> Self {
        let mut sums = vec![0];
        let mut total = 0u64;
        for piece in pieces {
            // Every piece counts a little, so that no corner of the tree grows deep unnoticed.
            total += piece.weight * 16 + 1;
            sums.push(total);
        }
        Self { pieces, sums, best: vec![None; (pieces.len() + 1) * (WINDOW + 1)] }
    }

    fn piece(&self, index: usize) -> Option<&Piece<T>> {
        self.pieces.get(index)
    }

    /// The weight of the pieces from `start` up to `end`.
    fn weight(&self, start: usize, end: usize) -> u64 {
        let at = |i: usize| self.sums.get(i).copied().unwrap_or(0);
        at(end).saturating_sub(at(start))
    }

    /// The cost of one comparison that the pieces from `start` up to `end` run through.
    fn price(&self, start: usize, end: usize) -> u64 {
        let total = self.weight(0, self.pieces.len()).max(1);
        total + SPEED * self.weight(start, end)
    }

    /// Whether the piece is one value between two pieces that lead to one place.
    fn removable(&self, index: usize) -> bool {
        let around = index.checked_sub(1).and_then(|before| Some((self.piece(before)?, self.piece(index)?, self.piece(index + 1)?)));
        around.is_some_and(|(before, own, after)| own.low == own.high && before.to == after.to)
    }

    /// The best step for the pieces from `start` up to `end`, and its cost; within a window.
    fn search(&mut self, start: usize, end: usize) -> (u64, Step) {
        let length = end - start;
        if length <= 1 {
            return (0, Step::Done);
        }
        let slot = start * (WINDOW + 1) + length;
        if let Some(Some(known)) = self.best.get(slot) {
            return *known;
        }
        let mut best = (u64::MAX, Step::Done);
        let mut consider = |cost: u64, step: Step| {
            if cost < best.0 {
                best = (cost, step);
            }
        };
        if length >= 3 && self.removable(start + 1) {
            consider(self.search(start + 2, end).0, Step::TakeSecond);
        }
        if length >= 3 && self.removable(end - 2) {
            consider(self.search(start, end - 2).0, Step::TakeLast);
        }
        for cut in start + 1..end {
            consider(self.search(start, cut).0 + self.search(cut, end).0, Step::Cut(cut));
        }
        best.0 += self.price(start, end);
        if let Some(slot) = self.best.get_mut(slot) {
            *slot = Some(best);
        }
        best
    }

    /// Where a long list is cut: near half its weight, better at a bound of a range than beside a value that could be taken out.
    fn cut(&self, start: usize, end: usize) -> usize {
        let half = self.weight(0, start) + self.weight(start, end) / 2;
        let middle = self.sums.partition_point(|s| *s < half).clamp(start + 1, end - 1);
        // Cuts far from the middle would make the tree deep.
        let reach = (end - start) / 4;
        let (low, high) = ((start + reach).max(start + 1), (end - reach).min(end - 1));
        let middle = middle.clamp(low, high.max(low));
        let near = [middle, middle + 1, middle.saturating_sub(1), middle + 2, middle.saturating_sub(2)];
        let good = |c: &usize| *c > start && *c < end && !self.removable(*c) && !self.removable(c.saturating_sub(1));
        near.into_iter().find(good).unwrap_or(middle)
    }

    fn tree(&mut self, start: usize, end: usize) -> Option<Tree<T>> {
        let step = if end - start > WINDOW { Step::Cut(self.cut(start, end)) } else { self.search(start, end).1 };
        Some(match step {
            Step::Done => Tree::Leaf(self.piece(start)?.to),
            Step::Cut(cut) => Tree::AtLeast {
                at: self.piece(cut)?.low,
                below: Box::new(self.tree(start, cut)?),
                above: Box::new(self.tree(cut, end)?),
            },
            Step::TakeSecond => self.taken(start + 1, start + 2, end)?,
            Step::TakeLast => self.taken(end - 2, start, end - 2)?,
        })
    }

    fn taken(&mut self, index: usize, start: usize, end: usize) -> Option<Tree<T>> {
        let (at, hit) = self.piece(index).map(|p| (p.low, p.to))?;
        Some(Tree::Equal { at, hit, rest: Box::new(self.tree(start, end)?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn walk(tree: &Tree<u8>, value: u32) -> u8 {
        match tree {
            Tree::Leaf(to) => *to,
            Tree::AtLeast { at, below, above } => walk(if value >= *at { above } else { below }, value),
            Tree::Equal { at, hit, rest } => if value == *at { *hit } else { walk(rest, value) },
        }
    }

    fn pieces(lengths: &[(u32, u8)]) -> Vec<Piece<u8>> {
        let mut low = 0;
        let mut out: Vec<Piece<u8>> = Vec::new();
        for (length, to) in lengths {
            match out.last_mut() {
                Some(last) if last.to == *to => last.high += length,
                _ => out.push(Piece { low, high: low + length - 1, to: *to, weight: 1 }),
            }
            low += length;
        }
        out
    }

    #[test]
    fn single_values_in_one_background_cost_one_comparison_each() {
        let list = pieces(&[(9, 0), (1, 1), (5, 0), (1, 1), (7, 0), (1, 1), (3, 0)]);
        assert_eq!(build(&list).map(|t| t.size()), Some(3));
    }

    #[test]
    fn long_lists_stay_shallow_and_small() {
        for count in [40u32, 200, 1_000, 5_000] {
            let alternating: Vec<(u32, u8)> = (0..count).map(|i| (1 + i % 2 * 9, (i % 2) as u8)).collect();
            let tree = build(&pieces(&alternating)).unwrap();
            let floor = (f64::from(count)).log2().ceil() as usize;
            assert!(tree.depth() <= floor + 4, "{count}: depth {}", tree.depth());
            assert!(tree.size() <= count as usize * 3 / 4, "{count}: size {}", tree.size());
        }
    }

    proptest! {
        #[test]
        fn a_tree_leads_where_the_list_does(list in proptest::collection::vec((1u32..4, 0u8..3), 1..90)) {
            let list = pieces(&list);
            let tree = build(&list).unwrap();
            for piece in &list {
                for value in piece.low..=piece.high {
                    prop_assert_eq!(walk(&tree, value), piece.to);
                }
            }
            prop_assert!(tree.size() < list.len().max(2));
        }
    }
}
