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
    let Some(entry) = codes::ALL.iter().find(|e| e.code.0 == wanted) else {
        return Err(Failure::usage(format!("there is no code `{code}`; `canc explain --list` lists them")));
    };
    if args.json {
        let page = serde_json::json!({ "code": entry.code.0, "title": entry.title, "page": entry.page });
        streams.out(&to_json(&page));
    } else {
        streams.out(&plain(entry.page));
    }
    Ok(Exit::Done)
}

/// The page without the words that its examples carry for the tests.
fn plain(page: &str) -> String {
    let fence =
        |line: &str| line.strip_prefix("```can,").map_or_else(|| line.to_owned(), |_| "```can".to_owned());
    page.lines().map(|line| fence(line) + "\n").collect()
}

fn list(json: bool, streams: &mut Streams<'_>) -> Exit {
    if json {
        let one = |e: &codes::Entry| serde_json::json!({ "code": e.code.0, "title": e.title });
        streams.out(&to_json(&codes::ALL.iter().map(one).collect::<Vec<_>>()));
    } else {
        streams.out(&codes::ALL.iter().map(|e| format!("{}  {}\n", e.code.0, e.title)).collect::<String>());
    }
    Exit::Done
}
