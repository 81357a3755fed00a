//! The text of a record to its fields.

use std::collections::BTreeMap;

/// `key=value` and `key="value"` of a record.
#[derive(Debug, Default)]
pub struct Fields<'a>(BTreeMap<&'a str, Value<'a>>);

#[derive(Debug, Clone, Copy)]
enum Value<'a> {
    Bare(&'a str),
    Quoted(&'a str),
    /// The quote never ends.
    Cut,
}

impl<'a> Fields<'a> {
    /// Reads all fields of a text; of two with one name the first, because the kernel's own stand before what others add.
    pub fn of(text: &'a str) -> Self {
        let mut out = Self::default();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('=') {
            let key = before.rsplit(|c: char| c.is_whitespace() || c == '\u{1d}').next().unwrap_or_default();
            let (value, left) = value(after);
            rest = left;
            if !key.is_empty() {
                out.0.entry(key).or_insert(value);
            }
        }
        out
    }

    /// A field whose value the kernel chose.
    pub fn word(&self, key: &str) -> Option<&'a str> {
        match self.0.get(key)? {
            Value::Bare(text) | Value::Quoted(text) => Some(text),
            Value::Cut => None,
        }
    }

    /// Whether there is such a field.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// A field whose value somebody else chose: in quotes, or in hexadecimal digits where it has blanks, quotes or bytes beyond ASCII
    /// (`audit_log_untrustedstring`). `None` where it is missing, cut or no UTF-8.
    pub fn name(&self, key: &str) -> Option<String> {
        match self.0.get(key)? {
            Value::Quoted(text) => Some((*text).to_owned()),
            Value::Bare(text) => decoded(text),
            Value::Cut => None,
        }
    }
}

fn value(after: &str) -> (Value<'_>, &str) {
    match after.strip_prefix('"') {
        Some(quoted) => match quoted.split_once('"') {
            Some((text, rest)) => (Value::Quoted(text), rest),
            None => (Value::Cut, ""),
        },
        None => {
            let end = after.find(|c: char| c.is_whitespace() || c == '\u{1d}').unwrap_or(after.len());
            let (text, rest) = after.split_at(end);
            (Value::Bare(text), rest)
        }
    }
}

fn decoded(text: &str) -> Option<String> {
    if text.is_empty() || !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |b: &u8| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? * 16 + digit(low)?),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
    String::from_utf8(bytes?).ok().filter(|t| !t.contains('\0'))
}
