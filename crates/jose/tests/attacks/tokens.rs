//! Attacks on the form, the header and the signature of a token.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use durward_base::base64url;
use durward_jose::{Algorithm, HmacKey, SigningKey, UnverifiedJwt};
use proptest::prelude::*;

use crate::{Forger, accept, outcome};

#[test]
fn well_signed_headers_get_what_the_standard_says() {
    let forger = Forger::new();
    let rows = [
        ("JOSE-002", r#"{}"#, "header_member_invalid"),
        ("JOSE-002", r#"{"alg":null}"#, "header_member_invalid"),
        ("JOSE-002", r#"{"alg":1}"#, "header_member_invalid"),
        ("JOSE-002", r#"{"alg":["ES256"]}"#, "header_member_invalid"),
        ("JOSE-002", r#"{"alg":""}"#, "header_member_invalid"),
        ("JOSE-002", r#"{"ALG":"ES256"}"#, "header_member_invalid"),
        ("JOSE-002", r#"{"alg":"es256"}"#, "alg_unsupported"),
        ("JOSE-002", r#"{"alg":"none"}"#, "alg_unsupported"),
        ("JOSE-002", r#"{"alg":"ES384"}"#, "alg_mismatch"),
        ("JOSE-002", r#"{"alg":"HS256"}"#, "alg_mismatch"),
        ("JOSE-002", r#"{"alg":"none","alg":"ES256"}"#, "not_json"),
        ("JOSE-012", r#"{"alg":"ES256","jku":"http://169.254.169.254/"}"#, "accepted"),
        ("JOSE-013", r#"{"alg":"ES256","x5u":"file:///etc/passwd","x5t":"AA"}"#, "accepted"),
        ("JOSE-014", r#"{"alg":"ES256","jwk":{"kty":"EC"}}"#, "header_member_forbidden"),
        ("JOSE-014", r#"{"alg":"ES256","jwk":null}"#, "header_member_forbidden"),
        ("JOSE-015", r#"{"alg":"ES256","crit":["x-require-mfa"],"x-require-mfa":true}"#, "crit_unsupported"),
        ("JOSE-016", r#"{"alg":"ES256","crit":[]}"#, "crit_unsupported"),
        ("JOSE-016", r#"{"alg":"ES256","crit":"exp"}"#, "crit_unsupported"),
        ("JOSE-016", r#"{"alg":"ES256","crit":["alg"]}"#, "crit_unsupported"),
        ("JOSE-016", r#"{"alg":"ES256","crit":["nosuchheader"]}"#, "crit_unsupported"),
        ("JOSE-016", r#"{"alg":"ES256","crit":["b64","b64"]}"#, "crit_unsupported"),
        ("JOSE-016", r#"{"alg":"ES256","crit":null}"#, "crit_unsupported"),
        ("JOSE-017", r#"{"alg":"ES256","b64":false,"crit":["b64"]}"#, "crit_unsupported"),
        ("JOSE-017", r#"{"alg":"ES256","b64":false}"#, "header_member_forbidden"),
        ("JOSE-017", r#"{"alg":"ES256","b64":true}"#, "header_member_forbidden"),
        ("R4", r#"{"alg":"ES256","zip":"DEF"}"#, "header_member_forbidden"),
        ("JOSE-019", r#"{"alg":"ES256","n":1e999999}"#, "not_json"),
        ("R5", r#"{"alg":"ES256","typ":7}"#, "header_member_invalid"),
        ("R5", r#"{"alg":"ES256","typ":""}"#, "header_member_invalid"),
        ("R5", r#"{"alg":"ES256","kid":["a"]}"#, "header_member_invalid"),
        ("R5", r#"{"alg":"ES256","x":{"a":1,"a":2}}"#, "not_json"),
        ("R5", r#"{"alg":"ES256"} "#, "accepted"),
        ("R5", r#"{"alg":"ES256"}{}"#, "not_json"),
        ("R5", r#"["alg","ES256"]"#, "not_json"),
        ("RFC 7515", r#"{"alg":"ES256","unknown":{"is":"ignored"}}"#, "accepted"),
    ];
    for (id, header, expected) in rows {
        assert_eq!(outcome(forger.accept(&forger.sign(header, "{}"))), expected, "{id} {header}");
    }
}

#[test]
fn payloads_that_are_no_strict_json_object_are_refused_before_their_signature_counts() {
    let forger = Forger::new();
    let nested = format!(r#"{{"a":{}{}}}"#, "[".repeat(32), "]".repeat(32));
    let deep = format!(r#"{{"a":{}}}"#, "[".repeat(12_000));
    for (id, payload) in [
        ("JOSE-019", nested.as_str()),
        ("JOSE-019", &deep),
        ("JOSE-019", r#"{"exp":1e999999}"#),
        ("R5", r#"{"sub":"alice","sub":"root"}"#),
        ("R5", r#"{"act":{"sub":"a","sub":"b"}}"#),
        ("R5", r#"{"sub":"alice\u0000root"}"#),
        ("R5", r#"[]"#),
        ("R5", r#""claims""#),
        ("R5", "{} x"),
        ("JOSE-034", "eyJhbGciOiJub25lIn0.e30."),
    ] {
        assert_eq!(outcome(forger.accept(&forger.sign(r#"{"alg":"ES256"}"#, payload))), "not_json", "{id} {payload:.40}");
    }
    assert_eq!(outcome(forger.accept(&forger.sign(r#"{"alg":"ES256"}"#, r#"{"iss":7}"#))), "claim_malformed");
}

#[test]
fn a_text_that_is_not_three_segments_is_no_token() {
    let forger = Forger::new();
    let good = forger.sign(r#"{"alg":"ES256"}"#, "{}");
    let rows = [
        ("JOSE-020", ".".repeat(1_000_000), "too_long"),
        ("JOSE-020", ".".repeat(16_384), "not_compact"),
        ("JOSE-020", format!("{good}{}", "A".repeat(16_385 - good.len())), "too_long"),
        ("JOSE-019", "A".repeat(1024 * 1024), "too_long"),
        ("JOSE-022", String::new(), "not_compact"),
        ("JOSE-022", "e30.e30".to_owned(), "not_compact"),
        ("JOSE-022", format!("{good}."), "not_compact"),
        ("JOSE-022", format!("{good}.AA"), "not_compact"),
        ("JOSE-022", format!(".{good}"), "not_compact"),
        ("JOSE-022", ".e30.AA".to_owned(), "not_compact"),
        ("JOSE-022", "e30..AA".to_owned(), "not_compact"),
        ("JOSE-022", "e30.e30.".to_owned(), "not_compact"),
        ("JOSE-022", format!("{good}\n"), "not_base64url"),
        ("JOSE-022", format!(" {good}"), "not_base64url"),
        ("JOSE-022", format!("{good}="), "not_base64url"),
        ("JOSE-022", format!("{good},{good}"), "not_compact"),
        ("JOSE-022", good.replace('.', "\u{ff0e}"), "not_compact"),
        ("JOSE-023", r#"{"payload":"e30","signatures":[{"protected":"e30","signature":"AA"}]}"#.to_owned(), "not_compact"),
        ("JOSE-023", r#"{"payload":"e30","header":{"alg":"none"},"signature":""}"#.to_owned(), "not_compact"),
        ("R4", "e30.AA.AA.AA.AA".to_owned(), "not_compact"),
    ];
    for (id, token, expected) in rows {
        assert_eq!(outcome(forger.accept(&token)), expected, "{id} {token:.60}");
    }
}

#[test]
fn a_kid_is_a_text_to_compare_and_nothing_else() {
    let forger = Forger::new();
    for kid in ["x' UNION SELECT 'AA'-- ", "*)(uid=*", "$(id)", "{{7*7}}", "../../etc/passwd"] {
        let token = forger.sign(&serde_json::json!({"alg": "ES256", "kid": kid}).to_string(), "{}");
        assert_eq!(UnverifiedJwt::parse(&token).unwrap().kid(), Some(kid), "JOSE-008");
    }
    for kid in ["a\r\nX: y", "a\u{0}", "\u{85}", "", &"k".repeat(257)] {
        let token = forger.sign(&serde_json::json!({"alg": "ES256", "kid": kid}).to_string(), "{}");
        assert!(UnverifiedJwt::parse(&token).is_err(), "JOSE-008 {kid:?}");
    }
}

#[test]
fn no_public_key_is_ever_an_hmac_secret() {
    for algorithm in [Algorithm::ES256, Algorithm::RS256, Algorithm::PS256] {
        let key = SigningKey::generate(algorithm).unwrap();
        let jwk = serde_json::to_value(key.jwk()).unwrap();
        let decoded = |member: &str| jwk[member].as_str().map(|text| base64url::decode(text).unwrap()).unwrap_or_default();
        let raw = [decoded("n"), decoded("x"), decoded("y")].concat();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", base64url::encode(&raw));
        let encodings =
            [format!("{pem}\n").into_bytes(), pem.into_bytes(), [&[4], raw.as_slice()].concat(), raw, jwk.to_string().into_bytes(), vec![]];
        for (secret, (name, hash)) in encodings.iter().flat_map(|secret| {
            [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)].map(|hash| (secret, hash))
        }) {
            let input = format!("{}.e30", base64url::encode(format!(r#"{{"alg":"{name}"}}"#).as_bytes()));
            let tag = hmac::sign(&hmac::Key::new(hash, secret), input.as_bytes());
            let token = format!("{input}.{}", base64url::encode(tag.as_ref()));
            assert_eq!(outcome(accept(&token, &key.verifying_key())), "alg_mismatch", "JOSE-003 JOSE-004 {algorithm} {name}");
        }
    }
}

#[test]
fn a_token_signed_by_a_key_it_brings_or_points_at_is_refused() {
    let (issuer, attacker) = (Forger::new(), Forger::new());
    let kid = issuer.key.kid();
    let jwk = serde_json::to_string(&attacker.key.jwk()).unwrap();
    for (id, pointer, expected) in [
        ("JOSE-012", r#""jku":"https://attacker.example/jwks.json""#.to_owned(), "signature_invalid"),
        ("JOSE-013", r#""x5u":"https://attacker.example/chain.pem""#.to_owned(), "signature_invalid"),
        ("JOSE-013", r#""x5c":["MIIB"],"x5t":"AAAA""#.to_owned(), "signature_invalid"),
        ("JOSE-014", format!(r#""jwk":{jwk}"#), "header_member_forbidden"),
    ] {
        let token = attacker.sign(&format!(r#"{{"alg":"ES256","kid":"{kid}",{pointer}}}"#), "{}");
        assert_eq!(outcome(issuer.accept(&token)), expected, "{id}");
    }
}

#[test]
fn edge_values_for_r_and_s_are_no_signature() {
    let p256 = "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
    let p384 = "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973";
    let p521 = "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409";
    for (algorithm, order) in [(Algorithm::ES256, p256), (Algorithm::ES384, p384), (Algorithm::ES512, p521)] {
        let key = SigningKey::generate(algorithm).unwrap();
        let good = key.sign_bytes("JWT", b"{}").unwrap();
        let (input, _) = good.rsplit_once('.').unwrap();
        let order = bytes(order);
        let ending = |low: u8| [&order[..order.len() - 1], &[low]].concat();
        let last = order[order.len() - 1];
        let zero = vec![0; order.len()];
        let one = [&zero[1..], &[1]].concat();
        let values = [zero, one, ending(last - 1), order.clone(), ending(last + 1), vec![0xff; order.len()]];
        for (r, s) in values.iter().flat_map(|r| values.iter().map(move |s| (r, s))) {
            let token = format!("{input}.{}", base64url::encode(&[r.as_slice(), s].concat()));
            assert_eq!(outcome(accept(&token, &key.verifying_key())), "signature_invalid", "JOSE-024 {algorithm} {r:x?} {s:x?}");
        }
    }
}

#[test]
fn an_ecdsa_signature_has_one_encoding() {
    let forger = Forger::new();
    let good = forger.sign(r#"{"alg":"ES256"}"#, "{}");
    let (input, signature) = good.rsplit_once('.').unwrap();
    let signature = base64url::decode(signature).unwrap();
    let pkcs8 = forger.key.to_pkcs8();
    let asn1 = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.expose()).unwrap();
    let der = asn1.sign(&SystemRandom::new(), input.as_bytes()).unwrap();
    for (what, bytes) in [
        ("DER", der.as_ref().to_vec()),
        ("63 bytes", signature[..63].to_vec()),
        ("65 bytes", [&[0], signature.as_slice()].concat()),
        ("trailing zeros", [signature.as_slice(), &[0, 0]].concat()),
        ("half of it", signature[..32].to_vec()),
        ("twice", [signature.as_slice(), &signature].concat()),
    ] {
        let token = format!("{input}.{}", base64url::encode(&bytes));
        assert_eq!(outcome(forger.accept(&token)), "signature_invalid", "JOSE-025 {what}");
    }
}

#[test]
fn every_mutation_of_a_token_is_refused() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let mac = HmacKey::new("shared", &[7; 32]).unwrap();
    let claims = serde_json::json!({"iss": "https://issuer.example", "sub": "alice"});
    let verifying = key.verifying_key();
    must_refuse_mutations(&key.sign("JWT", &claims).unwrap(), |token| accept(token, &verifying).is_ok());
    let verify_mac = |token: &str| UnverifiedJwt::parse(token).and_then(|jwt| jwt.verify_mac(&mac));
    must_refuse_mutations(&mac.sign("JWT", &claims).unwrap(), |token| verify_mac(token).is_ok());
}

#[test]
fn an_edited_payload_keeps_no_signature() {
    let forger = Forger::new();
    let good = forger.sign(r#"{"alg":"ES256"}"#, r#"{"org":"one","email":"a@example"}"#);
    let edited = base64url::encode(br#"{"org":"two","email":"b@example"}"#);
    let parts: Vec<_> = good.split('.').collect();
    assert_eq!(outcome(forger.accept(&[parts[0], &edited, parts[2]].join("."))), "signature_invalid", "JOSE-033 edited");
    assert_eq!(outcome(forger.accept(&format!("{}.{}.", parts[0], edited))), "not_compact", "JOSE-033 signature stripped");
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,200}", header in ".{0,60}", payload in ".{0,60}") {
        let _ = UnverifiedJwt::parse(&text);
        let built = [&header, &payload, &text].map(|part| base64url::encode(part.as_bytes())).join(".");
        let _ = UnverifiedJwt::parse(&built);
    }
}

fn must_refuse_mutations(token: &str, accepted: impl Fn(&str) -> bool) {
    assert!(accepted(token));
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
    for changed in [token.to_ascii_uppercase(), token.to_ascii_lowercase()] {
        assert!(!accepted(&changed), "JOSE-052 in other letters");
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}
