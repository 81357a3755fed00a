//! Recorded hosts and changes to them.

use serde::Deserialize;
use serde_json::Value;
use std::fs;
use std::path::Path;

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
