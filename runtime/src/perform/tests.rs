//! The order of a launch, and that nothing is started once a step failed: against a record of calls instead of a kernel.

use super::*;
use crate::caps::CapSet;
use crate::label::Attribute;
use crate::plan::{Layer, LayerState, Namespace};
use canc_bundle::Artefact;
use rustix::process::Resource;
use std::collections::BTreeMap;

/// Notes every operation, and fails one of them.
#[derive(Default)]
struct Record {
    calls: Vec<String>,
    fails: Option<(usize, Errno)>,
    sets: CapabilityFacts,
    /// A capability that the kernel keeps though it was told otherwise.
    sticky: CapSet,
    report: String,
}

impl Record {
    fn note(&mut self, call: impl Into<String>) -> io::Result<()> {
        let this = self.calls.len();
        self.calls.push(call.into());
        match self.fails {
            Some((at, error)) if at == this => Err(error.into()),
            _ => Ok(()),
        }
    }
}

impl System for Record {
    fn open_stdio(&mut self) -> io::Result<Vec<u32>> {
        self.note("stdio").map(|()| vec![0])
    }
    fn close_on_exec(&mut self, keep: &[u32]) -> io::Result<()> {
        self.note(format!("close {keep:?}"))
    }
    fn new_keyring(&mut self) -> io::Result<()> {
        self.note("keyring")
    }
    fn cgroup(&mut self, parent: &str, _: &[String], _: &[CgroupLimit]) -> Result<String, String> {
        self.note(format!("cgroup below {parent}")).map(|()| "/own".into()).map_err(|e| e.to_string())
    }
    fn limit(&mut self, _: Resource, value: u64) -> io::Result<()> {
        self.note(format!("limit {value}"))
    }
    fn label(&mut self, _: Attribute, write: &str, expect: &str) -> Result<String, String> {
        self.note(format!("label {write}")).map(|()| expect.to_owned()).map_err(|e| e.to_string())
    }
    fn namespaces(&mut self, kinds: &[Namespace]) -> Result<(), String> {
        self.note(format!("namespaces {kinds:?}")).map_err(|e| e.to_string())
    }
    fn stay_as_parent(&mut self) -> io::Result<()> {
        self.note("parent")
    }
    fn mounts(&mut self) -> Result<Vec<String>, String> {
        self.note("mounts").map(|()| vec!["mounted".into()]).map_err(|e| e.to_string())
    }
    fn open_ruleset(&mut self) -> Result<Vec<String>, Failure> {
        self.note("ruleset").map(|()| vec!["/x".into()]).map_err(|e| failed("ruleset", &e))
    }
    fn drop_bounding(&mut self, set: CapSet) -> io::Result<()> {
        self.note(format!("bounding {set}"))?;
        self.sets.bounding = self.sets.bounding.minus(set);
        Ok(())
    }
    fn set_capabilities(&mut self, sets: &CapabilityFacts) -> io::Result<()> {
        self.note(format!("capabilities {}", sets.permitted))?;
        self.sets = CapabilityFacts { bounding: self.sets.bounding, ..*sets };
        self.sets.permitted.0 |= self.sticky.0;
        Ok(())
    }
    fn capabilities(&mut self) -> io::Result<CapabilityFacts> {
        Ok(self.sets)
    }
    fn no_new_privs(&mut self) -> io::Result<()> {
        self.note("no_new_privs")
    }
    fn report(&mut self, text: &str) -> io::Result<()> {
        self.report = text.to_owned();
        self.note("report")
    }
    fn default_signals(&mut self) -> io::Result<()> {
        self.note("signals")
    }
    fn landlock(&mut self, _: bool) -> Result<(), String> {
        self.note("landlock").map_err(|e| e.to_string())
    }
    fn filter(&mut self, program: &[Instruction], _: bool) -> io::Result<()> {
        self.note(format!("filter of {}", program.len()))
    }
    fn exec(&mut self, descriptor: u32, _: &Arguments) -> io::Error {
        match self.note(format!("exec {descriptor}")) {
            // Instead of not coming back.
            Ok(()) => Errno::CANCELED.into(),
            Err(e) => e,
        }
    }
}

const ALL: CapSet = CapSet(0x1ff_ffff_ffff);

fn plan() -> Plan {
    let kept = CapSet(1 << 10);
    let label =
        |layer, write: &str, expect: &str| Step::Label { layer, write: write.into(), expect: expect.into() };
    let artefact = |path: &str| Artefact { path: path.into(), sha256: String::new() };
    let active = || LayerState::Active { evidence: String::new(), write: None };
    Plan {
        policy: "p".into(),
        complain: false,
        layers: Layer::ALL.into_iter().map(|layer| (layer, active())).collect(),
        accepted: Vec::new(),
        notes: Vec::new(),
        steps: vec![
            Step::Stdio,
            Step::Descriptors { keep: vec![5], activation: true },
            Step::Environment { keep: Vec::new(), set: Vec::new() },
            Step::Keyring,
            Step::Cgroup {
                parent: "/x".into(),
                enable: Vec::new(),
                limits: vec![CgroupLimit { word: "memory".into(), value: 4096 }],
            },
            label(Layer::Selinux, "u:r:p_t:s0", "u:r:p_t:s0"),
            label(Layer::Apparmor, "exec canc.p", "canc.p (enforce)"),
            Step::Namespaces(vec![Namespace::User, Namespace::Net]),
            Step::Parent,
            Step::Mounts,
            Step::Ruleset { abi: 7 },
            Step::Limit { word: "core".into(), value: 0 },
            Step::Bounding { drop: ALL.minus(kept) },
            Step::Capabilities(CapabilityFacts {
                permitted: kept,
                effective: kept,
                bounding: kept,
                ..Default::default()
            }),
            Step::NoNewPrivs,
            Step::Report,
            Step::Signals,
            Step::Landlock { abi: 7, log: true },
            Step::Seccomp { programs: vec![artefact("a"), artefact("b")], log: false },
            Step::Exec { descriptor: 250 },
        ],
    }
}

