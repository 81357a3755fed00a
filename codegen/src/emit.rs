//! What every template of this crate shares: values reach the text through typed filters or not at all.

use std::fmt;

/// The escaper of all templates: it refuses, at compile time, any value that no filter has turned into checked text.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRaw;

impl askama::filters::Escaper for NoRaw {
    fn write_escaped_str<W: fmt::Write>(&self, _: W, _: &str) -> fmt::Result {
        // No type is so large. The condition names the writer, because a constant that depends on nothing is evaluated in optimised
        // builds even where nobody prints a raw value.
        const {
            assert!(
                size_of::<W>() == usize::MAX,
                "print values through a filter that takes a validated token type"
            );
        }
        Err(fmt::Error)
    }
}
