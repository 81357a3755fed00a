//! Rule bodies to boxes of requests.

use super::boxes::{Dim, Kind, Region, RequestSet};
use crate::policy::{
    Body, Class, FileOp, FileRule, IpBlock, MountFlags, MountRule, MountSource, MqueueRule, NamePattern,
    NetOp, NetRule, PathRef, Peer, PolicySet, Propagation, Protocol, PtraceRule, Request, SignalRule,
    UnixAddress, UnixRule, Who,
};
use canc_sets::interval::Intervals;
use canc_sets::path::{Atom, Lang, Pattern, Piece, TooLarge, Universe};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// The processes that rules tell apart, as bits: own domain, user session, service manager, anybody else, then each policy.
#[derive(Debug, Clone)]
pub struct Peers {
    own: Arc<str>,
    policies: Vec<Arc<str>>,
}

/// The bit of the own domain.
const SELF: u32 = 0;
/// The bit of user sessions.
const USER: u32 = 1;
/// The bit of the service manager.
const SYSTEMD: u32 = 2;
/// Between those and the policies is the bit of everybody that no other bit stands for.
const FIRST_POLICY: u32 = 4;

impl Peers {
    /// Those seen from the policy `own` in a build of these policies.
    #[must_use]
    pub fn new(set: &PolicySet, own: &Arc<str>) -> Self {
        Self { own: Arc::clone(own), policies: set.policies().iter().map(|p| Arc::clone(&p.name)).collect() }
    }

    /// Those seen from `own` where policies of several builds are told apart in one way: a policy's bit is its place in the list,
    /// whatever its name is in each build.
    #[must_use]
    pub fn in_places(own: &Arc<str>, policies: Vec<Arc<str>>) -> Self {
        Self { own: Arc::clone(own), policies }
    }

    /// Requests of this policy in the bits of `other`, which starts it: what is reached stays within the starter, so that both
    /// domains are "self" there.
    #[must_use]
    pub fn as_reached_from(&self, other: &Self, requests: RequestSet) -> RequestSet {
        let there = self.bit_of(&other.own);
        let translate = |bits: u128| if bits & there != 0 { (bits & !there) | 1 << SELF } else { bits };
        let mut regions = requests.regions;
        for region in &mut regions {
            let peer = match region.kind {
                Kind::UnixPath { .. } | Kind::UnixAbstract { .. } | Kind::Signal | Kind::Ptrace => {
                    region.dims.get_mut(1)
                }
                _ => None,
            };
            if let Some(Dim::Bits(bits)) = peer {
                *bits = translate(*bits);
            }
        }
        RequestSet::new(regions)
    }

    /// How a rule would name the peer of a bit.
    pub(super) fn word(&self, bit: u32) -> String {
        let policy = bit.checked_sub(FIRST_POLICY).and_then(|i| self.policies.get(i as usize));
        match (bit, policy) {
            (_, Some(name)) => format!("policy {name}"),
            (SELF, _) => "self".into(),
            (USER, _) => "user".into(),
            (SYSTEMD, _) => "systemd".into(),
            _ => "any".into(),
        }
    }

    fn bit_of(&self, name: &str) -> u128 {
        match self.policies.iter().position(|p| &**p == name) {
            Some(i) => 1 << (FIRST_POLICY + u32::try_from(i).unwrap_or(0)),
            None => 0,
        }
    }

    /// Every process. The own policy's bit among the policies is never used.
    #[must_use]
    pub fn all(&self) -> u128 {
        let count = FIRST_POLICY + u32::try_from(self.policies.len()).unwrap_or(0);
        (u128::MAX >> (128 - count.min(128))) & !self.bit_of(&self.own)
    }

    /// The bits that a peer stands for; none for a policy that is not in the build.
    #[must_use]
    pub fn bits(&self, peer: &Peer) -> u128 {
        match peer {
            Peer::SelfDomain => 1 << SELF,
            Peer::User => 1 << USER,
            Peer::Systemd => 1 << SYSTEMD,
            Peer::Any => self.all(),
            Peer::Policy(name) if *name == self.own => 1 << SELF,
            Peer::Policy(name) => self.bit_of(name),
        }
    }
}

/// The bit of a caller who owns the file.
const OWNER: u128 = 1;
/// The bit of any other caller.
const NOT_OWNER: u128 = 2;

