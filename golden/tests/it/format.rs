//! Formatting changes the form of a policy and nothing else: the same policies, the same artefacts, the same comments; and formatting
//! what is formatted changes nothing.

use crate::artefacts::{Bundle, files};
use crate::case::{Case, POLICY, cases, each};
use crate::fuzz::mutant;
use crate::order::decided;
use canc_dsl::format::format;
use canc_dsl::source::SourceMap;
use canc_dsl::{MemoryFiles, Options, compile};
use canc_sets::testing::Random;
use std::path::Path;

/// What a text means, without the places of its statements; `None` when it does not compile.
fn meaning(text: &str, files: &MemoryFiles) -> Option<String> {
    let options = Options { allow_raw: true, ..Options::default() };
    let done = compile("policy.can", text.as_bytes(), files, &options);
    let messages: Vec<_> = done.diagnostics.iter().map(|d| format!("{} {}", d.code.0, d.message)).collect();
    Some(format!("{} {messages:?}", without_places(&format!("{:?}", done.policies?))))
}

/// What a text says, without the places.
fn tree(text: &str) -> String {
    without_places(&format!("{:?}", canc_dsl::parse("policy.can", text.as_bytes()).1.items))
}

/// A text without what looks like the place of a statement: `0:12..34`.
fn without_places(text: &str) -> String {
    let digits = |t: &str| t.bytes().take_while(u8::is_ascii_digit).count();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let file = digits(from);
        let place = from[file..].strip_prefix(':').and_then(|t| {
            let start = digits(t);
            let end = t[start..].strip_prefix("..")?;
            (start > 0 && digits(end) > 0).then(|| &end[digits(end)..])
        });
        match place {
            Some(after) => rest = after,
            None => {
                out.push_str(&from[..file]);
                rest = &from[file..];
            }
        }
    }
    out + rest
}

/// The comments of a text, without blanks at their ends.
fn comments(text: &str) -> Vec<String> {
    let (sources, tree, _): (SourceMap, _, _) = canc_dsl::parse("policy.can", text.as_bytes());
    tree.comments.iter().map(|c| sources.text(*c).trim_end().to_owned()).collect()
}

/// The files beside a policy.
fn beside(dir: &Path) -> MemoryFiles {
    MemoryFiles(files(dir).into_iter().filter(|(name, _)| name.ends_with(".can")).collect())
}

/// What is wrong with how `text` is formatted; the formatted text where it has the language's form.
fn wrong(text: &str) -> Result<Option<String>, String> {
    let formatted = match format("policy.can", text.as_bytes()) {
        Ok(formatted) => formatted,
        Err(why) if why.diagnostics.iter().any(|d| d.code.0 == "E0020") => {
            return Err(format!("not formatted: {:?}", why.diagnostics));
        }
        Err(_) => return Ok(None),
    };
    if comments(text) != comments(&formatted) {
        return Err(format!("comments differ:\n{text}\n--\n{formatted}"));
    }
    if tree(text) != tree(&formatted) {
        return Err(format!("the tree differs:\n{text}\n--\n{formatted}"));
    }
    let again = format("policy.can", formatted.as_bytes())
        .map_err(|e| format!("{:?}\n{formatted}", e.diagnostics))?;
    if again != formatted {
        return Err(format!("twice is not once:\n{text}\n--\n{formatted}\n--\n{again}"));
    }
    if let Some(line) = formatted.lines().find(|l| l.ends_with([' ', '\t']))
        && !text.contains("\"\"\"")
    {
        return Err(format!("blanks at the end of {line:?}"));
    }
    Ok(Some(formatted))
}

/// A text with other blanks, line ends and comments where it has blanks.
fn disturbed(random: &mut Random, text: &str) -> String {
    const GAPS: &[&str] =
        &["\n", "\n\n\n", "   ", "\t", " # one\n", "\n# two\n", "#three\n#four\n\n", " \n  ", ";;"];
    let mut out = String::new();
    let (mut in_text, mut in_comment) = (false, false);
    for c in text.chars() {
        match c {
            '"' if !in_comment => in_text = !in_text,
            '#' if !in_text => in_comment = true,
            '\n' => in_comment = false,
            _ => {}
        }
        if (c == ' ' || c == '\n') && !in_text && !in_comment && random.below(4) == 0 {
            let gap = random.pick(GAPS).unwrap();
            // A lone `;` ends a statement, so that it may stand after one alone.
            out.push_str(if gap == ";;" && !out.ends_with(';') { " " } else { gap });
        }
        out.push(c);
    }
    out
}

