//! `canc verify`: what the policy says against what this host's kernel does, layers on and off.

use super::compile::{compile, options, refuse};
use super::target_options::build_options;
use super::{Failure, Outcome, to_json};
use crate::args::VerifyArgs;
use crate::exit::Exit;
use crate::launcher::PROBE;
use crate::paint::Paint;
use crate::stream::Streams;
use crate::verify::attacks::Field;
use crate::verify::matrix::Run;
use crate::verify::suite::Asked;
use crate::verify::variant::Files;
use crate::verify::{Column, Judgement, Matrix, junit, show};
use canc_bundle::{Manifest, PolicyEntry};
use canc_codegen::build::{Build, BuildOptions, Subject, build};
use canc_codegen::coverage::NEWEST_LANDLOCK;
use canc_dsl::policy::{Deployment, PolicySet};
use canc_dsl::source::SourceMap;
use canc_runtime::{Bundle, Host, Layer, LayerState, Plan};
use canc_sets::syscalls::Arch;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;

pub fn run(args: &VerifyArgs, streams: &mut Streams<'_>) -> Outcome {
    let build_options = build_options(&args.source, &[])?;
    let here = [std::env::consts::ARCH.to_owned()];
    let (probe, _) = PROBE.read(args.probe.as_deref(), &here).map_err(Failure::host)?;
    let probe = probe.canonicalize().map_err(|e| Failure::host(format!("{}: {e}", probe.display())))?;
    let mut compiled = compile(&args.source)?;
    let Some(set) = compiled.policies.take() else { return Ok(refuse(args.source.json, &compiled, streams)) };
    let built = match build(&set, &compiled.sources, &build_options) {
        Ok(built) => built,
        Err(errors) => {
            compiled.diagnostics.extend(errors);
            return Ok(refuse(args.source.json, &compiled, streams));
        }
    };
    let verifier = Verifier {
        args,
        probe,
        sources: &compiled.sources,
        set: &set,
        built: &built,
        options: build_options,
    };
    let matrices = verifier.matrices()?;
    if let Some(file) = &args.junit {
        let failed = |e| Failure::host(format!("cannot write `{}`: {e}", file.display()));
        std::fs::write(file, junit::document(&matrices)).map_err(failed)?;
    }
    let exit = exit(&matrices);
    if args.source.json {
        streams.out(&to_json(&serde_json::json!({ "ok": exit == Exit::Done, "policies": matrices })));
    } else {
        matrices.iter().for_each(|matrix| streams.out(&show::text(matrix, Paint(streams.color))));
    }
    Ok(exit)
}

/// A probe that could not run is worse than a difference: nothing else may have been seen.
fn exit(matrices: &[Matrix]) -> Exit {
    let any = |judgement| matrices.iter().flat_map(|m| &m.rows).any(|row| row.result == judgement);
    if any(Judgement::NotRun) {
        Exit::Host
    } else if any(Judgement::Differs) {
        Exit::No
    } else {
        Exit::Done
    }
}

struct Verifier<'a> {
    args: &'a VerifyArgs,
    probe: PathBuf,
    sources: &'a SourceMap,
    set: &'a PolicySet,
    built: &'a Build,
    options: BuildOptions,
}

impl Verifier<'_> {
    fn matrices(&self) -> Result<Vec<Matrix>, Failure> {
        let wanted = self.args.name.as_deref();
        let policies = &self.built.manifest.policies;
        if let Some(name) = wanted.filter(|name| !policies.iter().any(|p| p.name == *name)) {
            let names: Vec<_> = policies.iter().map(|p| p.name.as_str()).collect();
            return Err(Failure::usage(format!(
                "there is no policy `{name}`; there are {}",
                names.join(", ")
            )));
        }
        let chosen = policies.iter().filter(|p| wanted.is_none_or(|name| p.name == name));
        chosen.map(|policy| self.matrix(policy)).collect()
    }

    fn matrix(&self, policy: &PolicyEntry) -> Result<Matrix, Failure> {
        let files: Files = self.built.files.iter().cloned().collect();
        let (facts, states) = host(&self.built.manifest, &files, &policy.name)?;
        let active = |layer| states.get(&layer).is_some_and(LayerState::is_active);
        let deployment = match (active(Layer::Selinux), active(Layer::Apparmor)) {
            (true, _) => Deployment::Selinux,
            (false, true) => Deployment::Apparmor,
            (false, false) => Deployment::Bare,
        };
        let landlock = if active(Layer::Landlock) { facts.landlock_abi.min(NEWEST_LANDLOCK) } else { 0 };
        let here = BuildOptions { deployments: vec![(deployment, landlock)], ..self.options.clone() };
        let subject = Subject::new(self.set, &self.built.lowered, &here);
        let language = options(&self.args.source)?;
        let arch = Arch::parse(std::env::consts::ARCH)
            .ok_or_else(|| Failure::host("canc does not know this machine's architecture"))?;
        let asked = Asked {
            subject: &subject,
            sources: self.sources,
            options: &language,
            policy: &policy.name,
            deployment,
            arch,
        };
        let run =
            Run::new(&self.built.manifest, &files, policy, &states, &self.probe).map_err(Failure::host)?;
        run.check().map_err(Failure::host)?;
        let mut items = asked.tests();
        let listener = TcpListener::bind("127.0.0.1:0").and_then(|l| Ok((l.local_addr()?.port(), l)));
        let (port, _listener) =
            listener.map_err(|e| Failure::host(format!("cannot listen on 127.0.0.1: {e}")))?;
        if !self.args.no_attacks {
            let rules = self.set.policy(&policy.name).ok_or_else(|| Failure::host("the policy is gone"))?;
            let field = Field { entry: policy, policy: rules, arch, port, secret: run.secret() };
            items.extend(asked.attacks(&field).map_err(Failure::host)?);
        }
        let rows = items.into_iter().map(|item| run.row(item)).collect();
        let absent = absent(&states);
        Ok(Matrix { policy: policy.name.clone(), host: deployment.word(), absent, rows })
    }
}

type States = BTreeMap<Layer, LayerState>;

/// The host, and what each layer of the policy comes to on it.
fn host(manifest: &Manifest, files: &Files, policy: &str) -> Result<(Host, States), Failure> {
    let told =
        |failure: canc_runtime::Failure| Failure::host(failure.told_by("the launch").trim_end().to_owned());
    let bytes = serde_json::to_vec(manifest).map_err(|e| Failure::host(e.to_string()))?;
    let bundle = Bundle::from_memory(&bytes, files.clone()).map_err(told)?;
    let policy = bundle.policy(Some(policy)).map_err(told)?;
    let facts = Host::probe(policy, None).map_err(told)?;
    let states = Plan::layers(policy, &facts);
    Ok((facts, states))
}

/// Layers that are not tried by themselves, and why.
fn absent(states: &States) -> Vec<(Column, String)> {
    let why = |state: &LayerState| match state {
        LayerState::Active { .. } => None,
        LayerState::Off => Some("the policy says `off`".to_owned()),
        LayerState::Absent { why } | LayerState::Unfit { why, .. } => Some(why.clone()),
    };
    states.iter().filter_map(|(layer, state)| Some((Column::Only(*layer), why(state)?))).collect()
}
