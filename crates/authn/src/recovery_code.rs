//! NIST SP 800-63B section 3.1.2: look-up secrets. Codes to keep on paper, each good once, for whoever has lost their second factor.

use durward_base::{Rng, Secret};

/// How many a person is given at once.
pub const COUNT: usize = 10;

/// One code: 80 random bits.
#[derive(Debug, Clone)]
pub struct RecoveryCode(Secret);

impl RecoveryCode {
    /// A new one.
    pub fn generate(rng: &Rng) -> Self {
        let letter = |byte: u8| ALPHABET.get(usize::from(byte & 31)).copied().map(char::from);
        Self(Secret::new(rng.bytes::<LENGTH>().into_iter().filter_map(letter).collect::<String>()))
    }

    /// Reads what was typed: hyphens, spaces and capitals make no difference. None for what cannot be one.
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.len() > MAX_TYPED {
            return None;
        }
        let letters: String =
            typed.chars().filter(|letter| !matches!(letter, ' ' | '-')).map(|letter| letter.to_ascii_lowercase()).collect();
        let is_code = letters.len() == LENGTH && letters.bytes().all(|letter| ALPHABET.contains(&letter));
        is_code.then(|| Self(Secret::new(letters)))
    }

    /// Its canonical spelling, to be hashed.
    pub const fn canonical(&self) -> &Secret {
        &self.0
    }

    /// As people read it: `abcd-efgh-jkmn-pqrs`.
    pub fn to_text(&self) -> Secret {
        let groups: Vec<&str> = self.0.expose().as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
        Secret::new(groups.join("-"))
    }
}

const LENGTH: usize = 16;
const MAX_TYPED: usize = 64;
/// Without `i`, `l`, `o` and `u`, which are read as others.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

#[cfg(test)]
mod tests {
    use super::*;
    use durward_base::{Entropy, EntropyError};

    struct Counting;

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            bytes.iter_mut().zip(10..).for_each(|(byte, count)| *byte = count);
            Ok(())
        }
    }

    /// MFA-012
    #[test]
    fn a_code_is_read_however_it_is_typed_and_nothing_else_is() {
        let code = RecoveryCode::generate(&Rng::new(Counting));
        assert_eq!(code.to_text().expose(), "abcd-efgh-jkmn-pqrs");
        for typed in ["abcd-efgh-jkmn-pqrs", "ABCDEFGHJKMNPQRS", " abcd efgh jkmn pqrs "] {
            assert_eq!(RecoveryCode::parse(typed).unwrap().canonical(), code.canonical(), "{typed}");
        }
        for typed in ["", "abcd-efgh-jkmn", "abcd-efgh-jkmn-pqrss", "abcd-efgh-jkmn-pqru", "abcd_efgh_jkmn_pqrs", &"-".repeat(100)] {
            assert!(RecoveryCode::parse(typed).is_none(), "{typed}");
        }
        assert!(!format!("{code:?}").contains("abcd"));
    }
}
