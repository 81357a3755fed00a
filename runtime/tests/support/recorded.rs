//! Recorded hosts, changes to them, and the directories of cases over them with the texts that they must give.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A directory of cases, with the recorded hosts in `hosts/`.
pub struct Golden {
    pub directory: PathBuf,
    /// The file of a case that holds its text.
    pub text: &'static str,
}

impl Golden {
    pub fn new(name: &str, text: &'static str) -> Self {
        Self { directory: Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden").join(name), text }
    }

    pub fn cases(&self) -> Vec<PathBuf> {
        let mut cases: Vec<PathBuf> = fs::read_dir(&self.directory)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir() && !path.ends_with("hosts"))
            .collect();
        cases.sort();
        cases
    }

    /// A recorded host, changed.
    pub fn host<T: for<'de> Deserialize<'de>>(&self, name: &str, patch: &Value) -> T {
        let recorded: Recorded = read(&self.directory.join("hosts").join(name).with_extension("json"));
        patched(recorded.host, patch)
    }

    /// Each case gives its text; `CANC_UPDATE` writes the texts anew.
    pub fn compare<C: for<'de> Deserialize<'de>>(&self, text: impl Fn(&C) -> String) {
        let update = std::env::var_os("CANC_UPDATE").is_some();
        let mut wrong = Vec::new();
        for directory in self.cases() {
            let found = text(&read(&directory.join("case.json")));
            let file = directory.join(self.text);
            if update {
                fs::write(&file, &found).unwrap();
            } else if fs::read_to_string(&file).unwrap_or_default() != found {
                wrong.push(format!("{}:\n{found}", directory.file_name().unwrap().display()));
            }
        }
        let wrong = wrong.join("\n");
        assert!(wrong.is_empty(), "these are not the golden texts (CANC_UPDATE=1 writes them):\n{wrong}");
    }

    /// Every case has its two files and no other, every recorded host is used, every used one is recorded, by a command with this word.
    pub fn is_complete(&self, at_least: usize, command: &str) {
        /// What every case has.
        #[derive(Deserialize)]
        struct Hosted {
            host: String,
        }
        let names = |directory: &Path| -> BTreeSet<String> {
            fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
        };
        let cases = self.cases();
        assert!(cases.len() >= at_least, "{} cases", cases.len());
        let mut used = BTreeSet::new();
        for directory in &cases {
            let wanted = ["case.json", self.text].map(str::to_owned).into();
            assert_eq!(names(directory), wanted, "{}", directory.display());
            used.insert(format!("{}.json", read::<Hosted>(&directory.join("case.json")).host));
        }
        let hosts = self.directory.join("hosts");
        assert_eq!(used, names(&hosts), "hosts that are used, and hosts that are recorded");
        for host in used {
            let recorded: Recorded = read(&hosts.join(&host));
            assert!(recorded.command.contains(command) && !recorded.machine.is_empty(), "{host}");
        }
    }
}

/// A host and how it was recorded.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    pub command: String,
    pub machine: String,
    pub host: Value,
}

pub fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// RFC 7396, but that `null` is a value, and that a variant takes the place of another.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else { return };
    if target.len() == 1 && patch.len() == 1 && !patch.keys().all(|name| target.contains_key(name)) {
        target.clear();
    }
    for (name, value) in patch {
        if value.is_null() {
            target.insert(name.clone(), Value::Null);
        } else {
            merge(target.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

pub fn patched<T: for<'de> Deserialize<'de>>(mut value: Value, patch: &Value) -> T {
    if !patch.is_null() {
        merge(&mut value, patch);
    }
    serde_json::from_value(value).unwrap_or_else(|e| panic!("{e}: {value}", value = patch))
}
