//! The target language as data: type enforcement, file contexts, ports. Lowering makes it, the emitter prints it, the reader reads it.

use super::base::Kind;
use super::names::{AttrName, ClassName, Comment, FileName, ModuleName, Perm, RawText, RoleName, TypeName};
use super::path::FcPath;
use super::words;
use canc_dsl::policy::Protocol;
use std::collections::{BTreeMap, BTreeSet};

/// A loadable module of type enforcement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeModule {
    /// Its name.
    pub name: ModuleName,
    /// What it is, for people.
    pub about: Vec<Comment>,
    /// The types that it declares.
    pub types: Vec<TypeDecl>,
    /// Statements by the rule they come from, in the policy's order.
    pub sections: Vec<Section>,
    /// What is left out where the host has removed a module of the base.
    pub optionals: Vec<Section>,
    /// Verbatim text.
    pub raw: Vec<RawText>,
}

/// A type and its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeDecl {
    /// What it is for.
    pub about: Option<Comment>,
    /// The type.
    pub name: TypeName,
    /// Its attributes.
    pub attributes: BTreeSet<AttrName>,
}

/// Statements with their reason.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Section {
    /// Why, one line each.
    pub about: Vec<Comment>,
    /// The statements.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Statement {
    /// `allow`
    Allow(Access),
    /// `auditallow`
    AuditAllow(Access),
    /// `type_transition`
    Transition(Transition),
    /// `role … types …`
    Role {
        /// The role.
        role: RoleName,
        /// The type that it may have.
        ty: TypeName,
    },
    /// `typeattribute`
    Attribute {
        /// The type.
        ty: TypeName,
        /// The attribute that it gets.
        attribute: AttrName,
    },
    /// `permissive`
    Permissive(TypeName),
}

/// What an access rule is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operand {
    /// A type.
    Type(TypeName),
    /// All types with an attribute.
    Attribute(AttrName),
    /// The source itself.
    SelfType,
}

/// An access rule without its first word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Access {
    /// Whose.
    pub source: TypeName,
    /// To what.
    pub target: Operand,
    /// The class.
    pub class: ClassName,
    /// The permissions; never empty.
    pub perms: BTreeSet<Perm>,
}

/// What type something new gets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Transition {
    /// Who makes it.
    pub source: TypeName,
    /// From what, or in which directory.
    pub target: TypeName,
    /// What it is.
    pub class: ClassName,
    /// The type that it gets.
    pub result: TypeName,
    /// The name of the new file, where only that name is meant.
    pub name: Option<FileName>,
}

/// What statements use and the module does not declare.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Requires {
    /// Types.
    pub types: BTreeSet<TypeName>,
    /// Attributes.
    pub attributes: BTreeSet<AttrName>,
    /// Roles.
    pub roles: BTreeSet<RoleName>,
    /// Classes with permissions.
    pub classes: BTreeMap<ClassName, BTreeSet<Perm>>,
}

impl Requires {
    fn class(&mut self, class: &ClassName, perms: &BTreeSet<Perm>) {
        self.classes.entry(class.clone()).or_default().extend(perms.iter().cloned());
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Allow(access) | Statement::AuditAllow(access) => {
                self.types.insert(access.source.clone());
                match &access.target {
                    Operand::Type(ty) => drop(self.types.insert(ty.clone())),
                    Operand::Attribute(attribute) => drop(self.attributes.insert(attribute.clone())),
                    Operand::SelfType => {}
                }
                self.class(&access.class, &access.perms);
            }
            Statement::Transition(t) => {
                self.types.extend([t.source.clone(), t.target.clone(), t.result.clone()]);
                // The language wants a permission with each class.
                let perm = words::some_permission(t.class.as_str()).and_then(|p| Perm::new(p).ok());
                self.class(&t.class, &perm.into_iter().collect());
            }
            Statement::Role { role, ty } => {
                self.roles.insert(role.clone());
                self.types.insert(ty.clone());
            }
            Statement::Attribute { ty, attribute } => {
                self.types.insert(ty.clone());
                self.attributes.insert(attribute.clone());
            }
            Statement::Permissive(ty) => drop(self.types.insert(ty.clone())),
        }
    }
}

impl TeModule {
    /// What the module's own part uses and does not declare.
    #[must_use]
    pub fn requires(&self) -> Requires {
        let mut out = Requires::default();
        for ty in &self.types {
            out.attributes.extend(ty.attributes.iter().cloned());
        }
        self.sections.iter().flat_map(|s| &s.statements).for_each(|s| out.statement(s));
        out.types.retain(|t| !self.types.iter().any(|d| d.name == *t));
        out
    }

    /// What an optional part uses and the module does not declare.
    #[must_use]
    pub fn requires_of(&self, optional: &Section) -> Requires {
        let mut out = Requires::default();
        optional.statements.iter().for_each(|s| out.statement(s));
        out.types.retain(|t| !self.types.iter().any(|d| d.name == *t));
        out
    }

    /// Every statement.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.sections.iter().chain(&self.optionals).flat_map(|s| &s.statements)
    }
}

/// File contexts of a module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileContexts {
    /// What they are, for people.
    pub about: Vec<Comment>,
    /// The lines in a stable order; the policy's own order decides which beats which.
    pub lines: Vec<FcLine>,
}

/// One line of file contexts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FcLine {
    /// The pattern.
    pub path: FcPath,
    /// The file type.
    pub kind: Kind,
    /// The type that matching files get.
    pub ty: TypeName,
}

/// A CIL module that gives ports their types, which a `.te` module cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortModule {
    /// Its name.
    pub name: ModuleName,
    /// What it is, for people.
    pub about: Vec<Comment>,
    /// The ports.
    pub ports: Vec<PortLine>,
}

/// A range of ports and its type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortLine {
    /// The protocol.
    pub protocol: Protocol,
    /// The first port.
    pub low: u16,
    /// The last port.
    pub high: u16,
    /// The type; declared in the module of type enforcement.
    pub ty: TypeName,
}
