//! What the program inherits is what is declared: one dump of its state, compared with the policy and with the caller's.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use canc_bundle::LimitEntry;
use serde_json::{Value, json};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::Command;
use support::{Made, ran};

fn state(command: &mut Command) -> Value {
    let ran = ran(command);
    let answer: Value =
        serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {} {}", ran.out, ran.err));
    answer["result"].clone()
}

/// A shell that prepares what is inherited and then becomes its arguments.
fn after(script: &str, made: &mut Made) -> Command {
    let bundle = made.write();
    let mut command = Command::new("sh");
    command
        .args(["-ec", &format!("{script} exec \"$@\""), "sh"])
        .arg(made.canc_run())
        .arg(bundle)
        .arg("--")
        .arg(made.probe())
        .arg("state");
    command
}

fn bare(script: &str, made: &Made) -> Command {
    let mut command = Command::new("sh");
    command.args(["-ec", &format!("{script} exec \"$@\""), "sh"]).arg(made.probe()).arg("state");
    command
}

fn numbers(state: &Value) -> Vec<u64> {
    state["descriptors"].as_array().unwrap().iter().map(|d| d["number"].as_u64().unwrap()).collect()
}

#[test]
fn descriptors_do_not_leak() {
    let mut made = Made::new();
    let script = "exec 3</etc 7</etc/passwd 9>/dev/null;";
    assert!([3, 7, 9].iter().all(|n| numbers(&state(&mut bare(script, &made))).contains(n)));
    assert_eq!(numbers(&state(&mut after(script, &mut made))), [0, 1, 2]);
    made.launch().keep_descriptors = vec![7, 8];
    assert_eq!(numbers(&state(&mut after(script, &mut made))), [0, 1, 2, 7]);
}

/// Also where the leaked one has the number of the launch, or a high one.
#[test]
fn descriptors_with_high_numbers_do_not_leak() {
    let mut made = Made::new();
    let script = "exec 3</etc;";
    let leak = |command: &mut Command| {
        use std::os::unix::process::CommandExt;
        let file = File::open("/etc").unwrap();
        let raw = file.as_raw_fd();
        #[expect(unsafe_code, reason = "descriptors of a child can be set between fork and exec alone")]
        // SAFETY: dup2(2) may be called after a fork; `file` lives until the command has run.
        unsafe {
            command.pre_exec(move || {
                for number in [250, 600] {
                    if libc::dup2(raw, number) == -1 {
                        return Err(std::io::Error::last_os_error());
                    }
                }
                Ok(())
            });
        }
        let found = state(command);
        drop(file);
        numbers(&found)
    };
    let before = leak(&mut bare(script, &made));
    assert!(before.contains(&250) && before.contains(&600), "{before:?}");
    assert_eq!(leak(&mut after(script, &mut made)), [0, 1, 2]);
}

#[test]
fn closed_standard_descriptors_are_the_null_device() {
    let mut made = Made::new();
    // Standard output stays, to hear the answer.
    let script = "exec 0<&- 2>&-;";
    let before = numbers(&state(&mut bare(script, &made)));
    assert!(!before.contains(&0) && !before.contains(&2), "{before:?}");
    let found = state(&mut after(script, &mut made));
    assert_eq!(numbers(&found), [0, 1, 2]);
    for n in [0, 2] {
        assert_eq!(found["descriptors"][n]["is"], "/dev/null");
    }
}

#[test]
fn socket_activation_is_handed_on_where_it_is_kept() {
    let mut made = Made::new();
    let script = "exec 3</etc 4</etc/passwd 5</etc/group; export LISTEN_PID=$$ LISTEN_FDS=2;";
    assert_eq!(numbers(&state(&mut after(script, &mut made))), [0, 1, 2]);
    made.launch().keep_activation = true;
    let found = state(&mut after(script, &mut made));
    assert_eq!(numbers(&found), [0, 1, 2, 3, 4]);
    let mut names: Vec<String> = serde_json::from_value(found["environment"].clone()).unwrap();
    names.sort();
    assert_eq!(names, ["LISTEN_FDS", "LISTEN_PID"]);
    // Announced to another process, it is none of ours.
    let other = "exec 3</etc; export LISTEN_PID=1 LISTEN_FDS=1;";
    assert_eq!(numbers(&state(&mut after(other, &mut made))), [0, 1, 2]);
}

