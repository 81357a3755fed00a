//! A bundle to the texts that are recorded of it.
//!
//! The report, the module, the contexts, the ports and the profile are recorded as they are, without longer runs of lines that a
//! policy of the same name without rules has too; of filters and rulesets the decisions are recorded (`filter_text`,
//! `landlock_text`), of the launch what differs from one without rules. `# record:` takes words for more:
//! `whole` (nothing is left out), `listing` (of the filters, with their bytes), `rulesets` and `manifest` (the files as they are).

use crate::canc::{Ran, build, canc};
use crate::case::Case;
use crate::record::{Texts, elided};
use crate::{filter_text, landlock_text};
use canc_bundle::{Manifest, PolicyEntry};
use canc_cli::Exit;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use tempfile::TempDir;

/// A bundle on disk that is removed with this.
pub struct Bundle {
    dir: TempDir,
    /// Its manifest.
    pub manifest: Manifest,
    /// What was printed.
    pub ran: Ran,
}

impl Bundle {
    /// Builds a policy.
    pub fn build(policy: &Path, options: &[String]) -> Result<Self, Ran> {
        let dir = tempfile::tempdir().unwrap();
        let mut ran = build(policy, options, &dir.path().join("bundle"));
        if ran.exit != Exit::Done {
            return Err(ran);
        }
        let wrote = format!("wrote {}\n", dir.path().join("bundle").display());
        ran.out =
            ran.out.strip_suffix(&wrote).expect("the last line says where").trim_end().to_owned() + "\n";
        let manifest = fs::read(dir.path().join("bundle").join(canc_bundle::MANIFEST)).unwrap();
        Ok(Self { manifest: serde_json::from_slice(&manifest).unwrap(), ran, dir })
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("bundle")
    }

    /// A file of it as text.
    pub fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).unwrap()
    }

    /// All its files: path relative to it, and bytes.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.path())
    }
}

/// All files below a directory: relative path, and bytes.
pub fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                out.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    out
}

/// What is recorded of a case that builds.
pub fn texts(case: &Case, bundle: &Bundle) -> Texts {
    let plain = if case.record.iter().any(|w| w == "whole") { None } else { without_rules(case, bundle) };
    let plain = plain.as_deref();
    let mut out = Texts::new();
    let mut add = |name: &str, own: String, plain: Option<String>| {
        let text = case.shown(&plain.map_or(own.clone(), |p| elided(&p, &own)));
        if !text.is_empty() {
            out.insert(name.to_owned(), text);
        }
    };
    let report = |b: &Bundle| format!("{}{}", b.ran.err, b.ran.out);
    add("report.txt", report(bundle), plain.map(report));
    for (name, of) in ARTEFACTS {
        add(name, joined(bundle, *of), plain.map(|p| joined(p, *of)));
    }
    add("seccomp.txt", filters(bundle, plain), None);
    add("landlock.txt", rulesets(bundle), plain.map(rulesets));
    add("launch.txt", launches(bundle, plain), None);
    if case.text().lines().any(|l| l.starts_with("test ")) {
        add("test.txt", proved(case), None);
    }
    for word in &case.record {
        match word.as_str() {
            "whole" => {}
            "listing" => add("seccomp.asm", listings(bundle), None),
            "rulesets" => add(
                "landlock.json",
                joined(bundle, |p| Some(p.landlock.as_ref()?.rulesets.path.clone())),
                None,
            ),
            "manifest" => add("manifest.json", bundle.text(canc_bundle::MANIFEST), None),
            other => panic!("{}: `{other}` is nothing to record", case.name),
        }
    }
    out
}

type Pick = fn(&PolicyEntry) -> Option<String>;

/// The artefacts that are recorded as text, and their place in an entry.
const ARTEFACTS: &[(&str, Pick)] = &[
    ("selinux.te", |p| Some(p.selinux.as_ref()?.te.path.clone())),
    ("selinux.fc", |p| Some(p.selinux.as_ref()?.fc.path.clone())),
    ("selinux_ports.cil", |p| Some(p.selinux.as_ref()?.ports.as_ref()?.path.clone())),
    ("apparmor.profile", |p| Some(p.apparmor.as_ref()?.source.path.clone())),
];

/// One kind of file of every policy, in the order of the policies.
fn joined(bundle: &Bundle, of: Pick) -> String {
    let paths = bundle.manifest.policies.iter().filter_map(of);
    paths.map(|path| bundle.text(&path)).collect::<Vec<_>>().join("\n")
}

