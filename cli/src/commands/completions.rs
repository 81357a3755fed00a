//! `canc completions`: what completes canc's words in a shell.

use super::{Outcome, to_json};
use crate::args::{Cli, CompletionsArgs, Shell};
use crate::exit::Exit;
use crate::stream::Streams;
use clap::CommandFactory;
use clap_complete::{Shell as Known, generate};

pub fn run(args: &CompletionsArgs, streams: &mut Streams<'_>) -> Outcome {
    let (shell, name) = match args.shell {
        Shell::Bash => (Known::Bash, "bash"),
        Shell::Zsh => (Known::Zsh, "zsh"),
        Shell::Fish => (Known::Fish, "fish"),
    };
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "canc", &mut script);
    let script = String::from_utf8_lossy(&script);
    let json = || to_json(&serde_json::json!({ "shell": name, "script": script }));
    streams.out(&if args.json { json() } else { script.to_string() });
    Ok(Exit::Done)
}
