//! Access tokens of a partner's issuer, as a way in.

use std::sync::Arc;

use durward_base::Secret;
use durward_jose::{Algorithm, HmacKey, SigningKey};
use durward_model::{BoundKey, CredentialKind, PrincipalKind};
use durward_oauth::foreign_token::ForeignToken;
use durward_oauth::trusted_issuer::{self, TrustedIssuer};
use serde_json::{Value, json};

use crate::fixture::{ISSUER, NOW, World};

const FOREIGN: &str = "https://partner.example";
const STOCK: &str = "https://stock.shop.example";
/// 64 bytes, good for all three.
const SHARED: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn declared(changes: Value) -> durward_model::resource::TrustedIssuer {
    let mut declared = json!({
        "name": "partner", "issuer": FOREIGN, "algorithms": ["ES256"], "roles_claim": "groups", "roles": {"buyers": "customer"},
        "scopes": ["stock:read"], "access_tokens": {"audiences": {STOCK: "inventory"}},
    });
    declared.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    serde_json::from_value(declared).unwrap()
}

fn world(changes: Value) -> World {
    let mut world = World::new();
    world.trusted_issuers.push(Arc::new(TrustedIssuer::compile(&declared(changes)).unwrap()));
    world
}

fn claims(changes: Value) -> Value {
    let mut claims = json!({
        "iss": FOREIGN, "sub": "dora", "aud": STOCK, "iat": NOW.seconds(), "exp": NOW.seconds() + 600, "jti": "one",
        "groups": ["buyers", "everybody"], "scope": "openid stock:read stock:write",
    });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

fn reason(world: &World, token: &str) -> &'static str {
    ForeignToken::verify(token, world, NOW).expect_err("it is refused")
}

#[test]
fn a_partners_token_is_a_principal_of_ours_with_what_it_is_believed_about() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let world = world(json!({"jwks": {"keys": [key.jwk()]}}));
    let verify = |changes| ForeignToken::verify(&key.sign("at+jwt", &claims(changes)).unwrap(), &world, NOW).unwrap().resolved(NOW);
    let resolved = verify(json!({"acr": "mfa", "amr": ["otp"], "auth_time": NOW.seconds() - 60}));
    assert_eq!((resolved.kind, resolved.id.as_str(), resolved.audience.as_str()), (PrincipalKind::User, "partner|dora", "inventory"));
    assert_eq!((resolved.roles.as_slice(), resolved.scopes.as_slice()), (&["customer".to_owned()][..], &["stock:read".to_owned()][..]));
    assert_eq!((resolved.assurance.acr, resolved.assurance.amr.len()), (None, 0), "its words for logins are not ours");
    assert_eq!(resolved.assurance.auth_time.unwrap().seconds(), NOW.seconds() - 60);
    let credential = resolved.credential;
    assert_eq!((credential.kind, credential.issuer.as_str(), credential.key.as_deref()), (CredentialKind::Jwt, FOREIGN, Some(key.kid())));
    assert_eq!(resolved.until.seconds(), NOW.seconds() + 300, "its issuer's keys are asked again");
    assert_eq!(verify(json!({"sub": "eve"})).credential.id, credential.id, "one jti, one id");
    assert_ne!(verify(json!({"jti": "two"})).credential.id, credential.id);
    assert_eq!(verify(json!({"scope": ["stock:read"]})).scopes, ["stock:read"]);
    assert_eq!(verify(json!({"exp": NOW.seconds() + 60})).until.seconds(), NOW.seconds() + 70, "its own end, and the clocks' leeway");
    let thumbprint = "a".repeat(43);
    let bound = verify(json!({"cnf": {"jkt": thumbprint}})).credential;
    assert_eq!((bound.kind, bound.bound_key), (CredentialKind::BoundToken, Some(BoundKey::Jwk(thumbprint))));
}

