//! Diagnoses over recorded hosts: `golden/doctor/hosts/` holds what `canc doctor --json` saw on real machines, and each other directory a
//! `case.json` (a host, and what is changed of it) with the `report.txt` it must give. `CANC_UPDATE=1` writes the texts anew,
//! `canc-ci doctor-record` the hosts.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "support/recorded.rs"]
mod recorded;

use canc_runtime::diagnose::{Check, State, confines, diagnose};
use canc_runtime::survey::Survey;
use recorded::{Golden, read};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    host: String,
    #[serde(default)]
    host_patch: Value,
}

fn golden() -> Golden {
    Golden::new("doctor", "report.txt")
}

fn survey(case: &Case) -> Survey {
    golden().host(&case.host, &case.host_patch)
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
    golden().compare(|case| text(&survey(case)));
}

/// A gap without a cause or without what mends it is no diagnosis. Where AppArmor is active, SELinux need not be.
#[test]
fn every_gap_has_its_cause_and_its_remedy() {
    for directory in golden().cases() {
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
    golden().is_complete(30, "canc doctor --json");
}
