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

    #[test]
    fn graph_draws_and_answers_about_ways() {
        let two = "can 1;\npolicy p { exec \"/usr/bin/p\"; allow run \"/usr/bin/q\" -> policy q; }\n\
            policy q { exec \"/usr/bin/q\"; launch from policy p; }\n";
        let dir = files(&[("p.can", two)]);
        let graph = |args: &[&str]| ran(dir.path(), &[&["graph", "p.can"], args].concat());
        let (code, out, _) = graph(&[]);
        assert!(code == 0 && out.starts_with("<svg ") && out.ends_with("</svg>\n"), "{out}");
        assert!(graph(&["--format", "dot"]).1.contains("policy_p -> policy_q [label=\"/usr/bin/q\"]"));
        assert!(graph(&["--format", "mermaid"]).1.starts_with("flowchart LR\n"));
        let drawn: Value = serde_json::from_str(&graph(&["--json"]).1).unwrap();
        assert_eq!(drawn["edges"].as_array().unwrap().len(), 2);
        assert_eq!(graph(&["--reaches", "p", "q"]), (0, "p -> q\n".into(), String::new()));
        assert_eq!(graph(&["--reaches", "q", "p"]).0, 1);
        assert_eq!(graph(&["--reaches", "q", "x"]).0, 2);
    }

    #[test]
    fn test_says_what_is_untouched_and_writes_junit() {
        let tested = format!(
            "{OLD}test \"a <b>\" {{\n  p allows read \"/srv/a/x\";\n  p denies read \"/etc/passwd\";\n}}\n"
        );
        let dir = files(&[("p.can", &tested)]);
        let test = |args: &[&str]| ran(dir.path(), &[&["test", "p.can"], args].concat());
        let (code, out, _) = test(&[]);
        assert_eq!(code, 1);
        assert!(out.contains("no test touches 1 of 2 rules of p\n  p.can:7: @prefer deny"), "{out}");
        assert!(
            out.contains("the policy allows read \"/etc/passwd\"")
                && out.contains("(by std.base at p.can:5)"),
            "{out}"
        );
        let (code, out, _) = test(&["--format", "junit"]);
        assert_eq!(code, 1);
        assert!(out.contains("<testsuite name=\"a &lt;b&gt;\" tests=\"2\" failures=\"1\">"), "{out}");
        assert!(
            out.contains("<failure message=\"the policy allows read &quot;/etc/passwd&quot;\">"),
            "{out}"
        );
        let report: Value = serde_json::from_str(&test(&["--json"]).1).unwrap();
        assert_eq!(report["coverage"][0]["untouched"][0]["line"], 7);
    }
}
