//! Input that must fail cleanly, through the program itself: an error with a position, bounded time and memory, no panic, nothing
//! written.

use crate::process::{Ran, process};
use std::fs;
use std::path::Path;
use std::process::Command;

/// What the process may map, in KiB: a hundred MiB, its own program and libraries among them.
const ROOM: u64 = 100 << 10;
/// Seconds of processor time that it may take without optimisation, on a machine that does other things as well.
const SECONDS: u64 = 20;

/// Runs `canc build INPUT` in `dir` under limits.
fn run(dir: &Path, input: &str) -> Ran {
    let program = env!("CARGO_BIN_EXE_canc-golden");
    let mut command = Command::new("sh");
    let limits = format!("ulimit -v {ROOM} && ulimit -t {SECONDS} && exec \"$0\" build \"$1\" -o out");
    command.current_dir(dir).args(["-c", &limits, program, input]).env("RUST_BACKTRACE", "0");
    process(command)
}

/// Asserts that the input is refused with this code at this place, and that nothing is there that was not there before.
fn refused(what: &str, files: &[(&str, &[u8])], code: &str, place: &str) {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    let ran = run(dir.path(), "x.can");
    assert_eq!(ran.exit, Some(3), "{what}: {}", ran.err);
    assert!(ran.err.lines().any(|l| l == code), "{what}: not {code}: {}", ran.err);
    assert!(ran.err.contains(&format!("[{place}]")), "{what}: not at {place}: {}", ran.err);
    assert!(!ran.err.contains("panicked"), "{what}: {}", ran.err);
    assert!(ran.err.len() < 1 << 20, "{what}: {} bytes of messages", ran.err.len());
    let left = fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(left, files.len(), "{what}: something was written");
}

fn one(what: &str, text: &[u8], code: &str, place: &str) {
    refused(what, &[("x.can", text)], code, place);
}

#[test]
fn texts_that_are_no_source() {
    one("invalid UTF-8", b"can 1;\n# \xff\n", "E0001", "x.can:2:3");
    one("a cut UTF-8 sequence", b"can 1;\n# \xe2\x82", "E0001", "x.can:2:3");
    one("NUL", b"can 1;\n\0", "E0004", "x.can:2:1");
    one("CRLF", b"can 1;\r\npolicy p { exec \"/p\"; }\r\n", "E0003", "x.can:1:7");
    one("a byte-order mark", "\u{feff}can 1;\n".as_bytes(), "E0002", "x.can:1:1");
    one("bidirectional controls", "can 1;\n# \u{202e}\n".as_bytes(), "E0005", "x.can:2:3");
    one("a terminal's escape", b"can 1;\n# \x1b[2J\n", "E0004", "x.can:2:3");
}

#[test]
fn texts_that_are_too_long() {
    one(
        "a line of 10 MB",
        &[b"can 1;\n#".as_slice(), &vec![b'x'; 10_000_000]].concat(),
        "E0006",
        "x.can:2:1",
    );
    one("a file of 17 MiB", &b"# x\n".repeat(17 << 18), "E0007", "x.can:1:1");
    one(
        "a million errors",
        &[b"can 1;\n".as_slice(), &b"x;\n".repeat(400_000)].concat(),
        "E0019",
        "x.can:2:1",
    );
}

#[test]
fn texts_that_are_too_deep() {
    one(
        "10^5 nested braces",
        &[b"can 1;\npolicy p ".as_slice(), &b"{\n".repeat(100_000)].concat(),
        "E0008",
        "x.can:34:1",
    );
    one(
        "10^5 braces that close nothing",
        &[b"can 1;\n".as_slice(), &b"}\n".repeat(100_000)].concat(),
        "E0014",
        "x.can:2:1",
    );
    one(
        "10^4 brackets on a line",
        &[b"can 1;\nlet x = ".as_slice(), &b"[".repeat(10_000)].concat(),
        "E0008",
        "x.can:2:41",
    );
}

