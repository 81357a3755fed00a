//! What only one may claim: where a program goes, who owns a path, who a program is attached to.

use super::Checker;
use super::overlap::{Claimed, Unanswered, meetings};
use super::policy::Making;
use crate::codes;
use crate::diag::{Code, Diagnostic};
use crate::policy::{Body, Effect, FileOp, FileRule, RunTarget};
use crate::source::Span;

/// The most claims of one kind that are reported.
const MOST: usize = 100;

impl Checker<'_, '_> {
    pub(super) fn claims(&mut self, policies: &[Making]) {
        for making in policies {
            self.run_targets(making);
        }
        self.owners(policies);
        self.attachments(policies);
    }

    /// Two allowed `run` rules that send one path to two places.
    fn run_targets(&mut self, making: &Making) {
        let runs: Vec<&FileRule> = allowed_files(making).filter(|f| f.ops.has(FileOp::Run)).collect();
        let mut targets: Vec<&RunTarget> = Vec::new();
        let mut claims = Vec::new();
        let mut owners = std::collections::HashMap::new();
        for file in runs {
            let owner = *owners.entry(&file.run).or_insert_with(|| {
                targets.push(&file.run);
                targets.len() - 1
            });
            claims.extend(file.paths.iter().map(|path| Claimed { owner, path, except: &file.except }));
        }
        let shown = |owner: usize| match targets.get(owner) {
            Some(RunTarget::Policy(name)) => format!("to policy `{name}`"),
            Some(RunTarget::Unconfined) => "out of confinement".into(),
            Some(RunTarget::Inherit) | None => "nowhere else".into(),
        };
        let help = "take the path out of one of the rules with `except`";
        self.meetings(&claims, codes::TWO_TARGETS, "is sent to two places", help, |owner| {
            format!("goes {} here", shown(owner))
        });
    }

    /// Two policies that own one path.
    fn owners(&mut self, policies: &[Making]) {
        let mut claims = Vec::new();
        for (owner, making) in policies.iter().enumerate() {
            for file in allowed_files(making).filter(|f| f.label.is_some()) {
                claims.extend(file.paths.iter().map(|path| Claimed { owner, path, except: &file.except }));
            }
        }
        let help = "let one policy own it; the other one names it without `as` and uses that policy's label";
        self.meetings(&claims, codes::TWO_OWNERS, "is owned by two policies", help, |owner| {
            let name = policies.get(owner).map(|m| m.data.name.to_string()).unwrap_or_default();
            format!("`{name}` owns it here")
        });
    }

    /// Two policies that one program is attached to.
    fn attachments(&mut self, policies: &[Making]) {
        let mut claims = Vec::new();
        for (owner, making) in policies.iter().enumerate() {
            claims.extend(making.data.attach.iter().map(|path| Claimed { owner, path, except: &[] }));
        }
        let help = "attach it to one of them, and start the other with `canc run`, that is `exec`";
        self.meetings(&claims, codes::TWO_ATTACHMENTS, "is attached to two policies", help, |owner| {
            let name = policies.get(owner).map(|m| m.data.name.to_string()).unwrap_or_default();
            format!("to `{name}` here")
        });
    }

    fn meetings(
        &mut self,
        claims: &[Claimed<'_>],
        code: Code,
        what: &str,
        help: &str,
        label: impl Fn(usize) -> String,
    ) {
        let span = |number: usize| claims.get(number).map_or(Span::default(), |c| c.path.span);
        let owner = |number: usize| claims.get(number).map_or(0, |c| c.owner);
        match meetings(claims, MOST) {
            Ok(found) => {
                for meeting in found {
                    self.sink.push(
                        Diagnostic::new(code, format!("`{}` {what}", meeting.witness))
                            .label(span(meeting.second), label(owner(meeting.second)))
                            .label(span(meeting.first), label(owner(meeting.first)))
                            .help(help),
                    );
                }
            }
            Err(Unanswered::TooMany) => {
                let message = "too many patterns overlap to tell which of them claim one path";
                let help = "start patterns with longer literal directories, or use fewer of them";
                self.fail(codes::TOO_MANY_OVERLAPS, span(0), message, "this one and others", help);
            }
            Err(Unanswered::TooLarge(error)) => {
                let at = claims.iter().find(|c| c.path.pattern.to_string() == error.pattern);
                let span = at.map_or(span(0), |c| c.path.span);
                let help = "use fewer `?`, `*` and classes in one name";
                self.fail(codes::PATH_EXPLODES, span, error.to_string(), "this pattern", help);
            }
        }
    }
}

fn allowed_files(making: &Making) -> impl Iterator<Item = &FileRule> {
    making.data.rules.iter().filter(|r| r.effect == Effect::Allow).filter_map(|r| match &r.body {
        Body::File(file) => Some(file),
        _ => None,
    })
}
