//! [`System`] on the running kernel. Every file that a step writes to is opened before the first step, so that no limit, label or
//! capability that a step takes away is missed by a later one.

use crate::caps::CapSet;
use crate::cgroup;
use crate::failure::{Code, Failure};
use crate::host::{CapabilityFacts, four_sets};
use crate::label::{self, Attribute};
use crate::landlock::{self, Places, Prepared};
use crate::mounts;
use crate::namespaces;
use crate::plan::{CgroupLimit, Namespace, Plan, Step};
use crate::procfs::{Procfs, explain};
use crate::program::Program;
use crate::resident;
use crate::sys::{self, Arguments, Ending, Instruction};
use crate::system::System;
use canc_bundle::LandlockRuleset;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Dir, OFlags};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set, configure_capability_in_ambient_set,
    remove_capability_from_bounding_set, set_capabilities,
};
use std::ffi::CString;
use std::io::{self, Write};

/// The running process.
#[derive(Debug)]
pub struct Machine {
    labels: Vec<(Attribute, OwnedFd)>,
    rules: Option<(LandlockRuleset, Places)>,
    ruleset: Option<Prepared>,
    report: Option<OwnedFd>,
    /// What to say for each error of the exec; made before a filter can keep it from being made.
    messages: Vec<(i32, CString)>,
    unknown: CString,
}

impl Machine {
    /// Opens what the plan's steps need, and puts the program on the plan's descriptor.
    ///
    /// # Errors
    /// A label file that is not what it should be, no room for the descriptor.
    pub fn new(
        called: &str,
        plan: &Plan,
        program: &Program,
        rules: Option<(LandlockRuleset, Places)>,
        report: Option<OwnedFd>,
    ) -> Result<Self, Failure> {
        let mut labels = Vec::new();
        for step in &plan.steps {
            match step {
                Step::Label { layer, .. } => {
                    let Some(attribute) = layer.exec_attribute() else { continue };
                    let file = label::open(attribute).map_err(|e| {
                        let why = format!("its exec label under /proc cannot be trusted: {}", explain(&e));
                        Failure::refused(
                            layer.word(),
                            why,
                            "unmount what lies over /proc, or mount a fresh one",
                        )
                    })?;
                    labels.push((attribute, file));
                }
                Step::Exec { descriptor } => {
                    put_program(program.file.as_fd(), *descriptor).map_err(|e| {
                        let why = format!("the program does not fit on descriptor {descriptor}: {e}");
                        Failure::refused("open files", why, "raise the limit of open files (ulimit -n)")
                    })?;
                }
                _ => {}
            }
        }
        let (messages, unknown) = messages(called, program);
        Ok(Self { labels, rules, ruleset: None, report, messages, unknown })
    }
}

/// The soft limit is raised for the moment where it is in the way.
fn put_program(file: BorrowedFd<'_>, descriptor: u32) -> io::Result<()> {
    let number = i32::try_from(descriptor).map_err(|_| Errno::BADF)?;
    let limit = getrlimit(Resource::Nofile);
    let low = limit.current.is_some_and(|soft| soft <= descriptor.into());
    if low {
        setrlimit(
            Resource::Nofile,
            Rlimit { current: Some(u64::from(descriptor) + 1), maximum: limit.maximum },
        )?;
    }
    sys::put_at(file, number)?;
    if low {
        setrlimit(Resource::Nofile, limit)?;
    }
    Ok(())
}

fn messages(called: &str, program: &Program) -> (Vec<(i32, CString)>, CString) {
    let line = |why: &str| {
        let text = format!("{called}: {}: {why}\n", program.path.display());
        CString::new(text.replace('\0', "?")).unwrap_or_default()
    };
    let known = [
        (Errno::ACCESS, "permission denied, by file mode or by a layer"),
        (Errno::PERM, "not permitted, by a layer"),
        (Errno::NOENT, "its ELF interpreter is missing"),
        (Errno::NOEXEC, "it is in no format that the kernel executes"),
        (Errno::TXTBSY, "somebody has it open for writing"),
        (Errno::TOOBIG, "arguments and environment are too long"),
        (Errno::NOMEM, "not enough memory"),
        (Errno::LIBBAD, "its ELF interpreter is damaged"),
    ];
    (
        known.map(|(errno, why)| (errno.raw_os_error(), line(why))).into(),
        line("the kernel does not execute it"),
    )
}

impl System for Machine {
    fn open_stdio(&mut self) -> io::Result<Vec<u32>> {
        sys::open_standard_descriptors()
    }

    fn close_on_exec(&mut self, keep: &[u32]) -> io::Result<()> {
        let mut keep: Vec<u32> = keep.iter().copied().filter(|n| *n > 2).collect();
        keep.sort_unstable();
        keep.dedup();
        let mut first = 3;
        for end in keep.iter().copied().chain([u32::MAX]) {
            let last = if end == u32::MAX { end } else { end - 1 };
            if first <= last {
                match sys::close_on_exec_from(first, last) {
                    Err(e) if old_kernel(&e) => return Self::close_each_on_exec(&keep),
                    other => other?,
                }
            }
            first = end.saturating_add(1);
        }
        Ok(())
    }

