//! The text of a case to its trials: which rule each is about, the request of the language, and what the probe performs for it.
//!
//! It must not know what is to come of a trial: that is what the compiler says.

use crate::Error;
use std::collections::BTreeMap;

/// A policy and what is tried of it.
#[derive(Debug, Clone)]
pub struct Case {
    /// The case's name.
    pub name: &'static str,
    /// The policy.
    pub source: &'static str,
    /// Shell lines that make what the trials need, as root and unconfined.
    pub setup: Vec<String>,
    /// The trials.
    pub trials: Vec<Trial>,
}

/// One request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trial {
    /// The rule that it is about, without the `@`.
    pub rule: String,
    /// In the words of the language.
    pub request: String,
    /// What it comes to for a layer that goes by something else than the name, such as the label of a hard link.
    pub seen_as: BTreeMap<String, String>,
    /// The probe's words.
    pub words: String,
    /// A shell line before it, as root and unconfined.
    pub before: String,
    /// Whether it is performed under the label alone, without the launcher, which would take away what is asked for.
    pub by_label: bool,
    /// The layers that it is about, if it is not about all.
    pub only: Vec<String>,
}

impl Trial {
    /// The request as this layer sees it.
    pub fn asked(&self, layer: &str) -> &str {
        self.seen_as.get(layer).unwrap_or(&self.request)
    }
}

impl Case {
    /// Reads what is tried: `: LINE` is a line of the set-up, `[RULE]` starts the trials of a rule, and a trial is
    /// `REQUEST | WORDS [| before LINE] [| LAYER REQUEST] [| by label] [| only LAYER…]`.
    pub fn read(name: &'static str, source: &'static str, text: &str) -> Result<Self, Error> {
        let mut case = Self { name, source, setup: Vec::new(), trials: Vec::new() };
        let mut rule = None;
        for (number, line) in text.lines().enumerate() {
            let odd = |what: &str| Error::Odd(format!("{name}.trials:{}: {what}: {line}", number + 1));
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(setup) = line.strip_prefix(": ") {
                case.setup.push(setup.to_owned());
            } else if let Some(named) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                rule = Some(named.to_owned());
            } else {
                let rule = rule.clone().ok_or_else(|| odd("no rule stands above it"))?;
                case.trials.push(trial(rule, line).ok_or_else(|| odd("it is no trial"))?);
            }
        }
        Ok(case)
    }
}

fn trial(rule: String, line: &str) -> Option<Trial> {
    let mut parts = line.split(" | ").map(str::trim);
    let (request, words) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut trial = Trial { rule, request, words, ..Trial::default() };
    for part in parts {
        match part.split_once(' ')? {
            ("only", layers) => trial.only = layers.split(' ').map(str::to_owned).collect(),
            ("by", "label") => trial.by_label = true,
            ("before", line) => trial.before = line.to_owned(),
            (layer @ ("selinux" | "apparmor" | "seccomp" | "landlock"), request) => {
                trial.seen_as.insert(layer.to_owned(), request.to_owned());
            }
            _ => return None,
        }
    }
    Some(trial)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_read() {
        let text =
            "# x\n: mkdir /a\n[one]\nread \"/a\" | open-read /b | before touch /b | selinux read \"/c\"\n";
        let case = Case::read("c", "", text).unwrap();
        assert_eq!(case.setup, ["mkdir /a"]);
        let trial = &case.trials[0];
        assert_eq!((trial.rule.as_str(), trial.words.as_str()), ("one", "open-read /b"));
        assert_eq!((trial.asked("selinux"), trial.asked("apparmor")), ("read \"/c\"", "read \"/a\""));
        assert_eq!(trial.before, "touch /b");
    }

    #[test]
    fn a_wrong_line_is_an_error_with_its_number() {
        for text in ["read \"/a\" | open-read /a\n", "[r]\nread\n", "[r]\nread | open | elsewhere x\n"] {
            let error = Case::read("c", "", text).unwrap_err().to_string();
            assert!(error.contains("c.trials:"), "{error}");
        }
    }
}
