//! `canc export` and `canc import`: texts of other programs, there and back.

#[cfg(test)]
mod tests {
    use assert_cmd::Command;
    use serde_json::Value;
    use std::path::Path;

    const POLICY: &str = "can 1;
policy web {
  exec \"/usr/bin/web\";
  syscall infer off;
  allow syscall execve, read, write, exit_group;
  allow syscall socket where domain in [AF_INET, AF_INET6];
  deny syscall ptrace with kill;
}
";

    const PROFILE: &str = r#"{ "defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [
  { "names": ["read", "write", "execve"], "action": "SCMP_ACT_ALLOW" },
  { "names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{ "index": 0, "value": 40, "op": "SCMP_CMP_NE" }] } ] }"#;

    /// Exit code, output, errors.
    fn canc(dir: &Path, args: &[&str]) -> (i32, String, String) {
        let output = Command::cargo_bin("canc").unwrap().current_dir(dir).args(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn workplace(name: &str, text: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(name), text).unwrap();
        dir
    }

    fn action(dir: &Path, policy: &str, words: &[&str]) -> String {
        let mut args = vec!["trace-filter", policy, "--arch", "x86_64", "--json"];
        args.extend(words);
        let (code, out, err) = canc(dir, &args);
        assert_eq!((code, err.as_str()), (0, ""));
        serde_json::from_str::<Value>(&out).unwrap()["action"].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_program_and_a_file_may_have_any_name() {
        for (file, exec) in [
            ("My Profile.json", "/opt/a$b*"),
            ("policy.json", "/opt/[x] \"y\\"),
            ("a__b.json", "/opt/${home}"),
        ] {
            let dir = workplace(file, PROFILE);
            let (code, _, err) = canc(dir.path(), &["import", "oci", file, "--exec", exec, "-o", "made.can"]);
            assert_eq!(code, 0, "{file} {exec}: {err}");
            let options = canc_dsl::Options::default();
            let text = std::fs::read(dir.path().join("made.can")).unwrap();
            let set = canc_dsl::compile("made.can", &text, &canc_dsl::NoFiles, &options).policies.unwrap();
            let execs = &set.policies()[0].exec;
            assert_eq!(execs.len(), 1);
            assert_eq!(execs[0].pattern.as_literal().as_deref(), Some(exec), "{file}");
        }
    }

    #[test]
    fn a_profile_comes_back_as_the_same_policy() {
        let dir = workplace("web.can", POLICY);
        let (code, out, err) =
            canc(dir.path(), &["export", "oci", "web.can", "--arch", "x86_64", "-o", "web.json"]);
        assert_eq!((code, out.as_str()), (0, ""));
        assert!(err.contains("exact        other architectures: killed"), "{err}");
        let profile: Value =
            serde_json::from_slice(&std::fs::read(dir.path().join("web.json")).unwrap()).unwrap();
        assert_eq!(profile["defaultAction"], "SCMP_ACT_ERRNO");
        assert_eq!(profile["defaultErrnoRet"], 38);
        let back =
            ["import", "oci", "web.json", "--exec", "/usr/bin/web", "--name", "back", "-o", "back.can"];
        assert_eq!(canc(dir.path(), &back).0, 0);
        for words in [
            &["read"][..],
            &["getuid"],
            &["ptrace"],
            &["socket", "AF_INET"],
            &["socket", "AF_UNIX"],
            &["socket", "arg0=0x100000002"],
            &["openat2"],
            &["5000"],
            &["clone3"],
        ] {
            assert_eq!(
                action(dir.path(), "back.can", words),
                action(dir.path(), "web.can", words),
                "{words:?}"
            );
        }
    }

    #[test]
    fn a_profile_becomes_a_policy_that_builds() {
        let dir = workplace("app.json", PROFILE);
        let (code, out, err) = canc(dir.path(), &["import", "oci", "app.json", "--exec", "/bin/app"]);
        assert_eq!((code, err.as_str()), (0, ""));
        assert!(out.contains("policy app {") && out.contains("--arch x86_64"), "{out}");
        std::fs::write(dir.path().join("app.can"), out).unwrap();
        let (code, _, err) = canc(dir.path(), &["build", "app.can", "--arch", "x86_64"]);
        assert_eq!(code, 0, "{err}");
        assert_eq!(action(dir.path(), "app.canc", &["socket", "40"]), "errno EPERM");
        assert_eq!(action(dir.path(), "app.canc", &["socket", "2"]), "allow");
    }

    #[test]
    fn nothing_is_written_of_a_wrong_profile() {
        let wrong = PROFILE.replace("\"read\"", "\"raed\"").replace("SCMP_CMP_NE", "SCMP_CMP_NEQ");
        let dir = workplace("app.json", &wrong);
        std::fs::write(dir.path().join("app.can"), "old").unwrap();
        let args = ["import", "oci", "app.json", "--exec", "/bin/app", "-o", "app.can"];
        let (code, out, err) = canc(dir.path(), &args);
        assert_eq!((code, out.as_str()), (3, ""));
        for wanted in [
            "error: app.json: syscalls[0].names[0]: unknown system call `raed`; did you mean `read`?\n",
            "error: app.json: syscalls[1].args[0]: unknown operator `SCMP_CMP_NEQ`; did you mean `SCMP_CMP_EQ`?\n",
            "2 errors, nothing written\n",
        ] {
            assert!(err.contains(wanted), "{wanted}\n{err}");
        }
        assert_eq!(std::fs::read_to_string(dir.path().join("app.can")).unwrap(), "old");
        std::fs::write(dir.path().join("app.json"), PROFILE.replace("syscalls", "calls")).unwrap();
        let (code, out, _) = canc(dir.path(), &["import", "oci", "app.json", "--exec", "/bin/app", "--json"]);
        let json: Value = serde_json::from_str(&out).unwrap();
        assert!(
            code == 3 && json["errors"][0]["message"].as_str().unwrap().contains("unknown field `calls`"),
            "{out}"
        );
    }

    #[test]
    fn a_program_that_the_language_refuses_is_refused_here() {
        let dir = workplace("app.json", PROFILE);
        let (code, out, err) = canc(dir.path(), &["import", "oci", "app.json", "--exec", "relative/app"]);
        assert!(code == 3 && out.is_empty() && err.contains("nothing written"), "{err}");
    }

    #[test]
    fn settings_of_a_unit_are_exported_with_what_they_lack() {
        let dir = workplace("web.can", POLICY);
        let (code, out, err) = canc(dir.path(), &["export", "systemd", "web.can", "--arch", "x86_64"]);
        assert_eq!(code, 0);
        assert!(out.contains("[Service]\nSystemCallArchitectures=x86-64\nSystemCallFilter="), "{out}");
        assert!(
            !out.contains("socket") && err.contains("narrowed     arguments:") && err.contains("socket"),
            "{out}{err}"
        );
        let (_, out, err) =
            canc(dir.path(), &["export", "systemd", "web.can", "--arch", "x86_64", "--widen"]);
        assert!(out.contains("socket") && err.contains("widened      arguments:"), "{out}{err}");
    }

    #[test]
    fn mistakes_end_with_usage() {
        let dir = workplace("web.can", POLICY);
        let two = canc(dir.path(), &["export", "oci", "web.can", "--arch", "x86_64,aarch64"]);
        assert_eq!(
            (two.0, two.2.as_str()),
            (2, "canc: x86_64 and aarch64 are two hosts; export for one of them\n")
        );
        assert_eq!(canc(dir.path(), &["export", "oci", "web.can", "--arch", "x86_64", "--widen"]).0, 2);
        std::fs::create_dir(dir.path().join("there")).unwrap();
        let written = canc(dir.path(), &["export", "oci", "web.can", "--arch", "x86_64", "-o", "there"]);
        assert!(written.0 == 4 && written.2.contains("no regular file"), "{written:?}");
        let version = canc(dir.path(), &["import", "oci", "web.can", "--exec", "/x", "--kernel", "new"]);
        assert!(version.0 == 2 && version.2.contains("no version such as 6.12"), "{version:?}");
        let path = canc(dir.path(), &["import", "oci", "web.can", "--exec", "/x\ny"]);
        assert!(path.0 == 2 && path.2.contains("control characters"), "{path:?}");
    }
}
