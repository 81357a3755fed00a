//! Rules on files.

use super::Checker;
use super::rules::Use;
use crate::ast;
use crate::codes;
use crate::diag::Diagnostic;
use crate::policy::{FileOp, FileOps, FileRule, LabelRef, PathRef, RunTarget};
use crate::resolve::Scope;
use canc_sets::path::{Anchor, Component, Tail};
use std::sync::Arc;

/// Directories that many programs share, so that no policy owns what is in them as a whole: those of the Filesystem Hierarchy
/// Standard 3.0 that belong to no single package.
const SHARED: &[&str] = &[
    "/",
    "/boot",
    "/dev",
    "/dev/shm",
    "/etc",
    "/etc/default",
    "/etc/init.d",
    "/home",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/run/lock",
    "/run/user",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/games",
    "/usr/include",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/libx32",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/etc",
    "/usr/local/lib",
    "/usr/local/sbin",
    "/usr/local/share",
    "/usr/sbin",
    "/usr/share",
    "/usr/src",
    "/var",
    "/var/cache",
    "/var/lib",
    "/var/log",
    "/var/mail",
    "/var/opt",
    "/var/spool",
    "/var/tmp",
];

impl Checker<'_, '_> {
    pub(super) fn file(&mut self, file: &ast::FileBody, scope: &Scope, what_for: Use) -> Option<FileRule> {
        let paths = self.paths(&file.paths, scope);
        let except = self.paths(&file.except, scope);
        let run = match &file.run {
            None | Some(ast::RunTarget::Inherit) => RunTarget::Inherit,
            Some(ast::RunTarget::Unconfined) => RunTarget::Unconfined,
            Some(ast::RunTarget::Policy(name)) if self.known_policy(name) => {
                RunTarget::Policy(Arc::clone(&name.text))
            }
            Some(ast::RunTarget::Policy(_)) => return None,
        };
        let (paths, except) = (paths?, except?);
        let taken = |path: &PathRef| except.iter().any(|e| e.pattern.covers(&path.pattern) == Some(true));
        if let (true, Some(first)) = (paths.iter().all(taken), paths.first()) {
            let help = "widen the paths, or narrow what `except` takes out";
            self.fail(
                codes::NOTHING_LEFT,
                first.span,
                "the rule matches nothing",
                "`except` takes all of it",
                help,
            );
            return None;
        }
        let label = self.label(file, &paths, what_for)?;
        // An allowed program is read and mapped when it is executed; a denied one may still be read.
        let implied = FileOps::of(&[FileOp::Read, FileOp::Map]);
        let brought = if what_for == Use::Allow { implied } else { FileOps::EMPTY };
        let ops = if file.ops.has(FileOp::Run) { file.ops.union(brought) } else { file.ops };
        Some(FileRule { ops, owner: file.owner, paths, except, label, run })
    }

    /// `as LABEL`; the outer `None` after an error.
    fn label(&mut self, file: &ast::FileBody, paths: &[PathRef], what_for: Use) -> Option<Option<LabelRef>> {
        let Some(label) = &file.label else { return Some(None) };
        if what_for == Use::Deny {
            let help = "own the paths in the `allow` that uses them";
            self.fail(
                codes::NO_MEANING,
                label.name.span,
                "`as` has no meaning on a `deny`",
                "a deny owns nothing",
                help,
            );
            return None;
        }
        for path in paths {
            if let Some(what) = shared(path) {
                let message = format!("`{}` is not this policy's to own", path.pattern);
                self.sink.push(
                    Diagnostic::new(codes::SHARED_DIRECTORY, message)
                        .label(path.span, format!("{what} belongs to many programs"))
                        .label(label.name.span, "owned here")
                        .help("name a directory or files of the program's own, or drop `as`"),
                );
                return None;
            }
        }
        Some(Some(LabelRef {
            name: Arc::clone(&label.name.text),
            takeover: label.takeover,
            span: label.name.span,
        }))
    }
}

/// The shared directory that a pattern would own as a whole or many things of.
fn shared(path: &PathRef) -> Option<String> {
    let pattern = &path.pattern;
    // No shared directory is deeper; this is asked once per owned path.
    const DEEPEST: usize = 3;
    let literal = pattern.components().len() == pattern.literal_prefix_components();
    match pattern.anchor() {
        Anchor::SelfProc => return Some("`/proc`".into()),
        Anchor::Home | Anchor::RunUser if pattern.components().is_empty() => {
            return Some("the whole directory".into());
        }
        Anchor::Home | Anchor::RunUser => return None,
        Anchor::Root => {}
    }
    let kernel_first =
        matches!(pattern.components().first(), Some(Component::Literal(n)) if matches!(&**n, "proc" | "sys"));
    if pattern.literal_prefix_components() > DEEPEST && !kernel_first {
        return None;
    }
    let prefix = pattern.literal_prefix();
    // A literal entry of a shared directory is a thing of its own, unless it is such a directory itself.
    let whole = !literal || pattern.tail() != Tail::Entry || SHARED.contains(&prefix.as_str());
    (kernel_first || whole && SHARED.contains(&prefix.as_str())).then(|| format!("`{prefix}`"))
}
