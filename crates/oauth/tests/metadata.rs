use durward_model::{Key, KeyState, KeyUse};
use durward_oauth::jwks::published;
use durward_oauth::metadata::Metadata;

use crate::fixture::{ISSUER, NOW, keys};

/// AUTHZ-022: every address comes from the issuer.
#[test]
fn the_document_has_what_both_standards_require_and_only_our_addresses() {
    let document = serde_json::to_value(Metadata::new(ISSUER, None)).unwrap();
    assert_eq!(document["issuer"], ISSUER);
    for required in ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"] {
        assert!(document[required].as_str().unwrap().starts_with(&format!("{ISSUER}/oauth2/")), "{required}");
    }
    assert_eq!(document["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    let methods = document["introspection_endpoint_auth_methods_supported"].as_array().unwrap();
    assert!(!methods.contains(&"none".into()), "introspection is for clients that authenticate");
    let algorithms = document["token_endpoint_auth_signing_alg_values_supported"].as_array().unwrap();
    assert!(algorithms.iter().all(|name| name.as_str().unwrap().parse::<durward_jose::Algorithm>().is_ok()));
}

#[test]
fn a_grant_of_the_past_is_named_only_where_a_client_has_it() {
    let grants = |metadata: Metadata| serde_json::to_value(metadata).unwrap()["grant_types_supported"].to_string();
    assert!(!grants(Metadata::new(ISSUER, None)).contains("password"));
    let twice = [durward_model::LegacyGrant::Password, durward_model::LegacyGrant::Password];
    assert_eq!(grants(Metadata::new(ISSUER, None).with_legacy_grants(twice)).matches("\"password\"").count(), 1);
}

#[test]
fn the_key_set_has_the_keys_of_the_issuer_that_verifiers_need() {
    let key = |kid: &str, issuer: &str, key_use, state| Key {
        kid: kid.into(),
        realm: "main".into(),
        issuer: issuer.into(),
        key_use,
        algorithm: "ES256".into(),
        state,
        since: NOW,
        jwk: serde_json::to_value(keys().es256.jwk())
            .map(|mut jwk| {
                jwk["kid"] = kid.into();
                jwk
            })
            .unwrap(),
    };
    let all = [
        key("next", ISSUER, KeyUse::Token, KeyState::Published),
        key("old", ISSUER, KeyUse::Token, KeyState::Retiring),
        key("gone", ISSUER, KeyUse::Token, KeyState::Removed),
        key("now", ISSUER, KeyUse::Token, KeyState::Active),
        key("gateway", ISSUER, KeyUse::Identity, KeyState::Active),
        key("other", "https://other.example", KeyUse::Token, KeyState::Active),
    ];
    let set = serde_json::to_value(published(&all, ISSUER, KeyUse::Token)).unwrap();
    let kids: Vec<_> = set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
    assert_eq!(kids, ["now", "next", "old"]);
    assert!(durward_jose::JwkSet::parse(set.to_string().as_bytes()).is_ok(), "nothing private in it");
}
