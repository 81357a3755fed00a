//! A policy's statements to what the runtime does at launch.

use canc_bundle::{LaunchEntry, LimitEntry};
use canc_dsl::policy::{Body, Demand, Effect, Launcher, Mode, PathRef, Policy, Target};
use std::collections::BTreeMap;

/// Names kept in the environment of every launch.
const KEPT: &[&str] = &["PATH", "LANG", "LC_*", "TERM", "TZ", "HOME", "USER", "LOGNAME", "SHELL"];
/// Names kept besides where the service manager may start the policy: its protocols and the directories it makes.
const KEPT_OF_SYSTEMD: &[&str] = &[
    "NOTIFY_SOCKET",
    "LISTEN_PID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
    "CREDENTIALS_DIRECTORY",
    "RUNTIME_DIRECTORY",
    "STATE_DIRECTORY",
    "CACHE_DIRECTORY",
    "LOGS_DIRECTORY",
    "CONFIGURATION_DIRECTORY",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
];

/// The launch entry of a policy.
pub fn entry(policy: &Policy) -> LaunchEntry {
    let by_systemd = policy.launch.contains(&Launcher::Systemd);
    LaunchEntry {
        exec: patterns(policy.exec.iter().chain(&policy.attach)),
        attach: patterns(policy.attach.iter()),
        launch_from: policy.launch.iter().map(launcher).collect(),
        demands: Target::ALL.iter().map(|t| (t.word().into(), demand(policy.demand(*t)).into())).collect(),
        require_one_of: policy
            .backends
            .iter()
            .filter(|b| b.targets.len() > 1 && b.demand == Demand::Require)
            .map(|b| b.targets.iter().map(|t| t.word().into()).collect())
            .collect(),
        mode: match policy.mode {
            Mode::Enforce => "enforce".into(),
            Mode::Complain => "complain".into(),
        },
        capabilities: capabilities(policy),
        no_new_privs: policy.no_new_privs_off.is_none(),
        limits: limits(policy),
        isolate: policy.isolate.iter().map(|k| k.word().into()).collect(),
        separate_instances: policy.separate_instances,
        env_keep: kept(policy, by_systemd),
        env_set: policy.env.set.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect(),
        keep_descriptors: policy.keep_descriptors.clone(),
        keep_activation: policy.keep_activation || by_systemd,
    }
}

fn patterns<'a>(list: impl Iterator<Item = &'a PathRef>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for pattern in list.map(|p| p.pattern.to_string()) {
        if !out.contains(&pattern) {
            out.push(pattern);
        }
    }
    out
}

fn launcher(launcher: &Launcher) -> String {
    match launcher {
        Launcher::User => "user".into(),
        Launcher::Systemd => "systemd".into(),
        Launcher::Policy(name) => format!("policy {name}"),
    }
}

fn demand(demand: Demand) -> &'static str {
    match demand {
        Demand::Require => "require",
        Demand::Prefer => "prefer",
        Demand::Off => "off",
    }
}

/// What is allowed and not denied, outside of namespaces that the program makes.
fn capabilities(policy: &Policy) -> Vec<u8> {
    let bits = |effect| {
        policy.rules.iter().filter(|r| r.effect == effect).fold(0u64, |bits, r| match &r.body {
            Body::Capability(c) if !c.in_userns => bits | c.bits,
            _ => bits,
        })
    };
    let kept = bits(Effect::Allow) & !bits(Effect::Deny);
    (0..64).filter(|n| kept & (1 << n) != 0).collect()
}

fn limits(policy: &Policy) -> BTreeMap<String, LimitEntry> {
    // A core dump may hold what the policy protects, so there is none unless the policy says otherwise.
    let mut out = BTreeMap::from([("core".to_owned(), LimitEntry { value: 0, prefer: false })]);
    for limit in &policy.limits {
        out.insert(limit.kind.word().into(), LimitEntry { value: limit.value, prefer: limit.prefer });
    }
    out
}

fn kept(policy: &Policy, by_systemd: bool) -> Vec<String> {
    let default = if policy.env.clear { &[] } else { KEPT };
    let service = if by_systemd && !policy.env.clear { KEPT_OF_SYSTEMD } else { &[] };
    let named = policy.env.keep.iter().map(|n| n.to_string());
    let mut out: Vec<String> = default.iter().chain(service).map(|n| (*n).to_owned()).chain(named).collect();
    out.sort_unstable();
    out.dedup();
    out
}
