//! A policy to the places, ports and scopes of a ruleset, and the verdicts that come with them.

use super::judge::{self, Judge, Want};
use super::place::{Place, Placed, places};
use super::rights::{Right, Rights, handled};
use super::{LowerError, Lowered, Paths, base, net, process};
use crate::coverage::{NEWEST_LANDLOCK, rule_name};
use crate::verdict::{Outcome, Verdict};
use canc_bundle::{LandlockPath, LandlockRuleset};
use canc_dsl::policy::{
    Body, Effect, FileOp, FileOps, PathRef, Policy, PolicySet, Rule, RuleId, UnixAddress,
};
use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;

/// The loaders of the C libraries of the architectures that filters are made for, at their real paths: the kernel opens one for
/// almost every program, and a launch must have it whatever the policy says.
const LOADERS: [&str; 14] = [
    "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
    "/usr/lib64/ld-linux-x86-64.so.2",
    "/usr/lib/ld-linux-x86-64.so.2",
    "/usr/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-x86_64.so.1",
    "/usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1",
    "/usr/lib64/ld-linux-aarch64.so.1",
    "/usr/lib/ld-linux-aarch64.so.1",
    "/usr/lib/ld-musl-aarch64.so.1",
    "/lib/ld-musl-aarch64.so.1",
    "/usr/lib/riscv64-linux-gnu/ld-linux-riscv64-lp64d.so.1",
    "/usr/lib/ld-linux-riscv64-lp64d.so.1",
    "/usr/lib/ld-musl-riscv64.so.1",
    "/lib/ld-musl-riscv64.so.1",
];

/// Who wants a place in the ruleset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Base,
    Rule(RuleId),
}

/// A place, its rights in the newest ABI, and who wants it.
pub(super) struct Grant {
    pub(super) place: Place,
    pub(super) rights: Rights,
    pub(super) sources: Vec<Source>,
}

/// What a policy comes to, before an ABI cuts it.
pub(super) struct Rules<'a> {
    pub(super) policy: &'a Policy,
    pub(super) grants: Vec<Grant>,
    /// What each allow about files wants.
    pub(super) wants: Vec<Want<'a>>,
    /// The verdicts on files, which are the same in every ABI but for moves between directories.
    judged: OnceCell<Result<Vec<Outcome>, Vec<LowerError>>>,
    paths: OnceCell<Arc<Paths>>,
}

#[derive(Default)]
struct Draft {
    grants: Vec<Grant>,
    known: HashMap<Place, usize>,
}

impl Draft {
    fn add(&mut self, source: Source, place: Place, rights: Rights) {
        let at = *self.known.entry(place.clone()).or_insert_with(|| {
            self.grants.push(Grant { place, rights: Rights::EMPTY, sources: Vec::new() });
            self.grants.len() - 1
        });
        if let Some(grant) = self.grants.get_mut(at) {
            grant.rights = grant.rights.union(rights);
            if grant.sources.last() != Some(&source) {
                grant.sources.push(source);
            }
        }
    }
}

impl<'a> Rules<'a> {
    pub(super) fn new(policy: &'a Policy) -> Self {
        let mut draft = Draft::default();
        for path in policy.exec.iter().chain(&policy.attach) {
            let ops = FileOps::of(&[FileOp::Run]);
            places(&path.pattern, ops).places.into_iter().for_each(|(p, r)| draft.add(Source::Base, p, r));
        }
        let loader = Rights::of(&[Right::Execute, Right::ReadFile]);
        LOADERS.iter().for_each(|path| draft.add(Source::Base, Place::of_path(path), loader));
        let mut wants = Vec::new();
        for rule in policy.rules.iter().filter(|r| r.effect == Effect::Allow) {
            let (paths, except, ops, owner) = match &rule.body {
                Body::File(file) => (&file.paths, &file.except, file.ops, file.owner),
                Body::Unix(unix) if unix.listen => match &unix.address {
                    UnixAddress::Paths(paths) => (paths, &unix.except, FileOps::EMPTY, false),
                    UnixAddress::Abstract(_) => continue,
                },
                _ => continue,
            };
            for path in paths {
                let placed = if ops.is_empty() { socket(path) } else { places(&path.pattern, ops) };
                for (place, rights) in &placed.places {
                    draft.add(Source::Rule(rule.id), place.clone(), *rights);
                }
                wants.push(Want { id: rule.id, pattern: &path.pattern, except, ops, owner, placed });
            }
        }
        Self { policy, grants: draft.grants, wants, judged: OnceCell::new(), paths: OnceCell::new() }
    }

