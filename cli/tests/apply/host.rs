//! A private root with stand-ins for tools and a recorded kernel, and what there is in it.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use tempfile::TempDir;

const STANDINS: [(&str, &str); 6] = [
    ("apparmor_parser", include_str!("standins/apparmor_parser")),
    ("checkmodule", include_str!("standins/checkmodule")),
    ("semodule_package", include_str!("standins/semodule_package")),
    ("semodule", include_str!("standins/semodule")),
    ("restorecon", include_str!("standins/restorecon")),
    ("systemctl", include_str!("standins/systemctl")),
];
/// The unit of [`Host::with_service`], and what it says.
pub const UNIT: &str = "usr/lib/systemd/system/web.service";
pub const SERVICE: &str =
    "[Service]\nType=simple\nExecStart=/usr/bin/cat /srv/x/notes \\\n  'two words' $MORE\n";
const OLD_LABEL: &str = "system_u:object_r:before_t:s0";

/// A host. Its directory is gone when this is dropped.
pub struct Host {
    dir: TempDir,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

pub fn canc() -> &'static str {
    env!("CARGO_BIN_EXE_canc")
}

/// The bundles of three policies, built once: `cat`, its second version, which reads another directory too, and `dog`.
pub fn bundles() -> &'static Path {
    static BUILT: OnceLock<TempDir> = OnceLock::new();
    let dir = BUILT.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for (file, text) in
            [("one", policy("cat", "/srv/x")), ("two", second()), ("dog", policy("dog", "/srv/d"))]
        {
            let source = dir.path().join(format!("{file}.can"));
            fs::write(&source, text).unwrap();
            let target = dir.path().join(format!("{file}.canc"));
            let mut build = Command::new(canc());
            build.args(["build", "--arch", "x86_64", "-o"]).arg(&target).arg(&source);
            assert!(build.output().unwrap().status.success());
        }
        dir
    });
    dir.path()
}

pub fn bundle(name: &str) -> String {
    bundles().join(format!("{name}.canc")).display().to_string()
}

/// A policy of a name that reads a directory.
pub fn policy(name: &str, dir: &str) -> String {
    format!(
        "can 1;\npolicy {name} {{\n  exec \"/usr/bin/cat\";\n  launch from user, systemd;\n  include std.base;\n  allow read \"{dir}/**\" as data;\n}}\n"
    )
}

fn second() -> String {
    policy("cat", "/srv/x").replace("}\n", "  allow read \"/srv/y/**\" as more;\n}\n")
}

impl Host {
    /// A host with these layers and files in the directories that the policies read.
    pub fn new(apparmor: bool, selinux: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let host = Self { dir };
        for dir in [
            "etc/apparmor.d/abi",
            "etc/selinux/default",
            "usr/sbin",
            "tmp",
            "var/lib",
            "srv/x/deep",
            "srv/y",
            "srv/d",
        ] {
            fs::create_dir_all(host.path(dir)).unwrap();
        }
        for (name, text) in [
            ("etc/apparmor.d/abi/4.0", ""),
            ("etc/selinux/config", "SELINUX=enforcing\nSELINUXTYPE=default\n"),
            ("etc/selinux/semanage.conf", ""),
            ("srv/x/notes", "notes\n"),
            ("srv/x/deep/more", "more\n"),
            ("srv/y/other", "other\n"),
        ] {
            fs::write(host.path(name), text).unwrap();
        }
        if apparmor {
            fs::create_dir_all(host.path("sys/kernel/security/apparmor/policy/profiles")).unwrap();
        }
        if selinux {
            fs::create_dir_all(host.path("var/lib/selinux/default/active/modules/400")).unwrap();
            fs::create_dir_all(host.path("sys/fs/selinux")).unwrap();
            fs::write(host.path("sys/fs/selinux/enforce"), "1").unwrap();
            fs::write(host.path("sys/fs/selinux/types"), "").unwrap();
            assert!(
                Command::new("chcon")
                    .args(["-R", OLD_LABEL])
                    .arg(host.path("srv"))
                    .status()
                    .unwrap()
                    .success()
            );
        }
        for (name, text) in STANDINS {
            host.tool(name, text);
        }
        host
    }

