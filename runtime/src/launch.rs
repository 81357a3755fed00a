//! A request to a running program: the phases of a launch, in order.

use crate::bundle::Bundle;
use crate::failure::Failure;
use crate::host::{HostFacts, Wanted, probe};
use crate::instance;
use crate::landlock::Places;
use crate::limits::controller;
use crate::load;
use crate::machine::Machine;
use crate::perform::{Payload, perform};
use crate::plan::{Plan, Policy};
use crate::program::Program;
use crate::report::{self, Format, Refused};
use crate::script;
use crate::sys;
use canc_bundle::LandlockRuleset;
use rustix::fd::{AsFd, OwnedFd};
use std::convert::Infallible;
use std::ffi::{CString, OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

/// A launch that is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// What its messages begin with; `canc-run` where it is empty.
    pub called: String,
    /// The policy's name, where the bundle has several that can be started.
    pub policy: Option<String>,
    /// The command and its arguments.
    pub command: Vec<OsString>,
    /// How to report.
    pub report: Option<Format>,
    /// The descriptor to report to, other than standard error.
    pub report_to: Option<u32>,
    /// First load into the kernel what of the policy is missing there, as root.
    pub load: bool,
    /// Only decide.
    pub dry_run: bool,
    /// What [`standard_descriptors`] returned, for the report.
    pub opened_stdio: Vec<u32>,
}

/// What was decided about a launch, before anything was done.
#[derive(Debug)]
pub struct Decision {
    /// The host.
    pub host: HostFacts,
    /// The program.
    pub program: Program,
    /// What will be done, or why nothing will.
    pub plan: Result<Plan, Failure>,
}

impl fmt::Display for Decision {
    /// The host's facts as JSON, such as `golden/plan/hosts/` records them, and the plan where there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "host {}", serde_json::to_string_pretty(&self.host).unwrap_or_default())?;
        self.plan.as_ref().map_or(Ok(()), |plan| write!(f, "{plan}"))
    }
}

impl HostFacts {
    /// Asks the host what a policy needs to know of it; without a program, what depends on the program's label is left out.
    ///
    /// # Errors
    /// A name in the bundle that no compiler makes, or a process that cannot learn its own capabilities.
    pub fn probe(policy: &Policy, program: Option<&Program>) -> Result<Self, Failure> {
        check_names(policy)?;
        let wanted = Wanted {
            domain: policy.selinux.as_ref().map(|s| s.domain.as_str()),
            profile: policy.apparmor.as_ref().map(|a| a.profile.as_str()),
            program: program.map(|program| program.file.as_fd()),
            no_new_privs: policy.launch.no_new_privs,
            separate_instances: policy.launch.separate_instances,
            cgroup: policy.launch.limits.keys().any(|word| controller(word).is_some()),
        };
        probe(&wanted).map_err(|e| Failure::refused("this host", e.to_string(), ""))
    }
}

impl Program {
    /// Finds a command's program and checks it against the policy; of a script, the interpreter. One without a slash is searched in
    /// `search`, a list with colons such as `PATH`.
    ///
    /// # Errors
    /// Not found (127), not executable (126), not one that the policy starts (125).
    pub fn of(policy: &Policy, command: &OsStr, search: &OsStr) -> Result<Self, Failure> {
        let program = Self::find(command, search)?;
        program.check(&policy.launch)?;
        script::interpreted(program, &policy.launch)
    }
}

/// Finds the program, asks the host and plans.
///
/// # Errors
/// The program is missing, is no program, or is none that the policy starts.
pub fn decide(policy: &Policy, command: &OsStr, search: &OsStr) -> Result<Decision, Failure> {
    let program = Program::of(policy, command, search)?;
    let host = HostFacts::probe(policy, Some(&program))?;
    let plan = Plan::new(policy, &host);
    Ok(Decision { host, program, plan })
}

/// Names go into files of the kernel, where a blank or a line would be another word.
fn check_names(policy: &Policy) -> Result<(), Failure> {
    let names = [policy.selinux.as_ref().map(|s| &s.domain), policy.apparmor.as_ref().map(|a| &a.profile)];
    let strange = |name: &&String| {
        name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
    };
    match names.into_iter().flatten().find(strange) {
        Some(name) => {
            Err(Failure::refused(format!("name {name:?}"), "no compiler makes it", "build the bundle again"))
        }
        None => Ok(()),
    }
}

/// Starts a program in place of the calling process: [`decide`] and [`enforce`] in one. Comes back only if the program was not started,
/// or, for a dry run, with the decision.
///
/// # Errors
/// Why the program was not started. The process may have lost privileges by then and should end.
pub fn launch(bundle: &Bundle, mut request: Request) -> Result<Decision, Failure> {
    request.opened_stdio.extend(standard_descriptors()?);
    let policy = bundle.policy(request.policy.as_deref())?;
    let command = request.command.first().cloned().unwrap_or_default();
    let loaded = if request.load && !request.dry_run { load::load(bundle, policy)? } else { Vec::new() };
    let decision = decide(policy, &command, &std::env::var_os("PATH").unwrap_or_default())?;
    if request.dry_run {
        return Ok(decision);
    }
    let Decision { host, program, plan } = decision;
    let mut plan = match plan {
        Ok(plan) => plan,
        Err(failure) => {
            report_refusal(policy, (&host, &program), &failure, &request)?;
            return Err(failure);
        }
    };
    plan.notes.extend(loaded);
    match enforce(bundle, &host, &plan, &program, request) {
        Ok(never) => match never {},
        Err(failure) => Err(failure),
    }
}

