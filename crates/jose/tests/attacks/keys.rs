//! Attacks on keys and key sets.

use durward_base::base64url;
use durward_jose::{Algorithm, HmacKey, Jwk, JwkSet, SigningKey, VerifyingKey};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::outcome;

#[test]
fn a_short_hmac_secret_is_no_key() {
    for (id, length) in [("JOSE-004", 0), ("JOSE-005", 1), ("JOSE-005", 16), ("JOSE-005", 31)] {
        assert_eq!(outcome(HmacKey::new("kid", &vec![7; length])), "hmac_key_too_short", "{id}");
    }
    assert!(HmacKey::new("kid", &[7; 32]).is_ok());
    for (algorithm, needed) in Algorithm::SYMMETRIC.into_iter().zip([32, 48, 64]) {
        let of = |length| HmacKey::of(algorithm, "kid", &vec![7; length]);
        assert_eq!(outcome(of(needed - 1)), "hmac_key_too_short", "JOSE-005 {algorithm}");
        assert_eq!(of(needed).unwrap().algorithm(), algorithm);
    }
    assert_eq!(outcome(HmacKey::of(Algorithm::RS256, "kid", &[7; 64])), "alg_mismatch", "JOSE-003");
}

#[test]
fn one_bad_key_refuses_the_whole_set() {
    let key = |kid: &str| json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": kid});
    let with = |member: &str| {
        let mut key = key("b");
        key[member] = json!("AA");
        key
    };
    let rows = [
        ("JOSE-011", json!({"keys": [key("a"), key("a")]}), "kid_duplicate"),
        ("JOSE-011", json!({"keys": [key("a"), with("d")]}), "key_not_public"),
        ("JOSE-011", json!({"keys": [key("a"), with("p")]}), "key_not_public"),
        ("JOSE-011", json!({"keys": [key("a"), with("qi")]}), "key_not_public"),
        ("JOSE-011", json!({"keys": [key("a"), with("k")]}), "key_not_public"),
        ("JOSE-011", json!({"keys": [key("a"), {"kty": "oct", "kid": "b"}]}), "key_not_public"),
        ("JOSE-011", json!({"keys": [key("a"), {"kty": "EC", "d": null}]}), "key_not_public"),
        ("JOSE-019", json!({"keys": (0..17).map(|n| key(&n.to_string())).collect::<Vec<_>>()}), "too_many_keys"),
        ("JOSE-019", json!({"keys": [], "padding": "A".repeat(64 * 1024)}), "not_json"),
        ("R5", json!({}), "key_member_invalid"),
        ("R5", json!({"keys": {}}), "key_member_invalid"),
        ("R5", json!({"keys": ["AA"]}), "not_json"),
        ("R5", json!({"keys": [{"kid": "a"}]}), "key_member_invalid"),
        ("R5", json!({"keys": [{"kty": "EC", "kid": 7}]}), "key_member_invalid"),
        ("R5", json!({"keys": [{"kty": "EC", "key_ops": "verify"}]}), "key_member_invalid"),
        ("R5", json!([]), "not_json"),
    ];
    for (id, set, expected) in rows {
        let text = set.to_string();
        assert_eq!(outcome(JwkSet::parse(text.as_bytes())), expected, "{id} {text:.80}");
    }
    let twice = br#"{"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "x": "AB"}]}"#;
    assert_eq!(outcome(JwkSet::parse(twice)), "not_json", "R5 a member twice");
    assert!(JwkSet::parse(json!({"keys": [key("a"), key("b")]}).to_string().as_bytes()).is_ok());
}

