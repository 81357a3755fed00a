//! Bundles made by hand, the static probe, and launches of it with and without a layer.
#![allow(dead_code, reason = "each test binary uses a part of this")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

pub mod bpf;
mod built;

use built::built;

use canc_bundle::{
    Artefact, BuildOptions, Decision, FORMAT, LAUNCH_FD, LandlockEntry, LandlockPath, LandlockRuleset,
    LandlockRulesets, LaunchEntry, MANIFEST, Manifest, PolicyEntry, SeccompEntry, Source,
};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

/// The binary under test.
pub const CANC_RUN: &str = env!("CARGO_BIN_EXE_canc-run");

/// The probe, built statically so that a ruleset for it needs no libraries.
pub fn probe() -> &'static Path {
    static PROBE: OnceLock<PathBuf> = OnceLock::new();
    PROBE.get_or_init(|| built(CANC_RUN, "canc-probe", "canc-probe"))
}

/// A bundle that is being made, and the directory that it and its program live in.
pub struct Made {
    pub home: TempDir,
    pub manifest: Manifest,
    filters: Vec<Vec<u8>>,
    pub rulesets: LandlockRulesets,
}

/// By another process: a child that another test's thread forks would hold the new file open for writing, and it could not be executed.
pub fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg(from).arg(to).status().unwrap().success());
}

/// What a launch came to.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Made {
    /// A bundle whose policy starts the probe, with no layer but a filter that allows everything.
    pub fn new() -> Self {
        let home = tempfile::Builder::new().prefix("canc-test").tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // As a copy, since an ordinary user has to be able to reach it.
        fs::create_dir(home.path().join("bin")).unwrap();
        copy(probe(), &home.path().join("bin/probe"));
        copy(Path::new(CANC_RUN), &home.path().join("canc-run"));
        let exec = vec![home.path().canonicalize().unwrap().join("bin/*").to_str().unwrap().to_owned()];
        let artefact = || Artefact { path: String::new(), sha256: String::new() };
        let policy = PolicyEntry {
            name: "p".into(),
            selinux: None,
            apparmor: None,
            seccomp: Some(SeccompEntry {
                instructions: BTreeMap::new(),
                programs: BTreeMap::new(),
                listing: artefact(),
                launch_fd: LAUNCH_FD,
                needs_tracer: false,
                needs_listener: false,
            }),
            landlock: None,
            launch: launch_entry(exec),
            rules: Vec::new(),
            decisions: every_host(),
        };
        let manifest = Manifest {
            format: FORMAT,
            compiler: "test".into(),
            source: Source { name: "p.can".into(), sha256: String::new() },
            options: BuildOptions {
                selinux_base: "debian13".into(),
                apparmor_abi: "4.0".into(),
                apparmor_features: "debian13".into(),
                arches: vec![std::env::consts::ARCH.into()],
                parameters: BTreeMap::new(),
                frequencies: None,
            },
            policies: vec![policy],
        };
        Self { home, manifest, filters: vec![bpf::allow_all()], rulesets: BTreeMap::new() }
    }

    pub fn policy(&mut self) -> &mut PolicyEntry {
        &mut self.manifest.policies[0]
    }

    pub fn launch(&mut self) -> &mut LaunchEntry {
        &mut self.policy().launch
    }

    /// With these filters instead of the one that allows everything.
    pub fn filters(mut self, filters: Vec<Vec<u8>>) -> Self {
        self.filters = filters;
        self
    }

    /// With a ruleset for every ABI: all file accesses of ABI 1 handled, and these permitted.
    pub fn landlock(mut self, paths: &[(&str, &[&str])]) -> Self {
        let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let path = |(path, access): &(&str, &[&str])| LandlockPath {
            path: (*path).into(),
            access: words(access),
            optional: false,
            rules: vec!["r1".into()],
        };
        let ruleset = LandlockRuleset {
            handled_fs: words(&[
                "execute",
                "write_file",
                "read_file",
                "read_dir",
                "remove_dir",
                "remove_file",
                "make_char",
                "make_dir",
                "make_reg",
                "make_sock",
                "make_fifo",
                "make_block",
                "make_sym",
            ]),
            paths: paths.iter().map(path).collect(),
            ..LandlockRuleset::default()
        };
        self.rulesets.insert(1, ruleset);
        self
    }

    pub fn ruleset(&mut self) -> &mut LandlockRuleset {
        self.rulesets.get_mut(&1).unwrap()
    }

    /// The binary under test, where every user can reach it.
    pub fn canc_run(&self) -> PathBuf {
        self.home.path().join("canc-run")
    }

    pub fn probe(&self) -> PathBuf {
        self.home.path().join("bin/probe")
    }

    pub fn bundle(&self) -> PathBuf {
        self.home.path().join("p.canc")
    }

    /// Writes the bundle.
    pub fn write(&mut self) -> PathBuf {
        let bundle = self.bundle();
        fs::create_dir_all(&bundle).unwrap();
        let put = |path: String, bytes: &[u8]| {
            fs::write(bundle.join(&path), bytes).unwrap();
            fs::set_permissions(bundle.join(&path), fs::Permissions::from_mode(0o644)).unwrap();
            Artefact { sha256: Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect(), path }
        };
        let programs: Vec<_> =
            self.filters.iter().enumerate().map(|(n, f)| put(format!("p{n}.bpf"), f)).collect();
        if let Some(seccomp) = &mut self.manifest.policies[0].seccomp {
            seccomp.programs.insert(std::env::consts::ARCH.into(), programs);
        }
        if !self.rulesets.is_empty() {
            let rulesets = put("landlock.json".into(), &serde_json::to_vec(&self.rulesets).unwrap());
            self.manifest.policies[0].landlock = Some(LandlockEntry { rulesets });
        }
        put(MANIFEST.into(), &serde_json::to_vec(&self.manifest).unwrap());
        fs::set_permissions(&bundle, fs::Permissions::from_mode(0o755)).unwrap();
        bundle
    }

    /// The launch of the probe with these arguments.
    pub fn command(&mut self, arguments: &[&str]) -> Command {
        let bundle = self.write();
        let mut command = Command::new(self.canc_run());
        command.arg(bundle).arg("--").arg(self.probe()).args(arguments).stdin(Stdio::null());
        command
    }

    pub fn run(&mut self, arguments: &[&str]) -> Ran {
        ran(&mut self.command(arguments))
    }

    /// The probe's own answer, under the policy.
    pub fn ask(&mut self, arguments: &[&str]) -> Value {
        let ran = self.run(arguments);
        serde_json::from_str(&ran.out)
            .unwrap_or_else(|e| panic!("{e}: {:?} {} {}", ran.code, ran.out, ran.err))
    }

    /// Without canc.
    pub fn ask_bare(&self, arguments: &[&str]) -> Value {
        let ran = ran(Command::new(self.probe()).args(arguments));
        serde_json::from_str(&ran.out).unwrap()
    }

    /// Succeeds without the policy and gives this error with it: else the test would pass with no layer at all.
    pub fn refuses(&mut self, arguments: &[&str], error: &str) {
        let bare = self.ask_bare(arguments);
        assert!(bare.get("error").is_none(), "vacuous: {bare}");
        assert_eq!(self.ask(arguments)["error"], error, "{arguments:?}");
    }

    /// Succeeds with the policy.
    pub fn permits(&mut self, arguments: &[&str]) {
        let answer = self.ask(arguments);
        assert!(answer.get("error").is_none(), "{answer}");
    }

    /// Refused by canc-run itself, with these words, and the program did not run.
    pub fn is_refused(&mut self, words: &[&str]) {
        refused(&self.run(&["state"]), words);
    }
}

