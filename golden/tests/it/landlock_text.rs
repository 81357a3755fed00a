//! Rulesets to a short text: the newest one, and what older ones have that does not follow from the accesses that they know.

use canc_bundle::{LandlockRuleset, LandlockRulesets};
use std::fmt::Write as _;

/// The text.
pub fn text(rulesets: &LandlockRulesets) -> String {
    let Some((newest, whole)) = rulesets.last_key_value() else { return String::new() };
    let mut out = String::new();
    lines(whole).iter().for_each(|line| writeln!(out, "{line}").unwrap());
    for (abi, ruleset) in rulesets.iter().rev().filter(|(abi, _)| *abi != newest) {
        let follows = lines(&known_to(whole, ruleset));
        let own = lines(ruleset);
        let odd = |a: &[String], b: &[String], sign: &str| -> Vec<String> {
            a.iter().filter(|l| !b.contains(l)).map(|l| format!("{sign} {l}")).collect()
        };
        let other = [odd(&follows, &own, "-"), odd(&own, &follows, "+")].concat();
        if !other.is_empty() {
            writeln!(out, "abi {abi}:").unwrap();
            other.iter().for_each(|line| writeln!(out, "  {line}").unwrap());
        }
    }
    out
}

fn lines(ruleset: &LandlockRuleset) -> Vec<String> {
    let mut out = vec![
        format!("handled: {}", ruleset.handled_fs.join(" ")),
        format!("handled: {}", ruleset.handled_net.join(" ")),
        format!("scoped: {}", ruleset.scoped.join(" ")),
    ];
    out.retain(|line| !line.ends_with(": "));
    out.extend(ruleset.paths.iter().map(|p| {
        let must = if p.optional { "" } else { " (required)" };
        format!("{}: {}{must} [{}]", p.path, p.access.join(" "), p.rules.join(" "))
    }));
    out.extend(ruleset.ports.iter().map(|p| match p.from == p.to {
        true => format!("port {}: {}", p.from, p.access.join(" ")),
        false => format!("port {}-{}: {}", p.from, p.to, p.access.join(" ")),
    }));
    out
}

/// The newest ruleset as a kernel would have it that knows what `older` handles.
fn known_to(newest: &LandlockRuleset, older: &LandlockRuleset) -> LandlockRuleset {
    let mut out = LandlockRuleset {
        handled_fs: older.handled_fs.clone(),
        handled_net: older.handled_net.clone(),
        scoped: older.scoped.clone(),
        ..newest.clone()
    };
    for path in &mut out.paths {
        path.access.retain(|a| older.handled_fs.contains(a));
    }
    for port in &mut out.ports {
        port.access.retain(|a| older.handled_net.contains(a));
    }
    out.paths.retain(|p| !p.access.is_empty());
    out.ports.retain(|p| !p.access.is_empty());
    out
}

#[test]
fn older_rulesets_are_shown_where_they_say_something_of_their_own() {
    let path = |access: &[&str]| canc_bundle::LandlockPath {
        path: "/a".into(),
        access: access.iter().map(|a| (*a).to_owned()).collect(),
        optional: true,
        rules: vec!["r1".into()],
    };
    let ruleset = |handled: &[&str], paths| LandlockRuleset {
        handled_fs: handled.iter().map(|a| (*a).to_owned()).collect(),
        paths,
        ..LandlockRuleset::default()
    };
    let newest = ruleset(&["read_file", "truncate"], vec![path(&["read_file", "truncate"])]);
    let follows = ruleset(&["read_file"], vec![path(&["read_file"])]);
    let odd = ruleset(&["read_file"], vec![]);
    let of = |older: &LandlockRuleset| text(&[(1, older.clone()), (2, newest.clone())].into());
    assert_eq!(of(&follows), "handled: read_file truncate\n/a: read_file truncate [r1]\n");
    assert!(of(&odd).ends_with("abi 1:\n  - /a: read_file [r1]\n"), "{}", of(&odd));
}
