//! The seccomp back end against oracles that share no code with it: libseccomp, and the kernel of this machine.

pub mod compare;
pub mod kernel;
pub mod policies;
mod sizes;
pub mod tables;

use crate::Error;
use compare::Sizes;
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

/// Prints the table, and fails where a program is larger or slower than libseccomp's.
fn print_sizes(all: &[Sizes]) -> Result<(), Error> {
    println!(
        "{:34}{:>22}{:>22}{:>22}",
        "instructions (mean, most executed)", "canc", "libseccomp list", "libseccomp tree"
    );
    for Sizes { name, programs } in all {
        let [own, list, tree] = programs.map(|(size, mean, most)| format!("{size} ({mean:.1}, {most})"));
        println!("{name:34}{own:>22}{list:>22}{tree:>22}");
        let [own, list, tree] = programs;
        let smallest = list.0.min(tree.0);
        let (fastest, shallowest) = (list.1.min(tree.1), list.2.min(tree.2));
        if own.0 > smallest || own.1 > fastest || own.2 > shallowest {
            return Err(Error::Odd(format!("{name}: libseccomp's program is smaller or faster")));
        }
    }
    Ok(())
}