pub fn refused(ran: &Ran, words: &[&str]) {
    assert_eq!(ran.code, Some(125), "{} {}", ran.out, ran.err);
    assert_eq!(ran.out, "", "the program ran");
    for word in words {
        assert!(ran.err.contains(word), "{word:?} is not in: {}", ran.err);
    }
    // A report in JSON, where one is asked for, is a line of its own before it.
    let mut lines = ran.err.lines().skip_while(|line| line.starts_with('{'));
    assert!(lines.next().is_some_and(|line| line.starts_with("canc-run: ")), "{}", ran.err);
}

pub fn ran(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: status.code(), out: text(stdout), err: text(stderr) }
}

/// No demand on any layer, nothing else asked for.
fn launch_entry(exec: Vec<String>) -> LaunchEntry {
    LaunchEntry {
        exec,
        attach: Vec::new(),
        launch_from: vec!["user".into()],
        demands: BTreeMap::new(),
        require_one_of: Vec::new(),
        mode: "enforce".into(),
        capabilities: Vec::new(),
        no_new_privs: true,
        limits: BTreeMap::new(),
        isolate: Vec::new(),
        separate_instances: false,
        env_keep: Vec::new(),
        env_set: Vec::new(),
        keep_descriptors: Vec::new(),
        keep_activation: false,
    }
}

/// Launches whatever is active.
fn every_host() -> Vec<Decision> {
    let combination = |n: u8| Decision {
        selinux: n & 1 != 0,
        apparmor: n & 2 != 0,
        landlock_from: 0,
        landlock_to: u32::MAX,
        refused: Vec::new(),
        accepted: Vec::new(),
    };
    (0..4).map(combination).collect()
}

/// A shell in a mount namespace of its own, as root or as root of a user namespace.
pub fn with_own_mounts(script: &str) -> Command {
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command.args(["--mount", "--propagation", "private", "--", "sh", "-ec", script, "sh"]);
    command
}
