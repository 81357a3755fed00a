//! What the loaded SELinux policy says of a domain, asked through selinuxfs.

use super::{DomainFacts, InstanceFacts, SelinuxFacts, Wanted};
use crate::instance;
use crate::label::{self, Attribute};
use crate::procfs::{KernelDir, Procfs, explain, read_text, write_text};
use rustix::fd::AsFd;
use rustix::fs::{FileType, OFlags, StatVfsMountFlags, fstat, fstatvfs};
use rustix::io::Errno;
use std::io;

/// `AVD_FLAGS_PERMISSIVE` of the kernel's `security/selinux/include/security.h`.
const PERMISSIVE: u32 = 1;

pub(super) fn facts(domain: &str, wanted: &Wanted<'_>) -> SelinuxFacts {
    let own = match label::read(Attribute::SelinuxCurrent) {
        Ok(own) => own,
        // The file exists with every security module, and answers so where none has labels.
        Err(e) if Errno::from_io_error(&e) == Some(Errno::INVAL) => {
            return SelinuxFacts::Absent { why: "the process has no SELinux context".into() };
        }
        Err(e) => return SelinuxFacts::Unreadable { why: format!("own context: {}", explain(&e)) },
    };
    let instance = if wanted.separate_instances { instance::context(&own, domain) } else { None };
    let apart = instance.is_some();
    let Some(context) = instance.or_else(|| label::selinux_context(&own, domain)) else {
        return SelinuxFacts::Absent { why: format!("no policy is loaded (own context `{own}`)") };
    };
    let dir = match KernelDir::selinux() {
        Ok(dir) => dir,
        Err(e) => return without_selinuxfs(&context, &explain(&e)),
    };
    match ask(&Policy { dir }, &own, context, domain, wanted) {
        Ok((enforcing, domain)) => {
            let domain = domain.map(|mut domain| {
                domain.instance = domain.instance.filter(|_| apart);
                domain
            });
            SelinuxFacts::Active { enforcing, own, domain }
        }
        Err(e) => SelinuxFacts::Unreadable { why: format!("the loaded policy: {}", explain(&e)) },
    }
}

/// As in many containers. Whether the loaded policy knows the domain shows when a thread that then ends asks for it; more does not.
fn without_selinuxfs(context: &str, why: &str) -> SelinuxFacts {
    let try_context = || -> io::Result<()> { write_text(label::open(Attribute::SelinuxExec)?, context) };
    match std::thread::scope(|scope| scope.spawn(try_context).join()) {
        Ok(Err(e)) if Errno::from_io_error(&e) == Some(Errno::INVAL) => {
            SelinuxFacts::Absent { why: format!("the loaded policy does not know {context}") }
        }
        _ => SelinuxFacts::Unreadable { why: format!("/sys/fs/selinux: {why}") },
    }
}

fn ask(
    policy: &Policy,
    own: &str,
    context: String,
    domain: &str,
    wanted: &Wanted<'_>,
) -> io::Result<(bool, Option<DomainFacts>)> {
    let enforcing = policy.dir.text("enforce")? == "1";
    if !policy.knows_type(&context, domain)? {
        return Ok((enforcing, None));
    }
    let record = crate::loaded::read("selinux", domain);
    let valid = policy.is_valid(&context)?;
    let facts = if valid {
        let permissive = policy.decision(&context, &context, "process")?.permissive;
        let missing = policy.missing(own, &context, wanted)?;
        let instance = if wanted.separate_instances { Some(policy.closed(&context)?) } else { None };
        DomainFacts { context, valid, permissive, missing, record, instance }
    } else {
        DomainFacts { context, valid, permissive: false, missing: Vec::new(), record, instance: None }
    };
    Ok((enforcing, Some(facts)))
}

/// The answer of `/sys/fs/selinux/access`.
struct Decision {
    allowed: u32,
    permissive: bool,
}

struct Policy {
    dir: KernelDir,
}

impl Policy {
    /// Every type is valid with `object_r`, whatever roles may have it.
    fn knows_type(&self, context: &str, domain: &str) -> io::Result<bool> {
        let mut parts = context.splitn(4, ':');
        let (user, level) = (parts.next().unwrap_or_default(), parts.nth(2));
        let level = level.map(|l| format!(":{l}")).unwrap_or_default();
        self.is_valid(&format!("{user}:object_r:{domain}{level}"))
    }

