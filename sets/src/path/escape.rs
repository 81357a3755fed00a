//! Literal text to pattern text that matches exactly that text.

/// Characters that mean something in a pattern.
pub(super) const META: &[char] = &['*', '?', '[', ']', '{', '}', '\\', '$', ','];

/// Puts a backslash before every character that a pattern would interpret, so that the result matches `text` alone.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if META.contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
