//! Boxes of requests and their algebra.

use super::from_body::Peers;
use crate::policy::{Class, Facility, FileOp, MountFlag, NetOp, Protocol, SocketKind};
use canc_sets::interval::Intervals;
use canc_sets::path::{Atom, Lang, Piece, TooLarge, Universe};

/// One kind of request. Each kind has a fixed list of selectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Selected by: whether the caller owns the file, path.
    File(FileOp),
    /// Selected by: address, port.
    Net(NetOp, Protocol),
    /// Selected by: type, peer, path.
    UnixPath {
        /// Listening, or else connecting.
        listen: bool,
    },
    /// Selected by: type, peer, name.
    UnixAbstract {
        /// Listening, or else connecting.
        listen: bool,
    },
    /// No selector.
    Socket(SocketKind),
    /// Selected by: capability number, whether inside an own user namespace.
    Capability,
    /// Sending a signal. Selected by: signal number, peer. (Receiving is no request.)
    Signal,
    /// Selected by: mode, peer.
    Ptrace,
    /// No selector.
    UsernsCreate,
    /// Selected by: namespace kind.
    Namespace,
    /// Selected by: use.
    IoUring,
    /// Selected by: operation, name.
    Mqueue,
    /// No selector.
    Facility(Facility),
    /// Selected by: type, source, target, flags given.
    MountNew,
    /// Selected by: source, target.
    MountBind {
        /// `rbind`
        recursive: bool,
    },
    /// Selected by: source, target.
    MountMove,
    /// Selected by: flags given, target.
    MountRemount {
        /// Of one mount point.
        bind: bool,
    },
    /// Selected by: propagation, target.
    MountMake,
    /// Selected by: target.
    Unmount,
    /// Selected by: where the old root goes, the new root.
    PivotRoot,
}

impl Kind {
    /// The class that reports count it in. System V shared memory, key rings and performance events are system calls.
    #[must_use]
    pub fn class(self) -> Class {
        match self {
            Self::File(FileOp::Run) => Class::Execution,
            Self::File(FileOp::Lock | FileOp::Setattr | FileOp::Setid | FileOp::Map | FileOp::Mknod) => {
                Class::FileAttributes
            }
            Self::File(_) => Class::Files,
            Self::Net(NetOp::Connect, Protocol::Tcp) => Class::TcpConnect,
            Self::Net(_, Protocol::Tcp) => Class::TcpBind,
            Self::Net(_, Protocol::Udp) => Class::Udp,
            Self::Net(_, Protocol::Sctp) | Self::Socket(_) => Class::Sockets,
            Self::UnixPath { .. } | Self::UnixAbstract { .. } => Class::UnixSockets,
            Self::Capability => Class::Capabilities,
            Self::Signal => Class::Signals,
            Self::Ptrace => Class::Ptrace,
            Self::UsernsCreate => Class::Userns,
            Self::Namespace => Class::Namespaces,
            Self::IoUring => Class::IoUring,
            Self::Mqueue => Class::Mqueue,
            Self::Facility(_) => Class::Syscalls,
            Self::MountNew
            | Self::MountBind { .. }
            | Self::MountMove
            | Self::MountRemount { .. }
            | Self::MountMake
            | Self::Unmount
            | Self::PivotRoot => Class::Mounts,
        }
    }
}

/// The set that one selector ranges over.
#[derive(Debug, Clone)]
pub enum Dim {
    /// Members of a small enumeration.
    Bits(u128),
    /// Ports.
    Ports(Intervals<u16>),
    /// Addresses; an IPv4 address is its IPv4-mapped IPv6 address.
    Addresses(Intervals<u128>),
    /// Canonical paths.
    Paths(Lang),
    /// Names of sockets, queues, file-system types.
    Names(Lang),
}

/// A member of a [`Dim`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Member {
    Bit(u32),
    Port(u16),
    Address(u128),
    Text(String),
}

impl Dim {
    fn intersect(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Bits(a), Self::Bits(b)) => Self::Bits(a & b),
            (Self::Ports(a), Self::Ports(b)) => Self::Ports(a.intersect(b)),
            (Self::Addresses(a), Self::Addresses(b)) => Self::Addresses(a.intersect(b)),
            (Self::Paths(a), Self::Paths(b)) => Self::Paths(a.clone().and(b.clone())),
            (Self::Names(a), Self::Names(b)) => Self::Names(a.clone().and(b.clone())),
            // Selectors of one kind stand in one order, so this is two kinds, which share nothing.
            _ => Self::Bits(0),
        }
    }

    fn minus(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Bits(a), Self::Bits(b)) => Self::Bits(a & !b),
            (Self::Ports(a), Self::Ports(b)) => Self::Ports(a.minus(b)),
            (Self::Addresses(a), Self::Addresses(b)) => Self::Addresses(a.minus(b)),
            (Self::Paths(a), Self::Paths(b)) => Self::Paths(a.clone().minus(b.clone())),
            (Self::Names(a), Self::Names(b)) => Self::Names(a.clone().minus(b.clone())),
            _ => self.clone(),
        }
    }

    /// Whether emptiness is known without an automaton.
    fn plainly_empty(&self) -> bool {
        match self {
            Self::Bits(bits) => *bits == 0,
            Self::Ports(set) => set.is_empty(),
            Self::Addresses(set) => set.is_empty(),
            Self::Paths(lang) | Self::Names(lang) => matches!(lang, Lang::Empty),
        }
    }

    fn witness(&self) -> Result<Option<Member>, TooLarge> {
        Ok(match self {
            Self::Bits(bits) => (*bits != 0).then(|| Member::Bit(bits.trailing_zeros())),
            Self::Ports(set) => set.first().map(Member::Port),
            Self::Addresses(set) => set.first().map(Member::Address),
            Self::Paths(lang) => lang.witness(Universe::Paths)?.map(Member::Text),
            Self::Names(lang) => lang.witness(Universe::Names)?.map(Member::Text),
        })
    }
}

