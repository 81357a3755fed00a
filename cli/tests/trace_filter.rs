//! `canc trace-filter` on a policy and on the bundle that it becomes.

#[cfg(test)]
mod tests {
    use assert_cmd::Command;
    use serde_json::Value;
    use std::path::Path;

    const POLICY: &str = "can 1;
policy web {
  exec \"/usr/bin/web\";
  allow syscall socket where domain in [AF_INET, AF_INET6];
  deny syscall ptrace with kill;
}
";

    /// Exit code, output, errors.
    fn canc(dir: &Path, args: &[&str]) -> (i32, String, String) {
        let output = Command::cargo_bin("canc").unwrap().current_dir(dir).args(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn workplace(text: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("web.can"), text).unwrap();
        dir
    }

    #[test]
    fn each_step_and_the_line_behind_it_is_shown() {
        let dir = workplace(POLICY);
        let args = ["trace-filter", "web.can", "socket", "AF_UNIX", "--arch", "x86_64"];
        let (code, out, err) = canc(dir.path(), &args);
        assert_eq!((code, err.as_str()), (0, ""));
        for wanted in [
            "socket on x86_64: number 41, registers 0x1 0x0",
            "    0  load architecture                                   0xc000003e\n",
            "if == 0x29 (socket) then",
            "; arguments of socket\n;       web.can:4: allow syscall socket where domain in [AF_INET, AF_INET6]\n",
            "load arg0, low half",
            "return errno EPERM\n",
            "errno EPERM: rules allow the call, but none with these arguments\n",
        ] {
            assert!(out.contains(wanted), "{wanted:?}\n{out}");
        }
        let (_, allowed, _) =
            canc(dir.path(), &["trace-filter", "web.can", "socket", "AF_INET", "--arch", "x86_64"]);
        assert!(allowed.ends_with("allow: rules of the policy say so\n"), "{allowed}");
    }

    #[test]
    fn a_bundle_is_walked_like_its_policy_on_every_architecture() {
        let dir = workplace(POLICY);
        assert_eq!(
            canc(dir.path(), &["build", "web.can", "--arch", "x86_64,x86,aarch64,riscv64,s390x"]).0,
            0
        );
        for arch in ["x86_64", "x86", "aarch64", "riscv64", "s390x"] {
            let ask = |subject: &str| {
                let (code, out, err) = canc(
                    dir.path(),
                    &["trace-filter", subject, "ptrace", "0", "-1", "--arch", arch, "--json"],
                );
                assert_eq!((code, err.as_str()), (0, ""));
                serde_json::from_str::<Value>(&out).unwrap()
            };
            let bundle = ask("web.canc");
            assert_eq!(bundle["action"], "kill", "{arch}");
            if arch != "x86" {
                // A policy is built without companions, so that x86's calls are killed unseen there.
                let steps = |v: &Value| {
                    v["filters"][0]["steps"].as_array().unwrap().last().unwrap()["instruction"].clone()
                };
                assert_eq!(steps(&bundle), steps(&ask("web.can")), "{arch}");
                assert!(bundle.to_string().contains("web.can:5: deny syscall ptrace with kill"), "{bundle}");
            }
        }
        let (code, _, err) = canc(dir.path(), &["trace-filter", "web.canc", "read", "--arch", "loongarch64"]);
        assert_eq!(
            (code, err.as_str()),
            (
                2,
                "canc: `web.canc` has no filters for loongarch64; it was built for aarch64, riscv64, s390x, x86_64\n"
            )
        );
        std::fs::write(dir.path().join("web.canc/seccomp/web.x86_64.bpf"), "short").unwrap();
        let (code, _, err) = canc(dir.path(), &["trace-filter", "web.canc", "read", "--arch", "x86_64"]);
        assert!(code == 4 && err.contains("was altered"), "{err}");
    }

    #[test]
    fn several_filters_are_all_walked() {
        let values: Vec<String> =
            (1..5_000u64).map(|i| (i * 2_654_435_761 % 2_147_483_647).to_string()).collect();
        let rules: Vec<String> = values
            .chunks(500)
            .map(|c| format!("  allow syscall ioctl where cmd in [{}];\n", c.join(", ")))
            .collect();
        let dir =
            workplace(&format!("can 1;\npolicy web {{\n  exec \"/usr/bin/web\";\n{}}}\n", rules.concat()));
        let ask = |value: &str| {
            let out = canc(
                dir.path(),
                &["trace-filter", "web.can", "ioctl", "0", value, "--arch", "x86_64", "--json"],
            )
            .1;
            serde_json::from_str::<Value>(&out).unwrap()
        };
        let (code, said, _) = canc(dir.path(), &["build", "web.can", "--arch", "x86_64"]);
        assert!(code == 0 && said.contains("  seccomp on x86_64: "), "{said}");
        let (yes, no) = (ask(&values[0]), ask("1"));
        assert!(yes["filters"].as_array().unwrap().len() > 1);
        assert_eq!((yes["action"].as_str(), no["action"].as_str()), (Some("allow"), Some("errno EPERM")));
        assert!(
            no["filters"].as_array().unwrap().iter().any(|f| f["action"] == "allow"),
            "most filters pass it on"
        );
    }

    #[test]
    fn counted_calls_are_found_sooner() {
        let calls = ["read", "write", "openat", "close", "mmap", "getpid", "ppoll", "statx", "fsync", "dup"];
        let dir = workplace(
            &POLICY.replace("deny syscall", &format!("allow syscall {};\n  deny syscall", calls.join(", "))),
        );
        let executed = |bundle: &str| {
            let out = canc(dir.path(), &["trace-filter", bundle, "ppoll", "--arch", "x86_64", "--json"]).1;
            let json = serde_json::from_str::<Value>(&out).unwrap();
            assert_eq!(json["action"], "allow");
            json["filters"][0]["executed"].as_u64().unwrap()
        };
        let built =
            |args: &[&str]| canc(dir.path(), &[&["build", "web.can", "--arch", "x86_64"][..], args].concat());
        assert_eq!(built(&["-o", "plain.canc"]).0, 0);
        std::fs::write(
            dir.path().join("counts"),
            " 99.00    0.2         794     90000        12 ppoll\n  1.00    0.0 1 10 read\n",
        )
        .unwrap();
        assert_eq!(built(&["-o", "counted.canc", "--frequencies", "counts"]).0, 0);
        assert!(executed("counted.canc") < executed("plain.canc"));
        assert_eq!(built(&["-o", "usual.canc", "--frequencies", "default"]).0, 0);
        let recorded = |bundle: &str| {
            let text = std::fs::read_to_string(dir.path().join(bundle).join("manifest.json")).unwrap();
            serde_json::from_str::<Value>(&text).unwrap()["options"]["frequencies"].clone()
        };
        let [plain, counted, usual] = ["plain.canc", "counted.canc", "usual.canc"].map(recorded);
        assert!(plain.is_null() && counted.is_string() && usual.is_string() && counted != usual);
        std::fs::write(dir.path().join("counts"), "ppol 5\n").unwrap();
        let (code, _, err) = built(&["-o", "wrong.canc", "--frequencies", "counts"]);
        assert_eq!(
            (code, err.as_str()),
            (2, "canc: counts:1: no architecture has a system call `ppol`; did you mean `ppoll`?\n")
        );
        assert!(!dir.path().join("wrong.canc").exists());
    }

    #[test]
    fn mistakes_end_with_usage() {
        let two = format!("{POLICY}policy other {{ exec \"/usr/bin/o\"; backend seccomp off; }}\n");
        let dir = workplace(&two);
        let named = |name: &'static str, rest: &[&'static str]| {
            let mut args = vec!["trace-filter", "web.can", "--arch", "x86_64", "--policy", name];
            args.extend(rest);
            canc(dir.path(), &args)
        };
        let plain = canc(dir.path(), &["trace-filter", "web.can", "read", "--arch", "x86_64"]);
        assert!(plain.0 == 2 && plain.2.contains("name one of web, other with `--policy`"), "{plain:?}");
        for (done, wanted) in [
            (named("other", &["read"]), "policy `other` has no filters: it says `backend seccomp off`"),
            (named("wbe", &["read"]), "there is no such policy; there are web, other"),
            (named("web", &["raed"]), "no architecture has a system call `raed`; did you mean `read`?"),
            (
                named("web", &["getpid", "1"]),
                "`getpid`: 1 argument was given, and it takes 0; it is getpid()",
            ),
        ] {
            assert_eq!((done.0, done.2), (2, format!("canc: {wanted}\n")));
        }
        std::fs::write(dir.path().join("web.can"), "can 1;\npolicy web { exce \"/x\"; }\n").unwrap();
        let wrong = canc(dir.path(), &["trace-filter", "web.can", "read", "--arch", "x86_64"]);
        assert!(wrong.0 == 3 && wrong.2.contains("exec"), "{wrong:?}");
    }
}
