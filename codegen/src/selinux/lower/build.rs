//! What was collected to the module: each statement once, under the first rule that needs it, in an order that depends on nothing else.

use super::launch::Launch;
use super::own::{self, OwnNo};
use super::sheet::{Grant, NewLabel, Sheet, Source, Target, Ty};
use super::{LowerErrorKind, ports};
use crate::selinux::base::{ClassNo, PermSet};
use crate::selinux::known;
use crate::selinux::model::{
    Access as Rule, FcLine, FileContexts, Operand, PortLine, PortModule, Section, Statement, TeModule,
    Transition, TypeDecl,
};
use crate::selinux::names::{AttrName, ClassName, Comment, Perm, RawText, RoleName, TypeName};
use crate::selinux::words::Access;
use canc_dsl::policy::{Mode, Target as BackEnd};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Module that cannot be removed.
const ALWAYS: &str = "base";

pub(super) struct Built {
    pub(super) module: TeModule,
    pub(super) contexts: FileContexts,
    pub(super) ports: Option<PortModule>,
}

pub(super) fn build(sheet: &Sheet<'_, '_>) -> Result<Built, LowerErrorKind> {
    let builder = Builder { sheet, domain: sheet.type_name(Ty::Own(sheet.domain)) };
    let (sections, optionals) = builder.sections()?;
    let name = own::module_name(&sheet.policy.name)?;
    let about = vec![
        Comment::new(&format!(
            "SELinux module of the policy `{}`, made by canc: the next build overwrites it.",
            sheet.policy.name
        )),
        Comment::new(&format!("Made for the base `{}`.", sheet.plan.base.name())),
    ];
    let raw = sheet.policy.raw.iter().filter(|r| r.target == BackEnd::Selinux);
    let module = TeModule {
        name,
        about,
        types: builder.types(),
        sections,
        optionals,
        raw: raw.map(|r| RawText::new(std::sync::Arc::clone(&r.text))).collect(),
    };
    Ok(Built { module, contexts: builder.contexts(), ports: builder.ports()? })
}

struct Builder<'s> {
    sheet: &'s Sheet<'s, 's>,
    domain: String,
}

impl<'s> Builder<'s> {
    fn name(&self, text: &str) -> Result<TypeName, LowerErrorKind> {
        TypeName::new(text).map_err(|e| LowerErrorKind::Name { name: e.text })
    }

    fn own_name(&self, no: OwnNo) -> Result<TypeName, LowerErrorKind> {
        self.name(&self.sheet.type_name(Ty::Own(no)))
    }

    fn types(&self) -> Vec<TypeDecl> {
        let mine = self.sheet.plan.types.iter().filter(|(_, t)| t.policy == self.sheet.number);
        mine.map(|(no, t)| {
            let mut attributes: BTreeSet<AttrName> = t.attributes().collect();
            if no == self.sheet.domain && self.sheet.policy.separate_instances {
                attributes.extend(known::INSTANCE.iter().filter_map(|n| AttrName::new(n).ok()));
            }
            TypeDecl { about: Some(Comment::new(&t.about)), name: t.name.clone(), attributes }
        })
        .collect()
    }

