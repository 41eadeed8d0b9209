//! The plan Dynamic: OpenID Connect Registration, and what comes of what was registered.

use axum::body::Body;
use durward_jose::{Algorithm, SigningKey};
use durward_model::resource::Registrations;
use durward_testsite::Site;
use http::{Method, Response};
use serde_json::{Value, json};

use crate::fixture::{Answer, World, web_request};

const REGISTER: &str = "/realms/main/oauth2/register";
const CALLBACK: &str = "https://rp.example/test/a/durward/callback";

async fn world(site: &Site) -> World {
    let world = World::trusting(site.roots()).await;
    world
        .change_realm("main", |realm| {
            realm.registration = Registrations::Open;
            realm.registration_scopes = ["openid", "profile", "email", "offline_access"].map(str::to_owned).to_vec();
            realm.code_challenge_optional = true;
        })
        .await;
    world
}

async fn register(world: &World, more: Value) -> Answer {
    let mut body = json!({
        "client_name": "Certification", "grant_types": ["authorization_code"], "response_types": ["code"], "redirect_uris": [CALLBACK],
        "contacts": ["certification@rp.example"],
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let mut browser = world.browser();
    browser.with("content-type", "application/json");
    let answer = browser.call(Method::POST, REGISTER, Body::from(body.to_string())).await;
    world.sync().await;
    answer
}

/// A login at a registered client: its ID token and what userinfo says.
async fn login(world: &World, registered: &Value) -> (Answer, Answer) {
    let mut browser = world.browser();
    let text = |name: &str| registered[name].as_str().unwrap_or_default().to_owned();
    let (client_id, secret) = (text("client_id"), text("client_secret"));
    let request = [
        ("client_id", client_id.as_str()),
        ("redirect_uri", CALLBACK),
        ("scope", "openid profile"),
        ("code_challenge", ""),
        ("code_challenge_method", ""),
    ];
    let arrived = browser.arrive(&web_request(&request), "alice").await;
    let page = browser.follow(&arrived).await;
    let allowed = browser.decide(&page, "allow").await;
    let code = allowed.code();
    let form = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK)];
    let tokens = browser.basic(&client_id, &secret).token(&form).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let told = browser.userinfo(&tokens.text("access_token")).await;
    (tokens, told)
}

/// `oidcc-server` with a client that registered itself, in a realm without any service.
#[tokio::test]
async fn a_client_registers_and_logs_people_in() {
    let world = world(&Site::open().await).await;
    let answer = register(&world, json!({})).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (201, "application/json"), "{}", answer.body);
    let registered = answer.json();
    assert_eq!(registered["redirect_uris"], json!([CALLBACK]));
    let (tokens, told) = login(&world, &registered).await;
    assert_eq!(told.json()["sub"], tokens.claims("id_token")["sub"]);
    assert_eq!(tokens.claims("id_token")["aud"], registered["client_id"]);
}

/// `oidcc-registration-*`, `oidcc-idtoken-rs256`, `oidcc-userinfo-rs256`, `oidcc-registration-jwks-uri`.
#[tokio::test]
async fn what_the_standard_lets_a_client_say_of_itself_is_registered() {
    let site = Site::open().await;
    let world = world(&site).await;
    let key = SigningKey::generate(Algorithm::RS256).unwrap();
    let foreign = json!({ "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "foreign" });
    let keys = json!({ "keys": [key.jwk(), foreign] });
    site.answers("/jwks", Response::new(keys.to_string()));
    for member in [
        json!({ "logo_uri": "https://rp.example/logo.png" }),
        json!({ "policy_uri": "https://rp.example/policy", "tos_uri": "https://rp.example/tos", "client_uri": "https://rp.example/" }),
        json!({ "jwks": keys }),
        json!({ "jwks_uri": site.url("/jwks"), "token_endpoint_auth_method": "private_key_jwt" }),
        json!({ "jwks": keys, "token_endpoint_auth_method": "none" }),
        json!({ "redirect_uris": ["https://localhost:8443/test/a/durward/callback", "https://rp.example/cb?foo=bar"] }),
        json!({ "id_token_signed_response_alg": "RS256", "userinfo_signed_response_alg": "RS256" }),
        json!({ "default_max_age": 10, "require_auth_time": true, "initiate_login_uri": "https://rp.example/login", "request_uris": [] }),
        json!({ "client_name#ja": "クライアント", "unheard_of": { "deep": [1, 2] } }),
    ] {
        let answer = register(&world, member.clone()).await;
        assert_eq!(answer.status, 201, "{member}: {}", answer.body);
    }
}

/// `oidcc-registration-sector-bad`, `oidcc-redirect-uri-regfrag`, and what is not offered.
#[tokio::test]
async fn what_a_client_may_not_say_is_refused_by_its_code() {
    let site = Site::open().await;
    let world = world(&site).await;
    site.answers("/sector", Response::new(json!(["https://other.example/cb"]).to_string()));
    let weak = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }] });
    for (member, error) in [
        (json!({ "redirect_uris": ["https://rp.example/cb#fragment"] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": [] }), "invalid_redirect_uri"),
        (json!({ "sector_identifier_uri": site.url("/sector"), "subject_type": "pairwise" }), "invalid_client_metadata"),
        (json!({ "id_token_signed_response_alg": "none" }), "invalid_client_metadata"),
        (json!({ "response_types": ["code id_token"] }), "invalid_client_metadata"),
        (json!({ "token_endpoint_auth_method": "private_key_jwt" }), "invalid_client_metadata"),
        (json!({ "jwks": weak }), "invalid_client_metadata"),
        (json!({ "jwks": { "keys": [] }, "jwks_uri": site.url("/jwks") }), "invalid_client_metadata"),
        (json!({ "software_statement": "e30.e30." }), "unapproved_software_statement"),
    ] {
        register(&world, member).await.is_error(400, error);
    }
}

/// `oidcc-userinfo-rs256`, `oidcc-registration-sector-uri`: signed userinfo, and subjects by sector.
#[tokio::test]
async fn what_was_registered_is_what_comes() {
    let site = Site::open().await;
    let world = world(&site).await;
    site.answers("/sector", Response::new(json!([CALLBACK]).to_string()));
    let plain = register(&world, json!({ "userinfo_signed_response_alg": "RS256" })).await.json();
    let (tokens, told) = login(&world, &plain).await;
    assert_eq!(told.header("content-type"), "application/jwt");
    let paired = register(&world, json!({ "sector_identifier_uri": site.url("/sector"), "subject_type": "pairwise" })).await.json();
    let (other, told) = login(&world, &paired).await;
    assert_eq!(told.json()["sub"], other.claims("id_token")["sub"]);
    assert_ne!(tokens.claims("id_token")["sub"], other.claims("id_token")["sub"]);
}
