//! Sources to what `canc build` makes of them, beside the same policies as the compiler's own data.
//!
//! It must not know what is asked about them.

use super::hostile;
use crate::Error;
use crate::oracle::selinux::{Content, Module, Store};
use crate::policy::{Layers, ModuleText, Tools};
use canc_codegen::selinux::base::Base;
use canc_codegen::selinux::read::te;
use canc_codegen::selinux::{Lowered, emit, lower};
use canc_dsl::policy::PolicySet;
use canc_dsl::{NoFiles, Options, compile};
use std::collections::BTreeSet;

/// Policies, each with an idea of its own.
const SOURCES: &[(&str, &str)] = &[
    ("files", include_str!("files.can")),
    ("network", include_str!("network.can")),
    ("processes", include_str!("processes.can")),
    ("edges", include_str!("edges.can")),
    ("standard", include_str!("standard.can")),
    ("cat", include_str!("../../../../examples/cat/cat.can")),
    ("nginx", include_str!("../../../../examples/nginx/nginx.can")),
    ("curl", include_str!("../../../../examples/curl/curl.can")),
];

/// One source.
pub struct Case {
    /// Its name.
    pub name: String,
    /// The checked policies.
    pub set: PolicySet,
    /// What the compiler made of each, in the same order.
    pub all: Vec<Lowered>,
    /// The files of each in the bundle.
    pub files: Vec<ModuleText>,
}

/// Every source through `canc build`.
pub fn cases(tools: &Tools, base: &Base) -> Result<Vec<Case>, Error> {
    let given = SOURCES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    given.chain(hostile::sources(base)).map(|(name, text)| case(tools, base, name, &text)).collect()
}

fn case(tools: &Tools, base: &Base, name: String, text: &str) -> Result<Case, Error> {
    let odd = |what: String| Error::Odd(format!("{name}: {what}"));
    let (set, all) = lowered(base, text).map_err(|why| odd(why.join("; ")))?;
    let built = tools.compile(&name, text, Layers::All)?;
    let mut files = Vec::new();
    for one in &all {
        let found = built.module_text(&one.policy)?;
        let printed = emit::te(&one.module).ok().zip(emit::fc(&one.contexts).ok());
        if printed.as_ref() != Some(&(found.te.clone(), found.fc.clone())) {
            return Err(odd("the bundle holds other text than the compiler emits".to_owned()));
        }
        files.push(found);
    }
    Ok(Case { name, set, all, files })
}

/// The policies of a text and what they become, or what is wrong, each with its place.
pub fn lowered(base: &Base, text: &str) -> Result<(PolicySet, Vec<Lowered>), Vec<String>> {
    let made = compile("case.can", text.as_bytes(), &NoFiles, &Options::default());
    let place = |d: &canc_dsl::diag::Diagnostic| d.labels.first().map(|l| l.span);
    let said = |d: &canc_dsl::diag::Diagnostic| format!("{:?}: {}", place(d), d.message);
    let Some(set) = made.policies else {
        // A message without a place is none that an author can follow.
        let placed = made.diagnostics.iter().filter(|d| place(d).is_some());
        return Err(placed.map(said).collect());
    };
    let all = lower(&set, base);
    match all {
        Ok(all) => Ok((set, all)),
        Err(errors) => Err(errors.iter().map(|e| format!("{:?}: {}", e.span, e.kind)).collect()),
    }
}

impl Case {
    /// What the emitted texts say.
    pub fn said(&self) -> Result<Vec<te::Module>, Error> {
        self.files
            .iter()
            .map(|f| te::read(&f.te).map_err(|e| Error::Odd(format!("{}: {e}", self.name))))
            .collect()
    }
}

/// The modules of a text, packaged by the owners' tools.
pub fn modules(store: &Store, text: &ModuleText) -> Result<Vec<Module>, Error> {
    let mut out = vec![package(store, &text.module, &text.te, &text.fc)?];
    let side = text.ports.clone();
    out.extend(side.map(|(name, text)| Module { name, content: Content::Cil(text) }));
    Ok(out)
}

/// A module packaged by the owners' tools.
pub fn package(store: &Store, name: &str, te: &str, fc: &str) -> Result<Module, Error> {
    let verdict = store.package(name, te, fc)?.accepted();
    let bytes = verdict.map_err(|why| Error::Odd(format!("{name}: {why}")))?;
    Ok(Module { name: name.to_owned(), content: Content::Package(bytes) })
}

/// The module of types without a rule of ours, one for each set of attributes: beside them ours are held.
pub struct Bare {
    sets: Vec<BTreeSet<String>>,
}

impl Bare {
    /// For all types of the modules.
    pub fn new<'m>(modules: impl Iterator<Item = &'m te::Module>) -> Self {
        let each = modules.flat_map(|m| m.types.iter().map(|t| attributes(m, t)));
        Self { sets: each.collect::<BTreeSet<_>>().into_iter().collect() }
    }

    /// The bare type with a type's attributes.
    pub fn beside(&self, module: &te::Module, ty: &str) -> String {
        let mine = attributes(module, ty);
        let at = self.sets.iter().position(|s| *s == mine);
        name(at.unwrap_or(usize::MAX))
    }

    /// The names of all of them.
    pub fn names(&self) -> impl Iterator<Item = String> {
        (0..self.sets.len()).map(name)
    }

    /// Its text.
    pub fn te(&self) -> String {
        let used: BTreeSet<&String> = self.sets.iter().flatten().collect();
        let required: String = used.iter().map(|a| format!("attribute {a};\n")).collect();
        let mut out = format!("module canc_bare 1;\nrequire {{\n{required}}}\n");
        for (set, name) in self.sets.iter().zip(self.names()) {
            out.push_str(&format!("type {name};\n"));
            set.iter().for_each(|a| out.push_str(&format!("typeattribute {name} {a};\n")));
        }
        out
    }
}

fn name(number: usize) -> String {
    format!("canc_bare_{number}_t")
}

fn attributes(module: &te::Module, ty: &str) -> BTreeSet<String> {
    module.attributes.iter().filter(|(t, _)| t == ty).map(|(_, a)| a.clone()).collect()
}
