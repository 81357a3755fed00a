//! Launches while somebody works against them, and many at once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use support::{Made, ran, with_own_mounts};

/// A name that flips between an allowed program and another one: what runs is always the allowed one.
#[test]
fn a_program_that_is_swapped_is_never_run_unchecked() {
    let mut made = Made::new();
    let home = made.home.path().canonicalize().unwrap();
    let (name, next) = (home.join("name"), home.join("next"));
    fs::create_dir(home.join("evil")).unwrap();
    let marker = home.join("evil-ran");
    // The other program's own name tells it apart: only it makes a file.
    support::copy(std::path::Path::new("/usr/bin/touch"), &home.join("evil/probe"));
    let targets = [home.join("bin/probe"), home.join("evil/probe")];
    symlink(&targets[0], &name).unwrap();
    let bundle = made.write();
    let stop = AtomicBool::new(false);
    let (mut started, mut refused) = (0, 0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for target in &targets {
                    let _ = fs::remove_file(&next);
                    symlink(target, &next).unwrap();
                    fs::rename(&next, &name).unwrap();
                }
            }
        });
        for _ in 0..400 {
            let run = ran(Command::new(made.canc_run()).arg(&bundle).arg(&name).arg(&marker));
            match run.code {
                // The probe does not know a request of that name.
                Some(2) => started += 1,
                Some(125) => refused += 1,
                other => panic!("{other:?} {} {}", run.out, run.err),
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(started > 0 && refused > 0, "vacuous: {started} started, {refused} refused");
    assert!(!marker.exists(), "the other program ran");
}

#[test]
fn a_thousand_runs_do_not_disturb_each_other() {
    let mut made = Made::new();
    let (bundle, probe, canc_run) = (made.write(), made.probe(), made.canc_run());
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..125 {
                    let ran = ran(Command::new(&canc_run).arg(&bundle).arg(&probe).arg("label"));
                    assert_eq!(ran.code, Some(0), "{}", ran.err);
                }
            });
        }
    });
}

/// Nothing of canc is left: no process, no open file, and the binary is not what the target finds as itself.
#[test]
fn nothing_stays_resident() {
    let mut made = Made::new();
    let answer = made.ask(&["readlink", "/proc/self/exe"]);
    assert_eq!(answer["result"], made.probe().canonicalize().unwrap().to_str().unwrap());
    let found = made.ask(&["state"])["result"].clone();
    assert_eq!(found["parent"], std::process::id());
    // While the program runs, the launcher can be written: nobody executes it.
    let mut command = Command::new(made.canc_run());
    support::copy(std::path::Path::new("/usr/bin/sleep"), &made.home.path().join("bin/sleep"));
    let mut child =
        command.arg(made.bundle()).arg(made.home.path().join("bin/sleep")).arg("5").spawn().unwrap();
    let comm = || fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
    while comm().contains("(canc-run)") {
        thread::yield_now();
    }
    let write = fs::OpenOptions::new().write(true).open(made.canc_run());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(write.is_ok(), "{write:?}");
}

#[test]
fn a_set_user_id_program_changes_no_id() {
    assert!(
        rustix::process::geteuid().is_root(),
        "making one needs root: run the tests by sudo, as ci/test does"
    );
    let mut made = Made::new();
    let bundle = made.write();
    fs::set_permissions(made.probe(), Permissions::from_mode(0o6755)).unwrap();
    let as_user = |command: &mut Command| -> Value {
        let mut out = Command::new("setpriv");
        out.args(["--reuid", "1000", "--regid", "1000", "--clear-groups", "--"]);
        let ran = ran(out.arg(command.get_program()).args(command.get_args()));
        serde_json::from_str::<Value>(&ran.out).unwrap()["result"].clone()
    };
    let bare = as_user(Command::new(made.probe()).arg("state"));
    assert_eq!(bare["uids"], json!([1000, 0, 0]), "vacuous: the bit does nothing here");
    let confined = as_user(Command::new(made.canc_run()).arg(bundle).arg(made.probe()).arg("state"));
    assert_eq!(confined["uids"], json!([1000, 1000, 1000]));
    assert_eq!(confined["gids"], json!([1000, 1000, 1000]));
    assert_eq!(confined["permitted"], "0000000000000000");
}

/// Without labels and rules on `/proc` nothing is asked there; with them, a launch without it is refused.
#[test]
fn proc_is_missed_only_where_it_is_needed() {
    let mut made = Made::new();
    let bundle = made.write();
    let without = "mount -t tmpfs none /proc; exec \"$@\"";
    let run = |made: &Made| {
        ran(with_own_mounts(without).arg(made.canc_run()).arg(&bundle).arg(made.probe()).args(["stat", "/"]))
    };
    let first = run(&made);
    assert_eq!(first.code, Some(0), "{}", first.err);
    let bin = format!("{}/bin/", made.home.path().canonicalize().unwrap().display());
    made = made.landlock(&[(&bin, &["execute", "read_file"]), ("/proc/self/", &["read_file"])]);
    made.write();
    let program = made.probe();
    let second = ran(with_own_mounts(without)
        .arg(made.canc_run())
        .arg(made.bundle())
        .arg(program)
        .args(["stat", "/"]));
    support::refused(&second, &["/proc/self/", "not mounted there"]);
}

#[test]
fn a_read_only_file_system_is_enough() {
    let mut made = Made::new();
    let bundle = made.write();
    let home = made.home.path().canonicalize().unwrap();
    let script =
        "d=$1; shift; mount --bind $d $d; mount -o remount,bind,ro $d; ! touch $d/x 2>/dev/null; exec \"$@\"";
    let ran = ran(with_own_mounts(script)
        .arg(&home)
        .arg(made.canc_run())
        .arg(bundle)
        .arg(made.probe())
        .arg("label"));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}
