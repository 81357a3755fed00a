//! One policy on one host: what trials need, made once, and each item to its row.

use super::judge::{cell, judge};
use super::trial::{Bench, Ground, cover};
use super::variant::{Files, variant};
use super::{Cell, Column, Item, Judgement, Outcome, Reading, Row, Task, Want};
use canc_bundle::{Manifest, PolicyEntry};
use canc_runtime::{Layer, LayerState};
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Devices that nothing happens to when they are opened.
const HARMLESS: [&str; 6] =
    ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// Everything that a policy's trials need; gone when dropped.
pub struct Run {
    bench: Bench,
    columns: Vec<Column>,
    /// Whether files have labels that decide, which those of a private copy would not have.
    labels: bool,
    secret: PathBuf,
    /// Keeps the bundles.
    _directory: TempDir,
}

impl Run {
    /// Writes a bundle for each column that there is here.
    ///
    /// # Errors
    /// One line for the person who asked.
    pub fn new(
        manifest: &Manifest,
        files: &Files,
        policy: &PolicyEntry,
        states: &BTreeMap<Layer, LayerState>,
        probe: &Path,
    ) -> Result<Self, String> {
        let directory = tempfile::Builder::new().prefix("canc-verify").tempdir();
        let directory = directory.map_err(|e| format!("no temporary directory: {e}"))?;
        let root = directory.path().canonicalize().map_err(|e| e.to_string())?;
        let active = |layer: &Layer| states.get(layer).is_some_and(LayerState::is_active);
        let mut columns = vec![Column::All];
        columns.extend(Layer::ALL.into_iter().filter(active).map(Column::Only));
        columns.extend([Column::Runtime, Column::None]);
        let labelled = active(&Layer::Selinux) || active(&Layer::Apparmor);
        // In a user namespace what canc remembers of the loaded profile or module would belong to nobody, and count for nothing.
        if labelled && !rustix::process::geteuid().is_root() {
            return Err(format!(
                "SELinux or AppArmor holds policy `{}` here, and there the probe has to take the place of the policy's program, which \
                 only root can arrange\n  to mend it: run it as root",
                policy.name
            ));
        }
        let place = if labelled { Some(place(policy)?) } else { None };
        let mut bundles = Vec::new();
        for column in columns.iter().filter(|column| **column != Column::None) {
            let path = root.join(column.word());
            write(&path, &variant(manifest, files, *column, probe)?)?;
            bundles.push((*column, path));
        }
        let (work, open) = (root.join("work"), root.join("open"));
        for made in [&work, &open] {
            fs::create_dir(made).map_err(|e| e.to_string())?;
        }
        let secret = open.join("secret");
        fs::write(&secret, "secret\n").map_err(|e| e.to_string())?;
        fs::set_permissions(&secret, Permissions::from_mode(0o644)).map_err(|e| e.to_string())?;
        let canc = std::env::current_exe().map_err(|e| format!("cannot find the running program: {e}"))?;
        let bench =
            Bench { canc, probe: probe.to_owned(), place, bundles, policy: policy.name.clone(), work };
        Ok(Self { bench, columns, labels: active(&Layer::Selinux), secret, _directory: directory })
    }

    /// A file that no policy names.
    pub fn secret(&self) -> &Path {
        &self.secret
    }

    /// Shows that the probe can be started under every column.
    ///
    /// # Errors
    /// The column, and why not.
    pub fn check(&self) -> Result<(), String> {
        for column in &self.columns {
            let task = Task::new(&["label"], Reading::Plain);
            if let Outcome::NotRun(why) = self.bench.perform(&task, *column, &Ground::Host) {
                let policy = &self.bench.policy;
                return Err(match column {
                    Column::None => format!("the probe does not run here: {why}"),
                    Column::All => format!("policy {policy}: nothing can be started under it here: {why}"),
                    other => {
                        format!("policy {policy}: nothing can be started under {} alone: {why}", other.word())
                    }
                });
            }
        }
        Ok(())
    }

