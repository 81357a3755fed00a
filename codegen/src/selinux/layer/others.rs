//! Permissions on sockets, processes, capabilities and mounts to boxes of requests.

use super::Reader;
use super::access::{Enough, On};
use super::files::Deed;
use crate::coverage::{Grant, Permitted, Source};
use crate::selinux::base::TypeNo;
use crate::selinux::lower::socket_class;
use canc_dsl::meaning::{Dim, Kind, Region};
use canc_dsl::policy::{Facility, IoUringUse, MqueueOp, NetOp, Peer, Protocol, PtraceMode, UnixType};
use canc_dsl::tables::capability_name;
use canc_sets::interval::Intervals;
use canc_sets::path::{Lang, TooLarge};
use std::collections::{BTreeMap, BTreeSet};

/// The ports from which the kernel takes those that nobody asks for, unless the host changes them; binding to them is never checked.
const EPHEMERAL: (u16, u16) = (32768, 60999);
/// Signals 1 to 64, and those with a permission of their own (`asm-generic/signal.h`).
const SIGNALS: u128 = ((1 << 64) - 1) << 1;
const OWN_PERMISSION: u128 = 1 << 9 | 1 << 17 | 1 << 19;

type Boxes = Vec<(Source, Vec<Dim>)>;

impl Reader {
    /// What is permitted of anything that is no operation on files.
    pub(super) fn other(&self, kind: Kind) -> Result<Permitted, TooLarge> {
        let boxes = match kind {
            Kind::File(_) | Kind::Namespace | Kind::PivotRoot => None,
            Kind::Net(op, protocol) => Some(self.net(op, protocol)),
            Kind::UnixPath { listen } => self.unix_path(listen)?,
            Kind::UnixAbstract { listen } => Some(self.unix_abstract(listen)),
            Kind::Socket(kind) => self.itself(socket_class(kind), &[&["create"]], vec![Dim::Bits(1)]),
            Kind::Capability => Some(self.capabilities()),
            Kind::Signal => Some(self.signals()),
            Kind::Ptrace => Some(self.ptrace()),
            Kind::UsernsCreate => self.itself("user_namespace", &[&["create"]], vec![Dim::Bits(1)]),
            Kind::IoUring => self.io_uring(),
            Kind::Mqueue => Some(self.queues()),
            Kind::Facility(facility) => self.facility(facility),
            Kind::MountNew
            | Kind::MountBind { .. }
            | Kind::MountMove
            | Kind::MountRemount { .. }
            | Kind::MountMake
            | Kind::Unmount => self.mount(kind)?,
        };
        let Some(boxes) = boxes else { return Ok(Permitted::Everything) };
        let grant = |(source, dims): (Source, Vec<Dim>)| Grant {
            source,
            region: Region { kind, dims },
            near: "/".into(),
            key: None,
        };
        Ok(Permitted::Only { grants: boxes.into_iter().map(grant).collect(), denies: Vec::new() })
    }

    fn sources(&self, on: On, class: &str, enough: &Enough<'_>) -> BTreeSet<Source> {
        self.accesses.sources(&self.base, on, class, enough)
    }

    fn has_class(&self, class: &str) -> bool {
        self.base.class_no(class).is_some()
    }

    /// A permission on the domain itself; `None` where the base has no such class, so that nothing asks for it.
    fn itself(&self, class: &str, enough: &Enough<'_>, dims: Vec<Dim>) -> Option<Boxes> {
        let sources = self.has_class(class).then(|| self.sources(On::Itself, class, enough))?;
        Some(sources.into_iter().map(|s| (s, dims.clone())).collect())
    }

