//! Policies with their fragments and templates to flat lists of statements that keep where each came from.

use super::include::{Fragments, find_fragment};
use super::load::Units;
use super::params::{bind, check_list, unbound};
use super::place::Place;
use super::values::{Scope, World};
use super::when::decide;
use crate::ast::{Block, Call, Instance, Item, Name, Statement, StatementKind, When};
use crate::codes;
use crate::diag::Diagnostic;
use crate::limits::{MAX_INCLUDE_DEPTH, MAX_INCLUDES, MAX_POLICIES, MAX_RULES};
use crate::policy::IncludeSite;
use crate::sink::Sink;
use crate::suggest::nearest;
use canc_sets::syscalls::Arch;
use std::rc::Rc;
use std::sync::Arc;

/// One statement in a policy.
#[derive(Clone)]
pub(crate) struct Step<'u> {
    pub(crate) statement: &'u Statement,
    /// What its names stand for.
    pub(crate) scope: Rc<Scope>,
    /// The `include` statements that brought it, outermost first.
    pub(crate) included: Arc<[IncludeSite]>,
    /// Only on these architectures, by `when`.
    pub(crate) arches: Option<Rc<[Arch]>>,
}

/// One policy, its templates and fragments expanded.
pub(crate) struct Plan<'u> {
    pub(crate) name: Name,
    pub(crate) steps: Vec<Step<'u>>,
    /// An error was reported in it, so what seems missing may only not have been understood.
    pub(crate) broken: bool,
}

/// Everything a compilation builds.
pub(crate) struct Program<'u> {
    /// The policies of the first file.
    pub(crate) plans: Vec<Plan<'u>>,
    /// Fragments and templates that nobody includes or instantiates, to be looked at for mistakes alone.
    pub(crate) unused: Vec<Plan<'u>>,
    /// Statements of `when` branches that are not taken, for the same.
    pub(crate) aside: Vec<Step<'u>>,
    /// The tests of the first file.
    pub(crate) tests: Vec<&'u crate::ast::Test>,
}

/// Expands the policies of the first unit.
pub(crate) fn expand<'u>(world: World<'u>, sink: &mut Sink) -> Program<'u> {
    let fragments = Fragments::new(world, sink);
    let mut expander = Expander { world, fragments, sink, rules: 0, aside: Vec::new(), over: false };
    let mut program = Program { plans: Vec::new(), unused: Vec::new(), aside: Vec::new(), tests: Vec::new() };
    let mut used_templates: Vec<(usize, usize)> = Vec::new();
    let Some(main) = world.units.list.first() else { return program };
    for item in &main.tree.items {
        match item {
            Item::Policy(block) if block.params.is_none() => program.plans.push(expander.policy(block)),
            Item::Instance(instance) => {
                program.plans.extend(expander.instance(instance, &mut used_templates))
            }
            Item::Test(test) => program.tests.push(test),
            _ => {}
        }
    }
    if program.plans.len() > MAX_POLICIES
        && let Some(plan) = program.plans.get(MAX_POLICIES)
    {
        let message = format!("more than {MAX_POLICIES} policies");
        expander.sink.push(
            Diagnostic::new(codes::TOO_MANY_RULES, message)
                .label(plan.name.span, "one too many")
                .help("split the file"),
        );
        program.plans.truncate(MAX_POLICIES);
    }
    program.unused = expander.unused(&used_templates);
    program.aside = expander.aside;
    program
}

struct Expander<'u, 'd> {
    world: World<'u>,
    fragments: Fragments,
    sink: &'d mut Sink,
    rules: usize,
    /// Statements of branches that are not taken.
    aside: Vec<Step<'u>>,
    /// The limit of rules was reported.
    over: bool,
}

/// A policy being put together.
#[derive(Default)]
struct Build<'u> {
    steps: Vec<Step<'u>>,
    /// Fragments that are in it already, with their scopes: a second `include` of one adds nothing.
    included: Vec<((usize, usize), Rc<Scope>)>,
    includes: usize,
}

