//! Patterns to places in the file system that rules of Landlock can name, with the rights that each place gets.

use super::rights::{ON_FILE, Right, Rights, of_op, of_ops};
use canc_dsl::policy::{FileOp, FileOps};
use canc_sets::path::{Anchor, Component, Pattern, Tail};

/// A directory with everything below it (with a final slash), or a single file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place(String);

impl Place {
    /// The path of the bundle: absolute, or below `~`, `%t` or `/proc/self`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0
    }

    /// Reads the path of a bundle.
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        Self(path.into())
    }

    /// Whether it is a directory with everything below it.
    #[must_use]
    pub fn is_tree(&self) -> bool {
        self.0.ends_with('/')
    }
}

/// The paths of a place as a pattern. `~` and the like stand for every user's, though a launch has but one.
#[must_use]
pub fn pattern_of(place: &Place) -> Option<Pattern> {
    let starts = [("~", "${home}"), ("%t", "${run_user}")];
    let start = starts.iter().find(|(short, _)| {
        place.0.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    let (built_in, rest) = match start {
        Some((short, long)) => (*long, place.0.strip_prefix(short).unwrap_or_default()),
        None => ("", place.0.as_str()),
    };
    let path = rest.trim_end_matches('/');
    let end = if place.is_tree() { "/**" } else { "" };
    let text = format!("{built_in}{}{end}", canc_sets::path::escape(path));
    Pattern::parse(&text).ok()?.into_iter().next()
}

/// What a pattern comes to.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// The places and their rights.
    pub(super) places: Vec<(Place, Rights)>,
    /// Whether places and rights say exactly what the pattern and operations say, joined words apart.
    pub(super) exact: bool,
    /// What of the operations is not granted.
    pub(super) narrowed: Vec<String>,
}

/// Directories that many programs share. A missing file of one's own is no reason to be let make files there.
const SHARED: [&str; 20] = [
    "/",
    "/etc",
    "/run",
    "/tmp",
    "/var",
    "/var/log",
    "/var/lib",
    "/var/tmp",
    "/var/cache",
    "/var/spool",
    "/home",
    "/root",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/sbin",
    "/opt",
    "/srv",
    "/dev",
    "/proc",
];

fn is_shared(directory: &str) -> bool {
    let own_home = directory.strip_prefix("/home/").is_some_and(|rest| !rest.contains('/'));
    SHARED.contains(&directory) || matches!(directory, "~" | "%t") || own_home
}

/// The places of a pattern for some operations.
pub(super) fn places(pattern: &Pattern, ops: FileOps) -> Placed {
    let mut out = Placed { exact: true, ..Placed::default() };
    match pattern.anchor() {
        Anchor::Home => out.narrowed.push("other homes than the caller's".into()),
        Anchor::RunUser => out.narrowed.push("other runtime directories than the caller's".into()),
        Anchor::SelfProc => out.narrowed.push("entries of processes that the program starts".into()),
        Anchor::Root => {}
    }
    let literal = pattern.components().iter().all(|c| matches!(c, Component::Literal(_)));
    let head = head(pattern);
    let rights = of_ops(ops);
    match (literal, pattern.tail()) {
        (true, Tail::Subtree) => out.add(&format!("{head}/"), rights),
        (true, tail) => out.literal(&head, tail, ops),
        (false, _) => {
            out.exact = false;
            out.add(&format!("{head}/"), rights);
        }
    }
    out
}

/// The literal start of a pattern without trailing slash; the root is empty.
fn head(pattern: &Pattern) -> String {
    let mut out = String::from(match pattern.anchor() {
        Anchor::Root => "",
        Anchor::Home => "~",
        Anchor::RunUser => "%t",
        Anchor::SelfProc => "/proc/self",
    });
    for component in pattern.components() {
        let Component::Literal(name) = component else { break };
        out.push('/');
        out.push_str(name);
    }
    out
}

impl Placed {
    fn add(&mut self, path: &str, rights: Rights) {
        if !rights.is_empty() {
            self.places.push((Place(path.into()), rights));
        }
    }

    /// One path. What happens to the entry itself happens in its directory.
    fn literal(&mut self, path: &str, tail: Tail, ops: FileOps) {
        let in_directory = FileOps::of(&[FileOp::Create, FileOp::Delete, FileOp::Link, FileOp::Mknod]);
        let on_file = of_ops(ops.minus(in_directory)).intersect(ON_FILE);
        if tail != Tail::Directory && !path.is_empty() {
            self.add(path, on_file);
        }
        if ops.has(FileOp::List) {
            self.exact = false;
            self.add(&format!("{path}/"), of_op(FileOp::List));
        }
        let wanted = ops.intersect(in_directory);
        if wanted.is_empty() {
            return;
        }
        self.exact = false;
        let Some((parent, _)) = path.rsplit_once('/') else { return };
        let rights = entry_rights(wanted, tail);
        let wants_new = wanted.has(FileOp::Create);
        let at = if parent.is_empty() { "/" } else { parent };
        if is_shared(at) {
            let list: Vec<&str> = wanted.iter().map(FileOp::word).collect();
            let what = format!("{}: a right on all of `{at}`, which is shared", list.join(", "));
            self.narrowed.push(what);
            return;
        }
        // A file that is made anew has the rights of its directory alone.
        let own = if wants_new && tail != Tail::Directory { on_file } else { Rights::EMPTY };
        self.add(&format!("{parent}/"), rights.union(own));
    }
}

/// The rights on a directory that one entry of it takes. What may stand at a path is a file unless its pattern says otherwise.
fn entry_rights(ops: FileOps, tail: Tail) -> Rights {
    let directories = tail == Tail::Directory;
    let mut out = Rights::EMPTY;
    for op in ops.iter() {
        let rights: &[Right] = match (op, directories) {
            (FileOp::Create, false) => &[Right::MakeReg],
            (FileOp::Create, true) => &[Right::MakeDir],
            (FileOp::Delete, false) => &[Right::RemoveFile, Right::Refer],
            (FileOp::Delete, true) => &[Right::RemoveDir, Right::Refer],
            (FileOp::Link, _) => &[Right::Refer],
            (FileOp::Mknod, _) => &[Right::MakeChar, Right::MakeBlock],
            _ => &[],
        };
        out = out.union(Rights::of(rights));
    }
    out
}
