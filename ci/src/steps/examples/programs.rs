//! The examples as data: which program, its work, and what must come of it.

use crate::vm::File;
use std::path::{Path, PathBuf};

/// One example.
pub struct Example {
    /// Its directory, its policy and its profile.
    pub name: &'static str,
    /// The policy.
    pub source: &'static str,
    /// The script that lets the program work, and prints a line for each thing that it tried.
    pub work: &'static str,
    /// What the machine needs besides the package.
    pub files: fn() -> Vec<File>,
    /// Who starts it.
    pub user: u32,
    /// Lines that the work prints under the policy.
    pub confined: &'static [&'static str],
    /// Lines that it prints without: what is refused above works.
    pub free: &'static [&'static str],
    /// What AppArmor's record of the refusal holds.
    pub denied: &'static [&'static str],
    /// Whether it is run. bubblewrap reaches `/proc` through a descriptor from outside of its mount namespace, which AppArmor refuses
    /// unless a profile attaches disconnected paths; so far it is only compiled, proved and validated.
    pub bare: bool,
}

impl Example {
    /// The policy's file.
    pub fn path(&self) -> PathBuf {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("examples");
        examples.join(self.name).join(format!("{}.can", self.name))
    }
}

/// All of them but `cat`, which the machines show.
pub const EXAMPLES: &[Example] = &[NGINX, CURL, BUBBLEWRAP];

const NGINX: Example = Example {
    name: "nginx",
    source: include_str!("../../../../examples/nginx/nginx.can"),
    work: include_str!("../../../cases/nginx/work.sh"),
    files: nginx_files,
    user: 0,
    confined: &[
        "site 200",
        "site over IPv6 200",
        "outside 403",
        "kept 300000",
        "files 1",
        "after a reload 200",
        "number its own",
        "logged 1",
        "ended 0",
    ],
    free: &["site 200", "outside 200", "kept 300000", "ended 0"],
    denied: &["operation=\"open\"", "name=\"/srv/other/page.html\""],
    bare: true,
};

fn nginx_files() -> Vec<File> {
    vec![
        File::text("/etc/nginx/sites-available/default", include_str!("../../../cases/nginx/site.conf")),
        File::text("/var/www/html/index.html", "a page\n"),
        File::text("/srv/other/page.html", "another page\n"),
    ]
}

const CURL: Example = Example {
    name: "curl",
    source: include_str!("../../../../examples/curl/curl.can"),
    work: include_str!("../../../cases/curl/work.sh"),
    files: curl_files,
    user: 0,
    confined: &[
        "plain 0 a page",
        "plain 0 another page",
        "secure 0 a page",
        "unknown 60 ",
        "file 37 ",
        "options 1",
    ],
    free: &["plain 0 a page", "secure 0 a page", "unknown 60 ", "port 0 a page", "file 0 a secret"],
    denied: &["operation=\"open\"", "name=\"/srv/other/page\""],
    bare: true,
};

fn curl_files() -> Vec<File> {
    vec![
        File::text("/var/www/html/page", "a page\n"),
        File::text("/var/www/html/other", "another page\n"),
        File::text("/srv/other/page", "a secret\n"),
        File::directory("/srv/downloads"),
    ]
}

const BUBBLEWRAP: Example = Example {
    name: "bubblewrap",
    source: include_str!("../../../../examples/bubblewrap/bubblewrap.can"),
    work: include_str!("../../../cases/bubblewrap/work.sh"),
    files: bubblewrap_files,
    user: 1000,
    confined: &[
        "inside 0 permitted words",
        "number 0 2",
        "devices 0 zzz",
        "outside 1 cat: /srv/other/refused: Permission denied",
        "host 2 ls: cannot access '/etc': No such file or directory",
        "everything 1",
    ],
    free: &["inside 0 permitted words", "outside 0 refused words", "everything 0"],
    denied: &["operation=\"mount\"", "name=\"/newroot/\""],
    bare: false,
};

fn bubblewrap_files() -> Vec<File> {
    vec![
        File::text("/srv/x/permitted", "permitted words\n"),
        File::text("/srv/other/refused", "refused words\n"),
    ]
}
