//! `canc export`: a policy's filter in another program's format, and what the format cannot say.

use super::compile::{arches, compile, refuse};
use super::{Failure, Outcome, choose, to_json};
use crate::args::{ExportArgs, ExportFormat, SourceArgs};
use crate::exit::Exit;
use crate::paint::{Paint, pad};
use crate::stream::Streams;
use crate::{call, write};
use canc_codegen::interchange::{Verdict, oci_export, systemd};
use canc_codegen::seccomp::{SeccompOptions, lower};
use canc_dsl::policy::{Demand, Policy, Target};
use canc_sets::syscalls::Arch;

/// Columns of a verdict before its reason.
const VERDICT: usize = 12;

pub fn run(args: &ExportArgs, streams: &mut Streams<'_>) -> Outcome {
    let served = served(args)?;
    let host = served.first().copied().map(Arch::host).unwrap_or(Arch::X86_64);
    if args.widen && args.format == ExportFormat::Oci {
        return Err(Failure::usage("`--widen` is for systemd; OCI profiles have conditions"));
    }
    let mut compiled = compile(&args.source(&served))?;
    let Some(set) = compiled.policies.take() else { return Ok(refuse(args.json, &compiled, streams)) };
    let policy: &Policy = choose(set.policies(), args.policy.as_deref(), |p| &p.name)?;
    if policy.demand(Target::Seccomp) == Demand::Off {
        let message = format!("policy `{}` has no filters: it says `backend seccomp off`", policy.name);
        return Err(Failure::usage(message));
    }
    // What a launch by canc needs is no part of another launcher's filter.
    let options = SeccompOptions { arches: served, base: false, ..SeccompOptions::default() };
    let lowered = match lower(policy, &options) {
        Ok(lowered) => lowered,
        Err(errors) => {
            compiled.diagnostics.extend(errors.iter().map(|e| e.diagnostic(policy)));
            return Ok(refuse(args.json, &compiled, streams));
        }
    };
    let exported = match args.format {
        ExportFormat::Oci => oci_export::export(&lowered, policy, host).map(|e| (e.text, e.verdicts)),
        ExportFormat::Systemd => {
            systemd::export(&lowered, policy, host, args.widen).map(|e| (e.text, e.verdicts))
        }
    };
    let (text, verdicts) =
        exported.ok_or_else(|| Failure::usage(format!("there are no filters for {}", host.word())))?;
    if let Some(path) = &args.output {
        write::file(path, text.as_bytes()).map_err(Failure::host)?;
    }
    if args.json {
        streams.out(&to_json(&serde_json::json!({ "ok": true, "text": text, "verdicts": verdicts })));
        return Ok(Exit::Done);
    }
    if args.output.is_none() {
        streams.out(&text);
    }
    streams.err(&shown(&verdicts, Paint(streams.color)));
    Ok(Exit::Done)
}

/// Those that were named, or this host's; all of one host.
fn served(args: &ExportArgs) -> Result<Vec<Arch>, Failure> {
    let all = match args.arch.as_slice() {
        [] => call::host().into_iter().collect(),
        words => arches(words)?,
    };
    let Some(first) = all.first() else {
        return Err(Failure::usage(
            "canc knows no system calls of this host; name an architecture with `--arch`",
        ));
    };
    match all.iter().find(|a| a.host() != first.host()) {
        None => Ok(all),
        Some(other) => {
            let message =
                format!("{} and {} are two hosts; export for one of them", first.word(), other.word());
            Err(Failure::usage(message))
        }
    }
}

impl ExportArgs {
    /// What `canc build` would be told.
    fn source(&self, served: &[Arch]) -> SourceArgs {
        SourceArgs {
            json: self.json,
            ..SourceArgs::new(
                &self.subject,
                &self.set,
                served.iter().map(|a| a.word().to_owned()).collect(),
                self.allow_raw,
            )
        }
    }
}

fn shown(verdicts: &[Verdict], paint: Paint) -> String {
    let one = |v: &Verdict| format!("{} {}: {}\n", paint.verdict(&pad(v.verdict, VERDICT)), v.what, v.why);
    verdicts.iter().map(one).collect()
}
