//! Input that must fail cleanly and fast, whatever it is.

use crate::common::{examples, messages};
use canc_dsl::{Compilation, MemoryFiles, NoFiles, Options, compile, parse};
use proptest::prelude::*;
use std::time::{Duration, Instant};

/// Generous for an unoptimised build on a loaded machine; what counts is that nothing grows without bound.
const LIMIT: Duration = Duration::from_secs(90);

fn run(bytes: &[u8]) -> Compilation {
    let start = Instant::now();
    let done = compile("x.can", bytes, &NoFiles, &Options::default());
    assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
    assert_eq!(done.policies.is_none(), done.diagnostics.iter().any(|d| d.code.0.starts_with('E')));
    done
}

fn codes(bytes: &[u8]) -> Vec<&'static str> {
    let mut codes: Vec<_> = run(bytes).diagnostics.iter().map(|d| d.code.0).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

fn in_policy(statements: &str) -> Vec<u8> {
    format!("can 1;\npolicy p {{\nexec \"/p\";\n{statements}\n}}\n").into_bytes()
}

#[test]
fn texts_that_are_refused_as_a_whole() {
    assert_eq!(codes(b"can 1; \xff"), ["E0001"]);
    assert_eq!(messages(&run(b"can 1; \xff")), ["E0001 \u{fffd}: byte 7 is not UTF-8"]);
    assert_eq!(codes("\u{feff}can 1;".as_bytes()), ["E0002"]);
    assert_eq!(codes(b"can 1;\r\npolicy p {\r\n}\r\n"), ["E0003"]);
    assert_eq!(codes(b"can 1;\0"), ["E0004"]);
    assert_eq!(codes(b"can 1; # \x1b[2J"), ["E0004"]);
    assert_eq!(codes("can 1; # \u{2028}".as_bytes()), ["E0004"]);
    assert_eq!(codes("can 1; # \u{202e}".as_bytes()), ["E0005"]);
    assert_eq!(codes(&[b"can 1; #".as_slice(), &vec![b'x'; 10 << 20]].concat()), ["E0006"]);
    assert_eq!(codes(&vec![0; 17 << 20]), ["E0007"]);
    assert_eq!(codes(&vec![0; 1 << 20]), ["E0004", "E0019"]);
    assert_eq!(codes(b""), ["E0105"]);
}

#[test]
fn nesting_of_every_kind() {
    let many = |text: &str| format!("can 1;\n{}", text.repeat(100_000)).into_bytes();
    assert_eq!(
        codes(&many("policy p {\n")),
        ["E0013", "E0019"],
        "an item at the start of a line ends a block"
    );
    for text in ["{\n", " policy p {\n", "[\n", "(\n", "when (\n", "let x = [\n", "{[(\n"] {
        assert!(codes(&many(text)).contains(&"E0008"), "{text}");
    }
    assert_eq!(codes(&many("}\n")), ["E0014", "E0019"]);
    assert_eq!(codes(&many("]\n")), ["E0012", "E0019"]);
    // As deep as is allowed.
    let list = format!("can 1; let x = {}1{};", "[".repeat(31), "]".repeat(31));
    assert_eq!(codes(list.as_bytes()), Vec::<&str>::new());
    let not = in_policy(&format!("allow syscall socket where {} domain == 1;", "not ".repeat(10_000)));
    assert_eq!(codes(&not), Vec::<&str>::new());
}

#[test]
fn alternatives_and_sets_do_not_explode() {
    assert_eq!(codes(&in_policy(&format!("allow read \"/{}\";", "{a,b}".repeat(500)))), ["E0306"]);
    // Many patterns of a long text each: what counts is what they would take.
    let long = format!("allow read \"/{}{}\";\n", "{a,b}".repeat(8), "x".repeat(4000));
    assert_eq!(codes(&in_policy(&long.repeat(2_000))), ["E0219"]);
    let mut doubling = String::from("can 1; let a0 = [1, 2];\n");
    for n in 1..60 {
        doubling.push_str(&format!("let a{n} = [a{0}, a{0}];\n", n - 1));
    }
    assert_eq!(codes(doubling.as_bytes()), ["E0219"]);
    let mut growing = String::from("can 1; let a0 = \"xxxxxxxxxx\";\n");
    for n in 1..60 {
        growing.push_str(&format!("let a{n} = \"${{a{0}}}${{a{0}}}\";\n", n - 1));
    }
    assert_eq!(codes(growing.as_bytes()), ["E0010"]);
    let groups = "deny syscall @known;\n".repeat(10_000);
    assert_eq!(codes(&in_policy(&groups)), ["E0219"]);
    let addresses: String = (0..60_000).map(|n| format!("fd00::{n:x},\n")).collect();
    let except = format!("allow connect tcp port 1 except\n{addresses} ::1;");
    assert!(codes(&in_policy(&except)).iter().any(|c| ["E0017", "E0219"].contains(c)));
}

