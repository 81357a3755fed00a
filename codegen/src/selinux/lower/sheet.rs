//! What one policy is granted, by whom, and what that is worth: the grants, transitions and verdicts that lowering collects.

use super::own::OwnNo;
use super::plan::Plan;
use crate::selinux::base::{ClassNo, PermSet, TypeNo};
use crate::selinux::known;
use crate::selinux::names::FileName;
use crate::selinux::words::Access;
use crate::verdict::{Outcome, Verdict};
use canc_dsl::policy::{Effect, NetRule, Policy, RuleId};
use canc_sets::path::Pattern;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A type, the build's or the base's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ty {
    /// The build's.
    Own(OwnNo),
    /// The base's.
    Base(TypeNo),
}

/// What a grant is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// The domain itself.
    Itself,
    /// A type.
    Type(Ty),
    /// Every port.
    AllPorts,
    /// Every domain.
    AllDomains,
}

/// Who brought a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// The policy's being a domain at all.
    Base,
    /// A rule.
    Rule(RuleId),
}

/// Permissions of one class on one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// Who brought it.
    pub source: Source,
    /// On what.
    pub target: Target,
    /// The class.
    pub class: ClassNo,
    /// The permissions.
    pub perms: PermSet,
    /// Whether the attribute `domain` brings it, so that no statement is needed.
    pub given: bool,
}

/// What something new is to be labelled.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct NewLabel {
    /// The directory's type, or the program's.
    pub(super) parent: Ty,
    /// The class, by its place in [`known::KIND_CLASSES`]; `None` for a process.
    pub(super) class: Option<usize>,
    /// The type that it gets.
    pub(super) result: Ty,
    /// Only under this name.
    pub(super) name: Option<FileName>,
}

/// A verdict in the making.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    pub(super) widened: Vec<String>,
    pub(super) narrowed: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) unknown: Option<String>,
    pub(super) not_mediated: bool,
    /// For a deny: requests that get through, and whether all of it does.
    pub(super) through: Vec<String>,
    pub(super) dropped: Option<String>,
    /// How many more types there are than `widened` names.
    unnamed: usize,
}

/// Verdicts name so many things of one sort and count the rest.
const NAMED: usize = 8;

impl Draft {
    pub(super) fn widen(&mut self, text: String) {
        add(&mut self.widened, text);
    }

    /// The same for one of many: only the first few are spelled out.
    pub(super) fn widen_one_of_many(&mut self, text: impl FnOnce() -> String) {
        if self.widened.len() < NAMED {
            self.widen(text());
        } else {
            self.unnamed += 1;
        }
    }

    pub(super) fn narrow(&mut self, text: String) {
        add(&mut self.narrowed, text);
    }

    pub(super) fn note(&mut self, text: impl Into<String>) {
        add(&mut self.notes, text.into());
    }

    fn outcome(self, effect: Effect) -> Outcome {
        let verdict = match effect {
            _ if self.unknown.is_some() => Verdict::BaseUnknown { why: self.unknown.unwrap_or_default() },
            _ if self.not_mediated => Verdict::NotApplicable,
            Effect::Allow => {
                let mut widened = shorten(self.widened);
                if self.unnamed > 0 {
                    widened.push(format!("and {} more types", self.unnamed));
                }
                Verdict::Allow { widened, narrowed: shorten(self.narrowed) }
            }
            Effect::Deny => match (self.dropped, self.through) {
                (Some(why), _) => Verdict::DenyDropped { why },
                (None, through) if through.is_empty() => Verdict::DenyExact,
                (None, through) => Verdict::DenyPartial { through: shorten(through) },
            },
        };
        let mut out = Outcome::new(verdict);
        out.notes = self.notes;
        out
    }
}

fn add(list: &mut Vec<String>, text: String) {
    if !list.contains(&text) {
        list.push(text);
    }
}

fn shorten(mut list: Vec<String>) -> Vec<String> {
    if list.len() > NAMED + 1 {
        let more = list.len() - NAMED;
        list.truncate(NAMED);
        list.push(format!("and {more} more"));
    }
    list
}

