//! The two independent readings of a pattern agree, and questions get shortest, true witnesses.

use super::*;

fn one(text: &str) -> Pattern {
    let mut all = Pattern::parse(text).unwrap();
    assert_eq!(all.len(), 1, "{text}");
    all.remove(0)
}

fn lang(texts: &[&str]) -> Lang {
    Lang::patterns(&texts.iter().map(|t| one(t)).collect::<Vec<_>>()).unwrap()
}

#[test]
fn matches_what_the_language_says() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        ("/etc/hosts", &["/etc/hosts", "/etc/hosts/"], &["/etc/hosts2", "/etc", "/etc/"]),
        ("/etc/ssl/", &["/etc/ssl/"], &["/etc/ssl", "/etc/ssl/a"]),
        ("/srv/**", &["/srv/", "/srv/a", "/srv/a/", "/srv/a/b"], &["/srv", "/srvx", "/"]),
        ("/**", &["/", "/a", "/a/b/"], &[]),
        ("/a/**/x", &["/a/x", "/a/b/x", "/a/b/c/x"], &["/a/bx", "/x", "/a/"]),
        ("/a/*", &["/a/b", "/a/.b", "/a/b/"], &["/a/", "/a/b/c", "/a"]),
        ("/a/*.log", &["/a/.log", "/a/x.log"], &["/a/x.logs", "/a/b/x.log"]),
        ("/a/?[!0-9]", &["/a/xy"], &["/a/x1", "/a/x"]),
        ("/a/*b*c", &["/a/bc", "/a/abbcc", "/a/bxc"], &["/a/bcx", "/a/cb"]),
        (r"/a/\*", &["/a/*"], &["/a/x"]),
        ("${home}/.netrc", &["/root/.netrc", "/home/joe/.netrc"], &["/home/.netrc", "/home/a/b/.netrc"]),
        ("${run_user}/bus", &["/run/user/1000/bus"], &["/run/user/x/bus"]),
        ("${self}/maps", &["/proc/self/maps"], &["/proc/1/maps"]),
        ("/bin/sh", &["/usr/bin/sh"], &["/bin/sh"]),
        ("/var/run/x", &["/run/x"], &["/var/run/x"]),
    ];
    for (pattern, yes, no) in cases {
        let p = one(pattern);
        let l = Lang::patterns([&p]).unwrap();
        for (paths, want) in [(yes, true), (no, false)] {
            for path in *paths {
                assert_eq!(p.matches(path), want, "{pattern} {path}");
                assert_eq!(holds(&l, path), want, "automaton: {pattern} {path}");
            }
        }
    }
}

fn holds(lang: &Lang, path: &str) -> bool {
    let exact = Atom::new(&regex_syntax::hir::Hir::literal(path.as_bytes()), path).unwrap();
    Lang::Atom(exact).and(lang.clone()).witness(Universe::Names).unwrap().is_some()
}

#[test]
fn alternatives_expand_in_order() {
    let texts = |t: &str| Pattern::parse(t).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        texts("/usr/{,local/}bin/{a,b}"),
        ["/usr/bin/a", "/usr/bin/b", "/usr/local/bin/a", "/usr/local/bin/b"]
    );
    assert_eq!(texts("/{a,a}"), ["/a"]);
    let over = "{a,b}".repeat(9);
    assert_eq!(Pattern::parse(&format!("/{over}")).unwrap_err().kind, PatternErrorKind::TooManyAlternatives);
}

#[test]
fn errors_name_their_place() {
    use PatternErrorKind as K;
    for (text, kind, at) in [
        ("etc", K::NotAbsolute, 0),
        ("", K::NotAbsolute, 0),
        ("/a/../b", K::Dots, 3),
        ("/a/.", K::Dots, 3),
        ("/a//b", K::EmptyComponent, 3),
        ("/a/b**", K::GlobstarMixed, 4),
        ("/a/[b", K::Unbalanced, 3),
        ("/a/[]", K::BadClass, 3),
        ("/a/[z-a]", K::BadClass, 3),
        ("/a/[.-0]", K::BadClass, 3),
        ("/a/{b,{c}}", K::NestedAlternatives, 6),
        ("/a/{b", K::Unbalanced, 3),
        ("/a}", K::Unbalanced, 2),
        ("/a\\", K::DanglingEscape, 2),
        ("/a$b", K::BadDollar, 2),
        ("${hom}/x", K::BadDollar, 0),
        ("/a\u{7}", K::Control, 2),
    ] {
        assert_eq!(Pattern::parse(text).unwrap_err(), PatternError { kind, at }, "{text}");
    }
}

