use durward_base::{Entropy, EntropyError, Rng, Secret};

use super::*;

struct Sevens;

impl Entropy for Sevens {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(7);
        Ok(())
    }
}

fn chosen(password: &str) -> Result<NewPassword, PasswordError> {
    NewPassword::choose(Secret::new(password), &[], None)
}

fn hashed(password: &str) -> String {
    hash(&chosen(password).unwrap(), &Rng::new(Sevens)).unwrap()
}

fn verifies(password: &str, stored: &str) -> bool {
    verify(&Secret::new(password), stored).unwrap()
}

#[test]
fn a_password_verifies_against_its_own_hash_alone() {
    let stored = hashed("correct horse battery staple");
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    assert!(verifies("correct horse battery staple", &stored));
    for wrong in ["correct horse battery stapl", "correct horse battery staple ", "Correct horse battery staple", ""] {
        assert!(!verifies(wrong, &stored), "{wrong:?}");
    }
}

/// LOGIN-007: nothing is cut off, at 72 bytes or at a NUL.
#[test]
fn passwords_that_differ_only_late_differ() {
    let long = "x".repeat(200);
    assert!(!verifies(&format!("{long}b"), &hashed(&format!("{long}a"))));
    assert!(!verifies("before\0after-2", &hashed("before\0after-1")));
}

/// LOGIN-008: NFC at set and at verify, and nothing more.
#[test]
fn the_same_characters_in_another_normal_form_are_the_same_password() {
    let composed = hashed("caf\u{e9} au lait");
    assert!(verifies("cafe\u{301} au lait", &composed));
    assert!(verifies("🔑🗝🔒🔓🔐🔏🚪🏠", &hashed("🔑🗝🔒🔓🔐🔏🚪🏠")));
    assert!(!verifies("caf\u{e9} au lait ", &composed), "a trailing space counts");
    assert!(!verifies("ｃａｆé au lait", &composed), "fullwidth letters are other letters");
}

/// LOGIN-006: lengths are checked before anything is hashed.
#[test]
fn lengths_are_bounded_before_hashing() {
    let rng = Rng::new(Sevens);
    for (length, fits) in [(7, false), (8, true), (256, true), (257, false), (1_000_000, false)] {
        let password: String = "é, ö und ü".chars().cycle().take(length).collect();
        assert_eq!(chosen(&password).is_ok_and(|chosen| hash(&chosen, &rng).is_ok()), fits, "{length}");
    }
    assert!(!verifies(&"a".repeat(1_000_000), "not even looked at"));
}

/// LOGIN-006: a stored hash is no order to take memory.
#[test]
fn a_stored_hash_that_is_corrupt_or_asks_too_much_is_an_error() {
    let tail = "$ZHVyd2FyZCBub2JvZHkgMQ$q3VqjB1mC8s2rJm0o1k5nC7o0pQe5mZtq0cX8y7u9lE";
    for (stored, error) in [
        (format!("$argon2id$v=19$m=4194304,t=2,p=1{tail}"), StoredHashError::TooCostly),
        (format!("$argon2id$v=19$m=4294967295,t=2,p=1{tail}"), StoredHashError::TooCostly),
        (format!("$argon2id$v=19$m=19456,t=4000000,p=1{tail}"), StoredHashError::TooCostly),
        (format!("$argon2id$v=19$m=19456,t=2,p=200{tail}"), StoredHashError::TooCostly),
        (format!("$argon2i$v=19$m=19456,t=2,p=1{tail}"), StoredHashError::Malformed),
        ("$argon2id$v=19$m=19456,t=2,p=1$ZHVyd2FyZCBub2JvZHkgMQ".to_owned(), StoredHashError::Malformed),
        ("pässword".to_owned(), StoredHashError::Malformed),
        (String::new(), StoredHashError::Malformed),
    ] {
        assert_eq!(verify(&Secret::new("swordfish"), &stored), Err(error), "{stored}");
    }
}

#[test]
fn the_dummy_costs_what_a_real_hash_costs_and_is_nobodys() {
    let dummy = PasswordHash::new(dummy_hash()).unwrap();
    let real = hashed("swordfish and chips");
    let real = PasswordHash::new(&real).unwrap();
    assert_eq!((dummy.algorithm, dummy.version, &dummy.params), (real.algorithm, real.version, &real.params));
    assert_eq!(dummy.hash.unwrap().len(), real.hash.unwrap().len());
    assert!(!verifies("swordfish", dummy_hash()));
}
