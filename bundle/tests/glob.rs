//! The runtime's matcher says what the compiler's pattern says, for every text and every path.

use canc_bundle::glob::Glob;
use canc_sets::path::{Pattern, PatternErrorKind};
use proptest::prelude::*;

/// Pieces that make most texts patterns, and many of them meet.
fn pattern_text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "/",
        "/",
        "/",
        "a",
        "b",
        "ab",
        "*",
        "**",
        "/**",
        "?",
        "[a-b]",
        "[!a]",
        "[a\\]-z]",
        "\\*",
        "\\/",
        ".",
        "..",
        "usr",
        "bin",
        "/bin",
        "/lib64",
        "/var/run",
        "run",
        "é",
        "$",
        "${home}",
        "${run_user}",
        "${self}",
        "[",
        "]",
        "\\",
        "-",
        ",",
        "\u{7f}",
        "{a,b}",
    ]);
    let start = prop::sample::select(vec!["/", "/", "/", "${home}", "${run_user}", "${self}", ""]);
    (start, prop::collection::vec(piece, 0..7)).prop_map(|(start, rest)| start.to_owned() + &rest.concat())
}

fn path_text() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "a", "b", "ab", "ba", "*", "usr", "bin", "lib64", "run", "var", "home", "root", "proc", "self",
        "user", "1000", "é", "z", "]", ".a", "-", ",",
    ]);
    (prop::collection::vec(name, 0..6), any::<bool>()).prop_map(|(names, directory)| {
        let path: String = names.iter().map(|n| format!("/{n}")).collect();
        if directory || path.is_empty() { path + "/" } else { path }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_compiler(text in pattern_text(), path in path_text()) {
        match Pattern::parse(&text) {
            Err(_) => prop_assert!(Glob::parse(&text).is_err(), "{text} is no pattern"),
            Ok(patterns) => {
                for pattern in &patterns {
                    let glob = Glob::parse(&pattern.to_string());
                    prop_assert_eq!(
                        glob.as_ref().map(|g| g.matches(path.as_bytes())),
                        Ok(pattern.matches(&path)),
                        "{} on {}", pattern, path
                    );
                }
                match Glob::parse(&text) {
                    Ok(glob) => {
                        prop_assert_eq!(patterns.iter().any(|p| p.matches(&path)), glob.matches(path.as_bytes()));
                    }
                    Err(_) => {
                        let braces = text.strip_prefix("${").unwrap_or(&text).contains('{');
                        prop_assert!(braces, "{text} is a pattern without alternatives");
                    }
                }
            }
        }
    }

    /// A pattern made from a path matches it, so that the property above is not about mismatches alone.
    #[test]
    fn a_path_matches_itself(path in path_text()) {
        let pattern = Pattern::literal_path(&path).unwrap();
        if pattern.matches(&path) {
            prop_assert!(Glob::parse(&pattern.to_string()).unwrap().matches(path.as_bytes()));
        }
    }
}

#[test]
fn long_texts_and_hostile_ones_are_errors_or_quick() {
    let long = format!("/{}", "a".repeat(4096));
    assert_eq!(Pattern::parse(&long).unwrap_err().kind, PatternErrorKind::TooLong);
    assert!(Glob::parse(&long).is_err());
    let stars = Glob::parse(&format!("/{}b", "*a".repeat(1000))).unwrap();
    assert!(!stars.matches(format!("/{}", "a".repeat(4000)).as_bytes()));
    let depths = Glob::parse(&format!("{}/b", "/**/a".repeat(500))).unwrap();
    assert!(!depths.matches("/a".repeat(2000).as_bytes()));
}

#[test]
fn matches_bytes_that_are_no_text() {
    assert!(Glob::parse("/a/*").unwrap().matches(b"/a/\xff\xfe"));
    assert!(!Glob::parse("/a/b").unwrap().matches(b"a/b"));
    assert!(!Glob::parse("/a/b").unwrap().matches(b""));
}
