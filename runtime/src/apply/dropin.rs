//! A service and the policy that it is to run under to the drop-in that does so, or to what in the service stands against it.

use super::Stop;
use super::service::{Service, no};
use super::state::Applied;
use crate::caps::CapSet;
use crate::plan::Policy;
use crate::trusted;
use crate::unit::{Setting, programs};
use canc_bundle::glob::Glob;
use serde::{Deserialize, Serialize};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where the launcher of a service may be; the service manager starts it as root.
const LAUNCHER: [&str; 4] =
    ["/usr/bin/canc-run", "/usr/local/bin/canc-run", "/usr/sbin/canc-run", "/usr/local/sbin/canc-run"];
/// Where the service manager looks for a program that is named without its directory.
const SEARCH: [&str; 4] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin"];
/// Commands of a service besides its program.
const OTHERS: [&str; 6] =
    ["ExecCondition", "ExecStartPre", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost"];

/// The drop-in of a policy's service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropIn {
    /// `web.service`.
    pub unit: String,
    /// What the file holds.
    pub text: String,
    /// Whether canc made the directory that it is in.
    pub made: bool,
    /// What of the service goes on as before; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// What is asked about.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The host's root.
    pub root: &'a Path,
    /// The service as it is.
    pub service: &'a Service,
    /// The policy of the bundle.
    pub policy: &'a Policy,
    /// What of it this host installs.
    pub applied: &'a Applied,
    /// What ends a context of the host's SELinux.
    pub level: &'a str,
}