fn payload() -> Payload {
    let instruction = Instruction { code: 6, jump_true: 0, jump_false: 0, operand: 0 };
    Payload {
        called: "canc-run".into(),
        program: "/usr/bin/p".into(),
        arguments: Vec::new(),
        environment: vec![("LISTEN_PID".into(), "9".into()), ("LISTEN_FDS".into(), "1".into())],
        filters: vec![vec![instruction; 3], vec![instruction; 4]],
        capabilities: CapabilityFacts::default(),
        report: Some(Format::Json),
        opened_stdio: vec![2],
        pid: 9,
    }
}

fn record() -> Record {
    Record {
        sets: CapabilityFacts { bounding: ALL, permitted: ALL, ..Default::default() },
        ..Record::default()
    }
}

const ORDER: [&str; 20] = [
    "stdio",
    "close [3, 5]",
    "keyring",
    "cgroup below /x",
    "label u:r:p_t:s0",
    "label exec canc.p",
    "namespaces [User, Net]",
    "parent",
    "mounts",
    "ruleset",
    "limit 0",
    "bounding",
    "capabilities",
    "no_new_privs",
    "report",
    "signals",
    "landlock",
    "filter of 3",
    "filter of 4",
    "exec 250",
];

#[test]
fn steps_are_done_in_the_order_of_the_plan() {
    let mut system = record();
    perform(&plan(), payload(), &mut system);
    assert_eq!(system.calls.len(), ORDER.len());
    for (call, want) in system.calls.iter().zip(ORDER) {
        assert!(call.starts_with(want), "{call} instead of {want}");
    }
}

#[test]
fn nothing_is_done_after_a_step_that_failed() {
    for (at, step) in ORDER.into_iter().enumerate() {
        let mut system = Record { fails: Some((at, Errno::IO)), ..record() };
        let failure = perform(&plan(), payload(), &mut system);
        assert_eq!(system.calls.len(), at + 1, "after {step}");
        let code = if step == "exec 250" { Code::CannotExecute } else { Code::Refused };
        assert_eq!(failure.code, code, "{step}");
        assert!(failure.to_string().contains("Input/output error"), "{failure}");
    }
}

#[test]
fn only_a_keyring_that_nobody_can_reach_is_done_without() {
    for (error, goes_on) in
        [(Errno::NOSYS, true), (Errno::PERM, true), (Errno::DQUOT, false), (Errno::ACCESS, false)]
    {
        let mut system = Record { fails: Some((2, error)), ..record() };
        perform(&plan(), payload(), &mut system);
        assert_eq!(system.calls.len() == ORDER.len(), goes_on, "{error}");
        assert_eq!(system.report.contains("keyring: none"), goes_on, "{error}");
    }
}

#[test]
fn capabilities_that_stay_end_the_launch() {
    let mut system = Record { sticky: CapSet(1 << 21), ..record() };
    let failure = perform(&plan(), payload(), &mut system);
    assert!(failure.to_string().contains("the kernel did not take the sets"), "{failure}");
    assert!(system.calls.last().unwrap().starts_with("capabilities"));
}

#[test]
fn filters_are_those_of_the_plan() {
    for filters in [Vec::new(), vec![vec![]]] {
        let mut system = record();
        let failure = perform(&plan(), Payload { filters, ..payload() }, &mut system);
        assert!(failure.to_string().contains("not those of the plan"), "{failure}");
        assert_eq!(system.calls.last().unwrap(), "landlock");
    }
}

#[test]
fn a_plan_without_an_exec_or_an_environment_starts_nothing() {
    for missing in ["Exec", "Environment"] {
        let mut plan = plan();
        plan.steps.retain(|step| !format!("{step:?}").starts_with(missing));
        let mut system = record();
        let failure = perform(&plan, payload(), &mut system);
        assert_eq!(failure.code, Code::Refused);
        assert!(!system.calls.iter().any(|c| c.starts_with("exec")));
    }
}

#[test]
fn the_report_tells_what_was_done_and_what_follows() {
    let mut system = record();
    perform(&plan(), payload(), &mut system);
    let report: serde_json::Value = serde_json::from_str(&system.report).unwrap();
    let state: BTreeMap<&str, &str> = Layer::ALL
        .iter()
        .map(|l| (l.word(), report["layers"][l.word()]["state"].as_str().unwrap()))
        .collect();
    let want =
        [("apparmor", "enforced"), ("landlock", "follows"), ("seccomp", "follows"), ("selinux", "enforced")];
    assert_eq!(state, want.into());
    assert_eq!(report["layers"]["apparmor"]["evidence"], "canc.p (enforce)");
    assert_eq!(report["capabilities"]["bounding"], "0000000000000400");
    assert_eq!(report["no_new_privs"], true);
    assert_eq!(report["opened_stdio"], serde_json::json!([2, 0]));
    assert_eq!(report["kept_descriptors"], serde_json::json!([3, 5]));
    assert_eq!(report["limits"]["core"], 0);
    assert_eq!(report["limits"]["memory"], 4096);
    assert!(report["notes"].to_string().contains("cgroup: /own"));
}
