//! The plan FAPI-CIBA: `signer` as a bank's client that asks people by signed requests, in poll mode.

use durward_base::base64url;
use durward_jose::{Algorithm, SigningKey};
use durward_model::GrantType;
use durward_model::resource::Profile;
use durward_testkit::dpop::DpopKey;
use http::StatusCode;
use serde_json::{Value, json};

use super::fapi;
use crate::fixture::{Answer, Browser, ISSUER, NOW, PASSWORD, World};

const REQUESTS: &str = "/realms/main/account/requests";
const GRANT: &str = "urn:openid:params:grant-type:ciba";

async fn world() -> World {
    let world = fapi::world(Profile::Fapi2Security).await;
    world.change_client("signer", |client| client.grants.push(GrantType::Ciba)).await;
    world
}

fn object_by(world: &World, key: &SigningKey, changes: &[(&str, Value)]) -> String {
    let (now, jti) = (NOW.seconds(), base64url::encode(&world.rng.bytes::<16>()));
    let claims = json!({
        "iss": "signer", "aud": ISSUER, "exp": now + 300, "nbf": now, "iat": now, "jti": jti,
        "scope": "openid orders:read", "login_hint": "alice", "binding_message": "1234",
    });
    key.sign("JWT", &fapi::with(claims, changes)).unwrap()
}

async fn ask(counter: &mut Browser<'_>, world: &World, object: &str) -> Answer {
    fapi::call(counter, world, "/realms/main/oauth2/bc-authorize", &[("request", object)]).await
}

async fn asked(counter: &mut Browser<'_>, world: &World, changes: &[(&str, Value)]) -> String {
    let answer = ask(counter, world, &object_by(world, &world.signer, changes)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.text("auth_req_id")
}

/// Alice, and what she decides about the one request there is.
async fn decide(world: &World, decision: &str) {
    let mut browser = world.browser();
    let first = browser.get(REQUESTS).await;
    let page = browser.follow(&first).await;
    let arrived = browser.log_in(&page, "alice", PASSWORD).await;
    let shown = browser.follow(&arrived).await;
    assert!(shown.body.contains("1234"), "{}", shown.body);
    let transaction = shown.attribute("name=\"transaction\"", "value");
    browser.with("sec-fetch-site", "same-origin").with("origin", "null");
    browser.post(REQUESTS, &[("transaction", &transaction), ("decision", decision)]).await;
}

/// `fapi-ciba-id1`, `-user-rejects-authentication`, `-ensure-wrong-auth-req-id-in-token-endpoint-request`
#[tokio::test]
async fn a_bank_asks_a_person_at_its_counter() {
    let world = world().await;
    let (mut counter, key) = (world.browser(), DpopKey::generate());
    let acknowledged = ask(&mut counter, &world, &object_by(&world, &world.signer, &[("requested_expiry", json!(30))])).await;
    assert_eq!((&acknowledged.json()["expires_in"], &acknowledged.json()["interval"]), (&json!(30), &json!(5)));
    let id = acknowledged.text("auth_req_id");
    assert!(id.len() >= 22, "7.3: at least 128 bits");
    let poll = [("grant_type", GRANT), ("auth_req_id", id.as_str())];
    fapi::proved(&mut counter, &world, &key, &poll).await.is_error(400, "authorization_pending");
    fapi::proved(&mut counter, &world, &key, &poll).await.is_error(400, "slow_down");
    let wrong = [("grant_type", GRANT), ("auth_req_id", &id[..id.len() - 1])];
    fapi::proved(&mut counter, &world, &key, &wrong).await.is_error(400, "invalid_grant");
    fapi::call(&mut counter, &world, "/realms/main/oauth2/token", &poll).await.is_error(400, "invalid_dpop_proof");
    decide(&world, "allow").await;
    let tokens = fapi::proved(&mut counter, &world, &key, &poll).await;
    assert_eq!((tokens.status, tokens.text("token_type").as_str()), (StatusCode::OK, "DPoP"), "{}", tokens.body);
    let claims = tokens.claims("id_token");
    assert_eq!((&claims["iss"], &claims["aud"], &claims["nonce"]), (&json!(ISSUER), &json!("signer"), &Value::Null));

    let id = asked(&mut counter, &world, &[]).await;
    decide(&world, "deny").await;
    let poll = [("grant_type", GRANT), ("auth_req_id", id.as_str())];
    fapi::proved(&mut counter, &world, &key, &poll).await.is_error(400, "access_denied");
}

/// `-ensure-request-object-…-fails`, `-ensure-authorization-request-with-multiple-hints-fails`,
/// `-ensure-backchannel-authorization-request-without-request-fails`, `-ensure-…-potentially-bad-binding-message`.
#[tokio::test]
async fn a_request_is_signed_whole_and_about_one_person() {
    let world = world().await;
    let (rsa, mut counter) = (SigningKey::generate(Algorithm::RS256).unwrap(), world.browser());
    let keys = json!({ "keys": [world.signer.jwk(), rsa.jwk()] });
    world.change_client("signer", |client| client.jwks = Some(keys)).await;
    let missing = ["iss", "aud", "exp", "nbf", "iat", "jti", "login_hint", "scope"].map(|name| (name, Value::Null));
    let wrong = [
        ("aud", json!("https://other.example")),
        ("iss", json!("web")),
        ("exp", json!(NOW.seconds() - 60)),
        ("exp", json!(NOW.seconds() + 4000)),
        ("nbf", json!(NOW.seconds() - 3700)),
        ("nbf", json!(NOW.seconds() + 60)),
        ("iat", json!(NOW.seconds() + 60)),
        ("id_token_hint", json!("x")),
        ("requested_expiry", json!(-1)),
        ("requested_expiry", json!("soon")),
        ("request", json!("x")),
    ];
    for change in missing.into_iter().chain(wrong) {
        let answer = ask(&mut counter, &world, &object_by(&world, &world.signer, std::slice::from_ref(&change))).await;
        assert_eq!(answer.is_error(400, "invalid_request").status, 400, "{change:?}");
    }
    ask(&mut counter, &world, &object_by(&world, &rsa, &[])).await.is_error(400, "invalid_request");
    let bare = [("scope", "openid"), ("login_hint", "alice")];
    fapi::call(&mut counter, &world, "/realms/main/oauth2/bc-authorize", &bare).await.is_error(400, "invalid_request");
    let long = object_by(&world, &world.signer, &[("binding_message", json!("1234 \u{1f44d}\u{1f3ff} ".repeat(40)))]);
    ask(&mut counter, &world, &long).await.is_error(400, "invalid_binding_message");
    let unknown = object_by(&world, &world.signer, &[("login_hint", json!("nobody"))]);
    ask(&mut counter, &world, &unknown).await.is_error(400, "unknown_user_id");
}
