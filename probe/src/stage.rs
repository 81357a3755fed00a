//! Steps to a mount namespace of its own in which a program runs: directories of the host covered by private, writable copies, and files
//! put there or taken away. Nothing of it is seen outside, and it is gone with the program.

use crate::files::string;
use crate::sys::{Arg, call, print};
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Ends with this code where the stage cannot be made; the program's own otherwise.
const FAILED: i32 = 125;

/// `WORK STEP… -- CMD ARG…`
pub(crate) fn run(words: &[&[u8]]) -> i32 {
    match staged(words) {
        Ok(()) => 0,
        Err(why) => {
            print(2, format!("canc-probe: stage: {why}\n").as_bytes());
            FAILED
        }
    }
}

fn staged(words: &[&[u8]]) -> Result<(), String> {
    let (work, mut steps) = words.split_first().ok_or("which directory to work in?")?;
    let mut stage = Stage::enter(path_of(work))?;
    loop {
        let (step, path, rest) = match steps {
            [b"--", command, rest @ ..] => return exec(command, rest),
            [b"copy", from, path, rest @ ..] => ("copy", (path_of(path), path_of(from)), rest),
            [b"symlink", to, path, rest @ ..] => ("symlink", (path_of(path), path_of(to)), rest),
            [b"place", from, path, rest @ ..] => ("place", (path_of(path), path_of(from)), rest),
            [step, path, rest @ ..] => {
                (std::str::from_utf8(step).unwrap_or_default(), (path_of(path), Path::new("")), rest)
            }
            _ => return Err("a step is wrong, or `--` is missing".into()),
        };
        stage.step(step, path.0, path.1).map_err(|e| format!("{step} {}: {e}", path.0.display()))?;
        steps = rest;
    }
}

/// A mount namespace that was made.
struct Stage<'a> {
    work: &'a Path,
    /// In a user namespace of its own.
    owned: bool,
    /// The devices of the directories that were covered: on no other may anything change.
    covered: Vec<u64>,
    /// How many places below `work` are taken.
    used: usize,
}

impl<'a> Stage<'a> {
    fn enter(work: &'a Path) -> Result<Self, String> {
        let owned = enter().map_err(|e| format!("no mount namespace: {e}"))?;
        mount("tmpfs", work, "tmpfs", 0, "mode=755").map_err(|e| format!("{}: {e}", work.display()))?;
        Ok(Self { work, owned, covered: Vec::new(), used: 0 })
    }

    fn step(&mut self, step: &str, path: &Path, from: &Path) -> io::Result<()> {
        match step {
            "cover" => self.cover(path),
            "place" => self.place(from, path),
            "file" => self.put(path, |p| fs::write(p, "")),
            "copy" => self.put(path, |p| fs::copy(from, p).map(drop)),
            "symlink" => self.put(path, |p| symlink(from, p)),
            "directory" => self.put(path, |p| fs::create_dir(p)),
            "absent" => self.put(path, |_| Ok(())),
            _ => Err(io::Error::other("there is no such step")),
        }
    }

    /// A directory below `work` that nothing uses.
    fn fresh(&mut self) -> io::Result<PathBuf> {
        self.used += 1;
        let fresh = self.work.join(self.used.to_string());
        fs::create_dir(&fresh)?;
        Ok(fresh)
    }

    /// An overlay. Its own directory belongs to the caller, so that permissions of the host's do not decide.
    fn cover(&mut self, path: &Path) -> io::Result<()> {
        let text = path.to_str().filter(|p| !p.contains([',', ':', '\\']));
        let text = text.ok_or_else(|| io::Error::other("overlays take no such name"))?;
        let fresh = self.fresh()?;
        let [upper, scratch] = ["upper", "scratch"].map(|name| fresh.join(name));
        fs::create_dir(&upper)?;
        fs::create_dir(&scratch)?;
        fs::set_permissions(&upper, Permissions::from_mode(0o755))?;
        let user = if self.owned { ",userxattr" } else { "" };
        let options =
            format!("lowerdir={text},upperdir={},workdir={}{user}", upper.display(), scratch.display());
        mount("overlay", path, "overlay", 0, &options)?;
        self.covered.push(fs::metadata(path)?.dev());
        Ok(())
    }

    /// A program in the place of another, with its label.
    fn place(&mut self, from: &Path, path: &Path) -> io::Result<()> {
        let copy = self.fresh()?.join("program");
        fs::copy(from, &copy)?;
        fs::set_permissions(&copy, Permissions::from_mode(0o755))?;
        copy_label(path, &copy)?;
        bind(&copy, path)
    }

