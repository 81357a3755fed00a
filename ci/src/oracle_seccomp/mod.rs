//! The seccomp back end against oracles that share no code with it: libseccomp, and the kernel of this machine.

pub mod compare;
pub mod figures;
pub mod kernel;
pub mod peers;
pub mod policies;
pub mod sizes;
pub mod tables;

use crate::Error;
use peers::{Compiler, Measured};
use sizes::Sizes;
use std::time::Instant;

/// Everything, with what each part came to.
///
/// # Errors
/// The first disagreement.
pub fn run() -> Result<(), Error> {
    let numbers = compare::numbers()?;
    println!("numbers: {numbers} are libseccomp's too");
    let started = Instant::now();
    let compared = compare::random(2, 200)?;
    println!(
        "programs: {} inputs answered like libseccomp's ({} where libseccomp alone differs), {:.1} s",
        compared.agreed,
        compared.theirs_alone,
        started.elapsed().as_secs_f32()
    );
    let profiles = compare::profiles(6, 60)?;
    println!(
        "profiles: {profiles} inputs answered by libseccomp as by the filters that they were exported from"
    );
    let kernel = kernel::Kernel::new()?;
    let started = Instant::now();
    let (loaded, refused) = kernel::loading(&kernel, 700)?;
    println!(
        "kernel: {loaded} programs loaded, {refused} refused, each as the checker says, {:.1} s",
        started.elapsed().as_secs_f32()
    );
    let started = Instant::now();
    let performed = kernel::enforcing(&kernel, 80)?;
    println!(
        "kernel: {performed} calls performed as the programs say, {:.1} s",
        started.elapsed().as_secs_f32()
    );
    println!("kernel: {} known bypasses closed", kernel::bypasses(&kernel)?);
    print_sizes(&sizes::all()?)
}

/// Prints the table, and fails where a program is larger or slower than a peer's.
fn print_sizes(all: &[Sizes]) -> Result<(), Error> {
    print!("{:34}", "instructions (mean, most executed)");
    println!("{}", Compiler::ALL.map(|c| format!("{:>22}", c.word())).concat());
    for sizes in all {
        let shown = |m: &Option<Measured>| m.map_or_else(|| "refuses".to_owned(), |m| m.to_string());
        let columns: Vec<String> = sizes.programs.iter().map(|m| format!("{:>22}", shown(m))).collect();
        println!("{:34}{}", sizes.name, columns.concat());
        sizes.ensure_best()?;
    }
    Ok(())
}
