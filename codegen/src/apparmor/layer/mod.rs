//! A profile, as emitted or read back, to what it permits: boxes of requests near a place, and answers about single paths.

mod files;
mod mounts;
mod peers;
mod sockets;

use super::features::Features;
use super::lower::{ApparmorOptions, Lowered};
use super::model::{MqueuePerm, Origin, Profile, PtracePerm, Rule, SignalPerm};
use crate::coverage::{Grant, Layer, LayerName, Permitted, Source};
use crate::verdict::Outcome;
use canc_dsl::meaning::{Dim, Kind, Region};
use canc_dsl::policy::{Body, MqueueOp, Policy, PolicySet, PtraceMode, RuleId, Target};
use canc_sets::path::{Lang, TooLarge};
use files::Files;
use peers::Known;

pub use files::{Decision, decide};

/// The layer of what was lowered.
#[must_use]
pub fn layer<'a>(
    policies: &PolicySet,
    policy: &Policy,
    lowered: &'a Lowered,
    options: &'a ApparmorOptions,
) -> Layer<'a> {
    profile_layer(policies, policy, &lowered.profile, &options.features, &lowered.outcomes)
}

/// The layer of a profile, as emitted or read back, and of its verdicts, on a kernel with these features.
#[must_use]
pub fn profile_layer<'a>(
    policies: &PolicySet,
    policy: &Policy,
    profile: &'a Profile,
    features: &'a Features,
    outcomes: &'a [Outcome],
) -> Layer<'a> {
    let reader = Reader::new(policies, policy, profile, features);
    Layer {
        name: LayerName::Target(Target::Apparmor),
        outcomes,
        permitted: Box::new(move |kind, prefix| reader.permitted(kind, prefix)),
        sees: Box::new(move |kind| sees(features, kind)),
    }
}

/// Whether requests of a kind are told apart by what their class is selected by.
fn sees(features: &Features, kind: Kind) -> bool {
    use canc_dsl::policy::Protocol;
    match kind {
        Kind::File(_) | Kind::Capability => true,
        Kind::Net(_, Protocol::Tcp) | Kind::Namespace | Kind::IoUring | Kind::Facility(_) => false,
        Kind::Net(..) | Kind::Socket(_) => features.network(),
        Kind::UnixPath { .. } | Kind::UnixAbstract { .. } => features.af_unix(),
        Kind::Signal => features.signal(),
        Kind::Ptrace => features.ptrace(),
        Kind::UsernsCreate => features.userns(),
        Kind::Mqueue => features.posix_mqueue(),
        Kind::MountNew
        | Kind::MountBind { .. }
        | Kind::MountMove
        | Kind::MountRemount { .. }
        | Kind::MountMake
        | Kind::Unmount
        | Kind::PivotRoot => features.mount(),
    }
}

/// Message queues of a kernel that does not know them by name: made and removed, but not opened. A queue is a file of a kernel's own
/// mount, so that its path is disconnected, and opening it is refused with EACCES (seen on Linux 6.12).
fn unopened(kind: Kind) -> Permitted {
    let ops = 1 << MqueueOp::Create as u32 | 1 << MqueueOp::Delete as u32;
    let region = Region { kind, dims: vec![Dim::Bits(ops), Dim::Names(Lang::All)] };
    let grant = Grant { source: Source::Base, region, near: "/".into(), key: None };
    Permitted::Only { grants: vec![grant], denies: Vec::new() }
}

/// One rule of the profile, with who brought it.
struct Sourced<'a> {
    rule: &'a Rule,
    sources: Vec<Source>,
}

struct Reader<'a> {
    /// The rules about capabilities inside user namespaces; `None` where the domain can be inside one whatever rules say.
    inside: Option<Vec<RuleId>>,
    files: Files<'a>,
    others: Vec<Sourced<'a>>,
    features: &'a Features,
    /// Whether the profile only logs.
    complain: bool,
    peers: Known,
}

impl<'a> Reader<'a> {
    fn new(policies: &PolicySet, policy: &Policy, profile: &'a Profile, features: &'a Features) -> Self {
        let (mut files, mut others) = (Vec::new(), Vec::new());
        for (origins, rule) in profile.rules() {
            let sourced = Sourced { rule, sources: sources(origins) };
            match rule {
                Rule::File(_) | Rule::Link(_) => files.push(sourced),
                _ => others.push(sourced),
            }
        }
        let device_nodes = others.iter().any(|s| makes_device_nodes(s.rule));
        let peers = Known::new(policies, policy, profile);
        let enters = others.iter().any(|s| matches!(s.rule, Rule::Userns(mode) if !mode.deny));
        let inside = (features.userns() && !enters).then(|| inside_rules(policy));
        Self {
            inside,
            files: Files::new(files, device_nodes),
            others,
            features,
            complain: profile.complain,
            peers,
        }
    }