impl<'u> Expander<'u, '_> {
    fn policy(&mut self, block: &'u Block) -> Plan<'u> {
        self.build(&block.name, &block.body, Place::top(Scope::default()))
    }

    fn build(&mut self, name: &Name, body: &'u [Statement], place: Place) -> Plan<'u> {
        let before = self.sink.errors();
        let mut build = Build { steps: Vec::with_capacity(body.len()), ..Build::default() };
        self.statements(body, &place, &mut build);
        let broken = |s: &Step<'_>| matches!(s.statement.kind, StatementKind::Broken(_));
        let broken = self.sink.errors() > before || build.steps.iter().any(broken);
        Plan { name: name.clone(), steps: build.steps, broken }
    }

    fn instance(&mut self, instance: &'u Instance, used: &mut Vec<(usize, usize)>) -> Option<Plan<'u>> {
        let call = &instance.template;
        if call.name.text.is_empty() {
            return None;
        }
        let (unit, place, block) = self.template(&call.name)?;
        used.push((unit, place));
        let params = block.params.as_deref().unwrap_or_default();
        let scope = bind(self.world, unit, params, call, &Scope::default(), self.sink)?;
        Some(self.build(&instance.name, &block.body, Place::top(scope)))
    }

    fn template(&mut self, name: &Name) -> Option<(usize, usize, &'u Block)> {
        let units = self.world.units;
        let found = units.qualify(0, &name.text).and_then(|(unit, rest)| {
            let own = units.list.get(unit)?;
            let place = *own.policies.get(rest)?;
            Some((unit, place, own.tree.items.get(place)?))
        });
        match found {
            Some((unit, place, Item::Policy(block))) if block.params.is_some() => Some((unit, place, block)),
            Some(_) => {
                let message = format!("`{}` is no template", name.text);
                let help = format!("give it parameters: `policy {}() {{ … }}`", name.text);
                self.report(codes::UNKNOWN_TEMPLATE, name, message, "a policy without parameters", &help);
                None
            }
            None if units.is_lost(0, &name.text) => None,
            None => {
                let known = templates(units);
                let help = match nearest(&name.text, known.iter().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("define it: `policy {}(…) {{ … }}`", name.text),
                };
                let message = format!("unknown template `{}`", name.text);
                self.report(codes::UNKNOWN_TEMPLATE, name, message, "not known", &help);
                None
            }
        }
    }

    fn report(&mut self, code: crate::diag::Code, name: &Name, message: String, label: &str, help: &str) {
        self.sink.push(Diagnostic::new(code, message).label(name.span, label).help(help));
    }

    fn statements(&mut self, body: &'u [Statement], place: &Place, build: &mut Build<'u>) {
        for statement in body {
            if self.over || self.sink.is_full() {
                return;
            }
            match &statement.kind {
                StatementKind::When(when) => self.when(when, place, build),
                StatementKind::Include(calls) => self.include(statement, calls, place, build),
                kind => {
                    if !place.allows(statement, self.sink) {
                        continue;
                    }
                    if matches!(kind, StatementKind::Rule(_)) && !self.count_rule(statement) {
                        return;
                    }
                    build.steps.push(Step {
                        statement,
                        scope: Rc::clone(&place.scope),
                        included: Arc::clone(&place.included),
                        arches: place.arches.clone(),
                    });
                }
            }
        }
    }

    fn count_rule(&mut self, statement: &Statement) -> bool {
        self.rules += 1;
        if self.rules > MAX_RULES {
            self.over = true;
            self.sink.push(
                Diagnostic::new(codes::TOO_MANY_RULES, format!("more than {MAX_RULES} rules"))
                    .label(statement.span, "one too many")
                    .help("use patterns and sets, so that one rule says what many say"),
            );
        }
        !self.over
    }

    fn when(&mut self, when: &'u When, place: &Place, build: &mut Build<'u>) {
        let holds = decide(self.world, &when.condition, &place.scope, self.sink);
        let inner = place.inside(&when.condition);
        let all = &self.world.options.arches;
        let Some(holds) = holds else {
            // Both branches are looked at, but what is not known cannot narrow anything.
            self.statements(&when.then, &inner, build);
            self.statements(&when.otherwise, &inner, build);
            return;
        };
        let fails: Vec<Arch> = all.iter().copied().filter(|a| !holds.contains(a)).collect();
        for (body, arches) in [(&when.then, holds), (&when.otherwise, fails)] {
            let narrowed: Vec<Arch> = match &place.arches {
                Some(outer) => outer.iter().copied().filter(|a| arches.contains(a)).collect(),
                None => arches,
            };
            if narrowed.is_empty() {
                // A branch that is not taken is looked at for mistakes all the same, so that no option hides one.
                let mut aside = Build::default();
                self.statements(body, &inner, &mut aside);
                self.aside.extend(aside.steps);
            } else if inner.in_arch {
                self.statements(body, &Place { arches: Some(narrowed.into()), ..inner.clone() }, build);
            } else {
                self.statements(body, &inner, build);
            }
        }
    }

    fn include(&mut self, statement: &'u Statement, calls: &'u [Call], place: &Place, build: &mut Build<'u>) {
        if !place.allows(statement, self.sink) {
            return;
        }
        for call in calls {
            let Some((unit, at, block)) = find_fragment(self.world, call, &place.scope, self.sink) else {
                continue;
            };
            if self.fragments.in_ring(unit, at) {
                continue;
            }
            let params = block.params.as_deref().unwrap_or_default();
            let Some(scope) = bind(self.world, unit, params, call, &place.scope, self.sink) else { continue };
            self.fragments.mark_used(unit, at);
            if build.included.iter().any(|(which, known)| *which == (unit, at) && **known == scope) {
                continue;
            }
            if !self.within_limits(call, place, build) {
                return;
            }
            let scope = Rc::new(scope);
            build.included.push(((unit, at), Rc::clone(&scope)));
            let mut included = place.included.to_vec();
            included.push(IncludeSite { fragment: Arc::clone(&call.name.text), span: call.name.span });
            let inner = Place { scope, included: included.into(), in_fragment: true, ..place.clone() };
            self.statements(&block.body, &inner, build);
        }
    }

    fn within_limits(&mut self, call: &Call, place: &Place, build: &mut Build<'u>) -> bool {
        build.includes += 1;
        let message = if place.included.len() >= MAX_INCLUDE_DEPTH {
            format!("fragments include fragments more than {MAX_INCLUDE_DEPTH} deep")
        } else if build.includes > MAX_INCLUDES {
            self.over = true;
            format!("a policy includes more than {MAX_INCLUDES} fragments")
        } else {
            return true;
        };
        self.report(
            codes::TOO_MANY_INCLUDES,
            &call.name,
            message,
            "one too many",
            "include the fragments directly",
        );
        false
    }

    /// What nobody uses is looked at with unknown parameters, so that its mistakes are found before it is used.
    fn unused(&mut self, used_templates: &[(usize, usize)]) -> Vec<Plan<'u>> {
        let mut out = Vec::new();
        let units = self.world.units;
        for (number, unit) in units.list.iter().enumerate().filter(|(_, u)| !u.is_std) {
            for (place, item) in unit.tree.items.iter().enumerate() {
                let (block, fragment) = match item {
                    Item::Fragment(block) => (block, true),
                    Item::Policy(block) if block.params.is_some() => (block, false),
                    _ => continue,
                };
                let params = block.params.as_deref().unwrap_or_default();
                check_list(unit, params, self.sink);
                let used = self.fragments.is_used(number, place) || used_templates.contains(&(number, place));
                if used || self.fragments.in_ring(number, place) {
                    continue;
                }
                let mut top = Place::top(unbound(number, params));
                top.in_fragment = fragment;
                out.push(self.build(&block.name, &block.body, top));
            }
        }
        out
    }
}

/// The names of the templates that the first file can use.
fn templates(units: &Units) -> Vec<String> {
    fn name(item: &Item) -> Option<&Name> {
        match item {
            Item::Policy(block) if block.params.is_some() => Some(&block.name),
            _ => None,
        }
    }
    let Some(main) = units.list.first() else { return Vec::new() };
    let mut out: Vec<String> = main.names(name).map(String::from).collect();
    for (alias, unit) in main.used() {
        let names = units.list.get(unit).map(|u| u.names(name)).into_iter().flatten();
        out.extend(names.map(|n| format!("{alias}.{n}")));
    }
    out
}
