//! `canc explain`: the page of a diagnostic code.

use super::{Failure, Outcome, to_json};
use crate::args::ExplainArgs;
use crate::exit::Exit;
use crate::stream::Streams;
use canc_dsl::codes;

pub fn run(args: &ExplainArgs, streams: &mut Streams<'_>) -> Outcome {
    let Some(code) = &args.code else {
        return Ok(list(args.json, streams));
    };
    let wanted = code.to_ascii_uppercase();
    let Some((code, title)) = codes::ALL.iter().find(|(c, _)| c.0 == wanted) else {
        return Err(Failure::usage(format!("there is no code `{code}`; `canc explain --list` lists them")));
    };
    let page = codes::page(*code).unwrap_or_default();
    if args.json {
        streams.out(&to_json(&serde_json::json!({ "code": code.0, "title": title, "page": page })));
    } else {
        streams.out(page);
    }
    Ok(Exit::Done)
}

fn list(json: bool, streams: &mut Streams<'_>) -> Exit {
    if json {
        let all: Vec<_> =
            codes::ALL.iter().map(|(c, t)| serde_json::json!({ "code": c.0, "title": t })).collect();
        streams.out(&to_json(&all));
    } else {
        streams.out(&codes::ALL.iter().map(|(c, t)| format!("{}  {t}\n", c.0)).collect::<String>());
    }
    Exit::Done
}
