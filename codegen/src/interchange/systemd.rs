//! Filters of one host to settings of a systemd unit, with a verdict for what they cannot say.
//!
//! `SystemCallFilter=` knows names and no arguments. What may be called with some arguments alone is left out, or let through whole
//! where the caller asks for that; namespaces have a setting of their own.

use super::{Verdict, named, other_rules};
use crate::seccomp::Lowered;
use crate::seccomp::cases::{Cases, Guarded, allowed_namespaces};
use askama::Template;
use canc_dsl::policy::{Action, NamespaceKind, Policy};
use canc_sets::syscalls::{self, Arch};

/// Names on a line.
const WIDTH: usize = 110;

/// Exported settings.
#[derive(Debug)]
pub struct Exported {
    /// The drop-in.
    pub text: String,
    /// What it does not say.
    pub verdicts: Vec<Verdict>,
}

struct Service {
    policy: String,
    arches: Vec<Arch>,
    allowed: Vec<Vec<&'static str>>,
    errno: Option<u16>,
    logged: Vec<Vec<&'static str>>,
    /// The kinds that may be made; `None` where the setting would say nothing.
    namespaces: Option<Vec<NamespaceKind>>,
}

#[derive(Template)]
#[template(path = "systemd.dropin", escape = "dropin")]
struct DropIn<'a> {
    service: &'a Service,
}

/// What becomes of calls.
#[derive(Default)]
struct Sorted {
    allowed: Vec<&'static str>,
    logged: Vec<&'static str>,
    conditional: Vec<&'static str>,
    fast_open: Vec<&'static str>,
    namespaces: bool,
    other_errors: Vec<&'static str>,
    refused: Vec<&'static str>,
}

/// The filters of a host's kernel as settings; `None` where the build serves no such host. With `widen`, calls that the policy allows
/// with some arguments are let through with all.
#[must_use]
pub fn export(lowered: &Lowered, policy: &Policy, host: Arch, widen: bool) -> Option<Exported> {
    lowered.filters.get(&host)?;
    let mut verdicts: Vec<Verdict> = other_rules(policy).into_iter().collect();
    let sorted = sorted(lowered, host);
    let unmatched = lowered.unmatched();
    let mut allowed = sorted.allowed.clone();
    if widen {
        allowed.extend(&sorted.conditional);
        allowed.sort_unstable();
    }
    verdicts.extend(about_calls(&sorted, unmatched, widen));
    let kinds = allowed_namespaces(policy);
    let all = [
        NamespaceKind::Cgroup,
        NamespaceKind::Ipc,
        NamespaceKind::Net,
        NamespaceKind::Mount,
        NamespaceKind::Pid,
        NamespaceKind::User,
        NamespaceKind::Uts,
    ];
    if sorted.namespaces && !kinds.has(NamespaceKind::Time) {
        let why =
            "`RestrictNamespaces=` of older versions does not know them; `unshare` of one needs a privilege";
        verdicts.push(Verdict::new("time namespaces", "widened", why));
    }
    let service = Service {
        policy: policy.name.to_string(),
        arches: lowered.arches.iter().copied().filter(|a| a.host() == host).collect(),
        allowed: lines(&allowed),
        errno: if let Action::Errno(number) = unmatched { Some(number) } else { None },
        logged: lines(&sorted.logged),
        namespaces: sorted.namespaces.then(|| all.into_iter().filter(|k| kinds.has(*k)).collect()),
    };
    if service.arches.len() > 1 {
        let why = "the names of one list hold for all of them";
        verdicts.push(Verdict::new("other architectures", "widened", why));
    }
    // A string takes whatever is printed, so that printing cannot fail.
    Some(Exported { text: DropIn { service: &service }.render().unwrap_or_default(), verdicts })
}

fn sorted(lowered: &Lowered, host: Arch) -> Sorted {
    let mut out = Sorted::default();
    let unmatched = lowered.unmatched();
    for (name, cases) in lowered.cases(host, unmatched) {
        match cases {
            Cases::Always(Action::Allow) => out.allowed.push(name),
            Cases::Always(Action::Log) => {
                out.allowed.push(name);
                out.logged.push(name);
            }
            Cases::Always(action) => {
                out.refused.push(name);
                if action != unmatched {
                    out.other_errors.push(name);
                }
            }
            Cases::Depends(_) | Cases::TooMany => match lowered.guarded(host, name) {
                Guarded::Namespaces => {
                    out.allowed.push(name);
                    out.namespaces = true;
                }
                Guarded::FastOpen => {
                    out.allowed.push(name);
                    out.fast_open.push(name);
                }
                Guarded::No => out.conditional.push(name),
            },
        }
    }
    for list in [&mut out.allowed, &mut out.logged, &mut out.conditional, &mut out.refused] {
        list.sort_unstable();
    }
    out
}

