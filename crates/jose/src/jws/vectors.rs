//! The outside referees: Wycheproof's JSON vectors, and the examples of RFC 7520, 7797 and 8037.

use serde_json::Value;

use super::*;
use crate::{HmacKey, Jwk, JwkSet, VerifyingKey};

macro_rules! vectors {
    ($path:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../../tests/vectors/", $path))).unwrap()
    };
}

/// Signatures judged otherwise than by Wycheproof, each for its reason.
const WAIVED_SIGNATURES: &[(&[u64], &str)] = &[
    (&[259, 264, 268, 272, 320, 325], "valid, refused: an empty payload is no JWT"),
    (&[346, 350], "valid, refused: signed with PS384 under keys for PS256"),
    (&[347, 351], "valid, refused: the key's \"alg\" is \"ES521\", which no RFC defines"),
    (&[372, 373], "valid, refused: \"?\" is not in the base64url alphabet (RFC 7515 section 2)"),
    (&[367, 370], "invalid, accepted: byte for byte the valid case 357; the padding they are named for is lost in the file"),
];

/// Keys judged otherwise than by Wycheproof, each for its reason.
const WAIVED_KEYS: &[(&[u64], &str)] = &[(&[2], "valid, refused: symmetric keys are registered out of band, never read from a set")];

#[test]
fn wycheproof_signatures_are_judged_as_wycheproof_judges_them() {
    let judge = |group: &Value, case: &Value| {
        let key = group.get("public").unwrap_or(&group["private"]);
        case["jws"].as_str().is_some_and(|jws| accept(key, jws).is_ok())
    };
    let file = vectors!("wycheproof/json_web_signature_test.json");
    assert_eq!(differences(&file, judge), listed(WAIVED_SIGNATURES));
    assert_eq!((file["numberOfTests"].as_u64(), listed(WAIVED_SIGNATURES).len()), (Some(401), 14));
}

#[test]
fn no_wycheproof_case_that_must_be_refused_is_accepted() {
    let mut seen = 0;
    for (group, case) in cases(&vectors!("wycheproof/json_web_signature_test.json")) {
        let flags = case["flags"].as_array().unwrap();
        if flags.iter().any(|flag| ["ModifiedPadding", "ModifiedSignature", "AlgIsNone", "WrongPrimitive"].iter().any(|must| flag == must))
        {
            seen += 1;
            assert!(accept(&group["public"], case["jws"].as_str().unwrap()).is_err(), "{case}");
        }
    }
    assert_eq!(seen, 272);
}

#[test]
fn wycheproof_keys_are_judged_as_wycheproof_judges_them() {
    let judge = |group: &Value, case: &Value| {
        let set = group.get("public").unwrap_or(&group["private"]);
        accept_from_set(set, case["jws"].as_str().unwrap()).is_ok()
    };
    assert_eq!(differences(&vectors!("wycheproof/json_web_key_test.json"), judge), listed(WAIVED_KEYS));
}

#[test]
fn examples_of_the_rfcs_in_algorithms_in_use_are_accepted() {
    for (name, example) in [
        ("RFC 7520 section 4.1", vectors!("cookbook/jws/4_1.rsa_v15_signature.json")),
        ("RFC 7520 section 4.2", vectors!("cookbook/jws/4_2.rsa-pss_signature.json")),
        ("RFC 7520 section 4.3", vectors!("cookbook/jws/4_3.ecdsa_signature.json")),
        ("RFC 7520 section 4.4", vectors!("cookbook/jws/4_4.hmac-sha2_integrity_protection.json")),
        ("RFC 7520 section 6", vectors!("cookbook/6.nesting_signatures_and_encryption.json")["sign"].clone()),
        ("RFC 8037 appendix A.4", vectors!("cookbook/curve25519/jws.json")),
    ] {
        let mut key = example["input"]["key"].clone();
        key["alg"] = example["input"]["alg"].clone();
        let payload = accept(&key, example["output"]["compact"].as_str().unwrap());
        assert_eq!(payload, Ok(example["input"]["payload"].as_str().unwrap().as_bytes().to_vec()), "{name}");
    }
}

