//! A disk image to the events of the machine that boots from it; the machine is ended whatever happens.
//!
//! It must not judge: it returns what came, and why nothing more came.

use super::accel::Accel;
use super::image::Image;
use super::job::VmJob;
use crate::run::tail;
use crate::{Error, Rootfs};
use canc_guest::{Event, PORT, PROGRAM};
use rustix::process::{Pid, Signal, kill_process_group};
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The program, unless `CANC_QEMU` names another.
const QEMU: &str = "qemu-system-x86_64";
const PAUSE: Duration = Duration::from_millis(20);

/// What came out of a machine.
#[derive(Debug)]
pub struct Outcome {
    /// What ran it; `None` where there was no machine.
    pub accel: Option<Accel>,
    /// In the order in which they came.
    pub events: Vec<Event>,
    /// Why it ended without saying that it was done.
    pub fault: Option<String>,
    /// The kernel's messages, the last of them.
    pub console: String,
    /// From start to first event.
    pub boot: Duration,
    /// From start to end.
    pub took: Duration,
}

/// Boots the machine and follows it to its end.
pub fn boot(rootfs: &Rootfs, image: &Image, job: &VmJob) -> Result<Outcome, Error> {
    let accel = Accel::choose(rootfs)?;
    let dir = image.dir();
    let drive = format!("file={},if=virtio,format=raw,cache=unsafe,snapshot=on", image.disk().display());
    let append =
        format!("root=/dev/vda rw init={PROGRAM} audit=1 audit_backlog_limit=65536 {}", job.kind.append);
    let mut machine = Machine::start(rootfs, accel, dir, &append, |command| {
        command.arg("-m").arg(job.kind.memory.to_string()).arg("-drive").arg(&drive);
    })?;
    let fault = machine.follow(job.boot_limit * accel.slowness(), job.limit() * accel.slowness());
    machine.end();
    Ok(Outcome {
        accel: Some(accel),
        fault,
        console: tail(&read(&dir.join("console"))),
        boot: machine.boot.unwrap_or(machine.start.elapsed()),
        took: machine.start.elapsed(),
        events: std::mem::take(&mut machine.events),
    })
}

/// Whether the kernel comes as far as starting its first program under this accelerator.
pub fn kernel_starts(rootfs: &Rootfs, accel: Accel, limit: Duration) -> Result<bool, Error> {
    let dir = rootfs.cache().scratch()?;
    let mut machine = Machine::start(rootfs, accel, dir.path(), "", |command| {
        command.args(["-m", "512"]);
    })?;
    while machine.start.elapsed() < limit && machine.runs() {
        if read(&dir.path().join("console")).contains("Run /init as init process") {
            return Ok(true);
        }
        if read(&dir.path().join("qemu")).contains("KVM internal error") {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    Ok(false)
}

/// Where QEMU is. Looked for beforehand, because `setpriv` would start nothing in its place and the machine seem to end by itself.
fn program() -> Result<PathBuf, Error> {
    let name = std::env::var_os("CANC_QEMU").unwrap_or_else(|| QEMU.into());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|dir| dir.join(&name));
    places.find(|place| place.is_file()).ok_or_else(|| {
        Error::Missing(format!(
            "no `{}`: apt-get install qemu-system-x86, or name one by CANC_QEMU",
            name.display()
        ))
    })
}

fn read(path: &Path) -> String {
    fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// A running machine; ended when dropped.
struct Machine {
    child: Child,
    start: Instant,
    boot: Option<Duration>,
    events: Vec<Event>,
    results: PathBuf,
    consumed: usize,
    messages: PathBuf,
}

impl Machine {
    /// `setpriv --pdeathsig` ends the machine even if this process is killed.
    fn start(
        rootfs: &Rootfs,
        accel: Accel,
        dir: &Path,
        append: &str,
        add: impl FnOnce(&mut Command),
    ) -> Result<Self, Error> {
        let messages = dir.join("qemu");
        let log = File::create(&messages).map_err(Error::io("making", &messages))?;
        let results = dir.join("events");
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program()?).args(accel.args());
        command.args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-nic", "none"]);
        command
            .arg("-kernel")
            .arg(rootfs.boot_file("vmlinuz")?)
            .arg("-initrd")
            .arg(rootfs.boot_file("initrd")?);
        command.arg("-append").arg(format!("console=ttyS0 panic=-1 no_timer_check {append}"));
        command.arg("-serial").arg(format!("file:{}", dir.join("console").display()));
        command.args([
            "-device",
            "virtio-serial-pci",
            "-device",
            &format!("virtserialport,chardev=events,name={PORT}"),
        ]);
        command.arg("-chardev").arg(format!("file,id=events,path={}", results.display()));
        add(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).process_group(0);
        let child = command.spawn().map_err(|source| Error::Start { command: QEMU.to_owned(), source })?;
        Ok(Self {
            child,
            start: Instant::now(),
            boot: None,
            events: Vec::new(),
            results,
            consumed: 0,
            messages,
        })
    }

    /// Collects events until the last one, or tells why it did not come.
    fn follow(&mut self, boot_limit: Duration, job_limit: Duration) -> Option<String> {
        loop {
            let runs = self.runs();
            self.take_events();
            match self.events.last() {
                Some(Event::Done) => return None,
                Some(Event::Broken { why }) => return Some(why.clone()),
                _ => {}
            }
            let limit = self.boot.map_or(boot_limit, |boot| boot + job_limit);
            if self.start.elapsed() > limit {
                let doing = if self.boot.is_some() { "did not finish its job" } else { "did not come up" };
                return Some(format!("the machine {doing} within {limit:?}"));
            }
            if !runs {
                return Some(format!("the machine ended by itself: {}", tail(&read(&self.messages))));
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Whole lines that came since the last call. A line that is no event ends the machine's say.
    fn take_events(&mut self) {
        let text = read(&self.results);
        let new = text.get(self.consumed..).unwrap_or_default();
        let whole = new.rfind('\n').map_or(0, |at| at + 1);
        for line in new.get(..whole).unwrap_or_default().lines() {
            let odd = |e| Event::Broken { why: format!("odd event {line:?}: {e}") };
            self.events.push(serde_json::from_str(line).unwrap_or_else(odd));
        }
        self.consumed += whole;
        if self.boot.is_none() && !self.events.is_empty() {
            self.boot = Some(self.start.elapsed());
        }
    }

    /// The child leads a process group of its own, and it has not been waited for elsewhere.
    fn end(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.end();
    }
}
