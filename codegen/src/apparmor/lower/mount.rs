//! Mounting to mount, umount and pivot_root rules. The kernel compares the flags of mount(2) exactly, and so do these.

use super::context::Context;
use crate::apparmor::glob::{AaGlob, Form, NameGlob};
use crate::apparmor::model::{self, Mode, MountOption, Rule};
use crate::verdict::{Outcome, Verdict};
use canc_dsl::policy::{MountFlag, MountFlags, MountRule, MountSource, PathRef, Propagation, RuleId};

pub(super) fn rule(cx: &mut Context<'_>, id: RuleId, allow: bool, rule: &MountRule) {
    if !cx.features.mount() {
        cx.set(id, Outcome::new(Verdict::NotApplicable));
        return;
    }
    if cx.complain && !allow {
        return;
    }
    let mode = if allow { cx.mode(id) } else { Mode::DENY };
    for made in rules(mode, rule) {
        cx.add(id, made);
    }
    if !allow {
        return;
    }
    if let MountRule::Remount { options: None, bind, .. } = rule {
        let other = if *bind { "the whole file system" } else { "one mount point" };
        cx.widen(id, format!("remounting {other}: without flags AppArmor does not tell the two apart"));
    }
    if let MountRule::New { .. } | MountRule::Bind { .. } | MountRule::Move { .. } = rule {
        cx.note(id, "by mount(2); what the newer calls (fsmount, open_tree) attach is a move from nowhere and refused");
    }
}

fn globs(paths: &[PathRef]) -> Vec<AaGlob> {
    paths.iter().filter_map(|p| AaGlob::of_pattern(&p.pattern, Form::Both)).collect()
}

fn rules(mode: Mode, rule: &MountRule) -> Vec<Rule> {
    let plain = |target: AaGlob| model::MountRule {
        mode,
        remount: false,
        types: Vec::new(),
        options: Vec::new(),
        source: None,
        target,
    };
    let pairs = |source: &[PathRef], target: &[PathRef], option: MountOption| -> Vec<Rule> {
        let sources = globs(source);
        let one = |target: AaGlob| {
            sources.iter().map(move |source| {
                let source = Some(model::MountSource::Path(source.clone()));
                Rule::Mount(model::MountRule { options: vec![option], source, ..plain(target.clone()) })
            })
        };
        globs(target).into_iter().flat_map(one).collect()
    };
    match rule {
        MountRule::New { types, source, target, options } => {
            let types: Vec<NameGlob> = types.iter().map(|t| NameGlob::literal(t)).collect();
            let source = source.as_ref().and_then(new_source);
            let options = options.map(|o| flags(o, None)).unwrap_or_default();
            let make = |target| {
                let (types, options, source) = (types.clone(), options.clone(), source.clone());
                Rule::Mount(model::MountRule { types, options, source, ..plain(target) })
            };
            globs(target).into_iter().map(make).collect()
        }
        MountRule::Bind { recursive, source, target } => {
            pairs(source, target, if *recursive { MountOption::Rbind } else { MountOption::Bind })
        }
        MountRule::Move { source, target } => pairs(source, target, MountOption::Move),
        MountRule::Remount { options, bind, target } => {
            let options = options.map(|o| flags(o, bind.then_some(MountOption::Bind))).unwrap_or_default();
            let make = |target| {
                Rule::Mount(model::MountRule { remount: true, options: options.clone(), ..plain(target) })
            };
            globs(target).into_iter().map(make).collect()
        }
        MountRule::Make { propagation, target } => {
            // The kernel compares MS_SILENT here too, which changes nothing and which some programs always give.
            let option = propagation_option(*propagation);
            let make = |target: AaGlob| {
                [vec![option], vec![option, MountOption::Silent]]
                    .map(|options| Rule::Mount(model::MountRule { options, ..plain(target.clone()) }))
            };
            globs(target).into_iter().flat_map(make).collect()
        }
        MountRule::Unmount { target } => {
            globs(target).into_iter().map(|target| Rule::Umount { mode, target }).collect()
        }
        MountRule::PivotRoot { old, new } => {
            let (old, new) = (globs(old), globs(new));
            let one = |new: AaGlob| {
                old.iter().map(move |old| Rule::PivotRoot { mode, old: old.clone(), new: new.clone() })
            };
            new.into_iter().flat_map(one).collect()
        }
    }
}

fn new_source(source: &MountSource) -> Option<model::MountSource> {
    match source {
        MountSource::Path(path) => {
            AaGlob::of_pattern(&path.pattern, Form::Both).map(model::MountSource::Path)
        }
        MountSource::Name(name) if name.starts_with('/') => {
            Some(model::MountSource::Path(AaGlob::literal(name)))
        }
        MountSource::Name(name) => Some(model::MountSource::Name(NameGlob::literal(name))),
    }
}

/// Exactly these flags. No flag at all is spelled `rw`.
fn flags(flags: MountFlags, bind: Option<MountOption>) -> Vec<MountOption> {
    let mut out: Vec<MountOption> = flags.iter().map(MountOption::from).chain(bind).collect();
    if out.is_empty() {
        out.push(MountOption::Rw);
    }
    out
}

impl From<MountFlag> for MountOption {
    fn from(flag: MountFlag) -> Self {
        match flag {
            MountFlag::Ro => Self::Ro,
            MountFlag::Nosuid => Self::Nosuid,
            MountFlag::Nodev => Self::Nodev,
            MountFlag::Noexec => Self::Noexec,
            MountFlag::Sync => Self::Sync,
            MountFlag::Dirsync => Self::Dirsync,
            MountFlag::Noatime => Self::Noatime,
            MountFlag::Nodiratime => Self::Nodiratime,
            MountFlag::Relatime => Self::Relatime,
            MountFlag::Strictatime => Self::Strictatime,
            MountFlag::Silent => Self::Silent,
            MountFlag::Mand => Self::Mand,
        }
    }
}

fn propagation_option(propagation: Propagation) -> MountOption {
    match propagation {
        Propagation::Shared => MountOption::Shared,
        Propagation::Slave => MountOption::Slave,
        Propagation::Private => MountOption::Private,
        Propagation::Unbindable => MountOption::Unbindable,
        Propagation::Rshared => MountOption::Rshared,
        Propagation::Rslave => MountOption::Rslave,
        Propagation::Rprivate => MountOption::Rprivate,
        Propagation::Runbindable => MountOption::Runbindable,
    }
}