#[test]
fn the_environment_is_what_is_kept_and_set() {
    let mut made = Made::new();
    made.launch().env_keep = vec!["LC_*".into(), "HOME".into()];
    made.launch().env_set = vec![("MODE".into(), "x y".into()), ("HOME".into(), "/nowhere".into())];
    let script = "export LD_PRELOAD=/x.so LC_ALL=C HOME=/root BASH_ENV=/x;";
    assert!(state(&mut bare(script, &made))["environment"].to_string().contains("LD_PRELOAD"));
    let found = state(&mut after(script, &mut made));
    let mut names: Vec<String> = serde_json::from_value(found["environment"].clone()).unwrap();
    names.sort();
    assert_eq!(names, ["HOME", "LC_ALL", "MODE"]);
}

#[test]
fn signals_are_unblocked_and_default() {
    let mut made = Made::new();
    let script = "trap '' TERM PIPE USR1 HUP;";
    let before = state(&mut bare(script, &made));
    assert_eq!(before["ignored"], json!([libc::SIGHUP, libc::SIGUSR1, libc::SIGPIPE, libc::SIGTERM]));
    let found = state(&mut after(script, &mut made));
    // A hangup that nohup(1) took away stays away.
    assert_eq!(found["ignored"], json!([libc::SIGHUP]));
    assert_eq!(found["blocked"], "0000000000000000");
}

/// As env(1) of newer systems can leave them, and no shell.
#[test]
fn signals_that_the_caller_blocks_are_not_blocked() {
    let mut made = Made::new();
    let bundle = made.write();
    let block = |command: &[&std::path::Path]| {
        let mut out = Command::new("env");
        out.args(["--block-signal=TERM,USR1", "--ignore-signal=CHLD"]).args(command).arg("state");
        state(&mut out)
    };
    let (canc_run, probe) = (made.canc_run(), made.probe());
    let before = block(&[&probe]);
    let both = 1_u64 << (libc::SIGTERM - 1) | 1 << (libc::SIGUSR1 - 1);
    assert_eq!(
        (&before["blocked"], &before["ignored"]),
        (&json!(format!("{both:016x}")), &json!([libc::SIGCHLD]))
    );
    let after = block(&[&canc_run, &bundle, &probe]);
    assert_eq!((&after["blocked"], &after["ignored"]), (&json!("0000000000000000"), &json!([])));
}

/// Everything that the probe knows of itself: as the caller has it, or as the policy says.
#[test]
fn nothing_is_inherited_that_is_not_named() {
    let mut made = Made::new();
    made.launch().limits.insert("core".into(), LimitEntry { value: 0, prefer: false });
    let script = "exec 3</etc; umask 037; cd /usr; ulimit -S -n 900; export SECRET=x; trap '' USR2;";
    let before = state(&mut bare(script, &made));
    let after = state(&mut after(script, &mut made));
    let keys = |state: &Value| state.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&before), keys(&after));
    let none = json!("0000000000000000");
    for key in keys(&before) {
        let (is, was) = (&after[&key], &before[&key]);
        match key.as_str() {
            // The caller's.
            "uids" | "gids" | "groups" | "parent" | "session" | "securebits" | "dumpable" | "directory"
            | "umask" | "arguments" => assert_eq!(is, was, "{key}"),
            "permitted" | "effective" | "inheritable" | "ambient" => assert_eq!(is, &none, "{key}"),
            "bounding" if rustix::process::geteuid().is_root() => assert_eq!(is, &none),
            "bounding" => assert_eq!(is, was),
            "no_new_privs" => assert_eq!(is, &json!(1)),
            "seccomp" => assert_eq!(is, &json!(2)),
            "blocked" => assert_eq!(is, &none),
            "ignored" => assert_eq!((is, was), (&json!([]), &json!([libc::SIGUSR2]))),
            "descriptors" => assert_eq!(numbers(&after), [0, 1, 2]),
            "environment" => assert_eq!(is, &json!([])),
            "limits" => {
                assert_eq!(is["core"], json!([0, 0]));
                for other in ["cpu_time", "file_size", "stack", "open_files", "locked_memory"] {
                    assert_eq!(is[other], was[other], "{other}");
                }
            }
            "session_keyring" => assert_ne!(is, was),
            // Two processes.
            "pid" => {}
            other => panic!("{other} is inherited, and nothing here says how: {is}"),
        }
    }
}

