//! The owners of the target languages as judges: their parsers, compilers, stores and look-ups.
//!
//! It must not know what canc expects them to say.

pub mod apparmor;
pub mod selinux;

/// What a tool said about a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<T = ()> {
    /// It took it.
    Accepted(T),
    /// It refused it, with these words.
    Refused(String),
}

impl<T> Verdict<T> {
    /// What it made of the text, if it took it.
    pub fn accepted(self) -> Result<T, String> {
        match self {
            Self::Accepted(value) => Ok(value),
            Self::Refused(why) => Err(why),
        }
    }
}
