//! The types that a build declares, with names that nothing else can have.

use super::error::LowerErrorKind;
use crate::selinux::known;
use crate::selinux::names::{AttrName, ModuleName, TypeName};
use std::sync::Arc;

/// A type of the build, over all its policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OwnNo(pub u32);

/// What a type of the build is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sort {
    /// The processes of a policy.
    Domain,
    /// A policy's programs.
    Program,
    /// Files.
    Data {
        /// Below `/var/log`.
        log: bool,
        /// Below `/run` or a directory of temporary files.
        volatile: bool,
    },
    /// Ports.
    Port,
}

/// A type that the build declares.
#[derive(Debug, Clone)]
pub struct OwnType {
    /// Its name.
    pub name: TypeName,
    /// The policy that declares it, by its place in the build.
    pub policy: usize,
    /// What it is for.
    pub sort: Sort,
    /// The same, for people.
    pub about: String,
}

impl OwnType {
    /// The attributes that it gets.
    pub(super) fn attributes(&self) -> impl Iterator<Item = AttrName> {
        let names = match self.sort {
            Sort::Domain => known::DOMAIN,
            Sort::Program => known::PROGRAM,
            Sort::Data { log: true, .. } => known::LOG,
            Sort::Data { log: false, .. } => known::DATA,
            Sort::Port => known::PORT,
        };
        names.iter().filter_map(|n| AttrName::new(n).ok())
    }
}

/// All types of the build.
#[derive(Debug, Default)]
pub(super) struct OwnTypes {
    list: Vec<OwnType>,
}

impl OwnTypes {
    pub(super) fn get(&self, no: OwnNo) -> Option<&OwnType> {
        self.list.get(no.0 as usize)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (OwnNo, &OwnType)> {
        (0u32..).map(OwnNo).zip(&self.list)
    }

    /// Declares a type. `parts` are joined by two underscores, which no part holds, so that names never collide.
    pub(super) fn add(
        &mut self,
        policy: (usize, &Arc<str>),
        parts: &[&str],
        sort: Sort,
        about: String,
    ) -> Result<OwnNo, LowerErrorKind> {
        let mut name = format!("canc__{}", policy.1);
        for part in parts {
            name.push_str("__");
            name.push_str(part);
        }
        name.push_str("_t");
        let name = TypeName::new(&name).map_err(|_| LowerErrorKind::Name { name })?;
        self.list.push(OwnType { name, policy: policy.0, sort, about });
        Ok(OwnNo(u32::try_from(self.list.len() - 1).unwrap_or(u32::MAX)))
    }
}

/// The name of a policy's module.
pub(super) fn module_name(policy: &str) -> Result<ModuleName, LowerErrorKind> {
    let name = format!("canc_{policy}");
    ModuleName::new(&name).map_err(|_| LowerErrorKind::Name { name })
}

/// The name of the side module for a policy's ports.
pub(super) fn port_module_name(policy: &str) -> Result<ModuleName, LowerErrorKind> {
    let name = format!("canc_{policy}__ports");
    ModuleName::new(&name).map_err(|_| LowerErrorKind::Name { name })
}
