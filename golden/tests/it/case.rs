//! Directories to cases: a policy, the files that it uses, and how canc is called with them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The policy's file in every case.
pub const POLICY: &str = "policy.can";

/// One case.
#[derive(Debug, Clone)]
pub struct Case {
    /// `ok` or `bad`.
    pub kind: &'static str,
    /// Its name: the idea in a few words.
    pub name: String,
    /// `build`, `check` or `test`.
    pub command: String,
    /// The options after the policy.
    pub options: Vec<String>,
    /// What is recorded besides.
    pub record: Vec<String>,
}

impl Case {
    /// Its directory, relative to this crate's, so that nothing recorded depends on where that lies.
    pub fn dir(&self) -> PathBuf {
        Path::new(self.kind).join(&self.name)
    }

    /// Its policy.
    pub fn policy(&self) -> PathBuf {
        self.dir().join(POLICY)
    }

    /// The text of its policy; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.policy()).unwrap()).into_owned()
    }

    /// A text of canc without the directory of the case.
    pub fn shown(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.dir().display()), "")
    }

    fn read(kind: &'static str, name: String) -> Self {
        let mut case = Self { kind, name, command: "build".into(), options: Vec::new(), record: Vec::new() };
        let text = case.text();
        let head = |word: &str| -> Vec<String> {
            let lines = text.lines().take_while(|l| l.starts_with('#'));
            let of = lines.filter_map(|l| l.strip_prefix(word)?.strip_prefix(':'));
            of.flat_map(|l| l.split_ascii_whitespace().map(str::to_owned)).collect()
        };
        let mut words = head("# canc");
        if words.first().is_some_and(|w| !w.starts_with('-')) {
            case.command = words.remove(0);
        }
        if !words.iter().any(|w| w == "--arch") {
            words.extend(["--arch".into(), "x86_64".into()]);
        }
        let dir = case.dir();
        case.options = words
            .into_iter()
            // A bad case is run in its directory, the others are not.
            .map(|w| match w.strip_prefix("./") {
                Some(file) if kind == "ok" => dir.join(file).display().to_string(),
                _ => w,
            })
            .collect();
        case.record = head("# record").iter().map(|w| w.trim_end_matches(',').to_owned()).collect();
        case
    }
}

/// All cases of a kind, by name.
pub fn cases(kind: &'static str) -> Vec<Case> {
    here();
    let entries = fs::read_dir(kind).unwrap().map(|e| e.unwrap());
    let mut names: Vec<String> = entries
        .map(|entry| {
            assert!(entry.file_type().unwrap().is_dir(), "{:?} is a stray file", entry.path());
            assert!(entry.path().join(POLICY).is_file(), "{:?} has no {POLICY}", entry.path());
            entry.file_name().into_string().unwrap()
        })
        .collect();
    names.sort();
    names.into_iter().map(|name| Case::read(kind, name)).collect()
}

/// The case of this name.
pub fn case(kind: &'static str, name: &str) -> Case {
    here();
    Case::read(kind, name.to_owned())
}

fn here() {
    std::env::set_current_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
}

/// Does `work` on all items with as many threads as there are processors; the results are in the order of the items.
pub fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
        let worker = || {
            let mut own = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(at) else { return own };
                own.push((at, work(item)));
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|w| w.join().expect("a case panics")).collect()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
