//! Asks libselinux and selinuxfs the same questions; ends with 1 where they differ.
//!
//! `cargo run -p canc-runtime --features libselinux --example selinux -- CONTEXT…`

use canc_runtime::selinux::{Ask, Kernel, Library};
use std::fmt::Debug;
use std::io;
use std::process::ExitCode;

/// Classes with a permission each; the last of both is in no policy.
const ASKED: [(&str, &str); 9] = [
    ("file", "entrypoint"),
    ("file", "read"),
    ("dir", "add_name"),
    ("process", "transition"),
    ("process2", "nnp_transition"),
    ("capability", "sys_admin"),
    ("tcp_socket", "name_connect"),
    ("file", "nonesuch"),
    ("nonesuch", "read"),
];

/// Differences that are printed.
const SHOWN: usize = 20;

/// How many answers were compared, and how many were the same.
#[derive(Default)]
struct Tally {
    asked: usize,
    yes: usize,
    differ: usize,
}

impl Tally {
    /// Errors are answers too, by their number.
    fn compare<T: Debug + PartialEq>(
        &mut self,
        question: &str,
        kernel: io::Result<T>,
        library: io::Result<T>,
        is_yes: impl Fn(T) -> bool,
    ) {
        let (kernel, library) = (kernel.map_err(|e| e.raw_os_error()), library.map_err(|e| e.raw_os_error()));
        self.asked += 1;
        if kernel != library {
            self.differ += 1;
        }
        if kernel != library && self.differ <= SHOWN {
            println!("{question}: selinuxfs says {kernel:?}, libselinux {library:?}");
        }
        self.yes += usize::from(kernel.is_ok_and(is_yes));
    }
}

fn main() -> ExitCode {
    let contexts: Vec<String> = std::env::args().skip(1).collect();
    match compare(&contexts) {
        Ok(tally) => {
            println!("{} answers, {} of them yes, {} differ", tally.asked, tally.yes, tally.differ);
            // A policy that says yes to nothing was not asked.
            ExitCode::from(u8::from(tally.differ > 0 || tally.yes == 0))
        }
        Err(error) => {
            eprintln!("selinux: {error}");
            ExitCode::from(4)
        }
    }
}

fn compare(contexts: &[String]) -> io::Result<Tally> {
    let (kernel, library) = (Kernel::open()?, Library::open()?);
    let mut tally = Tally::default();
    tally.compare("enforcing", kernel.enforcing(), library.enforcing(), |yes| yes);
    for (class, permission) in ASKED {
        let (by_kernel, by_library) =
            (kernel.permission(class, permission), library.permission(class, permission));
        tally.compare(&format!("{class} {permission}"), by_kernel, by_library, |bit| bit.is_some());
    }
    for subject in contexts {
        tally.compare(subject, kernel.is_valid(subject), library.is_valid(subject), |yes| yes);
        for (object, (class, permission)) in contexts.iter().flat_map(|o| ASKED.map(|asked| (o, asked))) {
            let question = format!("{subject} {object} {class} {permission}");
            let (by_kernel, by_library) =
                (kernel.decision(subject, object, class), library.decision(subject, object, class));
            tally.compare(&question, by_kernel, by_library, |decision| decision.allowed != 0);
            let (by_kernel, by_library) = (
                kernel.allows(subject, object, class, permission),
                library.allows(subject, object, class, permission),
            );
            tally.compare(&question, by_kernel, by_library, |yes| yes);
        }
    }
    Ok(tally)
}
