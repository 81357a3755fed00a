//! What came out of a machine to a verdict per test.
//!
//! Pure. A test that did not run, a step of the set-up that failed, or a lost audit record is a fault, never a pass.

use super::accel::Accel;
use super::job::{Among, Exit, Expect, VmJob, VmTest};
use super::qemu::Outcome;
use canc_guest::{Event, Hello, Ran, Step};
use std::fmt::Write;
use std::time::Duration;

/// What a machine did.
#[derive(Debug)]
pub struct VmReport {
    /// The job's name.
    pub name: String,
    /// What the machine said of itself, if it came so far.
    pub hello: Option<Hello>,
    /// What went wrong outside the tests.
    pub faults: Vec<String>,
    /// One entry per test, in order.
    pub tests: Vec<TestResult>,
    /// What ran it; `None` where it ran on this machine's own kernel.
    pub accel: Option<Accel>,
    /// Time for building policy and image.
    pub built: Duration,
    /// Time until the first event.
    pub boot: Duration,
    /// Time from start to end of the machine.
    pub took: Duration,
    /// The kernel's last messages.
    pub console: String,
}

/// What became of one test.
#[derive(Debug)]
pub struct TestResult {
    /// Its name.
    pub name: String,
    /// What was seen, if it ran.
    pub ran: Option<Ran>,
    /// Where that differs from what was expected.
    pub faults: Vec<String>,
}

impl VmReport {
    /// Whether everything was as expected.
    pub fn is_good(&self) -> bool {
        self.faults.is_empty() && self.tests.iter().all(|test| test.faults.is_empty())
    }

    /// What was seen in the test with that name.
    pub fn ran(&self, name: &str) -> Option<&Ran> {
        self.tests.iter().find(|test| test.name == name)?.ran.as_ref()
    }
}

/// Compares what came with what the job expects.
pub fn judge(job: &VmJob, outcome: Outcome, built: Duration) -> VmReport {
    let mut report = VmReport {
        name: job.name.clone(),
        hello: None,
        faults: outcome.fault.into_iter().collect(),
        tests: Vec::new(),
        accel: outcome.accel,
        built,
        boot: outcome.boot,
        took: outcome.took,
        console: outcome.console,
    };
    let (mut setup, mut tests) = (Vec::new(), Vec::new());
    for event in outcome.events {
        match event {
            Event::Hello(hello) => report.hello = Some(hello),
            Event::Setup(ran) => setup.push(ran),
            Event::Test(ran) => tests.push(ran),
            Event::Done | Event::Broken { .. } => {}
        }
    }
    for step in &job.setup {
        report.faults.extend(setup_faults(step, &setup));
    }
    report.tests = job.tests.iter().map(|test| judge_test(test, &tests)).collect();
    report
}

fn setup_faults(step: &Step, ran: &[Ran]) -> Vec<String> {
    let seen = ran.iter().find(|ran| ran.name == step.name);
    let faults = seen.map_or_else(|| vec!["did not run".to_owned()], |ran| faults(&Expect::default(), ran));
    faults.iter().map(|fault| format!("set-up step {:?}: {fault}{}", step.name, said(seen))).collect()
}

fn said(ran: Option<&Ran>) -> String {
    ran.map(|ran| format!("\n{}{}", ran.stdout, ran.stderr)).unwrap_or_default()
}

fn judge_test(test: &VmTest, ran: &[Ran]) -> TestResult {
    let ran = ran.iter().find(|ran| ran.name == test.step.name).cloned();
    let faults = ran.as_ref().map_or_else(|| vec!["did not run".to_owned()], |ran| faults(&test.expect, ran));
    TestResult { name: test.step.name.clone(), ran, faults }
}

