//! Path patterns of the language to globs of the profile language, exactly, and back to sets of paths.
//!
//! A glob is kept as the text between its double quotes. Where the two languages differ: AppArmor's names of directories end
//! in a slash and so each glob is made for files, directories or both; `/**/` misses the case of no component; a `*` between
//! slashes needs a character only when it stands alone there; classes match a slash (and, negated, a NUL); `\*`, `\x22` and
//! the like are literal inside quotes, but some characters have no escape inside a class (all seen with parser 4.1).

mod minus;
mod names;
mod nodes;
mod plain;
mod write;

pub use minus::without;
pub use names::NameGlob;
pub use write::Form;

use super::token::BadToken;
use canc_sets::path::{Atom, Lang, Pattern, TooLarge};
use regex_syntax::hir::Hir;
use std::fmt;
use std::sync::Arc;

/// A glob over paths.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AaGlob(Arc<str>);

/// How the `/proc` directory of a process looks to AppArmor, which sees no `/proc/self`: only processes have names that start
/// with a digit there.
const PROCESS: &str = "/proc/[0-9]*";
/// The same directory in the canonical paths of the language.
const SELF: &str = "/proc/self";

impl AaGlob {
    /// The glob that matches exactly the paths of `pattern` that are of `form`; `None` when there are none.
    #[must_use]
    pub fn of_pattern(pattern: &Pattern, form: Form) -> Option<Self> {
        write::pattern(pattern, form).map(|text| Self(text.into()))
    }

    /// Whether a pattern names entries of the domain's own processes.
    #[must_use]
    pub fn names_process(pattern: &Pattern) -> bool {
        write::is_process(pattern)
    }

    /// The glob that matches exactly this text.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        let mut out = String::with_capacity(text.len());
        write::literal(&mut out, text);
        Self(out.into())
    }

    /// The glob that matches what any of these absolute globs matches; `None` of none.
    #[must_use]
    pub fn any_of(globs: &[Self]) -> Option<Self> {
        match globs {
            [] => None,
            [one] => Some(one.clone()),
            many => {
                let rest: Vec<&str> = many.iter().map(|g| g.0.strip_prefix('/').unwrap_or(&g.0)).collect();
                Some(Self(format!("/{{{}}}", rest.join(",")).into()))
            }
        }
    }

    /// Every path.
    #[must_use]
    pub fn everything() -> Self {
        Self("/{,**}".into())
    }

    /// Reads the text between the quotes of an emitted profile.
    ///
    /// # Errors
    /// When it is no absolute glob in the spelling of this module.
    pub fn parse(text: &str) -> Result<Self, BadToken> {
        let known = text.starts_with('/') && nodes::parse(text).is_some();
        if known { Ok(Self(text.into())) } else { Err(BadToken { what: "a path", text: text.into() }) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for the directories of processes.
    #[must_use]
    pub fn is_process(&self) -> bool {
        self.0.strip_prefix(PROCESS).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '{']))
    }

    /// The paths it matches. The directories of processes are given both as AppArmor sees them and as `/proc/self`.
    ///
    /// # Errors
    /// When the automaton alone is over the size limit.
    pub fn lang(&self) -> Result<Lang, TooLarge> {
        let plain = || plain::lang(&nodes::parse(&self.0)?);
        match plain() {
            Some(lang) if !self.is_process() => Ok(lang),
            _ => self.by_automaton(),
        }
    }

    /// The same, whatever its form.
    fn by_automaton(&self) -> Result<Lang, TooLarge> {
        let atom = |text: &str| Atom::new(&expression(text), text).map(Lang::Atom);
        let own = atom(&self.0)?;
        match self.0.strip_prefix(PROCESS) {
            Some(rest) if self.is_process() => Ok(Lang::Any(vec![own, atom(&format!("{SELF}{rest}"))?])),
            _ => Ok(own),
        }
    }

    /// The longest literal directory that all its paths lie in, without trailing slash; the path itself when it is literal.
    #[must_use]
    pub fn near(&self) -> String {
        if self.is_process() {
            return "/proc".into();
        }
        nodes::literal_prefix(&self.0)
    }

    /// Whether it matches this path, by the automaton.
    ///
    /// # Errors
    /// When the automaton alone is over the size limit.
    pub fn matches(&self, path: &str) -> Result<bool, TooLarge> {
        let exact = Atom::new(&Hir::literal(path.as_bytes()), path).map(Lang::Atom)?;
        Ok(self.by_automaton()?.and(exact).witness(canc_sets::path::Universe::Names)?.is_some())
    }
}

/// The expression of a text that [`AaGlob::parse`] takes; of any other text, one that matches nothing.
fn expression(text: &str) -> Hir {
    nodes::parse(text).map_or_else(Hir::fail, |nodes| nodes::to_hir(&nodes))
}

impl fmt::Display for AaGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
