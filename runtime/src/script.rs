//! A script's first line to the interpreter that is executed for it. The kernel itself does not start a script by a descriptor that is
//! closed on exec; so the interpreter is started by its own descriptor, with the words that the kernel would give it.

use crate::failure::{Code, Failure};
use crate::program::Program;
use crate::trusted;
use crate::walk::{Stop, walk};
use canc_bundle::LaunchEntry;
use rustix::fs::{CWD, Mode, OFlags, fstat, openat};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

/// How much of a file the kernel looks at: `BINPRM_BUF_SIZE` of `linux/binfmts.h`.
const FIRST_LINE: usize = 256;

/// What a script says of its interpreter.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    interpreter: OsString,
    /// All of the rest of the line, as one argument.
    argument: Option<OsString>,
}

/// The program itself, or where it is a script, its interpreter.
///
/// # Errors
/// An interpreter that `exec` does not name, or a script that somebody could replace before the interpreter opens it (125); one that is
/// missing or no program (126).
pub fn interpreted(program: Program, launch: &LaunchEntry) -> Result<Program, Failure> {
    let Some(line) = first_line(&program) else { return Ok(program) };
    let cannot = |why: String| {
        Err(Failure::refused(program.path.display().to_string(), why, "").with_code(Code::CannotExecute))
    };
    let Some(Line { interpreter, argument }) = parse(&line) else {
        return cannot("it is a script whose first line names no interpreter by its full path".into());
    };
    let shown = interpreter.display();
    let found = match Program::open(Path::new(&interpreter)) {
        Ok(found) => found,
        Err(error) => {
            return cannot(format!("its interpreter {shown}: {}", std::io::Error::from(error)));
        }
    };
    if !found.is_started_by(launch)? {
        return Err(Failure::refused(
            program.path.display().to_string(),
            format!("it is a script, and the policy does not start its interpreter {shown}"),
            format!("add to the policy: exec \"{}\";", found.path.display()),
        ));
    }
    if first_line(&found).is_some() {
        return cannot(format!("its interpreter {shown} is a script too"));
    }
    only_its_owner_changes(&program.path)?;
    let words = [Some(interpreter), argument, Some(program.path.into_os_string())];
    Ok(Program { before: words.into_iter().flatten().collect(), ..found })
}

/// The start of a script after its `#!`. A file that cannot be read is none, since no interpreter could read it either; nor is one that
/// is not what was opened.
fn first_line(program: &Program) -> Option<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW;
    let file = openat(CWD, &program.path, flags, Mode::empty()).ok()?;
    let (mine, other) = (fstat(&program.file).ok()?, fstat(&file).ok()?);
    if (mine.st_dev, mine.st_ino) != (other.st_dev, other.st_ino) {
        return None;
    }
    let mut buffer = [0; FIRST_LINE];
    let size = rustix::io::pread(file, &mut buffer[..], 0).ok()?;
    buffer.get(..size)?.strip_prefix(b"#!").map(<[u8]>::to_vec)
}

/// The words as the kernel's `load_script` takes them. A line that goes on beyond what it looks at is none.
fn parse(start: &[u8]) -> Option<Line> {
    let end = start.iter().position(|b| *b == b'\n');
    if end.is_none() && start.len() + 2 == FIRST_LINE {
        return None;
    }
    let line = start.get(..end.unwrap_or(start.len()))?;
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let line = line.get(line.iter().position(|b| !blank(b))?..)?;
    let line = line.get(..=line.iter().rposition(|b| !blank(b))?)?;
    let (path, rest) = line.split_at(line.iter().position(blank).unwrap_or(line.len()));
    let rest = rest.get(rest.iter().position(|b| !blank(b)).unwrap_or(rest.len())..)?;
    let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    let argument = (!rest.is_empty()).then(|| text(rest));
    (path.starts_with(b"/") && !line.contains(&0)).then(|| Line { interpreter: text(path), argument })
}

/// The interpreter opens the script by its path, later: nobody else may put another one there until then.
fn only_its_owner_changes(path: &Path) -> Result<(), Failure> {
    let refused = |place: &Path, why: String| {
        Failure::refused(
            format!("script {}", path.display()),
            format!(
                "{}: {why}, so another script could be there by the time that it is read",
                place.display()
            ),
            format!("start the interpreter by its own name, or: chmod go-w {}", place.display()),
        )
    };
    let visit = |stat: &rustix::fs::Stat, place: &Path| {
        trusted::changeable(stat).map_or(Ok(()), |why| Err(refused(place, why)))
    };
    match walk(path, visit) {
        Ok(_) => Ok(()),
        Err(Stop::Refused(failure)) => Err(failure),
        Err(Stop::Kernel(error)) => Err(refused(path, std::io::Error::from(error).to_string())),
    }
}

/// The arguments of the program: where it is an interpreter, its own words stand for the command's name.
#[must_use]
pub fn arguments(program: &Program, command: Vec<OsString>) -> Vec<OsString> {
    if program.before.is_empty() {
        return command;
    }
    program.before.iter().cloned().chain(command.into_iter().skip(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    fn words(line: &str) -> Option<(String, Option<String>)> {
        let text = |word: &OsStr| String::from_utf8(word.as_bytes().to_vec()).unwrap();
        parse(line.as_bytes()).map(|l| (text(&l.interpreter), l.argument.as_deref().map(text)))
    }

    /// By hand from `fs/binfmt_script.c`, and seen from `cat` as an interpreter.
    #[test]
    fn first_lines_are_read_as_the_kernel_reads_them() {
        let one = |path: &str| Some((path.to_owned(), None));
        let two = |path: &str, argument: &str| Some((path.to_owned(), Some(argument.to_owned())));
        assert_eq!(words("/bin/sh\nexit"), one("/bin/sh"));
        assert_eq!(words(" \t/bin/sh \t\n"), one("/bin/sh"));
        assert_eq!(words("/bin/sh"), one("/bin/sh"));
        assert_eq!(words("/usr/bin/env -S a  b \n"), two("/usr/bin/env", "-S a  b"));
        assert_eq!(words("/bin/sh\t-e\r\n"), two("/bin/sh", "-e\r"));
        for none in ["", "\n", "  \n/bin/sh", "sh\n", "bin/sh -e\n", "/bin/sh\0-e\n"] {
            assert_eq!(words(none), None, "{none:?}");
        }
        let long = |n: usize| format!("/{}", "a".repeat(n));
        assert_eq!(words(&long(FIRST_LINE - 3)), None);
        assert_eq!(words(&long(FIRST_LINE - 4)), one(&long(FIRST_LINE - 4)));
    }
}
