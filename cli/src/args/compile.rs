//! How commands that also take bundles compile a policy.

use super::SourceArgs;
use clap::Args;
use std::path::Path;

/// Options of a compilation; a bundle has had them when it was built.
#[derive(Debug, Clone, Args)]
pub struct CompileArgs {
    /// Give a parameter of the policy its value; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,

    /// The SELinux policy that the module is made for [default: debian13]
    #[arg(long, value_name = "BASE")]
    pub selinux_base: Option<String>,

    /// The AppArmor policy ABI [default: 4.0]
    #[arg(long, value_name = "ABI", value_parser = ["3.0", "4.0"])]
    pub apparmor_abi: Option<String>,

    /// Accept `raw` text for a target in the policy
    #[arg(long)]
    pub allow_raw: bool,
}

impl CompileArgs {
    /// What `canc build` would be told.
    #[must_use]
    pub fn source(&self, policy: &Path, arches: Vec<String>) -> SourceArgs {
        let mut out = SourceArgs::new(policy, &self.set, arches, self.allow_raw);
        if let Some(base) = &self.selinux_base {
            out.selinux_base.clone_from(base);
        }
        if let Some(abi) = &self.apparmor_abi {
            out.apparmor_abi.clone_from(abi);
        }
        out
    }

    /// Each option with whether it was given.
    #[must_use]
    pub fn given(&self) -> [(bool, &'static str); 4] {
        [
            (!self.set.is_empty(), "--set"),
            (self.selinux_base.is_some(), "--selinux-base"),
            (self.apparmor_abi.is_some(), "--apparmor-abi"),
            (self.allow_raw, "--allow-raw"),
        ]
    }
}
