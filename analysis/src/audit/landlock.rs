//! Landlock's records to refusals, by the kernel's `admin-guide/LSM/landlock.rst`: Linux writes them from 6.15 on.

use super::fields::Fields;
use super::map::{file, unclear};
use super::{Asked, Refusal, Subject, Told};
use canc_dsl::policy::Target;

pub fn refusal(fields: &Fields<'_>, told: Option<&Told>) -> Option<Vec<Refusal>> {
    let blockers = fields.word("blockers")?;
    // The domain's own record names the launcher that made it; the call's names the program.
    let subject = match told.and_then(|t| t.exe.clone()) {
        Some(exe) => Subject::Program(exe),
        None => Subject::Other("a Landlock domain whose call is not in the log".into()),
    };
    let refusal = |blocker: &str| {
        let asked = asked(blocker, fields)?;
        Some(Refusal { subject: subject.clone(), layer: Target::Landlock, asked, only_logged: false })
    };
    blockers.split(',').map(refusal).collect()
}

fn asked(blocker: &str, fields: &Fields<'_>) -> Option<Asked> {
    let word = match blocker {
        "fs.execute" => "run",
        "fs.write_file" | "fs.truncate" | "fs.ioctl_dev" => "write",
        "fs.read_file" => "read",
        "fs.read_dir" => "list",
        "net.bind_tcp" => return port("bind", "src", fields),
        "net.connect_tcp" => return port("connect", "dest", fields),
        // The path is that of the directory in which the entry is.
        other => {
            return Some(unclear(&format!("{other}, of which the record does not name the object")));
        }
    };
    Some(file(word, &fields.name("path")?))
}

fn port(word: &str, key: &str, fields: &Fields<'_>) -> Option<Asked> {
    let port: u16 = fields.word(key)?.parse().ok()?;
    Some(Asked::Request(format!("{word} tcp port {port}")))
}
