//! The filters as one layer of a host: which requests they permit, read off the decisions that were really made.

use super::Lowered;
use super::calls::{self, Context};
use super::decisions::{Decisions, Permission};
use super::guards;
use super::implied::{self, Family, MountKind};
use super::model::{Clause, Effect, Source};
use crate::coverage::{Grant, Layer, LayerName, Permitted, Source as GrantSource};
use canc_dsl::meaning::{Dim, Kind, Peers, Region, mount_options};
use canc_dsl::policy::{
    Facility, MqueueOp, NamespaceKind, NetOp, Policy, PolicySet, Propagation, Protocol, PtraceMode, RuleId,
    Target, UnixType,
};
use canc_sets::interval::Intervals;
use canc_sets::path::Lang;
use canc_sets::syscalls;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// The filters as coverage sees them. Paths, capabilities and what happens in `/proc` pass no filter.
#[must_use]
pub fn layer<'a>(set: &PolicySet, policy: &Policy, lowered: &'a Lowered) -> Layer<'a> {
    let reader = Reader {
        lowered,
        peers: Peers::new(set, &policy.name).all(),
        context: Context::of(policy),
        decisions: RefCell::new(Decisions::new(&lowered.clauses)),
        known: RefCell::default(),
    };
    Layer {
        name: LayerName::Target(Target::Seccomp),
        outcomes: &lowered.outcomes,
        permitted: Box::new(move |kind, _| Ok(Permitted::clone(&*reader.permitted(kind)))),
        sees: Box::new(sees),
    }
}

/// Whether a filter tells requests of a kind apart by the selector of their class.
fn sees(kind: Kind) -> bool {
    match kind {
        Kind::Net(_, protocol) => protocol != Protocol::Tcp,
        Kind::File(_)
        | Kind::UnixPath { .. }
        | Kind::UnixAbstract { .. }
        | Kind::Capability
        | Kind::Signal
        | Kind::Ptrace => false,
        Kind::Socket(_)
        | Kind::UsernsCreate
        | Kind::Namespace
        | Kind::IoUring
        | Kind::Mqueue
        | Kind::Facility(_)
        | Kind::MountNew
        | Kind::MountBind { .. }
        | Kind::MountMove
        | Kind::MountRemount { .. }
        | Kind::MountMake
        | Kind::Unmount
        | Kind::PivotRoot => true,
    }
}

/// Answers for one policy, each kind once.
struct Reader<'a> {
    lowered: &'a Lowered,
    peers: u128,
    context: Context,
    decisions: RefCell<Decisions<'a>>,
    known: RefCell<HashMap<Kind, Rc<Permitted>>>,
}

/// Signals 1 to 64.
const SIGNALS: u128 = 0x1_ffff_ffff_ffff_fffe;

