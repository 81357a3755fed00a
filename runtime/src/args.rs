//! The command line of `canc-run` to a request. By hand, because the binary is small and privileged.

use crate::launch::Request;
use crate::report::Format;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// What `--help` prints.
pub const HELP: &str = "\
canc-run: start a program under a compiled policy, or refuse and say why

usage: canc-run NAME|BUNDLE [OPTIONS] [--] CMD [ARG…]

  NAME               a policy that `canc apply` installed
  BUNDLE             a directory that `canc build` wrote
  --policy NAME      the policy, where the bundle has several
  --load             as root, first load the profile and install the module where the kernel lacks them
  --report FORMAT    say what is enforced, before the program starts: text or json
  --report-to N      write the report to descriptor N instead of 2
  --dry-run          decide, print the plan and the facts about this host, start nothing
  --help, --version

Every layer that the policy has and this host offers is put on the program: SELinux, AppArmor,
Landlock, seccomp, capabilities, limits. What nobody here can enforce is refused.

exit codes: the program's own; 125 refused, or canc-run failed; 126 the program cannot be
executed; 127 it was not found. --dry-run: 0 if it would start, 125 if not.

examples:
  canc-run cat -- cat /srv/data/readme              after `canc apply cat.can`
  canc-run cat.canc -- cat /srv/data/readme
  canc-run webd.canc --policy webd --report text -- /usr/sbin/webd -f /etc/webd.conf
  canc-run --load webd.canc -- webd                 as root on a host that has not seen the policy yet
  canc-run webd.canc --report json --report-to 3 -- webd 3>report.json
";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    /// Help.
    Help,
    /// The version.
    Version,
    /// A launch from this bundle.
    Launch(PathBuf, Request),
}

/// Reads the arguments after the program's name.
///
/// # Errors
/// What is wrong with them, in one line.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Asked, String> {
    let mut request = Request::default();
    let mut bundle = None;
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let (name, attached) = split(&argument);
        let mut value = |what: &str| {
            attached.clone().or_else(|| arguments.next()).ok_or_else(|| format!("{what} needs a value"))
        };
        match name.to_str() {
            Some("--help" | "-h") => return Ok(Asked::Help),
            Some("--version") => return Ok(Asked::Version),
            Some("--policy") => request.policy = Some(text("--policy", value("--policy")?)?),
            Some("--report") => request.report = Some(format(&value("--report")?)?),
            Some("--report-to") => request.report_to = Some(number(&value("--report-to")?)?),
            Some("--load") if attached.is_none() => request.load = true,
            Some("--dry-run") if attached.is_none() => request.dry_run = true,
            Some("--") if attached.is_none() && bundle.is_some() => {
                request.command.extend(arguments);
                break;
            }
            Some(option) if option.starts_with('-') => return Err(format!("unknown option {option}")),
            _ if bundle.is_none() => bundle = Some(PathBuf::from(argument)),
            _ => {
                request.command.push(argument);
                request.command.extend(arguments);
                break;
            }
        }
    }
    let bundle = bundle.ok_or("which bundle?")?;
    if request.command.is_empty() { Err("which program?".into()) } else { Ok(Asked::Launch(bundle, request)) }
}

/// The word as the name of a policy, where it can be one: such a word means what is installed before it means a directory, so that the
/// current directory cannot supply the policy.
#[must_use]
pub fn applied_name(word: &Path) -> Option<&str> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    word.to_str().filter(|name| !name.is_empty() && !name.starts_with('-') && name.bytes().all(good))
}

/// `--name=value` to its two parts.
fn split(argument: &OsStr) -> (OsString, Option<OsString>) {
    let bytes = argument.as_bytes();
    match bytes.iter().position(|b| *b == b'=') {
        Some(at) if bytes.starts_with(b"--") => {
            let (name, value) = bytes.split_at(at);
            (
                OsString::from_vec(name.to_vec()),
                Some(OsString::from_vec(value.iter().skip(1).copied().collect())),
            )
        }
        _ => (argument.to_owned(), None),
    }
}

fn text(what: &str, value: OsString) -> Result<String, String> {
    value.into_string().map_err(|_| format!("{what} needs a value in UTF-8"))
}

fn format(value: &OsStr) -> Result<Format, String> {
    match value.to_str() {
        Some("text") => Ok(Format::Text),
        Some("json") => Ok(Format::Json),
        _ => Err(format!("--report is text or json, not {}", value.display())),
    }
}

fn number(value: &OsStr) -> Result<u32, String> {
    let number = value.to_str().and_then(|v| v.parse().ok()).filter(|n: &u32| i32::try_from(*n).is_ok());
    number.ok_or_else(|| format!("--report-to needs the number of a descriptor, not {}", value.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Result<Asked, String> {
        parse(line.split_ascii_whitespace().map(OsString::from))
    }

    fn request(line: &str) -> Request {
        match asked(line) {
            Ok(Asked::Launch(bundle, request)) if bundle.as_os_str() == "b" => request,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn options_stand_before_and_after_the_bundle() {
        let want = Request {
            policy: Some("p".into()),
            report: Some(Format::Json),
            report_to: Some(3),
            load: false,
            dry_run: false,
            opened_stdio: Vec::new(),
            called: String::new(),
            command: ["cat", "--help", "x"].map(OsString::from).into(),
        };
        assert_eq!(request("b --policy p --report json --report-to 3 -- cat --help x"), want);
        assert_eq!(request("--policy=p --report=json b --report-to=3 cat --help x"), want);
        assert!(request("b --dry-run cat").dry_run);
        assert!(request("--load b cat").load && !request("b cat --load").load);
    }

    #[test]
    fn a_command_may_start_with_a_dash_after_the_dashes() {
        assert_eq!(request("b -- --policy x").command, ["--policy", "x"].map(OsString::from));
        assert_eq!(request("b -- -- x").command, ["--", "x"].map(OsString::from));
    }

    #[test]
    fn mistakes_are_named() {
        for (line, want) in [
            ("", "which bundle?"),
            ("b", "which program?"),
            ("b --", "which program?"),
            ("b --polcy x", "unknown option --polcy"),
            ("b --report yaml cat", "--report is text or json, not yaml"),
            (
                "b --report-to 99999999999 cat",
                "--report-to needs the number of a descriptor, not 99999999999",
            ),
            ("b --policy", "--policy needs a value"),
            ("-- b cat", "unknown option --"),
        ] {
            assert_eq!(asked(line), Err(want.into()), "{line}");
        }
        assert_eq!(asked("--help"), Ok(Asked::Help));
        assert_eq!(asked("b --version"), Ok(Asked::Version));
    }
}
