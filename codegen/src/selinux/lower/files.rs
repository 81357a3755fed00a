//! Rules on paths to grants on the types that label them.

use super::own::OwnNo;
use super::place::{Hits, Wanted};
use super::plan::{from_bits, owns, rule_ops};
use super::sheet::{Sheet, Source, Target, Ty};
use crate::selinux::base::{Attribute, Kind};
use crate::selinux::words::Access;
use canc_dsl::policy::{Body, Effect, FileOp, FileOps, FileRule, PathRef, Rule, RunTarget};
use canc_sets::path::meet;
use canc_sets::path::{Component, Lang, Pattern, Tail, TooLarge, Universe};

/// Operations on things that are no directories, and on directories.
const ON_FILES: FileOps = FileOps::of(&[
    FileOp::Read,
    FileOp::Write,
    FileOp::Append,
    FileOp::Create,
    FileOp::Delete,
    FileOp::Link,
    FileOp::Lock,
    FileOp::Setattr,
    FileOp::Setid,
    FileOp::Map,
    FileOp::Mknod,
    FileOp::Run,
]);
const ON_DIRECTORIES: FileOps = FileOps::of(&[
    FileOp::List,
    FileOp::Create,
    FileOp::Delete,
    FileOp::Lock,
    FileOp::Setattr,
    FileOp::Setid,
]);

impl Sheet<'_, '_> {
    /// Lowers an allow.
    pub(super) fn file_rule(&mut self, rule: &Rule, file: &FileRule) -> Result<(), TooLarge> {
        let source = Source::Rule(rule.id);
        for path in &file.paths {
            self.own_paths(rule, file, path)?;
            self.base_paths(rule, file, path)?;
            self.search_parents(source, &path.pattern)?;
            if file.ops.has(FileOp::Create) || file.ops.has(FileOp::Mknod) {
                self.change_directory(source, &path.pattern, Access::AddName)?;
            }
            if file.ops.has(FileOp::Delete) {
                self.change_directory(source, &path.pattern, Access::RemoveName)?;
            }
        }
        let draft = self.draft(source);
        if file.owner {
            draft.widen("files of every owner".into());
        }
        if file.ops.has(FileOp::Setattr) || file.ops.has(FileOp::Setid) {
            draft.note("SELinux does not tell the set-id bits from other attributes");
        }
        Ok(())
    }

    /// Grants on the policy's own types, and on those of other policies of the build.
    fn own_paths(&mut self, rule: &Rule, file: &FileRule, path: &PathRef) -> Result<(), TooLarge> {
        let source = Source::Rule(rule.id);
        let plan = self.plan;
        let near: Vec<usize> = plan.areas_near(&path.pattern).map(|(i, _)| i).collect();
        for index in near {
            let (Some(area), Some(parts)) = (plan.areas.get(index), plan.parts.get(index)) else { continue };
            if !(owns(rule, self.number, area) || meet(&path.pattern, &area.pattern)?) {
                continue;
            }
            for part in parts {
                let bits = plan.granted(self.number, rule, path, index, part)?;
                let ops = from_bits(bits);
                if ops.is_empty() {
                    continue;
                }
                let target = Target::Type(Ty::Own(part.ty));
                self.grant_ops(source, target, ops, Kind::Any, true, file);
                self.grant(source, target, Access::Search);
                if let Some(witness) = self.beyond(part.ty, file)? {
                    let name = self.type_name(Ty::Own(part.ty));
                    self.draft(source).widen(format!("other paths labelled `{name}`, such as {witness}"));
                }
                for kept in &area.kept {
                    if file.paths.iter().any(|p| p.pattern.matches(&kept.witness)) {
                        let ty = kept.ty.map_or("<<none>>".into(), |t| plan.base.type_name(t).to_owned());
                        self.draft(source).narrow(format!("{} keeps the base's label `{ty}`", kept.witness));
                    }
                }
            }
        }
        Ok(())
    }

