//! Reading undoes emitting, for every profile.

use super::*;
use crate::apparmor::glob::{Form, NameGlob};
use crate::apparmor::model::*;
use canc_dsl::policy::NamePattern;
use canc_sets::path::{Pattern, Piece};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{1,12}",
        "[\"{}\\[\\]*?^@,#\\\\()<>é]{1,8}",
        Just("include <abstractions/x>".to_string()),
        Just("#include <x>".to_string()),
        Just("a\" rw, /etc/shadow r, \"".to_string()),
    ]
}

fn path() -> impl Strategy<Value = AaGlob> {
    let literal = hostile().prop_map(|t| AaGlob::literal(&format!("/{}", t.replace('/', "_"))));
    let pattern =
        select(vec!["/a/**", "/a/*/b", "${home}/x", "/**/y", "/[!a^\\-]", "${run_user}/z", "/q/[,x]?"])
            .prop_map(|t| AaGlob::of_pattern(&Pattern::parse(t).unwrap()[0], Form::Both).unwrap());
    prop_oneof![literal, pattern]
}

fn name_glob() -> impl Strategy<Value = NameGlob> {
    hostile().prop_map(|t| {
        let pieces = vec![Piece::Lit(t), Piece::Star, Piece::Any];
        NameGlob::of_pattern(&NamePattern { pieces })
    })
}

fn profile_name() -> impl Strategy<Value = ProfileName> {
    "[a-z][a-z0-9_]{0,8}".prop_map(|n| ProfileName::of_policy(&n).unwrap())
}

fn mode() -> impl Strategy<Value = Mode> {
    (any::<bool>(), any::<bool>()).prop_map(|(audit, deny)| Mode { audit, deny })
}

fn peer() -> impl Strategy<Value = Peer> {
    prop_oneof![
        profile_name().prop_map(Peer::Profile),
        profile_name().prop_map(Peer::Member),
        Just(Peer::Unconfined),
    ]
}

fn some<T, S>(all: &[T]) -> impl Strategy<Value = S> + use<T, S>
where
    T: Copy + std::fmt::Debug + 'static,
    S: FromIterator<T> + std::fmt::Debug,
{
    subsequence(all.to_vec(), 1..=all.len()).prop_map(|list| list.into_iter().collect())
}

