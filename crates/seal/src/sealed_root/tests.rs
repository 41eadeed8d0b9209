use super::*;
use crate::testing::seeded;
use crate::{Purpose, Sealer};

fn same(left: &RootKey, right: &RootKey) -> bool {
    *left.0 == *right.0
}

#[test]
fn either_key_opens_the_root_after_it_was_stored() {
    let new = SealedRoot::create(&seeded(1));
    let stored = SealedRoot::from_bytes(&new.sealed.to_bytes()).unwrap();
    let seal_key = SealKey::from_bytes(new.seal_key.expose()).unwrap();
    let recovery_key = RecoveryKey::parse(new.recovery_key.to_text().expose()).unwrap();
    let by_seal = stored.open_with_seal(&seal_key).unwrap();
    let by_recovery = stored.open_with_recovery(&recovery_key).unwrap();
    assert!(same(&by_seal, &by_recovery));
    assert_eq!(stored.to_bytes().len(), LENGTH);
}

#[test]
fn a_new_seal_key_replaces_the_old_one_and_leaves_the_recovery_key() {
    let rng = seeded(2);
    let new = SealedRoot::create(&rng);
    let root = new.sealed.open_with_recovery(&new.recovery_key).unwrap();
    let replacement = SealKey::generate(&rng);
    let resealed = new.sealed.reseal(&root, &replacement, &rng).unwrap();
    assert!(same(&resealed.open_with_seal(&replacement).unwrap(), &root));
    assert!(same(&resealed.open_with_recovery(&new.recovery_key).unwrap(), &root));
    assert!(matches!(resealed.open_with_seal(&new.seal_key), Err(SealedRootError::AnotherKey { recipient: "seal", .. })));
}

#[test]
fn a_new_recovery_key_replaces_the_old_one_and_leaves_the_seal_key() {
    let rng = seeded(7);
    let new = SealedRoot::create(&rng);
    let root = new.sealed.open_with_seal(&new.seal_key).unwrap();
    let (renewed, recovery_key) = new.sealed.renew_recovery(&root, &rng).unwrap();
    assert!(same(&renewed.open_with_recovery(&recovery_key).unwrap(), &root));
    assert!(same(&renewed.open_with_seal(&new.seal_key).unwrap(), &root));
    assert!(matches!(renewed.open_with_recovery(&new.recovery_key), Err(SealedRootError::AnotherKey { recipient: "recovery", .. })));
}

#[test]
fn another_root_is_not_sealed_into_this_ones_place() {
    let rng = seeded(3);
    let (one, other) = (SealedRoot::create(&rng), SealedRoot::create(&rng));
    let root = other.sealed.open_with_seal(&other.seal_key).unwrap();
    assert_eq!(one.sealed.reseal(&root, &one.seal_key, &rng), Err(SealedRootError::AnotherRoot));
    assert!(matches!(one.sealed.renew_recovery(&root, &rng), Err(SealedRootError::AnotherRoot)));
}

/// FLT-027: the wrong key
#[test]
fn the_keys_of_another_root_are_named_as_such() {
    let rng = seeded(4);
    let (one, other) = (SealedRoot::create(&rng), SealedRoot::create(&rng));
    let error = one.sealed.open_with_seal(&other.seal_key).unwrap_err();
    assert!(matches!(&error, SealedRootError::AnotherKey { recipient: "seal", expected, given } if expected != given), "{error}");
    let error = one.sealed.open_with_recovery(&other.recovery_key).unwrap_err();
    assert!(matches!(error, SealedRootError::AnotherKey { recipient: "recovery", .. }), "{error}");
}

/// FLT-006, FLT-027, SEC-005: torn and tampered
#[test]
fn no_flipped_bit_and_no_missing_or_added_byte_goes_unnoticed() {
    let new = SealedRoot::create(&seeded(5));
    let bytes = new.sealed.to_bytes();
    let opens = |bytes: &[u8]| {
        let sealed = SealedRoot::from_bytes(bytes)?;
        sealed.open_with_seal(&new.seal_key).and(sealed.open_with_recovery(&new.recovery_key)).map(drop)
    };
    assert_eq!(opens(&bytes), Ok(()));
    for bit in 0..bytes.len() * 8 {
        let mut altered = bytes.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert!(opens(&altered).is_err(), "bit {bit}");
    }
    for length in 0..bytes.len() {
        assert_eq!(opens(&bytes[..length]), Err(SealedRootError::NotASealedRoot { found: length }));
    }
    assert_eq!(opens(&[&bytes[..], &[0]].concat()), Err(SealedRootError::NotASealedRoot { found: LENGTH + 1 }));
}

#[test]
fn the_two_recipients_do_not_stand_in_for_each_other() {
    let new = SealedRoot::create(&seeded(6));
    let swapped = SealedRoot { seal: new.sealed.recovery.clone(), recovery: new.sealed.seal.clone(), ..new.sealed.clone() };
    let as_seal = SealKey::from_bytes(new.recovery_key.expose()).unwrap();
    assert_eq!(swapped.open_with_seal(&as_seal).err(), Some(SealedRootError::Damaged));
}

#[test]
fn a_later_version_is_refused_by_its_number() {
    let mut bytes = SealedRoot::create(&seeded(7)).sealed.to_bytes();
    bytes[MAGIC.len()] = 2;
    assert_eq!(SealedRoot::from_bytes(&bytes), Err(SealedRootError::Version(2)));
}

#[test]
fn a_seal_key_is_32_bytes_and_not_zeros() {
    for found in [0, 31, 33] {
        assert_eq!(SealKey::from_bytes(&vec![1; found]).err(), Some(SealKeyError::Length { found }));
    }
    assert_eq!(SealKey::from_bytes(&[0; 32]).err(), Some(SealKeyError::Zero));
}

#[test]
fn no_key_prints() {
    let new = SealedRoot::create(&seeded(8));
    let root = new.sealed.open_with_seal(&new.seal_key).unwrap();
    let derived = root.derive(Purpose::Secret, None);
    let sealer: Sealer = derived.sealer();
    let hashers = (crate::HandleKeys::from_root(&root), crate::StateKeys::from_root(&root), crate::SecretHasher::from_root(&root));
    let shown = format!("{:?} {:?} {root:?} {derived:?} {sealer:?} {hashers:?}", new.seal_key, new.recovery_key);
    assert_eq!(shown, "SealKey(…) RecoveryKey(…) RootKey(…) DerivedKey(…) Sealer(…) (HandleKeys(…), StateKeys(…), SecretHasher(…))");
}
