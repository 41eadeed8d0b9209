use super::*;

/// SHA-1 of "tr0ub4dor&3 again", as it would stand in a published list.
struct Known([u8; 20]);

impl Breached for Known {
    fn contains(&self, sha1: &[u8; 20]) -> Result<bool, BreachedUnavailable> {
        Ok(self.0 == *sha1)
    }
}

struct Unreadable;

impl Breached for Unreadable {
    fn contains(&self, _: &[u8; 20]) -> Result<bool, BreachedUnavailable> {
        Err(BreachedUnavailable)
    }
}

fn choose(password: &str) -> Result<(), PasswordError> {
    NewPassword::choose(Secret::new(password), &["alice", "main", "Harbour Shop"], None).map(|_| ())
}

/// LOGIN-004
#[test]
fn what_everybody_would_try_first_may_not_be_set() {
    for password in ["password", "PASSWORD123", "P@ssw0rd", "qwertyuiop", "iloveyou", "Summer2025", "CorrectHorseBatteryStaple"] {
        assert_eq!(choose(password), Err(PasswordError::Common), "{password}");
    }
    for password in ["aaaaaaaa", "abababab", "abcabcabc", "12341234", "xyzwxyzwxyzw", "23456789", "hgfedcba", "ÄÄÄÄÄÄÄÄÄ"] {
        assert_eq!(choose(password), Err(PasswordError::Common), "{password}");
    }
    for password in ["alice123", "Alice-2024", "alicealice", "2024alice!", "main-main", "Harbour Shop 1", "durward1", "Durward!!"] {
        assert_eq!(choose(password), Err(PasswordError::Expected), "{password}");
    }
}

#[test]
fn any_other_of_eight_to_256_characters_may() {
    for password in [
        "correct horse battery",
        "x7#kQ2!m",
        "nur kleine buchstaben",
        "alice likes her boat",
        "mainstreet-89",
        "73914628",
        "🔑🗝🔒🔓🔐🔏🚪🏠",
    ] {
        assert_eq!(choose(password), Ok(()), "{password}");
    }
    assert_eq!(choose("seven 7"), Err(PasswordError::Length { found: 7 }));
    assert_eq!(choose(&"long enough ".repeat(50)), Err(PasswordError::Length { found: 257 }));
}

/// LOGIN-004: leaked pairs.
#[test]
fn a_breached_password_may_not_be_set_in_any_normal_form_and_none_may_when_nobody_can_tell() {
    let known = Known(sha1("café au lait 7".as_bytes()));
    for (password, outcome) in [
        ("caf\u{e9} au lait 7", Err(PasswordError::Breached)),
        ("cafe\u{301} au lait 7", Err(PasswordError::Breached)),
        ("caf\u{e9} au lait 8", Ok(())),
    ] {
        assert_eq!(NewPassword::choose(Secret::new(password), &[], Some(&known)).map(|_| ()), outcome);
    }
    let unread = NewPassword::choose(Secret::new("correct horse battery"), &[], Some(&Unreadable));
    assert_eq!(unread.map(|_| ()), Err(PasswordError::BreachedUnavailable));
}

#[test]
fn digests_are_those_that_are_published() {
    assert_eq!(sha1(b"password")[..4], [0x5b, 0xaa, 0x61, 0xe4]);
}

#[test]
fn the_list_is_sorted_in_lower_case_and_of_words_long_enough() {
    let lines: Vec<_> = COMMON.lines().collect();
    assert!(lines.is_sorted() && lines.iter().all(|line| line.to_lowercase() == *line && line.chars().count() >= MIN_CHARACTERS));
}