#[test]
fn display_parses_back() {
    for text in ["/a/**/b*[!a-z]?", "/", "/a/", "/**", "${home}/**", r"/we\,ird\*\[x\]", "/a/[\\]-a]"] {
        let p = one(text);
        assert_eq!(one(&p.to_string()), p, "{text}");
    }
    // What has a meaning in a class alone.
    for text in [r"/a/[\-a]", r"/a/[\!a]", r"/a/[!\!a]", r"/a/[a\-c]", r"/a/[n\-\[]", r"/a/[+-\-x]"] {
        let p = one(text);
        assert_eq!(one(&p.to_string()), p, "{text}");
    }
    assert_eq!(Pattern::literal_path("/a*b{c}").unwrap().as_literal().as_deref(), Some("/a*b{c}"));
}

#[test]
fn witnesses_are_shortest_and_true() {
    let ask = |l: Lang| l.witness(Universe::Paths).unwrap();
    assert_eq!(ask(lang(&["/etc/**"]).minus(lang(&["/etc/*", "/etc/"]))).as_deref(), Some("/etc/a/a"));
    assert_eq!(ask(lang(&["/srv/**"]).and(lang(&["/**/.git/**"]))).as_deref(), Some("/srv/.git/"));
    assert_eq!(ask(lang(&["/a/*.log"]).minus(lang(&["/a/**"]))), None);
    assert_eq!(ask(lang(&["/a/b"]).and(lang(&["/a/c"]))), None);
    assert!(lang(&["/a/*"]).is_subset(&lang(&["/a/**"]), Universe::Paths).unwrap());
    assert!(!lang(&["/a/**"]).is_subset(&lang(&["/a/*"]), Universe::Paths).unwrap());
    assert_eq!(ask(Lang::All.minus(lang(&["/**"]))), None);
    assert_eq!(ask(Lang::Not(std::sync::Arc::new(lang(&["/"])))).as_deref(), Some("/a"));
}

#[test]
fn below_takes_a_directory_off() {
    let texts = |p: &str, name: &str| one(p).below(name).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(texts("/a/b", "a"), ["/b"]);
    assert_eq!(texts("/*/b/**", "a"), ["/b/**"]);
    assert_eq!(texts("/a/**", "a"), ["/**"]);
    assert_eq!(texts("/**", "a"), ["/**"]);
    assert_eq!(texts("/**/x", "a"), ["/**/x"]);
    assert_eq!(texts("/**/x", "x"), ["/**/x", "/"]);
    assert!(texts("/a", "b").is_empty());
    assert!(texts("/", "b").is_empty());
}

#[test]
fn an_exploding_pattern_is_named() {
    let text = format!("/*a{}", "?".repeat(60));
    let left = lang(&[&text]);
    let right = lang(&[&format!("/*b{}", "?".repeat(60))]);
    let error = left.minus(right).witness(Universe::Paths);
    // Either it is answered or it is refused by name; it never hangs.
    if let Err(error) = error {
        assert!(error.pattern.contains("????"), "{error}");
    }
}

mod property {
    use super::super::*;
    use proptest::prelude::*;

    fn component() -> impl Strategy<Value = String> {
        prop_oneof![
            3 => "[ab]{1,2}",
            1 => Just("*".to_string()),
            1 => Just("**".to_string()),
            2 => "[ab*?]{1,4}".prop_filter("globstar", |s| !s.contains("**")),
            1 => "[ab]?\\[!?[a-c]\\][ab]?",
        ]
    }

    fn pattern() -> impl Strategy<Value = String> {
        (prop::collection::vec(component(), 1..4), prop_oneof![Just(""), Just("/"), Just("/**")])
            .prop_map(|(c, tail)| format!("/{}{tail}", c.join("/")))
    }

    fn related() -> impl Strategy<Value = String> {
        let start = prop_oneof![6 => Just(""), 1 => Just("${home}"), 1 => Just("${run_user}"), 1 => Just("${self}"), 1 => Just("/root"), 1 => Just("/home/a"), 1 => Just("/proc/self")];
        let list = prop::collection::vec(component(), 0..3);
        (start, list, prop_oneof![Just(""), Just("/"), Just("/**")]).prop_map(|(start, list, tail)| {
            let middle: String = list.iter().map(|c| format!("/{c}")).collect();
            let text = format!("{start}{middle}{tail}");
            if text.is_empty() { "/".into() } else { text }
        })
    }

