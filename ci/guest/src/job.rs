//! A job file to a stream of events: brings the machine up and performs the steps in order.
//!
//! It must not know what the steps do. Every way out writes `done` or `broken`, so that a silent end is always a fault.

use crate::audit::Audit;
use crate::{boot, runner, text};
use canc_guest::{Event, JOB, Job, Mac, PORT, PROGRAM, Ran, Step};
use rustix::process::{Signal, WaitOptions};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Performs the job of this machine.
pub fn perform() -> Result<(), String> {
    boot::mount_all()?;
    let mut port = open_port()?;
    let end = match steps(&mut port) {
        Ok(()) => Event::Done,
        Err(why) => Event::Broken { why },
    };
    send(&mut port, &end)
}

fn steps(port: &mut File) -> Result<(), String> {
    let job: Job = serde_json::from_str(&text::read(JOB)?).map_err(|e| format!("{JOB}: {e}"))?;
    let mut audit = Audit::open()?;
    boot::activate(job.mac)?;
    send(port, &Event::Hello(boot::hello()?))?;
    for step in &job.setup {
        let ran = one(job.mac, step, &mut audit)?;
        send(port, &Event::Setup(ran))?;
    }
    for step in &job.tests {
        let ran = one(job.mac, step, &mut audit)?;
        send(port, &Event::Test(ran))?;
        end_all_others();
    }
    Ok(())
}

/// One step, with exactly the audit records of its own time.
fn one(mac: Mac, step: &Step, audit: &mut Audit) -> Result<Ran, String> {
    let mut child = start_runner(mac, step)?;
    let (Some(mut to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("the runner has no pipes".to_owned());
    };
    let mut lines = BufReader::new(from).lines();
    let mut line =
        || lines.next().and_then(Result::ok).ok_or_else(|| format!("{}: the runner ended early", step.name));
    let written = serde_json::to_string(step).map_err(|e| e.to_string())?;
    writeln!(to, "{written}").map_err(|e| format!("to the runner: {e}"))?;
    line()?;
    audit.take()?;
    writeln!(to, "go").map_err(|e| format!("to the runner: {e}"))?;
    let mut ran: Ran = serde_json::from_str(&line()?).map_err(|e| format!("from the runner: {e}"))?;
    let _ = child.wait();
    (ran.audit, ran.lost) = audit.take()?;
    if mac == Mac::Selinux && text::read(boot::ENFORCE)? != "1" {
        return Err(format!("{}: SELinux is no longer enforcing", step.name));
    }
    Ok(ran)
}

/// A runner in the context of the step's user. The policy forbids the first process to change into most of them, so
/// enforcement is off for the time of the change; the runner switches it on again before it says that it is ready.
fn start_runner(mac: Mac, step: &Step) -> Result<Child, String> {
    let mut command = Command::new(PROGRAM);
    command.arg("run").stdin(Stdio::piped()).stdout(Stdio::piped());
    let context = step.user.context.as_deref().filter(|_| mac == Mac::Selinux);
    if let Some(context) = context {
        command.arg(runner::ENFORCE);
        text::write(boot::ENFORCE, "0")?;
        text::write("/proc/thread-self/attr/exec", context)?;
    }
    let child = command.spawn().map_err(|e| format!("{PROGRAM}: {e}"));
    if context.is_some() {
        std::fs::write("/proc/thread-self/attr/exec", "\n")
            .map_err(|e| format!("clearing the exec label: {e}"))?;
    }
    child
}

/// Ends whatever a test left running and reaps it. Only the first process of a machine may come here: to it, a signal
/// to "process group 1" means every other process (`kill(2)`, pid -1).
fn end_all_others() {
    let _ = rustix::process::kill_process_group(rustix::process::Pid::INIT, Signal::KILL);
    let until = Instant::now() + Duration::from_secs(5);
    while Instant::now() < until {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => std::thread::sleep(Duration::from_millis(2)),
            Err(_) => return,
        }
    }
}

fn send(port: &mut File, event: &Event) -> Result<(), String> {
    let line = serde_json::to_string(event).map_err(|e| e.to_string())?;
    writeln!(port, "{line}").and_then(|()| port.flush()).map_err(|e| format!("writing an event: {e}"))
}

/// The virtio port by its name; the device's number says nothing.
fn open_port() -> Result<File, String> {
    let class = "/sys/class/virtio-ports";
    let entries = std::fs::read_dir(class).map_err(|e| format!("{class}: {e}"))?;
    for entry in entries.flatten() {
        if text::read(entry.path().join("name")).is_ok_and(|name| name == PORT) {
            let device = std::path::Path::new("/dev").join(entry.file_name());
            return File::create(&device).map_err(|e| format!("{}: {e}", device.display()));
        }
    }
    Err(format!("no virtio port is named {PORT}"))
}
