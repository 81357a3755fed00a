//! `isolate`: the program is in namespaces of its own, with nothing gained by it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use serde_json::{Value, json};
use std::net::TcpListener;
use std::process::Command;
use support::{Made, ran};

/// As the tests' own user, and as an ordinary one.
fn as_both(made: &mut Made, arguments: &[&str]) -> Vec<Value> {
    let bundle = made.write();
    let words = [made.canc_run(), bundle, made.probe()];
    let mut own = Command::new(&words[0]);
    own.args(&words[1..]).args(arguments);
    let mut commands = vec![own];
    if rustix::process::geteuid().is_root() {
        let mut user = Command::new("setpriv");
        user.args(["--reuid", "1000", "--regid", "1000", "--clear-groups", "--"])
            .args(&words)
            .args(arguments);
        commands.push(user);
    }
    let answer = |mut command: Command| {
        let ran = ran(&mut command);
        serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {} {}", ran.out, ran.err))
    };
    commands.into_iter().map(answer).collect()
}

fn isolated(kinds: &[&str]) -> Made {
    let mut made = Made::new();
    made.launch().isolate = kinds.iter().map(|k| (*k).to_owned()).collect();
    made
}

#[test]
fn the_network_is_a_loopback_device_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let mut made = isolated(&["user", "net"]);
    let connect = ["connect", "tcp", "127.0.0.1", port.as_str()];
    assert!(made.ask_bare(&connect).get("error").is_none());
    for answer in as_both(&mut made, &connect) {
        // Nobody listens there. ENETUNREACH would mean that the device is down.
        assert_eq!(answer["error"], "ECONNREFUSED");
    }
    for answer in as_both(&mut made, &["connect", "udp", "192.0.2.1", "53"]) {
        assert_eq!(answer["error"], "ENETUNREACH");
    }
}

#[test]
fn each_kind_is_a_namespace_of_its_own() {
    for kind in ["user", "net", "ipc", "uts"] {
        let link = format!("/proc/self/ns/{kind}");
        let outside = Made::new().ask(&["readlink", &link])["result"].clone();
        assert_eq!(Made::new().ask_bare(&["readlink", &link])["result"], outside, "{kind} without isolate");
        for answer in as_both(&mut isolated(&["user", kind]), &["readlink", &link]) {
            assert_ne!(answer["result"], outside, "{kind}");
            assert!(answer["result"].as_str().unwrap().starts_with(&format!("{kind}:[")));
        }
    }
}

#[test]
fn a_user_namespace_brings_no_capability_and_no_other_id() {
    let own = rustix::process::geteuid().as_raw();
    let states = as_both(&mut isolated(&["user", "net"]), &["state"]);
    for (answer, uid) in states.iter().zip([own, 1000]) {
        let found = &answer["result"];
        assert_eq!(found["uids"], json!([uid, uid, uid]));
        for set in ["permitted", "effective", "inheritable", "bounding", "ambient"] {
            assert_eq!(found[set], "0000000000000000", "{set} of {uid}");
        }
    }
    // With it declared, root has it inside, an ordinary user has not.
    let mut made = isolated(&["user", "net"]);
    made.launch().capabilities = vec![12];
    let states = as_both(&mut made, &["state"]);
    if own == 0 {
        assert_eq!(states[0]["result"]["effective"], "0000000000001000");
    }
    assert_eq!(states.last().unwrap()["result"]["effective"], "0000000000000000");
    // No other id exists there.
    for answer in as_both(&mut isolated(&["user", "net"]), &["setgid", "5"]) {
        assert_eq!(answer["error"], "EINVAL");
    }
}

#[test]
fn without_privilege_and_without_a_user_namespace_it_is_refused() {
    assert!(rustix::process::geteuid().is_root(), "run the tests by sudo, as ci/test does");
    let mut made = isolated(&["net"]);
    let bundle = made.write();
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "1000", "--regid", "1000", "--clear-groups", "--"]);
    let ran = ran(command.arg(made.canc_run()).arg(bundle).arg(made.probe()).arg("label"));
    support::refused(&ran, &["isolate net", "isolate user, net"]);
    made.permits(&["list", "/"]);
}

