//! A case to what the compiler says of it: what each layer does with each request, and the verdict of each rule on each layer. Both must
//! fit together, and every verdict must be tried in each direction that it has.
//!
//! It must not know what a kernel did.

use super::trials::{Case, Trial};
use crate::Error;
use crate::policy::{Compiled, Tools};
use crate::run::Run;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What a layer by itself does with a request, as the compiler has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// It permits it.
    Permits,
    /// It refuses it.
    Refuses,
    /// It does not see requests of this kind.
    Unseen,
}

/// What the compiler says about one trial and one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// Whether the policy allows the request.
    pub allowed: bool,
    /// What the layer does.
    pub claim: Claim,
    /// Whether it does so for every policy.
    pub base: bool,
}

/// Asks `canc why` about every request of the case for this kind of host. Equal questions are asked once.
pub fn said(
    tools: &Tools,
    case: &Case,
    policy: &str,
    deployment: &str,
    layers: &[&'static str],
) -> Result<Vec<BTreeMap<&'static str, Said>>, Error> {
    let file = tools.scratch().join(format!("{}-asked.can", case.name));
    std::fs::write(&file, case.source).map_err(Error::io("writing", &file))?;
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    let mut answer = |request: &str| -> Result<Value, Error> {
        if let Some(found) = known.get(request) {
            return Ok(found.clone());
        }
        let found = ask(tools, &file, policy, deployment, request)?;
        known.insert(request.to_owned(), found.clone());
        Ok(found)
    };
    let mut all = Vec::new();
    for trial in &case.trials {
        let own = answer(&trial.request)?;
        let mut each = BTreeMap::new();
        // Without the launcher there is no layer but the label.
        let with = |layer: &str| {
            (!trial.by_label || layer == deployment)
                && (trial.only.is_empty() || trial.only.iter().any(|only| only == layer))
        };
        for layer in layers.iter().filter(|layer| with(layer)) {
            let asked = trial.asked(layer);
            let odd = |why| Error::Odd(format!("{}: {asked}: {why}", case.name));
            let claim = match claim(&answer(asked)?, deployment, layer).map_err(odd)? {
                Some(claim) => claim,
                // A path without a final `/` stands for a file and for a directory: what is not said of the directory is said of the file.
                None => {
                    let directory = asked.strip_suffix('"').map(|path| format!("{path}/\""));
                    let directory = directory.ok_or_else(|| odd("a trial is one request".to_owned()))?;
                    match claim(&answer(&directory)?, deployment, layer).map_err(odd)? {
                        Some(Claim::Refuses) => Claim::Permits,
                        Some(Claim::Permits) => Claim::Refuses,
                        _ => return Err(odd("a trial is one request".to_owned())),
                    }
                }
            };
            let allowed = own.get("decision") == Some(&"allowed".into());
            let base = of_layer(&answer(asked)?, deployment, layer).get("base") == Some(&true.into());
            each.insert(*layer, Said { allowed, claim, base });
        }
        all.push(each);
    }
    Ok(all)
}

/// Without what is tried in vain: where a layer sees nothing of a rule's kind, one request that the policy allows and one that it does
/// not allow show it.
pub fn sampled(
    case: &Case,
    mut said: Vec<BTreeMap<&'static str, Said>>,
) -> Vec<BTreeMap<&'static str, Said>> {
    let mut seen = BTreeSet::new();
    for (trial, said) in case.trials.iter().zip(&mut said) {
        said.retain(|layer, one| {
            one.claim != Claim::Unseen || seen.insert((trial.rule.clone(), *layer, one.allowed))
        });
    }
    said
}

fn ask(tools: &Tools, file: &Path, policy: &str, deployment: &str, request: &str) -> Result<Value, Error> {
    let run = Run::new(tools.canc()).args(["why", "--json", "--policy", policy, "--for", deployment]);
    let output = run.arg(file).arg(request).output()?;
    let odd = || Error::Odd(format!("canc why {request}: {}{}", output.text(), output.errors()));
    if output.code > 1 {
        return Err(odd());
    }
    serde_json::from_str(&output.text()).map_err(|_| odd())
}

