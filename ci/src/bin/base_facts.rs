//! Writes the tables of facts about the policy in a private copy of the Debian 13 root: `base_facts ROOT DIRECTORY`.

use canc_ci::base_facts;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, root, out] = args.as_slice() else {
        eprintln!("usage: base_facts ROOT DIRECTORY");
        std::process::exit(2);
    };
    let done = base_facts::generate(&base_facts::Root::new(root))
        .and_then(|tables| base_facts::write(&tables, std::path::Path::new(out)));
    if let Err(error) = done {
        eprintln!("{error}");
        std::process::exit(4);
    }
}
