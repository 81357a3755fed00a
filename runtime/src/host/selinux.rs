//! What the loaded SELinux policy says of a domain, and what of it a launch needs.

use super::{DomainFacts, InstanceFacts, SelinuxFacts, Wanted};
use crate::instance;
use crate::label::{self, Attribute};
use crate::procfs::{Procfs, explain};
use crate::selinux::{Ask, Asked, Kernel};
use rustix::fd::AsFd;
use rustix::fs::{FileType, StatVfsMountFlags, fstat, fstatvfs};
use rustix::io::Errno;
use std::io;

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
    let policy = match Policy::open() {
        Ok(policy) => policy,
        Err(e) => return without_selinuxfs(&context, &explain(&e)),
    };
    match ask(&policy, &own, context, domain, wanted) {
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
    let try_context = || -> io::Result<()> {
        label::write(&label::open(Attribute::SelinuxExec)?, Attribute::SelinuxExec, Some(context))
    };
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
    let enforcing = policy.asked.enforcing()?;
    if !policy.knows_type(&context, domain)? {
        return Ok((enforcing, None));
    }
    let record = crate::loaded::read("selinux", domain);
    let valid = policy.asked.is_valid(&context)?;
    let facts = if valid {
        let permissive = policy.asked.decision(&context, &context, "process")?.permissive;
        let missing = policy.missing(own, &context, wanted)?;
        let instance = if wanted.separate_instances { Some(policy.closed(&context)?) } else { None };
        DomainFacts { context, valid, permissive, missing, record, instance }
    } else {
        DomainFacts { context, valid, permissive: false, missing: Vec::new(), record, instance: None }
    };
    Ok((enforcing, Some(facts)))
}

struct Policy {
    kernel: Kernel,
    asked: Asked,
}

impl Policy {
    fn open() -> io::Result<Self> {
        Ok(Self { kernel: Kernel::open()?, asked: Asked::open()? })
    }

    /// Every type is valid with `object_r`, whatever roles may have it.
    fn knows_type(&self, context: &str, domain: &str) -> io::Result<bool> {
        let mut parts = context.splitn(4, ':');
        let (user, level) = (parts.next().unwrap_or_default(), parts.nth(2));
        let level = level.map(|l| format!(":{l}")).unwrap_or_default();
        self.asked.is_valid(&format!("{user}:object_r:{domain}{level}"))
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
            if !self.asked.allows(context, &label, class, permission)? {
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
            if self.kernel.has_capability("nnp_nosuid_transition") {
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
            if !self.asked.allows(subject, object, class, permission)? {
                missing.push(format!("{class} {permission} on {object}"));
            }
        }
        Ok(missing)
    }
}
