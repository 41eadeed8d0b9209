//! Attacks on tokens that bring their key: proofs of possession.

use aws_lc_rs::hmac;
use durward_base::base64url;
use durward_jose::{Algorithm, SelfSignedJwt, SelfSigners, SigningKey};
use serde_json::{Value, json};

use crate::{Forger, outcome};

#[test]
fn a_proof_is_verified_by_the_key_in_it_and_names_that_key() {
    let forger = Forger::new();
    let jwk = serde_json::to_value(forger.key.jwk()).unwrap();
    let proof = |jwk: &Value| forger.sign(&json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}).to_string(), r#"{"htm":"POST"}"#);
    let bare = json!({"kty": jwk["kty"], "crv": jwk["crv"], "x": jwk["x"], "y": jwk["y"]});
    let mut renamed = jwk.clone();
    renamed["kid"] = json!("somebody-else");
    for jwk in [&jwk, &bare, &renamed] {
        let verified = SelfSignedJwt::verify(&proof(jwk), &SelfSigners::default()).unwrap();
        assert_eq!(base64url::decode(verified.thumbprint()).unwrap()[..16], base64url::decode(forger.key.kid()).unwrap());
        assert_eq!((verified.jwt().kid(), verified.jwt().typ()), (forger.key.kid(), Some("dpop+jwt")));
        assert_eq!(verified.jwt().claims().str("htm"), Ok(Some("POST")));
    }
}

#[test]
fn a_proof_without_a_sound_public_key_of_its_own_is_refused() {
    let (forger, other) = (Forger::new(), Forger::new());
    let own = serde_json::to_value(forger.key.jwk()).unwrap();
    let with = |member: &str, value: Value| {
        let mut jwk = own.clone();
        jwk[member] = value;
        json!({"alg": "ES256", "jwk": jwk})
    };
    let rsa = SigningKey::generate(Algorithm::RS256).unwrap().jwk();
    for (id, header, expected) in [
        ("DPOP-003", json!({"alg": "ES256"}), "header_member_invalid"),
        ("DPOP-003", json!({"alg": "ES256", "jwk": null}), "not_json"),
        ("DPOP-003", json!({"alg": "ES256", "jwk": "AA"}), "not_json"),
        ("DPOP-003", json!({"alg": "ES256", "jwk": other.key.jwk()}), "signature_invalid"),
        ("DPOP-003", json!({"alg": "ES256", "jwk": rsa}), "alg_mismatch"),
        ("DPOP-003", json!({"alg": "none", "jwk": own}), "alg_unsupported"),
        ("DPOP-003", json!({"alg": "HS256", "jwk": own}), "alg_mismatch"),
        ("DPOP-003", json!({"alg": "HS256", "jwk": {"kty": "oct", "k": "AAAA"}}), "key_not_public"),
        ("DPOP-003", with("d", json!("AA")), "key_not_public"),
        ("DPOP-003", with("use", json!("enc")), "key_purpose"),
        ("JOSE-037", with("y", own["x"].clone()), "key_member_invalid"),
        ("R5", with("x", json!(format!("{}=", own["x"].as_str().unwrap()))), "key_member_invalid"),
        ("JOSE-015", json!({"alg": "ES256", "jwk": own, "crit": ["jwk"]}), "crit_unsupported"),
    ] {
        assert_eq!(
            outcome(SelfSignedJwt::verify(&forger.sign(&header.to_string(), "{}"), &SelfSigners::default())),
            expected,
            "{id} {header}"
        );
    }
}

#[test]
fn the_key_in_a_proof_is_no_secret_for_a_mac() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let jwk = serde_json::to_value(key.jwk()).unwrap();
    let mut bare = jwk.clone();
    bare.as_object_mut().unwrap().remove("alg");
    for jwk in [jwk, bare] {
        let header = json!({"alg": "HS256", "jwk": jwk}).to_string();
        let input = format!("{}.e30", base64url::encode(header.as_bytes()));
        let secret = base64url::decode(jwk["x"].as_str().unwrap()).unwrap();
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), input.as_bytes());
        let token = format!("{input}.{}", base64url::encode(tag.as_ref()));
        assert!(SelfSignedJwt::verify(&token, &SelfSigners::default()).is_err(), "JOSE-003 {header}");
    }
}

#[test]
fn a_header_that_was_seen_before_vouches_for_no_other_signature() {
    let (forger, other, signers) = (Forger::new(), Forger::new(), SelfSigners::default());
    let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": forger.key.jwk()}).to_string();
    for claims in [r#"{"jti":"1"}"#, r#"{"jti":"2"}"#] {
        let verified = SelfSignedJwt::verify(&forger.sign(&header, claims), &signers).unwrap();
        assert_eq!((verified.jwt().typ(), verified.jwt().kid()), (Some("dpop+jwt"), forger.key.kid()));
    }
    assert_eq!(outcome(SelfSignedJwt::verify(&other.sign(&header, "{}"), &signers)), "signature_invalid", "DPOP-003");
}

#[test]
fn of_those_who_sign_for_themselves_only_so_many_are_kept_and_none_whose_signature_is_bad() {
    let (forger, other, signers) = (Forger::new(), Forger::new(), SelfSigners::default());
    let header = |number: usize| json!({"alg": "ES256", "jwk": forger.key.jwk(), "n": number}).to_string();
    assert!(SelfSignedJwt::verify(&other.sign(&header(0), "{}"), &signers).is_err());
    assert_eq!(format!("{signers:?}"), "SelfSigners(0)");
    for number in 0..1_025 {
        assert!(SelfSignedJwt::verify(&forger.sign(&header(number), "{}"), &signers).is_ok());
    }
    assert_eq!(format!("{signers:?}"), "SelfSigners(1)");
}