fn faults(expect: &Expect, ran: &Ran) -> Vec<String> {
    if let Some(why) = &ran.not_started {
        return vec![format!("could not be started: {why}")];
    }
    let mut faults = Vec::new();
    if ran.timed_out {
        faults.push(format!("took longer than its limit, ended after {} ms", ran.ms));
    }
    if !exit_is(expect.exit, ran) {
        faults.push(format!("expected {}, {}", exit_words(expect.exit), ended(ran)));
    }
    for (name, wanted, text) in
        [("output", &expect.stdout, &ran.stdout), ("errors", &expect.stderr, &ran.stderr)]
    {
        let missing = wanted.iter().filter(|words| !text.contains(words.as_str()));
        faults.extend(missing.map(|words| format!("{words:?} is not in its {name}")));
    }
    let found = |words: &&Vec<String>| ran.audit.iter().any(|record| holds(record, words));
    let missing = expect.audit.iter().filter(|words| !found(words));
    faults.extend(missing.map(|words| format!("no audit record holds {words:?}")));
    let unwanted = expect.no_audit.iter().filter(found);
    faults.extend(unwanted.map(|words| format!("an audit record holds {words:?}")));
    faults.extend(expect.among.iter().flat_map(|among| others(among, ran)));
    if ran.lost > 0 {
        faults.push(format!("the kernel lost {} audit records", ran.lost));
    }
    faults
}

fn holds(record: &str, words: &[String]) -> bool {
    words.iter().all(|word| record.contains(word.as_str()))
}

/// Records of the kind that are not known, or that there are none though there must be.
fn others(among: &Among, ran: &Ran) -> Vec<String> {
    let of_kind = ran.audit.iter().filter(|record| holds(record, &among.kind));
    let others: Vec<_> = of_kind.filter(|record| !among.known.iter().any(|k| holds(record, k))).collect();
    match (among.others, others.is_empty()) {
        (true, true) => vec![format!("no audit record holds {:?} and is unknown", among.kind)],
        (true, false) => Vec::new(),
        (false, _) => others.iter().map(|record| format!("not expected: {record}")).collect(),
    }
}

fn exit_is(expected: Exit, ran: &Ran) -> bool {
    match expected {
        Exit::Success => ran.code == Some(0),
        Exit::Code(code) => ran.code == Some(code),
        Exit::Failure => ran.code.is_some_and(|code| code != 0),
        Exit::Signal(signal) => ran.signal == Some(signal),
    }
}

fn exit_words(expected: Exit) -> String {
    match expected {
        Exit::Success => "exit code 0".to_owned(),
        Exit::Code(code) => format!("exit code {code}"),
        Exit::Failure => "a failure".to_owned(),
        Exit::Signal(signal) => format!("signal {signal}"),
    }
}

fn ended(ran: &Ran) -> String {
    match (ran.code, ran.signal) {
        (Some(code), _) => format!("got exit code {code}"),
        (None, Some(signal)) => format!("got signal {signal}"),
        (None, None) => "got no end".to_owned(),
    }
}

impl std::fmt::Display for VmReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kernel = self.hello.as_ref().map_or("no kernel", |hello| hello.kernel.as_str());
        let seconds = |time: Duration| time.as_secs_f32();
        let (built, boot, took) = (seconds(self.built), seconds(self.boot), seconds(self.took));
        writeln!(
            f,
            "{}: {kernel}, {}, built {built:.1} s, up {boot:.1} s, ended {took:.1} s",
            self.name,
            self.accel.map_or_else(|| "no machine".to_owned(), |accel| format!("{accel:?}"))
        )?;
        for fault in &self.faults {
            writeln!(f, "  FAULT {fault}")?;
        }
        if !self.faults.is_empty() {
            writeln!(f, "{}", indented("console", &self.console))?;
        }
        self.tests.iter().try_for_each(|test| write!(f, "{test}"))
    }
}

impl std::fmt::Display for TestResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = self.ran.as_ref().map_or(0, |ran| ran.ms);
        let word = if self.faults.is_empty() { "ok  " } else { "FAIL" };
        writeln!(f, "  {word} {} ({ms} ms)", self.name)?;
        for fault in &self.faults {
            writeln!(f, "       {fault}")?;
        }
        let Some(ran) = self.ran.as_ref().filter(|_| !self.faults.is_empty()) else { return Ok(()) };
        let audit = ran.audit.join("\n");
        for (name, text) in [("output", &ran.stdout), ("errors", &ran.stderr), ("audit", &audit)] {
            f.write_str(&indented(name, text))?;
        }
        Ok(())
    }
}

