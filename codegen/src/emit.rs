//! What every template of this crate shares: values reach the text through typed filters or not at all.

use std::fmt;

/// The escaper of all templates: it refuses, at compile time, any value that no filter has turned into checked text.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRaw;

impl askama::filters::Escaper for NoRaw {
    fn write_escaped_str<W: fmt::Write>(&self, _: W, _: &str) -> fmt::Result {
        const { panic!("print values through a filter that takes a validated token type") }
    }
}
