//! A profile as data: what the template prints and the reader reads. It knows no rule of the policy language but by number.

use super::features::Abi;
use super::glob::{AaGlob, NameGlob};
use super::token::{Comment, ProfileName, RawText, RuleName};
use canc_dsl::policy::RuleId;
use canc_sets::bit_set;

bit_set! {
    /// A permission on a path. Execution is apart, because it says where to.
    FilePerms(u16) of FilePerm {
        /// Read a file; list a directory.
        Read,
        /// Write, create, delete, chmod and chown, all at once.
        Write,
        /// Open for appending only. Never beside `Write`, which has it.
        Append,
        /// Lock.
        Lock,
        /// Map with exec.
        Map,
        /// Any execution; in denies alone.
        Exec,
    }
}

bit_set! {
    /// An operation on sockets (`AA_MAY_…` of the kernel's `security/apparmor/include/net.h`).
    NetPerms(u16) of NetPerm {
        /// Make one.
        Create,
        /// Bind it to an address.
        Bind,
        /// Listen.
        Listen,
        /// Accept.
        Accept,
        /// Connect.
        Connect,
        /// Shut it down.
        Shutdown,
        /// Ask for its addresses.
        Getattr,
        /// Change its addresses.
        Setattr,
        /// Read an option.
        Getopt,
        /// Set an option.
        Setopt,
        /// Send.
        Send,
        /// Receive.
        Receive,
    }
}

bit_set! {
    /// A side of a signal.
    SignalPerms(u16) of SignalPerm {
        /// The domain sends it.
        Send,
        /// The domain gets it.
        Receive,
    }
}

bit_set! {
    /// A side of a trace.
    PtracePerms(u16) of PtracePerm {
        /// Read another process.
        Read,
        /// Trace another process.
        Trace,
        /// Be read.
        Readby,
        /// Be traced.
        Tracedby,
    }
}

bit_set! {
    /// What is done to a message queue.
    MqueuePerms(u16) of MqueuePerm {
        /// Make it.
        Create,
        /// Open it.
        Open,
        /// Receive from it.
        Read,
        /// Send to it.
        Write,
        /// Remove it.
        Delete,
        /// Ask for its attributes.
        Getattr,
        /// Change its attributes.
        Setattr,
    }
}

/// A socket family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the families' own names")]
pub enum Family {
    Inet,
    Inet6,
    Unix,
    Netlink,
    Packet,
    Vsock,
    Alg,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Inet, Self::Inet6, Self::Unix, Self::Netlink, Self::Packet, Self::Vsock, Self::Alg];
}

/// A socket type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the types' own names")]
pub enum SocketType {
    Stream,
    Dgram,
    Seqpacket,
    Raw,
}

impl SocketType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Stream, Self::Dgram, Self::Seqpacket, Self::Raw];
}

/// How a rule takes part: permissions, or refusals that beat them, each logged or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Mode {
    /// Log what matches.
    pub audit: bool,
    /// Refuse it.
    pub deny: bool,
}

impl Mode {
    /// A permission.
    pub const ALLOW: Self = Self { audit: false, deny: false };
    /// A refusal. A refusal that is not logged would hide every trace of itself.
    pub const DENY: Self = Self { audit: true, deny: true };
}

/// Who is at the other end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Peer {
    /// Processes in this profile alone.
    Profile(ProfileName),
    /// Processes in this profile, stacked with others or alone.
    Member(ProfileName),
    /// Processes without a profile.
    Unconfined,
}

/// Where an executed program goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Exec {
    /// It stays in the profile.
    Inherit,
    /// Into another profile and this one at once, which is all that `no_new_privs` lets through.
    Stack {
        /// This profile.
        own: ProfileName,
        /// The other one.
        other: ProfileName,
    },
    /// Into another profile, with a scrubbed environment.
    Profile(ProfileName),
    /// Out of confinement, with a scrubbed environment.
    Unconfined,
}

/// Permissions on paths.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileRule {
    /// Permission or refusal.
    pub mode: Mode,
    /// Only on files of the process's own user.
    pub owner: bool,
    /// The paths.
    pub path: AaGlob,
    /// What may be done.
    pub perms: FilePerms,
    /// Whether programs there may be executed, and where they go.
    pub exec: Option<Exec>,
}

/// Making hard links. The new name never gives more access than the old one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkRule {
    /// Permission or refusal.
    pub mode: Mode,
    /// Only of files of the process's own user.
    pub owner: bool,
    /// The new name.
    pub name: AaGlob,
    /// What it is a link to.
    pub target: AaGlob,
}

/// Capabilities.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CapabilityRule {
    /// Permission or refusal.
    pub mode: Mode,
    /// Their numbers in `linux/capability.h`, ascending.
    pub numbers: Vec<u8>,
}

/// Sockets by family and type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NetworkRule {
    /// Permission or refusal.
    pub mode: Mode,
    /// The operations; `None` where the ABI has no word for them, and so for all.
    pub perms: Option<NetPerms>,
    /// The family.
    pub family: Family,
    /// The type.
    pub kind: SocketType,
}