/// Does what the plan says and becomes the program, with the environment of this process. The process should have one thread, and call
/// [`standard_descriptors`] before anything else. Where the policy isolates `pid`, it stays as the program's parent and ends with its exit
/// code, 128+n where signal n ended it; a failure from then on comes back in a child, which should end with the failure's code.
///
/// # Errors
/// Why the program was not started. The process may have lost privileges by then and should end.
pub fn enforce(
    bundle: &Bundle,
    host: &HostFacts,
    plan: &Plan,
    program: &Program,
    request: Request,
) -> Result<Infallible, Failure> {
    let policy = bundle.policy(Some(&plan.policy))?;
    let called = if request.called.is_empty() { "canc-run".to_owned() } else { request.called };
    let home = std::env::var_os("HOME");
    let rules = ruleset(bundle, policy, plan, home.as_deref().map(Path::new))?;
    tell_accepted(plan, &called);
    let payload = Payload {
        called: called.clone(),
        program: program.path.display().to_string(),
        arguments: arguments(script::arguments(program, request.command))?,
        environment: std::env::vars_os().collect(),
        filters: bundle.filters(plan.programs())?,
        capabilities: host.process.capabilities,
        report: request.report,
        opened_stdio: request.opened_stdio,
        pid: std::process::id(),
    };
    let report = match request.report {
        Some(_) => Some(report_file(request.report_to)?),
        None => None,
    };
    if let Some((context, closed)) = host.instance() {
        instance::relay(closed, context)?;
    }
    let mut machine = Machine::new(&called, plan, program, rules, report)?;
    Err(perform(plan, payload, &mut machine))
}

/// Opens those of descriptors 0 to 2 that are closed, and returns which, and has failed writes be errors. A program whose own start-up does
/// not do the former calls this before it opens anything else, which would get their numbers.
///
/// # Errors
/// The null device cannot be opened.
pub fn standard_descriptors() -> Result<Vec<u32>, Failure> {
    sys::ignore_write_signals().map_err(|e| Failure::refused("signals", e.to_string(), ""))?;
    sys::open_standard_descriptors().map_err(|e| {
        Failure::refused("standard descriptors", format!("/dev/null: {e}"), "open descriptors 0 to 2")
    })
}

/// Scripts that asked for a report get one of a refusal too; people read the failure.
fn report_refusal(
    policy: &Policy,
    (host, program): (&HostFacts, &Program),
    failure: &Failure,
    request: &Request,
) -> Result<(), Failure> {
    if request.report != Some(Format::Json) {
        return Ok(());
    }
    let refused = Refused {
        format: report::FORMAT,
        policy: policy.name.clone(),
        program: program.path.display().to_string(),
        layers: report::layers(&Plan::layers(policy, host)),
        refused: failure.reasons.clone(),
    };
    let mut file = File::from(report_file(request.report_to)?);
    file.write_all(refused.render().as_bytes()).map_err(|e| Failure::refused("report", e.to_string(), ""))
}

fn ruleset(
    bundle: &Bundle,
    policy: &Policy,
    plan: &Plan,
    home: Option<&Path>,
) -> Result<Option<(LandlockRuleset, Places)>, Failure> {
    let (Some(abi), Some(entry)) = (plan.landlock_abi(), &policy.landlock) else { return Ok(None) };
    Ok(Some((bundle.ruleset(&entry.rulesets, abi)?, Places::of_caller(home))))
}

fn arguments(command: Vec<OsString>) -> Result<Vec<CString>, Failure> {
    command
        .into_iter()
        .map(|a| CString::new(a.into_vec()).map_err(|_| Failure::refused("arguments", "one holds a NUL", "")))
        .collect()
}

/// A descriptor of the caller's, duplicated so that it is ours to close.
fn report_file(number: Option<u32>) -> Result<OwnedFd, Failure> {
    let number = number.unwrap_or(2);
    sys::duplicate(number).map_err(|e| {
        Failure::refused(format!("--report-to {number}"), e.to_string(), format!("open it: {number}>FILE"))
    })
}

/// On a terminal nobody starts a program without being told what the policy lets pass here.
fn tell_accepted(plan: &Plan, called: &str) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    if plan.complain {
        eprintln!("{called}: policy {}: COMPLAIN MODE, nothing is refused, only logged", plan.policy);
    }
    for accepted in &plan.accepted {
        eprintln!(
            "{called}: policy {}: not enforced here, and accepted: {}: {}",
            plan.policy, accepted.what, accepted.why
        );
    }
}
