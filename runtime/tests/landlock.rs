//! Rulesets hold, and grant nothing that the policy does not name: not through links, not through missing paths.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use canc_bundle::{LandlockPort, LandlockRuleset};
use std::fs;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};
use support::Made;

const PROGRAM: &[&str] = &["execute", "read_file"];

/// A bundle whose program may run itself and read one directory, which holds a file; beside it another.
fn made() -> (Made, PathBuf) {
    let made = Made::new();
    let home = made.home.path().canonicalize().unwrap();
    for name in ["mine", "other"] {
        fs::create_dir(home.join(name)).unwrap();
        fs::write(home.join(name).join("file"), name).unwrap();
    }
    let (bin, mine) = (format!("{}/bin/", home.display()), format!("{}/mine/", home.display()));
    (made.landlock(&[(&bin, PROGRAM), (&mine, &["read_file", "read_dir"])]), home)
}

fn at(home: &Path, name: &str) -> String {
    home.join(name).to_str().unwrap().to_owned()
}

#[test]
fn reads_what_is_permitted_and_nothing_else() {
    let (mut made, home) = made();
    made.permits(&["read", &at(&home, "mine/file")]);
    made.permits(&["list", &at(&home, "mine")]);
    made.refuses(&["read", &at(&home, "other/file")], "EACCES");
    made.refuses(&["list", "/etc"], "EACCES");
    made.refuses(&["read", "/etc/passwd"], "EACCES");
    made.refuses(&["open-write", &at(&home, "mine/file")], "EACCES");
    assert!(made.ask_bare(&["create", &at(&home, "mine/one")]).get("error").is_none());
    assert_eq!(made.ask(&["create", &at(&home, "mine/two")])["error"], "EACCES");
}

#[test]
fn ports_hold_where_the_kernel_has_them() {
    let (mut made, _) = made();
    let open = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = |l: &TcpListener| l.local_addr().unwrap().port();
    let rules = made.ruleset().clone();
    made.ruleset().handled_net = vec!["connect_tcp".into(), "bind_tcp".into()];
    let range = LandlockPort { from: port(&open), to: port(&open), access: vec!["connect_tcp".into()] };
    made.ruleset().ports = vec![range];
    made.permits(&["connect", "tcp", "127.0.0.1", &port(&open).to_string()]);
    made.refuses(&["connect", "tcp", "127.0.0.1", &port(&other).to_string()], "EACCES");
    made.refuses(&["bind", "tcp", "127.0.0.1", "0"], "EACCES");
    // UDP is none of its business.
    made.permits(&["bind", "udp", "127.0.0.1", "0"]);
    *made.ruleset() = rules;
    made.permits(&["connect", "tcp", "127.0.0.1", &port(&other).to_string()]);
}

