//! A pipeline elsewhere, which that place's issuer vouches for.

use std::sync::Arc;

use durward_jose::{Algorithm, SigningKey};
use durward_model::write::{Spent, Write};
use durward_model::{GrantType, PrincipalKind};
use durward_oauth::grant::jwt_bearer;
use durward_oauth::grant::token_exchange::{self, SubjectToken};
use durward_oauth::trusted_issuer::{self, TrustedIssuer};
use durward_oauth::{Decision, OAuthError};
use serde_json::{Value, json};

use crate::fixture::{ISSUER, NOW, World, claims, denied, form, granted, jti};

const FOREIGN: &str = "https://pipelines.example";

fn declared(key: &SigningKey, changes: Value) -> durward_model::resource::TrustedIssuer {
    let mut declared = json!({
        "name": "pipelines", "issuer": FOREIGN, "jwks": {"keys": [key.jwk()]}, "algorithms": ["ES256"], "subjects": "programs",
        "roles_claim": "groups", "roles": {"deployers": "clerk"}, "scopes": ["stock:read"],
    });
    declared.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    serde_json::from_value(declared).unwrap()
}

fn world() -> (World, SigningKey) {
    let mut world = World::new();
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    world.trusted_issuers.push(Arc::new(TrustedIssuer::compile(&declared(&key, json!({}))).unwrap()));
    world.change_client("payments-program", |client| client.grants.extend([GrantType::JwtBearer, GrantType::TokenExchange]));
    (world, key)
}

fn assertion() -> Value {
    json!({
        "iss": FOREIGN, "sub": "repo:shop:main", "aud": ISSUER, "iat": NOW.seconds(), "exp": NOW.seconds() + 120, "jti": "one",
        "groups": ["deployers", "everybody"],
    })
}

