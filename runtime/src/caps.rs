//! Sets of capabilities: what the kernel, the manifest and a report call them. It changes no process.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::fmt;

/// Names by number: `linux/capability.h`.
const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// `CAP_KILL`: signals to processes of other users.
pub const KILL: u8 = 5;
/// `CAP_SETPCAP`: needed to drop from the bounding set.
pub const SETPCAP: u8 = 8;
/// `CAP_SYS_ADMIN`: loads filters and rulesets where `no_new_privs` is off.
pub const SYS_ADMIN: u8 = 21;
/// `CAP_SYS_RESOURCE`: raises hard limits.
pub const SYS_RESOURCE: u8 = 24;

/// A set of capabilities, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CapSet(pub u64);

impl CapSet {
    /// As capabilities(7) names one, in capital letters; `None` for the number of a newer kernel.
    pub fn name(number: u8) -> Option<String> {
        NAMES.get(usize::from(number)).map(|name| format!("CAP_{}", name.to_ascii_uppercase()))
    }

    /// The set of these numbers.
    ///
    /// # Errors
    /// A number that no kernel can have.
    pub fn of(numbers: &[u8]) -> Result<Self, u8> {
        numbers.iter().try_fold(Self::default(), |set, n| if *n < 64 { Ok(set.with(*n)) } else { Err(*n) })
    }

    /// With one added; a number from 64 on changes nothing.
    #[must_use]
    pub fn with(self, number: u8) -> Self {
        Self(self.0 | 1_u64.checked_shl(number.into()).unwrap_or(0))
    }

    /// Without one.
    #[must_use]
    pub fn without(self, number: u8) -> Self {
        Self(self.0 & !Self::default().with(number).0)
    }

    /// Whether it is in.
    #[must_use]
    pub fn has(self, number: u8) -> bool {
        self.0 & Self::default().with(number).0 != 0
    }

    /// What both have.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What this has and the other has not.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The numbers in it, upwards.
    pub fn numbers(self) -> impl Iterator<Item = u8> {
        (0..64).filter(move |n| self.has(*n))
    }
}

impl fmt::Display for CapSet {
    /// The names with commas, or where most are in, `all 41 but` the others; `none` for the empty set, and a number where a newer kernel has a name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("none");
        }
        let every = Self((1 << NAMES.len()) - 1);
        let missing = every.minus(*self);
        if self.minus(every).0 == 0 && missing.numbers().count() < NAMES.len() / 2 {
            return match missing.0 {
                0 => write!(f, "all {}", NAMES.len()),
                _ => write!(f, "all {} but {missing}", NAMES.len()),
            };
        }
        for (i, number) in self.numbers().enumerate() {
            f.write_str(if i == 0 { "" } else { "," })?;
            match NAMES.get(usize::from(number)) {
                Some(name) => f.write_str(name)?,
                None => write!(f, "{number}")?,
            }
        }
        Ok(())
    }
}

impl Serialize for CapSet {
    /// Hexadecimal, as in `/proc/PID/status`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:016x}", self.0))
    }
}

impl<'de> Deserialize<'de> for CapSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_names_and_reads_what_it_wrote() {
        let set = CapSet::of(&[10, 7, 63]).unwrap();
        assert_eq!(set.to_string(), "setuid,net_bind_service,63");
        assert_eq!(CapSet::default().to_string(), "none");
        assert_eq!(CapSet(0x1ff_ffff_ffff).to_string(), "all 41");
        assert_eq!(CapSet(0x1ff_ffff_ffff).without(21).to_string(), "all 41 but sys_admin");
        let text = serde_json::to_string(&set).unwrap();
        assert_eq!(text, "\"8000000000000480\"");
        assert_eq!(serde_json::from_str::<CapSet>(&text).unwrap(), set);
        assert_eq!(CapSet::of(&[64]), Err(64));
    }

    #[test]
    fn the_names_are_the_kernels() {
        let header = ["net_bind_service", "sys_admin", "bpf", "checkpoint_restore"]
            .map(|n| NAMES.iter().position(|m| *m == n));
        assert_eq!(header, [10, 21, 39, 40].map(Some));
    }
}
