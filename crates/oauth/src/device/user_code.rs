//! RFC 8628 section 6.1: the code that a person reads on one screen and types on another.

use durward_base::Rng;

/// RFC 8628 6.1: "Excluding letters that could form words [...] and using the 20-letter alphabet": no vowels, nothing that looks like another,
/// no digits. Eight of them are one of 25.6 thousand million.
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LENGTH: usize = 8;

/// A user code, as stored: eight letters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserCode(String);

impl UserCode {
    /// A new one.
    pub fn new(rng: &Rng) -> Self {
        // 128 bits over 20^8 favour no code by more than one in 2^93.
        let mut rest = u128::from_be_bytes(rng.bytes());
        let mut letter = || {
            let index = usize::try_from(rest % 20).unwrap_or_default();
            rest /= 20;
            char::from(*ALPHABET.get(index).unwrap_or(&b'B'))
        };
        Self((0..LENGTH).map(|_| letter()).collect())
    }

    /// What a person typed, if it can be a code at all.
    ///
    /// RFC 8628 6.1: the server "should ignore any characters like "-" that are not in the user code's character set [...]. If a
    /// case-insensitive user code is used, both cases should be accepted." Letters and digits of no code are no punctuation.
    pub fn parse(typed: &str) -> Option<Self> {
        let meant = |letter: &char| !letter.is_whitespace() && !letter.is_ascii_punctuation();
        let letters: String = typed.chars().filter(meant).map(|letter| letter.to_ascii_uppercase()).take(LENGTH + 1).collect();
        let known = letters.len() == LENGTH && letters.bytes().all(|letter| ALPHABET.contains(&letter));
        known.then_some(Self(letters))
    }

    /// As stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As shown: `WDJB-MJHT`.
    pub fn shown(&self) -> String {
        let (first, second) = self.0.split_at(LENGTH / 2);
        format!("{first}-{second}")
    }
}
