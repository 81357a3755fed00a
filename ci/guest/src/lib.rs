//! What host and test machine say to each other: a job goes in as one JSON file, events come back as JSON lines.
//!
//! It must not know what any result means: the guest performs and reports, the host judges.
#![forbid(unsafe_code)]

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where the job lies in the machine's file system.
pub const JOB: &str = "/canc-job.json";
/// Where the guest program lies in the machine's file system.
pub const PROGRAM: &str = "/usr/local/sbin/canc-guest";
/// The name of the virtio serial port that carries the events.
pub const PORT: &str = "canc";

/// Everything one machine does between its boot and its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// The mandatory access control that must be active; anything else ends the job.
    pub mac: Mac,
    /// Performed in order before the tests, by the first process itself.
    pub setup: Vec<Step>,
    /// Performed in order, each with all processes of the one before it gone.
    pub tests: Vec<Step>,
}

/// The mandatory access control of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mac {
    /// SELinux, enforcing.
    Selinux,
    /// AppArmor, enabled.
    Apparmor,
    /// Neither.
    None,
}

/// A command to perform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Unique within the job.
    pub name: String,
    /// The program, by absolute path, and its arguments.
    pub argv: Vec<String>,
    /// Variables added to a small fixed environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Given on standard input.
    #[serde(default)]
    pub stdin: String,
    /// On whose behalf.
    #[serde(default)]
    pub user: User,
    /// Killed after so many seconds.
    #[serde(default = "default_seconds")]
    pub seconds: u32,
}

fn default_seconds() -> u32 {
    60
}

/// Who performs a command.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// User id; 0 is root.
    #[serde(default)]
    pub uid: u32,
    /// Group id.
    #[serde(default)]
    pub gid: u32,
    /// The SELinux context that the command's parent has; ignored on machines without SELinux.
    #[serde(default)]
    pub context: Option<String>,
}

/// One line from the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// The machine is up, with the access control that the job wants.
    Hello(Hello),
    /// A set-up step ended.
    Setup(Ran),
    /// A test ended.
    Test(Ran),
    /// All steps were performed.
    Done,
    /// The machine cannot go on.
    Broken {
        /// Why.
        why: String,
    },
}

/// What the machine says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// The kernel's release.
    pub kernel: String,
    /// The security modules in the kernel's order.
    pub lsm: String,
    /// The label of the first process.
    pub label: String,
    /// Seconds since the kernel started, as the kernel writes them.
    pub uptime: String,
}

/// How a command went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ran {
    /// The step's name.
    pub name: String,
    /// The exit code, if it exited.
    pub code: Option<i32>,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
    /// Whether it was killed for taking too long.
    pub timed_out: bool,
    /// Why it could not be started; then nothing else holds.
    pub not_started: Option<String>,
    /// Standard output, cut at [`OUTPUT_LIMIT`].
    pub stdout: String,
    /// Standard error, cut at [`OUTPUT_LIMIT`].
    pub stderr: String,
    /// Audit records that the kernel wrote meanwhile, `TYPE text`, in its order.
    pub audit: Vec<String>,
    /// Records that the kernel had to drop meanwhile.
    pub lost: u32,
    /// Milliseconds from start to end.
    pub ms: u64,
}

/// Bytes kept of each output stream.
pub const OUTPUT_LIMIT: usize = 256 * 1024;