    /// A path that carries a private type and that the rule does not name.
    fn beyond(&self, ty: OwnNo, file: &FileRule) -> Result<Option<String>, TooLarge> {
        let plan = self.plan;
        for (index, area) in plan.areas.iter().enumerate() {
            let Some(parts) = plan.parts.get(index) else { continue };
            for part in parts.iter().filter(|p| p.ty == ty) {
                let covers = |p: &PathRef| p.pattern.covers(&area.pattern) == Some(true);
                if file.paths.iter().any(covers) {
                    continue;
                }
                if !file.paths.iter().any(|p| p.pattern.matches(&part.witness)) {
                    return Ok(Some(part.witness.clone()));
                }
                let mut lang = Lang::patterns([&area.pattern])?;
                for (number, cutter) in plan.cutters.get(index).into_iter().flatten().enumerate() {
                    let cut = Lang::patterns([&cutter.pattern])?;
                    lang = if part.inside.contains(&number) { lang.and(cut) } else { lang.minus(cut) };
                }
                let nested = plan.nested(index)?;
                if !nested.is_empty() {
                    lang = lang.minus(Lang::patterns(nested)?);
                }
                let named = Lang::patterns(file.paths.iter().map(|p| &p.pattern))?;
                if let Some(witness) = lang.minus(named).witness(Universe::Paths)? {
                    return Ok(Some(witness));
                }
            }
        }
        Ok(None)
    }

    /// Grants on the base's types.
    fn base_paths(&mut self, rule: &Rule, file: &FileRule, path: &PathRef) -> Result<(), TooLarge> {
        let source = Source::Rule(rule.id);
        for (ops, without) in self.op_groups(rule, path)? {
            let mut wanted = Wanted { files: false, directories: false };
            wanted.files = !ops.intersect(ON_FILES).is_empty();
            wanted.directories =
                !ops.intersect(ON_DIRECTORIES).is_empty() || path.pattern.tail() == Tail::Subtree;
            let without: Vec<&Pattern> =
                file.except.iter().map(|p| &p.pattern).chain(without.iter()).collect();
            let hits = self.base_hits(&path.pattern, &without, wanted)?;
            self.grant_hits(source, ops, &hits, file);
        }
        Ok(())
    }

    /// A rule's operations with what denies take out of a path, those together of which the same is taken.
    fn op_groups(&self, rule: &Rule, path: &PathRef) -> Result<Vec<(FileOps, Vec<Pattern>)>, TooLarge> {
        let mut groups: Vec<(FileOps, Vec<Pattern>)> = Vec::new();
        let mut left = rule_ops(rule);
        let mut denies: Vec<(u32, &Pattern)> = Vec::new();
        if let Some(paths) = self.plan.rule_paths(self.number) {
            for (deny, denied) in paths.to(&path.pattern).filter(|(r, _)| r.effect == Effect::Deny) {
                // A deny with exceptions of its own takes less than it names; its part is judged on the deny.
                let bits = rule_ops(deny) & left;
                if bits == 0
                    || !super::plan::rule_except(deny).is_empty()
                    || !meet(&denied.pattern, &path.pattern)?
                {
                    continue;
                }
                if denied.pattern.covers(&path.pattern) == Some(true) {
                    left &= !bits;
                } else {
                    denies.push((bits, &denied.pattern));
                }
            }
        }
        for op in from_bits(left).iter() {
            let without: Vec<Pattern> = denies
                .iter()
                .filter(|(bits, _)| bits >> (op as u32) & 1 == 1)
                .map(|(_, p)| (*p).clone())
                .collect();
            match groups.iter_mut().find(|(_, w)| *w == without) {
                Some((ops, _)) => *ops = ops.with(op),
                None => groups.push((FileOps::of(&[op]), without)),
            }
        }
        Ok(groups)
    }

