//! Labels and namespaces together: a program that is isolated has the label that was set before, and what it refuses.

use crate::oracle::selinux::Store;
use crate::policy::{Compiled, Layers, Tools};
use crate::vm::{Exit, File, VmJob, VmTest};
use crate::{Error, Rootfs};

const SOURCE: &str = include_str!("../../../../examples/cat/cat.can");
/// What the confined program may read, and what it may not though everybody else may.
const PERMITTED: &str = "/srv/x/permitted";
const REFUSED: &str = "/srv/other/refused";

/// Under SELinux, from the login of an administrator.
pub fn selinux(rootfs: &Rootfs, tools: &Tools) -> Result<VmJob, Error> {
    let policy = compile(tools, "selinux", "pid, mount, net")?;
    let mut job = VmJob::new("isolated under SELinux", "debian13-selinux")?;
    job.modules = policy.modules(&Store::new(rootfs)?)?;
    let label = ("/proc/self/attr/current", "unconfined_u:unconfined_r:canc__cat_t:s0");
    job.files = files(tools);
    tests(&mut job, &policy, label, None)?;
    Ok(job)
}

/// Under AppArmor, as root and as an ordinary user, who needs a user namespace for it.
pub fn apparmor(tools: &Tools) -> Result<VmJob, Error> {
    let mut job = VmJob::new("isolated under AppArmor", "debian13-apparmor")?;
    job.files = files(tools);
    let label = ("/proc/self/attr/apparmor/current", "canc.cat (enforce)");
    let root = compile(tools, "apparmor", "pid, mount, net")?;
    job.files.extend(root.profiles());
    job.setup = root.load_profiles();
    tests(&mut job, &root, label, None)?;
    tests(&mut job, &compile(tools, "apparmor", "user, pid, mount, net")?, label, Some(1000))?;
    Ok(job)
}

/// The policy with one layer alone and with these namespaces.
fn compile(tools: &Tools, layer: &'static str, kinds: &str) -> Result<Compiled, Error> {
    let source = SOURCE.replacen("include std.base;", &format!("include std.base;\n  isolate {kinds};"), 1);
    let name = if kinds.contains("user") { "isolated-user" } else { "isolated-root" };
    tools.compile(name, &source, Layers::Only(layer))
}

fn files(tools: &Tools) -> Vec<File> {
    vec![
        tools.launcher_file(),
        File::directory("/srv/x"),
        File::text(PERMITTED, "permitted words\n"),
        File::directory("/srv/other"),
        File::text(REFUSED, "refused words\n"),
    ]
}

/// Its label, what it may read, what it may not, and that it is the second process of its namespace.
fn tests(
    job: &mut VmJob,
    policy: &Compiled,
    (attribute, label): (&str, &str),
    user: Option<u32>,
) -> Result<(), Error> {
    job.files.extend(policy.files()?);
    let who = user.map_or("root", |_| "a user");
    let cat = |what: &str, file| {
        let test =
            VmTest::launch(&format!("isolated, {who}: {what}"), policy.launch(&["/usr/bin/cat", file]));
        match user {
            Some(id) => test.uid(id, id),
            None => test,
        }
    };
    job.tests.extend([
        cat("own label", attribute).stdout(label),
        cat("permitted read", PERMITTED).stdout("permitted words"),
        cat("another read", REFUSED).exit(Exit::Code(1)).stderr("Permission denied"),
        cat("own process", "/proc/self/stat").stdout("2 (cat) R 1 "),
    ]);
    Ok(())
}