#[test]
fn a_partners_token_with_anything_wrong_is_refused() {
    let (key, stranger) = (SigningKey::generate(Algorithm::ES256).unwrap(), SigningKey::generate(Algorithm::ES256).unwrap());
    let world = world(json!({"jwks": {"keys": [key.jwk()]}}));
    let sign = |changes| key.sign("at+jwt", &claims(changes)).unwrap();
    let good = sign(json!({}));
    let (head, rest) = good.split_once('.').unwrap();
    let (payload, signature) = rest.split_once('.').unwrap();
    let header = |text: &str| format!("{}.{payload}.{signature}", durward_base::base64url::encode(text.as_bytes()));
    for (id, token, expected) in [
        ("TOK another issuer", sign(json!({"iss": "https://elsewhere.example"})), "issuer_not_trusted"),
        ("TOK our own issuer", sign(json!({"iss": ISSUER})), "issuer_not_trusted"),
        ("JOSE-008 an unknown key", stranger.sign("at+jwt", &claims(json!({}))).unwrap(), "assertion.key_unknown"),
        ("alg none", header(r#"{"alg":"none","typ":"at+jwt"}"#), "issuer_not_trusted"),
        ("JOSE-002 no alg", header(r#"{"typ":"at+jwt"}"#), "issuer_not_trusted"),
        ("JOSE-003 another alg", header(&format!(r#"{{"alg":"RS256","typ":"at+jwt","kid":"{}"}}"#, key.kid())), "alg_mismatch"),
        ("JOSE-015 crit", header(r#"{"alg":"ES256","crit":["x"],"x":1}"#), "issuer_not_trusted"),
        ("JOSE-022 no signature", format!("{head}.{payload}."), "issuer_not_trusted"),
        ("JOSE-031 an ID token", sign(json!({"nonce": "n"})), "token_kind"),
        ("JOSE-031 an ID token by its typ", key.sign("JWT", &claims(json!({}))).unwrap(), "typ_mismatch"),
        ("JOSE-032 a logout token", sign(json!({"events": {}})), "token_kind"),
        ("JOSE-032 an identity token", key.sign("dw-id+jwt", &claims(json!({}))).unwrap(), "typ_mismatch"),
        ("JOSE-041 a subject that is no text", sign(json!({"sub": 1})), "claim_malformed"),
        ("JOSE-041 an end that is no number", sign(json!({"exp": "9999999999"})), "claim_malformed"),
        ("JOSE-041 an audience that is no text", sign(json!({"aud": 7})), "claim_malformed"),
        ("JOSE-041 scopes that are no words", sign(json!({"scope": {"a": 1}})), "claim_malformed"),
        ("JOSE-041 a binding that is not understood", sign(json!({"cnf": "x"})), "claim_malformed"),
        ("no end", sign(json!({"exp": null})), "claim_missing"),
        ("no beginning", sign(json!({"iat": null})), "claim_missing"),
        ("JOSE-043 ended", sign(json!({"iat": NOW.seconds() - 100, "exp": NOW.seconds() - 10})), "token_expired"),
        ("JOSE-043 too long", sign(json!({"exp": NOW.seconds() + 3601})), "lifetime_too_long"),
        ("JOSE-044 of tomorrow", sign(json!({"nbf": NOW.seconds() + 61})), "token_not_yet_valid"),
        ("TOK no subject", sign(json!({"sub": null})), "assertion.subject"),
        ("TOK no audience", sign(json!({"aud": null})), "audience_mismatch"),
        ("TOK another audience", sign(json!({"aud": "inventory"})), "audience_mismatch"),
        ("TOK two audiences", sign(json!({"aud": [STOCK, "https://elsewhere.example"]})), "audience_mismatch"),
        ("TOK an assertion for the authority", sign(json!({"aud": ISSUER})), "audience_mismatch"),
    ] {
        assert_eq!(reason(&world, &token), expected, "{id}");
    }
}

/// RP-010: a claim that is not mapped is nothing, however it is called, and one that is has its bounds.
#[test]
fn only_what_is_mapped_is_believed() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let world = world(json!({"jwks": {"keys": [key.jwk()]}}));
    let sign = |changes| key.sign("at+jwt", &claims(changes)).unwrap();
    let reserved = json!({"roles": ["durward-admin", "clerk"], "ses": "s", "sid": "f", "svc": "payments", "client_id": "web", "kind": "service",
        "act": {"sub": "payments-program"}, "groups": ["durward-admin", "customer"], "scope": "stock:write"});
    let resolved = ForeignToken::verify(&sign(reserved), &world, NOW).unwrap().resolved(NOW);
    assert_eq!((resolved.kind, resolved.id.as_str()), (PrincipalKind::User, "partner|dora"));
    assert_eq!((resolved.roles.len(), resolved.scopes.len()), (0, 0));
    let credential = resolved.credential;
    assert_eq!((credential.family, credential.session, credential.client), (None, None, None));
    let many: Vec<_> = (0..257).map(|number| number.to_string()).collect();
    for (changes, expected) in [
        (json!({"groups": many}), "assertion.roles"),
        (json!({"groups": [{"name": "buyers"}]}), "claim_malformed"),
        (json!({"sub": "s".repeat(257)}), "assertion.subject"),
        (json!({"scope": many}), "claim_malformed"),
    ] {
        assert_eq!(reason(&world, &sign(changes)), expected);
    }
}

#[test]
fn what_an_issuer_is_not_declared_with_is_refused() {
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let good = key.sign("at+jwt", &claims(json!({}))).unwrap();
    for (changes, expected) in [
        (json!({"disabled": true}), "issuer_not_trusted"),
        (json!({"access_tokens": null}), "issuer_not_trusted"),
        (json!({"issuer": ISSUER}), "issuer_not_trusted"),
        (json!({"algorithms": ["ES384"]}), "assertion.algorithm"),
        (json!({"access_tokens": {"audiences": {STOCK: "nowhere"}}}), "service_unavailable"),
        (json!({"access_tokens": {"audiences": {STOCK: "inventory"}, "types": ["JWT", ""]}}), "typ_mismatch"),
    ] {
        let with_keys = [json!({"jwks": {"keys": [key.jwk()]}}), changes.clone()];
        let merged = with_keys.iter().flat_map(|value| value.as_object().unwrap().clone()).collect::<serde_json::Map<_, _>>();
        assert_eq!(reason(&world(merged.into()), &good), expected, "{changes}");
    }
}

/// JOSE-003, JOSE-004, JOSE-005: a secret is its issuer's, for its algorithm, and no public key is ever one.
#[test]
fn a_shared_secret_is_for_one_issuer_and_one_algorithm() {
    for (index, algorithm) in Algorithm::SYMMETRIC.into_iter().enumerate() {
        let mut world = world(json!({"shared_secret": "partner", "algorithms": [algorithm.name()]}));
        let sign =
            |algorithm, secret: &str| HmacKey::of(algorithm, "", secret.as_bytes()).unwrap().sign("at+jwt", &claims(json!({}))).unwrap();
        let good = sign(algorithm, SHARED);
        assert_eq!(reason(&world, &good), "assertion.key_unknown", "JOSE-004: the authority is not told it");
        let too_short = "s".repeat([31, 47, 63][index]);
        world.shared_secrets.insert("partner".to_owned(), Secret::new(too_short));
        assert_eq!(reason(&world, &good), "assertion.key_unknown", "JOSE-005: {algorithm}");
        world.shared_secrets.insert("partner".to_owned(), Secret::new(SHARED));
        let token = ForeignToken::verify(&good, &world, NOW).unwrap().resolved(NOW);
        assert_eq!(token.credential.key.as_deref(), Some("shared_secret"));
        for other in Algorithm::SYMMETRIC.into_iter().filter(|other| *other != algorithm) {
            assert_eq!(reason(&world, &sign(other, SHARED)), "alg_mismatch", "{other} for {algorithm}");
        }
        assert_eq!(reason(&world, &sign(algorithm, &SHARED.replace('0', "1"))), "signature_invalid");
    }
    // An issuer of public keys, and a token under its public key taken for a secret.
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let mut world = world(json!({"jwks": {"keys": [key.jwk()]}}));
    let public = serde_json::to_string(&key.jwk()).unwrap();
    world.shared_secrets.insert("partner".to_owned(), Secret::new(public.clone()));
    for algorithm in Algorithm::SYMMETRIC {
        let forged = HmacKey::of(algorithm, key.kid(), public.as_bytes()).unwrap().sign("at+jwt", &claims(json!({}))).unwrap();
        assert_eq!(reason(&world, &forged), "alg_mismatch", "JOSE-003 {algorithm}");
    }
}

#[test]
fn an_issuer_of_access_tokens_is_declared_with_whom_they_are_for_or_not_at_all() {
    let shared = json!({"shared_secret": "partner", "algorithms": ["HS256"]});
    for (changes, field) in [
        (json!({"access_tokens": {"audiences": {}}}), "access_tokens.audiences"),
        (json!({"audiences": [STOCK]}), "access_tokens.audiences"),
        (json!({"access_tokens": {"audiences": {STOCK: "inventory"}, "types": []}}), "access_tokens.types"),
        (json!({"access_tokens": {"audiences": {STOCK: "inventory"}, "types": ["logout+jwt"]}}), "access_tokens.types[0]"),
        (json!({"access_tokens": {"audiences": {STOCK: "inventory"}, "scope_claim": ""}}), "access_tokens.scope_claim"),
        (
            json!({"access_tokens": {"audiences": {STOCK: "inventory"}, "max_lifetime_seconds": 86_401}}),
            "access_tokens.max_lifetime_seconds",
        ),
        (json!({"jwks_uri": "https://partner.example/keys"}), "jwks"),
        (json!({"algorithms": ["ES256"]}), "algorithms[0]"),
        (json!({"algorithms": ["HS256", "HS512"]}), "algorithms"),
    ] {
        let merged =
            [&shared, &changes].into_iter().flat_map(|value| value.as_object().unwrap().clone()).collect::<serde_json::Map<_, _>>();
        let problems = trusted_issuer::problems(&declared(merged.into()));
        assert_eq!(problems.iter().map(|problem| problem.field.as_str()).collect::<Vec<_>>(), [field], "{changes}");
    }
}