#[test]
fn keys_that_could_be_forged_for_are_refused() {
    let wycheproof: Value = serde_json::from_str(include_str!("../vectors/wycheproof/json_web_key_test.json")).unwrap();
    let group = |comment: &str| {
        let groups = wycheproof["testGroups"].as_array().unwrap();
        groups.iter().find(|group| group["comment"] == comment).unwrap()["public"]["keys"][0].clone()
    };
    let strong = serde_json::to_value(SigningKey::generate(Algorithm::RS256).unwrap().jwk()).unwrap();
    let modulus = base64url::decode(strong["n"].as_str().unwrap()).unwrap();
    let with = |member: &str, bytes: &[u8]| {
        let mut key = strong.clone();
        key[member] = base64url::encode(bytes).into();
        key
    };
    let even = [&modulus[..255], &[modulus[255] & 0xfe]].concat();
    let rows = [
        ("1024 bits", group("keysize_too_small"), "key_weak"),
        ("2047 bits", with("n", &[&[0x7f], &modulus[1..]].concat()), "key_weak"),
        ("e = 1", group("exponentOne"), "key_weak"),
        ("e = 2", with("e", &[2]), "key_weak"),
        ("e = 3", with("e", &[3]), "key_weak"),
        ("e = 65536", with("e", &[1, 0, 0]), "key_weak"),
        ("e = 2^32 + 1", with("e", &[1, 0, 0, 0, 1]), "key_weak"),
        ("e = 0", with("e", &[]), "key_weak"),
        ("e with a leading zero", with("e", &[0, 1, 0, 1]), "key_weak"),
        ("even modulus", with("n", &even), "key_weak"),
        ("modulus with a leading zero", with("n", &[&[0], modulus.as_slice()].concat()), "key_weak"),
        ("ROCA", group("jws_rsa_roca_key"), "key_weak"),
        ("16384 bits", with("n", &[0xff; 2048]), "key_member_invalid"),
        ("no modulus", json!({"kty": "RSA", "e": "AQAB"}), "key_member_invalid"),
        ("sound", strong.clone(), "accepted"),
    ];
    for (what, key, expected) in rows {
        assert_eq!(outcome(VerifyingKey::from_jwk(&Jwk::try_from(key).unwrap())), expected, "JOSE-029 {what}");
    }
}

#[test]
fn a_key_whose_members_contradict_each_other_is_refused() {
    let good = serde_json::to_value(SigningKey::generate(Algorithm::ES256).unwrap().jwk()).unwrap();
    let okp = serde_json::to_value(SigningKey::generate(Algorithm::EdDSA).unwrap().jwk()).unwrap();
    let with = |member: &str, value: Value| {
        let mut key = good.clone();
        key[member] = value;
        key
    };
    let rows = [
        (with("alg", json!("ES384")), "key_unsupported"),
        (with("alg", json!("HS256")), "key_unsupported"),
        (with("alg", json!("none")), "key_unsupported"),
        (with("alg", json!("RSA-OAEP")), "key_unsupported"),
        (with("kty", json!("RSA")), "key_unsupported"),
        (with("crv", json!("P-384")), "key_unsupported"),
        (with("crv", json!("secp256k1")), "key_unsupported"),
        (with("use", json!("enc")), "key_purpose"),
        (with("key_ops", json!(["sign"])), "key_purpose"),
        (with("key_ops", json!([])), "key_purpose"),
        (with("x", good["y"].clone()), "key_member_invalid"),
        (with("x", json!(base64url::encode(&[0; 32]))), "key_member_invalid"),
        (with("x", json!(format!("AA{}", good["x"].as_str().unwrap()))), "key_member_invalid"),
        (with("x", json!("AA")), "key_member_invalid"),
        (with("y", json!(format!("{}=", good["y"].as_str().unwrap()))), "key_member_invalid"),
        (json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"}), "key_member_invalid"),
        (json!({"kty": "OKP", "crv": "X25519", "x": okp["x"]}), "key_unsupported"),
        (json!({"kty": "EC", "crv": "P-256", "x": good["x"], "y": good["y"]}), "accepted"),
        (json!({"kty": "OKP", "crv": "Ed25519", "x": okp["x"]}), "accepted"),
    ];
    for (key, expected) in rows {
        assert_eq!(outcome(VerifyingKey::from_jwk(&Jwk::try_from(key.clone()).unwrap())), expected, "R4 {key}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_published_set_never_has_a_private_member(picks in prop::collection::vec(0..4_usize, 1..4)) {
        let algorithms = [Algorithm::ES256, Algorithm::ES384, Algorithm::ES512, Algorithm::EdDSA];
        let mut keys: Vec<_> = picks.iter().map(|pick| SigningKey::generate(algorithms[*pick]).unwrap().jwk()).collect();
        keys.push(rsa_key());
        for key in serde_json::to_value(JwkSet { keys }).unwrap()["keys"].as_array().unwrap() {
            let members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
            prop_assert!(members.iter().all(|member| ["kty", "crv", "x", "y", "n", "e", "alg", "use", "kid"].contains(member)), "JOSE-011 {members:?}");
        }
    }
}

fn rsa_key() -> Jwk {
    static KEY: std::sync::OnceLock<Jwk> = std::sync::OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(Algorithm::RS256).unwrap().jwk()).clone()
}
