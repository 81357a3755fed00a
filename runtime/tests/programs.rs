//! Which programs a launch starts, and which it does not: by their place, by their format, and scripts by their interpreter.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use support::{Made, ran, refused};

fn launch(made: &Made, bundle: &Path, command: &[&str]) -> support::Ran {
    ran(Command::new(made.canc_run()).arg(bundle).arg("--").args(command))
}

#[test]
fn outside_the_policy() {
    let mut made = Made::new();
    let bundle = made.write();
    let home = made.home.path().canonicalize().unwrap();
    let (probe, copy, hard) = (home.join("bin/probe"), home.join("copy"), home.join("hard"));
    support::copy(&probe, &copy);
    fs::hard_link(&probe, &hard).unwrap();
    for other in [copy.to_str().unwrap(), hard.to_str().unwrap(), "/usr/bin/true", "true"] {
        refused(&launch(&made, &bundle, &[other]), &["the policy starts only", "/bin/*", "exec \""]);
    }
    // Other names of the same file: what counts is where it is.
    symlink(&probe, home.join("link")).unwrap();
    let by_root = format!("/proc/self/root{}", probe.display());
    for same in [home.join("link").to_str().unwrap(), &by_root] {
        assert_eq!(launch(&made, &bundle, &[same, "label"]).code, Some(0), "{same}");
    }
    symlink("/usr/bin/true", home.join("bin/true")).unwrap();
    refused(
        &launch(&made, &bundle, &[home.join("bin/true").to_str().unwrap()]),
        &["/usr/bin/true", "the policy starts only"],
    );
}

#[test]
fn missing_and_not_executable() {
    let mut made = Made::new();
    let bundle = made.write();
    let home = made.home.path().canonicalize().unwrap();
    fs::write(home.join("bin/data"), "x").unwrap();
    fs::write(home.join("bin/garbage"), "garbage").unwrap();
    fs::set_permissions(home.join("bin/garbage"), Permissions::from_mode(0o755)).unwrap();
    let at = |name: &str| home.join(name).to_str().unwrap().to_owned();
    for (command, code, words) in [
        (at("bin/none"), 127, "no such program"),
        (at("bin/probe/x"), 127, "no such program"),
        ("no-such-program".into(), 127, "no such program"),
        (String::new(), 127, "no such program"),
        (at("bin/data"), 126, "Permission denied"),
        (at("bin"), 126, "Permission denied"),
        (at("bin/garbage"), 126, "no format that the kernel executes"),
    ] {
        let ran = launch(&made, &bundle, &[&command]);
        assert_eq!(ran.code, Some(code), "{command}: {}", ran.err);
        assert!(ran.err.contains(words), "{command}: {}", ran.err);
    }
}

