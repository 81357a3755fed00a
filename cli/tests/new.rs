//! `canc new` on programs of this machine, and on what is none.

#[cfg(test)]
mod tests {
    use assert_cmd::Command;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::{Path, PathBuf};

    fn canc(args: &[&str]) -> (i32, String, String) {
        let output = Command::cargo_bin("canc").unwrap().args(args).output().unwrap();
        let text = |b: Vec<u8>| String::from_utf8(b).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn program(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
        let path = dir.join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Every real program that the system itself needs, whatever else is installed.
    #[test]
    fn policies_of_real_programs_compile_hold_and_are_formatted() {
        let dir = tempfile::tempdir().unwrap();
        let mut tried = 0;
        for name in
            ["ls", "dpkg", "tar", "mount", "grep", "curl", "ssh-agent", "dbus-daemon", "bash", "sshd", "man"]
        {
            let known =
                ["/usr/bin", "/usr/sbin", "/bin", "/sbin"].iter().any(|d| Path::new(d).join(name).exists());
            if !known {
                continue;
            }
            tried += 1;
            let path = dir.path().join(format!("{name}.can"));
            let file = path.to_str().unwrap();
            let (exit, out, err) = canc(&["new", name, "-o", file]);
            assert!(exit == 0 && out.starts_with("wrote "), "{name}: {out}{err}");
            assert_eq!(canc(&["fmt", "--check", file]).0, 0, "{name}");
            let (exit, out, err) = canc(&["test", "--arch", std::env::consts::ARCH, file]);
            assert_eq!(exit, 0, "{name}: {out}{err}");
            let bundle = dir.path().join(format!("{name}.canc"));
            let (exit, _, err) = canc(&["build", file, "-o", bundle.to_str().unwrap()]);
            assert_eq!(exit, 0, "{name}: {err}");
        }
        // The first five are essential in Debian.
        assert!(tried >= 5, "{tried}");
    }

    #[test]
    fn what_the_package_manager_and_the_file_say_is_there() {
        let (exit, out, _) = canc(&["new", "--json", "/bin/ls"]);
        let json: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(
            (exit, &json["program"]),
            (0, &fs::canonicalize("/bin/ls").unwrap().to_str().unwrap().into())
        );
        assert_eq!(json["package"], "coreutils");
        let policy = json["policy"].as_str().unwrap();
        assert!(policy.contains(" libc.so.6") && policy.contains("/ld-linux"), "{policy}");
    }

    #[test]
    fn what_is_no_program_of_this_host_is_refused_and_nothing_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let ls = fs::read("/bin/ls").unwrap();
        let mut foreign = ls.clone();
        // `e_machine`: EM_PPC64, and one that canc knows and this host is not.
        foreign[18..20].copy_from_slice(&21_u16.to_le_bytes());
        let mut other = ls.clone();
        let machine: u16 = if cfg!(target_arch = "riscv64") { 62 } else { 243 };
        other[18..20].copy_from_slice(&machine.to_le_bytes());
        let mut narrow = ls.clone();
        narrow[4] = 1;
        let plain = dir.path().join("plain");
        fs::write(&plain, &ls).unwrap();
        fs::set_permissions(&plain, fs::Permissions::from_mode(0o644)).unwrap();
        let path = |p: PathBuf| p.to_str().unwrap().to_owned();
        let cases = [
            ("no-such-program-here".to_owned(), "there is no program"),
            (path(dir.path().join("missing")), "there is no program"),
            (path(dir.path().to_owned()), "is no program"),
            (path(plain), "is no program"),
            (path(program(dir.path(), "script", b"#!/bin/sh -e\necho\n")), "is a script that `/bin/sh` runs"),
            (path(program(dir.path(), "foreign", &foreign)), "is for another architecture"),
            (path(program(dir.path(), "other", &other)), " and this host is "),
            (path(program(dir.path(), "narrow", &narrow)), "no ELF file of 64 bits"),
            (path(program(dir.path(), "empty", b"")), "no ELF file"),
            (path(program(dir.path(), "cut", &ls[..70])), "damaged"),
        ];
        let target = dir.path().join("out.can");
        for (program, says) in cases {
            let (exit, out, err) = canc(&["new", &program, "-o", target.to_str().unwrap()]);
            assert!(exit == 4 && out.is_empty() && err.contains(says), "{program}: {exit} {err}");
            assert!(!target.exists(), "{program}");
        }
        fs::write(&target, "precious").unwrap();
        let (exit, _, err) = canc(&["new", "ls", "-o", target.to_str().unwrap()]);
        assert!(exit == 2 && err.contains("is there already"), "{err}");
        assert_eq!(fs::read_to_string(&target).unwrap(), "precious");
    }
}