    fn permitted(&self, kind: Kind, prefix: &str) -> Result<Permitted, TooLarge> {
        let mediated = match kind {
            Kind::File(op) => return self.files.permitted(op, prefix),
            Kind::Namespace | Kind::IoUring | Kind::Facility(_) => false,
            // Mediated by family and type at least.
            Kind::Net(..) | Kind::UnixPath { .. } | Kind::UnixAbstract { .. } => self.features.network(),
            Kind::Mqueue if !self.features.posix_mqueue() && !self.complain => return Ok(unopened(kind)),
            kind => sees(self.features, kind),
        };
        if !mediated {
            return Ok(Permitted::Everything);
        }
        let (mut grants, mut denies) = (Vec::new(), Vec::new());
        for sourced in &self.others {
            let Some((deny, dims)) = self.dims(kind, sourced)? else { continue };
            let region = Region { kind, dims };
            let list = if deny { &mut denies } else { &mut grants };
            list.extend(sourced.sources.iter().map(|source| Grant {
                source: *source,
                region: region.clone(),
                near: "/".into(),
                key: None,
            }));
        }
        Ok(Permitted::Only { grants, denies })
    }

    /// What a rule says of a kind of request: whether it refuses, and the selectors of the box.
    fn dims(&self, kind: Kind, sourced: &Sourced<'a>) -> Result<Option<(bool, Vec<Dim>)>, TooLarge> {
        Ok(match sourced.rule {
            Rule::Capability(rule) if kind == Kind::Capability => {
                let bits = rule.numbers.iter().fold(0u128, |bits, n| bits | 1 << n);
                Some((rule.mode.deny, vec![Dim::Bits(bits), Dim::Bits(self.places(&sourced.sources))]))
            }
            Rule::Network(rule) => sockets::network(kind, rule, self)?.map(|d| (rule.mode.deny, d)),
            Rule::Unix(rule) => sockets::unix(kind, rule, self)?.map(|d| (rule.mode.deny, d)),
            Rule::Userns(mode) if kind == Kind::UsernsCreate => Some((mode.deny, vec![Dim::Bits(1)])),
            Rule::Signal(rule) if kind == Kind::Signal && rule.perms.has(SignalPerm::Send) => {
                let signals = rule.signals.unwrap_or(u128::MAX);
                let peers = self.peers.bits(rule.peer.as_ref());
                Some((rule.mode.deny, vec![Dim::Bits(signals), Dim::Bits(peers)]))
            }
            Rule::Ptrace(rule) if kind == Kind::Ptrace => {
                let modes = [(PtracePerm::Read, PtraceMode::Read), (PtracePerm::Trace, PtraceMode::Trace)];
                let held = modes.iter().filter(|(perm, _)| rule.perms.has(*perm));
                let bits = held.fold(0u128, |bits, (_, mode)| bits | 1 << (*mode as u32));
                let peers = self.peers.bits(rule.peer.as_ref());
                (bits != 0).then(|| (rule.mode.deny, vec![Dim::Bits(bits), Dim::Bits(peers)]))
            }
            Rule::Mqueue { mode, perms, name } if kind == Kind::Mqueue => {
                let ops = [
                    (MqueuePerm::Create, MqueueOp::Create),
                    (MqueuePerm::Read, MqueueOp::Read),
                    (MqueuePerm::Write, MqueueOp::Write),
                    (MqueuePerm::Delete, MqueueOp::Delete),
                ];
                let held = ops.iter().filter(|(perm, _)| perms.has(*perm));
                let bits = held.fold(0u128, |bits, (_, op)| bits | 1 << (*op as u32));
                Some((mode.deny, vec![Dim::Bits(bits), Dim::Names(name.lang()?)]))
            }
            Rule::Mount(_) | Rule::Umount { .. } | Rule::PivotRoot { .. } => {
                mounts::dims(kind, sourced.rule)?
            }
            _ => None,
        })
    }
}

impl Reader<'_> {
    /// Outside user namespaces, inside own ones, or both: where a capability can be used that these rules bring.
    fn places(&self, sources: &[Source]) -> u128 {
        const OUTSIDE: u128 = 1;
        const BOTH: u128 = 3;
        match &self.inside {
            Some(inside) if !rules_of(sources).any(|id| inside.contains(&id)) => OUTSIDE,
            _ => BOTH,
        }
    }
}

fn inside_rules(policy: &Policy) -> Vec<RuleId> {
    let inside = policy.rules.iter().filter(|r| matches!(&r.body, Body::Capability(c) if c.in_userns));
    inside.map(|r| r.id).collect()
}

/// `CAP_MKNOD` of `linux/capability.h`.
const MKNOD: u8 = 27;

fn makes_device_nodes(rule: &Rule) -> bool {
    matches!(rule, Rule::Capability(c) if !c.mode.deny && c.numbers.contains(&MKNOD))
}

fn sources(origins: &[Origin]) -> Vec<Source> {
    origins
        .iter()
        .map(|o| match o {
            Origin::Base(_) => Source::Base,
            Origin::Rule { id, .. } => Source::Rule(*id),
        })
        .collect()
}

/// The numbers of the rules among some sources.
fn rules_of(sources: &[Source]) -> impl Iterator<Item = RuleId> {
    sources.iter().filter_map(|s| match s {
        Source::Rule(id) => Some(*id),
        Source::Base => None,
    })
}

#[cfg(test)]
mod tests;
