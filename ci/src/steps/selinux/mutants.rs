//! Altered texts to the complaints that the checks must have about them: a check that cannot fail proves nothing.

use super::corpus::Case;
use super::{Asked, ensure};
use crate::oracle::selinux::Store;
use crate::policy::ModuleText;
use crate::{Error, Rootfs};
use canc_codegen::selinux::base::Base;

/// A file of a module.
enum File {
    Te,
    Fc,
    Ports,
}

/// One altered text.
struct Mutant {
    case: &'static str,
    module: &'static str,
    file: File,
    /// What is replaced; nothing stands for the end.
    from: &'static str,
    to: &'static str,
    /// The checks that must complain, with words of theirs.
    complaints: &'static [(&'static str, &'static str)],
}

const MUTANTS: &[Mutant] = &[
    Mutant {
        case: "cat",
        module: "canc_cat",
        file: File::Te,
        from: "",
        to: "require { type etc_t; class file write; }\nallow canc__cat_t etc_t:file write;\n",
        complaints: &[
            ("access", "`canc__cat_t` may do more than was emitted: [\"etc_t:file { write }\"]"),
            (
                "answers",
                "write /etc/passwd: the layer refuses it, the linked policy permits it to `canc__cat_t`",
            ),
        ],
    },
    Mutant {
        case: "curl",
        module: "canc_curl",
        file: File::Te,
        from: "",
        to: "require { type sshd_t; class file ioctl; }\nallow sshd_t canc__curl__downloads_t:file ioctl;\n",
        complaints: &[(
            "access",
            "`canc__curl__downloads_t` may suffer more than was emitted: [\"sshd_t:file { ",
        )],
    },
    Mutant {
        case: "curl",
        module: "canc_curl",
        file: File::Te,
        from: "allow canc__curl_t canc__curl__downloads_t:dir { add_name ",
        to: "allow canc__curl_t canc__curl__downloads_t:dir { ",
        complaints: &[(
            "answers",
            "create /srv/downloads/a: the layer permits it, the linked policy refuses it",
        )],
    },
    Mutant {
        case: "edges",
        module: "canc_worker",
        file: File::Te,
        from: "allow canc__worker_t canc__starter__shared_t:file { getattr ioctl map open read };",
        to: "",
        complaints: &[(
            "access",
            "`canc__worker_t` may do less than was emitted: [\"canc__starter__shared_t:file { ",
        )],
    },
    Mutant {
        case: "files",
        module: "canc_filing",
        file: File::Te,
        from: "type_transition canc__filing_t var_run_t:file canc__filing__pid_t \"files.pid\";",
        to: "",
        complaints: &[("access", "`canc__filing_t` has the transitions")],
    },
    Mutant {
        case: "files",
        module: "canc_filing",
        file: File::Fc,
        from: "canc__filing__data__1_t",
        to: "canc__filing__data_t",
        complaints: &[
            (
                "labels",
                "/srv/files/private/a as File: Some(\"canc__filing__data__1_t\"), but the tools say Some(\"canc__filing__data_t\")",
            ),
            ("answers", "read /srv/files/private/a: the layer refuses it, the linked policy permits it"),
        ],
    },
    Mutant {
        case: "network",
        module: "canc_networking",
        file: File::Ports,
        from: "(portcon tcp (47200 47210) ",
        to: "(portcon tcp (47200 47204) ",
        complaints: &[(
            "answers",
            "connect tcp port 47205: the layer permits it, the linked policy refuses it",
        )],
    },
    Mutant {
        case: "hostile",
        module: "canc_hostile",
        file: File::Fc,
        from: "/a\\.b(/.*)?",
        to: "/a.b(/.*)?",
        complaints: &[("hostile", "a.b/**: \"/srv/hostile/28/azb\" has the label: true, should: false")],
    },
];

/// Installs all mutants together, and answers how many complaints there were to be.
pub fn run(rootfs: &Rootfs, base: &Base, mut cases: Vec<Case>) -> Result<usize, Error> {
    cases.retain(|case| MUTANTS.iter().any(|m| m.case == case.name));
    let mut texts: Vec<ModuleText> = cases.iter().flat_map(|c| &c.files).cloned().collect();
    for mutant in MUTANTS {
        let text = texts.iter_mut().find(|t| t.module == mutant.module);
        alter(text.ok_or_else(|| Error::Odd(format!("there is no module {}", mutant.module)))?, mutant)?;
    }
    let asked = Asked::new(base, &cases)?;
    let linked = asked.linked(&Store::new(rootfs)?, &cases, &texts)?;
    let mut complaints = 0;
    for case in &cases {
        let wrong = asked.wrong(&linked, case)?;
        for (check, words) in MUTANTS.iter().filter(|m| m.case == case.name).flat_map(|m| m.complaints) {
            let told = wrong.iter().any(|(by, what)| by == check && what.contains(words));
            ensure(told, || {
                format!("{}: {check} does not complain about {words:?}, but\n{}", case.name, shown(&wrong))
            })?;
            complaints += 1;
        }
    }
    Ok(complaints)
}

fn alter(text: &mut ModuleText, mutant: &Mutant) -> Result<(), Error> {
    let place = match mutant.file {
        File::Te => Some(&mut text.te),
        File::Fc => Some(&mut text.fc),
        File::Ports => text.ports.as_mut().map(|p| &mut p.1),
    };
    let place = place.filter(|text| text.contains(mutant.from));
    let place = place.ok_or_else(|| Error::Odd(format!("{} lacks {:?}", mutant.module, mutant.from)))?;
    match mutant.from {
        "" => place.push_str(mutant.to),
        from => *place = place.replacen(from, mutant.to, 1),
    }
    Ok(())
}

fn shown(wrong: &[super::Wrong]) -> String {
    wrong.iter().take(40).map(|(check, what)| format!("  {check}: {what}\n")).collect()
}