mod processes {
    use super::*;
    use std::fs;
    use std::io::{BufRead, BufReader, Read};
    use std::process::Stdio;

    /// Every user namespace brings its own; root needs none.
    fn kinds() -> Vec<&'static [&'static str]> {
        let mut kinds: Vec<&[&str]> = vec![&["user", "pid"], &["user", "pid", "mount"]];
        if rustix::process::geteuid().is_root() {
            kinds.extend([&["pid"] as &[&str], &["pid", "mount"]]);
        }
        kinds
    }

    /// A shell under the policy, which is there to stage what the probe cannot.
    fn shell(made: &mut Made, script: &str) -> Command {
        support::copy(std::path::Path::new("/bin/sh"), &made.home.path().join("bin/sh"));
        let bundle = made.write();
        let mut command = Command::new(made.canc_run());
        command.arg(bundle).arg("--").arg(made.home.path().join("bin/sh")).args(["-c", script]);
        command
    }

    #[test]
    fn the_program_sees_a_reaper_and_itself() {
        let script = "echo /proc/[0-9]*";
        let outside = ran(&mut shell(&mut Made::new(), script)).out;
        assert!(outside.split_whitespace().count() > 2, "vacuous: nothing else runs here: {outside}");
        let inside = ran(&mut shell(&mut isolated(&["user", "pid", "mount"]), script)).out;
        assert_eq!(inside, "/proc/1 /proc/2\n");
        for kinds in kinds() {
            let state = isolated(kinds).ask(&["state"])["result"].clone();
            assert_eq!((&state["pid"], &state["parent"]), (&json!(2), &json!(1)), "{kinds:?}");
            assert_eq!(state["permitted"], "0000000000000000", "{kinds:?}");
            assert_eq!(state["blocked"], "0000000000000000", "{kinds:?}");
            assert_eq!((&state["dumpable"], &state["seccomp"]), (&json!(1), &json!(2)), "{kinds:?}");
        }
    }

    /// Neither process that stays is the program's to look into, though all run as one user.
    #[test]
    fn the_processes_that_stay_are_out_of_reach() {
        let mut made = isolated(&["user", "pid", "mount"]);
        for answer in as_both(&mut made, &["open-read", "/proc/1/mem"]) {
            assert_eq!(answer["error"], "EACCES");
        }
        for answer in as_both(&mut made, &["ptrace", "1"]) {
            assert_eq!(answer["error"], "EPERM");
        }
        for answer in as_both(&mut made, &["open-read", "/proc/2/mem"]) {
            assert!(answer.get("error").is_none(), "vacuous: its own is closed to it too: {answer}");
        }
        for answer in as_both(&mut made, &["readlink", "/proc/1/exe"]) {
            assert_eq!(answer["error"], "EACCES");
        }
    }

    #[test]
    fn exit_codes_and_signals_are_passed_on() {
        for kinds in kinds() {
            let mut made = isolated(kinds);
            assert_eq!(ran(&mut shell(&mut made, "exit 7")).code, Some(7), "{kinds:?}");
            assert_eq!(ran(&mut shell(&mut made, "kill -KILL $$")).code, Some(128 + 9), "{kinds:?}");
            assert_eq!(ran(&mut shell(&mut made, "kill -SEGV $$")).code, Some(128 + 11), "{kinds:?}");
            let script = "trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.05; done";
            let mut child = shell(&mut made, script).stdout(Stdio::piped()).spawn().unwrap();
            let mut out = BufReader::new(child.stdout.take().unwrap());
            let mut line = String::new();
            out.read_line(&mut line).unwrap();
            assert_eq!(line, "ready\n");
            let parent = rustix::process::Pid::from_child(&child);
            rustix::process::kill_process(parent, rustix::process::Signal::TERM).unwrap();
            line.clear();
            out.read_to_string(&mut line).unwrap();
            assert_eq!((line.as_str(), child.wait().unwrap().code()), ("caught\n", Some(3)), "{kinds:?}");
        }
    }

    /// The namespace ends with the program, and with the process that its starter waits for.
    #[test]
    fn nothing_is_left_when_either_end_goes() {
        let script = "(sleep 60; echo late) & echo ready; read line";
        for kill in [false, true] {
            let mut made = isolated(&["user", "pid"]);
            let mut command = shell(&mut made, script);
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            let mut out = BufReader::new(child.stdout.take().unwrap());
            let mut line = String::new();
            out.read_line(&mut line).unwrap();
            assert_eq!(line, "ready\n");
            if kill {
                child.kill().unwrap();
            } else {
                drop(child.stdin.take());
            }
            // The end of the pipe is the end of all that hold it: the one in the background too.
            let started = std::time::Instant::now();
            line.clear();
            out.read_to_string(&mut line).unwrap();
            assert_eq!(line, "");
            assert!(started.elapsed().as_secs() < 30, "the rest of the namespace lived on");
            child.wait().unwrap();
        }
    }

    #[test]
    fn orphans_are_reaped() {
        let script = "for n in 1 2 3 4 5; do (sleep 0.01 &) ; done; sleep 0.5; \
                      for p in /proc/[0-9]*; do read -r line <$p/stat && case $line in *') Z '*) echo zombie;; esac; done; echo end";
        let mut made = isolated(&["user", "pid", "mount"]);
        let ran = ran(&mut shell(&mut made, script));
        assert_eq!(ran.out, "end\n", "{}", ran.err);
    }

    #[test]
    fn what_fails_inside_is_told_outside() {
        for kinds in kinds() {
            let mut made = isolated(kinds);
            fs::write(made.home.path().join("bin/garbage"), "garbage").unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            fs::set_permissions(made.home.path().join("bin/garbage"), mode).unwrap();
            let bundle = made.write();
            let mut command = Command::new(made.canc_run());
            let ran = ran(command.arg(bundle).arg("--").arg(made.home.path().join("bin/garbage")));
            assert_eq!((ran.code, ran.out.as_str()), (Some(126), ""), "{kinds:?}");
            assert!(ran.err.contains("no format that the kernel executes"), "{kinds:?}: {}", ran.err);
        }
    }

    #[test]
    fn socket_activation_names_the_program_inside() {
        let mut made = isolated(&["user", "pid"]);
        made.launch().keep_activation = true;
        let mut command = shell(&mut made, "echo $LISTEN_PID $$ $LISTEN_FDS; read line <&3; echo $line");
        let file = made.home.path().join("handed");
        fs::write(&file, "handed over\n").unwrap();
        let words: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let script = "exec 3<\"$0\"; export LISTEN_PID=$$ LISTEN_FDS=1; exec \"$@\"";
        command = Command::new("sh");
        command.args(["-c", script]).arg(file).arg(made.canc_run()).args(words);
        assert_eq!(ran(&mut command).out, "2 2 1\nhanded over\n");
    }
}

