//! Hostile texts in every slot: each comes back from the binary as exactly what was meant.

use super::compile::{Compiler, Kernel, lowered, options, policies, text_named};
use super::dfa::{Dfa, START};
use super::ensure;
use crate::Error;
use canc_codegen::apparmor::Lowered;
use canc_codegen::apparmor::features::Abi;
use canc_codegen::apparmor::model::{Block, Origin, Rule};
use canc_dsl::spell::literal_path;

/// Names that try to end a string, a rule, a comment or a profile, to start a variable, an alternation or a directive.
const NAMES: &[&str] = &[
    "a\" rwlk, \"/etc/shadow",
    "a b",
    "a#b",
    "# include <x>",
    "#include <abstractions>",
    "@{HOME}",
    "{a,b}",
    "[a]",
    "a*",
    "a?",
    "^a",
    "a\\x41",
    "a\\",
    "a,",
    ") peer=(label=unconfined",
    "} profile x {",
    "esyscmd(id)",
    "é",
    "$x",
    "~",
    "..a",
    "-> x",
    "'",
];

/// A slot: the statement with a literal in it, and the words that the automaton must have, of files or of a class.
struct Slot {
    what: &'static str,
    statement: fn(&str) -> String,
    kernel: Kernel,
    /// `None` for files.
    class: Option<&'static [u8]>,
    words: fn(&str) -> Vec<Vec<u8>>,
}

/// Its name has one slash.
const QUEUE: &str = "the name of a message queue";

const SLOTS: &[Slot] = &[
    Slot {
        what: "a path",
        statement: |name| format!("allow read \"/q/{name}\";"),
        kernel: Kernel::Debian13,
        class: None,
        words: |name| vec![format!("/q/{name}").into_bytes()],
    },
    Slot {
        what: "a directory",
        statement: |name| format!("allow list \"/q/{name}/\";"),
        kernel: Kernel::Debian13,
        class: None,
        words: |name| vec![format!("/q/{name}/").into_bytes()],
    },
    Slot {
        what: "a path to be created or removed",
        statement: |name| format!("allow replace, setattr \"/q/{name}\";"),
        kernel: Kernel::Debian13,
        class: None,
        words: |name| vec![format!("/q/{name}").into_bytes(), format!("/q/{name}/").into_bytes()],
    },
    Slot {
        what: "a mount point",
        statement: |name| format!("allow unmount \"/q/{name}/\";"),
        kernel: Kernel::Debian13,
        class: Some(&[7]),
        words: |name| vec![format!("/q/{name}/").into_bytes()],
    },
    Slot {
        what: "two ends of a bind mount",
        statement: |name| format!("allow mount bind \"/s/{name}/\" -> \"/q/{name}/\";"),
        kernel: Kernel::Debian13,
        class: Some(&[7]),
        words: |name| vec![format!("/q/{name}/\0/s/{name}/\0\0\x0d").into_bytes()],
    },
    Slot {
        what: QUEUE,
        statement: |name| format!("allow mqueue delete \"/{name}\";"),
        kernel: Kernel::OfAbi(Abi::V4),
        class: Some(&[17]),
        words: |name| vec![format!("/{name}").into_bytes()],
    },
];

/// What no string of the language may hold, as an author would try it.
const REFUSED: &[&str] = &["a\\tb", "a\u{202e}b", "a\u{7f}b", "a\nb", "a/../b", "a//b"];

/// Answers how many texts came back.
pub fn check(compiler: &Compiler) -> Result<usize, Error> {
    let mut count = 0;
    for text in REFUSED {
        let refused =
            policies(&format!("can 1;\npolicy p {{ exec \"/usr/bin/p\"; allow read \"/q/{text}\"; }}\n"));
        ensure(refused.is_err(), || format!("{text:?} is no error"))?;
    }
    for slot in SLOTS {
        let options = options(Abi::V4, slot.kernel)?;
        let mut texts = Vec::new();
        let fits = |name: &&&str| slot.what != QUEUE || !name.contains('/');
        let names: Vec<&str> = NAMES.iter().filter(fits).copied().collect();
        for (number, name) in names.iter().enumerate() {
            let statement = (slot.statement)(&literal_path(name));
            let text = format!("can 1;\npolicy p {{ exec \"/usr/bin/p\"; {statement} }}\n");
            let made = lowered(&policies(&text)?, &options)?;
            texts.push(text_named(&only_rules(&made), number));
        }
        let binaries = compiler.binaries(&texts, Abi::V4, slot.kernel)?;
        for (name, binary) in names.iter().zip(&binaries) {
            let dfa = if slot.class.is_none() { &binary.files } else { &binary.policy };
            let dfa = dfa.as_ref().ok_or_else(|| Error::Odd("no automaton".into()))?;
            let mut wanted = (slot.words)(name);
            wanted.sort();
            match words(dfa, slot.class) {
                Some(found) => ensure(found == wanted, || {
                    format!("{name:?} as {} comes back as {:?}", slot.what, shown(&found))
                })?,
                // What the language does not name may be anything, such as the type of a bind mount.
                None => ensure(wanted.iter().all(|w| is_alone(dfa, slot.class, w)), || {
                    format!("{name:?} as {} comes back as something else", slot.what)
                })?,
            }
            count += 1;
        }
    }
    Ok(count + attachments(compiler)? + abstract_names(compiler)?)
}