    /// Something new in place of what was there, which anybody may read, write and execute.
    fn put(&self, path: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
        let mut there = path.ancestors().skip(1).filter_map(|p| fs::metadata(p).ok());
        if !there.next().is_some_and(|found| self.covered.contains(&found.dev())) {
            return Err(io::Error::other("it is below no directory that was covered"));
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        remove(path)?;
        make(path)?;
        match fs::symlink_metadata(path) {
            Ok(made) if made.is_symlink() => Ok(()),
            Ok(_) => fs::set_permissions(path, Permissions::from_mode(0o777)),
            Err(_) => Ok(()),
        }
    }
}

/// The SELinux label, where files have one.
fn copy_label(from: &Path, to: &Path) -> io::Result<()> {
    let mut label = vec![0; 4096];
    let [from, to] = [from, to].map(|p| string(p.as_os_str().as_bytes()));
    let name = c"security.selinux";
    let size = Arg::Num(label.len() as u64);
    let read = [Arg::Str(&from), Arg::Str(name), Arg::Out(&mut label), size];
    let Ok(length) = call(libc::SYS_getxattr, read) else { return Ok(()) };
    let label = label.get(..length as usize).unwrap_or_default();
    let write = [Arg::Str(&to), Arg::Str(name), Arg::In(label), Arg::Num(length), Arg::Num(0)];
    kernel(libc::SYS_setxattr, write)
}

fn bind(from: &Path, to: &Path) -> io::Result<()> {
    let [from, to] = [from, to].map(|p| string(p.as_os_str().as_bytes()));
    let none = Arg::Str(c"");
    kernel(libc::SYS_mount, [Arg::Str(&from), Arg::Str(&to), none, Arg::Num(libc::MS_BIND), Arg::Num(0)])
}

fn path_of(word: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(word))
}

/// With the caller's environment. Comes back only with an error.
fn exec(command: &[u8], rest: &[&[u8]]) -> Result<(), String> {
    let rest = rest.iter().map(|word| OsStr::from_bytes(word));
    let error = Command::new(OsStr::from_bytes(command)).args(rest).exec();
    Err(format!("{}: {error}", String::from_utf8_lossy(command)))
}

/// A mount namespace in which nothing that is mounted is seen outside. Whoever may not make one makes a user namespace for it, which is
/// the answer.
fn enter() -> io::Result<bool> {
    let ids = [libc::SYS_geteuid, libc::SYS_getegid].map(|id| call(id, []).unwrap_or(0));
    let mounts = libc::CLONE_NEWNS as u64;
    let owned = match kernel(libc::SYS_unshare, [Arg::Num(mounts)]) {
        Ok(()) => false,
        Err(_) => {
            kernel(libc::SYS_unshare, [Arg::Num(mounts | libc::CLONE_NEWUSER as u64)])?;
            true
        }
    };
    if owned {
        fs::write("/proc/self/setgroups", "deny")?;
        for (map, id) in ["uid_map", "gid_map"].into_iter().zip(ids) {
            fs::write(format!("/proc/self/{map}"), format!("{id} {id} 1"))?;
        }
    }
    // Not private: what is mounted outside meanwhile may be seen.
    mount("", Path::new("/"), "", libc::MS_REC | libc::MS_SLAVE, "")?;
    Ok(owned)
}

fn remove(path: &Path) -> io::Result<()> {
    let gone = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(e) => Err(e),
    };
    match gone {
        Err(e) if e.kind() == io::ErrorKind::NotFound || e.kind() == io::ErrorKind::NotADirectory => Ok(()),
        other => other,
    }
}

fn mount(source: &str, target: &Path, kind: &str, flags: libc::c_ulong, data: &str) -> io::Result<()> {
    let [source, kind, data] = [source, kind, data].map(|s| string(s.as_bytes()));
    let target = string(target.as_os_str().as_bytes());
    let arguments = [Arg::Str(&source), Arg::Str(&target), Arg::Str(&kind), Arg::Num(flags), Arg::Str(&data)];
    kernel(libc::SYS_mount, arguments)
}

fn kernel<const N: usize>(number: libc::c_long, arguments: [Arg<'_>; N]) -> io::Result<()> {
    call(number, arguments).map(drop).map_err(io::Error::from_raw_os_error)
}
