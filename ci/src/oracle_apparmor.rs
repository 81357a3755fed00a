//! What canc says of AppArmor profiles, against what AppArmor's own parser makes of them: the compiled automata are decoded and run.
//!
//! Every emitted profile is parsed strictly; every rule must leave its mark in the binary; every pattern of the language must match
//! the same paths as the compiled glob; every hostile text must come back as exactly the intended rule.

mod blob;
mod compile;
mod corpus;
mod dfa;
mod globs;
mod hostile;
mod marks;
mod perms;
mod requests;

use crate::{Error, Rootfs};
use compile::Compiler;

/// A check; its answer is how many things it looked at.
type Part = fn(&Compiler) -> Result<usize, Error>;

/// Runs all of it; prints one line per part.
pub fn run(rootfs: &Rootfs) -> Result<(), Error> {
    let compiler = Compiler::new(rootfs);
    let parts: [(&str, Part); 5] = [
        ("profiles that the strict parser takes", corpus::accepted),
        ("rules that leave their mark in the binary", marks::check),
        ("pairs of a pattern and a path", globs::check),
        ("requests that the binary answers as the verdicts say", requests::check),
        ("hostile texts that come back as themselves", hostile::check),
    ];
    for (what, check) in parts {
        let count = check(&compiler)?;
        println!("{count} {what}");
    }
    Ok(())
}

/// Fails with `what` unless `fine`.
fn ensure(fine: bool, what: impl FnOnce() -> String) -> Result<(), Error> {
    if fine { Ok(()) } else { Err(Error::Odd(what())) }
}
