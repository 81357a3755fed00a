//! A ruleset, read back from the form of the bundle, as a layer: what it permits near a place, and of which kinds of request it
//! has any notion.

use super::Lowered;
use super::place::{Place, pattern_of};
use super::process::{ABSTRACT, SIGNAL};
use super::rights::{Right, Rights, let_through, mediates};
use crate::coverage::{Grant, Layer, LayerName, Permitted, Source, rule_name};
use crate::verdict::{Outcome, Verdict};
use canc_bundle::{LandlockPath, LandlockRuleset};
use canc_dsl::meaning::{Dim, Kind, Peers, Region};
use canc_dsl::policy::{
    Body, Effect, FileOp, MqueueOp, NetOp, Peer, Policy, PolicySet, Protocol, RuleId, Target,
};
use canc_sets::interval::Intervals;
use canc_sets::path::Near;
use canc_sets::path::{Lang, Pattern, Tail, TooLarge};
use std::collections::HashMap;
use std::sync::OnceLock;

/// The paths of a ruleset, and what they are read to be when somebody asks.
#[derive(Debug)]
pub struct Paths {
    /// The paths with their accesses in the newest ABI.
    pub list: Vec<LandlockPath>,
    read: OnceLock<Read>,
}

/// The paths as patterns, by where they lie.
#[derive(Debug)]
struct Read {
    grants: Vec<PathGrant>,
    index: Near,
}

/// A rule of the ruleset that permits something on paths.
#[derive(Debug)]
struct PathGrant {
    pattern: Pattern,
    rights: Rights,
    rules: Vec<String>,
    near: String,
    /// The pattern as text.
    key: String,
}

impl Paths {
    /// Of a bundle's paths.
    #[must_use]
    pub fn new(list: Vec<LandlockPath>) -> Self {
        Self { list, read: OnceLock::new() }
    }

    fn read(&self) -> &Read {
        self.read.get_or_init(|| {
            let grants: Vec<PathGrant> = self
                .list
                .iter()
                .filter_map(|rule| {
                    let pattern = pattern_of(&Place::of_path(&rule.path))?;
                    let near = pattern.literal_prefix();
                    let rights = rule.access.iter().filter_map(|w| Right::of_word(w)).collect();
                    let key = pattern.to_string();
                    Some(PathGrant { pattern, rights, rules: rule.rules.clone(), near, key })
                })
                .collect();
            let index = Near::new(grants.iter().map(|p| &p.pattern));
            Read { grants, index }
        })
    }
}

/// A rule about ports.
struct TcpRule {
    id: RuleId,
    right: &'static str,
    ports: Intervals<u16>,
    widens: bool,
}

struct Reader<'a> {
    tcp: Vec<TcpRule>,
    paths: &'a Paths,
    /// The rights that the ABI handles.
    handled: Rights,
    by_name: HashMap<String, Source>,
    ruleset: &'a LandlockRuleset,
    /// The peers, as bits, that are within the domain.
    inside: u128,
}

/// The layer of one ABI's ruleset and its verdicts.
#[must_use]
pub fn layer<'a>(policies: &PolicySet, policy: &Policy, lowered: &'a Lowered) -> Layer<'a> {
    let reader = Reader::new(policies, policy, lowered);
    let (ruleset, outcomes) = (&lowered.ruleset, lowered.outcomes.as_slice());
    let (net, scopes) = (!ruleset.handled_net.is_empty(), ruleset.scoped.clone());
    let ports = net || outcomes_mediate_ports(policy, outcomes);
    Layer {
        name: LayerName::Target(Target::Landlock),
        outcomes,
        permitted: Box::new(move |kind, prefix| reader.permitted(kind, prefix)),
        sees: Box::new(move |kind| match kind {
            Kind::File(op) => mediates(op) && op != FileOp::Mknod,
            Kind::Net(_, Protocol::Tcp) => ports,
            Kind::UnixAbstract { .. } => scopes.iter().any(|s| s == ABSTRACT),
            Kind::Signal => scopes.iter().any(|s| s == SIGNAL),
            Kind::Ptrace => true,
            _ => false,
        }),
    }
}

