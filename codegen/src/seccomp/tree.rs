//! A sorted list of intervals, each with a destination, to a small and shallow tree of comparisons. It knows no instruction.
//!
//! Two comparisons serve: "at least K" cuts a list in two, "equal to K" takes a single value out of a list whose neighbours lead to
//! one place, and so removes two cuts at the price of one. The cost of a tree is its number of comparisons and, weighted against it,
//! the comparisons that an average value runs through.

/// What an interval counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Weight {
    /// How many values it has that count alike.
    pub values: u64,
    /// How often its values are expected besides, in parts of [`WHOLE_SHARE`] of all that is expected; 0 where nobody knows.
    pub share: u64,
}

/// Everything that is expected.
pub const WHOLE_SHARE: u64 = 1 << 16;

impl Weight {
    /// So many values, of which nobody knows more.
    #[must_use]
    pub fn of(values: u64) -> Self {
        Self { values, share: 0 }
    }
}

impl std::ops::AddAssign for Weight {
    fn add_assign(&mut self, other: Self) {
        self.values += other.values;
        self.share += other.share;
    }
}

/// An interval as the tree builder sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<T> {
    /// The least value; the interval ends before the next piece's.
    pub low: u32,
    /// The greatest value.
    pub high: u32,
    /// Where it leads.
    pub to: T,
    /// How much it counts, relative to other pieces.
    pub weight: Weight,
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
    #[cfg(test)]
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

/// Lists up to this long are searched for the cheapest tree.
const WHOLE: usize = 192;
/// Longer ones are first cut in the middle, until they are this long.
const WINDOW: usize = 64;
/// How many comparisons of program text one comparison of the average run is worth.
const SPEED: u64 = 2;
/// Lists up to this long become as small as can be, and of the smallest trees the fastest.
const SHORT: usize = 10;
/// The price of a comparison of the text of such lists.
const SMALL: u64 = 16;
/// How much deeper than a balanced tree a tree may be.
const SLACK: usize = 4;

/// A cheap tree for these pieces; `None` for none.
#[must_use]
pub fn build<T: Copy + Eq>(pieces: &[Piece<T>]) -> Option<Tree<T>> {
    if pieces.len() > WHOLE { halves(pieces) } else { search(pieces) }
}

/// A tree whose upper part is balanced.
fn halves<T: Copy + Eq>(pieces: &[Piece<T>]) -> Option<Tree<T>> {
    if pieces.len() <= WINDOW {
        return search(pieces);
    }
    let (below, above) = pieces.split_at(middle(pieces));
    let at = above.first()?.low;
    Some(Tree::AtLeast { at, below: Box::new(halves(below)?), above: Box::new(halves(above)?) })
}

/// The cheapest tree, or where that is too deep, the cheapest of those that are not.
fn search<T: Copy + Eq>(pieces: &[Piece<T>]) -> Option<Tree<T>> {
    let floor = pieces.len().next_power_of_two().trailing_zeros() as usize;
    if pieces.iter().any(|p| p.weight.share > 0) {
        // What is rare may lie deep, but no deeper than elsewhere: where it would, what is frequent counts less.
        for damped in (0..WHOLE_SHARE.trailing_zeros()).step_by(2) {
            let tree = Search::new(pieces, SPEED, Some(damped)).tree(0, pieces.len())?;
            if tree.depth() <= floor + SLACK {
                return Some(tree);
            }
        }
    }
    let mut speed = SPEED;
    loop {
        let tree = Search::new(pieces, speed, None).tree(0, pieces.len())?;
        if tree.depth() <= floor + SLACK || speed > SPEED << 6 {
            return Some(tree);
        }
        speed *= 2;
    }
}

/// Where a long list is cut: in the middle, better at a bound of a range than beside a value that could be taken out.
fn middle<T: Copy + Eq>(pieces: &[Piece<T>]) -> usize {
    let half = pieces.len() / 2;
    let good = |c: &usize| !removable(pieces, *c) && !removable(pieces, c.saturating_sub(1));
    (half..half + 8).find(good).unwrap_or(half)
}

/// Whether a piece is one value between two pieces that lead to one place.
fn removable<T: Copy + Eq>(pieces: &[Piece<T>], index: usize) -> bool {
    match index.checked_sub(1).and_then(|before| pieces.get(before..index + 2)) {
        Some([before, own, after]) => own.low == own.high && before.to == after.to,
        _ => false,
    }
}

/// What to do with a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Step {
    /// Nothing is left to decide.
    #[default]
    Done,
    /// Cut before this piece.
    Cut(usize),
    /// Take out the second piece.
    TakeSecond,
    /// Take out the last but one.
    TakeLast,
}

/// The best way for a part of the list.
#[derive(Debug, Clone, Copy, Default)]
struct Best {
    cost: u64,
    step: Step,
    /// The best cut, also where another step is better: cuts of longer parts lie between those of shorter ones.
    cut: usize,
    /// How many comparisons the first and the last piece run through.
    first: u64,
    last: u64,
}

/// The search over all parts of a list, shorter ones first.
struct Search<'a, T> {
    pieces: &'a [Piece<T>],
    /// Sums of weights before each piece.
    sums: Vec<u64>,
    speed: u64,
    /// By start, then by end.
    best: Vec<Best>,
}

