//! Rules on mounts, io_uring, message queues and other facilities to grants.

use super::place::Wanted;
use super::sheet::{Sheet, Source, Target, Ty};
use crate::selinux::known;
use crate::selinux::words::Access;
use canc_dsl::policy::{Facility, IoUringUse, IoUringUses, MountRule, MqueueOp, MqueueRule, PathRef, RuleId};
use canc_sets::path::TooLarge;

impl Sheet<'_, '_> {
    pub(super) fn mount_rule(&mut self, id: RuleId, mount: &MountRule) -> Result<(), TooLarge> {
        let source = Source::Rule(id);
        match mount {
            MountRule::New { types, target, .. } => {
                for fs in types {
                    let ty = self.file_system_type(fs);
                    match ty {
                        Some(ty) => self.grant(source, Target::Type(ty), Access::MountFs),
                        None => drop(self.draft(source).unknown.get_or_insert(format!("the base does not know the file system `{fs}`"))),
                    }
                }
                self.draft(source).widen("every source, every option, every file system of the same type".into());
                self.mount_on(source, target)
            }
            MountRule::Bind { target, .. } | MountRule::Move { target, .. } => {
                self.draft(source).widen("every source, and every kind of mount on such a directory".into());
                self.mount_on(source, target)
            }
            MountRule::Make { target, .. } => {
                self.draft(source).widen("every propagation".into());
                self.mount_on(source, target)
            }
            MountRule::Remount { target, .. } => {
                self.on_file_systems(source, Access::RemountFs);
                self.draft(source).widen("every option, on every mount of such a file system".into());
                self.search_targets(source, target)
            }
            MountRule::Unmount { target } => {
                self.on_file_systems(source, Access::UnmountFs);
                self.draft(source).widen("every mount of such a file system".into());
                self.search_targets(source, target)
            }
            MountRule::PivotRoot { .. } => {
                self.draft(source).widen("every pair of directories: SELinux does not look at pivot_root".into());
                Ok(())
            }
        }
    }

    /// The type of a file system by the base's tables.
    fn file_system_type(&self, fs: &str) -> Option<Ty> {
        let base = self.plan.base;
        let kept = base.fs_use().find(|r| r[1] == fs).map(|r| r[2]);
        let general = base.genfs().find(|r| r[0] == fs && r[1] == "/").map(|r| r[3]);
        kept.or(general).and_then(|name| base.type_no(name)).map(Ty::Base)
    }

    /// File systems on disks and in memory, which is where paths of a policy lie.
    fn on_file_systems(&mut self, source: Source, access: Access) {
        for name in known::DISK.iter().chain(known::MEMORY) {
            if let Some(ty) = self.base_type(source, name) {
                self.grant(source, Target::Type(ty), access);
            }
        }
    }

    fn mount_on(&mut self, source: Source, target: &[PathRef]) -> Result<(), TooLarge> {
        for path in target {
            for ty in self.directory_types(&path.pattern.with_tail(canc_sets::path::Tail::Directory))? {
                self.grant(source, Target::Type(ty), Access::MountOn);
            }
            let hits = self.base_hits(&path.pattern, &[], Wanted { files: true, directories: false })?;
            for hit in hits.found.iter().filter(|h| !h.directory) {
                self.grant(source, Target::Type(Ty::Base(hit.ty)), Access::MountOn);
            }
        }
        self.search_targets(source, target)
    }

    fn search_targets(&mut self, source: Source, target: &[PathRef]) -> Result<(), TooLarge> {
        target.iter().try_for_each(|path| self.search_parents(source, &path.pattern))
    }

    pub(super) fn io_uring_rule(&mut self, id: RuleId, uses: IoUringUses) {
        let source = Source::Rule(id);
        for one in uses.iter() {
            let access = match one {
                IoUringUse::Rings => Access::RingMemory,
                IoUringUse::Sqpoll => Access::RingSqpoll,
                IoUringUse::OverrideCreds => Access::RingOverride,
                IoUringUse::Cmd => Access::RingCmd,
            };
            self.grant(source, Target::Itself, access);
            if one == IoUringUse::Cmd {
                self.draft(source).narrow("commands to files: the permission is asked of each file's type".into());
            }
        }
    }

    pub(super) fn mqueue_rule(&mut self, id: RuleId, queue: &MqueueRule) {
        let source = Source::Rule(id);
        for name in known::MEMORY {
            let Some(ty) = self.base_type(source, name) else { continue };
            let target = Target::Type(ty);
            self.grant(source, target, Access::QueueDirRead);
            for op in queue.ops.iter() {
                let access = match op {
                    MqueueOp::Create => Access::QueueCreate,
                    MqueueOp::Read => Access::QueueRead,
                    MqueueOp::Write => Access::QueueWrite,
                    MqueueOp::Delete => Access::QueueDelete,
                };
                self.grant(source, target, access);
                match op {
                    MqueueOp::Create => self.grant(source, target, Access::AddName),
                    MqueueOp::Delete => self.grant(source, target, Access::RemoveName),
                    _ => {}
                }
            }
            self.draft(source).widen(format!("every queue, and every file in memory that is labelled `{name}`"));
        }
    }

    pub(super) fn facility_rule(&mut self, id: RuleId, facility: Facility) {
        let access = match facility {
            Facility::Shm => Access::ShmAll,
            Facility::Keyring => Access::KeyAll,
            Facility::Perf => Access::PerfAll,
        };
        self.grant(Source::Rule(id), Target::Itself, access);
    }
}
