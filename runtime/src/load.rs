//! A policy of a bundle to its module and its profile in the running kernel, by their owners' tools, as root: what a launch then needs.
//! Only what is missing, or is not what this bundle holds, is loaded.

use crate::bundle::Bundle;
use crate::failure::Failure;
use crate::host::{ApparmorFacts, HostFacts, ProfileFacts, SelinuxFacts, kernel_digest};
use crate::loaded::{self, Record, module_source, profile_source};
use crate::plan::Policy;
use crate::tools::{Tools, Workplace};
use canc_bundle::{ApparmorEntry, Artefact, SelinuxEntry};
use rustix::process::geteuid;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Loads, and tells in words what was.
///
/// # Errors
/// The caller is not root, a tool is missing or refuses, or what it loaded is not there afterwards.
pub fn load(bundle: &Bundle, policy: &Policy) -> Result<Vec<String>, Failure> {
    if !geteuid().is_root() {
        return Err(Failure::refused(
            "--load",
            "only root loads profiles and modules into the kernel",
            "run it as root once; afterwards anybody can start programs without --load",
        ));
    }
    let host = HostFacts::probe(policy, None)?;
    let mut told = Vec::new();
    if let Some(entry) = policy.apparmor.as_ref().filter(|entry| wants_profile(entry, &host)) {
        profile(bundle, entry)?;
        told.push(format!("loaded: the AppArmor profile {}", entry.profile));
    }
    if let Some(entry) = policy.selinux.as_ref().filter(|entry| wants_module(entry, &host)) {
        module(bundle, entry)?;
        told.push(format!("loaded: the SELinux module {}", entry.module));
    }
    if !told.is_empty() {
        is_there(policy, &HostFacts::probe(policy, None)?)?;
    }
    Ok(told)
}

/// Missing, in another mode, or not known to be this bundle's.
fn wants_profile(entry: &ApparmorEntry, host: &HostFacts) -> bool {
    let want = if entry.complain { "complain" } else { "enforce" };
    match &host.apparmor {
        ApparmorFacts::Active { profile: ProfileFacts::Missing, .. } => true,
        ApparmorFacts::Active { profile: ProfileFacts::Loaded { mode, digest, record }, .. } => {
            let same = matches!(record, Some(Record::Known { source, kernel })
                if *source == profile_source(entry) && kernel == digest);
            mode != want || !same
        }
        _ => false,
    }
}

fn wants_module(entry: &SelinuxEntry, host: &HostFacts) -> bool {
    match &host.selinux {
        SelinuxFacts::Active { domain: None, .. } => true,
        SelinuxFacts::Active { domain: Some(domain), .. } => {
            !matches!(&domain.record, Some(Record::Known { source, .. }) if *source == module_source(entry))
        }
        _ => false,
    }
}

fn is_there(policy: &Policy, host: &HostFacts) -> Result<(), Failure> {
    let gone = |what: &str, name: &str| {
        Err(Failure::refused(what, format!("{name} was loaded and the kernel does not have it"), ""))
    };
    if let (Some(entry), ApparmorFacts::Active { profile: ProfileFacts::Missing, .. }) =
        (&policy.apparmor, &host.apparmor)
    {
        return gone("apparmor", &entry.profile);
    }
    match (&policy.selinux, &host.selinux) {
        (Some(entry), SelinuxFacts::Active { domain: None, .. }) => gone("selinux", &entry.module),
        _ => Ok(()),
    }
}

/// Replaces, never removes and adds: running programs and other launches are never without it.
fn profile(bundle: &Bundle, entry: &ApparmorEntry) -> Result<(), Failure> {
    let place = Workplace::new()?;
    let file = place.put(&entry.profile, &bundle.bytes(&entry.source)?)?;
    replace_profile(&Tools::default(), &file, &place)?;
    let record = Record::Known { source: profile_source(entry), kernel: kernel_digest(&entry.profile) };
    loaded::write("apparmor", &entry.profile, &record)
}

/// Puts a profile's file into the kernel in place of what is there.
pub(crate) fn replace_profile(tools: &Tools, file: &str, place: &Workplace) -> Result<(), Failure> {
    tools.run("apparmor_parser", &["--replace", "--skip-cache", file], place)
}

/// Compiles, packages, installs in one transaction with the ports' side module, and labels the files that the module speaks of.
fn module(bundle: &Bundle, entry: &SelinuxEntry) -> Result<(), Failure> {
    let (tools, place) = (Tools::default(), Workplace::new()?);
    let packages = package(&tools, &place, bundle, entry)?;
    install(&tools, &packages, &place)?;
    for directory in labelled(&contexts(bundle, entry)?) {
        if fs::exists(&directory).unwrap_or(false) {
            label(&tools, &directory, &place)?;
        }
    }
    let record = Record::Known { source: module_source(entry), kernel: None };
    loaded::write("selinux", &entry.domain, &record)
}