mod mounts {
    use super::*;
    use std::fs;

    fn all() -> Made {
        isolated(&["user", "pid", "mount"])
    }

    #[test]
    fn tmp_is_its_own() {
        // The bundle lies there too, so what is private is what is seen, not what is opened before.
        let marker = tempfile::NamedTempFile::new_in("/tmp").unwrap();
        let path = marker.path().to_str().unwrap();
        assert!(Made::new().ask(&["stat", path]).get("error").is_none());
        for answer in as_both(&mut all(), &["stat", path]) {
            assert_eq!(answer["error"], "ENOENT");
        }
        let new = format!("/tmp/canc-made-{}", std::process::id());
        for answer in as_both(&mut all(), &["create", &new]) {
            assert!(answer.get("error").is_none(), "{answer}");
        }
        assert!(!fs::exists(&new).unwrap(), "what it makes there is seen outside");
    }

    #[test]
    fn kernel_files_are_empty_or_read_only() {
        for path in ["/proc/kallsyms", "/proc/modules", "/proc/timer_list"]
            .into_iter()
            .filter(|p| fs::exists(p).unwrap())
        {
            assert!(!fs::read(path).unwrap_or_default().is_empty(), "vacuous: {path} is empty anyhow");
            for answer in as_both(&mut all(), &["read", path]) {
                assert!(answer["result"] == "" || answer["result"] == 0, "{path}: {answer}");
            }
        }
        if !rustix::process::geteuid().is_root() {
            return;
        }
        // To root these are open by their modes, whatever its capabilities.
        let outside = Made::new().ask(&["open-write", "/proc/sys/kernel/hostname"]);
        assert!(outside.get("error").is_none(), "vacuous: {outside}");
        assert_eq!(
            isolated(&["pid", "mount"]).ask(&["open-write", "/proc/sys/kernel/hostname"])["error"],
            "EROFS"
        );
        assert_eq!(isolated(&["mount"]).ask(&["open-write", "/proc/sys/kernel/hostname"])["error"], "EROFS");
    }