#[test]
fn fragments_do_not_explode() {
    let mut text = String::from("can 1; fragment f0(a: int) { allow io_uring; }\n");
    for n in 1..14 {
        let calls: Vec<String> = (0..10).map(|v| format!("f{}({v})", n - 1)).collect();
        text.push_str(&format!("fragment f{n}(a: int) {{ include {}; }}\n", calls.join(", ")));
    }
    text.push_str("policy p { exec \"/p\"; include f13(1); }");
    assert_eq!(codes(text.as_bytes()), Vec::<&str>::new(), "the same values are the same rules");
    let text = text.replace("allow io_uring;", &"allow io_uring;\n".repeat(30_000));
    assert_eq!(codes(text.as_bytes()), ["E0218"]);
}

#[test]
fn includes_of_many_values_are_limited() {
    let mut text = String::from("can 1; fragment f(a: int) { allow io_uring; }\npolicy p { exec \"/p\";\n");
    (0..5_000).for_each(|n| text.push_str(&format!("include f({n});\n")));
    text.push('}');
    assert_eq!(codes(text.as_bytes()), ["E0217"]);
}

#[test]
fn names_texts_and_policies_are_limited() {
    let name = |length: usize| format!("can 1; let {} = 1;", "n".repeat(length)).into_bytes();
    assert_eq!((codes(&name(48)), codes(&name(49))), (vec![], vec!["E0107"]));
    let raw = |length: usize| {
        let text = format!("raw selinux \"\"\"{}\"\"\" because \"x\";", "x\n".repeat(length / 2));
        let options = Options { allow_raw: true, ..Options::default() };
        let done = compile("x.can", &in_policy(&text), &NoFiles, &options);
        done.diagnostics.iter().map(|d| d.code.0).collect::<Vec<_>>()
    };
    assert_eq!((raw(60 << 10), raw((60 << 10) + 2)), (vec![], vec!["E0010"]));
    let policies = |count: usize| {
        let list: String = (0..count).map(|n| format!("policy p{n} {{ exec \"/p{n}\"; }}\n")).collect();
        codes(format!("can 1;\n{list}").as_bytes())
    };
    assert_eq!((policies(120), policies(121)), (vec![], vec!["E0218"]));
}

#[test]
fn files_are_limited_in_number_and_depth() {
    let mut files = MemoryFiles::default();
    for n in 0..400 {
        files.0.insert(format!("f{n}.can"), format!("can 1; use \"f{}.can\" as f;", n + 1).into_bytes());
    }
    let done = compile("x.can", b"can 1; use \"f0.can\" as f;", &files, &Options::default());
    assert_eq!(done.diagnostics.iter().map(|d| d.code.0).collect::<Vec<_>>(), ["E0216"]);
    let many: String = (0..400).map(|n| format!("use \"f{n}.can\" as a{n};\n")).collect();
    let flat = MemoryFiles((0..400).map(|n| (format!("f{n}.can"), b"can 1;".to_vec())).collect());
    let done = compile("x.can", format!("can 1;\n{many}").as_bytes(), &flat, &Options::default());
    assert!(done.diagnostics.iter().all(|d| d.code.0 == "E0216"), "{:?}", messages(&done));
}

#[test]
fn long_chains_are_no_recursion() {
    let mut text = String::from("can 1; let a0 = 1;\n");
    (1..19_000).for_each(|n| text.push_str(&format!("let a{n} = a{};\n", n - 1)));
    assert_eq!(codes(text.as_bytes()), Vec::<&str>::new());
    let mut ring = String::from("can 1; let a0 = a18999;\n");
    (1..19_000).for_each(|n| ring.push_str(&format!("let a{n} = a{};\n", n - 1)));
    assert_eq!(codes(ring.as_bytes()), ["E0211"]);
}

#[test]
fn many_mistakes_are_bounded() {
    assert_eq!(codes(&in_policy(&"alow read \"/x\";\n".repeat(200_000))), ["E0019", "E0103"]);
    let lets: String = (0..19_000).map(|n| format!("let name_{n} = {n};\n")).collect();
    let uses = "allow read nam;\n".repeat(5_000);
    let text = format!("can 1;\n{lets}policy p {{ exec \"/p\";\n{uses}}}");
    assert_eq!(codes(text.as_bytes()), ["E0202", "E0019"].map(|c| c).into_iter().rev().collect::<Vec<_>>());
    assert_eq!(codes(&in_policy(&"allow read \"/a//b\";\n".repeat(100_000))), ["E0019", "E0302"]);
}