/// Unix sockets by address and peer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnixRule {
    /// Permission or refusal.
    pub mode: Mode,
    /// The operations.
    pub perms: NetPerms,
    /// The type.
    pub kind: SocketType,
    /// The own abstract address, without `@`.
    pub own: Option<NameGlob>,
    /// The profile at the other end.
    pub label: Option<Peer>,
    /// The abstract address at the other end, without `@`.
    pub peer: Option<NameGlob>,
}

/// Signals.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SignalRule {
    /// Permission or refusal.
    pub mode: Mode,
    /// Which way.
    pub perms: SignalPerms,
    /// Bit N is signal N; bit 0 asks whether the process is there. `None` for all.
    pub signals: Option<u128>,
    /// The other process; `None` for any.
    pub peer: Option<Peer>,
}

/// Tracing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PtraceRule {
    /// Permission or refusal.
    pub mode: Mode,
    /// The kinds of access.
    pub perms: PtracePerms,
    /// The other process; `None` for any.
    pub peer: Option<Peer>,
}

/// A mount flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the words of mount(8), which the kernel's MS_ flags are")]
pub enum MountOption {
    Ro,
    Rw,
    Nosuid,
    Nodev,
    Noexec,
    Sync,
    Dirsync,
    Noatime,
    Nodiratime,
    Relatime,
    Strictatime,
    Silent,
    Mand,
    Bind,
    Rbind,
    Move,
    Shared,
    Slave,
    Private,
    Unbindable,
    Rshared,
    Rslave,
    Rprivate,
    Runbindable,
}

impl MountOption {
    /// All of them.
    pub const ALL: [Self; 24] = [
        Self::Ro,
        Self::Rw,
        Self::Nosuid,
        Self::Nodev,
        Self::Noexec,
        Self::Sync,
        Self::Dirsync,
        Self::Noatime,
        Self::Nodiratime,
        Self::Relatime,
        Self::Strictatime,
        Self::Silent,
        Self::Mand,
        Self::Bind,
        Self::Rbind,
        Self::Move,
        Self::Shared,
        Self::Slave,
        Self::Private,
        Self::Unbindable,
        Self::Rshared,
        Self::Rslave,
        Self::Rprivate,
        Self::Runbindable,
    ];
}

/// What a mount takes its contents from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MountSource {
    /// A path.
    Path(AaGlob),
    /// Another name, such as `tmpfs`.
    Name(NameGlob),
}

/// A mount, a bind, a move, a remount or a change of propagation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MountRule {
    /// Permission or refusal.
    pub mode: Mode,
    /// Of something that is mounted already.
    pub remount: bool,
    /// The file-system types; empty for any.
    pub types: Vec<NameGlob>,
    /// The flags that must be given and no others; empty for any.
    pub options: Vec<MountOption>,
    /// The source; `None` for any.
    pub source: Option<MountSource>,
    /// The mount point.
    pub target: AaGlob,
}

/// One rule of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the types of their contents say what they are")]
pub enum Rule {
    File(FileRule),
    Link(LinkRule),
    Capability(CapabilityRule),
    Network(NetworkRule),
    Unix(UnixRule),
    /// Making user namespaces.
    Userns(Mode),
    Signal(SignalRule),
    Ptrace(PtraceRule),
    Mount(MountRule),
    /// Unmounting.
    Umount {
        mode: Mode,
        target: AaGlob,
    },
    /// Changing the root.
    PivotRoot {
        mode: Mode,
        /// Where the old root goes.
        old: AaGlob,
        /// The new root.
        new: AaGlob,
    },
    /// POSIX message queues.
    Mqueue {
        mode: Mode,
        perms: MqueuePerms,
        name: NameGlob,
    },
}

/// Why rules are in the profile.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// Every profile has them, for this reason.
    Base(Comment),
    /// A rule of the policy.
    Rule {
        /// Its number.
        id: RuleId,
        /// The name that its author gave it.
        name: Option<RuleName>,
        /// Why the author wrote it.
        because: Option<Comment>,
    },
}

/// Rules with the same origins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Where they come from; never empty.
    pub origins: Vec<Origin>,
    /// The rules; never empty.
    pub rules: Vec<Rule>,
}

/// A whole profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: ProfileName,
    /// The version of the language.
    pub abi: Abi,
    /// Programs that enter it whoever starts them.
    pub attachment: Option<AaGlob>,
    /// Only log.
    pub complain: bool,
    /// The rules.
    pub blocks: Vec<Block>,
    /// Verbatim text.
    pub raw: Vec<RawText>,
}

impl Profile {
    /// Each rule and its origins, in order.
    pub fn rules(&self) -> impl Iterator<Item = (&[Origin], &Rule)> {
        self.blocks.iter().flat_map(|b| b.rules.iter().map(move |r| (b.origins.as_slice(), r)))
    }
}
