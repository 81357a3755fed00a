//! What became of a rule in one target: exact, more, less, or nothing, always with what.

use canc_bundle::VerdictEntry;

/// The verdict on one rule for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// The base's facts were read from sources and not seen on a kernel.
    pub unseen: bool,
    /// Raw text of the same target stands beside it.
    pub unproved: bool,
    /// What else a reader should know, such as what nobody can separate.
    pub notes: Vec<String>,
}

/// The vocabulary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The target does not mediate this kind.
    NotApplicable,
    /// An allow. Both lists empty: exact.
    Allow {
        /// What it permits besides the rule, each with a witness where there is one.
        widened: Vec<String>,
        /// What of the rule it does not permit.
        narrowed: Vec<String>,
    },
    /// A deny that refuses all it says.
    DenyExact,
    /// A deny of which something gets through.
    DenyPartial {
        /// What, with a witness.
        through: Vec<String>,
    },
    /// A deny that this target cannot say.
    DenyDropped {
        /// Why.
        why: String,
    },
    /// The chosen base lacks the facts.
    BaseUnknown {
        /// Which.
        why: String,
    },
}

impl Outcome {
    /// An outcome without remarks.
    #[must_use]
    pub fn new(verdict: Verdict) -> Self {
        Self { verdict, unseen: false, unproved: false, notes: Vec::new() }
    }

    /// An allow that is said exactly.
    #[must_use]
    pub fn exact() -> Self {
        Self::new(Verdict::Allow { widened: Vec::new(), narrowed: Vec::new() })
    }

    /// An allow that permits more than the rule.
    #[must_use]
    pub fn widened(what: impl Into<String>) -> Self {
        Self::new(Verdict::Allow { widened: vec![what.into()], narrowed: Vec::new() })
    }

    /// An allow that permits less than the rule.
    #[must_use]
    pub fn narrowed(what: impl Into<String>) -> Self {
        Self::new(Verdict::Allow { widened: Vec::new(), narrowed: vec![what.into()] })
    }

    /// With a remark.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// The word of the report.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match &self.verdict {
            Verdict::NotApplicable => "n/a",
            Verdict::Allow { widened, narrowed } => match (widened.is_empty(), narrowed.is_empty()) {
                (true, true) => "exact",
                (false, true) => "widened",
                (true, false) => "narrowed",
                (false, false) => "widened, narrowed",
            },
            Verdict::DenyExact => "exact",
            Verdict::DenyPartial { .. } => "partial",
            Verdict::DenyDropped { .. } => "dropped",
            Verdict::BaseUnknown { .. } => "base unknown",
        }
    }

    /// The form of the manifest.
    #[must_use]
    pub fn entry(&self) -> VerdictEntry {
        let (widened, narrowed) = match &self.verdict {
            Verdict::Allow { widened, narrowed } => (widened.clone(), narrowed.clone()),
            Verdict::DenyPartial { through } => (Vec::new(), through.clone()),
            Verdict::DenyDropped { why } | Verdict::BaseUnknown { why } => (Vec::new(), vec![why.clone()]),
            Verdict::NotApplicable | Verdict::DenyExact => (Vec::new(), Vec::new()),
        };
        VerdictEntry {
            verdict: self.word().into(),
            unseen: self.unseen,
            unproved: self.unproved,
            widened,
            narrowed,
            notes: self.notes.clone(),
        }
    }
}
