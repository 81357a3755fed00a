//! Checked policies to a whole bundle in memory: every artefact, every verdict, what each deployment comes to, and the manifest.

mod dead;
mod edges;
mod escapes;
mod files;
mod judge;
mod launch;
mod lines;
mod lower;
mod manifest;

pub use judge::{Deployed, Subject};
pub use lower::Lowered;
pub use manifest::source_digest;

use crate::apparmor::ApparmorOptions;
use crate::seccomp::SeccompOptions;
use crate::selinux;
use crate::selinux::base::Base;
use canc_bundle::Manifest;
use canc_dsl::diag::Diagnostic;
use canc_dsl::policy::{Deployment, PolicySet};
use canc_dsl::source::SourceMap;
use std::collections::BTreeMap;

/// What a build is made for.
#[derive(Debug, Clone)]
pub struct BuildOptions {
    /// The SELinux policy that modules join.
    pub base: Base,
    /// Its name, for the manifest.
    pub base_name: String,
    /// The AppArmor ABI and kernel features.
    pub apparmor: ApparmorOptions,
    /// The name of the feature set, for the manifest.
    pub apparmor_features: String,
    /// The architectures and the launch's descriptor.
    pub seccomp: SeccompOptions,
    /// The deployments that matter, each with the Landlock ABI it has.
    pub deployments: Vec<(Deployment, u32)>,
    /// Values given to parameters, for the manifest.
    pub parameters: BTreeMap<String, String>,
    /// The compiler's version, for the manifest.
    pub version: String,
}

/// A finished build.
#[derive(Debug)]
pub struct Build {
    /// What each policy became, in their order.
    pub lowered: Vec<Lowered>,
    /// The manifest.
    pub manifest: Manifest,
    /// Every file of the bundle, the manifest first: path relative to the bundle, and contents.
    pub files: Vec<(String, Vec<u8>)>,
    /// Warnings and notes of the back ends, and what a deployment does not enforce.
    pub diagnostics: Vec<Diagnostic>,
}

/// Builds everything.
///
/// # Errors
/// What the targets cannot say at all, and what no deployment enforces: every case of it, with its place in the source.
pub fn build(set: &PolicySet, sources: &SourceMap, options: &BuildOptions) -> Result<Build, Vec<Diagnostic>> {
    let lowered = lower(set, options)?;
    let judged = judge::judge(set, &lowered, options).map_err(|large| vec![judge::too_large(set, &large)])?;
    if judged.diagnostics.iter().any(|d| d.severity == canc_dsl::diag::Severity::Error) {
        return Err(judged.diagnostics);
    }
    let mut files = Vec::new();
    let manifest = manifest::assemble(set, sources, &lowered, &judged.policies, options, &mut files);
    files.insert(0, (canc_bundle::MANIFEST.into(), manifest::text(&manifest)));
    Ok(Build { lowered, manifest, files, diagnostics: judged.diagnostics })
}

/// Lowers everything to models of the target languages, and judges nothing: for questions about what would be emitted.
///
/// # Errors
/// What the targets cannot say at all.
pub fn lower(set: &PolicySet, options: &BuildOptions) -> Result<Vec<Lowered>, Vec<Diagnostic>> {
    let mut errors = Vec::new();
    let modules = selinux::lower(set, &options.base).unwrap_or_else(|list| {
        errors.extend(list.iter().map(lower::selinux_error));
        Vec::new()
    });
    let lowered: Vec<Lowered> = set
        .policies()
        .iter()
        .filter_map(|policy| {
            let module = modules.iter().find(|m| m.policy == policy.name).cloned();
            Lowered::new(set, policy, module, options, &mut errors)
        })
        .collect();
    if errors.is_empty() { Ok(lowered) } else { Err(errors) }
}
