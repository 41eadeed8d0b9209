use std::borrow::Cow;

use durward_testkit::dpop::{DpopKey, claims};
use serde_json::{Value, json};

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const URL: &str = "https://auth.shop.example/realms/main/oauth2/token";

fn read(headers: &[&[u8]], token: Option<&str>) -> Result<Proof, ProofError> {
    Proof::verify(headers, &Target { method: "POST", addresses: &[Cow::Borrowed(URL)], access_token: token }, &SelfSigners::default(), NOW)
}

fn reason(header: &Value, claims: &Value, token: Option<&str>) -> &'static str {
    read(&[DpopKey::generate().sign(header, claims).as_bytes()], token).map_or_else(|error| error.reason(), |_| "good")
}

#[test]
fn a_good_proof_names_its_key() {
    let key = DpopKey::generate();
    let proof = read(&[key.proof(("POST", URL), Some("n"), None, NOW).as_bytes()], None).unwrap();
    assert_eq!(proof.thumbprint(), key.thumbprint());
    assert_eq!(proof.nonce.as_deref(), Some("n"));
}

#[test]
fn a_proof_that_is_not_about_its_request_is_refused() {
    let key = DpopKey::generate();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut claims = claims(("POST", URL), None, Some("token"), NOW);
        change(&mut claims);
        read(&[key.sign(&key.header(), &claims).as_bytes()], Some("token")).map_or_else(|error| error.reason(), |_| "good")
    };
    let put = |name: &'static str, value: Value| with(&move |claims| claims[name] = value.clone());
    let cut = |name: &'static str| with(&move |claims| drop(claims.as_object_mut().unwrap().remove(name)));
    let at = |seconds: i64| json!(NOW.seconds() + seconds);
    for (id, outcome, expected) in [
        ("", with(&|_| {}), "good"),
        ("DPOP-002", put("htm", json!("GET")), "dpop.method_mismatch"),
        ("DPOP-002", put("htm", json!("post")), "dpop.method_mismatch"),
        ("DPOP-002", put("htu", json!(format!("{URL}/"))), "dpop.address_mismatch"),
        ("DPOP-002", put("htu", json!("https://evil.example/realms/main/oauth2/token")), "dpop.address_mismatch"),
        ("DPOP-002", put("htu", json!(format!("{URL}?a=b"))), "good"),
        ("DPOP-002", put("htu", json!(7)), "dpop.claim"),
        ("DPOP-007", put("iat", at(-301)), "dpop.time"),
        ("DPOP-007", put("iat", at(-61)), "good"),
        ("DPOP-007", put("iat", at(5)), "good"),
        ("DPOP-007", put("iat", at(301)), "dpop.time"),
        ("DPOP-007", put("iat", json!("now")), "dpop.claim"),
        ("DPOP-003", cut("iat"), "dpop.claim"),
        ("DPOP-003", cut("jti"), "dpop.claim"),
        ("DPOP-003", cut("htm"), "dpop.claim"),
        ("DPOP-003", cut("htu"), "dpop.claim"),
        ("DPOP-003", put("jti", json!("")), "dpop.claim"),
        ("DPOP-003", put("jti", json!("j".repeat(257))), "dpop.claim"),
        ("RFC 9449 4.3", cut("ath"), "dpop.claim"),
        ("RFC 9449 4.3", put("ath", json!("AAAA")), "dpop.access_token_mismatch"),
    ] {
        assert_eq!(outcome, expected, "{id}");
    }
}

#[test]
fn a_proof_whose_header_is_not_one_of_a_proof_is_refused() {
    let (key, other) = (DpopKey::generate(), DpopKey::generate());
    let claims = claims(("POST", URL), None, None, NOW);
    let private = {
        let mut jwk = key.jwk();
        jwk["d"] = json!("AAAA");
        jwk
    };
    for (id, header, expected) in [
        ("DPOP-003", json!({"typ": "dpop+jwt", "alg": "ES256"}), "dpop.malformed"),
        ("DPOP-003", json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": private}), "dpop.malformed"),
        ("DPOP-003", json!({"typ": "dpop+jwt", "alg": "none", "jwk": key.jwk()}), "dpop.malformed"),
        ("DPOP-003", json!({"typ": "dpop+jwt", "alg": "HS256", "jwk": {"kty": "oct", "k": "AAAA"}}), "dpop.malformed"),
        ("DPOP-003", json!({"typ": "dpop+jwt", "alg": "ES256", "x5c": ["AAAA"]}), "dpop.malformed"),
        ("DPOP-003", json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": other.jwk()}), "dpop.malformed"),
    ] {
        assert_eq!(reason(&header, &claims, None), expected, "{id} {header}");
    }
    for typ in [json!("JWT"), json!("at+jwt"), json!("DPOP+JWT")] {
        let header = json!({"typ": typ, "alg": "ES256", "jwk": key.jwk()});
        assert_eq!(read(&[key.sign(&header, &claims).as_bytes()], None).unwrap_err(), ProofError::Typ, "JOSE-032 {typ}");
    }
}

#[test]
fn a_request_has_one_proof() {
    // DPOP-003
    let key = DpopKey::generate();
    let [one, two] = [(); 2].map(|()| key.proof(("POST", URL), None, None, NOW));
    assert_eq!(read(&[], None), Err(ProofError::Missing));
    assert_eq!(read(&[one.as_bytes(), two.as_bytes()], None), Err(ProofError::Several));
    assert_eq!(read(&[format!("{one},{two}").as_bytes()], None).unwrap_err().reason(), "dpop.malformed");
    assert_eq!(read(&[&[0xff]], None).unwrap_err().reason(), "dpop.malformed");
}

#[test]
fn what_is_used_up_is_the_id_of_the_key_and_nothing_of_the_text() {
    // JOSE-026: whoever alters a proof that was used has the same proof.
    let (key, other) = (DpopKey::generate(), DpopKey::generate());
    let mut claims = claims(("POST", URL), None, None, NOW);
    let of = |key: &DpopKey, claims: &Value| read(&[key.sign(&key.header(), claims).as_bytes()], None).unwrap().id();
    let first = of(&key, &claims);
    claims["more"] = json!("other text, other signature");
    assert_eq!(of(&key, &claims), first);
    assert_ne!(of(&other, &claims), first);
}

#[test]
fn a_code_is_bound_to_one_key() {
    // DPOP-008
    let key = DpopKey::generate();
    let proof = read(&[key.proof(("POST", URL), None, None, NOW).as_bytes()], None).unwrap();
    let asked = |jkt: &str| Parameters::parse(&[format!("dpop_jkt={jkt}").as_bytes()]).unwrap();
    let (same, other) = (key.thumbprint(), DpopKey::generate().thumbprint());
    assert_eq!(code_key(&asked(&same)), Ok(Some(same.as_str())));
    assert_eq!(pushed_code_key(Some(&same), Some(&proof)), Ok(Some(proof.thumbprint())));
    assert_eq!(pushed_code_key(Some(&same), None), Ok(Some(proof.thumbprint())));
    assert_eq!(pushed_code_key(None, Some(&proof)), Ok(Some(proof.thumbprint())));
    assert_eq!(pushed_code_key(None, None), Ok(None));
    assert_eq!(pushed_code_key(Some(&other), Some(&proof)).unwrap_err().code, ErrorCode::InvalidDpopProof);
    assert_eq!(code_key(&asked("short")).unwrap_err().code, ErrorCode::InvalidRequest);
}
