//! `canc build --selinux-base`: what is said of a base that nobody saw on a kernel, and a base from a directory of tables.

#[cfg(test)]
mod tests {
    use assert_cmd::Command;
    use serde_json::Value;
    use std::fs;
    use std::path::{Path, PathBuf};

    fn project() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
    }

    /// The bundle of an example, or what `canc` says.
    fn build(example: &str, base: &str, dir: &Path) -> Result<PathBuf, String> {
        let source = project().join(format!("examples/{example}/{example}.can"));
        let out = dir.join(format!("{example}.canc"));
        let mut canc = Command::cargo_bin("canc").unwrap();
        let output =
            canc.arg("build").arg(source).arg("-o").arg(&out).args(["--selinux-base", base]).output();
        let output = output.unwrap();
        if output.status.success() { Ok(out) } else { Err(String::from_utf8(output.stderr).unwrap()) }
    }

    fn manifest(bundle: &Path) -> Value {
        serde_json::from_slice(&fs::read(bundle.join("manifest.json")).unwrap()).unwrap()
    }

    /// The verdicts of SELinux with the rules' ids, `@base` among them.
    fn verdicts(manifest: &Value) -> Vec<(String, Value)> {
        let policies = manifest["policies"].as_array().unwrap();
        let rules = policies.iter().flat_map(|p| p["rules"].as_array().unwrap());
        rules.map(|r| (r["id"].as_str().unwrap().to_owned(), r["verdicts"]["selinux"].clone())).collect()
    }

    /// The texts of the modules.
    fn texts(bundle: &Path) -> Vec<(String, String)> {
        let files = fs::read_dir(bundle.join("selinux")).unwrap().map(|f| f.unwrap().path());
        let read = |f: PathBuf| {
            (f.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&f).unwrap())
        };
        let mut out: Vec<_> = files.map(read).collect();
        out.sort();
        out
    }

    /// A copy of the tables of Debian 13, with a change to one of them.
    fn copy(to: &Path, table: &str, change: impl Fn(&str) -> String) -> String {
        let from = project().join("codegen/data/base/debian13");
        let to = to.join("debian13");
        fs::create_dir(&to).unwrap();
        for file in fs::read_dir(from).unwrap() {
            let file = file.unwrap();
            let text = fs::read_to_string(file.path()).unwrap();
            let changed = if file.file_name() == table { change(&text) } else { text };
            fs::write(to.join(file.file_name()), changed).unwrap();
        }
        to.to_str().unwrap().to_owned()
    }

    #[test]
    fn every_verdict_on_fedora_is_unseen() {
        for example in ["nginx", "curl"] {
            let dir = tempfile::tempdir().unwrap();
            let bundle = build(example, "fedora", dir.path()).unwrap();
            let all = verdicts(&manifest(&bundle));
            assert!(all.len() > 20 && all.iter().any(|(id, _)| id == "@base"), "{example}: {}", all.len());
            for (rule, verdict) in &all {
                let mediated = verdict["verdict"] != "n/a";
                assert!(verdict["verdict"].is_string(), "{example} {rule}: {verdict}");
                assert_eq!(verdict["unseen"] == true, mediated, "{example} {rule}: {verdict}");
            }
            assert!(all.iter().any(|(_, v)| v["unseen"] == true), "{example}");
        }
    }

    #[test]
    fn no_verdict_on_debian_13_is_unseen() {
        let dir = tempfile::tempdir().unwrap();
        let bundle = build("nginx", "debian13", dir.path()).unwrap();
        assert!(verdicts(&manifest(&bundle)).iter().all(|(_, v)| v["unseen"] != true));
    }

    #[test]
    fn the_same_tables_in_a_directory_give_the_same_modules() {
        for example in ["cat", "nginx"] {
            let dir = tempfile::tempdir().unwrap();
            let base = copy(dir.path(), "", str::to_owned);
            let (one, two) = (dir.path().join("one"), dir.path().join("two"));
            fs::create_dir(&one).unwrap();
            fs::create_dir(&two).unwrap();
            let built_in = build(example, "debian13", &one).unwrap();
            let read = build(example, &base, &two).unwrap();
            assert!(texts(&read).iter().any(|(name, text)| name.ends_with(".te") && text.contains("allow ")));
            assert_eq!(texts(&built_in), texts(&read), "{example}");
            assert_eq!(verdicts(&manifest(&built_in)), verdicts(&manifest(&read)), "{example}");
        }
    }

    #[test]
    fn other_tables_in_a_directory_give_other_modules() {
        let dir = tempfile::tempdir().unwrap();
        let lines = |text: &str| text.replace("\thttpd_exec_t", "\tbin_t");
        let base = copy(dir.path(), "file_contexts.tsv", lines);
        let te = texts(&build("nginx", &base, dir.path()).unwrap()).remove(1).1;
        assert!(
            te.contains("bin_t:file { entrypoint") && !te.contains("httpd_exec_t:file { entrypoint"),
            "{te}"
        );
    }

    #[test]
    fn a_directory_without_a_table_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let base = copy(dir.path(), "", str::to_owned);
        fs::remove_file(Path::new(&base).join("classes.tsv")).unwrap();
        let said = build("cat", &base, dir.path()).unwrap_err();
        assert!(said.contains("classes.tsv"), "{said}");
        let said = build("cat", "nowhere", dir.path()).unwrap_err();
        assert!(said.contains("`nowhere` is no SELinux base"), "{said}");
    }
}
