//! Types, classes, ports, launchers and assertions of a base by name and by number.

use super::Base;
use super::pack::tables::{ATTRIBUTES, ROWS, part};
use canc_dsl::policy::Protocol;
use canc_sets::interval::Intervals;

/// A type of the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeNo(pub u16);

/// A class of the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClassNo(pub u16);

/// A set of permissions of one class: bit N is the class's permission N.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct PermSet(pub u64);

/// A class or a permission that the base lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownPerm {
    /// `class`, or `class { permission }`.
    pub what: String,
}

/// An attribute of types that lowering asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the policy's own names")]
pub enum Attribute {
    DeviceNode,
    Domain,
    EntryType,
    ExecType,
    FileType,
    FilesystemType,
    NonSecurityFileType,
    PortType,
    PtyNode,
    TtyNode,
    UbacConstrained,
    UnconfinedDomain,
}

/// A rule that the attribute `domain` brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DomainRule<'b> {
    /// `self`, a type or an attribute.
    pub target: &'b str,
    /// The class.
    pub class: &'b str,
    /// The permissions, separated by blanks.
    pub perms: &'b str,
    /// The boolean expression and the value for which it holds, `NAME:True`; empty for always.
    pub condition: &'b str,
}

/// An assertion that a domain without special attributes may not break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assertion<'b> {
    /// `self` or a type.
    pub target: &'b str,
    /// The class.
    pub class: &'b str,
    /// The permissions, separated by blanks.
    pub perms: &'b str,
}

/// Somebody who starts programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Launcher<'b> {
    /// `user`, `systemd` or `init`, the service manager itself.
    pub who: &'b str,
    /// The role.
    pub role: &'b str,
    /// The domain.
    pub domain: &'b str,
    /// The module that declares the domain.
    pub module: &'b str,
    /// Whether the domain may already choose a label at exec.
    pub setexec: bool,
}

impl Base {
    /// The rows of table `index` of [`ROWS`].
    pub(super) fn rows(&self, index: usize) -> impl Iterator<Item = Vec<&str>> {
        debug_assert!(index < ROWS.len());
        let range = self.tables.row_tables.get(index).copied().unwrap_or_default();
        part(&self.tables.rows, range)
            .iter()
            .map(|row| part(&self.tables.words, row.columns).iter().map(|w| self.tables.text(*w)).collect())
    }

    fn four(&self, index: usize) -> impl Iterator<Item = [&str; 4]> {
        self.rows(index).map(|row| {
            let at = |i: usize| row.get(i).copied().unwrap_or("");
            [at(0), at(1), at(2), at(3)]
        })
    }

    /// The type of this name.
    #[must_use]
    pub fn type_no(&self, name: &str) -> Option<TypeNo> {
        let found = self.tables.types.binary_search_by(|t| self.tables.text(t.name).cmp(name)).ok()?;
        u16::try_from(found).ok().map(TypeNo)
    }

    /// The name of a type.
    #[must_use]
    pub fn type_name(&self, ty: TypeNo) -> &str {
        self.tables.types.get(usize::from(ty.0)).map_or("", |t| self.tables.text(t.name))
    }

    /// The module that declares a type; `base` cannot be removed, `?` is not known.
    #[must_use]
    pub fn type_module(&self, ty: TypeNo) -> &str {
        self.tables.types.get(usize::from(ty.0)).map_or("?", |t| self.tables.text(t.module))
    }

    /// Whether a type has an attribute.
    #[must_use]
    pub fn has(&self, ty: TypeNo, attribute: Attribute) -> bool {
        debug_assert!((attribute as usize) < ATTRIBUTES.len());
        self.tables.types.get(usize::from(ty.0)).is_some_and(|t| t.attributes >> (attribute as u16) & 1 == 1)
    }

    /// All types, by name.
    pub fn types(&self) -> impl Iterator<Item = TypeNo> + use<> {
        (0..u16::try_from(self.tables.types.len()).unwrap_or(u16::MAX)).map(TypeNo)
    }

    /// The lines of file contexts that give this type, strongest first.
    pub fn entries_of(&self, ty: TypeNo) -> impl Iterator<Item = super::EntryNo> {
        let range = self.tables.types.get(usize::from(ty.0)).map(|t| t.entries).unwrap_or_default();
        part(&self.tables.by_type, range).iter().copied().map(super::EntryNo)
    }

    /// The class of this name.
    #[must_use]
    pub fn class_no(&self, name: &str) -> Option<ClassNo> {
        let found = self.tables.classes.binary_search_by(|c| self.tables.text(c.name).cmp(name)).ok()?;
        u16::try_from(found).ok().map(ClassNo)
    }

    /// The name of a class.
    #[must_use]
    pub fn class_name(&self, class: ClassNo) -> &str {
        self.tables.classes.get(usize::from(class.0)).map_or("", |c| self.tables.text(c.name))
    }

