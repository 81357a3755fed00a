//! The order in which file-context lines beat one another.
//!
//! libsepol's `cil_post_filecon_compare` sorts them: a line without metacharacter last, then by the length of the stem, by the
//! length of the whole pattern, by file type; libselinux tries them from the last to the first, plain paths before patterns.

/// A file type that a line of file contexts is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// Whatever is there.
    Any,
    /// `--`
    Regular,
    /// `-d`
    Directory,
    /// `-c`
    Character,
    /// `-b`
    Block,
    /// `-s`
    Socket,
    /// `-p`
    Pipe,
    /// `-l`
    Link,
}

impl Kind {
    /// All kinds, in the order of the policy's sort.
    pub const ALL: [Self; 8] = [
        Self::Any,
        Self::Regular,
        Self::Directory,
        Self::Character,
        Self::Block,
        Self::Socket,
        Self::Pipe,
        Self::Link,
    ];

    /// The field of a line, `*` where the line names no file type.
    pub fn field(self) -> &'static str {
        match self {
            Self::Any => "*",
            Self::Regular => "--",
            Self::Directory => "-d",
            Self::Character => "-c",
            Self::Block => "-b",
            Self::Socket => "-s",
            Self::Pipe => "-p",
            Self::Link => "-l",
        }
    }

    /// The kind whose field this is.
    pub fn from_field(field: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.field() == field)
    }

    /// Whether a line of this kind is about files of kind `asked`.
    pub fn covers(self, asked: Self) -> bool {
        self == Self::Any || self == asked
    }
}

/// A line's place in the order: a greater rank beats a lesser one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// Whether it is a plain path.
    pub plain: bool,
    /// Characters before the first metacharacter, an escaped one counting once.
    pub stem: u32,
    /// All characters, an escaped one counting once.
    pub length: u32,
    /// The file type, none being least.
    pub kind: Kind,
}

impl Rank {
    /// The rank of a line.
    pub fn new(pattern: &str, kind: Kind) -> Self {
        let (mut plain, mut stem, mut length) = (true, 0, 0);
        let mut bytes = pattern.bytes();
        while let Some(byte) = bytes.next() {
            match byte {
                b'.' | b'^' | b'$' | b'?' | b'*' | b'+' | b'|' | b'[' | b'(' | b'{' => plain = false,
                b'\\' => {
                    bytes.next();
                    stem += u32::from(plain);
                }
                _ => stem += u32::from(plain),
            }
            length += 1;
        }
        Self { plain, stem, length, kind }
    }
}
