//! `canc build` under any umask: what it writes can be read by everybody and written by its owner alone.

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::process::Command;

    fn modes(of: &Path, out: &mut Vec<(bool, u32)>) {
        let meta = fs::symlink_metadata(of).unwrap();
        out.push((meta.is_dir(), meta.permissions().mode() & 0o7777));
        if meta.is_dir() {
            fs::read_dir(of).unwrap().for_each(|entry| modes(&entry.unwrap().path(), out));
        }
    }

    #[test]
    fn a_bundle_has_the_same_modes_under_every_umask() {
        for umask in ["002", "077", "000"] {
            let home = tempfile::tempdir().unwrap();
            let policy = "can 1; policy p { exec \"/usr/bin/true\"; include std.base; }";
            fs::write(home.path().join("p.can"), policy).unwrap();
            let script = format!("umask {umask}; exec \"$0\" build p.can");
            let mut shell = Command::new("sh");
            shell.args(["-c", &script]).arg(assert_cmd::cargo::cargo_bin("canc")).current_dir(home.path());
            let output = shell.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let mut seen = Vec::new();
            modes(&home.path().join("p.canc"), &mut seen);
            assert!(seen.len() > 8, "{seen:?}");
            for (directory, mode) in seen {
                assert_eq!(mode, if directory { 0o755 } else { 0o644 }, "umask {umask}");
            }
        }
    }
}
