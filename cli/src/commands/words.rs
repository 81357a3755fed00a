//! A plan to what becomes allowed and denied against what is installed, in words: from the sources that the store keeps beside bundles.

use super::compile::options;
use super::diff::{self, Report, Version};
use super::target_options::build_options;
use crate::args::SourceArgs;
use canc_codegen::build::source_digest;
use canc_dsl::source::SourceMap;
use canc_dsl::{LoadError, Loaded, Loader};
use canc_runtime::apply::{Applied, Engine, Input, Plan};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// A policy's texts and what they were compiled with.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// The file that uses the others.
    main: String,
    /// Texts by name, the main one among them.
    texts: BTreeMap<String, String>,
    set: Vec<String>,
    allow_raw: bool,
    selinux_base: String,
    apparmor_abi: String,
    arch: Vec<String>,
}

/// What is kept of a source beside its bundle; `None` where it cannot be compiled from that again.
pub fn keep(args: &SourceArgs, sources: &SourceMap) -> Option<Vec<u8>> {
    let main = args.policy.display().to_string();
    let texts = sources.iter().map(|(_, file)| (plain(&file.name), file.text.to_string())).collect();
    let kept = Kept {
        main: plain(&main),
        texts,
        set: args.set.clone(),
        allow_raw: args.allow_raw,
        selinux_base: args.selinux_base.clone(),
        apparmor_abi: args.apparmor_abi.clone(),
        arch: args.arch.clone(),
    };
    serde_json::to_vec(&kept).ok()
}

/// How the policies of a plan differ from what is installed, and the names of those about which that is known.
pub fn differences(engine: &Engine, plan: &Plan, inputs: &[Input]) -> (Vec<Report>, BTreeSet<String>) {
    let mut pairs: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    let mut seen: BTreeMap<&str, &Applied> = BTreeMap::new();
    for (name, new) in &plan.to.policies {
        if let Some(old) = plan.from.policies.get(name).filter(|old| old.bundle != new.bundle) {
            pairs.entry((&old.bundle, &new.bundle)).or_default().insert(name);
            seen.extend([(old.bundle.as_str(), old), (new.bundle.as_str(), new)]);
        }
    }
    let mut reports = Vec::new();
    let mut known = BTreeSet::new();
    for ((old, new), names) in pairs {
        let version = |bundle: &str| {
            let applied = seen.get(bundle)?;
            let given = inputs.iter().find(|input| input.is(applied)).and_then(|input| input.source.clone());
            let bytes = given.or_else(|| engine.source_of(applied))?;
            compiled(&bytes, &applied.source)
        };
        // A source that nobody kept, or that another version of the compiler reads otherwise: the rules' texts have to do.
        let (Some((old, _)), Some((new, args))) = (version(old), version(new)) else { continue };
        let Ok(options) = build_options(&args, &[]) else { continue };
        if let Ok(report) = diff::between(&old, &new, &options, |name| names.contains(name)) {
            known.extend(names.into_iter().map(str::to_owned));
            reports.push(report);
        }
    }
    (reports, known)
}

/// The version that was installed, compiled again from texts whose digest is the bundle's.
fn compiled(bytes: &[u8], digest: &str) -> Option<(Version, SourceArgs)> {
    let kept: Kept = serde_json::from_slice(bytes).ok()?;
    let mut args = SourceArgs::new(Path::new(&kept.main), &kept.set, kept.arch.clone(), kept.allow_raw);
    args.selinux_base.clone_from(&kept.selinux_base);
    args.apparmor_abi.clone_from(&kept.apparmor_abi);
    let text = kept.texts.get(&kept.main)?;
    let found = canc_dsl::compile(&kept.main, text.as_bytes(), &kept, &options(&args).ok()?);
    if source_digest(&found.sources) != digest {
        return None;
    }
    let version = Version::new(found.sources, found.policies?, &build_options(&args, &[]).ok()?).ok()?;
    Some((version, args))
}

impl Loader for Kept {
    fn load(&self, relative_to: &str, path: &str) -> Result<Loaded, LoadError> {
        let base = Path::new(relative_to).parent().unwrap_or(Path::new(""));
        let name = plain(&base.join(path).display().to_string());
        match self.texts.get(&name) {
            Some(text) => Ok(Loaded { name: name.clone(), key: name, bytes: text.clone().into_bytes() }),
            None => Err(LoadError { message: "it was not kept".into() }),
        }
    }
}

/// A path without `.`, and without what `..` takes back.
fn plain(name: &str) -> String {
    let mut out = PathBuf::new();
    for part in Path::new(name).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out.display().to_string()
}
