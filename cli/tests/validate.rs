//! `canc validate` on bundles made here, with this kernel and without any tool of a language's owner.

#[cfg(test)]
mod tests {
    use assert_cmd::Command;
    use serde_json::{Value, json};
    use sha2::{Digest, Sha256};
    use std::fs;
    use std::path::Path;

    /// `ret ALLOW`, `ret KILL_PROCESS`, and a jump beyond the program's end.
    const ALLOW: [u8; 8] = [0x06, 0, 0, 0, 0, 0, 0xff, 0x7f];
    const KILL: [u8; 8] = [0x06, 0, 0, 0, 0, 0, 0, 0x80];
    const JUMP_OUT: [u8; 8] = [0x05, 0, 0, 0, 9, 0, 0, 0];

    fn artefact(dir: &Path, name: &str, bytes: &[u8]) -> Value {
        fs::write(dir.join(name), bytes).unwrap();
        let sha256: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        json!({ "path": name, "sha256": sha256 })
    }

    fn bundle(dir: &Path, filter: &[u8], layers: bool) {
        let program = artefact(dir, "p.x86_64.bpf", filter);
        let seccomp = json!({ "programs": { "x86_64": [program] }, "listing": artefact(dir, "p.asm", b""),
            "launch_fd": 250, "needs_tracer": false, "needs_listener": false });
        let selinux = json!({ "module": "canc__p", "domain": "canc__p_t", "te": artefact(dir, "canc__p.te", b"module"),
            "fc": artefact(dir, "canc__p.fc", b""), "ports": null, "permissive": false });
        let apparmor = json!({ "profile": "canc.p", "source": artefact(dir, "canc.p", b"profile p { }"), "complain": false });
        let launch = json!({ "exec": ["/bin/p"], "attach": [], "launch_from": ["user"], "demands": {},
            "require_one_of": [], "mode": "enforce", "capabilities": [], "no_new_privs": true, "limits": {}, "isolate": [],
            "separate_instances": false, "env_keep": [], "env_set": [], "keep_descriptors": [], "keep_activation": false });
        let policy = json!({ "name": "p", "selinux": layers.then_some(selinux), "apparmor": layers.then_some(apparmor),
            "seccomp": seccomp, "landlock": null, "launch": launch, "rules": [], "decisions": [] });
        let options = json!({ "selinux_base": "debian13", "apparmor_abi": "4.0", "apparmor_features": "debian13",
            "arches": ["x86_64"], "parameters": {} });
        let manifest = json!({ "format": 1, "compiler": "0", "source": { "name": "p.can", "sha256": "" },
            "options": options, "policies": [policy] });
        fs::write(dir.join("manifest.json"), manifest.to_string()).unwrap();
    }