fn changed(changes: Value) -> Value {
    let mut claims = assertion();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

fn ask(world: &World, assertion: &str, fields: &[(&str, &str)]) -> Result<Decision, OAuthError> {
    let parameters = form(&[&[("assertion", assertion), ("resource", "inventory")], fields].concat());
    let client = world.authenticated("payments-program");
    let assertion = jwt_bearer::read(&parameters, world, &client, NOW)?;
    Ok(jwt_bearer::decide(world, &parameters, &client, &assertion, jti(NOW), NOW))
}

#[track_caller]
fn refused(asked: Result<Decision, OAuthError>) -> OAuthError {
    match asked {
        Err(error) => error,
        Ok(decision) => denied(decision),
    }
}

#[test]
fn a_trusted_issuers_subject_gets_a_token_once() {
    let (world, key) = world();
    let Decision::Issue { grant, writes, event } = ask(&world, &key.sign("JWT", &assertion()).unwrap(), &[]).unwrap() else {
        panic!("it is issued")
    };
    assert!(matches!(&writes[..], [Write::Spend { what: Spent::GrantAssertion, .. }]), "its jti is used up: {writes:?}");
    let made = claims(&world.mint(&grant).access_token);
    assert_eq!(
        (&made["sub"], &made["kind"], &made["client_id"]),
        (&json!("pipelines|repo:shop:main"), &json!("client"), &json!("payments-program"))
    );
    assert_eq!((&made["roles"], &made["scope"]), (&json!(["clerk"]), &json!("stock:read")));
    assert_eq!(made["exp"], json!(NOW.seconds() + 120), "no longer than the assertion");
    let acting = event.caller.unwrap().acts_for.clone().unwrap();
    assert_eq!((acting.kind, acting.id.as_str()), (PrincipalKind::Client, "pipelines|repo:shop:main"));
}

/// RFC 7523 section 3, in its order.
#[test]
fn an_assertion_with_anything_wrong_is_refused() {
    let (mut world, key) = world();
    let stranger = SigningKey::generate(Algorithm::ES256).unwrap();
    let sign = |changes| key.sign("JWT", &changed(changes)).unwrap();
    for (case, assertion, reason) in [
        ("an unknown issuer", sign(json!({"iss": "https://elsewhere.example"})), "assertion.issuer_unknown"),
        ("our own issuer", sign(json!({"iss": ISSUER})), "assertion.issuer_unknown"),
        ("an unknown key", stranger.sign("JWT", &assertion()).unwrap(), "assertion.key_unknown"),
        ("no subject", sign(json!({"sub": null})), "assertion.subject"),
        ("a subject that is no text", sign(json!({"sub": 1})), "claim_malformed"),
        ("no audience", sign(json!({"aud": null})), "audience_mismatch"),
        ("another audience", sign(json!({"aud": "https://auth.shop.example"})), "audience_mismatch"),
        ("two audiences", sign(json!({"aud": [ISSUER, "https://elsewhere.example"]})), "audience_mismatch"),
        ("no end", sign(json!({"exp": null})), "claim_missing"),
        ("ended", sign(json!({"iat": NOW.seconds() - 100, "exp": NOW.seconds() - 60})), "token_expired"),
        ("ended just now", sign(json!({"exp": NOW.seconds()})), "token_expired"),
        ("too long", sign(json!({"exp": NOW.seconds() + 301})), "lifetime_too_long"),
        ("of tomorrow", sign(json!({"nbf": NOW.seconds() + 60})), "token_not_yet_valid"),
        ("no jti", sign(json!({"jti": null})), "assertion.jti"),
        ("bound to a key", sign(json!({"cnf": {"jkt": "k"}})), "assertion.bound"),
        ("an access token there", key.sign("at+jwt", &assertion()).unwrap(), "typ_mismatch"),
        ("an identity token", key.sign("dw-id+jwt", &assertion()).unwrap(), "typ_mismatch"),
        ("roles that are no words", sign(json!({"groups": {"a": 1}})), "claim_malformed"),
    ] {
        let error = refused(ask(&world, &assertion, &[]));
        assert_eq!((error.code.name(), error.reason), ("invalid_grant", reason), "XCHG-002: {case}");
    }
    let good = key.sign("JWT", &assertion()).unwrap();
    let error = refused(ask(&world, &good, &[("scope", "stock:write")]));
    assert_eq!((error.code.name(), error.reason), ("invalid_scope", "scope.beyond_issuer"), "XCHG-001");
    for (change, reason) in
        [(json!({"disabled": true}), "assertion.issuer_disabled"), (json!({"algorithms": ["RS256"]}), "assertion.algorithm")]
    {
        world.trusted_issuers = vec![Arc::new(TrustedIssuer::compile(&declared(&key, change)).unwrap())];
        assert_eq!(refused(ask(&world, &good, &[])).reason, reason);
    }
    world.change_client("payments-program", |client| client.grants.clear());
    assert_eq!(refused(ask(&world, &good, &[])).reason, "grant_not_allowed");
}

/// RFC 8693 section 4.4.
#[test]
fn a_foreign_token_is_exchanged_by_the_one_that_may_act_alone() {
    let (world, key) = world();
    let exchange = |changes| {
        let token = key.sign("JWT", &changed(changes)).unwrap();
        let kind = "urn:ietf:params:oauth:token-type:jwt";
        let parameters = form(&[("subject_token", &token), ("subject_token_type", kind), ("resource", "inventory")]);
        let client = world.authenticated("payments-program");
        let token = SubjectToken::read(&parameters, &world, &client, NOW).unwrap();
        token_exchange::decide(&world, &parameters, &client, (&token, None), jti(NOW), NOW)
    };
    let made = claims(&world.mint(&granted(exchange(json!({"may_act": {"sub": "payments-program"}})))).access_token);
    assert_eq!((&made["sub"], &made["act"]["svc"]), (&json!("pipelines|repo:shop:main"), &json!("payments")));
    granted(exchange(json!({})));
    granted(exchange(json!({"may_act": {"sub": "payments-program", "iss": ISSUER}})));
    for other in [json!({"sub": "inventory-program"}), json!({"sub": "payments-program", "iss": FOREIGN})] {
        assert_eq!(denied(exchange(json!({"may_act": other}))).reason, "may_act.mismatch", "XCHG-001: {other}");
    }
}

#[test]
fn an_issuer_is_declared_with_keys_and_algorithms_or_not_at_all() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    assert_eq!(trusted_issuer::problems(&declared(&key, json!({}))), []);
    let private = json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]});
    for (changes, field) in [
        (json!({"name": "a|b"}), "name"),
        (json!({"issuer": "http://pipelines.example"}), "issuer"),
        (json!({"jwks": null}), "jwks"),
        (json!({"jwks_uri": "https://pipelines.example/keys"}), "jwks"),
        (json!({"jwks": private}), "jwks"),
        (json!({"algorithms": []}), "algorithms"),
        (json!({"algorithms": ["HS256"]}), "algorithms[0]"),
        (json!({"algorithms": ["none"]}), "algorithms[0]"),
        (json!({"roles_claim": null}), "roles"),
        (json!({"max_lifetime_seconds": 3601}), "max_lifetime_seconds"),
        (json!({"scopes": ["a b"]}), "scopes[0]"),
    ] {
        let problems = trusted_issuer::problems(&declared(&key, changes.clone()));
        assert_eq!(problems.iter().map(|problem| problem.field.as_str()).collect::<Vec<_>>(), [field], "{changes}");
    }
}
