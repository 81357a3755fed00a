//! The rights that Landlock knows about files (`linux/landlock.h`), and which operations of the language take and get which.

use canc_dsl::policy::{FileOp, FileOps};
use canc_sets::bit_set;

bit_set! {
    /// An access right to files, in the kernel's order.
    Rights(u16) of Right {
        /// Execute a file.
        Execute,
        /// Open a file for writing.
        WriteFile,
        /// Open a file for reading.
        ReadFile,
        /// List a directory.
        ReadDir,
        /// Remove or move away an empty directory.
        RemoveDir,
        /// Remove or move away a file.
        RemoveFile,
        /// Make a character device.
        MakeChar,
        /// Make a directory.
        MakeDir,
        /// Make a regular file, or a link to one.
        MakeReg,
        /// Make a socket.
        MakeSock,
        /// Make a FIFO.
        MakeFifo,
        /// Make a block device.
        MakeBlock,
        /// Make a symbolic link.
        MakeSym,
        /// Link or move between directories.
        Refer,
        /// Truncate a file.
        Truncate,
        /// ioctl on a device.
        IoctlDev,
    }
}

impl Right {
    /// The word of the bundle: the kernel's constant in lower case without prefix.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Execute => "execute",
            Self::WriteFile => "write_file",
            Self::ReadFile => "read_file",
            Self::ReadDir => "read_dir",
            Self::RemoveDir => "remove_dir",
            Self::RemoveFile => "remove_file",
            Self::MakeChar => "make_char",
            Self::MakeDir => "make_dir",
            Self::MakeReg => "make_reg",
            Self::MakeSock => "make_sock",
            Self::MakeFifo => "make_fifo",
            Self::MakeBlock => "make_block",
            Self::MakeSym => "make_sym",
            Self::Refer => "refer",
            Self::Truncate => "truncate",
            Self::IoctlDev => "ioctl_dev",
        }
    }

    /// The right of a word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| r.word() == word)
    }

    /// The first ABI that has it.
    #[must_use]
    pub fn since(self) -> u32 {
        match self {
            Self::Refer => 2,
            Self::Truncate => 3,
            Self::IoctlDev => 5,
            _ => 1,
        }
    }
}

/// The rights that an ABI has.
pub(super) fn handled(abi: u32) -> Rights {
    Right::ALL.iter().copied().filter(|r| r.since() <= abi).collect()
}

/// What can be granted on a single file.
pub(super) const ON_FILE: Rights =
    Rights::of(&[Right::Execute, Right::WriteFile, Right::ReadFile, Right::Truncate, Right::IoctlDev]);

/// The rights that an operation takes, on the directory that it happens in or on the file itself.
pub(super) fn of_op(op: FileOp) -> Rights {
    use Right as R;
    Rights::of(match op {
        FileOp::Read => &[R::ReadFile],
        FileOp::List => &[R::ReadDir],
        FileOp::Write => &[R::WriteFile, R::Truncate, R::IoctlDev],
        FileOp::Append => &[R::WriteFile],
        FileOp::Create => &[R::MakeReg, R::MakeDir, R::MakeSym, R::MakeSock, R::MakeFifo],
        FileOp::Delete => &[R::RemoveFile, R::RemoveDir, R::Refer],
        FileOp::Link => &[R::Refer],
        FileOp::Mknod => &[R::MakeChar, R::MakeBlock],
        FileOp::Run => &[R::Execute, R::ReadFile],
        FileOp::Lock | FileOp::Setattr | FileOp::Setid | FileOp::Map => &[],
    })
}

/// The rights that several operations take.
pub(super) fn of_ops(ops: FileOps) -> Rights {
    ops.iter().fold(Rights::EMPTY, |all, op| all.union(of_op(op)))
}

/// The rights any of which lets some of an operation through.
fn enabling(op: FileOp) -> Rights {
    use Right as R;
    Rights::of(match op {
        FileOp::Read => &[R::ReadFile],
        FileOp::List => &[R::ReadDir],
        FileOp::Write | FileOp::Append => &[R::WriteFile],
        FileOp::Create => &[R::MakeReg, R::MakeDir, R::MakeSym, R::MakeSock, R::MakeFifo],
        FileOp::Delete => &[R::RemoveFile, R::RemoveDir],
        // A link within one directory is a new regular file to Landlock.
        FileOp::Link => &[R::MakeReg],
        FileOp::Mknod => &[R::MakeChar, R::MakeBlock],
        FileOp::Run => &[R::Execute],
        FileOp::Lock | FileOp::Setattr | FileOp::Setid | FileOp::Map => &[],
    })
}

/// The operations that some rights let through, wholly or in part.
pub(super) fn let_through(rights: Rights) -> FileOps {
    FileOp::ALL.iter().copied().filter(|op| !enabling(*op).intersect(rights).is_empty()).collect()
}

/// Whether Landlock has rights for an operation at all.
pub(super) fn mediates(op: FileOp) -> bool {
    !enabling(op).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_kernels() {
        for right in Right::ALL {
            assert_eq!(Right::of_word(right.word()), Some(*right));
        }
        assert_eq!(handled(1).iter().count(), 13);
        assert_eq!(handled(7).iter().count(), Right::ALL.len());
        assert!(!handled(2).has(Right::Truncate) && handled(2).has(Right::Refer));
    }

    #[test]
    fn what_takes_rights_is_let_through_by_them() {
        for op in FileOp::ALL.iter().filter(|op| mediates(**op) && **op != FileOp::Link) {
            assert!(let_through(of_op(*op)).has(*op), "{op:?}");
        }
    }
}