/// Whether ports are mediated although none is handled, since every port is allowed: then some rule about them has a verdict.
fn outcomes_mediate_ports(policy: &Policy, outcomes: &[Outcome]) -> bool {
    policy.rules.iter().zip(outcomes).any(|(rule, outcome)| {
        matches!(&rule.body, Body::Net(n) if n.protocol == Protocol::Tcp)
            && outcome.verdict != Verdict::NotApplicable
    })
}

/// Whether a whole ruleset lets an operation on a path through. A directory's path ends in a slash. `None` where Landlock has no right
/// for the operation.
#[must_use]
pub fn decide(ruleset: &LandlockRuleset, op: FileOp, path: &str) -> Option<bool> {
    if !mediates(op) {
        return None;
    }
    let in_directory = matches!(op, FileOp::Create | FileOp::Delete | FileOp::Link | FileOp::Mknod);
    Some(ruleset.paths.iter().any(|rule| {
        let rights: Rights = rule.access.iter().filter_map(|w| Right::of_word(w)).collect();
        let place = Place::of_path(&rule.path);
        let top = rule.path.trim_end_matches('/');
        let itself = path.trim_end_matches('/') == top;
        let_through(rights).has(op)
            && !(in_directory && itself)
            && pattern_of(&place).is_some_and(|p| p.matches(path))
    }))
}

impl<'a> Reader<'a> {
    fn new(policies: &PolicySet, policy: &Policy, lowered: &'a Lowered) -> Self {
        let by_name = policy.rules.iter().map(|r| (rule_name(r), Source::Rule(r.id))).collect();
        let peers = Peers::new(policies, &policy.name);
        let own = super::process::Peers { policies, policy };
        let policies = policies.policies().iter().map(|p| Peer::Policy(p.name.clone()));
        let inside = policies
            .chain([Peer::SelfDomain])
            .filter(|p| own.is_inside(p))
            .fold(0, |bits, p| bits | peers.bits(&p));
        Self {
            tcp: tcp_rules(policy, &lowered.outcomes),
            paths: &lowered.paths,
            handled: super::rights::handled(lowered.abi),
            by_name,
            ruleset: &lowered.ruleset,
            inside,
        }
    }

    fn permitted(&self, kind: Kind, prefix: &str) -> Result<Permitted, TooLarge> {
        let scoped = |word: &str| self.ruleset.scoped.iter().any(|s| s == word);
        Ok(match kind {
            Kind::File(op) if mediates(op) => self.files(op, prefix)?,
            Kind::Net(op, Protocol::Tcp) => self.ports(op, kind),
            // What stays inside the domain is refused to nobody.
            Kind::UnixAbstract { listen: false } if scoped(ABSTRACT) => {
                Self::base(kind, vec![Dim::Bits(7), Dim::Bits(self.inside), Dim::Names(Lang::All)])
            }
            Kind::Signal if scoped(SIGNAL) => {
                Self::base(kind, vec![Dim::Bits(u128::MAX), Dim::Bits(self.inside)])
            }
            Kind::Ptrace => Self::base(kind, vec![Dim::Bits(3), Dim::Bits(self.inside)]),
            // Made and removed, but not opened.
            Kind::Mqueue => {
                let bit = |op| 1 << op as u32;
                let ops = bit(MqueueOp::Create) | bit(MqueueOp::Delete);
                Self::base(kind, vec![Dim::Bits(ops), Dim::Names(Lang::All)])
            }
            Kind::MountNew
            | Kind::MountBind { .. }
            | Kind::MountMove
            | Kind::MountRemount { .. }
            | Kind::MountMake
            | Kind::Unmount
            | Kind::PivotRoot => Permitted::nothing(),
            _ => Permitted::Everything,
        })
    }

    /// What is granted whatever the policy says.
    fn base(kind: Kind, dims: Vec<Dim>) -> Permitted {
        let region = Region { kind, dims };
        let grant = Grant { source: Source::Base, region, near: "/".into(), key: None };
        Permitted::Only { grants: vec![grant], denies: Vec::new() }
    }