    /// Sections of the main part in the policy's order, and of optional parts by module.
    fn sections(&self) -> Result<(Vec<Section>, Vec<Section>), LowerErrorKind> {
        let mut main: Vec<Section> = Vec::new();
        let mut by_module: BTreeMap<String, BTreeMap<(Source, Target, ClassNo), PermSet>> = BTreeMap::new();
        let mut have: HashMap<(Target, ClassNo), u64> = HashMap::new();
        let mut labels: BTreeMap<Source, Vec<&NewLabel>> = BTreeMap::new();
        self.sheet
            .new_labels
            .iter()
            .for_each(|(label, source)| labels.entry(*source).or_default().push(label));
        let mut grants: Vec<&Grant> = self.sheet.grants.iter().filter(|g| !g.given).collect();
        grants.sort_by_key(|g| g.source);
        let mut rest = grants.as_slice();
        let sources: BTreeSet<Source> =
            grants.iter().map(|g| g.source).chain(labels.keys().copied()).collect();
        for source in sources {
            let count = rest.iter().take_while(|g| g.source == source).count();
            let (mine, after) = rest.split_at(count);
            rest = after;
            let mut statements = Vec::new();
            for grant in mine {
                let known = have.entry((grant.target, grant.class)).or_insert(0);
                let new = PermSet(grant.perms.0 & !*known);
                *known |= grant.perms.0;
                if new.0 == 0 {
                    continue;
                }
                match self.module_of(grant.target) {
                    None => statements.push(self.allow(grant.target, grant.class, new)?),
                    Some(module) => {
                        let perms = by_module
                            .entry(module.into())
                            .or_default()
                            .entry((source, grant.target, grant.class))
                            .or_default();
                        perms.0 |= new.0;
                    }
                }
            }
            for label in labels.get(&source).into_iter().flatten() {
                statements.push(self.transition(label)?);
            }
            if source == Source::Base {
                statements.extend(self.own_statements()?);
            }
            statements.sort();
            if !statements.is_empty() {
                main.push(Section { about: self.about(source), statements });
            }
        }
        let audited = self.audited()?;
        if !audited.is_empty() {
            main.push(Section {
                about: vec![Comment::new("rules that the policy wants logged")],
                statements: audited,
            });
        }
        let mut optionals = self.by_launcher()?;
        for (module, grants) in by_module {
            let mut merged: BTreeMap<(Target, ClassNo), PermSet> = BTreeMap::new();
            grants.iter().for_each(|((_, target, class), perms)| {
                merged.entry((*target, *class)).or_default().0 |= perms.0
            });
            let mut statements: Vec<Statement> = merged
                .into_iter()
                .map(|((target, class), perms)| self.allow(target, class, perms))
                .collect::<Result<_, _>>()?;
            statements.sort();
            let about = Comment::new(&format!(
                "types of the base's module `{module}`, which a host may have removed"
            ));
            optionals.push(Section { about: vec![about], statements });
        }
        Ok((main, optionals))
    }

    /// The module of the base whose removal would take a target away.
    fn module_of(&self, target: Target) -> Option<&str> {
        match target {
            Target::Type(Ty::Base(no)) => Some(self.sheet.plan.base.type_module(no)).filter(|m| *m != ALWAYS),
            _ => None,
        }
    }

    fn about(&self, source: Source) -> Vec<Comment> {
        let Source::Rule(id) = source else {
            return vec![Comment::new("@base: what every policy has of itself")];
        };
        let Some(rule) = self.sheet.policy.rule(id) else { return Vec::new() };
        let mut text = format!("r{}", id.0 + 1);
        if let Some(name) = &rule.name {
            text.push_str(&format!(" @{name}"));
        }
        if let Some(site) = rule.included.last() {
            text.push_str(&format!(" ({})", site.fragment));
        }
        if let Some(because) = &rule.because {
            text.push_str(": ");
            text.push_str(because);
        }
        vec![Comment::new(&text)]
    }

    /// Statements that belong to the domain as such.
    fn own_statements(&self) -> Result<Vec<Statement>, LowerErrorKind> {
        let mut out = Vec::new();
        if self.sheet.policy.mode == Mode::Complain {
            out.push(Statement::Permissive(self.name(&self.domain)?));
        }
        for (role, module) in self.sheet.roles() {
            if module == ALWAYS {
                out.push(self.role(role)?);
            }
        }
        // A file system lets in only what it knows.
        for (_, own) in self.sheet.plan.types.iter().filter(|(_, t)| t.policy == self.sheet.number) {
            let volatile = match own.sort {
                super::Sort::Data { volatile, .. } => volatile,
                super::Sort::Program => false,
                super::Sort::Domain | super::Sort::Port => continue,
            };
            let names = known::DISK.iter().chain(if volatile { known::MEMORY } else { &[] });
            for name in names {
                let Ok(rows) = self.sheet.plan.words.of(Access::Associate) else { continue };
                for row in rows {
                    let target = Operand::Type(self.name(name)?);
                    out.push(Statement::Allow(self.rule(own.name.clone(), target, row.class, row.perms)?));
                }
            }
        }
        Ok(out)
    }