/// One box: all requests of a kind whose every selector is in its set.
#[derive(Debug, Clone)]
pub struct Region {
    /// The kind.
    pub kind: Kind,
    /// One set per selector, in the kind's order.
    pub dims: Vec<Dim>,
}

impl Region {
    /// What both have; `None` when that is plainly nothing.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        if self.kind != other.kind {
            return None;
        }
        let dims: Vec<Dim> = self.dims.iter().zip(&other.dims).map(|(a, b)| a.intersect(b)).collect();
        (!dims.iter().any(Dim::plainly_empty)).then_some(Self { kind: self.kind, dims })
    }

    /// What `self` has and `other` has not, as disjoint boxes: the first differs in the first selector, the second agrees in it
    /// and differs in the second, and so on.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Vec<Self> {
        if self.kind != other.kind || self.intersect(other).is_none() {
            return vec![self.clone()];
        }
        let mut out = Vec::new();
        let mut agreed = self.dims.clone();
        for (i, (a, b)) in self.dims.iter().zip(&other.dims).enumerate() {
            let mut dims = agreed.clone();
            if let (Some(differs), Some(agrees)) = (dims.get_mut(i), agreed.get_mut(i)) {
                *differs = a.minus(b);
                *agrees = a.intersect(b);
                if !differs.plainly_empty() {
                    out.push(Self { kind: self.kind, dims });
                }
            }
        }
        out
    }

    /// The whole box as a rule would say it; `None` where it has paths or names, which are no short list.
    #[must_use]
    pub fn words(&self, peers: &Peers) -> Option<String> {
        super::show::region(self, peers)
    }

    pub(super) fn members(&self) -> Result<Option<Vec<Member>>, TooLarge> {
        if self.dims.iter().any(Dim::plainly_empty) {
            return Ok(None);
        }
        let mut out = Vec::with_capacity(self.dims.len());
        for (at, dim) in self.dims.iter().enumerate() {
            let member = match dim {
                Dim::Names(lang) => name_of(self.kind, at, lang)?,
                dim => dim.witness()?,
            };
            match member {
                Some(member) => out.push(member),
                None => return Ok(None),
            }
        }
        Ok(Some(out))
    }
}

/// A name, where there is one that a rule can say: options of mounts are words, queues start with a `/`, and none else is empty.
fn name_of(kind: Kind, at: usize, lang: &Lang) -> Result<Option<Member>, TooLarge> {
    let found = lang.witness(Universe::Names)?;
    let name = |text: &str| -> Result<Lang, TooLarge> { super::from_body::literals(std::iter::once(text)) };
    let sayable = match (kind, at, found.as_deref()) {
        (_, _, None) => return Ok(None),
        (Kind::MountNew, 3, _) | (Kind::MountRemount { .. }, 0, _) => {
            let few = std::iter::once("").chain(MountFlag::ALL.iter().map(|flag| flag.word()));
            lang.clone().and(super::from_body::literals(few)?)
        }
        (Kind::Mqueue, _, _) => {
            lang.clone().and(Lang::Atom(Atom::name(&[Piece::Lit("/".into()), Piece::Any, Piece::Star])?))
        }
        (_, _, Some("")) => lang.clone().minus(name("")?),
        _ => return Ok(found.map(Member::Text)),
    };
    Ok(sayable.witness(Universe::Names)?.or(found).map(Member::Text))
}

/// A union of boxes.
#[derive(Debug, Clone, Default)]
pub struct RequestSet {
    /// The boxes; they may overlap.
    pub regions: Vec<Region>,
}

impl RequestSet {
    /// The union of these boxes.
    #[must_use]
    pub fn new(regions: Vec<Region>) -> Self {
        Self { regions }
    }

    /// What either has.
    #[must_use]
    pub fn union(mut self, other: Self) -> Self {
        self.regions.extend(other.regions);
        self
    }

    /// What both have.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let pairs = self.regions.iter().flat_map(|a| other.regions.iter().filter_map(|b| a.intersect(b)));
        Self { regions: pairs.collect() }
    }

    /// What `self` has and `other` has not.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let mut regions = self.regions.clone();
        for taken in &other.regions {
            regions = regions.iter().flat_map(|r| r.minus(taken)).collect();
        }
        Self { regions }
    }

    /// Whether no automaton is needed to tell that the set is empty. One that is not plainly empty may still be.
    #[must_use]
    pub fn is_plainly_empty(&self) -> bool {
        let nothing = |dim: &Dim| match dim {
            Dim::Paths(lang) | Dim::Names(lang) => lang.is_plainly_empty(),
            other => other.plainly_empty(),
        };
        self.regions.iter().all(|r| r.dims.iter().any(nothing))
    }

    /// A request of the set, spelled as in a test of the policy that sees these peers; `None` when the set is empty.
    ///
    /// # Errors
    /// When a pattern's automaton is too large.
    pub fn witness(&self, peers: &Peers) -> Result<Option<String>, TooLarge> {
        for region in &self.regions {
            if let Some(members) = region.members()? {
                return Ok(Some(super::show::request(region.kind, &members, peers)));
            }
        }
        Ok(None)
    }

    /// Whether the set is empty.
    ///
    /// # Errors
    /// When a pattern's automaton is too large.
    pub fn is_empty(&self) -> Result<bool, TooLarge> {
        for region in &self.regions {
            if region.members()?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
