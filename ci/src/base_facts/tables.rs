//! `seinfo`'s answers to tables: classes, ports, file systems, launchers, users, booleans and types.

use super::cil::Modules;
use super::contexts::type_of;
use super::setools::allows;
use super::{Error, Root, Tables};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The attributes of types that lowering asks for.
const ATTRIBUTES: &[&str] = &[
    "device_node",
    "domain",
    "entry_type",
    "exec_type",
    "file_type",
    "filesystem_type",
    "non_security_file_type",
    "port_type",
    "ptynode",
    "ttynode",
    "ubac_constrained_type",
    "unconfined_domain_type",
];

/// The roles in which people log in; those that only audit or administer security start no programs of their own.
const USER_ROLES: &[&str] = &["unconfined_r", "staff_r", "sysadm_r", "user_r"];

fn seinfo(root: &Root, query: &[&str]) -> Result<String, Error> {
    let mut command = vec!["seinfo"];
    command.extend(query);
    root.run("/", &command)
}

fn lines<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter_map(move |l| l.trim().strip_prefix(prefix)).map(|l| l.trim().trim_end_matches(';'))
}

pub(super) fn genfs(root: &Root) -> Result<String, Error> {
    let text = seinfo(root, &["--genfscon"])?;
    let mut out = String::from("# file system\tpath in it\tfile type\tSELinux type\n");
    for line in lines(&text, "genfscon ") {
        let (fs, path, kind, context) = match line.split_whitespace().collect::<Vec<_>>()[..] {
            [fs, path, context] => (fs, path, "*", context),
            [fs, path, kind, context] => (fs, path, kind, context),
            _ => return Err(Error::Answer(line.into())),
        };
        let _ = writeln!(out, "{fs}\t{path}\t{kind}\t{}", type_of(context)?);
    }
    Ok(out)
}

pub(super) fn fs_use(root: &Root) -> Result<String, Error> {
    let text = seinfo(root, &["--fs_use"])?;
    let mut out = String::from("# how labels are kept\tfile system\tSELinux type\n");
    for line in lines(&text, "fs_use_") {
        let [how, fs, context] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err(Error::Answer(line.into()));
        };
        let _ = writeln!(out, "{how}\t{fs}\t{}", type_of(context)?);
    }
    Ok(out)
}

/// Narrow ranges first, as the kernel tries them.
pub(super) fn ports(root: &Root) -> Result<String, Error> {
    let text = seinfo(root, &["--portcon"])?;
    let mut rows = BTreeSet::new();
    for line in lines(&text, "portcon ") {
        let [protocol, range, context] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err(Error::Answer(line.into()));
        };
        let (low, high) = range.split_once('-').unwrap_or((range, range));
        let wrong = |_| Error::Answer(line.into());
        let (low, high) = (low.parse::<u16>().map_err(wrong)?, high.parse::<u16>().map_err(wrong)?);
        rows.insert((protocol.to_owned(), low, high, type_of(context)?.to_owned()));
    }
    let mut out =
        String::from("# protocol\tfirst port\tlast port\tSELinux type; the narrowest range counts\n");
    rows.iter().for_each(|(p, low, high, t)| {
        let _ = writeln!(out, "{p}\t{low}\t{high}\t{t}");
    });
    Ok(out)
}

/// `NAME { perm … }` blocks after `class` or `common`, with what they inherit.
fn blocks(text: &str, word: &str) -> BTreeMap<String, (Option<String>, Vec<String>)> {
    let mut out: BTreeMap<String, (Option<String>, Vec<String>)> = BTreeMap::new();
    let mut current = String::new();
    for line in text.lines().map(str::trim) {
        match line.split_once(' ') {
            Some((w, name)) if w == word => {
                current = name.into();
                out.entry(current.clone()).or_default();
            }
            Some(("inherits", common)) => out.entry(current.clone()).or_default().0 = Some(common.into()),
            None if !line.is_empty() && line != "{" && line != "}" => {
                out.entry(current.clone()).or_default().1.push(line.into());
            }
            _ => {}
        }
    }
    out
}

pub(super) fn classes(root: &Root) -> Result<String, Error> {
    let commons = blocks(&seinfo(root, &["--common", "-x"])?, "common");
    let mut out = String::from("# class\tpermissions\n");
    for (class, (common, own)) in blocks(&seinfo(root, &["-c", "-x"])?, "class") {
        let inherited = common.and_then(|c| commons.get(&c)).map(|c| c.1.clone()).unwrap_or_default();
        let all: BTreeSet<String> = inherited.into_iter().chain(own).collect();
        let _ = writeln!(out, "{class}\t{}", all.into_iter().collect::<Vec<_>>().join(" "));
    }
    Ok(out)
}

