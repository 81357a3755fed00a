//! A bundle to what the owners of the target languages say of it: AppArmor's parser, SELinux's compilers and store, and
//! the kernel's checker of filters.
//!
//! What could not be asked is told as such and never taken for consent. It must not know how a bundle is made.

mod apparmor;
mod bundle;
mod filter;
pub(crate) mod host;
mod process;
mod seccomp;
mod selinux;

pub(crate) use bundle::{Bundle, Policy};
pub use filter::{COMMAND as LOAD_FILTER, load as load_filter};

use crate::Exit;
use host::Host;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Whom to ask.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A root file system whose tools are asked instead of this host's. The kernel is always this host's.
    pub sysroot: Option<PathBuf>,
    /// A private root, whose tools run in this one.
    pub beside: Option<PathBuf>,
    /// How long a tool may take; `None` for the usual time.
    pub limit: Option<std::time::Duration>,
}

/// Everything that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// In the bundle's order, target by target.
    pub checks: Vec<Check>,
}

/// One question to one tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The policies that it is about.
    pub policies: Vec<String>,
    /// `apparmor`, `selinux` or `seccomp`.
    pub target: &'static str,
    /// The file that was shown, relative to the bundle, or several.
    pub files: Vec<String>,
    /// Who was asked.
    pub tool: String,
    /// The answer.
    #[serde(flatten)]
    pub answer: Answer,
}

/// What a tool said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "answer", content = "why")]
pub enum Answer {
    /// It took the files.
    Accepted,
    /// It refused them, with these words.
    Refused(String),
    /// It could not be asked, for this reason.
    NotChecked(String),
}

/// Asks about every artefact of the bundle in `dir`.
///
/// # Errors
/// A directory that is no bundle, in one line.
pub fn run(dir: &Path, options: &Options) -> Result<Report, String> {
    let bundle = Bundle::open(dir)?;
    let host = match &options.beside {
        Some(root) => Host::beside(root, options.limit),
        None => Host::new(options.sysroot.as_deref())?,
    };
    let mut checks = Vec::new();
    checks.extend(selinux::check(&bundle, &host));
    checks.extend(apparmor::check(&bundle, &host));
    checks.extend(seccomp::check(&bundle));
    Ok(Report { checks })
}

impl Report {
    /// No where a tool refused, otherwise a failure of the host where something could not be checked.
    #[must_use]
    pub fn exit(&self) -> Exit {
        let any = |of: fn(&Answer) -> bool| self.checks.iter().any(|check| of(&check.answer));
        match (any(|a| matches!(a, Answer::Refused(_))), any(|a| matches!(a, Answer::NotChecked(_)))) {
            (true, _) => Exit::No,
            (false, true) => Exit::Host,
            (false, false) => Exit::Done,
        }
    }

    /// For people: one line per question, the words of those who did not accept, and a line that counts.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text: String = self.checks.iter().map(Check::text).collect();
        let count = |of: fn(&Answer) -> bool| self.checks.iter().filter(|check| of(&check.answer)).count();
        let (accepted, refused) =
            (count(|a| *a == Answer::Accepted), count(|a| matches!(a, Answer::Refused(_))));
        let not_checked = self.checks.len() - accepted - refused;
        text.push_str(&format!("{accepted} accepted, {refused} refused, {not_checked} not checked\n"));
        text
    }
}

impl Check {
    fn text(&self) -> String {
        let (word, why) = match &self.answer {
            Answer::Accepted => ("accepted", ""),
            Answer::Refused(why) => ("refused", why.as_str()),
            Answer::NotChecked(why) => ("not checked", why.as_str()),
        };
        let mut text =
            format!("{:<9} {:<28} {:<12} {}\n", self.target, self.tool, word, self.files.join(" "));
        for line in why.lines() {
            text.push_str(&format!("          {line}\n"));
        }
        text
    }
}
