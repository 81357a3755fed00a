//! `diff` on known pairs, and its witnesses held against the meaning of both sides on random ones.

use crate::support::Lowering;
use canc_analysis::diff::{PolicyDiff, diff};
use canc_analysis::why::{Done, why};
use canc_dsl::Options;
use canc_dsl::parse_request;
use proptest::prelude::*;

fn policy(name: &str, statements: &str) -> String {
    format!(
        "policy {name} {{ exec \"/usr/bin/{name}\"; tolerate unix_sockets because \"test\"; {statements} }}\n"
    )
}

fn one(statements: &str) -> Lowering {
    Lowering::of(&format!("can 1;\n{}", policy("p", statements)))
}

fn found(old: &Lowering, new: &Lowering) -> Vec<PolicyDiff> {
    diff(&old.subject(), &new.subject()).unwrap()
}

fn whats(list: &[canc_analysis::diff::Change]) -> Vec<String> {
    list.iter().map(|c| format!("{}{}", if c.whole { "" } else { "part of " }, c.what)).collect()
}

/// What is allowed and what is denied by the change of one policy's statements.
fn changed(old: &str, new: &str) -> (Vec<String>, Vec<String>) {
    let diffs = found(&one(old), &one(new));
    assert!(diffs.len() <= 1);
    diffs.first().map(|d| (whats(&d.allowed), whats(&d.denied))).unwrap_or_default()
}