/// What an answer says of one layer; null where it says nothing.
fn of_layer(answer: &Value, deployment: &str, layer: &str) -> Value {
    let named = |list: Option<&Value>, key: &str, name: &str| {
        let mut found = list.and_then(Value::as_array).into_iter().flatten();
        found.find(|one| one.get(key) == Some(&name.into())).cloned().unwrap_or_default()
    };
    let host = named(answer.get("deployments"), "deployment", deployment);
    named(host.get("layers"), "layer", layer)
}

/// None where it does one thing with a part of the request and another with the rest.
fn claim(answer: &Value, deployment: &str, layer: &str) -> Result<Option<Claim>, String> {
    match of_layer(answer, deployment, layer).get("decision").and_then(Value::as_str) {
        Some("allowed") => Ok(Some(Claim::Permits)),
        Some("denied") => Ok(Some(Claim::Refuses)),
        // A request on system calls is answered by the one layer that sees them.
        Some("unseen") | None => Ok(Some(Claim::Unseen)),
        Some("partly") => Ok(None),
        Some(other) => Err(format!("{layer} says {other}")),
    }
}

/// A verdict of the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// `exact`, `widened` and so on.
    pub word: String,
    /// Whether the rule denies.
    pub denies: bool,
    /// What is permitted besides, or gets through.
    pub more: Vec<String>,
    /// Whether a remark says that names in other directories can be made or removed: labels know the directory, not the name.
    pub names: bool,
}