fn indented(name: &str, text: &str) -> String {
    text.lines().fold(String::new(), |mut all, line| {
        let _ = writeln!(all, "       {name}: {line}");
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::job::step;

    fn ran(code: i32, audit: &[&str]) -> Ran {
        let audit = audit.iter().map(|&record| record.to_owned()).collect();
        Ran { name: "t".to_owned(), code: Some(code), stdout: "out".to_owned(), audit, ..Ran::default() }
    }

    fn words(words: &[&str]) -> Vec<Vec<String>> {
        vec![words.iter().map(|&word| word.to_owned()).collect()]
    }

    #[test]
    fn what_is_as_expected_has_no_fault() {
        let expect = Expect { exit: Exit::Code(1), audit: words(&["denied", "x_t"]), ..Expect::default() };
        assert_eq!(faults(&expect, &ran(1, &["1400 avc: denied scontext=x_t"])), Vec::<String>::new());
    }

    #[test]
    fn words_in_different_records_do_not_count() {
        let expect = Expect { audit: words(&["denied", "x_t"]), ..Expect::default() };
        assert_eq!(faults(&expect, &ran(0, &["denied y_t", "granted x_t"])).len(), 1);
    }

    #[test]
    fn each_difference_is_told() {
        let expect = Expect {
            exit: Exit::Failure,
            stdout: vec!["other".to_owned()],
            no_audit: words(&["denied"]),
            ..Expect::default()
        };
        let told = faults(&expect, &ran(0, &["denied"])).join("; ");
        for part in
            ["expected a failure, got exit code 0", "\"other\" is not in its output", "an audit record holds"]
        {
            assert!(told.contains(part), "{told}");
        }
    }

    #[test]
    fn lost_records_and_time_outs_are_faults() {
        let lost = Ran { lost: 1, ..ran(0, &[]) };
        assert_eq!(faults(&Expect::default(), &lost).len(), 1);
        let slow = Ran { timed_out: true, code: None, signal: Some(9), ..ran(0, &[]) };
        assert_eq!(faults(&Expect { exit: Exit::Signal(9), ..Expect::default() }, &slow).len(), 1);
    }

    fn outcome(events: Vec<Event>, fault: Option<&str>) -> Outcome {
        Outcome {
            accel: Some(Accel::Tcg),
            events,
            fault: fault.map(str::to_owned),
            console: "last words".to_owned(),
            boot: Duration::ZERO,
            took: Duration::ZERO,
        }
    }

    fn job() -> VmJob {
        let mut job = VmJob::new("j", "debian13-none").unwrap();
        job.setup.push(step("s", &["/bin/true"]));
        job.tests.push(VmTest { step: step("t", &["/bin/true"]), expect: Expect::default() });
        job
    }

    #[test]
    fn records_beside_the_known_are_told_apart() {
        let faults = |records: &[&str], others: bool| {
            let test = VmTest { step: step("t", &["/bin/true"]), expect: Expect::default() };
            judge_test(&test.among(&["DENIED", "p"], &[&["/a", "read"]], others), &[ran(0, records)]).faults
        };
        let (known, other) = ("DENIED p read /a", "DENIED p read /b");
        assert!(faults(&[known, "DENIED q read /b"], false).is_empty());
        assert_eq!(faults(&[known, other], false), ["not expected: DENIED p read /b"]);
        assert!(faults(&[known, other], true).is_empty() && faults(&[known], true).len() == 1);
    }

    #[test]
    fn a_silent_machine_is_no_pass() {
        let report = judge(&job(), outcome(vec![Event::Done], None), Duration::ZERO);
        assert!(!report.is_good());
        assert_eq!(report.faults, ["set-up step \"s\": did not run"]);
        assert_eq!(report.tests[0].faults, ["did not run"]);
    }

    #[test]
    fn a_fault_after_all_tests_is_no_pass() {
        let events =
            vec![Event::Setup(Ran { name: "s".to_owned(), ..ran(0, &[]) }), Event::Test(ran(0, &[]))];
        assert!(judge(&job(), outcome(events.clone(), None), Duration::ZERO).is_good());
        let report = judge(&job(), outcome(events, Some("panic")), Duration::ZERO);
        assert!(!report.is_good() && report.to_string().contains("last words"), "{report}");
    }
}
