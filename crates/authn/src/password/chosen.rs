//! NIST SP 800-63B section 3.1.1.2: what a password that is being set may be. No rule asks for kinds of characters, and none for a change in
//! time.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use durward_base::Secret;

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::{MAX_CHARACTERS, MIN_CHARACTERS, PasswordError};

#[cfg(test)]
mod tests;

/// The most used passwords long enough to be set, in lower case, sorted: collected for this project and under its licence.
const COMMON: &str = include_str!("common.txt");
/// What must be left of a password without a word that everybody knows.
const REST: usize = 6;
/// Shorter words are in anything.
const SHORTEST_WORD: usize = 3;

/// Passwords that are known to others, by the digests under which they are published.
pub trait Breached: Send + Sync {
    /// Whether the password of this SHA-1 digest is among them.
    ///
    /// # Errors
    /// When they cannot be looked through; nothing is set then.
    fn contains(&self, sha1: &[u8; 20]) -> Result<bool, BreachedUnavailable>;
}

/// The list of breached passwords cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the list of breached passwords cannot be read")]
pub struct BreachedUnavailable;

/// A password that may be set.
#[derive(Debug)]
pub struct NewPassword(Secret);

impl NewPassword {
    /// Checks a password that somebody chose. `known` are words that everybody knows of them: the username, the realm.
    ///
    /// # Errors
    /// Why it may not be set.
    pub fn choose(password: Secret, known: &[&str], breached: Option<&dyn Breached>) -> Result<Self, PasswordError> {
        let text: Zeroizing<String> = Zeroizing::new(password.expose().nfc().take(MAX_CHARACTERS + 1).collect());
        let found = text.chars().count();
        // 3.1.1.2 (1) and (2): a minimum of eight characters, "a maximum password length of at least 64 characters".
        if !(MIN_CHARACTERS..=MAX_CHARACTERS).contains(&found) {
            return Err(PasswordError::Length { found });
        }
        // "the verifier SHALL compare the prospective password against a blocklist that contains known commonly used, expected, or compromised
        // passwords. [...] The entire password SHALL be subject to comparison".
        let lower = text.to_lowercase();
        if is_pattern(&lower) || is_common(&lower) {
            return Err(PasswordError::Common);
        }
        if known.iter().chain(&["durward"]).any(|word| is_little_more_than(&lower, &word.to_lowercase())) {
            return Err(PasswordError::Expected);
        }
        match breached.map(|breached| breached.contains(&sha1(text.as_bytes()))).transpose() {
            Ok(None | Some(false)) => Ok(Self(password)),
            Ok(Some(true)) => Err(PasswordError::Breached),
            Err(BreachedUnavailable) => Err(PasswordError::BreachedUnavailable),
        }
    }

    /// The password.
    pub(super) const fn secret(&self) -> &Secret {
        &self.0
    }
}

fn is_common(lower: &str) -> bool {
    COMMON.lines().any(|common| common == lower)
}

/// One character or a few again and again, or a run of neighbours: `aaaaaaaa`, `abcabcabc`, `23456789`.
fn is_pattern(lower: &str) -> bool {
    let characters: Vec<char> = lower.chars().collect();
    let repeats = |period: usize| characters.iter().zip(characters.iter().skip(period)).all(|(one, other)| one == other);
    let runs = |step: i64| {
        characters.iter().zip(characters.iter().skip(1)).all(|(one, next)| i64::from(u32::from(*next)) - i64::from(u32::from(*one)) == step)
    };
    (1..=characters.len() / 2).take(4).any(repeats) || runs(1) || runs(-1)
}

/// Whether little is left of it without a word.
fn is_little_more_than(lower: &str, word: &str) -> bool {
    word.chars().count() >= SHORTEST_WORD && lower.contains(word) && lower.replace(word, "").chars().count() < REST
}

fn sha1(bytes: &[u8]) -> [u8; 20] {
    digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().try_into().unwrap_or_default()
}
