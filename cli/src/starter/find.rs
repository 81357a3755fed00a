//! A program's name to what this machine knows about it: its file, its package, its units.

use super::{Found, Readable, Service};
use crate::elf::{self, Elf};
use crate::input;
use canc_dsl::tables;
use canc_runtime::unit::{self, Setting};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The most single files that are named.
const MOST_FILES: usize = 24;

/// Directories whose files others read: documentation, the package manager, service managers.
const OF_OTHERS: &[&str] = &[
    "/etc/alternatives",
    "/etc/apparmor.d",
    "/etc/apt",
    "/etc/bash_completion.d",
    "/etc/cron.d",
    "/etc/cron.daily",
    "/etc/cron.hourly",
    "/etc/cron.monthly",
    "/etc/cron.weekly",
    "/etc/default",
    "/etc/dpkg",
    "/etc/init",
    "/etc/init.d",
    "/etc/insserv.conf.d",
    "/etc/kernel",
    "/etc/logcheck",
    "/etc/logrotate.d",
    "/etc/pam.d",
    "/etc/ppp",
    "/etc/profile.d",
    "/etc/rc.d",
    "/etc/rcS.d",
    "/etc/resolvconf",
    "/etc/rsyslog.d",
    "/etc/sysctl.d",
    "/etc/systemd",
    "/etc/tmpfiles.d",
    "/etc/udev",
    "/etc/ufw",
    "/etc/xdg",
    "/usr/share/applications",
    "/usr/share/apport",
    "/usr/share/bash-completion",
    "/usr/share/bug",
    "/usr/share/doc",
    "/usr/share/doc-base",
    "/usr/share/fish",
    "/usr/share/icons",
    "/usr/share/info",
    "/usr/share/initramfs-tools",
    "/usr/share/lintian",
    "/usr/share/locale",
    "/usr/share/man",
    "/usr/share/menu",
    "/usr/share/metainfo",
    "/usr/share/pixmaps",
    "/usr/share/polkit-1",
    "/usr/share/vim",
    "/usr/share/zsh",
    "/usr/lib/modules-load.d",
    "/usr/lib/sysctl.d",
    "/usr/lib/sysusers.d",
    "/usr/lib/tmpfiles.d",
    "/usr/lib/udev",
];

/// Where systemd looks for the units of a system; the first that has one of a name hides the others.
const UNITS: [&str; 2] = ["/etc/systemd/system", "/usr/lib/systemd/system"];

/// Where a package has what its programs read.
const ROOMS: &[&str] = &["/etc", "/usr/share", "/usr/lib", "/usr/libexec"];

/// Looks everything up.
///
/// # Errors
/// One line for the person who named the program: it is not there, or canc cannot confine it by a policy of its own.
pub fn find(program: &str) -> Result<Found, String> {
    let path = resolve(program)?;
    let bytes = input::program(&path)?;
    let shown = path.display();
    if bytes.starts_with(b"#!") {
        let first = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(first.get(2..).unwrap_or_default()).trim().to_owned();
        let interpreter = line.split_whitespace().next().unwrap_or_default();
        return Err(format!(
            "`{shown}` is a script that `{interpreter}` runs, and the kernel starts that program; \
             write a policy for it with `canc new {interpreter}`, and allow it to read the script"
        ));
    }
    let Some(elf) = Elf::of(&bytes) else {
        return Err(format!(
            "`{shown}` is no program that canc knows: it is no ELF file of 64 bits, or it is damaged"
        ));
    };
    if elf.arch != Some(std::env::consts::ARCH) {
        let arch = elf.arch.unwrap_or("another architecture");
        return Err(format!(
            "`{shown}` is for {arch} and this host is {}; run `canc new` on a host of its own",
            std::env::consts::ARCH
        ));
    }
    let path = path.to_str().map(str::to_owned).ok_or_else(|| format!("the path `{shown}` is not UTF-8"))?;
    let mut found =
        Found { interpreter: elf.interpreter, libraries: elf::needs(&bytes), path, ..Found::default() };
    found.package = package(&found.path);
    if let Some(package) = found.package.clone() {
        readable(&installed(&package), &mut found);
    }
    units(&UNITS.map(PathBuf::from), &mut found);
    Ok(found)
}

/// The file that a name means, as a shell finds it.
fn resolve(program: &str) -> Result<PathBuf, String> {
    let missing = || format!("there is no program `{program}` here; give its path, or install it");
    let candidate = if program.contains('/') {
        PathBuf::from(program)
    } else {
        let search = std::env::var_os("PATH").unwrap_or_default();
        let more = ["/usr/sbin", "/sbin"].map(PathBuf::from);
        let mut places = std::env::split_paths(&search).chain(more).filter(|p| p.is_absolute());
        places.find_map(|p| Some(p.join(program)).filter(|p| p.is_file())).ok_or_else(missing)?
    };
    let path = candidate.canonicalize().map_err(|_| missing())?;
    let meta = path.metadata().map_err(|_| missing())?;
    if !meta.is_file() || meta.permissions().mode() & 0o111 == 0 {
        return Err(format!(
            "`{}` is no program: it is no regular file that can be executed",
            path.display()
        ));
    }
    Ok(path)
}

