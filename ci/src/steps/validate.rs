//! `canc validate` with the tools of the test bed: what they accept, what each of them refuses, and that nothing is left.

use super::ensure;
use crate::rootfs::Layer;
use crate::{Error, Rootfs, vm};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const TE: &str = include_str!("../../cases/cat/canc_cat.te");
const FC: &str = include_str!("../../cases/cat/canc_cat.fc");
const PROFILE: &str = include_str!("../../cases/cat/canc_cat.apparmor");
/// A label for ports that the base leaves free.
const PORTS: &str = "(type canc_cat_port_t)(roletype object_r canc_cat_port_t)\
    (portcon tcp 29999 (system_u object_r canc_cat_port_t ((s0) (s0))))\n";
/// `ret ALLOW`.
const FILTER: [u8; 8] = [0x06, 0, 0, 0, 0, 0, 0xff, 0x7f];
/// A jump beyond the end.
const BAD_FILTER: [u8; 8] = [0x05, 0, 0, 0, 9, 0, 0, 0];
const LIMIT: Duration = Duration::from_secs(120);
/// Lists everything that a validation could leave or change, with digests.
const STATE: &str = "cd \"$1\" && find tmp etc/selinux var/lib/selinux -type f -exec sha256sum {} + | sort";

/// A bundle before it is written.
struct Parts {
    te: String,
    fc: String,
    profile: String,
    ports: String,
    filter: Vec<u8>,
}

impl Parts {
    fn good() -> Self {
        let [te, fc, profile, ports] = [TE, FC, PROFILE, PORTS].map(str::to_owned);
        Self { te, fc, profile, ports, filter: FILTER.to_vec() }
    }
}

/// Asks about one good bundle and several that are wrong in one way each.
pub fn run(rootfs: &Rootfs) -> Result<(), Error> {
    let canc = vm::build_static("canc", "canc")?;
    let layer = rootfs.layer()?;
    let state = || {
        Ok::<_, Error>(layer.outside("sh").args(["-c", STATE, "sh"]).arg(layer.outside_root()).ok()?.text())
    };
    let before = state()?;
    let scratch = rootfs.cache().scratch()?;
    let asked = Asked { canc, layer: &layer, dir: scratch.path() };
    asked.expect("all good", Parts::good(), 0, "5 accepted, 0 refused, 0 not checked")?;
    let assertion = "\nrequire { type shadow_t; }\nallow canc_cat_t shadow_t:file { open read };\n";
    asked.expect(
        "an assertion",
        Parts { te: TE.to_owned() + assertion, ..Parts::good() },
        1,
        "neverallow",
    )?;
    asked.expect(
        "type enforcement",
        Parts { te: TE.to_owned() + "allow;\n", ..Parts::good() },
        1,
        "syntax error",
    )?;
    let conflict = "/etc/shadow.*\t--\tsystem_u:object_r:canc_cat_data_t:s0\n".to_owned();
    asked.expect("a label that the base has", Parts { fc: conflict, ..Parts::good() }, 1, "filecon rules")?;
    let profile = PROFILE.replace(" r,", " nonsense,");
    asked.expect("a profile", Parts { profile, ..Parts::good() }, 1, "syntax error")?;
    asked.expect(
        "a port of the base",
        Parts { ports: PORTS.replace("29999", "80"), ..Parts::good() },
        1,
        "refused",
    )?;
    asked.expect(
        "a filter",
        Parts { filter: BAD_FILTER.to_vec(), ..Parts::good() },
        1,
        "Invalid argument",
    )?;
    ensure(before == state()?, || "a validation left something behind or changed the store".to_owned())
}

/// Who is asked, and where bundles are written.
struct Asked<'a> {
    canc: PathBuf,
    layer: &'a Layer,
    dir: &'a Path,
}

impl Asked<'_> {
    fn expect(&self, name: &str, parts: Parts, code: i32, words: &str) -> Result<(), Error> {
        write_bundle(self.dir, &parts)?;
        let root = self.layer.outside_root();
        let run = self.layer.outside(&self.canc).arg("validate").arg(self.dir).arg("--sysroot").arg(root);
        let output = run.limit(LIMIT).output()?;
        let text = output.text() + &output.errors();
        ensure(output.code == code && text.contains(words), || {
            format!("{name}: expected exit code {code} and {words:?}, got {}:\n{text}", output.code)
        })?;
        println!("{name}: exit code {code}, {:.1} s", output.took.as_secs_f32());
        Ok(())
    }
}

fn artefact(dir: &Path, name: &str, bytes: impl AsRef<[u8]>) -> Result<Value, Error> {
    let file = dir.join(name);
    fs::write(&file, bytes.as_ref()).map_err(Error::io("writing", file))?;
    let sha256: String = Sha256::digest(bytes.as_ref()).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(json!({ "path": name, "sha256": sha256 }))
}

fn write_bundle(dir: &Path, parts: &Parts) -> Result<(), Error> {
    let selinux = json!({
        "module": "canc_cat", "domain": "canc_cat_t", "permissive": false,
        "te": artefact(dir, "canc_cat.te", &parts.te)?,
        "fc": artefact(dir, "canc_cat.fc", &parts.fc)?,
        "ports": artefact(dir, "canc_cat_ports.cil", &parts.ports)?,
    });
    let apparmor = json!({
        "profile": "canc.cat", "complain": false,
        "source": artefact(dir, "canc.cat", &parts.profile)?,
    });
    let seccomp = json!({
        "programs": { "x86_64": [artefact(dir, "cat.x86_64.bpf", &parts.filter)?] },
        "listing": artefact(dir, "cat.asm", "")?,
        "launch_fd": 250, "needs_tracer": false, "needs_listener": false,
    });
    let launch = json!({
        "exec": ["/usr/bin/cat"], "attach": [], "launch_from": ["user"], "demands": {}, "require_one_of": [],
        "mode": "enforce", "capabilities": [], "no_new_privs": true, "limits": {}, "isolate": [],
        "separate_instances": false, "env_keep": [], "env_set": [], "keep_descriptors": [], "keep_activation": false,
    });
    let policy = json!({
        "name": "cat", "selinux": selinux, "apparmor": apparmor, "seccomp": seccomp, "landlock": null,
        "launch": launch, "rules": [], "decisions": [],
    });
    let manifest = json!({
        "format": 1, "compiler": "by hand", "source": { "name": "cat.can", "sha256": "" },
        "options": {
            "selinux_base": "debian13", "apparmor_abi": "4.0", "apparmor_features": "debian13",
            "arches": ["x86_64"], "parameters": {},
        },
        "policies": [policy],
    });
    let file = dir.join("manifest.json");
    fs::write(&file, manifest.to_string()).map_err(Error::io("writing", file))
}