/// The boxes that a body stands for. Receiving signals is no request, and system calls have sets of their own: both give none.
///
/// # Errors
/// When a pattern's automaton is too large.
pub fn body_regions(body: &Body, peers: &Peers) -> Result<Vec<Region>, TooLarge> {
    let region = |kind, dims| Region { kind, dims };
    Ok(match body {
        Body::File(rule) => file(rule)?,
        Body::Net(rule) => net(rule),
        Body::Unix(rule) => vec![unix(rule, peers)?],
        Body::Socket(rule) => {
            rule.kinds.iter().map(|k| region(Kind::Socket(*k), vec![Dim::Bits(1)])).collect()
        }
        Body::Capability(rule) => {
            let inside = if rule.in_userns { 2 } else { 1 };
            vec![region(Kind::Capability, vec![Dim::Bits(u128::from(rule.bits)), Dim::Bits(inside)])]
        }
        Body::Syscall(_) => Vec::new(),
        Body::UsernsCreate => vec![region(Kind::UsernsCreate, vec![Dim::Bits(1)])],
        Body::Namespace(kinds) => {
            vec![region(
                Kind::Namespace,
                vec![Dim::Bits(kinds.iter().fold(0, |bits, k| bits | 1 << (k as u32)))],
            )]
        }
        Body::Signal(rule) => signal(rule, peers),
        Body::Ptrace(rule) => vec![ptrace(rule, peers)],
        Body::Mount(rule) => mount(rule)?,
        Body::IoUring(uses) => {
            vec![region(
                Kind::IoUring,
                vec![Dim::Bits(uses.iter().fold(0, |bits, u| bits | 1 << (u as u32)))],
            )]
        }
        Body::Mqueue(rule) => vec![mqueue(rule)?],
        Body::Facility(facility) => vec![region(Kind::Facility(*facility), vec![Dim::Bits(1)])],
    })
}

/// The boxes of an allow: those of its body and of what it implies. A deny implies nothing: `deny write` leaves `append` alone.
///
/// # Errors
/// When a pattern's automaton is too large.
pub fn allow_regions(body: &Body, peers: &Peers) -> Result<Vec<Region>, TooLarge> {
    match body {
        Body::File(rule) if rule.ops.has(FileOp::Write) => {
            body_regions(&Body::File(FileRule { ops: rule.ops.with(FileOp::Append), ..rule.clone() }), peers)
        }
        Body::Net(rule) => {
            let mut ops = rule.ops;
            if ops.has(NetOp::Listen) {
                ops = ops.with(NetOp::Bind);
            }
            if rule.protocol == Protocol::Udp && ops.has(NetOp::Connect) {
                ops = ops.with(NetOp::Send).with(NetOp::Receive);
            }
            Ok(net(&NetRule { ops, ..rule.clone() }))
        }
        body => body_regions(body, peers),
    }
}

/// The boxes of a request in a test: the body's, asked by whom the test says.
///
/// # Errors
/// When a pattern's automaton is too large.
pub fn request_regions(request: &Request, peers: &Peers) -> Result<Vec<Region>, TooLarge> {
    let mut regions = body_regions(&request.body, peers)?;
    let asked_by = match request.who {
        Who::Owner => OWNER,
        Who::Root | Who::Other => NOT_OWNER,
    };
    for region in &mut regions {
        if let (Kind::File(_), Some(who)) = (region.kind, region.dims.first_mut()) {
            *who = Dim::Bits(asked_by);
        }
    }
    Ok(regions)
}

/// The classes that the requests of a body are counted in; none for what is no request.
#[must_use]
pub fn body_classes(body: &Body) -> BTreeSet<Class> {
    let kinds: Vec<Kind> = match body {
        Body::File(rule) => rule.ops.iter().map(Kind::File).collect(),
        Body::Net(rule) => rule.ops.iter().map(|op| Kind::Net(op, rule.protocol)).collect(),
        Body::Unix(rule) => vec![Kind::UnixPath { listen: rule.listen }],
        Body::Socket(rule) => rule.kinds.iter().map(|k| Kind::Socket(*k)).collect(),
        Body::Capability(_) => vec![Kind::Capability],
        Body::Syscall(_) => Vec::new(),
        Body::UsernsCreate => vec![Kind::UsernsCreate],
        Body::Namespace(_) => vec![Kind::Namespace],
        Body::Signal(_) => vec![Kind::Signal],
        Body::Ptrace(_) => vec![Kind::Ptrace],
        Body::Mount(_) => vec![Kind::MountNew],
        Body::IoUring(_) => vec![Kind::IoUring],
        Body::Mqueue(_) => vec![Kind::Mqueue],
        Body::Facility(facility) => vec![Kind::Facility(*facility)],
    };
    kinds.into_iter().map(Kind::class).collect()
}

