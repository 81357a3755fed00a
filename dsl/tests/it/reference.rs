//! The reference for users: every example in it does what it says, and what it lists is what the compiler knows.

use canc_dsl::{limits, std_fragments};
use std::path::Path;

fn reference() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/language.md");
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn every_example_compiles() {
    let text = reference();
    let page = crate::common::examples(&text);
    assert!(page.len() > 20, "{}", page.len());
    for example in &page {
        crate::common::check(example, &page, "docs/language.md");
    }
}

#[test]
fn the_standard_library_is_listed() {
    let text = reference();
    for (name, _) in std_fragments() {
        assert!(text.contains(&format!("| `std.{name}` |")), "std.{name}");
    }
}

#[test]
fn the_standard_library_is_sound() {
    for (name, text) in std_fragments() {
        let with = if text.contains("(dir: path)") { "(\"/var/log/webd\")" } else { "" };
        let policy = crate::common::policy(&format!("include std.{name}{with};"));
        assert!(!policy.rules.is_empty(), "{name}");
        for rule in &policy.rules {
            assert!(rule.because.is_some(), "std.{name}: {rule:?}");
            assert_eq!(rule.included.first().map(|i| i.fragment.to_string()), Some(format!("std.{name}")));
        }
        assert!(text.starts_with("# ") && text.contains("\ncan 1;\n"), "std.{name} says what it is for");
    }
    let names: Vec<&str> = std_fragments().iter().map(|f| f.0).collect();
    assert!(names.is_sorted());
}

#[test]
fn the_limits_are_listed() {
    let text = reference();
    let thousands = |n: usize| {
        let digits = n.to_string();
        let head = digits.len() % 3;
        let groups = digits.as_bytes()[head..].chunks(3).map(|c| std::str::from_utf8(c).unwrap().to_owned());
        let mut parts: Vec<String> = if head > 0 { vec![digits[..head].to_owned()] } else { Vec::new() };
        parts.extend(groups);
        parts.join(",")
    };
    for (limit, unit) in [
        (limits::MAX_FILE_BYTES >> 20, "MiB"),
        (limits::MAX_LINE_BYTES >> 10, "KiB"),
        (limits::MAX_STATEMENT_BYTES >> 10, "KiB"),
        (limits::MAX_STATEMENTS, "statements"),
        (limits::MAX_ITEMS, "items"),
        (limits::MAX_NESTING, ""),
        (limits::MAX_STRING_BYTES, "bytes"),
        (limits::MAX_RAW_BYTES >> 10, "KiB"),
        (limits::MAX_NAME_BYTES, "characters"),
        (limits::MAX_FILES, ""),
        (limits::MAX_USE_DEPTH, "`use`"),
        (limits::MAX_INCLUDES, ""),
        (limits::MAX_INCLUDE_DEPTH, "`include`"),
        (limits::MAX_PARAMETERS, "parameters"),
        (limits::MAX_POLICIES, ""),
        (limits::MAX_RULES, ""),
        (limits::MAX_VALUES, ""),
        (limits::MAX_TESTS, ""),
        (limits::MAX_DIAGNOSTICS, ""),
    ] {
        let table = text.split("## Limits").nth(1).unwrap();
        let (plain, grouped) = (format!("{limit} {unit}"), format!("{} {unit}", thousands(limit)));
        assert!(table.contains(plain.trim()) || table.contains(grouped.trim()), "{limit} {unit}");
    }
}
