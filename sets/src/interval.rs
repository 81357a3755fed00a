//! Sorted, disjoint, inclusive intervals over an unsigned integer: ports, addresses, system-call numbers, argument words.

use std::fmt;

/// An integer that intervals can be made of.
pub trait Point: Copy + Ord + fmt::Debug {
    /// The least value.
    const MIN: Self;
    /// The greatest value.
    const MAX: Self;
    /// The next value, `None` at [`Point::MAX`].
    fn next(self) -> Option<Self>;
    /// The value before, `None` at [`Point::MIN`].
    fn prev(self) -> Option<Self>;
}

macro_rules! point {
    ($($t:ty),*) => {$(
        impl Point for $t {
            const MIN: Self = <$t>::MIN;
            const MAX: Self = <$t>::MAX;
            fn next(self) -> Option<Self> { self.checked_add(1) }
            fn prev(self) -> Option<Self> { self.checked_sub(1) }
        }
    )*};
}
point!(u8, u16, u32, u64, u128);

/// A set of integers, kept as sorted, disjoint, non-adjacent inclusive ranges, so that equality is set equality.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Intervals<T> {
    ranges: Vec<(T, T)>,
}

impl<T> Default for Intervals<T> {
    fn default() -> Self {
        Self { ranges: Vec::new() }
    }
}

impl<T: Point> fmt::Debug for Intervals<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(
                self.ranges
                    .iter()
                    .map(|(a, b)| if a == b { format!("{a:?}") } else { format!("{a:?}-{b:?}") }),
            )
            .finish()
    }
}

impl<T: Point> Intervals<T> {
    /// The empty set.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Every value of the type.
    #[must_use]
    pub fn full() -> Self {
        Self { ranges: vec![(T::MIN, T::MAX)] }
    }

    /// One value.
    #[must_use]
    pub fn one(value: T) -> Self {
        Self { ranges: vec![(value, value)] }
    }

    /// All values from `low` to `high`, both included; empty when `low > high`.
    #[must_use]
    pub fn range(low: T, high: T) -> Self {
        Self { ranges: if low <= high { vec![(low, high)] } else { Vec::new() } }
    }

    /// The ranges in ascending order; no two touch.
    #[must_use]
    pub fn ranges(&self) -> &[(T, T)] {
        &self.ranges
    }

    /// Whether nothing is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether every value is in the set.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.ranges.as_slice() == [(T::MIN, T::MAX)]
    }

    /// The least value, which serves as the witness of a non-empty answer.
    #[must_use]
    pub fn first(&self) -> Option<T> {
        self.ranges.first().map(|r| r.0)
    }

    /// Whether `value` is in the set.
    #[must_use]
    pub fn contains(&self, value: T) -> bool {
        let after = self.ranges.partition_point(|r| r.0 <= value);
        after.checked_sub(1).and_then(|i| self.ranges.get(i)).is_some_and(|r| value <= r.1)
    }

    /// The union of both sets.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.ranges.iter().chain(&other.ranges).copied().collect()
    }

    /// The values in both sets.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let mut out = Vec::new();
        let (mut a, mut b) =
            (self.ranges.iter().copied().peekable(), other.ranges.iter().copied().peekable());
        while let (Some(&(a0, a1)), Some(&(b0, b1))) = (a.peek(), b.peek()) {
            let (low, high) = (a0.max(b0), a1.min(b1));
            if low <= high {
                out.push((low, high));
            }
            if a1 < b1 {
                a.next()
            } else {
                b.next()
            };
        }
        Self { ranges: out }
    }

    /// The values not in the set.
    #[must_use]
    pub fn complement(&self) -> Self {
        let mut out = Vec::new();
        let mut low = Some(T::MIN);
        for &(a, b) in &self.ranges {
            if let (Some(l), Some(h)) = (low, a.prev())
                && l <= h
            {
                out.push((l, h));
            }
            low = b.next();
        }
        if let Some(l) = low {
            out.push((l, T::MAX));
        }
        Self { ranges: out }
    }

    /// The values in `self` that are not in `other`.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.intersect(&other.complement())
    }

    /// Whether every value of `self` is in `other`.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.minus(other).is_empty()
    }
}

impl<T: Point> FromIterator<(T, T)> for Intervals<T> {
    /// The union of inclusive ranges in any order; a range with its ends swapped is empty.
    fn from_iter<I: IntoIterator<Item = (T, T)>>(iter: I) -> Self {
        let mut all: Vec<(T, T)> = iter.into_iter().filter(|r| r.0 <= r.1).collect();
        all.sort_unstable();
        let mut out: Vec<(T, T)> = Vec::with_capacity(all.len());
        for (a, b) in all {
            match out.last_mut() {
                // Touching ranges join, so that equal sets have equal representations.
                Some(last) if last.1.next().is_none_or(|n| a <= n) => last.1 = last.1.max(b),
                _ => out.push((a, b)),
            }
        }
        Self { ranges: out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(set: &Intervals<u8>) -> Vec<u8> {
        (0..=255).filter(|v| set.contains(*v)).collect()
    }

    #[test]
    fn operations_agree_with_a_naive_set() {
        let mut seed = 7u32;
        let mut next = move || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        };
        for _ in 0..2_000 {
            let a: Intervals<u8> = (0..3).map(|_| (next(), next())).collect();
            let b: Intervals<u8> = (0..3).map(|_| (next(), next())).collect();
            let (na, nb) = (naive(&a), naive(&b));
            let keep = |f: &dyn Fn(u8) -> bool| (0..=255u8).filter(|v| f(*v)).collect::<Vec<_>>();
            assert_eq!(naive(&a.union(&b)), keep(&|v| na.contains(&v) || nb.contains(&v)));
            assert_eq!(naive(&a.intersect(&b)), keep(&|v| na.contains(&v) && nb.contains(&v)));
            assert_eq!(naive(&a.minus(&b)), keep(&|v| na.contains(&v) && !nb.contains(&v)));
            assert_eq!(naive(&a.complement()), keep(&|v| !na.contains(&v)));
            assert_eq!(a.is_subset(&b), na.iter().all(|v| nb.contains(v)));
            assert_eq!(a.complement().complement(), a);
        }
    }

    #[test]
    fn touching_ranges_join() {
        let set: Intervals<u16> = [(5, 9), (1, 4), (20, 20), (12, 11)].into_iter().collect();
        assert_eq!(set.ranges(), [(1, 9), (20, 20)]);
        assert_eq!(Intervals::<u16>::full().complement(), Intervals::empty());
    }
}
