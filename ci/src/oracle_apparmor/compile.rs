//! Policies to profiles by canc, and profiles to binaries by their owner's parser, many at a time.

use super::blob::{Compiled, profiles};
use super::ensure;
use crate::{Error, Rootfs};
use canc_codegen::apparmor::features::{Abi, DEBIAN13, FeatureSet};
use canc_codegen::apparmor::{ApparmorOptions, Lowered, emit, lower};
use canc_dsl::policy::PolicySet;
use canc_dsl::{NoFiles, Options, compile};
use std::collections::HashMap;

/// What the kernel of the profile is taken to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// Debian 13's, as recorded.
    Debian13,
    /// One with exactly the features of the ABI.
    OfAbi(Abi),
}

/// Both compilers, one after the other.
pub struct Compiler {
    rootfs: Rootfs,
}

impl Compiler {
    pub fn new(rootfs: &Rootfs) -> Self {
        Self { rootfs: rootfs.clone() }
    }

    /// The binaries of some profiles of one ABI, by the strict parser.
    pub fn binaries(&self, texts: &[String], abi: Abi, kernel: Kernel) -> Result<Vec<Compiled>, Error> {
        let mut input = format!("abi <abi/{}>,\n", abi.number());
        for text in texts {
            // Only the first line of a file may name the ABI.
            input.push_str(text.split_once(">,\n").map_or(text.as_str(), |(_, rest)| rest));
        }
        let bytes = self.parse(&input, kernel)?;
        let made = profiles(&bytes).unwrap_or_default();
        let count = made.len();
        // The parser prints them in an order of its own.
        let mut by_name: HashMap<String, Compiled> = made.into_iter().map(|c| (c.name.clone(), c)).collect();
        let all: Vec<Compiled> = texts.iter().filter_map(|text| by_name.remove(name_of(text)?)).collect();
        ensure(all.len() == texts.len() && count == texts.len(), || {
            format!("{count} of {} profiles were compiled", texts.len())
        })?;
        Ok(all)
    }

    /// What the strict parser makes of a text. Of rules about unix sockets it says besides that older kernels get them in another way,
    /// or not at all; whether a rule leaves its mark in the binary is looked at on its own.
    pub fn parse(&self, text: &str, kernel: Kernel) -> Result<Vec<u8>, Error> {
        let share = self.rootfs.cache().scratch()?;
        let file = share.path().join("features");
        let features = match kernel {
            Kernel::Debian13 => {
                std::fs::write(&file, DEBIAN13).map_err(Error::io("writing", &file))?;
                "/mnt/features".to_string()
            }
            Kernel::OfAbi(abi) => format!("/etc/apparmor.d/abi/{}", abi.number()),
        };
        let run = self.rootfs.run_sharing(share.path(), "apparmor_parser");
        let run = run.args(["-QTK", "-S", "-M", &features, "--warn=all"]);
        let output = run.args(["--warn=no-rule-downgraded", "--Werror"]).input(text).output()?;
        ensure(output.code == 0, || format!("apparmor_parser refuses\n{text}\n{}", output.errors()))?;
        Ok(output.stdout)
    }

    /// One profile's binary.
    pub fn binary(&self, text: &str, abi: Abi, kernel: Kernel) -> Result<Compiled, Error> {
        let mut all = self.binaries(&[text.to_string()], abi, kernel)?;
        all.pop().ok_or_else(|| Error::Odd("no profile".into()))
    }
}

/// The name in a profile's head.
fn name_of(text: &str) -> Option<&str> {
    let head = text.lines().find_map(|line| line.strip_prefix("profile "))?;
    head.split(' ').next()
}

/// The features that canc is told.
pub fn options(abi: Abi, kernel: Kernel) -> Result<ApparmorOptions, Error> {
    let odd = |e: &dyn std::fmt::Display| Error::Odd(e.to_string());
    let text = match kernel {
        Kernel::Debian13 => DEBIAN13,
        Kernel::OfAbi(Abi::V3) => include_str!("../../../codegen/data/apparmor/features/abi-3.0"),
        Kernel::OfAbi(Abi::V4) => include_str!("../../../codegen/data/apparmor/features/abi-4.0"),
    };
    let features = FeatureSet::parse(text).map_err(|e| odd(&e))?;
    ApparmorOptions::new(abi, features).map_err(|e| odd(&e))
}

/// The policies of a text.
pub fn policies(text: &str) -> Result<PolicySet, Error> {
    let made = compile("oracle.can", text.as_bytes(), &NoFiles, &Options::default());
    let errors: Vec<String> = made
        .diagnostics
        .iter()
        .map(|d| {
            let places: Vec<&str> = d.labels.iter().map(|l| made.sources.text(l.span)).collect();
            format!("{} {} {places:?}", d.code.0, d.message)
        })
        .collect();
    made.policies.ok_or_else(|| Error::Odd(format!("{text}\n{}", errors.join("\n"))))
}

/// What canc makes of the first policy of a set.
pub fn lowered(set: &PolicySet, options: &ApparmorOptions) -> Result<Lowered, Error> {
    let policy = set.policies().first().ok_or_else(|| Error::Odd("no policy".into()))?;
    lower(set, policy, options)
        .map_err(|errors| Error::Odd(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))
}

/// The text of a profile whose name is made unlike all others'.
pub fn text_named(made: &Lowered, number: usize) -> String {
    let own = made.profile.name.as_str();
    emit(&made.profile).replacen(&format!("profile {own}"), &format!("profile {own}{number}"), 1)
}
