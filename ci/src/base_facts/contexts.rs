//! The policy's file-context files to tables with one pattern a line, in the order in which the policy tries them.

use super::{Error, Root};
use std::fmt::Write;

const FILES: &str = "/etc/selinux/default/contexts/files";

pub(super) fn file_contexts(root: &Root) -> Result<String, Error> {
    let text = root.read(&format!("{FILES}/file_contexts"))?;
    entries(&text, "pattern (PCRE, anchored), a later line beats an earlier one")
}

/// The templates, not their expansion: that one depends on the users of the machine.
pub(super) fn homedirs(root: &Root) -> Result<String, Error> {
    let text = root.read("/var/lib/selinux/default/active/homedir_template")?;
    entries(&text, "template of a pattern")
}

fn entries(text: &str, what: &str) -> Result<String, Error> {
    let mut out = format!("# {what}\tfile type\tSELinux type\n");
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (pattern, kind, context) = match fields.as_slice() {
            [pattern, context] => (pattern, "*", context),
            [pattern, kind, context] => (pattern, *kind, context),
            _ => return Err(Error::Answer(line.into())),
        };
        let _ = writeln!(out, "{pattern}\t{kind}\t{}", type_of(context)?);
    }
    Ok(out)
}

/// The type in a context; `none` where the policy says that a path has no label of its own.
pub(super) fn type_of(context: &str) -> Result<&str, Error> {
    if context == "<<none>>" {
        return Ok("none");
    }
    context.split(':').nth(2).ok_or_else(|| Error::Answer(context.into()))
}

pub(super) fn substitutions(root: &Root) -> Result<String, Error> {
    let text = root.read(&format!("{FILES}/file_contexts.subs_dist"))?;
    let mut out = String::from("# directory\tlooked up as; the first line that fits counts\n");
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let [from, to] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err(Error::Answer(line.into()));
        };
        let _ = writeln!(out, "{from}\t{to}");
    }
    Ok(out)
}
