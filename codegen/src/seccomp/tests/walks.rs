//! Walks through programs: the listing read back is the program's, and each step is what the interpreter does.

use super::random::random_policy;
use super::*;
use crate::seccomp::encode::op;
use crate::seccomp::walk::{Walk, When, read_listing, together, walk};
use canc_dsl::source::SourceMap;
use canc_sets::testing::Random;

fn listed(text: &str) -> (Lowered, String) {
    let done = compile("dir/web.can", text.as_bytes(), &NoFiles, &Options::default());
    let set = done.policies.unwrap();
    let policy = set.policies().first().unwrap();
    let lowered = lower(policy, &SeccompOptions::default()).unwrap();
    let listing = lowered.listing(policy, &done.sources);
    (lowered, listing)
}

fn way(lowered: &Lowered, listing: &str, call: &str, args: [u64; 6]) -> Walk {
    let listed = read_listing(listing).unwrap();
    let own = listed.iter().find(|l| l.arch == Arch::X86_64).unwrap();
    let nr = number(Arch::X86_64, call).unwrap();
    let data = Data { arch: Arch::X86_64.audit_value(), nr, args };
    walk(lowered.filters[&Arch::X86_64][0].instructions(), own, &data).unwrap()
}

/// The policy lines that a way shows.
fn rules(walk: &Walk) -> Vec<&str> {
    walk.steps.iter().flat_map(|s| &s.remarks).flat_map(|r| &r.rules).map(String::as_str).collect()
}

#[test]
fn a_way_shows_the_lines_that_decide_and_no_others() {
    let (lowered, listing) = listed(
        "can 1;\npolicy web {\n  exec \"/usr/bin/web\";\n  allow syscall read;\n  deny syscall ptrace with kill;\n  allow syscall ioctl where cmd == TCGETS;\n}\n",
    );
    let ioctl = "web.can:6: allow syscall ioctl where cmd == TCGETS";
    for (call, args, action, wanted) in [
        ("read", [0; 6], Action::Allow, vec!["web.can:4: allow syscall read"]),
        ("ptrace", [0; 6], Action::Kill, vec!["web.can:5: deny syscall ptrace with kill"]),
        ("ioctl", [0, 0x5401, 0, 0, 0, 0], Action::Allow, vec![ioctl]),
        ("ioctl", [0, 0x5402, 0, 0, 0, 0], EPERM, vec![ioctl]),
        ("getuid", [0; 6], EPERM, vec![]),
    ] {
        let way = way(&lowered, &listing, call, args);
        assert_eq!((way.action, rules(&way)), (action, wanted), "{call}");
        let compared = way.steps.iter().filter(|s| s.holds.is_some()).count();
        assert!(compared >= 2 && way.steps.len() > compared + 2, "{call}: two loads, comparisons, a return");
        assert!(way.steps.last().unwrap().text.starts_with("return "));
    }
    let compared = way(&lowered, &listing, "ioctl", [0, 0x5402, 0, 0, 0, 0]);
    let before = &compared.steps[compared.steps.len() - 2];
    assert_eq!((before.holds, before.accumulator), (Some(false), 0x5402));
}

#[test]
fn ways_are_the_interpreters_on_random_policies() {
    let mut random = Random(23);
    for _ in 0..20 {
        let data = random_policy(&mut random);
        let policy = Policy::unchecked(data);
        let Ok(lowered) =
            lower(&policy, &SeccompOptions { arches: Arch::ALL.to_vec(), ..SeccompOptions::default() })
        else {
            continue;
        };
        let listings = read_listing(&lowered.listing(&policy, &SourceMap::default())).unwrap();
        let filters: Vec<_> = lowered.filters.values().flatten().collect();
        assert_eq!(listings.len(), filters.len());
        for (filter, listed) in filters.into_iter().zip(&listings) {
            assert_eq!(filter.arch, listed.arch);
            for input in super::paths::inputs(filter.instructions(), filter.arch.is_big_endian(), 300) {
                let way = walk(filter.instructions(), listed, &input).unwrap();
                assert_eq!(crate::seccomp::encode::return_value(way.action), filter.answer(&input).unwrap());
                follow(filter.instructions(), &way);
            }
        }
    }
}

/// Each step leads to the next as its text says, and remarks on the side not taken are left out.
fn follow(program: &[crate::seccomp::encode::Instruction], way: &Walk) {
    for pair in way.steps.windows(2) {
        let [step, next] = pair else { unreachable!() };
        let instruction = program[step.at];
        let to = match (step.holds, instruction.code) {
            (Some(holds), _) => {
                let (yes, no) = step.text.rsplit_once(" then ").unwrap().1.split_once(" else ").unwrap();
                (if holds { yes } else { no }).parse().unwrap()
            }
            (None, op::JUMP) => step.text.strip_prefix("go to ").unwrap().parse().unwrap(),
            (None, _) => step.at + 1,
        };
        assert_eq!(next.at, to, "{step:?}");
        for remark in &step.remarks {
            let wanted = if step.holds == Some(true) { When::Holds } else { When::Fails };
            assert!(remark.when == When::Always || remark.when == wanted && step.holds.is_some());
        }
    }
}

#[test]
fn what_is_no_listing_of_the_program_is_refused() {
    let (lowered, listing) = listed("can 1;\npolicy web {\n  exec \"/usr/bin/web\";\n}\n");
    let own = read_listing(&listing).unwrap();
    let program = lowered.filters[&Arch::X86_64][0].instructions();
    assert_eq!(walk(&program[1..], &own[0], &Data::default()), None);
    assert_eq!(read_listing("SECCOMP"), None);
    assert_eq!(read_listing(&listing.replacen("    1  ", "    7  ", 1)), None);
    assert_eq!(together([Action::Allow, EPERM, Action::Log]), Some(EPERM));
}
