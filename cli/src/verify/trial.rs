//! A request to what the kernel did: the probe in a process of its own, launched as the column says, on the host as it is or where
//! private copies cover some of it.

use super::launch::COMMAND;
use super::{Column, Confined, Outcome, Reading, Standin, Task};
use rustix::process::{Pid, WaitId, WaitIdOptions};
use serde_json::Value;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the probe may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How long the process outside waits to be found, in milliseconds.
const HELPER: &str = "60000";
/// What an environment in the process outside has, so that there is something to find.
const SECRET: (&str, &str) = ("CANC_VERIFY", "secret");
/// Directories that nothing can be put over without losing what processes need.
const NEVER_COVERED: [&str; 4] = ["/", "/proc", "/sys", "/dev"];

/// What trials need.
pub struct Bench {
    /// This program, for [`super::launch`].
    pub canc: PathBuf,
    /// The probe.
    pub probe: PathBuf,
    /// Where the probe is started from, if it has to be in the place of the policy's own program.
    pub place: Option<PathBuf>,
    /// The bundles of each column.
    pub bundles: Vec<(Column, PathBuf)>,
    /// The policy.
    pub policy: String,
    /// An empty directory for private copies.
    pub work: PathBuf,
}

/// On what a request is performed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ground {
    /// The host as it is.
    Host,
    /// With a private copy over this directory, if any.
    Private(Option<String>),
}

impl Bench {
    /// Performs a task under one column.
    pub fn perform(&self, task: &Task, column: Column, ground: &Ground) -> Outcome {
        match self.tried(task, column, ground) {
            Ok(outcome) => outcome,
            Err(why) => Outcome::NotRun(why),
        }
    }

    fn tried(&self, task: &Task, column: Column, ground: &Ground) -> Result<Outcome, String> {
        let helper = task.words.iter().any(|w| w.contains("%pid")).then(|| self.helper()).transpose()?;
        let pid = helper.as_ref().map(|h| h.0.id().to_string()).unwrap_or_default();
        let mut words = self.stage(task, ground);
        words.extend(self.launch(column)?);
        words.extend(task.words.iter().map(|w| w.replace("%pid", &pid)));
        let (program, arguments) = words.split_first().ok_or("no command")?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.process_group(0).spawn().map_err(|e| format!("{program}: {e}"))?;
        let ended = wait(child)?;
        Ok(ended.outcome(task.reading))
    }

    fn stage(&self, task: &Task, ground: &Ground) -> Vec<String> {
        if *ground == Ground::Host && self.place.is_none() {
            return Vec::new();
        }
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut words = vec![text(&self.probe), "stage".into(), text(&self.work)];
        if let (Ground::Private(Some(cover)), Some(standin)) = (ground, &task.standin) {
            words.extend(["cover".into(), cover.clone()]);
            words.extend(match standin {
                Standin::File(path) => vec!["file".into(), path.clone()],
                Standin::Directory(path) => vec!["directory".into(), path.clone()],
                Standin::Absent(path) => vec!["absent".into(), path.clone()],
                Standin::Program(path) => vec!["copy".into(), text(&self.probe), path.clone()],
                Standin::Link(path, to) => vec!["symlink".into(), to.clone(), path.clone()],
            });
        }
        if let Some(place) = &self.place {
            words.extend(["place".into(), text(&self.probe), text(place)]);
        }
        words.push("--".into());
        words
    }

    fn launch(&self, column: Column) -> Result<Vec<String>, String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let probe = [text(self.place.as_ref().unwrap_or(&self.probe)), "announce".into()];
        if column == Column::None {
            return Ok(probe.into());
        }
        let bundle = self.bundles.iter().find(|(c, _)| *c == column).ok_or("there is no bundle for it")?;
        let mut words: Vec<String> = vec![text(&self.canc), COMMAND.into(), text(&bundle.1)];
        words.push(self.policy.clone());
        words.extend(probe);
        Ok(words)
    }

    /// A process outside that belongs to the caller too.
    fn helper(&self) -> Result<Helper, String> {
        let mut command = Command::new(&self.probe);
        command.args(["announce", "wait", HELPER]).env_clear().env(SECRET.0, SECRET.1);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut helper = Helper(child.map_err(|e| format!("{}: {e}", self.probe.display()))?);
        // Its first words say that it is no longer a copy of this process.
        let mut word = [0; 1];
        let out = helper.0.stdout.as_mut().ok_or("the process outside has no output")?;
        out.read_exact(&mut word).map_err(|e| format!("the process outside did not start: {e}"))?;
        Ok(helper)
    }
}

