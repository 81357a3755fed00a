//! AppArmor and SELinux to what their file systems say of the kernel and of the loaded policy.

use super::{ApparmorSurvey, SelinuxSurvey};
use crate::procfs::KernelDir;
use rustix::fs::{Dir, FileType, OFlags};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// Classes of the kernel that older policies lack, and that modules of canc may name.
const CLASSES: [&str; 8] =
    ["anon_inode", "bpf", "cap_userns", "io_uring", "lockdown", "perf_event", "process2", "user_namespace"];
/// How deep directories of features nest, with room.
const DEPTH: usize = 8;

pub(super) fn apparmor() -> ApparmorSurvey {
    let features =
        KernelDir::security().and_then(|dir| features(&dir, Path::new("apparmor/features"), DEPTH));
    let mut abis: Vec<String> = std::fs::read_dir("/etc/apparmor.d/abi")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    abis.sort();
    ApparmorSurvey { features: features.ok(), abis }
}

/// A directory of features in the form that the parser keeps it in: `name {…}`, with words or further entries in it.
fn features(dir: &KernelDir, below: &Path, depth: usize) -> io::Result<String> {
    let mut names = Vec::new();
    for entry in Dir::new(dir.file(below, OFlags::RDONLY | OFlags::DIRECTORY)?)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != "." && name != ".." {
            names.push((name, entry.file_type()));
        }
    }
    names.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut text = String::new();
    for (name, kind) in names {
        let path = below.join(&name);
        let inner = match kind {
            FileType::Directory if depth > 0 => features(dir, &path, depth - 1)?,
            FileType::Directory => continue,
            _ => dir.text(&path)?,
        };
        text.push_str(&format!("{name} {{{}\n}}\n", inner.trim_end()));
    }
    Ok(text)
}

pub(super) fn selinux() -> SelinuxSurvey {
    let dir = KernelDir::selinux().ok();
    let text = |path: &str| dir.as_ref().and_then(|dir| dir.text(path).ok());
    let has = |class: &str| {
        dir.as_ref().map(|dir| dir.file(format!("class/{class}"), OFlags::PATH | OFlags::DIRECTORY).is_ok())
    };
    let settings = std::fs::read_to_string("/etc/selinux/config").ok();
    let setting = |name: &str| {
        let mut lines = settings.as_ref()?.lines().filter_map(|line| line.split_once('='));
        lines.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
    };
    SelinuxSurvey {
        enforcing: text("enforce").map(|value| value == "1"),
        policy_version: text("policyvers").and_then(|value| value.parse().ok()),
        mls: text("mls").map(|value| value == "1"),
        classes: CLASSES
            .iter()
            .filter_map(|class| Some(((*class).to_owned(), has(class)?)))
            .collect::<BTreeMap<_, _>>(),
        nnp_transition: text("policy_capabilities/nnp_nosuid_transition").map(|value| value == "1"),
        configured: setting("SELINUX"),
        policy: setting("SELINUXTYPE"),
    }
}
