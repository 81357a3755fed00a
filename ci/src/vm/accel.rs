//! A host to the accelerator that really runs a stock kernel there.
//!
//! Where `/dev/kvm` exists it may still not run one, so this tries, with a hard limit, and remembers the answer until the
//! host boots again. It must not know what will be run.

use super::qemu;
use crate::{Error, Rootfs};
use std::fs;
use std::time::Duration;

/// How instructions are executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accel {
    /// By the processor.
    Kvm,
    /// By translation; about twenty times slower, works everywhere.
    Tcg,
}

/// A kernel says its first words within a second or never.
const TRIAL: Duration = Duration::from_secs(20);

impl Accel {
    /// What works here.
    pub fn choose(rootfs: &Rootfs) -> Result<Self, Error> {
        if fs::File::options().read(true).write(true).open("/dev/kvm").is_err() {
            return Ok(Self::Tcg);
        }
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let entry = rootfs.cache().entry("kvm", boot.trim(), |dir| {
            let works = qemu::kernel_starts(rootfs, Self::Kvm, TRIAL)?;
            let file = dir.join("works");
            if works { fs::write(&file, "").map_err(Error::io("writing", file)) } else { Ok(()) }
        })?;
        Ok(if entry.join("works").exists() { Self::Kvm } else { Self::Tcg })
    }

    /// QEMU's arguments. One processor only: with two, QEMU 7.2's translator broke the kernel's patching of its own code.
    pub(super) fn args(self) -> [&'static str; 6] {
        match self {
            Self::Kvm => ["-accel", "kvm", "-cpu", "host", "-smp", "1"],
            Self::Tcg => ["-accel", "tcg,tb-size=512", "-cpu", "max", "-smp", "1"],
        }
    }

    /// How much longer than by the processor things may take.
    pub(super) fn slowness(self) -> u32 {
        match self {
            Self::Kvm => 1,
            Self::Tcg => 4,
        }
    }
}