    /// Cuts the rules to an ABI.
    pub(super) fn lower(&self, policies: &PolicySet, abi: u32) -> Result<Lowered, Vec<LowerError>> {
        let rights = handled(abi);
        let judged = self.judged.get_or_init(|| {
            let mut outcomes: Vec<Outcome> =
                self.policy.rules.iter().map(|r| start(r, NEWEST_LANDLOCK)).collect();
            let mut errors = Vec::new();
            Judge::new(self).run(&mut outcomes, &mut errors);
            if errors.is_empty() { Ok(outcomes) } else { Err(errors) }
        });
        let mut outcomes = judged.clone()?;
        for (rule, outcome) in self.policy.rules.iter().zip(&mut outcomes) {
            match &rule.body {
                Body::File(file) if abi < 2 => judge::without_refer(file.ops, outcome),
                // Files and unix sockets by path are the same in every ABI.
                Body::File(_) => {}
                Body::Unix(unix) if matches!(unix.address, UnixAddress::Paths(_)) => {}
                _ => *outcome = start(rule, abi),
            }
        }
        let mut ruleset = LandlockRuleset { handled_fs: words(rights), ..LandlockRuleset::default() };
        net::lower(self.policy, abi, &mut ruleset, &mut outcomes);
        process::lower(policies, self.policy, abi, &mut ruleset, &mut outcomes);
        let base = base(abi, net::listens(self.policy));
        Ok(Lowered { abi, ruleset, paths: Arc::clone(self.paths()), outcomes, base })
    }

    /// The paths of the bundle.
    fn paths(&self) -> &Arc<Paths> {
        self.paths.get_or_init(|| Arc::new(Paths::new(self.grants.iter().map(|g| self.path(g)).collect())))
    }

    fn path(&self, grant: &Grant) -> LandlockPath {
        let name = |source: &Source| match source {
            Source::Base => "@base".to_string(),
            Source::Rule(id) => self.policy.rule(*id).map(rule_name).unwrap_or_default(),
        };
        LandlockPath {
            path: grant.place.path().into(),
            access: words(grant.rights),
            optional: true,
            rules: grant.sources.iter().map(name).collect(),
        }
    }
}

fn words(rights: Rights) -> Vec<String> {
    rights.iter().map(|r| r.word().to_string()).collect()
}

/// Binding to a path makes a socket in its directory. That right alone lets nobody touch what others have there.
fn socket(path: &PathRef) -> Placed {
    let made = Rights::of(&[Right::MakeSock]);
    let parent = path.pattern.as_literal().and_then(|p| p.rsplit_once('/').map(|(dir, _)| format!("{dir}/")));
    let place = match parent {
        Some(parent) => vec![(Place::of_path(&parent), made)],
        None => {
            let all = places(&path.pattern, FileOps::of(&[FileOp::Create])).places;
            all.into_iter().map(|(place, _)| (place, made)).collect()
        }
    };
    Placed { places: place, exact: false, narrowed: Vec::new() }
}

/// The verdict that a rule has before anything is found out about it.
fn start(rule: &Rule, abi: u32) -> Outcome {
    let mediated = match &rule.body {
        Body::File(file) => file.ops.iter().any(super::rights::mediates),
        Body::Net(net) => abi >= 4 && net.protocol == canc_dsl::policy::Protocol::Tcp,
        Body::Unix(unix) => match &unix.address {
            UnixAddress::Paths(_) => unix.listen,
            UnixAddress::Abstract(_) => !unix.listen && abi >= 6,
        },
        Body::Signal(signal) => signal.send && abi >= 6,
        Body::Ptrace(_) | Body::Mount(_) => true,
        Body::Mqueue(queues) => rule.effect == Effect::Allow && super::process::opens(queues),
        _ => false,
    };
    match (mediated, rule.effect) {
        (false, _) => Outcome::new(Verdict::NotApplicable),
        (true, Effect::Allow) => Outcome::exact(),
        (true, Effect::Deny) => Outcome::new(Verdict::DenyExact),
    }
}
