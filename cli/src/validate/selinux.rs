//! The modules of a bundle to the answers of SELinux's compilers, and of its store in a private copy.
//!
//! The store is asked about all policies in one transaction, since that is how they would be installed; the assertions of
//! the base policy are checked, which a store does not do unless told to.

use super::bundle::{Bundle, Policy, check as one};
use super::host::{Host, Workplace};
use super::{Answer, Check};
use canc_bundle::SelinuxEntry;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const TARGET: &str = "selinux";
const COMPILER: &str = "checkmodule";
const PACKAGER: &str = "semodule_package";
const STORE: &str = "semodule";

/// Two questions per policy, and one to the store.
pub fn check(bundle: &Bundle, host: &Host) -> Vec<Check> {
    let modules: Vec<_> =
        bundle.manifest.policies.iter().filter_map(|p| Some((p, p.selinux.as_ref()?))).collect();
    if modules.is_empty() {
        return Vec::new();
    }
    let place = host.workplace();
    let mut checks = Vec::new();
    for (policy, entry) in &modules {
        let (compiled, packaged) = match &place {
            Ok(place) => module(bundle, host, place, entry),
            Err(why) => (Answer::NotChecked(why.clone()), Answer::NotChecked(why.clone())),
        };
        checks.push(one(policy, TARGET, &entry.te, COMPILER, compiled));
        checks.push(one(policy, TARGET, &entry.fc, PACKAGER, packaged));
    }
    let built = checks.iter().all(|check| check.answer == Answer::Accepted);
    let answer = match &place {
        Ok(place) if built => store(bundle, host, place, &modules).unwrap_or_else(|answer| answer),
        _ => Answer::NotChecked("not every module could be built".to_owned()),
    };
    checks.push(store_check(&modules, answer));
    checks
}

fn store_check(modules: &[(&Policy, &SelinuxEntry)], answer: Answer) -> Check {
    let files =
        modules.iter().flat_map(|(_, entry)| [Some(&entry.te), Some(&entry.fc), entry.ports.as_ref()]);
    Check {
        policies: modules.iter().map(|(policy, _)| policy.name.clone()).collect(),
        target: TARGET,
        files: files.flatten().map(|file| file.path.clone()).collect(),
        tool: STORE.to_owned(),
        answer,
    }
}

/// What the compiler and the packager say.
fn module(bundle: &Bundle, host: &Host, place: &Workplace, entry: &SelinuxEntry) -> (Answer, Answer) {
    let file = |ending: &str| format!("{}.{ending}", entry.module);
    let (te, fc, compiled, package) = (file("te"), file("fc"), file("mod"), file("pp"));
    for (artefact, name) in [(&entry.te, &te), (&entry.fc, &fc)] {
        let written = bundle.read(artefact).map(|bytes| fs::write(place.path().join(name), bytes));
        match written {
            Ok(Ok(())) => {}
            Ok(Err(e)) => return both(Answer::NotChecked(format!("{name}: {e}"))),
            Err(why) => return both(Answer::Refused(why)),
        }
    }
    let args = ["-M".into(), "-m".into(), "-o".into(), place.inside(&compiled), place.inside(&te)];
    let compiled_answer = ask(host, COMPILER, args.to_vec());
    if compiled_answer != Answer::Accepted {
        return (compiled_answer, Answer::NotChecked("there is no module to package".to_owned()));
    }
    let mut args: Vec<OsString> =
        vec!["-o".into(), place.inside(&package), "-m".into(), place.inside(&compiled)];
    // An empty file is refused, though it says nothing wrong.
    if fs::metadata(place.path().join(&fc)).is_ok_and(|metadata| metadata.len() > 0) {
        args.extend(["-f".into(), place.inside(&fc)]);
    }
    (Answer::Accepted, ask(host, PACKAGER, args))
}

fn both(answer: Answer) -> (Answer, Answer) {
    (answer.clone(), answer)
}

fn ask(host: &Host, tool: &str, args: Vec<OsString>) -> Answer {
    match host.run(tool, args, &[]) {
        Ok(ran) if ran.good => Answer::Accepted,
        Ok(ran) => Answer::Refused(ran.text),
        Err(why) => Answer::NotChecked(why),
    }
}

