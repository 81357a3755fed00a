//! `canc fmt` on files: what it writes, what it leaves, and what it says.

#[cfg(test)]
mod tests {
    use assert_cmd::Command;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::path::{Path, PathBuf};

    const LOOSE: &str =
        "can 1;\n# why\npolicy p{exec \"/usr/bin/p\";   # last\n\n\n allow read \"/etc/p\",\"/etc/q\" ;}\n";
    const TIDY: &str = "can 1;\n\n# why\npolicy p {\n  exec \"/usr/bin/p\"; # last\n\n  allow read \"/etc/p\", \"/etc/q\";\n}\n";
    const BROKEN: &str = "can 1;\npolicy p {\n  exec   \"/usr/bin/p;\n}\n";

    fn fmt(args: &[&str], files: &[&Path]) -> (i32, String, String) {
        let output = Command::cargo_bin("canc").unwrap().arg("fmt").args(args).args(files).output().unwrap();
        let text = |b: Vec<u8>| String::from_utf8(b).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn file(dir: &Path, name: &str, text: &str) -> PathBuf {
        let path = dir.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn read(path: &Path) -> String {
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn files_are_formatted_in_place_and_keep_their_mode() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (file(dir.path(), "a.can", LOOSE), file(dir.path(), "b.can", TIDY));
        fs::set_permissions(&a, fs::Permissions::from_mode(0o640)).unwrap();
        let before = fs::metadata(&b).unwrap();
        let (exit, out, err) = fmt(&[], &[&a, &b]);
        assert_eq!((exit, out, err), (0, format!("formatted {}\n", a.display()), String::new()));
        assert_eq!((read(&a), read(&b)), (TIDY.into(), TIDY.into()));
        assert_eq!(fs::metadata(&a).unwrap().mode() & 0o7777, 0o640);
        // What is formatted already is not written.
        assert_eq!(fs::metadata(&b).unwrap().ino(), before.ino());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn check_writes_nothing_and_says_where() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (file(dir.path(), "a.can", LOOSE), file(dir.path(), "b.can", TIDY));
        let (exit, out, _) = fmt(&["--check"], &[&a, &b]);
        assert_eq!((exit, out), (1, format!("{}:2: not formatted\n", a.display())));
        assert_eq!(read(&a), LOOSE);
        assert_eq!(fmt(&["--check"], &[&b]), (0, String::new(), String::new()));
        let (exit, out, _) = fmt(&["--check", "--json"], &[&a, &b]);
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!((exit, &json["ok"]), (1, &false.into()));
        assert_eq!(json["files"][0]["line"], 2);
        assert_eq!(json["files"][1]["changed"], false);
    }

    #[test]
    fn a_broken_file_leaves_all_files_as_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (file(dir.path(), "a.can", LOOSE), file(dir.path(), "b.can", BROKEN));
        let (exit, out, err) = fmt(&[], &[&a, &b]);
        assert_eq!((exit, out), (3, String::new()));
        assert!(
            err.contains("this string is never closed") && err.contains("nothing was formatted"),
            "{err}"
        );
        assert_eq!((read(&a), read(&b)), (LOOSE.into(), BROKEN.into()));
        let (exit, _, err) = fmt(&[], &[&a, &dir.path().join("none.can")]);
        assert!(exit == 4 && err.contains("no such file"), "{exit} {err}");
        assert_eq!(read(&a), LOOSE);
        assert_eq!(fmt(&[], &[dir.path()]).0, 4);
    }

    #[test]
    fn standard_input_is_printed() {
        let run = |args: &[&str], text: &str| {
            let mut command = Command::cargo_bin("canc").unwrap();
            command.arg("fmt").args(args).write_stdin(text).output().unwrap()
        };
        let done = run(&["-"], LOOSE);
        assert_eq!((done.status.code(), String::from_utf8(done.stdout).unwrap()), (Some(0), TIDY.into()));
        let refused = run(&["-"], BROKEN);
        assert_eq!((refused.status.code(), refused.stdout.len()), (Some(3), 0));
        assert_eq!(run(&["--check", "-"], LOOSE).status.code(), Some(1));
        assert_eq!(run(&["--check", "-"], TIDY).status.code(), Some(0));
        assert_eq!(run(&["-", "x.can"], TIDY).status.code(), Some(2));
    }

    #[test]
    fn links_stay_links() {
        let dir = tempfile::tempdir().unwrap();
        let real = file(dir.path(), "real.can", LOOSE);
        let link = dir.path().join("link.can");
        symlink("real.can", &link).unwrap();
        assert_eq!(fmt(&[], &[&link]).0, 0);
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(read(&real), TIDY);

        let one = file(dir.path(), "one.can", LOOSE);
        let other = dir.path().join("other.can");
        fs::hard_link(&one, &other).unwrap();
        assert_eq!(fmt(&[], &[&one]).0, 0);
        assert_eq!(read(&other), TIDY);
        assert_eq!(fs::metadata(&one).unwrap().ino(), fs::metadata(&other).unwrap().ino());
    }

    /// Root may write every file, so the command runs as somebody else where the test runs as root.
    #[test]
    fn a_file_that_may_not_be_written_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = file(dir.path(), "a.can", LOOSE);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        // A copy, since others may not reach where it was built.
        let canc = dir.path().join("canc");
        // By a program of its own: a copy that a test has open for writing when another one forks cannot be executed.
        let mut copy = std::process::Command::new("cp");
        assert!(copy.arg(assert_cmd::cargo::cargo_bin("canc")).arg(&canc).status().unwrap().success());
        let mut command = std::process::Command::new(&canc);
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            use std::os::unix::process::CommandExt;
            command.uid(65534).gid(65534);
        }
        let output = command.arg("fmt").arg(&path).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(4) && err.contains("ermission denied"), "{output:?}");
        assert_eq!(read(&path), LOOSE);
    }

    #[test]
    fn the_owner_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = file(dir.path(), "a.can", LOOSE);
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            std::os::unix::fs::chown(&path, Some(1234), Some(4321)).unwrap();
        }
        let before = fs::metadata(&path).unwrap();
        assert_eq!(fmt(&[], &[&path]).0, 0);
        let after = fs::metadata(&path).unwrap();
        assert_eq!((after.uid(), after.gid(), read(&path)), (before.uid(), before.gid(), TIDY.into()));
    }
}