    fn is_valid(&self, context: &str) -> io::Result<bool> {
        match write_text(self.dir.file("context", OFlags::RDWR)?, context) {
            Ok(()) => Ok(true),
            Err(e) if Errno::from_io_error(&e) == Some(Errno::INVAL) => Ok(false),
            Err(e) => Err(e),
        }
    }

    fn decision(&self, subject: &str, object: &str, class: &str) -> io::Result<Decision> {
        let index = self.dir.text(format!("class/{class}/index"))?;
        let file = self.dir.file("access", OFlags::RDWR)?;
        write_text(&file, &format!("{subject} {object} {index}"))?;
        parse_decision(&read_text(&file)?).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// A class or permission that the policy lacks is not allowed.
    fn allows(&self, subject: &str, object: &str, class: &str, permission: &str) -> io::Result<bool> {
        let number = match self.dir.text(format!("class/{class}/perms/{permission}")) {
            Ok(number) => number,
            Err(e) if Errno::from_io_error(&e) == Some(Errno::NOENT) => return Ok(false),
            Err(e) => return Err(e),
        };
        let bit =
            number.parse::<u32>().ok().and_then(|n| n.checked_sub(1)).and_then(|n| 1_u32.checked_shl(n));
        let allowed = self.decision(subject, object, class)?.allowed;
        Ok(bit.is_some_and(|bit| allowed & bit != 0))
    }

    /// The pipes and sockets among the standard descriptors that this context may not read or write. Other files are as open or closed
    /// to it as to a run without categories.
    fn closed(&self, context: &str) -> io::Result<InstanceFacts> {
        let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
        let standard =
            [(0, stdin.as_fd(), "read"), (1, stdout.as_fd(), "write"), (2, stderr.as_fd(), "write")];
        let mut closed = Vec::new();
        for (number, file, permission) in standard {
            let class = match FileType::from_raw_mode(fstat(file)?.st_mode) {
                FileType::Fifo => "fifo_file",
                FileType::Socket => "unix_stream_socket",
                _ => continue,
            };
            let label = Procfs::open()?.attribute_of(file, "security.selinux")?;
            if !self.allows(context, &label, class, permission)? {
                closed.push(number);
            }
        }
        Ok(InstanceFacts { closed })
    }

    /// Everything that this exec needs and the policy does not allow.
    fn missing(&self, own: &str, domain: &str, wanted: &Wanted<'_>) -> io::Result<Vec<String>> {
        let mut needs = vec![(own, own, "process", "setexec"), (own, domain, "process", "transition")];
        let mut missing = Vec::new();
        let label;
        let mut nosuid = false;
        if let Some(program) = wanted.program {
            label = Procfs::open()?.attribute_of(program, "security.selinux")?;
            needs.push((own, &label, "file", "execute"));
            needs.push((domain, &label, "file", "entrypoint"));
            nosuid = fstatvfs(program)?.f_flag.contains(StatVfsMountFlags::NOSUID);
        }
        if wanted.no_new_privs || nosuid {
            // Without this capability of the policy the two permissions below mean nothing to the kernel.
            if self.dir.text("policy_capabilities/nnp_nosuid_transition").is_ok_and(|on| on == "1") {
                if wanted.no_new_privs {
                    needs.push((own, domain, "process2", "nnp_transition"));
                }
                if nosuid {
                    needs.push((own, domain, "process2", "nosuid_transition"));
                }
            } else {
                missing.push("policy capability nnp_nosuid_transition".to_owned());
            }
        }
        for (subject, object, class, permission) in needs {
            if !self.allows(subject, object, class, permission)? {
                missing.push(format!("{class} {permission} on {object}"));
            }
        }
        Ok(missing)
    }
}

/// `allowed decided auditallow auditdeny seqno flags`, hexadecimal but the fifth.
fn parse_decision(text: &str) -> Option<Decision> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let hexadecimal = |n: usize| u32::from_str_radix(words.get(n)?, 16).ok();
    let flags = if words.len() > 5 { hexadecimal(5)? } else { 0 };
    Some(Decision { allowed: hexadecimal(0)?, permissive: flags & PERMISSIVE != 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_read_as_the_kernel_writes_them() {
        let allowed = parse_decision("2 ffffffff 0 ffffffff 7 0").unwrap();
        assert_eq!((allowed.allowed, allowed.permissive), (2, false));
        let permissive = parse_decision("a0 ffffffff 0 ffffffff 12 1").unwrap();
        assert_eq!((permissive.allowed, permissive.permissive), (0xa0, true));
        assert!(parse_decision("").is_none());
        assert!(parse_decision("x ffffffff 0 0 1 0").is_none());
    }
}