/// A case whose policy and what it uses are formatted has artefacts that decide the same.
fn check(case: &Case) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files(&case.dir()) {
        let formatted = if name.ends_with(".can") {
            match format(&name, &bytes) {
                Ok(formatted) => formatted.into_bytes(),
                Err(why) => return vec![format!("{}: {name}: {:?}", case.name, why.diagnostics)],
            }
        } else {
            bytes
        };
        std::fs::write(dir.path().join(name), formatted).unwrap();
    }
    let words = |b: &Bundle| {
        let squeeze = |l: &String| l.split_whitespace().collect::<String>();
        decided(b)
            .iter()
            .map(|(p, l)| (p.clone(), l.iter().map(squeeze).collect::<Vec<_>>()))
            .collect::<Vec<_>>()
    };
    let own = Bundle::build(&case.policy(), &case.options).expect("an ok case builds");
    match Bundle::build(&dir.path().join(POLICY), &case.options) {
        Err(ran) => vec![format!("{}: {}", case.name, ran.err)],
        Ok(bundle) if words(&bundle) != words(&own) => vec![format!("{}: artefacts differ", case.name)],
        Ok(_) => Vec::new(),
    }
}

#[test]
fn a_formatted_policy_has_the_same_artefacts() {
    let cases: Vec<Case> = cases("ok").into_iter().filter(|c| c.command == "build").collect();
    assert!(cases.len() > 100, "{}", cases.len());
    let bad = each(&cases, check).concat();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

/// The project's own policies: each directory with what is in it.
fn own() -> Vec<(String, String, MemoryFiles)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut out = Vec::new();
    for dir in std::fs::read_dir(root.join("examples")).unwrap() {
        let dir = dir.unwrap().path();
        for (name, bytes) in files(&dir).into_iter().filter(|f| f.0.ends_with(".can")) {
            out.push((dir.join(name).display().to_string(), String::from_utf8(bytes).unwrap(), beside(&dir)));
        }
    }
    for (name, text) in canc_dsl::std_fragments() {
        out.push((format!("std.{name}"), (*text).to_owned(), MemoryFiles::default()));
    }
    out
}

#[test]
fn examples_and_the_standard_library_are_formatted() {
    let own = own();
    assert!(own.len() >= 10, "{}", own.len());
    for (name, text, _) in own {
        let formatted =
            format(&name, text.as_bytes()).unwrap_or_else(|e| panic!("{name}: {:?}", e.diagnostics));
        assert!(formatted == text, "{name} is not formatted; `canc fmt` writes\n{formatted}");
    }
}

#[test]
fn formatting_never_changes_meaning() {
    let mut texts: Vec<(String, String, MemoryFiles)> = own();
    for case in cases("ok").iter().chain(&cases("bad")).filter(|c| c.text().len() < 100_000) {
        texts.push((case.name.clone(), case.text(), beside(&case.dir())));
    }
    let numbers: Vec<usize> = (0..texts.len()).collect();
    let found = each(&numbers, |number| {
        let (name, text, files) = &texts[*number];
        let mut random = Random(*number as u64);
        let mut compiled = 0;
        let mut bad = Vec::new();
        let others: Vec<String> = (0..3).map(|_| disturbed(&mut random, text)).collect();
        for text in std::iter::once(text).chain(&others) {
            match wrong(text) {
                Err(why) => bad.push(format!("{name}: {why}")),
                Ok(None) => {}
                Ok(Some(formatted)) => {
                    let meant = meaning(text, files);
                    compiled += usize::from(meant.is_some());
                    if meant != meaning(&formatted, files) {
                        bad.push(format!("{name}: the meaning differs:\n{text}\n--\n{formatted}"));
                    }
                }
            }
        }
        (compiled, bad)
    });
    let compiled: usize = found.iter().map(|f| f.0).sum();
    let bad: Vec<&String> = found.iter().flat_map(|f| &f.1).collect();
    println!("format: {compiled} texts compile");
    assert!(bad.is_empty(), "{} findings; the first is {}", bad.len(), bad[0]);
    assert!(compiled > 400, "{compiled}");
}

#[test]
fn mutants_are_formatted_or_left_alone() {
    let texts: Vec<String> = cases("ok").iter().map(|c| c.text()).filter(|t| t.len() < 10_000).collect();
    let seeds: Vec<u64> = (0..3000).collect();
    let found = each(&seeds, |seed| {
        let mut random = Random(*seed);
        let text = String::from_utf8_lossy(&mutant(&mut random, &texts)).into_owned();
        wrong(&disturbed(&mut random, &text)).map(|formatted| formatted.is_some())
    });
    let formatted = found.iter().filter(|f| matches!(f, Ok(true))).count();
    let bad: Vec<&String> = found.iter().filter_map(|f| f.as_ref().err()).collect();
    println!("format: {formatted} of {} mutants are formatted", seeds.len());
    assert!(bad.is_empty(), "{} findings; the first is {}", bad.len(), bad[0]);
    assert!(formatted > 100, "{formatted}");
}

#[test]
fn what_differs_in_places_alone_is_the_same() {
    assert_eq!(without_places("a 0:12..34, 8000-8010 fe80::1 1:2"), "a , 8000-8010 fe80::1 1:2");
    assert_eq!(disturbed(&mut Random(1), "\"a b\""), "\"a b\"");
}
