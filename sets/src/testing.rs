//! A seed to numbers that are the same everywhere, for tests.

/// SplitMix64, from this seed.
#[derive(Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a bound; 0 where that is 0.
    pub fn under(&mut self, bound: u64) -> u64 {
        self.draw() % bound.max(1)
    }

    /// The same for places in lists.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.under(u64::try_from(bound).unwrap_or(u64::MAX))).unwrap_or(0)
    }

    /// One of these; `None` of none.
    pub fn of<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }

    /// The same, copied.
    pub fn pick<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        self.of(list).copied()
    }
}
