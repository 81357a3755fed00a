//! The fields of SELinux's, AppArmor's and seccomp's records to refusals.

use super::fields::Fields;
use super::{Asked, Refusal, Subject, Told};
use canc_dsl::policy::Target;
use canc_dsl::spell;
use canc_sets::syscalls::{self, Arch};

/// What `arch` and `syscall` of x32 have beside those of x86_64 (`__X32_SYSCALL_BIT`).
const X32_BIT: u32 = 0x4000_0000;

/// A request for a file, or why there is none.
pub fn file(word: &str, path: &str) -> Asked {
    match path.starts_with('/') && !path.contains(char::is_control) {
        true => Asked::Request(format!("{word} \"{}\"", spell::literal_path(path))),
        false => unclear(&format!("{word} `{path}`, which is no whole path")),
    }
}

/// What there is no request for.
pub fn unclear(text: &str) -> Asked {
    Asked::Unclear(shown(text))
}

/// A text of a record without what a terminal would act on, and not endless.
pub fn shown(text: &str) -> String {
    text.chars().take(200).flat_map(char::escape_debug).collect()
}

/// The types of a policy begin with this, and its name ends before two underscores or the end of the type.
fn domain(context: &str) -> Subject {
    let name = context.split(':').nth(2).unwrap_or(context);
    match name.strip_prefix("canc__").and_then(|n| n.strip_suffix("_t")) {
        Some(name) => Subject::Policy(name.split("__").next().unwrap_or(name).to_owned()),
        None => Subject::Other(shown(name)),
    }
}

/// A profile, which under `no_new_privs` may be stacked on that of the starter: the last one is the program's own.
fn profile(label: &str) -> Subject {
    let own = label.rsplit("//&").next().unwrap_or(label);
    let own = own.split(" (").next().unwrap_or(own);
    match own.strip_prefix("canc.") {
        Some(name) => Subject::Policy(name.to_owned()),
        None => Subject::Other(shown(own)),
    }
}

pub fn selinux(body: &str, fields: &Fields<'_>, told: Option<&Told>) -> Option<Vec<Refusal>> {
    let (_, rest) = body.split_once('{')?;
    let words: Vec<&str> = rest.split_once('}')?.0.split_ascii_whitespace().collect();
    let (subject, class) = (domain(fields.word("scontext")?), fields.word("tclass")?);
    let only_logged = fields.word("permissive") == Some("1");
    if words.is_empty() {
        return None;
    }
    let asked =
        words.iter().filter(|w| says_more(w, &words)).map(|word| permission(class, word, fields, told));
    let refusal = |asked| Refusal { subject: subject.clone(), layer: Target::Selinux, asked, only_logged };
    Some(asked.map(refusal).collect())
}

/// `open` is asked for beside the access that it is for.
fn says_more(word: &str, words: &[&str]) -> bool {
    words.len() == 1 || !matches!(word, "open" | "getattr" | "search")
}

fn permission(class: &str, word: &str, fields: &Fields<'_>, told: Option<&Told>) -> Asked {
    let nothing = || unclear(&format!("{word} of class {class}"));
    match class {
        "capability" | "capability2" | "cap_userns" | "cap2_userns" => {
            let inside = if class.contains("userns") { " in userns" } else { "" };
            return Asked::Request(format!("capability {}{inside}", shown(word)));
        }
        "tcp_socket" | "udp_socket" => {
            let protocol = class.trim_end_matches("_socket");
            let (verb, key) = if word == "name_bind" { ("bind", "src") } else { ("connect", "dest") };
            let port = fields.word(key).and_then(|p| p.parse::<u16>().ok());
            return match (word, port) {
                ("name_bind" | "name_connect", Some(port)) => {
                    Asked::Request(format!("{verb} {protocol} port {port}"))
                }
                _ => nothing(),
            };
        }
        _ => {}
    }
    let directory = class == "dir";
    let verb = match word {
        "read" | "open" if directory => "list",
        "read" | "open" => "read",
        "write" if !directory => "write",
        "append" | "create" | "link" | "lock" | "setattr" => word,
        "add_name" => "create",
        "unlink" | "rmdir" | "rename" | "remove_name" => "delete",
        "execute" | "execute_no_trans" => "run",
        "map" => "map",
        _ => return nothing(),
    };
    match path(fields, told) {
        Ok(path) => file(verb, &path),
        Err(name) => unclear(&format!(
            "{verb} `{}` of type {}: the record has the last part of the path alone",
            name,
            fields.word("tcontext").and_then(|c| c.split(':').nth(2)).unwrap_or("?"),
        )),
    }
}