/// The directory to cover for a stand-in: the nearest that is there. `None` where covering it would take too much away.
#[must_use]
pub fn cover(standin: &Standin) -> Option<String> {
    let there = Path::new(standin.path()).ancestors().skip(1).find(|p| p.is_dir())?.canonicalize().ok()?;
    let kernel = NEVER_COVERED.iter().skip(1).any(|never| there.starts_with(never));
    let text = there.to_str().filter(|t| !kernel && *t != "/" && !t.contains([',', ':', '\\']))?;
    Some(text.to_owned())
}

/// Ended with the trial.
struct Helper(Child);

impl Drop for Helper {
    fn drop(&mut self) {
        // It may have been ended by the very request.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Ended {
    code: Option<i32>,
    signal: Option<i32>,
    out: String,
    err: String,
    /// Whether it was another user than this process when it ended.
    other_user: bool,
}

fn wait(mut child: Child) -> Result<Ended, String> {
    let odd = |e: std::io::Error| e.to_string();
    let pid = Pid::from_child(&child);
    let (mut out, mut err) = (child.stdout.take(), child.stderr.take());
    let end = Instant::now() + LIMIT;
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    while rustix::process::waitid(WaitId::Pid(pid), options).map_err(|e| odd(e.into()))?.is_none() {
        if Instant::now() > end {
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
            let _ = child.wait();
            return Err(format!("it did not end within {} seconds", LIMIT.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let other_user = effective_user(pid.as_raw_nonzero().get())
        .is_some_and(|uid| uid != rustix::process::geteuid().as_raw());
    // What it left behind would keep the pipes open.
    let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    let status = child.wait().map_err(odd)?;
    let text = |pipe: Option<&mut dyn Read>| {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // An unreadable pipe is an empty one: the outcome then is that nothing was said.
            let _ = pipe.take(1 << 20).read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let (out, err) = (text(out.as_mut().map(|p| p as _)), text(err.as_mut().map(|p| p as _)));
    Ok(Ended { code: status.code(), signal: status.signal(), out, err, other_user })
}

/// The effective user of a process that ended and was not waited for yet: proc_pid_status(5).
fn effective_user(pid: i32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

impl Ended {
    fn outcome(&self, reading: Reading) -> Outcome {
        let mut lines = self.out.lines();
        if lines.next() != Some("{\"started\":true}") {
            return Outcome::NotRun(self.said());
        }
        let signal = self.signal.or(self.code.filter(|code| *code > 128).map(|code| code - 128));
        let answer = lines.next().and_then(|line| serde_json::from_str::<Value>(line).ok());
        match (answer, signal) {
            (Some(answer), _) if answer.get("request").is_some() => read(&answer, reading),
            (_, _) if reading == Reading::Identity && self.other_user => Outcome::Done,
            (_, Some(signal)) => Outcome::Killed(signal),
            (_, None) if reading == Reading::Identity => Outcome::Error("the same user".into()),
            (_, None) => Outcome::NotRun(self.said()),
        }
    }

    /// The last lines of what the launch said, or how it ended.
    fn said(&self) -> String {
        let lines: Vec<_> = self.err.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        match (lines.is_empty(), self.signal, self.code) {
            (false, _, _) => lines.join("; "),
            (_, Some(signal), _) => format!("signal {signal} ended it before it could start"),
            (_, _, code) => format!("it ended with code {} and said nothing", code.unwrap_or_default()),
        }
    }
}

fn read(answer: &Value, reading: Reading) -> Outcome {
    if let Some(error) = answer.get("error").and_then(Value::as_str) {
        return Outcome::Error(error.to_owned());
    }
    match (reading, answer.get("result")) {
        (Reading::State(wanted), Some(state)) if is_so(wanted, state) => Outcome::Error("confined".into()),
        _ => Outcome::Done,
    }
}

/// Whether the probe's report says that it is confined so. What it does not say is not so.
fn is_so(wanted: Confined, state: &Value) -> bool {
    let number = |name: &str| state.get(name).and_then(Value::as_u64);
    let holds_none = |name: &str, but: u64| {
        let set = state.get(name).and_then(Value::as_str).and_then(|text| u64::from_str_radix(text, 16).ok());
        set.is_some_and(|set| set & !but == 0)
    };
    match wanted {
        Confined::Capabilities(but) => {
            ["effective", "permitted", "inheritable", "ambient"].iter().all(|name| holds_none(name, but))
        }
        Confined::NoNewPrivs => number("no_new_privs") == Some(1),
        Confined::Filtered => number("seccomp") == Some(2),
    }
}
