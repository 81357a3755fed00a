//! Rules to grants, labels and verdicts.

use super::*;
use crate::selinux::emit;
use crate::testing::policies;

#[test]
#[ignore = "prints what one policy becomes, for a look"]
fn show() {
    let text = std::fs::read_to_string(std::env::var("CANC_SHOW").unwrap()).unwrap();
    let set = policies(&text);
    let base = Base::builtin(&std::env::var("CANC_BASE").unwrap_or("debian13".into())).unwrap();
    let started = std::time::Instant::now();
    let lowered = match lower(&set, &base) {
        Ok(l) => l,
        Err(errors) => {
            for e in errors {
                println!("{:?} {} / {}", e.span, e.kind, e.kind.help());
            }
            return;
        }
    };
    println!("lowered in {:?}", started.elapsed());
    for l in &lowered {
        let started = std::time::Instant::now();
        let te = emit::te(&l.module).unwrap();
        let fc = emit::fc(&l.contexts).unwrap();
        println!("emitted in {:?}", started.elapsed());
        if let Ok(dir) = std::env::var("CANC_OUT") {
            std::fs::write(format!("{dir}/{}.te", l.module.name.as_str()), &te).unwrap();
            std::fs::write(format!("{dir}/{}.fc", l.module.name.as_str()), &fc).unwrap();
            if let Some(p) = &l.ports {
                std::fs::write(format!("{dir}/{}.cil", p.name.as_str()), emit::cil(p).unwrap()).unwrap();
            }
        } else {
            println!("{te}\n-----\n{fc}");
            if let Some(p) = &l.ports {
                println!("-----\n{}", emit::cil(p).unwrap());
            }
        }
        println!("@base: {:?}", l.base);
        let set = set.policies().iter().find(|p| p.name == l.policy).unwrap();
        for (rule, outcome) in set.rules.iter().zip(&l.outcomes) {
            if outcome.word() != "n/a" {
                println!(
                    "r{} {:?} {}: {:?} {:?}",
                    rule.id.0 + 1,
                    rule.effect,
                    outcome.word(),
                    outcome.verdict,
                    outcome.notes
                );
            }
        }
        println!("{:#?}", l.report);
    }
}

#[test]
#[ignore = "a loop for a profiler"]
fn spin() {
    let text = std::fs::read_to_string(std::env::var("CANC_SHOW").unwrap()).unwrap();
    let set = policies(&text);
    let started = std::time::Instant::now();
    let mut runs = 0u32;
    while started.elapsed().as_secs() < 3 {
        let base = Base::debian13();
        std::hint::black_box(lower(&set, &base).unwrap());
        runs += 1;
    }
    println!("{:?} each", started.elapsed() / runs);
}
