//! Values to JSON text. Bytes that are no UTF-8 are replaced, as the reader could not have them otherwise.

/// An object that is being written.
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        Self("{".into())
    }

    pub(crate) fn raw(&mut self, name: &str, value: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0 += &format!("{}:{value}", quote(name.as_bytes()));
    }

    pub(crate) fn text(&mut self, name: &str, value: &[u8]) {
        self.raw(name, &quote(value));
    }

    pub(crate) fn texts(&mut self, name: &str, values: &[&[u8]]) {
        self.raw(name, &array(values.iter().map(|v| quote(v))));
    }

    pub(crate) fn number(&mut self, name: &str, value: u64) {
        self.raw(name, &value.to_string());
    }

    pub(crate) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// A list of finished values.
pub(crate) fn array(values: impl Iterator<Item = String>) -> String {
    format!("[{}]", values.collect::<Vec<_>>().join(","))
}

/// A string.
pub(crate) fn quote(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for c in String::from_utf8_lossy(bytes).chars() {
        match c {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            c if u32::from(c) < 0x20 => out += &format!("\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_one_string() {
        assert_eq!(quote(b"a\"b\\c\n\x01\xff"), "\"a\\\"b\\\\c\\u000a\\u0001\u{fffd}\"");
        let mut object = Object::new();
        object.text("a", b"}");
        object.texts("b", &[b"1", b"2"]);
        object.number("c", 3);
        assert_eq!(object.end(), r#"{"a":"}","b":["1","2"],"c":3}"#);
    }
}
