//! The files of a bundle to "this is a text of its language and of the shape that canc writes": what no name, path or comment of a
//! policy may change. Written from the languages, not from the templates.

use canc_codegen::apparmor;
use canc_codegen::seccomp::checker;
use canc_codegen::seccomp::encode::Instruction;
use canc_sets::syscalls::Arch;

/// Reads one file of a bundle.
pub fn check(path: &str, bytes: &[u8]) -> Result<(), String> {
    // A profile's file ends in the name of its policy, whatever that is.
    let profile = path.starts_with("apparmor/");
    if let Some(name) = path.strip_suffix(".bpf").filter(|_| !profile) {
        // `seccomp/POLICY.ARCH.bpf`, or with a number before the end.
        let arch = name.rsplit('.').find_map(|part| Arch::ALL.into_iter().find(|a| a.word() == part));
        let arch = arch.ok_or_else(|| format!("{name} is for no architecture"))?;
        return filter(bytes, arch.is_big_endian());
    }
    let text = std::str::from_utf8(bytes).map_err(|e| e.to_string())?;
    if let Some(c) = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        return Err(format!("it holds {c:?}"));
    }
    match path.rsplit_once('.').map_or("", |p| p.1) {
        _ if profile => apparmor::read::read(text).map(drop).map_err(|e| format!("{e:?}")),
        "te" => module(text),
        "fc" => contexts(text),
        "cil" => ports(text),
        "json" => serde_json::from_str::<serde_json::Value>(text).map(drop).map_err(|e| e.to_string()),
        "asm" => Ok(()),
        _ => Err("nobody reads it".into()),
    }
}

fn filter(bytes: &[u8], big: bool) -> Result<(), String> {
    if !bytes.len().is_multiple_of(8) {
        return Err("half an instruction".into());
    }
    let half = |b: [u8; 2]| if big { u16::from_be_bytes(b) } else { u16::from_le_bytes(b) };
    let word = |b: [u8; 4]| if big { u32::from_be_bytes(b) } else { u32::from_le_bytes(b) };
    let one = |c: &[u8]| Instruction {
        code: half([c[0], c[1]]),
        jt: c[2],
        jf: c[3],
        k: word([c[4], c[5], c[6], c[7]]),
    };
    let program: Vec<Instruction> = bytes.chunks_exact(8).map(one).collect();
    checker::check(&program).map_err(|e| format!("{e:?}"))
}

/// Statements that a module of canc has, each with the number of its words and braced sets up to `;`, `*` for any.
const STATEMENTS: &[&str] = &[
    "policy_module",
    "module",
    "require",
    "optional",
    "type",
    "typeattribute",
    "role",
    "allow",
    "dontaudit",
    "auditallow",
    "neverallow",
    "type_transition",
    "role_transition",
    "permissive",
    "class",
    "attribute",
    "bool",
    "attribute_role",
    "roleattribute",
    "range_transition",
    "gen_require",
    "if",
];

/// Type enforcement: words, sets and strings; every statement starts with a known word and ends where it should; nothing that m4 takes
/// for its own.
fn module(text: &str) -> Result<(), String> {
    let mut depth = 0_i32;
    let mut start = true;
    for token in te_tokens(text)? {
        match token.as_str() {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                start |= depth <= 1;
            }
            ";" => start = true,
            word if start => {
                if !STATEMENTS.contains(&word) && word != "else" {
                    return Err(format!("a statement starts with `{word}`"));
                }
                // What is in the braces of a block are statements; those of a rule are names.
                start = ["require", "optional"].contains(&word);
            }
            _ => {}
        }
        if depth < 0 {
            return Err("a brace closes nothing".into());
        }
    }
    if depth == 0 { Ok(()) } else { Err("a brace is never closed".into()) }
}

fn te_tokens(text: &str) -> Result<Vec<String>, String> {
    let mut out = Vec::new();
    for line in text.lines() {
        let mut rest = line.trim();
        while !rest.is_empty() && !rest.starts_with('#') {
            let word =
                rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_.:-".contains(c))).unwrap_or(rest.len());
            let end = if word > 0 {
                word
            } else if let Some(string) = rest.strip_prefix('"') {
                string.find('"').ok_or("a string is never closed")? + 2
            } else if rest.starts_with(['{', '}', ';', '~', '*', ',', '(', ')', '!']) {
                1
            } else {
                return Err(format!("`{rest}` is no type enforcement"));
            };
            out.push(rest[..end].to_owned());
            rest = rest[end..].trim_start();
        }
        if line.contains(['`', '\'']) && !line.trim_start().starts_with('#') {
            return Err(format!("m4 quotes in `{line}`"));
        }
    }
    Ok(out)
}

/// File contexts: an expression without blanks, perhaps a kind of file, and a context.
fn contexts(text: &str) -> Result<(), String> {
    for line in text.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let (kind, context) = match fields.as_slice() {
            [_, context] => ("", *context),
            [_, kind, context] => (*kind, *context),
            _ => return Err(format!("`{line}` has {} fields", fields.len())),
        };
        let parts: Vec<&str> = context.split(':').collect();
        let name = |p: &&str| {
            !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.')
        };
        let fine =
            context == "<<none>>" || (parts.len() >= 4 && parts.iter().all(name) && parts[2].ends_with("_t"));
        if !fine || !["", "--", "-d", "-l", "-s", "-p", "-c", "-b"].contains(&kind) {
            return Err(format!("`{line}`"));
        }
        if !line.starts_with('/') && !line.starts_with("HOME_DIR") && !line.starts_with('(') {
            return Err(format!("`{line}` is no path"));
        }
    }
    Ok(())
}

/// The ports' module: balanced lists of `portcon` and what it needs.
fn ports(text: &str) -> Result<(), String> {
    let mut depth = 0_i32;
    for line in text.lines().filter(|l| !l.trim_start().starts_with(';')) {
        depth += i32::try_from(line.matches('(').count()).unwrap()
            - i32::try_from(line.matches(')').count()).unwrap();
        let fine = |c: char| c.is_ascii_alphanumeric() || " \t()_.-".contains(c);
        if depth < 0 || !line.chars().all(fine) {
            return Err(format!("`{line}`"));
        }
    }
    if depth == 0 { Ok(()) } else { Err("a list is never closed".into()) }
}

#[test]
fn texts_that_escaped_their_place_are_found() {
    assert_eq!(
        module("policy_module(x, 1.0)\nrequire {\n\ttype a_t;\n}\nallow a_t b_t:file { read open };\n"),
        Ok(())
    );
    assert!(module("allow a_t b_t:file read; load_everything;\n").is_err());
    assert!(module("allow a_t `define' b_t:file read;\n").is_err() && module("require { type a;\n").is_err());
    assert_eq!(contexts("/srv(/.*)?\t--\tsystem_u:object_r:a_t:s0\n"), Ok(()));
    assert!(
        contexts("/srv /x system_u:object_r:a_t:s0\n").is_err() && contexts("/srv more x y z\n").is_err()
    );
    assert!(ports("(portcon tcp 1 x)\n)").is_err() && filter(&[0; 7], false).is_err());
    assert!(check("apparmor/x", b"profile x { ").is_err() && check("apparmor/x", b"\0").is_err());
}
