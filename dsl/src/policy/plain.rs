//! A rule's body without its places in the source and without its label: what two rules have in common that say the same.

use super::{Body, FileRule, MountRule, MountSource, PathRef, UnixAddress, UnixRule};
use crate::source::Span;

impl Body {
    /// The body as it would be had it been written elsewhere: equal texts of `Debug` are equal bodies.
    #[must_use]
    pub fn plain(&self) -> Self {
        match self {
            Self::File(rule) => Self::File(FileRule {
                paths: paths(&rule.paths),
                except: paths(&rule.except),
                label: None,
                ..rule.clone()
            }),
            Self::Unix(rule) => Self::Unix(UnixRule {
                address: match &rule.address {
                    UnixAddress::Paths(list) => UnixAddress::Paths(paths(list)),
                    names => names.clone(),
                },
                except: paths(&rule.except),
                ..rule.clone()
            }),
            Self::Mount(rule) => Self::Mount(mount(rule)),
            other => other.clone(),
        }
    }
}

fn paths(list: &[PathRef]) -> Vec<PathRef> {
    let mut out: Vec<PathRef> =
        list.iter().map(|p| PathRef { pattern: p.pattern.clone(), span: Span::default() }).collect();
    out.sort_by_cached_key(|p| p.pattern.to_string());
    out.dedup();
    out
}

fn mount(rule: &MountRule) -> MountRule {
    let mut rule = rule.clone();
    let lists: Vec<&mut Vec<PathRef>> = match &mut rule {
        MountRule::New { source, target, .. } => {
            if let Some(MountSource::Path(path)) = source {
                path.span = Span::default();
            }
            vec![target]
        }
        MountRule::Bind { source, target, .. } | MountRule::Move { source, target } => vec![source, target],
        MountRule::PivotRoot { old, new } => vec![old, new],
        MountRule::Remount { target, .. }
        | MountRule::Make { target, .. }
        | MountRule::Unmount { target } => vec![target],
    };
    for list in lists {
        *list = paths(list);
    }
    rule
}
