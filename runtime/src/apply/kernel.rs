//! What the kernel and SELinux's store have loaded. Below a private root a recorded kernel answers: files with the same names.

use super::Stop;
use super::disk::known;
use super::state::digest;
use crate::failure::Failure;
use crate::procfs::{KernelDir, explain, write_text};
use rustix::fs::{Dir, OFlags};
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const APPARMOR: &str = "sys/kernel/security/apparmor/policy/profiles";
const ENABLED: &str = "sys/module/apparmor/parameters/enabled";
/// What a module consists of in the store.
const MODULE_FILES: [&str; 3] = ["cil", "hll", "lang_ext"];

/// Whom to ask.
#[derive(Debug)]
pub struct Kernel {
    root: PathBuf,
    recorded: bool,
}

/// A loaded profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// `enforce`, `complain`, …
    pub mode: String,
    /// The kernel's digest, where it makes one.
    pub digest: Option<String>,
    /// The programs that enter it whoever starts them.
    pub attach: String,
}

/// Everything that was asked, at one time.
#[derive(Debug)]
pub struct Facts {
    /// The profiles by name; `None` where the kernel does not run AppArmor.
    pub apparmor: Option<BTreeMap<String, Profile>>,
    /// SELinux, where the kernel runs it.
    pub selinux: Option<Selinux>,
}

/// SELinux on this host.
#[derive(Debug)]
pub struct Selinux {
    /// Whether it enforces.
    pub enforcing: bool,
    /// The modules of the store.
    pub modules: BTreeSet<String>,
    /// The directories that they are in.
    pub priorities: Vec<PathBuf>,
}

impl Kernel {
    /// This kernel, or what files below a root say.
    pub fn new(root: &Path, recorded: bool) -> Self {
        Self { root: root.to_owned(), recorded }
    }

    /// Asks.
    pub fn facts(&self) -> Result<Facts, Stop> {
        Ok(Facts { apparmor: self.apparmor("")?, selinux: self.selinux()? })
    }

    /// One profile; `None` where the kernel does not have it.
    pub fn profile(&self, name: &str) -> Result<Option<Profile>, Stop> {
        Ok(self.apparmor(&format!("{name}."))?.and_then(|mut found| found.remove(name)))
    }

    /// The profiles whose directories' names begin with this.
    fn apparmor(&self, begin: &str) -> Result<Option<BTreeMap<String, Profile>>, Stop> {
        let failed = |why: String, remedy: &str| Stop::Host(Failure::refused("AppArmor", why, remedy));
        let odd = |e: io::Error| failed(format!("the kernel's list of profiles: {e}"), "");
        let hidden = |why: &str| {
            let remedy =
                "mount -t securityfs securityfs /sys/kernel/security, or run this outside of the container";
            failed(format!("it runs, and /sys/kernel/security does not show it: {why}"), remedy)
        };
        if self.recorded {
            let dir = self.root.join(APPARMOR);
            let list = || fs::read_dir(&dir)?.map(|e| Ok(e?.file_name())).collect();
            let read = |file: String| fs::read_to_string(dir.join(file)).map(|t| t.trim().to_owned());
            let found = known(list()).map_err(odd)?;
            if found.is_none() && runs(&self.root.join(ENABLED)).map_err(odd)? {
                return Err(hidden("no such directory"));
            }
            return found.map(|names| profiles(begin, names, read).map_err(odd)).transpose();
        }
        if !runs(&Path::new("/").join(ENABLED)).map_err(odd)? {
            return Ok(None);
        }
        let dir = KernelDir::apparmor().map_err(|e| hidden(&explain(&e)))?;
        let list = dir.file("profiles", OFlags::RDONLY | OFlags::DIRECTORY).map_err(odd)?;
        let list = Dir::new(list).map_err(|e| odd(e.into()))?;
        let name = |e: rustix::io::Result<rustix::fs::DirEntry>| {
            Ok(OsString::from(e?.file_name().to_string_lossy().as_ref()))
        };
        let mut names: Vec<OsString> = list.map(name).collect::<io::Result<_>>().map_err(odd)?;
        names.retain(|name| !name.to_string_lossy().starts_with('.'));
        profiles(begin, names, |file| dir.text(format!("profiles/{file}"))).map(Some).map_err(odd)
    }

    fn selinux(&self) -> Result<Option<Selinux>, Stop> {
        let failed = |e: io::Error| {
            Stop::Host(Failure::refused("SELinux", format!("it does not answer: {}", explain(&e)), ""))
        };
        let enforce = if self.recorded {
            fs::read_to_string(self.root.join("sys/fs/selinux/enforce"))
        } else {
            KernelDir::selinux().and_then(|dir| dir.text("enforce"))
        };
        let enforcing = match enforce {
            Ok(text) => text.trim() == "1",
            Err(e) if matches!(Errno::from_io_error(&e), Some(Errno::NOENT | Errno::NODEV)) => {
                return Ok(None);
            }
            Err(e) => return Err(failed(e)),
        };
        let priorities = self.priorities()?;
        let modules = modules(&priorities).map_err(failed)?;
        Ok(Some(Selinux { enforcing, modules, priorities }))
    }

