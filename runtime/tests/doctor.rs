//! Diagnoses over recorded hosts: `golden/doctor/hosts/` holds what `canc doctor --json` saw on real machines, and each other directory a
//! `case.json` (a host, and what is changed of it) with the `report.txt` it must give. `CANC_UPDATE=1` writes the texts anew,
//! `canc-ci doctor-record` the hosts.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "support/recorded.rs"]
mod recorded;

use canc_runtime::diagnose::{Check, State, confines, diagnose};
use canc_runtime::survey::Survey;
use recorded::{Recorded, patched, read};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    host: String,
    #[serde(default)]
    host_patch: Value,
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden/doctor")
}

fn cases() -> Vec<PathBuf> {
    let entries = fs::read_dir(golden()).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| !path.ends_with("hosts")).collect();
    cases.sort();
    cases
}

fn survey(case: &Case) -> Survey {
    let recorded: Recorded = read(&golden().join("hosts").join(&case.host).with_extension("json"));
    patched(recorded.host, &case.host_patch)
}

fn text(survey: &Survey) -> String {
    let line = |check: &Check| {
        let mut text = format!("{}: {}: {}\n", check.what, check.state.word(), check.found);
        for (name, what) in [("because", &check.cause), ("mend", &check.fix)] {
            text.extend(what.iter().map(|what| format!("  {name}: {what}\n")));
        }
        text
    };
    let checks: String = diagnose(survey).iter().map(line).collect();
    format!("{checks}confines: {}\n", confines(survey))
}

#[test]
fn every_host_gives_its_diagnosis() {
    let update = std::env::var_os("CANC_UPDATE").is_some();
    let mut wrong = Vec::new();
    for directory in cases() {
        let found = text(&survey(&read(&directory.join("case.json"))));
        let file = directory.join("report.txt");
        if update {
            fs::write(&file, &found).unwrap();
        } else if fs::read_to_string(&file).unwrap_or_default() != found {
            wrong.push(format!("{}:\n{found}", directory.file_name().unwrap().display()));
        }
    }
    assert!(wrong.is_empty(), "other diagnoses (CANC_UPDATE=1 writes them):\n{}", wrong.join("\n"));
}

/// A gap without a cause or without what mends it is no diagnosis. Where AppArmor is active, SELinux need not be.
#[test]
fn every_gap_has_its_cause_and_its_remedy() {
    for directory in cases() {
        for check in diagnose(&survey(&read(&directory.join("case.json")))) {
            if check.state == State::Works {
                assert_eq!((&check.cause, &check.fix), (&None, &None), "{check:?}");
                continue;
            }
            assert!(check.cause.is_some(), "{}: {check:?}", directory.display());
            let beside = check.cause.as_ref().unwrap().contains("one of the two is enough");
            assert!(check.fix.is_some() || beside, "{}: {check:?}", directory.display());
        }
    }
}

#[test]
fn nothing_is_missing_or_left_over() {
    let cases = cases();
    assert!(cases.len() >= 30, "{} cases", cases.len());
    let mut used = BTreeSet::new();
    for directory in &cases {
        let names = fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        let names: BTreeSet<String> = names.collect();
        assert_eq!(names, ["case.json", "report.txt"].map(str::to_owned).into(), "{}", directory.display());
        used.insert(format!("{}.json", read::<Case>(&directory.join("case.json")).host));
    }
    let hosts = fs::read_dir(golden().join("hosts")).unwrap();
    let hosts: BTreeSet<String> = hosts.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(hosts, used, "every recorded host is used and every used one is recorded");
    for host in &hosts {
        let recorded: Recorded = read(&golden().join("hosts").join(host));
        assert!(!recorded.command.is_empty() && !recorded.machine.is_empty(), "{host}");
    }
}
