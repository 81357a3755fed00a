//! The bundle's ruleset to a ruleset of the kernel: opens its paths without following links and creates it. What a rule permits was
//! decided at build time.

use crate::failure::Failure;
use crate::procfs::{Procfs, explain};
use canc_bundle::{LandlockPath, LandlockRuleset};
use landlock::{
    AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, RulesetError, Scope, make_bitflags,
};
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// A ruleset that waits to be enforced.
#[derive(Debug)]
pub struct Prepared {
    ruleset: RulesetCreated,
    /// Paths that got no rule, and why.
    pub skipped: Vec<String>,
}

/// What `~` and `%t` of the manifest stand for.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The caller's home: `/root` or `/home/NAME`, and the caller's own. Anywhere else is none, since `${home}` does not mean it.
    pub home: Option<PathBuf>,
    /// The caller's runtime directory.
    pub runtime: Option<PathBuf>,
}

impl Places {
    /// Those of the caller, with the home that the environment names.
    #[must_use]
    pub fn of_caller(home: Option<&Path>) -> Self {
        let uid = geteuid().as_raw();
        let is_home = |path: &&Path| {
            let names: Vec<_> = path.iter().skip(1).collect();
            let named = *path == Path::new("/root") || (path.starts_with("/home") && names.len() == 2);
            named && open(path).is_ok_and(|d| fstat(d).is_ok_and(|s| s.st_uid == uid))
        };
        Self {
            home: home.filter(is_home).map(Path::to_owned),
            runtime: Some(PathBuf::from(format!("/run/user/{uid}"))),
        }
    }
}

/// Creates the ruleset.
///
/// # Errors
/// A word that is none of the kernel's, a path that is missing and not optional, what the kernel says.
pub fn prepare(rules: &LandlockRuleset, places: &Places) -> Result<Prepared, Failure> {
    let handled = words(&rules.handled_fs, fs_access)?;
    let mut ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    if !handled.is_empty() {
        ruleset = ruleset.handle_access(handled).map_err(kernel)?;
    }
    let net = words(&rules.handled_net, net_access)?;
    if !net.is_empty() {
        ruleset = ruleset.handle_access(net).map_err(kernel)?;
    }
    let scoped = words(&rules.scoped, scope)?;
    if !scoped.is_empty() {
        ruleset = ruleset.scope(scoped).map_err(kernel)?;
    }
    let mut created = ruleset.create().map_err(kernel)?.no_new_privs(false);
    let mut skipped = Vec::new();
    for rule in &rules.paths {
        let access = words(&rule.access, fs_access)?;
        match locate(&rule.path, places).and_then(|path| target(&path, rule.path.ends_with('/'), access)) {
            Ok((file, access)) => {
                created = created.add_rule(PathBeneath::new(file, access)).map_err(kernel)?
            }
            Err(why) if rule.optional => skipped.push(format!("{}: {why}", rule.path)),
            Err(why) => return Err(missing(rule, &why)),
        }
    }
    for rule in &rules.ports {
        let access = words(&rule.access, net_access)?;
        for port in rule.from..=rule.to {
            created = created.add_rule(NetPort::new(port, access)).map_err(kernel)?;
        }
    }
    Ok(Prepared { ruleset: created, skipped })
}

impl Prepared {
    /// Restricts the calling thread; `log` has the kernel log what it refuses after the exec.
    ///
    /// # Errors
    /// What landlock_restrict_self(2) says.
    pub fn enforce(self, log: bool) -> Result<(), String> {
        let text = |e: RulesetError| e.to_string();
        let ruleset = if log { self.ruleset.log_new_exec(true).map_err(text)? } else { self.ruleset };
        let status = ruleset.restrict_self().map_err(text)?;
        match status.ruleset {
            landlock::RulesetStatus::FullyEnforced => Ok(()),
            other => Err(format!("the ruleset is {other:?}")),
        }
    }
}

