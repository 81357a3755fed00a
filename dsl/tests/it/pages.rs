//! Every code has a page, and every page's examples do what it says.

use canc_dsl::codes;
use std::collections::BTreeSet;
use std::path::Path;

/// The codes that no text brings about here: a fault of the compiler, and what only later phases find, which test their own pages.
fn without_example(code: &str) -> bool {
    matches!(code, "E0020" | "W0004" | "W0005" | "W0007")
        || code.starts_with("E04")
        || code.starts_with("E05")
}

#[test]
fn every_page_shows_its_code() {
    for entry in codes::ALL {
        let code = entry.code.0;
        let title = entry.page.lines().next().unwrap_or_default();
        assert_eq!(title, format!("# {code}: {}", entry.title), "the first line of dsl/codes/{code}.md");
        let page = crate::common::examples(entry.page);
        let shows = |e: &crate::common::Example| {
            e.attribute("error").is_some_and(|c| c.starts_with(code)) || e.attribute("report") == Some(code)
        };
        assert!(page.iter().any(shows) || without_example(code), "{code} has no example");
        for example in page.iter().filter(|e| e.attribute("file").is_none()) {
            crate::common::check(example, &page, &format!("dsl/codes/{code}.md"));
        }
    }
}

#[test]
fn codes_are_in_order_and_unique() {
    let numbers: Vec<&str> = codes::ALL.iter().map(|e| e.code.0).collect();
    let unique: BTreeSet<&str> = numbers.iter().copied().collect();
    assert_eq!(unique.len(), numbers.len());
    for letter in ["E", "W", "N"] {
        let own: Vec<&str> = numbers.iter().copied().filter(|n| n.starts_with(letter)).collect();
        assert!(own.is_sorted(), "{own:?}");
    }
}

#[test]
fn every_page_belongs_to_a_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("codes");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let code = name.strip_suffix(".md").unwrap_or_else(|| panic!("stray file {name}"));
        assert!(codes::ALL.iter().any(|e| e.code.0 == code), "stray page {name}");
    }
}