    /// Performs an item under every column.
    pub fn row(&self, item: Item) -> Row {
        let Item { origin, title, text, at, job } = item;
        let row = |result, why, private_copy, cells| Row {
            origin,
            title,
            text,
            at,
            result,
            why,
            private_copy,
            cells,
        };
        let (task, want) = match job {
            Ok(job) => job,
            Err(why) => return row(Judgement::NotApplicable, why, None, Vec::new()),
        };
        let (ground, bare) = match self.ground(&task) {
            Ok(found) => found,
            Err(why) => return row(Judgement::NotApplicable, why, None, Vec::new()),
        };
        let (result, why, cells) = self.performed(&task, &want, &ground, &bare);
        let private = if let Ground::Private(cover) = ground { cover } else { None };
        row(result, why, private, cells)
    }

    fn performed(
        &self,
        task: &Task,
        want: &Want,
        ground: &Ground,
        bare: &Outcome,
    ) -> (Judgement, String, Vec<(Column, Cell)>) {
        let each = self.columns.iter().map(|column| {
            let outcome = if *column == Column::None {
                bare.clone()
            } else {
                self.bench.perform(task, *column, ground)
            };
            (*column, cell(task.reading, &outcome, bare))
        });
        let cells: Vec<_> = each.collect();
        let (result, why) = judge(want, &cells);
        (result, why, cells)
    }

    /// Where a task is performed, with its outcome under no layer: on the host as it is, if it changes nothing and works there; else
    /// where a file stands in for what is missing or closed to this user.
    fn ground(&self, task: &Task) -> Result<(Ground, Outcome), String> {
        let bare = |ground: Ground| {
            let outcome = self.bench.perform(task, Column::None, &ground);
            (ground, outcome)
        };
        let device = task.standin.as_ref().map(|s| Path::new(s.path())).filter(|path| is_device(path));
        if let Some(path) = device {
            return Err(format!("{} is a device, and to open it may do something", path.display()));
        }
        let on_host = (!task.changes).then(|| bare(Ground::Host));
        let Some(standin) = &task.standin else {
            return Ok(on_host.unwrap_or_else(|| bare(Ground::Private(None))));
        };
        if let Some((ground, Outcome::Done | Outcome::NotRun(_))) = &on_host {
            return Ok((ground.clone(), on_host.clone().map_or(Outcome::Done, |(_, outcome)| outcome)));
        }
        let covered = if self.labels { None } else { cover(standin) };
        match (covered, on_host) {
            (Some(directory), on_host) => {
                let staged = bare(Ground::Private(Some(directory)));
                match (&staged.1, on_host) {
                    (Outcome::NotRun(why), None) => {
                        Err(format!("it would change the host, and no private copy can be made: {why}"))
                    }
                    (Outcome::NotRun(_), Some(on_host)) => Ok(on_host),
                    _ => Ok(staged),
                }
            }
            (None, Some(on_host)) => Ok(on_host),
            (None, None) if self.labels => {
                Err("it would change the host, and a private copy would not have the host's labels".into())
            }
            (None, None) => Err(format!(
                "it would change the host, and nothing can cover the directory of {}",
                standin.path()
            )),
        }
    }
}

fn is_device(path: &Path) -> bool {
    let device = |kind: fs::FileType| kind.is_char_device() || kind.is_block_device();
    !HARMLESS.iter().any(|known| path == Path::new(known))
        && fs::metadata(path).is_ok_and(|found| device(found.file_type()))
}

/// A program of the policy's that is there: under access control by labels and profiles, the probe takes its place.
fn place(policy: &PolicyEntry) -> Result<PathBuf, String> {
    let literal = |pattern: &&String| !pattern.contains(['*', '?', '[', '\\']);
    let there = |path: &PathBuf| fs::metadata(path).is_ok_and(|found| found.is_file());
    let mut paths = policy.launch.exec.iter().filter(literal).map(PathBuf::from);
    let found = paths.find(there).and_then(|path| path.canonicalize().ok());
    found.ok_or_else(|| {
        format!(
            "none of the programs of `{}` is here ({}): the probe has to take the place of one",
            policy.name,
            policy.launch.exec.join(", ")
        )
    })
}

fn write(directory: &Path, files: &Files) -> Result<(), String> {
    for (name, bytes) in files {
        let path = directory.join(name);
        let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, bytes));
        made.map_err(|e| format!("cannot write `{}`: {e}", path.display()))?;
    }
    Ok(())
}
