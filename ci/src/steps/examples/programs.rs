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
    /// What AppArmor's records hold of the work's refusals; there are no others.
    pub denied: &'static [&'static [&'static str]],
    /// The same of SELinux's.
    pub denied_selinux: &'static [&'static [&'static str]],
    /// Rules without which the work comes out the same where nothing records; without each, AppArmor records another refusal.
    pub recorded: &'static [&'static str],
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
pub const EXAMPLES: &[Example] = &[NGINX, CURL, REDIS, PYTHON, BUILD, BUBBLEWRAP];

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
    // It asks nscd, which is not there, for its workers' names; and at its end it would remove its number from /run.
    denied: &[
        &["operation=\"open\"", "name=\"/srv/other/page.html\""],
        &["operation=\"connect\"", "family=\"unix\"", "sock_type=\"stream\""],
    ],
    denied_selinux: &[
        &["comm=\"nginx\"", "{ read }", "name=\"page.html\""],
        &["comm=\"nginx\"", "{ write }", "name=\"/\"", ":var_run_t:", "tclass=dir"],
    ],
    recorded: &["allow read \"/etc/ssl/openssl.cnf\""],
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
    denied: &[&["operation=\"open\"", "name=\"/srv/other/page\""]],
    denied_selinux: &[
        &["comm=\"curl\"", "{ read }", "name=\"page\""],
        &["comm=\"curl\"", "{ name_connect }", "dest=8080"],
    ],
    recorded: &[],
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

const REDIS: Example = Example {
    name: "redis",
    source: include_str!("../../../../examples/redis/redis.can"),
    work: include_str!("../../../cases/redis/work.sh"),
    files: Vec::new,
    user: 0,
    confined: &[
        "set OK",
        "over IPv6 kept",
        "queue replies: 500",
        "script 500",
        "saved OK redis",
        "child Background saving started",
        "by a child rdb_last_bgsave_status:ok",
        "every change OK",
        "in files 3",
        "its configuration ERR Rewriting config file: Permission denied",
        "number its own",
        "logged 1",
        "ended 0",
        "number ",
        "again kept 500",
    ],
    free: &["set OK", "in files 3", "its configuration OK", "again kept 500"],
    denied: &[&["operation=\"mknod\"", "name=\"/etc/redis/redis.conf"]],
    denied_selinux: &[&["comm=\"redis-check-rdb\"", "{ write }", "name=\"redis\"", ":etc_t:"]],
    recorded: &[
        "allow read \"/proc/sys/net/core/somaxconn\"",
        "allow read \"/sys/devices/system/clocksource/clocksource0/current_clocksource\"",
        "allow read \"/etc/ssl/openssl.cnf\"",
    ],
    bare: true,
};

const PYTHON: Example = Example {
    name: "python",
    source: include_str!("../../../../examples/python/python.can"),
    work: include_str!("../../../cases/python/work.sh"),
    files: python_files,
    user: 0,
    confined: &[
        "day 1970-01-01T01:00:00+01:00 e3b0c442",
        "outside refused",
        "data refused",
        "program refused",
        "network refused",
        "ended 0",
        "result {\"title\": \"sums\", \"a\": 3, \"b\": 4, \"all\": 7}",
        "kept 1 ",
    ],
    free: &["outside a secret", "data 0", "program 0", "network True", "ended 0"],
    denied: &[
        &["operation=\"open\"", "name=\"/srv/other/secret\""],
        &["operation=\"mknod\"", "name=\"/srv/report-data/new.csv\""],
        &["operation=\"exec\"", "name=\"/usr/bin/true\""],
        &["operation=\"create\"", "family=\"inet\"", "sock_type=\"stream\""],
    ],
    denied_selinux: &[
        &["{ read }", "name=\"secret\"", "tclass=file"],
        &["{ write }", "name=\"report-data\"", "tclass=dir"],
        &["{ execute_no_trans }", "path=\"/usr/bin/true\""],
        &["{ create }", "tclass=tcp_socket"],
    ],
    recorded: &[],
    bare: true,
};

fn python_files() -> Vec<File> {
    vec![
        File::text("/srv/report/main.py", include_str!("../../../cases/python/main.py")),
        File::text("/srv/report/shape.py", include_str!("../../../cases/python/shape.py")),
        File::text("/srv/report/config.json", "{\"title\": \"sums\"}\n"),
        File::text("/srv/report-data/a.csv", "amount\n1\n2\n"),
        File::text("/srv/report-data/b.csv", "amount\n4\n"),
        File::directory("/srv/report-results"),
        File::text("/srv/other/secret", "a secret\n"),
    ]
}

const BUILD: Example = Example {
    name: "build",
    source: include_str!("../../../../examples/build/build.can"),
    work: include_str!("../../../cases/build/work.sh"),
    files: build_files,
    user: 0,
    confined: &[
        "checked 2",
        "ended 0",
        "library 1",
        "installed built",
        "cat: /srv/other/secret: Permission denied",
        "elsewhere unchanged",
        "left Makefile main.c word.c word.h ",
        "temporary files 0",
    ],
    free: &["checked 2", "ended 0", "installed built", "a secret", "elsewhere changed"],
    denied: &[
        &["operation=\"open\"", "name=\"/srv/other/secret\""],
        &["operation=\"open\"", "name=\"/srv/other/log\""],
    ],
    denied_selinux: &[
        &["{ read }", "name=\"secret\"", "tclass=file"],
        &["{ write }", "name=\"log\"", "tclass=file"],
        // mkdir, cp and rm ask whether SELinux is on, and what file system this is.
        &["{ getattr }", "tclass=filesystem"],
        &["{ search }", "name=\"selinux\"", "tclass=dir"],
    ],
    recorded: &[],
    bare: true,
};

fn build_files() -> Vec<File> {
    vec![
        File::text("/srv/build/Makefile", include_str!("../../../cases/build/Makefile")),
        File::text("/srv/build/main.c", include_str!("../../../cases/build/main.c")),
        File::text("/srv/build/word.c", include_str!("../../../cases/build/word.c")),
        File::text("/srv/build/word.h", include_str!("../../../cases/build/word.h")),
        File::text("/srv/other/secret", "a secret\n"),
        File::directory("/srv/other"),
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
    denied: &[&["operation=\"mount\"", "name=\"/newroot/\""]],
    denied_selinux: &[],
    recorded: &[],
    bare: false,
};

fn bubblewrap_files() -> Vec<File> {
    vec![
        File::text("/srv/x/permitted", "permitted words\n"),
        File::text("/srv/other/refused", "refused words\n"),
    ]
}