/// What `dpkg-query` prints; nothing where it is not there or knows nothing.
fn dpkg(args: &[&str]) -> String {
    let output = Command::new("dpkg-query").env("LC_ALL", "C").args(args).output();
    output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default()
}

/// The package of a file, which may be listed from before `/usr` was merged.
fn package(path: &str) -> Option<String> {
    let old = path.strip_prefix("/usr");
    let owners = |path: &str| dpkg(&["-S", path]);
    let said = [Some(path), old].into_iter().flatten().map(owners).find(|s| !s.is_empty())?;
    let line = said.lines().find(|l| !l.starts_with("diversion "))?;
    let names = line.rsplit_once(": ")?.0;
    let name = names.split(", ").next()?.to_owned();
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.:".contains(&b)).then_some(name)
}

/// The files of a package, without symbolic links in their directories.
fn installed(package: &str) -> Vec<String> {
    let merged = |line: &str| {
        let path = Path::new(line);
        let parent = path.parent()?.canonicalize().ok()?;
        parent.join(path.file_name()?).to_str().map(str::to_owned)
    };
    let said = dpkg(&["-L", package]);
    said.lines().filter(|l| l.starts_with('/') && *l != "/.").filter_map(merged).collect()
}

/// What of the files the program may want to read: whole directories of the package alone, and single files elsewhere.
fn readable(files: &[String], found: &mut Found) {
    let mut rooms: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for file in files {
        let Some(room) = ROOMS.iter().find(|r| file.starts_with(&format!("{r}/"))) else { continue };
        let rest = file.get(room.len() + 1..).unwrap_or_default();
        let first = rest.split('/').next().unwrap_or_default();
        let top = format!("{room}/{first}");
        // The directories of libraries are in std.base, and units are systemd's.
        let is_library = first.contains("-linux-gnu") || first.contains(".so") || first == "systemd";
        if !OF_OTHERS.contains(&top.as_str()) && !is_library {
            rooms.entry(top).or_default().push(file);
        }
    }
    for (top, files) in rooms {
        if Path::new(&top).is_dir() && is_own(&top) && is_for_everybody(Path::new(&top), 8) {
            let map = files.iter().any(|f| f.ends_with(".so") || f.contains(".so."));
            found.files.push(Readable { path: top, whole: true, map });
            continue;
        }
        for file in files.into_iter().filter(|f| Path::new(f).is_file()) {
            if found.files.len() < MOST_FILES {
                found.files.push(Readable { path: file.clone(), whole: false, map: false });
            } else {
                found.left_out += 1;
            }
        }
    }
}

/// Whether everybody may read all that is in a directory: what is kept from some is no policy's to give whole.
fn is_for_everybody(directory: &Path, depth: usize) -> bool {
    let Ok(entries) = std::fs::read_dir(directory) else { return false };
    depth > 0
        && entries.flatten().all(|entry| match entry.metadata() {
            Ok(meta) if meta.is_symlink() => true,
            Ok(meta) if meta.permissions().mode() & 0o004 == 0 => false,
            Ok(meta) => !meta.is_dir() || is_for_everybody(&entry.path(), depth - 1),
            Err(_) => false,
        })
}

/// Whether a directory belongs to one package alone.
fn is_own(directory: &str) -> bool {
    let said = dpkg(&["-S", directory]);
    let line = said.lines().find(|l| l.ends_with(&format!(": {directory}")));
    line.is_some_and(|l| !l.contains(", "))
}

/// The service that starts the program, and its sockets.
fn units(directories: &[PathBuf], found: &mut Found) {
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    for entry in directories.iter().filter_map(|d| std::fs::read_dir(d).ok()).flatten().flatten() {
        if let Ok(name) = entry.file_name().into_string() {
            files.entry(name).or_insert_with(|| entry.path());
        }
    }
    let of = |end: &str| -> Vec<(String, Vec<Setting>)> {
        let read = |(name, path): (&String, &PathBuf)| {
            let bytes = input::read(path).ok()?;
            Some((name.clone(), unit::settings(&String::from_utf8_lossy(&bytes))))
        };
        files.iter().filter(|(name, _)| name.ends_with(end)).filter_map(read).collect()
    };
    let is_it = |program: &str| Path::new(program).canonicalize().is_ok_and(|p| p == Path::new(&found.path));
    let service = of(".service").into_iter().find(|(_, s)| unit::programs(s).into_iter().any(is_it));
    let Some((name, settings)) = service else { return };
    for (socket, settings) in of(".socket") {
        let serves = unit::words(&settings, "Socket", "Service");
        let same = socket.trim_end_matches(".socket") == name.trim_end_matches(".service");
        if serves.contains(&name.as_str()) || serves.is_empty() && same {
            for listen in unit::words(&settings, "Socket", "ListenStream") {
                if let Some(port) = unit::port(listen) {
                    found.ports.push((port, socket.clone()));
                }
            }
            let kinds = ["ListenStream", "ListenDatagram", "ListenSequentialPacket"];
            let paths: BTreeSet<&str> =
                kinds.iter().flat_map(|k| unit::words(&settings, "Socket", k)).collect();
            let plain = paths.into_iter().filter(|p| p.starts_with('/') && !p.contains('%'));
            found.sockets.extend(plain.map(|p| (resolved(p), socket.clone())));
        }
    }
    found.unit = Some(service_of(name, &settings));
}

