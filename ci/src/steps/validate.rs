//! `canc validate` with the tools of the test bed: what they accept of a compiled policy, what each of them refuses once it is
//! altered, and that nothing is left.

use super::ensure;
use crate::policy::{Layers, Tools};
use crate::rootfs::Layer;
use crate::{Error, Rootfs};
use canc_bundle::{Artefact, MANIFEST, Manifest, PolicyEntry};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// A policy with something for each tool, a port that the base leaves free among it.
const SOURCE: &str = include_str!("../../cases/ports/ports.can");
/// `ja +9`, which jumps beyond the end of any program that it is added to.
const JUMP: [u8; 8] = [0x05, 0, 0, 0, 9, 0, 0, 0];
const LIMIT: Duration = Duration::from_secs(120);
/// Lists everything that a validation could leave or change, with digests.
const STATE: &str = "cd \"$1\" && find tmp etc/selinux var/lib/selinux -type f -exec sha256sum {} + | sort";

/// Asks about one good bundle and several that are wrong in one way each.
pub fn run(rootfs: &Rootfs) -> Result<(), Error> {
    let tools = Tools::build(rootfs)?;
    let layer = rootfs.layer()?;
    let state = || {
        Ok::<_, Error>(layer.outside("sh").args(["-c", STATE, "sh"]).arg(layer.outside_root()).ok()?.text())
    };
    let before = state()?;
    let asked = Asked { tools: &tools, layer: &layer };
    asked.source("0 refused, 0 not checked")?;
    asked.expect("an assertion", |dir, policy| selinux(dir, policy, Part::Te, SHADOW), 1, "neverallow")?;
    asked.expect(
        "type enforcement",
        |dir, policy| selinux(dir, policy, Part::Te, "allow;\n"),
        1,
        "syntax error",
    )?;
    asked.expect(
        "a label of the base",
        |dir, policy| selinux(dir, policy, Part::Fc, LABEL),
        1,
        "filecon rules",
    )?;
    asked.expect(
        "a port of the base",
        |dir, policy| selinux(dir, policy, Part::Ports, PORT),
        1,
        "refused",
    )?;
    asked.expect("a profile", profile, 1, "syntax error")?;
    asked.expect("a filter", filter, 1, "Invalid argument")?;
    ensure(before == state()?, || "a validation left something behind or changed the store".to_owned())
}

/// Who is asked.
struct Asked<'a> {
    tools: &'a Tools,
    layer: &'a Layer,
}

/// What is wrong with a bundle.
type Alter = fn(&Path, &mut PolicyEntry) -> Result<(), Error>;

impl Asked<'_> {
    /// The source itself, which `canc validate` builds for the time of the validation.
    fn source(&self, words: &str) -> Result<(), Error> {
        let file = self.tools.scratch().join("source.can");
        fs::write(&file, SOURCE).map_err(Error::io("writing", &file))?;
        self.ask("a source", &file, 0, words)
    }

    fn expect(&self, name: &str, alter: Alter, code: i32, words: &str) -> Result<(), Error> {
        let bundle = self.tools.compile("ports", SOURCE, Layers::All)?;
        let file = bundle.dir.join(MANIFEST);
        let odd = |e: serde_json::Error| Error::Odd(format!("{}: {e}", file.display()));
        let bytes = fs::read(&file).map_err(Error::io("reading", &file))?;
        let mut manifest: Manifest = serde_json::from_slice(&bytes).map_err(odd)?;
        for policy in &mut manifest.policies {
            alter(&bundle.dir, policy)?;
        }
        let text = serde_json::to_vec(&manifest).map_err(odd)?;
        fs::write(&file, text).map_err(Error::io("writing", &file))?;
        self.ask(name, &bundle.dir, code, words)
    }

    fn ask(&self, name: &str, subject: &Path, code: i32, words: &str) -> Result<(), Error> {
        let run = self.layer.outside(self.tools.canc()).arg("validate").arg(subject);
        let output = run.arg("--sysroot").arg(self.layer.outside_root()).limit(LIMIT).output()?;
        let text = output.text() + &output.errors();
        ensure(output.code == code && text.contains(words), || {
            format!("{name}: expected exit code {code} and {words:?}, got {}:\n{text}", output.code)
        })?;
        println!("{name}: exit code {code}, {:.1} s", output.took.as_secs_f32());
        Ok(())
    }
}

/// Refused by an assertion of the base.
const SHADOW: &str = "require { type shadow_t; class file { open read }; }\nallow canc__ports_t shadow_t:file { open read };\n";
/// The base labels the same pattern in another way.
const LABEL: &str = "/etc/shadow.*\t--\tsystem_u:object_r:canc__ports__data_t:s0\n";
/// The base labels this port in another way.
const PORT: &str = "(portcon tcp 80 (system_u object_r canc__ports_t ((s0) (s0))))\n";

/// The files of a module.
enum Part {
    Te,
    Fc,
    Ports,
}

/// Adds a line to one of the module's files.
fn selinux(dir: &Path, policy: &mut PolicyEntry, part: Part, line: &str) -> Result<(), Error> {
    let entry = policy.selinux.as_mut();
    let artefact = entry.and_then(|entry| match part {
        Part::Te => Some(&mut entry.te),
        Part::Fc => Some(&mut entry.fc),
        Part::Ports => entry.ports.as_mut(),
    });
    append(dir, artefact, line.as_bytes())
}

/// Without the module, whose store takes the most time.
fn profile(dir: &Path, policy: &mut PolicyEntry) -> Result<(), Error> {
    policy.selinux = None;
    append(dir, policy.apparmor.as_mut().map(|entry| &mut entry.source), b"nonsense\n")
}

fn filter(dir: &Path, policy: &mut PolicyEntry) -> Result<(), Error> {
    policy.selinux = None;
    let programs = policy.seccomp.as_mut().and_then(|entry| entry.programs.get_mut("x86_64"));
    append(dir, programs.and_then(|list| list.first_mut()), &JUMP)
}

/// Adds bytes to an artefact, with the digest that it then has.
fn append(dir: &Path, artefact: Option<&mut Artefact>, more: &[u8]) -> Result<(), Error> {
    let artefact = artefact.ok_or_else(|| Error::Odd("the bundle lacks the artefact".to_owned()))?;
    let file = dir.join(&artefact.path);
    let mut bytes = fs::read(&file).map_err(Error::io("reading", &file))?;
    bytes.extend(more);
    artefact.sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(&file, bytes).map_err(Error::io("writing", file))
}
