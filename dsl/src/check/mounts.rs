//! Rules on mounting, unmounting and pivoting.

use super::Checker;
use crate::ast::{self, ExprKind};
use crate::codes;
use crate::policy::{MountRule, MountSource};
use crate::resolve::Scope;
use std::sync::Arc;

impl Checker<'_, '_> {
    pub(super) fn mount(&mut self, mount: &ast::MountBody, scope: &Scope) -> Option<MountRule> {
        Some(match mount {
            ast::MountBody::New { types, source, target, options } => {
                let source = match source {
                    Some(source) => Some(self.mount_source(source, scope)?),
                    None => None,
                };
                let mut types: Vec<Arc<str>> = types.iter().map(|t| Arc::clone(&t.text)).collect();
                types.sort_unstable();
                types.dedup();
                MountRule::New { types, source, target: self.paths(target, scope)?, options: *options }
            }
            ast::MountBody::Bind { recursive, source, target } => {
                let (source, target) = self.both(source, target, scope)?;
                MountRule::Bind { recursive: *recursive, source, target }
            }
            ast::MountBody::Move { source, target } => {
                let (source, target) = self.both(source, target, scope)?;
                MountRule::Move { source, target }
            }
            ast::MountBody::Remount { options, bind, target } => {
                MountRule::Remount { options: *options, bind: *bind, target: self.paths(target, scope)? }
            }
            ast::MountBody::Make { propagation, target } => {
                MountRule::Make { propagation: *propagation, target: self.paths(target, scope)? }
            }
            ast::MountBody::Unmount(target) => MountRule::Unmount { target: self.paths(target, scope)? },
            ast::MountBody::PivotRoot { old, new } => {
                let (old, new) = self.both(old, new, scope)?;
                MountRule::PivotRoot { old, new }
            }
        })
    }

    /// Two sets of paths; both are looked at even if the first is wrong.
    fn both(
        &mut self,
        first: &[ast::Expr],
        second: &[ast::Expr],
        scope: &Scope,
    ) -> Option<(Vec<crate::policy::PathRef>, Vec<crate::policy::PathRef>)> {
        let (first, second) = (self.paths(first, scope), self.paths(second, scope));
        Some((first?, second?))
    }

    /// A path, or a name such as `tmpfs`.
    fn mount_source(&mut self, source: &ast::Expr, scope: &Scope) -> Option<MountSource> {
        let text = self.text(source.span);
        let is_path = text.starts_with("\"/") || text.starts_with("\"$");
        match source.kind {
            ExprKind::String if !is_path => Some(MountSource::Name(self.plain(source, scope)?)),
            ExprKind::Name if matches!(self.world.find(text, scope), crate::resolve::Found::Nothing) => {
                Some(MountSource::Name(text.into()))
            }
            _ => {
                let mut paths = self.paths(std::slice::from_ref(source), scope)?;
                if paths.len() > 1 {
                    let help = "write a rule for each source";
                    self.fail(codes::MIXED_SET, source.span, "a mount has one source", "several", help);
                    return None;
                }
                paths.pop().map(MountSource::Path)
            }
        }
    }
}
