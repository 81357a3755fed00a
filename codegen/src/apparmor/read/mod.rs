//! The text of an emitted profile back to the profile. It reads what `emit` prints and refuses everything else, so that an
//! altered file is never taken for ours.

mod line;
mod rule;
mod words;

use super::emit::emit;
use super::features::Abi;
use super::glob::AaGlob;
use super::model::{Block, Origin, Profile};
use super::token::{Comment, ProfileName, RawText, RuleName};
use canc_dsl::policy::RuleId;
use line::Line;
use std::fmt;
use words::Words;

/// Text that is no emitted profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} is not as canc writes it", self.line)
    }
}

impl std::error::Error for ReadError {}

/// Reads a profile.
///
/// # Errors
/// The first line that `emit` would not have printed there.
pub fn read(text: &str) -> Result<Profile, ReadError> {
    let mut reader = Reader { lines: text.lines().collect(), at: 0 };
    let found = reader.profile();
    let at = reader.at;
    let profile = found.ok_or(ReadError { line: at.max(1) })?;
    // Blanks and the like: what is read is exactly what is written.
    let printed = emit(&profile);
    if printed == text {
        return Ok(profile);
    }
    let same = printed.split('\n').zip(text.split('\n')).take_while(|(a, b)| a == b).count();
    Err(ReadError { line: same + 1 })
}

struct Reader<'a> {
    lines: Vec<&'a str>,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.lines.get(self.at).copied()
    }

    fn next(&mut self) -> Option<&'a str> {
        let line = self.peek();
        self.at += 1;
        line
    }

    fn profile(&mut self) -> Option<Profile> {
        self.next()?.strip_prefix("# ")?;
        let number = self.next()?.strip_prefix("abi <abi/")?.strip_suffix(">,")?;
        let abi = [Abi::V3, Abi::V4].into_iter().find(|a| a.number() == number)?;
        self.next()?;
        let (name, attachment, complain) = header(self.next()?)?;
        let mut profile = Profile { name, abi, attachment, complain, blocks: Vec::new(), raw: Vec::new() };
        let words = words::known();
        loop {
            match self.peek()? {
                "}" => {
                    self.next();
                    return self.peek().is_none().then_some(profile);
                }
                RawText::BEGIN => profile.raw.push(self.raw()?),
                "" => {
                    self.next();
                }
                line if line.starts_with("  include ") => {
                    self.next();
                }
                _ => profile.blocks.push(self.block(words)?),
            }
        }
    }

    fn raw(&mut self) -> Option<RawText> {
        self.next()?;
        let mut text = String::new();
        loop {
            match self.next()? {
                RawText::END => return RawText::new(&text).ok(),
                line => {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
    }

    fn block(&mut self, words: &Words) -> Option<Block> {
        let mut block = Block { origins: Vec::new(), rules: Vec::new() };
        while let Some(line) = self.peek().and_then(|l| l.strip_prefix("  # ")) {
            self.next();
            block.origins.push(origin(line)?);
        }
        while let Some(line) = self.peek().and_then(|l| l.strip_prefix("  ")) {
            if line.starts_with("# ") || line.starts_with("include ") {
                break;
            }
            self.next();
            block.rules.push(rule::rule(&mut Line::new(line), words)?);
        }
        (!block.origins.is_empty() && !block.rules.is_empty()).then_some(block)
    }
}

fn header(line: &str) -> Option<(ProfileName, Option<AaGlob>, bool)> {
    let mut line = Line::new(line);
    line.word("profile")?;
    let name = profile_name(line.bare()?)?;
    let attachment = match line.quoted() {
        Some(text) => Some(AaGlob::parse(text).ok()?),
        None => None,
    };
    let complain = line.word("flags=(complain)").is_some();
    line.word("{")?;
    line.end()?;
    Some((name, attachment, complain))
}

fn profile_name(text: &str) -> Option<ProfileName> {
    ProfileName::of_policy(text.strip_prefix(ProfileName::PREFIX)?).ok()
}

fn origin(text: &str) -> Option<Origin> {
    if let Some(why) = text.strip_prefix("@base: ") {
        return Comment::new(why).ok().map(Origin::Base);
    }
    let (head, why) = match text.split_once(": ") {
        Some((head, why)) => (head, Some(why)),
        None => (text, None),
    };
    let (number, name) = match head.split_once(" @") {
        Some((number, name)) => (number, Some(name)),
        None => (head, None),
    };
    let number: u32 = number.strip_prefix('r')?.parse().ok()?;
    Some(Origin::Rule {
        id: RuleId(number.checked_sub(1)?),
        name: name.map(RuleName::new).transpose().ok()?,
        because: why.map(Comment::new).transpose().ok()?,
    })
}

#[cfg(test)]
mod tests;