    fn role(&self, role: &str) -> Result<Statement, LowerErrorKind> {
        let role = RoleName::new(role).map_err(|e| LowerErrorKind::Name { name: e.text })?;
        Ok(Statement::Role { role, ty: self.name(&self.domain)? })
    }

    fn by_launcher(&self) -> Result<Vec<Section>, LowerErrorKind> {
        let mut out = Vec::new();
        let launches = self.sheet.launches();
        for launch in &launches {
            out.push(self.launcher(launch)?);
        }
        // Roles of launchers that start the domain through another policy.
        for (role, module) in self.sheet.roles() {
            let direct = launches.iter().any(|l| l.launcher.role == role);
            if module != ALWAYS && !direct {
                let about = Comment::new(&format!("started in the role `{role}` by another policy"));
                out.push(Section { about: vec![about], statements: vec![self.role(role)?] });
            }
        }
        Ok(out)
    }

    fn launcher(&self, launch: &Launch<'_>) -> Result<Section, LowerErrorKind> {
        let starter = self.name(launch.launcher.domain)?;
        let domain = self.name(&self.domain)?;
        let mut statements = Vec::new();
        if launch.launcher.module != ALWAYS {
            statements.push(self.role(launch.launcher.role)?);
        }
        for access in &launch.on_domain {
            self.rules(&starter, &Operand::Type(domain.clone()), *access, &mut statements)?;
        }
        for access in &launch.on_itself {
            self.rules(&starter, &Operand::SelfType, *access, &mut statements)?;
        }
        for (program, enters) in &launch.programs {
            let program = self.own_name(*program)?;
            self.rules(&starter, &Operand::Type(program.clone()), Access::StartProgram, &mut statements)?;
            if *enters {
                statements.push(Statement::Transition(Transition {
                    source: starter.clone(),
                    target: program,
                    class: self.class_named(known::PROCESS_CLASS)?,
                    result: domain.clone(),
                    name: None,
                }));
            }
        }
        for access in &launch.from_domain {
            self.rules(&domain, &Operand::Type(starter.clone()), *access, &mut statements)?;
        }
        let statements = merge(statements);
        let about = Comment::new(&format!(
            "started by `{}` in the role `{}`",
            launch.launcher.domain, launch.launcher.role
        ));
        Ok(Section { about: vec![about], statements })
    }

    fn rules(
        &self,
        source: &TypeName,
        target: &Operand,
        access: Access,
        out: &mut Vec<Statement>,
    ) -> Result<(), LowerErrorKind> {
        // What the base lacks was reported with the rule that needs it.
        let rows = self.sheet.plan.words.of(access).unwrap_or_default();
        for row in rows {
            out.push(Statement::Allow(self.rule(source.clone(), target.clone(), row.class, row.perms)?));
        }
        Ok(())
    }

    fn audited(&self) -> Result<Vec<Statement>, LowerErrorKind> {
        let mut merged: BTreeMap<(Target, ClassNo), PermSet> = BTreeMap::new();
        let logged =
            self.sheet.policy.rules.iter().filter(|r| r.audit && r.effect == canc_dsl::policy::Effect::Allow);
        let sources: BTreeSet<Source> = logged.map(|r| Source::Rule(r.id)).collect();
        for grant in self
            .sheet
            .grants
            .iter()
            .filter(|g| sources.contains(&g.source) && self.module_of(g.target).is_none())
        {
            merged.entry((grant.target, grant.class)).or_default().0 |= grant.perms.0;
        }
        let rule = |((target, class), perms): ((Target, ClassNo), PermSet)| {
            let target = self.operand(target)?;
            Ok(Statement::AuditAllow(self.rule(self.name(&self.domain)?, target, class, perms)?))
        };
        merged.into_iter().map(rule).collect()
    }

    fn operand(&self, target: Target) -> Result<Operand, LowerErrorKind> {
        let attribute = |names: &[&str]| {
            let name = names.first().copied().unwrap_or_default();
            AttrName::new(name).map(Operand::Attribute).map_err(|e| LowerErrorKind::Name { name: e.text })
        };
        match target {
            Target::Itself => Ok(Operand::SelfType),
            Target::Type(ty) => Ok(Operand::Type(self.name(&self.sheet.type_name(ty))?)),
            Target::AllPorts => attribute(known::ALL_PORTS),
            Target::AllDomains => attribute(known::ALL_DOMAINS),
        }
    }