fn titled(bundle: &Bundle, one: impl Fn(usize, &PolicyEntry) -> String) -> String {
    let policies = &bundle.manifest.policies;
    let texts = policies.iter().enumerate().map(|(i, p)| (&p.name, one(i, p))).filter(|(_, t)| !t.is_empty());
    let title = |name: &str| if policies.len() > 1 { format!("policy {name}\n") } else { String::new() };
    texts.map(|(name, text)| format!("{}{text}", title(name))).collect()
}

fn filters(bundle: &Bundle, plain: Option<&Bundle>) -> String {
    titled(bundle, |i, policy| {
        let Some(entry) = &policy.seccomp else { return String::new() };
        let plain_path = plain.map(Bundle::path);
        let plain =
            plain.and_then(|p| Some((plain_path.as_deref()?, p.manifest.policies[i].seccomp.as_ref()?)));
        filter_text::text((&bundle.path(), entry), plain)
    })
}

fn listings(bundle: &Bundle) -> String {
    titled(bundle, |_, policy| {
        let Some(entry) = &policy.seccomp else { return String::new() };
        let mut out = bundle.text(&entry.listing.path);
        for artefact in entry.programs.values().flatten() {
            out.push_str(&format!("\n; {}\n", artefact.path));
            for line in fs::read(bundle.path().join(&artefact.path)).unwrap().chunks(32) {
                let words = line.chunks(8).map(|c| c.iter().map(|b| format!("{b:02x}")).collect::<String>());
                out.push_str(&format!("; {}\n", words.collect::<Vec<_>>().join(" ")));
            }
        }
        out
    })
}

fn rulesets(bundle: &Bundle) -> String {
    titled(bundle, |_, policy| {
        let Some(entry) = &policy.landlock else { return String::new() };
        landlock_text::text(&serde_json::from_str(&bundle.text(&entry.rulesets.path)).unwrap())
    })
}

/// Of each launch the lines that a policy without rules has otherwise.
fn launches(bundle: &Bundle, plain: Option<&Bundle>) -> String {
    let value = |p: &PolicyEntry| serde_json::to_value(&p.launch).unwrap();
    titled(bundle, |i, policy| {
        let plain = plain.map(|p| value(&p.manifest.policies[i])).unwrap_or(Value::Null);
        let own = value(policy);
        let lines = own.as_object().unwrap().iter().filter(|(key, value)| plain.get(key) != Some(value));
        lines.map(|(key, value)| format!("{key}: {value}\n")).collect()
    })
}

fn proved(case: &Case) -> String {
    let skip = ["--for", "--deny"];
    let mut args = vec!["test".to_owned(), case.policy().display().to_string()];
    let mut options = case.options.iter();
    while let Some(option) = options.next() {
        if skip.contains(&option.as_str()) {
            options.next();
        } else if option != "--all" {
            args.push(option.clone());
        }
    }
    let ran = canc(&args);
    format!("{}{}", ran.err, ran.out)
}

/// Built policies by text and options.
type Known = BTreeMap<(String, Vec<String>), std::sync::Arc<Bundle>>;

/// Policies of the same names and programs, built with the same options, without any rule. They are the same for many cases.
fn without_rules(case: &Case, bundle: &Bundle) -> Option<std::sync::Arc<Bundle>> {
    static KNOWN: Mutex<Known> = Mutex::new(BTreeMap::new());
    let mut text = String::from("can 1;\n");
    for policy in &bundle.manifest.policies {
        let programs: Vec<String> =
            policy.launch.exec.iter().map(|p| format!("\"{}\"", p.replace('\\', "\\\\"))).collect();
        text.push_str(&format!("policy {} {{ exec {}; }}\n", policy.name, programs.join(", ")));
    }
    let mut options = Vec::new();
    let mut given = case.options.iter();
    while let Some(option) = given.next() {
        match option.as_str() {
            "--set" | "--deny" => drop(given.next()),
            "--all" | "--allow-raw" => {}
            _ => options.push(option.clone()),
        }
    }
    let key = (text, options);
    if let Some(known) = KNOWN.lock().unwrap().get(&key) {
        return Some(known.clone());
    }
    let dir = tempfile::tempdir().unwrap();
    let policy = dir.path().join("plain.can");
    fs::write(&policy, &key.0).unwrap();
    let built =
        Bundle::build(&policy, &key.1).unwrap_or_else(|ran| panic!("{}: {}\n{}", case.name, key.0, ran.err));
    let built = std::sync::Arc::new(built);
    KNOWN.lock().unwrap().insert(key, built.clone());
    Some(built)
}
