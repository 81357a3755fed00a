//! A module as it was emitted, with what the base gives every domain, to the permissions of the domain and who asked for them.

use crate::coverage::Source;
use crate::selinux::base::{Base, ClassNo, TypeNo};
use crate::selinux::known;
use crate::selinux::lower::{self, Lowered, Target, Ty};
use crate::selinux::read::te;
use std::collections::{BTreeSet, HashMap};

/// What a permission is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum On {
    /// The domain itself.
    Itself,
    /// A type of the base.
    Base(TypeNo),
    /// A type of the build, by its number.
    Own(u32),
    /// Every port.
    AllPorts,
    /// Every domain.
    AllDomains,
}

/// Sets of permissions each of which is enough.
pub type Enough<'p> = [&'p [&'p str]];

/// The permissions of a domain.
#[derive(Debug)]
pub struct Accesses {
    permitted: HashMap<(On, ClassNo), u64>,
    asked: HashMap<(On, ClassNo), Vec<(Source, u64)>>,
    by_class: HashMap<ClassNo, BTreeSet<On>>,
    transitions: Vec<te::NewType>,
    names: HashMap<String, On>,
    types: Vec<String>,
}

impl Accesses {
    /// Reads the permissions of `lowered`'s domain from the text of its module.
    pub fn new(base: &Base, lowered: &Lowered, module: te::Module) -> Self {
        let types = lowered.installed.types.clone();
        let names = (0u32..).zip(&types).map(|(n, t)| (t.clone(), On::Own(n)));
        let mut out = Self {
            permitted: HashMap::new(),
            asked: HashMap::new(),
            by_class: HashMap::new(),
            transitions: Vec::new(),
            names: names.collect(),
            types,
        };
        out.names.insert(lowered.domain.clone(), On::Itself);
        for rule in base.domain_rules().filter(|r| holds(base, r.condition)) {
            out.permit(base, rule.target, rule.class, rule.perms.split_whitespace());
        }
        for allow in module.allows.iter().filter(|a| a.source == lowered.domain) {
            out.permit(base, &allow.target, &allow.class, allow.perms.iter().map(String::as_str));
        }
        for grant in &lowered.grants {
            let source = match grant.source {
                lower::Source::Base => Source::Base,
                lower::Source::Rule(id) => Source::Rule(id),
            };
            let on = match grant.target {
                Target::Itself => On::Itself,
                Target::Type(Ty::Base(ty)) => On::Base(ty),
                Target::Type(Ty::Own(no)) => out.own(no.0),
                Target::AllPorts => On::AllPorts,
                Target::AllDomains => On::AllDomains,
            };
            out.asked.entry((on, grant.class)).or_default().push((source, grant.perms.0));
        }
        let mine = module.transitions.into_iter().filter(|t| t.source == lowered.domain);
        out.transitions.extend(mine);
        out
    }

    fn own(&self, number: u32) -> On {
        let name = self.types.get(number as usize);
        name.and_then(|n| self.names.get(n)).copied().unwrap_or(On::Own(number))
    }

    /// What a name of policy text stands for; `None` for attributes that nothing here asks about.
    fn on(&self, base: &Base, name: &str) -> Option<On> {
        match name {
            "self" => Some(On::Itself),
            name if known::ALL_PORTS.contains(&name) => Some(On::AllPorts),
            name if known::ALL_DOMAINS.contains(&name) => Some(On::AllDomains),
            name => self.names.get(name).copied().or_else(|| base.type_no(name).map(On::Base)),
        }
    }

    fn permit<'p>(&mut self, base: &Base, target: &str, class: &str, perms: impl Iterator<Item = &'p str>) {
        let (Some(on), Some(class)) = (self.on(base, target), base.class_no(class)) else { return };
        let bits = perms.fold(0, |bits, p| bits | base.perms(class, &[p]).map_or(0, |s| s.0));
        *self.permitted.entry((on, class)).or_default() |= bits;
        self.by_class.entry(class).or_default().insert(on);
    }

    /// The name of a type.
    pub fn name<'n>(&'n self, base: &'n Base, on: On) -> &'n str {
        match on {
            On::Base(ty) => base.type_name(ty),
            On::Own(no) => self.types.get(no as usize).map_or("", String::as_str),
            On::Itself | On::AllPorts | On::AllDomains => "",
        }
    }

    /// Who brought enough permissions of a class on something; empty where they are not permitted.
    pub fn sources(&self, base: &Base, on: On, class: &str, enough: &Enough<'_>) -> BTreeSet<Source> {
        let Some(class) = base.class_no(class) else { return BTreeSet::new() };
        let bits: Vec<u64> = enough.iter().filter_map(|p| base.perms(class, p).ok()).map(|p| p.0).collect();
        let satisfied = |have: u64| bits.iter().any(|b| b & !have == 0);
        if !satisfied(self.permitted.get(&(on, class)).copied().unwrap_or(0)) {
            return BTreeSet::new();
        }
        let mut asked: HashMap<Source, u64> = HashMap::new();
        for (source, perms) in self.asked.get(&(on, class)).into_iter().flatten() {
            *asked.entry(*source).or_default() |= perms;
        }
        let out: BTreeSet<Source> = asked.iter().filter(|(_, p)| satisfied(**p)).map(|(s, _)| *s).collect();
        // What nobody asked for alone is there all the same.
        if out.is_empty() { BTreeSet::from([Source::Base]) } else { out }
    }

    /// Everything on which enough permissions of a class are permitted, with who brought them.
    pub fn all(&self, base: &Base, class: &str, enough: &Enough<'_>) -> Vec<(On, BTreeSet<Source>)> {
        let on = base.class_no(class).and_then(|c| self.by_class.get(&c));
        let each = on.into_iter().flatten().map(|on| (*on, self.sources(base, *on, class, enough)));
        each.filter(|(_, s)| !s.is_empty()).collect()
    }

    /// The types of new things of a class in a directory of a type, or of processes of a program: with the name that they must have.
    pub fn new_types(&self, base: &Base, parent: On, class: &str) -> Vec<(On, Option<&str>)> {
        let name = self.name(base, parent);
        let mine = self.transitions.iter().filter(|t| t.target == name && t.class == class);
        let mut out: Vec<(On, Option<&str>)> =
            mine.filter_map(|t| Some((self.on(base, &t.result)?, t.name.as_deref()))).collect();
        if out.iter().all(|(_, name)| name.is_some()) {
            out.push((parent, None));
        }
        out
    }

    /// Whether running a program of a type takes the process elsewhere.
    pub fn leaves_by(&self, base: &Base, program: On) -> bool {
        let name = self.name(base, program);
        let process = known::PROCESS_CLASS.first().copied().unwrap_or_default();
        self.transitions.iter().any(|t| t.target == name && t.class == process)
            || !self.sources(base, On::Itself, process, &[&["setexec"]]).is_empty()
    }
}

/// Whether a rule of the base holds on a host whose booleans are as installed; what is not known holds.
fn holds(base: &Base, condition: &str) -> bool {
    match condition.split_once(':') {
        None => true,
        Some((name, value)) => base.boolean(name).is_none_or(|v| v == (value == "True")),
    }
}
