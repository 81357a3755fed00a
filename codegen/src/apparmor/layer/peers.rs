//! The other ends of rules to the bits by which the meaning of policies tells processes apart.

use crate::apparmor::model::{Peer, Profile};
use crate::apparmor::token::ProfileName;
use canc_dsl::meaning::Peers;
use canc_dsl::policy::{self as dsl, Policy, PolicySet};

pub(super) struct Known {
    own: ProfileName,
    all: u128,
    unconfined: u128,
    policies: Vec<(String, u128)>,
    own_bit: u128,
}

impl Known {
    pub(super) fn new(set: &PolicySet, policy: &Policy, profile: &Profile) -> Self {
        let peers = Peers::new(set, &policy.name);
        let policies: Vec<(String, u128)> = set
            .policies()
            .iter()
            .map(|p| (p.name.to_string(), peers.bits(&dsl::Peer::Policy(p.name.clone()))))
            .collect();
        let own_bit = peers.bits(&dsl::Peer::SelfDomain);
        let named = policies.iter().fold(own_bit, |bits, (_, one)| bits | one);
        // Whoever has no profile of ours may have none at all.
        let unconfined = peers.all() & !named;
        Self { own: profile.name.clone(), all: peers.all(), unconfined, policies, own_bit }
    }

    pub(super) fn all(&self) -> u128 {
        self.all
    }

    pub(super) fn bits(&self, peer: Option<&Peer>) -> u128 {
        match peer {
            None => self.all,
            Some(Peer::Unconfined) => self.unconfined,
            Some(Peer::Profile(name) | Peer::Member(name)) if *name == self.own => self.own_bit,
            Some(Peer::Profile(name) | Peer::Member(name)) => {
                self.policies.iter().find(|(p, _)| p == name.policy()).map_or(0, |(_, bits)| *bits)
            }
        }
    }
}
