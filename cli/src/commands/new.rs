//! `canc new`: a first policy for a program of this machine.

use super::{Failure, Outcome, to_json};
use crate::args::NewArgs;
use crate::exit::Exit;
use crate::render::{self, Look};
use crate::stream::Streams;
use crate::{starter, write};
use canc_dsl::format::format;
use canc_dsl::{NoFiles, Options, compile};

pub fn run(args: &NewArgs, streams: &mut Streams<'_>) -> Outcome {
    if let Some(path) = args.output.as_ref().filter(|p| p.symlink_metadata().is_ok()) {
        return Err(Failure::usage(format!("`{}` is there already; choose another file", path.display())));
    }
    let found = starter::find(&args.program).map_err(Failure::host)?;
    let text = proved(&starter::policy(&found))?;
    if let Some(path) = &args.output {
        write::fresh(path, text.as_bytes()).map_err(Failure::host)?;
    }
    if args.json {
        streams.out(&to_json(&serde_json::json!({
            "ok": true, "program": found.path, "package": found.package, "policy": text,
        })));
    } else if let Some(path) = &args.output {
        streams.out(&format!("wrote {}; read it, then `canc build {0}`\n", path.display()));
    } else {
        streams.out(&text);
    }
    Ok(Exit::Done)
}

/// The policy in its form. What the language refuses is not written.
fn proved(text: &str) -> Result<String, Failure> {
    let failed =
        |why: String| Failure::host(format!("what is found here cannot be said in a policy:\n{why}"));
    let text = format("new", text.as_bytes())
        .map_err(|e| failed(render::text(&e.diagnostics, &e.sources, Look::PLAIN)))?;
    let done = compile("new", text.as_bytes(), &NoFiles, &Options::default());
    match done.policies {
        Some(_) => Ok(text),
        None => Err(failed(render::text(&done.diagnostics, &done.sources, Look::PLAIN))),
    }
}
