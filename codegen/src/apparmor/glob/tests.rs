//! Globs match what their patterns match; the owner's parser is asked the same in `ci`.

use super::*;
use canc_sets::path::Universe;
use proptest::prelude::*;

fn one(text: &str) -> Pattern {
    Pattern::parse(text).unwrap().remove(0)
}

fn glob(text: &str, form: Form) -> Option<String> {
    AaGlob::of_pattern(&one(text), form).map(|g| g.as_str().to_string())
}

#[test]
fn the_spelling() {
    let cases = [
        ("/etc/hosts", Some("/etc/hosts"), Some("/etc/hosts/"), Some("/etc/hosts{,/}")),
        ("/etc/", None, Some("/etc/"), Some("/etc/")),
        ("/", None, Some("/"), Some("/")),
        ("/**", Some("/**[^/]"), Some("/{,**/}"), Some("/{,**}")),
        ("/srv/**", Some("/srv/**[^/]"), Some("/srv/{,**/}"), Some("/srv/{,**}")),
        ("/srv/**/", None, Some("/srv/{,**/}"), Some("/srv/{,**/}")),
        ("/a/**/x", Some("/a/{,**/}x"), Some("/a/{,**/}x/"), Some("/a/{,**/}x{,/}")),
        ("/a/*", Some("/a/*"), Some("/a/*/"), Some("/a/?*{,/}")),
        ("/a/*/b", Some("/a/*/b"), Some("/a/*/b/"), Some("/a/*/b{,/}")),
        ("/a/*.log", Some("/a/*.log"), Some("/a/*.log/"), Some("/a/*.log{,/}")),
        ("${home}/x", Some("/{home/?*,root}/x"), Some("/{home/?*,root}/x/"), Some("/{home/?*,root}/x{,/}")),
        (
            "${self}/maps",
            Some("/proc/[0-9]*/maps"),
            Some("/proc/[0-9]*/maps/"),
            Some("/proc/[0-9]*/maps{,/}"),
        ),
        (
            "/proc/self/fd/**",
            Some("/proc/[0-9]*/fd/**[^/]"),
            Some("/proc/[0-9]*/fd/{,**/}"),
            Some("/proc/[0-9]*/fd/{,**}"),
        ),
    ];
    for (text, file, directory, both) in cases {
        assert_eq!(glob(text, Form::File).as_deref(), file, "{text}");
        assert_eq!(glob(text, Form::Directory).as_deref(), directory, "{text}");
        assert_eq!(glob(text, Form::Both).as_deref(), both, "{text}");
    }
    let hostile = Pattern::literal_path("/a\"b@{c}*?[d]^\\,e").unwrap();
    let text = AaGlob::of_pattern(&hostile, Form::File).unwrap();
    assert_eq!(text.as_str(), r"/a\x22b\x40\{c\}\*\?\[d\]\^\x5C\,e");
    assert!(text.matches("/a\"b@{c}*?[d]^\\,e").unwrap());
}

#[test]
fn what_is_read_plainly_is_what_the_automaton_says() {
    let texts = [
        "/etc/hosts",
        "/etc/",
        "/srv/**",
        "/",
        "/**",
        "/a b/c,{d}",
        "/bin/x",
        "/a/*",
        "/a/**/x",
        "/a/**/",
        "${home}/x",
    ];
    let mut plainly = 0;
    for text in texts.iter().chain(&["/é\\[x\\]", "/a\\*/**", "/proc/self/fd"]) {
        for form in [Form::File, Form::Directory, Form::Both] {
            let Some(glob) = AaGlob::of_pattern(&one(text), form) else { continue };
            let (read, exact) = (glob.lang().unwrap(), glob.by_automaton().unwrap());
            plainly += usize::from(nodes::parse(glob.as_str()).and_then(|n| plain::lang(&n)).is_some());
            assert!(read.is_subset(&exact, Universe::Paths).unwrap(), "{glob}");
            assert!(exact.is_subset(&read, Universe::Paths).unwrap(), "{glob}");
        }
    }
    assert_eq!(plainly, 22);
}

#[test]
fn a_class_keeps_every_character() {
    for (text, want) in [
        ("/[,]", "/\\,"),
        ("/[\\^]", "/\\^"),
        ("/[,\\-]", "/[-,]"),
        ("/[a-c^]", "/[a-c^]"),
        ("/[!a]", "/[^\\x00/a]"),
        ("/[!\\-a]", "/[^-\\x00/a]"),
        ("/[+-.]", "/[-+,.]"),
        ("/[!^]", "/[^\\x00/^]"),
        ("/[^\\-]", "/[-^]"),
    ] {
        assert_eq!(glob(text, Form::File).as_deref(), Some(want), "{text}");
    }
}

#[test]
fn what_nobody_wrote_is_not_read() {
    for text in ["a", "/a\"", "/{a}", "/{a", "/a}", "/[", "/[]", "/a\\q", "/a\\x4", "/@x", "/a\nb", "/a^"] {
        assert!(AaGlob::parse(text).is_err(), "{text:?}");
    }
    assert!(AaGlob::parse(&format!("/{}a{}", "{,".repeat(100), "}".repeat(100))).is_err());
}

