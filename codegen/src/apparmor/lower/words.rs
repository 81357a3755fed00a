//! Lists of words for verdicts.

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).into(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn lists_read_well() {
        assert_eq!(super::list(&["a"]), "a");
        assert_eq!(super::list(&["a", "b"]), "a and b");
        assert_eq!(super::list(&["a", "b", "c"]), "a, b and c");
    }
}
