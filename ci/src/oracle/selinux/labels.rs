//! Paths to the labels that the store's file contexts give them, many in one process.
//!
//! It must not know which labels are wanted.

use super::Store;
use crate::Error;

/// What kind of file a path is looked up as; file contexts may tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// An ordinary file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A socket.
    Socket,
    /// A FIFO.
    Fifo,
    /// A character device.
    Character,
    /// A block device.
    Block,
}

impl FileKind {
    /// `matchpathcon(8)`'s word, of which it looks at the first letter alone: `f` is an ordinary file.
    fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "dir",
            Self::Link => "lnk_file",
            Self::Socket => "sock_file",
            Self::Fifo => "pipe",
            Self::Character => "chr_file",
            Self::Block => "blk_file",
        }
    }
}

/// The kernel's limit of one command line is 2 MiB.
const PATHS_AT_ONCE: usize = 400;
const NONE: &str = "<<none>>";

impl Store {
    /// The context of each path, in order; `None` where the base says that it is to be left alone or says nothing.
    pub fn labels(&self, kind: FileKind, paths: &[String]) -> Result<Vec<Option<String>>, Error> {
        let mut labels = Vec::with_capacity(paths.len());
        for some in paths.chunks(PATHS_AT_ONCE) {
            labels.extend(self.look_up(kind, some)?);
        }
        Ok(labels)
    }

    fn look_up(&self, kind: FileKind, paths: &[String]) -> Result<Vec<Option<String>>, Error> {
        let run = self.layer().run("matchpathcon").args(["-n", "-m", kind.word(), "--"]).args(paths);
        let text = run.ok()?.text();
        let labels: Vec<_> = text.lines().map(|line| (line != NONE).then(|| line.to_owned())).collect();
        match labels.len() == paths.len() {
            true => Ok(labels),
            false => Err(Error::Odd(format!("{} labels for {} paths", labels.len(), paths.len()))),
        }
    }
}