/// What every policy allows: a domain may signal its own processes.
#[must_use]
pub(super) fn always_allowed(kind: Kind) -> Vec<Region> {
    match kind {
        Kind::Signal => vec![Region { kind, dims: vec![Dim::Bits(u128::MAX), Dim::Bits(1 << SELF)] }],
        _ => Vec::new(),
    }
}

/// The paths of a rule: what it lists without what it excepts.
pub(super) fn paths(paths: &[PathRef], except: &[PathRef]) -> Result<Lang, TooLarge> {
    let all = patterns(paths.iter().map(|p| &p.pattern))?;
    if except.is_empty() { Ok(all) } else { Ok(all.minus(patterns(except.iter().map(|p| &p.pattern))?)) }
}

fn patterns<'a>(list: impl Iterator<Item = &'a Pattern>) -> Result<Lang, TooLarge> {
    Lang::patterns(list)
}

/// Whether an operation is asked of directories, of everything else, or of both.
fn narrow_to_op(lang: Lang, op: FileOp) -> Lang {
    match op {
        FileOp::List => lang.and(Lang::directories()),
        FileOp::Read
        | FileOp::Write
        | FileOp::Append
        | FileOp::Link
        | FileOp::Map
        | FileOp::Run
        | FileOp::Mknod => lang.minus(Lang::directories()),
        FileOp::Create | FileOp::Delete | FileOp::Lock | FileOp::Setattr | FileOp::Setid => lang,
    }
}

/// The box of one operation on a language of paths.
#[must_use]
pub(super) fn file_region(op: FileOp, owner: bool, lang: Lang) -> Region {
    let who = if owner { OWNER } else { OWNER | NOT_OWNER };
    Region { kind: Kind::File(op), dims: vec![Dim::Bits(who), Dim::Paths(narrow_to_op(lang, op))] }
}

fn file(rule: &FileRule) -> Result<Vec<Region>, TooLarge> {
    let lang = paths(&rule.paths, &rule.except)?;
    Ok(rule.ops.iter().map(|op| file_region(op, rule.owner, lang.clone())).collect())
}

fn net(rule: &NetRule) -> Vec<Region> {
    let addresses = match &rule.addresses {
        None => Intervals::full(),
        Some(blocks) => blocks.iter().map(block).collect(),
    };
    let dims = vec![Dim::Addresses(addresses), Dim::Ports(rule.ports.clone())];
    rule.ops.iter().map(|op| Region { kind: Kind::Net(op, rule.protocol), dims: dims.clone() }).collect()
}