    /// The names of the permissions of a class that are in a set, in order.
    pub fn perm_names(&self, class: ClassNo, perms: PermSet) -> impl Iterator<Item = &str> {
        let range = self.tables.classes.get(usize::from(class.0)).map(|c| c.perms).unwrap_or_default();
        let words = part(&self.tables.words, range).iter().zip(0u32..);
        words.filter(move |(_, i)| perms.0 >> i & 1 == 1).map(|(w, _)| self.tables.text(*w))
    }

    /// The set of these permissions.
    ///
    /// # Errors
    /// The first that the class lacks.
    pub fn perms(&self, class: ClassNo, names: &[&str]) -> Result<PermSet, UnknownPerm> {
        let range = self.tables.classes.get(usize::from(class.0)).map(|c| c.perms).unwrap_or_default();
        let words = part(&self.tables.words, range);
        let mut out = PermSet::default();
        for name in names {
            let Ok(at) = words.binary_search_by(|w| self.tables.text(*w).cmp(name)) else {
                return Err(UnknownPerm { what: format!("{} {{ {name} }}", self.class_name(class)) });
            };
            out.0 |= 1 << at;
        }
        Ok(out)
    }

    /// The type of one port.
    #[must_use]
    pub fn port_type(&self, protocol: Protocol, port: u16) -> Option<TypeNo> {
        let mut best: Option<(u16, TypeNo)> = None;
        for (low, high, ty) in self.port_ranges(protocol) {
            if low > port {
                break;
            }
            if port <= high && best.is_none_or(|(width, _)| high - low < width) {
                best = Some((high - low, ty));
            }
        }
        best.map(|b| b.1)
    }

    /// The ranges of ports of a protocol with their types, by first port; a narrower range beats a wider one.
    pub fn port_ranges(&self, protocol: Protocol) -> impl Iterator<Item = (u16, u16, TypeNo)> {
        let mine = self.tables.ports.iter().filter(move |p| self.tables.text(p.protocol) == protocol.word());
        mine.map(|p| (p.low, p.high, TypeNo(p.ty)))
    }

    /// The ports that carry a type.
    #[must_use]
    pub fn ports_of(&self, protocol: Protocol, ty: TypeNo) -> Intervals<u16> {
        let mine = self.port_ranges(protocol).filter(|r| r.2 == ty).map(|(low, high, _)| (low, high));
        let mine: Vec<(u16, u16)> = mine.collect();
        let mut out: Intervals<u16> = mine.iter().copied().collect();
        for (low, high, other) in self.port_ranges(protocol) {
            let wider = |&(l, h): &(u16, u16)| l <= low && high <= h && h - l > high - low;
            if other != ty && mine.iter().any(wider) {
                out = out.minus(&Intervals::range(low, high));
            }
        }
        out
    }

    /// Labels in file systems that keep none: file system, path in it, file type, type.
    pub fn genfs(&self) -> impl Iterator<Item = [&str; 4]> {
        self.four(1)
    }

    /// How file systems keep labels: `xattr`, `trans` or `task`, the file system, its type.
    pub fn fs_use(&self) -> impl Iterator<Item = [&str; 3]> {
        self.four(2).map(|[how, fs, ty, _]| [how, fs, ty])
    }

    /// What the attribute `domain` brings.
    pub fn domain_rules(&self) -> impl Iterator<Item = DomainRule<'_>> {
        self.four(3).map(|[target, class, perms, condition]| DomainRule { target, class, perms, condition })
    }

    /// What a fresh domain may not be given.
    pub fn assertions(&self) -> impl Iterator<Item = Assertion<'_>> {
        self.four(4).map(|[target, class, perms, _]| Assertion { target, class, perms })
    }

    /// Who starts programs.
    pub fn launchers(&self) -> impl Iterator<Item = Launcher<'_>> {
        self.rows(5).map(|row| {
            let at = |i: usize| row.get(i).copied().unwrap_or("");
            Launcher { who: at(0), role: at(1), domain: at(2), module: at(3), setexec: at(4) == "yes" }
        })
    }

    /// SELinux users: name, roles, range of levels.
    pub fn users(&self) -> impl Iterator<Item = [&str; 3]> {
        self.four(6).map(|[name, roles, range, _]| [name, roles, range])
    }

    /// The value that a boolean has as installed; `None` when the base does not know it.
    #[must_use]
    pub fn boolean(&self, name: &str) -> Option<bool> {
        self.four(7).find(|row| row[0] == name).map(|row| row[1] == "true")
    }

    /// The domains of the base that have a permission on files of a private type of a sort (`data`, `log`, `exec`).
    #[must_use]
    pub fn reach(&self, sort: &str, perm: &str) -> Vec<&str> {
        let row = self.four(8).find(|row| row[0] == sort && row[1] == perm);
        row.map_or(Vec::new(), |row| row[2].split_whitespace().collect())
    }
}
