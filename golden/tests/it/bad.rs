//! Policies with mistakes, and what is said of them.

use crate::case::{Case, POLICY, cases, each};
use crate::grown::{MARK, grown};
use crate::process::{Ran, process};
use crate::record::{Texts, problems, report};
use std::process::Command;

/// The file with what is printed.
pub const MESSAGES: &str = "messages.txt";

/// What canc says of a case, started in the directory of the case as a user would.
pub fn run(case: &Case) -> Result<Ran, String> {
    let room = tempfile::tempdir().unwrap();
    let text = std::fs::read(case.policy()).unwrap();
    let large = std::str::from_utf8(&text).ok().filter(|t| t.starts_with(MARK)).map(grown);
    let large_in = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_canc-golden"));
    command.args([&case.command, POLICY]).args(&case.options);
    command.current_dir(if large.is_some() { large_in.path().to_owned() } else { case.dir() });
    if let Some(text) = large {
        std::fs::write(large_in.path().join(POLICY), text).unwrap();
    }
    if case.command == "build" {
        command.arg("-o").arg(room.path().join("bundle"));
    }
    let ran = process(command);
    let wrote = std::fs::read_dir(room.path()).unwrap().next().is_some();
    if ran.exit == Some(0) || wrote {
        return Err(format!(
            "{}: canc has nothing against it, or writes all the same\n{}{}",
            case.name, ran.out, ran.err
        ));
    }
    Ok(ran)
}

fn check(case: &Case) -> Vec<String> {
    let ran = match run(case) {
        Ok(ran) => ran,
        Err(problem) => return vec![problem],
    };
    let code = ran.exit.map_or("a signal".to_owned(), |code| code.to_string());
    let text = format!("{}exit code {code}\n", shortened(&format!("{}{}", ran.err, ran.out)));
    problems(&case.dir(), &Texts::from([(MESSAGES.into(), text)]), &case.record)
}

/// A text of very many lines without those in its middle.
fn shortened(text: &str) -> String {
    const MOST: usize = 80;
    const END: usize = 12;
    let lines: Vec<&str> = text.lines().collect();
    let Some(left_out) = lines.len().checked_sub(MOST).filter(|n| *n > 0) else { return text.to_owned() };
    let (start, end) = (&lines[..MOST - END], &lines[lines.len() - END..]);
    format!("{}\n… {left_out} lines\n{}\n", start.join("\n"), end.join("\n"))
}

#[test]
fn bad_cases_give_what_is_recorded() {
    let cases = cases("bad");
    report(&each(&cases, check).concat());
    assert!(cases.len() >= 90, "{} cases", cases.len());
}
