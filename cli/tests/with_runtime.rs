//! `canc build --with-runtime`: the launcher in a bundle runs where there is nothing else, and what would not is not put there.

#[cfg(test)]
#[path = "../../runtime/tests/support/built.rs"]
mod built;

#[cfg(test)]
mod tests {
    use crate::built::built;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Output};
    use std::sync::OnceLock;
    use tempfile::TempDir;

    const POLICY: &str = "can 1;\npolicy p {\n  exec \"/usr/bin/cat\";\n  include std.base;\n  \
        allow read \"/etc/hostname\";\n}\n";

    fn canc() -> PathBuf {
        assert_cmd::cargo::cargo_bin("canc")
    }

    /// `canc-run` as ci/test and people build it for other hosts.
    fn launcher() -> &'static Path {
        static LAUNCHER: OnceLock<PathBuf> = OnceLock::new();
        LAUNCHER.get_or_init(|| built(env!("CARGO_BIN_EXE_canc"), "canc-runtime", "canc-run"))
    }

    struct Built {
        home: TempDir,
        output: Output,
    }

    impl Built {
        fn with(option: &str, more: &[&str]) -> Self {
            let home = tempfile::tempdir().unwrap();
            let file = home.path().join("p.can");
            fs::write(&file, POLICY).unwrap();
            let mut command = Command::new(canc());
            command.arg("build").arg(&file).arg(option).args(more).current_dir(home.path());
            let output = command.output().unwrap();
            Self { home, output }
        }

        fn bundle(&self) -> PathBuf {
            self.home.path().join("p.canc")
        }

        /// Nothing was written, and the message has these words.
        fn is_refused(&self, words: &[&str]) {
            let text = String::from_utf8_lossy(&self.output.stderr);
            assert_eq!(self.output.status.code(), Some(4), "{text}");
            for word in words {
                assert!(text.contains(word), "{word:?} is not in {text}");
            }
            assert!(!self.bundle().exists(), "something was written");
        }
    }

    fn option(path: &Path) -> String {
        format!("--with-runtime={}", path.display())
    }

    #[test]
    fn the_bundle_starts_programs_by_itself() {
        let built = Built::with(&option(launcher()), &[]);
        assert!(built.output.status.success(), "{}", String::from_utf8_lossy(&built.output.stderr));
        let inside = built.bundle().join("canc-run");
        let output =
            Command::new(&inside).arg(built.bundle()).args(["--", "cat", "/etc/hostname"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let secret = built.home.path().join("secret");
        fs::write(&secret, "words").unwrap();
        let mut refused = Command::new(&inside);
        let refused = refused.arg(built.bundle()).args(["--", "cat"]).arg(&secret).output().unwrap();
        assert_eq!(refused.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&refused.stderr).contains("Permission denied"));
        // Without the option there is none.
        assert!(!Built::with("--all", &[]).bundle().join("canc-run").exists());
    }

    #[test]
    fn it_needs_no_library_where_a_dynamic_one_does() {
        assert!(rustix::process::geteuid().is_root(), "changing root needs root, as ci/test has");
        let built = Built::with(&option(launcher()), &[]);
        let empty = built.bundle();
        let run = |program: &str| {
            Command::new("chroot").arg(&empty).arg(program).arg("--version").output().unwrap().status.code()
        };
        assert_eq!(run("/canc-run"), Some(0));
        fs::copy("/usr/bin/env", empty.join("dynamic")).unwrap();
        assert_eq!(run("/dynamic"), Some(127), "vacuous: this root has libraries");
    }

    #[test]
    fn what_would_not_run_elsewhere_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: &[u8]| {
            let path = home.path().join(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        // The workspace's own is for this machine alone; where canc was built alone, there is none beside it.
        let dynamic = fs::read("/usr/bin/env").unwrap();
        let marked =
            [dynamic.as_slice(), concat!("canc-run ", env!("CARGO_PKG_VERSION"), "\n").as_bytes()].concat();
        let mends = ["to mend it:", "+crt-static"];
        Built::with(&option(&put("marked", &marked)), &[]).is_refused(&[
            "linked dynamically",
            "/ld",
            mends[0],
            mends[1],
        ]);
        Built::with(&option(&put("env", &dynamic)), &[]).is_refused(&["is no canc-run "]);
        Built::with(&option(&put("text", b"#!/bin/sh\n")), &[]).is_refused(&["is no program"]);
        Built::with(&option(Path::new("/nonexistent/canc-run")), &[]).is_refused(&["No such file", mends[0]]);
        Built::with(&option(home.path()), &[]).is_refused(&["is no launcher"]);
        let other = if std::env::consts::ARCH == "riscv64" { "x86_64" } else { "riscv64" };
        Built::with(&option(launcher()), &["--arch", other]).is_refused(&["is for", other]);
    }

    #[test]
    fn an_older_launcher_is_none_of_this_version() {
        let version = concat!("canc-run ", env!("CARGO_PKG_VERSION"), "\n");
        let mut bytes = fs::read(launcher()).unwrap();
        let at = bytes.windows(version.len()).position(|w| w == version.as_bytes()).unwrap();
        bytes[at + version.len() - 2] = b'x';
        let home = tempfile::tempdir().unwrap();
        let old = home.path().join("canc-run");
        fs::write(&old, bytes).unwrap();
        Built::with(&option(&old), &[]).is_refused(&["is no canc-run "]);
    }
}