/// The sheet of one policy.
pub(super) struct Sheet<'p, 'a> {
    pub(super) plan: &'p Plan<'a>,
    pub(super) number: usize,
    pub(super) policy: &'a Policy,
    /// The policy's denies of ports, which every rule about ports looks at.
    pub(super) net_denies: Vec<&'a NetRule>,
    pub(super) domain: OwnNo,
    pub(super) grants: Vec<Grant>,
    pub(super) new_labels: BTreeMap<NewLabel, Source>,
    pub(super) drafts: Vec<Draft>,
    /// What `@base` is worth.
    pub(super) base_draft: Draft,
    /// What the base asserts that no domain may have.
    assertions: HashMap<(Target, ClassNo), Vec<PermSet>>,
    kinds: Vec<Option<ClassNo>>,
    have: HashMap<(Source, Target, ClassNo), usize>,
    /// Types of directories that were asked for, since rules share parents.
    pub(super) known_directories: HashMap<Pattern, BTreeSet<Ty>>,
}

impl<'p, 'a> Sheet<'p, 'a> {
    pub(super) fn new(plan: &'p Plan<'a>, number: usize, policy: &'a Policy, domain: OwnNo) -> Self {
        let base = plan.base;
        let mut assertions: HashMap<(Target, ClassNo), Vec<PermSet>> = HashMap::new();
        for a in base.assertions() {
            let target = if a.target == "self" {
                Some(Target::Itself)
            } else {
                base.type_no(a.target).map(|t| Target::Type(Ty::Base(t)))
            };
            let (Some(target), Some(class)) = (target, base.class_no(a.class)) else { continue };
            let names: Vec<&str> = a.perms.split_whitespace().collect();
            if let Ok(perms) = base.perms(class, &names) {
                assertions.entry((target, class)).or_default().push(perms);
            }
        }
        Self {
            plan,
            number,
            policy,
            net_denies: super::ports::denies(policy),
            domain,
            grants: Vec::new(),
            new_labels: BTreeMap::new(),
            drafts: policy.rules.iter().map(|_| Draft::default()).collect(),
            base_draft: Draft::default(),
            assertions,
            kinds: known::KIND_CLASSES.iter().map(|n| base.class_no(n)).collect(),
            have: HashMap::new(),
            known_directories: HashMap::new(),
        }
    }

    /// The class of a kind of file, by its place in the order of kinds.
    pub(super) fn kind_class(&self, kind: usize) -> Option<ClassNo> {
        self.kinds.get(kind).copied().flatten()
    }

    /// The verdict in the making of whoever brings a grant.
    pub(super) fn draft(&mut self, source: Source) -> &mut Draft {
        match source {
            Source::Base => &mut self.base_draft,
            Source::Rule(id) => match self.drafts.get_mut(id.0 as usize) {
                Some(draft) => draft,
                None => &mut self.base_draft,
            },
        }
    }

    /// Grants an access in all its classes.
    pub(super) fn grant(&mut self, source: Source, target: Target, access: Access) {
        self.grant_classes(source, target, access, &|_| true);
    }

    /// Grants an access in those of its classes that `keep` accepts.
    pub(super) fn grant_classes(
        &mut self,
        source: Source,
        target: Target,
        access: Access,
        keep: &dyn Fn(ClassNo) -> bool,
    ) {
        let plan = self.plan;
        match plan.words.of(access) {
            Ok(rows) => {
                for row in rows.iter().filter(|r| keep(r.class)) {
                    self.perms(source, target, row.class, row.perms);
                }
            }
            Err(lacks) => {
                let why = format!("the base has no `{lacks}`");
                self.draft(source).unknown.get_or_insert(why);
            }
        }
    }

