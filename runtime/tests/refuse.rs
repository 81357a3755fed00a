//! What must not start does not start: each with a message that names the cause, and an exit code of env(1).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use canc_bundle::{Decision, LimitEntry, Refusal};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use support::{Made, ran, refused};

fn launch(made: &Made, bundle: &Path, command: &[&str]) -> support::Ran {
    ran(Command::new(made.canc_run()).arg(bundle).arg("--").args(command))
}

/// The outcome after the written bundle was changed.
fn after(change: impl FnOnce(&Path), words: &[&str]) {
    let mut made = Made::new();
    let bundle = made.write();
    let probe = made.probe();
    let command = [probe.to_str().unwrap(), "label"];
    assert_eq!(launch(&made, &bundle, &command).code, Some(0));
    change(&bundle);
    refused(&launch(&made, &bundle, &command), words);
}

mod bundle {
    use super::*;

    #[test]
    fn altered_artefacts() {
        after(
            |b| fs::write(b.join("p0.bpf"), support::bpf::allow_all().repeat(2)).unwrap(),
            &["p0.bpf", "digest", "altered"],
        );
        after(|b| fs::write(b.join("p0.bpf"), "").unwrap(), &["p0.bpf", "digest"]);
        after(|b| fs::remove_file(b.join("p0.bpf")).unwrap(), &["p0.bpf", "No such file"]);
    }

    #[test]
    fn damaged_manifests() {
        let cut = |b: &Path| {
            let text = fs::read_to_string(b.join("manifest.json")).unwrap();
            fs::write(b.join("manifest.json"), &text[..text.len() / 2]).unwrap();
        };
        after(cut, &["manifest.json", "EOF"]);
        after(|b| fs::write(b.join("manifest.json"), "").unwrap(), &["manifest.json"]);
        after(|b| fs::write(b.join("manifest.json"), [0xff, 0xfe]).unwrap(), &["manifest.json"]);
        after(
            |b| fs::write(b.join("manifest.json"), "[".repeat(100_000)).unwrap(),
            &["manifest.json", "invalid type"],
        );
        after(|b| fs::remove_file(b.join("manifest.json")).unwrap(), &["manifest.json", "No such file"]);
        after(|b| fs::remove_dir_all(b).unwrap(), &["p.canc", "canc build"]);
    }

    #[test]
    fn manifests_of_other_versions() {
        let edit = |from: &'static str, to: &'static str| {
            move |b: &Path| {
                let text = fs::read_to_string(b.join("manifest.json")).unwrap();
                assert!(text.contains(from));
                fs::write(b.join("manifest.json"), text.replacen(from, to, 1)).unwrap();
            }
        };
        after(edit("\"format\":1", "\"format\":2"), &["format 2", "reads format 1"]);
        after(edit("\"format\":1", "\"format\":2,\"novelty\":[]"), &["format 2", "reads format 1"]);
        // The same format with something unknown is not passed over either.
        after(
            edit("\"mode\":\"enforce\"", "\"mode\":\"enforce\",\"novelty\":1"),
            &["unknown field `novelty`"],
        );
        after(edit("\"mode\":\"enforce\"", "\"mode\":\"gently\""), &["mode `gently`", "does not know"]);
        after(
            edit("\"limits\":{}", "\"limits\":{\"novelty\":{\"value\":1,\"prefer\":true}}"),
            &["limit `novelty`"],
        );
        after(edit("\"demands\":{}", "\"demands\":{\"pledge\":\"require\"}"), &["backend `pledge`"]);
        after(edit("\"demands\":{}", "\"demands\":{\"seccomp\":\"maybe\"}"), &["demand `maybe`"]);
        after(edit("\"capabilities\":[]", "\"capabilities\":[64]"), &["capability number `64`"]);
        after(
            edit("\"launch_from\":[\"user\"]", "\"launch_from\":[\"user\",\"cron\"]"),
            &["launcher `cron`"],
        );
    }

