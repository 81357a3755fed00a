//! The README's first try, as it stands there: each command that says what it prints prints that.

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    #[test]
    fn the_first_try_prints_what_the_readme_says() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
        let block = readme.split("```sh\n").find(|block| block.contains("-- run ")).unwrap();
        let block = block.split("```").next().unwrap();
        let home = tempfile::tempdir().unwrap();
        let canc = assert_cmd::cargo::cargo_bin("canc");
        let here = |text: &str| text.replace("/tmp", &home.path().display().to_string());
        let mut promises = 0;
        for line in block.lines() {
            let (command, expected) = line.split_once(" # ").unwrap_or((line, ""));
            let command = here(command).replace("cargo run --release --", &canc.display().to_string());
            let output = Command::new("sh").args(["-c", &command]).current_dir(root).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
            assert!(said.contains(&here(expected.trim())), "{command}\n{said}");
            assert_eq!(output.status.success(), !expected.contains("denied"), "{command}\n{said}");
            promises += usize::from(!expected.is_empty());
        }
        assert!(promises >= 2, "{block}");
    }
}
