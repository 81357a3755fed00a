//! Text to whether m4 would leave it alone. The reference policy's build pipes `.te` and `.fc` through m4, which runs commands.

include!(concat!(env!("OUT_DIR"), "/m4_words.rs"));

/// Whether m4, with the reference policy's library loaded or not, would replace this word. A word is a run of ASCII letters, digits
/// and underscores that does not start with a digit.
#[must_use]
pub fn replaces(word: &str) -> bool {
    M4_WORDS.binary_search(&word).is_ok()
}

/// The words of a text in m4's sense, with their places.
pub fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let mut at = 0;
    std::iter::from_fn(move || {
        let bytes = text.as_bytes();
        while bytes.get(at).is_some_and(|b| !is_word(*b)) {
            at += 1;
        }
        let start = at;
        while bytes.get(at).is_some_and(|b| is_word(*b)) {
            at += 1;
        }
        // A word does not start with a digit; what follows the digits is one.
        let word = text.get(start..at).filter(|w| !w.is_empty())?;
        let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        Some((start + digits, word.get(digits..).unwrap_or_default()))
    })
}

/// Whether m4 copies the text unchanged, wherever it stands outside a comment.
#[must_use]
pub fn is_fixed_point(text: &str) -> bool {
    !text.contains(['`', '\'']) && words(text).all(|(_, word)| !replaces(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_m4() {
        let all: Vec<(usize, &str)> = words("a.dnl 12ab_c (define)x").collect();
        assert_eq!(all, [(0, "a"), (2, "dnl"), (8, "ab_c"), (14, "define"), (21, "x")]);
        assert!(is_fixed_point("allow canc__webd_t bin_t:file { read };"));
        for bad in ["/srv/dnl/x", "esyscmd(id)", "a`b", "it's", "HOME_DIR", "/x/ifdef", "distro_debian"] {
            assert!(!is_fixed_point(bad), "{bad}");
        }
        assert!(is_fixed_point("/srv/dnlx/predefine/_dnl"));
    }
}
