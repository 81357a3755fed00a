//! The commands that answer questions, as processes: what they print, for people and for scripts, and how they exit.

#[cfg(test)]
mod tests {
    use assert_cmd::Command;
    use serde_json::Value;
    use std::path::Path;

    const OLD: &str = "can 1;\npolicy p {\n  exec \"/usr/bin/p\";\n  tolerate unix_sockets because \"test\";\n  \
        include std.base;\n  allow read \"/srv/a/**\" because \"data\";\n  @prefer deny read \"/srv/a/no/**\" because \"secret\";\n}\n";

    fn ran(dir: &Path, args: &[&str]) -> (i32, String, String) {
        let output = Command::cargo_bin("canc").unwrap().current_dir(dir).args(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn files(texts: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        texts.iter().for_each(|(name, text)| std::fs::write(dir.path().join(name), text).unwrap());
        dir
    }

    #[test]
    fn why_exits_by_its_answer_and_names_the_rule() {
        let dir = files(&[("p.can", OLD), ("bad.can", "can 1;\npolicy p { }\n")]);
        let why = |args: &[&str]| ran(dir.path(), &[&["why"], args].concat());
        let (code, out, _) = why(&["p.can", "read", "/srv/a/x y"]);
        assert_eq!(code, 0, "{out}");
        assert!(out.contains("p.can:6: allow read \"/srv/a/**\""), "{out}");
        let (code, out, _) = why(&["p.can", "read /srv/a/no/key"]);
        assert_eq!(code, 1);
        assert!(out.contains("p.can:7: @prefer deny") && out.contains("on bare: allowed (not what"), "{out}");
        let (code, out, _) = why(&["p.can", "--json", "read", "/etc/passwd"]);
        let answer: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &answer["decision"]), (0, &Value::from("allowed")));
        assert_eq!(answer["rules"][0]["included"][0]["fragment"], "std.base");
        assert_eq!(answer["rules"][0]["included"][0]["line"], 5);
        assert_eq!(why(&["p.can", "raed", "/x"]).0, 2);
        assert_eq!(why(&["p.can", "read", "/x", "--policy", "q"]).0, 2);
        assert_eq!(why(&["bad.can", "read", "/x"]).0, 3);
        assert_eq!(why(&["nothing.can", "read", "/x"]).0, 4);
    }

    #[test]
    fn diff_exits_by_its_answer_in_every_form() {
        let wider = OLD
            .replace("/srv/a/**\" because", "/srv/**\" because")
            .replace("std.base;", "std.base; allow connect tcp port 25;");
        let dir = files(&[("old.can", OLD), ("new.can", &wider)]);
        let diff = |args: &[&str]| ran(dir.path(), &[&["diff"], args].concat());
        let (code, out, err) = diff(&["old.can", "new.can"]);
        assert_eq!(code, 1, "{out}{err}");
        assert!(out.contains("+ allowed a part of read \"/srv/**\", such as read \"/srv/a"), "{out}");
        assert!(out.contains("+ allowed connect tcp port 25\n"), "{out}");
        let (code, out, _) = diff(&["new.can", "old.can"]);
        assert_eq!(code, 0, "{out}");
        assert!(out.contains("- denied  connect tcp port 25"), "{out}");
        assert_eq!(diff(&["old.can", "old.can"]), (0, "nothing differs\n".into(), String::new()));
        let (code, out, _) = diff(&["old.can", "new.can", "--json"]);
        let report: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &report["widens"]), (1, &Value::from(true)));
        let allowed = report["policies"][0]["allowed"].as_array().unwrap();
        assert!(allowed.iter().any(|c| c["witness"] == "connect tcp port 25"), "{out}");
        let (code, out, _) = diff(&["old.can", "new.can", "--format", "markdown"]);
        assert_eq!(code, 1);
        assert!(out.contains("| **allowed** | `connect tcp port 25` |"), "{out}");
        assert_eq!(diff(&["old.can"]).0, 2);
    }
}