    /// Exit code, output, errors.
    fn validate(args: &[&str]) -> (i32, String, String) {
        let output = Command::cargo_bin("canc").unwrap().arg("validate").args(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn validate_filter(filter: &[u8]) -> (i32, String) {
        let dir = tempfile::tempdir().unwrap();
        bundle(dir.path(), filter, false);
        let (code, out, err) = validate(&[dir.path().to_str().unwrap()]);
        assert_eq!(err, "");
        (code, out)
    }

    #[test]
    fn the_kernel_takes_a_filter() {
        let (code, out) = validate_filter(&ALLOW);
        assert_eq!((code, out.lines().last()), (0, Some("1 accepted, 0 refused, 0 not checked")), "{out}");
    }

    #[test]
    fn a_filter_that_forbids_everything_is_taken_too() {
        let (code, out) = validate_filter(&KILL);
        assert_eq!(code, 0, "{out}");
    }

    #[test]
    fn the_kernel_refuses_a_jump_beyond_the_end_a_torn_file_and_an_empty_one() {
        for filter in [&JUMP_OUT[..], &ALLOW[..5], &[][..]] {
            let (code, out) = validate_filter(filter);
            assert_eq!(code, 1, "{out}");
            assert!(out.contains("refused") && out.contains("Invalid argument"), "{out}");
        }
    }

    #[test]
    fn the_longest_program_is_taken_and_a_longer_one_is_not() {
        let program = |length| ALLOW.repeat(length);
        assert_eq!(validate_filter(&program(4096)).0, 0);
        assert_eq!(validate_filter(&program(4097)).0, 1);
    }

    #[test]
    fn what_was_altered_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        bundle(dir.path(), &ALLOW, false);
        fs::write(dir.path().join("p.x86_64.bpf"), KILL).unwrap();
        let (code, out, _) = validate(&["--json", dir.path().to_str().unwrap()]);
        let json: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &json["ok"], &json["checks"][0]["answer"]), (1, &json!(false), &json!("refused")));
        assert!(json["checks"][0]["why"].as_str().unwrap().contains("altered"), "{out}");
    }

    #[test]
    fn a_path_out_of_the_bundle_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        bundle(dir.path(), &ALLOW, false);
        let file = dir.path().join("manifest.json");
        let text = fs::read_to_string(&file).unwrap().replace("\"p.x86_64.bpf\"", "\"../p.x86_64.bpf\"");
        fs::write(&file, text).unwrap();
        let (code, out, _) = validate(&[dir.path().to_str().unwrap()]);
        assert!(code == 1 && out.contains("outside"), "{code} {out}");
    }

    #[test]
    fn what_cannot_be_checked_is_named_and_is_no_consent() {
        let (dir, root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        bundle(dir.path(), &ALLOW, true);
        for name in ["usr/bin", "tmp"] {
            fs::create_dir_all(root.path().join(name)).unwrap();
        }
        let (dir, root) = (dir.path().to_str().unwrap(), root.path().to_str().unwrap());
        let (code, out, err) = validate(&[dir, "--sysroot", root]);
        assert_eq!(code, 4, "{out}{err}");
        if rustix::process::geteuid().is_root() {
            for tool in ["checkmodule is not installed", "apparmor_parser is not installed"] {
                assert!(out.contains(tool), "{out}");
            }
            assert_eq!(out.lines().last(), Some("1 accepted, 0 refused, 4 not checked"), "{out}");
        } else {
            assert!(err.contains("only root"), "{err}");
        }
    }

    /// A program that needs no layer but seccomp, so that this host can check all of it.
    const SOURCE: &str = "can 1;\nparam exe: path = \"/usr/bin/true\";\npolicy p { exec exe; include std.minimal;\n\
        backend selinux off; backend apparmor off; backend landlock off; }\n";

    fn source(text: &str) -> (tempfile::TempDir, String) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("p.can");
        fs::write(&file, text).unwrap();
        let path = file.to_str().unwrap().to_owned();
        (dir, path)
    }

    #[test]
    fn a_policy_is_built_for_the_time_of_the_question() {
        let (dir, policy) = source(SOURCE);
        let (code, out, err) = validate(&[&policy, "--set", "exe=/usr/bin/false"]);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        assert_eq!(out.lines().last(), Some("3 accepted, 0 refused, 0 not checked"), "{out}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "something was left beside the policy");
    }

    #[test]
    fn a_policy_that_is_wrong_is_shown_to_nobody() {
        let (_dir, policy) = source("can 1;\npolicy p { exce \"/p\"; }\n");
        let (code, out, err) = validate(&[&policy]);
        assert_eq!((code, out.as_str()), (3, ""));
        assert!(err.contains("exec"), "{err}");
        let (code, out, _) = validate(&[&policy, "--json"]);
        let json: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &json["ok"]), (3, &json!(false)));
    }

    #[test]
    fn a_bundle_takes_no_options_of_a_build() {
        let dir = tempfile::tempdir().unwrap();
        bundle(dir.path(), &ALLOW, false);
        let (code, _, err) = validate(&[dir.path().to_str().unwrap(), "--set", "a=b"]);
        assert!(code == 2 && err.contains("built already"), "{code} {err}");
    }

    #[test]
    fn what_is_no_bundle_is_said_so() {
        let dir = tempfile::tempdir().unwrap();
        let (code, out, err) = validate(&[dir.path().to_str().unwrap()]);
        assert_eq!((code, out.as_str()), (4, ""));
        assert!(err.contains("is no bundle"), "{err}");
        assert_eq!(validate(&["/nonexistent/x.canc"]).0, 4);
        fs::write(dir.path().join("manifest.json"), "{\"format\": 1").unwrap();
        assert_eq!(validate(&[dir.path().to_str().unwrap()]).0, 4);
    }
}
