//! Policies through the whole SELinux back end into a linked policy: the domain there has what the emitted text says on top of
//! what every domain of the base has, the module's labels are found where the compiler looks them up, and nothing more.

use super::ensure;
use crate::oracle::selinux::{Access, Content, FileKind, Module, Store};
use crate::{Error, Rootfs};
use canc_codegen::selinux::base::Base;
use canc_codegen::selinux::read::te;
use canc_codegen::selinux::{Lowered, Reader, emit, lower};
use canc_dsl::policy::PolicySet;
use canc_dsl::{NoFiles, Options, compile};
use std::collections::{BTreeMap, BTreeSet};

/// Policies, each with an idea of its own.
const CASES: &[(&str, &str)] = &[
    ("files", include_str!("selinux/files.can")),
    ("network", include_str!("selinux/network.can")),
    ("processes", include_str!("selinux/processes.can")),
    ("edges", include_str!("selinux/edges.can")),
    ("hostile", include_str!("selinux/hostile.can")),
];

/// A domain without a rule, beside which the others are held.
const BARE: &str = "module canc_bare 1;\nrequire { attribute domain; }\ntype canc_bare_t;\ntypeattribute canc_bare_t domain;\n";

/// Compiles, installs and compares every case.
pub fn run(rootfs: &Rootfs) -> Result<(), Error> {
    let store = Store::new(rootfs)?;
    let base = Base::debian13();
    let mut cases = Vec::new();
    let mut modules = vec![package(&store, "canc_bare", BARE, "")?];
    for (name, text) in CASES {
        let set = policies(name, text)?;
        let all = lower(&set, &base).map_err(|e| Error::Odd(format!("{name}: {e:?}")))?;
        for one in &all {
            let te = emit::te(&one.module).map_err(|e| Error::Odd(e.to_string()))?;
            let fc = emit::fc(&one.contexts).map_err(|e| Error::Odd(e.to_string()))?;
            modules.push(package(&store, one.module.name.as_str(), &te, &fc)?);
            if let Some(ports) = &one.ports {
                let text = emit::cil(ports).map_err(|e| Error::Odd(e.to_string()))?;
                modules.push(Module { name: ports.name.to_string(), content: Content::Cil(text) });
            }
        }
        cases.push((*name, set, all));
    }
    store.install(&modules, false)?.accepted().map_err(Error::Odd)?;
    let bare = store.access("canc_bare_t")?;
    for (name, set, all) in &cases {
        for one in all {
            access(&store, &bare, one).map_err(|e| Error::Odd(format!("{name}: {e}")))?;
        }
        let paths = labels(&store, &base, set, all).map_err(|e| Error::Odd(format!("{name}: {e}")))?;
        println!("{name}: {} domains, labels of {paths} paths", all.len());
    }
    Ok(())
}

fn policies(name: &str, text: &str) -> Result<PolicySet, Error> {
    let made = compile(name, text.as_bytes(), &NoFiles, &Options::default());
    let messages: Vec<String> = made.diagnostics.iter().map(|d| d.message.clone()).collect();
    made.policies.ok_or_else(|| Error::Odd(format!("{name}: {}", messages.join("; "))))
}

fn package(store: &Store, name: &str, te: &str, fc: &str) -> Result<Module, Error> {
    let bytes = store.package(name, te, fc)?.accepted().map_err(Error::Odd)?;
    Ok(Module { name: name.to_owned(), content: Content::Package(bytes) })
}

