//! `canc verify` through the built binary, by an ordinary user on this machine as it is: Landlock and seccomp, nothing applied.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "support/user.rs"]
mod user;

use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use user::{CANC, Ran, copy, probe, ran};

/// A directory with canc, the probe beside it, two directories of data and a policy that may read one of them.
struct Home(#[expect(dead_code, reason = "keeps the directory")] TempDir, PathBuf);

impl Home {
    /// `rules` and `tests` have `HOME` for the directory.
    fn new(rules: &str, tests: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("canc-test").tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap();
        let home = Self(dir, path);
        for name in ["mine", "other"] {
            fs::create_dir(home.at(name)).unwrap();
            fs::write(home.at(&format!("{name}/file")), name).unwrap();
        }
        for (from, to) in [(Path::new(CANC), "canc"), (probe(), "canc-probe")] {
            copy(from, home.at(to));
        }
        let text = format!(
            "can 1;\npolicy p {{\n  exec \"/usr/bin/true\";\n  include std.base;\n{rules}\n}}\n\
             test \"box\" {{\n{tests}\n}}\n"
        );
        fs::write(home.at("p.can"), text.replace("HOME", home.1.to_str().unwrap())).unwrap();
        for name in ["", "mine", "other"] {
            fs::set_permissions(home.at(name), Permissions::from_mode(0o755)).unwrap();
        }
        home
    }

    fn at(&self, name: &str) -> String {
        self.1.join(name).to_str().unwrap().to_owned()
    }

    fn verify(&self, words: &[&str]) -> Ran {
        ran(Command::new(self.at("canc")).args(["verify", &self.at("p.can")]).args(words))
    }

    /// The rows, and the exit code.
    fn rows(&self, words: &[&str]) -> (Option<i32>, Vec<Value>) {
        let ran = self.verify(&[&["--json"], words].concat());
        let answer: Value =
            serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {} {}", ran.out, ran.err));
        assert_eq!(answer["ok"], ran.code == Some(0), "{answer}");
        (ran.code, answer["policies"][0]["rows"].as_array().unwrap().clone())
    }
}

/// The row of an assertion or an attack.
fn row<'a>(rows: &'a [Value], name: &str) -> &'a Value {
    let found = rows.iter().find(|r| r["title"] == name || r["text"].as_str().unwrap().contains(name));
    found.unwrap_or_else(|| panic!("no row {name}: {rows:#?}"))
}

fn cell<'a>(row: &'a Value, column: &str) -> (&'a str, &'a str) {
    let cell = &row["cells"][column];
    (cell["outcome"].as_str().unwrap_or("none"), cell["by"].as_str().unwrap_or(""))
}

const READS: &str = "  allow read \"HOME/mine/**\";";

#[test]
fn what_a_policy_denies_is_stopped_by_its_layer_and_passes_without() {
    let tests =
        "  p allows read \"HOME/mine/file\";\n  p denies read \"HOME/other/file\";\n  p denies syscall bpf;";
    let home = Home::new(READS, tests);
    let (code, rows) = home.rows(&[]);
    assert_eq!(code, Some(0), "{rows:#?}");
    let allowed = row(&rows, "allows read");
    assert_eq!((&allowed["result"], cell(allowed, "all").0), (&Value::from("permitted"), "passed"));
    let other = row(&rows, "denies read");
    assert_eq!(other["result"], "stopped");
    for (column, outcome) in [
        ("all", ("stopped", "EACCES")),
        ("landlock", ("stopped", "EACCES")),
        ("seccomp", ("passed", "")),
        ("runtime", ("passed", "")),
        ("none", ("passed", "")),
    ] {
        assert_eq!(cell(other, column), outcome, "{column}: {other}");
    }
    let attacked = |name: &str, stops: &str| {
        let row = row(&rows, name);
        assert_eq!(row["result"], "stopped", "{row}");
        assert_eq!((cell(row, stops).0, cell(row, "none").0), ("stopped", "passed"), "{row}");
    };
    attacked("connect by TCP fast open", "seccomp");
    attacked("make a user namespace", "seccomp");
    attacked("push characters, with high bits set", "seccomp");
    attacked("end another program", "landlock");
    attacked("read another file through a symbolic link", "landlock");
    attacked("gain privileges by executing a program", "runtime");
    attacked("become root by a set-user-id program", "runtime");
}

/// The policy says no, and a policy that leaves the layer out or accepts that there is none lets it through: the answer is no.
#[test]
fn a_claim_that_the_kernel_does_not_keep_is_found() {
    let off = "  backend landlock off;\n  tolerate files, execution, signals, ptrace because \"seeded\";";
    let home = Home::new(&format!("{READS}\n{off}"), "  p denies read \"HOME/other/file\";");
    let (code, rows) = home.rows(&["--no-attacks"]);
    let other = row(&rows, "denies read");
    assert_eq!((code, &other["result"]), (Some(1), &Value::from("differs")), "{other}");
    assert_eq!((cell(other, "all").0, cell(other, "landlock").0), ("passed", "none"));
    // Nobody who wrote `tolerate` claims that attacks on files are stopped.
    let (code, rows) = Home::new(&format!("{READS}\n{off}"), "  p denies syscall bpf;").rows(&[]);
    let link = row(&rows, "read another file through a symbolic link");
    assert_eq!((code, &link["result"]), (Some(0), &Value::from("leaks")), "{link}");
    // The other direction.
    let home = Home::new(READS, "  p allows read \"HOME/other/file\";");
    let (code, rows) = home.rows(&["--no-attacks"]);
    assert_eq!((code, &rows[0]["result"]), (Some(1), &Value::from("differs")), "{rows:?}");
    assert!(rows[0]["why"].as_str().unwrap().contains("refused with EACCES by landlock"), "{rows:?}");
}

