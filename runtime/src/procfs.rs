//! Files of kernel file systems, opened so that nothing mounted over them or linked in their place is taken for them.

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, fstat, fstatfs, openat, openat2, readlinkat};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// `PROC_SUPER_MAGIC`, `SELINUX_MAGIC`, `SECURITYFS_MAGIC` of `linux/magic.h`.
const PROC_MAGIC: u64 = 0x9fa0;
const SELINUX_MAGIC: u64 = 0xf97c_ff8c;
const SECURITY_MAGIC: u64 = 0x7363_6673;
/// `AAFS_MAGIC` of the same header.
const APPARMOR_MAGIC: u64 = 0x5a3c_69f0;
/// `CGROUP2_SUPER_MAGIC`.
const CGROUP_MAGIC: u64 = 0x6367_7270;
/// The inode of a procfs instance's root directory: `PROC_ROOT_INO` of `linux/proc_ns.h`.
const PROC_ROOT_INODE: u64 = 1;
/// How often a look-up is repeated that a rename elsewhere disturbed (openat2(2), `EAGAIN`).
const TRIES: usize = 16;

/// A kernel file system's directory, whose files are opened without following links or crossing mounts.
#[derive(Debug)]
pub struct KernelDir(OwnedFd);

impl KernelDir {
    fn open(path: &str, magic: u64) -> io::Result<Self> {
        Self::open_with(path, magic, OFlags::NOFOLLOW)
    }

    fn open_with(path: &str, magic: u64, flags: OFlags) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC | flags;
        let dir = openat(CWD, path, flags, Mode::empty())?;
        #[expect(
            clippy::cast_sign_loss,
            reason = "the kernel's magic numbers are unsigned; the C library's field is not"
        )]
        let found = fstatfs(&dir)?.f_type as u64 & 0xffff_ffff;
        if found == magic { Ok(Self(dir)) } else { Err(io::Error::from(Errno::NODEV)) }
    }

    /// selinuxfs.
    ///
    /// # Errors
    /// `ENODEV` where something else is mounted there, or what open(2) says.
    pub fn selinux() -> io::Result<Self> {
        Self::open("/sys/fs/selinux", SELINUX_MAGIC)
    }

    /// securityfs.
    ///
    /// # Errors
    /// As [`KernelDir::selinux`].
    pub fn security() -> io::Result<Self> {
        Self::open("/sys/kernel/security", SECURITY_MAGIC)
    }

    /// AppArmor's own file system, which is mounted nowhere: a link of the kernel's in securityfs leads there, to the policy of the
    /// namespace that the caller may see.
    ///
    /// # Errors
    /// As [`KernelDir::selinux`].
    pub fn apparmor() -> io::Result<Self> {
        Self::open_with("/sys/kernel/security/apparmor/policy", APPARMOR_MAGIC, OFlags::empty())
    }

    /// The version 2 hierarchy of cgroups, also where it stands beside version 1.
    ///
    /// # Errors
    /// As [`KernelDir::selinux`].
    pub fn cgroup() -> io::Result<Self> {
        Self::open("/sys/fs/cgroup", CGROUP_MAGIC)
            .or_else(|_| Self::open("/sys/fs/cgroup/unified", CGROUP_MAGIC))
    }

    /// Opens a file below.
    ///
    /// # Errors
    /// `EXDEV` where something is mounted over it or on the way, `ELOOP` where a link is on the way, `ENOSYS` before Linux 5.6.
    pub fn file(&self, path: impl AsRef<Path>, flags: OFlags) -> io::Result<OwnedFd> {
        let resolve = ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        for _ in 0..TRIES {
            match openat2(&self.0, path.as_ref(), flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
                Err(Errno::AGAIN) => {}
                other => return Ok(other?),
            }
        }
        Err(Errno::AGAIN.into())
    }

    /// The whole text of a small file below, without the newline or NUL at its end.
    ///
    /// # Errors
    /// As [`KernelDir::file`], or `InvalidData` for what is no UTF-8.
    pub fn text(&self, path: impl AsRef<Path>) -> io::Result<String> {
        read_text(&self.file(path, OFlags::RDONLY)?)
    }
}

/// `/proc`, proved to be a procfs of this PID namespace.
#[derive(Debug)]
pub struct Procfs {
    root: KernelDir,
    pid: i32,
}

impl Procfs {
    /// Opens `/proc`.
    ///
    /// # Errors
    /// `ENODEV` where there is none, or `/proc` is something else or only a part of one; `ESRCH` where it is that of another PID namespace.
    pub fn open() -> io::Result<Self> {
        let root = KernelDir::open("/proc", PROC_MAGIC).map_err(|_| Errno::NODEV)?;
        if fstat(&root.0)?.st_ino != PROC_ROOT_INODE {
            return Err(Errno::NODEV.into());
        }
        let pid = rustix::process::getpid().as_raw_nonzero().get();
        let this = Self { root, pid };
        let name = readlinkat(&this.root.0, "thread-self", Vec::new())?;
        if name.as_bytes() == this.thread("").trim_end_matches('/').as_bytes() {
            Ok(this)
        } else {
            Err(Errno::SRCH.into())
        }
    }

    fn thread(&self, file: &str) -> String {
        format!("{}/task/{}/{file}", self.pid, rustix::thread::gettid().as_raw_nonzero())
    }

