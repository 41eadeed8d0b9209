//! The key on paper: 13 groups of 4 base32 characters and a check character, so that a typing error is found and its group is named.

use durward_base::{Rng, Secret};
use zeroize::Zeroizing;

/// The printed key that opens a `SealedRoot` when the seal key is lost.
pub struct RecoveryKey(Zeroizing<[u8; 32]>);

/// Why a text is no recovery key. No variant repeats what was typed, but for a character that no key contains.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryKeyError {
    /// Characters are missing or too many.
    #[error("a recovery key has {LENGTH} letters and digits, found {found}")]
    Length {
        /// Characters found, without spaces and hyphens.
        found: usize,
    },
    /// A character that no recovery key contains.
    #[error(
        "group {group} contains `{character}`: a recovery key has digits and letters but I, L, O and U (for I and L read 1, for O read 0)"
    )]
    Character {
        /// Counted from 1.
        group: usize,
        /// As typed.
        character: char,
    },
    /// The check character does not match.
    #[error("group {group} is mistyped: compare its {GROUP} characters with the printed key")]
    Group {
        /// Counted from 1.
        group: usize,
    },
    /// Every group is sound and yet no key was ever printed like this.
    #[error("not a recovery key: its last group cannot end like this")]
    NotAKey,
}

impl RecoveryKey {
    /// A new recovery key.
    pub fn generate(rng: &Rng) -> Self {
        Self(Zeroizing::new(rng.bytes()))
    }