fn file() -> impl Strategy<Value = Rule> {
    let exec = prop_oneof![
        Just(Exec::Inherit),
        (profile_name(), profile_name()).prop_map(|(own, other)| Exec::Stack { own, other }),
        profile_name().prop_map(Exec::Profile),
        Just(Exec::Unconfined),
    ];
    let perms = some::<_, FilePerms>(&FilePerm::ALL[..5]);
    (mode(), any::<bool>(), path(), perms, option::of(exec)).prop_map(|(mode, owner, path, perms, exec)| {
        let append = FilePerms::of(&[FilePerm::Append]);
        let perms = if perms.has(FilePerm::Write) { perms.minus(append) } else { perms };
        let (perms, exec) =
            if mode.deny { (perms.union(FilePerms::of(&[FilePerm::Exec])), None) } else { (perms, exec) };
        Rule::File(FileRule { mode, owner, path, perms, exec })
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let link = (mode(), any::<bool>(), path(), path())
        .prop_map(|(mode, owner, name, target)| Rule::Link(LinkRule { mode, owner, name, target }));
    let capability = (mode(), some::<u8, Vec<u8>>(&(0..=40).collect::<Vec<u8>>()))
        .prop_map(|(mode, numbers)| Rule::Capability(CapabilityRule { mode, numbers }));
    let network = (
        mode(),
        option::of(some::<_, NetPerms>(NetPerm::ALL)),
        select(&Family::ALL[..]),
        select(&SocketType::ALL[..]),
    )
        .prop_map(|(mode, perms, family, kind)| Rule::Network(NetworkRule { mode, perms, family, kind }));
    let unix = (
        mode(),
        some::<_, NetPerms>(NetPerm::ALL),
        select(&SocketType::ALL[..]),
        option::of(name_glob()),
        option::of(peer()),
        option::of(name_glob()),
    )
        .prop_map(|(mode, perms, kind, own, label, peer)| {
            Rule::Unix(UnixRule { mode, perms, kind, own, label, peer })
        });
    let signal = (
        mode(),
        some::<_, SignalPerms>(SignalPerm::ALL),
        option::of(some::<u8, Vec<u8>>(&(0..=64).collect::<Vec<u8>>())),
        option::of(peer()),
    )
        .prop_map(|(mode, perms, list, peer)| {
            let signals = list.map(|l| l.into_iter().fold(0u128, |bits, n| bits | 1 << n));
            Rule::Signal(SignalRule { mode, perms, signals, peer })
        });
    let ptrace = (mode(), some::<_, PtracePerms>(PtracePerm::ALL), option::of(peer()))
        .prop_map(|(mode, perms, peer)| Rule::Ptrace(PtraceRule { mode, perms, peer }));
    let source = prop_oneof![path().prop_map(MountSource::Path), name_glob().prop_map(MountSource::Name)];
    let mount = (
        mode(),
        any::<bool>(),
        prop::collection::vec(name_glob(), 0..3),
        subsequence(MountOption::ALL.to_vec(), 0..4),
        option::of(source),
        path(),
    )
        .prop_map(|(mode, remount, types, options, source, target)| {
            let source = source.filter(|_| !remount).filter(|s| match s {
                MountSource::Name(n) => !n.as_str().starts_with('/'),
                _ => true,
            });
            Rule::Mount(MountRule { mode, remount, types, options, source, target })
        });
    let other = prop_oneof![
        mode().prop_map(Rule::Userns),
        (mode(), path()).prop_map(|(mode, target)| Rule::Umount { mode, target }),
        (mode(), path(), path()).prop_map(|(mode, old, new)| Rule::PivotRoot { mode, old, new }),
        (mode(), some::<_, MqueuePerms>(MqueuePerm::ALL), name_glob())
            .prop_map(|(mode, perms, name)| Rule::Mqueue { mode, perms, name }),
    ];
    prop_oneof![4 => file(), 1 => link, 1 => capability, 1 => network, 1 => unix, 1 => signal, 1 => ptrace, 2 => mount, 1 => other]
}

fn block() -> impl Strategy<Value = Block> {
    let comment = || hostile().prop_filter_map("comment", |t| Comment::new(t.trim()).ok());
    let rule_origin = (0u32..200_000, option::of("[a-z][a-z0-9_]{0,5}"), option::of(comment())).prop_map(
        |(id, name, because): (u32, Option<String>, Option<Comment>)| Origin::Rule {
            id: RuleId(id),
            name: name.map(|n| RuleName::new(&n).unwrap()),
            because,
        },
    );
    let origin = prop_oneof![3 => rule_origin, 1 => comment().prop_map(Origin::Base)];
    (prop::collection::vec(origin, 1..3), prop::collection::vec(rule(), 1..4))
        .prop_map(|(origins, rules)| Block { origins, rules })
}

fn profile() -> impl Strategy<Value = Profile> {
    let raw = prop::collection::vec("[ -~\n]{0,20}", 0..2).prop_map(|list| {
        list.into_iter().filter_map(|t| RawText::new(&format!("{t}\n")).ok()).collect::<Vec<_>>()
    });
    (
        profile_name(),
        select(vec![Abi::V3, Abi::V4]),
        option::of(path()),
        any::<bool>(),
        prop::collection::vec(block(), 0..4),
        raw,
    )
        .prop_map(|(name, abi, attachment, complain, blocks, raw)| Profile {
            name,
            abi,
            attachment,
            complain,
            blocks,
            raw,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_undoes_emitting(profile in profile()) {
        let text = emit(&profile);
        prop_assert_eq!(read(&text), Ok(profile), "{}", text);
    }

    #[test]
    fn a_changed_byte_is_noticed(profile in profile(), at in any::<prop::sample::Index>(), byte in 32u8..127) {
        let text = emit(&profile);
        let mut bytes = text.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(changed) = String::from_utf8(bytes)
            && changed != text
            && let Ok(other) = read(&changed)
        {
            // Then it is another profile, and the text is exactly that one's.
            prop_assert_ne!(&other, &profile);
            prop_assert_eq!(emit(&other), changed);
        }
    }
}
