//! A plan as lines to read.

use super::{LayerState, Plan, Step};
use crate::host::CapabilityFacts;
use std::fmt;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "policy {}{}", self.policy, if self.complain { ", only logging" } else { "" })?;
        for (layer, state) in &self.layers {
            writeln!(f, "  {:<9} {state}", layer.word())?;
        }
        for accepted in &self.accepted {
            writeln!(f, "  accepted  {}: {}", accepted.what, accepted.why)?;
        }
        for note in &self.notes {
            writeln!(f, "  note      {note}")?;
        }
        for (n, step) in self.steps.iter().enumerate() {
            writeln!(f, "{:>3}. {step}", n + 1)?;
        }
        Ok(())
    }
}

impl fmt::Display for LayerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off in the policy"),
            Self::Absent { why } => write!(f, "absent: {why}"),
            Self::Unfit { why, .. } => write!(f, "unfit: {why}"),
            Self::Active { evidence, .. } => write!(f, "active: {evidence}"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdio => f.write_str("open what is closed of descriptors 0 to 2 on /dev/null"),
            Self::Descriptors { keep, activation } => {
                f.write_str("close all other descriptors on exec")?;
                if !keep.is_empty() {
                    write!(f, ", but keep {}", list(keep))?;
                }
                if *activation { f.write_str(", and those of socket activation") } else { Ok(()) }
            }
            Self::Environment { keep, set } => {
                write!(
                    f,
                    "keep of the environment {}",
                    if keep.is_empty() { "nothing".into() } else { keep.join(" ") }
                )?;
                set.iter().try_for_each(|(name, value)| write!(f, ", set {name}={value:?}"))
            }
            Self::Keyring => f.write_str("take a session keyring of its own"),
            Self::Cgroup { parent, enable, limits } => {
                write!(f, "make a cgroup below {parent}")?;
                if !enable.is_empty() {
                    write!(f, ", enabling {}", enable.join(", "))?;
                }
                limits.iter().try_for_each(|limit| write!(f, ", limit {} to {}", limit.word, limit.value))
            }
            Self::Limit { word, value } => write!(f, "limit {word} to {value}"),
            Self::Label { layer, write, expect } => {
                write!(f, "write the {} exec label {write:?}, expect {expect:?}", layer.word())
            }
            Self::Namespaces(kinds) => {
                write!(
                    f,
                    "make namespaces: {}",
                    kinds.iter().map(|k| k.word()).collect::<Vec<_>>().join(", ")
                )
            }
            Self::Parent => f.write_str("stay as parent, reap inside, go on in a child"),
            Self::Mounts => f.write_str("mount a private /tmp and a fresh /proc, hide kernel files"),
            Self::Ruleset { abi } => write!(f, "open the paths of the Landlock ruleset for ABI {abi}"),
            Self::Bounding { drop } => write!(f, "drop from the bounding set {drop}"),
            Self::Capabilities(CapabilityFacts { permitted, inheritable, ambient, .. }) => {
                write!(
                    f,
                    "set capabilities: permitted {permitted}; inheritable {inheritable}; ambient {ambient}"
                )
            }
            Self::NoNewPrivs => f.write_str("set no_new_privs"),
            Self::Report => f.write_str("report"),
            Self::Signals => f.write_str("unblock signals, default actions"),
            Self::Landlock { abi, log } => {
                write!(f, "enforce the Landlock ruleset for ABI {abi}{}", if *log { ", logging" } else { "" })
            }
            Self::Seccomp { programs, log } => {
                let paths: Vec<&str> = programs.iter().map(|p| p.path.as_str()).collect();
                write!(f, "load the filter {}{}", paths.join(", then "), if *log { ", logging" } else { "" })
            }
            Self::Exec { descriptor } => write!(f, "execute descriptor {descriptor}"),
        }
    }
}

fn list(numbers: &[u32]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
