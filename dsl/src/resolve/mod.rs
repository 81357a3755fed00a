//! Trees to a program: files found, values known, fragments and templates expanded. It knows what names stand for, and nothing of
//! what rules mean.

mod expand;
mod include;
mod load;
mod names;
mod params;
mod place;
mod ring;
mod text;
mod values;
mod when;

pub(crate) use expand::{Plan, Program, Step, expand};
pub(crate) use load::{Units, load};
pub(crate) use text::{Mode, Text};
pub(crate) use values::{Atom, AtomKind, Found, LetValue, Scope, Value, Values, World, spend};
