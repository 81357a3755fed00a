//! Policies through the whole SELinux back end into a linked policy: its rules are those that were emitted, its labels are found where
//! the compiler looks them up, and it answers as the compiler says.

mod access;
mod answers;
mod corpus;
mod hostile;
mod labels;
mod mutants;

use super::ensure;
use crate::oracle::selinux::{FileKind, Reach, Store};
use crate::policy::{ModuleText, Tools};
use crate::{Error, Rootfs};
use canc_codegen::selinux::base::Base;
use canc_codegen::selinux::read::te;
use corpus::{Bare, Case};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Compiles, installs and compares every case; then alters the texts and sees to it that each comparison notices.
pub fn run(rootfs: &Rootfs) -> Result<(), Error> {
    let base = Base::debian13();
    let cases = corpus::cases(&Tools::build(rootfs)?, &base)?;
    let asked = Asked::new(&base, &cases)?;
    let start = Instant::now();
    let store = Store::new(rootfs)?;
    let texts = cases.iter().flat_map(|c| &c.files).cloned().collect::<Vec<_>>();
    let linked = asked.linked(&store, &cases, &texts)?;
    println!("{} cases in one transaction: {:.1} s", cases.len(), start.elapsed().as_secs_f32());
    let mut wrong = Vec::new();
    for case in &cases {
        let start = Instant::now();
        for (check, what) in asked.wrong(&linked, case)? {
            wrong.push(format!("{}: {check}: {what}", case.name));
        }
        println!("{}: {} domains, {:.1} s", case.name, case.all.len(), start.elapsed().as_secs_f32());
    }
    ensure(wrong.is_empty(), || wrong.join("\n"))?;
    println!("{} hostile words are refused with a place", hostile::refusals(&base)?);
    let start = Instant::now();
    let complaints = mutants::run(rootfs, &base, cases)?;
    println!("{complaints} complaints about altered texts, {:.1} s", start.elapsed().as_secs_f32());
    Ok(())
}

/// What all checks need to know.
struct Asked<'a> {
    base: &'a Base,
    bare: Bare,
    types: BTreeSet<String>,
    /// Asked about as every kind of file.
    paths: BTreeSet<String>,
    /// Asked about as ordinary files and directories alone: they are many.
    plain: BTreeSet<String>,
}

/// A check that failed, and what it says.
type Wrong = (&'static str, String);

impl<'a> Asked<'a> {
    fn new(base: &'a Base, cases: &[Case]) -> Result<Self, Error> {
        let said: Vec<te::Module> = cases.iter().map(Case::said).collect::<Result<Vec<_>, _>>()?.concat();
        let bare = Bare::new(said.iter());
        let types = access::types(cases, &bare)?;
        let paths = cases.iter().flat_map(|c| labels::paths(c, base)).collect();
        Ok(Self { base, bare, types, paths, plain: hostile::paths() })
    }

    /// The texts in one linked policy, which is to be what the cases say.
    fn linked(&self, store: &Store, cases: &[Case], texts: &[ModuleText]) -> Result<Linked, Error> {
        let mut modules = vec![corpus::package(store, "canc_bare", &self.bare.te(), "")?];
        for text in texts {
            modules.extend(corpus::modules(store, text)?);
        }
        store.install(&modules, false)?.accepted().map_err(Error::Odd)?;
        let mut said = te::Module::default();
        for module in cases.iter().map(Case::said).collect::<Result<Vec<_>, _>>()?.concat() {
            said.allows.extend(module.allows);
            said.transitions.extend(module.transitions);
        }
        Linked::new(store, said, self)
    }

    fn wrong(&self, linked: &Linked, case: &Case) -> Result<Vec<Wrong>, Error> {
        let of = |check, all: Vec<String>| all.into_iter().map(move |what| (check, what));
        let mut out: Vec<Wrong> = of("access", access::check(linked, &self.bare, case)?).collect();
        out.extend(of("labels", labels::check(linked, self.base, case)?));
        if case.name != hostile::WORDS_CASE {
            out.extend(of("answers", answers::check(linked, self.base, case)?));
        }
        out.extend(of("hostile", hostile::check(linked, case)?));
        Ok(out)
    }
}

/// A linked policy and all that is asked about it.
struct Linked {
    /// What all modules of ours say.
    said: te::Module,
    reach: BTreeMap<String, Reach>,
    members: BTreeMap<String, BTreeSet<String>>,
    labels: BTreeMap<(FileKind, String), Option<String>>,
    ports: Vec<(String, u16, u16, String)>,
}

impl Linked {
    fn new(store: &Store, said: te::Module, asked: &Asked<'_>) -> Result<Self, Error> {
        let members = access::attributes(store, &said)?;
        let mut labels = BTreeMap::new();
        for (kind, _) in labels::KINDS {
            let common = matches!(kind, FileKind::File | FileKind::Directory);
            let plain = asked.plain.iter().filter(|_| common);
            let can_be = |p: &&String| labels::kinds(p).any(|(k, _)| k == kind);
            let paths: Vec<&String> = asked.paths.iter().chain(plain).filter(can_be).collect();
            let bare =
                |p: &&String| if *p == "/" { (*p).clone() } else { p.trim_end_matches('/').to_owned() };
            let found = store.labels(kind, &paths.iter().map(bare).collect::<Vec<_>>())?;
            for (path, label) in paths.into_iter().zip(found) {
                let ty = label.and_then(|c| c.split(':').nth(2).map(str::to_owned));
                labels.insert((kind, path.clone()), ty);
            }
        }
        let ports = store.seinfo(&["--portcon", "--flat"])?.iter().filter_map(|l| port(l)).collect();
        Ok(Self { ports, said, reach: store.reach(&asked.types)?, members, labels })
    }

    fn reach(&self, ty: &str) -> Result<&Reach, Error> {
        self.reach.get(ty).ok_or_else(|| Error::Odd(format!("nobody asked about `{ty}`")))
    }

    /// The types that the target of a rule stands for.
    fn targets(&self, allow: &te::Allow) -> BTreeSet<String> {
        let itself = if allow.target == "self" { &allow.source } else { &allow.target };
        self.members.get(&allow.target).cloned().unwrap_or_else(|| BTreeSet::from([itself.clone()]))
    }

    /// The type of a port: the narrowest range counts.
    fn port(&self, protocol: &str, port: u16) -> Result<&str, Error> {
        let ranges =
            self.ports.iter().filter(|(p, low, high, _)| p == protocol && (*low..=*high).contains(&port));
        let found = ranges.min_by_key(|(_, low, high, _)| high - low);
        found.map(|p| p.3.as_str()).ok_or_else(|| Error::Odd(format!("{protocol} port {port} has no type")))
    }

    /// The type of a canonical path as this kind of file.
    fn label(&self, kind: FileKind, path: &str) -> Result<Option<&str>, Error> {
        let found = self.labels.get(&(kind, path.to_owned()));
        found.map(Option::as_deref).ok_or_else(|| Error::Odd(format!("nobody asked for the label of {path}")))
    }
}

/// A line of `seinfo --portcon`.
fn port(line: &str) -> Option<(String, u16, u16, String)> {
    let mut words = line.strip_prefix("portcon ")?.split_whitespace();
    let (protocol, range, context) = (words.next()?, words.next()?, words.next()?);
    let (low, high) = range.split_once('-').unwrap_or((range, range));
    let ty = context.split(':').nth(2)?;
    Some((protocol.to_owned(), low.parse().ok()?, high.parse().ok()?, ty.to_owned()))
}