/// Compiles a module to a package, and returns the files to install, the ports' side module among them.
pub(crate) fn package(
    tools: &Tools,
    place: &Workplace,
    bundle: &Bundle,
    entry: &SelinuxEntry,
) -> Result<Vec<String>, Failure> {
    let te = place.put(&format!("{}.te", entry.module), &bundle.bytes(&entry.te)?)?;
    let fc = place.put(&format!("{}.fc", entry.module), &bundle.bytes(&entry.fc)?)?;
    let (compiled, package) =
        (place.file(&format!("{}.mod", entry.module)), place.file(&format!("{}.pp", entry.module)));
    tools.run("checkmodule", &["-M", "-m", "-o", &compiled, &te], place)?;
    let mut arguments = vec!["-o", &package, "-m", &compiled];
    // An empty file is refused, though it says nothing wrong.
    if !contexts(bundle, entry)?.is_empty() {
        arguments.extend(["-f", &fc]);
    }
    tools.run("semodule_package", &arguments, place)?;
    let mut packages = vec![package];
    if let Some(ports) = &entry.ports {
        packages.push(place.put(&file_name(ports), &bundle.bytes(ports)?)?);
    }
    Ok(packages)
}

/// Installs packages in one transaction.
pub(crate) fn install(tools: &Tools, packages: &[String], place: &Workplace) -> Result<(), Failure> {
    let arguments: Vec<&str> = packages.iter().flat_map(|file| ["-i", file.as_str()]).collect();
    tools.run("semodule", &arguments, place)
}

/// Gives a directory and everything below, on its file system, the labels that the installed policy has for them; follows no link.
pub(crate) fn label(tools: &Tools, directory: &str, place: &Workplace) -> Result<(), Failure> {
    tools.run("restorecon", &["-R", "-x", directory], place)
}

/// The file contexts of a module.
pub(crate) fn contexts(bundle: &Bundle, entry: &SelinuxEntry) -> Result<String, Failure> {
    Ok(String::from_utf8_lossy(&bundle.bytes(&entry.fc)?).into_owned())
}

/// The side module keeps its file name, which is its module's name.
fn file_name(artefact: &Artefact) -> String {
    Path::new(&artefact.path).file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What stands before the first character of a pattern that has a meaning, up to a whole component. A path right below the root is left
/// to whoever administers it, and so are homes, whose lines name no path.
pub(crate) fn labelled(contexts: &str) -> Vec<String> {
    let patterns = contexts.lines().filter_map(|line| line.split('\t').next()).filter(|p| p.starts_with('/'));
    let mut paths: Vec<String> = patterns.filter_map(|p| Some(stem(p)?.0)).collect();
    paths.sort();
    paths.dedup();
    paths
}

/// The contexts that the paths among them get themselves, whatever kind of file they are.
pub(crate) fn given(contexts: &str) -> BTreeMap<String, &str> {
    let one = |line| {
        let (pattern, context) = str::split_once(line, '\t')?;
        let plain = pattern.strip_suffix("(/.*)?").unwrap_or(pattern);
        let (path, whole) = stem(plain).filter(|_| plain.starts_with('/') && !plain.contains("(/"))?;
        (whole && !context.contains('\t')).then_some((path, context))
    };
    contexts.lines().filter_map(one).collect()
}

/// The path, and whether the pattern takes it itself.
fn stem(pattern: &str) -> Option<(String, bool)> {
    let mut stem = String::new();
    let mut rest = pattern.chars();
    let whole = loop {
        match rest.next() {
            None => break true,
            Some('\\') => match rest.next() {
                Some('x') => {
                    let code = u8::from_str_radix(rest.as_str().get(..2)?, 16).ok()?;
                    stem.push(char::from(code));
                    rest = rest.as_str().get(2..)?.chars();
                }
                escaped => stem.push(escaped?),
            },
            // `(/.*)?`: the directory itself and everything below.
            Some('(') if rest.as_str().starts_with('/') => break true,
            Some('.' | '^' | '$' | '?' | '*' | '+' | '|' | '[' | '(' | '{') => break false,
            Some(other) => stem.push(other),
        }
    };
    let end = if whole { stem.len() } else { stem.rfind('/')? };
    let stem = stem.get(..end)?.trim_end_matches('/');
    (stem.matches('/').count() >= 2).then(|| (stem.to_owned(), whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_labelled_from_where_patterns_begin_to_vary() {
        for (pattern, want) in [
            ("/srv/x(/.*)?", Some("/srv/x")),
            ("/srv/x/notes\\.txt", Some("/srv/x/notes.txt")),
            ("/srv/x/[^/]*\\.txt", Some("/srv/x")),
            ("/srv/a\\x20b/(.*/)?c", Some("/srv/a b")),
            ("/srv/x/ab?", Some("/srv/x")),
            ("/srv(/.*)?", None),
            ("/.*", None),
            ("/srv/[^/]*/y", None),
        ] {
            assert_eq!(stem(pattern).map(|(stem, _)| stem).as_deref(), want, "{pattern}");
        }
        let contexts = "# a comment\n/srv/x(/.*)?\tu:r:t:s0\nHOME_DIR/x\tu:r:t:s0\n/srv/x/y\t--\tu:r:t:s0\n";
        assert_eq!(labelled(contexts), ["/srv/x", "/srv/x/y"]);
        let more = "/srv/a(/.*/)?c\tu:r:t:s0\n/srv/b/.*\tu:r:t:s0\n/srv/c/d\tu:r:t2:s0\n";
        let all = format!("{contexts}{more}");
        let want = [("/srv/c/d".to_owned(), "u:r:t2:s0"), ("/srv/x".to_owned(), "u:r:t:s0")];
        assert_eq!(given(&all), BTreeMap::from(want));
    }
}
