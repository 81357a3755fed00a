//! `canc apply --unit` on Debian's own nginx: systemd takes the drop-in, its command starts nginx confined, and nothing is left of it.

use super::ensure;
use crate::policy::Tools;
use crate::{Error, Rootfs};
use std::fs;

const POLICY: &str = include_str!("../../../examples/nginx/nginx.can");
const WORK: &str = include_str!("../../cases/units/work.sh");
/// What the work prints, in this order.
const LINES: [&str; 9] = [
    "verified before: 0\n",
    "the unit's own command: Seccomp 0\n",
    "applied: 0\n",
    "verified: 0\n",
    "the drop-in's command: Seccomp 2\n",
    "a wrong drop-in is noticed: 1\n",
    "an incompatible setting is refused: 1\n",
    "removed: 0\n",
    "left: nothing\n",
];

/// In a private layer over the root file system, on this machine's kernel.
pub fn run(rootfs: &Rootfs) -> Result<(), Error> {
    let tools = Tools::build(rootfs)?;
    let layer = rootfs.layer()?;
    let copy = |from: &std::path::Path, name: &str| {
        fs::copy(from, layer.share().join(name)).map_err(Error::io("copying", from)).map(drop)
    };
    copy(tools.canc(), "canc")?;
    copy(tools.launcher(), "canc-run")?;
    for (name, text) in [("nginx.can", POLICY), ("work.sh", WORK)] {
        let path = layer.share().join(name);
        fs::write(&path, text).map_err(Error::io("writing", &path))?;
    }
    let output = layer.run("unshare").args(["--net", "sh", "/mnt/work.sh"]).output()?;
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
