//! Attacks on encrypted tokens.

use std::time::Instant;

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use durward_base::base64url;
use durward_jose::{
    Algorithm, ContentEncryption, DecryptionKey, EncryptedJwt, EncryptionKey, Jwk, KeyManagement, SigningKey, UnverifiedJwt,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::outcome;

#[test]
fn what_is_encrypted_to_a_key_is_opened_by_it_and_by_no_other() {
    for algorithm in KeyManagement::ALL {
        let (key, other) = (DecryptionKey::generate(algorithm).unwrap(), DecryptionKey::generate(algorithm).unwrap());
        let stored = DecryptionKey::from_pkcs8(algorithm, key.to_pkcs8().expose()).unwrap();
        assert_eq!((stored.jwk(), stored.kid()), (key.jwk(), key.kid()));
        for encryption in ContentEncryption::ALL {
            let token = encrypt(&key, encryption, "e30.e30.AA");
            let encrypted = EncryptedJwt::parse(&token).unwrap();
            assert_eq!(encrypted.kid(), Some(key.kid()));
            assert_eq!(encrypted.decrypt(&stored).as_deref(), Ok("e30.e30.AA"), "{algorithm} {encryption}");
            assert_eq!(outcome(encrypted.decrypt(&other)), "decryption_failed", "{algorithm} {encryption}");
            assert!(EncryptedJwt::looks_like(&token) && !EncryptedJwt::looks_like("e30.e30.AA"));
        }
    }
}

#[test]
fn every_mutation_of_an_encrypted_token_is_refused() {
    for (algorithm, encryption) in
        [(KeyManagement::EcdhEs, ContentEncryption::A128CbcHs256), (KeyManagement::EcdhEsA256Kw, ContentEncryption::A256Gcm)]
    {
        let key = DecryptionKey::generate(algorithm).unwrap();
        let token = encrypt(&key, encryption, "e30.e30.AA");
        let accepted = |token: &str| EncryptedJwt::parse(token).and_then(|token| token.decrypt(&key)).is_ok();
        assert!(accepted(&token));
        for end in 0..token.len() {
            assert!(!accepted(&token[..end]), "JOSE-052 cut to {end}");
        }
        for more in ["A", "AA", "=", ".", " ", "\n", "\0"] {
            assert!(!accepted(&format!("{token}{more}")), "JOSE-052 with {more:?}");
        }
        for (place, bit) in (0..token.len()).flat_map(|place| (0..7).map(move |bit| (place, bit))) {
            let mut bytes = token.as_bytes().to_vec();
            bytes[place] ^= 1 << bit;
            assert!(!accepted(&String::from_utf8(bytes).unwrap()), "JOSE-052 bit {bit} of byte {place}");
        }
    }
}

#[test]
fn a_tag_that_is_short_long_or_all_zero_is_no_tag() {
    for encryption in ContentEncryption::ALL {
        let key = DecryptionKey::generate(KeyManagement::EcdhEs).unwrap();
        let token = encrypt(&key, encryption, "e30.e30.AA");
        let (rest, tag) = token.rsplit_once('.').unwrap();
        let tag = base64url::decode(tag).unwrap();
        let truncated = [1, 4, 8, 12, tag.len() - 1].map(|length| tag[..length].to_vec());
        for wrong in truncated.into_iter().chain([vec![0; tag.len()], [tag.as_slice(), &[0]].concat()]) {
            let token = format!("{rest}.{}", base64url::encode(&wrong));
            assert_eq!(outcome(EncryptedJwt::parse(&token).unwrap().decrypt(&key)), "decryption_failed", "JOSE-039 {encryption}");
        }
        assert_eq!(outcome(EncryptedJwt::parse(&format!("{rest}."))), "not_compact", "JOSE-039 {encryption}");
    }
}

#[test]
fn headers_get_what_the_standard_says() {
    let key = DecryptionKey::generate(KeyManagement::EcdhEs).unwrap();
    let token = encrypt(&key, ContentEncryption::A128Gcm, "e30.e30.AA");
    let (protected, rest) = token.split_once('.').unwrap();
    let good: Value = serde_json::from_slice(&base64url::decode(protected).unwrap()).unwrap();
    let with = |member: &str, value: Value| {
        let mut header = good.clone();
        header[member] = value;
        header
    };
    let mut without = good.clone();
    without.as_object_mut().unwrap().remove("epk");
    let p384 = json!({"kty": "EC", "crv": "P-384", "x": "A".repeat(64), "y": "A".repeat(64)});
    for (id, header, expected) in [
        ("JOSE-036", with("alg", json!("PBES2-HS256+A128KW")), "alg_unsupported"),
        ("JOSE-036", with("p2c", json!(2_147_483_647)), "decryption_failed"),
        ("RFC 8725 3.2", with("alg", json!("RSA1_5")), "alg_unsupported"),
        ("RFC 7518 4.5", with("alg", json!("dir")), "alg_unsupported"),
        ("RFC 8725 3.1", with("alg", json!("ECDH-ES+A128KW")), "alg_mismatch"),
        ("R5", with("alg", json!(["ECDH-ES"])), "header_member_invalid"),
        ("R5", with("enc", json!("none")), "alg_unsupported"),
        ("R5", with("enc", json!("a128gcm")), "alg_unsupported"),
        ("RFC 8725 3.6", with("zip", json!("DEF")), "header_member_forbidden"),
        ("JOSE-015", with("crit", json!(["exp"])), "crit_unsupported"),
        ("JOSE-037", without, "decryption_failed"),
        ("JOSE-037", with("epk", p384), "decryption_failed"),
        ("JOSE-037", with("epk", json!({"kty": "EC", "crv": "P-256"})), "key_member_invalid"),
        ("JOSE-037", with("epk", json!(null)), "not_json"),
        ("R5", with("apu", json!("A")), "not_base64url"),
        ("R5", with("apv", json!("QQ")), "decryption_failed"),
        ("R5", with("apv", json!("QR")), "not_base64url"),
        ("R5", with("kid", json!(7)), "header_member_invalid"),
    ] {
        let token = format!("{}.{rest}", base64url::encode(header.to_string().as_bytes()));
        let result = EncryptedJwt::parse(&token).and_then(|token| token.decrypt(&key));
        assert_eq!(outcome(result), expected, "{id} {header}");
    }
}

#[test]
fn a_point_off_the_curve_agrees_on_nothing() {
    let key = DecryptionKey::generate(KeyManagement::EcdhEs).unwrap();
    let token = encrypt(&key, ContentEncryption::A128Gcm, "e30.e30.AA");
    let (_, rest) = token.split_once('.').unwrap();
    let own = PrivateKey::generate(&ECDH_P256).unwrap();
    let point = own.compute_public_key().unwrap().as_ref()[1..].to_vec();
    let mut moved = point.clone();
    moved[63] ^= 1;
    for (what, x, y) in
        [("moved", &moved[..32], &moved[32..]), ("the origin", &[0; 32][..], &[0; 32][..]), ("swapped", &point[32..], &point[..32])]
    {
        let epk = json!({"kty": "EC", "crv": "P-256", "x": base64url::encode(x), "y": base64url::encode(y)});
        let header = json!({"alg": "ECDH-ES", "enc": "A128GCM", "epk": epk}).to_string();
        let token = format!("{}.{rest}", base64url::encode(header.as_bytes()));
        assert_eq!(outcome(EncryptedJwt::parse(&token).unwrap().decrypt(&key)), "decryption_failed", "JOSE-037 {what}");
        let jwk = Jwk::try_from(epk).unwrap();
        assert_eq!(outcome(EncryptionKey::from_jwk(&jwk, KeyManagement::EcdhEs)), "key_member_invalid", "JOSE-037 {what}");
    }
}

/// RFC 7748 section 6.1: both MUST check whether the shared secret is the all-zero value.
#[test]
fn nothing_is_encrypted_to_a_point_of_small_order() {
    for first in [0_u8, 1] {
        let x: Vec<u8> = std::iter::once(first).chain([0; 31]).collect();
        let jwk = Jwk::try_from(json!({"kty": "OKP", "crv": "X25519", "x": base64url::encode(&x)})).unwrap();
        let result = EncryptionKey::from_jwk(&jwk, KeyManagement::EcdhEs).and_then(|key| key.encrypt(ContentEncryption::A128Gcm, "e30"));
        assert!(result.is_err(), "JOSE-037 X25519 {first}");
    }
}

#[test]
fn a_key_for_something_else_is_not_encrypted_to() {
    let jwk = serde_json::to_value(DecryptionKey::generate(KeyManagement::EcdhEs).unwrap().jwk()).unwrap();
    let with = |member: &str, value: Value| {
        let mut jwk = jwk.clone();
        jwk[member] = value;
        jwk
    };
    let rsa = serde_json::to_value(DecryptionKey::generate(KeyManagement::RsaOaep256).unwrap().jwk()).unwrap();
    let signing = serde_json::to_value(SigningKey::generate(Algorithm::ES256).unwrap().jwk()).unwrap();
    for (jwk, algorithm, expected) in [
        (jwk.clone(), KeyManagement::EcdhEs, "accepted"),
        (with("key_ops", json!(["deriveBits"])), KeyManagement::EcdhEs, "accepted"),
        (with("key_ops", json!([])), KeyManagement::EcdhEs, "accepted"),
        (with("key_ops", json!(["verify"])), KeyManagement::EcdhEs, "key_purpose"),
        (with("use", json!("sig")), KeyManagement::EcdhEs, "key_purpose"),
        (jwk.clone(), KeyManagement::EcdhEsA128Kw, "key_unsupported"),
        (jwk, KeyManagement::RsaOaep256, "key_unsupported"),
        (rsa.clone(), KeyManagement::RsaOaep256, "accepted"),
        (rsa, KeyManagement::EcdhEs, "key_unsupported"),
        (signing, KeyManagement::EcdhEs, "key_purpose"),
    ] {
        assert_eq!(outcome(EncryptionKey::from_jwk(&Jwk::try_from(jwk.clone()).unwrap(), algorithm)), expected, "{jwk} {algorithm}");
    }
}

#[test]
fn what_is_inside_counts_for_nothing_until_its_own_signature_does() {
    let key = DecryptionKey::generate(KeyManagement::EcdhEs).unwrap();
    let unsigned = format!("{}.{}.", base64url::encode(br#"{"alg":"none"}"#), base64url::encode(br#"{"sub":"root"}"#));
    for inside in [r#"{"sub":"root"}"#, &unsigned, "e30.e30.AA"] {
        let token = encrypt(&key, ContentEncryption::A256Gcm, inside);
        let opened = EncryptedJwt::parse(&token).unwrap().decrypt(&key).unwrap();
        assert!(UnverifiedJwt::parse(&opened).is_err(), "JOSE-034 {inside}");
        assert_eq!(outcome(UnverifiedJwt::parse(&token)), "not_compact", "JOSE-034 the wrapping itself");
    }
}

#[test]
fn a_text_that_is_not_five_segments_is_no_encrypted_token() {
    let start = Instant::now();
    for (id, token, expected) in [
        ("JOSE-040", ".".repeat(1_000_000), "too_long"),
        ("JOSE-040", ".".repeat(32_768), "not_compact"),
        ("JOSE-040", "A".repeat(32_769), "too_long"),
        ("JOSE-040", "....".to_owned(), "not_compact"),
        ("JOSE-040", "e30...".to_owned(), "not_compact"),
        ("JOSE-040", "e30..AA.AA.AA".to_owned(), "header_member_invalid"),
        ("JOSE-040", "e30..AA.AA.AA.AA".to_owned(), "not_compact"),
        ("JOSE-040", "e30.e30.AA".to_owned(), "not_compact"),
        ("JOSE-040", "e30=..AA.AA.AA".to_owned(), "not_base64url"),
        ("JOSE-040", "AA..AA.AA.AA".to_owned(), "not_json"),
    ] {
        assert_eq!(outcome(EncryptedJwt::parse(&token)), expected, "{id} {token:.40}");
    }
    assert!(start.elapsed().as_secs() < 2);
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,200}", header in ".{0,60}", parts in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = EncryptedJwt::parse(&text);
        let part = base64url::encode(&parts);
        let _ = EncryptedJwt::parse(&format!("{}.{part}.{part}.{part}.{part}", base64url::encode(header.as_bytes())));
    }
}

fn encrypt(key: &DecryptionKey, encryption: ContentEncryption, token: &str) -> String {
    EncryptionKey::from_jwk(&key.jwk(), key.algorithm()).unwrap().encrypt(encryption, token).unwrap()
}
