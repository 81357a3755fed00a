//! Command-line options to what the back ends are told: the base, the features, the deployments.

use super::Failure;
use super::compile::arches;
use crate::args::SourceArgs;
use crate::input;
use canc_codegen::apparmor::ApparmorOptions;
use canc_codegen::apparmor::features::{Abi, DEBIAN13, DEFAULT_FEATURES, FeatureSet};
use canc_codegen::build::BuildOptions;
use canc_codegen::coverage::{DEPLOYED_LANDLOCK, NEWEST_LANDLOCK};
use canc_codegen::seccomp::SeccompOptions;
use canc_codegen::selinux::base::Base;
use canc_dsl::policy::Deployment;
use std::collections::BTreeMap;
use std::path::Path;

/// Everything that the back ends are told.
pub fn build_options(args: &SourceArgs, deployments: &[String]) -> Result<BuildOptions, Failure> {
    let base = base(&args.selinux_base)?;
    let (apparmor_features, apparmor) = apparmor(args)?;
    let parameters =
        args.set.iter().filter_map(|s| s.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned()));
    Ok(BuildOptions {
        base_name: base.name().to_string(),
        base,
        apparmor,
        apparmor_features,
        seccomp: SeccompOptions { arches: arches(&args.arch)?, ..SeccompOptions::default() },
        deployments: parse_deployments(deployments)?,
        parameters: parameters.collect(),
        version: env!("CARGO_PKG_VERSION").into(),
    })
}

/// A built-in base, or a directory with the same files.
fn base(name: &str) -> Result<Base, Failure> {
    if let Some(base) = Base::builtin(name) {
        return Ok(base);
    }
    let dir = Path::new(name);
    if !dir.is_dir() {
        let message = format!(
            "`{name}` is no SELinux base; there are debian13 and fedora, or give a directory of facts"
        );
        return Err(Failure::usage(message));
    }
    let failed = |what: String| Failure::host(format!("cannot read `{}`: {what}", dir.display()));
    let mut files = BTreeMap::new();
    for entry in dir.read_dir().map_err(|e| failed(e.to_string()))? {
        let path = entry.map_err(|e| failed(e.to_string()))?.path();
        if path.extension().is_some_and(|e| e == "tsv") {
            let bytes = input::read(&path).map_err(Failure::host)?;
            let text =
                String::from_utf8(bytes).map_err(|_| failed(format!("`{}` is not UTF-8", path.display())))?;
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            files.insert(name, text);
        }
    }
    let name = dir.file_name().map_or_else(|| name.to_owned(), |n| n.to_string_lossy().into_owned());
    Base::from_files(&name, &files).map_err(|e| failed(e.to_string()))
}

fn apparmor(args: &SourceArgs) -> Result<(String, ApparmorOptions), Failure> {
    let abi = if args.apparmor_abi == "3.0" { Abi::V3 } else { Abi::V4 };
    let (name, text) = match &args.apparmor_features {
        None => (DEFAULT_FEATURES.to_owned(), DEBIAN13.to_owned()),
        Some(path) => {
            let bytes = input::read(path).map_err(Failure::host)?;
            let text = String::from_utf8(bytes)
                .map_err(|_| Failure::usage(format!("`{}` is not UTF-8", path.display())))?;
            (path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(), text)
        }
    };
    let bad = |e: &dyn std::fmt::Display| {
        Failure::usage(format!("the AppArmor features `{name}` cannot be read: {e}"))
    };
    let set = FeatureSet::parse(&text).map_err(|e| bad(&e))?;
    let options = ApparmorOptions::new(abi, set).map_err(|e| bad(&e))?;
    Ok((name, options))
}

fn parse_deployments(words: &[String]) -> Result<Vec<(Deployment, u32)>, Failure> {
    if words.is_empty() {
        return Ok(Deployment::ALL.map(|d| (d, DEPLOYED_LANDLOCK)).to_vec());
    }
    let mut out: Vec<(Deployment, u32)> = Vec::new();
    for word in words {
        let (name, abi) = word.split_once(':').map_or((word.as_str(), None), |(n, a)| (n, Some(a)));
        let deployment = Deployment::ALL.into_iter().find(|d| d.word() == name);
        let landlock = match abi {
            None => Some(DEPLOYED_LANDLOCK),
            Some(text) => text.parse().ok().filter(|n| *n <= NEWEST_LANDLOCK),
        };
        let (Some(deployment), Some(landlock)) = (deployment, landlock) else {
            return Err(Failure::usage(format!(
                "`--for {word}` is no deployment; there are selinux, apparmor and bare, each with `:N` for a Landlock ABI up to {NEWEST_LANDLOCK}"
            )));
        };
        if out.iter().any(|d| d.0 == deployment) {
            return Err(Failure::usage(format!("`--for` names {name} twice")));
        }
        out.push((deployment, landlock));
    }
    out.sort_unstable();
    Ok(out)
}
