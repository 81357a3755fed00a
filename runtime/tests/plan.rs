//! Plans over recorded hosts: `golden/plan/hosts/` holds what `canc-run --dry-run` said on real machines, `golden/plan/policy.json` a
//! policy of a bundle, and each other directory a `case.json` (a host, and changes to either) with the `plan.txt` it must give.
//! `CANC_UPDATE=1` writes the texts anew.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use canc_runtime::host::HostFacts;
use canc_runtime::{Failure, Plan, Policy, Step};
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

/// A host and how it was recorded.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    command: String,
    machine: String,
    host: Value,
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden/plan")
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// RFC 7396.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            target.insert(name.clone(), Value::Null);
        } else {
            merge(target.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

fn patched<T: for<'de> Deserialize<'de>>(mut value: Value, patch: &Value) -> T {
    if !patch.is_null() {
        merge(&mut value, patch);
    }
    serde_json::from_value(value).unwrap()
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
        Step::Cgroup { .. } => 4,
        Step::Label { .. } => 5,
        Step::Namespaces(_) => 6,
        Step::Parent => 7,
        Step::Mounts => 8,
        Step::Ruleset { .. } => 9,
        Step::Limit { .. } => 10,
        Step::Bounding { .. } => 11,
        Step::Capabilities(_) => 12,
        Step::NoNewPrivs => 13,
        Step::Report => 14,
        Step::Signals => 15,
        Step::Landlock { .. } => 16,
        Step::Seccomp { .. } => 17,
        Step::Exec { .. } => 18,
    };
    let mut plans = 0;
    for directory in cases() {
        let Ok(plan) = plan(&read(&directory.join("case.json"))) else { continue };
        let ranks: Vec<i32> = plan.steps.iter().map(rank).collect();
        assert!(ranks.is_sorted(), "{}: {ranks:?}", directory.display());
        for needed in [0, 1, 2, 3, 12, 14, 15, 18] {
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
