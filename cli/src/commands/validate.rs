//! `canc validate`: what the owners of the target languages say of a bundle, or of one that is built for the time of the question.

use super::compile::{Compiled, compile, refuse};
use super::target_options::build_options;
use super::{Failure, Outcome, to_json};
use crate::args::{ARCHES, SourceArgs, ValidateArgs};
use crate::exit::Exit;
use crate::stream::Streams;
use crate::validate::{self, Options};
use crate::write;
use canc_codegen::build::{Build, build};
use std::path::Path;

pub fn run(args: &ValidateArgs, streams: &mut Streams<'_>) -> Outcome {
    if args.subject.is_dir() {
        refuse_options_of_a_build(args)?;
        return ask(args, &args.subject, streams);
    }
    let mut compiled = compile(&args.source())?;
    let Some(built) = built(args, &mut compiled)? else { return Ok(refuse(args.json, &compiled, streams)) };
    let dir = tempfile::Builder::new().prefix("canc-bundle-").tempdir();
    let dir = dir.map_err(|e| Failure::host(format!("cannot make a temporary directory: {e}")))?;
    let bundle = dir.path().join("bundle");
    write::bundle(&bundle, &built.files, &[]).map_err(|e| Failure::host(e.to_string()))?;
    ask(args, &bundle, streams)
}

impl ValidateArgs {
    /// What `canc build` would be told.
    fn source(&self) -> SourceArgs {
        let mut out = SourceArgs::new(
            &self.subject,
            &self.set,
            ARCHES.split(',').map(str::to_owned).collect(),
            self.allow_raw,
        );
        if let Some(base) = &self.selinux_base {
            out.selinux_base.clone_from(base);
        }
        if let Some(abi) = &self.apparmor_abi {
            out.apparmor_abi.clone_from(abi);
        }
        out.json = self.json;
        out
    }
}

/// A bundle was built with options of its own.
fn refuse_options_of_a_build(args: &ValidateArgs) -> Result<(), Failure> {
    let given = [
        (!args.set.is_empty(), "--set"),
        (args.selinux_base.is_some(), "--selinux-base"),
        (args.apparmor_abi.is_some(), "--apparmor-abi"),
        (args.allow_raw, "--allow-raw"),
    ];
    super::refuse_options_of_a_build(&given, &args.subject)
}

/// `None` where the policy is wrong, which the diagnostics then say.
fn built(args: &ValidateArgs, compiled: &mut Compiled) -> Result<Option<Build>, Failure> {
    let options = build_options(&args.source(), &[])?;
    let Some(set) = compiled.policies.take() else { return Ok(None) };
    Ok(build(&set, &compiled.sources, &options).map_err(|errors| compiled.diagnostics.extend(errors)).ok())
}

fn ask(args: &ValidateArgs, bundle: &Path, streams: &mut Streams<'_>) -> Outcome {
    let report = validate::run(bundle, &Options { sysroot: args.sysroot.clone(), ..Options::default() })
        .map_err(Failure::host)?;
    let exit = report.exit();
    if args.json {
        streams.out(&to_json(&serde_json::json!({ "ok": exit == Exit::Done, "checks": report.checks })));
    } else {
        streams.out(&report.text());
    }
    Ok(exit)
}
