//! The words of the profile language to what they stand for, learnt from the template that prints them.

use crate::apparmor::emit::{LAST_CAPABILITY, Word};
use crate::apparmor::model::{
    Family, FilePerm, MountOption, MqueuePerm, NetPerm, PtracePerm, SignalPerm, SocketType,
};
use std::collections::HashMap;
use std::sync::OnceLock;

/// One table per kind of word.
pub(super) struct Words {
    pub(super) capability: HashMap<String, u8>,
    pub(super) signal: HashMap<String, u8>,
    pub(super) file: HashMap<String, FilePerm>,
    pub(super) net: HashMap<String, NetPerm>,
    pub(super) signal_side: HashMap<String, SignalPerm>,
    pub(super) ptrace: HashMap<String, PtracePerm>,
    pub(super) mqueue: HashMap<String, MqueuePerm>,
    pub(super) family: HashMap<String, Family>,
    pub(super) kind: HashMap<String, SocketType>,
    pub(super) mount: HashMap<String, MountOption>,
}

/// The tables.
pub(super) fn known() -> &'static Words {
    static WORDS: OnceLock<Words> = OnceLock::new();
    WORDS.get_or_init(|| Words {
        capability: table(0..=LAST_CAPABILITY, Word::Capability),
        signal: table(0..=64, Word::Signal),
        file: table(FilePerm::ALL.iter().copied(), Word::FilePerm),
        net: table(NetPerm::ALL.iter().copied(), Word::NetPerm),
        signal_side: table(SignalPerm::ALL.iter().copied(), Word::SignalPerm),
        ptrace: table(PtracePerm::ALL.iter().copied(), Word::PtracePerm),
        mqueue: table(MqueuePerm::ALL.iter().copied(), Word::MqueuePerm),
        family: table(Family::ALL, Word::Family),
        kind: table(SocketType::ALL, Word::SocketType),
        mount: table(MountOption::ALL, Word::MountOption),
    })
}

fn table<T: Copy>(all: impl IntoIterator<Item = T>, word: fn(T) -> Word) -> HashMap<String, T> {
    all.into_iter().map(|item| (word(item).text(), item)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_words_are_equal_and_none_is_empty() {
        let words = known();
        assert_eq!(words.capability.len(), usize::from(LAST_CAPABILITY) + 1);
        assert_eq!(words.signal.len(), 65);
        assert_eq!(words.net.len(), NetPerm::ALL.len());
        assert_eq!(words.mount.len(), MountOption::ALL.len());
        assert_eq!(words.file.len(), FilePerm::ALL.len());
        assert!(!words.capability.contains_key("") && !words.signal.contains_key(""));
        assert_eq!(words.signal.get("rtmin+32"), Some(&64));
        assert_eq!(words.capability.get("checkpoint_restore"), Some(&40));
    }
}
