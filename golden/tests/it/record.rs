//! What a case gives against what is recorded, and what is elided from both: lines that a policy without rules gives, too.

use similar::{ChangeTag, TextDiff};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Recorded texts by file name.
pub type Texts = BTreeMap<String, String>;

/// Runs of lines that are as they would be without rules are left out if they are at least this long.
const LONG_ENOUGH: usize = 3;

/// Compares what a case gives with what its directory holds, or writes it there. Files that end in `.can` or are named in `given` are
/// the case's own.
pub fn problems(dir: &Path, texts: &Texts, given: &[String]) -> Vec<String> {
    let own = |name: &str| name.ends_with(".can") || given.iter().any(|g| g == name);
    let update = std::env::var_os("CANC_UPDATE").is_some_and(|v| v == "1");
    let mut out = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !own(&name) && !texts.contains_key(&name) {
            out.push(format!("{}: a stray file that the case does not give", dir.join(&name).display()));
            if update {
                fs::remove_file(dir.join(&name)).unwrap();
            }
        }
    }
    for (name, text) in texts {
        let path = dir.join(name);
        match fs::read_to_string(&path) {
            Ok(recorded) if recorded == *text => continue,
            Ok(recorded) => out.push(format!("{}:\n{}", path.display(), difference(&recorded, text))),
            Err(_) => out.push(format!("{}: not recorded", path.display())),
        }
        if update {
            fs::write(&path, text).unwrap();
        }
    }
    if update { Vec::new() } else { out }
}

/// Panics with all problems, and says how to accept them.
pub fn report(problems: &[String]) {
    let all = problems.join("\n");
    assert!(problems.is_empty(), "{all}\n{} differ; CANC_UPDATE=1 records what is given", problems.len());
}

fn difference(old: &str, new: &str) -> String {
    TextDiff::from_lines(old, new).unified_diff().context_radius(2).header("recorded", "given").to_string()
}

/// `text` without the runs of lines that `plain`, which a policy without rules gives, has as well.
pub fn elided(plain: &str, text: &str) -> String {
    let diff = TextDiff::from_lines(plain, text);
    let mut out = String::new();
    let mut same: Vec<&str> = Vec::new();
    for change in diff.iter_all_changes() {
        match change.tag() {
            ChangeTag::Equal => same.push(change.value()),
            ChangeTag::Insert => {
                flush(&mut out, &mut same);
                out.push_str(change.value());
            }
            ChangeTag::Delete => {}
        }
    }
    flush(&mut out, &mut same);
    out
}

fn flush(out: &mut String, same: &mut Vec<&str>) {
    if same.len() < LONG_ENOUGH {
        out.extend(same.drain(..));
    } else {
        out.push_str(&format!("… {} lines as without rules\n", same.len()));
        same.clear();
    }
}

#[test]
fn what_a_policy_without_rules_gives_is_elided() {
    let plain = "a\nb\nc\nd\nz\n";
    assert_eq!(elided(plain, "a\nb\nc\nx\nd\nz\n"), "… 3 lines as without rules\nx\nd\nz\n");
    assert_eq!(elided(plain, plain), "… 5 lines as without rules\n");
    assert_eq!(elided("", "a\nb\n"), "a\nb\n");
}

#[test]
fn missing_stray_and_changed_texts_are_problems() {
    if std::env::var_os("CANC_UPDATE").is_some() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in
        [("policy.can", ""), ("stray", ""), ("same", "x\n"), ("changed", "old\n"), ("given", "")]
    {
        fs::write(dir.path().join(name), text).unwrap();
    }
    let texts = ["same", "changed", "missing"].map(|n| (n.to_owned(), "x\n".to_owned()));
    let found = problems(dir.path(), &texts.into(), &["given".into()]).join("\n");
    assert!(found.contains("stray: a stray file"), "{found}");
    assert!(found.contains("-old\n+x\n"), "{found}");
    assert!(found.contains("missing: not recorded"), "{found}");
    assert_eq!(found.matches(": ").count(), 2, "{found}");
}
