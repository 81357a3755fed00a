//! A policy's source to what `canc` makes of it, in variants that leave layers out, and to what installs it in a machine.
//!
//! It must not know what a policy is for. It uses the built `canc` and `canc-run` as anybody would, never the compiler's crates.

use crate::oracle::selinux::{Content, Module, Store};
use crate::run::Run;
use crate::vm::{self, File};
use crate::{Error, Rootfs};
use canc_bundle::{Artefact, MANIFEST, Manifest, PolicyEntry, RuleEntry};
use canc_guest::Step;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Where the machines have the launcher.
pub const LAUNCHER: &str = "/usr/local/bin/canc-run";
/// Where the machines have bundles.
const BUNDLES: &str = "/etc/canc";
/// Where the machines have profiles.
const PROFILES: &str = "/etc/apparmor.d";
/// The layers that a policy can leave out.
const LAYERS: [&str; 4] = ["selinux", "apparmor", "landlock", "seccomp"];
/// What a policy can tolerate.
const CLASSES: [&str; 17] = [
    "files",
    "execution",
    "file_attributes",
    "tcp_connect",
    "tcp_bind",
    "udp",
    "sockets",
    "unix_sockets",
    "capabilities",
    "signals",
    "ptrace",
    "syscalls",
    "userns",
    "namespaces",
    "mounts",
    "io_uring",
    "mqueue",
];

/// Which layers a variant of a policy has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layers {
    /// As its author wrote it.
    All,
    /// Those that every kernel has, without access control by labels or profiles.
    Bare,
    /// This one alone, so that whatever is refused is refused by it.
    Only(&'static str),
}

impl Layers {
    fn has(self, layer: &str) -> bool {
        match self {
            Self::All => true,
            Self::Bare => matches!(layer, "landlock" | "seccomp"),
            Self::Only(only) => layer == only,
        }
    }

    /// Part of a variant's name.
    fn suffix(self) -> String {
        match self {
            Self::All => String::new(),
            Self::Bare => "-bare".to_owned(),
            Self::Only(layer) => format!("-only-{layer}"),
        }
    }

    /// The source with statements that switch layers off, and accept what then nobody sees.
    fn rewrite(self, source: &str) -> Result<String, Error> {
        let off: String = LAYERS
            .iter()
            .filter(|layer| !self.has(layer) && !source.contains(&format!("backend {layer} off;")))
            .map(|layer| format!(" backend {layer} off;"))
            .collect();
        if off.is_empty() {
            return Ok(source.to_owned());
        }
        let accepted: Vec<_> = CLASSES.iter().filter(|class| !tolerates(source, class)).copied().collect();
        let tolerate = format!(" tolerate {} because \"layers are left out\";", accepted.join(", "));
        let opened: Vec<_> = source.match_indices("\npolicy ").map(|(at, _)| at).collect();
        let odd = || Error::Odd("no line of the source starts a policy".to_owned());
        let mut text = source.to_owned();
        for at in opened.iter().rev() {
            let brace = at + text.get(*at..).and_then(|rest| rest.find('{')).ok_or_else(odd)? + 1;
            text.insert_str(brace, &format!("{off}{tolerate}"));
        }
        if opened.is_empty() { Err(odd()) } else { Ok(text) }
    }
}

/// Whether the source has a statement that tolerates the class.
fn tolerates(source: &str, class: &str) -> bool {
    let statements = source.split("tolerate ").skip(1).filter_map(|rest| rest.split(" because").next());
    statements.flat_map(|list| list.split(',')).any(|word| word.trim() == class)
}

/// The source without the statement that starts in the rule's line.
fn without(source: &str, rule: &RuleEntry) -> Result<String, Error> {
    let odd = || Error::Odd(format!("no rule starts at {}", rule.at));
    let line: usize = rule.at.rsplit(':').next().and_then(|line| line.parse().ok()).ok_or_else(odd)?;
    let mut lines: Vec<_> = source.split_inclusive('\n').collect();
    let ends = |line: &&str| line.trim_end().ends_with(';');
    let first = line.checked_sub(1).filter(|first| *first < lines.len()).ok_or_else(odd)?;
    let count = lines.iter().skip(first).position(ends).ok_or_else(odd)? + 1;
    lines.drain(first..first + count);
    Ok(lines.concat())
}

/// The built programs, and where bundles are put.
pub struct Tools {
    canc: PathBuf,
    launcher: PathBuf,
    with_libselinux: PathBuf,
    selinux_answers: PathBuf,
    dir: TempDir,
}

/// A bundle that `canc build` wrote.
pub struct Compiled {
    /// Its directory on this machine.
    pub dir: PathBuf,
    name: String,
    manifest: Manifest,
}

