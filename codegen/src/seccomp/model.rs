//! A policy to clauses per system call, and clauses to the decision on each call of an architecture. It knows no instruction.

use super::combine::{Layer, Layers, combine};
use super::condition::{Compiler, Unfit};
use super::diagram::{Arena, Leaf, NodeId, TooLarge};
use super::encode::{rank, return_value};
use super::implied::Family;
use canc_dsl::policy::{Action, Condition, Mode, PolicyData, RuleId};
use canc_sets::syscalls::{self, Arch};

/// `EPERM` of `asm-generic/errno-base.h`.
pub const EPERM: u16 = 1;
/// `ENOSYS` of `asm-generic/errno.h`.
pub const ENOSYS: u16 = 38;
/// `EOPNOTSUPP` of `asm-generic/errno.h`.
pub const EOPNOTSUPP: u16 = 95;

/// Numbers from here on belong to x32 on x86_64 and to nobody elsewhere; negative ones are among them.
pub const X32_BIT: u32 = 0x4000_0000;

/// Who brought a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// A rule that names the call.
    Rule(RuleId),
    /// The rules that bring a family, by its place in [`Clauses::families`].
    Family(usize),
    /// What every filter permits.
    Base,
    /// Namespaces that nothing allows.
    NamespaceGuard,
    /// Opening a TCP connection without `connect`.
    FastOpenGuard,
}

/// What a clause does where its condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// The launch's own exec: above every rule.
    Launch,
    /// Refuse, whatever is allowed; without an action, as if nobody mentioned the call.
    Deny(Option<Action>),
    /// Refuse what clauses allow; without an error number, as if no clause matched.
    Guard(Option<u16>),
    /// Allow and log.
    Log,
    /// Allow.
    Allow,
}

/// One thing that is said about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clause {
    /// Who says it.
    pub source: Source,
    /// What.
    pub effect: Effect,
    /// When, by its place in [`Clauses::conditions`]; `None` for always.
    pub condition: Option<usize>,
    /// On which architectures: bit N is `Arch::ALL[N]`.
    pub arches: u16,
}

/// All architectures.
pub const EVERYWHERE: u16 = u16::MAX;

/// Everything that a policy says about system calls.
#[derive(Debug, Clone, Default)]
pub struct Clauses {
    /// By [`syscalls::index`].
    pub by_call: Vec<Vec<Clause>>,
    /// The conditions.
    pub conditions: Vec<Condition>,
    /// The families that rules bring, and those rules.
    pub families: Vec<(Family, Vec<RuleId>)>,
    /// What a policy says for calls that nobody mentions.
    pub default: Option<Action>,
    /// Whether refusals are only logged.
    pub complain: bool,
}

/// Why a call's decision cannot be made: which clause's condition, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsayable {
    /// The clause's author.
    pub source: Option<Source>,
    /// Why.
    pub why: Unfit,
}

impl From<TooLarge> for Unsayable {
    fn from(_: TooLarge) -> Self {
        Self { source: None, why: Unfit::TooLarge }
    }
}

impl Clauses {
    /// Clauses with the policy's defaults and nothing said about any call.
    #[must_use]
    pub fn new(policy: &PolicyData) -> Self {
        Self {
            by_call: vec![Vec::new(); syscalls::names().len()],
            default: policy.syscall_default,
            complain: policy.mode == Mode::Complain,
            ..Self::default()
        }
    }

    /// Says something about a call; a name that no table has is passed over.
    pub fn say(
        &mut self,
        call: &str,
        source: Source,
        effect: Effect,
        condition: Option<Condition>,
        arches: u16,
    ) {
        let Some(list) = syscalls::index(call).and_then(|i| self.by_call.get_mut(i)) else { return };
        let condition = condition.map(|c| {
            self.conditions.push(c);
            self.conditions.len() - 1
        });
        list.push(Clause { source, effect, condition, arches });
    }

