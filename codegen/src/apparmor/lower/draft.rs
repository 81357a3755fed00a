//! Rules as they come to a profile's blocks: equal rules are one rule with several sources, and the words of a path are merged.

use crate::apparmor::glob::AaGlob;
use crate::apparmor::model::{Block, FilePerm, FilePerms, FileRule, Mode, Origin, Rule};
use crate::apparmor::token::{BadToken, Comment, RuleName};
use canc_dsl::policy::{Policy, RuleId};
use std::collections::HashMap;

/// Who wants a rule in the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Source {
    /// Every profile, for this reason.
    Base(&'static str),
    /// A rule of the policy.
    Rule(RuleId),
}

struct Entry {
    rule: Rule,
    sources: Vec<Source>,
}

/// The rules of a profile that is being made.
pub(super) struct Draft {
    entries: Vec<Entry>,
    files: HashMap<(Mode, bool, AaGlob), usize>,
    others: HashMap<Rule, usize>,
}

impl Draft {
    /// For about so many rules.
    pub(super) fn with_capacity(rules: usize) -> Self {
        let entries = Vec::with_capacity(rules);
        Self { entries, files: HashMap::with_capacity(rules), others: HashMap::new() }
    }

    /// Adds a rule for a source.
    pub(super) fn add(&mut self, source: Source, rule: Rule) {
        match rule {
            Rule::File(file) => {
                self.file(source, file);
            }
            rule => match self.others.get(&rule) {
                Some(at) => self.claim(*at, source),
                None => {
                    self.others.insert(rule.clone(), self.entries.len());
                    self.entries.push(Entry { rule, sources: vec![source] });
                }
            },
        }
    }

    /// Adds permissions on a path for a source. False where the path already has another target of execution.
    pub(super) fn file(&mut self, source: Source, file: FileRule) -> bool {
        let key = (file.mode, file.owner, file.path.clone());
        let Some(at) = self.files.get(&key).copied() else {
            self.files.insert(key, self.entries.len());
            self.entries.push(Entry { rule: Rule::File(file), sources: vec![source] });
            return true;
        };
        self.claim(at, source);
        let Some(Entry { rule: Rule::File(known), .. }) = self.entries.get_mut(at) else { return true };
        known.perms = merged(known.perms, file.perms);
        let agrees = file.exec.is_none() || known.exec.is_none() || known.exec == file.exec;
        known.exec = known.exec.take().or(file.exec);
        agrees
    }

    fn claim(&mut self, at: usize, source: Source) {
        let Some(entry) = self.entries.get_mut(at) else { return };
        // Rules come in their order, so this is the end of the list nearly always.
        if entry.sources.last().is_none_or(|last| *last < source) {
            entry.sources.push(source);
        } else if let Err(place) = entry.sources.binary_search(&source) {
            entry.sources.insert(place, source);
        }
    }

    /// The blocks: neighbours with the same sources stand together.
    pub(super) fn blocks(self, policy: &Policy) -> Result<Vec<Block>, (Option<RuleId>, BadToken)> {
        let mut out: Vec<Block> = Vec::new();
        let mut last: Vec<Source> = Vec::new();
        for Entry { rule, sources } in self.entries {
            match out.last_mut() {
                Some(block) if sources == last => block.rules.push(rule),
                _ => {
                    let origins = sources.iter().map(|s| origin(policy, *s)).collect::<Result<_, _>>()?;
                    out.push(Block { origins, rules: vec![rule] });
                    last = sources;
                }
            }
        }
        Ok(out)
    }
}

/// Both sets, where writing swallows appending: the parser refuses them side by side.
pub(super) fn merged(a: FilePerms, b: FilePerms) -> FilePerms {
    let both = a.union(b);
    if both.has(FilePerm::Write) { both.minus(FilePerms::of(&[FilePerm::Append])) } else { both }
}

fn origin(policy: &Policy, source: Source) -> Result<Origin, (Option<RuleId>, BadToken)> {
    match source {
        Source::Base(why) => Comment::new(why).map(Origin::Base).map_err(|e| (None, e)),
        Source::Rule(id) => {
            let rule = policy.rule(id);
            let at = |e| (Some(id), e);
            let name = rule.and_then(|r| r.name.as_deref()).map(RuleName::new).transpose().map_err(at)?;
            let because = rule.and_then(|r| r.because.as_deref()).map(str::trim).filter(|t| !t.is_empty());
            Ok(Origin::Rule { id, name, because: because.map(Comment::new).transpose().map_err(at)? })
        }
    }
}
