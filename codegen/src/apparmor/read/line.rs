//! One line to its words. It knows no keyword.

/// What is left of a line.
pub(super) struct Line<'a> {
    rest: &'a str,
}

impl<'a> Line<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    /// Takes `text` and the blank behind it, if it is there.
    pub(super) fn word(&mut self, text: &str) -> Option<()> {
        let rest = self.rest.strip_prefix(text)?;
        match rest.strip_prefix(' ') {
            Some(rest) => self.rest = rest,
            None if rest.is_empty() || rest == "," => self.rest = rest,
            None => return None,
        }
        Some(())
    }

    /// Takes `text`, whatever follows.
    pub(super) fn part(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    /// A word without quotes.
    pub(super) fn bare(&mut self) -> Option<&'a str> {
        let end = self.rest.find([' ', ',', ')', '"', '(']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.strip_prefix(' ').unwrap_or(rest);
        (!word.is_empty()).then_some(word)
    }

    /// Text in double quotes, which none of our words has inside.
    pub(super) fn quoted(&mut self) -> Option<&'a str> {
        let (text, rest) = self.rest.strip_prefix('"')?.split_once('"')?;
        self.rest = rest.strip_prefix(' ').unwrap_or(rest);
        Some(text)
    }

    /// What stands between parentheses.
    pub(super) fn list(&mut self) -> Option<&'a str> {
        let mut quoted = false;
        let inner = self.rest.strip_prefix('(')?;
        let end = inner.char_indices().find(|(_, c)| {
            quoted ^= *c == '"';
            *c == ')' && !quoted
        })?;
        let (text, rest) = inner.split_at_checked(end.0)?;
        let rest = rest.strip_prefix(')')?;
        self.rest = rest.strip_prefix(' ').unwrap_or(rest);
        Some(text)
    }

    /// The end of a rule: a comma and nothing behind it.
    pub(super) fn comma(&self) -> Option<()> {
        (self.rest == ",").then_some(())
    }

    /// The end of the line.
    pub(super) fn end(&self) -> Option<()> {
        self.rest.is_empty().then_some(())
    }
}
