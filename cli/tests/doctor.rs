//! `canc doctor` on this kernel, as it is and with one thing taken away at a time: each gap is seen, told apart from the others by its
//! errno, and explained. What only other kernels have is judged over recorded hosts in `runtime/tests/doctor.rs`.

#[cfg(test)]
mod tests {
    use canc_runtime::{Instruction, load_filter};
    use serde_json::Value;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Output};
    use std::{fs, thread};

    const EPERM: u32 = 1;
    const ENOSYS: u32 = 38;
    const EOPNOTSUPP: u32 = 95;
    const NEW_USER: u32 = 0x1000_0000;
    /// `SECCOMP_RET_…` of `linux/seccomp.h`.
    const ALLOW: u32 = 0x7fff_0000;
    const KILL: u32 = 0x8000_0000;
    const ERRNO: u32 = 0x0005_0000;

    fn canc() -> PathBuf {
        assert_cmd::cargo::cargo_bin("canc")
    }

    struct Report {
        code: i32,
        json: Value,
    }

    impl Report {
        fn of(output: &Output) -> Self {
            let text = String::from_utf8_lossy(&output.stdout);
            let json = serde_json::from_str(&text)
                .unwrap_or_else(|e| panic!("{e}: {text} {}", String::from_utf8_lossy(&output.stderr)));
            Self { code: output.status.code().unwrap(), json }
        }

        fn check(&self, what: &str) -> &Value {
            let checks = self.json["checks"].as_array().unwrap();
            checks.iter().find(|c| c["what"] == what).unwrap_or_else(|| panic!("no {what}: {checks:?}"))
        }

        /// The check's state, and words of what was found, why, and what mends it.
        fn is(&self, what: &str, state: &str, words: &[&str]) {
            let check = self.check(what);
            assert_eq!(check["state"], state, "{check}");
            for word in words {
                assert!(check.to_string().contains(word), "{word:?} is not in {check}");
            }
        }
    }

    fn doctor() -> Report {
        Report::of(&Command::new(canc()).args(["doctor", "--json"]).output().unwrap())
    }

    /// As this user, by setpriv(1).
    fn as_nobody() -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]);
        command
    }

    /// A shell with mounts of its own, in which root has none of the host's.
    fn with_own_mounts(script: &str) -> Report {
        let mut command = Command::new("unshare");
        if !rustix::process::geteuid().is_root() {
            command.arg("--map-root-user");
        }
        command.args(["--mount", "--propagation", "private", "--", "sh", "-ec", script, "sh"]);
        Report::of(&command.arg(canc()).output().unwrap())
    }

    fn instruction(code: u16, jump_true: u8, jump_false: u8, operand: u32) -> Instruction {
        Instruction { code, jump_true, jump_false, operand }
    }

    /// Answers these calls, where their first argument has one of the bits; 0 stands for whatever it is.
    fn answers(calls: &[(i64, u32, u32)]) -> Vec<Instruction> {
        let mut program = Vec::new();
        for (call, bits, answer) in calls {
            program.push(instruction(0x20, 0, 0, 0));
            if *bits == 0 {
                program.push(instruction(0x15, 0, 1, u32::try_from(*call).unwrap()));
            } else {
                program.push(instruction(0x15, 0, 3, u32::try_from(*call).unwrap()));
                program.push(instruction(0x20, 0, 0, 16));
                program.push(instruction(0x45, 0, 1, *bits));
            }
            program.push(instruction(0x06, 0, 0, *answer));
        }
        program.push(instruction(0x06, 0, 0, ALLOW));
        program
    }

    /// The report of a doctor that inherits the filter. A thread has filters of its own, which its children inherit.
    fn under(program: Vec<Instruction>) -> Report {
        let asked = thread::spawn(move || {
            rustix::thread::set_no_new_privs(true).unwrap();
            load_filter(&program, false).unwrap();
            doctor()
        });
        asked.join().unwrap()
    }

    #[test]
    fn what_this_kernel_has_is_seen() {
        let report = doctor();
        assert_eq!((report.code, &report.json["ok"]), (0, &Value::Bool(true)));
        report.is("this process", "works", &["nothing confines it"]);
        report.is("seccomp", "works", &["refused a call"]);
        report.is("landlock", "works", &["ABI", "refused a directory"]);
        report.is("user namespaces", "works", &["clone, unshare"]);
        let text = Command::new(canc()).arg("doctor").output().unwrap();
        let text = String::from_utf8(text.stdout).unwrap();
        assert!(text.contains("landlock") && text.ends_with("programs can be confined here\n"), "{text}");
        assert!(!text.contains('\u{1b}'), "colours on no terminal");
    }

    #[test]
    fn a_filter_that_refuses_user_namespaces_is_named_with_its_errno() {
        let (clone, unshare) = (libc::SYS_clone, libc::SYS_unshare);
        let report = under(answers(&[(clone, NEW_USER, ERRNO | EPERM), (unshare, NEW_USER, ERRNO | EPERM)]));
        let words =
            ["clone: clone gives EPERM", "unshare: unshare gives EPERM", "a seccomp filter refuses them"];
        report.is("user namespaces", "missing", &words);
        report.is("this process", "limited", &["a seccomp filter", "no_new_privs"]);
        report.is("seccomp", "works", &[]);
        assert_eq!(report.code, 0, "filters and Landlock are enough");
        // One of the two alone is a gap too: the launcher uses unshare(2), other sandboxes clone(2).
        let report = under(answers(&[(unshare, NEW_USER, ERRNO | EPERM)]));
        report.is("user namespaces", "missing", &["clone: it works", "unshare: unshare gives EPERM"]);
    }

    #[test]
    fn a_filter_that_kills_ends_the_trial_and_not_the_doctor() {
        let report = under(answers(&[(libc::SYS_clone, NEW_USER, KILL)]));
        report.is("user namespaces", "missing", &["ended the process that tried it, by signal 31"]);
        let report = under(answers(&[(libc::SYS_seccomp, 0, KILL)]));
        assert_eq!(report.code, 1);
    }

    #[test]
    fn a_mount_that_is_refused_inside_is_told_apart() {
        let report = under(answers(&[(libc::SYS_mount, 0, ERRNO | EPERM)]));
        let words = ["clone: it works", "mount inside: mount gives EPERM", "refuses the mount"];
        report.is("user namespaces", "limited", &words);
    }

    #[test]
    fn without_filters_or_layers_for_files_nothing_is_confined() {
        let report = under(answers(&[(libc::SYS_seccomp, 0, ERRNO | EPERM)]));
        report.is("seccomp", "missing", &["seccomp gives EPERM", "a seccomp filter refuses it"]);
        assert_eq!((report.code, &report.json["confines"]), (1, &Value::Bool(false)));
        let create = libc::SYS_landlock_create_ruleset;
        let report = under(answers(&[(create, 0, ERRNO | EOPNOTSUPP)]));
        report.is("landlock", "missing", &["EOPNOTSUPP", "command line", "lsm=", "update-grub"]);
        let report = under(answers(&[(create, 0, ERRNO | ENOSYS)]));
        report.is("landlock", "missing", &["landlock_create_ruleset gives ENOSYS", "may refuse it"]);
        let report = under(answers(&[(libc::SYS_landlock_restrict_self, 0, ERRNO | EPERM)]));
        report.is("landlock", "missing", &["landlock_restrict_self gives EPERM"]);
    }

    /// A ruleset that is accepted and does nothing, as under a sandbox that answers in the kernel's place.
    #[test]
    fn success_without_effect_is_no_success() {
        let report = under(answers(&[(libc::SYS_landlock_restrict_self, 0, ERRNO)]));
        report.is("landlock", "missing", &["nothing was refused", "answers in its place"]);
        let report = under(answers(&[(libc::SYS_seccomp, 0, ERRNO)]));
        report.is("seccomp", "missing", &["nothing was refused"]);
    }

    #[test]
    fn no_more_processes_is_a_diagnosis() {
        assert!(rustix::process::geteuid().is_root(), "becoming nobody needs root, as ci/test has");
        let home = tempfile::tempdir().unwrap();
        let program = reachable(home.path());
        let run = |limit: &str| {
            let limit = format!("--nproc={limit}:{limit}");
            let mut command = as_nobody();
            Report::of(
                &command.arg("prlimit").arg(limit).arg(&program).args(["doctor", "--json"]).output().unwrap(),
            )
        };
        run("1000").is("this process", "works", &[]);
        let report = run("0");
        report.is("this process", "missing", &["clone: EAGAIN", "RLIMIT_NPROC"]);
        report.is("user namespaces", "unknown", &[]);
        assert_eq!(report.code, 1);
    }

    /// A copy of canc in a directory that everybody can reach.
    fn reachable(home: &Path) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(home, fs::Permissions::from_mode(0o755)).unwrap();
        let program = home.join("canc");
        // By another process, so that no child of a test beside this one holds it open for writing.
        assert!(Command::new("cp").arg(canc()).arg(&program).status().unwrap().success());
        program
    }

    #[test]
    fn without_proc_the_reason_is_proc() {
        let report = with_own_mounts("mount -t tmpfs none /proc; exec \"$1\" doctor --json");
        report.is("/proc", "missing", &["not mounted there", "mount -t proc"]);
        report.is("user namespaces", "missing", &["setgroups gives ENOENT", "/proc"]);
        report.is("seccomp", "works", &[]);
    }

    #[test]
    fn a_limit_on_namespaces_is_named_with_its_setting() {
        let script = "echo 0 > /proc/sys/user/max_user_namespaces; exec \"$0\" doctor --json";
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "sh", "-ec", script]).arg(canc());
        let report = Report::of(&command.output().unwrap());
        let words = ["clone gives ENOSPC", "max_user_namespaces is 0", "/etc/sysctl.d/"];
        report.is("user namespaces", "missing", &words);
        report.is("this process", "limited", &["user namespace of its own"]);
    }

    #[test]
    fn a_root_of_its_own_forbids_user_namespaces() {
        let report = with_own_mounts(
            "d=$(mktemp -d); mount --rbind / $d; chroot $d \"$1\" doctor --json; umount -l $d; rmdir $d",
        );
        report.is("user namespaces", "missing", &["clone gives EPERM", "chroot"]);
    }

    /// A tool that is there and may not be started is told as that.
    #[test]
    fn tools_that_cannot_be_started_do_not_end_the_doctor() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("checkmodule"), "no program").unwrap();
        let mut command = Command::new(canc());
        command.args(["doctor", "--json"]).env("PATH", home.path());
        let report = Report::of(&command.output().unwrap());
        let tool = report.json["host"]["tools"]["checkmodule"].to_string();
        assert!(tool.contains("silent") && tool.contains("Permission denied"), "{tool}");
        assert_eq!(report.json["host"]["tools"]["semodule"], "missing");
    }

    fn of_policy(source: &str) -> (Report, String) {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("p.can");
        fs::write(&file, source).unwrap();
        let run = |json: &[&str]| Command::new(canc()).arg("doctor").args(json).arg(&file).output().unwrap();
        let text = run(&[]);
        (Report::of(&run(&["--json"])), String::from_utf8([text.stdout, text.stderr].concat()).unwrap())
    }

    #[test]
    fn a_policy_that_landlock_can_enforce_would_start() {
        let (report, text) = of_policy(
            "can 1;\npolicy p {\n  exec \"/usr/bin/cat\";\n  include std.base;\n  allow read \"/srv/x/**\";\n}\n",
        );
        assert_eq!(report.code, 0, "{text}");
        let answer = &report.json["policies"][0];
        assert_eq!(answer["now"]["refused"].as_array().map(Vec::len), Some(0), "{answer}");
        assert!(answer["now"]["layers"]["landlock"].as_str().unwrap().starts_with("active: ABI"), "{answer}");
        assert!(text.contains("policy p") && text.contains("it would start"), "{text}");
    }

    #[test]
    fn a_policy_that_needs_more_is_refused_with_the_reason() {
        let (report, text) = of_policy(
            "can 1;\npolicy p {\n  exec \"/usr/bin/cat\";\n  include std.base;\n  allow read \"/srv/x/*.txt\";\n  \
             deny read \"/srv/x/secret.txt\";\n}\n",
        );
        assert_eq!(report.code, 1, "{text}");
        let (report, text) =
            of_policy("can 1;\npolicy p {\n  exec \"/usr/bin/cat\";\n  backend selinux require;\n}\n");
        assert_eq!((report.code, &report.json["ok"]), (1, &Value::Bool(false)), "{text}");
        assert!(text.contains("selinux"), "{text}");
    }

    #[test]
    fn a_wrong_policy_is_wrong_and_not_the_host() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("p.can");
        fs::write(&file, "can 1;\npolicy p { allow frob; }\n").unwrap();
        let output = Command::new(canc()).arg("doctor").arg(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        let missing = Command::new(canc()).args(["doctor", "/nonexistent.can"]).output().unwrap();
        assert_eq!(missing.status.code(), Some(4));
    }
}
