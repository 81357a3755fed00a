//! What a launch did, as data, as JSON and as lines to read.

use crate::host::CapabilityFacts;
use crate::plan::{Layer, LayerState, Namespace, Plan};
use canc_bundle::Refusal;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// The version of the JSON form.
pub const FORMAT: u32 = 1;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Lines to read.
    Text,
    /// One JSON object on a line.
    Json,
}

/// What is in force when the program starts. It is written before Landlock and the filters, which follow or end the launch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Enforcement {
    /// [`FORMAT`].
    pub format: u32,
    /// The policy.
    pub policy: String,
    /// Where the program is.
    pub program: String,
    /// Whether everything is only logged.
    pub complain: bool,
    /// Each layer.
    pub layers: BTreeMap<Layer, LayerReport>,
    /// The five sets as they are now.
    pub capabilities: CapabilityFacts,
    /// Whether `no_new_privs` is set.
    pub no_new_privs: bool,
    /// Namespaces of its own.
    pub namespaces: Vec<Namespace>,
    /// Limits that were set, by the language's word.
    pub limits: BTreeMap<String, u64>,
    /// Descriptors from 0 to 2 that were closed and are now `/dev/null`.
    pub opened_stdio: Vec<u32>,
    /// Other descriptors that the program keeps.
    pub kept_descriptors: Vec<u32>,
    /// Variables that were kept.
    pub environment_kept: Vec<String>,
    /// Variables that were removed.
    pub environment_removed: Vec<String>,
    /// Variables that were set.
    pub environment_set: Vec<String>,
    /// What is done without, because the policy says it may be.
    pub accepted: Vec<Refusal>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
}

/// A layer in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerReport {
    /// What came of it.
    pub state: State,
    /// What says so.
    pub evidence: String,
}

/// What came of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Done and read back.
    Enforced,
    /// Done next, or nothing is started.
    Follows,
    /// Not on this host.
    Absent,
    /// Not in this policy.
    Off,
    /// There, and why nothing is started.
    Refused,
}

/// What is told instead where nothing is started: `docs/enforcement.schema.json` has both forms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// [`FORMAT`].
    pub format: u32,
    /// The policy.
    pub policy: String,
    /// Where the program is.
    pub program: String,
    /// Each layer as it was found.
    pub layers: BTreeMap<Layer, LayerReport>,
    /// Why nothing is started.
    pub refused: Vec<Refusal>,
}

impl Refused {
    /// The refusal as one JSON object on a line. As text, the failure itself says it.
    #[must_use]
    pub fn render(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}

/// What layers come to before the first step.
pub(crate) fn layers(states: &BTreeMap<Layer, LayerState>) -> BTreeMap<Layer, LayerReport> {
    let layer = |state: &LayerState| {
        let (state, evidence) = match state {
            LayerState::Off => (State::Off, String::new()),
            LayerState::Absent { why } => (State::Absent, why.clone()),
            LayerState::Unfit { why, .. } => (State::Refused, why.clone()),
            LayerState::Active { evidence, .. } => (State::Follows, evidence.clone()),
        };
        LayerReport { state, evidence }
    };
    states.iter().map(|(name, state)| (*name, layer(state))).collect()
}

impl Enforcement {
    /// What a plan says before its first step.
    #[must_use]
    pub fn new(plan: &Plan, program: String, capabilities: CapabilityFacts) -> Self {
        Self {
            format: FORMAT,
            policy: plan.policy.clone(),
            program,
            complain: plan.complain,
            layers: layers(&plan.layers),
            capabilities,
            no_new_privs: false,
            namespaces: Vec::new(),
            limits: BTreeMap::new(),
            opened_stdio: Vec::new(),
            kept_descriptors: Vec::new(),
            environment_kept: Vec::new(),
            environment_removed: Vec::new(),
            environment_set: Vec::new(),
            accepted: plan.accepted.clone(),
            notes: plan.notes.clone(),
        }
    }

    /// Notes that a layer was enforced, with what was read back.
    pub fn enforced(&mut self, layer: Layer, evidence: String) {
        self.layers.insert(layer, LayerReport { state: State::Enforced, evidence });
    }

    /// The report as text, with its last newline; lines to read begin with what `called` says.
    #[must_use]
    pub fn render(&self, called: &str, format: Format) -> String {
        match format {
            Format::Text => format!("{called}: {self}"),
            // A structure of strings and numbers always has a JSON form.
            Format::Json => serde_json::to_string(self).unwrap_or_default() + "\n",
        }
    }
}

impl fmt::Display for Enforcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} under policy {}", self.program, self.policy)?;
        if self.complain {
            writeln!(f, "  COMPLAIN MODE: nothing is refused, only logged")?;
        }
        for (layer, report) in &self.layers {
            let state = match report.state {
                State::Enforced => "enforced",
                State::Follows => "follows",
                State::Absent => "absent",
                State::Off => "off",
                State::Refused => "refused",
            };
            writeln!(f, "  {:<12} {state:<9} {}", layer.word(), report.evidence)?;
        }
        let sets = self.capabilities;
        writeln!(
            f,
            "  capabilities permitted {}; bounding {}; ambient {}",
            sets.permitted, sets.bounding, sets.ambient
        )?;
        writeln!(f, "  no_new_privs {}", if self.no_new_privs { "on" } else { "off" })?;
        let words = |f: &mut fmt::Formatter<'_>, name: &str, words: &[String]| {
            if words.is_empty() { Ok(()) } else { writeln!(f, "  {name:<12} {}", words.join(" ")) }
        };
        words(f, "namespaces", &self.namespaces.iter().map(|n| n.word().to_owned()).collect::<Vec<_>>())?;
        words(f, "limits", &self.limits.iter().map(|(w, n)| format!("{w}={n}")).collect::<Vec<_>>())?;
        words(f, "descriptors", &self.kept_descriptors.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        words(f, "environment", &[self.environment_kept.as_slice(), &self.environment_set].concat())?;
        words(f, "removed", &self.environment_removed)?;
        for Refusal { what, why, .. } in &self.accepted {
            writeln!(f, "  ACCEPTED     {what}: {why}")?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "  note         {note}"))
    }
}
