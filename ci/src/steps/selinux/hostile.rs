//! Hostile texts in every slot that reaches a module: refused with a place, or read back by the policy's own tools as what was meant.

use super::Linked;
use super::corpus::{self, Case};
use super::ensure;
use crate::Error;
use crate::oracle::selinux::FileKind;
use canc_codegen::selinux::base::Base;
use canc_codegen::selinux::read::te;
use canc_dsl::spell::{literal_path, quoted};
use canc_sets::path::Pattern;
use std::collections::BTreeSet;

/// Names that try to end a string, a line, a statement or a group, to be replaced by m4 or a template, or to mean more than themselves.
const TEXTS: &[&str] = &[
    "a b",
    "a\" b",
    "a#b",
    "#a",
    "`a'",
    "a`",
    "a'",
    "dnl",
    "a dnl b",
    "define(`x', `y')",
    "ifdef",
    "include",
    "esyscmd(id)",
    "$1",
    "$*",
    "HOME_DIR",
    "HOME_ROOT",
    "USER",
    "ROLE",
    "%{USERID}",
    "<<none>>",
    ";",
    "a; allow domain self x",
    "{",
    "}",
    "{a,b}",
    "(a|b)",
    "a|b",
    "a.b",
    "a+",
    "a*",
    "a?",
    "[ab]",
    "[^a]",
    "^a$",
    "(?=a)",
    "a{2}",
    "\\",
    "a\\.b",
    "\\x41",
    "\\Qa\\E",
    "a\\",
    "MYROLES",
    "aHOME_ROOTb",
    "--",
    "-d",
    "é",
    "ß☃",
    "..a",
    "~",
    "@",
    "system_u:object_r:shadow_t:s0",
];
/// Text for `because`: what would end the comment that it becomes.
const REASONS: &[&str] = &[
    "'; allow domain self:process execmem; #",
    "`quoted' define(`x', `y')",
    "dnl",
    "ifdef(`x', `y')",
    "# raw text begins",
    "\\",
    "}; {",
    "é \u{2603}",
    "$1 $* changequote([,])",
];
/// Words where the language wants names.
const WORDS: &[&str] = &[
    "dnl",
    "define",
    "ifdef",
    "include",
    "HOME_DIR",
    "ROLE",
    "USER",
    "esyscmd",
    "optional",
    "allow_x",
    "domain_x",
    "self_x",
    "USERS",
    "myROLE",
    "xHOME_DIRx",
    "type",
    "role",
    "module",
    "gen_require",
    "a b",
    "a;b",
    "a\"",
    "é",
    "a#",
    "`a'",
    "$1",
    "{",
    "a-b",
    "t",
    "_x",
    "1a",
];
const CASE: &str = "hostile";
/// Many policies, of which only the names are of interest.
pub const WORDS_CASE: &str = "words";

/// The rules, each below a directory of its own.
fn rules() -> Vec<(String, String)> {
    let slot = |number: usize, text: &str| {
        let text = literal_path(text);
        [
            (format!("h{number}"), format!("/srv/hostile/{number}/{text}/**")),
            (format!("f{number}"), format!("/srv/hostile/{number}f/{text}")),
            (
                format!("g{number}"),
                format!("/srv/hostile/{number}g/**\" except \"/srv/hostile/{number}g/*{text}*"),
            ),
        ]
    };
    TEXTS.iter().enumerate().flat_map(|(number, text)| slot(number, text)).collect()
}

fn source(because: impl Fn(usize) -> String) -> String {
    let rules = rules();
    let lines = rules.iter().enumerate().map(|(number, (label, path))| {
        format!("  allow read \"{path}\" as {label} because \"{}\";\n", quoted(&because(number)))
    });
    let lines: String = lines.collect();
    format!("can 1;\npolicy hostile {{\n  exec \"/usr/bin/canc-hostile\";\n{lines}}}\n")
}

/// A policy of this name.
fn named(policy: &str, number: usize) -> String {
    format!(
        "policy {policy} {{ exec \"/usr/bin/canc-word-{number}\"; allow read \"/srv/words/{number}/**\" as data; }}\n"
    )
}

/// A policy with this label.
fn labelled(label: &str, number: usize) -> String {
    policy_of_labels(&format!("  allow read \"/srv/labels/{number}/**\" as {label};\n"))
}

fn policy_of_labels(rules: &str) -> String {
    format!("policy labelled {{\n  exec \"/usr/bin/canc-labelled\";\n{rules}}}\n")
}

/// The words that are names, in each slot, as one source.
fn words(base: &Base) -> String {
    let fine = |text: &String| corpus::lowered(base, &format!("can 1;\n{text}")).is_ok();
    let numbered = || WORDS.iter().enumerate();
    let policies: String = numbered().map(|(n, word)| named(word, n)).filter(fine).collect();
    let labels = numbered().filter(|(n, word)| fine(&labelled(word, *n)));
    let rules = labels.map(|(n, word)| format!("  allow read \"/srv/labels/{n}/**\" as {word};\n"));
    format!("can 1;\n{policies}{}", policy_of_labels(&rules.collect::<String>()))
}

/// The sources of hostile policies.
pub fn sources(base: &Base) -> Vec<(String, String)> {
    let reason = |number: usize| REASONS.get(number % REASONS.len()).copied().unwrap_or_default().to_owned();
    vec![(CASE.to_owned(), source(reason)), (WORDS_CASE.to_owned(), words(base))]
}

