//! `canc validate`: what the owners of the target languages say of a bundle.

use super::{Failure, Outcome, to_json};
use crate::args::ValidateArgs;
use crate::exit::Exit;
use crate::stream::Streams;
use crate::validate::{self, Options};

pub fn run(args: &ValidateArgs, streams: &mut Streams<'_>) -> Outcome {
    let report =
        validate::run(&args.bundle, &Options { sysroot: args.sysroot.clone() }).map_err(Failure::host)?;
    let exit = report.exit();
    if args.json {
        streams.out(&to_json(&serde_json::json!({ "ok": exit == Exit::Done, "checks": report.checks })));
    } else {
        streams.out(&report.text());
    }
    Ok(exit)
}
