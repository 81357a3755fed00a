//! What seccomp refuses by itself: a call that fails, and a call that ends its maker and leaves a record.

use crate::Error;
use crate::policy::{Layers, Tools};
use crate::vm::{self, Exit, File, VmJob, VmTest};

const SOURCE: &str = include_str!("../../../cases/calls/calls.can");
const PROBE: &str = "/usr/local/bin/canc-probe";
/// `socket(AF_INET, SOCK_STREAM, 0)` and `sysinfo(2)` on x86-64.
const SOCKET: [&str; 5] = [PROBE, "socket", "2", "1", "0"];
const SYSINFO: [&str; 4] = [PROBE, "syscall", "99", "buf:128"];

/// Adds the probe and the tests.
pub fn add(tools: &Tools, job: &mut VmJob) -> Result<(), Error> {
    let with = tools.compile("calls", SOURCE, Layers::Only("seccomp"))?;
    let without = tools.compile("calls", SOURCE, Layers::Only("landlock"))?;
    job.files.push(File::program(PROBE, vm::build_program("canc-probe", "canc-probe")?));
    job.files.extend(with.files()?.into_iter().chain(without.files()?));
    job.tests.extend([
        VmTest::launch("seccomp alone: a socket", with.launch(&SOCKET))
            .exit(Exit::Code(1))
            .stdout("\"error\":\"EPERM\""),
        VmTest::launch("seccomp alone: a call that kills", with.launch(&SYSINFO))
            .exit(Exit::Signal(31))
            .audit(&["sig=31", "syscall=99", "exe=\"/usr/local/bin/canc-probe\""]),
        VmTest::launch("without seccomp: a socket", without.launch(&SOCKET)).stdout("\"result\":"),
        VmTest::launch("without seccomp: a call that kills", without.launch(&SYSINFO))
            .stdout("\"result\":0")
            .no_audit(&["sig=31"]),
    ]);
    Ok(())
}
