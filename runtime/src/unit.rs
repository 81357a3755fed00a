//! A unit file of systemd to its assignments. systemd.syntax(7) has the form.

/// One assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// `Service`
    pub section: String,
    /// `ExecStart`
    pub key: String,
    /// What stands behind `=`.
    pub value: String,
}

/// The assignments of a unit that count.
#[must_use]
pub fn settings(text: &str) -> Vec<Setting> {
    effective(assignments(text))
}

/// Of assignments those that count: an empty one takes back those of its key before it.
pub fn effective(all: impl IntoIterator<Item = Setting>) -> Vec<Setting> {
    let mut out: Vec<Setting> = Vec::new();
    for setting in all {
        if setting.value.is_empty() {
            out.retain(|s| s.section != setting.section || s.key != setting.key);
        } else {
            out.push(setting);
        }
    }
    out
}

/// All assignments, with the empty ones.
#[must_use]
pub fn assignments(text: &str) -> Vec<Setting> {
    let mut out: Vec<Setting> = Vec::new();
    let mut section = String::new();
    let mut whole = String::new();
    for line in text.lines() {
        let line = line.trim();
        if whole.is_empty() && (line.is_empty() || line.starts_with(['#', ';'])) {
            continue;
        }
        // A comment between continued lines belongs to none of them.
        if !whole.is_empty() && line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(more) = line.strip_suffix('\\') {
            whole.push_str(more);
            whole.push(' ');
            continue;
        }
        whole.push_str(line);
        let line = std::mem::take(&mut whole);
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name.to_owned();
        } else if let Some((key, value)) = line.split_once('=') {
            let section = section.clone();
            out.push(Setting { section, key: key.trim().into(), value: value.trim().into() });
        }
    }
    out
}

/// The words of all values of a key.
#[must_use]
pub fn words<'a>(settings: &'a [Setting], section: &str, key: &str) -> Vec<&'a str> {
    let of = settings.iter().filter(|s| s.section == section && s.key == key);
    of.flat_map(|s| s.value.split_whitespace()).collect()
}

/// The programs that a service starts, without the signs before them.
#[must_use]
pub fn programs(settings: &[Setting]) -> Vec<&str> {
    let starts = settings.iter().filter(|s| s.section == "Service" && s.key == "ExecStart");
    let first = starts.filter_map(|s| s.value.split_whitespace().next());
    first.map(|p| p.trim_start_matches(['@', '-', ':', '+', '!', '|'])).collect()
}

/// The TCP port of a `ListenStream=`; `None` for a path or another family.
#[must_use]
pub fn port(value: &str) -> Option<u16> {
    match value.rsplit_once(':') {
        None => value.parse().ok(),
        Some((address, port)) => {
            let address = address.trim_matches(['[', ']']);
            address.parse::<std::net::IpAddr>().ok()?;
            port.parse().ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_as_systemd_reads_them() {
        let text = "# c\n[Service]\nExecStart=/bin/old\nExecStart=\nExecStart=-@/usr/sbin/d \\\n# no\n  --flag\nUser = web\n[Socket]\nListenStream=80\n";
        let all = settings(text);
        assert_eq!(programs(&all), ["/usr/sbin/d"]);
        assert_eq!(words(&all, "Service", "User"), ["web"]);
        assert_eq!(words(&all, "Service", "ExecStart"), ["-@/usr/sbin/d", "--flag"]);
        assert_eq!(words(&all, "Socket", "ListenStream"), ["80"]);
        assert_eq!(
            ["80", "127.0.0.1:53", "[::]:443", "/run/x", "vsock:2:1", "70000"].map(port),
            [Some(80), Some(53), Some(443), None, None, None]
        );
    }
}