/// Installs all modules into a copy of the host's store.
fn store(
    bundle: &Bundle,
    host: &Host,
    place: &Workplace,
    modules: &[(&Policy, &SelinuxEntry)],
) -> Result<Answer, Answer> {
    if !host.has(STORE) {
        return Err(Answer::NotChecked(format!("{STORE} is not installed")));
    }
    let name = copy_store(host, place).map_err(Answer::NotChecked)?;
    let mut args: Vec<OsString> = ["-n", "-s", &name, "-p"].map(OsString::from).to_vec();
    args.push(place.inside("root"));
    for (_, entry) in modules {
        args.extend(["-i".into(), place.inside(&format!("{}.pp", entry.module))]);
        if let Some(ports) = &entry.ports {
            args.extend(["-i".into(), ports_module(bundle, place, ports)?]);
        }
    }
    Ok(ask(host, STORE, args))
}

/// The side module keeps its file name, which is its module's name.
fn ports_module(
    bundle: &Bundle,
    place: &Workplace,
    ports: &canc_bundle::Artefact,
) -> Result<OsString, Answer> {
    let bytes = bundle.read(ports).map_err(Answer::Refused)?;
    let name = Path::new(&ports.path).file_name().unwrap_or_default().to_string_lossy().into_owned();
    fs::write(place.path().join(&name), bytes).map_err(|e| Answer::NotChecked(format!("{name}: {e}")))?;
    Ok(place.inside(&name))
}

/// Copies the store of the policy that the host is configured for to `root` in the workplace, to its name.
fn copy_store(host: &Host, place: &Workplace) -> Result<String, String> {
    let settings = read(&host.path("/etc/selinux/config"))?;
    let name = setting(&settings, "SELINUXTYPE").ok_or("/etc/selinux/config names no policy")?.to_owned();
    let semanage = read(&host.path("/etc/selinux/semanage.conf"))?;
    let stores = setting(&semanage, "store-root").unwrap_or("/var/lib/selinux");
    for dir in [format!("/etc/selinux/{name}"), format!("{stores}/{name}")] {
        let to = below(&place.path().join("root"), &dir);
        copy(&host.path(&dir), &to).map_err(|e| format!("copying the policy store {dir}: {e}"))?;
        for above in Path::new(&dir).ancestors().skip(1).filter(|above| above.parent().is_some()) {
            let inside = above.display().to_string();
            copy_label(&host.path(&inside), &below(&place.path().join("root"), &inside));
        }
    }
    let root = place.path().join("root/etc/selinux");
    let written = fs::write(root.join("config"), &settings)
        .and_then(|()| fs::write(root.join("semanage.conf"), checking_assertions(&semanage)));
    written.map_err(|e| format!("writing the copy's settings: {e}"))?;
    Ok(name)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("there is no SELinux policy here: {}: {e}", path.display()))
}

fn setting<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = text.lines().filter_map(|line| line.split_once('='));
    lines.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

/// The same settings, with the base policy's assertions checked. Settings come before sections, so it goes first.
fn checking_assertions(semanage: &str) -> String {
    let others =
        semanage.lines().filter(|line| line.split('=').next().map(str::trim) != Some("expand-check"));
    std::iter::once("expand-check=1").chain(others).flat_map(|line| [line, "\n"]).collect()
}

fn below(root: &Path, absolute: &str) -> PathBuf {
    root.join(absolute.trim_start_matches('/'))
}

/// Copies directories and regular files; a store has nothing else.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    copy_label(from, to);
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, to) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &to)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &to)?;
            copy_label(&entry.path(), &to);
        }
    }
    Ok(())
}

/// Where SELinux enforces, semodule may change what is labelled as a store. Where labels cannot be set nobody asks for them.
fn copy_label(from: &Path, to: &Path) {
    const LABEL: &str = "security.selinux";
    let mut label = [0; 4096];
    if let Ok(size) = rustix::fs::lgetxattr(from, LABEL, &mut label[..])
        && let Some(label) = label.get(..size)
    {
        let _ = rustix::fs::lsetxattr(to, LABEL, label, rustix::fs::XattrFlags::empty());
    }
}
