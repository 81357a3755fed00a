//! A built policy and a surveyed host to what that host enforces of it: as it is, and once the policy is loaded.
//!
//! It must not know how a policy is compiled; what a combination of layers comes to stands in the manifest.

use crate::paint::Paint;
use crate::table::wrapped;
use canc_bundle::{Manifest, PolicyEntry, Refusal, RuleEntry};
use canc_dsl::policy::Deployment;
use canc_runtime::host::HostFacts;
use canc_runtime::{Failure, LayerState, Plan, Policy};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const WIDTH: usize = 100;

/// What a host makes of one policy.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// Its name.
    pub policy: String,
    /// The policies that enter it, where nothing else does: it is never launched by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entered_from: Vec<String>,
    /// The kind of host that the results of the rules are for.
    pub deployment: &'static str,
    /// A launch on the host as it is.
    pub now: Launch,
    /// A launch once the policy is loaded; equal where nothing has to be.
    pub loaded: Launch,
    /// How many rules are enforced exactly.
    pub enforced: usize,
    /// The rules that are not, on this kind of host.
    pub rules: Vec<RuleResult>,
}

/// A launch that was planned and not done.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Launch {
    /// What each layer comes to.
    pub layers: BTreeMap<&'static str, String>,
    /// Why it is refused; empty where it is not.
    pub refused: Vec<Refusal>,
    /// What is done without, because the policy says it may be.
    pub accepted: Vec<Refusal>,
}

/// A rule that permits more or less than it says.
#[derive(Debug, Serialize)]
pub struct RuleResult {
    id: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    leak: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<String>,
}

/// Asks the host about each policy.
///
/// # Errors
/// The host does not say what this process may do, or the manifest cannot be read as the launcher reads it.
pub fn answers(manifest: &Manifest, deployment: Deployment) -> Result<Vec<Answer>, String> {
    manifest.policies.iter().map(|entry| answer(entry, deployment.word())).collect()
}

fn answer(entry: &PolicyEntry, deployment: &'static str) -> Result<Answer, String> {
    let policy = as_launched(entry)?;
    let host = HostFacts::probe(&policy, None).map_err(|failure| failure.to_string())?;
    let results = || entry.rules.iter().filter_map(|rule| Some((rule, rule.deployments.get(deployment)?)));
    let weak = |(rule, result): (&RuleEntry, &canc_bundle::DeploymentEntry)| {
        (result.leak.is_some() || result.block.is_some()).then(|| RuleResult {
            id: rule.id.clone(),
            text: rule.text.clone(),
            leak: result.leak.clone(),
            block: result.block.clone(),
        })
    };
    let launched_directly = |from: &String| !from.starts_with("policy ");
    let from = &policy.launch.launch_from;
    Ok(Answer {
        policy: policy.name.clone(),
        entered_from: if from.iter().any(launched_directly) { Vec::new() } else { from.clone() },
        deployment,
        now: launch(&policy, &host),
        loaded: launch(&policy, &host.with_loaded(&policy)),
        enforced: results().filter(|(_, result)| result.leak.is_none() && result.block.is_none()).count(),
        rules: results().filter_map(weak).collect(),
    })
}

/// The entry without its rules, as the launcher has it.
fn as_launched(entry: &PolicyEntry) -> Result<Policy, String> {
    let text = serde_json::to_value(entry).map_err(|e| e.to_string())?;
    serde_json::from_value(text).map_err(|e| e.to_string())
}

fn launch(policy: &Policy, host: &HostFacts) -> Launch {
    let layers =
        Plan::layers(policy, host).into_iter().map(|(layer, state)| (layer.word(), told(&state))).collect();
    match Plan::new(policy, host) {
        Ok(plan) => Launch { layers, refused: Vec::new(), accepted: plan.accepted },
        Err(Failure { reasons, .. }) => Launch { layers, refused: reasons, accepted: Vec::new() },
    }
}

fn told(state: &LayerState) -> String {
    match state {
        LayerState::Off => "off".into(),
        LayerState::Absent { why } => format!("absent: {why}"),
        LayerState::Unfit { why, .. } => format!("unfit: {why}"),
        LayerState::Active { evidence, .. } => format!("active: {evidence}"),
    }
}

impl Answer {
    /// Whether the host can enforce the policy, once it is loaded. What is only entered from others is judged with them.
    #[must_use]
    pub fn enforceable(&self) -> bool {
        !self.entered_from.is_empty() || self.loaded.refused.is_empty()
    }

    /// For people.
    #[must_use]
    pub fn text(&self, paint: Paint) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut out, paint);
        out
    }

    fn write(&self, out: &mut String, paint: Paint) -> std::fmt::Result {
        writeln!(out, "\n{}", paint.bold(&format!("policy {}", self.policy)))?;
        if !self.entered_from.is_empty() {
            return writeln!(out, "  entered from {} alone", self.entered_from.join(", "));
        }
        write_launch(out, "as it is", &self.now, paint)?;
        if self.now != self.loaded {
            write_launch(out, "once its profile and module are loaded", &self.loaded, paint)?;
        }
        let (leaks, blocks) = (
            self.rules.iter().filter(|r| r.leak.is_some()).count(),
            self.rules.iter().filter(|r| r.block.is_some()).count(),
        );
        writeln!(
            out,
            "  rules on a host of this kind ({}): {} enforced, {leaks} leak, {blocks} block",
            self.deployment, self.enforced
        )?;
        for rule in &self.rules {
            for (word, witness) in [("leaks", &rule.leak), ("blocks", &rule.block)] {
                if let Some(witness) = witness {
                    let line = format!("{} {word} {witness}", rule.id);
                    writeln!(out, "    {}", wrapped(&line, WIDTH, "      "))?;
                }
            }
        }
        Ok(())
    }
}

fn write_launch(out: &mut String, when: &str, launch: &Launch, paint: Paint) -> std::fmt::Result {
    let word = if launch.refused.is_empty() { paint.good("it would start") } else { paint.bad("refused") };
    writeln!(out, "  {when}: {word}")?;
    for (layer, state) in &launch.layers {
        writeln!(out, "    {layer:<9} {state}")?;
    }
    for (sign, list) in [("refused", &launch.refused), ("accepted", &launch.accepted)] {
        for Refusal { what, why, remedy } in list {
            writeln!(out, "    {sign}: {}", wrapped(&format!("{what}: {why}"), WIDTH, "      "))?;
            if !remedy.is_empty() {
                writeln!(out, "      to mend it: {remedy}")?;
            }
        }
    }
    Ok(())
}
