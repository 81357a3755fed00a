//! Completions and manual pages, as the programs that use them read them.

#[cfg(test)]
mod tests {
    use assert_cmd::Command;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;
    use std::process::Command as Plain;

    fn canc(args: &[&str]) -> String {
        let output = Command::cargo_bin("canc").unwrap().args(args).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The commands that `--help` lists.
    fn commands() -> BTreeSet<String> {
        let help = canc(&["--help"]);
        let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap().to_owned();
        let names = list.lines().filter(|l| l.starts_with("  ") && !l.starts_with("   "));
        names.map(|l| l.split_whitespace().next().unwrap().to_owned()).filter(|n| n != "help").collect()
    }

    #[test]
    fn bash_completes_commands_options_and_values() {
        let dir = tempfile::tempdir().unwrap();
        let script = dir.path().join("canc.bash");
        fs::write(&script, canc(&["completions", "bash"])).unwrap();
        let complete = |words: &[&str]| {
            let line = words.join(" ");
            let list = words.iter().map(|w| format!("'{w}'")).collect::<Vec<_>>().join(" ");
            let program = format!(
                "set -e; source '{}'; COMP_WORDS=({list}); COMP_CWORD={}; COMP_LINE='{line}'; COMP_POINT={}; \
                 _canc canc '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
                script.display(),
                words.len() - 1,
                line.len(),
                words[words.len() - 1],
                words[words.len() - 2],
            );
            let output = Plain::new("bash").args(["--norc", "-c", &program]).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect::<BTreeSet<_>>()
        };
        let all = complete(&["canc", ""]);
        let commands = commands();
        assert!(commands.len() >= 14, "{commands:?}");
        assert!(commands.is_subset(&all), "{:?}", commands.difference(&all));
        assert_eq!(complete(&["canc", "trace"]), BTreeSet::from(["trace-filter".to_owned()]));
        assert!(complete(&["canc", "build", "--with"]).contains("--with-runtime"));
        assert_eq!(complete(&["canc", "build", "--emit", "ap"]), BTreeSet::from(["apparmor".to_owned()]));
    }

    #[test]
    fn scripts_for_the_other_shells_name_every_command() {
        for (shell, start) in [("zsh", "#compdef canc"), ("fish", "#")] {
            let script = canc(&["completions", shell]);
            assert!(script.starts_with(start), "{}", script.lines().next().unwrap());
            for command in commands() {
                assert!(script.contains(&command), "{shell}: {command}");
            }
            // Where the shell is there, it must take the script.
            if let Ok(output) = Plain::new(shell).arg("--version").output().and_then(|_| {
                let dir = tempfile::tempdir()?;
                let path = dir.path().join("script");
                fs::write(&path, &script)?;
                Plain::new(shell).arg("-n").arg(&path).output()
            }) {
                assert!(output.status.success(), "{output:?}");
            }
        }
        let refused = Command::cargo_bin("canc").unwrap().args(["completions", "tcsh"]).output().unwrap();
        assert_eq!(refused.status.code(), Some(2));
    }

    /// What is wrong with a page by its macros alone.
    fn structure(page: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        let count = |word: &str| page.lines().filter(|l| *l == word).count();
        if !page.lines().any(|l| l.starts_with(".TH ")) || !page.lines().any(|l| l.starts_with(".SH NAME")) {
            wrong.push("it has no title or no name".to_owned());
        }
        if count(".nf") != count(".fi")
            || count(".RE") != page.lines().filter(|l| l.starts_with(".RS")).count()
        {
            wrong.push("a block is not closed".to_owned());
        }
        const KNOWN: &[&str] =
            &["TH", "SH", "SS", "TP", "PP", "IP", "RS", "RE", "nf", "fi", "ie", "el", "br"];
        for line in page.lines().filter_map(|l| l.strip_prefix('.')) {
            let word = line.split([' ', '\\']).next().unwrap();
            if !KNOWN.contains(&word) {
                wrong.push(format!("unknown macro in {line:?}"));
            }
        }
        wrong
    }

    #[test]
    fn there_is_a_page_for_every_command_and_for_the_language() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("share/man");
        let said = canc(&["man", root.to_str().unwrap()]);
        let mut expected: BTreeSet<String> = commands().iter().map(|c| format!("man1/canc-{c}.1")).collect();
        expected.extend(["man1/canc.1".into(), "man5/canc.5".into()]);
        assert_eq!(said, format!("wrote {} pages to {}\n", expected.len(), root.display()));
        for name in &expected {
            let path = root.join(name);
            let page = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(structure(&page), Vec::<String>::new(), "{name}");
            rendered(&path, name);
        }
        assert_eq!(fs::read_dir(root.join("man1")).unwrap().count(), expected.len() - 1);
        let build = fs::read_to_string(root.join("man1/canc-build.1")).unwrap();
        for part in [
            ".SH EXAMPLES\n.nf\ncanc build web.can\n",
            "\\-\\-with\\-runtime",
            "canc\\-build \\- Compile a policy",
        ] {
            assert!(build.contains(part), "{part:?} is not in\n{build}");
        }
        assert_eq!(canc(&["man"]), fs::read_to_string(root.join("man1/canc.1")).unwrap());
        let all: serde_json::Value = serde_json::from_str(&canc(&["man", "--json"])).unwrap();
        assert_eq!(all.as_object().unwrap().len(), expected.len());
    }

    /// Where groff is there, it must render the page without a warning.
    fn rendered(path: &Path, name: &str) {
        let Ok(output) = Plain::new("groff").args(["-man", "-Tutf8", "-ww", "-z"]).arg(path).output() else {
            return;
        };
        let said = String::from_utf8_lossy(&output.stderr);
        // Long lines of code cannot be broken.
        let said: Vec<&str> =
            said.lines().filter(|l| !l.contains("cannot adjust") && !l.contains("cannot break")).collect();
        assert!(output.status.success() && said.is_empty(), "{name}: {said:?}");
    }

    #[test]
    fn pages_that_cannot_be_written_are_an_error() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("man1"), "").unwrap();
        let output = Command::cargo_bin("canc").unwrap().arg("man").arg(dir.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(4));
        assert!(String::from_utf8_lossy(&output.stderr).contains("cannot make"), "{output:?}");
    }
}
