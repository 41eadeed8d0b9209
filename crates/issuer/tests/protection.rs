//! What clients are told, signed and encrypted as they asked for at registration.

use durward_jose::{Algorithm, DecryptionKey, EncryptedJwt, HmacKey, KeyManagement, SigningKey, UnverifiedJwt, VerifiedJwt};
use durward_model::resource::Client;
use serde_json::{Value, json};

use crate::fixture::{World, keys, partner, secret_of, web_request as web};

fn key(algorithm: Algorithm) -> &'static SigningKey {
    keys().iter().find(|key| key.algorithm() == algorithm).unwrap()
}

fn verified(token: &str, key: &SigningKey) -> VerifiedJwt {
    UnverifiedJwt::parse(token).unwrap().verify(&key.verifying_key()).unwrap()
}

fn opened(token: &str, key: &DecryptionKey) -> String {
    EncryptedJwt::parse(token).unwrap().decrypt(key).unwrap()
}

/// RFC 9701 section 4.
#[tokio::test]
async fn introspection_is_signed_when_that_is_asked_for() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.tokens().await;
    let access = tokens["access_token"].as_str().unwrap();
    for (accept, signed) in [
        ("application/token-introspection+jwt", true),
        ("application/json, Application/Token-Introspection+JWT;q=0.9", true),
        ("application/json", false),
        ("*/*", false),
    ] {
        browser.with("accept", accept).basic("payments-program", &secret_of("payments-program"));
        let answer = browser.post("/realms/main/oauth2/introspect", &[("token", access)]).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        if !signed {
            assert_eq!((answer.header("content-type"), answer.json()["active"].as_bool()), ("application/json", Some(true)), "{accept}");
            continue;
        }
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/token-introspection+jwt"), "{accept}");
        let jwt = verified(&answer.body, key(Algorithm::RS256));
        assert_eq!((jwt.typ(), jwt.claims().str("aud")), (Some("token-introspection+jwt"), Ok(Some("payments-program"))));
        assert_eq!(jwt.claims().object("token_introspection").unwrap().unwrap()["active"], true);
        assert!(!browser.is_active(&answer.body, "payments-program").await, "JOSE-031 it is no token itself");
        browser.userinfo(&answer.body).await.is_error(401, "invalid_token");
    }
}

/// OpenID Connect Core section 5.3.2.
#[tokio::test]
async fn userinfo_is_a_jwt_for_a_client_that_is_registered_for_one() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.tokens().await;
    let access = tokens["access_token"].as_str().unwrap();
    world.change_client("web", |client| client.userinfo_signed_response_alg = Some("ES256".to_owned())).await;
    let answer = browser.userinfo(access).await;
    assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("application/jwt", "no-store"));
    let sub = world.person("alice").await.sub;
    assert_eq!(verified(&answer.body, key(Algorithm::ES256)).claims().sub(), Ok(Some(sub.as_str())));
    browser.userinfo(&answer.body).await.is_error(401, "invalid_token");

    let own = DecryptionKey::generate(KeyManagement::EcdhEsA256Kw).unwrap();
    let jwks = json!({ "keys": [own.jwk()] });
    world
        .change_client("web", |client| {
            client.userinfo_encrypted_response_alg = Some("ECDH-ES+A256KW".to_owned());
            client.jwks = Some(jwks);
        })
        .await;
    let answer = browser.userinfo(access).await;
    assert_eq!(verified(&opened(&answer.body, &own), key(Algorithm::ES256)).claims().sub(), Ok(Some(sub.as_str())));
}

#[tokio::test]
async fn a_code_is_not_spent_on_an_id_token_that_cannot_be_made() {
    let world = World::new().await;
    let mut browser = world.browser();
    let code = browser.arrive(&web(&[]), "alice").await.code();
    let own = DecryptionKey::generate(KeyManagement::EcdhEs).unwrap();
    let with = |jwks: Option<Value>| {
        move |client: &mut Client| {
            client.id_token_encrypted_response_alg = Some("ECDH-ES".to_owned());
            client.jwks = jwks;
        }
    };
    world.change_client("web", with(None)).await;
    let refused = browser.redeem(&code, &[]).await;
    refused.is_error(400, "invalid_request");
    assert_eq!(refused.reason(), "response.client_key_missing");
    world.change_client("web", |client| client.id_token_signed_response_alg = Some("EdDSA".to_owned())).await;
    world.change_client("web", with(Some(json!({ "keys": [own.jwk()] })))).await;
    let waiting = browser.redeem(&code, &[]).await;
    waiting.is_error(503, "temporarily_unavailable");
    assert_eq!((waiting.reason(), waiting.header("retry-after")), ("response.key_missing", "1"));
    world.change_client("web", |client| client.id_token_signed_response_alg = Some("ES256".to_owned())).await;
    let id_token = browser.redeem(&code, &[]).await.text("id_token");
    assert_eq!(verified(&opened(&id_token, &own), key(Algorithm::ES256)).claims().str("aud"), Ok(Some("web")));
}

#[tokio::test]
async fn an_hs256_id_token_is_under_the_secret_of_the_client() {
    let world = World::new().await;
    world.change_client("partner", |client| client.id_token_signed_response_alg = Some("HS256".to_owned())).await;
    let mut browser = world.browser();
    let consent = browser.arrive(&partner(&[]), "alice").await;
    let page = browser.follow(&consent).await;
    let code = browser.decide(&page, "allow").await.code();
    let secret = secret_of("partner");
    let answer = browser.redeem(&code, &[("client_id", "partner"), ("redirect_uri", ""), ("client_secret", &secret)]).await;
    let id_token = answer.text("id_token");
    let key = HmacKey::new("", secret.as_bytes()).unwrap();
    let claims = UnverifiedJwt::parse(&id_token).unwrap().verify_mac(&key).unwrap();
    assert_eq!(claims.claims().str("aud"), Ok(Some("partner")));
}
