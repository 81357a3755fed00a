//! Texts from elsewhere to the way in which a policy writes them.

use crate::limits::MAX_NAME_BYTES;
use crate::words;

/// A text as it stands between the quotes of a string.
#[must_use]
pub fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "$$")
}

/// The same of a path, so that it means what is at that path: nothing in it is a metacharacter.
#[must_use]
pub fn literal_path(path: &str) -> String {
    // A pattern needs no backslash before the dollar that a string makes of two.
    quoted(&canc_sets::path::escape(path).replace("\\$", "$"))
}

/// The nearest text that a policy may give as a name.
#[must_use]
pub fn name(text: &str) -> String {
    let near = name_like(text);
    let near = near.get(..MAX_NAME_BYTES).map_or(near.as_str(), |cut| cut.trim_end_matches('_'));
    if words::is_reserved(near) { format!("my_{near}") } else { near.to_owned() }
}

/// A text without what no name has; it may be a word of the language, or too long.
pub(crate) fn name_like(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars().map(|c| c.to_ascii_lowercase()) {
        let c = if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '_' };
        let usable = match c {
            '_' => !out.is_empty() && !out.ends_with('_'),
            c => !out.is_empty() || c.is_ascii_lowercase(),
        };
        if usable {
            out.push(c);
        }
    }
    let out = out.trim_end_matches('_');
    if out.is_empty() { "name".into() } else { out.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_a_name_is_one() {
        let long = "a_".repeat(40);
        for text in ["My Profile", "policy", "a__b", "", "9", "-", "Ümlaut x", "a_", long.as_str()] {
            let made = name(text);
            assert_eq!(words::name_error(&made), None, "{text} gives {made}");
            assert!(!words::is_reserved(&made), "{text} gives {made}");
        }
        assert_eq!((name("web.seccomp").as_str(), name("web").as_str()), ("web_seccomp", "web"));
    }
}
