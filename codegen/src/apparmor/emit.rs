//! A profile to its text. Every word of the profile language stands in the templates; here are the filters that let checked
//! words of a policy through, one per type.

use super::features::Abi;
use super::model::{
    Exec, Family, FilePerm, MountOption, MountSource, MqueuePerm, NetPerm, Origin, Peer, Profile, PtracePerm,
    Rule, SignalPerm, SocketType,
};
use askama::Template;

/// The text of a profile, as `apparmor_parser` reads it.
#[must_use]
pub fn emit(profile: &Profile) -> String {
    let rules: usize = profile.blocks.iter().map(|b| b.rules.len() + b.origins.len()).sum();
    let mut out = String::with_capacity(512 + rules * 48);
    // Writing to a string cannot fail.
    let _ = ProfileText { profile }.render_into(&mut out);
    out
}

#[derive(Template)]
#[template(path = "apparmor.profile", escape = "profile")]
struct ProfileText<'a> {
    profile: &'a Profile,
}

/// A word of the profile language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Capability(u8),
    Signal(u8),
    FilePerm(FilePerm),
    NetPerm(NetPerm),
    SignalPerm(SignalPerm),
    PtracePerm(PtracePerm),
    MqueuePerm(MqueuePerm),
    Family(Family),
    SocketType(SocketType),
    MountOption(MountOption),
}

impl Word {
    /// How it is printed; empty where there is no such word.
    pub(super) fn text(self) -> String {
        WordText { word: self }.render().unwrap_or_default()
    }
}

#[derive(Template)]
#[template(path = "apparmor_word.profile", escape = "profile")]
struct WordText {
    word: Word,
}

/// The greatest capability number with a name (`CAP_CHECKPOINT_RESTORE`).
pub const LAST_CAPABILITY: u8 = 40;

mod filters {
    use super::super::glob::{AaGlob, NameGlob};
    use super::super::token::{Comment, ProfileName, RawText, RuleName};
    use askama::filters::Safe;
    use askama::{Result, Values};
    use canc_dsl::policy::RuleId;

    #[askama::filter_fn]
    pub fn path<'a>(glob: &'a AaGlob, _: &dyn Values) -> Result<Safe<&'a str>> {
        Ok(Safe(glob.as_str()))
    }

    #[askama::filter_fn]
    pub fn text<'a>(glob: &'a NameGlob, _: &dyn Values) -> Result<Safe<&'a str>> {
        Ok(Safe(glob.as_str()))
    }

    #[askama::filter_fn]
    pub fn name<'a>(name: &'a ProfileName, _: &dyn Values) -> Result<Safe<&'a str>> {
        Ok(Safe(name.as_str()))
    }

    #[askama::filter_fn]
    pub fn rule_name<'a>(name: &'a RuleName, _: &dyn Values) -> Result<Safe<&'a str>> {
        Ok(Safe(name.as_str()))
    }

    #[askama::filter_fn]
    pub fn comment<'a>(comment: &'a Comment, _: &dyn Values) -> Result<Safe<&'a str>> {
        Ok(Safe(comment.as_str()))
    }

    #[askama::filter_fn]
    pub fn raw<'a>(text: &'a RawText, _: &dyn Values) -> Result<Safe<&'a str>> {
        Ok(Safe(text.as_str()))
    }

    /// Rules are numbered from one.
    #[askama::filter_fn]
    pub fn rule_number(id: &RuleId, _: &dyn Values) -> Result<Safe<u64>> {
        Ok(Safe(u64::from(id.0) + 1))
    }

    #[askama::filter_fn]
    pub fn number(number: &u8, _: &dyn Values) -> Result<Safe<u8>> {
        Ok(Safe(*number))
    }

    /// The numbers of the bits that are set.
    #[askama::filter_fn]
    pub fn numbers(bits: &u128, _: &dyn Values) -> Result<impl Iterator<Item = u8>> {
        let bits = *bits;
        Ok((0..128u8).filter(move |n| bits & (1 << n) != 0))
    }
}