    /// The text to print once: 13 groups of 5 characters, with hyphens between them.
    pub fn to_text(&self) -> Secret {
        let bits = self.0.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).chain([0; 4]);
        let bits: Zeroizing<Vec<u8>> = Zeroizing::new(bits.collect());
        let symbols: Zeroizing<Vec<u8>> =
            Zeroizing::new(bits.chunks(5).map(|bits| bits.iter().fold(0, |symbol, bit| symbol << 1 | bit)).collect());
        let mut text = String::with_capacity(LENGTH + LENGTH / GROUP);
        for (index, group) in symbols.chunks(GROUP - 1).enumerate() {
            text.extend((index > 0).then_some('-'));
            text.extend(group.iter().chain([&check(index, group)]).filter_map(|symbol| ALPHABET.chars().nth((*symbol).into())));
        }
        Secret::new(text)
    }

    /// Reads a printed key; letter case, spaces and hyphens do not matter.
    ///
    /// # Errors
    /// `RecoveryKeyError`, which names the group to look at.
    pub fn parse(text: &str) -> Result<Self, RecoveryKeyError> {
        let typed = || text.chars().filter(|c| !c.is_whitespace() && *c != '-');
        let found = typed().take(LENGTH + 1).count();
        let mut symbols = Zeroizing::new(Vec::with_capacity(LENGTH));
        for (position, character) in typed().take(LENGTH).enumerate() {
            let symbol = ALPHABET.chars().position(|c| c == character.to_ascii_uppercase());
            let symbol = symbol.and_then(|symbol| u8::try_from(symbol).ok());
            symbols.push(symbol.ok_or(RecoveryKeyError::Character { group: position / GROUP + 1, character })?);
        }
        if found != LENGTH {
            return Err(RecoveryKeyError::Length { found: typed().count() });
        }
        let mut bits = Zeroizing::new(Vec::with_capacity(LENGTH * 5));
        for (index, group) in symbols.chunks(GROUP).enumerate() {
            let (given, data) = group.split_last().ok_or(RecoveryKeyError::NotAKey)?;
            if *given != check(index, data) {
                return Err(RecoveryKeyError::Group { group: index + 1 });
            }
            bits.extend(data.iter().flat_map(|symbol| (0..5).rev().map(move |bit| symbol >> bit & 1)));
        }
        let (key, unused) = bits.split_at_checked(256).ok_or(RecoveryKeyError::NotAKey)?;
        if unused.contains(&1) {
            return Err(RecoveryKeyError::NotAKey);
        }
        let mut bytes = Zeroizing::new([0; 32]);
        for (byte, bits) in bytes.iter_mut().zip(key.chunks(8)) {
            *byte = bits.iter().fold(0, |byte, bit| byte << 1 | bit);
        }
        Ok(Self(bytes))
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The check character of a group: its place and its symbols as the coefficients of a polynomial over GF(32), at a generator of the
/// field. It changes with any one symbol, with any two neighbours swapped, and with any two groups swapped.
fn check(index: usize, symbols: &[u8]) -> u8 {
    let times_generator = |symbol: u8| if symbol & 16 == 0 { symbol << 1 } else { symbol << 1 ^ 0b100101 };
    let place = (index & 31) as u8;
    times_generator(symbols.iter().fold(place, |sum, symbol| times_generator(sum) ^ symbol))
}

/// Crockford's base32: no I, L, O, U.
const ALPHABET: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUP: usize = 5;
/// 52 characters for 256 bits, and 13 check characters.
const LENGTH: usize = 65;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::seeded;

    fn text(seed: u64) -> String {
        RecoveryKey::generate(&seeded(seed)).to_text().expose().to_owned()
    }

    proptest! {
        #[test]
        fn a_printed_key_reads_back(bytes: [u8; 32]) {
            let key = RecoveryKey(Zeroizing::new(bytes));
            let printed = key.to_text();
            prop_assert_eq!(printed.expose().split('-').map(str::len).collect::<Vec<_>>(), [5; 13]);
            for typed in [printed.expose().to_owned(), printed.expose().to_lowercase(), printed.expose().replace('-', " ") + "\n"] {
                prop_assert_eq!(*RecoveryKey::parse(&typed).unwrap().0, bytes);
            }
        }

        #[test]
        fn no_input_makes_it_panic(text: String) {
            prop_assert!(RecoveryKey::parse(&text).is_err());
        }
    }

    #[test]
    fn every_single_mistyped_character_is_found_in_its_group() {
        let printed = text(1);
        for (position, original) in printed.char_indices().filter(|(_, c)| *c != '-') {
            for other in ALPHABET.chars().filter(|other| *other != original) {
                let mut typed = printed.clone();
                typed.replace_range(position..=position, &other.to_string());
                assert_eq!(RecoveryKey::parse(&typed).err(), Some(RecoveryKeyError::Group { group: position / 6 + 1 }));
            }
        }
    }

    #[test]
    fn swapped_neighbours_and_swapped_groups_are_found() {
        let printed = text(2);
        let characters: Vec<char> = printed.chars().collect();
        for position in 1..characters.len() {
            let mut typed = characters.clone();
            typed.swap(position - 1, position);
            if typed[position - 1] != '-' && typed[position] != '-' && typed != characters {
                let error = RecoveryKey::parse(&typed.iter().collect::<String>()).err();
                assert_eq!(error, Some(RecoveryKeyError::Group { group: position / 6 + 1 }));
            }
        }
        for first in 0..12 {
            let mut groups: Vec<&str> = printed.split('-').collect();
            groups.swap(first, first + 1);
            assert_eq!(RecoveryKey::parse(&groups.join("-")).err(), Some(RecoveryKeyError::Group { group: first + 1 }));
        }
    }

    #[test]
    fn ambiguous_letters_and_wrong_lengths_are_refused_and_named() {
        let printed = text(3);
        for character in ['I', 'l', 'O', 'u', '!', 'é'] {
            let typed = format!("{}{character}{}", &printed[..6], &printed[7..]);
            assert_eq!(RecoveryKey::parse(&typed).err(), Some(RecoveryKeyError::Character { group: 2, character }));
        }
        assert_eq!(RecoveryKey::parse(&printed[1..]).err(), Some(RecoveryKeyError::Length { found: 64 }));
        assert_eq!(RecoveryKey::parse(&format!("{printed}0")).err(), Some(RecoveryKeyError::Length { found: 66 }));
        assert_eq!(RecoveryKey::parse("").err(), Some(RecoveryKeyError::Length { found: 0 }));
    }

    #[test]
    fn a_text_with_bits_no_key_has_is_refused() {
        let mut symbols = vec![0; 4];
        symbols[3] = 1;
        let last: String =
            symbols.iter().chain([&check(12, &symbols)]).filter_map(|symbol| ALPHABET.chars().nth((*symbol).into())).collect();
        let zeros = RecoveryKey(Zeroizing::new([0; 32])).to_text();
        let typed = format!("{}{last}", &zeros.expose()[..zeros.expose().len() - 5]);
        assert_eq!(RecoveryKey::parse(&typed).err(), Some(RecoveryKeyError::NotAKey));
    }

    #[test]
    fn an_error_does_not_repeat_the_key() {
        let printed = text(4);
        let mistyped = printed.replacen(&printed[..1], if printed.starts_with('0') { "1" } else { "0" }, 1);
        let message = RecoveryKey::parse(&mistyped).unwrap_err().to_string();
        assert!(!printed.split('-').any(|group| message.contains(group)), "{message}");
    }
}