    fn path() -> impl Strategy<Value = String> {
        (prop::collection::vec("[abc]{1,3}", 0..5), prop_oneof![Just(""), Just("/")])
            .prop_map(|(c, tail)| if c.is_empty() { "/".into() } else { format!("/{}{tail}", c.join("/")) })
    }

    proptest! {
        #[test]
        fn what_components_tell_is_what_the_automata_tell(a in related(), b in related()) {
            let (a, b) = (Pattern::parse(&a).unwrap().remove(0), Pattern::parse(&b).unwrap().remove(0));
            let (la, lb) = (Lang::patterns([&a]).unwrap(), Lang::patterns([&b]).unwrap());
            if let Some(meets) = a.meets(&b) {
                let common = la.clone().and(lb.clone()).witness(Universe::Paths).unwrap();
                prop_assert_eq!(meets, common.is_some(), "{} {} {:?}", a, b, common);
            }
            if let Some(covers) = a.covers(&b) {
                let rest = lb.clone().minus(la).witness(Universe::Paths).unwrap();
                prop_assert_eq!(covers, rest.is_none(), "{} {} {:?}", a, b, rest);
            }
            for directory in [false, true] {
                if let Some(path) = b.example(directory) {
                    prop_assert!(b.matches(&path) && path.ends_with('/') == directory, "{} {}", b, path);
                } else {
                    let kind = if directory { lb.clone().and(Lang::directories()) } else { lb.clone().minus(Lang::directories()) };
                    prop_assert_eq!(kind.witness(Universe::Paths).unwrap(), None, "{}", b);
                }
            }
            if let Some(path) = b.example_with(false, "xyz") {
                prop_assert!(b.matches(&path) && !path.ends_with('/'), "{} {}", b, path);
            }
            let below = |p: &String| Pattern::parse(&format!("{}/**", if p == "/" { "" } else { p })).unwrap().remove(0);
            let held: Vec<Pattern> = b.prefixes().iter().flat_map(|p| [Pattern::literal_path(p).unwrap(), below(p)]).collect();
            prop_assert!(lb.is_subset(&Lang::patterns(&held).unwrap(), Universe::Paths).unwrap(), "{}", b);
        }

        #[test]
        fn the_matcher_and_the_automaton_agree(pattern in pattern(), path in path()) {
            let p = Pattern::parse(&pattern).unwrap().remove(0);
            let l = Lang::patterns([&p]).unwrap();
            prop_assert_eq!(p.matches(&path), super::holds(&l, &path), "{} {}", p, path);
        }

        #[test]
        fn a_witness_of_a_difference_is_in_one_and_not_in_the_other(a in pattern(), b in pattern()) {
            let a = Pattern::parse(&a).unwrap().remove(0);
            let b = Pattern::parse(&b).unwrap().remove(0);
            let difference = Lang::patterns([&a]).unwrap().minus(Lang::patterns([&b]).unwrap());
            if let Some(w) = difference.witness(Universe::Paths).unwrap() {
                prop_assert!(a.matches(&w) && !b.matches(&w), "{} {} {}", a, b, w);
            }
        }

        #[test]
        fn looking_at_components_changes_no_answer(
            union in prop::collection::vec(pattern(), 1..4),
            within in pattern(),
            without in prop::collection::vec(pattern(), 0..4),
            directories in any::<Option<bool>>(),
        ) {
            let all = |texts: &[String]| {
                Lang::patterns(&texts.iter().map(|t| Pattern::parse(t).unwrap().remove(0)).collect::<Vec<_>>()).unwrap()
            };
            let mut lang = all(&union).and(all(&[within])).minus(all(&without));
            lang = match directories {
                None => lang,
                Some(true) => lang.and(Lang::directories()),
                Some(false) => lang.minus(Lang::directories().or(all(&without[..without.len().min(1)]))),
            };
            let universe = super::super::Atom::pattern(&Pattern::parse("/**").unwrap().remove(0)).unwrap();
            let whole = super::super::search::Search::new(&universe, &lang).unwrap().run().unwrap();
            let whole = whole.map(|w| String::from_utf8(w).unwrap());
            prop_assert_eq!(lang.witness(Universe::Paths).unwrap(), whole, "{:?}", lang);
        }
    }
}
