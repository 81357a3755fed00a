//! Bundles to what is installed of them on a host, as one transaction over AppArmor's profiles, SELinux's store and labels, and the
//! store below `/var/lib/canc` in which `canc-run NAME` finds a policy.
//!
//! The order: what the new generation has is installed or replaced, never unloaded in between; it is read back from the kernel; the link
//! `current` changes over; services get their drop-ins; what only the old generation had is removed. A journal says which two generations are concerned before anything
//! shows. Whoever takes the lock next completes that, or, where a tool refuses, goes back the same way.

mod conflicts;
mod disk;
mod dropin;
mod engine;
mod kernel;
mod labels;
mod look;
mod service;
mod state;
mod steps;
mod store;
mod units;

pub use dropin::DropIn;
pub use engine::{Engine, Locked, Place};
pub use state::{Applied, State};
pub use store::{Entry, Journal};

use crate::bundle::Bundle;
use crate::failure::Failure;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// A bundle to install.
#[derive(Debug)]
pub struct Input {
    /// The bundle.
    pub bundle: Bundle,
    /// The policy's file, where it was compiled for this.
    pub origin: Option<String>,
    /// What to keep of its source beside it, for whoever asks later what differs.
    pub source: Option<Vec<u8>>,
    /// The services that are to run under its policies.
    pub units: Units,
}

impl Input {
    /// Whether this is the bundle of an applied policy.
    #[must_use]
    pub fn is(&self, applied: &Applied) -> bool {
        self.bundle.files().is_ok_and(|(manifest, _)| state::digest(&manifest) == applied.bundle)
    }
}

/// The services of a bundle's policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Units {
    /// Those that run under them already.
    Same,
    /// None.
    None,
    /// This one under the policy of this name, and the others as they are.
    Of(String, String),
}

/// Why nothing, or not everything, was done.
#[derive(Debug)]
pub enum Stop {
    /// It should not be done: a conflict.
    No(Failure),
    /// A tool or the host failed.
    Host(Failure),
}

impl Stop {
    /// The failure, whichever it is.
    #[must_use]
    pub fn failure(&self) -> &Failure {
        match self {
            Self::No(failure) | Self::Host(failure) => failure,
        }
    }
}

/// What there is of one layer of one policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The policy.
    pub policy: String,
    /// `store`, `apparmor`, `selinux`, `labels` or `unit`.
    pub layer: String,
    /// What it is.
    pub is: Is,
    /// Why, or what else to know; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// How a layer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Is {
    /// As canc installed it, and enforcing.
    Installed,
    /// Not for this host; in the store for later.
    Kept,
    /// As canc installed it, and only logging, as the policy says.
    Complain,
    /// As canc installed it, and the host does not enforce.
    Permissive,
    /// The host's kernel does not run it any more.
    Off,
    /// It is gone.
    Missing,
    /// It was changed by hand.
    Altered,
    /// It cannot be asked about by this user.
    Unknown,
}

impl Is {
    /// Whether an apply has nothing to do about it.
    #[must_use]
    pub fn is_good(self) -> bool {
        !matches!(self, Self::Missing | Self::Altered)
    }

    /// Whether the layer refuses what the policy does not allow.
    #[must_use]
    pub fn enforces(self) -> bool {
        matches!(self, Self::Installed | Self::Kept)
    }

    /// In words.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Kept => "kept for later",
            Self::Complain => "complain mode",
            Self::Permissive => "permissive",
            Self::Off => "off",
            Self::Missing => "missing",
            Self::Altered => "changed by hand",
            Self::Unknown => "unknown",
        }
    }
}

/// One thing that a change does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The policy.
    pub policy: String,
    /// `store`, `apparmor`, `selinux`, `labels` or `unit`.
    pub layer: String,
    /// `install`, `replace`, `remove` or `keep`.
    pub does: &'static str,
    /// What: a path, a profile, a module.
    pub what: String,
    /// Why, where it is not obvious.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// Two states and the way between them.
#[derive(Debug)]
pub struct Plan {
    /// What is there.
    pub from: State,
    /// What will be.
    pub to: State,
    /// What is done, in words; empty where there is nothing to do.
    pub changes: Vec<Change>,
}

impl Plan {
    /// Whether nothing but remarks is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(|change| change.does == "keep")
    }
}

/// Where `canc-run` looks for a policy of this name: the bundle in the store. `None` where none is applied.
///
/// # Errors
/// A store that others can change, or that is damaged.
pub fn find(root: &Path, policy: &str) -> Result<Option<PathBuf>, Failure> {
    let look = || -> Result<Option<PathBuf>, Stop> {
        let store = store::Store::open(root)?;
        let state = store.state(store.current()?.as_deref())?;
        Ok(state.policies.get(policy).map(|applied| store.bundle_path(&applied.bundle)))
    };
    look().map_err(|stop| match stop {
        Stop::No(failure) | Stop::Host(failure) => failure,
    })
}
