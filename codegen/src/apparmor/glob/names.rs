//! Names outside the file system (abstract sockets, queues, file-system types, devices) to globs.

use super::{nodes, write};
use crate::apparmor::token::BadToken;
use canc_dsl::policy::NamePattern;
use canc_sets::path::{Atom, Lang, Piece, TooLarge};
use regex_syntax::hir::Hir;
use std::sync::Arc;

/// A glob over names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NameGlob(Arc<str>);

impl NameGlob {
    /// The glob that matches exactly the names of a pattern.
    #[must_use]
    pub fn of_pattern(pattern: &NamePattern) -> Self {
        let mut out = String::new();
        let mut list = pattern.pieces.iter().peekable();
        while let Some(piece) = list.next() {
            match piece {
                Piece::Lit(text) => write::literal(&mut out, text),
                Piece::Any => out.push('?'),
                // Two in a row would be another glob.
                Piece::Star if list.peek() == Some(&&Piece::Star) => {}
                // Between slashes a bare star would need a character.
                Piece::Star if out.ends_with('/') => out.push_str("{,*}"),
                Piece::Star => out.push('*'),
                Piece::Class { negated, ranges } => write::class(&mut out, *negated, ranges),
            }
        }
        Self(out.into())
    }

    /// The glob that matches exactly this name.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        let mut out = String::new();
        write::literal(&mut out, text);
        Self(out.into())
    }

    /// Reads the text between the quotes of an emitted profile.
    ///
    /// # Errors
    /// When it is no glob in the spelling of this module.
    pub fn parse(text: &str) -> Result<Self, BadToken> {
        match nodes::parse(text) {
            Some(_) => Ok(Self(text.into())),
            None => Err(BadToken { what: "a name", text: text.into() }),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names it matches.
    ///
    /// # Errors
    /// When the automaton alone is over the size limit.
    pub fn lang(&self) -> Result<Lang, TooLarge> {
        let hir = nodes::parse(&self.0).map_or_else(Hir::fail, |nodes| nodes::to_hir(&nodes));
        Atom::new(&hir, &*self.0).map(Lang::Atom)
    }
}
