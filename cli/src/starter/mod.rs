//! What is found on this machine about a program to a first policy for it, with a comment on everything that is not certain.

mod find;
mod unit;

pub use find::find;

use canc_dsl::spell;
use std::fmt::Write;

/// What is known about a program.
#[derive(Debug, Default)]
pub struct Found {
    /// Where it is, without symbolic links.
    pub path: String,
    /// Its dynamic linker.
    pub interpreter: Option<String>,
    /// The libraries that it names.
    pub libraries: Vec<String>,
    /// The package that it comes from.
    pub package: Option<String>,
    /// What of the package's files it may want to read.
    pub files: Vec<Readable>,
    /// How many more files of the package there are in directories that other packages have too.
    pub left_out: usize,
    /// What its unit says.
    pub unit: Option<Service>,
    /// TCP ports and paths of sockets that units hold for it, with the unit's name.
    pub ports: Vec<(u16, String)>,
    /// The same of sockets with a path.
    pub sockets: Vec<(String, String)>,
}

/// A file, or a directory with all that is in it.
#[derive(Debug)]
pub struct Readable {
    /// Without a final `/`.
    pub path: String,
    /// With everything below it.
    pub whole: bool,
    /// Libraries are below it.
    pub map: bool,
}

/// What the unit of a service says.
#[derive(Debug, Default)]
pub struct Service {
    /// `cron.service`
    pub name: String,
    /// The user that it runs as, where the unit says so.
    pub user: Option<String>,
    /// Directories that systemd makes for it, with the setting that says so.
    pub directories: Vec<(String, &'static str)>,
    /// Where it writes its number.
    pub pid_file: Option<String>,
    /// Capabilities that it may have at most, without `cap_`.
    pub capabilities: Vec<String>,
}

/// The policy, before it is formatted.
#[must_use]
pub fn policy(found: &Found) -> String {
    let base = found.path.rsplit('/').next().unwrap_or_default();
    let name = spell::name(base);
    let mut out = String::new();
    let from = found.package.as_deref().map(|p| format!(" of the package {p}")).unwrap_or_default();
    line(
        &mut out,
        &format!("# A first policy for {}{from}, from what is installed here.", comment(&found.path)),
    );
    line(
        &mut out,
        "# Take out what the program does not need, and add what it is refused: `canc run --dry-run` says what is enforced.",
    );
    line(&mut out, &format!("can 1;\n\npolicy {name} {{\n  exec \"{}\";", spell::literal_path(&found.path)));
    match &found.unit {
        Some(unit) => {
            line(&mut out, &format!("  launch from user, systemd; # {} starts it", comment(&unit.name)));
            line(&mut out, "  include std.base, std.daemon;");
        }
        None => line(&mut out, "  launch from user;\n  include std.base;"),
    }
    linking(&mut out, found);
    files(&mut out, found);
    if let Some(unit) = &found.unit {
        service(&mut out, unit);
    }
    sockets(&mut out, found);
    line(&mut out, "}\n");
    line(&mut out, &format!("test \"{name} stays away from what is secret\" {{"));
    line(&mut out, &format!("  {name} denies read \"/etc/shadow\";"));
    line(&mut out, &format!("  {name} denies read \"/root/.ssh/id_ed25519\";\n}}"));
    out
}

fn line(out: &mut String, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}

/// A text from elsewhere that cannot end its comment.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// A path as a policy writes it.
fn path(text: &str) -> String {
    format!("\"{}\"", spell::literal_path(text))
}

fn linking(out: &mut String, found: &Found) {
    let Some(linker) = &found.interpreter else {
        line(out, "\n  # It is a static program: std.minimal may be enough in place of std.base.");
        return;
    };
    line(
        out,
        &format!(
            "\n  # {} links it; std.base has the usual directories of libraries. It names",
            comment(linker)
        ),
    );
    for some in found.libraries.chunks(5) {
        let names: Vec<String> = some.iter().map(|l| comment(l)).collect();
        line(out, &format!("  #   {}", names.join(" ")));
    }
}

fn files(out: &mut String, found: &Found) {
    if let Some(package) = &found.package
        && !found.files.is_empty()
    {
        line(out, &format!("\n  # What the package {package} installs for it."));
        for file in &found.files {
            let what = if file.path.starts_with("/etc/") { "configuration" } else { "data" };
            let (access, end) = match (file.whole, file.map) {
                (true, true) => ("read, list, map", "/**"),
                (true, false) => ("read, list", "/**"),
                _ => ("read", ""),
            };
            let pattern = format!("\"{}{end}\"", spell::literal_path(&file.path));
            line(out, &format!("  allow {access} {pattern} because \"{what} of {package}\";"));
        }
    }
    if found.left_out > 0 {
        line(
            out,
            &format!(
                "  # {} more of its files are in directories of several packages; `dpkg -L` lists them.",
                found.left_out
            ),
        );
    }
}

fn service(out: &mut String, unit: &Service) {
    line(out, &format!("\n  # What {} says.", comment(&unit.name)));
    for (directory, setting) in &unit.directories {
        let pattern = format!("\"{}/**\"", spell::literal_path(directory));
        line(out, &format!("  allow read, list, replace {pattern} because \"{setting}= of its unit\";"));
    }
    if let Some(file) = &unit.pid_file {
        line(out, &format!("  allow read, replace {} because \"PIDFile= of its unit\";", path(file)));
    }
    if !unit.capabilities.is_empty() {
        let names = unit.capabilities.join(", ");
        line(out, &format!("  allow capability {names} because \"what its unit leaves it\";"));
    }
    match &unit.user {
        Some(user) => line(out, &format!("  # systemd starts it as {}.", comment(user))),
        None => {
            line(out, "  # It starts as root; if it becomes another user: allow capability setuid, setgid;")
        }
    }
}

fn sockets(out: &mut String, found: &Found) {
    if found.ports.is_empty() && found.sockets.is_empty() {
        line(out, "\n  # No unit names a port. If it serves one: allow listen tcp port 80;");
        return;
    }
    line(out, "\n  # The sockets that units hold for it.");
    for (port, unit) in &found.ports {
        line(
            out,
            &format!(
                "  allow listen tcp port {port} because \"ListenStream= of {}\";",
                spell::quoted(&comment(unit))
            ),
        );
    }
    for (socket, unit) in &found.sockets {
        line(
            out,
            &format!(
                "  allow listen unix {} because \"a socket of {}\";",
                path(socket),
                spell::quoted(&comment(unit))
            ),
        );
    }
}