#[test]
fn a_test_that_cannot_fail_is_vacuous() {
    let tests = "  p denies connect unix stream \"/run/nobody-listens\";\n  p denies capability sys_admin;";
    let (code, rows) = Home::new("  tolerate unix_sockets because \"x\";", tests).rows(&["--no-attacks"]);
    assert_eq!(code, Some(0));
    for row in &rows {
        assert_eq!(row["result"], "vacuous", "{row}");
        assert!(row["why"].as_str().unwrap().contains("with no layer it fails as well"), "{row}");
    }
    assert_eq!(rows.len(), 2);
}

/// What is missing, closed to the user, or would be changed, is performed where a private copy covers it.
#[test]
fn nothing_of_the_host_is_changed() {
    let rules = "  allow read, create, delete \"HOME/mine/**\";\n  allow run \"/usr/bin/env\";";
    let tests = "  p allows delete \"HOME/mine/file\";\n  p denies delete \"HOME/other/file\";\n  \
        p allows create \"HOME/mine/new\";\n  p denies create \"HOME/other/new\";\n  p denies read \"HOME/gone/a/b\";\n  \
        p denies write \"/etc/passwd\";\n  p allows run \"/usr/bin/env\";\n  p denies run \"/usr/bin/touch\";";
    let home = Home::new(rules, tests);
    let (code, rows) = home.rows(&["--no-attacks"]);
    assert_eq!(code, Some(0), "{rows:#?}");
    let result = |name: &str| row(&rows, name)["result"].as_str().unwrap().to_owned();
    for name in ["allows delete", "allows create", "allows run"] {
        assert_eq!(result(name), "permitted", "{name}");
    }
    for name in ["denies delete", "denies create", "denies read", "denies write", "denies run"] {
        assert_eq!(result(name), "stopped", "{name}");
    }
    assert_eq!(row(&rows, "denies delete")["private_copy"], home.at("other"));
    assert_eq!(row(&rows, "denies read")["private_copy"], home.at("").trim_end_matches('/'));
    assert_eq!(fs::read_to_string(home.at("mine/file")).unwrap(), "mine");
    assert_eq!(fs::read_to_string(home.at("other/file")).unwrap(), "other");
    for made in ["mine/new", "other/new", "gone"] {
        assert!(!Path::new(&home.at(made)).exists(), "{made}");
    }
}

#[test]
fn what_is_not_performed_says_why() {
    let tests = "  p denies read \"HOME/other/file\" on selinux;\n  p never read \"HOME/other/**/*.key\";\n  \
        p denies read \"/dev/watchdog0\";\n  p denies syscall vhangup;\n  p denies connect tcp address 192.0.2.1 port 80;";
    let (code, rows) = Home::new(READS, tests).rows(&["--no-attacks"]);
    let whys =
        ["this host is bare", "many paths", "private copy", "without doing something", "own addresses"];
    assert_eq!((code, rows.len()), (Some(0), whys.len()));
    for (row, why) in rows.iter().zip(whys).filter(|(_, why)| *why != "private copy") {
        assert_eq!(row["result"], "not_applicable", "{row}");
        assert!(row["why"].as_str().unwrap().contains(why), "{row}");
    }
}

/// Never a pass: no probe, one that cannot run, a launch that is refused.
#[test]
fn a_probe_that_cannot_run_is_a_failure() {
    let home = Home::new(READS, "  p denies read \"HOME/other/file\";");
    let fails = |words: &[&str], said: &[&str]| {
        let ran = home.verify(words);
        assert_eq!((ran.code, ran.out.as_str()), (Some(4), ""), "{}", ran.err);
        said.iter().for_each(|said| assert!(ran.err.contains(said), "{said}: {}", ran.err));
    };
    fails(&["--probe", "/usr/bin/true"], &["is no canc-probe", "to mend it:", "--package canc-probe"]);
    fails(&["--probe", "/none"], &["`/none` cannot be read"]);
    fs::remove_file(home.at("canc-probe")).unwrap();
    fails(&[], &["canc-probe` cannot be read", "to mend it:", "+crt-static"]);
    let required = Home::new("  backend selinux or apparmor require;", "  p denies syscall bpf;");
    let ran = required.verify(&[]);
    assert_eq!(ran.code, Some(4));
    assert!(
        ran.err.contains("nothing can be started under it here") && ran.err.contains("required"),
        "{}",
        ran.err
    );
    // Ended by the filter before its first word.
    let killed = Home::new("  deny syscall brk, mmap with kill;", "  p denies syscall bpf;");
    let ran = killed.verify(&["--no-attacks"]);
    assert_eq!(ran.code, Some(4), "{} {}", ran.out, ran.err);
    assert!(ran.err.contains("signal 31"), "{}", ran.err);
}

#[test]
fn people_and_build_servers_read_it_too() {
    let tests = "  p denies read \"HOME/other/file\";\n  p allows read \"HOME/other/file\";";
    let home = Home::new(READS, tests);
    fs::set_permissions(home.at(""), Permissions::from_mode(0o777)).unwrap();
    let ran = home.verify(&["--no-attacks", "--junit", &home.at("v.xml")]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    for said in ["p on a host that is bare", "stopped", "DIFFERS", "EACCES", "1 stopped, 1 DIFFERS"] {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
    let xml = fs::read_to_string(home.at("v.xml")).unwrap();
    assert!(xml.contains("tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\""), "{xml}");
    assert_eq!(home.verify(&["--policy", "q"]).code, Some(2));
    assert_eq!(home.verify(&["--junit", "/none/v.xml", "--no-attacks"]).code, Some(4));
}
