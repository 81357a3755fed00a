//! Two policies to the statements that are no rules and differ, and whether the second holds the program less.

use canc_dsl::policy::{Body, Demand, Effect, LimitKind, Mode, Policy, RunTarget, Target};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A statement that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its first word.
    pub word: &'static str,
    /// What only the first policy says.
    pub gone: Vec<String>,
    /// What only the second says.
    pub added: Vec<String>,
    /// Whether the program is held less.
    pub widens: bool,
}

/// When a difference holds the program less.
enum Widens {
    Never,
    Added,
    Gone,
}

/// The statements that differ. Policies that have another name in the second build are no difference.
pub fn changed(old: &Policy, new: &Policy, renamed: &BTreeMap<&Arc<str>, &Arc<str>>) -> Vec<Statement> {
    let (before, after) = (said(old, renamed), said(new, &BTreeMap::new()));
    let none = BTreeSet::new();
    let mut out = Vec::new();
    for (word, widens) in WORDS {
        let (a, b) = (before.get(word).unwrap_or(&none), after.get(word).unwrap_or(&none));
        let gone: Vec<String> = a.difference(b).cloned().collect();
        let added: Vec<String> = b.difference(a).cloned().collect();
        if gone.is_empty() && added.is_empty() {
            continue;
        }
        let widens = match widens {
            Widens::Never => false,
            Widens::Added => !added.is_empty(),
            Widens::Gone => !gone.is_empty(),
        };
        out.push(Statement { word, gone, added, widens });
    }
    for statement in &mut out {
        match statement.word {
            "backend" => {
                statement.widens = Target::ALL.iter().any(|t| rank(new.demand(*t)) < rank(old.demand(*t)))
            }
            "limit" => statement.widens = raised(old, new),
            _ => {}
        }
    }
    out
}

const WORDS: [(&str, Widens); 16] = [
    ("exec", Widens::Added),
    ("attach", Widens::Gone),
    ("launch from", Widens::Added),
    ("backend", Widens::Gone),
    ("mode", Widens::Added),
    ("tolerate", Widens::Added),
    ("limit", Widens::Gone),
    ("isolate", Widens::Gone),
    ("separate instances", Widens::Gone),
    ("no_new_privs off", Widens::Added),
    ("env", Widens::Added),
    ("keep", Widens::Added),
    ("raw", Widens::Added),
    ("run to", Widens::Added),
    ("signal receive", Widens::Added),
    ("syscall", Widens::Never),
];

fn rank(demand: Demand) -> u8 {
    match demand {
        Demand::Off => 0,
        Demand::Prefer => 1,
        Demand::Require => 2,
    }
}

/// Whether a limit is higher, gone, or only wished for. The default of a core file's size is 0.
fn raised(old: &Policy, new: &Policy) -> bool {
    let of = |policy: &Policy, kind: LimitKind| {
        let own = policy.limits.iter().find(|l| l.kind == kind).map(|l| (l.value, l.prefer));
        own.or((kind == LimitKind::Core).then_some((0, false)))
    };
    old.limits.iter().chain(&new.limits).any(|l| match (of(old, l.kind), of(new, l.kind)) {
        (Some(a), Some(b)) => b.0 > a.0 || (b.1 && !a.1),
        (Some(_), None) => true,
        (None, _) => false,
    })
}

fn said(
    policy: &Policy,
    renamed: &BTreeMap<&Arc<str>, &Arc<str>>,
) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut out: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    let mut say = |word, text: String| {
        out.entry(word).or_default().insert(text);
    };
    policy.exec.iter().for_each(|p| say("exec", format!("\"{}\"", p.pattern)));
    policy.attach.iter().for_each(|p| say("attach", format!("\"{}\"", p.pattern)));
    for launcher in &policy.launch {
        use canc_dsl::policy::Launcher;
        let text = match launcher {
            Launcher::User => "user".into(),
            Launcher::Systemd => "systemd".into(),
            Launcher::Policy(name) => format!("policy {}", renamed.get(name).copied().unwrap_or(name)),
        };
        say("launch from", text);
    }
    for backend in &policy.backends {
        let words: Vec<&str> = backend.targets.iter().map(|t| t.word()).collect();
        say("backend", format!("{} {}", words.join(" or "), format!("{:?}", backend.demand).to_lowercase()));
    }
    if policy.mode == Mode::Complain {
        say("mode", "complain".into());
    }
    policy.tolerate.iter().for_each(|t| say("tolerate", t.class.word().into()));
    for limit in &policy.limits {
        say(
            "limit",
            format!("{} {}{}", limit.kind.word(), limit.value, if limit.prefer { " prefer" } else { "" }),
        );
    }
    policy.isolate.iter().for_each(|n| say("isolate", n.word().into()));
    if policy.separate_instances {
        say("separate instances", "on".into());
    }
    if policy.no_new_privs_off.is_some() {
        say("no_new_privs off", "on".into());
    }
    environment(policy, &mut say);
    policy.keep_descriptors.iter().for_each(|d| say("keep", format!("descriptor {d}")));
    if policy.keep_activation {
        say("keep", "activation".into());
    }
    policy.raw.iter().for_each(|r| say("raw", format!("{} {}", r.target.word(), r.text)));
    transitions(policy, renamed, &mut say);
    for rule in &policy.rules {
        if let Body::Signal(signal) = &rule.body
            && !signal.send
        {
            say("signal receive", format!("{:?} {:x} {:?}", rule.effect, signal.signals, signal.peers));
        }
    }
    if let Some(action) = policy.syscall_default {
        say("syscall", format!("default {action:?}"));
    }
    if !policy.syscall_infer {
        say("syscall", "infer off".into());
    }
    out
}

/// Where programs go that do not stay in the domain.
fn transitions(
    policy: &Policy,
    renamed: &BTreeMap<&Arc<str>, &Arc<str>>,
    say: &mut impl FnMut(&'static str, String),
) {
    for rule in policy.rules.iter().filter(|r| r.effect == Effect::Allow) {
        let Body::File(file) = &rule.body else { continue };
        let to = match &file.run {
            RunTarget::Policy(name) => format!("policy {}", renamed.get(name).copied().unwrap_or(name)),
            RunTarget::Unconfined => "unconfined".into(),
            RunTarget::Inherit => continue,
        };
        file.patterns().for_each(|p| say("run to", format!("\"{p}\" -> {to}")));
    }
}

fn environment(policy: &Policy, say: &mut impl FnMut(&'static str, String)) {
    policy.env.keep.iter().for_each(|name| say("env", format!("keep \"{name}\"")));
    policy.env.set.iter().for_each(|(name, value)| say("env", format!("set {name} \"{value}\"")));
    if !policy.env.clear {
        say("env", "the usual names".into());
    }
}