/// `/var/run` is `/run`.
fn resolved(path: &str) -> String {
    path.strip_prefix("/var/run/").map_or_else(|| path.to_owned(), |rest| format!("/run/{rest}"))
}

fn service_of(name: String, settings: &[Setting]) -> Service {
    const DIRECTORIES: [(&str, &str); 4] = [
        ("RuntimeDirectory", "/run"),
        ("StateDirectory", "/var/lib"),
        ("CacheDirectory", "/var/cache"),
        ("LogsDirectory", "/var/log"),
    ];
    let words = |key: &str| unit::words(settings, "Service", key);
    let plain = |w: &&str| !w.contains(['%', ':']) && !w.split('/').any(|part| part == "..");
    let directories = DIRECTORIES.iter().flat_map(|(key, root)| {
        words(key).into_iter().filter(plain).map(move |w| (format!("{root}/{w}"), *key))
    });
    let capability = |w: &str| Some(w.to_ascii_lowercase().strip_prefix("cap_")?.to_owned());
    let known = |name: &String| (0..64).any(|n| tables::capability_name(n) == Some(name.as_str()));
    let bounding = words("CapabilityBoundingSet");
    let bounding =
        if bounding.iter().any(|w| w.starts_with('~')) { words("AmbientCapabilities") } else { bounding };
    let pid = words("PIDFile").first().filter(|p| p.starts_with('/') && plain(p)).map(|p| resolved(p));
    Service {
        user: words("User").first().map(|u| (*u).to_owned()),
        directories: directories.collect(),
        pid_file: pid,
        capabilities: bounding.into_iter().filter_map(capability).filter(known).collect(),
        name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::starter::policy;
    use canc_dsl::{NoFiles, Options, compile};

    #[test]
    fn a_unit_and_its_sockets_become_rules() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("webd");
        std::fs::write(&program, "").unwrap();
        let service = format!(
            "[Service]\nExecStart=-{} -x\nUser=web\nRuntimeDirectory=webd\nStateDirectory=webd ../etc\nPIDFile=/var/run/webd.pid\n\
             CapabilityBoundingSet=CAP_NET_BIND_SERVICE CAP_SETUID CAP_NOTHING\n",
            program.display()
        );
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        write("webd.service", &service);
        write(
            "webd.socket",
            "[Socket]\nListenStream=80\nListenStream=[::1]:443\nListenStream=/var/run/webd.sock\n",
        );
        write("other.socket", "[Socket]\nListenStream=25\n");
        write("more.socket", "[Socket]\nService=webd.service\nListenStream=8080\n");
        let mut found = Found { path: program.to_str().unwrap().to_owned(), ..Found::default() };
        units(&[dir.path().to_owned()], &mut found);
        let text = policy(&found);
        for part in [
            "launch from user, systemd; # webd.service starts it",
            "allow listen tcp port 80 ",
            "allow listen tcp port 443 ",
            "allow listen tcp port 8080 ",
            "allow listen unix \"/run/webd.sock\"",
            "\"/run/webd/**\"",
            "\"/var/lib/webd/**\"",
            "\"/run/webd.pid\"",
            "allow capability net_bind_service, setuid because",
            "# systemd starts it as web.",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        for part in ["port 25", "..", "nothing"] {
            assert!(!text.contains(part), "{part} is in\n{text}");
        }
        let done = compile("new", text.as_bytes(), &NoFiles, &Options::default());
        assert!(done.policies.is_some(), "{:?}\n{text}", done.diagnostics);
    }

    #[test]
    fn names_from_elsewhere_stay_in_their_places() {
        let hostile = "x\n}\nallow read \"/**\"; # ${home} \\ */";
        let found = Found {
            path: format!("/usr/bin/{hostile}").replace('\n', " "),
            libraries: vec![hostile.into()],
            interpreter: Some(hostile.into()),
            unit: Some(Service { name: hostile.into(), user: Some(hostile.into()), ..Service::default() }),
            sockets: vec![("/run/a*\"b$".into(), hostile.into())],
            ..Found::default()
        };
        let done = compile("new", policy(&found).as_bytes(), &NoFiles, &Options::default());
        let set = done.policies.unwrap_or_else(|| panic!("{:?}\n{}", done.diagnostics, policy(&found)));
        assert_eq!(set.policies()[0].rules.iter().filter(|r| r.included.is_empty()).count(), 1);
    }

    #[test]
    fn what_is_not_for_everybody_is_not_given_whole() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        let key = dir.path().join("sub/key");
        std::fs::write(&key, "").unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(is_for_everybody(dir.path(), 8));
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(!is_for_everybody(dir.path(), 8));
    }
}
