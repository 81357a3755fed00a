//! The order of rules decides nothing: a policy with its statements in another order has artefacts that decide alike.
//!
//! Names of rules follow the order and stand in comments; they are left out of what is compared, and so is the order of lines where
//! the target gives it no meaning.

use crate::artefacts::{Bundle, files};
use crate::case::{Case, POLICY, cases, each};
use canc_bundle::{Decision, LandlockRulesets, Manifest};
use std::collections::BTreeMap;

/// `text` with runs of one-line rules inside of blocks turned round, or turned on by one.
fn permuted(text: &str, turn: bool) -> String {
    let mut out: Vec<&str> = Vec::new();
    let mut run: Vec<&str> = Vec::new();
    let is_rule = |line: &str| {
        let word = line.trim_start();
        line.starts_with("  ")
            && line.ends_with(';')
            && ["allow ", "deny ", "@prefer ", "@id("].iter().any(|w| word.starts_with(w))
    };
    for line in text.lines().chain([""]) {
        if is_rule(line) {
            run.push(line);
            continue;
        }
        if turn && !run.is_empty() {
            run.rotate_left(1);
        } else {
            run.reverse();
        }
        out.append(&mut run);
        out.push(line);
    }
    out.join("\n")
}

/// What the artefacts decide, by what it is.
pub fn decided(bundle: &Bundle) -> BTreeMap<String, Vec<String>> {
    let mut out = BTreeMap::new();
    for (path, bytes) in bundle.files() {
        let text = || String::from_utf8(bytes.clone()).unwrap();
        let lines = match path.rsplit_once('.').map_or("", |p| p.1) {
            _ if path.starts_with("apparmor/") => statements(&text()),
            "bpf" => vec![format!("{bytes:?}")],
            "te" => statements(&text()).iter().flat_map(|line| permissions(line)).collect(),
            "fc" | "cil" => statements(&text()),
            "json" if path.starts_with("landlock") => landlock(&text()),
            "json" if path == canc_bundle::MANIFEST => manifest(&bundle.manifest),
            // The listing is for people; its programs are compared.
            "asm" => continue,
            _ => panic!("{path}: nobody says what it decides"),
        };
        out.insert(path, lines);
    }
    out
}

/// The lines of a text that are no comments, sorted.
fn statements(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    let mut out: Vec<String> = lines.map(str::to_owned).collect();
    out.sort();
    out
}

/// A rule on several permissions as one for each.
fn permissions(line: &str) -> Vec<String> {
    let Some((rule, set)) =
        line.strip_prefix("allow ").and_then(|l| l.trim_end_matches(';').split_once(" { "))
    else {
        return vec![line.to_owned()];
    };
    set.trim_end_matches(" }").split_ascii_whitespace().map(|p| format!("{rule} {p}")).collect()
}

fn landlock(text: &str) -> Vec<String> {
    let mut rulesets: LandlockRulesets = serde_json::from_str(text).unwrap();
    let mut out = Vec::new();
    for (abi, ruleset) in &mut rulesets {
        ruleset.paths.iter_mut().for_each(|p| p.rules.clear());
        out.push(format!("{abi} {:?} {:?} {:?}", ruleset.handled_fs, ruleset.handled_net, ruleset.scoped));
        out.extend(ruleset.paths.iter().map(|p| format!("{abi} {p:?}")));
        out.extend(ruleset.ports.iter().map(|p| format!("{abi} {p:?}")));
    }
    out.sort();
    out
}

/// Of the manifest: whether a launch is refused for each combination of layers, what the launch does, and for each rule its verdicts
/// and results, by its text.
fn manifest(manifest: &Manifest) -> Vec<String> {
    let mut out = Vec::new();
    for policy in &manifest.policies {
        let name = &policy.name;
        out.push(format!("{name} {:?}", policy.launch));
        let refused = |d: &Decision| {
            format!(
                "{name} {} {} {}-{} refused: {}",
                d.selinux,
                d.apparmor,
                d.landlock_from,
                d.landlock_to,
                !d.refused.is_empty()
            )
        };
        out.extend(policy.decisions.iter().map(refused));
        for rule in &policy.rules {
            let verdicts: Vec<_> = rule.verdicts.iter().map(|(t, v)| (t, &v.verdict)).collect();
            let results: Vec<_> = rule.deployments.iter().map(|(d, r)| (d, &r.result)).collect();
            out.push(format!("{name} {} {verdicts:?} {results:?}", rule.text));
        }
    }
    out.sort();
    out
}

fn check(case: &Case) -> Vec<String> {
    let text = case.text();
    let mut bad = Vec::new();
    let mut others: Vec<String> = [false, true]
        .map(|turn| permuted(&text, turn))
        .into_iter()
        .filter(|t| t.trim_end() != text.trim_end())
        .collect();
    others.dedup();
    if others.is_empty() {
        return bad;
    }
    let own = decided(&Bundle::build(&case.policy(), &case.options).expect("an ok case builds"));
    for other in others {
        let dir = tempfile::tempdir().unwrap();
        for (name, bytes) in files(&case.dir()) {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        std::fs::write(dir.path().join(POLICY), &other).unwrap();
        let bundle = Bundle::build(&dir.path().join(POLICY), &case.options)
            .unwrap_or_else(|ran| panic!("{}: {}\n{other}", case.name, ran.err));
        let found = decided(&bundle);
        for (path, lines) in &own {
            let theirs = found.get(path).cloned().unwrap_or_default();
            let gone: Vec<&String> = lines.iter().filter(|l| !theirs.contains(l)).collect();
            let new: Vec<&String> = theirs.iter().filter(|l| !lines.contains(l)).collect();
            if !gone.is_empty() || !new.is_empty() {
                bad.push(format!(
                    "{}: {path} decides otherwise\n- {gone:#?}\n+ {new:#?}\nof\n{other}",
                    case.name
                ));
            }
        }
    }
    bad
}

#[test]
fn the_order_of_rules_decides_nothing() {
    let cases = cases("ok");
    let several =
        cases.iter().filter(|c| permuted(&c.text(), false).trim_end() != c.text().trim_end()).count();
    assert!(several >= 40, "only {several} cases have several rules");
    let bad = each(&cases, check).concat();
    assert!(bad.is_empty(), "{}\n{} differ", bad.join("\n"), bad.len());
}

#[test]
fn rules_are_permuted_and_nothing_else() {
    let text = "can 1;\n\npolicy p {\n  exec \"/p\";\n  allow a;\n  deny b;\n  @id(x) allow c;\n}\n";
    assert_eq!(
        permuted(text, false).lines().collect::<Vec<_>>()[4..7],
        ["  @id(x) allow c;", "  deny b;", "  allow a;"]
    );
    assert_eq!(
        permuted(text, true).lines().collect::<Vec<_>>()[4..7],
        ["  deny b;", "  @id(x) allow c;", "  allow a;"]
    );
    assert_eq!(permuted("can 1;\n", false).trim_end(), "can 1;");
}
