//! The permissions of a state, in the parser's older numbers or in the kernel's, to operations of the language.

use super::dfa::{Dfa, START};
use canc_dsl::policy::FileOp;

/// The kernel's numbers (`security/apparmor/include/perms.h`, and `MAY_…` of `linux/fs.h`).
mod kernel {
    pub const EXEC: u32 = 0x1;
    pub const WRITE: u32 = 0x2;
    pub const READ: u32 = 0x4;
    pub const APPEND: u32 = 0x8;
    pub const CREATE: u32 = 0x10;
    pub const DELETE: u32 = 0x20;
    pub const SETATTR: u32 = 0x100;
    pub const CHMOD: u32 = 0x1000;
    pub const LOCK: u32 = 0x8000;
    pub const MMAP: u32 = 0x1_0000;
    pub const LINK: u32 = 0x4_0000;
}

/// What a state of a file automaton permits, in the kernel's numbers: `map_old_perms` and `compute_fperms_*` of
/// `policy_compat.c` for the older numbers, which have one half for the owner and one for others.
fn file(accept: u32, owner: bool) -> u32 {
    let old = if owner { accept & 0x3fff } else { accept >> 14 & 0x3fff };
    let mut out = old & 0xf;
    if old & 0x10 != 0 {
        out |= kernel::LINK;
    }
    if old & 0x20 != 0 {
        out |= kernel::LOCK;
    }
    if old & 0x40 != 0 {
        out |= kernel::MMAP;
    }
    if old & kernel::WRITE != 0 {
        out |= kernel::SETATTR | kernel::CREATE | kernel::DELETE | kernel::CHMOD;
    }
    out
}

/// What the automaton permits on a path.
fn at(dfa: &Dfa, path: &[u8], owner: bool) -> u32 {
    let accept = dfa.accept(dfa.run(START, path));
    // A table holds the owner's permissions in other rows, which nothing here compiles to.
    if dfa.has_table() { accept } else { file(accept, owner) }
}

/// Whether the automaton permits an operation on a path. Device nodes take a capability besides.
pub fn permits(dfa: &Dfa, op: FileOp, path: &str, owner: bool) -> bool {
    let directory = path.ends_with('/');
    let wanted = match op {
        FileOp::Read if !directory => kernel::READ,
        FileOp::List if directory => kernel::READ,
        FileOp::Write if !directory => kernel::WRITE,
        FileOp::Append if !directory => kernel::APPEND,
        FileOp::Mknod if !directory => kernel::CREATE,
        FileOp::Create => kernel::CREATE,
        FileOp::Delete => kernel::DELETE,
        FileOp::Setattr | FileOp::Setid => kernel::CHMOD,
        FileOp::Lock => kernel::LOCK,
        FileOp::Map if !directory => kernel::MMAP,
        FileOp::Run if !directory => kernel::EXEC,
        _ => return false,
    };
    at(dfa, path.as_bytes(), owner) & wanted == wanted
}

/// Whether the automaton permits a hard link: the new name may be one, and it may be paired with the target. That it gains no access
/// is another test of the kernel's.
pub fn permits_link(dfa: &Dfa, name: &str, target: &str, owner: bool) -> bool {
    let at_name = dfa.run(START, name.as_bytes());
    let pair = dfa.run(dfa.step(at_name, 0), target.as_bytes());
    let has = |state| {
        let accept = dfa.accept(state);
        let perms = if dfa.has_table() { accept } else { file(accept, owner) };
        perms & kernel::LINK != 0
    };
    has(at_name) && has(pair)
}

/// What a state of a policy automaton permits, in the kernel's numbers (`compute_perms_entry` of `policy_compat.c`).
pub fn policy(dfa: &Dfa, state: u32) -> u32 {
    let accept = dfa.accept(state);
    if dfa.has_table() {
        return accept;
    }
    let other = accept >> 14 & 0x7f;
    accept & 0x7f | (other & 0x3) << 8 | (other & 0x1c) << 18 | (other & 0x60) << 19
}
