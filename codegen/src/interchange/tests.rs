//! Import, build and a profile's own meaning, worked out from the JSON alone, on every number and boundary arguments.

use super::oci_import::{ImportOptions, Imported, Remark, import, parse};
use crate::seccomp::encode::action;
use crate::seccomp::sim::Data;
use crate::seccomp::{Lowered, SeccompOptions, lower};
use canc_dsl::policy::{Action, Policy};
use canc_dsl::{NoFiles, Options, compile};
use canc_sets::syscalls::{Arch, ArgKind, args_on, name, names, numbers};
use canc_sets::testing::Random;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn options() -> ImportOptions {
    ImportOptions {
        name: "p".into(),
        exec: "/usr/bin/p".into(),
        capabilities: BTreeSet::from(["CAP_SYS_ADMIN".to_owned()]),
        kernel: Some((6, 1)),
    }
}

fn imported(profile: &Value) -> Result<Imported, Vec<Remark>> {
    let text = serde_json::to_vec(profile).unwrap();
    import(&parse(&text).map_err(|e| vec![e])?, &options())
}

fn built(imported: &Imported, base: bool) -> Lowered {
    let done = compile(
        "p.can",
        imported.text.as_bytes(),
        &NoFiles,
        &Options { arches: imported.arches.clone(), ..Options::default() },
    );
    let set = done.policies.unwrap_or_else(|| panic!("{}\n{:#?}", imported.text, done.diagnostics));
    let options = SeccompOptions { arches: imported.arches.clone(), base, ..SeccompOptions::default() };
    lower(set.policies().first().unwrap(), &options).unwrap_or_else(|e| panic!("{}\n{e:?}", imported.text))
}

/// What a word of a profile does. Numbers and calls that nobody serves are killed, in whatever way.
fn done(word: &str, errno: Option<&Value>) -> Action {
    match word {
        "SCMP_ACT_ALLOW" => Action::Allow,
        "SCMP_ACT_LOG" => Action::Log,
        "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD" => Action::KillThread,
        "SCMP_ACT_KILL_PROCESS" => Action::Kill,
        "SCMP_ACT_TRAP" => Action::Trap,
        "SCMP_ACT_TRACE" => Action::Trace,
        "SCMP_ACT_NOTIFY" => Action::Notify,
        "SCMP_ACT_ERRNO" => Action::Errno(errno.and_then(Value::as_u64).unwrap_or(1) as u16),
        other => panic!("{other}"),
    }
}

/// A profile's meaning, as runc gives it on libseccomp.
pub(super) fn meant(profile: &Value, call: Option<&str>, args: [u64; 6]) -> Action {
    let default = done(profile["defaultAction"].as_str().unwrap(), profile.get("defaultErrnoRet"));
    let Some(call) = call else { return default };
    for entry in profile["syscalls"].as_array().unwrap() {
        let own = done(entry["action"].as_str().unwrap(), entry.get("errnoRet"));
        let named = entry["names"].as_array().unwrap().iter().any(|n| n == call);
        if !named || own == default {
            continue;
        }
        let tests: Vec<(usize, bool)> =
            entry["args"].as_array().into_iter().flatten().map(|t| holds(t, args)).collect();
        let several = (0..6).any(|i| tests.iter().filter(|t| t.0 == i).count() > 1);
        if tests.is_empty() || several && tests.iter().any(|t| t.1) || !several && tests.iter().all(|t| t.1) {
            return own;
        }
    }
    default
}

fn holds(test: &Value, args: [u64; 6]) -> (usize, bool) {
    let index = test["index"].as_u64().unwrap() as usize;
    let (left, value) = (args[index], test["value"].as_u64().unwrap());
    let second = test.get("valueTwo").and_then(Value::as_u64).unwrap_or(0);
    let yes = match test["op"].as_str().unwrap() {
        "SCMP_CMP_EQ" => left == value,
        "SCMP_CMP_NE" => left != value,
        "SCMP_CMP_LT" => left < value,
        "SCMP_CMP_LE" => left <= value,
        "SCMP_CMP_GT" => left > value,
        "SCMP_CMP_GE" => left >= value,
        "SCMP_CMP_MASKED_EQ" => left & value == second,
        other => panic!("{other}"),
    };
    (index, yes)
}