/// Paths that a rule's text means, and many that only look like it.
fn near(path: &str) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let text = path.rsplit('/').next().unwrap_or_default();
    let directory = path.strip_suffix(text).unwrap_or_default();
    let mut add = |text: String| {
        let wanted = !text.is_empty() && !text.contains(['/', '\n', '\0']) && text != "." && text != "..";
        if wanted {
            out.extend([
                format!("{directory}{text}"),
                format!("{directory}{text}/"),
                format!("{directory}{text}/x"),
            ]);
        }
    };
    add(text.to_owned());
    let places: Vec<(usize, char)> = text.char_indices().collect();
    for (at, c) in places {
        let (before, after) =
            (text.get(..at).unwrap_or_default(), text.get(at + c.len_utf8()..).unwrap_or_default());
        for other in ["", "z", "0", " ", "A"] {
            add(format!("{before}{other}{after}"));
        }
        add(format!("{before}{c}{c}{after}"));
        add(before.to_owned());
        add(after.to_owned());
    }
    for other in ["a", "b", "aa", "x", "y", "yy", "root", "home", "1000", "user", "object_r", "A"] {
        add(other.to_owned());
    }
    add(format!("x{text}x"));
    out
}

/// The paths of each rule.
fn asked() -> Vec<(String, String, BTreeSet<String>)> {
    let plain = |number: usize, text: &str| {
        [
            format!("/srv/hostile/{number}/{text}"),
            format!("/srv/hostile/{number}f/{text}"),
            format!("/srv/hostile/{number}g/{text}"),
        ]
    };
    let exact: Vec<String> = TEXTS.iter().enumerate().flat_map(|(n, t)| plain(n, t)).collect();
    rules().into_iter().zip(exact).map(|((label, pattern), path)| (label, pattern, near(&path))).collect()
}

/// All of them.
pub fn paths() -> BTreeSet<String> {
    asked().into_iter().flat_map(|(_, _, paths)| paths).collect()
}

/// The texts of a string of the language, as the path pattern that they spell.
fn pattern(string: &str) -> Result<Vec<Pattern>, Error> {
    let mut text = String::new();
    let mut chars = string.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.extend(chars.next()),
            '$' => {
                chars.next();
                text.push_str("\\$");
            }
            c => text.push(c),
        }
    }
    Pattern::parse(&text).map_err(|e| Error::Odd(format!("{text}: {e:?}")))
}

/// Paths that have a label which their rule does not mean, or lack the one that it does.
pub fn check(linked: &Linked, case: &Case) -> Result<Vec<String>, Error> {
    if case.name != CASE {
        return Ok(Vec::new());
    }
    let mut wrong = Vec::new();
    for (label, string, paths) in asked() {
        let (string, except) = string.split_once("\" except \"").unwrap_or((string.as_str(), ""));
        let patterns = pattern(string)?;
        let except = if except.is_empty() { Vec::new() } else { pattern(except)? };
        let label = format!("canc__hostile__{label}_t");
        let mut meant = 0;
        for path in &paths {
            let kind = if path.ends_with('/') { FileKind::Directory } else { FileKind::File };
            let found = linked.label(kind, path)? == Some(label.as_str());
            // A line about a directory and what is below takes a file in the directory's place too.
            let fits = |p: &Pattern| p.matches(path) || p.matches(&format!("{path}/"));
            let any = |patterns: &[Pattern]| patterns.iter().any(fits);
            let matches = any(&patterns) && !any(&except);
            meant += usize::from(matches);
            if found != matches {
                wrong.push(format!("{string}: {path:?} has the label: {found}, should: {matches}"));
            }
        }
        if meant == 0 || meant == paths.len() {
            wrong.push(format!("{string}: {meant} of {} paths are meant", paths.len()));
        }
    }
    same_without_reasons(case, &mut wrong)?;
    Ok(wrong)
}

/// The reasons change nothing.
fn same_without_reasons(case: &Case, wrong: &mut Vec<String>) -> Result<(), Error> {
    let base = Base::debian13();
    let plain = source(|_| "a reason".to_owned());
    let (_, all) = corpus::lowered(&base, &plain).map_err(|e| Error::Odd(e.join("; ")))?;
    let mut expected = Vec::new();
    for one in &all {
        let text = canc_codegen::selinux::emit::te(&one.module).map_err(|e| Error::Odd(e.to_string()))?;
        expected.push(te::read(&text).map_err(|e| Error::Odd(e.to_string()))?);
    }
    if case.said()? != expected {
        wrong.push("a reason changes what the module says".to_owned());
    }
    Ok(())
}

/// Hostile words in the place of names: what is no name of a module is refused with a place. Answers how many are; the others are a
/// case like any.
pub fn refusals(base: &Base) -> Result<usize, Error> {
    let mut count = 0;
    for (number, word) in WORDS.iter().enumerate() {
        for text in [named(word, number), labelled(word, number)] {
            if let Err(why) = corpus::lowered(base, &format!("can 1;\n{text}")) {
                ensure(!why.is_empty(), || format!("{text}: refused without a place"))?;
                count += 1;
            }
        }
    }
    ensure(count > WORDS.len() && count < 2 * WORDS.len(), || {
        format!("{count} of {} words", 2 * WORDS.len())
    })?;
    Ok(count)
}
