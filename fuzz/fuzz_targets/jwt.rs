//! Tokens, key sets and strict JSON: no panic, no forgery, no second spelling, no second meaning.

#![no_main]

use std::sync::LazyLock;

use durward_jose::{Expected, HmacKey, JwkSet, LEEWAY, UnverifiedJwt, VerifyingKey, json};
use libfuzzer_sys::fuzz_target;

static KEY: LazyLock<HmacKey> = LazyLock::new(|| HmacKey::new("fuzz", &[7; 32]).expect("a key of 32 bytes"));
static TOKEN: LazyLock<String> = LazyLock::new(|| KEY.sign("JWT", &serde_json::json!({"sub": "alice"})).expect("a token"));

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        only_the_one_token_verifies(text);
    }
    strict_json_means_what_plain_json_means(data);
    any_signed_claims_can_be_checked(data);
    if let Ok(set) = JwkSet::parse(data) {
        let _: Vec<_> = set.keys.iter().map(VerifyingKey::from_jwk).collect();
    }
});

fn only_the_one_token_verifies(text: &str) {
    if let Ok(jwt) = UnverifiedJwt::parse(text) {
        let _ = (jwt.kid(), jwt.issuer(), jwt.typ(), jwt.algorithm());
        assert_eq!(jwt.verify_mac(&KEY).is_ok(), text == *TOKEN, "a forged or respelled token is accepted");
    }
}

fn strict_json_means_what_plain_json_means(data: &[u8]) {
    if let Ok(value) = json::parse(data, json::Limits::TOKEN) {
        assert_eq!(serde_json::from_slice::<serde_json::Value>(data).ok(), Some(value));
    }
}

fn any_signed_claims_can_be_checked(data: &[u8]) {
    let Ok(claims) = json::object(data, json::Limits::TOKEN) else { return };
    let token = KEY.sign("JWT", &claims).expect("claims that were read can be written");
    let Ok(verified) = UnverifiedJwt::parse(&token).and_then(|jwt| jwt.verify_mac(&KEY)) else { return };
    let now = verified.claims().exp().ok().flatten().unwrap_or_default();
    let _ = verified.check(&Expected { typ: &["JWT"], issuer: "i", audience: Some("a"), now, leeway: LEEWAY, max_lifetime: Some(LEEWAY) });
    let _ = (verified.claims().space_separated("scope"), verified.claims().strings("roles"), verified.claims().object("act"));
}