fn locate(path: &str, places: &Places) -> Result<PathBuf, String> {
    let below = |base: &Option<PathBuf>, rest: &str, name: &str| {
        base.as_ref()
            .map(|b| b.join(rest.trim_start_matches('/')))
            .ok_or_else(|| format!("the caller has no {name}"))
    };
    let after = |name: &str| path.strip_prefix(name).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    if let Some(rest) = after("~") {
        return below(&places.home, rest, "home of its own under /home");
    }
    if let Some(rest) = after("%t") {
        return below(&places.runtime, rest, "runtime directory");
    }
    // The link means another directory for each reader; the exec keeps the process, and so its directory.
    if let Some(rest) = after("/proc/self") {
        let proc = Procfs::open().map_err(|e| explain(&e))?;
        return Ok(proc.own_directory().join(rest.trim_start_matches('/')));
    }
    Ok(path.into())
}

/// What a rule on one file can permit: the kernel refuses a directory's accesses there.
const FILE: BitFlags<AccessFs> =
    make_bitflags!(AccessFs::{Execute | WriteFile | ReadFile | Truncate | IoctlDev | ResolveUnix});

fn target(
    path: &Path,
    subtree: bool,
    access: BitFlags<AccessFs>,
) -> Result<(OwnedFd, BitFlags<AccessFs>), String> {
    let file = open(path).map_err(|e| match e {
        Errno::LOOP => "a symbolic link is on the way, and the policy means the path itself".to_owned(),
        e => std::io::Error::from(e).to_string(),
    })?;
    let stat = fstat(&file).map_err(|e| std::io::Error::from(e).to_string())?;
    let directory = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    match (directory, subtree) {
        (true, false) if FILE.contains(access) => {
            Err("it is a directory, and the policy means a file".into())
        }
        (true, _) => Ok((file, access)),
        (false, true) => Err("it is no directory".into()),
        (false, false) if (access & FILE).is_empty() => Err("it is no directory".into()),
        (false, false) => Ok((file, access & FILE)),
    }
}

/// Opens a path without following links: the confined program may be able to put one in its own directories, and a rule is about what
/// the policy names, as path rules of the other layers are.
fn open(path: &Path) -> rustix::io::Result<OwnedFd> {
    let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    openat2(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve)
}

fn missing(rule: &LandlockPath, why: &str) -> Failure {
    Failure::refused(
        format!("landlock rule on {} ({})", rule.path, rule.rules.join(", ")),
        why,
        "make the path before the launch (in a unit: RuntimeDirectory=, StateDirectory=, or a tmpfiles.d line)",
    )
}

fn kernel(error: RulesetError) -> Failure {
    Failure::refused("landlock", error.to_string(), "")
}

fn words<F: landlock::Access>(words: &[String], one: fn(&str) -> Option<F>) -> Result<BitFlags<F>, Failure> {
    words.iter().try_fold(BitFlags::EMPTY, |all, word| {
        one(word).map(|flag| all | flag).ok_or_else(|| {
            let remedy = "use a canc-run of the version that built the bundle";
            Failure::refused("landlock", format!("this canc-run does not know the access `{word}`"), remedy)
        })
    })
}

fn fs_access(word: &str) -> Option<AccessFs> {
    Some(match word {
        "execute" => AccessFs::Execute,
        "write_file" => AccessFs::WriteFile,
        "read_file" => AccessFs::ReadFile,
        "read_dir" => AccessFs::ReadDir,
        "remove_dir" => AccessFs::RemoveDir,
        "remove_file" => AccessFs::RemoveFile,
        "make_char" => AccessFs::MakeChar,
        "make_dir" => AccessFs::MakeDir,
        "make_reg" => AccessFs::MakeReg,
        "make_sock" => AccessFs::MakeSock,
        "make_fifo" => AccessFs::MakeFifo,
        "make_block" => AccessFs::MakeBlock,
        "make_sym" => AccessFs::MakeSym,
        "refer" => AccessFs::Refer,
        "truncate" => AccessFs::Truncate,
        "ioctl_dev" => AccessFs::IoctlDev,
        "resolve_unix" => AccessFs::ResolveUnix,
        _ => return None,
    })
}

fn net_access(word: &str) -> Option<AccessNet> {
    Some(match word {
        "bind_tcp" => AccessNet::BindTcp,
        "connect_tcp" => AccessNet::ConnectTcp,
        _ => return None,
    })
}

fn scope(word: &str) -> Option<Scope> {
    Some(match word {
        "abstract_unix_socket" => Scope::AbstractUnixSocket,
        "signal" => Scope::Signal,
        _ => return None,
    })
}
