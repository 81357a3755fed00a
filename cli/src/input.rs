//! Policy files on disk to bytes, within limits that keep a device or a pipe harmless.

use canc_dsl::limits::MAX_FILE_BYTES;
use canc_dsl::{LoadError, Loaded, Loader};
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Reads a regular file, and one byte more than the compiler accepts at the most.
///
/// # Errors
/// One line for the person who named the file.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |what: &str| format!("cannot read `{}`: {what}", path.display());
    // A FIFO without a writer must not hang the compiler.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0))
        .open(path)
        .map_err(|e| failed(&reason(&e)))?;
    let kind = file.metadata().map_err(|e| failed(&reason(&e)))?.file_type();
    if kind.is_dir() {
        return Err(failed("it is a directory"));
    }
    if !kind.is_file() {
        return Err(failed("it is no regular file"));
    }
    let mut bytes = Vec::new();
    bounded(file).read_to_end(&mut bytes).map_err(|e| failed(&reason(&e)))?;
    Ok(bytes)
}

/// The longest program that is read, in bytes.
const MAX_PROGRAM_BYTES: u64 = 1 << 30;

/// Reads a program's file.
///
/// # Errors
/// One line for the person who named the program.
pub fn program(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |e: std::io::Error| format!("cannot read `{}`: {}", path.display(), reason(&e));
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAX_PROGRAM_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Reads standard input, and one byte more than the compiler accepts at the most.
///
/// # Errors
/// One line for the person who called the command.
pub fn standard() -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = bounded(std::io::stdin().lock()).read_to_end(&mut bytes);
    read.map_err(|e| format!("cannot read standard input: {}", reason(&e)))?;
    Ok(bytes)
}

/// The longest log that is read, in bytes.
const MAX_LOG_BYTES: u64 = 64 << 20;

/// Reads a log, or standard input for `-`. Bytes that are no UTF-8 are replaced.
///
/// # Errors
/// One line for the person who named the log.
pub fn log(path: &Path) -> Result<String, String> {
    let failed = |what: &str| format!("cannot read `{}`: {what}", path.display());
    let mut bytes = Vec::new();
    let read = match path == Path::new("-") {
        true => std::io::stdin().lock().take(MAX_LOG_BYTES + 1).read_to_end(&mut bytes),
        false => std::fs::File::open(path).and_then(|f| f.take(MAX_LOG_BYTES + 1).read_to_end(&mut bytes)),
    };
    read.map_err(|e| failed(&reason(&e)))?;
    if bytes.len() as u64 > MAX_LOG_BYTES {
        return Err(failed("it has more than 64 MiB; give a part of it, such as `tail -n 100000 FILE`"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn bounded(file: impl Read) -> impl Read {
    file.take(MAX_FILE_BYTES as u64 + 1)
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".into(),
        std::io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

/// Finds the files that `use` statements name, relative to the file that names them.
pub struct Disk;

impl Loader for Disk {
    fn load(&self, relative_to: &str, path: &str) -> Result<Loaded, LoadError> {
        let base = Path::new(relative_to).parent().unwrap_or(Path::new(""));
        let target: PathBuf = base.join(path);
        let bytes = read(&target).map_err(|message| LoadError { message })?;
        let key = target.canonicalize().map_err(|e| LoadError { message: reason(&e) })?;
        Ok(Loaded { name: target.display().to_string(), key: key.display().to_string(), bytes })
    }
}
