//! Sets of the values of small enums.

/// A set of the values of a small enum.
macro_rules! word_set {
    ($(#[$meta:meta])* $set:ident of $item:ident { $($(#[$vmeta:meta])* $variant:ident,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $item { $($(#[$vmeta])* $variant,)* }

        impl $item {
            /// All of them, in the order in which they are printed.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
        }

        #[doc = concat!("A set of [`", stringify!($item), "`].")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $set(u16);

        impl $set {
            /// No member.
            pub const EMPTY: Self = Self(0);

            /// The set of these.
            #[must_use]
            pub const fn of(items: &[$item]) -> Self {
                let mut bits = 0;
                let mut rest = items;
                while let [first, tail @ ..] = rest {
                    bits |= 1 << (*first as u16);
                    rest = tail;
                }
                Self(bits)
            }

            /// Whether it has `item`.
            #[must_use]
            pub const fn has(self, item: $item) -> bool { self.0 & (1 << (item as u16)) != 0 }

            /// Whether it has no member.
            #[must_use]
            pub const fn is_empty(self) -> bool { self.0 == 0 }

            /// Whether it has every member of `other`.
            #[must_use]
            pub const fn contains(self, other: Self) -> bool { self.0 & other.0 == other.0 }

            /// What either has.
            #[must_use]
            pub const fn union(self, other: Self) -> Self { Self(self.0 | other.0) }

            /// What both have.
            #[must_use]
            pub const fn intersect(self, other: Self) -> Self { Self(self.0 & other.0) }

            /// What `self` has and `other` has not.
            #[must_use]
            pub const fn minus(self, other: Self) -> Self { Self(self.0 & !other.0) }

            /// The members in order.
            pub fn iter(self) -> impl Iterator<Item = $item> {
                $item::ALL.iter().copied().filter(move |i| self.has(*i))
            }
        }

        impl FromIterator<$item> for $set {
            fn from_iter<I: IntoIterator<Item = $item>>(iter: I) -> Self {
                iter.into_iter().fold(Self::EMPTY, |set, i| set.union(Self::of(&[i])))
            }
        }
    };
}

pub(crate) use word_set;
