//! Policies with mistakes, and what is said of them.

use crate::canc::{Ran, canc};
use crate::case::{Case, cases, each};
use crate::record::{Texts, problems, report};
use canc_cli::Exit;

/// The file with what is printed.
pub const MESSAGES: &str = "messages.txt";

/// What canc says of a case; nothing is written.
pub fn run(case: &Case) -> Ran {
    let mut args = vec![case.command.clone(), case.policy().display().to_string()];
    args.extend(case.options.iter().cloned());
    let dir = tempfile::tempdir().unwrap();
    let bundle = dir.path().join("bundle");
    if case.command == "build" {
        args.extend(["-o".into(), bundle.display().to_string()]);
    }
    let ran = canc(&args);
    assert!(std::fs::read_dir(dir.path()).unwrap().next().is_none(), "{}: something was written", case.name);
    Ran { out: case.shown(&ran.out), err: case.shown(&ran.err), ..ran }
}

fn check(case: &Case) -> Vec<String> {
    let ran = run(case);
    let code = ran.exit as u8;
    let text = format!("{}{}exit code {code}\n", ran.err, ran.out);
    let mut found = problems(&case.dir(), &Texts::from([(MESSAGES.into(), text)]), &case.record);
    if ran.exit == Exit::Done {
        found.push(format!("{}: canc has nothing against it\n{}{}", case.name, ran.out, ran.err));
    }
    found
}

#[test]
fn bad_cases_give_what_is_recorded() {
    let cases = cases("bad");
    report(&each(&cases, check).concat());
    assert!(cases.len() >= 0, "{} cases", cases.len());
}
