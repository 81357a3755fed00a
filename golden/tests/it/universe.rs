//! The coverage table: every alternative of the grammar in an `ok` case, and every alternative of rules in one for each target.

use crate::alternatives::{Names, all, of_file, of_rule, of_rules};
use crate::artefacts::Bundle;
use crate::case::{Case, cases, each};
use canc_bundle::RuleEntry;
use canc_dsl::ast::{Statement, StatementKind};
use canc_dsl::policy::Target;
use std::collections::{BTreeMap, BTreeSet};

/// The targets that a rule was lowered to, by the alternatives that it uses, and all alternatives of the case.
type Found = (Names, Vec<(Names, BTreeSet<String>)>);

/// What a case shows. Rules of the tree are found in the manifest by their line and text, so that only what was built counts.
fn shown(case: &Case) -> Found {
    let Ok(bundle) = Bundle::build(&case.policy(), &case.options) else { return Found::default() };
    let entries: Vec<&RuleEntry> = bundle.manifest.policies.iter().flat_map(|p| &p.rules).collect();
    let (mut names, mut rules) = (Names::new(), Vec::new());
    for file in std::fs::read_dir(case.dir()).unwrap().map(|e| e.unwrap()) {
        let name = file.file_name().into_string().unwrap();
        if !name.ends_with(".can") {
            continue;
        }
        let text = std::fs::read(file.path()).unwrap();
        let (sources, tree, _) = canc_dsl::parse(&name, &text);
        let (of_file, statements) = of_file(&tree);
        names.extend(of_file);
        for statement in statements {
            let StatementKind::Rule(rule) = &statement.kind else { continue };
            let at = format!("{name}:{}", sources.line_column(statement.span).0);
            let built = entries.iter().filter(|e| e.at == at && e.text == one_line(&sources, statement));
            let targets: BTreeSet<String> = built.flat_map(|e| e.verdicts.keys().cloned()).collect();
            if !targets.is_empty() {
                names.extend(of_rule(rule));
                rules.push((of_rule(rule), targets));
            }
        }
    }
    (names, rules)
}

fn one_line(sources: &canc_dsl::source::SourceMap, statement: &Statement) -> String {
    let words: Vec<&str> = sources.text(statement.span).split_ascii_whitespace().collect();
    words.join(" ").trim_end_matches(';').to_owned()
}

#[test]
fn every_alternative_of_the_grammar_has_a_case_for_every_target() {
    let found = each(&cases("ok"), shown);
    let names: Names = found.iter().flat_map(|(names, _)| names.iter().cloned()).collect();
    let plain: Names = names.iter().filter(|n| !n.contains(" about ")).cloned().collect();
    let wanted: Names = all().into_iter().filter(|n| !n.starts_with("about ")).collect();
    assert_eq!(wanted.difference(&plain).collect::<Vec<_>>(), Vec::<&String>::new(), "no case has these");
    let unknown: Vec<&String> = plain.difference(&wanted).filter(|n| !n.starts_with("for ")).collect();
    assert_eq!(unknown.iter().filter(|n| !n.starts_with("loses nothing on")).count(), 0, "{unknown:?}");
    let mut table: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (names, targets) in found.iter().flat_map(|(_, rules)| rules) {
        for name in names {
            table.entry(name.clone()).or_default().extend(targets.iter().cloned());
        }
    }
    let every: BTreeSet<String> = Target::ALL.iter().map(|t| t.word().to_owned()).collect();
    let missing: Vec<String> = of_rules()
        .into_iter()
        .filter_map(|name| {
            let left: Vec<String> =
                every.difference(table.get(&name).unwrap_or(&BTreeSet::new())).cloned().collect();
            (!left.is_empty()).then(|| format!("{name}: {}", left.join(", ")))
        })
        .collect();
    assert!(missing.is_empty(), "no case of a rule with these, for these targets:\n{}", missing.join("\n"));
}

/// The words of a text, those of strings and comments left out.
fn words(text: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let mut bytes = text.chars().peekable();
    let mut word = String::new();
    while let Some(c) = bytes.next() {
        if c.is_ascii_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        out.insert(std::mem::take(&mut word));
        match c {
            '#' => while bytes.next_if(|c| *c != '\n').is_some() {},
            '"' => {
                while let Some(c) = bytes.next() {
                    match c {
                        '\\' => drop(bytes.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    out
}

#[test]
fn every_word_of_the_language_has_a_case() {
    let found: BTreeSet<String> = cases("ok").iter().flat_map(|c| words(&c.text())).collect();
    // Built-in directories stand in strings alone, and the name of the standard library before a dot.
    let in_strings = ["home", "run_user"];
    let missing: Vec<&&str> = canc_dsl::reserved_words()
        .iter()
        .filter(|w| !found.contains(**w) && !in_strings.contains(*w))
        .collect();
    assert_eq!(missing, Vec::<&&str>::new());
}

#[test]
fn words_are_those_outside_of_strings_and_comments() {
    let found = words("allow read \"/a \\\" word\"; # comment\nstd.base;");
    assert_eq!(found, ["", "allow", "base", "read", "std"].map(str::to_owned).into());
}
