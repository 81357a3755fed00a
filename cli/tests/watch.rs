//! `--watch`: what is printed after each kind of change.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{BufRead, BufReader};
    use std::path::Path;
    use std::process::{Child, Command, Stdio};
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    /// A watching command, killed at the end.
    struct Watching {
        child: Child,
        lines: Receiver<String>,
    }

    impl Watching {
        fn new(command: &str, policy: &Path) -> Self {
            // One pipe, so that lines come in the order in which they are printed.
            let mut child = Command::new("sh")
                .args(["-c", "exec \"$0\" \"$@\" 2>&1"])
                .arg(assert_cmd::cargo::cargo_bin("canc"))
                .args([command, "--watch"])
                .arg(policy)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let (send, lines) = channel();
            let stream = child.stdout.take().unwrap();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let _ = send.send(line);
                }
            });
            Self { child, lines }
        }

        /// Waits for a line.
        fn until(&self, part: &str) {
            let mut seen = Vec::new();
            loop {
                match self.lines.recv_timeout(Duration::from_secs(60)) {
                    Ok(line) if line.contains(part) => return,
                    Ok(line) => seen.push(line),
                    Err(why) => panic!("{why}: no {part:?} in {seen:#?}"),
                }
            }
        }
    }

    impl Drop for Watching {
        fn drop(&mut self) {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }

    #[test]
    fn a_change_of_any_file_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let (main, used) = (dir.path().join("main.can"), dir.path().join("used.can"));
        let policy = |rules: &str| {
            format!(
                "can 1;\nuse \"used.can\" as u;\npolicy p {{\n  exec \"/usr/bin/p\";\n  include u.f;\n{rules}}}\n"
            )
        };
        let fragment = |rules: &str| format!("can 1;\nfragment f {{\n{rules}}}\n");
        fs::write(&main, policy("")).unwrap();
        fs::write(&used, fragment("  allow read \"/a\";\n")).unwrap();
        let watching = Watching::new("check", &main);
        watching.until("1 policies, 1 rules");
        watching.until("watching");
        // In place.
        fs::write(&main, policy("  allow read \"/b\";\n")).unwrap();
        watching.until("1 policies, 2 rules");
        watching.until("watching");
        // As editors do it.
        fs::write(dir.path().join("new"), policy("  allow read \"/b\", \"/c\";\n  allow read \"/d\";\n"))
            .unwrap();
        fs::rename(dir.path().join("new"), &main).unwrap();
        watching.until("1 policies, 3 rules");
        watching.until("watching");
        // A mistake in a file that is used, and its end.
        fs::write(&used, fragment("  allow raed \"/a\";\n")).unwrap();
        watching.until("raed");
        watching.until("watching");
        // A file that is gone, and there again.
        fs::remove_file(&used).unwrap();
        watching.until("no such file");
        watching.until("watching");
        fs::write(&used, fragment("  allow read \"/a\";\n  allow read \"/e\";\n")).unwrap();
        watching.until("1 policies, 4 rules");
        watching.until("watching");
        fs::remove_file(&main).unwrap();
        watching.until("canc: cannot read");
        watching.until("watching");
        fs::write(&main, policy("")).unwrap();
        watching.until("1 policies, 2 rules");
    }

    #[test]
    fn tests_are_proved_again() {
        let dir = tempfile::tempdir().unwrap();
        let main = dir.path().join("main.can");
        let policy = |path: &str| {
            format!(
                "can 1;\npolicy p {{\n  exec \"/usr/bin/p\";\n  allow read \"{path}\";\n}}\ntest \"t\" {{ p allows read \"/etc/x\"; }}\n"
            )
        };
        fs::write(&main, policy("/etc/x")).unwrap();
        let watching = Watching::new("test", &main);
        watching.until("pass t");
        watching.until("watching");
        fs::write(&main, policy("/etc/y")).unwrap();
        watching.until("FAIL t");
    }

    #[test]
    fn what_is_not_there_is_an_error_and_nothing_else_is_watched() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("none.can");
        let run = |args: &[&str]| {
            Command::new(assert_cmd::cargo::cargo_bin("canc")).args(args).arg(&missing).output().unwrap()
        };
        assert_eq!(run(&["check", "--watch"]).status.code(), Some(4));
        assert_eq!(run(&["check", "--watch", "--json"]).status.code(), Some(2));
        assert_eq!(run(&["build", "--watch"]).status.code(), Some(2));
    }
}
