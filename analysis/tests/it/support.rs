//! Texts to policies, lowered for the usual targets: what the tests of this crate ask about.
use canc_codegen::apparmor::ApparmorOptions;
use canc_codegen::apparmor::features::{Abi, DEBIAN13, DEFAULT_FEATURES, FeatureSet};
use canc_codegen::build::{BuildOptions, Lowered, Subject, lower};
use canc_codegen::coverage::DEPLOYED_LANDLOCK;
use canc_codegen::seccomp::SeccompOptions;
use canc_codegen::selinux::base::Base;
use canc_dsl::policy::{Deployment, PolicySet, Request};
use canc_dsl::source::SourceMap;
use canc_dsl::{NoFiles, Options, compile, parse_request};
use canc_sets::syscalls::Arch;
use std::collections::BTreeMap;

/// A text, its policies, and what they became.
pub struct Lowering {
    pub sources: SourceMap,
    pub set: PolicySet,
    pub lowered: Vec<Lowered>,
    pub options: BuildOptions,
}

pub fn options() -> BuildOptions {
    let features = FeatureSet::parse(DEBIAN13).unwrap();
    BuildOptions {
        base: Base::debian13(),
        base_name: "debian13".into(),
        apparmor: ApparmorOptions::new(Abi::V4, features).unwrap(),
        apparmor_features: DEFAULT_FEATURES.into(),
        seccomp: SeccompOptions { arches: vec![Arch::X86_64], ..SeccompOptions::default() },
        deployments: Deployment::ALL.map(|d| (d, DEPLOYED_LANDLOCK)).to_vec(),
        parameters: BTreeMap::new(),
        version: "0".into(),
    }
}

impl Lowering {
    pub fn of(text: &str) -> Self {
        let made = compile("p.can", text.as_bytes(), &NoFiles, &Options::default());
        let said: Vec<&str> = made.diagnostics.iter().map(|d| d.message.as_str()).collect();
        let set = made.policies.unwrap_or_else(|| panic!("{text}\n{said:#?}"));
        let options = options();
        let lowered = lower(&set, &options).unwrap_or_else(|e| panic!("{text}\n{e:#?}"));
        Self { sources: made.sources, set, lowered, options }
    }

    pub fn subject(&self) -> Subject<'_> {
        Subject::new(&self.set, &self.lowered, &self.options)
    }

    pub fn request(&self, text: &str) -> Request {
        let reading = parse_request(text, &self.set, &Options::default());
        reading.request.unwrap_or_else(|| panic!("{text}: {:?}", reading.diagnostics))
    }
}