    /// The clauses about a call on an architecture.
    pub fn about(&self, call: usize, arch: Arch) -> impl Iterator<Item = &Clause> {
        let bit = 1u16 << arch.index();
        self.by_call.get(call).into_iter().flatten().filter(move |c| c.arches & bit != 0)
    }

    /// The action for a call that no clause allows.
    #[must_use]
    pub fn unmentioned(&self, call: &str) -> Action {
        // glibc makes no thread when clone3 fails in any other way.
        match self.default {
            _ if call == "clone3" => Action::Errno(ENOSYS),
            Some(action) => action,
            None if syscalls::has_fallback(call) => Action::Errno(ENOSYS),
            None => Action::Errno(EPERM),
        }
    }

    /// The action where a call is allowed on conditions and none holds.
    #[must_use]
    pub fn unmatched(&self) -> Action {
        self.refusal().unwrap_or(Action::Errno(EPERM))
    }

    /// The policy's default, where it refuses.
    fn refusal(&self) -> Option<Action> {
        self.default.filter(|a| !matches!(a, Action::Allow | Action::Log))
    }

    /// The action of a deny that names none: what the call would get if nobody mentioned it and the default refused.
    fn denied(&self, call: &str) -> Action {
        match self.refusal() {
            None if self.default.is_some() && !syscalls::has_fallback(call) => Action::Errno(EPERM),
            None if self.default.is_some() => Action::Errno(ENOSYS),
            _ => self.unmentioned(call),
        }
    }

    /// The action for a number that no call has.
    #[must_use]
    pub fn unknown(&self) -> Action {
        self.default.unwrap_or(Action::Errno(ENOSYS))
    }

    /// Whether a clause's condition names an architecture.
    #[must_use]
    pub fn names_arch(&self, clause: &Clause) -> bool {
        fn inside(condition: &Condition) -> bool {
            match condition {
                Condition::All(list) | Condition::Any(list) => list.iter().any(inside),
                Condition::Not(inner) => inside(inner),
                Condition::Test(_) => false,
                Condition::Arch(_) => true,
            }
        }
        clause.condition.and_then(|c| self.conditions.get(c)).is_some_and(inside)
    }

    /// The rules that stand behind a source.
    #[must_use]
    pub fn rules<'s>(&'s self, source: &'s Source) -> &'s [RuleId] {
        match source {
            Source::Rule(rule) => std::slice::from_ref(rule),
            Source::Family(family) => self.families.get(*family).map_or(&[], |f| f.1.as_slice()),
            Source::Base | Source::NamespaceGuard | Source::FastOpenGuard => &[],
        }
    }

    /// The action of a clause where it decides.
    #[must_use]
    pub fn action(&self, effect: Effect, call: &str) -> Action {
        match effect {
            Effect::Launch | Effect::Allow => Action::Allow,
            Effect::Log => Action::Log,
            Effect::Guard(None) => self.unmatched(),
            Effect::Guard(Some(number)) => Action::Errno(number),
            Effect::Deny(Some(action)) => action,
            Effect::Deny(None) => self.denied(call),
        }
    }

    /// What the filter returns for an action: in complain mode nothing is refused.
    #[must_use]
    pub fn answer(&self, action: Action) -> u32 {
        return_value(if self.complain && action != Action::Allow { Action::Log } else { action })
    }

    /// Whether nothing that the call is asked with changes the answer, and then which.
    #[must_use]
    pub fn plain(&self, call: usize, name: &str, arch: Arch) -> Option<u32> {
        let mut allowed = None;
        let mut denied: Option<(Action, bool)> = None;
        let mut guarded = false;
        for clause in self.about(call, arch) {
            match clause.effect {
                Effect::Allow | Effect::Log if clause.condition.is_none() => {
                    // Log wins over allow, as in the kernel.
                    allowed = allowed.max(Some(clause.effect == Effect::Log));
                }
                Effect::Guard(_) => guarded = true,
                Effect::Deny(named) if clause.condition.is_none() => {
                    let own = self.action(clause.effect, name);
                    let order = |(action, named): (Action, bool)| (rank(action), !named, action);
                    let own = (own, named.is_some());
                    denied = Some(denied.map_or(own, |d| if order(own) < order(d) { own } else { d }));
                }
                _ => return None,
            }
        }
        let action = match (denied, allowed) {
            (Some((action, _)), _) => action,
            (None, Some(_)) if guarded => return None,
            (None, Some(true)) => Action::Log,
            (None, Some(false)) => Action::Allow,
            (None, None) => self.unmentioned(name),
        };
        Some(self.answer(action))
    }

