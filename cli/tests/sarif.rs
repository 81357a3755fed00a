//! `--sarif`: what the format requires, and what it says of a policy.

#[cfg(test)]
mod tests {
    use assert_cmd::Command;
    use serde_json::Value;
    use std::fs;
    use std::path::Path;

    fn canc(dir: &Path, args: &[&str]) -> (i32, Value) {
        let output = Command::cargo_bin("canc").unwrap().current_dir(dir).args(args).output().unwrap();
        let log: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
        required(&log);
        (output.status.code().unwrap(), log)
    }

    fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
        value[name].as_array().unwrap_or_else(|| panic!("no list `{name}` in {value}"))
    }

    /// What SARIF 2.1.0 requires of a log and of what canc writes into it: names, kinds and ranges of values.
    fn required(log: &Value) {
        assert_eq!(log["version"], "2.1.0");
        let [run] = list(log, "runs") else { panic!("one run") };
        assert!(run["tool"]["driver"]["name"].is_string());
        assert_eq!(run["columnKind"], "utf16CodeUnits");
        let rules = list(&run["tool"]["driver"], "rules");
        let artifacts = list(run, "artifacts");
        for artifact in artifacts {
            let uri = artifact["location"]["uri"].as_str().unwrap();
            assert!(uri.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b)), "{uri}");
        }
        for rule in rules {
            assert!(rule["id"].is_string() && !rule["shortDescription"]["text"].as_str().unwrap().is_empty());
        }
        for result in list(run, "results") {
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
            let related = result.get("relatedLocations").map_or(&[][..], |r| r.as_array().unwrap());
            for place in list(result, "locations").iter().chain(related) {
                let place = &place["physicalLocation"];
                let index = usize::try_from(place["artifactLocation"]["index"].as_u64().unwrap()).unwrap();
                assert_eq!(artifacts[index]["location"]["uri"], place["artifactLocation"]["uri"]);
                let number = |name: &str| place["region"][name].as_u64().unwrap();
                assert!(number("startLine") >= 1 && number("startColumn") >= 1 && number("endColumn") >= 1);
                let (start, end) =
                    (["startLine", "startColumn"].map(number), ["endLine", "endColumn"].map(number));
                assert!(start <= end, "{place}");
            }
        }
    }

    #[test]
    fn a_good_policy_has_an_empty_log() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let (exit, log) = canc(root, &["check", "--sarif", "examples/cat/cat.can"]);
        assert_eq!((exit, list(&log["runs"][0], "results").len()), (0, 0));
    }

    #[test]
    fn columns_count_as_editors_do() {
        let dir = tempfile::tempdir().unwrap();
        let text = "can 1;\npolicy p {\n  exec \"/usr/bin/p\";\n  allow read \"/a/ä/😀\", nothing;\n}\n";
        fs::write(dir.path().join("a b.can"), text).unwrap();
        let (exit, log) = canc(dir.path(), &["check", "--sarif", "a b.can"]);
        assert_eq!(exit, 3);
        let [result] = list(&log["runs"][0], "results") else { panic!("{log}") };
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b.can");
        let region = &place["region"];
        let line = text.lines().nth(3).unwrap();
        let before = line.split("nothing").next().unwrap().encode_utf16().count() as u64;
        // The face is one character of two units.
        assert_eq!(before, line.split("nothing").next().unwrap().chars().count() as u64 + 1);
        assert_eq!(
            (region["startLine"].as_u64(), region["startColumn"].as_u64()),
            (Some(4), Some(before + 1))
        );
        assert_eq!((region["endLine"].as_u64(), region["endColumn"].as_u64()), (Some(4), Some(before + 8)));
        assert_eq!(region["snippet"]["text"], "nothing");
        assert_eq!(result["level"], "error");
    }

    #[test]
    fn what_another_file_has_to_do_with_it_is_a_related_location() {
        let dir = tempfile::tempdir().unwrap();
        let web = "can 1;\nfragment logs {\n  allow run \"/usr/bin/tool\" -> policy b;\n}\n";
        fs::write(dir.path().join("web.can"), web).unwrap();
        let main = "can 1;\nuse \"web.can\" as web;\npolicy a { exec \"/usr/bin/a\"; include web.logs; allow run \"/usr/bin/tool\"; }\npolicy b { exec \"/usr/bin/tool\"; launch from policy a; }\n";
        fs::write(dir.path().join("main.can"), main).unwrap();
        let (exit, log) = canc(dir.path(), &["build", "--sarif", "main.can"]);
        assert_eq!(exit, 3, "{log:#}");
        let results = list(&log["runs"][0], "results");
        let files = |result: &Value| -> Vec<String> {
            let related = result.get("relatedLocations").map_or(&[][..], |r| r.as_array().unwrap());
            let places = list(result, "locations").iter().chain(related);
            places
                .map(|p| p["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap().to_owned())
                .collect()
        };
        assert!(
            results.iter().any(|r| {
                let files = files(r);
                files.contains(&"main.can".into()) && files.contains(&"web.can".into())
            }),
            "{log:#}"
        );
    }

    #[test]
    fn a_build_writes_its_bundle_and_says_what_is_forbidden() {
        let dir = tempfile::tempdir().unwrap();
        let text = "can 1;\npolicy p {\n  exec \"/usr/bin/p\";\n  include std.base;\n  allow listen tcp port 80;\n}\n";
        fs::write(dir.path().join("p.can"), text).unwrap();
        let (exit, _) = canc(dir.path(), &["build", "--sarif", "p.can"]);
        assert!(exit == 0 && dir.path().join("p.canc/manifest.json").is_file());
        let (exit, log) = canc(
            dir.path(),
            &[
                "build",
                "--sarif",
                "--deny",
                "seccomp:partial",
                "--deny",
                "landlock:partial",
                "--deny",
                "landlock:widened",
                "--deny",
                "leaks",
                "-o",
                "other",
                "p.can",
            ],
        );
        assert!(exit == 3 && !dir.path().join("other").exists(), "{log:#}");
        // Rules of a fragment point into its text, which comes along.
        let artifacts = list(&log["runs"][0], "artifacts");
        let base = artifacts
            .iter()
            .find(|a| a["location"]["uri"] == "canc:std/base.can")
            .unwrap_or_else(|| panic!("{log:#}"));
        assert!(base["contents"]["text"].as_str().unwrap().starts_with("# What nearly every program"));
        let refused = Command::cargo_bin("canc")
            .unwrap()
            .args(["check", "--sarif", "--json", "p.can"])
            .output()
            .unwrap();
        assert_eq!(refused.status.code(), Some(2));
    }
}
