//! Modules to a linked SELinux policy, in a private copy of the whole base policy's store, and questions about it.
//!
//! It must not know what a module is for.

mod labels;
mod query;

pub use labels::FileKind;
pub use query::{Access, Reach, Rule, Transition};

use super::Verdict;
use crate::rootfs::Layer;
use crate::{Error, Rootfs};
use std::path::Path;
use std::time::Duration;

/// Exit codes with which the way into the root file system fails.
const SHELL_FAILURES: [i32; 3] = [125, 126, 127];
/// A transaction takes about seven seconds on an idle machine.
const TRANSACTION_LIMIT: Duration = Duration::from_secs(180);

/// A module as `semodule` takes it. Its name must be that of the module it declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// The file's name without its ending.
    pub name: String,
    /// The text or the package.
    pub content: Content,
}

/// What a module file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A policy package, as [`Store::package`] makes it.
    Package(Vec<u8>),
    /// CIL.
    Cil(String),
}

/// A private store, at first that of the base policy. Dropping it leaves nothing behind.
#[derive(Debug)]
pub struct Store {
    layer: Layer,
}

impl Store {
    /// A store as the base policy's packages leave it, but with `expand-check=1`.
    pub fn new(rootfs: &Rootfs) -> Result<Self, Error> {
        Ok(Self { layer: rootfs.layer()? })
    }

    /// The writable root that the store lies in.
    pub fn layer(&self) -> &Layer {
        &self.layer
    }

    /// Type enforcement and file contexts to a policy package, by `checkmodule` and `semodule_package`.
    pub fn package(&self, name: &str, te: &str, fc: &str) -> Result<Verdict<Vec<u8>>, Error> {
        let share = self.layer.share();
        write(&share, &format!("{name}.te"), te)?;
        write(&share, &format!("{name}.fc"), fc)?;
        let [te, fc, module, package] =
            ["te", "fc", "mod", "pp"].map(|ending| format!("/mnt/{name}.{ending}"));
        if let Verdict::Refused(why) = self.judge("checkmodule", &["-M", "-m", "-o", &module, &te])? {
            return Ok(Verdict::Refused(why));
        }
        let mut args = vec!["-o", &package, "-m", &module];
        if !self.fc_is_empty(&share, name)? {
            args.extend(["-f", &fc]);
        }
        if let Verdict::Refused(why) = self.judge("semodule_package", &args)? {
            return Ok(Verdict::Refused(why));
        }
        let file = share.join(format!("{name}.pp"));
        Ok(Verdict::Accepted(std::fs::read(&file).map_err(Error::io("reading", file))?))
    }

    fn fc_is_empty(&self, share: &Path, name: &str) -> Result<bool, Error> {
        let file = share.join(format!("{name}.fc"));
        let text = std::fs::read_to_string(&file).map_err(Error::io("reading", file))?;
        Ok(text.trim().is_empty())
    }

    /// Installs the modules in one transaction and links the policy, with the base policy's assertions checked.
    /// `audit_all` drops the rules that keep denials out of the audit log.
    pub fn install(&self, modules: &[Module], audit_all: bool) -> Result<Verdict, Error> {
        let mut args = vec!["-n".to_owned()];
        args.extend(audit_all.then(|| "-D".to_owned()));
        args.extend(modules.is_empty().then(|| "-B".to_owned()));
        for module in modules {
            let (ending, bytes) = match &module.content {
                Content::Package(bytes) => ("pp", bytes.as_slice()),
                Content::Cil(text) => ("cil", text.as_bytes()),
            };
            let file = format!("{}.{ending}", module.name);
            write(&self.layer.share(), &file, bytes)?;
            args.extend(["-i".to_owned(), format!("/mnt/{file}")]);
        }
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        self.judge("semodule", &args)
    }

    /// Runs `sesearch` on the linked policy, for instance with `-A -s TYPE`, to its lines.
    pub fn sesearch(&self, args: &[&str]) -> Result<Vec<String>, Error> {
        self.lines("sesearch", args)
    }

    /// Runs `seinfo` on the linked policy, for instance with `-t TYPE -x`, to its lines.
    pub fn seinfo(&self, args: &[&str]) -> Result<Vec<String>, Error> {
        self.lines("seinfo", args)
    }

    fn lines(&self, tool: &str, args: &[&str]) -> Result<Vec<String>, Error> {
        let policy = self.policy_file()?;
        let output = self.layer.run(tool).args(args).arg(policy).ok()?;
        Ok(output.text().lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect())
    }

    /// The linked policy inside the root: the one file `policy.N`.
    fn policy_file(&self) -> Result<String, Error> {
        let output = self.layer.run("sh").args(["-c", "echo /etc/selinux/default/policy/policy.*"]).ok()?;
        let text = output.text().trim().to_owned();
        match text.contains([' ', '*']) {
            false => Ok(text),
            true => Err(Error::Odd(format!("not exactly one linked policy: {text}"))),
        }
    }

    fn judge(&self, tool: &str, args: &[&str]) -> Result<Verdict, Error> {
        let output = self.layer.run(tool).args(args).limit(TRANSACTION_LIMIT).output()?;
        match output.code {
            0 => Ok(Verdict::Accepted(())),
            code if SHELL_FAILURES.contains(&code) => Err(Error::Odd(format!("{tool}: {}", output.errors()))),
            _ => Ok(Verdict::Refused(format!("{}{}", output.text(), output.errors()))),
        }
    }
}

fn write(dir: &Path, name: &str, content: impl AsRef<[u8]>) -> Result<(), Error> {
    let file = dir.join(name);
    std::fs::write(&file, content).map_err(Error::io("writing", file))
}
