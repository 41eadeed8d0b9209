use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::testing::seeded;

mod shake128;
use shake128::Shake128;

/// The vectors of the specification, which is licensed CC BY 4.0: <https://c2sp.org/XAES-256-GCM>.
#[test]
fn the_published_vectors_hold() {
    for (key, aad, ciphertext) in [
        ([1; 32], "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
        ([3; 32], "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
    ] {
        let sealer = Sealer::new(&key);
        let sealed = sealer.seal_with(b"ABCDEFGHIJKLMNOPQRSTUVWX", aad.as_bytes(), b"XAES-256-GCM").unwrap();
        assert_eq!(hex::encode(&sealed), ciphertext);
        let opened = sealer.open_with(b"ABCDEFGHIJKLMNOPQRSTUVWX", aad.as_bytes(), &sealed).unwrap();
        assert_eq!(opened.expose(), b"XAES-256-GCM");
    }
}

/// The specification's accumulated vector: 10,000 messages drawn from one SHAKE128 stream, their ciphertexts hashed by another.
#[test]
fn the_published_accumulated_vector_holds() {
    let (mut source, mut sum) = (Shake128::default(), Shake128::default());
    for _ in 0..10_000 {
        let (key, nonce) = (source.array(), source.array());
        let [length] = source.array();
        let plaintext = source.read(length.into());
        let [length] = source.array();
        let aad = source.read(length.into());
        let sealer = Sealer::new(&key);
        let sealed = sealer.seal_with(&nonce, &aad, &plaintext).unwrap();
        assert_eq!(sealer.open_with(&nonce, &aad, &sealed).unwrap().expose(), plaintext);
        sum.write(&sealed);
    }
    assert_eq!(hex::encode(sum.array::<32>()), "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939");
}

/// SEC-005, JOSE-039, SESS-003: flipped, truncated to every length, extended
#[test]
fn no_altered_truncated_or_extended_ciphertext_opens() {
    let (sealer, context, rng) = (Sealer::new(&[1; 32]), Context::new("test"), seeded(1));
    for plaintext in [&b""[..], b"a secret"] {
        let sealed = sealer.seal(&context, plaintext, &rng);
        assert_eq!(sealer.open(&context, &sealed).unwrap().expose(), plaintext);
        for bit in 0..sealed.len() * 8 {
            let mut altered = sealed.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(sealer.open(&context, &altered), Err(OpenError), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert_eq!(sealer.open(&context, &sealed[..length]), Err(OpenError), "{length} bytes");
            assert_eq!(sealer.open(&context, &sealed[sealed.len() - length..]), Err(OpenError), "the last {length} bytes");
        }
        assert_eq!(sealer.open(&context, &[&sealed[..], &[0]].concat()), Err(OpenError));
    }
}

/// SEC-005: moved to another row, column, realm or version, or opened with another key
#[test]
fn a_ciphertext_opens_only_in_its_place_and_under_its_key() {
    let place = |realm: u8, row: u8, column: &str, version: u32| {
        Context::new("signing_key").with([realm; 16]).with([row; 16]).with(column).with(version.to_be_bytes())
    };
    let sealer = Sealer::new(&[1; 32]);
    let sealed = sealer.seal(&place(1, 1, "private", 1), b"key", &seeded(2));
    assert!(sealer.open(&place(1, 1, "private", 1), &sealed).is_ok());
    for other in [place(2, 1, "private", 1), place(1, 2, "private", 1), place(1, 1, "public", 1), place(1, 1, "private", 2)] {
        assert_eq!(sealer.open(&other, &sealed), Err(OpenError));
    }
    assert_eq!(Sealer::new(&[2; 32]).open(&place(1, 1, "private", 1), &sealed), Err(OpenError));
}

/// SEC-004
#[test]
fn sealing_the_same_twice_shares_nothing() {
    let (sealer, context, rng) = (Sealer::new(&[1; 32]), Context::new("test"), seeded(3));
    let sealed: Vec<_> = (0..10_000).map(|_| sealer.seal(&context, b"the same", &rng)).collect();
    assert_eq!(sealed.iter().map(|sealed| &sealed[1..25]).collect::<HashSet<_>>().len(), sealed.len());
    assert_eq!(sealed.iter().map(|sealed| &sealed[25..]).collect::<HashSet<_>>().len(), sealed.len());
}

proptest! {
    #[test]
    fn what_was_sealed_opens(key: [u8; 32], field: Vec<u8>, plaintext: Vec<u8>, seed: u64) {
        let (sealer, context) = (Sealer::new(&key), Context::new("test").with(field));
        let sealed = sealer.seal(&context, &plaintext, &seeded(seed));
        let opened = sealer.open(&context, &sealed).unwrap();
        prop_assert_eq!(opened.expose(), plaintext);
    }

    #[test]
    fn no_input_makes_it_panic(sealed: Vec<u8>) {
        prop_assert!(Sealer::new(&[1; 32]).open(&Context::new("test"), &sealed).is_err());
    }
}