    fn net(&self, op: NetOp, protocol: Protocol) -> Boxes {
        let class = match protocol {
            Protocol::Tcp => "tcp_socket",
            Protocol::Udp => "udp_socket",
            Protocol::Sctp => "sctp_socket",
        };
        let everywhere = |source, ports| (source, vec![Dim::Addresses(Intervals::full()), Dim::Ports(ports)]);
        let on_socket: &Enough<'_> = match op {
            NetOp::Connect => &[&["connect"]],
            NetOp::Bind => &[&["bind"]],
            NetOp::Listen => &[&["listen"]],
            NetOp::Send => &[&["write"]],
            NetOp::Receive => &[&["read"]],
        };
        let on_port: Option<&Enough<'_>> = match (op, protocol) {
            (NetOp::Bind | NetOp::Listen, _) => Some(&[&["name_bind"]]),
            (NetOp::Connect, Protocol::Tcp | Protocol::Sctp) => Some(&[&["name_connect"]]),
            _ => None,
        };
        let own = self.sources(On::Itself, class, on_socket);
        let (Some(on_port), false) = (on_port, own.is_empty()) else {
            return own.into_iter().map(|s| everywhere(s, Intervals::full())).collect();
        };
        let mut out = Boxes::new();
        if op != NetOp::Connect {
            let (low, high) = EPHEMERAL;
            let unchecked: Intervals<u16> = [(0, 0), (low, high)].into_iter().collect();
            out.push(everywhere(Source::Base, unchecked));
        }
        let mut by_source: BTreeMap<Source, Vec<(u16, u16)>> = BTreeMap::new();
        for (on, sources) in self.accesses.all(&self.base, class, on_port) {
            let ports = self.ports_of(protocol, on);
            sources.iter().for_each(|s| by_source.entry(*s).or_default().extend(ports.ranges()));
        }
        out.extend(by_source.into_iter().map(|(s, ranges)| everywhere(s, ranges.into_iter().collect())));
        out
    }

    /// The ports that carry a type, once all modules of the build are installed.
    fn ports_of(&self, protocol: Protocol, on: On) -> Intervals<u16> {
        let own = self.ports.iter().filter(|p| p.protocol == protocol);
        match on {
            On::AllPorts => Intervals::full(),
            // A narrower range beats a wider one, so what the modules take is no longer the base's; it is granted by its own type.
            On::Base(ty) => {
                let taken: Vec<(u16, u16)> = own.map(|p| (p.low, p.high)).collect();
                let narrower = |&(low, high, t): &(u16, u16, TypeNo)| {
                    t == ty && taken.iter().any(|(l, h)| h - l >= high - low)
                };
                let kept = self.base.port_ranges(protocol).filter(narrower).map(|(low, high, _)| (low, high));
                let kept: Intervals<u16> = kept.collect();
                let mine = self.base.ports_of(protocol, ty);
                mine.minus(&taken.into_iter().collect()).union(&kept.intersect(&mine))
            }
            On::Own(_) => {
                let name = self.accesses.name(&self.base, on);
                own.filter(|p| p.ty == name).map(|p| (p.low, p.high)).collect()
            }
            On::Itself | On::AllDomains => Intervals::empty(),
        }
    }

    /// The peers that something stands for, as bits.
    fn peer(&self, on: On) -> u128 {
        match on {
            On::Itself => self.peers.bits(&Peer::SelfDomain),
            On::AllDomains => self.peers.all(),
            On::AllPorts => 0,
            On::Own(_) => {
                let name = self.accesses.name(&self.base, on);
                let policy = self.others.iter().find(|(_, domain)| domain == name);
                policy.map_or(0, |(policy, _)| self.peers.bits(&Peer::Policy(policy.clone())))
            }
            On::Base(ty) => {
                let name = self.base.type_name(ty);
                match self.base.launchers().find(|l| l.domain == name) {
                    Some(launcher) if launcher.who == "user" => self.peers.bits(&Peer::User),
                    Some(_) => self.peers.bits(&Peer::Systemd),
                    None => self.somebody(),
                }
            }
        }
    }

    /// Whoever has no name in a policy.
    fn somebody(&self) -> u128 {
        let policies = self.others.iter().map(|(policy, _)| Peer::Policy(policy.clone()));
        let named = policies.chain([Peer::SelfDomain, Peer::User, Peer::Systemd]);
        named.fold(self.peers.all(), |bits, peer| bits & !self.peers.bits(&peer))
    }

    /// The peers on which something is permitted, by who brought it.
    fn peers_with(&self, class: &str, enough: &Enough<'_>) -> BTreeMap<Source, u128> {
        let mut out: BTreeMap<Source, u128> = BTreeMap::new();
        for (on, sources) in self.accesses.all(&self.base, class, enough) {
            sources.into_iter().for_each(|s| *out.entry(s).or_default() |= self.peer(on));
        }
        out
    }

    /// The types of sockets that the domain may connect, with the peers, by who brought the peers.
    fn unix_peers(&self) -> Vec<(Source, u128, u128)> {
        const STREAM: u128 = 1 << UnixType::Stream as u32 | 1 << UnixType::Seqpacket as u32;
        let mut out = Vec::new();
        for (class, perm, types) in [
            ("unix_stream_socket", &[&["connectto"] as &[&str]] as &Enough<'_>, STREAM),
            ("unix_dgram_socket", &[&["sendto"] as &[&str]], 1 << UnixType::Dgram as u32),
        ] {
            out.extend(self.peers_with(class, perm).into_iter().map(|(s, peers)| (s, types, peers)));
        }
        out
    }

    /// The types of sockets that the domain may bind, by who brought it.
    fn unix_binds(&self) -> BTreeMap<Source, u128> {
        let mut out: BTreeMap<Source, u128> = BTreeMap::new();
        for (class, types) in [
            ("unix_stream_socket", 1 << UnixType::Stream as u32 | 1 << UnixType::Seqpacket as u32),
            ("unix_dgram_socket", 1u128 << UnixType::Dgram as u32),
        ] {
            let sources = self.sources(On::Itself, class, &[&["bind"]]);
            sources.into_iter().for_each(|s| *out.entry(s).or_default() |= types);
        }
        out
    }

    fn unix_path(&self, listen: bool) -> Result<Option<Boxes>, TooLarge> {
        let deed = if listen { Deed::Listen } else { Deed::Connect };
        let Some(permits) = self.permits(deed, false)? else { return Ok(None) };
        let ends: Vec<(u128, u128)> = if listen {
            let types = self.unix_binds().values().fold(0, |bits, t| bits | t);
            vec![(types, self.peers.all())]
        } else {
            let stream = |types| self.unix_peers().iter().filter(|p| p.1 == types).fold(0, |b, p| b | p.2);
            let mut types: Vec<u128> = self.unix_peers().iter().map(|p| p.1).collect();
            types.dedup();
            types.into_iter().map(|t| (t, stream(t))).collect()
        };
        let mut out = Boxes::new();
        for permit in permits.iter() {
            for (types, peers) in &ends {
                let dims = vec![Dim::Bits(*types), Dim::Bits(*peers), Dim::Paths(permit.paths.clone())];
                out.push((permit.source, dims));
            }
        }
        Ok(Some(out))
    }

    fn unix_abstract(&self, listen: bool) -> Boxes {
        let dims = |types, peers| vec![Dim::Bits(types), Dim::Bits(peers), Dim::Names(Lang::All)];
        if listen {
            let binds = self.unix_binds().into_iter();
            return binds.map(|(s, types)| (s, dims(types, self.peers.all()))).collect();
        }
        self.unix_peers().into_iter().map(|(s, types, peers)| (s, dims(types, peers))).collect()
    }

    fn capabilities(&self) -> Boxes {
        let mut bits: BTreeMap<(Source, u128), u128> = BTreeMap::new();
        for number in 0..64 {
            let Some(name) = capability_name(number) else { continue };
            let classes =
                if number < 32 { ["capability", "cap_userns"] } else { ["capability2", "cap2_userns"] };
            for (class, inside) in classes.into_iter().zip([1, 2]) {
                for source in self.sources(On::Itself, class, &[&[name]]) {
                    *bits.entry((source, inside)).or_default() |= 1 << number;
                }
            }
        }
        bits.into_iter().map(|((s, inside), bits)| (s, vec![Dim::Bits(bits), Dim::Bits(inside)])).collect()
    }

    fn signals(&self) -> Boxes {
        let mut out = Boxes::new();
        for (perm, signals) in [
            (&[&["signal"] as &[&str]] as &Enough<'_>, SIGNALS & !OWN_PERMISSION),
            (&[&["sigkill"]], 1 << 9),
            (&[&["sigchld"]], 1 << 17),
            (&[&["sigstop"]], 1 << 19),
        ] {
            let peers = self.peers_with("process", perm).into_iter();
            out.extend(peers.map(|(s, peers)| (s, vec![Dim::Bits(signals), Dim::Bits(peers)])));
        }
        out
    }

    fn ptrace(&self) -> Boxes {
        let mut out = Boxes::new();
        // Reading asks for a read of the other's files in `/proc`, which carry the type of its domain.
        for (class, perm, mode) in [
            ("file", &[&["read"] as &[&str]] as &Enough<'_>, PtraceMode::Read),
            ("process", &[&["ptrace"]], PtraceMode::Read),
            ("process", &[&["ptrace"]], PtraceMode::Trace),
        ] {
            for (on, sources) in self.accesses.all(&self.base, class, perm) {
                if !self.is_domain(on) {
                    continue;
                }
                let dims = vec![Dim::Bits(1 << mode as u32), Dim::Bits(self.peer(on))];
                out.extend(sources.into_iter().map(|s| (s, dims.clone())));
            }
        }
        out
    }

    fn is_domain(&self, on: On) -> bool {
        match on {
            On::Itself | On::AllDomains => true,
            On::AllPorts => false,
            On::Own(_) => self.others.iter().any(|(_, d)| d == self.accesses.name(&self.base, on)),
            On::Base(ty) => self.base.has(ty, crate::selinux::base::Attribute::Domain),
        }
    }

    fn io_uring(&self) -> Option<Boxes> {
        let mut out =
            self.itself("anon_inode", &[&["create"]], vec![Dim::Bits(1 << IoUringUse::Rings as u32)])?;
        for (perm, one) in [
            (&[&["sqpoll"] as &[&str]] as &Enough<'_>, IoUringUse::Sqpoll),
            (&[&["override_creds"]], IoUringUse::OverrideCreds),
        ] {
            out.extend(self.itself("io_uring", perm, vec![Dim::Bits(1 << one as u32)])?);
        }
        // Commands are asked of whatever file they go to.
        for (_, sources) in self.accesses.all(&self.base, "io_uring", &[&["cmd"]]) {
            let dims = vec![Dim::Bits(1 << IoUringUse::Cmd as u32)];
            out.extend(sources.into_iter().map(|s| (s, dims.clone())));
        }
        Some(out)
    }

    /// Queues are files of the type of their file system.
    fn queues(&self) -> Boxes {
        let names = self.base.fs_use().filter(|r| r[1] == "mqueue").map(|r| r[2]);
        let types: Vec<On> = names.filter_map(|n| self.base.type_no(n)).map(On::Base).collect();
        let mut out = Boxes::new();
        for (op, enough) in [
            (MqueueOp::Create, &[&["create"] as &[&str]] as &Enough<'_>),
            (MqueueOp::Read, &[&["open", "read"]]),
            (MqueueOp::Write, &[&["open", "write"]]),
            (MqueueOp::Delete, &[&["unlink"]]),
        ] {
            let dims = vec![Dim::Bits(1 << op as u32), Dim::Names(Lang::All)];
            let sources = types.iter().flat_map(|on| self.sources(*on, "file", enough));
            out.extend(sources.map(|s| (s, dims.clone())));
        }
        out
    }

    fn facility(&self, facility: Facility) -> Option<Boxes> {
        let bit = || vec![Dim::Bits(1)];
        let (classes, enough): (&[&str], &Enough<'_>) = match facility {
            Facility::Shm => (&["shm", "sem", "msgq"], &[&["create"], &["associate"]]),
            Facility::Keyring => {
                (&["key"], &[&["create"], &["link"], &["read"], &["search"], &["view"], &["write"]])
            }
            Facility::Perf => (&["perf_event"], &[&["open"]]),
        };
        let mut out = Boxes::new();
        for class in classes {
            out.extend(self.itself(class, enough, bit())?);
        }
        Some(out)
    }

    fn mount(&self, kind: Kind) -> Result<Option<Boxes>, TooLarge> {
        let names = || Dim::Names(Lang::All);
        let paths = || Dim::Paths(Lang::All);
        let file_system = |enough: &Enough<'_>, dims: Vec<Dim>| -> Boxes {
            let all = self.accesses.all(&self.base, "filesystem", enough);
            let sources: BTreeSet<Source> = all.into_iter().flat_map(|(_, s)| s).collect();
            sources.into_iter().map(|s| (s, dims.clone())).collect()
        };
        let before: Vec<Dim> = match kind {
            Kind::Unmount => return Ok(Some(file_system(&[&["unmount"]], vec![paths()]))),
            Kind::MountRemount { .. } => {
                return Ok(Some(file_system(&[&["remount"]], vec![names(), paths()])));
            }
            Kind::MountNew => vec![Dim::Names(self.mountable()?), names()],
            Kind::MountMake => vec![Dim::Bits(u128::MAX)],
            _ => vec![paths()],
        };
        let Some(permits) = self.permits(Deed::MountOn, false)? else { return Ok(None) };
        let boxes = permits.iter().map(|permit| {
            let mut dims = before.clone();
            dims.push(Dim::Paths(permit.paths.clone()));
            if kind == Kind::MountNew {
                dims.push(names());
            }
            (permit.source, dims)
        });
        Ok(Some(boxes.collect()))
    }

    /// The types of file systems that the domain may mount, by the base's tables of their labels.
    fn mountable(&self) -> Result<Lang, TooLarge> {
        let granted = self.accesses.all(&self.base, "filesystem", &[&["mount"]]);
        // What the tables do not name has this label.
        let unlabelled = self.base.type_no("unlabeled_t").map(On::Base);
        if granted.iter().any(|(on, _)| !matches!(on, On::Base(_)) || Some(*on) == unlabelled) {
            return Ok(Lang::All);
        }
        let general = self.base.genfs().filter(|r| r[1] == "/").map(|r| (r[0], r[3]));
        let kept = self.base.fs_use().map(|r| (r[1], r[2]));
        let labels: BTreeMap<&str, &str> = general.chain(kept).collect();
        let may = |ty: &str| {
            self.base.type_no(ty).is_some_and(|ty| granted.iter().any(|(on, _)| *on == On::Base(ty)))
        };
        canc_dsl::meaning::literals(labels.into_iter().filter(|(_, ty)| may(ty)).map(|(fs, _)| fs))
    }
}