    fn grant_hits(&mut self, source: Source, ops: FileOps, hits: &Hits, file: &FileRule) {
        for hit in &hits.found {
            let target = Target::Type(Ty::Base(hit.ty));
            let directory = hit.directory;
            let ops = ops.intersect(if directory { ON_DIRECTORIES } else { ON_FILES });
            if directory {
                self.grant(source, target, Access::Search);
            }
            if ops.is_empty() {
                continue;
            }
            let kind = if directory { Kind::Directory } else { hit.kind };
            self.grant_ops(source, target, ops, kind, false, file);
            let base = self.plan.base;
            self.draft(source).widen_one_of_many(|| {
                let other = base.entries_of(hit.ty).find_map(|e| {
                    let witness = base.witness(e)?;
                    (!file.paths.iter().any(|p| p.pattern.matches(witness))).then_some(witness)
                });
                let name = base.type_name(hit.ty);
                match other {
                    Some(witness) => format!("other paths labelled `{name}`, such as {witness}"),
                    None => format!("whatever else is labelled `{name}`"),
                }
            });
        }
        let draft = self.draft(source);
        hits.narrowed.iter().for_each(|n| draft.narrow(n.clone()));
        if hits.own_processes {
            for op in ops.iter() {
                let access = match op {
                    FileOp::Read => Access::OwnLink,
                    FileOp::List => Access::OwnDir,
                    _ => Access::OwnFile,
                };
                self.grant(source, Target::Itself, access);
            }
            self.grant(source, Target::Itself, Access::OwnFile);
        }
    }

    /// Grants operations in the classes that a kind of file has.
    pub(super) fn grant_ops(
        &mut self,
        source: Source,
        target: Target,
        ops: FileOps,
        kind: Kind,
        own: bool,
        file: &FileRule,
    ) {
        let class = self.kind_class(kind as usize);
        let (regular, link) = (self.kind_class(Kind::Regular as usize), self.kind_class(Kind::Link as usize));
        let devices = [self.kind_class(Kind::Character as usize), self.kind_class(Kind::Block as usize)];
        let directory = self.kind_class(Kind::Directory as usize);
        let is_device_type =
            matches!(target, Target::Type(Ty::Base(t)) if self.plan.base.has(t, Attribute::DeviceNode));
        for op in ops.iter() {
            let making = matches!(
                op,
                FileOp::Create | FileOp::Delete | FileOp::Setattr | FileOp::Setid | FileOp::Link
            );
            let keep = |c| {
                let c = Some(c);
                if own {
                    return op == FileOp::Mknod || !devices.contains(&c);
                }
                match kind {
                    Kind::Any if devices.contains(&c) => is_device_type || op == FileOp::Mknod,
                    Kind::Any if c == directory => false,
                    // What the base labels whatever it is, is a file or a link unless one makes something else there.
                    Kind::Any => c == regular || c == link || making,
                    _ => c == class,
                }
            };
            self.grant_classes(source, target, access_of(op, &file.run), &keep);
        }
    }

    /// Lets the domain reach what a pattern names: searching every directory on the way.
    pub(super) fn search_parents(&mut self, source: Source, pattern: &Pattern) -> Result<(), TooLarge> {
        for parent in ancestors(pattern) {
            for ty in self.directory_types(&parent)?.iter() {
                self.grant(source, Target::Type(*ty), Access::Search);
            }
        }
        Ok(())
    }

