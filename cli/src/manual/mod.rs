//! The definition of the command line, and the reference of the language, to manual pages.

mod markdown;

use crate::args::Cli;
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use std::io;

/// The reference, as people read it elsewhere.
const LANGUAGE: &str = include_str!("../../../docs/language.md");

/// One page.
pub struct Page {
    /// Its file: `canc-build.1`.
    pub name: String,
    /// Its text for man(1).
    pub text: String,
}

/// All pages; canc(1) is the first.
///
/// # Errors
/// When a page cannot be put together.
pub fn pages() -> io::Result<Vec<Page>> {
    let mut top = Cli::command().disable_help_subcommand(true);
    top.build();
    let mut out = vec![page("canc", &top)?];
    for command in top.get_subcommands() {
        out.push(page(&format!("canc-{}", command.get_name()), command)?);
    }
    let head = ["canc", "5", "", "canc", "the policy language of canc"];
    let text = ascii(&markdown::page(LANGUAGE, head));
    out.push(Page { name: "canc.5".into(), text });
    Ok(out)
}

fn page(name: &str, command: &Command) -> io::Result<Page> {
    let man = Man::new(command.clone());
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut out)?;
    }
    if let Some(help) = command.get_after_help() {
        after_help(&help.to_string()).to_writer(&mut out)?;
    }
    if name == "canc" {
        see_also("canc-build(1) and the pages of the other commands, canc(5) for the language")
            .to_writer(&mut out)?;
    } else {
        see_also("canc(1), canc(5)").to_writer(&mut out)?;
    }
    Ok(Page { name: format!("{name}.1"), text: ascii(&String::from_utf8_lossy(&out)) })
}

/// Other characters by their numbers, which every formatter reads whatever the locale is.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            out.push_str(&format!("\\[u{:04X}]", u32::from(c)));
        }
    }
    out
}

/// What stands below the options: examples line by line, and exit codes under their usual heading.
fn after_help(help: &str) -> Roff {
    let mut roff = Roff::new();
    for part in help.split("\n\n") {
        if let Some(examples) = part.strip_prefix("Examples:\n") {
            roff.control("SH", ["EXAMPLES"]).control("nf", []);
            for line in examples.lines() {
                roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
            }
            roff.control("fi", []);
        } else if let Some(codes) = part.strip_prefix("Exit codes: ") {
            roff.control("SH", ["EXIT STATUS"]).text([roman(codes.replace('\n', " "))]);
        } else {
            roff.control("SH", ["NOTES"]).text([roman(part.replace('\n', " "))]);
        }
    }
    roff
}

fn see_also(text: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]).text([roman(text)]);
    roff
}
