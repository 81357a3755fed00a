//! One step to how it went, from a process that already has the context of the step's user.
//!
//! The step comes on standard input as one line of JSON; `ready` goes out when all preparation is done; the command
//! starts when any further line has come; the result goes out as one line. The pipes are made here, so that they carry
//! the user's label: a confined program may use its caller's pipes, not those of the first process.
//! It must not know about audit records: another process collects those.

use crate::{boot, text};
use canc_guest::{OUTPUT_LIMIT, Ran, Step};
use std::io::{BufRead, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The word on the command line that asks for enforcement to be switched on again before the command.
pub const ENFORCE: &str = "enforce";
/// How long output may still come from descendants when the command itself has ended.
const GRACE: Duration = Duration::from_millis(300);

/// `canc-guest run [enforce]`.
pub fn main() -> ExitCode {
    match converse() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("canc-guest run: {why}");
            ExitCode::FAILURE
        }
    }
}

fn converse() -> Result<(), String> {
    let mut lines = std::io::stdin().lock().lines();
    let mut line = || lines.next().and_then(Result::ok).ok_or("standard input ended early");
    let step: Step = serde_json::from_str(&line()?).map_err(|e| e.to_string())?;
    if std::env::args().nth(2).is_some_and(|word| word == ENFORCE) {
        text::write(boot::ENFORCE, "1")?;
    }
    println!("ready");
    line()?;
    let ran = serde_json::to_string(&perform(&step)).map_err(|e| e.to_string())?;
    println!("{ran}");
    Ok(())
}

/// Runs the command to its end or its limit.
pub fn perform(step: &Step) -> Ran {
    let start = Instant::now();
    let mut ran = Ran { name: step.name.clone(), ..Ran::default() };
    match command(step).and_then(|mut command| command.spawn().map_err(|e| e.to_string())) {
        Ok(child) => watch(step, child, &mut ran),
        Err(why) => ran.not_started = Some(why),
    }
    ran.ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    ran
}

fn command(step: &Step) -> Result<Command, String> {
    let Some((program, args)) = step.argv.split_first() else { return Err("no program".to_owned()) };
    let mut command = Command::new(program);
    command.args(args).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C");
    command.envs(&step.env).current_dir("/").process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if (step.user.uid, step.user.gid) != (0, 0) {
        command.gid(step.user.gid).uid(step.user.uid);
    }
    Ok(command)
}

fn watch(step: &Step, mut child: Child, ran: &mut Ran) {
    if let Some(mut stdin) = child.stdin.take() {
        let text = step.stdin.clone();
        std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    }
    let stdout = child.stdout.take().map(collect);
    let stderr = child.stderr.take().map(collect);
    let status = wait(&mut child, Duration::from_secs(step.seconds.into()), ran);
    ran.code = status.and_then(|s| s.code());
    ran.signal = status.and_then(|s| s.signal());
    let until = Instant::now() + GRACE;
    ran.stdout = stdout.map(|stream| stream.text(until)).unwrap_or_default();
    ran.stderr = stderr.map(|stream| stream.text(until)).unwrap_or_default();
}

fn wait(child: &mut Child, limit: Duration, ran: &mut Ran) -> Option<ExitStatus> {
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if start.elapsed() < limit => std::thread::sleep(Duration::from_millis(5)),
            Ok(None) => break,
            Err(e) => {
                ran.not_started = Some(format!("waiting: {e}"));
                return None;
            }
        }
    }
    ran.timed_out = true;
    let _ = child.kill();
    child.wait().ok()
}

/// A stream that is being read.
struct Stream {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: std::thread::JoinHandle<()>,
}

fn collect(mut from: impl Read + Send + 'static) -> Stream {
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&bytes);
    let reader = std::thread::spawn(move || {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let (Ok(mut kept), Some(new)) = (into.lock(), buffer.get(..length)) else { return };
            let room = OUTPUT_LIMIT.saturating_sub(kept.len());
            kept.extend(new.iter().take(room));
        }
    });
    Stream { bytes, reader }
}

impl Stream {
    /// What has come by the end of the stream, or by `until` if something still holds it open.
    fn text(self, until: Instant) -> String {
        while !self.reader.is_finished() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
        self.bytes.lock().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(argv: &[&str], seconds: u32) -> Step {
        Step {
            name: "t".to_owned(),
            argv: argv.iter().map(|&s| s.to_owned()).collect(),
            env: [("V".to_owned(), "v".to_owned())].into(),
            stdin: "in".to_owned(),
            user: canc_guest::User::default(),
            seconds,
        }
    }

    #[test]
    fn output_code_input_and_environment() {
        let ran = perform(&step(&["/bin/sh", "-c", "cat; echo $V; echo e >&2; exit 7"], 10));
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(7), "inv\n", "e\n"));
        assert!(!ran.timed_out && ran.not_started.is_none());
    }

    #[test]
    fn a_command_over_its_limit_is_killed() {
        let ran = perform(&step(&["/bin/sleep", "60"], 0));
        assert!(ran.timed_out);
        assert_eq!((ran.code, ran.signal), (None, Some(9)));
    }

    #[test]
    fn a_command_that_cannot_start_says_why() {
        let ran = perform(&step(&["/nonexistent/program"], 10));
        assert!(ran.not_started.is_some_and(|why| why.contains("No such file")));
    }

    #[test]
    fn a_descendant_that_keeps_the_pipe_does_not_hang_the_step() {
        let ran = perform(&step(&["/bin/sh", "-c", "sleep 5 & echo done"], 10));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "done\n"));
        assert!(ran.ms < 4000, "{} ms", ran.ms);
    }

    #[test]
    fn output_is_cut() {
        let ran = perform(&step(&["/bin/sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x"], 30));
        assert_eq!(ran.stdout.len(), OUTPUT_LIMIT);
    }
}
