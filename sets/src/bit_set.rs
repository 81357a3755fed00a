//! A list of variants to a small enum and the sets of its values.

/// Makes an enum, and the type of the sets of its values: `Set(u16) of Item { A, B, }`. With `A = "word",` each value has a word.
#[macro_export]
macro_rules! bit_set {
    ($(#[$meta:meta])* $set:ident($repr:ty) of $item:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal,)* }) => {
        $crate::bit_set! { $(#[$meta])* $set($repr) of $item { $($(#[$vmeta])* $variant,)* } }

        impl $item {
            /// The word for it in policies.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
    ($(#[$meta:meta])* $set:ident($repr:ty) of $item:ident { $($(#[$vmeta:meta])* $variant:ident,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $item { $($(#[$vmeta])* $variant,)* }

        impl $item {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
        }

        #[doc = concat!("A set of [`", stringify!($item), "`].")]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $set($repr);

        impl $set {
            /// No member.
            pub const EMPTY: Self = Self(0);

            /// The set of these.
            #[must_use]
            pub const fn of(items: &[$item]) -> Self {
                let mut out = Self::EMPTY;
                let mut rest = items;
                while let [first, tail @ ..] = rest {
                    out = out.with(*first);
                    rest = tail;
                }
                out
            }

            /// Every member.
            #[must_use]
            pub const fn all() -> Self { Self::of($item::ALL) }

            /// Whether it has `item`.
            #[must_use]
            pub const fn has(self, item: $item) -> bool { self.0 & (1 << (item as u32)) != 0 }

            /// Whether it has every member of `other`.
            #[must_use]
            pub const fn contains(self, other: Self) -> bool { self.0 & other.0 == other.0 }

            /// Whether it has no member.
            #[must_use]
            pub const fn is_empty(self) -> bool { self.0 == 0 }

            /// With `item` added.
            #[must_use]
            pub const fn with(self, item: $item) -> Self { Self(self.0 | 1 << (item as u32)) }

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
                iter.into_iter().fold(Self::EMPTY, Self::with)
            }
        }

        impl std::fmt::Debug for $set {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_set().entries(self.iter()).finish()
            }
        }
    };
}
