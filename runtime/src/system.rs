//! Everything that performing a plan does to the process, as one narrow interface: the real machine implements it, and so does a record
//! of calls in the tests.

use crate::caps::CapSet;
use crate::failure::Failure;
use crate::host::CapabilityFacts;
use crate::label::Attribute;
use crate::plan::{CgroupLimit, Namespace};
use crate::sys::{Arguments, Instruction};
use rustix::process::Resource;
use std::io;

/// The operations of a launch. Each either did what it says or returns why not.
pub trait System {
    /// Opens those of descriptors 0 to 2 that are closed, and tells which.
    fn open_stdio(&mut self) -> io::Result<Vec<u32>>;
    /// Marks every descriptor from 3 on close-on-exec but these.
    fn close_on_exec(&mut self, keep: &[u32]) -> io::Result<()>;
    /// Takes a session keyring of its own.
    fn new_keyring(&mut self) -> io::Result<()>;
    /// Makes a cgroup, moves the process there, limits it, and tells its path.
    fn cgroup(&mut self, parent: &str, enable: &[String], limits: &[CgroupLimit]) -> Result<String, String>;
    /// Sets an rlimit, soft and hard.
    fn limit(&mut self, resource: Resource, value: u64) -> io::Result<()>;
    /// Writes the exec label and returns what was read back, which is `expect`.
    fn label(&mut self, attribute: Attribute, write: &str, expect: &str) -> Result<String, String>;
    /// Makes namespaces; the error names the step.
    fn namespaces(&mut self, kinds: &[Namespace]) -> Result<(), String>;
    /// Leaves the process that was called behind as parent and goes on in a child.
    fn stay_as_parent(&mut self) -> io::Result<()>;
    /// Mounts what an own mount namespace has, and tells what a reader should know.
    fn mounts(&mut self) -> Result<Vec<String>, String>;
    /// Opens the paths of the Landlock ruleset, and tells those that got no rule.
    fn open_ruleset(&mut self) -> Result<Vec<String>, Failure>;
    /// Drops from the bounding set.
    fn drop_bounding(&mut self, set: CapSet) -> io::Result<()>;
    /// Sets all but the bounding set.
    fn set_capabilities(&mut self, sets: &CapabilityFacts) -> io::Result<()>;
    /// Reads all sets but the bounding one: that every drop was answered is what says so of that.
    fn capabilities(&mut self) -> io::Result<CapabilityFacts>;
    /// Sets `no_new_privs`, and reads that it is.
    fn no_new_privs(&mut self) -> io::Result<()>;
    /// Delivers the report.
    fn report(&mut self, text: &str) -> io::Result<()>;
    /// Unblocks signals and gives them their default action.
    fn default_signals(&mut self) -> io::Result<()>;
    /// Enforces the prepared Landlock ruleset.
    fn landlock(&mut self, log: bool) -> Result<(), String>;
    /// Loads a filter.
    fn filter(&mut self, program: &[Instruction], log: bool) -> io::Result<()>;
    /// Becomes the program on a descriptor; comes back with the reason why not.
    fn exec(&mut self, descriptor: u32, arguments: &Arguments) -> io::Error;
}