/// The linked policy gives the domain what the module says and what every domain has: no more, no less.
fn access(store: &Store, bare: &Access, one: &Lowered) -> Result<(), Error> {
    let text = emit::te(&one.module).map_err(|e| Error::Odd(e.to_string()))?;
    let module = te::read(&text).map_err(|e| Error::Odd(e.to_string()))?;
    let mut expected: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let itself = |name: &str| if name == "canc_bare_t" { one.domain.clone() } else { name.to_owned() };
    for ((target, class), perms) in bare {
        expected.entry((itself(target), class.clone())).or_default().extend(perms.iter().cloned());
    }
    for allow in module.allows.iter().filter(|a| a.source == one.domain) {
        for target in targets(store, one, &allow.target)? {
            expected.entry((target, allow.class.clone())).or_default().extend(allow.perms.iter().cloned());
        }
    }
    let found = store.access(&one.domain)?;
    let difference = |a: &Access, b: &Access| {
        let lacks = |(key, perms): (&(String, String), &BTreeSet<String>)| {
            let other = b.get(key).cloned().unwrap_or_default();
            let left: Vec<String> = perms.difference(&other).cloned().collect();
            (!left.is_empty()).then(|| format!("{}:{} {{ {} }}", key.0, key.1, left.join(" ")))
        };
        a.iter().filter_map(lacks).collect::<Vec<_>>()
    };
    // Other cases are domains and ports of the same policy, which rules about all of them reach too.
    let ours = |line: &String| !line.starts_with("canc_") || line.starts_with(&one.domain);
    let more: Vec<String> = difference(&found, &expected).into_iter().filter(ours).collect();
    let less: Vec<String> = difference(&expected, &found).into_iter().filter(ours).collect();
    ensure(more.is_empty(), || format!("`{}` has more than was emitted: {more:?}", one.domain))?;
    ensure(less.is_empty(), || format!("`{}` lacks what was emitted: {less:?}", one.domain))
}

/// The types that a target stands for.
fn targets(store: &Store, one: &Lowered, target: &str) -> Result<Vec<String>, Error> {
    if target == "self" {
        return Ok(vec![one.domain.clone()]);
    }
    if target != "domain" && target != "port_type" {
        return Ok(vec![target.to_owned()]);
    }
    let lines = store.seinfo(&["-a", target, "-x"])?;
    let names = lines.iter().filter(|l| !l.contains([' ', ';', ':']) && !l.is_empty());
    Ok(names.cloned().collect())
}

/// The policy's own tools find the labels that the compiler finds.
fn labels(store: &Store, base: &Base, set: &PolicySet, all: &[Lowered]) -> Result<usize, Error> {
    let (Some(policy), Some(first)) = (set.policies().first(), all.first()) else { return Ok(0) };
    let reader = Reader::new(set, policy, first, base).map_err(|e| Error::Odd(e.to_string()))?;
    let mut paths: BTreeSet<String> = BTreeSet::new();
    for line in all.iter().flat_map(|l| &l.contexts.lines) {
        for directory in [true, false] {
            for fill in ["a", "x.conf"] {
                let Some(path) = line.path.main().example_with(directory, fill) else { continue };
                let bare = path.trim_end_matches('/').to_owned();
                let parent = bare.rsplit_once('/').map(|p| p.0.to_owned()).filter(|p| !p.is_empty());
                paths.extend(parent.map(|p| format!("{p}/")));
                paths.extend([format!("{bare}x"), format!("{bare}/y"), format!("{bare}/y/"), path]);
            }
        }
    }
    paths.retain(|p| p.is_ascii() && !p.contains(['\n', '\r']));
    for (kind, directory) in [(FileKind::File, false), (FileKind::Directory, true)] {
        let asked: Vec<String> = paths.iter().filter(|p| p.ends_with('/') == directory).cloned().collect();
        let bare = asked.iter().map(|p| if p == "/" { p.clone() } else { p.trim_end_matches('/').to_owned() });
        let found = store.labels(kind, &bare.collect::<Vec<_>>())?;
        for (path, found) in asked.iter().zip(found) {
            let found = found.and_then(|c| c.split(':').nth(2).map(str::to_owned));
            let ours = reader.type_of(path);
            ensure(ours == found, || format!("{path}: {ours:?}, but `matchpathcon` says {found:?}"))?;
        }
    }
    Ok(paths.len())
}