    /// The decision on a call: a diagram whose leaves are what the filter returns; guards may be left out.
    ///
    /// # Errors
    /// When a condition cannot be compiled.
    pub fn decision(
        &self,
        arena: &mut Arena,
        arch: Arch,
        call: usize,
        name: &'static str,
        unguarded: bool,
    ) -> Result<NodeId, Unsayable> {
        let mut groups = Groups::default();
        let counts = |c: &&Clause| !(unguarded && matches!(c.effect, Effect::Guard(_)));
        for clause in self.about(call, arch).filter(counts) {
            let holds = match clause.condition.and_then(|c| self.conditions.get(c)) {
                None => arena.constant(true)?,
                Some(condition) => {
                    let mut compiler = Compiler { arena, arch, call: name };
                    let unsayable = |why| Unsayable { source: Some(clause.source), why };
                    compiler.condition(condition).map_err(unsayable)?
                }
            };
            groups.add(clause.effect, self.action(clause.effect, name), holds);
        }
        Ok(self.layer(arena, groups, name)?)
    }

    /// The groups with what each answers, the weakest first.
    fn layer(&self, arena: &mut Arena, groups: Groups, name: &str) -> Result<NodeId, TooLarge> {
        let mentioned = !groups.allow.is_empty() || !groups.log.is_empty();
        let otherwise = if mentioned { self.unmatched() } else { self.unmentioned(name) };
        let mut denies = groups.denies;
        // An error that a rule names before one that it does not.
        denies.sort_by_key(|((action, named), _)| std::cmp::Reverse((rank(*action), !named, *action)));
        let mut leaf = |action| arena.leaf(Leaf::Return(self.answer(action)));
        let mut answered = |list: Vec<Refusals>| -> Result<Vec<Layer>, TooLarge> {
            list.into_iter().map(|((action, _), when)| Ok(Layer { answer: leaf(action)?, when })).collect()
        };
        let (guards, mut above) = (answered(groups.guards)?, answered(denies)?);
        let (allowed, logged, otherwise) = (leaf(Action::Allow)?, leaf(Action::Log)?, leaf(otherwise)?);
        above.push(Layer { answer: allowed, when: groups.launch });
        let granted =
            [Layer { answer: allowed, when: groups.allow }, Layer { answer: logged, when: groups.log }];
        combine(arena, &Layers { otherwise, granted, guards, above })
    }
}

/// Conditions with one action; whether a rule names that action.
type Refusals = ((Action, bool), Vec<NodeId>);

/// Conditions by what happens where they hold.
#[derive(Default)]
struct Groups {
    launch: Vec<NodeId>,
    denies: Vec<Refusals>,
    guards: Vec<Refusals>,
    log: Vec<NodeId>,
    allow: Vec<NodeId>,
}

impl Groups {
    fn add(&mut self, effect: Effect, action: Action, holds: NodeId) {
        let key = (action, matches!(effect, Effect::Deny(Some(_))));
        let by_action = |groups: &mut Vec<Refusals>| match groups.iter_mut().find(|g| g.0 == key) {
            Some(group) => group.1.push(holds),
            None => groups.push((key, vec![holds])),
        };
        match effect {
            Effect::Launch => self.launch.push(holds),
            Effect::Allow => self.allow.push(holds),
            Effect::Log => self.log.push(holds),
            Effect::Guard(_) => by_action(&mut self.guards),
            Effect::Deny(_) => by_action(&mut self.denies),
        }
    }
}