    #[test]
    fn huge_files() {
        let huge = |name: &'static str, size: u64| {
            move |b: &Path| {
                fs::OpenOptions::new().write(true).open(b.join(name)).unwrap().set_len(size).unwrap();
            }
        };
        after(huge("manifest.json", 300 << 20), &["manifest.json", "more than"]);
        after(huge("p0.bpf", 100 << 20), &["p0.bpf", "more than"]);
    }

    #[test]
    fn things_that_are_no_files() {
        let fifo = |b: &Path| {
            fs::remove_file(b.join("manifest.json")).unwrap();
            assert!(Command::new("mkfifo").arg(b.join("manifest.json")).status().unwrap().success());
        };
        after(fifo, &["manifest.json", "no regular file"]);
        let directory = |b: &Path| {
            fs::remove_file(b.join("p0.bpf")).unwrap();
            fs::create_dir(b.join("p0.bpf")).unwrap();
        };
        after(directory, &["p0.bpf", "no regular file"]);
        let link = |b: &Path| {
            fs::rename(b.join("p0.bpf"), b.join("q")).unwrap();
            symlink("q", b.join("p0.bpf")).unwrap();
        };
        after(link, &["p0.bpf", "symbolic links"]);
        let file = |b: &Path| {
            fs::remove_dir_all(b).unwrap();
            fs::write(b, "").unwrap();
        };
        after(file, &["p.canc", "Not a directory"]);
    }

    #[test]
    fn paths_that_leave_the_bundle() {
        let mut made = Made::new();
        let bundle = made.write();
        fs::rename(bundle.join("p0.bpf"), made.home.path().join("outside.bpf")).unwrap();
        let text = fs::read_to_string(bundle.join("manifest.json")).unwrap();
        for path in ["../outside.bpf", "/etc/passwd", "./../outside.bpf"] {
            fs::write(bundle.join("manifest.json"), text.replace("p0.bpf", path)).unwrap();
            refused(&launch(&made, &bundle, &[made.probe().to_str().unwrap(), "label"]), &["cannot open it"]);
        }
    }

    #[test]
    fn what_others_can_change() {
        let mode = |name: &'static str, mode| {
            move |b: &Path| {
                fs::set_permissions(b.join(name), Permissions::from_mode(mode)).unwrap();
            }
        };
        after(mode("", 0o777), &["p.canc", "others can write it", "chmod go-w"]);
        after(mode("", 0o775), &["p.canc", "others can write it"]);
        after(mode("manifest.json", 0o666), &["manifest.json", "others can write it"]);
        after(mode("p0.bpf", 0o1666), &["p0.bpf", "others can write it"]);
        after(mode("..", 0o777), &["canc-test", "others can write it"]);
    }

    #[test]
    fn what_belongs_to_others() {
        assert!(
            rustix::process::geteuid().is_root(),
            "giving files away needs root: run the tests by sudo, as ci/test does"
        );
        let give = |name: &'static str| {
            move |b: &Path| std::os::unix::fs::chown(b.join(name), Some(1000), None).unwrap()
        };
        after(give(""), &["p.canc", "belongs to user 1000"]);
        after(give("manifest.json"), &["manifest.json", "belongs to user 1000"]);
        after(give(".."), &["canc-test", "belongs to user 1000"]);
    }

    #[test]
    fn links_on_the_way_are_followed_only_where_they_can_be_trusted() {
        let mut made = Made::new();
        let bundle = made.write();
        let probe = made.probe();
        let command = [probe.to_str().unwrap(), "label"];
        let (link, loop_) = (made.home.path().join("current"), made.home.path().join("loop"));
        symlink(&bundle, &link).unwrap();
        assert_eq!(launch(&made, &link, &command).code, Some(0));
        symlink("loop", &loop_).unwrap();
        refused(&launch(&made, &loop_, &command), &["loop", "symbolic links"]);
        std::os::unix::fs::lchown(&link, Some(1000), None).unwrap();
        refused(&launch(&made, &link, &command), &["current", "belongs to user 1000"]);
    }
}

