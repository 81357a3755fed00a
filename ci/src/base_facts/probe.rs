//! Fresh types put into the policy, to see what they get and who reaches them.

use super::setools::{allows, expand};
use super::{Error, Root};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

const DIRECTORY: &str = "/tmp/canc-facts";
const DOMAIN: &str = "cancprobe_t";

const MODULE: &str = "module cancprobe 1;
require {
	attribute domain, file_type, non_auth_file_type, non_security_file_type, exec_type, entry_type, logfile;
	role system_r;
}
type cancprobe_t;
typeattribute cancprobe_t domain;
role system_r types cancprobe_t;
type cancprobe_data_t, file_type, non_auth_file_type, non_security_file_type;
type cancprobe_log_t, file_type, non_auth_file_type, non_security_file_type, logfile;
type cancprobe_exec_t, exec_type, entry_type, file_type, non_auth_file_type, non_security_file_type;
";

pub(super) fn install(root: &Root) -> Result<(), Error> {
    root.write(&format!("{DIRECTORY}/cancprobe.te"), MODULE)?;
    root.run(DIRECTORY, &["checkmodule", "-M", "-m", "-o", "cancprobe.mod", "cancprobe.te"])?;
    root.run(DIRECTORY, &["semodule_package", "-o", "cancprobe.pp", "-m", "cancprobe.mod"])?;
    root.run(DIRECTORY, &["semodule", "-n", "-i", "cancprobe.pp"]).map(drop)
}

/// What the attribute `domain` brings.
pub(super) fn domain(root: &Root) -> Result<String, Error> {
    let mut merged: BTreeMap<(String, String, String), BTreeSet<String>> = BTreeMap::new();
    for rule in allows(root, &["-s", DOMAIN])? {
        let target = if rule.target == DOMAIN { "self".to_owned() } else { rule.target };
        merged.entry((target, rule.class, rule.condition)).or_default().extend(rule.perms);
    }
    let mut out = String::from("# target (`self`, a type or an attribute)\tclass\tpermissions\tcondition\n");
    for ((target, class, condition), perms) in merged {
        let _ = writeln!(out, "{target}\t{class}\t{}\t{condition}", join(&perms));
    }
    Ok(out)
}

/// Which domains of the base reach a private type of each sort.
pub(super) fn reach(root: &Root) -> Result<String, Error> {
    let mut out =
        String::from("# sort of private type\tpermission on files\tdomains of the base that have it\n");
    for (sort, name) in
        [("data", "cancprobe_data_t"), ("log", "cancprobe_log_t"), ("exec", "cancprobe_exec_t")]
    {
        for perm in ["read", "write", "execute"] {
            let mut domains = BTreeSet::new();
            for rule in allows(root, &["-t", name, "-c", "file", "-p", perm])? {
                if rule.condition.is_empty() {
                    domains.extend(expand(root, &rule.source)?);
                }
            }
            let _ = writeln!(out, "{sort}\t{perm}\t{}", join(&domains));
        }
    }
    Ok(out)
}

fn join(set: &BTreeSet<String>) -> String {
    set.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}
