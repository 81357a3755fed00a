//! A checked policy to the data model of an SELinux module, with a verdict for every rule.
//!
//! A plan of the whole build comes first (types, labelled paths, ports), then a sheet per policy on which each kind of rule writes
//! what it grants; what is on the sheet becomes the module.

mod area;
mod build;
mod error;
mod files;
mod launch;
mod mounts;
mod net;
mod own;
mod place;
mod plan;
mod ports;
mod process;
mod program;
mod report;
mod sheet;
mod split;
mod transitions;
mod unix;

pub use error::{LowerError, LowerErrorKind};
pub use net::socket_class;
pub use own::{OwnNo, OwnType, Sort};
pub use report::{Lost, Report};
pub use sheet::{Grant, Source, Target, Ty};

use super::base::Base;
use super::model::{FileContexts, PortModule, TeModule};
use crate::verdict::Outcome;
use canc_dsl::policy::{Body, Effect, PolicySet, Rule};
use canc_sets::path::TooLarge;
use plan::Plan;
use sheet::{Sheet, Source as GrantSource};
use std::sync::Arc;

/// What one policy becomes.
#[derive(Debug, Clone)]
pub struct Lowered {
    /// The policy.
    pub policy: Arc<str>,
    /// The type of its domain.
    pub domain: String,
    /// Type enforcement.
    pub module: TeModule,
    /// File contexts.
    pub contexts: FileContexts,
    /// Own ports; `None` where there are none.
    pub ports: Option<PortModule>,
    /// The verdicts; the place is the rule's number.
    pub outcomes: Vec<Outcome>,
    /// The verdict on `@base`.
    pub base: Outcome,
    /// What changes for others.
    pub report: Report,
    /// What each rule asked for; the module says what it came to.
    pub grants: Vec<Grant>,
    /// What is installed together.
    pub installed: Arc<Installed>,
}

/// What the modules of a build share once they are installed.
#[derive(Debug, Default)]
pub struct Installed {
    /// The names of the types of the build, by their number.
    pub types: Vec<String>,
    /// The policies that have modules, with their domains.
    pub domains: Vec<(Arc<str>, String)>,
    /// The texts of all file contexts.
    pub contexts: Vec<String>,
    /// The texts of all port modules.
    pub ports: Vec<String>,
}

impl Installed {
    fn new(plan: &Plan<'_>, modules: &[Lowered]) -> Self {
        // A string takes whatever is printed, so that printing cannot fail.
        let fc = |l: &Lowered| super::emit::fc(&l.contexts).unwrap_or_default();
        let cil = |l: &Lowered| l.ports.as_ref().map(|p| super::emit::cil(p).unwrap_or_default());
        Self {
            types: plan.types.iter().map(|(_, t)| t.name.to_string()).collect(),
            domains: modules.iter().map(|l| (Arc::clone(&l.policy), l.domain.clone())).collect(),
            contexts: modules.iter().map(fc).collect(),
            ports: modules.iter().filter_map(cil).collect(),
        }
    }
}

/// Lowers every policy whose SELinux back end is not off, in the order of the source. They are lowered together because they
/// share labels and ports.
///
/// # Errors
/// All that is wrong, each with its place in the source.
pub fn lower(set: &PolicySet, base: &Base) -> Result<Vec<Lowered>, Vec<LowerError>> {
    let plan = Plan::new(set, base)?;
    let (mut out, mut errors) = (Vec::<Lowered>::new(), Vec::new());
    for (number, policy) in set.policies().iter().enumerate() {
        let Some(domain) = plan.domains.get(number).copied().flatten() else { continue };
        let mut sheet = Sheet::new(&plan, number, policy, domain);
        let at = |kind| LowerError { span: policy.span, other: None, kind };
        if let Err(e) = fill(&mut sheet, &mut errors) {
            errors.push(e);
            continue;
        }
        let (outcomes, base) = sheet.outcomes();
        match build::build(&sheet) {
            Ok(built) => out.push(Lowered {
                policy: Arc::clone(&policy.name),
                domain: sheet.type_name(Ty::Own(sheet.domain)),
                module: built.module,
                contexts: built.contexts,
                ports: built.ports,
                outcomes,
                base,
                report: report::report(&sheet),
                grants: std::mem::take(&mut sheet.grants),
                installed: Arc::default(),
            }),
            Err(kind) => errors.push(at(kind)),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let installed = Arc::new(Installed::new(&plan, &out));
    out.iter_mut().for_each(|l| l.installed = Arc::clone(&installed));
    Ok(out)
}

/// Writes all that a policy grants on its sheet: first every allow, then what that means for every deny.
fn fill(sheet: &mut Sheet<'_, '_>, errors: &mut Vec<LowerError>) -> Result<(), LowerError> {
    let policy = sheet.policy;
    let large = |rule: Option<&Rule>| {
        let span = rule.map_or(policy.span, |r| r.span);
        move |e: TooLarge| LowerError {
            span,
            other: None,
            kind: LowerErrorKind::TooLarge { pattern: e.pattern },
        }
    };
    sheet.own_process();
    sheet.entries();
    sheet.starters();
    for rule in policy.rules.iter().filter(|r| r.effect == Effect::Allow) {
        allow(sheet, rule).map_err(large(Some(rule)))?;
    }
    sheet.new_files(errors).map_err(large(None))?;
    for rule in policy.rules.iter().filter(|r| r.effect == Effect::Deny) {
        deny(sheet, rule).map_err(large(Some(rule)))?;
    }
    Ok(())
}

fn allow(sheet: &mut Sheet<'_, '_>, rule: &Rule) -> Result<(), TooLarge> {
    let id = rule.id;
    match &rule.body {
        Body::File(file) => {
            sheet.file_rule(rule, file)?;
            if file.ops.has(canc_dsl::policy::FileOp::Run) {
                sheet.edge(id, &file.run);
            }
        }
        Body::Net(net) => sheet.net_rule(rule, net),
        Body::Unix(unix) => sheet.unix_rule(rule, unix)?,
        Body::Socket(socket) => sheet.socket_rule(rule, socket),
        Body::Capability(capability) => sheet.capability_rule(id, capability),
        Body::UsernsCreate => sheet.userns_rule(id),
        Body::Signal(signal) => sheet.signal_rule(rule, signal),
        Body::Ptrace(ptrace) => sheet.ptrace_rule(id, ptrace),
        Body::Mount(mount) => sheet.mount_rule(id, mount)?,
        Body::IoUring(uses) => sheet.io_uring_rule(id, *uses),
        Body::Mqueue(queue) => sheet.mqueue_rule(id, queue),
        Body::Facility(facility) => sheet.facility_rule(id, *facility),
        Body::Syscall(_) | Body::Namespace(_) => sheet.draft(GrantSource::Rule(id)).not_mediated = true,
    }
    Ok(())
}

fn deny(sheet: &mut Sheet<'_, '_>, rule: &Rule) -> Result<(), TooLarge> {
    match &rule.body {
        Body::File(file) => sheet.file_deny(rule, file)?,
        Body::Net(net) => sheet.net_deny(rule, net),
        Body::Socket(socket) => sheet.socket_deny(rule, socket),
        Body::Syscall(_) | Body::Namespace(_) => sheet.draft(GrantSource::Rule(rule.id)).not_mediated = true,
        other => sheet.other_deny(rule, other),
    }
    Ok(())
}