impl Asked<'_> {
    /// The drop-in; `made` is left to whoever makes the directory.
    ///
    /// # Errors
    /// What of the service stands against it.
    pub fn drop_in(&self) -> Result<DropIn, Stop> {
        let settings = self.service.settings();
        let name = &self.policy.name;
        if !self.policy.launch.launch_from.iter().any(|from| from == "systemd") {
            let why = "a unit is started by systemd, and the policy does not let it";
            return no(format!("policy {name}"), why, "add to the policy: launch from systemd;".into());
        }
        let start = self.start(&settings)?;
        self.check_program(&start)?;
        let labels = self.labels(&settings);
        if labels.is_none() {
            self.check_command(&settings, &start)?;
        }
        self.check_settings(&settings, labels.is_some())?;
        let lines = match labels {
            Some(lines) => lines,
            None => {
                let launcher = self.launcher()?;
                vec![
                    "ExecStart=".into(),
                    format!("ExecStart={}{launcher} {name} -- {}", start.signs, start.words),
                ]
            }
        };
        let text = format!(
            "# Made by canc for the policy {name}: `canc remove {name}` takes it away again.\n[Service]\n{}\n",
            lines.join("\n")
        );
        let beside: Vec<&str> = OTHERS.into_iter().filter(|key| has(&settings, key)).collect();
        let note = match beside.as_slice() {
            [] => String::new(),
            keys => format!("{} run as before, outside of the policy", keys.join(", ")),
        };
        Ok(DropIn { unit: self.service.name.clone(), text, made: false, note })
    }

    fn what(&self) -> String {
        format!("unit {}", self.service.name)
    }

    /// The one command.
    fn start(&self, settings: &[Setting]) -> Result<Start, Stop> {
        let found: Vec<&Setting> = all(settings, "ExecStart").collect();
        let [one] = found.as_slice() else {
            let why =
                format!("it has {} lines with ExecStart=, and a policy starts one program", found.len());
            return no(self.what(), &why, "make a unit of its own for each of them".into());
        };
        let words = one.value.trim_start_matches(['@', '-', ':', '+', '!', '|']);
        let signs = one.value.strip_suffix(words).unwrap_or_default().to_owned();
        Ok(Start {
            signs,
            program: programs(settings).first().map(|p| (*p).to_owned()).unwrap_or_default(),
            words: words.into(),
        })
    }

    /// That the unit's program is one that the policy starts.
    fn check_program(&self, start: &Start) -> Result<(), Stop> {
        let Start { program, .. } = start;
        if program.is_empty() || program.contains(['%', '$', '"', '\'', '\\']) {
            let why =
                format!("its program is written as {program}, and only systemd knows what that comes to");
            return no(self.what(), &why, "write its path without quotes and signs".into());
        }
        let below = |path: &str| self.root.join(path.trim_start_matches('/'));
        let found = if program.starts_with('/') {
            Some(below(program))
        } else {
            SEARCH.iter().map(|dir| below(dir).join(program)).find(|path| path.is_file())
        };
        let real = |path: PathBuf| {
            let (path, root) = (path.canonicalize().ok()?, self.root.canonicalize().ok()?);
            Some(Path::new("/").join(path.strip_prefix(&root).ok()?))
        };
        let Some(path) = found.and_then(real) else {
            return no(
                self.what(),
                &format!("there is no program {program}, which it starts"),
                "install it first".into(),
            );
        };
        let exec = &self.policy.launch.exec;
        let bytes = path.as_os_str().as_bytes();
        if exec.iter().any(|pattern| Glob::parse(pattern).is_ok_and(|glob| glob.matches(bytes))) {
            return Ok(());
        }
        let why = format!(
            "it starts {}, and policy {} starts {}",
            path.display(),
            self.policy.name,
            exec.join(", ")
        );
        no(
            self.what(),
            &why,
            format!(
                "name the unit of the policy's program, or add to the policy: exec \"{}\";",
                path.display()
            ),
        )
    }

    /// The settings by which systemd itself gives the program all that the policy asks for; `None` where it needs the launcher.
    fn labels(&self, settings: &[Setting]) -> Option<Vec<String>> {
        let (policy, launch) = (self.policy, &self.policy.launch);
        let more = policy.seccomp.is_some()
            || policy.landlock.is_some()
            || !launch.isolate.is_empty()
            || launch.separate_instances
            || !launch.env_set.is_empty()
            || launch.limits.iter().any(|(word, limit)| word != "core" || limit.value != 0);
        // These settings hold for every command of the service, and the policy is one of its program.
        if more || OTHERS.iter().any(|key| has(settings, key)) {
            return None;
        }
        let mut lines = match (&self.applied.apparmor, &self.applied.selinux) {
            (Some(entry), None) => vec![format!("AppArmorProfile={}", entry.profile)],
            // The loaded policy lets the service manager itself enter the domain only where the policy attaches to the program.
            (None, Some(entry)) if !launch.attach.is_empty() => {
                vec![format!("SELinuxContext=system_u:system_r:{}{}", entry.domain, self.level)]
            }
            _ => return None,
        };
        let names: Option<Vec<String>> = launch.capabilities.iter().map(|n| CapSet::name(*n)).collect();
        lines.push(format!("CapabilityBoundingSet={}", names?.join(" ")));
        lines.push("LimitCORE=0".into());
        if launch.no_new_privs {
            lines.push("NoNewPrivileges=yes".into());
        }
        Some(lines)
    }

    /// What the launcher in its place would change of how the command is started.
    fn check_command(&self, settings: &[Setting], start: &Start) -> Result<(), Stop> {
        if let Some(sign) = start.signs.chars().find(|c| !matches!(c, '-' | ':')) {
            let why = match sign {
                '@' => "and canc-run starts a program under its own name",
                '|' => "and a shell between is not the policy's program",
                _ => "which takes the unit's own restrictions away, and canc-run does not",
            };
            let why = format!("its ExecStart= begins with {sign:?}, {why}");
            return no(
                self.what(),
                &why,
                format!("take the {sign:?} away: systemctl edit --full {}", self.service.name),
            );
        }
        if let Some(file) = self.service.drop_ins_with("ExecStart").next() {
            let why = format!("{} sets ExecStart= too, and one of the two would be lost", file.display());
            return no(
                self.what(),
                &why,
                "put its command into the unit itself: systemctl edit --full".into(),
            );
        }
        let stays = self.policy.launch.isolate.iter().any(|kind| kind == "pid");
        let kind = last(settings, "Type").unwrap_or("simple");
        if stays
            && matches!(kind, "forking" | "notify" | "notify-reload")
            && last(settings, "NotifyAccess") != Some("all")
        {
            let why =
                format!("it is of Type={kind}, and with `isolate pid` canc-run stays as its main process");
            return no(self.what(), &why, "leave `isolate pid` out, or give the unit Type=exec".into());
        }
        Ok(())
    }

    /// Settings that are against the policy, or keep the launcher from its work.
    fn check_settings(&self, settings: &[Setting], only_labels: bool) -> Result<(), Stop> {
        let name = &self.service.name;
        let against = |key: &str, value: &str, why: &str, remedy: String| {
            no(self.what(), &format!("it has {key}={value}, {why}"), remedy)
        };
        let without = |key: &str| format!("take it back (systemctl edit {name}): [Service] {key}=");
        for key in ["AppArmorProfile", "SELinuxContext", "SmackProcessLabel"] {
            if let Some(value) = last(settings, key) {
                return against(key, value, "and a program has one label", without(key));
            }
        }
        let launch = &self.policy.launch;
        if let Some(value) = last(settings, "NoNewPrivileges") {
            let yes = ["1", "yes", "y", "true", "t", "on"].contains(&value.to_ascii_lowercase().as_str());
            if yes != launch.no_new_privs {
                let why = if yes {
                    "and the policy says `no_new_privs off`"
                } else {
                    "and the policy's program gets none"
                };
                return against("NoNewPrivileges", value, why, without("NoNewPrivileges"));
            }
            if yes && self.applied.selinux.is_some() {
                let why = "under which SELinux keeps canc-run out of the domain that may start the policy; canc-run sets it itself";
                return against("NoNewPrivileges", value, why, without("NoNewPrivileges"));
            }
        }
        if only_labels {
            return Ok(());
        }
        if let Some(value) = last(settings, "SystemCallFilter") {
            let why =
                "which holds for canc-run too and would end it; the policy's own filter takes its place";
            return against("SystemCallFilter", value, why, without("SystemCallFilter"));
        }
        if let Some(value) = last(settings, "RestrictNamespaces").filter(|_| !launch.isolate.is_empty()) {
            return against(
                "RestrictNamespaces",
                value,
                "and the policy isolates its program",
                without("RestrictNamespaces"),
            );
        }
        for key in ["RootDirectory", "RootImage"] {
            if let Some(value) = last(settings, key) {
                return against(key, value, "where canc-run and the applied policy are not", without(key));
            }
        }
        for key in ["InaccessiblePaths", "TemporaryFileSystem"] {
            for word in all(settings, key).flat_map(|s| s.value.split_whitespace()) {
                let path = word.trim_start_matches(['-', '+']).split(':').next().unwrap_or_default();
                if ["/var/lib/canc", "/usr/bin", "/proc", "/sys"]
                    .iter()
                    .any(|needed| Path::new(needed).starts_with(path))
                {
                    return against(key, word, "and canc-run reads what is there", without(key));
                }
            }
        }
        Ok(())
    }

    /// The installed launcher, which nobody else may change.
    fn launcher(&self) -> Result<&'static str, Stop> {
        let below = |path: &str| self.root.join(path.trim_start_matches('/'));
        let Some(found) = LAUNCHER.into_iter().find(|path| below(path).is_file()) else {
            let why = "it is not installed, and the unit's program is started by it";
            return no("canc-run".into(), why, format!("install it as {}", LAUNCHER[0]));
        };
        let path = below(found);
        let parent = path.parent().unwrap_or(self.root);
        trusted::open_directory(parent).map_err(Stop::No)?;
        let stat = rustix::fs::stat(&path).map_err(|e| super::disk::at(&path)(e.into()))?;
        match trusted::changeable(&stat) {
            None => Ok(found),
            Some(why) => {
                no(path.display().to_string(), &why, format!("chown root, chmod 755 {}", path.display()))
            }
        }
    }
}

/// The command of a service.
struct Start {
    /// What stands before it, such as `-`.
    signs: String,
    program: String,
    /// As the unit has them.
    words: String,
}

fn all<'s>(settings: &'s [Setting], key: &str) -> impl Iterator<Item = &'s Setting> {
    settings.iter().filter(move |s| s.section == "Service" && s.key == key)
}

fn has(settings: &[Setting], key: &str) -> bool {
    all(settings, key).next().is_some()
}

fn last<'s>(settings: &'s [Setting], key: &str) -> Option<&'s str> {
    all(settings, key).last().map(|s| s.value.as_str())
}