    fn new_keyring(&mut self) -> io::Result<()> {
        sys::new_session_keyring()
    }

    fn cgroup(&mut self, parent: &str, enable: &[String], limits: &[CgroupLimit]) -> Result<String, String> {
        cgroup::enter(parent, enable, limits)
    }

    fn limit(&mut self, resource: Resource, value: u64) -> io::Result<()> {
        Ok(setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })?)
    }

    fn label(&mut self, attribute: Attribute, write: &str, expect: &str) -> Result<String, String> {
        match self.labels.iter().find(|(a, _)| *a == attribute) {
            Some((_, file)) => label::set(file, attribute, write, expect),
            None => Err("its file was not opened".into()),
        }
    }

    fn namespaces(&mut self, kinds: &[Namespace]) -> Result<(), String> {
        namespaces::make(kinds)
    }

    fn stay_as_parent(&mut self) -> io::Result<()> {
        resident::stay()
    }

    fn mounts(&mut self) -> Result<Vec<String>, String> {
        mounts::make()
    }

    fn open_ruleset(&mut self) -> Result<Vec<String>, Failure> {
        let Some((rules, places)) = self.rules.take() else {
            return Err(Failure::refused("landlock", "no ruleset was read", ""));
        };
        let mut prepared = landlock::prepare(&rules, &places)?;
        let skipped = std::mem::take(&mut prepared.skipped);
        self.ruleset = Some(prepared);
        Ok(skipped)
    }

    fn drop_bounding(&mut self, set: CapSet) -> io::Result<()> {
        for number in set.numbers() {
            remove_capability_from_bounding_set(one(number))?;
        }
        Ok(())
    }

    /// Asks for no change that is none: a confined caller may lack the permission even for that.
    fn set_capabilities(&mut self, sets: &CapabilityFacts) -> io::Result<()> {
        let now = four_sets()?;
        if now.ambient != CapSet::default() {
            clear_ambient_capability_set()?;
        }
        let CapabilityFacts { permitted, effective, inheritable, ambient, .. } = *sets;
        if (now.permitted, now.effective, now.inheritable) != (permitted, effective, inheritable) {
            let set = |s: CapSet| CapabilitySet::from_bits_retain(s.0);
            let (permitted, effective, inheritable) = (set(permitted), set(effective), set(inheritable));
            set_capabilities(None, CapabilitySets { effective, permitted, inheritable })?;
        }
        for number in ambient.numbers() {
            configure_capability_in_ambient_set(one(number), true)?;
        }
        Ok(())
    }

    fn capabilities(&mut self) -> io::Result<CapabilityFacts> {
        four_sets()
    }

    fn no_new_privs(&mut self) -> io::Result<()> {
        rustix::thread::set_no_new_privs(true)?;
        if rustix::thread::no_new_privs()? { Ok(()) } else { Err(Errno::NOTSUP.into()) }
    }

    fn report(&mut self, text: &str) -> io::Result<()> {
        match self.report.take() {
            Some(file) => std::fs::File::from(file).write_all(text.as_bytes()),
            None => Ok(()),
        }
    }

    fn default_signals(&mut self) -> io::Result<()> {
        // Ignored by nohup(1), and by shells for commands in the background: that is meant for the program.
        let meant = [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT];
        sys::reset_signals(
            |signal| if meant.contains(&signal) { Ending::KeepIgnored } else { Ending::Default },
        )
    }

    fn landlock(&mut self, log: bool) -> Result<(), String> {
        self.ruleset.take().ok_or_else(|| "no ruleset was prepared".to_owned())?.enforce(log)
    }

    fn filter(&mut self, program: &[Instruction], log: bool) -> io::Result<()> {
        sys::load_filter(program, log)
    }

    /// Ends the process itself where the exec fails: with a filter loaded, even an allocation may be refused.
    fn exec(&mut self, descriptor: u32, arguments: &Arguments) -> io::Error {
        let Ok(number) = i32::try_from(descriptor) else { return Errno::BADF.into() };
        let error = sys::exec_descriptor(number, arguments).raw_os_error();
        let message =
            self.messages.iter().find(|(n, _)| Some(*n) == error).map_or(&self.unknown, |(_, text)| text);
        sys::exit_now(message, Code::CannotExecute as i32)
    }
}

impl Machine {
    /// For kernels without close_range(2) or its flag (before Linux 5.11).
    fn close_each_on_exec(keep: &[u32]) -> io::Result<()> {
        let directory = Procfs::open()?.thread_file("fd", OFlags::RDONLY | OFlags::DIRECTORY)?;
        for entry in Dir::new(directory)? {
            let Some(number) = entry?.file_name().to_str().ok().and_then(|n| n.parse::<u32>().ok()) else {
                continue;
            };
            if number > 2 && !keep.contains(&number) {
                sys::mark_close_on_exec(number)?;
            }
        }
        Ok(())
    }
}

fn old_kernel(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::NOSYS | Errno::INVAL))
}

fn one(number: u8) -> CapabilitySet {
    CapabilitySet::from_bits_retain(CapSet::default().with(number).0)
}
