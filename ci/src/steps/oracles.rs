//! Each oracle asked something it must accept and something it must refuse: an oracle that cannot say no proves nothing.

use super::ensure;
use crate::oracle::Verdict;
use crate::oracle::apparmor::{Features, Parser};
use crate::oracle::selinux::{Content, FileKind, Module, Store};
use crate::{Error, Rootfs};
use std::time::Instant;

/// Asks them all, with the time that each took.
pub fn run(rootfs: &Rootfs) -> Result<(), Error> {
    let parser = Parser::new(rootfs);
    timed("apparmor: parse", || parsing(&parser))?;
    timed("apparmor: compile", || compiling(&parser))?;
    timed("selinux: modules that are refused", || refused_modules(rootfs))?;
    timed("selinux: a module that is accepted, and questions about it", || accepted_module(rootfs))
}

fn timed(name: &str, ask: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    let start = Instant::now();
    ask()?;
    println!("{name}: {:.2} s", start.elapsed().as_secs_f32());
    Ok(())
}

fn profile(rule: &str) -> String {
    format!("profile canc.oracle {{\n  {rule}\n}}\n")
}

fn parsing(parser: &Parser) -> Result<(), Error> {
    let userns = profile("userns create,");
    let cases = [
        (userns.as_str(), Features::Abi4, true),
        (userns.as_str(), Features::Abi3, false),
        (&profile("/etc/hosts r,"), Features::Abi3, true),
        (&profile("/etc/hosts nonsense,"), Features::Abi4, false),
    ];
    for (text, features, accepted) in cases {
        let verdict = parser.parse(text, features)?;
        ensure((verdict == Verdict::Accepted(())) == accepted, || {
            format!("{text} under {features:?}: {verdict:?}")
        })?;
    }
    Ok(())
}

/// The bytes tell two profiles apart, and do not change from one time to the next.
fn compiling(parser: &Parser) -> Result<(), Error> {
    let compile = |rule| parser.compile(&profile(rule), Features::Abi4)?.accepted().map_err(Error::Odd);
    let (one, same, other) = (compile("/etc/hosts r,")?, compile("/etc/hosts r,")?, compile("/etc/host r,")?);
    ensure(one == same && one != other && one.len() > 100, || {
        "compiled profiles cannot be compared".to_owned()
    })?;
    let broken = parser.compile(&profile("/etc/hosts nonsense,"), Features::Abi4)?;
    ensure(broken.accepted().is_err(), || "a broken profile was compiled".to_owned())
}

const DOMAIN: &str =
    "require { attribute domain; attribute file_type; type etc_t; type shadow_t; class file { read open }; }
type canc_oracle_t; typeattribute canc_oracle_t domain;
type canc_oracle_data_t; typeattribute canc_oracle_data_t file_type;\n";

fn te(name: &str, rules: &str) -> String {
    format!("module {name} 1.0;\n{DOMAIN}{rules}\n")
}

fn refused_modules(rootfs: &Rootfs) -> Result<(), Error> {
    let store = Store::new(rootfs)?;
    let syntax = store.package("canc_oracle", &te("canc_oracle", "allow nonsense"), "")?;
    ensure(matches!(&syntax, Verdict::Refused(why) if why.contains("syntax error")), || {
        format!("{syntax:?}")
    })?;
    let assertion = te("canc_oracle", "allow canc_oracle_t shadow_t:file { read open };");
    let package = store.package("canc_oracle", &assertion, "")?.accepted().map_err(Error::Odd)?;
    let verdict = store.install(&[package_module(package)], false)?;
    ensure(matches!(&verdict, Verdict::Refused(why) if why.contains("neverallow")), || format!("{verdict:?}"))
}

fn package_module(bytes: Vec<u8>) -> Module {
    Module { name: "canc_oracle".to_owned(), content: Content::Package(bytes) }
}

fn accepted_module(rootfs: &Rootfs) -> Result<(), Error> {
    let store = Store::new(rootfs)?;
    let te = te("canc_oracle", "allow canc_oracle_t etc_t:file { read open };");
    let fc = "/srv/canc-oracle(/.*)?\tsystem_u:object_r:canc_oracle_data_t:s0\n";
    let package = store.package("canc_oracle", &te, fc)?.accepted().map_err(Error::Odd)?;
    let port = "(type canc_oracle_port_t)(roletype object_r canc_oracle_port_t)\
                (portcon tcp 29999 (system_u object_r canc_oracle_port_t ((s0) (s0))))";
    let cil = Module { name: "canc_oracle_ports".to_owned(), content: Content::Cil(port.to_owned()) };
    timed("  one transaction", || {
        store.install(&[package_module(package), cil], false)?.accepted().map_err(Error::Odd)
    })?;
    timed("  what the domain may do", || access(&store))?;
    timed("  the same by sesearch and seinfo", || lines(&store))?;
    timed("  labels of 1,000 paths", || labels(&store))
}

fn access(store: &Store) -> Result<(), Error> {
    let access = store.access("canc_oracle_t")?;
    let has = |target: &str, perm: &str| {
        access.get(&(target.to_owned(), "file".to_owned())).is_some_and(|perms| perms.contains(perm))
    };
    ensure(has("etc_t", "read") && has("ld_so_t", "execute"), || format!("{access:?}"))?;
    ensure(!has("etc_t", "write") && !has("shadow_t", "read"), || format!("{access:?}"))?;
    let attributes = store.attributes("canc_oracle_t")?;
    ensure(attributes.contains("domain") && !attributes.contains("file_type"), || format!("{attributes:?}"))?;
    ensure(store.access("canc_nobody_t").is_err(), || "an unknown type has access".to_owned())
}

fn lines(store: &Store) -> Result<(), Error> {
    let rules = store.sesearch(&["-A", "-s", "canc_oracle_t", "-t", "etc_t", "-c", "file"])?;
    ensure(rules.iter().any(|line| line == "allow canc_oracle_t etc_t:file { open read };"), || {
        format!("{rules:?}")
    })?;
    let ports = store.seinfo(&["--portcon", "29999"])?;
    ensure(ports.iter().any(|line| line.contains("canc_oracle_port_t")), || format!("{ports:?}"))
}

fn labels(store: &Store) -> Result<(), Error> {
    let mut paths: Vec<String> = (0..998).map(|n| format!("/srv/canc-oracle/{n} x")).collect();
    paths.extend(["/srv/canc-oracle".to_owned(), "/srv/canc-oracles".to_owned()]);
    let labels = store.labels(FileKind::File, &paths)?;
    let ours = labels.iter().flatten().filter(|label| label.contains("canc_oracle_data_t")).count();
    ensure(ours == 999, || format!("{ours} of 999 paths have the module's label"))
}
