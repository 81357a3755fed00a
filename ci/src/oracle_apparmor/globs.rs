//! Random patterns and paths: the language's matcher and the compiled automaton say the same.

use super::compile::{Compiler, Kernel};
use super::dfa::START;
use super::ensure;
use crate::Error;
use canc_codegen::apparmor::emit;
use canc_codegen::apparmor::features::Abi;
use canc_codegen::apparmor::glob::{AaGlob, Form, without};
use canc_codegen::apparmor::model::{Block, FilePerm, FilePerms, FileRule, Mode, Origin, Profile, Rule};
use canc_codegen::apparmor::token::{Comment, ProfileName};
use canc_sets::path::Pattern;
use canc_sets::testing::Random;

/// How many patterns are tried; each with some hundred paths.
const PATTERNS: usize = 1_500;
/// How many profiles one run of the parser compiles.
const BATCH: usize = 250;

/// What names are made of: letters, what globs and quotes mean something to, blanks and bytes beyond ASCII.
const LETTERS: &[&str] = &[
    "a", "b", "c", "x", ".", "-", "^", ",", "@", "{", "}", "[", "]", "*", "?", "\\", "\"", " ", "#", "$",
    "é", "~",
];

fn component(random: &mut Random) -> String {
    match random.below(10) {
        0 => "*".into(),
        1 => "**".into(),
        _ => (0..=random.below(4)).map(|_| piece(random)).collect(),
    }
}

fn piece(random: &mut Random) -> String {
    match random.below(12) {
        0 => "*".into(),
        1 | 2 => "?".into(),
        3 | 4 => class(random),
        _ => canc_sets::path::escape(random.pick(LETTERS).unwrap_or_default()),
    }
}

fn class(random: &mut Random) -> String {
    let negated = if random.below(2) == 0 { "!" } else { "" };
    let member = |random: &mut Random| match random.below(4) {
        0 => random.pick(&["a-c", "x-z", "0-9", "!-&", "+--", "\\[-`"]).unwrap_or_default().to_string(),
        _ => {
            let letter = random.pick(LETTERS).unwrap_or_default();
            if letter.is_ascii() { format!("\\{letter}") } else { "q".into() }
        }
    };
    let members: String = (0..=random.below(3)).map(|_| member(random)).collect();
    format!("[{negated}{members}]")
}

fn pattern(random: &mut Random) -> Option<Pattern> {
    let start = match random.below(12) {
        0 => "${home}",
        1 => "${run_user}",
        _ => "",
    };
    let middle: String = (0..=random.below(3)).map(|_| format!("/{}", component(random))).collect();
    let tail = random.pick(&["", "", "/", "/**"]).unwrap_or_default();
    Pattern::parse(&format!("{start}{middle}{tail}")).ok()?.into_iter().next()
}

/// Paths near a pattern: its own examples, changed a little, and random ones.
fn paths(pattern: &Pattern, random: &mut Random) -> Vec<String> {
    let mut out = vec!["/".to_string(), "/root/".into(), "/home/a/b".into(), "/run/user/0/x".into()];
    for fill in ["", "a", "bc", ".", "é"] {
        out.extend(pattern.example_with(false, fill));
        out.extend(pattern.example_with(true, fill));
    }
    for _ in 0..60 {
        let base = out.get(random.below(out.len())).cloned().unwrap_or_default();
        out.push(changed(&base, random));
    }
    for _ in 0..20 {
        let names: String = (0..random.below(4))
            .map(|_| {
                format!(
                    "/{}{}",
                    random.pick(LETTERS).unwrap_or_default(),
                    random.pick(LETTERS).unwrap_or_default()
                )
            })
            .collect();
        out.push(format!("{names}{}", random.pick(&["/", "/a", "/b/"]).unwrap_or_default()));
    }
    out.retain(|path| is_canonical(path));
    out
}

fn changed(path: &str, random: &mut Random) -> String {
    let mut letters: Vec<String> = path.chars().map(String::from).collect();
    let at = random.below(letters.len() + 1);
    match random.below(3) {
        0 => letters.insert(at, random.pick(LETTERS).unwrap_or_default().into()),
        1 => letters.insert(at, "/".into()),
        _ if at < letters.len() => {
            letters.remove(at);
        }
        _ => {}
    }
    letters.concat()
}

fn is_canonical(path: &str) -> bool {
    path.starts_with('/') && !path.contains("//") && path.split('/').all(|name| name != "." && name != "..")
}

