//! The emitted text of a module to the layer that it is on a host: what the domain is permitted, near any path one asks about.
//!
//! Verdicts do not count here, nor what lowering meant: the text is read back, and labels are looked up as the policy's own tools do.

mod access;
mod files;
mod kernel;
mod others;
#[cfg(test)]
mod tests;

use super::base::places::Places;
use super::base::{Ask, Base, Kind as FileKind};
use super::lower::Lowered;
use super::read::{self, ReadError};
use super::{emit, known};
use crate::coverage::{Grant, Layer, LayerName, Permitted};
use access::Accesses;
use canc_dsl::meaning::{Kind, Peers, RequestSet};
use canc_dsl::policy::{Policy, PolicySet, Protocol, Target};
use canc_sets::path::TooLarge;
use files::{Deed, Files, Permit};
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// The layer of a module and its verdicts.
#[must_use]
pub fn layer<'a>(set: &PolicySet, policy: &Policy, lowered: &'a Lowered, base: &Base) -> Layer<'a> {
    let reader = Reader::new(set, policy, lowered, base);
    let known = reader.as_ref().map(Reader::classes).unwrap_or_default();
    Layer {
        name: LayerName::Target(Target::Selinux),
        outcomes: &lowered.outcomes,
        permitted: Box::new(move |kind, prefix| match &reader {
            Ok(reader) => reader.permitted(kind, prefix),
            // Text that is not understood may permit anything.
            Err(_) => Ok(Permitted::Everything),
        }),
        sees: Box::new(move |kind| sees(known, kind)),
    }
}

/// Classes that not every base has.
#[derive(Debug, Clone, Copy, Default)]
struct Classes {
    userns: bool,
    io_uring: bool,
}

/// Whether requests of a kind are told apart by what their class is selected by.
fn sees(classes: Classes, kind: Kind) -> bool {
    match kind {
        Kind::File(_) | Kind::Capability | Kind::Signal | Kind::Ptrace => true,
        Kind::Net(_, Protocol::Tcp | Protocol::Udp | Protocol::Sctp) | Kind::Socket(_) => true,
        Kind::UnixPath { .. } | Kind::UnixAbstract { .. } | Kind::Mqueue => true,
        Kind::UsernsCreate => classes.userns,
        Kind::IoUring => classes.io_uring,
        Kind::MountNew
        | Kind::MountBind { .. }
        | Kind::MountMove
        | Kind::MountRemount { .. }
        | Kind::MountMake
        | Kind::Unmount => true,
        Kind::Namespace | Kind::PivotRoot | Kind::Facility(_) => false,
    }
}

type Permits = HashMap<(Deed, bool), Rc<Vec<Permit>>>;

/// Answers about one module, read from its text.
pub struct Reader {
    base: Base,
    accesses: Accesses,
    peers: Peers,
    others: Vec<(std::sync::Arc<str>, String)>,
    contexts: Vec<String>,
    ports: Vec<read::ports::Ports>,
    places: OnceCell<Result<Places, ReadError>>,
    /// By deed, and whether all of it is joined.
    permits: RefCell<Permits>,
    kernel: files::KernelPaths,
}

impl Reader {
    /// Reads the text of a module.
    ///
    /// # Errors
    /// Text that is not of the form in which modules are emitted.
    pub fn new(set: &PolicySet, policy: &Policy, lowered: &Lowered, base: &Base) -> Result<Self, ReadError> {
        // A string takes whatever is printed, so that printing cannot fail.
        let module = read::te::read(&emit::te(&lowered.module).unwrap_or_default())?;
        let mut ports = Vec::new();
        for text in &lowered.installed.ports {
            ports.extend(read::ports::read(text)?);
        }
        Ok(Self {
            accesses: Accesses::new(base, lowered, module),
            peers: Peers::new(set, &policy.name),
            others: lowered.installed.domains.clone(),
            contexts: lowered.installed.contexts.clone(),
            ports,
            base: base.clone(),
            places: OnceCell::new(),
            permits: RefCell::default(),
            kernel: RefCell::default(),
        })
    }

    /// What is permitted near a path.
    ///
    /// # Errors
    /// When a pattern's automaton is too large.
    pub fn permitted(&self, kind: Kind, prefix: &str) -> Result<Permitted, TooLarge> {
        match kind {
            Kind::File(op) => {
                let keys = self.spellings(prefix);
                let near = |p: &&Permit| keys.iter().any(|k| files::meets(&p.near, k));
                let grants = |permits: &[Permit]| permits.iter().filter(near).map(|p| p.grant(op)).collect();
                let (deed, joined) = (Deed::Op(op), true);
                let (Some(each), Some(all)) = (self.permits(deed, !joined)?, self.permits(deed, joined)?)
                else {
                    return Ok(Permitted::Everything);
                };
                let all: Vec<Grant> = grants(&all);
                let whole = RequestSet::new(all.into_iter().map(|g| g.region).collect());
                Ok(Permitted::Joined { grants: grants(&each), whole })
            }
            kind => self.other(kind),
        }
    }

    /// The labels of the host: the base's lines and those of all modules of the build.
    fn places(&self) -> Result<&Places, &ReadError> {
        let made = self.places.get_or_init(|| {
            let mut lines = Vec::new();
            for text in &self.contexts {
                lines.extend(read::fc::read(text)?);
            }
            let lines = read::fc::beside(&self.base, &lines)?;
            Ok(Places::new(lines, kernel::mounts()))
        });
        made.as_ref()
    }

    /// Where a deed is permitted; `None` where the file contexts are not understood.
    fn permits(&self, deed: Deed, joined: bool) -> Result<Option<Rc<Vec<Permit>>>, TooLarge> {
        if let Some(known) = self.permits.borrow().get(&(deed, joined)) {
            return Ok(Some(Rc::clone(known)));
        }
        let Ok(places) = self.places() else { return Ok(None) };
        let files =
            Files { base: &self.base, accesses: &self.accesses, places, joined, kernel: &self.kernel };
        let made = Rc::new(files.permits(deed)?);
        self.permits.borrow_mut().insert((deed, joined), Rc::clone(&made));
        Ok(Some(made))
    }

    /// The paths under which what lies below a path may be looked up.
    fn spellings(&self, prefix: &str) -> Vec<String> {
        let mut out = vec![prefix.to_owned(), self.base.lookup_key(prefix).into_owned()];
        let inside = self.base.aliases().filter(|(from, _)| files::below(from, prefix));
        out.extend(inside.map(|(_, to)| to.to_owned()));
        out.dedup();
        out
    }

    /// The type that a canonical path carries by the lines of file contexts; `None` where none gives one.
    #[must_use]
    pub fn type_of(&self, path: &str, ask: Ask) -> Option<String> {
        use super::base::places::Label;
        let places = self.places().ok()?;
        match places.label_of(places.lines().label(path, ask)?)? {
            Label::Base(ty) => Some(self.base.type_name(ty).to_owned()),
            Label::Own(ty) => places.own_name(ty).map(str::to_owned),
        }
    }

    /// The file type of the line that labels a canonical path; `None` where no line matches.
    #[must_use]
    pub fn kind_of(&self, path: &str, ask: Ask) -> Option<FileKind> {
        let places = self.places().ok()?;
        places.kind_of(places.lines().label(path, ask)?)
    }

    fn classes(&self) -> Classes {
        let has = |names: &[&str]| names.iter().all(|n| self.base.class_no(n).is_some());
        Classes { userns: has(known::USERNS_CLASS), io_uring: has(known::RING_CLASSES) }
    }
}
