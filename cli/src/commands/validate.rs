//! `canc validate`: what the owners of the target languages say of a bundle, or of one that is built for the time of the question.

use super::compile::{compile_and_build, refuse};
use super::{Failure, Outcome, refuse_options_of_a_build, to_json};
use crate::args::{ARCHES, ValidateArgs};
use crate::exit::Exit;
use crate::stream::Streams;
use crate::validate::{self, Options};
use crate::write;
use std::path::Path;

pub fn run(args: &ValidateArgs, streams: &mut Streams<'_>) -> Outcome {
    if args.subject.is_dir() {
        refuse_options_of_a_build(&args.compile.given(), &args.subject)?;
        return ask(args, &args.subject, streams);
    }
    let source = args.compile.source(&args.subject, ARCHES.split(',').map(str::to_owned).collect());
    let (compiled, built) = compile_and_build(&source)?;
    let Some(built) = built else { return Ok(refuse(args.json, &compiled, streams)) };
    let dir = tempfile::Builder::new().prefix("canc-bundle-").tempdir();
    let dir = dir.map_err(|e| Failure::host(format!("cannot make a temporary directory: {e}")))?;
    let bundle = dir.path().join("bundle");
    write::bundle(&bundle, &built.files, &[]).map_err(|e| Failure::host(e.to_string()))?;
    ask(args, &bundle, streams)
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