/// The bits of a register that the kernel looks at; profiles compare others too, which stay clear here.
fn seen(arch: Arch, call: &str, index: usize) -> u64 {
    match args_on(arch, call).get(index).map(|a| a.kind) {
        Some(ArgKind::U16) => 0xffff,
        Some(ArgKind::I32 | ArgKind::U32) => 0xffff_ffff,
        _ => u64::MAX,
    }
}

/// Compares a profile with the filters of its import; returns how many inputs were compared.
fn compare(profile: &Value, random: &mut Random) -> usize {
    let made = imported(profile).unwrap_or_else(|e| panic!("{profile:#}\n{e:#?}"));
    let lowered = built(&made, false);
    let usual = done(profile["defaultAction"].as_str().unwrap(), profile.get("defaultErrnoRet"));
    let refuses = !matches!(usual, Action::Allow | Action::Log);
    let mut compared = 0;
    for arch in made.arches.iter().copied() {
        let filter = &lowered.filters[&arch.host()][0];
        let half = if arch == Arch::X32 { 0x4000_0000 } else { 0 };
        for nr in (0..1_024u32).map(|n| n | half).chain(numbers(arch).iter().map(|n| n.0)) {
            let call = name(arch, nr);
            if call.is_none() && !refuses {
                // A policy has no default that lets calls through, so that unknown numbers are refused.
                continue;
            }
            let entries = profile["syscalls"].as_array().unwrap();
            let own = entries
                .iter()
                .filter(|e| e["names"].as_array().unwrap().iter().any(|n| Some(n.as_str().unwrap()) == call));
            let tests: Vec<&Value> = own.filter_map(|e| e["args"].as_array()).flatten().collect();
            for round in 0..if tests.is_empty() { 1 } else { 120 } {
                let mut args = [0u64; 6];
                for test in &tests {
                    let index = test["index"].as_u64().unwrap() as usize;
                    let value = test["value"].as_u64().unwrap();
                    let two = test.get("valueTwo").and_then(Value::as_u64).unwrap_or(value);
                    let near = [
                        value,
                        value.wrapping_sub(1),
                        value.wrapping_add(1),
                        two,
                        two | !value,
                        two ^ value,
                        0,
                        1,
                        1 << 31,
                        1 << 32,
                        1 << 63,
                        u64::MAX,
                        random.draw(),
                    ];
                    if round == 0 || random.below(2) == 0 {
                        args[index] = random.pick(&near).unwrap() & seen(arch, call.unwrap(), index);
                    }
                }
                let data = Data { arch: arch.audit_value(), nr, args };
                let wanted = meant(profile, call, args);
                assert_eq!(
                    action(filter.answer(&data).unwrap()),
                    wanted,
                    "{arch:?} {call:?} {args:x?}\n{profile:#}\n{}",
                    made.text
                );
                compared += 1;
            }
        }
    }
    compared
}

const ACTIONS: [&str; 8] = [
    "SCMP_ACT_ALLOW",
    "SCMP_ACT_ERRNO",
    "SCMP_ACT_LOG",
    "SCMP_ACT_KILL",
    "SCMP_ACT_KILL_PROCESS",
    "SCMP_ACT_TRAP",
    "SCMP_ACT_TRACE",
    "SCMP_ACT_NOTIFY",
];

const OPERATORS: [&str; 7] = [
    "SCMP_CMP_EQ",
    "SCMP_CMP_NE",
    "SCMP_CMP_LT",
    "SCMP_CMP_LE",
    "SCMP_CMP_GT",
    "SCMP_CMP_GE",
    "SCMP_CMP_MASKED_EQ",
];

/// Calls with numbers among their arguments, and which.
const CONDITIONAL: [(&str, &[u64]); 8] = [
    ("socket", &[0, 1, 2]),
    ("ioctl", &[0, 1]),
    ("lseek", &[0, 1, 2]),
    ("kill", &[0, 1]),
    ("mmap", &[1, 2, 3]),
    ("personality", &[0]),
    ("chmod", &[1]),
    ("prctl", &[0, 1, 2]),
];