#[test]
fn what_becomes_allowed_and_denied_is_said_as_patterns() {
    for (old, new, allowed, denied) in [
        ("", r#"allow connect tcp port 25;"#, &["connect tcp port 25"][..], &[][..]),
        (
            r#"allow read "/srv/a/**";"#,
            r#"allow read, list "/srv/**";"#,
            &["part of read \"/srv/**\"", "list \"/srv/**\""],
            &[],
        ),
        (
            r#"allow read "/srv/**"; deny read "/srv/x/**";"#,
            r#"allow read "/srv/**";"#,
            &["read \"/srv/x/**\""],
            &[],
        ),
        (
            r#"allow read "/srv/**";"#,
            r#"allow read "/srv/**"; deny read "/srv/x/**";"#,
            &[],
            &["read \"/srv/x/**\""],
        ),
        (r#"allow write "/srv/a";"#, r#"allow append "/srv/a";"#, &[], &["write \"/srv/a\""]),
        (r#"allow read owner "/srv/a";"#, r#"allow read "/srv/a";"#, &["part of read \"/srv/a\""], &[]),
        (
            "allow listen tcp port 80, 90-99;",
            "allow listen tcp port 80, 91-100;",
            &["bind tcp port 100", "listen tcp port 100"],
            &["bind tcp port 90", "listen tcp port 90"],
        ),
        (
            "allow capability chown;",
            "allow capability chown, kill, fowner;",
            &["capability fowner, kill"],
            &[],
        ),
        (
            "allow syscall personality where arg0 == 8;",
            "allow syscall personality;",
            &["part of syscall personality"],
            &[],
        ),
        (
            "allow syscall personality where arg0 == 8;",
            "allow syscall personality where arg0 == 9;",
            &["part of syscall personality"],
            &["part of syscall personality"],
        ),
        ("allow syscall ptrace;", "", &[], &["syscall ptrace"]),
    ] {
        let (plus, minus) = changed(old, new);
        for (got, wanted) in [(&plus, allowed), (&minus, denied)] {
            assert!(wanted.iter().all(|w| got.iter().any(|g| g == w)), "{old} -> {new}: {plus:?} {minus:?}");
            assert_eq!(got.is_empty(), wanted.is_empty(), "{old} -> {new}: {plus:?} {minus:?}");
        }
    }
}

#[test]
fn what_means_the_same_is_no_difference() {
    let plain = r#"allow read, list "/srv/a/**", "/srv/b"; deny read "/srv/a/no"; allow connect tcp port 1-3; include std.base;"#;
    for same in [
        r#"include std.base; allow connect tcp port 3, 1-2; deny read "/srv/a/no"; allow list "/srv/a/**"; allow list "/srv/b"; allow read "/srv/{b,a/**}";"#,
        r#"include std.base; include f; deny read "/srv/a/no" because "other words";"#,
        r#"include std.base; allow read, list "/srv/a/**" except "/srv/a/no"; allow list "/srv/a/no"; allow read, list "/srv/b"; allow connect tcp port 1-3; @id(x) deny read "/srv/a/no";"#,
    ] {
        let fragment =
            "fragment f { allow connect tcp port 1-3; allow read, list \"/srv/a/**\", \"/srv/b\"; }\n";
        let new = Lowering::of(&format!("can 1;\n{fragment}{}", policy("p", same)));
        let diffs = found(&one(plain), &new);
        let meant: Vec<_> =
            diffs.iter().filter(|d| d.widens() || !d.allowed.is_empty() || !d.denied.is_empty()).collect();
        assert!(meant.is_empty(), "{same}: {meant:#?}");
        let moved = same.contains("include f");
        assert!(!moved || diffs.is_empty(), "{diffs:#?}");
    }
}

#[test]
fn another_name_or_order_of_policies_is_no_difference() {
    let two = |first: &str, second: &str, swap: bool| {
        let a = format!(
            "policy {first} {{ exec \"/usr/bin/a\"; tolerate unix_sockets because \"t\"; allow run \"/usr/bin/b\" -> policy {second}; \
             allow read \"/usr/bin/b\"; allow signal send term to policy {second}; }}\n"
        );
        let b = format!(
            "policy {second} {{ exec \"/usr/bin/b\"; launch from policy {first}; tolerate unix_sockets because \"t\"; }}\n"
        );
        Lowering::of(&format!("can 1;\n{}{}", if swap { &b } else { &a }, if swap { &a } else { &b }))
    };
    let old = two("left", "right", false);
    for (first, second) in [("left", "right"), ("one", "other"), ("left", "other")] {
        for swap in [false, true] {
            assert_eq!(found(&old, &two(first, second, swap)), Vec::new(), "{first} {second} {swap}");
        }
    }
}

#[test]
fn statements_that_hold_less_widen() {
    for (old, new, widens) in [
        ("", "mode complain;", true),
        ("limit open_files 10;", "limit open_files 20;", true),
        ("limit open_files 20;", "limit open_files 10;", false),
        ("", "limit core 1 MiB;", true),
        ("backend landlock require;", "backend landlock off;", true),
        ("", "backend landlock require;", false),
        ("isolate net;", "", true),
        ("", "isolate net;", false),
        ("allow run \"/usr/bin/x\";", "allow run \"/usr/bin/x\" -> unconfined;", true),
        ("env clear;", "", true),
    ] {
        let diffs = found(&one(old), &one(new));
        assert_eq!(diffs.len(), 1, "{old} -> {new}");
        assert_eq!(diffs[0].widens(), widens, "{old} -> {new}: {diffs:#?}");
    }
}

#[test]
fn a_new_policy_widens_and_one_that_is_gone_does_not() {
    let (a, b) = (one(""), Lowering::of(&format!("can 1;\n{}{}", policy("p", ""), policy("q", ""))));
    let there = found(&a, &b);
    assert!(there.len() == 1 && there[0].widens() && there[0].old.is_none(), "{there:?}");
    let back = found(&b, &a);
    assert!(back.len() == 1 && !back[0].widens() && back[0].new.is_none(), "{back:?}");
}

#[test]
fn a_verdict_that_changes_is_said() {
    let old = one(r#"allow read "/srv/x/**" as data;"#);
    let diffs = found(&old, &one(r#"allow read "/srv/x/**";"#));
    assert!(diffs.len() == 1 && !diffs[0].verdicts.is_empty(), "{diffs:#?}");
    assert!(diffs[0].allowed.is_empty() && diffs[0].denied.is_empty());
}

fn rule() -> impl Strategy<Value = String> {
    let path = proptest::sample::select(vec![
        "/srv/**",
        "/srv/a/**",
        "/srv/a/b",
        "/srv/*/b",
        "/srv/a/",
        "/srv/**/x",
        "/srv/[ab]/*",
        "/srv/{a,c}/**",
        "/opt/x",
    ]);
    let words = proptest::sample::select(vec![
        "read",
        "list",
        "write",
        "append",
        "read, list",
        "create",
        "delete",
        "lock",
    ]);
    let except = proptest::sample::select(vec!["", " except \"/srv/a/b\"", " except \"/srv/a/**\""]);
    let effect = proptest::sample::select(vec!["allow", "allow", "allow", "@prefer deny"]);
    let file = (effect.clone(), words, any::<bool>(), path, except).prop_map(
        |(effect, words, owner, path, except)| {
            format!("{effect} {words} {}\"{path}\"{except};", if owner { "owner " } else { "" })
        },
    );
    let other = proptest::sample::select(vec![
        "connect tcp port 80",
        "connect tcp",
        "listen tcp port 70-90",
        "connect udp port 53",
        "bind udp",
        "capability chown, kill",
        "capability kill",
        "signal send term to self",
        "signal send all to any",
        "signal send term, hup to user",
        "userns create",
        "connect unix \"/run/a.sock\"",
        "connect unix stream \"/run/*.sock\"",
        "connect unix \"@a*\"",
        "mqueue read \"/q*\"",
        "ptrace read self",
        "syscall personality",
        "syscall personality where arg0 == 8",
        "syscall personality where arg0 != 8",
        "syscall ptrace, chroot",
        "namespace net, ipc",
        "socket netlink route",
        "unmount \"/mnt/**\"",
    ]);
    let other = (effect, other).prop_map(|(effect, body)| format!("{effect} {body};"));
    prop_oneof![3 => file, 2 => other]
}

fn lowered(rules: &[String]) -> Option<Lowering> {
    let text = format!("can 1;\n{}", policy("p", &rules.join("\n")));
    let made = canc_dsl::compile("p.can", text.as_bytes(), &canc_dsl::NoFiles, &Options::default());
    made.policies.is_some().then(|| Lowering::of(&text))
}

fn done(side: &Lowering, witness: &str) -> Option<Done> {
    let request = parse_request(witness, &side.set, &Options::default()).request?;
    Some(why(&side.subject(), "p", &request).unwrap().decision.done)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// A witness is allowed on one side and not on the other, and rules in another order differ in nothing.
    #[test]
    fn witnesses_are_what_they_say(
        common in prop::collection::vec(rule(), 0..4),
        mine in prop::collection::vec(rule(), 0..3),
        theirs in prop::collection::vec(rule(), 0..3),
    ) {
        let with = |own: &[String]| lowered(&common.iter().chain(own).cloned().collect::<Vec<_>>());
        let (Some(old), Some(new)) = (with(&mine), with(&theirs)) else { return Ok(()) };
        for found in found(&old, &new) {
            for (changes, has, lacks) in [(&found.allowed, &new, &old), (&found.denied, &old, &new)] {
                for change in changes {
                    if let (Some(there), Some(here)) = (done(has, &change.witness), done(lacks, &change.witness)) {
                        prop_assert_ne!(there, Done::Denied, "{:?}", change);
                        prop_assert_ne!(here, Done::Allowed, "{:?}", change);
                        if !change.witness.starts_with("syscall") {
                            prop_assert_eq!((there, here), (Done::Allowed, Done::Denied), "{:?}", change);
                        }
                    }
                }
            }
        }
        let (first, second) = (old.lowered[0].seccomp.as_ref().unwrap(), new.lowered[0].seccomp.as_ref().unwrap());
        for (has, lacks) in [(first, second), (second, first)] {
            for call in has.made_beyond(lacks) {
                let number = canc_sets::syscalls::number(call.arch, call.call).unwrap();
                let makes = |side: &canc_codegen::seccomp::Lowered| {
                    let action = side.decide(call.arch, number, call.args).unwrap().action;
                    matches!(action, canc_dsl::policy::Action::Allow | canc_dsl::policy::Action::Log)
                };
                prop_assert!(call.found && makes(has) && !makes(lacks), "{:?}", call);
            }
        }
        let turned: Vec<String> = mine.iter().rev().chain(common.iter().rev()).cloned().collect();
        prop_assert!(found(&old, &lowered(&turned).unwrap()).is_empty());
    }

    /// Where nothing is said to differ, every request is decided alike.
    #[test]
    fn silence_means_that_nothing_differs(
        mine in prop::collection::vec(rule(), 1..4),
        theirs in prop::collection::vec(rule(), 1..4),
        path in proptest::sample::select(vec!["/srv/a/b", "/srv/a/x", "/srv/c/b", "/srv/b/x", "/opt/x", "/srv/a/", "/srv/x"]),
        word in proptest::sample::select(vec!["read", "list", "write", "append", "create", "lock"]),
        who in proptest::sample::select(vec!["", " as other"]),
        other in proptest::sample::select(vec![
            "connect tcp port 80", "connect tcp port 81", "bind tcp port 75", "connect udp port 53", "capability kill",
            "signal send hup to user", "connect unix \"/run/a.sock\"", "connect unix \"@ab\"", "unmount \"/mnt/a\"",
        ]),
    ) {
        let (Some(old), Some(new)) = (lowered(&mine), lowered(&theirs)) else { return Ok(()) };
        let diffs = found(&old, &new);
        for request in [format!("{word} \"{path}\"{who}"), other.to_owned()] {
            let asked = |side: &Lowering| {
                let request = side.request(&request);
                why(&side.subject(), "p", &request).ok().map(|a| a.decision.done)
            };
            match (asked(&old), asked(&new)) {
                (Some(Done::Denied), Some(Done::Allowed)) => {
                    prop_assert!(diffs.iter().any(|d| !d.allowed.is_empty()), "{}: {:?} -> {:?}", request, mine, theirs)
                }
                (Some(Done::Allowed), Some(Done::Denied)) => {
                    prop_assert!(diffs.iter().any(|d| !d.denied.is_empty()), "{}: {:?} -> {:?}", request, mine, theirs)
                }
                _ => {}
            }
        }
    }
}