#[test]
fn scopes_hold_where_the_kernel_has_them() {
    let (mut made, _) = made();
    let name = format!("canc-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let _listener = std::os::unix::net::UnixListener::bind_addr(&address).unwrap();
    let target = format!("@{name}");
    made.permits(&["connect-unix", "stream", &target]);
    made.ruleset().scoped = vec!["abstract_unix_socket".into(), "signal".into()];
    made.refuses(&["connect-unix", "stream", &target], "EPERM");
    let parent = std::process::id().to_string();
    made.refuses(&["kill", &parent, "0"], "EPERM");
}

#[test]
fn a_missing_path_is_skipped_only_where_it_may_be() {
    let (mut made, home) = made();
    let mut rule = made.ruleset().paths[1].clone();
    rule.path = at(&home, "later/");
    made.ruleset().paths.push(rule);
    made.is_refused(&["landlock rule on", "later/", "No such file", "RuntimeDirectory="]);
    made.ruleset().paths[2].optional = true;
    made.permits(&["read", &at(&home, "mine/file")]);
    let report = report(&mut made);
    assert!(report.contains("no rule for") && report.contains("later/"), "{report}");
}

fn report(made: &mut Made) -> String {
    let bundle = made.write();
    let program = made.probe();
    let mut command = std::process::Command::new(support::CANC_RUN);
    support::ran(command.args(["--report", "text"]).arg(bundle).arg(program).arg("label")).err
}

/// The confined program can often put links into its own directories; the next launch must not follow them.
#[test]
fn links_are_not_followed() {
    let (mut made, home) = made();
    fs::remove_dir_all(home.join("mine")).unwrap();
    symlink(home.join("other"), home.join("mine")).unwrap();
    made.is_refused(&["mine/", "symbolic link"]);
    made.ruleset().paths[1].optional = true;
    made.refuses(&["read", &at(&home, "mine/file")], "EACCES");
    // Neither on the way.
    symlink(&home, home.join("way")).unwrap();
    made.ruleset().paths[1].path = at(&home, "way/other/");
    made.refuses(&["read", &at(&home, "other/file")], "EACCES");
}

#[test]
fn a_directory_in_the_place_of_a_file_gets_nothing() {
    let (mut made, home) = made();
    made.ruleset().paths[1].path = at(&home, "other");
    made.ruleset().paths[1].access = vec!["read_file".into()];
    made.is_refused(&["it is a directory, and the policy means a file"]);
    made.ruleset().paths[1].path = at(&home, "other/file");
    made.permits(&["read", &at(&home, "other/file")]);
    made.ruleset().paths[1].path = at(&home, "other/file/");
    made.is_refused(&["landlock rule on"]);
}

#[test]
fn the_process_finds_itself_in_proc() {
    let (mut made, _) = made();
    made.refuses(&["read", "/proc/self/status"], "EACCES");
    let mut rule = made.ruleset().paths[1].clone();
    rule.path = "/proc/self/".into();
    made.ruleset().paths.push(rule);
    made.permits(&["read", "/proc/self/status"]);
    made.refuses(&["read", "/proc/1/status"], "EACCES");
}

#[test]
fn the_home_is_the_callers_own_and_no_other_place() {
    let (mut made, home) = made();
    made.ruleset().paths[1].path = "~/x/".into();
    made.ruleset().paths[1].optional = true;
    fs::create_dir(home.join("x")).unwrap();
    fs::write(home.join("x/file"), "").unwrap();
    let file = at(&home, "x/file");
    // A home that the variable invents would grant what `${home}` does not mean.
    let ran = support::ran(made.command(&["read", &file]).env("HOME", &home));
    assert!(ran.out.contains("EACCES"), "{} {}", ran.out, ran.err);
    made.ruleset().paths[1].optional = false;
    let ran = support::ran(made.command(&["read", &file]).env("HOME", &home));
    support::refused(&ran, &["~/x/", "the caller has no home of its own under /home"]);
}

#[test]
fn words_of_a_newer_compiler_are_refused() {
    let (mut made, _) = made();
    made.ruleset().handled_fs.push("teleport".into());
    made.is_refused(&["teleport"]);
}

#[test]
fn the_ruleset_is_the_best_that_the_kernel_has() {
    let (mut made, home) = made();
    made.permits(&["read", &at(&home, "mine/file")]);
    // One for a kernel of the far future does not count, and alone it is none.
    let rules = made.rulesets.remove(&1).unwrap();
    let mut wider = rules.clone();
    wider.paths.clear();
    made.rulesets.extend([(1, rules.clone()), (4_000_000_000, wider)]);
    made.permits(&["read", &at(&home, "mine/file")]);
    made.rulesets.remove(&1);
    made.is_refused(&["landlock.json", "no ruleset for ABI"]);
    // Of several the highest: this one permits no program.
    let mut narrower = rules.clone();
    narrower.paths.clear();
    made.rulesets.extend([(1, rules.clone()), (2, narrower), (4_000_000_000, rules)]);
    let ran = made.run(&["label"]);
    assert_eq!(ran.code, Some(126), "{} {}", ran.out, ran.err);
}

/// As the compiler writes them: the paths stand once, with the newest ABI's ruleset, which this kernel may lack.
#[test]
fn a_ruleset_takes_its_paths_from_another() {
    let (mut made, home) = made();
    let mut newest = made.rulesets.remove(&1).unwrap();
    let older = LandlockRuleset { paths: Vec::new(), paths_of: Some(4_000_000_000), ..newest.clone() };
    newest.handled_fs.push("teleport".into());
    newest.paths[1].access.push("teleport".into());
    made.rulesets.extend([(1, older), (4_000_000_000, newest)]);
    made.permits(&["read", &at(&home, "mine/file")]);
    made.refuses(&["read", &at(&home, "other/file")], "EACCES");
}

/// By CAP_SYS_ADMIN, which is gone afterwards.
#[test]
fn it_is_enforced_without_no_new_privs_too() {
    assert!(rustix::process::geteuid().is_root(), "run the tests by sudo, as ci/test does");
    let (mut made, home) = made();
    made.launch().no_new_privs = false;
    made.permits(&["read", &at(&home, "mine/file")]);
    made.refuses(&["read", &at(&home, "other/file")], "EACCES");
    assert_eq!(made.ask(&["state"])["result"]["effective"], "0000000000000000");
}
