//! `canc std`: the fragments that are compiled in.

use super::{Failure, Outcome, to_json};
use crate::args::StdArgs;
use crate::exit::Exit;
use crate::stream::Streams;
use canc_dsl::std_fragments;

pub fn run(args: &StdArgs, streams: &mut Streams<'_>) -> Outcome {
    let Some(name) = &args.name else {
        let names: Vec<&str> = std_fragments().iter().map(|f| f.0).collect();
        streams.out(&if args.json {
            to_json(&names)
        } else {
            names.iter().map(|n| format!("{n}\n")).collect()
        });
        return Ok(Exit::Done);
    };
    let wanted = name.strip_prefix("std.").unwrap_or(name);
    let Some((name, text)) = std_fragments().iter().find(|f| f.0 == wanted) else {
        let names: Vec<&str> = std_fragments().iter().map(|f| f.0).collect();
        return Err(Failure::usage(format!(
            "the standard library has no `{wanted}`; it has {}",
            names.join(", ")
        )));
    };
    let json = || to_json(&serde_json::json!({ "name": name, "text": text }));
    streams.out(&if args.json { json() } else { (*text).to_owned() });
    Ok(Exit::Done)
}
