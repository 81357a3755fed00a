//! `canc run`: a policy, compiled in memory, or a bundle to a program that runs under it in place of canc.

use super::compile::{compile_and_build, refuse};
use super::{Failure, Outcome};
use crate::args::{Report, RunArgs, SourceArgs};
use crate::exit::Exit;
use crate::stream::Streams;
use canc_runtime::{Bundle, Code, Decision, Format, Request, launch};

/// What messages begin with.
const CALLED: &str = "canc run";

/// Comes back only if the program was not started. Whatever the reason, the exit code is one of 125 to 127, since the others are the
/// program's own.
pub fn run(args: &RunArgs, streams: &mut Streams<'_>) -> Outcome {
    let bundle = match opened(args, streams) {
        Ok(Ok(bundle)) => bundle,
        Ok(Err(refused)) => return Ok(refused),
        Err(failure) => return Err(Failure { exit: Exit::Refused, ..failure }),
    };
    Ok(match launch(&bundle, request(args)) {
        Ok(decision) => dry_run(&decision, streams),
        Err(failure) => fail(&failure, streams),
    })
}

/// The bundle, or the exit code where the policy is wrong and the diagnostics say so.
fn opened(args: &RunArgs, streams: &mut Streams<'_>) -> Result<Result<Bundle, Exit>, Failure> {
    if args.subject.is_dir() {
        args.refuse_options_of_a_build()?;
        return Ok(Bundle::open(&args.subject).map_err(|failure| fail(&failure, streams)));
    }
    let (compiled, built) = compile_and_build(&args.source())?;
    let Some(built) = built else {
        let _ = refuse(false, &compiled, streams);
        return Ok(Err(Exit::Refused));
    };
    let files: std::collections::BTreeMap<String, Vec<u8>> = built.files.into_iter().collect();
    let manifest = files.get(canc_bundle::MANIFEST).cloned().unwrap_or_default();
    Ok(Bundle::from_memory(&manifest, files).map_err(|failure| fail(&failure, streams)))
}

fn request(args: &RunArgs) -> Request {
    Request {
        called: CALLED.into(),
        policy: args.policy.clone(),
        command: args.command.clone(),
        report: args.report.map(|report| match report {
            Report::Text => Format::Text,
            Report::Json => Format::Json,
        }),
        report_to: args.report_to,
        load: false,
        dry_run: args.dry_run,
        opened_stdio: Vec::new(),
    }
}

fn dry_run(decision: &Decision, streams: &mut Streams<'_>) -> Exit {
    streams.out(&decision.to_string());
    decision.plan.as_ref().map_or_else(|failure| fail(failure, streams), |_| Exit::Done)
}

fn fail(failure: &canc_runtime::Failure, streams: &mut Streams<'_>) -> Exit {
    streams.err(&failure.told_by(CALLED));
    match failure.code {
        Code::Refused => Exit::Refused,
        Code::CannotExecute => Exit::CannotExecute,
        Code::NotFound => Exit::NotFound,
    }
}

impl RunArgs {
    /// What `canc build` would be told: filters are made for this machine alone.
    fn source(&self) -> SourceArgs {
        SourceArgs {
            apparmor_features: self.apparmor_features.clone(),
            ..self.compile.source(&self.subject, vec![std::env::consts::ARCH.into()])
        }
    }

    /// A bundle was built with options of its own.
    fn refuse_options_of_a_build(&self) -> Result<(), Failure> {
        let features = (self.apparmor_features.is_some(), "--apparmor-features");
        let given: Vec<_> = self.compile.given().into_iter().chain([features]).collect();
        super::refuse_options_of_a_build(&given, &self.subject)
    }
}
