//! `canc why --audit` as a process: forms of logs, edits that break tests, records of nobody, and exit codes.

#[cfg(test)]
mod tests {
    use assert_cmd::Command;
    use serde_json::Value;

    const POLICY: &str = "can 1;\npolicy p {\n  exec \"/usr/bin/p\";\n  tolerate unix_sockets because \"test\";\n  include std.base;\n  \
        deny syscall uname with kill;\n}\ntest \"t\" { p never read \"/etc/shadow\"; p denies syscall ptrace; }\n";
    const SHADOW: &str = "type=1400 audit(1.1:7): apparmor=\"DENIED\" operation=\"open\" class=\"file\" profile=\"canc.p\" \
        name=\"/etc/shadow\" pid=9 comm=\"p\" requested_mask=\"r\" denied_mask=\"r\"";
    const BLANK: &str = "type=AVC msg=audit(1.1:8): apparmor=\"DENIED\" operation=\"open\" class=\"file\" profile=\"canc.p\" \
        name=2F6F70742F612062 pid=9 comm=\"p\" requested_mask=\"r\" denied_mask=\"r\"";
    const UNAME: &str = "type=1326 audit(1.1:9): subj=unconfined pid=9 comm=\"p\" exe=\"/usr/bin/p\" sig=31 arch=c000003e syscall=63";

    fn why(log: &str, more: &[&str]) -> (i32, String) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("p.can"), POLICY).unwrap();
        let mut command = Command::cargo_bin("canc").unwrap();
        command.current_dir(dir.path()).args(["why", "--audit", "-", "p.can"]).args(more).write_stdin(log);
        let output = command.output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }

    #[test]
    fn each_refusal_once_with_the_edit_and_what_it_breaks() {
        let log = format!(
            "[  1.0] audit: {SHADOW}\nNov 22 10:00:00 host kernel: audit: {SHADOW}\n{BLANK}\n{UNAME}\n"
        );
        let (code, out) = why(&log, &["--json"]);
        let report: Value = serde_json::from_str(&out).unwrap();
        let of = |text: &str| {
            let entries = report["refusals"].as_array().unwrap();
            entries.iter().find(|e| e["request"] == text).unwrap_or_else(|| panic!("{text}: {out}")).clone()
        };
        assert_eq!(code, 1);
        let shadow = of("read \"/etc/shadow\"");
        assert_eq!((&shadow["count"], &shadow["decision"]), (&Value::from(2), &Value::from("denied")));
        assert_eq!(shadow["edit"]["rule"], "allow read \"/etc/shadow\";");
        assert_eq!(shadow["edit"]["breaks"][0], "p never read \"/etc/shadow\"");
        let blank = of("read \"/opt/a b\"");
        assert_eq!(blank["edit"]["breaks"], Value::Array(Vec::new()), "{blank}");
        let uname = of("syscall uname");
        assert_eq!(uname["rules"][0]["line"], 6);
        assert!(uname["edit"]["fails"].as_str().unwrap().contains("deny"), "{uname}");
    }

    #[test]
    fn records_of_nobody_and_broken_ones_are_counted() {
        let other = SHADOW.replace("canc.p", "cups\u{1b}browsed");
        let cut = SHADOW.split_once("pid=").unwrap().0;
        let (code, out) = why(&format!("{other}\n{cut}\n"), &[]);
        assert_eq!(code, 1);
        assert!(out.contains("1 of no policy here: cups\\u{1b}browsed"), "{out:?}");
        assert!(out.contains("1 records of refusals cannot be read"), "{out:?}");
        assert_eq!(why("nothing of the kind\n", &[]), (0, "no record of a refusal\n".into()));
        assert_eq!(why("", &["read", "/x"]).0, 2);
    }
}