/// The addresses of a block as IPv6 numbers.
fn block(block: &IpBlock) -> (u128, u128) {
    let (first, width) = match block.address {
        IpAddr::V4(v4) => (u128::from(v4.to_ipv6_mapped()), 32u32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    };
    let host_bits = width.saturating_sub(u32::from(block.prefix));
    let mask = if host_bits >= 128 { u128::MAX } else { (1u128 << host_bits) - 1 };
    (first & !mask, first | mask)
}

fn unix(rule: &UnixRule, peers: &Peers) -> Result<Region, TooLarge> {
    let types = rule.types.iter().fold(0, |bits, t| bits | 1 << (t as u32));
    let peer = rule.peer.as_ref().map_or(peers.all(), |p| peers.bits(p));
    let (kind, name) = match &rule.address {
        UnixAddress::Paths(list) => {
            (Kind::UnixPath { listen: rule.listen }, Dim::Paths(paths(list, &rule.except)?))
        }
        UnixAddress::Abstract(list) => (Kind::UnixAbstract { listen: rule.listen }, Dim::Names(names(list)?)),
    };
    Ok(Region { kind, dims: vec![Dim::Bits(types), Dim::Bits(peer), name] })
}

fn names(list: &[NamePattern]) -> Result<Lang, TooLarge> {
    list.iter().map(|n| Ok(Lang::Atom(Atom::name(&n.pieces)?))).collect::<Result<Vec<_>, _>>().map(Lang::any)
}

fn signal(rule: &SignalRule, peers: &Peers) -> Vec<Region> {
    if !rule.send {
        return Vec::new();
    }
    let to = rule.peers.iter().fold(0, |bits, p| bits | peers.bits(p));
    vec![Region { kind: Kind::Signal, dims: vec![Dim::Bits(rule.signals), Dim::Bits(to)] }]
}

fn ptrace(rule: &PtraceRule, peers: &Peers) -> Region {
    let modes = rule.modes.iter().fold(0, |bits, m| bits | 1 << (m as u32));
    Region { kind: Kind::Ptrace, dims: vec![Dim::Bits(modes), Dim::Bits(peers.bits(&rule.peer))] }
}

fn mqueue(rule: &MqueueRule) -> Result<Region, TooLarge> {
    let ops = rule.ops.iter().fold(0, |bits, o| bits | 1 << (o as u32));
    Ok(Region { kind: Kind::Mqueue, dims: vec![Dim::Bits(ops), Dim::Names(names(&rule.names)?)] })
}

/// The flag sets that a mount rule permits, as a language: a set of flags is the string of their letters in order.
///
/// A rule that names flags permits exactly that set; one that names none permits every set.
/// The texts of options that a rule about mounts stands for: one that names none stands for all.
///
/// # Errors
/// When their automaton is too large.
pub fn mount_options(options: Option<MountFlags>) -> Result<Lang, TooLarge> {
    match options {
        None => Ok(Lang::All),
        Some(flags) => {
            let spelled: Vec<&str> = flags.iter().map(super::super::policy::MountFlag::word).collect();
            Ok(Lang::Atom(Atom::name(&[Piece::Lit(spelled.join(","))])?))
        }
    }
}

/// These names and no others.
///
/// # Errors
/// When their automaton is too large.
pub fn literals<'a>(words: impl Iterator<Item = &'a str>) -> Result<Lang, TooLarge> {
    let atoms = words.map(|w| Ok(Lang::Atom(Atom::name(&[Piece::Lit(w.into())])?)));
    atoms.collect::<Result<Vec<_>, TooLarge>>().map(Lang::any)
}

fn mount(rule: &MountRule) -> Result<Vec<Region>, TooLarge> {
    let at = |target: &[PathRef]| Ok::<_, TooLarge>(Dim::Paths(paths(target, &[])?));
    let (kind, dims) = match rule {
        MountRule::New { types, source, target, options } => {
            let source = match source {
                None => Lang::All,
                Some(MountSource::Name(name)) => literals(std::iter::once(&**name))?,
                // A source is a name to the kernel, whether or not a path is meant.
                Some(MountSource::Path(path)) => {
                    Lang::patterns([&path.pattern])?.and(Lang::universe(Universe::Paths)?)
                }
            };
            let types = Dim::Names(literals(types.iter().map(|t| &**t))?);
            (
                Kind::MountNew,
                vec![types, Dim::Names(source), at(target)?, Dim::Names(mount_options(*options)?)],
            )
        }
        MountRule::Bind { recursive, source, target } => {
            (Kind::MountBind { recursive: *recursive }, vec![at(source)?, at(target)?])
        }
        MountRule::Move { source, target } => (Kind::MountMove, vec![at(source)?, at(target)?]),
        MountRule::Remount { options, bind, target } => {
            (Kind::MountRemount { bind: *bind }, vec![Dim::Names(mount_options(*options)?), at(target)?])
        }
        MountRule::Make { propagation, target } => {
            (Kind::MountMake, vec![Dim::Bits(1 << propagation_bit(*propagation)), at(target)?])
        }
        MountRule::Unmount { target } => (Kind::Unmount, vec![at(target)?]),
        MountRule::PivotRoot { old, new } => (Kind::PivotRoot, vec![at(old)?, at(new)?]),
    };
    Ok(vec![Region { kind, dims }])
}

fn propagation_bit(propagation: Propagation) -> u32 {
    propagation as u32
}
