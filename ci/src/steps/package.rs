//! The Debian package: the same bytes from the same programs, and what installing, upgrading, removing and purging it does to Debian 13.

use super::ensure;
use crate::policy::Tools;
use crate::run::Run;
use crate::{Error, Rootfs, vm};
use std::fs;
use std::path::Path;

const WORK: &str = include_str!("../../cases/package/work.sh");
/// What the work prints, in this order.
const LINES: [&str; 21] = [
    "installed: 0\n",
    "files as packaged: 0\n",
    "canc 0.1.0\n",
    "canc-run 0.1.0\n",
    "pages: canc.1 canc-apply.1 canc.5\n",
    "completes: apply\n",
    "static: canc canc-run canc-probe\n",
    "checked: 0\n",
    "applied: 0\n",
    "permitted words\n",
    "another file: 1\n",
    "upgraded: 0\n",
    "version: 0.1.0+1\n",
    "still installed: 0\n",
    "still refused: 1\n",
    "removed: 0\n",
    "profiles and units left: nothing\n",
    "back: 0\n",
    "refused again: 1\n",
    "purged: 0\n",
    "left: nothing\n",
];

/// In a private layer over the root file system, on this machine's kernel.
pub fn run(rootfs: &Rootfs) -> Result<(), Error> {
    let tools = Tools::build(rootfs)?;
    let bin = tools.scratch().join("bin");
    fs::create_dir(&bin).map_err(Error::io("making", &bin))?;
    let probe = vm::build_program("canc-probe", "canc-probe")?;
    for (from, name) in
        [(tools.canc(), "canc"), (tools.launcher(), "canc-run"), (probe.as_path(), "canc-probe")]
    {
        fs::copy(from, bin.join(name)).map_err(Error::io("copying", from))?;
    }
    let layer = rootfs.layer()?;
    let packaged = |name: &str, version: &str, umask: &str, zone: &str| {
        let file = layer.share().join(name);
        let line = format!("umask {umask}; exec ci/package --bin \"$1\" --version {version} \"$2\"");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("");
        Run::new("bash").args(["-c", &line, "bash"]).arg(&bin).arg(&file).env("TZ", zone).dir(root).ok()?;
        fs::read(&file).map_err(Error::io("reading", &file))
    };
    let first = packaged("canc.deb", "0.1.0", "022", "UTC")?;
    // File times have whole seconds: a second later a time that is not fixed is another one.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let again = packaged("again.deb", "0.1.0", "077", "Asia/Tokyo")?;
    ensure(first == again, || "the same programs gave two packages".to_owned())?;
    println!("package: {} KiB, the same bytes twice", first.len() / 1024);
    ensure(packaged("next.deb", "0.1.0+1", "022", "UTC")? != first, || {
        "another version is the same".to_owned()
    })?;
    let work = layer.share().join("work.sh");
    fs::write(&work, WORK).map_err(Error::io("writing", &work))?;
    let output = layer.run("bash").arg("/mnt/work.sh").output()?;
    let text = output.text();
    print!("{text}");
    let mut rest = text.as_str();
    for line in LINES {
        let Some((_, after)) = rest.split_once(line) else {
            return Err(Error::Odd(format!("not seen: {line}{}", output.errors())));
        };
        rest = after;
    }
    ensure(output.code == 0, || format!("exit code {}: {}", output.code, output.errors()))
}
