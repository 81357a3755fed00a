//! A policy and the attack suite to the lines of its matrix: what is to be performed, and what must come of it.

use super::attacks::{self, Field};
use super::requests::tasks;
use super::{Item, Origin, Task, Want};
use canc_analysis::prove::prove;
use canc_codegen::build::Subject;
use canc_dsl::Options;
use canc_dsl::policy::{Assertion, Claim, Deployment, Request, Test};
use canc_dsl::source::{SourceMap, Span};
use canc_sets::syscalls::Arch;
use std::sync::Arc;

/// One policy of a build, and the host that it is tried on.
pub struct Asked<'a> {
    /// The build, for this kind of host alone.
    pub subject: &'a Subject<'a>,
    /// The texts.
    pub sources: &'a SourceMap,
    /// As the policy was compiled.
    pub options: &'a Options,
    /// The policy.
    pub policy: &'a str,
    /// The kind of host.
    pub deployment: Deployment,
    /// This machine's.
    pub arch: Arch,
}

impl Asked<'_> {
    /// The assertions of the source's tests that are about this policy.
    #[must_use]
    pub fn tests(&self) -> Vec<Item> {
        let own = |test: &'_ Test| {
            let about = test.assertions.iter().filter(|a| &*a.policy == self.policy);
            about.flat_map(|a| self.assertion(test, a)).collect::<Vec<_>>()
        };
        self.subject.set.tests().iter().flat_map(own).collect()
    }

    fn assertion(&self, test: &Test, assertion: &Assertion) -> Vec<Item> {
        let text = one_line(self.sources.text(assertion.span));
        let (file, line) = place(self.sources, assertion.span);
        let item = |name: &str, job| Item {
            origin: Origin::Test,
            title: test.title.to_string(),
            text: if name.is_empty() { text.clone() } else { format!("{text} ({name})") },
            at: format!("{file}:{line}"),
            job,
        };
        if !assertion.on.is_empty() && !assertion.on.contains(&self.deployment) {
            let on: Vec<_> = assertion.on.iter().map(|d| d.word()).collect();
            let why = format!("it is about {}, and this host is {}", on.join(", "), self.deployment.word());
            return vec![item("", Err(why))];
        }
        let (request, want) = match &assertion.claim {
            Claim::Allows(request) => (request, Want::Permitted),
            Claim::Denies(request, _) | Claim::Never(request) => (request, Want::Refused),
            Claim::LosesNothing(..) | Claim::Reaches { .. } => {
                return vec![item("", Err("it is about what was emitted; `canc test` proves it".into()))];
            }
        };
        match tasks(request, self.arch) {
            Err(why) => vec![item("", Err(why))],
            Ok(tasks) => {
                tasks.into_iter().map(|(name, task)| item(&name, Ok((task, want.clone())))).collect()
            }
        }
    }

    /// The attack suite.
    ///
    /// # Errors
    /// A request of the suite that the language does not know, or a pattern that is too large.
    pub fn attacks(&self, field: &Field<'_>) -> Result<Vec<Item>, String> {
        let each = attacks::all(field).into_iter().map(|attack| {
            let job = match attack.task {
                Ok(task) => self.wanted(&attack.asks)?.map(|want| (task, want)),
                Err(why) => Err(why),
            };
            let text = job
                .as_ref()
                .map_or_else(|_| attack.asks.clone(), |(task, _): &(Task, Want)| task.words.join(" "));
            Ok(Item { origin: Origin::Attack, title: attack.title.into(), text, at: String::new(), job })
        });
        each.collect()
    }

    /// What must come of a request on this kind of host; an inner error where the policy allows it.
    fn wanted(&self, asks: &str) -> Result<Result<Want, String>, String> {
        if asks.is_empty() {
            return Ok(Ok(Want::Refused));
        }
        let reading = canc_dsl::parse_request(asks, self.subject.set, self.options);
        let odd = || format!("the suite's request `{asks}` is wrong: {:?}", reading.diagnostics);
        let request = reading.request.clone().ok_or_else(odd)?;
        let test = self.question(request);
        let proofs = prove(self.subject, &test).map_err(|e| e.to_string())?;
        let mut findings = proofs.iter().flat_map(|proof| &proof.findings);
        let first = findings.next();
        Ok(match first {
            None => Ok(Want::Refused),
            Some(finding) if finding.deployment.is_none() => Err(finding.message.clone()),
            Some(finding) => Ok(Want::Leaks(finding.message.clone())),
        })
    }

    fn question(&self, request: Request) -> Test {
        let span = request.span;
        let assertion = Assertion {
            policy: Arc::from(self.policy),
            claim: Claim::Denies(request, None),
            on: vec![self.deployment],
            span,
        };
        Test { title: "attack".into(), assertions: vec![assertion], span }
    }
}

fn place(sources: &SourceMap, span: Span) -> (String, usize) {
    (sources.get(span.file).map(|f| f.name.to_string()).unwrap_or_default(), sources.line_column(span).0)
}

fn one_line(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}
