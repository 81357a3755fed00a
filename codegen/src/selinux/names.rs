//! The words of policy text as types: a value that exists may be printed as it is.

use super::m4;
use std::fmt;
use std::sync::Arc;

/// The longest name that is emitted. The tools take longer ones; nothing here needs them.
pub const MAX_NAME: usize = 255;

/// A text that is no name of the policy language, or that m4 would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadName {
    /// The text.
    pub text: String,
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` cannot be a name in an SELinux module", self.text)
    }
}

impl std::error::Error for BadName {}

fn is_name(text: &str) -> bool {
    text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && text.len() <= MAX_NAME
        && !m4::replaces(text)
}

macro_rules! name {
    ($($(#[$meta:meta])* $type:ident)*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type(Arc<str>);

        impl $type {
            /// Accepts a name of the policy language.
            ///
            /// # Errors
            /// Anything else, and words that m4 replaces.
            pub fn new(text: impl AsRef<str>) -> Result<Self, BadName> {
                let text = text.as_ref();
                if is_name(text) { Ok(Self(text.into())) } else { Err(BadName { text: text.into() }) }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

name! {
    /// A type.
    TypeName
    /// An attribute of types.
    AttrName
    /// A role.
    RoleName
    /// A class of objects.
    ClassName
    /// A permission.
    Perm
    /// A module, and the stem of its files' names.
    ModuleName
}

/// The name of a new file in a `type_transition`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileName(Arc<str>);

impl FileName {
    /// Accepts ASCII letters, digits, dots, underscores and hyphens that m4 leaves alone.
    ///
    /// # Errors
    /// Any other name: such files get their label by the directory alone.
    pub fn new(text: &str) -> Result<Self, BadName> {
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if plain && !text.is_empty() && text.len() <= MAX_NAME && m4::is_fixed_point(text) {
            Ok(Self(text.into()))
        } else {
            Err(BadName { text: text.into() })
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One line of a comment, without the sign that starts it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Comment(Arc<str>);

impl Comment {
    /// Any text, on one line: control and direction characters become blanks. Nothing else needs care, since m4 copies what stands
    /// behind its comment sign, and no emitted text outside comments has a quote that could hide the sign.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let plain = |c: char| if c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c) { ' ' } else { c };
        Self(text.chars().map(plain).collect::<String>().trim().into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Policy text that its author wrote and answers for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawText(Arc<str>);

impl RawText {
    /// The text as it is.
    #[must_use]
    pub fn new(text: Arc<str>) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names() {
        assert!(TypeName::new("canc__webd_t").is_ok());
        for bad in ["", "1a", "a b", "a;", "dnl", "define", "a-b", "é", "a\n", "_x", "a`", &"a".repeat(256)] {
            assert!(TypeName::new(bad).is_err(), "{bad}");
        }
        assert!(FileName::new("webd.pid").is_ok());
        for bad in ["", "a b", "a\"", "x.dnl", "é", "a/b"] {
            assert!(FileName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn comments_stay_one_line() {
        for text in ["a\nallow x y:z w;", "a\u{2028}b", "a\rb", "tab\tx"] {
            let comment = Comment::new(text);
            assert!(!comment.as_str().chars().any(|c| c.is_control() || c == '\u{2028}'), "{comment:?}");
        }
        assert_eq!(Comment::new(" dnl `it's' ").as_str(), "dnl `it's'");
    }
}