impl Reader<'_> {
    fn permitted(&self, kind: Kind) -> Rc<Permitted> {
        if let Some(known) = self.known.borrow().get(&kind) {
            return Rc::clone(known);
        }
        let made = Rc::new(self.read(kind));
        self.known.borrow_mut().insert(kind, Rc::clone(&made));
        made
    }

    fn read(&self, kind: Kind) -> Permitted {
        if matches!(kind, Kind::File(_) | Kind::Capability) {
            return Permitted::Everything;
        }
        let mut grants = Vec::new();
        if kind == Kind::Ptrace {
            // Reading goes through files of /proc too.
            let dims = vec![Dim::Bits(1 << PtraceMode::Read as u32), Dim::Bits(self.peers)];
            grants.push(Grant { key: None, ..grant(GrantSource::Base, Region { kind, dims }) });
        }
        if let Some((families, dims)) = self.requests(kind) {
            for source in self.sources(&families) {
                grants.push(grant(source, Region { kind, dims: dims.clone() }));
            }
        }
        Permitted::Only { grants, denies: Vec::new() }
    }

    /// The families that make requests of a kind, and what the filters let through of it; `None` for nothing.
    fn requests(&self, kind: Kind) -> Option<(Vec<Family>, Vec<Dim>)> {
        let bit = Dim::Bits(1);
        let names = || Dim::Names(Lang::All);
        let paths = || Dim::Paths(Lang::All);
        match kind {
            Kind::Net(op, protocol) => {
                let families = vec![Family::Socket(protocol.into()), way(op)];
                let dims = vec![Dim::Addresses(Intervals::full()), Dim::Ports(Intervals::full())];
                self.all(&families).then_some((families, dims))
            }
            Kind::UnixPath { listen } => self.unix(listen, paths()),
            Kind::UnixAbstract { listen } => self.unix(listen, names()),
            Kind::Socket(socket) => self.when(Family::Socket(socket.into()), vec![bit]),
            Kind::Signal => self.when(Family::Signal, vec![Dim::Bits(SIGNALS), Dim::Bits(self.peers)]),
            Kind::Ptrace => self.when(
                Family::PtraceTrace,
                vec![Dim::Bits(1 << PtraceMode::Trace as u32), Dim::Bits(self.peers)],
            ),
            Kind::UsernsCreate => {
                self.namespace(NamespaceKind::User).then(|| (vec![Family::Userns], vec![bit]))
            }
            Kind::Namespace => {
                let made =
                    NamespaceKind::ALL.iter().filter(|k| **k != NamespaceKind::User && self.namespace(**k));
                let bits = made.fold(0u128, |bits, k| bits | 1 << (*k as u32));
                (bits != 0).then(|| (vec![Family::Namespaces], vec![Dim::Bits(bits)]))
            }
            Kind::IoUring => self.when(Family::IoUring, vec![Dim::Bits(0b1111)]),
            Kind::Mqueue => self.queues(names()),
            Kind::Facility(Facility::Shm) => self.when(Family::Shm, vec![bit]),
            Kind::Facility(Facility::Keyring) => self.when(Family::Keyring, vec![bit]),
            Kind::Facility(Facility::Perf) => self.when(Family::Perf, vec![bit]),
            Kind::MountNew => {
                let (families, options) = self.with_options(MountKind::New)?;
                Some((families, vec![names(), names(), paths(), options]))
            }
            Kind::MountBind { recursive } => {
                self.mount(MountKind::Bind { recursive }, vec![paths(), paths()])
            }
            Kind::MountMove => self.mount(MountKind::Move, vec![paths(), paths()]),
            Kind::MountRemount { bind } => {
                let (families, options) = self.with_options(|flags| MountKind::Remount { bind, flags })?;
                Some((families, vec![options, paths()]))
            }
            Kind::MountMake => self.propagation(paths()),
            Kind::Unmount => self.when(Family::Unmount, vec![paths()]),
            Kind::PivotRoot => self.when(Family::PivotRoot, vec![paths(), paths()]),
            Kind::File(_) | Kind::Capability => None,
        }
    }

    /// Whether the filters let some call of a family through.
    fn any(&self, family: Family) -> bool {
        let calls = calls::calls(family, self.context);
        calls.iter().any(|(call, condition)| self.call(call, condition.as_ref()))
    }

    fn call(&self, call: &str, when: Option<&canc_dsl::policy::Condition>) -> bool {
        let mut decisions = self.decisions.borrow_mut();
        let mut made =
            |arch| matches!(decisions.permission(arch, call, when), Permission::All | Permission::Some);
        self.lowered.arches.iter().any(|arch| made(*arch))
    }

    fn all(&self, families: &[Family]) -> bool {
        families.iter().all(|f| self.any(*f))
    }

    fn when(&self, family: Family, dims: Vec<Dim>) -> Option<(Vec<Family>, Vec<Dim>)> {
        self.any(family).then(|| (vec![family], dims))
    }

    fn unix(&self, listen: bool, name: Dim) -> Option<(Vec<Family>, Vec<Dim>)> {
        let way = if listen { Family::Bind } else { Family::Connect };
        let types: Vec<UnixType> =
            UnixType::ALL.iter().copied().filter(|t| self.all(&[Family::Socket((*t).into()), way])).collect();
        let bits = types.iter().fold(0, |bits, t| bits | 1 << (*t as u32));
        let families = types.into_iter().map(|t| Family::Socket(t.into())).chain([way]).collect();
        (bits != 0).then(|| (families, vec![Dim::Bits(bits), Dim::Bits(self.peers), name]))
    }

    /// Whether a namespace of a kind can be made.
    fn namespace(&self, kind: NamespaceKind) -> bool {
        let flag = guards::unshare_of(kind);
        let cloned = guards::clone_of(kind);
        self.call("unshare", Some(&flag))
            || cloned.is_some_and(|c| self.call("clone", Some(&c)))
            || self.call("clone3", None)
    }

    fn queues(&self, names: Dim) -> Option<(Vec<Family>, Vec<Dim>)> {
        let family = |op| match op {
            MqueueOp::Create => Family::MqueueOpen { create: true },
            MqueueOp::Read => Family::MqueueRead,
            MqueueOp::Write => Family::MqueueWrite,
            MqueueOp::Delete => Family::MqueueDelete,
        };
        let makes = || self.call("mq_open", Some(&guards::queue_made()));
        let made = |op: &MqueueOp| if *op == MqueueOp::Create { makes() } else { self.any(family(*op)) };
        let ops: Vec<MqueueOp> = MqueueOp::ALL.iter().copied().filter(made).collect();
        let bits = ops.iter().fold(0, |bits, op| bits | 1 << (*op as u32));
        (bits != 0).then(|| (ops.into_iter().map(family).collect(), vec![Dim::Bits(bits), names]))
    }

    /// The new calls mount whatever the old one could be stopped from.
    fn mounts_by_new_calls(&self) -> bool {
        self.call("move_mount", None) || self.call("mount_setattr", None)
    }

    fn mount(&self, kind: MountKind, dims: Vec<Dim>) -> Option<(Vec<Family>, Vec<Dim>)> {
        let family = Family::Mount(kind);
        (self.mounts_by_new_calls() || self.any(family)).then(|| (vec![family], dims))
    }

    /// The options with which the filters let a kind of mount through. Where something else than rules about mounts allows the call, that
    /// is not told apart, and any options count.
    fn with_options(&self, kind: impl Fn(Option<u32>) -> MountKind) -> Option<(Vec<Family>, Dim)> {
        let whole = Family::Mount(kind(None));
        if !self.mounts_by_new_calls() && !self.any(whole) {
            return None;
        }
        let clauses = &self.lowered.clauses;
        let brought = |family: Family| clauses.families.iter().any(|(known, _)| *known == family);
        let own = |clause: &Clause| {
            matches!(clause.effect, Effect::Allow | Effect::Log)
                && !matches!(clause.source, Source::Family(_))
        };
        let on_mount = syscalls::index("mount").and_then(|i| clauses.by_call.get(i));
        let by_name =
            on_mount.into_iter().flatten().any(own) || clauses.default.is_some() || clauses.complain;
        let all = || Some((vec![whole], Dim::Names(Lang::All)));
        if by_name || brought(whole) || self.mounts_by_new_calls() {
            return all();
        }
        let (mut families, mut options) = (Vec::new(), Vec::new());
        for (family, _) in &clauses.families {
            let flags = match family {
                Family::Mount(MountKind::New(flags) | MountKind::Remount { flags, .. }) => *flags,
                _ => continue,
            };
            if Family::Mount(kind(flags)) != *family || !self.any(*family) {
                continue;
            }
            let Ok(lang) = mount_options(flags.map(implied::flags_of)) else { return all() };
            families.push(*family);
            options.push(lang);
        }
        (!families.is_empty()).then(|| (families, Dim::Names(Lang::any(options))))
    }

    fn propagation(&self, paths: Dim) -> Option<(Vec<Family>, Vec<Dim>)> {
        const ALL: [Propagation; 8] = [
            Propagation::Shared,
            Propagation::Slave,
            Propagation::Private,
            Propagation::Unbindable,
            Propagation::Rshared,
            Propagation::Rslave,
            Propagation::Rprivate,
            Propagation::Runbindable,
        ];
        let modern = self.call("mount_setattr", None);
        let family = |p| Family::Mount(MountKind::Make(implied::propagation_flags(p)));
        let made: Vec<Propagation> = ALL.into_iter().filter(|p| modern || self.any(family(*p))).collect();
        let bits = made.iter().fold(0, |bits, p| bits | 1 << (*p as u32));
        (bits != 0).then(|| (made.into_iter().map(family).collect(), vec![Dim::Bits(bits), paths]))
    }

    /// The rules that brought the families, or the calls of them by name; `@base` when there is none.
    fn sources(&self, families: &[Family]) -> Vec<GrantSource> {
        let mut rules: BTreeSet<RuleId> = BTreeSet::new();
        let clauses = &self.lowered.clauses;
        for (family, own) in &clauses.families {
            if families.contains(family) {
                rules.extend(own);
            }
        }
        // What every socket is used with says nothing about the kind of socket.
        let own = families.iter().filter(|f| **f != Family::SocketUse);
        let calls = own.flat_map(|f| calls::calls(*f, self.context)).map(|c| c.0);
        for clause in calls.filter_map(syscalls::index).filter_map(|i| clauses.by_call.get(i)).flatten() {
            if let (Source::Rule(rule), Effect::Allow | Effect::Log) = (clause.source, clause.effect) {
                rules.insert(rule);
            }
        }
        if rules.is_empty() {
            vec![GrantSource::Base]
        } else {
            rules.into_iter().map(GrantSource::Rule).collect()
        }
    }
}

fn grant(source: GrantSource, region: Region) -> Grant {
    Grant { source, region, near: "/".into(), key: Some("filter".into()) }
}

fn way(op: NetOp) -> Family {
    match op {
        NetOp::Connect => Family::Connect,
        NetOp::Bind => Family::Bind,
        NetOp::Listen => Family::Listen,
        NetOp::Send | NetOp::Receive => Family::SocketUse,
    }
}
