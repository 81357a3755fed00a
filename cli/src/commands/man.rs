//! `canc man`: the manual pages, printed or written to where man(1) looks.

use super::{Failure, Outcome, to_json};
use crate::args::ManArgs;
use crate::exit::Exit;
use crate::stream::Streams;
use crate::{manual, write};
use std::path::Path;

pub fn run(args: &ManArgs, streams: &mut Streams<'_>) -> Outcome {
    let pages = manual::pages().map_err(|e| Failure::host(format!("cannot make the pages: {e}")))?;
    let Some(directory) = &args.directory else {
        streams.out(&match pages.first() {
            _ if args.json => {
                let all: std::collections::BTreeMap<_, _> =
                    pages.iter().map(|p| (&p.name, &p.text)).collect();
                to_json(&all)
            }
            Some(first) => first.text.clone(),
            None => String::new(),
        });
        return Ok(Exit::Done);
    };
    let mut written = Vec::new();
    for page in &pages {
        let section = page.name.rsplit('.').next().unwrap_or("1");
        let room = directory.join(format!("man{section}"));
        make(&room)?;
        let path = room.join(&page.name);
        write::file(&path, page.text.as_bytes()).map_err(Failure::host)?;
        written.push(path.display().to_string());
    }
    streams.out(&if args.json {
        to_json(&serde_json::json!({ "ok": true, "written": written }))
    } else {
        format!("wrote {} pages to {}\n", written.len(), directory.display())
    });
    Ok(Exit::Done)
}

fn make(room: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(room).map_err(|e| Failure::host(format!("cannot make `{}`: {e}", room.display())))
}