mod policies {
    use super::*;

    #[test]
    fn missing_or_ambiguous() {
        let mut made = Made::new();
        let mut second = made.manifest.policies[0].clone();
        second.name = "q".into();
        made.manifest.policies.push(second);
        made.is_refused(&["several policies", "--policy p, q"]);
        let bundle = made.bundle();
        let probe = made.probe();
        let with = |name: &str| {
            ran(Command::new(made.canc_run()).args(["--policy", name]).arg(&bundle).arg(&probe).arg("label"))
        };
        refused(&with("r"), &["policy r", "it has: p, q"]);
        assert_eq!(with("p").code, Some(0));
    }

    #[test]
    fn entered_from_policies_alone() {
        let mut made = Made::new();
        let mut second = made.manifest.policies[0].clone();
        second.name = "q".into();
        second.launch.launch_from = vec!["policy p".into()];
        made.manifest.policies.push(second);
        made.permits(&["list", "/"]);
        let (bundle, probe) = (made.write(), made.probe());
        let ran =
            ran(Command::new(made.canc_run()).args(["--policy", "q"]).arg(&bundle).arg(&probe).arg("label"));
        refused(&ran, &["launch from", "only policy p"]);
    }

    #[test]
    fn required_layers() {
        // No machine has both; one that has one refuses the other.
        for layer in ["selinux", "apparmor"] {
            let mut made = Made::new();
            made.launch().demands.insert(layer.into(), "require".into());
            made.is_refused(&[layer, "required", "the bundle has nothing for it"]);
        }
        let mut made = Made::new();
        made.launch().require_one_of = vec![vec!["selinux".into(), "apparmor".into()]];
        made.is_refused(&["selinux or apparmor", "none is active"]);
    }

    #[test]
    fn what_the_compiler_refused() {
        let refusal = |what: &str| Refusal {
            what: what.into(),
            why: "nobody sees it".into(),
            remedy: "do that".into(),
        };
        let mut made = Made::new();
        for decision in &mut made.policy().decisions {
            decision.refused = vec![refusal("files"), refusal("r7")];
        }
        made.is_refused(&["files: nobody sees it", "r7: nobody sees it", "do that"]);
        for decision in &mut made.policy().decisions {
            decision.accepted = std::mem::take(&mut decision.refused);
        }
        made.permits(&["list", "/"]);
        // Nothing said about this host is no permission, and two things neither.
        let all = std::mem::take(&mut made.policy().decisions);
        made.is_refused(&["this host", "does not say"]);
        made.policy().decisions = [all.clone(), all].concat();
        made.is_refused(&["this host", "two things"]);
        let landlock = |from, to| Decision {
            selinux: false,
            apparmor: false,
            landlock_from: from,
            landlock_to: to,
            refused: Vec::new(),
            accepted: Vec::new(),
        };
        // The policy has no ruleset: Landlock counts as absent, whatever the kernel has.
        made.policy().decisions = vec![landlock(1, u32::MAX)];
        made.is_refused(&["this host", "landlock 0"]);
        made.policy().decisions = vec![landlock(0, 0)];
        made.permits(&["list", "/"]);
    }

    #[test]
    fn what_this_version_does_not_do() {
        let mut made = Made::new();
        made.launch().separate_instances = true;
        made.is_refused(&["separate instances"]);
    }