#[test]
fn patterns_that_explode() {
    let policy = |rule: String| format!("can 1;\npolicy p {{\nexec \"/p\";\n{rule}\n}}\n").into_bytes();
    let alternatives = policy(format!("allow read \"/{}\";", "{a,b}".repeat(400)));
    one("2^400 alternatives", &alternatives, "E0306", "x.can:4:54");
    let nested = policy(format!("allow read \"/{}a{}\";", "{a,".repeat(300), "}".repeat(300)));
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("x.can"), &nested).unwrap();
    let ran = run(dir.path(), "x.can");
    assert_eq!((ran.exit, fs::read_dir(dir.path()).unwrap().count()), (Some(3), 1), "{}", ran.err);
    let mut doubling = String::from("can 1;\nlet a0 = [1, 2];\n");
    (1..60).for_each(|n| doubling.push_str(&format!("let a{n} = [a{0}, a{0}];\n", n - 1)));
    one("sets that double", doubling.as_bytes(), "E0219", "x.can:20:17");
}

#[test]
fn files_that_use_each_other() {
    let ring: &[(&str, &[u8])] =
        &[("x.can", b"can 1;\nuse \"y.can\" as y;\n"), ("y.can", b"can 1;\n\nuse \"x.can\" as x;\n")];
    refused("a ring of files", ring, "E0213", "x.can:2:5");
    let texts: Vec<(String, Vec<u8>)> = (0..40)
        .map(|n| {
            let name = if n == 0 { "x.can".to_owned() } else { format!("f{n}.can") };
            (name, format!("can 1;\nuse \"f{}.can\" as next;\n", n + 1).into_bytes())
        })
        .collect();
    let files: Vec<(&str, &[u8])> = texts.iter().map(|(n, t)| (n.as_str(), t.as_slice())).collect();
    refused("a chain of files", &files, "E0216", "f16.can:2:5");
    let itself: &[(&str, &[u8])] = &[("x.can", b"can 1;\nuse \"x.can\" as x;\n")];
    refused("a file that uses itself", itself, "E0213", "x.can:2:5");
}

/// Things that are no regular files: as the policy itself the host is at fault, and there is no position; in `use` there is one.
#[test]
fn files_that_are_none() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("dir.can")).unwrap();
    let fifo = Command::new("mkfifo").arg(dir.path().join("fifo.can")).status().unwrap();
    assert!(fifo.success());
    std::os::unix::fs::symlink("/dev/zero", dir.path().join("zero.can")).unwrap();
    std::os::unix::fs::symlink("loop.can", dir.path().join("loop.can")).unwrap();
    for name in [
        "dir.can",
        "fifo.can",
        "zero.can",
        "loop.can",
        "missing.can",
        "/dev/zero",
        "/dev/stdin",
        "/proc/self/mem",
    ] {
        let ran = run(dir.path(), name);
        assert_eq!(ran.exit, Some(4), "{name}: {}{}", ran.err, ran.out);
        assert!(ran.err.contains(name) && !ran.err.contains("panicked"), "{name}: {}", ran.err);
        let used = format!("can 1;\nuse \"{}\" as f;\n", name.trim_start_matches('/'));
        fs::write(dir.path().join("x.can"), used).unwrap();
        let ran = run(dir.path(), "x.can");
        assert_eq!(ran.exit, Some(3), "{name}: {}{}", ran.err, ran.out);
        assert!(ran.err.contains("[x.can:2:5]"), "{name}: {}", ran.err);
        assert!(!dir.path().join("out").exists());
    }
}

#[test]
fn the_limits_are_limits() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("x.can"), "can 1; policy p { exec \"/p\"; }").unwrap();
    assert_eq!(run(dir.path(), "x.can").exit, Some(0));
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -v 6000 && exec \"$0\" build x.can", env!("CARGO_BIN_EXE_canc-golden")])
        .current_dir(dir.path());
    assert_ne!(process(command).exit, Some(0), "a process without memory builds nothing");
}
