//! Constraints on one 32-bit word, each on the bits of one mask, to "can all of them hold" with a witness. It knows no system call.

use std::collections::HashSet;

/// `low <= (word & mask) <= high`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bound {
    /// Which bits are looked at.
    pub mask: u32,
    /// The least value.
    pub low: u32,
    /// The greatest value.
    pub high: u32,
}

/// What is known with one more bound, which becomes the last: those of one mask are one.
#[must_use]
pub fn narrowed(known: &[Bound], bound: Bound) -> Vec<Bound> {
    let mut out: Vec<Bound> = known.iter().copied().filter(|b| b.mask != bound.mask).collect();
    let before = known.iter().find(|b| b.mask == bound.mask);
    let (low, high) = before.map_or((0, u32::MAX), |b| (b.low, b.high));
    out.push(Bound { mask: bound.mask, low: low.max(bound.low), high: high.min(bound.high) });
    out
}

/// More bounds than this on one word are taken as satisfiable, which costs instructions and never correctness.
const MOST_BOUNDS: usize = 8;

/// After so many dead ends no word is looked for any longer.
const MOST_POSITIONS: usize = 500;

/// Whether some word meets all bounds; also where that takes too long to find out.
#[must_use]
pub fn satisfiable(bounds: &[Bound]) -> bool {
    if bounds.len() > MOST_BOUNDS {
        return true;
    }
    let mut dead = HashSet::new();
    search(bounds, 32, both(bounds), &mut dead).is_some() || dead.len() > MOST_POSITIONS
}

/// Every bound tight at both ends.
fn both(bounds: &[Bound]) -> u32 {
    (1u32 << (2 * bounds.len())) - 1
}

/// The least word that meets all bounds; `None` when none does or there are too many bounds to look through.
#[must_use]
pub fn witness(bounds: &[Bound]) -> Option<u32> {
    if bounds.len() > MOST_BOUNDS {
        return None;
    }
    let mut dead = HashSet::new();
    search(bounds, 32, both(bounds), &mut dead)
}

/// Chooses bits `bit - 1` to 0. `tight` has two bits per bound: whether the bits chosen so far equal those of its low and high end.
/// `dead` remembers positions without a solution, so that each of the few positions is looked at once.
fn search(bounds: &[Bound], bit: u32, tight: u32, dead: &mut HashSet<(u32, u32)>) -> Option<u32> {
    let Some(bit) = bit.checked_sub(1) else { return Some(0) };
    if dead.len() > MOST_POSITIONS || dead.contains(&(bit, tight)) {
        return None;
    }
    for choice in [0, 1] {
        if let Some(next) = step(bounds, bit, tight, choice)
            && let Some(rest) = search(bounds, bit, next, dead)
        {
            return Some(choice << bit | rest);
        }
    }
    dead.insert((bit, tight));
    None
}

/// The tightness after a bit; `None` when a bound is broken.
fn step(bounds: &[Bound], bit: u32, tight: u32, choice: u32) -> Option<u32> {
    let mut next = 0;
    for (index, bound) in bounds.iter().enumerate() {
        let value = (bound.mask >> bit & 1) & choice;
        let (low, high) = (bound.low >> bit & 1, bound.high >> bit & 1);
        let at_low = tight >> (2 * index) & 1 == 1;
        let at_high = tight >> (2 * index + 1) & 1 == 1;
        if at_low && value < low || at_high && value > high {
            return None;
        }
        next |= u32::from(at_low && value == low) << (2 * index);
        next |= u32::from(at_high && value == high) << (2 * index + 1);
    }
    Some(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bound(mask: u32, low: u32, high: u32) -> Bound {
        Bound { mask, low, high }
    }

    #[test]
    fn masks_that_overlap_constrain_each_other() {
        assert_eq!(witness(&[bound(1, 1, 1), bound(3, 0, 0)]), None);
        assert_eq!(witness(&[bound(3, 1, u32::MAX), bound(1, 0, 0)]), Some(2));
        assert_eq!(witness(&[bound(u32::MAX, 10, 20), bound(0xf, 3, 3)]), Some(19));
        assert_eq!(witness(&[bound(u32::MAX, 10, 18), bound(0xf, 3, 3)]), None);
        assert_eq!(witness(&[]), Some(0));
    }

    proptest! {
        /// Seven-bit words can be looked through one by one.
        #[test]
        fn agrees_with_trying_every_word(
            list in proptest::collection::vec((0u32..128, 0u32..128, 0u32..128), 0..5)
        ) {
            let mut bounds: Vec<Bound> = list.iter().map(|(m, a, b)| bound(*m, *a, *b)).collect();
            bounds.push(bound(u32::MAX, 0, 127));
            let holds = |w: &u32| bounds.iter().all(|b| (b.low..=b.high).contains(&(w & b.mask)));
            prop_assert_eq!(witness(&bounds), (0..128).find(holds));
        }
    }
}
