//! One file per command; each turns arguments into calls of the pure crates and prints what they answer.

mod apply;
mod build;
mod check;
mod compile;
mod completions;
mod diff;
mod doctor;
mod explain;
mod export;
mod fmt;
mod graph;
mod import;
mod installed;
mod man;
mod new;
mod provenance;
mod run;
mod status;
mod std_library;
mod target_options;
mod test;
mod trace_filter;
mod validate;
mod verify;
mod watch;
mod why;
mod why_audit;
mod words;

use crate::args::{Cli, Color, Command};
use crate::exit::Exit;
use crate::stream::Streams;
use std::path::Path;

/// Runs the command that was asked for.
pub fn run(cli: &Cli, streams: &mut Streams<'_>) -> Exit {
    match cli.color {
        Color::Auto => {}
        Color::Always => streams.color = true,
        Color::Never => streams.color = false,
    }
    let done = match &cli.command {
        Command::Apply(args) => apply::run(args, streams),
        Command::Build(args) => build::run(args, streams),
        Command::Check(args) => check::run(args, streams),
        Command::Completions(args) => completions::run(args, streams),
        Command::Diff(args) => diff::run(args, streams),
        Command::Doctor(args) => doctor::run(args, streams),
        Command::Explain(args) => explain::run(args, streams),
        Command::Fmt(args) => fmt::run(args, streams),
        Command::Man(args) => man::run(args, streams),
        Command::New(args) => new::run(args, streams),
        Command::Run(args) => run::run(args, streams),
        Command::Export(args) => export::run(args, streams),
        Command::Graph(args) => graph::run(args, streams),
        Command::History(args) => status::history(args, streams),
        Command::Import(args) => import::run(args, streams),
        Command::Remove(args) => installed::remove(args, streams),
        Command::Rollback(args) => installed::rollback(args, streams),
        Command::Status(args) => status::run(args, streams),
        Command::Std(args) => std_library::run(args, streams),
        Command::Test(args) => test::run(args, streams),
        Command::TraceFilter(args) => trace_filter::run(args, streams),
        Command::Validate(args) => validate::run(args, streams),
        Command::Why(args) => why::run(args, streams),
        Command::Verify(args) => verify::run(args, streams),
    };
    done.unwrap_or_else(|failure| {
        streams.err(&format!("canc: {}\n", failure.message));
        failure.exit
    })
}

/// A command that could not do its work, and what to tell the person who called it.
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// One or more lines, lower case, no full stop.
    pub message: String,
}

impl Failure {
    /// The command was called wrongly.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }

    /// The host failed.
    pub fn host(message: impl Into<String>) -> Self {
        Self { exit: Exit::Host, message: message.into() }
    }
}

/// Which policy of several was meant: the one that was named, or the only one.
fn choose<'p, T>(all: &'p [T], wanted: Option<&str>, name: impl Fn(&T) -> &str) -> Result<&'p T, Failure> {
    let names = || all.iter().map(&name).collect::<Vec<_>>().join(", ");
    let found = match wanted {
        Some(wanted) => all.iter().find(|p| name(p) == wanted),
        None if all.len() > 1 => {
            let message = format!("there are several policies; name one of {} with `--policy`", names());
            return Err(Failure::usage(message));
        }
        None => all.first(),
    };
    found.ok_or_else(|| Failure::usage(format!("there is no such policy; there are {}", names())))
}

/// What every command answers.
pub type Outcome = Result<Exit, Failure>;

/// Any value as JSON text for scripts, with a final newline.
pub fn to_json<T: serde::Serialize>(value: &T) -> String {
    // Maps have string keys and numbers are finite, so writing cannot fail.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// A bundle was built already; the first option that is given and is for building is named.
fn refuse_options_of_a_build(given: &[(bool, &str)], bundle: &Path) -> Result<(), Failure> {
    match given.iter().find(|(given, _)| *given) {
        Some((_, option)) => Err(Failure::usage(format!(
            "`{option}` is for building; `{}` is a bundle that was built already",
            bundle.display()
        ))),
        None => Ok(()),
    }
}
