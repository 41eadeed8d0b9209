//! RFC 7591 section 2: clients and trusted issuers whose keys stand where they publish them.

use durward_base::Duration;
use durward_jose::{Algorithm, DecryptionKey, EncryptedJwt, KeyManagement, SigningKey};
use durward_model::EgressUrl;
use durward_model::resource::ClientAuthentication;
use durward_testsite::Site;
use serde_json::{Value, json};

use crate::fixture::certificates::self_signed;
use crate::fixture::{Answer, ISSUER, World};

const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A world with a site that it trusts, and `signer` whose keys are published there.
async fn world() -> (World, Site) {
    let site = Site::open().await;
    let world = World::trusting(site.roots()).await;
    publish(&world, &site.url("/keys")).await;
    (world, site)
}

async fn publish(world: &World, uri: &str) {
    world
        .change_client("signer", |client| {
            client.jwks = None;
            client.jwks_uri = Some(EgressUrl::parse(uri).unwrap());
        })
        .await;
}

fn show(site: &Site, keys: &[Value]) {
    site.answers("/keys", http::Response::new(json!({ "keys": keys }).to_string()));
}

/// A client-credentials token, asked for with an assertion under this key.
async fn ask(world: &World, key: &SigningKey, jti: &str) -> Answer {
    let now = world.clock.clock().now().seconds();
    let claims = json!({ "iss": "signer", "sub": "signer", "aud": ISSUER, "exp": now + 60, "jti": jti });
    let assertion = key.sign("JWT", &claims).unwrap();
    let form = [("grant_type", "client_credentials"), ("client_assertion_type", KIND), ("client_assertion", assertion.as_str())];
    world.browser().token(&form).await
}

#[tokio::test]
async fn a_client_that_publishes_its_keys_may_change_them_at_its_own_time() {
    let (world, site) = world().await;
    let next = SigningKey::generate(Algorithm::ES256).unwrap();
    show(&site, &[json!(world.signer.jwk())]);
    assert_eq!(ask(&world, &world.signer, "one").await.status, 200);
    assert_eq!(ask(&world, &world.signer, "two").await.status, 200);
    assert_eq!(site.seen().len(), 1, "kept");
    show(&site, &[json!(next.jwk())]);
    ask(&world, &next, "three").await.is_error(401, "invalid_client");
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(ask(&world, &next, "four").await.status, 200);
    ask(&world, &world.signer, "five").await.is_error(401, "invalid_client");
    assert_eq!(site.seen().len(), 2, "once a minute at most, whoever asks for whatever key");
}

#[tokio::test]
async fn keys_that_cannot_be_had_are_none() {
    let (world, site) = world().await;
    ask(&world, &world.signer, "absent").await.is_error(401, "invalid_client");
    let elsewhere = json!({ "keys": [world.signer.jwk()] }).to_string();
    site.answers("/elsewhere", http::Response::new(elsewhere));
    let redirect = http::Response::builder().status(302).header("location", site.url("/elsewhere")).body(String::new()).unwrap();
    site.answers("/keys", redirect);
    world.clock.advance(Duration::from_secs(60));
    ask(&world, &world.signer, "DCR-001 redirect").await.is_error(401, "invalid_client");
    assert!(site.seen().iter().all(|request| request.uri().path() == "/keys"));
    for inside in ["https://169.254.169.254/", "https://10.0.0.1/", "https://[fd00::1]/", "https://metadata.google.internal/"] {
        publish(&world, inside).await;
        let refused = ask(&world, &world.signer, inside).await;
        assert_eq!(refused.is_error(401, "invalid_client").reason(), "client.assertion_key_unknown", "DCR-001 {inside}");
    }
}

#[tokio::test]
async fn a_published_certificate_is_good_and_answers_are_encrypted_to_published_keys() {
    let (world, site) = world().await;
    let (certificate, jwks) = self_signed();
    let own = DecryptionKey::generate(KeyManagement::EcdhEs).unwrap();
    show(&site, &[json!(own.jwk()), jwks["keys"][0].clone()]);
    world
        .change_client("signer", |client| {
            client.authentication = ClientAuthentication::SelfSignedTlsClientAuth;
            client.introspection_encrypted_response_alg = Some("ECDH-ES".to_owned());
        })
        .await;
    let mut browser = world.browser();
    browser.certificate = certificate;
    let answer = browser.token(&[("grant_type", "client_credentials"), ("client_id", "signer")]).await;
    let token = answer.text("access_token");
    browser.with("accept", "application/token-introspection+jwt");
    let answer = browser.post("/realms/main/oauth2/introspect", &[("token", &token), ("client_id", "signer")]).await;
    let signed = EncryptedJwt::parse(&answer.body).unwrap().decrypt(&own).unwrap();
    assert_eq!(signed.matches('.').count(), 2);
    browser.certificate = self_signed().0;
    browser.token(&[("grant_type", "client_credentials"), ("client_id", "signer")]).await.is_error(401, "invalid_client");
}