/// A profile in which no two actions of one call meet: each conditional call has one action.
fn random_profile(random: &mut Random) -> Value {
    let all: Vec<&str> = names().collect();
    let mut entries: Vec<Value> = Vec::new();
    let mut used: BTreeSet<&str> = CONDITIONAL.iter().map(|c| c.0).collect();
    for _ in 0..random.below(8) {
        let list: Vec<&str> = (0..1 + random.below(40))
            .map(|_| random.pick(&all).unwrap())
            .filter(|n| used.insert(n))
            .collect();
        if !list.is_empty() {
            let mut entry = json!({ "names": list, "action": random.pick(&ACTIONS).unwrap() });
            if random.below(2) == 0 {
                entry["errnoRet"] = json!(1 + random.below(4_000));
            }
            entries.push(entry);
        }
    }
    for (call, indices) in CONDITIONAL {
        let (action, errno) = (random.pick(&ACTIONS).unwrap(), 1 + random.below(130));
        for _ in 0..random.below(4) {
            let mut args: Vec<Value> = Vec::new();
            for _ in 0..1 + random.below(3) {
                let index = random.pick(indices).unwrap();
                args.extend(argument(random, call, index));
            }
            if !args.is_empty() {
                entries.push(json!({ "names": [call], "action": action, "errnoRet": errno, "args": args }));
            }
        }
    }
    let mut profile = json!({ "defaultAction": random.pick(&ACTIONS).unwrap(), "syscalls": entries,
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64", "SCMP_ARCH_RISCV64", "SCMP_ARCH_S390X"] });
    if random.below(2) == 0 {
        profile["defaultErrnoRet"] = json!(1 + random.below(4_000));
    }
    profile
}

/// A comparison that can hold.
fn argument(random: &mut Random, call: &str, index: u64) -> Option<Value> {
    let bits = seen(Arch::X86_64, call, index as usize);
    let usual = [
        0,
        1,
        2,
        40,
        0x7fff,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_fffe,
        0xffff_ffff,
        1 << 32,
        1 << 63,
        u64::MAX - 1,
        u64::MAX,
    ];
    let value =
        if random.below(2) == 0 { random.draw() >> random.below(60) } else { random.pick(&usual).unwrap() }
            & bits;
    let op = random.pick(&OPERATORS).unwrap();
    let never = op == "SCMP_CMP_LT" && value == 0 || op == "SCMP_CMP_GT" && value == bits;
    let mut out = json!({ "index": index, "value": value, "op": op });
    if op == "SCMP_CMP_MASKED_EQ" {
        out["valueTwo"] = json!(random.draw() & value);
    }
    (!never).then_some(out)
}

#[test]
fn random_profiles_mean_what_their_imports_do() {
    let mut random = Random(41);
    let compared: usize = (0..40)
        .map(|_| {
            let profile = random_profile(&mut random);
            compare(&profile, &mut random)
        })
        .sum();
    println!("{compared} inputs compared");
    assert!(compared > 200_000, "{compared}");
}

#[test]
fn two_comparisons_of_one_argument_stand_alone_as_in_runc() {
    let profile = json!({ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
        { "names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [
            { "index": 0, "value": 2, "op": "SCMP_CMP_EQ" }, { "index": 0, "value": 16, "op": "SCMP_CMP_EQ" },
            { "index": 1, "value": 2, "op": "SCMP_CMP_EQ" } ] } ] });
    compare(&profile, &mut Random(1));
    assert!(
        imported(&profile)
            .unwrap()
            .text
            .contains("domain == 0x2\n      or domain == 0x10\n      or type == 0x2")
    );
}

