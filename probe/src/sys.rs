//! System calls by number. Pointers come from borrowed memory only, except where a request gives raw numbers, which is its purpose.
#![expect(unsafe_code, reason = "the probe exists to make system calls that no library would make")]

use std::ffi::CStr;

/// The C library's entry: the words after the program's name go to [`crate::run`].
///
/// # Safety
/// Called by the C library alone, with the `argc` strings of `argv`, which live as long as the process.
#[cfg(not(test))]
#[unsafe(no_mangle)]
unsafe extern "C" fn main(argc: libc::c_int, argv: *const *const libc::c_char) -> libc::c_int {
    let count = usize::try_from(argc).unwrap_or(0);
    // SAFETY: as above, `argv` holds `argc` pointers to strings that are never freed.
    let words: Vec<&[u8]> = unsafe { (1..count).map(|n| CStr::from_ptr(*argv.add(n)).to_bytes()).collect() };
    crate::run(&words)
}

/// An argument of a system call.
pub(crate) enum Arg<'a> {
    /// A number.
    Num(u64),
    /// A string to read.
    Str(&'a CStr),
    /// Memory to read.
    In(&'a [u8]),
    /// Memory to write.
    Out(&'a mut [u8]),
}

/// A negative number, as the kernel takes it.
pub(crate) const fn signed(number: i64) -> Arg<'static> {
    Arg::Num(number.cast_unsigned())
}

/// The current directory, for calls relative to a directory.
pub(crate) const HERE: Arg<'static> = signed(libc::AT_FDCWD as i64);

/// Makes a call. The error is the errno.
pub(crate) fn call<const N: usize>(number: libc::c_long, arguments: [Arg<'_>; N]) -> Result<u64, i32> {
    let mut words = [0_u64; 6];
    for (word, argument) in words.iter_mut().zip(arguments) {
        *word = match argument {
            Arg::Num(n) => n,
            Arg::Str(text) => text.as_ptr() as u64,
            Arg::In(bytes) => bytes.as_ptr() as u64,
            Arg::Out(bytes) => bytes.as_mut_ptr() as u64,
        };
    }
    raw(number, words)
}

/// Makes a call with numbers alone.
pub(crate) fn raw(number: libc::c_long, words: [u64; 6]) -> Result<u64, i32> {
    let [a, b, c, d, e, f] = words;
    // SAFETY: pointers that `call` made are valid for the call, since it holds their borrows. Where a request gives numbers of its own, a
    // wrong one can damage this process alone, whose only task is that request.
    let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    if result == -1 { Err(last_errno()) } else { Ok(result.cast_unsigned()) }
}

fn last_errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// A call through the 32-bit gate, which has another table of numbers.
#[cfg(target_arch = "x86_64")]
pub(crate) fn int80(number: u32, words: [u32; 4]) -> Result<u64, i32> {
    let [b, c, d, s] = words;
    let result: i32;
    // SAFETY: the gate takes the number in eax and arguments in ebx, ecx, edx, esi, and returns in eax; r8 to r11 may change. rbx cannot
    // be named as an operand, so it is exchanged and restored. The numbers are the request's own, as in `raw`.
    unsafe {
        std::arch::asm!(
            "xchg {b:r}, rbx", "int 0x80", "xchg {b:r}, rbx",
            b = inout(reg) u64::from(b) => _,
            inlateout("eax") number => result,
            in("ecx") c, in("edx") d, in("esi") s,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
    if (-4095..0).contains(&result) { Err(-result) } else { Ok(u64::from(result.cast_unsigned())) }
}

/// Writes all it can; nobody can be told where it cannot.
pub(crate) fn print(descriptor: u64, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match call(libc::SYS_write, [Arg::Num(descriptor), Arg::In(bytes), Arg::Num(bytes.len() as u64)]) {
            Ok(written) if written > 0 => bytes = bytes.get(written as usize..).unwrap_or_default(),
            _ => return,
        }
    }
}

/// Runs `child` in a new process and waits: its exit code, or the number of the signal that ended it plus 128.
pub(crate) fn in_child(child: impl FnOnce() -> i32) -> Result<i32, i32> {
    // SAFETY: the process has one thread, so the child may do whatever the parent may.
    let pid = unsafe { libc::fork() };
    match pid {
        -1 => Err(last_errno()),
        0 => {
            let code = child();
            // SAFETY: ends the child without running anything that belongs to the parent.
            unsafe { libc::_exit(code) }
        }
        pid => wait(pid),
    }
}

/// Waits for a child.
pub(crate) fn wait(pid: i32) -> Result<i32, i32> {
    let mut status = 0;
    // SAFETY: `status` is an int that outlives the call.
    if unsafe { libc::waitpid(pid, &raw mut status, libc::__WALL) } == -1 {
        return Err(last_errno());
    }
    Ok(if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + libc::WTERMSIG(status) })
}

/// Clones with flags by clone(2): a child that shares nothing it was not told to share and ends at once.
pub(crate) fn clone_with(flags: u64) -> Result<i32, i32> {
    // SAFETY: without CLONE_VM the child has a copy of this memory and stack, and it only calls _exit; the flags that would share memory
    // are taken out.
    let pid = unsafe {
        let flags =
            (flags & !(libc::CLONE_VM | libc::CLONE_VFORK).cast_unsigned() as u64) | libc::SIGCHLD as u64;
        let pid = libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0);
        if pid == 0 {
            libc::_exit(0);
        }
        pid
    };
    if pid == -1 { Err(last_errno()) } else { wait(pid as i32) }
}

/// What a signal does now: `None` for its default, and whether it is ignored otherwise.
pub(crate) fn is_ignored(signal: i32) -> bool {
    // SAFETY: sigaction is plain data for which zeroes are a value; the call writes the old action to it and changes nothing.
    unsafe {
        let mut old: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut old) == 0 && old.sa_sigaction == libc::SIG_IGN
    }
}

/// Takes memory and writes to every page of it.
pub(crate) fn touch_memory(bytes: u64) -> Result<(), i32> {
    let size = usize::try_from(bytes).unwrap_or(usize::MAX);
    let (protection, flags) =
        (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE);
    // SAFETY: a new private mapping at an address that the kernel chooses touches nothing that is there.
    let start = unsafe { libc::mmap(std::ptr::null_mut(), size, protection, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return Err(last_errno());
    }
    for offset in (0..size).step_by(4096) {
        // SAFETY: `offset` is within the mapping of `size` bytes made above, which is never unmapped.
        unsafe { start.cast::<u8>().add(offset).write_volatile(1) };
    }
    Ok(())
}

/// Starts a child that lives until the write end of `pipe` is closed everywhere.
pub(crate) fn start_waiting(pipe: [u64; 2]) -> Result<(), i32> {
    // SAFETY: the process has one thread, so the child may do whatever the parent may.
    match unsafe { libc::fork() } {
        -1 => Err(last_errno()),
        0 => {
            let _ = call(libc::SYS_close, [Arg::Num(pipe[1])]);
            let _ = call(libc::SYS_read, [Arg::Num(pipe[0]), Arg::Out(&mut [0]), Arg::Num(1)]);
            // SAFETY: ends the child without running anything that belongs to the parent.
            unsafe { libc::_exit(0) }
        }
        _ => Ok(()),
    }
}