impl<'a, T: Copy + Eq> Search<'a, T> {
    /// `damped`: by how many bits shares count less; `None` leaves them out.
    fn new(pieces: &'a [Piece<T>], speed: u64, damped: Option<u32>) -> Self {
        let mut sums = vec![0];
        let mut total = 0u64;
        for piece in pieces {
            // Every piece counts a little, so that no corner of the tree grows deep unnoticed.
            let share = damped.map_or(0, |by| piece.weight.share >> by);
            total += (piece.weight.values + share) * 8 + 1;
            sums.push(total);
        }
        let count = pieces.len();
        let mut search = Self { pieces, sums, speed, best: vec![Best::default(); (count + 1) * (count + 1)] };
        for start in 0..count {
            search.set(start, start + 1, Best { cut: start + 1, ..Best::default() });
        }
        for length in 2..=count {
            for start in 0..=count - length {
                let best = search.consider(start, start + length);
                search.set(start, start + length, best);
            }
        }
        search
    }

    fn get(&self, start: usize, end: usize) -> Best {
        self.best.get(start * (self.pieces.len() + 1) + end).copied().unwrap_or_default()
    }

    fn set(&mut self, start: usize, end: usize, best: Best) {
        if let Some(slot) = self.best.get_mut(start * (self.pieces.len() + 1) + end) {
            *slot = best;
        }
    }

    /// The weight of the pieces from `start` up to `end`.
    fn weight(&self, start: usize, end: usize) -> u64 {
        let at = |i: usize| self.sums.get(i).copied().unwrap_or(0);
        at(end) - at(start)
    }

    /// The best step for the pieces from `start` up to `end`, at least two.
    fn consider(&self, start: usize, end: usize) -> Best {
        let (from, to) =
            (self.get(start, end - 1).cut.max(start + 1), self.get(start + 1, end).cut.min(end - 1));
        let cost = |cut: usize| self.get(start, cut).cost + self.get(cut, end).cost;
        let cut = (from..=to.max(from)).min_by_key(|c| cost(*c)).unwrap_or(start + 1);
        let (below, above) = (self.get(start, cut), self.get(cut, end));
        let mut best =
            Best { cost: cost(cut), step: Step::Cut(cut), cut, first: below.first, last: above.last };
        if end - start >= 3 && removable(self.pieces, start + 1) {
            // The values of the piece before it go where those of the piece behind it go.
            let rest = self.get(start + 2, end);
            let cost = rest.cost + self.speed * self.weight(start, start + 1) * rest.first;
            if cost < best.cost {
                best = Best { cost, step: Step::TakeSecond, cut, first: rest.first, last: rest.last };
            }
        }
        if end - start >= 3 && removable(self.pieces, end - 2) {
            let rest = self.get(start, end - 2);
            let cost = rest.cost + self.speed * self.weight(end - 1, end) * rest.last;
            if cost < best.cost {
                best = Best { cost, step: Step::TakeLast, cut, first: rest.first, last: rest.last };
            }
        }
        // One comparison of text, and one for everything that runs through it.
        let price = if self.pieces.len() <= SHORT { SMALL } else { 1 };
        best.cost += price * self.weight(0, self.pieces.len()) + self.speed * self.weight(start, end);
        best.first += 1;
        best.last += 1;
        best
    }

    fn tree(&self, start: usize, end: usize) -> Option<Tree<T>> {
        Some(match self.get(start, end).step {
            Step::Done => Tree::Leaf(self.pieces.get(start)?.to),
            Step::Cut(cut) => Tree::AtLeast {
                at: self.pieces.get(cut)?.low,
                below: Box::new(self.tree(start, cut)?),
                above: Box::new(self.tree(cut, end)?),
            },
            Step::TakeSecond => self.taken(start + 1, start + 2, end)?,
            Step::TakeLast => self.taken(end - 2, start, end - 2)?,
        })
    }

    fn taken(&self, index: usize, start: usize, end: usize) -> Option<Tree<T>> {
        let own = self.pieces.get(index)?;
        Some(Tree::Equal { at: own.low, hit: own.to, rest: Box::new(self.tree(start, end)?) })
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
            Tree::Equal { at, hit, rest } => {
                if value == *at {
                    *hit
                } else {
                    walk(rest, value)
                }
            }
        }
    }

    fn pieces(lengths: &[(u32, u8)]) -> Vec<Piece<u8>> {
        let mut low = 0;
        let mut out: Vec<Piece<u8>> = Vec::new();
        for (length, to) in lengths {
            match out.last_mut() {
                Some(last) if last.to == *to => last.high += length,
                _ => out.push(Piece { low, high: low + length - 1, to: *to, weight: Weight::of(1) }),
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

    /// Comparisons that a value of each piece runs through, by how often it is expected.
    fn expected(tree: &Tree<u8>, pieces: &[Piece<u8>]) -> u64 {
        fn run(tree: &Tree<u8>, value: u32) -> u64 {
            match tree {
                Tree::Leaf(_) => 0,
                Tree::AtLeast { at, below, above } => {
                    1 + run(if value >= *at { above } else { below }, value)
                }
                Tree::Equal { at, rest, .. } => 1 + if value == *at { 0 } else { run(rest, value) },
            }
        }
        pieces.iter().map(|p| p.weight.share * run(tree, p.low)).sum()
    }

    #[test]
    fn what_is_frequent_is_found_sooner_and_nothing_lies_too_deep() {
        for count in [12u32, 60, 150] {
            for hot in [0, 1, count / 3, count - 1] {
                let plain = pieces(&(0..count).map(|i| (3, (i % 3) as u8)).collect::<Vec<_>>());
                let mut weighted = plain.clone();
                weighted[hot as usize].weight.share = WHOLE_SHARE / 2;
                weighted[(hot as usize + 5) % count as usize].weight.share = WHOLE_SHARE / 3;
                let [before, after] = [&plain, &weighted].map(|p| build(p).unwrap());
                let [slow, fast] = [&before, &after].map(|t| expected(t, &weighted));
                assert!(fast < slow, "{count} {hot}: {slow} {fast}");
                assert!(after.depth() <= count.next_power_of_two().trailing_zeros() as usize + SLACK);
            }
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
