//! The coverage table of diagnostics: every code is shown by some case.

use crate::bad::MESSAGES;
use crate::case::cases;
use std::collections::BTreeSet;

/// Codes that no policy brings about, and why. One that a case shows all the same may not stay here.
const NEVER: &[(&str, &str)] = &[
    ("E0020", "a fault of the compiler: there is none that is known"),
    ("E0414", "what would have two labels in one parent is refused before, as E0309 or E0310"),
    ("E0416", "names of the language are so short that those made of them fit"),
];

/// The codes that texts of canc show.
fn shown() -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    for (kind, file) in [("bad", MESSAGES), ("ok", "report.txt")] {
        for case in cases(kind) {
            let text = std::fs::read_to_string(case.dir().join(file)).unwrap_or_default();
            out.extend(text.lines().filter(|l| is_code(l)).map(str::to_owned));
        }
    }
    out
}

fn is_code(line: &str) -> bool {
    let number = line.strip_prefix(['E', 'W', 'N']);
    number.is_some_and(|n| n.len() == 4 && n.bytes().all(|b| b.is_ascii_digit()))
}

#[test]
fn every_code_has_a_case() {
    let shown = shown();
    let known: BTreeSet<String> = canc_dsl::codes::ALL.iter().map(|e| e.code.0.to_owned()).collect();
    let never: BTreeSet<String> = NEVER.iter().map(|(code, _)| (*code).to_owned()).collect();
    assert_eq!(
        shown.difference(&known).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "codes that are not known"
    );
    let missing: Vec<&String> = known.difference(&shown).filter(|c| !never.contains(*c)).collect();
    assert_eq!(missing, Vec::<&String>::new(), "no case shows these");
    assert_eq!(
        never.intersection(&shown).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "these are shown after all"
    );
    assert!(never.is_subset(&known), "{never:?}");
}
