//! OpenID Connect Back-Channel Logout: clients are told, whoever ended the login, and again until they heard.

use durward_base::Duration;
use durward_jose::UnverifiedJwt;
use durward_model::{EgressUrl, EventKind, Outcome, Write};
use durward_testsite::Site;
use http::{Response, StatusCode};
use serde_json::Value;

use crate::fixture::{ISSUER, World, keys};

const LOGOUT: &str = "/realms/main/oauth2/logout";

/// A world whose `web` wants to be told at `/logout` of a site.
async fn world() -> (World, Site) {
    let site = Site::open().await;
    let world = World::trusting(site.roots()).await;
    told_at(&world, &site.url("/logout")).await;
    (world, site)
}

async fn told_at(world: &World, uri: &str) {
    world.change_client("web", |client| client.backchannel_logout_uri = Some(EgressUrl::parse(uri).unwrap())).await;
}

/// The claims of the logout token in a request, verified.
fn heard(request: &http::Request<bytes::Bytes>) -> Value {
    assert_eq!(
        (request.method().as_str(), &request.headers()["content-type"]),
        ("POST", &"application/x-www-form-urlencoded".parse().unwrap())
    );
    let body = std::str::from_utf8(request.body()).unwrap();
    let token = body.strip_prefix("logout_token=").unwrap();
    let unverified = UnverifiedJwt::parse(token).unwrap();
    let key = keys().iter().find(|key| Some(key.kid()) == unverified.kid()).unwrap();
    unverified.verify(&key.verifying_key()).unwrap();
    let payload = durward_base::base64url::decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

fn ok() -> Response<String> {
    Response::new(String::new())
}

#[tokio::test]
async fn who_signs_out_is_signed_out_at_the_clients_that_want_to_know() {
    let (world, site) = world().await;
    site.answers("/logout", ok());
    let mut browser = world.browser();
    let tokens = browser.tokens().await;
    let hint = tokens["id_token"].as_str().unwrap();
    browser.get(&format!("{LOGOUT}?id_token_hint={hint}")).await;
    assert!(site.seen().is_empty(), "nobody waited for it");
    world.issuer.deliver_due_logouts().await.unwrap();
    let claims = heard(&site.seen()[0]);
    let payload = durward_base::base64url::decode(hint.split('.').nth(1).unwrap()).unwrap();
    let id_token: Value = serde_json::from_slice(&payload).unwrap();
    for same in ["iss", "sub", "aud", "sid"] {
        assert_eq!(claims[same], id_token[same], "{same}");
    }
    assert_eq!(claims["iss"], ISSUER);
    assert!(claims.get("nonce").is_none());
    world.clock.advance(Duration::from_secs(86_400));
    world.issuer.deliver_due_logouts().await.unwrap();
    assert_eq!(site.seen().len(), 1, "once told is told");
}

#[tokio::test]
async fn whoever_ends_a_login_the_client_is_told() {
    let (world, site) = world().await;
    site.answers("/logout", ok());
    let mut browser = world.browser();
    let tokens = browser.tokens().await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(browser.post("/realms/main/oauth2/revoke", &[("token", refresh), ("client_id", "web")]).await.status, StatusCode::OK);
    let mut another = world.browser();
    another.tokens().await;
    world.issuer.deliver_due_logouts().await.unwrap();
    assert_eq!(site.seen().len(), 1, "its own token was revoked");
    let alice = world.person("alice").await;
    let now = world.clock.clock().now();
    world.write(&[Write::EndSessionsOf { realm: "main".to_owned(), person: alice.id, at: now, reason: "disabled" }]).await;
    world.issuer.deliver_due_logouts().await.unwrap();
    assert_eq!(heard(&site.seen()[1])["sub"], alice.sub.as_str(), "an administrator ended it");
}

#[tokio::test]
async fn a_client_that_did_not_hear_is_told_again_for_a_day() {
    let (world, site) = world().await;
    let mut browser = world.browser();
    browser.tokens().await;
    let now = world.clock.clock().now();
    let alice = world.person("alice").await;
    world.write(&[Write::EndSessionsOf { realm: "main".to_owned(), person: alice.id, at: now, reason: "disabled" }]).await;
    world.issuer.deliver_due_logouts().await.unwrap();
    world.issuer.deliver_due_logouts().await.unwrap();
    assert_eq!(site.seen().len(), 1, "404: not heard, and not at once again");
    for doubled in 0..12 {
        world.clock.advance(Duration::from_secs(10 << doubled));
        world.issuer.deliver_due_logouts().await.unwrap();
    }
    assert_eq!(site.seen().len(), 13);
    let jtis: std::collections::BTreeSet<_> = site.seen().iter().map(|request| heard(request)["jti"].to_string()).collect();
    assert_eq!(jtis.len(), 13, "each is a token of its own");
    world.clock.advance(Duration::from_secs(10 << 12));
    world.issuer.deliver_due_logouts().await.unwrap();
    world.clock.advance(Duration::from_secs(86_400));
    world.issuer.deliver_due_logouts().await.unwrap();
    assert_eq!(site.seen().len(), 14, "that was the last");
    let events = world.store.events_to_journal("authority").await.unwrap();
    let given_up = events.iter().find(|event| event.kind == EventKind::LogoutNotified).unwrap();
    assert_eq!((given_up.outcome, given_up.reason.as_deref()), (Outcome::Failed, Some("logout.undeliverable")));
}

/// DCR-002
#[tokio::test]
async fn nobody_inside_is_ever_told() {
    let (world, site) = world().await;
    for inside in ["https://169.254.169.254/", "https://10.0.0.1/", "https://metadata.google.internal/"] {
        told_at(&world, inside).await;
        let mut browser = world.browser();
        let tokens = browser.tokens().await;
        browser.get(&format!("{LOGOUT}?id_token_hint={}", tokens["id_token"].as_str().unwrap())).await;
        world.issuer.deliver_due_logouts().await.unwrap();
    }
    let elsewhere = Response::builder().status(302).header("location", site.url("/elsewhere")).body(String::new()).unwrap();
    site.answers("/logout", elsewhere);
    told_at(&world, &site.url("/logout")).await;
    world.clock.advance(Duration::from_secs(10));
    world.issuer.deliver_due_logouts().await.unwrap();
    assert_eq!(site.seen().len(), 3, "all three, where the client says now");
    assert!(site.seen().iter().all(|request| request.uri().path() == "/logout"), "a redirect is not followed");
}
