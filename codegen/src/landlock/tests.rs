//! Policies to rulesets and verdicts.

use super::*;
use crate::testing::{one, policies};
use canc_dsl::policy::FileOp;

fn made(set: &PolicySet, abi: u32) -> Lowered {
    lower(set, set.policy("p").unwrap(), abi).unwrap()
}

/// The places that rules of the policy bring, with their rights.
fn places(made: &Lowered) -> Vec<String> {
    let whole = made.whole();
    let own = whole.paths.iter().filter(|p| p.rules.iter().any(|r| r != "@base"));
    own.map(|p| format!("{} {}", p.path, p.access.join(" "))).collect()
}

fn verdict(outcome: &Outcome) -> String {
    match &outcome.verdict {
        Verdict::Allow { widened, narrowed } => {
            let mut out = outcome.word().to_string();
            widened.iter().chain(narrowed).for_each(|text| out.push_str(&format!(": {text}")));
            out
        }
        Verdict::DenyPartial { through } => format!("partial: {}", through.join("; ")),
        Verdict::DenyDropped { why } => format!("dropped: {why}"),
        _ => outcome.word().into(),
    }
}

#[track_caller]
fn check(statements: &str, want: &[&str], verdicts: &[&str]) -> Lowered {
    let made = made(&one(statements), DEFAULT_ABI);
    assert_eq!(places(&made), want, "{statements}");
    let found: Vec<String> = made.outcomes.iter().map(verdict).collect();
    assert_eq!(found.len(), verdicts.len(), "{found:#?}");
    for (found, want) in found.iter().zip(verdicts) {
        assert!(
            found.starts_with(want) && (found.len() == want.len() || want.contains(':')),
            "{found:?} is not {want:?}"
        );
    }
    made
}

#[test]
fn the_program_and_its_loader_are_always_there() {
    let made = made(&one(""), 6);
    let whole = made.whole();
    let find = |path: &str| whole.paths.iter().find(|p| p.path == path).map(|p| p.access.join(" "));
    assert_eq!(find("/usr/bin/p").as_deref(), Some("execute read_file"));
    assert_eq!(find("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2").as_deref(), Some("execute read_file"));
    assert!(whole.paths.iter().all(|p| p.optional && p.rules == ["@base"]));
    assert_eq!(made.ruleset.handled_net, ["bind_tcp", "connect_tcp"]);
    assert_eq!(made.ruleset.scoped, ["abstract_unix_socket", "signal"]);
    assert!(made.ruleset.handled_fs.contains(&"ioctl_dev".to_string()));
}

#[test]
fn subtrees_and_literals_are_exact() {
    check(
        r#"allow read "/srv/x/**"; allow manage "/run/p/**"; allow read, write "/etc/p.conf"; allow run "/usr/bin/q" because "x";"#,
        &[
            "/srv/x/ read_file",
            "/run/p/ write_file read_file read_dir remove_dir remove_file make_dir make_reg make_sock make_fifo make_sym refer truncate ioctl_dev",
            "/etc/p.conf write_file read_file truncate ioctl_dev",
            "/usr/bin/q execute read_file",
        ],
        &["exact", "exact", "exact", "exact"],
    );
}

