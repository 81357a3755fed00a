//! Questions about a linked policy to complete answers, attributes expanded, by setools in one process.
//!
//! It must not know what an answer should be.

use super::Store;
use crate::Error;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// Runs inside the root file system, where the library lives.
const PROGRAM: &str = include_str!("query.py");

/// What a domain may do: permissions by (target type, class). Rules that depend on a boolean count if the boolean's
/// default switches them on.
pub type Access = BTreeMap<(String, String), BTreeSet<String>>;

/// An allow rule as the policy holds it, attributes not expanded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Rule {
    /// Type or attribute.
    pub source: String,
    /// Type or attribute.
    pub target: String,
    /// Object class.
    pub class: String,
    /// Permissions.
    pub perms: BTreeSet<String>,
    /// The boolean expression that it depends on, if any.
    pub condition: Option<String>,
}

/// A `type_transition` rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Transition {
    /// Source type.
    pub source: String,
    /// Type of the program or of the parent directory.
    pub target: String,
    /// Object class.
    pub class: String,
    /// The type of what is made.
    pub default: String,
    /// The name that it holds for, if it is one.
    pub name: Option<String>,
}

/// What a type may do, and who may do what to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Permissions by (target type, class).
    pub by: Access,
    /// Permissions by (source type, class).
    pub to: Access,
    /// The type transitions from it.
    pub transitions: Vec<Transition>,
}

#[derive(Deserialize)]
struct Sides {
    by: Vec<Entry>,
    to: Vec<Entry>,
    transitions: Vec<Transition>,
}

#[derive(Deserialize)]
struct Entry {
    target: String,
    class: String,
    perms: BTreeSet<String>,
}

fn joined(entries: Vec<Entry>) -> Access {
    let mut access = Access::new();
    for entry in entries {
        access.entry((entry.target, entry.class)).or_default().extend(entry.perms);
    }
    access
}

impl Store {
    /// Everything that `domain` may do, its attributes' rules included, by target type.
    pub fn access(&self, domain: &str) -> Result<Access, Error> {
        Ok(joined(self.ask(&["access", domain])?))
    }

    /// The reach of each of the types, attributes expanded everywhere, in one walk over the policy.
    pub fn reach(&self, types: &BTreeSet<String>) -> Result<BTreeMap<String, Reach>, Error> {
        let words: Vec<&str> = std::iter::once("reach").chain(types.iter().map(String::as_str)).collect();
        let sides: BTreeMap<String, Sides> = self.ask(&words)?;
        let reach = |s: Sides| Reach { by: joined(s.by), to: joined(s.to), transitions: s.transitions };
        Ok(sides.into_iter().map(|(name, sides)| (name, reach(sides))).collect())
    }

    /// The types of an attribute.
    pub fn members(&self, attribute: &str) -> Result<BTreeSet<String>, Error> {
        self.ask(&["members", attribute])
    }

    /// The allow rules whose source is `domain` or one of its attributes.
    pub fn rules(&self, domain: &str) -> Result<Vec<Rule>, Error> {
        self.ask(&["rules", domain])
    }

    /// The rules by which other types reach `target` or one of its attributes.
    pub fn rules_to(&self, target: &str) -> Result<Vec<Rule>, Error> {
        self.ask(&["rules-to", target])
    }

    /// The type transitions from `source` itself.
    pub fn transitions(&self, source: &str) -> Result<Vec<Transition>, Error> {
        self.ask(&["transitions", source])
    }

    /// The attributes of a type.
    pub fn attributes(&self, of: &str) -> Result<BTreeSet<String>, Error> {
        self.ask(&["attributes", of])
    }

    fn ask<T: DeserializeOwned>(&self, words: &[&str]) -> Result<T, Error> {
        let policy = self.policy_file()?;
        let output = self.layer().run("python3").args(["-I", "-c", PROGRAM, &policy]).args(words).ok()?;
        serde_json::from_slice(&output.stdout).map_err(|e| Error::Odd(format!("answer to {words:?}: {e}")))
    }
}