    /// Without version 2 cgroups, which a mount over them stages.
    #[test]
    fn limits_that_nothing_here_can_set() {
        let mut made = Made::new();
        made.launch().limits.insert("memory".into(), LimitEntry { value: 1 << 30, prefer: false });
        let run = |made: &mut Made| {
            let bundle = made.write();
            let script = "mount -t tmpfs none /sys/fs/cgroup; exec \"$@\"";
            let mut command = support::with_own_mounts(script);
            command.arg(made.canc_run()).args(["--report", "json"]).arg(bundle).arg(made.probe());
            ran(command.args(["list", "/"]))
        };
        refused(&run(&mut made), &["limit memory: no cgroup2 file system is mounted", "to mend it: "]);
        made.launch().limits.insert("processes".into(), LimitEntry { value: 1, prefer: true });
        refused(&run(&mut made), &["limit memory"]);
        made.launch().limits.insert("memory".into(), LimitEntry { value: 1 << 30, prefer: true });
        let ran = run(&mut made);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        let report: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
        let what = |n: usize| report["accepted"][n]["what"].clone();
        assert_eq!((what(0), what(1)), ("limit memory".into(), "limit processes".into()));
        assert!(report["limits"].get("memory").is_none(), "{report}");
    }

    #[test]
    fn names_that_would_be_other_words() {
        let mut made = Made::new();
        let artefact = canc_bundle::Artefact { path: String::new(), sha256: String::new() };
        let profile = "canc.p\nexec unconfined".to_owned();
        made.policy().apparmor =
            Some(canc_bundle::ApparmorEntry { profile, source: artefact, complain: false });
        made.is_refused(&["no compiler makes it"]);
    }
}

mod command_line {
    use super::*;

    #[test]
    fn mistakes_are_canc_runs_own_failures() {
        let made = Made::new();
        for arguments in [vec![], vec!["--nonsense"], vec!["b"]] {
            let ran = ran(Command::new(made.canc_run()).args(&arguments));
            assert_eq!(ran.code, Some(125));
            assert!(ran.err.contains("canc-run --help"), "{}", ran.err);
        }
        let help = ran(Command::new(made.canc_run()).arg("--help"));
        assert!(help.code == Some(0) && help.out.contains("examples:"));
    }

    #[test]
    fn the_report_goes_where_it_is_asked() {
        let mut made = Made::new();
        let (bundle, probe) = (made.write(), made.probe());
        let file = made.home.path().join("report");
        let script = "exec \"$@\" 5>\"$REPORT\"";
        let mut command = Command::new("sh");
        command.args(["-ec", script, "sh"]).arg(made.canc_run()).args([
            "--report",
            "json",
            "--report-to",
            "5",
        ]);
        let ran = ran(command.arg(&bundle).arg(&probe).arg("state").env("REPORT", &file));
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
        let report: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(report["policy"], "p");
        assert_eq!(report["layers"]["seccomp"]["state"], "follows");
        assert_eq!(report["layers"]["selinux"]["state"], "off");
        assert_eq!(report["no_new_privs"], true);
        assert!(!ran.out.contains("\"number\":5"), "the report's descriptor leaked: {}", ran.out);
        // Where it cannot be written, nothing starts.
        let mut command = Command::new(made.canc_run());
        let refused_ = support::ran(
            command.args(["--report", "json", "--report-to", "209"]).arg(&bundle).arg(&probe).arg("label"),
        );
        refused(&refused_, &["--report-to 209", "209>FILE"]);
        let mut command = Command::new("sh");
        command.args(["-ec", "exec \"$@\" 5>/dev/full", "sh"]).arg(made.canc_run());
        let full = support::ran(
            command.args(["--report=text", "--report-to=5"]).arg(&bundle).arg(&probe).arg("label"),
        );
        refused(&full, &["report", "No space left"]);
    }

    #[test]
    fn a_dry_run_starts_nothing() {
        let mut made = Made::new();
        let (bundle, probe) = (made.write(), made.probe());
        let file = made.home.path().join("file");
        let ran = ran(Command::new(made.canc_run())
            .arg("--dry-run")
            .arg(&bundle)
            .arg(&probe)
            .arg("create")
            .arg(&file));
        assert_eq!(ran.code, Some(0));
        assert!(
            ran.out.contains("execute descriptor 250") && ran.out.contains("\"landlock_abi\""),
            "{}",
            ran.out
        );
        assert!(!file.exists());
    }
}