    /// Makes it one with systemd, canc-run, the program of the policies, and the unit `web.service`, which starts it.
    pub fn with_service(self) -> Self {
        for dir in ["usr/lib/systemd/system", "etc/systemd/system", "run/systemd/system", "usr/bin"] {
            fs::create_dir_all(self.path(dir)).unwrap();
        }
        for program in ["usr/bin/cat", "usr/bin/canc-run", "usr/bin/other"] {
            fs::write(self.path(program), "program").unwrap();
            fs::set_permissions(self.path(program), fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(self.path(UNIT), SERVICE).unwrap();
        self
    }

    /// The same host once more.
    pub fn copy(&self) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let copied =
            Command::new("cp").args(["-aT", "--preserve=all"]).arg(self.dir.path()).arg(dir.path()).status();
        assert!(copied.unwrap().success());
        Self { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Puts a tool in place of another.
    pub fn tool(&self, name: &str, text: &str) {
        let path = self.path("usr/sbin").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// `canc WORDS --root HERE`.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(canc());
        command.args(words).arg("--root").arg(self.dir.path());
        command
    }

    pub fn canc(&self, words: &[&str]) -> Ran {
        self.command(words).output().unwrap().into()
    }

    /// The same to a good end.
    pub fn good(&self, words: &[&str]) -> String {
        let ran = self.canc(words);
        assert_eq!(ran.code, Some(0), "{words:?}: {ran:?}");
        ran.out
    }

    pub fn json(&self, words: &[&str]) -> Value {
        let ran = self.canc(words);
        serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{words:?}: {e}: {ran:?}"))
    }

    /// How a layer of a policy is, as `canc status` says it.
    pub fn is(&self, policy: &str, layer: &str) -> String {
        let status = self.json(&["status", "--json"]);
        let layers = status["layers"].as_array().unwrap();
        let found = layers.iter().find(|l| l["policy"] == policy && l["layer"] == layer);
        found.map_or("none".to_owned(), |l| l["is"].as_str().unwrap().to_owned())
    }

    /// Calls of tools since this was asked last.
    pub fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("calls")).unwrap_or_default();
        let _ = fs::remove_file(self.path("calls"));
        text.lines().map(str::to_owned).collect()
    }

    /// Whether each generation that can be gone back to has its state and its bundles.
    pub fn everything_of_history_is_there(&self) -> Result<usize, String> {
        let history = self.json(&["history", "--json"]);
        let entries = history["history"].as_array().unwrap();
        for entry in entries {
            let name = entry["generation"].as_str().unwrap();
            let state = self.path("var/lib/canc/generations").join(name).join("state.json");
            let text = fs::read_to_string(&state).map_err(|e| format!("{}: {e}", state.display()))?;
            let state: Value = serde_json::from_str(&text).unwrap();
            for (policy, applied) in state["policies"].as_object().unwrap() {
                let bundle = applied["bundle"].as_str().unwrap();
                if !self.path("var/lib/canc/bundles").join(bundle).join("manifest.json").exists() {
                    return Err(format!("generation {name} has no bundle of {policy}"));
                }
            }
        }
        Ok(entries.len())
    }

    /// Everything outside of canc's own store, and what the store says is current: path, mode, contents, label.
    pub fn everything(&self) -> BTreeMap<String, String> {
        let mut out = BTreeMap::new();
        for entry in walkdir::WalkDir::new(self.dir.path()) {
            let entry = entry.unwrap();
            let name = entry.path().strip_prefix(self.dir.path()).unwrap().display().to_string();
            if ["var/lib/canc", "calls", "odd", "tmp/"].iter().any(|own| name.starts_with(own)) {
                continue;
            }
            let mode = entry.metadata().unwrap().permissions().mode();
            let contents =
                if entry.file_type().is_file() { fs::read(entry.path()).unwrap() } else { Vec::new() };
            let mut label = [0; 256];
            let size = rustix::fs::lgetxattr(entry.path(), "security.selinux", &mut label[..]).unwrap_or(0);
            let label = String::from_utf8_lossy(&label[..size]).into_owned();
            out.insert(name, format!("{mode:o} {label} {}", String::from_utf8_lossy(&contents)));
        }
        let current = fs::read_link(self.path("var/lib/canc/current"));
        out.insert("current".into(), current.map(|to| to.display().to_string()).unwrap_or_default());
        out
    }
}
