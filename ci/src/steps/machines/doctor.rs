//! `canc doctor` in each kind of machine: what it says of the host as it is, permissive, and confined by somebody else's profile.
//! What it saw is also what `golden/doctor/hosts/` records.

use super::super::ensure;
use crate::policy::Tools;
use crate::vm::{self, File, VmJob, VmReport, VmTest};
use crate::{Error, Rootfs};
use std::fs;
use std::path::Path;

/// Where the machines have it.
const CANC: &str = "/usr/local/bin/canc";
/// A profile of somebody else, which does not let its programs start others or make user namespaces.
const JAIL: &str = "abi <abi/4.0>,\nprofile jail {\n  /** rwm,\n  /usr/local/bin/canc rix,\n  /usr/bin/{dash,sh} rix,\n  \
    capability,\n  network,\n  signal,\n  unix,\n}\n";
const JAIL_FILE: &str = "/etc/apparmor.d/jail";
/// What a recorded host is named after: the step's name without this.
const NAME: &str = "doctor: ";

/// A doctor's test and what its JSON must hold, in pieces that do not depend on the order of fields.
struct Case {
    name: &'static str,
    command: &'static str,
    uid: u32,
    code: i32,
    words: &'static [&'static str],
}

const SELINUX: [Case; 3] = [
    Case {
        name: "selinux-root",
        command: "canc doctor --json",
        uid: 0,
        code: 0,
        words: &[
            "enforcing; policy default, version 33, with levels",
            "it has every class that modules of canc name",
        ],
    },
    Case {
        name: "selinux-user",
        command: "canc doctor --json",
        uid: 1000,
        code: 0,
        words: &["enforcing; policy default"],
    },
    Case {
        name: "selinux-permissive",
        command: "setenforce 0; canc doctor --json; code=$?; setenforce 1; exit $code",
        uid: 0,
        code: 0,
        words: &["permissive; policy default", "setenforce 1 && sed -i"],
    },
];

const APPARMOR: [Case; 3] = [
    Case {
        name: "apparmor-root",
        command: "canc doctor --json",
        uid: 0,
        code: 0,
        words: &["AppArmor parser version 4.1", "does not mediate unix sockets"],
    },
    Case {
        name: "apparmor-user",
        command: "canc doctor --json",
        uid: 1000,
        code: 0,
        words: &["clone, unshare, and a mount inside one"],
    },
    Case {
        name: "apparmor-confined",
        command: "aa-exec -p jail -- canc doctor --json",
        uid: 0,
        code: 0,
        words: &["the AppArmor profile jail (enforce)", "clone gives EACCES", "Permission denied"],
    },
];

const NONE: [Case; 1] = [Case {
    name: "none-root",
    command: "canc doctor --json",
    uid: 0,
    code: 0,
    words: &[
        "the kernel has it, and its command line does not switch it on",
        "lsm=lockdown,apparmor,landlock,yama",
    ],
}];

fn cases(kind: &str) -> &'static [Case] {
    match kind {
        "debian13-selinux" => &SELINUX,
        "debian13-apparmor" => &APPARMOR,
        _ => &NONE,
    }
}

/// Adds the program and the tests for a machine of this kind.
pub fn add(tools: &Tools, kind: &str, job: &mut VmJob) {
    job.files.push(File::program(CANC, tools.canc()));
    if kind == "debian13-apparmor" {
        job.files.push(File::text(JAIL_FILE, JAIL));
        job.setup
            .push(vm::step("load somebody else's profile", &["/usr/sbin/apparmor_parser", "-r", JAIL_FILE]));
    }
    for case in cases(kind) {
        let name = format!("{NAME}{}", case.name);
        let mut test = VmTest::new(&name, &["/bin/sh", "-c", case.command]).uid(case.uid, case.uid);
        test = test.exit(vm::Exit::Code(case.code));
        test.step.env.insert("PATH".into(), "/usr/local/bin:/usr/sbin:/usr/bin".into());
        test = case.words.iter().fold(test, |test, words| test.stdout(words));
        job.tests.push(test);
    }
}

/// Writes what the machines are to `golden/doctor/hosts/`.
pub fn record(rootfs: &Rootfs) -> Result<(), Error> {
    let tools = Tools::build(rootfs)?;
    let kinds = ["debian13-selinux", "debian13-apparmor", "debian13-none"];
    let mut jobs = Vec::new();
    for kind in kinds {
        let mut job = VmJob::new(&format!("doctor on {kind}"), kind)?;
        add(&tools, kind, &mut job);
        jobs.push(job);
    }
    for (kind, report) in kinds.into_iter().zip(vm::run_all(rootfs, &jobs)?) {
        for case in cases(kind) {
            write(kind, case, &report)?;
        }
        ensure(report.is_good(), || report.to_string())?;
    }
    Ok(())
}

fn write(kind: &str, case: &Case, report: &VmReport) -> Result<(), Error> {
    let name = format!("{NAME}{}", case.name);
    let text = report.ran(&name).map(|ran| ran.stdout.clone()).unwrap_or_default();
    let odd = |e: serde_json::Error| Error::Odd(format!("{name}: {e}: {text}\n{report}"));
    let said: serde_json::Value = serde_json::from_str(&text).map_err(odd)?;
    let user = if case.uid == 0 { String::new() } else { format!("user {}: ", case.uid) };
    let recorded = serde_json::json!({
        "command": format!("{user}{}", case.command),
        "machine": format!("Debian 13 in a virtual machine, ci/vm/{kind}.toml"),
        "host": said.get("host"),
    });
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/")).join("golden/doctor/hosts");
    fs::create_dir_all(&file).map_err(Error::io("making", &file))?;
    let file = file.join(format!("{}.json", case.name));
    let text = serde_json::to_string_pretty(&recorded).map_err(odd)? + "\n";
    fs::write(&file, text).map_err(Error::io("writing", &file))
}