/// Texts that fuzzing starts from: everything that the reference and the pages show.
fn seeds() -> Vec<String> {
    let reference = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/language.md");
    let reference = std::fs::read_to_string(reference).unwrap();
    let pages = canc_dsl::codes::ALL.iter().map(|e| e.page);
    let texts = pages
        .chain([reference.as_str()])
        .flat_map(examples)
        .filter(|e| !e.attributes.iter().any(|a| a == "escapes"));
    let texts: Vec<String> = texts
        .map(|e| match e.attribute("in") {
            Some("policy") => String::from_utf8(in_policy(&e.text)).unwrap(),
            Some(_) => format!("can 1;\n{}", e.text),
            None => e.text,
        })
        .collect();
    texts
}

/// Pieces that break things.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    ";",
    "\"",
    "\"\"\"",
    "\\",
    "$",
    "${",
    "#",
    "\n",
    ",",
    "->",
    "=",
    "==",
    "&",
    "|",
    ":",
    "::",
    ".",
    "-",
    "%",
    "@",
    "@id(",
    "0x",
    "99999999999999999999",
    "é",
    "\u{202e}",
    "\0",
    "policy",
    "allow",
    "deny",
    "when",
    "else",
    "where",
    "not",
    "in",
    "except",
    "as",
    "because",
    "std.base",
    "a.b",
    "/**",
    "..",
    "*",
    "?",
    "true",
    "AF_INET",
    "10.0.0.0/8",
    "4.0",
    "fe80::1",
    "512 MiB",
];

fn mutate(text: &str, edits: &[(usize, usize, usize)]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for (kind, at, what) in edits {
        let at = at % (bytes.len() + 1);
        let end = (at + what % 9).min(bytes.len());
        match kind % 4 {
            0 => drop(bytes.splice(at..at, PIECES[what % PIECES.len()].bytes())),
            1 => drop(bytes.splice(at..end, [])),
            2 => drop(bytes.splice(at..end, PIECES[what % PIECES.len()].bytes())),
            _ => {
                let copy = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, copy));
            }
        }
    }
    bytes
}

proptest! {
    // `PROPTEST_CASES=1000000` makes it a fuzzer.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(3_000)))]

    #[test]
    fn mutations_never_panic(seed in 0usize..1_000, edits in prop::collection::vec((0usize..4, 0usize..4_000, 0usize..1_000), 1..8)) {
        thread_local!(static SEEDS: Vec<String> = seeds());
        let bytes = SEEDS.with(|s| mutate(&s[seed % s.len()], &edits));
        let done = run(&bytes);
        prop_assert!(done.diagnostics.iter().all(|d| d.code.0 != "E0020"), "{:?}", String::from_utf8_lossy(&bytes));
        for d in &done.diagnostics {
            for l in &d.labels {
                let source = done.sources.get(l.span.file).unwrap();
                prop_assert!(source.text.get(l.span.range()).is_some(), "{d:?} of {:?}", source.text);
            }
        }
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        run(&bytes);
    }

    #[test]
    fn any_text_of_the_language_never_panics(parts in prop::collection::vec(0usize..200, 0..60)) {
        let words = canc_dsl::reserved_words();
        let text: Vec<&str> = parts.iter().map(|p| PIECES.get(*p).or(words.get(p % words.len())).copied().unwrap()).collect();
        run(text.join(" ").as_bytes());
        run(format!("can 1; policy p {{ exec \"/p\"; {} }}", text.join(" ")).as_bytes());
    }

    #[test]
    fn the_tree_of_any_text_stays_inside_it(text in "[a-z0-9 ;{}\\[\\]()\"#\n@,.-]{0,200}") {
        let (_, tree, diagnostics) = parse("x", text.as_bytes());
        let spans = tree.comments.iter().copied().chain(diagnostics.iter().flat_map(|d| d.labels.iter().map(|l| l.span)));
        for span in spans {
            prop_assert!(text.get(span.range()).is_some());
        }
    }
}

#[test]
fn the_same_text_gives_the_same_policy_and_messages() {
    // Every hash map of the second run has other keys than that of the first.
    let everything = "include std.base, std.daemon, std.resolver, std.tmp, std.tty, std.minimal; \
         include std.locale, std.logging(\"/var/log/x\"), std.python, std.shell, std.tls, std.toolchain;";
    let mistakes = "allow raed \"/x\", nothing; allow read \"/a//b\", \"${no}\"; deny syscall ptrace with EPERM, bpf; include nope;";
    let mut texts: Vec<Vec<u8>> = seeds().into_iter().map(String::into_bytes).collect();
    texts.extend([in_policy(everything), in_policy(mistakes)]);
    for text in texts {
        let shown = |done: &Compilation| format!("{:?} {:?}", done.diagnostics, done.policies);
        assert_eq!(shown(&run(&text)), shown(&run(&text)));
    }
}