#[test]
fn what_is_joined_is_named() {
    check(
        r#"allow append "/a/**";"#,
        &["/a/ write_file"],
        &[r#"widened: write in the same places, such as `write "/a/a"`"#],
    );
    check(
        r#"allow append "/a/**"; allow write "/a/**" because "x";"#,
        &["/a/ write_file truncate ioctl_dev"],
        &["exact", "exact"],
    );
    check(
        r#"allow create "/a/**";"#,
        &["/a/ make_dir make_reg make_sock make_fifo make_sym"],
        &[r#"widened: link in the same places, such as `link "/a/a"`"#],
    );
    check(
        r#"allow read owner "/a/**";"#,
        &["/a/ read_file"],
        &[r#"widened: read in the same places, such as `read "/a/a" as other`"#],
    );
    check(
        r#"allow read owner "/a/**"; allow read "/a/**" because "x";"#,
        &["/a/ read_file"],
        &["exact", "exact"],
    );
    check(
        r#"allow list "/a/b/";"#,
        &["/a/b/ read_dir"],
        &[r#"widened: list in the same places, such as `list "/a/b/a/"`"#],
    );
}

#[test]
fn other_globs_become_their_directory() {
    check(
        r#"allow read "/a/*.log";"#,
        &["/a/ read_file"],
        &[r#"widened: read in the same places, such as `read "/a/a"`"#],
    );
    check(
        r#"allow read "/a/*.log"; allow read "/a/**" because "x";"#,
        &["/a/ read_file"],
        &["exact", "exact"],
    );
    check(
        r#"allow read "/a/**" except "/a/b/**";"#,
        &["/a/ read_file"],
        &[r#"widened: read in the same places, such as `read "/a/b/a"`"#],
    );
    check(r#"allow read "/**/x";"#, &["/ read_file"], &["widened:"]);
    check(
        r#"allow read "${home}/.netrc"; allow read "${run_user}/**"; allow read "${self}/maps" because "x";"#,
        &["~/.netrc read_file", "%t/ read_file", "/proc/self/maps read_file"],
        &[
            "narrowed: other homes",
            "narrowed: other runtime directories",
            "narrowed: entries of processes that the program starts",
        ],
    );
}

#[test]
fn a_missing_file_takes_a_right_on_its_directory() {
    check(
        r#"allow read, write, create "/var/lib/p/state";"#,
        &[
            "/var/lib/p/state write_file read_file truncate ioctl_dev",
            "/var/lib/p/ write_file read_file make_reg truncate ioctl_dev",
        ],
        &["widened: read, write, append, create, link in the same places"],
    );
    check(
        r#"allow write, create "/run/p.pid"; allow delete "/tmp/x";"#,
        &["/run/p.pid write_file truncate ioctl_dev"],
        &[
            "narrowed: create: a right on all of `/run`, which is shared",
            "narrowed: delete: a right on all of `/tmp`, which is shared",
        ],
    );
    check(
        r#"allow listen unix "/run/p.sock";"#,
        &["/run/ make_sock"],
        &["widened: making sockets by other names in the same directory"],
    );
}

#[test]
fn nothing_can_be_taken_out() {
    check(
        r#"allow read "/a/**"; deny read "/a/b/**"; deny write "/a/**"; deny read, write "/a/c" because "x";"#,
        &["/a/ read_file"],
        &[
            "exact",
            r#"dropped: `read "/a/b/a"` gets through: it lies below"#,
            "exact",
            r#"partial: read "/a/c""#,
        ],
    );
}

#[test]
fn ports() {
    let full = check("allow connect tcp; allow listen tcp port 80;", &[], &["exact", "exact"]);
    assert_eq!(full.ruleset.handled_net, ["bind_tcp"]);
    assert_eq!(full.ruleset.ports.iter().map(|p| (p.from, p.to)).collect::<Vec<_>>(), [(80, 80)]);
    let cut = check("allow connect tcp port 1-100; deny connect tcp port 25;", &[], &["exact", "exact"]);
    assert_eq!(cut.ruleset.ports.iter().map(|p| (p.from, p.to)).collect::<Vec<_>>(), [(1, 24), (26, 100)]);
    check("allow bind tcp port 5;", &[], &["widened: listening, such as `listen tcp port 5`"]);
    check("allow connect tcp address 192.0.2.1 port 5;", &[], &["widened: every address"]);
    check("allow bind udp port 5; allow socket raw;", &[], &["n/a", "n/a"]);
    assert_eq!(made(&one("allow connect tcp port 5;"), 3).outcomes[0].word(), "n/a");
    assert!(made(&one("allow connect tcp port 5;"), 3).ruleset.handled_net.is_empty());
}

#[test]
fn scopes_and_what_is_refused_as_a_whole() {
    let inside = check("allow signal send term to self; allow ptrace read self;", &[], &["exact", "exact"]);
    assert_eq!(inside.ruleset.scoped, ["abstract_unix_socket", "signal"]);
    let outside = check(
        r#"allow signal send term to user; allow connect unix "@x";"#,
        &[],
        &["widened: every signal", "widened: every abstract socket"],
    );
    assert!(outside.ruleset.scoped.is_empty());
    check(
        r#"allow mount bind "/a" -> "/b"; deny unmount "/b"; allow userns create; allow capability chown;"#,
        &[],
        &["narrowed: all of it", "exact", "n/a", "n/a"],
    );
    check(
        r#"allow mqueue create, read "/q"; allow mqueue create, delete "/q"; deny mqueue read "/q";"#,
        &[],
        &["narrowed: reading and writing", "n/a", "n/a"],
    );
    // Its own children keep its domain.
    let set = policies(
        r#"can 1;
policy p { exec "/usr/bin/p"; allow run "/usr/bin/q" -> policy q; allow signal send term to policy q; }
policy q { exec "/usr/bin/q"; launch from policy p; }
"#,
    );
    assert_eq!(made(&set, 6).ruleset.scoped, ["abstract_unix_socket", "signal"]);
}

#[test]
fn older_abis_have_fewer_words() {
    let set = one(r#"allow manage "/a/**"; allow signal send term to user;"#);
    let all = lower_all(&set, set.policy("p").unwrap()).unwrap();
    assert_eq!(all.len(), NEWEST_LANDLOCK as usize);
    let words = |abi: usize| all[abi - 1].whole().paths.last().unwrap().access.clone();
    let has = |abi: usize, word: &str| words(abi).iter().any(|w| w == word);
    assert!(!has(1, "refer") && has(2, "refer") && !has(2, "truncate") && has(3, "truncate"));
    assert!(!has(4, "ioctl_dev") && has(5, "ioctl_dev"));
    assert_eq!(
        verdict(&all[0].outcomes[0]),
        "narrowed: moving and linking between directories, which this ABI refuses"
    );
    assert_eq!(verdict(&all[5].outcomes[0]), "exact");
    assert_eq!(all[4].outcomes[1].word(), "n/a");
    for one in &all {
        let handled = &one.ruleset.handled_fs;
        assert!(
            one.ruleset.paths.iter().all(|p| p.access.iter().all(|a| handled.contains(a))),
            "ABI {}",
            one.abi
        );
    }
    // The bundle holds the paths once, and gives every ABI its own accesses.
    let bundle = rulesets(&all);
    assert_eq!(bundle.keys().copied().collect::<Vec<_>>(), (1..=7).collect::<Vec<_>>());
    assert_eq!(bundle.values().filter(|r| !r.paths.is_empty()).count(), 1);
    let text = serde_json::to_string(&bundle).unwrap();
    for one in &all {
        let mut read: canc_bundle::LandlockRulesets = serde_json::from_str(&text).unwrap();
        assert_eq!(canc_bundle::take_ruleset(&mut read, one.abi), Some(one.whole()), "ABI {}", one.abi);
    }
}

#[test]
fn a_ruleset_can_be_asked() {
    let made = made(
        &one(r#"allow read "/srv/x/**"; allow create "/run/p/**"; allow read "${home}/.x" because "x";"#),
        6,
    );
    let ask = |op, path: &str| decide(&made.whole(), op, path);
    assert_eq!(ask(FileOp::Read, "/srv/x/a/b"), Some(true));
    assert_eq!(ask(FileOp::Read, "/srv/xy"), Some(false));
    assert_eq!(ask(FileOp::List, "/srv/x/"), Some(false));
    assert_eq!(ask(FileOp::Create, "/run/p/a"), Some(true));
    assert_eq!(ask(FileOp::Create, "/run/p/"), Some(false));
    assert_eq!(ask(FileOp::Read, "/root/.x"), Some(true));
    assert_eq!(ask(FileOp::Run, "/usr/bin/p"), Some(true));
    assert_eq!(ask(FileOp::Setattr, "/etc/shadow"), None);
}