#[test]
fn disjoint_actions_of_one_call_are_kept_apart_and_others_refused() {
    let profile = |second: &str| {
        json!({ "defaultAction": "SCMP_ACT_KILL_PROCESS", "syscalls": [
            { "names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{ "index": 0, "value": 40, "op": "SCMP_CMP_NE" }] },
            { "names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 97, "args": [{ "index": 0, "value": 40, "op": second }] } ] })
    };
    compare(&profile("SCMP_CMP_EQ"), &mut Random(2));
    let errors = imported(&profile("SCMP_CMP_LE")).unwrap_err();
    assert_eq!((errors.len(), errors[0].at.as_str()), (1, "syscalls[1]"));
    assert!(errors[0].message.contains("`socket` has another action in syscalls[0]"), "{errors:?}");
}

#[test]
fn entries_for_capabilities_kernels_and_hosts_apply_where_they_say() {
    let profile = json!({ "defaultAction": "SCMP_ACT_ERRNO", "archMap": [
            { "architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"] },
            { "architecture": "SCMP_ARCH_AARCH64" }, { "architecture": "SCMP_ARCH_S390X" }, { "architecture": "SCMP_ARCH_MIPS" }],
        "syscalls": [
            { "names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": { "caps": ["CAP_SYS_ADMIN"] } },
            { "names": ["reboot"], "action": "SCMP_ACT_ALLOW", "includes": { "caps": ["CAP_SYS_BOOT"] } },
            { "names": ["bpf"], "action": "SCMP_ACT_ALLOW", "excludes": { "caps": ["CAP_SYS_ADMIN"] } },
            { "names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": { "minKernel": "4.8" } },
            { "names": ["kcmp"], "action": "SCMP_ACT_ALLOW", "includes": { "minKernel": "6.2" } },
            { "names": ["arch_prctl"], "action": "SCMP_ACT_ALLOW", "includes": { "arches": ["amd64", "x32"] } },
            { "names": ["getuid"], "action": "SCMP_ACT_ALLOW", "includes": { "arches": ["arm64"] } },
            { "names": ["clone"], "action": "SCMP_ACT_ALLOW", "excludes": { "arches": ["s390x", "s390"] },
              "args": [{ "index": 0, "value": 2114060288u64, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ" }] },
            { "names": ["clone"], "action": "SCMP_ACT_ALLOW", "includes": { "arches": ["s390x"] },
              "args": [{ "index": 1, "value": 2114060288u64, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ" }] } ] });
    let made = imported(&profile).unwrap();
    assert_eq!(made.arches, [Arch::X86_64, Arch::X86, Arch::Aarch64, Arch::S390x]);
    assert!(
        made.notes.iter().any(|n| n.message.contains("no tables for SCMP_ARCH_MIPS")),
        "{:?}",
        made.notes
    );
    let lowered = built(&made, true);
    let ask = |arch: Arch, call: &str, args: [u64; 6]| {
        lowered.decide(arch, canc_sets::syscalls::number(arch, call).unwrap(), args).unwrap().action
            == Action::Allow
    };
    let plain = |call| ask(Arch::X86_64, call, [0; 6]);
    assert_eq!(
        ["mount", "reboot", "bpf", "ptrace", "kcmp", "arch_prctl", "getuid"].map(plain),
        [true, false, false, true, false, true, false]
    );
    assert!(ask(Arch::X86, "arch_prctl", [0; 6]), "the host is the same");
    assert!(ask(Arch::Aarch64, "getuid", [0; 6]));
    println!("{}", made.text);
    for arch in [Arch::X86_64, Arch::S390x] {
        let swap = |flags| if arch == Arch::S390x { [0, flags, 0, 0, 0, 0] } else { [flags, 0, 0, 0, 0, 0] };
        assert!(ask(arch, "clone", swap(17)) && !ask(arch, "clone", swap(0x1000_0000)), "{arch:?}");
        assert!(ask(arch, "clone", swap(0x80)), "what the profile lets through is not guarded: {arch:?}");
    }
}

#[test]
fn what_is_wrong_is_said_and_all_of_it() {
    let profile = json!({ "defaultAction": "SCMP_ACT_ERNO", "architectures": ["SCMP_ARCH_X86_46"], "flags": ["FAST"], "syscalls": [
        { "names": ["raed", "read"], "action": "SCMP_ACT_ALOW" },
        { "names": ["openat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5000, "args": [{ "index": 1, "value": 1, "op": "SCMP_CMP_EQ" }] },
        { "names": ["kill"], "action": "SCMP_ACT_ALLOW", "args": [{ "index": 1, "value": 4294967296u64, "op": "SCMP_CMP_EQ" }] },
        { "names": ["kill"], "action": "SCMP_ACT_ALLOW", "args": [{ "index": 1, "value": 0, "op": "SCMP_CMP_LT" }] },
        { "names": ["kill"], "action": "SCMP_ACT_ALLOW", "args": [{ "index": 5, "value": 0, "op": "SCMP_CMP_EQUAL" }] },
        { "names": ["kill"], "action": "SCMP_ACT_ALLOW", "args": [{ "index": 0, "value": 0, "op": "SCMP_CMP_QE" }] },
        { "action": "SCMP_ACT_ALLOW", "includes": { "minKernel": "new", "arches": ["vax"] } } ] });
    let errors: Vec<String> =
        imported(&profile).unwrap_err().into_iter().map(|r| format!("{}: {}", r.at, r.message)).collect();
    for wanted in [
        "defaultAction: unknown action `SCMP_ACT_ERNO`; did you mean `SCMP_ACT_ERRNO`?",
        "architectures[0]: unknown architecture `SCMP_ARCH_X86_46`; did you mean `SCMP_ARCH_X86_64`?",
        "flags[0]: unknown flag `FAST`",
        "syscalls[0].names[0]: unknown system call `raed`; did you mean `read`?",
        "syscalls[0].action: unknown action `SCMP_ACT_ALOW`; did you mean `SCMP_ACT_ALLOW`?",
        "syscalls[1].action: 5000 is no error number; those are 1 to 4095",
        "syscalls[1].args[0]: `filename` of `openat` is an address, of which a filter sees nothing",
        "syscalls[2].args[0]: 4294967296 is wider than `sig` of `kill`, of which the kernel looks at 32 bits",
        "syscalls[3].args[0]: this never holds for `sig` of `kill`",
        "syscalls[4].args[0]: `kill` has no argument in register 5 on x86_64",
        "syscalls[5].args[0]: unknown operator `SCMP_CMP_QE`; did you mean `SCMP_CMP_EQ`?",
        "syscalls[6]: names no call",
        "syscalls[6].includes.minKernel: `new` is no version such as 4.8",
        "syscalls[6].includes.arches: unknown architecture `vax`",
    ] {
        assert!(errors.iter().any(|e| e == wanted), "{wanted}\n{errors:#?}");
    }
    let unknown = parse(b"{ \"defaultAction\": \"SCMP_ACT_ALLOW\",\n  \"sycalls\": [] }").unwrap_err();
    assert!(
        unknown.at.starts_with("2:") && unknown.message.contains("unknown field `sycalls`"),
        "{unknown:?}"
    );
    assert!(parse(b"[]").is_err() && parse(b"").is_err());
}

#[test]
fn names_cannot_break_out_of_the_text() {
    let profile =
        parse(br#"{ "defaultAction": "SCMP_ACT_ERRNO", "flags": ["SECCOMP_FILTER_FLAG_LOG"] }"#).unwrap();
    let read = |name: &str, exec: &str| {
        let options = ImportOptions { name: name.into(), exec: exec.into(), ..options() };
        let text = import(&profile, &options).unwrap().text;
        compile("p.can", text.as_bytes(), &NoFiles, &Options::default()).policies
    };
    let path = "/x\"; allow syscall bpf; exec \"/*${a}\\";
    let (policies, plain) = (read("p", path).unwrap(), read("p", "/usr/bin/p").unwrap());
    let [policies, plain] =
        [policies, plain].map(|set| <[Policy; 1]>::try_from(set.policies().to_vec()).unwrap());
    assert_eq!(policies[0].rules.len(), plain[0].rules.len());
    assert_eq!(policies[0].exec[0].pattern.as_literal().as_deref(), Some(path));
    // What no policy can say makes a text that is none.
    for (name, path) in
        [("a { }\nallow", "/x"), ("p", "/x\"; allow syscall bpf; exec \"/\n"), ("p", "/x\n\"; #")]
    {
        assert!(read(name, path).is_none(), "{name} {path}");
    }
}
