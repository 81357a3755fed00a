//! The test bed's own steps of `ci/test`, by name.
//!
//! Each proves something that plain `cargo test` cannot, because it needs root, Debian's tools or a machine.

mod audit;
mod examples;
mod facts;
mod faults;
mod features;
mod fragments;
mod launch;
mod machines;
mod oracles;
mod package;
mod selinux;
mod truth;
mod units;
mod validate;
mod verify;

use crate::{Error, Rootfs};

/// A step: what it is called, what it shows, and how.
pub struct Step {
    /// As `canc-ci NAME` and `ci/test NAME` say it.
    pub name: &'static str,
    /// One line of help.
    pub about: &'static str,
    /// Ends with an error if anything is not as it should be; prints what people should see.
    pub run: fn(&Rootfs) -> Result<(), Error>,
}

/// All steps, in the order in which they make sense.
pub const STEPS: &[Step] = &[
    Step { name: "rootfs", about: "build the Debian 13 root file system", run: rootfs },
    Step { name: "oracles", about: "show that each oracle says yes and no", run: oracles::run },
    Step {
        name: "seccomp",
        about: "compare filters with libseccomp's, and perform calls under them",
        run: |_| crate::oracle_seccomp::run(),
    },
    Step {
        name: "proofs",
        about: "prove filters for every input by a solver",
        run: |_| crate::proofs::run(),
    },
    Step {
        name: "features",
        about: "compare the recorded AppArmor features with the kernel's",
        run: features::check,
    },
    Step {
        name: "features-record",
        about: "record the AppArmor features of the kernel",
        run: features::record,
    },
    Step {
        name: "facts",
        about: "compare the recorded facts about the SELinux policy with the policy",
        run: facts::check,
    },
    Step { name: "facts-record", about: "record the facts about the SELinux policy", run: facts::record },
    Step {
        name: "selinux",
        about: "compare linked SELinux policies and their labels with what was emitted",
        run: selinux::run,
    },
    Step { name: "validate", about: "show what `canc validate` accepts and refuses", run: validate::run },
    Step {
        name: "apparmor",
        about: "compare AppArmor profiles with what their own parser makes of them",
        run: crate::oracle_apparmor::run,
    },
    Step { name: "boot", about: "boot one machine that does nothing", run: faults::boot },
    Step {
        name: "faults",
        about: "show that a machine in which anything goes wrong is no pass",
        run: faults::run,
    },
    Step {
        name: "machines",
        about: "show what each layer enforces, in each kind of machine",
        run: machines::run,
    },
    Step {
        name: "load",
        about: "load a policy by the launcher into machines that have not seen it, and keep runs apart",
        run: machines::run_load,
    },
    Step {
        name: "examples-machines",
        about: "let the examples' real programs work under AppArmor and SELinux, in machines",
        run: examples::run_machines,
    },
    Step {
        name: "verify",
        about: "perform a policy's tests and attacks by `canc verify` under SELinux and AppArmor",
        run: verify::run,
    },
    Step {
        name: "truth",
        about: "try the verdict of each rule on each layer by itself, in both directions, in machines",
        run: truth::run,
    },
    Step {
        name: "selinux-machines",
        about: "start programs by both builds of the launcher in a machine with SELinux",
        run: machines::run_selinux,
    },
    Step {
        name: "userns",
        about: "show Ubuntu's restriction of user namespaces, and what policies give back of them",
        run: machines::run_userns,
    },
    Step {
        name: "replacements",
        about: "start programs a thousand times while their policy is replaced two hundred times",
        run: machines::run_replacements,
    },
    Step {
        name: "apply-machines",
        about: "apply, replace and remove a policy with the owners' tools in machines",
        run: machines::run_apply,
    },
    Step {
        name: "package",
        about: "build the Debian package, install, upgrade, remove and purge it",
        run: package::run,
    },
    Step {
        name: "units",
        about: "let Debian's nginx run by a drop-in of `canc apply --unit`",
        run: units::run,
    },
    Step {
        name: "audit-record",
        about: "record what kernels write about refusals, for `canc why --audit`",
        run: audit::record,
    },
    Step {
        name: "doctor-record",
        about: "record what `canc doctor` sees of each kind of machine",
        run: machines::record_doctor,
    },
    Step {
        name: "launch",
        about: "show cgroup limits, and labels inside of namespaces, in each kind of machine",
        run: launch::run,
    },
    Step { name: "std", about: "run real programs under the standard library", run: fragments::run },
    Step {
        name: "std-machine",
        about: "run real programs under the standard library, in a machine with AppArmor",
        run: fragments::run_machine,
    },
    Step {
        name: "examples",
        about: "let the examples' real programs work under their policies",
        run: examples::run,
    },
];

/// Opening it was the work.
fn rootfs(rootfs: &Rootfs) -> Result<(), Error> {
    println!("root file system in {}", rootfs.tree().display());
    Ok(())
}

/// Fails with `what` unless `fine`.
fn ensure(fine: bool, what: impl FnOnce() -> String) -> Result<(), Error> {
    if fine { Ok(()) } else { Err(Error::Odd(what())) }
}