#[test]
fn the_place_of_a_glob() {
    for (text, want) in [
        ("/a/b", "/a/b"),
        ("/a/b{,/}", "/a/b"),
        ("/a/b/", "/a/b"),
        ("/a/b*", "/a"),
        ("/a/{,**}", "/a"),
        ("/*", "/"),
        ("/", "/"),
        ("/{home/?*,root}/x", "/"),
        ("/proc/[0-9]*/maps", "/proc"),
    ] {
        assert_eq!(AaGlob::parse(text).unwrap().near(), want, "{text}");
    }
}

fn text() -> impl Strategy<Value = String> {
    let component = prop_oneof![
        4 => "[ab]{1,2}",
        1 => Just("*".to_string()),
        1 => Just("**".to_string()),
        2 => "[ab*?]{1,3}".prop_filter("globstar", |s| !s.contains("**")),
        1 => "[ab]?\\[!?[a-c,^_-]{0,2}x\\][ab]?".prop_filter("class", |s| Pattern::parse(&format!("/{s}")).is_ok()),
    ];
    let start =
        prop_oneof![8 => Just(""), 1 => Just("${home}"), 1 => Just("${run_user}"), 1 => Just("${self}")];
    (start, prop::collection::vec(component, 1..4), prop_oneof![Just(""), Just("/"), Just("/**")])
        .prop_map(|(start, list, tail)| format!("{start}/{}{tail}", list.join("/")))
}

/// Whether the globs match exactly the paths of the patterns that are of the form.
fn same(globs: &[AaGlob], lang: Lang, form: Form) -> Result<Option<String>, TooLarge> {
    let globs: Result<Vec<Lang>, TooLarge> = globs.iter().map(AaGlob::lang).collect();
    let globs = Lang::Any(globs?);
    let lang = match form {
        Form::File => lang.minus(Lang::directories()),
        Form::Directory => lang.and(Lang::directories()),
        Form::Both => lang,
    };
    // The other spelling of a process's directory is AppArmor's own.
    let other = AaGlob::parse("/proc/[0-9]*")
        .unwrap()
        .lang()?
        .and(Lang::Any(vec![]))
        .or(Lang::patterns(&[one("/proc/[0-9]*"), one("/proc/[0-9]*/**")])?);
    // No user's number has more digits.
    let long = Lang::patterns(&[
        one(&format!("/run/user/{}*", "[0-9]".repeat(11))),
        one(&format!("/run/user/{}*/**", "[0-9]".repeat(11))),
    ])?;
    match lang.clone().minus(globs.clone()).minus(long).witness(Universe::Paths)? {
        Some(missed) => Ok(Some(missed)),
        None => globs.minus(lang).minus(other).witness(Universe::Paths),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_glob_matches_what_its_pattern_matches(text in text()) {
        let pattern = one(&text);
        for form in [Form::File, Form::Directory, Form::Both] {
            let globs: Vec<AaGlob> = AaGlob::of_pattern(&pattern, form).into_iter().collect();
            prop_assert_eq!(same(&globs, Lang::patterns([&pattern]).unwrap(), form).unwrap(), None, "{} {:?}", text, globs);
            for g in globs {
                prop_assert_eq!(AaGlob::parse(g.as_str()), Ok(g));
            }
        }
    }

    #[test]
    fn a_difference_is_exact(
        p in prop_oneof![Just("/d/**"), Just("/d/*"), Just("/d/e?/**"), Just("${home}/**"), Just("/**")],
        e in prop::collection::vec(("[ab]{1,2}\\*?(/[ab]{1,2}\\*?)?", prop_oneof![Just(""), Just("/"), Just("/**")]), 1..4),
    ) {
        let pattern = one(p);
        let base = p.rsplit_once('/').unwrap().0;
        let except: Vec<Pattern> = e.iter().map(|(n, t)| one(&format!("{base}/{n}{t}"))).collect();
        let refs: Vec<&Pattern> = except.iter().collect();
        for form in [Form::File, Form::Directory, Form::Both] {
            if let Some(globs) = without(&pattern, &refs, form) {
                let want = Lang::patterns([&pattern]).unwrap().minus(Lang::patterns(refs.iter().copied()).unwrap());
                prop_assert_eq!(same(&globs, want, form).unwrap(), None, "{} {:?} {:?}", p, except, globs);
            }
        }
    }
}

#[test]
fn differences_that_can_be_written() {
    let list = |p: &str, e: &[&str], form| {
        let except: Vec<Pattern> = e.iter().map(|t| one(t)).collect();
        without(&one(p), &except.iter().collect::<Vec<_>>(), form)
            .map(|l| l.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(
        list("/srv/**", &["/srv/ab/**"], Form::File).unwrap(),
        ["/srv/{[^\\x00/a]*,a,a[^\\x00/b]*,ab?*}{,/**[^/]}", "/srv/ab"]
    );
    assert_eq!(list("/b/*", &["/b/s*"], Form::File).unwrap(), ["/b/[^\\x00/s]*"]);
    assert_eq!(list("/srv/**", &["/srv/**/.git/**"], Form::File), None);
    assert_eq!(list("/srv/*.html", &["/srv/a.html"], Form::File), None);
}
