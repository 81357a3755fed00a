//! The limits that need a cgroup, and what the host offers below the caller's own, to the step that sets them.

use super::{CgroupLimit, Step, namespaces};
use crate::failure::reason;
use crate::host::{CgroupFacts, HostFacts};
use crate::limits::controller;
use canc_bundle::{LaunchEntry, Refusal};
use std::collections::BTreeSet;

/// Makes a scope of one's own for a command: what a refused caller can do at once.
const SCOPE: &str =
    "systemd-run --scope -p Delegate=yes -- … (with --user as an ordinary user; in a unit: Delegate=yes)";

/// The processes of the launcher that stay in the cgroup where there is a PID namespace: the parent and the first process inside.
const RESIDENT: u64 = 2;

/// The step, where limits ask for one. A limit that cannot be set is a reason to refuse, or accepted where the policy prefers it.
pub(super) fn step(
    launch: &LaunchEntry,
    host: &HostFacts,
    reasons: &mut Vec<Refusal>,
    accepted: &mut Vec<Refusal>,
) -> Option<Step> {
    let mut limits = Vec::new();
    let mut enable = BTreeSet::new();
    let resident = if namespaces::has_pid(launch) { RESIDENT } else { 0 };
    for (word, limit) in &launch.limits {
        let Some(controller) = controller(word) else { continue };
        match offered(&host.cgroup, controller) {
            Ok(true) => {}
            Ok(false) => drop(enable.insert(controller.to_owned())),
            Err((why, remedy)) => {
                let missing = reason(format!("limit {word}"), why, remedy);
                if limit.prefer {
                    accepted.push(missing)
                } else {
                    reasons.push(missing)
                }
                continue;
            }
        }
        let value = limit.value.saturating_add(if word == "processes" { resident } else { 0 });
        limits.push(CgroupLimit { word: word.clone(), value });
    }
    match &host.cgroup {
        CgroupFacts::Present { path, .. } if !limits.is_empty() => {
            Some(Step::Cgroup { parent: path.clone(), enable: enable.into_iter().collect(), limits })
        }
        _ => None,
    }
}

/// Whether a controller is enabled below the caller's cgroup already; else it can be.
fn offered(cgroup: &CgroupFacts, controller: &str) -> Result<bool, (String, String)> {
    let refuse = |why: String, remedy: &str| Err((why, remedy.to_owned()));
    let (path, controllers, enabled, writable, alone, root, managed_by) = match cgroup {
        CgroupFacts::NotAsked => return refuse("nobody asked the host for its cgroups".into(), ""),
        CgroupFacts::Absent { why } => {
            return refuse(
                why.clone(),
                "boot with the unified hierarchy (systemd.unified_cgroup_hierarchy=1)",
            );
        }
        CgroupFacts::Present { path, controllers, enabled, writable, alone, root, managed_by } => {
            (path, controllers, enabled, *writable, *alone, *root, managed_by)
        }
    };
    if !controllers.iter().any(|c| c == controller) {
        let why = format!(
            "cgroup {path} has no controller `{controller}`: version 1 holds it, or nobody enabled it above"
        );
        return refuse(why, SCOPE);
    }
    if let Some(unit) = managed_by {
        return refuse(format!("cgroup {path} is systemd's, as {unit} was not delegated"), SCOPE);
    }
    if !writable {
        return refuse(format!("cgroup {path} is not the caller's to make others below"), SCOPE);
    }
    if enabled.iter().any(|c| c == controller) {
        return Ok(true);
    }
    if alone || root {
        return Ok(false);
    }
    refuse(format!("cgroup {path} has other processes, and so cannot enable `{controller}` below"), SCOPE)
}
