//! One source gives the same bytes whatever the directory, the locale, the time zone and the rest of the environment are. Each build is
//! a process of its own, and so has hash maps with other keys.

use crate::artefacts::files;
use crate::case::{POLICY, cases, each};
use crate::process::process;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// How many builds there are in all.
const BUILDS: usize = 100;
/// The cases that are built in turn: several policies, fragments of other files, each kind of rule.
const CASES: &[&str] =
    &["standard_library_for_services", "another_file", "two_labels", "conditions_on_arguments"];

const LOCALES: &[&str] = &["C", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8", "ja_JP.eucJP", "no_such_locale"];
const ZONES: &[&str] = &["UTC", "Asia/Kathmandu", "America/St_Johns", ":/nowhere"];

/// One build of a copy of the case in a new directory: what is printed, and every file of the bundle.
fn build(case: &Path, options: &[String], number: usize) -> (String, BTreeMap<String, Vec<u8>>) {
    let room = tempfile::Builder::new().prefix(&format!("canc {number} ä")).tempdir().unwrap();
    let deep = (0..=number % 4).fold(room.path().to_owned(), |dir, n| dir.join(format!("{n}")));
    std::fs::create_dir_all(&deep).unwrap();
    for (name, bytes) in files(case) {
        std::fs::write(deep.join(name), bytes).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_canc-golden"));
    command.env_clear().env("LC_ALL", LOCALES[number % LOCALES.len()]).env("TZ", ZONES[number % ZONES.len()]);
    if number % 2 == 1 {
        command.envs([
            ("HOME", "/nowhere"),
            ("LANG", "fr_FR"),
            ("COLUMNS", "40"),
            ("RUST_BACKTRACE", "1"),
            ("TERM", "xterm"),
        ]);
    }
    // From the directory of the policy, or from another one with the policy's whole path.
    if number.is_multiple_of(3) {
        command
            .current_dir("/")
            .arg("build")
            .arg(deep.join(POLICY))
            .arg("-o")
            .arg(room.path().join("bundle"));
    } else {
        command.current_dir(&deep).args(["build", POLICY, "-o"]).arg(room.path().join("bundle"));
    }
    let ran = process_of(command.args(options));
    let printed =
        ran.replace(&format!("{}/", deep.display()), "").replace(&room.path().display().to_string(), "");
    (printed, files(&room.path().join("bundle")))
}

fn process_of(command: &mut Command) -> String {
    let mut own = Command::new(command.get_program());
    own.args(command.get_args()).env_clear();
    own.envs(command.get_envs().filter_map(|(k, v)| Some((k, v?))));
    own.current_dir(command.get_current_dir().unwrap());
    let ran = process(own);
    assert_eq!(ran.exit, Some(0), "{}{}", ran.out, ran.err);
    format!("{}{}", ran.err, ran.out)
}

#[test]
fn a_hundred_builds_give_the_same_bytes() {
    let all = cases("ok");
    for name in CASES {
        let case = all.iter().find(|c| c.name == *name).unwrap_or_else(|| panic!("no case {name}"));
        let numbers: Vec<usize> = (0..BUILDS / CASES.len()).collect();
        let built = each(&numbers, |n| build(&case.dir(), &case.options, *n));
        let (first, others) = built.split_first().unwrap();
        assert!(first.1.len() > 4, "{:?}", first.1.keys());
        for (other, number) in others.iter().zip(1..) {
            assert_eq!(other.0, first.0, "{name}: build {number} prints something else");
            for (path, bytes) in &first.1 {
                assert!(other.1.get(path) == Some(bytes), "{name}: {path} of build {number} differs");
            }
            assert_eq!(other.1.len(), first.1.len());
        }
    }
}