#[test]
fn limits_are_ceilings() {
    let mut made = Made::new();
    let limit = |value| LimitEntry { value, prefer: false };
    made.launch().limits =
        [("open_files".into(), limit(64)), ("core".into(), limit(0)), ("file_size".into(), limit(0))].into();
    let found = state(&mut after("", &mut made))["limits"].clone();
    assert_eq!(
        (&found["open_files"], &found["core"], &found["file_size"]),
        (&json!([64, 64]), &json!([0, 0]), &json!([0, 0]))
    );
    assert!(state(&mut bare("", &made))["limits"]["open_files"] != json!([64, 64]));
}

/// The launch's descriptor is above the caller's soft limit, which the program finds as it was.
#[test]
fn a_low_soft_limit_is_no_obstacle() {
    let mut made = Made::new();
    let low = state(&mut after("ulimit -S -n 100;", &mut made));
    assert_eq!(low["limits"]["open_files"][0], 100);
    assert_eq!(
        low["limits"]["open_files"],
        state(&mut bare("ulimit -S -n 100;", &made))["limits"]["open_files"]
    );
}

/// With a hard limit in the way there is a message and no program; the test's user must not be able to raise it.
#[test]
fn limits_at_zero_are_told() {
    let mut made = Made::new();
    made.write();
    for (script, words) in
        [("ulimit -n 100;", vec!["open files", "ulimit -n"]), ("ulimit -n 5;", vec!["Too many open files"])]
    {
        let ran = ran(&mut as_nobody_special(&after(script, &mut made)));
        support::refused(&ran, &words);
    }
    // Where not even libraries can be opened, the loader ends a launcher that needs some.
    let none = ran(&mut as_nobody_special(&after("ulimit -n 0;", &mut made)));
    assert_eq!((none.out.as_str(), none.code.is_some_and(|code| code >= 125)), ("", true), "{}", none.err);
    let found = state(&mut as_nobody_special(&after("ulimit -f 0; ulimit -c 0; ulimit -l 0;", &mut made)));
    assert_eq!(found["limits"]["file_size"], json!([0, 0]));
    // In place, no process is needed; a PID namespace needs two.
    assert!(
        state(&mut as_nobody_special(&after("prlimit --nproc=0:0 --pid $$;", &mut made)))["pid"].is_u64()
    );
    made.launch().isolate = vec!["user".into(), "pid".into()];
    let ran = ran(&mut as_nobody_special(&after("prlimit --nproc=0:0 --pid $$;", &mut made)));
    support::refused(&ran, &["isolate pid", "Resource temporarily unavailable"]);
}

/// Without the capability to raise hard limits.
fn as_nobody_special(command: &Command) -> Command {
    let mut out = Command::new(if rustix::process::geteuid().is_root() { "setpriv" } else { "env" });
    if rustix::process::geteuid().is_root() {
        out.args(["--reuid", "1000", "--regid", "1000", "--clear-groups", "--"]);
    }
    out.arg(command.get_program()).args(command.get_args());
    out
}

#[test]
fn the_keyring_is_its_own() {
    let mut made = Made::new();
    let ring = |command: &mut Command| state(command)["session_keyring"].as_u64().unwrap();
    let (one, two) = (ring(&mut bare("", &made)), ring(&mut bare("", &made)));
    assert_eq!(one, two, "vacuous: every process here has its own");
    assert_ne!(ring(&mut after("", &mut made)), one);
}

#[test]
fn the_process_is_the_callers() {
    let mut made = Made::new();
    let found = state(&mut after("cd /usr; umask 027; echo $$ >&2;", &mut made));
    assert_eq!(found["directory"], "/usr");
    assert_eq!(found["umask"], 0o027);
    assert_eq!(found["parent"], std::process::id());
    assert_eq!(found["arguments"], json!([made.probe().to_str().unwrap(), "state"]));
    let pid = ran(&mut after("echo $$ >&2;", &mut made));
    let found: Value = serde_json::from_str(&pid.out).unwrap();
    assert_eq!(found["result"]["pid"].to_string(), pid.err.trim(), "executed in place");
}

