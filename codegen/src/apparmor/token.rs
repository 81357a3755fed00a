//! Words of a profile that come from a policy: each is checked once, when it is made, so that a template can print it as it is.
//!
//! It must not know where in a profile a word stands.

use std::fmt;
use std::sync::Arc;

/// A text that cannot be a word of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadToken {
    /// What it was meant to be.
    pub what: &'static str,
    /// The text.
    pub text: String,
}

impl fmt::Display for BadToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} cannot be {} of an AppArmor profile", self.text, self.what)
    }
}

impl std::error::Error for BadToken {}

fn bad<T>(what: &'static str, text: &str) -> Result<T, BadToken> {
    Err(BadToken { what, text: text.into() })
}

/// The name of a policy's profile in the kernel: `canc.` and the policy's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProfileName(Arc<str>);

impl ProfileName {
    /// What every name starts with.
    pub const PREFIX: &'static str = "canc.";

    /// The profile of the policy of this name.
    ///
    /// # Errors
    /// When the name is no identifier of the language.
    pub fn of_policy(policy: &str) -> Result<Self, BadToken> {
        if is_identifier(policy) {
            Ok(Self(format!("{}{policy}", Self::PREFIX).into()))
        } else {
            bad("the name", policy)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The policy's name.
    #[must_use]
    pub fn policy(&self) -> &str {
        self.0.strip_prefix(Self::PREFIX).unwrap_or(&self.0)
    }
}

/// The name that an author gave to a rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleName(Arc<str>);

impl RuleName {
    /// Checks a name.
    ///
    /// # Errors
    /// When it is no identifier of the language.
    pub fn new(text: &str) -> Result<Self, BadToken> {
        if is_identifier(text) { Ok(Self(text.into())) } else { bad("a rule's name", text) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Text to the end of a comment line. The template puts `# ` and the rule's number before it, because the parser takes
/// `#include` for a directive even where a comment may stand.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Comment(Arc<str>);

impl Comment {
    /// Checks a text.
    ///
    /// # Errors
    /// When it is empty, has a control character (a line end among them) or blanks at its ends.
    pub fn new(text: &str) -> Result<Self, BadToken> {
        let fine = !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control);
        if fine { Ok(Self(text.into())) } else { bad("a comment", text) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Verbatim text that a policy's author put into the profile.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RawText(Arc<str>);

impl RawText {
    /// The line after which everything up to [`RawText::END`] is verbatim.
    pub const BEGIN: &'static str = "# raw text begins";
    /// The line that ends verbatim text.
    pub const END: &'static str = "# raw text ends";

    /// Checks a text. Whether it parses is the owner's parser's to say.
    ///
    /// # Errors
    /// When it holds one of the two marks, a NUL or a carriage return, or does not end its last line.
    pub fn new(text: &str) -> Result<Self, BadToken> {
        let marked = text.lines().any(|l| matches!(l.trim(), Self::BEGIN | Self::END));
        let fine = !marked && !text.contains(['\0', '\r']) && (text.is_empty() || text.ends_with('\n'));
        if fine { Ok(Self(text.into())) } else { bad("verbatim text", text) }
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
    fn nothing_ends_a_line_or_a_string() {
        for text in ["a\nb", "a\rb", "a\0", "", " a", "a ", "\u{85}x"] {
            assert!(Comment::new(text).is_err(), "{text:?}");
        }
        for text in ["a b", "", "a\n}", "A", "1a", "a-b", "é"] {
            assert!(ProfileName::of_policy(text).is_err(), "{text:?}");
            assert!(RuleName::new(text).is_err(), "{text:?}");
        }
        for text in ["x", "# raw text ends\n", "a\n  # raw text begins\n", "a\0\n"] {
            assert!(RawText::new(text).is_err(), "{text:?}");
        }
        assert_eq!(ProfileName::of_policy("webd_2").unwrap().as_str(), "canc.webd_2");
        assert!(Comment::new("include <abstractions/x>").is_ok());
    }
}
