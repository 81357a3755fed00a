//! Plans over recorded hosts: `golden/plan/hosts/` holds what `canc-run --dry-run` said on real machines, `golden/plan/policy.json` a
//! policy of a bundle, and each other directory a `case.json` (a host, and changes to either) with the `plan.txt` it must give.
//! `CANC_UPDATE=1` writes the texts anew.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "support/recorded.rs"]
mod recorded;

use canc_runtime::host::HostFacts;
use canc_runtime::{Failure, Plan, Policy, Step};
use recorded::{Golden, patched, read};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    host: String,
    #[serde(default)]
    host_patch: Value,
    #[serde(default)]
    policy: Value,
}

fn golden() -> Golden {
    Golden::new("plan", "plan.txt")
}

fn plan(case: &Case) -> Result<Plan, Failure> {
    let host: HostFacts = golden().host(&case.host, &case.host_patch);
    let policy: Policy = patched(read(&golden().directory.join("policy.json")), &case.policy);
    Plan::new(&policy, &host)
}

#[test]
fn every_case_gives_its_plan() {
    golden().compare(|case| match plan(case) {
        Ok(plan) => plan.to_string(),
        Err(failure) => format!("refused, exit code {}\n{failure}\n", failure.code as u8),
    });
}

#[test]
fn nothing_is_missing_or_left_over() {
    golden().is_complete(45, "canc-run");
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
    for directory in golden().cases() {
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
