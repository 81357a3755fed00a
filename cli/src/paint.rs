//! Words to coloured, padded or shortened words.

/// Whether to colour.
#[derive(Debug, Clone, Copy)]
pub struct Paint(pub bool);

impl Paint {
    fn code(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// A heading.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.code("1", text)
    }

    /// A remark.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.code("2", text)
    }

    /// A good result.
    #[must_use]
    pub fn good(self, text: &str) -> String {
        self.code("32", text)
    }

    /// A bad result.
    #[must_use]
    pub fn bad(self, text: &str) -> String {
        self.code("31", text)
    }

    /// A verdict in the colour of how good it is.
    #[must_use]
    pub fn verdict(self, text: &str) -> String {
        match text.trim_end().trim_end_matches(['*', '?']) {
            "exact" => self.code("32", text),
            "n/a" | "off" => self.code("2", text),
            "widened" | "narrowed" | "wid+nar" | "partial" => self.code("33", text),
            _ => self.code("31", text),
        }
    }
}

/// `text` with blanks after it up to `width` columns.
#[must_use]
pub fn pad(text: &str, width: usize) -> String {
    format!("{text:<width$}")
}

/// `text` cut to `width` columns, with a mark where it was cut.
#[must_use]
pub fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}
