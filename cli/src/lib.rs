//! The command line of canc: reads files and arguments, calls the pure crates, and prints for people or for scripts.

pub mod args;
mod call;
mod commands;
mod doctor;
mod elf;
mod excerpt;
mod exit;
mod input;
mod launcher;
mod manual;
mod paint;
mod render;
mod sarif;
mod starter;
mod stream;
mod table;
pub mod validate;
mod verify;
mod write;

use clap::Parser;
use std::ffi::OsString;
use std::process::ExitCode;
use stream::Streams;

/// Runs the command of this process with these arguments, the program's name first.
#[must_use]
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    if args.get(1).is_some_and(|word| word == validate::LOAD_FILTER) {
        return validate::load_filter();
    }
    if let [_, word, rest @ ..] = args.as_slice()
        && word == verify::launch::COMMAND
    {
        return verify::launch::run(rest);
    }
    run(args, &mut Streams::of_process()).into()
}

/// Runs one command and prints to `streams`; tests give it buffers.
pub fn run(args: impl IntoIterator<Item = OsString>, streams: &mut Streams<'_>) -> exit::Exit {
    let args: Vec<OsString> = args.into_iter().collect();
    match args::Cli::try_parse_from(&args) {
        Ok(cli) => commands::run(&cli, streams),
        Err(error) => {
            let text =
                if streams.color { error.render().ansi().to_string() } else { error.render().to_string() };
            if error.use_stderr() {
                streams.err(&text);
                if args::is_run(&args) { exit::Exit::Refused } else { exit::Exit::Usage }
            } else {
                streams.out(&text);
                exit::Exit::Done
            }
        }
    }
}

pub use exit::Exit;
pub use stream::Streams as OutputStreams;