mod capabilities {
    use super::*;

    const NET_BIND_SERVICE: u8 = 10;
    const SETUID: u8 = 7;

    fn set(numbers: &[u8]) -> Value {
        json!(format!("{:016x}", numbers.iter().fold(0_u64, |s, n| s | 1 << n)))
    }

    fn is_root() -> bool {
        rustix::process::geteuid().is_root()
    }

    /// Root in a user namespace where the tests run as somebody else.
    fn as_root(command: &Command) -> Command {
        if is_root() {
            let mut same = Command::new(command.get_program());
            same.args(command.get_args());
            return same;
        }
        panic!("capabilities of root are tested as root: run the tests by sudo, as ci/test does");
    }

    #[test]
    fn all_five_sets_of_root_are_the_declared_one() {
        let mut made = Made::new();
        let declared = [SETUID, NET_BIND_SERVICE];
        made.launch().capabilities = declared.to_vec();
        let found = state(&mut as_root(&after("", &mut made)));
        for name in ["permitted", "effective", "inheritable", "bounding"] {
            assert_eq!(found[name], set(&declared), "{name}");
        }
        assert_eq!((&found["ambient"], &found["no_new_privs"]), (&set(&[]), &json!(1)));
        assert_eq!(found["uids"], json!([0, 0, 0]));
    }

    #[test]
    fn none_declared_is_none_left() {
        let mut made = Made::new();
        let found = state(&mut as_root(&after("", &mut made)));
        for name in ["permitted", "effective", "inheritable", "bounding", "ambient"] {
            assert_eq!(found[name], set(&[]), "{name}");
        }
    }

    /// CAP_SYS_ADMIN loads the filter and is gone after the exec.
    #[test]
    fn without_no_new_privs_nothing_more_is_left() {
        let mut made = Made::new();
        made.launch().no_new_privs = false;
        made.launch().capabilities = vec![SETUID];
        let found = state(&mut as_root(&after("", &mut made)));
        for name in ["permitted", "effective", "inheritable", "bounding"] {
            assert_eq!(found[name], set(&[SETUID]), "{name}");
        }
        assert_eq!((&found["no_new_privs"], &found["seccomp"]), (&json!(0), &json!(2)));
        // As another user, whose exec would keep the ambient set alone.
        let mut command = after("", &mut made);
        let user = state(&mut user_with(&["+setuid,+setpcap,+sys_admin"], &mut command));
        for name in ["permitted", "effective", "inheritable", "bounding", "ambient"] {
            assert_eq!(user[name], set(&[SETUID]), "{name}");
        }
        // An ordinary user can load no filter so.
        let ran = ran(&mut user_with(&[], &mut after("", &mut made)));
        support::refused(&ran, &["no_new_privs off", "needs CAP_SYS_ADMIN"]);
    }

    #[test]
    fn a_users_sets_are_cut() {
        let mut made = Made::new();
        made.launch().capabilities = vec![NET_BIND_SERVICE];
        let before = state(&mut user_with(&["+net_bind_service,+setuid"], &mut bare("", &made)));
        assert_eq!(before["permitted"], set(&[SETUID, NET_BIND_SERVICE]));
        let found = state(&mut user_with(&["+net_bind_service,+setuid"], &mut after("", &mut made)));
        for name in ["permitted", "effective", "inheritable", "ambient"] {
            assert_eq!(found[name], set(&[NET_BIND_SERVICE]), "{name}");
        }
        assert_eq!(found["bounding"], before["bounding"], "it cannot be cut without CAP_SETPCAP");
    }

    /// setpriv(1) to an ordinary user that keeps some capabilities as ambient ones.
    fn user_with(ambient: &[&str], command: &mut Command) -> Command {
        assert!(is_root(), "run the tests by sudo, as ci/test does");
        let mut out = Command::new("setpriv");
        out.args(["--reuid", "1000", "--regid", "1000", "--clear-groups"]);
        for set in ambient {
            out.args(["--inh-caps", set, "--ambient-caps", set]);
        }
        out.arg("--").arg(command.get_program()).args(command.get_args());
        out
    }
}