    fn files(&self, op: FileOp, prefix: &str) -> Result<Permitted, TooLarge> {
        let mut grants = Vec::new();
        let read = self.paths.read();
        let prefixes = |n: usize| read.grants.get(n).map(|p| p.pattern.prefixes()).unwrap_or_default();
        let here = read.index.around(prefix, &prefixes);
        for path in here.into_iter().filter_map(|n| read.grants.get(n)) {
            if !let_through(path.rights.intersect(self.handled)).has(op) {
                continue;
            }
            let region = region(op, &path.pattern)?;
            for rule in &path.rules {
                let source = self.by_name.get(rule).copied().unwrap_or(Source::Base);
                let key = Some(path.key.clone());
                grants.push(Grant { source, region: region.clone(), near: path.near.clone(), key });
            }
        }
        Ok(Permitted::Only { grants, denies: Vec::new() })
    }

    fn ports(&self, op: NetOp, kind: Kind) -> Permitted {
        let right = match op {
            NetOp::Connect => "connect_tcp",
            NetOp::Bind | NetOp::Listen => "bind_tcp",
            NetOp::Send | NetOp::Receive => return Permitted::Everything,
        };
        if !self.ruleset.handled_net.iter().any(|w| w == right) {
            return Permitted::Everything;
        }
        let with_right = self.ruleset.ports.iter().filter(|p| p.access.iter().any(|w| w == right));
        let permitted: Intervals<u16> = with_right.map(|p| (p.from, p.to)).collect();
        let mut grants: Vec<Grant> = Vec::new();
        // Rules that bring nothing besides are one grant, so that a thousand ports are one box.
        let mut plain: Option<(RuleId, Vec<(u16, u16)>)> = None;
        for rule in self.tcp.iter().filter(|r| r.right == right) {
            match (rule.widens, &mut plain) {
                (true, _) => grants.push(port_grant(kind, rule.id, rule.ports.intersect(&permitted))),
                (false, Some((_, all))) => all.extend_from_slice(rule.ports.ranges()),
                (false, None) => plain = Some((rule.id, rule.ports.ranges().to_vec())),
            }
        }
        grants.extend(plain.map(|(id, all)| {
            let ports: Intervals<u16> = all.into_iter().collect();
            port_grant(kind, id, ports.intersect(&permitted))
        }));
        Permitted::Only { grants, denies: Vec::new() }
    }
}

fn port_grant(kind: Kind, id: RuleId, ports: Intervals<u16>) -> Grant {
    let region = Region { kind, dims: vec![Dim::Addresses(Intervals::full()), Dim::Ports(ports)] };
    Grant { source: Source::Rule(id), region, near: "/".into(), key: None }
}

/// The rules that bring ports, by the right that they take.
fn tcp_rules(policy: &Policy, outcomes: &[Outcome]) -> Vec<TcpRule> {
    let mut out = Vec::new();
    for rule in policy.rules.iter().filter(|r| r.effect == Effect::Allow) {
        let Body::Net(net) = &rule.body else { continue };
        let widens = outcomes
            .get(rule.id.0 as usize)
            .is_some_and(|o| matches!(&o.verdict, Verdict::Allow { widened, .. } if !widened.is_empty()));
        let binds = net.ops.has(NetOp::Bind) || net.ops.has(NetOp::Listen);
        for (right, takes) in [("bind_tcp", binds), ("connect_tcp", net.ops.has(NetOp::Connect))] {
            if takes && net.protocol == Protocol::Tcp {
                out.push(TcpRule { id: rule.id, right, ports: net.ports.clone(), widens });
            }
        }
    }
    out
}

/// The requests that a right on a place lets through.
fn region(op: FileOp, pattern: &Pattern) -> Result<Region, TooLarge> {
    let all = Lang::patterns([pattern])?;
    let in_directory = matches!(op, FileOp::Create | FileOp::Delete | FileOp::Link | FileOp::Mknod);
    let lang = match (in_directory, pattern.tail()) {
        (true, Tail::Subtree) => all.minus(Lang::patterns([&pattern.with_tail(Tail::Directory)])?),
        _ => all,
    };
    let lang = match op {
        FileOp::List => lang.and(Lang::directories()),
        FileOp::Create | FileOp::Delete => lang,
        _ => lang.minus(Lang::directories()),
    };
    // Owners and others are alike to Landlock.
    Ok(Region { kind: Kind::File(op), dims: vec![Dim::Bits(3), Dim::Paths(lang)] })
}