/// The files of one policy's SELinux module.
#[derive(Debug, Clone)]
pub struct ModuleText {
    /// The module's name.
    pub module: String,
    /// Type enforcement.
    pub te: String,
    /// File contexts.
    pub fc: String,
    /// The side module of ports: its name and its text.
    pub ports: Option<(String, String)>,
}

impl Tools {
    /// Builds `canc` and `canc-run`, linked statically, so that they run in any root file system.
    pub fn build(rootfs: &Rootfs) -> Result<Self, Error> {
        let dir = rootfs.cache().scratch()?;
        // Both builds of the launcher come out under one name: the first is copied away.
        let with_libselinux = dir.path().join("canc-run-libselinux");
        let features = ["--features", "libselinux"];
        let built = vm::build_static("canc-runtime", &[&["--bin", "canc-run"], &features[..]].concat())?;
        fs::copy(built.join("canc-run"), &with_libselinux).map_err(Error::io("copying", &with_libselinux))?;
        let built = vm::build_static("canc-runtime", &[&["--example", "selinux"], &features[..]].concat())?;
        Ok(Self {
            selinux_answers: built.join("examples/selinux"),
            canc: vm::build_program("canc", "canc")?,
            launcher: vm::build_program("canc-runtime", "canc-run")?,
            with_libselinux,
            dir,
        })
    }

    /// `canc`.
    pub fn canc(&self) -> &Path {
        &self.canc
    }

    /// `canc-run`.
    pub fn launcher(&self) -> &Path {
        &self.launcher
    }

    /// `canc-run` with the feature `libselinux`.
    pub fn with_libselinux(&self) -> &Path {
        &self.with_libselinux
    }

    /// The program that asks libselinux and selinuxfs the same questions.
    pub fn selinux_answers(&self) -> &Path {
        &self.selinux_answers
    }

    /// A directory that is gone with this.
    pub fn scratch(&self) -> &Path {
        self.dir.path()
    }

    /// The launcher as a file of a machine.
    pub fn launcher_file(&self) -> File {
        File::program(LAUNCHER, &self.launcher)
    }

    /// `canc build` of a variant of the policy, named after it.
    pub fn compile(&self, name: &str, source: &str, layers: Layers) -> Result<Compiled, Error> {
        self.compile_text(format!("{name}{}", layers.suffix()), &layers.rewrite(source)?)
    }

    /// The same without one rule of the source.
    pub fn compile_without(
        &self,
        name: &str,
        source: &str,
        rule: &RuleEntry,
        layers: Layers,
    ) -> Result<Compiled, Error> {
        let name = format!("{name}{}-without-{}", layers.suffix(), rule.id);
        self.compile_text(name, &layers.rewrite(&without(source, rule)?)?)
    }

    fn compile_text(&self, name: String, source: &str) -> Result<Compiled, Error> {
        let file = self.scratch().join(format!("{name}.can"));
        fs::write(&file, source).map_err(Error::io("writing", &file))?;
        let dir = self.scratch().join(format!("{name}.canc"));
        Run::new(&self.canc).arg("build").arg(&file).arg("-o").arg(&dir).ok()?;
        let manifest = dir.join(MANIFEST);
        let bytes = fs::read(&manifest).map_err(Error::io("reading", &manifest))?;
        let manifest =
            serde_json::from_slice(&bytes).map_err(|e| Error::Odd(format!("{}: {e}", manifest.display())))?;
        Ok(Compiled { dir, name, manifest })
    }
}

impl Compiled {
    /// Its policies.
    pub fn policies(&self) -> &[PolicyEntry] {
        &self.manifest.policies
    }

    /// The words of a launch in a machine.
    pub fn launch<'a>(&'a self, argv: &[&'a str]) -> Vec<String> {
        let mut words = vec![LAUNCHER.to_owned(), self.bundle(), "--".to_owned()];
        words.extend(argv.iter().map(|&word| word.to_owned()));
        words
    }

    /// Where a machine has it.
    pub fn bundle(&self) -> String {
        format!("{BUNDLES}/{}.canc", self.name)
    }

    /// The whole bundle as files of a machine.
    pub fn files(&self) -> Result<Vec<File>, Error> {
        let mut files = Vec::new();
        for entry in walkdir::WalkDir::new(&self.dir).sort_by_file_name() {
            let entry = entry.map_err(|e| Error::Odd(e.to_string()))?;
            if entry.file_type().is_file() {
                let inside = entry.path().strip_prefix(&self.dir).unwrap_or(entry.path());
                let to = format!("{}/{}", self.bundle(), inside.display());
                files.push(File { mode: 0o644, ..File::program(&to, entry.path()) });
            }
        }
        Ok(files)
    }

