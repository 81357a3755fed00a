//! What a policy became to the files of the bundle and the manifest's entries for them.

use super::Lowered;
use crate::{apparmor, landlock, selinux};
use canc_bundle::{ApparmorEntry, Artefact, LandlockEntry, SeccompEntry, SelinuxEntry};
use canc_dsl::policy::{Mode, Policy};
use canc_dsl::source::SourceMap;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Files as they are added to a bundle.
pub type Files = Vec<(String, Vec<u8>)>;

/// SHA-256 in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn add(files: &mut Files, path: String, contents: Vec<u8>) -> Artefact {
    let artefact = Artefact { path: path.clone(), sha256: digest(&contents) };
    files.push((path, contents));
    artefact
}

/// The module source, its contexts and its ports.
pub fn selinux(policy: &Policy, lowered: &Lowered, files: &mut Files) -> Option<SelinuxEntry> {
    let selinux = lowered.selinux.as_ref()?;
    let module = selinux.module.name.to_string();
    // A string takes whatever is printed, so that printing cannot fail.
    let mut file = |ending: &str, text: Result<String, std::fmt::Error>| {
        add(files, format!("selinux/{module}{ending}"), text.unwrap_or_default().into_bytes())
    };
    let te = file(".te", selinux::emit::te(&selinux.module));
    let fc = file(".fc", selinux::emit::fc(&selinux.contexts));
    let ports = selinux.ports.as_ref().map(|ports| file("_ports.cil", selinux::emit::cil(ports)));
    Some(SelinuxEntry {
        domain: selinux.domain.to_string(),
        te,
        fc,
        ports,
        permissive: policy.mode == Mode::Complain,
        module,
    })
}

/// The profile.
pub fn apparmor(lowered: &Lowered, files: &mut Files) -> Option<ApparmorEntry> {
    let profile = &lowered.apparmor.as_ref()?.profile;
    let name = profile.name.as_str().to_owned();
    let source = add(files, format!("apparmor/{name}"), apparmor::emit(profile).into_bytes());
    Some(ApparmorEntry { profile: name, source, complain: profile.complain })
}

/// The filters and their listing.
pub fn seccomp(
    policy: &Policy,
    lowered: &Lowered,
    sources: &SourceMap,
    files: &mut Files,
) -> Option<SeccompEntry> {
    let seccomp = lowered.seccomp.as_ref()?;
    let (mut programs, mut instructions) = (BTreeMap::new(), BTreeMap::new());
    for (arch, filters) in &seccomp.filters {
        let one = filters.len() == 1;
        let entries = filters.iter().enumerate().map(|(i, filter)| {
            let number = if one { String::new() } else { format!(".{}", i + 1) };
            add(files, format!("seccomp/{}.{}{number}.bpf", policy.name, arch.word()), filter.encode())
        });
        programs.insert(arch.word().to_owned(), entries.collect());
        if !one {
            let lengths = filters.iter().map(|f| f.instructions().len()).collect();
            instructions.insert(arch.word().to_owned(), lengths);
        }
    }
    let listing = seccomp.listing(policy, sources).into_bytes();
    Some(SeccompEntry {
        programs,
        instructions,
        listing: add(files, format!("seccomp/{}.asm", policy.name), listing),
        launch_fd: seccomp.launch_fd,
        needs_tracer: seccomp.needs_tracer,
        needs_listener: seccomp.needs_listener,
    })
}

/// The rulesets.
pub fn landlock(policy: &Policy, lowered: &Lowered, files: &mut Files) -> Option<LandlockEntry> {
    if lowered.landlock.is_empty() {
        return None;
    }
    let rulesets = super::manifest::json(&landlock::rulesets(&lowered.landlock));
    Some(LandlockEntry { rulesets: add(files, format!("landlock/{}.json", policy.name), rulesets) })
}