    /// Grants permissions, unless the base asserts that no domain may have them.
    pub(super) fn perms(&mut self, source: Source, target: Target, class: ClassNo, perms: PermSet) {
        let mut perms = perms;
        if let Some(list) = self.assertions.get(&(target, class)) {
            let broken: Vec<PermSet> = list.iter().filter(|p| p.0 & perms.0 != 0).copied().collect();
            if !broken.is_empty() {
                let what = self.name(target);
                let words: Vec<String> = broken
                    .iter()
                    .flat_map(|p| self.plan.base.perm_names(class, PermSet(p.0 & perms.0)))
                    .map(str::to_owned)
                    .collect();
                let class_name = self.plan.base.class_name(class).to_owned();
                self.draft(source).narrow(format!(
                    "`{class_name} {{ {} }}` on `{what}`: the base asserts that no domain has it",
                    words.join(" ")
                ));
                perms = PermSet(broken.iter().fold(perms.0, |bits, p| bits & !p.0));
            }
        }
        if perms.0 == 0 {
            return;
        }
        match self.have.get(&(source, target, class)).and_then(|at| self.grants.get_mut(*at)) {
            Some(known) => known.perms.0 |= perms.0,
            None => {
                self.have.insert((source, target, class), self.grants.len());
                self.grants.push(Grant { source, target, class, perms, given: false });
            }
        }
    }

    /// Notes what the attribute `domain` brings; nothing of it is emitted.
    pub(super) fn given(&mut self) {
        let base = self.plan.base;
        for rule in base.domain_rules() {
            let holds = match rule.condition.split_once(':') {
                None => true,
                Some((name, value)) => base.boolean(name).is_none_or(|v| v == (value == "True")),
            };
            let target = match (rule.target, base.type_no(rule.target)) {
                ("self", _) => Some(Target::Itself),
                (_, Some(ty)) => Some(Target::Type(Ty::Base(ty))),
                (name, None) => known::ALL_DOMAINS.contains(&name).then_some(Target::AllDomains),
            };
            let (true, Some(target), Some(class)) = (holds, target, base.class_no(rule.class)) else {
                continue;
            };
            let names: Vec<&str> = rule.perms.split_whitespace().collect();
            if let Ok(perms) = base.perms(class, &names) {
                self.grants.push(Grant { source: Source::Base, target, class, perms, given: true });
            }
        }
    }

    /// The name of a target.
    pub(super) fn name(&self, target: Target) -> String {
        match target {
            Target::Itself => "self".into(),
            Target::Type(ty) => self.type_name(ty),
            Target::AllPorts => known::ALL_PORTS.first().copied().unwrap_or("").into(),
            Target::AllDomains => known::ALL_DOMAINS.first().copied().unwrap_or("").into(),
        }
    }

    /// The name of a type.
    pub(super) fn type_name(&self, ty: Ty) -> String {
        match ty {
            Ty::Own(no) => self.plan.own(no).map(|t| t.name.to_string()).unwrap_or_default(),
            Ty::Base(no) => self.plan.base.type_name(no).into(),
        }
    }

    /// A type of the base by name; where it is missing the rule's verdict says so.
    pub(super) fn base_type(&mut self, source: Source, name: &str) -> Option<Ty> {
        let found = self.plan.base.type_no(name);
        if found.is_none() {
            self.draft(source).unknown.get_or_insert(format!("the base has no `{name}`"));
        }
        found.map(Ty::Base)
    }

    /// The verdicts, `@base` last.
    pub(super) fn outcomes(&mut self) -> (Vec<Outcome>, Outcome) {
        let unproved = self.policy.raw.iter().any(|r| r.target == canc_dsl::policy::Target::Selinux);
        let unseen = self.plan.base.unseen();
        let finish = |mut outcome: Outcome| {
            outcome.unseen = unseen && !matches!(outcome.verdict, Verdict::NotApplicable);
            outcome.unproved = unproved && !matches!(outcome.verdict, Verdict::NotApplicable);
            outcome
        };
        let drafts = std::mem::take(&mut self.drafts);
        let rules =
            drafts.into_iter().zip(&self.policy.rules).map(|(d, r)| finish(d.outcome(r.effect))).collect();
        let base = finish(std::mem::take(&mut self.base_draft).outcome(Effect::Allow));
        (rules, base)
    }
}
