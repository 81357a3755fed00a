//! Plans over recorded hosts: `golden/plan/hosts/` holds what `canc-run --dry-run` said on real machines, `golden/plan/policy.json` a
//! policy of a bundle, and each other directory a `case.json` (a host, and changes to either) with the `plan.txt` it must give.
//! `CANC_UPDATE=1` writes the texts anew.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "support/recorded.rs"]
mod recorded;

use canc_runtime::host::HostFacts;
use canc_runtime::{Failure, Plan, Policy, Step};
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
    #[serde(default)]
    policy: Value,
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden/plan")
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = fs::read_dir(golden())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir() && !path.ends_with("hosts"))
        .collect();
    cases.sort();
    cases
}

fn plan(case: &Case) -> Result<Plan, Failure> {
    let recorded: Recorded = read(&golden().join("hosts").join(&case.host).with_extension("json"));
    let host: HostFacts = patched(recorded.host, &case.host_patch);
    let policy: Policy = patched(read(&golden().join("policy.json")), &case.policy);
    Plan::new(&policy, &host)
}

#[test]
fn every_case_gives_its_plan() {
    let update = std::env::var_os("CANC_UPDATE").is_some();
    let mut wrong = Vec::new();
    for directory in cases() {
        let case: Case = read(&directory.join("case.json"));
        let text = match plan(&case) {
            Ok(plan) => plan.to_string(),
            Err(failure) => format!("refused, exit code {}\n{failure}\n", failure.code as u8),
        };
        let file = directory.join("plan.txt");
        if update {
            fs::write(&file, &text).unwrap();
        } else if fs::read_to_string(&file).unwrap_or_default() != text {
            wrong.push(format!("{}:\n{text}", directory.file_name().unwrap().display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "these plans are not those of the golden files (CANC_UPDATE=1 writes them):\n{}",
        wrong.join("\n")
    );
}

#[test]
fn nothing_is_missing_or_left_over() {
    let cases = cases();
    assert!(cases.len() >= 45, "{} cases", cases.len());
    let mut used = BTreeSet::new();
    for directory in &cases {
        let names: BTreeSet<String> =
            fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(names, ["case.json", "plan.txt"].map(str::to_owned).into(), "{}", directory.display());
        used.insert(format!("{}.json", read::<Case>(&directory.join("case.json")).host));
    }
    let recorded: BTreeSet<String> = fs::read_dir(golden().join("hosts"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(used, recorded, "hosts that are used, and hosts that are recorded");
    for host in recorded {
        let Recorded { command, machine, .. } = read(&golden().join("hosts").join(host));
        assert!(command.contains("canc-run") && !machine.is_empty());
    }
}

/// Whatever the host and the policy: what takes something away comes after what needs it.
#[test]
fn every_plan_keeps_the_order_of_a_launch() {
    let rank = |step: &Step| match step {
        Step::Stdio => 0,
        Step::Descriptors { .. } => 1,
        Step::Environment { .. } => 2,
        Step::Keyring => 3,
        Step::Limit { .. } => 4,
        Step::Label { .. } => 5,
        Step::Namespaces(_) => 6,
        Step::Bounding { .. } => 7,
        Step::Capabilities(_) => 8,
        Step::NoNewPrivs => 9,
        Step::Report => 10,
        Step::Signals => 11,
        Step::Landlock { .. } => 12,
        Step::Seccomp { .. } => 13,
        Step::Exec { .. } => 14,
    };
    let mut plans = 0;
    for directory in cases() {
        let Ok(plan) = plan(&read(&directory.join("case.json"))) else { continue };
        let ranks: Vec<i32> = plan.steps.iter().map(rank).collect();
        assert!(ranks.is_sorted(), "{}: {ranks:?}", directory.display());
        for needed in [0, 1, 2, 3, 8, 10, 11, 14] {
            assert_eq!(
                ranks.iter().filter(|r| **r == needed).count(),
                1,
                "{}: {ranks:?}",
                directory.display()
            );
        }
        plans += 1;
    }
    assert!(plans >= 15, "{plans} plans");
}