/// The whole path, from the record or from the one of the same event that has it; else what there is of it.
fn path(fields: &Fields<'_>, told: Option<&Told>) -> Result<String, String> {
    if let Some(path) = fields.name("path").filter(|p| p.starts_with('/')) {
        return Ok(path);
    }
    let name = fields.name("name").unwrap_or_else(|| "?".into());
    let ends = |p: &&String| p.trim_end_matches('/').rsplit('/').next() == Some(name.as_str());
    told.and_then(|t| t.paths.iter().find(ends)).cloned().ok_or(name)
}

pub fn apparmor(fields: &Fields<'_>) -> Option<Vec<Refusal>> {
    let subject = profile(&fields.name("profile")?);
    let only_logged = fields.word("apparmor") == Some("ALLOWED");
    let operation = fields.word("operation")?;
    let asked = match fields.word("capname") {
        Some(name) => vec![Asked::Request(format!("capability {}", shown(name)))],
        None if fields.has("name") && fields.has("denied_mask") => files(operation, fields)?,
        None if fields.word("class") == Some("file") => return None,
        None if operation == "signal" => vec![signal(fields)?],
        None => {
            let of = |key: &str| fields.word(key).map(|w| format!(" {w}")).unwrap_or_default();
            let what = ["class", "family", "sock_type"].map(of).concat();
            vec![unclear(&format!("{operation}{what}: the record does not say all of it"))]
        }
    };
    let refusal = |asked| Refusal { subject: subject.clone(), layer: Target::Apparmor, asked, only_logged };
    Some(asked.into_iter().map(refusal).collect())
}

fn files(operation: &str, fields: &Fields<'_>) -> Option<Vec<Asked>> {
    let (path, mask) = (fields.name("name")?, fields.word("denied_mask")?);
    let mut words: Vec<&str> = mask.chars().map(|c| letter(c, operation, path.ends_with('/'))).collect();
    words.sort_unstable();
    words.dedup();
    if words.is_empty() {
        return None;
    }
    let asked = |word: &str| match word {
        "?" => unclear(&format!("{operation} with mask {mask} of {path}")),
        word => file(word, &path),
    };
    Some(words.into_iter().map(asked).collect())
}

/// The letters of `denied_mask` (`aa_audit_perm_mask`), of which the kernel writes `w` for several accesses.
fn letter(letter: char, operation: &str, directory: bool) -> &'static str {
    match (letter, operation) {
        ('r', _) if directory => "list",
        ('r', _) => "read",
        ('c', _) | ('w', "mkdir" | "mknod" | "symlink" | "rename_dest") => "create",
        ('d', _) | ('w', "unlink" | "rmdir" | "rename_src") => "delete",
        ('w', "chmod" | "chown" | "setattr") => "setattr",
        ('w', _) => "write",
        ('a', _) => "append",
        ('l', _) => "link",
        ('k', _) => "lock",
        ('m', _) => "map",
        ('x', _) => "run",
        _ => "?",
    }
}

fn signal(fields: &Fields<'_>) -> Option<Asked> {
    let (name, peer) = (fields.word("signal")?, fields.name("peer")?);
    Some(match (fields.word("denied_mask")?, profile(&peer)) {
        ("send", Subject::Policy(policy)) => {
            Asked::Request(format!("signal send {} to policy {}", shown(name), shown(&policy)))
        }
        (mask, _) => unclear(&format!("signal {mask} {name}, peer {peer}")),
    })
}

pub fn seccomp(fields: &Fields<'_>) -> Option<Vec<Refusal>> {
    let arch = u32::from_str_radix(fields.word("arch")?, 16).ok()?;
    let number: u32 = fields.word("syscall")?.parse().ok()?;
    // SECCOMP_RET_LOG of linux/seccomp.h: the call was made.
    let only_logged = fields.word("code") == Some("0x7ffc0000");
    let subject = match fields.name("subj").map_or_else(|| of_subject(fields.word("subj")), |s| profile(&s)) {
        Subject::Other(other) => fields.name("exe").map_or(Subject::Other(other), Subject::Program),
        policy => policy,
    };
    let x32 = number & X32_BIT != 0;
    let known = Arch::ALL.into_iter().find(|a| a.audit_value() == arch && (*a == Arch::X32) == x32);
    let asked = match known.and_then(|a| Some((a, syscalls::name(a, number)?))) {
        Some((_, name)) => Asked::Request(format!("syscall {name}")),
        None => unclear(&format!("system call {number} of architecture {arch:x}, which has no name")),
    };
    Some(vec![Refusal { subject, layer: Target::Seccomp, asked, only_logged }])
}

/// `subj` is a context or a profile, by the module that is active.
fn of_subject(subject: Option<&str>) -> Subject {
    let Some(subject) = subject else { return Subject::Other("nobody".into()) };
    match domain(subject) {
        Subject::Policy(name) => Subject::Policy(name),
        _ => profile(subject),
    }
}
