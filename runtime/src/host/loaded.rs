//! A host as it is to the same host once a policy's module and profile are loaded into its kernel.

use super::{ApparmorFacts, DomainFacts, HostFacts, ProfileFacts, SelinuxFacts};
use crate::label;
use crate::plan::Policy;

impl HostFacts {
    /// What this host would be with the policy loaded. What refuses a launch for other reasons stays: a permissive host, a caller that
    /// may not choose a profile.
    #[must_use]
    pub fn with_loaded(&self, policy: &Policy) -> Self {
        let mut host = self.clone();
        if let (Some(entry), SelinuxFacts::Active { own, domain: domain @ None, .. }) =
            (&policy.selinux, &mut host.selinux)
        {
            *domain = label::selinux_context(own, &entry.domain).map(|context| DomainFacts {
                context,
                valid: true,
                permissive: entry.permissive,
                missing: Vec::new(),
                record: None,
                instance: None,
            });
        }
        if let (Some(entry), ApparmorFacts::Active { profile: profile @ ProfileFacts::Missing, .. }) =
            (&policy.apparmor, &mut host.apparmor)
        {
            let mode = if entry.complain { "complain" } else { "enforce" };
            *profile = ProfileFacts::Loaded { mode: mode.into(), digest: None, record: None };
        }
        host
    }
}
