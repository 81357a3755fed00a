//! The standard library with real programs of three kinds of C library: what its fragments say is enough for them, and no more.

use super::ensure;
use crate::policy::{Compiled, LAUNCHER, Layers, Tools};
use crate::vm::{self, File, VmJob, VmTest};
use crate::{Error, Rootfs};

const SOURCE: &str = include_str!("../../cases/std/std.can");
const WORK: &str = "/srv/work";
/// What the work prints.
const LINES: &[&str] = &[
    "static 0 words\n",
    "signals 0 trapped 42\n",
    "clock 0 1970\n",
    "no files 1 cat: can't open '/etc/hostname': ",
    "musl 1 musl libc (x86_64) Version ",
    "date 0 1970\n",
    "users 0 root\n",
    "processors 0 1\n",
    "memory 0 total ",
    "children 0 told3\n",
    "time 0 rangThu Jan 1 ",
    "shell 0 trapped 3\n",
    "threads 0\n",
    "no file of others 1 cat: /etc/hostname: Permission denied\n",
    "a file 0 one two1\n",
    "a directory 0 gone\n",
    "python 0 d41d\n",
    "no python 1 Fatal Python error",
    "certificate 0 /usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt: OK\n",
    "no certificate 2 ",
    "settings 0 -----\n",
    "no settings 1 ",
    "languages 0 C C.utf8 POSIX\n",
    "no languages 0 C POSIX\n",
    "zones 0 Berlin\n",
    "no zones 13 Permission denied",
    "lines 0 10\n",
    "no lines 13 Permission denied",
    "pipes 0 CC B\n",
    "no pipes 0\n",
    "make 0 told 42\n",
    "no make 2 ",
    "terminfo 0 8\n",
    "terminal 30 70\n",
    "a name 0 192.0.2.7 STREAM name.test ",
    "a service 0 https 443/tcp\n",
    "log 0\n",
    "heard s told\n",
    "user 0 33 33\n",
];

/// On this machine's kernel.
pub fn run(rootfs: &Rootfs) -> Result<(), Error> {
    let report = vm::run_here(rootfs, &job(&Tools::build(rootfs)?, "debian13-none")?)?;
    print!("{report}");
    ensure(report.is_good(), || "the standard library is not what programs need".to_owned())
}

/// In a machine with AppArmor, alone.
pub fn run_machine(rootfs: &Rootfs) -> Result<(), Error> {
    let report = vm::run(rootfs, &job(&Tools::build(rootfs)?, "debian13-apparmor")?)?;
    print!("{report}");
    ensure(report.is_good(), || "the standard library is not what programs need".to_owned())
}

/// In a machine of this kind.
pub fn job(tools: &Tools, kind: &str) -> Result<VmJob, Error> {
    let compiled = tools.compile("std", SOURCE, Layers::All)?;
    let mut job = VmJob::new("the standard library", kind)?;
    job.files = compiled.files()?;
    job.files.extend([tools.launcher_file(), File::text(WORK, include_str!("../../cases/std/work.sh"))]);
    job.files.push(File::text("/etc/hostname", "host\n"));
    if kind == "debian13-apparmor" {
        job.files.extend(compiled.profiles());
        job.setup = compiled.load_profiles();
    }
    job.tests = vec![test(&compiled)];
    Ok(job)
}

fn test(compiled: &Compiled) -> VmTest {
    let bundle = compiled.bundle();
    let words = ["/usr/bin/unshare", "--net", "/usr/bin/bash", WORK, LAUNCHER, &bundle];
    let mut test = VmTest::new("programs of each fragment", &words);
    test.step.seconds = 300;
    LINES.iter().fold(test, |test, line| test.stdout(line))
}