/// One thing that is compiled: globs, and what they should match.
struct Trial {
    globs: Vec<AaGlob>,
    form: Form,
    pattern: Pattern,
    except: Vec<Pattern>,
}

impl Trial {
    fn should_match(&self, path: &str) -> bool {
        let fits = match self.form {
            Form::File => !path.ends_with('/'),
            Form::Directory => path.ends_with('/'),
            Form::Both => true,
        };
        fits && self.pattern.matches(path) && !self.except.iter().any(|e| e.matches(path))
    }

    fn profile(&self, number: usize) -> Result<String, Error> {
        let odd = |e: &dyn std::fmt::Display| Error::Odd(e.to_string());
        let rule = |path: &AaGlob| {
            Rule::File(FileRule {
                mode: Mode::ALLOW,
                owner: false,
                path: path.clone(),
                perms: FilePerms::of(&[FilePerm::Read]),
                exec: None,
            })
        };
        let origins = vec![Origin::Base(Comment::new("trial").map_err(|e| odd(&e))?)];
        let blocks = vec![Block { origins, rules: self.globs.iter().map(rule).collect() }];
        let name = ProfileName::of_policy(&format!("g{number}")).map_err(|e| odd(&e))?;
        Ok(emit(&Profile { name, abi: Abi::V4, attachment: None, complain: false, blocks, raw: Vec::new() }))
    }
}

fn trials(random: &mut Random) -> Vec<Trial> {
    let mut out = Vec::new();
    while out.len() < PATTERNS {
        let Some(pattern) = pattern(random) else { continue };
        let form =
            [Form::File, Form::Directory, Form::Both].get(random.below(3)).copied().unwrap_or(Form::Both);
        let globs: Vec<AaGlob> = AaGlob::of_pattern(&pattern, form).into_iter().collect();
        if !globs.is_empty() {
            out.push(Trial { globs, form, pattern, except: Vec::new() });
        }
    }
    // Differences, too.
    for _ in 0..PATTERNS / 10 {
        let base = random.pick(&["/d/**", "/d/*", "${home}/**", "/d/e?/**"]).unwrap_or_default();
        let Some(pattern) = Pattern::parse(base).ok().and_then(|p| p.into_iter().next()) else { continue };
        let directory = base.rsplit_once('/').map_or("", |b| b.0);
        let name = |random: &mut Random| {
            format!(
                "{directory}/{}{}{}",
                random.pick(&["a", "ab", "b", "-x"]).unwrap_or_default(),
                random.pick(&["", "*", "/c"]).unwrap_or_default(),
                random.pick(&["", "/", "/**"]).unwrap_or_default()
            )
        };
        let except: Vec<Pattern> = (0..=random.below(2))
            .filter_map(|_| Pattern::parse(&name(random)).ok()?.into_iter().next())
            .collect();
        let form =
            [Form::File, Form::Directory, Form::Both].get(random.below(3)).copied().unwrap_or(Form::Both);
        let refs: Vec<&Pattern> = except.iter().collect();
        if let Some(globs) = without(&pattern, &refs, form).filter(|g| !g.is_empty()) {
            out.push(Trial { globs, form, pattern, except });
        }
    }
    out
}

/// Answers how many pairs were compared.
pub fn check(compiler: &Compiler) -> Result<usize, Error> {
    let mut random = Random(18);
    let trials = trials(&mut random);
    let (mut count, mut hits) = (0, 0);
    for (batch, chunk) in trials.chunks(BATCH).enumerate() {
        let texts: Result<Vec<String>, Error> =
            chunk.iter().enumerate().map(|(n, trial)| trial.profile(batch * BATCH + n)).collect();
        let binaries = compiler.binaries(&texts?, Abi::V4, Kernel::Debian13)?;
        for (trial, binary) in chunk.iter().zip(&binaries) {
            let dfa = binary.files.as_ref().ok_or_else(|| Error::Odd("a profile without files".into()))?;
            for path in paths(&trial.pattern, &mut random) {
                let found = dfa.accept(dfa.run(START, path.as_bytes())) != 0;
                let want = trial.should_match(&path);
                let shown = || {
                    format!(
                        "{} {:?} except {:?} as {:?}: {path:?} should be {want}",
                        trial.pattern, trial.form, trial.except, trial.globs
                    )
                };
                ensure(found == want, shown)?;
                count += 1;
                hits += usize::from(found);
            }
        }
    }
    ensure(hits * 20 > count && hits * 4 < count * 3, || {
        format!("{hits} of {count} pairs match: the test is lopsided")
    })?;
    Ok(count)
}