    /// The profiles as files of a machine.
    pub fn profiles(&self) -> Vec<File> {
        let file = |entry: &canc_bundle::ApparmorEntry| File {
            mode: 0o644,
            ..File::program(&profile_path(&entry.profile), self.dir.join(&entry.source.path))
        };
        self.policies().iter().filter_map(|policy| policy.apparmor.as_ref()).map(file).collect()
    }

    /// The set-up steps that load the profiles.
    pub fn load_profiles(&self) -> Vec<Step> {
        let step = |entry: &canc_bundle::ApparmorEntry| {
            let argv = ["/usr/sbin/apparmor_parser", "-r", &profile_path(&entry.profile)];
            vm::step(&format!("load {} of {}", entry.profile, self.name), &argv)
        };
        self.policies().iter().filter_map(|policy| policy.apparmor.as_ref()).map(step).collect()
    }

    /// Where a machine has the profiles inside of the bundle.
    pub fn profiles_inside(&self) -> Vec<String> {
        let entries = self.policies().iter().filter_map(|policy| policy.apparmor.as_ref());
        entries.map(|entry| format!("{}/{}", self.bundle(), entry.source.path)).collect()
    }

    /// The modules, packaged by the owners' tools.
    pub fn modules(&self, store: &Store) -> Result<Vec<Module>, Error> {
        let mut modules = Vec::new();
        for entry in self.policies().iter().filter_map(|policy| policy.selinux.as_ref()) {
            let (te, fc) = (self.read(&entry.te)?, self.read(&entry.fc)?);
            let package = store.package(&entry.module, &te, &fc)?.accepted().map_err(Error::Odd)?;
            modules.push(Module { name: entry.module.clone(), content: Content::Package(package) });
            if let Some(ports) = &entry.ports {
                modules.push(Module { name: stem(ports), content: Content::Cil(self.read(ports)?) });
            }
        }
        Ok(modules)
    }

    /// The text of a policy's module: type enforcement and file contexts, then the name and the text of its side module of ports.
    pub fn module_text(&self, policy: &str) -> Result<ModuleText, Error> {
        let mut entries = self.policies().iter().filter(|p| p.name == policy);
        let entry = entries.find_map(|p| p.selinux.as_ref());
        let entry = entry.ok_or_else(|| Error::Odd(format!("the bundle has no module of `{policy}`")))?;
        let ports = entry.ports.as_ref().map(|ports| Ok::<_, Error>((stem(ports), self.read(ports)?)));
        Ok(ModuleText {
            module: entry.module.clone(),
            te: self.read(&entry.te)?,
            fc: self.read(&entry.fc)?,
            ports: ports.transpose()?,
        })
    }

    fn read(&self, artefact: &Artefact) -> Result<String, Error> {
        let file = self.dir.join(&artefact.path);
        fs::read_to_string(&file).map_err(Error::io("reading", file))
    }
}

/// The name of a module after its file.
fn stem(artefact: &Artefact) -> String {
    Path::new(&artefact.path).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn profile_path(profile: &str) -> String {
    format!("{PROFILES}/{profile}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str =
        "can 1;\n\npolicy a {\n  tolerate files because \"x\";\n}\n\npolicy b { exec \"/b\"; }\n";

    #[test]
    fn a_variant_switches_layers_off_in_every_policy() {
        let text = Layers::Only("landlock").rewrite(SOURCE).unwrap();
        for off in ["selinux", "apparmor", "seccomp"] {
            assert_eq!(text.matches(&format!("backend {off} off;")).count(), 2, "{text}");
        }
        assert!(!text.contains("backend landlock off"), "{text}");
    }

    #[test]
    fn what_is_tolerated_already_is_not_tolerated_twice() {
        let text = Layers::Only("landlock").rewrite(SOURCE).unwrap();
        assert!(!text.contains("tolerate files,") && text.contains("tolerate execution,"), "{text}");
        assert_eq!(Layers::All.rewrite(SOURCE).unwrap(), SOURCE);
    }

    #[test]
    fn a_rule_is_left_out_with_all_of_its_lines() {
        let source = "can 1;\npolicy a {\n  allow read \"/a\"\n    because \"x\";\n  allow read \"/b\";\n}\n";
        let rule = |at: &str| RuleEntry {
            id: "r1".into(),
            at: at.into(),
            text: String::new(),
            because: None,
            included_from: Vec::new(),
            verdicts: Default::default(),
            deployments: Default::default(),
        };
        assert_eq!(
            without(source, &rule("a.can:3")).unwrap(),
            "can 1;\npolicy a {\n  allow read \"/b\";\n}\n"
        );
        assert!(without(source, &rule("a.can:9")).is_err() && without(source, &rule("")).is_err());
    }

    #[test]
    fn a_source_without_a_policy_is_an_error() {
        assert!(Layers::Only("seccomp").rewrite("can 1;\n").is_err());
    }
}