    /// The priorities of the store of the policy that the host is configured for.
    pub fn priorities(&self) -> Result<Vec<PathBuf>, Stop> {
        let failed = |e: io::Error| Stop::Host(Failure::refused("SELinux's store", e.to_string(), ""));
        let config = fs::read_to_string(self.root.join("etc/selinux/config")).map_err(failed)?;
        let kind = config.lines().find_map(|line| line.strip_prefix("SELINUXTYPE=")).unwrap_or("default");
        let dir = self.root.join("var/lib/selinux").join(kind.trim()).join("active/modules");
        let mut all = entries(&dir).map_err(failed)?;
        // Beside the priorities there is a directory of those that are switched off.
        all.retain(|p| p.file_name().is_some_and(|n| n.as_encoded_bytes().iter().all(u8::is_ascii_digit)));
        Ok(all)
    }

    /// The digest of a module as the store has it, over all priorities.
    pub fn module_digest(name: &str, priorities: &[PathBuf]) -> Result<Option<String>, Stop> {
        let failed = |e: io::Error| Stop::Host(Failure::refused("SELinux's store", e.to_string(), ""));
        let mut found = Vec::new();
        for priority in priorities {
            for file in MODULE_FILES {
                match fs::read(priority.join(name).join(file)) {
                    Ok(bytes) => found.push(digest(&bytes)),
                    Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                    Err(e) => return Err(failed(e)),
                }
            }
        }
        Ok((!found.is_empty()).then(|| digest(found.join(" ").as_bytes())))
    }

    /// What ends a context: a level, where the loaded policy has them.
    pub fn level(&self) -> Result<&'static str, Stop> {
        let failed = |e: io::Error| Stop::Host(Failure::refused("SELinux", explain(&e), ""));
        let mls = if self.recorded {
            fs::read_to_string(self.root.join("sys/fs/selinux/mls"))
        } else {
            KernelDir::selinux().and_then(|dir| dir.text("mls"))
        };
        match mls {
            Ok(text) if text.trim() == "0" => Ok(""),
            Err(e) if !matches!(Errno::from_io_error(&e), Some(Errno::NOENT | Errno::NODEV)) => {
                Err(failed(e))
            }
            _ => Ok(":s0"),
        }
    }

    /// Whether the loaded policy has a type.
    pub fn knows_type(&self, name: &str) -> Result<bool, Stop> {
        let failed = |e: io::Error| {
            Stop::Host(Failure::refused("SELinux", format!("asked for the type {name}: {}", explain(&e)), ""))
        };
        if self.recorded {
            let types = known(fs::read_to_string(self.root.join("sys/fs/selinux/types"))).map_err(failed)?;
            return Ok(types.is_some_and(|types| types.lines().any(|line| line == name)));
        }
        let ask = || -> io::Result<bool> {
            let dir = KernelDir::selinux()?;
            let level = if dir.text("mls")? == "1" { ":s0" } else { "" };
            // Every type is valid with `object_r`, whatever roles may have it.
            let context = format!("system_u:object_r:{name}{level}");
            match write_text(dir.file("context", OFlags::RDWR)?, &context) {
                Ok(()) => Ok(true),
                Err(e) if Errno::from_io_error(&e) == Some(Errno::INVAL) => Ok(false),
                Err(e) => Err(e),
            }
        };
        ask().map_err(failed)
    }
}

fn modules(priorities: &[PathBuf]) -> io::Result<BTreeSet<String>> {
    let mut modules = BTreeSet::new();
    for priority in priorities {
        let names = entries(priority)?;
        modules.extend(names.iter().filter_map(|m| Some(m.file_name()?.to_string_lossy().into_owned())));
    }
    Ok(modules)
}

/// Whether the kernel says in this file that it runs AppArmor.
fn runs(enabled: &Path) -> io::Result<bool> {
    Ok(known(fs::read_to_string(enabled))?.is_some_and(|text| text.trim() == "Y"))
}

/// A profile's directory is its name and a number; profiles inside others are not canc's.
fn profiles(
    begin: &str,
    names: Vec<OsString>,
    read: impl Fn(String) -> io::Result<String>,
) -> io::Result<BTreeMap<String, Profile>> {
    let mut out = BTreeMap::new();
    for name in names {
        let dir = name.to_string_lossy().into_owned();
        if !dir.starts_with(begin) {
            continue;
        }
        let text = |file: &str| known(read(format!("{dir}/{file}")));
        // One that is removed meanwhile is none.
        let (Some(name), Some(mode)) = (text("name")?, text("mode")?) else { continue };
        let digest = |kind: &str| Ok::<_, io::Error>(text(kind)?.map(|text| format!("{kind}:{text}")));
        let digest = digest("sha256")?.map_or_else(|| digest("sha1"), |found| Ok(Some(found)))?;
        out.insert(name, Profile { mode, digest, attach: text("attach")?.unwrap_or_default() });
    }
    Ok(out)
}

fn entries(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut out: Vec<PathBuf> = fs::read_dir(dir)?.map(|e| Ok(e?.path())).collect::<io::Result<_>>()?;
    out.sort();
    Ok(out)
}