    /// Opens a file of the calling thread, such as `attr/exec`.
    ///
    /// # Errors
    /// As [`KernelDir::file`].
    pub fn thread_file(&self, file: &str, flags: OFlags) -> io::Result<OwnedFd> {
        self.root.file(self.thread(file), flags)
    }

    /// The directory of this process, such as a path `/proc/self` stands for.
    #[must_use]
    pub fn own_directory(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.pid))
    }

    /// A path that leads to an open file, also to one opened without access to its contents.
    #[must_use]
    pub fn path_of(&self, fd: BorrowedFd<'_>) -> PathBuf {
        self.own_directory().join("fd").join(fd.as_raw_fd().to_string())
    }

    /// An extended attribute of an open file, also of one opened without access to its contents.
    ///
    /// # Errors
    /// What getxattr(2) says.
    pub fn attribute_of(&self, fd: BorrowedFd<'_>, name: &str) -> io::Result<String> {
        // Through the descriptor's link: fgetxattr(2) refuses a descriptor that was opened for its path alone.
        let mut buffer = vec![0; 4096];
        let size = rustix::fs::getxattr(self.path_of(fd), name, &mut buffer[..])?;
        buffer.truncate(size);
        text(buffer)
    }
}

/// Writes a whole text in one call, as these file systems want it.
///
/// # Errors
/// What write(2) says; `WriteZero` where it took less.
pub fn write_text(file: impl AsFd, text: &str) -> io::Result<()> {
    let written = rustix::io::write(file, text.as_bytes())?;
    if written == text.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// Reads a text from the start of a file of at most a page, without the newline or NUL at its end.
///
/// # Errors
/// What read(2) says, or `InvalidData` for what is no UTF-8.
pub fn read_text(file: impl AsFd) -> io::Result<String> {
    let mut buffer = vec![0; 4096];
    let size = rustix::io::pread(file, &mut buffer[..], 0)?;
    buffer.truncate(size);
    text(buffer)
}

fn text(mut bytes: Vec<u8>) -> io::Result<String> {
    while let Some(b'\n' | 0) = bytes.last() {
        bytes.pop();
    }
    String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// What to tell about a file of `/proc` that did not open as it should.
#[must_use]
pub fn explain(error: &io::Error) -> String {
    match Errno::from_io_error(error) {
        Some(Errno::XDEV) => "something is mounted over it".into(),
        Some(Errno::LOOP) => "a symbolic link stands in its place".into(),
        Some(Errno::NODEV) => "the kernel's file system is not mounted there".into(),
        Some(Errno::SRCH) => "it belongs to another PID namespace".into(),
        Some(Errno::NOSYS) => "the kernel has no openat2(2), so it cannot be opened safely".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// What this thread makes of a `/proc` that it first stages itself, in the mount namespace that the test below gave it. Without that
    /// it is no test.
    #[test]
    fn inside_a_staged_proc() {
        let Some(script) = std::env::var_os("CANC_STAGE") else { return };
        let task = format!("/proc/{}/task/{}", std::process::id(), rustix::thread::gettid().as_raw_nonzero());
        assert!(Command::new("sh").arg("-ec").arg(script).env("TASK", task).status().unwrap().success());
        let result = Procfs::open().and_then(|proc| proc.thread_file("attr/current", OFlags::RDONLY));
        println!("staged: {}", result.map_or_else(|e| explain(&e), |_| "opened".into()));
    }

    fn staged(flags: &[&str], script: &str) -> String {
        let mut command = Command::new("unshare");
        if !rustix::process::geteuid().is_root() {
            command.arg("--map-root-user");
        }
        command
            .args(["--mount", "--propagation", "private"])
            .args(flags)
            .arg(std::env::current_exe().unwrap());
        command
            .args(["procfs::tests::inside_a_staged_proc", "--exact", "--nocapture"])
            .env("CANC_STAGE", script);
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text.lines().find_map(|line| line.split_once("staged: "));
        let errors = String::from_utf8_lossy(&output.stderr);
        line.unwrap_or_else(|| panic!("{script}: {text}{errors}")).1.to_owned()
    }

    #[test]
    fn only_the_kernels_own_file_is_opened() {
        assert_eq!(staged(&[], ""), "opened", "vacuous: the file does not open anyhow");
        let over = "something is mounted over it";
        // Another file; another file of the same kind; a directory on the way; even the directory itself, mounted where it is.
        assert_eq!(staged(&[], "mount --bind /dev/null $TASK/attr/current"), over);
        assert_eq!(staged(&[], "mount --bind $TASK/attr/prev $TASK/attr/current"), over);
        assert_eq!(staged(&[], "mount -t tmpfs none $TASK/attr"), over);
        assert_eq!(staged(&[], "mount --bind $TASK $TASK"), over);
    }

    #[test]
    fn only_this_namespaces_own_proc_is_used() {
        let other = "the kernel's file system is not mounted there";
        assert_eq!(staged(&[], "mount -t tmpfs none /proc"), other);
        assert_eq!(staged(&[], "mount --bind /proc/self /proc"), other);
        assert_eq!(staged(&[], "mount --bind $TASK /proc"), other);
        assert_eq!(staged(&["--pid", "--fork"], ""), "it belongs to another PID namespace");
        assert_eq!(staged(&["--pid", "--fork", "--mount-proc"], ""), "opened");
    }
}
