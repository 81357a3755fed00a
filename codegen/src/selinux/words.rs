//! What lowering may grant, in the classes and permissions of one base. The table is data: `data/selinux/access.tsv`.

use super::base::{Base, ClassNo, PermSet};

include!(concat!(env!("OUT_DIR"), "/access.rs"));

/// One class of an [`Access`] with its permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassPerms {
    /// The class.
    pub class: ClassNo,
    /// The permissions.
    pub perms: PermSet,
}

/// The table in the numbers of one base.
#[derive(Debug, Clone)]
pub struct Words {
    rows: Vec<Result<Vec<ClassPerms>, String>>,
}

impl Words {
    /// The table for `base`.
    #[must_use]
    pub fn new(base: &Base) -> Self {
        let mut rows: Vec<Result<Vec<ClassPerms>, String>> =
            Access::ALL.iter().map(|_| Ok(Vec::new())).collect();
        for (access, class, perms) in ROWS {
            let Some(row) = rows.get_mut(*access as usize) else { continue };
            let Ok(list) = row else { continue };
            match base.class_no(class).ok_or_else(|| (*class).to_owned()) {
                Ok(class) => match base.perms(class, perms) {
                    Ok(perms) => list.push(ClassPerms { class, perms }),
                    Err(unknown) => *row = Err(unknown.what),
                },
                Err(class) => *row = Err(class),
            }
        }
        Self { rows }
    }

    /// What an access is.
    ///
    /// # Errors
    /// The class or permission that the base lacks.
    pub fn of(&self, access: Access) -> Result<&[ClassPerms], String> {
        match self.rows.get(access as usize) {
            Some(Ok(list)) => Ok(list),
            Some(Err(lacks)) => Err(lacks.clone()),
            None => Ok(&[]),
        }
    }
}

/// The class of an access that has one.
#[must_use]
pub(super) fn class_of(access: Access) -> &'static str {
    ROWS.iter().find(|row| row.0 == access).map_or("", |row| row.1)
}

/// A permission of a class that anything of it needs, for statements that must name one.
#[must_use]
pub(super) fn some_permission(class: &str) -> Option<&'static str> {
    let making = |access: &Access| matches!(access, Access::Create | Access::Transition | Access::Mknod);
    ROWS.iter().find(|(access, c, _)| making(access) && *c == class).and_then(|r| r.2.first().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_bases_have_every_class_and_permission() {
        for name in Base::BUILTIN {
            let base = Base::builtin(name).unwrap();
            let words = Words::new(&base);
            for access in Access::ALL {
                assert!(
                    words.of(access).is_ok_and(|l| !l.is_empty()),
                    "{name}: {access:?}: {:?}",
                    words.of(access)
                );
            }
        }
    }
}
