//! Attacks on claims: wrong types, wrong kinds of token, edges of time.

use durward_base::{Duration, Timestamp};
use durward_jose::{ClaimError, Expected, LEEWAY, VerifiedJwt};
use serde_json::{Value, json};

use crate::Forger;

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://issuer.example/realms/main";
const AUDIENCE: &str = "https://inventory.example";

const EXPECTED: Expected<'_> = Expected {
    typ: &["at+jwt"],
    issuer: ISSUER,
    audience: Some(AUDIENCE),
    now: Timestamp::from_seconds(NOW),
    leeway: LEEWAY,
    max_lifetime: Some(Duration::from_secs(3600)),
};

#[test]
fn a_claim_of_the_wrong_type_is_malformed_and_never_absent() {
    let rows = [
        ("exp", r#""9999999999""#),
        ("exp", "null"),
        ("exp", "true"),
        ("exp", "[1]"),
        ("exp", "{}"),
        ("exp", "-1"),
        ("nbf", r#""2099""#),
        ("nbf", "null"),
        ("iat", "{}"),
        ("aud", "7"),
        ("aud", "null"),
        ("aud", r#"["https://inventory.example",7]"#),
        ("aud", r#"[["https://inventory.example"]]"#),
        ("sub", "123"),
        ("sub", r#""a\r\nX: y""#),
        ("jti", "[]"),
    ];
    for (name, value) in rows {
        let checked = verified(name, value).check(&EXPECTED);
        assert_eq!(reason(checked.clone()), "claim_malformed", "JOSE-041 {name}: {value}");
        assert!(matches!(checked, Err(ClaimError::Malformed { name: found, .. }) if found == name), "JOSE-041 {name}: {value}");
    }
    let claims = verified("scope", r#"["a"]"#);
    assert_eq!(reason(claims.claims().space_separated("scope").map(drop)), "claim_malformed", "JOSE-041 scope");
    assert_eq!(reason(verified("cnf", r#""x""#).claims().object("cnf").map(drop)), "claim_malformed", "JOSE-041 cnf");
    assert_eq!(reason(verified("roles", r#"["a",1]"#).claims().strings("roles").map(drop)), "claim_malformed", "JOSE-041 roles");
    assert_eq!(reason(verified("scope", r#""a  b""#).claims().space_separated("scope").map(drop)), "claim_malformed", "R5 scope");
    assert_eq!(verified("scope", r#""a b""#).claims().space_separated("scope"), Ok(Some(vec!["a", "b"])));
    assert_eq!(verified("sub", r#""alice""#).claims().space_separated("scope"), Ok(None));
}

#[test]
fn a_required_claim_that_is_absent_is_missing() {
    for name in ["exp", "iss", "aud"] {
        let mut claims = good_claims();
        claims.as_object_mut().unwrap().remove(name);
        assert_eq!(check(&claims, &EXPECTED), "claim_missing", "JOSE-041 {name}");
    }
    assert_eq!(check(&good_claims(), &EXPECTED), "accepted");
}

#[test]
fn a_token_is_good_until_the_very_moment_of_exp_and_leeway() {
    let rows = [
        (json!(NOW), "accepted"),
        (json!(NOW - 1), "accepted"),
        (json!(NOW - 9), "accepted"),
        (json!(NOW - 10), "token_expired"),
        (json!(NOW - 11), "token_expired"),
        (json!(NOW as f64 - 9.5), "accepted"),
        (json!(NOW as f64 - 10.5), "token_expired"),
        (json!(0), "token_expired"),
        (json!(NOW + 3500), "accepted"),
        (json!(NOW + 3541), "lifetime_too_long"),
        (json!(253_402_300_799_i64), "lifetime_too_long"),
        (json!(253_402_300_800_i64), "claim_malformed"),
        (json!(u64::MAX), "claim_malformed"),
        (json!(i64::MIN), "claim_malformed"),
        (json!(1.5e300), "claim_malformed"),
    ];
    for (exp, expected) in rows {
        let mut claims = good_claims();
        claims["exp"] = exp.clone();
        assert_eq!(check(&claims, &EXPECTED), expected, "JOSE-043 exp {exp}");
    }
    let endless = Expected { max_lifetime: None, leeway: Duration::MAX, now: Timestamp::from_millis(i64::MAX), ..EXPECTED };
    assert_eq!(check(&good_claims(), &endless), "token_expired", "JOSE-043 saturating, not wrapping");
}

#[test]
fn a_lifetime_counts_from_now_where_there_is_no_iat() {
    let mut claims = good_claims();
    claims.as_object_mut().unwrap().remove("iat");
    for (exp, expected) in [(NOW + 3600, "accepted"), (NOW + 3601, "lifetime_too_long")] {
        claims["exp"] = json!(exp);
        assert_eq!(check(&claims, &EXPECTED), expected, "JOSE-043 {exp}");
    }
}

#[test]
fn a_token_of_the_future_is_refused_beyond_the_leeway() {
    for (name, refused) in [("nbf", "token_not_yet_valid"), ("iat", "token_issued_in_future")] {
        for (ahead, expected) in [(5, "accepted"), (10, "accepted"), (11, refused), (30, refused), (61, refused), (3600, refused)] {
            let mut claims = good_claims();
            claims[name] = json!(NOW + ahead);
            assert_eq!(check(&claims, &EXPECTED), expected, "JOSE-044 {name} = now + {ahead}");
        }
    }
}

#[test]
fn issuer_and_audience_are_compared_byte_for_byte() {
    let rows = [
        ("iss", json!(ISSUER.to_uppercase()), "issuer_mismatch"),
        ("iss", json!(format!("{ISSUER}/")), "issuer_mismatch"),
        ("iss", json!("https://issuer.example"), "issuer_mismatch"),
        ("iss", json!(""), "issuer_mismatch"),
        ("aud", json!("https://INVENTORY.example"), "audience_mismatch"),
        ("aud", json!("https://inventory.example/"), "audience_mismatch"),
        ("aud", json!("https://inventory.example https://other.example"), "audience_mismatch"),
        ("aud", json!([]), "audience_mismatch"),
        ("aud", json!(["https://other.example"]), "audience_mismatch"),
        ("aud", json!(["https://other.example", AUDIENCE]), "accepted"),
    ];
    for (name, value, expected) in rows {
        let mut claims = good_claims();
        claims[name] = value.clone();
        assert_eq!(check(&claims, &EXPECTED), expected, "R6 {name} {value}");
    }
}

#[test]
fn a_token_of_one_kind_is_refused_where_another_is_expected() {
    let kinds = ["at+jwt", "JWT", "dw-id+jwt", "dpop+jwt", "logout+jwt", "secevent+jwt", "client-authentication+jwt"];
    for (kind, wanted) in kinds.iter().flat_map(|kind| kinds.iter().map(move |wanted| (kind, wanted))) {
        let expected = if kind == wanted { "accepted" } else { "typ_mismatch" };
        assert_eq!(typ(&json!({"typ": kind}), &[wanted]), expected, "JOSE-031 JOSE-032 {kind} at {wanted}");
    }
    let rows: &[(Value, &[&str], &str)] = &[
        (json!({"typ": "application/at+jwt"}), &["at+jwt"], "accepted"),
        (json!({"typ": "AT+JWT"}), &["at+jwt"], "accepted"),
        (json!({"typ": "at+jwt "}), &["at+jwt"], "typ_mismatch"),
        (json!({"typ": "application/application/at+jwt"}), &["at+jwt"], "typ_mismatch"),
        (json!({"typ": "text/at+jwt"}), &["at+jwt"], "typ_mismatch"),
        (json!({}), &["at+jwt"], "typ_mismatch"),
        (json!({}), &["JWT", ""], "accepted"),
        (json!({"typ": "JWT"}), &["JWT", ""], "accepted"),
        (json!({"typ": "JWT"}), &[""], "typ_mismatch"),
        (json!({"typ": "application/"}), &[""], "typ_mismatch"),
        (json!({"typ": "JWT"}), &[], "typ_mismatch"),
        (json!({}), &[], "typ_mismatch"),
    ];
    for (header, wanted, expected) in rows {
        assert_eq!(typ(header, wanted), *expected, "JOSE-032 {header} at {wanted:?}");
    }
}

fn good_claims() -> Value {
    json!({"iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 300, "iat": NOW - 60, "sub": "alice", "jti": "1"})
}

/// A token with good claims but for one, given as JSON text.
fn verified(name: &str, value: &str) -> VerifiedJwt {
    let forger = Forger::new();
    let mut claims = good_claims();
    claims[name] = serde_json::from_str(value).unwrap();
    forger.accept(&forger.sign(r#"{"alg":"ES256","typ":"at+jwt"}"#, &claims.to_string())).unwrap()
}

fn check(claims: &Value, expected: &Expected<'_>) -> &'static str {
    let forger = Forger::new();
    let token = forger.sign(r#"{"alg":"ES256","typ":"at+jwt"}"#, &claims.to_string());
    reason(forger.accept(&token).unwrap().check(expected))
}

fn typ(header: &Value, wanted: &[&str]) -> &'static str {
    let forger = Forger::new();
    let mut header = header.clone();
    header["alg"] = json!("ES256");
    let token = forger.sign(&header.to_string(), &good_claims().to_string());
    reason(forger.accept(&token).unwrap().check(&Expected { typ: wanted, ..EXPECTED }))
}

fn reason(result: Result<(), ClaimError>) -> &'static str {
    result.map_or_else(|error| error.reason(), |()| "accepted")
}
