//! RFC 8265 section 3.3 (UsernameCaseMapped), narrowed: one spelling per person, for looking up and for throttling.

use unicode_normalization::UnicodeNormalization as _;

/// The longest username, in characters.
pub const MAX_CHARACTERS: usize = 128;

/// A username in its one canonical spelling.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Username(String);

/// Why a text is no username.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    /// Nothing, or too much.
    #[error("a username has 1 to {MAX_CHARACTERS} characters")]
    Length,
    /// Spaces, control or invisible characters, or punctuation with a meaning elsewhere.
    #[error("a username has letters, digits and any of - . _ @ +")]
    Characters,
}

impl Username {
    /// The username that a text names: case and compatibility forms (fullwidth letters, ligatures) make no difference, nor do the spaces
    /// that keyboards put at the ends.
    ///
    /// # Errors
    /// What no username can be.
    pub fn parse(text: &str) -> Result<Self, UsernameError> {
        let text = text.trim_matches(' ');
        // Characters of the text are counted before any work is done on them; canonical forms can be longer.
        if text.is_empty() || text.chars().take(MAX_CHARACTERS + 1).count() > MAX_CHARACTERS {
            return Err(UsernameError::Length);
        }
        let once = fold(text);
        let canonical = fold(&once);
        if once != canonical || !canonical.chars().all(|character| character.is_alphanumeric() || "-._@+".contains(character)) {
            return Err(UsernameError::Characters);
        }
        if canonical.chars().count() > MAX_CHARACTERS { Err(UsernameError::Length) } else { Ok(Self(canonical)) }
    }

    /// The canonical spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn fold(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn aliases_of_one_person_are_one_username() {
        for alias in ["alice", "Alice", "ALICE", " alice ", "Ａlice", "\u{ff41}lice"] {
            assert_eq!(Username::parse(alias).unwrap().as_str(), "alice", "{alias}");
        }
        assert_eq!(Username::parse("JOSE\u{301}@Example.com").unwrap().as_str(), "jos\u{e9}@example.com");
    }

    #[test]
    fn what_could_be_taken_for_something_else_is_no_username() {
        for text in ["a b", "a\tb", "a\0b", "alice\n", "al\u{200b}ice", "\u{202e}ecila", "a/b", "a:b", "\"", "<a>", "a,b", "a%b"] {
            assert_eq!(Username::parse(text), Err(UsernameError::Characters), "{text:?}");
        }
        for text in ["", "   ", &"a".repeat(129)] {
            assert_eq!(Username::parse(text), Err(UsernameError::Length));
        }
    }

    proptest! {
        #[test]
        fn a_canonical_username_is_its_own_canonical_form(text in "\\PC{1,40}") {
            if let Ok(username) = Username::parse(&text) {
                prop_assert_eq!(Username::parse(username.as_str()), Ok(username.clone()));
            }
        }
    }
}
