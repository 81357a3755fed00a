//! `canc run` through the built binary, on this machine as it is: nothing was applied, and the caller is an ordinary user.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "support/user.rs"]
mod user;

use serde_json::Value;
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use user::{CANC, Ran, copy, probe, ran};

/// A directory that an ordinary user can read, with canc, the probe, two data files and a policy.
struct Home {
    dir: TempDir,
    path: PathBuf,
}

impl Home {
    fn new(rules: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("canc-test").tempdir().unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        let path = dir.path().canonicalize().unwrap();
        for name in ["bin", "mine", "other"] {
            fs::create_dir(path.join(name)).unwrap();
        }
        for name in ["mine/file", "other/file"] {
            fs::write(path.join(name), name).unwrap();
        }
        let copies = [(probe(), path.join("bin/probe")), (Path::new(CANC), path.join("canc"))];
        for (from, to) in copies {
            copy(from, to);
        }
        let home = Self { dir, path };
        home.policy("p", rules);
        home
    }

    /// A policy file with one policy of that name, which starts the probe.
    fn policy(&self, name: &str, rules: &str) -> PathBuf {
        let (file, home) = (self.path.join(format!("{name}.can")), self.path.display());
        let text =
            format!("can 1;\npolicy {name} {{\n  exec \"{home}/bin/*\";\n  include std.base;\n{rules}\n}}\n");
        fs::write(&file, text).unwrap();
        file
    }

    fn at(&self, name: &str) -> String {
        self.path.join(name).to_str().unwrap().to_owned()
    }

    fn run(&self, words: &[&str]) -> Ran {
        ran(Command::new(self.path.join("canc")).arg("run").args(words))
    }

    /// The probe under the policy.
    fn ask(&self, request: &[&str]) -> Value {
        let (policy, probe) = (self.at("p.can"), self.at("bin/probe"));
        self.run(&[&[policy.as_str(), "--", probe.as_str()], request].concat()).answer()
    }

    fn ask_bare(&self, request: &[&str]) -> Value {
        ran(Command::new(self.path.join("bin/probe")).args(request)).answer()
    }

    /// Done without the policy, and refused with this error under it.
    fn refuses(&self, request: &[&str], error: &str) {
        let bare = self.ask_bare(request);
        assert!(bare.get("error").is_none(), "vacuous: {bare}");
        assert_eq!(self.ask(request)["error"], error, "{request:?}");
    }

    fn permits(&self, request: &[&str]) {
        let answer = self.ask(request);
        assert!(answer.get("error").is_none(), "{answer}");
    }

    /// Refused by canc itself with these words; the program did not run.
    fn is_refused(&self, words: &[&str], code: i32, said: &[&str]) {
        let ran = self.run(words);
        assert_eq!((ran.code, ran.out.as_str()), (Some(code), ""), "{words:?}: {}", ran.err);
        for word in said {
            assert!(ran.err.contains(word), "{word:?} is not in: {}", ran.err);
        }
    }
}

impl Ran {
    fn answer(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|e| panic!("{e}: {:?} {} {}", self.code, self.out, self.err))
    }
}

/// Landlock and seccomp carry it: no privilege, nothing applied.
#[test]
fn an_ordinary_user_runs_a_policy_of_files_and_tcp() {
    let [open, closed] = [0, 0].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port().to_string();
    let home = Home::new("");
    let mine = home.at("mine");
    home.policy(
        "p",
        &format!("  allow read, list \"{mine}/**\";\n  allow connect tcp port {};", port(&open)),
    );
    home.permits(&["read", &home.at("mine/file")]);
    home.permits(&["list", &mine]);
    home.refuses(&["read", &home.at("other/file")], "EACCES");
    home.refuses(&["list", "/etc"], "EACCES");
    home.permits(&["connect", "tcp", "127.0.0.1", &port(&open)]);
    home.refuses(&["connect", "tcp", "127.0.0.1", &port(&closed)], "EACCES");
    home.refuses(&["bind", "tcp", "127.0.0.1", "0"], "EPERM");
    home.refuses(&["unshare", "0x10000000"], "EPERM");
    let state = home.ask(&["state"])["result"].clone();
    assert_eq!((&state["no_new_privs"], &state["seccomp"]), (&Value::from(1), &Value::from(2)));
    assert_eq!(state["permitted"], "0000000000000000");
}

#[test]
fn it_says_what_is_enforced() {
    let home = Home::new("");
    let (policy, probe) = (home.at("p.can"), home.at("bin/probe"));
    let ran = home.run(&[&policy, "--report", "json", "--", &probe, "label"]);
    let report: Value = serde_json::from_str(&ran.err).unwrap();
    let state = |layer: &str| report["layers"][layer]["state"].as_str().unwrap().to_owned();
    assert_eq!((state("landlock"), state("seccomp")), ("follows".into(), "follows".into()));
    assert_eq!(report["program"], probe);
    let text = home.run(&[&policy, "--report", "text", "--", &probe, "label"]).err;
    assert!(text.starts_with(&format!("canc run: {probe} under policy p\n")), "{text}");
    let plan = home.run(&[&policy, "--dry-run", "--", &probe]);
    assert_eq!(plan.code, Some(0), "{}", plan.err);
    assert!(
        plan.out.contains("enforce the Landlock ruleset") && plan.out.contains("execute descriptor"),
        "{}",
        plan.out
    );
}