#[test]
fn examples_of_the_rfcs_in_forms_not_in_use_are_refused() {
    for (name, example, reason) in [
        ("RFC 7520 section 4.5, detached content", vectors!("cookbook/jws/4_5.signature_with_detached_content.json"), "not_compact"),
        ("RFC 7520 section 4.6, JSON", vectors!("cookbook/jws/4_6.protecting_specific_header_fields.json"), "not_compact"),
        ("RFC 7520 section 4.7, JSON", vectors!("cookbook/jws/4_7.protecting_content_only.json"), "not_compact"),
        ("RFC 7520 section 4.8, JSON", vectors!("cookbook/jws/4_8.multiple_signatures.json"), "not_compact"),
        ("RFC 7797 section 4.2, JSON", vectors!("cookbook/rfc7797/4.2.hmac-sha2_b64_false.json"), "not_compact"),
        ("RFC 7797, compact", vectors!("cookbook/rfc7797/hmac-sha2_b64_false.json"), "crit_unsupported"),
    ] {
        let output = &example["output"];
        let serialized = output["compact"].as_str().map_or_else(|| output["json"].to_string(), str::to_owned);
        assert_eq!(Compact::parse(&serialized).map(drop).map_err(|error| error.reason()), Err(reason), "{name}");
    }
}

#[test]
fn public_keys_of_the_rfcs_are_read_and_private_ones_refused() {
    for public in [vectors!("cookbook/jwk/3_1.ec_public_key.json"), vectors!("cookbook/jwk/3_3.rsa_public_key.json")] {
        let jwk = Jwk::try_from(public.clone()).unwrap();
        assert_eq!(VerifyingKey::from_jwk(&jwk).unwrap().kid(), "bilbo.baggins@hobbiton.example");
        assert_eq!(serde_json::to_value(jwk).unwrap(), public);
    }
    for private in [
        vectors!("cookbook/jwk/3_2.ec_private_key.json"),
        vectors!("cookbook/jwk/3_4.rsa_private_key.json"),
        vectors!("cookbook/jwk/3_5.symmetric_key_mac_computation.json"),
        vectors!("cookbook/jwk/3_6.symmetric_key_encryption.json"),
    ] {
        assert_eq!(Jwk::try_from(private).unwrap_err().reason(), "key_not_public");
    }
}

/// The payload, when the key is one that would be used and the signature is its own. A symmetric key stands for one registered for its own algorithm.
fn accept(key: &Value, jws: &str) -> Result<Vec<u8>, JoseError> {
    let jws = Compact::parse(jws)?;
    if key["kty"] == "oct" {
        let algorithm = key["alg"].as_str().unwrap_or_default().parse()?;
        let key = HmacKey::of(algorithm, "", &base64url::decode(key["k"].as_str().unwrap()).unwrap())?;
        jws.verify(key.algorithm(), |message, signature| key.verifies(message, signature))?;
    } else {
        let mut public = key.as_object().unwrap().clone();
        public.retain(|member, _| ["kty", "crv", "x", "y", "n", "e", "alg", "use", "key_ops", "kid"].contains(&member.as_str()));
        let key = VerifyingKey::from_jwk(&Jwk::try_from(public)?)?;
        jws.verify(key.algorithm(), |message, signature| key.verifies(message, signature))?;
    }
    jws.payload()
}

/// As [`accept`], with the key of a set that the header names. A set of one symmetric key stands for that key.
fn accept_from_set(set: &Value, jws: &str) -> Result<Vec<u8>, JoseError> {
    if let [key] = set["keys"].as_array().unwrap().as_slice()
        && key["kty"] == "oct"
    {
        return accept(key, jws);
    }
    let set = JwkSet::parse(set.to_string().as_bytes())?;
    let kid = Compact::parse(jws)?.header.kid;
    let key = set.keys.iter().find(|key| key.kid() == kid.as_deref()).unwrap();
    accept(&serde_json::to_value(key).unwrap(), jws)
}

/// The numbers of the cases where `accepts` and the file disagree.
fn differences(file: &Value, accepts: impl Fn(&Value, &Value) -> bool) -> Vec<u64> {
    let differ = |(group, case): &(Value, Value)| accepts(group, case) != (case["result"] == "valid");
    cases(file).iter().filter(|pair| differ(pair)).map(|(_, case)| case["tcId"].as_u64().unwrap()).collect()
}

fn listed(waived: &[(&[u64], &str)]) -> Vec<u64> {
    let mut ids: Vec<_> = waived.iter().flat_map(|(ids, _)| ids.iter().copied()).collect();
    ids.sort_unstable();
    ids
}

fn cases(file: &Value) -> Vec<(Value, Value)> {
    let groups = file["testGroups"].as_array().unwrap();
    groups.iter().flat_map(|group| group["tests"].as_array().unwrap().iter().map(|case| (group.clone(), case.clone()))).collect()
}
