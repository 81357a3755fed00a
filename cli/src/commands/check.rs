//! `canc check`: diagnostics only.

use super::compile::{compile_with, print_diagnostics};
use super::{Outcome, to_json, watch};
use crate::args::CheckArgs;
use crate::exit::Exit;
use crate::input::Disk;
use crate::stream::Streams;
use crate::{render, sarif};
use canc_dsl::Loader;

pub fn run(args: &CheckArgs, streams: &mut Streams<'_>) -> Outcome {
    if args.watch {
        return watch::run(&args.source.policy, streams, |files, streams| once(args, files, streams));
    }
    once(args, &Disk, streams)
}

fn once(args: &CheckArgs, files: &dyn Loader, streams: &mut Streams<'_>) -> Outcome {
    let compiled = compile_with(&args.source, files)?;
    let good = compiled.policies.is_some();
    if args.sarif {
        streams.out(&to_json(&sarif::log(&compiled.diagnostics, &compiled.sources)));
    } else if args.source.json {
        let diagnostics = render::json(&compiled.diagnostics, &compiled.sources);
        streams.out(&to_json(&serde_json::json!({ "ok": good, "diagnostics": diagnostics })));
    } else {
        print_diagnostics(&compiled.diagnostics, &compiled.sources, streams);
        if let Some(set) = &compiled.policies {
            let (policies, tests) = (set.policies().len(), set.tests().len());
            let rules: usize = set.policies().iter().map(|p| p.rules.len()).sum();
            streams.out(&format!(
                "{}: {policies} policies, {rules} rules, {tests} tests\n",
                args.source.policy.display()
            ));
        }
    }
    Ok(if good { Exit::Done } else { Exit::Policy })
}
