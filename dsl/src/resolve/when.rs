//! `when` conditions to a decision: yes, no, or yes on some architectures.

use super::values::{Found, LetValue, Scope, Value, World};
use crate::ast::{Name, WhenCondition};
use crate::codes;
use crate::diag::Diagnostic;
use crate::policy::Compare;
use crate::sink::Sink;
use crate::suggest::nearest;
use canc_sets::syscalls::Arch;

/// Bases that are compiled in; `when` may name them whichever is chosen.
const BASES: &[&str] = &["debian13", "fedora"];

/// Where a condition holds: on these of the requested architectures. `None` where it is not known, so that both branches are only
/// looked at.
pub(super) type Decision = Option<Vec<Arch>>;

pub(super) fn decide(
    world: World<'_>,
    condition: &WhenCondition,
    scope: &Scope,
    sink: &mut Sink,
) -> Decision {
    let all = &world.options.arches;
    let constant = |yes: bool| Some(if yes { all.clone() } else { Vec::new() });
    match condition {
        WhenCondition::Arch(named) => Some(all.iter().copied().filter(|a| named.contains(a)).collect()),
        WhenCondition::SelinuxBase(name) => {
            check_base(world, name, sink);
            constant(*world.options.selinux_base == *name.text)
        }
        WhenCondition::ApparmorAbi(compare, version) => {
            let abi = world.options.apparmor_abi;
            constant(match compare {
                Compare::Eq => abi == *version,
                Compare::Ne => abi != *version,
                Compare::Lt => abi < *version,
                Compare::Le => abi <= *version,
                Compare::Gt => abi > *version,
                Compare::Ge => abi >= *version,
            })
        }
        WhenCondition::Param(name) => constant(parameter(world, name, scope, sink)?),
        WhenCondition::Not(inner) => {
            let inner = decide(world, inner, scope, sink)?;
            Some(all.iter().copied().filter(|a| !inner.contains(a)).collect())
        }
        WhenCondition::All(parts) => {
            let parts: Vec<Decision> = parts.iter().map(|p| decide(world, p, scope, sink)).collect();
            let parts: Vec<Vec<Arch>> = parts.into_iter().collect::<Option<_>>()?;
            Some(all.iter().copied().filter(|a| parts.iter().all(|p| p.contains(a))).collect())
        }
        WhenCondition::Any(parts) => {
            let parts: Vec<Decision> = parts.iter().map(|p| decide(world, p, scope, sink)).collect();
            let parts: Vec<Vec<Arch>> = parts.into_iter().collect::<Option<_>>()?;
            Some(all.iter().copied().filter(|a| parts.iter().any(|p| p.contains(a))).collect())
        }
    }
}

fn check_base(world: World<'_>, name: &Name, sink: &mut Sink) {
    let written_as_string = world.sources.text(name.span).starts_with('"');
    if written_as_string || BASES.contains(&&*name.text) || *world.options.selinux_base == *name.text {
        return;
    }
    let help = match nearest(&name.text, BASES.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "write `debian13`, `fedora`, or the name of a base of your own as a string: `\"{}\"`",
            name.text
        ),
    };
    let message = format!("unknown SELinux base `{}`", name.text);
    sink.push(Diagnostic::new(codes::UNKNOWN_WORD, message).label(name.span, "not known").help(help));
}

fn parameter(world: World<'_>, name: &Name, scope: &Scope, sink: &mut Sink) -> Option<bool> {
    match world.find(&name.text, scope) {
        Found::Param(Value::Bool(value)) | Found::Let(LetValue::Param(Value::Bool(value))) => {
            return Some(*value);
        }
        Found::Param(Value::Unknown) | Found::Let(LetValue::Unknown) | Found::Lost => {}
        Found::Nothing => {
            sink.push(world.unknown_name(&name.text, name.span, scope, false));
        }
        Found::Param(_) | Found::Let(_) => {
            let message = format!("`{}` is no boolean parameter", name.text);
            sink.push(Diagnostic::new(codes::WRONG_KIND, message).label(name.span, "not a yes or no").help(
                format!(
                    "declare `param {}: bool = false;`, or compare `arch`, `selinux.base` or `apparmor.abi`",
                    name.text
                ),
            ));
        }
    }
    None
}

/// Whether a condition speaks of architectures, so that only rules on system calls may depend on it.
pub(super) fn on_arch(condition: &WhenCondition) -> bool {
    match condition {
        WhenCondition::Arch(_) => true,
        WhenCondition::Not(inner) => on_arch(inner),
        WhenCondition::All(parts) | WhenCondition::Any(parts) => parts.iter().any(on_arch),
        WhenCondition::SelinuxBase(_) | WhenCondition::ApparmorAbi(..) | WhenCondition::Param(_) => false,
    }
}

/// Whether a condition speaks of a target, so that no `deny` may depend on it.
pub(super) fn on_target(condition: &WhenCondition) -> bool {
    match condition {
        WhenCondition::SelinuxBase(_) | WhenCondition::ApparmorAbi(..) => true,
        WhenCondition::Not(inner) => on_target(inner),
        WhenCondition::All(parts) | WhenCondition::Any(parts) => parts.iter().any(on_target),
        WhenCondition::Arch(_) | WhenCondition::Param(_) => false,
    }
}
