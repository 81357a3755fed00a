//! Small files of the kernel to text, with errors that name the file.

use std::fs;
use std::path::Path;

/// The whole file without its final newline or NUL.
pub fn read(path: impl AsRef<Path>) -> Result<String, String> {
    let path = path.as_ref();
    let bytes = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\0']).to_owned())
}

/// Writes `value` to a file that exists.
pub fn write(path: impl AsRef<Path>, value: &str) -> Result<(), String> {
    let path = path.as_ref();
    let open = fs::OpenOptions::new().write(true).open(path);
    let written = open.and_then(|mut file| std::io::Write::write_all(&mut file, value.as_bytes()));
    written.map_err(|e| format!("{}: writing {value:?}: {e}", path.display()))
}