/// In place: the process that was started is the program, which passes its own exit code on.
#[test]
fn canc_becomes_the_program() {
    let home = Home::new("");
    let mut command = Command::new(home.path.join("canc"));
    command.args(["run", &home.at("p.can"), "--", &home.at("bin/probe"), "state"]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let id = child.id();
    let state: Value = serde_json::from_reader(child.stdout.take().unwrap()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(state["result"]["pid"], id);
    assert_eq!(state["result"]["parent"], std::process::id());
    let policy = home.at("p.can");
    // The probe's own codes: the kernel refused, and usage.
    assert_eq!(home.run(&[&policy, "--", &home.at("bin/probe"), "read", "/none"]).code, Some(1));
    assert_eq!(home.run(&[&policy, "--", &home.at("bin/probe"), "no-such-request"]).code, Some(2));
}

#[test]
fn what_is_not_started_has_a_code_of_its_own() {
    let home = Home::new("");
    let (policy, probe) = (home.at("p.can"), home.at("bin/probe"));
    home.is_refused(&[&policy, "--", &home.at("bin/none")], 127, &["canc run: ", "no such program"]);
    fs::write(home.at("bin/data"), "").unwrap();
    home.is_refused(&[&policy, "--", &home.at("bin/data")], 126, &["canc run: ", "Permission denied"]);
    home.is_refused(
        &[&policy, "--", "/usr/bin/true"],
        125,
        &["the policy starts only", "exec \"/usr/bin/true\";"],
    );
    home.is_refused(&[&home.at("none.can"), "--", &probe], 125, &["cannot read", "no such file"]);
    home.is_refused(&[&policy, "--set", "x", "--", &probe], 125, &["--set x=VALUE"]);
    home.is_refused(&[&policy], 125, &["required"]);
    home.is_refused(&["--color", "never", &policy, "--reprt", "text", "--", &probe], 125, &["--reprt"]);
    home.is_refused(&[&home.at("bin"), "--", &probe], 125, &["manifest.json"]);
}

#[test]
fn a_policy_that_is_wrong_or_that_nothing_here_enforces_starts_nothing() {
    let home = Home::new("");
    let probe = home.at("bin/probe");
    let wrong = home.policy("wrong", "  allow raed \"/x\";");
    home.is_refused(&[wrong.to_str().unwrap(), "--", &probe], 125, &["raed", "wrong.can:5"]);
    // No layer of a host without SELinux and AppArmor takes a file out of a tree that is granted.
    let text = format!("  allow read \"{}/**\";\n  deny read \"{}\";", home.at("mine"), home.at("mine/file"));
    let carved = home.policy("carved", &text);
    home.is_refused(&[carved.to_str().unwrap(), "--", &probe, "label"], 125, &["canc run: ", "to mend it: "]);
    let required = home.policy("required", "  backend selinux or apparmor require;");
    home.is_refused(
        &[required.to_str().unwrap(), "--", &probe, "label"],
        125,
        &["selinux or apparmor", "required"],
    );
}

#[test]
fn one_of_several_policies_is_named() {
    let home = Home::new("");
    let (file, probe) = (home.policy("a", ""), home.at("bin/probe"));
    let first = fs::read_to_string(&file).unwrap();
    let second = first.replace("can 1;", "").replace("policy a", "policy b");
    fs::write(&file, first + &second).unwrap();
    let file = file.to_str().unwrap();
    home.is_refused(&[file, "--", &probe, "label"], 125, &["several policies", "--policy a, b"]);
    assert_eq!(home.run(&[file, "--policy", "b", "--", &probe, "label"]).code, Some(0));
    home.is_refused(&[file, "--policy", "c", "--", &probe], 125, &["policy c", "it has: a, b"]);
}

#[test]
fn a_bundle_is_started_as_well() {
    let home = Home::new("");
    let (bundle, probe) = (home.at("p.canc"), home.at("bin/probe"));
    let built = Command::new(CANC).args(["build", &home.at("p.can"), "-o", &bundle]).output().unwrap();
    assert!(built.status.success());
    assert_eq!(home.run(&[&bundle, "--", &probe, "label"]).code, Some(0));
    home.is_refused(&[&bundle, "--set", "a=b", "--", &probe], 125, &["`--set` is for building"]);
    fs::set_permissions(&bundle, Permissions::from_mode(0o777)).unwrap();
    home.is_refused(&[&bundle, "--", &probe], 125, &["others can write it"]);
    drop(home.dir);
}