/// A script at that place in the test's directory.
fn script(made: &Made, name: &str, text: &str) -> String {
    let path = made.home.path().canonicalize().unwrap().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn scripts_whose_interpreter_the_policy_does_not_start() {
    let mut made = Made::new();
    let bundle = made.write();
    let script = script(&made, "bin/script", "#! /bin/sh -e\necho ran\n");
    let shell = fs::canonicalize("/bin/sh").unwrap();
    let exec = format!("add to the policy: exec \"{}\";", shell.display());
    refused(
        &launch(&made, &bundle, &[&script]),
        &["/bin/script: it is a script", "does not start its interpreter /bin/sh", &exec],
    );
}

/// With the words that the kernel would give the interpreter, and by its own descriptor: the filter permits no other exec.
#[test]
fn scripts_whose_interpreter_the_policy_starts() {
    let mut made = Made::new().filters(vec![support::bpf::only_the_launch(canc_bundle::LAUNCH_FD)]);
    let shell = fs::canonicalize("/bin/sh").unwrap();
    made.launch().exec.push(shell.to_str().unwrap().to_owned());
    let bundle = made.write();
    let path = script(&made, "bin/script", "#! /bin/sh -e \necho $- \"$0\" \"$@\"; false; echo on\n");
    let ran = launch(&made, &bundle, &[&path, "a b", "c"]);
    assert_eq!(ran.out, format!("e {path} a b c\n"), "{}", ran.err);
    assert_eq!(ran.code, Some(1));
    let bare = support::ran(Command::new(&path).args(["a b", "c"]));
    assert_eq!((bare.out, bare.code), (ran.out, ran.code), "the kernel's own start of it");
    // The policy does not start this one, whatever its interpreter.
    let outside = script(&made, "script", "#!/bin/sh\necho ran\n");
    refused(&launch(&made, &bundle, &[&outside]), &["the policy starts only"]);
}

#[test]
fn scripts_that_cannot_be_started() {
    let mut made = Made::new();
    let bundle = made.write();
    script(&made, "bin/other", "#!/bin/sh\necho ran\n");
    let home = made.home.path().canonicalize().unwrap();
    let twice = format!("#!{}/bin/other\necho ran\n", home.display());
    let long = format!("#!/bin/sh -{}\necho ran\n", "e".repeat(300));
    for (text, words) in [
        ("#!/no/such/interpreter\n", "its interpreter /no/such/interpreter: No such file"),
        ("#!sh\necho ran\n", "no interpreter by its full path"),
        ("#!\n", "no interpreter by its full path"),
        ("#!/etc/passwd\n", "its interpreter /etc/passwd: Permission denied"),
        (long.as_str(), "no interpreter by its full path"),
        (twice.as_str(), "/bin/other is a script too"),
    ] {
        let path = script(&made, "bin/script", text);
        let ran = launch(&made, &bundle, &[&path]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(126), ""), "{text:?}: {}", ran.err);
        assert!(ran.err.contains(words), "{text:?}: {}", ran.err);
    }
}

/// The interpreter opens the script by its path: who can replace it there decides what runs.
#[test]
fn scripts_that_others_can_replace() {
    let mut made = Made::new();
    made.launch().exec.push(fs::canonicalize("/bin/sh").unwrap().to_str().unwrap().to_owned());
    let bundle = made.write();
    let path = script(&made, "bin/script", "#!/bin/sh\necho ran\n");
    let run = |made: &Made| launch(made, &bundle, &[&path]);
    assert_eq!(run(&made).out, "ran\n");
    let directory = made.home.path().join("bin");
    fs::set_permissions(&directory, Permissions::from_mode(0o777)).unwrap();
    refused(&run(&made), &["script ", "others can write it (mode 777)", "another script could be there"]);
    fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o775)).unwrap();
    refused(&run(&made), &["bin/script: others can write it (mode 775)", "chmod go-w"]);
}

#[test]
fn nothing_comes_from_the_current_directory_unnamed() {
    let mut made = Made::new();
    let bundle = made.write();
    let bin = made.home.path().join("bin");
    let run = |path: &str, command: &str| {
        ran(Command::new(made.canc_run())
            .arg(&bundle)
            .args([command, "label"])
            .current_dir(&bin)
            .env("PATH", path))
    };
    for path in ["", ".", ":/usr/bin", "bin"] {
        assert_eq!(run(path, "probe").code, Some(127), "{path:?}");
    }
    assert_eq!(run("", "./probe").code, Some(0));
    assert_eq!(run(&format!("/nowhere:{}", bin.display()), "probe").code, Some(0));
}

#[test]
fn the_programs_own_code_is_passed_on() {
    let mut made = Made::new();
    assert_eq!(made.run(&[]).code, Some(2));
    assert_eq!(made.run(&["open-read", "/nowhere"]).code, Some(1));
    assert_eq!(made.run(&["label"]).code, Some(0));
    use std::os::unix::process::ExitStatusExt;
    let number = libc::SYS_kill.to_string();
    let mut command = made.command(&["syscall", &number, "0", "9"]);
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    assert_eq!(command.status().unwrap().signal(), Some(9));
}