fn about_calls(sorted: &Sorted, unmatched: Action, widen: bool) -> Vec<Verdict> {
    let mut out = Vec::new();
    let conditional = named(&sorted.conditional);
    if !sorted.conditional.is_empty() {
        out.push(if widen {
            Verdict::new("arguments", "widened", format!("let through with all arguments: {conditional}"))
        } else {
            let why = format!("left out, since their arguments cannot be asked about (--widen lets them through): {conditional}");
            Verdict::new("arguments", "narrowed", why)
        });
    }
    if !sorted.fast_open.is_empty() {
        let why =
            format!("connections that open without connect(2) are not refused: {}", named(&sorted.fast_open));
        out.push(Verdict::new("TCP fast open", "widened", why));
    }
    let always = syscalls::group("default").unwrap_or_default();
    let refused = sorted.refused.iter().chain(sorted.conditional.iter().filter(|_| !widen));
    let added: Vec<&str> = refused.copied().filter(|n| always.contains(n)).collect();
    if !added.is_empty() {
        out.push(Verdict::new(
            "@default",
            "widened",
            format!("systemd always lets through: {}", named(&added)),
        ));
    }
    if !sorted.other_errors.is_empty() {
        let why = format!("one error number serves all that is refused: {}", named(&sorted.other_errors));
        out.push(Verdict::new("errors", "other error", why));
    }
    if !matches!(unmatched, Action::Errno(_) | Action::Kill) {
        out.push(Verdict::new("syscall default", "narrowed", "calls that are refused are killed"));
    }
    out
}

fn lines(names: &[&'static str]) -> Vec<Vec<&'static str>> {
    let mut out: Vec<Vec<&'static str>> = Vec::new();
    let mut left = 0;
    for name in names {
        if name.len() + 1 > left || out.is_empty() {
            out.push(Vec::new());
            left = WIDTH;
        }
        left = left.saturating_sub(name.len() + 1);
        if let Some(line) = out.last_mut() {
            line.push(name);
        }
    }
    out
}

mod filters {
    use askama::filters::Safe;
    use askama::{Result, Values};
    use canc_dsl::policy::NamespaceKind;
    use canc_sets::syscalls::Arch;

    /// A name on one line.
    #[askama::filter_fn]
    pub fn note(value: &str, _: &dyn Values) -> Result<Safe<String>> {
        Ok(Safe(value.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect()))
    }

    /// As `SystemCallArchitectures=` spells them (systemd.exec(5)).
    #[askama::filter_fn]
    pub fn arch(arch: &Arch, _: &dyn Values) -> Result<Safe<&'static str>> {
        Ok(Safe(match arch {
            Arch::X86_64 => "x86-64",
            Arch::X32 => "x32",
            Arch::X86 => "x86",
            Arch::Aarch64 => "arm64",
            Arch::Arm => "arm",
            Arch::Riscv64 => "riscv64",
            Arch::Ppc64le => "ppc64-le",
            Arch::S390x => "s390x",
            Arch::Loongarch64 => "loongarch64",
        }))
    }

    #[askama::filter_fn]
    pub fn calls(names: &[&'static str], _: &dyn Values) -> Result<Safe<String>> {
        Ok(Safe(names.join(" ")))
    }

    #[askama::filter_fn]
    pub fn errno(number: &u16, _: &dyn Values) -> Result<Safe<String>> {
        Ok(Safe(canc_dsl::tables::errno_name(*number).map_or_else(|| number.to_string(), str::to_owned)))
    }

    /// As `RestrictNamespaces=` spells them.
    #[askama::filter_fn]
    pub fn kind(kind: &NamespaceKind, _: &dyn Values) -> Result<Safe<&'static str>> {
        Ok(Safe(match kind {
            NamespaceKind::Mount => "mnt",
            NamespaceKind::Pid => "pid",
            NamespaceKind::Net => "net",
            NamespaceKind::Ipc => "ipc",
            NamespaceKind::Uts => "uts",
            NamespaceKind::Cgroup => "cgroup",
            NamespaceKind::Time => "time",
            NamespaceKind::User => "user",
        }))
    }
}