    #[test]
    fn mounts_are_not_seen_outside() {
        let before = fs::read_to_string("/proc/self/mountinfo").unwrap();
        for answer in as_both(&mut all(), &["list", "/proc/sys"]) {
            assert!(answer.get("error").is_none(), "{answer}");
        }
        assert_eq!(fs::read_to_string("/proc/self/mountinfo").unwrap(), before);
    }

    /// A working directory below what was covered would still show what lies below.
    #[test]
    fn the_working_directory_is_one_of_the_namespace() {
        let mut made = all();
        let bundle = made.write();
        let run = |made: &Made, directory: &std::path::Path| {
            let mut command = Command::new(made.canc_run());
            command.args(["--report", "text"]).arg(&bundle).arg(made.probe()).arg("state");
            let ran = ran(command.current_dir(directory));
            (serde_json::from_str::<Value>(&ran.out).unwrap()["result"]["directory"].clone(), ran.err)
        };
        let (directory, report) = run(&made, made.home.path());
        assert_eq!(directory, "/");
        assert!(report.contains("working directory"), "{report}");
        assert_eq!(run(&made, std::path::Path::new("/usr")).0, "/usr");
    }

    /// A ruleset is about the paths of the namespace, with the process's own directory in its own `/proc`.
    #[test]
    fn landlock_rules_mean_the_paths_inside() {
        // Outside of `/tmp`, whose contents are not there inside.
        let home = tempfile::tempdir_in("/var/tmp").unwrap();
        fs::set_permissions(home.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let home = home.path().canonicalize().unwrap();
        let (bin, program) = (format!("{}/", home.display()), home.join("probe"));
        support::copy(support::probe(), &program);
        let read: &[&str] = &["read_file"];
        let mut made = all().landlock(&[
            (&bin, &["execute", "read_file"]),
            ("/proc/self/", read),
            ("/tmp/", &["make_reg", "write_file"]),
        ]);
        made.launch().exec.push(format!("{bin}*"));
        let bundle = made.write();
        let error = |request: &[&str]| {
            let mut command = Command::new(made.canc_run());
            let ran = ran(command.arg(&bundle).arg("--").arg(&program).args(request));
            serde_json::from_str::<Value>(&ran.out).unwrap_or_else(|e| panic!("{e} {}", ran.err))["error"]
                .clone()
        };
        assert_eq!(error(&["read", "/proc/self/status"]), Value::Null);
        assert_eq!(error(&["read", "/proc/1/status"]), "EACCES");
        assert_eq!(error(&["create", "/tmp/new"]), Value::Null);
        assert_eq!(error(&["create", "/var/tmp/new"]), "EACCES");
        // The bundle's own program is below the `/tmp` of outside, which no path inside names.
        let hidden = made.run(&["label"]);
        assert_eq!((hidden.code, hidden.out.as_str()), (Some(126), ""), "{}", hidden.err);
    }

    #[test]
    fn without_a_pid_namespace_a_user_namespace_cannot_have_it() {
        isolated(&["user", "mount"])
            .is_refused(&["isolate user, mount", "write `isolate user, mount, pid;`"]);
    }

    #[test]
    fn a_proc_that_is_covered_cannot_be_made_fresh() {
        let mut made = all();
        let bundle = made.write();
        // As containers have it: something over a file of the only /proc that there is, and none that is whole.
        let script = "mount --bind /dev/null /proc/uptime; exec \"$@\"";
        let user = ["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "--"];
        let mut command = support::with_own_mounts(script);
        if rustix::process::geteuid().is_root() {
            command.args(user);
        }
        let ran = ran(command.arg(made.canc_run()).arg(bundle).arg(made.probe()).arg("label"));
        support::refused(&ran, &["isolate mount", "fresh /proc", "look for mounts over /proc"]);
    }
}