/// The verdict of every rule that is tried, by rule and layer.
pub fn verdicts(
    case: &Case,
    compiled: &Compiled,
    layers: &[&'static str],
) -> Result<BTreeMap<(String, &'static str), Verdict>, Error> {
    let mut out = BTreeMap::new();
    let rules = compiled.policies().iter().flat_map(|policy| &policy.rules);
    for rule in
        rules.filter(|rule| case.trials.iter().any(|trial| trial.rule == rule.id.trim_start_matches('@')))
    {
        for layer in layers {
            let Some(entry) = rule.verdicts.get(*layer) else { continue };
            let denies = rule.text.split_ascii_whitespace().any(|word| word == "deny");
            let names = entry
                .notes
                .iter()
                .any(|note| note.contains(" names to any ") || note.contains(" names from any "));
            let more = if denies { &entry.narrowed } else { &entry.widened };
            let verdict = Verdict { word: entry.verdict.clone(), denies, more: more.clone(), names };
            out.insert((rule.id.trim_start_matches('@').to_owned(), *layer), verdict);
        }
    }
    Ok(out)
}

/// Where a verdict and the answers about its trials contradict each other, or where one of its directions is not tried.
pub fn contradictions(verdict: &Verdict, tried: &[(&Trial, Said)]) -> Vec<String> {
    // All trials of the rule are about another layer alone.
    if tried.is_empty() {
        return Vec::new();
    }
    let any =
        |allowed: bool, claim: Claim| tried.iter().any(|(_, s)| s.allowed == allowed && s.claim == claim);
    let each = |wrong: &dyn Fn(&Said) -> bool, what: &str| {
        let found = tried.iter().filter(|(_, said)| wrong(said));
        found.map(|(trial, said)| format!("{what}: {}: {:?}", trial.request, said.claim)).collect::<Vec<_>>()
    };
    let need = |there: bool, what: &str| if there { Vec::new() } else { vec![what.to_owned()] };
    let leaks = |said: &Said| !said.allowed && said.claim == Claim::Permits && !verdict.names && !said.base;
    let blocks = |said: &Said| said.allowed && said.claim == Claim::Refuses;
    let permitted = any(true, Claim::Permits) || any(true, Claim::Unseen);
    let mut out = need(
        permitted || verdict.denies || verdict.word == "narrowed",
        "nothing is tried that the policy allows",
    );
    match (verdict.word.as_str(), verdict.denies) {
        ("exact", false) => {
            out.extend(each(&|s| leaks(s) || blocks(s), "exact, and the layer is said to do otherwise"));
            out.extend(need(any(false, Claim::Refuses), "nothing is tried that the layer refuses"));
        }
        ("exact", true) => {
            out.extend(each(&leaks, "exact, and the layer is said to do otherwise"));
            out.extend(need(any(false, Claim::Refuses), "nothing is tried that the layer refuses"));
        }
        ("widened", _) => {
            out.extend(each(&blocks, "not narrowed, and the layer is said to refuse"));
            out.extend(need(
                any(false, Claim::Permits) || any(false, Claim::Unseen),
                "no request is tried by which it is widened",
            ));
            out.extend(need(any(false, Claim::Refuses), "nothing beyond what it is widened by is tried"));
        }
        ("partial" | "dropped", true) => {
            out.extend(need(
                any(false, Claim::Permits) || any(false, Claim::Unseen),
                "nothing is tried that gets through",
            ));
        }
        ("narrowed", _) => {
            out.extend(each(&leaks, "not widened, and the layer is said to permit"));
            out.extend(need(any(true, Claim::Refuses), "nothing is tried that it leaves out"));
        }
        ("widened, narrowed", _) => {
            out.extend(need(any(false, Claim::Permits), "no request is tried by which it is widened"));
            out.extend(need(any(true, Claim::Refuses), "nothing is tried that it leaves out"));
        }
        ("n/a", _) => out.extend(each(
            &|said| said.allowed && said.claim == Claim::Refuses,
            "n/a, and the layer is said to refuse what the rule allows",
        )),
        (other, _) => out.push(format!("the verdict is {other}")),
    }
    let asked = |request: &str| tried.iter().any(|(trial, _)| trial.request == request);
    let missing = verdict.more.iter().filter_map(|text| witness(text)).filter(|request| !asked(request));
    out.extend(missing.map(|request| format!("its witness is not tried: {request}")));
    out
}

/// The request that a verdict shows as its example: the last text between backticks that is one.
pub fn witness(text: &str) -> Option<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|text| text.contains(" \"") || text.contains(" port ")).last()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(trials: &[(&str, bool, Claim)], verdict: &str, more: &str) -> Vec<String> {
        let trial = |request: &&str| Trial { request: (*request).to_owned(), ..Trial::default() };
        let owned: Vec<_> = trials.iter().map(|(request, ..)| trial(request)).collect();
        let said =
            trials.iter().map(|(_, allowed, claim)| Said { allowed: *allowed, claim: *claim, base: false });
        let pairs: Vec<_> = owned.iter().zip(said).collect();
        let more = if more.is_empty() { Vec::new() } else { vec![more.to_owned()] };
        contradictions(&Verdict { word: verdict.to_owned(), denies: false, more, names: false }, &pairs)
    }

    const OWN: (&str, bool, Claim) = ("read \"/a\"", true, Claim::Permits);
    const REFUSED: (&str, bool, Claim) = ("read \"/b\"", false, Claim::Refuses);
    const LEAKED: (&str, bool, Claim) = ("read \"/c\"", false, Claim::Permits);

    #[test]
    fn an_exact_verdict_has_two_directions_and_no_leak() {
        assert!(tried(&[OWN, REFUSED], "exact", "").is_empty());
        assert_eq!(tried(&[OWN], "exact", "").len(), 1);
        assert_eq!(tried(&[REFUSED], "exact", "").len(), 1);
        assert_eq!(tried(&[OWN, REFUSED, LEAKED], "exact", "").len(), 1);
    }

    #[test]
    fn a_widened_verdict_leaks_its_witness_and_ends_somewhere() {
        let more = "also others, such as `read \"/c\"`";
        assert!(tried(&[OWN, REFUSED, LEAKED], "widened", more).is_empty());
        assert_eq!(tried(&[OWN, LEAKED], "widened", more).len(), 1);
        assert_eq!(tried(&[OWN, REFUSED], "widened", more).len(), 2);
    }

    #[test]
    fn a_witness_stands_between_backticks() {
        assert_eq!(witness("also read, such as `read \"/a\"`"), Some("read \"/a\""));
        assert_eq!(witness("also other paths labelled `var_t`, such as /srv"), None);
    }
}