fn words(dfa: &Dfa, class: Option<&[u8]>) -> Option<Vec<Vec<u8>>> {
    let start = class.map_or(START, |class| dfa.run(START, class));
    dfa.words(start, 16, 400)
}

/// Whether a word is permitted, and none that differs from it in one byte.
fn is_alone(dfa: &Dfa, class: Option<&[u8]>, word: &[u8]) -> bool {
    let start = class.map_or(START, |class| dfa.run(START, class));
    let permits = |word: &[u8]| dfa.accept(dfa.run(start, word)) != 0;
    // The last two separate what nobody names.
    let named = word.len().saturating_sub(2);
    permits(word)
        && (0..named).all(|at| {
            [b'z', b'/', b'*', 0xff].into_iter().all(|byte| {
                let mut other = word.to_vec();
                let changed = other.get_mut(at).is_some_and(|b| std::mem::replace(b, byte) != byte);
                !changed || !permits(&other)
            })
        })
}

fn shown(words: &[Vec<u8>]) -> Vec<String> {
    words.iter().map(|w| String::from_utf8_lossy(w).into_owned()).collect()
}

/// Without what every profile has, so that the automaton holds nothing else.
fn only_rules(made: &Lowered) -> Lowered {
    let mut out = made.clone();
    out.profile.blocks.retain(|b| !b.origins.iter().any(|o| matches!(o, Origin::Base(_))));
    out
}

/// What programs attach to.
fn attachments(compiler: &Compiler) -> Result<usize, Error> {
    let options = options(Abi::V4, Kernel::Debian13)?;
    let mut texts = Vec::new();
    for (number, name) in NAMES.iter().enumerate() {
        let text = format!("can 1;\npolicy p {{ attach \"/q/{}\"; }}\n", literal_path(name));
        texts.push(text_named(&only_rules(&lowered(&policies(&text)?, &options)?), number));
    }
    let binaries = compiler.binaries(&texts, Abi::V4, Kernel::Debian13)?;
    for (name, binary) in NAMES.iter().zip(&binaries) {
        let dfa =
            binary.attachment.as_ref().ok_or_else(|| Error::Odd(format!("{name:?} attaches to nothing")))?;
        let found = words(dfa, None);
        ensure(found == Some(vec![format!("/q/{name}").into_bytes()]), || {
            format!("{name:?} attaches to {:?}", found.map(|f| shown(&f)))
        })?;
    }
    Ok(binaries.len())
}

/// Abstract sockets, whose place in the automaton is found by comparing with a harmless name of the same length.
fn abstract_names(compiler: &Compiler) -> Result<usize, Error> {
    let kernel = Kernel::OfAbi(Abi::V4);
    let options = options(Abi::V4, kernel)?;
    let mut texts = Vec::new();
    let plain = |name: &str| "z".repeat(name.len());
    for (number, name) in NAMES.iter().enumerate() {
        for (which, text) in [literal_path(name), plain(name)].into_iter().enumerate() {
            let text = format!(
                "can 1;\npolicy p {{ exec \"/usr/bin/p\"; allow connect unix stream \"@{text}\"; }}\n"
            );
            let mut made = only_rules(&lowered(&policies(&text)?, &options)?);
            keep_named(&mut made.profile.blocks);
            texts.push(text_named(&made, number * 2 + which));
        }
    }
    let binaries = compiler.binaries(&texts, Abi::V4, kernel)?;
    for (name, pair) in NAMES.iter().zip(binaries.chunks(2)) {
        let [hostile, harmless] = pair else { continue };
        let dfas = hostile.policy.as_ref().zip(harmless.policy.as_ref());
        let (hostile, harmless) = dfas.ok_or_else(|| Error::Odd("no policy automaton".into()))?;
        let word = harmless.word_with(START, b'z', name.len());
        let word = word.ok_or_else(|| Error::Odd(format!("no rule holds {:?}", plain(name))))?;
        let at = word.windows(name.len()).position(|w| w == plain(name).as_bytes()).unwrap_or(0);
        let with = |text: &[u8]| {
            let (before, after) = word.split_at(at);
            [before, text, after.get(name.len()..).unwrap_or_default()].concat()
        };
        let permits = |text: &[u8]| hostile.accept(hostile.run(START, &with(text))) != 0;
        let others = (0..name.len()).flat_map(|at| {
            [b'z', b'/', b'*', 0xff].map(|byte| {
                let mut other = name.as_bytes().to_vec();
                other.get_mut(at).map(|b| std::mem::replace(b, byte));
                other
            })
        });
        let alone = others.filter(|other| other != name.as_bytes()).all(|other| !permits(&other));
        ensure(permits(name.as_bytes()) && alone, || {
            format!("{name:?} as an abstract socket comes back as something else")
        })?;
    }
    Ok(NAMES.len())
}

/// Only the rule with the name: the other one, about making sockets, matches any.
fn keep_named(blocks: &mut [Block]) {
    for block in blocks {
        block.rules.retain(|r| matches!(r, Rule::Unix(unix) if unix.peer.is_some()));
    }
}
