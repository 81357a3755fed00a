//! Reports of real launches and refusals against the published `docs/enforcement.schema.json`, and the schema against reports that are
//! wrong: it would be no schema if it took them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use canc_bundle::{LimitEntry, Refusal};
use serde_json::{Value, json};
use std::fs;
use support::{Made, ran};

fn schema() -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/enforcement.schema.json");
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// The words of JSON Schema that the file uses; one that it does not know is an error, so that none is passed over.
fn faults(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fault = |what: String| found.push(format!("{at}: {what}"));
    for (word, wanted) in schema.as_object().unwrap() {
        match word.as_str() {
            "$schema" | "title" | "description" | "$defs" => {}
            "$ref" => {
                let target = root.pointer(wanted.as_str().unwrap().trim_start_matches('#')).unwrap();
                faults(root, target, value, at).into_iter().for_each(&mut fault);
            }
            "oneOf" => {
                let fits =
                    wanted.as_array().unwrap().iter().filter(|one| faults(root, one, value, at).is_empty());
                let count = fits.count();
                if count != 1 {
                    fault(format!("it has {count} of the forms"));
                }
            }
            "const" if wanted != value => fault(format!("{value} is not {wanted}")),
            "enum" if !wanted.as_array().unwrap().contains(value) => {
                fault(format!("{value} is none of {wanted}"))
            }
            "const" | "enum" => {}
            "type" => {
                let is = match wanted.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "integer" => value.is_u64() || value.is_i64(),
                    other => panic!("{other}"),
                };
                if !is {
                    fault(format!("{value} is no {wanted}"));
                }
            }
            // The one pattern there is.
            "pattern" => {
                assert_eq!(wanted, "^[0-9a-f]{16}$");
                let text = value.as_str().unwrap_or_default();
                if text.len() != 16 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
                    fault(format!("{value} is no set"));
                }
            }
            "required" => {
                let missing = wanted
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter(|name| value.get(name.as_str().unwrap()).is_none());
                missing.for_each(|name| fault(format!("{name} is missing")));
            }
            "items" => {
                for (n, item) in value.as_array().into_iter().flatten().enumerate() {
                    faults(root, wanted, item, &format!("{at}/{n}")).into_iter().for_each(&mut fault);
                }
            }
            "properties" => {
                for (name, inner) in value.as_object().into_iter().flatten() {
                    if let Some(known) = wanted.get(name) {
                        faults(root, known, inner, &format!("{at}/{name}")).into_iter().for_each(&mut fault);
                    }
                }
            }
            "additionalProperties" => {
                let known = schema.get("properties");
                for (name, inner) in value.as_object().into_iter().flatten() {
                    if known.is_some_and(|known| known.get(name).is_some()) {
                        continue;
                    }
                    match wanted {
                        Value::Bool(false) => fault(format!("nobody knows {name}")),
                        other => faults(root, other, inner, &format!("{at}/{name}"))
                            .into_iter()
                            .for_each(&mut fault),
                    }
                }
            }
            other => panic!("the test does not know {other}"),
        }
    }
    found
}

fn fits(report: &Value) {
    let schema = schema();
    let found = faults(&schema, &schema, report, "");
    let form = if report.get("refused").is_some() { "refused" } else { "enforcement" };
    let nearer = faults(&schema, &schema["$defs"][form], report, "");
    assert!(found.is_empty(), "{found:?} {nearer:?}: {report}");
}

/// The report of a launch, from standard error, where nothing else is.
fn report(made: &mut Made) -> Value {
    let bundle = made.write();
    let mut command = std::process::Command::new(made.canc_run());
    command.args(["--report", "json"]).arg(bundle).arg("--").arg(made.probe()).arg("label");
    let ran = ran(&mut command);
    let line = ran.err.lines().next().unwrap_or_default();
    serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {:?} {}", ran.code, ran.err))
}

#[test]
fn the_report_of_a_launch_fits_and_tells_its_evidence() {
    let mut made = Made::new();
    made.launch().limits.insert("core".into(), LimitEntry { value: 0, prefer: false });
    made.launch().env_keep = vec!["PATH".into()];
    made.launch().env_set = vec![("X".into(), "y".into())];
    for decision in &mut made.policy().decisions {
        let accepted = Refusal { what: "files".into(), why: "w".into(), remedy: String::new() };
        decision.accepted.push(accepted);
    }
    let bin = format!("{}/bin/", made.home.path().canonicalize().unwrap().display());
    made = made.landlock(&[(&bin, &["execute", "read_file"]), ("/", &["read_file"])]);
    let report = report(&mut made);
    fits(&report);
    assert_eq!(
        report["layers"]["seccomp"],
        json!({ "state": "follows", "evidence": "1 filter of 1 instructions" })
    );
    assert_eq!(report["layers"]["landlock"]["state"], "follows");
    assert!(report["layers"]["landlock"]["evidence"].as_str().unwrap().starts_with("ABI "));
    assert_eq!(report["capabilities"]["permitted"], "0000000000000000");
    assert_eq!((&report["limits"]["core"], &report["no_new_privs"]), (&json!(0), &json!(true)));
    // Every field of the schema is there: it describes nothing that no report has.
    let described = schema()["$defs"]["enforcement"]["properties"].as_object().unwrap().clone();
    let told: Vec<&String> = report.as_object().unwrap().keys().collect();
    assert_eq!(described.len(), told.len());
}

#[test]
fn several_filters_are_counted() {
    let mut made = Made::new().filters(vec![support::bpf::allow_all(), support::bpf::allow_all()]);
    let evidence = &report(&mut made)["layers"]["seccomp"]["evidence"];
    assert_eq!(evidence, "2 filters of 1 and 1 instructions");
}

#[test]
fn a_refusal_is_reported_too() {
    let mut made = Made::new();
    made.launch().demands.insert("landlock".into(), "require".into());
    let report = report(&mut made);
    fits(&report);
    let reason = &report["refused"][0];
    assert_eq!(reason["what"], "landlock", "{report}");
    assert_eq!(report["layers"]["landlock"]["state"], "off");
    // As text it is said once, as a failure.
    let bundle = made.write();
    let mut command = std::process::Command::new(made.canc_run());
    command.args(["--report", "text"]).arg(bundle).arg("--").arg(made.probe()).arg("label");
    let ran = ran(&mut command);
    assert_eq!(ran.code, Some(125));
    assert_eq!(ran.err.matches("required").count(), 1, "{}", ran.err);
}

#[test]
fn the_schema_refuses_what_no_report_is() {
    let mut made = Made::new();
    let good = report(&mut made);
    fits(&good);
    let schema = schema();
    let wrong = |change: &dyn Fn(&mut Value)| {
        let mut report = good.clone();
        change(&mut report);
        assert!(!faults(&schema, &schema, &report, "").is_empty(), "taken: {report}");
    };
    for name in good.as_object().unwrap().keys() {
        wrong(&|report| drop(report.as_object_mut().unwrap().remove(name)));
        wrong(&|report| report[name] = json!({ "x": null }));
    }
    wrong(&|report| report["novelty"] = json!(1));
    wrong(&|report| report["format"] = json!(2));
    wrong(&|report| report["layers"]["seccomp"]["state"] = json!("perhaps"));
    wrong(&|report| report["capabilities"]["ambient"] = json!("0"));
    wrong(&|report| report["refused"] = json!([]));
    wrong(&|report| report["namespaces"] = json!(["time"]));
}