/// Who starts programs: the types of login roles, and the type in which the service manager runs a command.
pub(super) fn launchers(root: &Root, modules: &Modules) -> Result<String, Error> {
    let mut rows: Vec<(&str, String, String)> = Vec::new();
    let defaults = root.read("/etc/selinux/default/contexts/default_type")?;
    for role in USER_ROLES {
        let found = defaults.lines().filter_map(|l| l.split_once(':')).find(|(r, _)| r == role);
        let (_, domain) = found.ok_or_else(|| Error::Answer(format!("no default type for {role}")))?;
        rows.push(("user", (*role).into(), domain.trim().into()));
    }
    let initrc = root.read("/etc/selinux/default/contexts/initrc_context")?;
    let [_, role, domain, ..] = initrc.trim().split(':').collect::<Vec<_>>()[..] else {
        return Err(Error::Answer(initrc));
    };
    rows.push(("systemd", role.into(), domain.into()));
    rows.push(("init", "system_r".into(), "init_t".into()));
    let mut out = String::from(
        "# launcher (`init`: the service manager itself)\trole\ttype\tmodule\tmay choose a label at exec\n",
    );
    for (who, role, domain) in rows {
        let setexec =
            !allows(root, &["-s", &domain, "-t", &domain, "-c", "process", "-p", "setexec"])?.is_empty();
        let module = modules.declared.get(&domain).map_or("base", String::as_str);
        let _ = writeln!(out, "{who}\t{role}\t{domain}\t{module}\t{}", if setexec { "yes" } else { "no" });
    }
    Ok(out)
}

pub(super) fn users(root: &Root) -> Result<String, Error> {
    let text = seinfo(root, &["-u", "-x"])?;
    let mut out = String::from("# SELinux user\troles\trange of levels\n");
    for line in lines(&text, "user ") {
        let (name, rest) = line.split_once(" roles ").ok_or_else(|| Error::Answer(line.into()))?;
        let (roles, levels) = rest.split_once(" level ").ok_or_else(|| Error::Answer(line.into()))?;
        let range = levels.split_once(" range ").map_or("", |(_, r)| r);
        let roles = roles.replace(['{', '}'], "");
        let roles: Vec<&str> = roles.split_whitespace().collect();
        let _ = writeln!(out, "{name}\t{}\t{}", roles.join(" "), range.replace(' ', ""));
    }
    Ok(out)
}

/// The booleans that the rules of `domain` hang on, with their values as installed.
pub(super) fn booleans(root: &Root, done: &Tables) -> Result<String, Error> {
    let conditions =
        done.get("domain.tsv").into_iter().flat_map(|t| t.lines()).filter_map(|l| l.split('\t').nth(3));
    let words = conditions.flat_map(|c| c.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    let names: BTreeSet<&str> =
        words.filter(|w| w.chars().any(|c| c.is_ascii_lowercase()) && w.contains('_')).collect();
    let mut out = String::from("# boolean\tvalue as installed\n");
    for name in names {
        let text = seinfo(root, &["-b", name, "-x"])?;
        let value = lines(&text, "bool ").next().and_then(|l| l.split_whitespace().nth(1)).map(str::to_owned);
        let value = value.ok_or_else(|| Error::Answer(format!("boolean {name}: {text}")))?;
        let _ = writeln!(out, "{name}\t{value}");
    }
    Ok(out)
}

/// Every type that another table names, with its module and the attributes that matter.
pub(super) fn types(root: &Root, modules: &Modules, done: &Tables) -> Result<String, Error> {
    let named: BTreeSet<&str> = done
        .values()
        .flat_map(|t| t.lines().filter(|l| !l.starts_with('#')))
        .flat_map(|l| l.split(['\t', ' ']))
        .filter(|w| w.ends_with("_t"))
        .collect();
    // Types of objects that exist before any file is labelled: nodes, interfaces, the kernel.
    let initial = seinfo(root, &["--initialsid", "-x"])?;
    let initial: BTreeSet<&str> = lines(&initial, "sid ").filter_map(|l| l.split(':').nth(2)).collect();
    let text = seinfo(root, &["-t", "-x"])?;
    let mut out = String::from("# type\tmodule that declares it\tattributes that matter\tother names\n");
    for line in lines(&text, "type ") {
        let (head, attributes) = line.split_once(',').unwrap_or((line, ""));
        let (name, aliases) = head.split_once(" alias ").unwrap_or((head, ""));
        let terminal = attributes.split(',').any(|a| matches!(a.trim(), "ptynode" | "ttynode"));
        if !(named.contains(name) || initial.contains(name) || terminal) || name.starts_with("cancprobe_") {
            continue;
        }
        let attributes: BTreeSet<&str> =
            attributes.split(',').map(str::trim).filter(|a| ATTRIBUTES.contains(a)).collect();
        let attributes: Vec<&str> = attributes.into_iter().collect();
        let aliases = aliases.replace(['{', '}'], "");
        let aliases: Vec<&str> = aliases.split_whitespace().collect();
        let module = modules.declared.get(name).map_or("base", String::as_str);
        let _ = writeln!(out, "{name}\t{module}\t{}\t{}", attributes.join(" "), aliases.join(" "));
    }
    Ok(out)
}