    fn allow(&self, target: Target, class: ClassNo, perms: PermSet) -> Result<Statement, LowerErrorKind> {
        let target = self.operand(target)?;
        Ok(Statement::Allow(self.rule(self.name(&self.domain)?, target, class, perms)?))
    }

    fn rule(
        &self,
        source: TypeName,
        target: Operand,
        class: ClassNo,
        perms: PermSet,
    ) -> Result<Rule, LowerErrorKind> {
        let base = self.sheet.plan.base;
        let perm = |p: &str| Perm::new(p).map_err(|e| LowerErrorKind::Name { name: e.text });
        let perms = base.perm_names(class, perms).map(perm).collect::<Result<_, _>>()?;
        let class =
            ClassName::new(base.class_name(class)).map_err(|e| LowerErrorKind::Name { name: e.text })?;
        Ok(Rule { source, target, class, perms })
    }

    fn class_named(&self, names: &[&str]) -> Result<ClassName, LowerErrorKind> {
        let name = names.first().copied().unwrap_or_default();
        ClassName::new(name).map_err(|e| LowerErrorKind::Name { name: e.text })
    }

    fn transition(&self, label: &NewLabel) -> Result<Statement, LowerErrorKind> {
        let class = match label.class {
            None => self.class_named(known::PROCESS_CLASS)?,
            Some(kind) => self.class_named(known::KIND_CLASSES.get(kind..=kind).unwrap_or_default())?,
        };
        Ok(Statement::Transition(Transition {
            source: self.name(&self.domain)?,
            target: self.name(&self.sheet.type_name(label.parent))?,
            class,
            result: self.name(&self.sheet.type_name(label.result))?,
            name: label.name.clone(),
        }))
    }

    fn contexts(&self) -> FileContexts {
        let plan = self.sheet.plan;
        let mine = plan.areas.iter().zip(&plan.lines).filter(|(a, _)| a.policy == self.sheet.number);
        let mut lines: Vec<FcLine> = mine.flat_map(|(_, lines)| lines.iter().cloned()).collect();
        lines.sort();
        lines.dedup();
        let about = vec![Comment::new(&format!(
            "File contexts of the policy `{}`, made by canc.",
            self.sheet.policy.name
        ))];
        FileContexts { about, lines }
    }

    fn ports(&self) -> Result<Option<PortModule>, LowerErrorKind> {
        let mine: Vec<&ports::OwnPorts> =
            self.sheet.plan.ports.own.iter().filter(|p| p.policy == self.sheet.number).collect();
        if mine.is_empty() {
            return Ok(None);
        }
        let mut lines = Vec::new();
        for own in mine {
            let ty = self.own_name(own.ty)?;
            let range = |(low, high): &(u16, u16)| PortLine {
                protocol: own.protocol,
                low: *low,
                high: *high,
                ty: ty.clone(),
            };
            lines.extend(own.ports.ranges().iter().map(range));
        }
        lines.sort();
        let about =
            vec![Comment::new(&format!("Ports of the policy `{}`, made by canc.", self.sheet.policy.name))];
        Ok(Some(PortModule { name: own::port_module_name(&self.sheet.policy.name)?, about, ports: lines }))
    }
}

/// One statement per source, target and class.
fn merge(statements: Vec<Statement>) -> Vec<Statement> {
    let mut rules: BTreeMap<(TypeName, Operand, ClassName), BTreeSet<Perm>> = BTreeMap::new();
    let mut others = Vec::new();
    for statement in statements {
        match statement {
            Statement::Allow(rule) => {
                rules.entry((rule.source, rule.target, rule.class)).or_default().extend(rule.perms)
            }
            other => others.push(other),
        }
    }
    let made = rules
        .into_iter()
        .map(|((source, target, class), perms)| Statement::Allow(Rule { source, target, class, perms }));
    let mut out: Vec<Statement> = made.chain(others).collect();
    out.sort();
    out
}