    /// Lets the domain add names to, or remove names from, the directories that hold what a pattern names.
    pub(super) fn change_directory(
        &mut self,
        source: Source,
        pattern: &Pattern,
        access: Access,
    ) -> Result<(), TooLarge> {
        for parent in holders(pattern) {
            for ty in self.directory_types(&parent)?.iter() {
                self.grant(source, Target::Type(*ty), access);
                if let Ty::Base(no) = ty {
                    let name = self.plan.base.type_name(*no).to_owned();
                    let word = if access == Access::AddName { "add names to" } else { "remove names from" };
                    self.draft(source).note(format!(
                        "may {word} any `{name}` directory, for what it may make or remove there"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Judges a deny on paths: what of it still gets through.
    pub(super) fn file_deny(&mut self, rule: &Rule, file: &FileRule) -> Result<(), TooLarge> {
        let source = Source::Rule(rule.id);
        let mut refused = false;
        let mut through = Vec::new();
        for path in &file.paths {
            let near: Vec<usize> = self.plan.areas_near(&path.pattern).map(|(i, _)| i).collect();
            for index in near {
                let Some(area) = self.plan.areas.get(index) else { continue };
                if meet(&path.pattern, &area.pattern)? {
                    refused = true;
                    if !path.pattern.has_literal_components() {
                        self.draft(source).note(
                            "what other programs make there carries the label of its directory until the next apply",
                        );
                    }
                }
            }
            let wanted = Wanted {
                files: !file.ops.intersect(ON_FILES).is_empty(),
                directories: !file.ops.intersect(ON_DIRECTORIES).is_empty(),
            };
            let without: Vec<&Pattern> = file.except.iter().map(|p| &p.pattern).collect();
            let hits = self.base_hits(&path.pattern, &without, wanted)?;
            for hit in &hits.found {
                let ops = file.ops.intersect(if hit.directory { ON_DIRECTORIES } else { ON_FILES });
                match ops.iter().find(|op| self.may(Ty::Base(hit.ty), *op, hit.directory)) {
                    Some(op) => through.push(format!("{} {}", op.word(), hit.witness)),
                    None => refused = true,
                }
            }
            refused |= hits.found.is_empty();
        }
        let draft = self.draft(source);
        if through.is_empty() {
            return Ok(());
        }
        if refused {
            draft.through = through;
        } else {
            let first = through.first().cloned().unwrap_or_default();
            draft.dropped =
                Some(format!("another rule needs the type of what it names: {first} gets through"));
        }
        Ok(())
    }

    /// Whether the grants so far, the base's among them, let the domain do something to files of a type.
    fn may(&self, ty: Ty, op: FileOp, directory: bool) -> bool {
        let Ok(rows) = self.plan.words.of(access_of(op, &RunTarget::Inherit)) else { return false };
        let class_of_directories = self.kind_class(Kind::Directory as usize);
        rows.iter().filter(|r| (Some(r.class) == class_of_directories) == directory).any(|row| {
            let have = self
                .grants
                .iter()
                .filter(|g| g.target == Target::Type(ty) && g.class == row.class)
                .fold(0, |bits, g| bits | g.perms.0);
            row.perms.0 & !have == 0
        })
    }
}

/// What an operation asks of the policy.
pub(super) fn access_of(op: FileOp, run: &RunTarget) -> Access {
    match op {
        FileOp::Read => Access::Read,
        FileOp::List => Access::List,
        FileOp::Write => Access::Write,
        FileOp::Append => Access::Append,
        FileOp::Create => Access::Create,
        FileOp::Delete => Access::Delete,
        FileOp::Link => Access::Link,
        FileOp::Lock => Access::Lock,
        FileOp::Setattr | FileOp::Setid => Access::Setattr,
        FileOp::Map => Access::Map,
        FileOp::Mknod => Access::Mknod,
        FileOp::Run if *run == RunTarget::Inherit => Access::Run,
        FileOp::Run => Access::RunOther,
    }
}

/// The directories on the way to what a pattern names, as patterns of directories.
pub(super) fn ancestors(pattern: &Pattern) -> Vec<Pattern> {
    let all = pattern.components();
    let own = if pattern.tail() == Tail::Subtree { all.len() + 1 } else { all.len() };
    (0..own)
        .map(|n| {
            let names: Vec<Component> = all.iter().take(n).cloned().collect();
            directory(pattern, names)
        })
        .collect()
}

fn directory(pattern: &Pattern, mut names: Vec<Component>) -> Pattern {
    if names.last() == Some(&Component::Globstar) {
        names.pop();
        return Pattern::from_parts(pattern.anchor(), names, Tail::Subtree);
    }
    Pattern::from_parts(pattern.anchor(), names, Tail::Directory)
}

/// The directories that hold what a pattern names.
pub(super) fn holders(pattern: &Pattern) -> Vec<Pattern> {
    let mut names = pattern.components().to_vec();
    let mut out = Vec::new();
    if pattern.tail() == Tail::Subtree {
        out.push(pattern.clone());
    }
    if names.pop().is_some() {
        out.push(directory(pattern, names));
    }
    out
}

/// Whether a rule may make something.
pub(super) fn makes(rule: &Rule) -> bool {
    match &rule.body {
        Body::File(file) => file.ops.has(FileOp::Create) || file.ops.has(FileOp::Mknod),
        Body::Unix(unix) => unix.listen,
        _ => false,
    }
}
