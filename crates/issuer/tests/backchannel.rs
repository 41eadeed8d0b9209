//! OpenID Connect CIBA: a counter that asks Alice, Alice at her own browser, and who would be either.

use durward_base::{Duration, base64url};
use durward_model::resource::TokenDelivery;
use durward_model::{EgressUrl, EventKind, GrantType, Outcome};
use durward_testsite::Site;
use http::{Response, StatusCode};
use serde_json::Value;

use crate::fixture::{Answer, Browser, PASSWORD, World, secret_of};

const REQUESTS: &str = "/realms/main/account/requests";
const GRANT: &str = "urn:openid:params:grant-type:ciba";
const GOOD: [(&str, &str); 3] =
    [("scope", "openid orders:read orders:write"), ("login_hint", "alice"), ("binding_message", "Counter 4 <b>12.50</b>")];

/// A world whose `partner` asks for people.
async fn world() -> World {
    calling(World::new().await).await
}

async fn calling(world: World) -> World {
    world.change_client("partner", |client| client.grants.push(GrantType::Ciba)).await;
    world
}

async fn ask(counter: &mut Browser<'_>, changes: &[(&str, &str)]) -> Answer {
    let secret = secret_of("partner");
    let kept = GOOD.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    let form: Vec<_> = kept.chain(changes).chain(&[("client_id", "partner"), ("client_secret", secret.as_str())]).copied().collect();
    counter.post("/realms/main/oauth2/bc-authorize", &form).await
}

async fn asked(counter: &mut Browser<'_>, changes: &[(&str, &str)]) -> String {
    let asked = ask(counter, changes).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
    assert_eq!(asked.header("cache-control"), "no-store");
    asked.text("auth_req_id")
}

async fn poll(counter: &mut Browser<'_>, auth_req_id: &str) -> Answer {
    let secret = secret_of("partner");
    counter.token(&[("grant_type", GRANT), ("client_id", "partner"), ("client_secret", &secret), ("auth_req_id", auth_req_id)]).await
}

/// The claims of the ID token in an answer.
fn claims(answer: &Answer) -> Value {
    let payload = base64url::decode(answer.text("id_token").split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

/// A browser in which somebody is logged in, at their requests.
async fn at_requests<'w>(world: &'w World, username: &str) -> (Browser<'w>, Answer) {
    let mut browser = world.browser();
    let first = browser.get(REQUESTS).await;
    let page = browser.follow(&first).await;
    assert!(page.body.contains("your requests"), "{}", page.body);
    let arrived = browser.log_in(&page, username, PASSWORD).await;
    let requests = browser.follow(&arrived).await;
    assert!(requests.body.contains("<h1>Requests</h1>"), "{}", requests.body);
    (browser, requests)
}

async fn submit(browser: &mut Browser<'_>, page: &Answer, fields: &[(&str, &str)]) -> Answer {
    let transaction = page.attribute("name=\"transaction\"", "value");
    browser.with("sec-fetch-site", "same-origin").with("origin", "null");
    browser.post(REQUESTS, &[&[("transaction", transaction.as_str())], fields].concat()).await
}

#[tokio::test]
async fn a_person_allows_what_a_client_asks_of_them_while_they_sit_somewhere_else() {
    let world = world().await;
    let mut counter = world.browser();
    let answer = ask(&mut counter, &[("requested_expiry", "120")]).await;
    assert_eq!((answer.json()["expires_in"].as_u64(), answer.json()["interval"].as_u64()), (Some(120), Some(5)));
    let id = answer.text("auth_req_id");
    poll(&mut counter, &id).await.is_error(400, "authorization_pending");
    poll(&mut counter, &id).await.is_error(400, "slow_down");

    let (mut browser, page) = at_requests(&world, "alice").await;
    for text in ["Parcel Tracker", "Counter 4 &#60;b&#62;12.50&#60;/b&#62;", "192.0.2.7", "See your orders", "Order in your name"] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    let allowed = submit(&mut browser, &page, &[("decision", "allow")]).await;
    assert!(allowed.body.contains("Parcel Tracker may go on"), "{}", allowed.body);
    let tokens = poll(&mut counter, &id).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
    assert_eq!(tokens.text("scope"), "openid orders:read", "what was left out is not in it");
    assert!(tokens.json()["refresh_token"].is_string());
    let claims = claims(&tokens);
    assert_eq!((claims["aud"].as_str(), claims["acr"].as_str()), (Some("partner"), Some("pwd")));
    assert_eq!(counter.userinfo(&tokens.text("access_token")).await.status, StatusCode::OK);
    assert!(browser.get(REQUESTS).await.body.contains("id=\"no-requests\""));

    // The ID token names the same person from here on.
    let hint = tokens.text("id_token");
    asked(&mut counter, &[("login_hint", ""), ("id_token_hint", &hint)]).await;
    assert!(browser.get(REQUESTS).await.body.contains("Parcel Tracker"));
}

/// DEV-004
#[tokio::test]
async fn an_answer_is_for_its_client_once_in_time_and_not_after_a_denial() {
    let world = world().await;
    let mut counter = world.browser();
    for forged in ["", "dw_ar_x", "dw_dc_AAAA"] {
        assert_eq!(poll(&mut counter, forged).await.status, StatusCode::BAD_REQUEST, "{forged}");
    }
    let id = asked(&mut counter, &[]).await;
    let (mut browser, page) = at_requests(&world, "alice").await;
    submit(&mut browser, &page, &[("decision", "allow")]).await;
    world.change_client("tv", |client| client.grants.push(GrantType::DeviceCode)).await;
    counter.token(&[("grant_type", GRANT), ("client_id", "tv"), ("auth_req_id", &id)]).await.is_error(400, "unauthorized_client");
    let tokens = poll(&mut counter, &id).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
    let again = poll(&mut counter, &id).await;
    again.is_error(400, "invalid_grant");
    assert_eq!(again.reason(), "device.replayed");
    counter.userinfo(&tokens.text("access_token")).await.is_error(401, "invalid_token");

    let id = asked(&mut counter, &[]).await;
    let page = browser.get(REQUESTS).await;
    let denied = submit(&mut browser, &page, &[("decision", "deny")]).await;
    assert!(denied.body.contains("was not allowed"), "{}", denied.body);
    assert_eq!(submit(&mut browser, &page, &[("decision", "allow")]).await.status, StatusCode::CONFLICT);
    poll(&mut counter, &id).await.is_error(400, "access_denied");

    let id = asked(&mut counter, &[]).await;
    world.clock.advance(Duration::from_secs(300));
    poll(&mut counter, &id).await.is_error(400, "expired_token");
    assert!(browser.get(REQUESTS).await.body.contains("id=\"no-requests\""));
}

/// DEV-003
#[tokio::test]
async fn nothing_is_given_for_a_person_who_was_disabled_since() {
    let world = world().await;
    let mut counter = world.browser();
    let id = asked(&mut counter, &[]).await;
    let (mut browser, page) = at_requests(&world, "alice").await;
    submit(&mut browser, &page, &[("decision", "allow")]).await;
    world.disable("alice").await;
    let refused = poll(&mut counter, &id).await;
    refused.is_error(400, "invalid_grant");
    assert_eq!(refused.reason(), "person_disabled");
    ask(&mut counter, &[]).await.is_error(400, "unknown_user_id");
}

#[tokio::test]
async fn nobody_answers_for_another_and_no_other_page_does() {
    let world = world().await;
    let mut counter = world.browser();
    let id = asked(&mut counter, &[]).await;
    let (mut browser, page) = at_requests(&world, "alice").await;
    let (mut bob, empty) = at_requests(&world, "bob").await;
    assert!(empty.body.contains("id=\"no-requests\""));
    let transaction = page.attribute("name=\"transaction\"", "value");
    let answer = [("transaction", transaction.as_str()), ("decision", "allow")];
    bob.with("sec-fetch-site", "same-origin");
    assert_eq!(bob.post(REQUESTS, &answer).await.status, StatusCode::BAD_REQUEST, "shown to somebody else");
    browser.with("sec-fetch-site", "cross-site");
    assert_eq!(browser.post(REQUESTS, &answer).await.status, StatusCode::FORBIDDEN);
    poll(&mut counter, &id).await.is_error(400, "authorization_pending");
}

/// DEV-006
#[tokio::test]
async fn a_hundred_requests_about_one_person_are_five() {
    let world = world().await;
    let mut counter = world.browser();
    let (mut taken, mut refused) = (0, 0);
    for _ in 0..100 {
        match ask(&mut counter, &[]).await.status {
            StatusCode::OK => taken += 1,
            StatusCode::TOO_MANY_REQUESTS => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!((taken, refused), (5, 95));
    asked(&mut counter, &[("login_hint", "bob")]).await;
    for guess in 0..30 {
        ask(&mut counter, &[("login_hint", &format!("nobody-{guess}"))]).await.is_error(400, "unknown_user_id");
    }
    ask(&mut counter, &[("login_hint", "nobody-at-all")]).await.is_error(429, "temporarily_unavailable");
    world.clock.advance(Duration::from_secs(300));
    asked(&mut counter, &[]).await;
}

/// DEV-006
#[tokio::test]
async fn who_may_not_ask_is_refused_by_the_code_of_the_standard() {
    let world = world().await;
    let mut counter = world.browser();
    let public =
        counter.post("/realms/main/oauth2/bc-authorize", &[("client_id", "web"), ("scope", "openid"), ("login_hint", "alice")]).await;
    public.is_error(401, "invalid_client");
    counter.post("/realms/main/oauth2/bc-authorize", &[("scope", "openid")]).await.is_error(401, "invalid_client");
    ask(&mut counter, &[("binding_message", "pay \u{202e}00.21")]).await.is_error(400, "invalid_binding_message");
    ask(&mut counter, &[("login_hint_token", "x")]).await.is_error(400, "invalid_request");
    ask(&mut counter, &[("login_hint", ""), ("login_hint_token", "x")]).await.is_error(400, "unknown_user_id");
    ask(&mut counter, &[("login_hint", "Not A Name")]).await.is_error(400, "unknown_user_id");
    ask(&mut counter, &[("scope", "orders:read")]).await.is_error(400, "invalid_scope");
    world.change_client("partner", |client| client.grants.retain(|grant| *grant != GrantType::Ciba)).await;
    ask(&mut counter, &[]).await.is_error(400, "unauthorized_client");
}

#[tokio::test]
async fn who_is_asked_for_more_than_a_password_proves_it_first() {
    let world = world().await;
    let mut counter = world.browser();
    let id = asked(&mut counter, &[("acr_values", "mfa")]).await;
    let (mut browser, page) = at_requests(&world, "alice").await;
    let more = submit(&mut browser, &page, &[("decision", "allow")]).await;
    assert!(more.location().contains("/account/totp?transaction="), "{}", more.location());
    poll(&mut counter, &id).await.is_error(400, "authorization_pending");
    let denied = submit(&mut browser, &page, &[("decision", "deny")]).await;
    assert!(denied.body.contains("was not allowed"), "saying no takes no proof");
    // Too long after the password, nobody sets a second factor up, and what is there must do: the ID token says so.
    let id = asked(&mut counter, &[("acr_values", "mfa"), ("requested_expiry", "600")]).await;
    world.clock.advance(Duration::from_secs(590));
    let page = browser.get(REQUESTS).await;
    let allowed = submit(&mut browser, &page, &[("decision", "allow")]).await;
    assert_eq!(allowed.status, StatusCode::OK, "{}", allowed.body);
    assert_eq!(claims(&poll(&mut counter, &id).await)["acr"], "pwd");
}

async fn pinged(site: &Site, uri: &str) -> World {
    let world = calling(World::trusting(site.roots()).await).await;
    world
        .change_client("partner", |client| {
            client.backchannel_token_delivery_mode = Some(TokenDelivery::Ping);
            client.backchannel_client_notification_endpoint = Some(EgressUrl::parse(uri).unwrap());
        })
        .await;
    world
}

#[tokio::test]
async fn a_client_that_wants_to_be_told_is_told_of_either_answer() {
    let site = Site::open().await;
    site.answers("/ciba", Response::builder().status(204).body(String::new()).unwrap());
    let world = pinged(&site, &site.url("/ciba")).await;
    let mut counter = world.browser();
    ask(&mut counter, &[]).await.is_error(400, "invalid_request");
    for (told, decision) in ["allow", "deny"].into_iter().enumerate() {
        let id = asked(&mut counter, &[("client_notification_token", "8d67dc78-7faa-4d41-aabd")]).await;
        let (mut browser, page) = at_requests(&world, "alice").await;
        submit(&mut browser, &page, &[("decision", decision)]).await;
        let request = site.asked(told + 1).await.remove(told);
        assert_eq!(
            (request.method().as_str(), &request.headers()["authorization"]),
            ("POST", &"Bearer 8d67dc78-7faa-4d41-aabd".parse().unwrap())
        );
        assert_eq!(request.headers()["content-type"], "application/json");
        assert_eq!(serde_json::from_slice::<Value>(request.body()).unwrap(), serde_json::json!({ "auth_req_id": id }));
        let answer = poll(&mut counter, &id).await;
        assert_eq!(answer.status == StatusCode::OK, decision == "allow", "{}", answer.body);
    }
}

/// DEV-006
#[tokio::test]
async fn a_client_inside_is_never_called_and_the_person_waits_for_nobody() {
    let site = Site::open().await;
    let world = pinged(&site, "https://169.254.169.254/ciba").await;
    let mut counter = world.browser();
    let id = asked(&mut counter, &[("client_notification_token", "8d67dc78")]).await;
    let (mut browser, page) = at_requests(&world, "alice").await;
    let allowed = submit(&mut browser, &page, &[("decision", "allow")]).await;
    assert_eq!(allowed.status, StatusCode::OK);
    let told = loop {
        let events = world.events().await;
        if let Some(event) = events.into_iter().find(|event| event.kind == EventKind::BackchannelAuthenticationNotified) {
            break event;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((told.outcome, told.reason.as_deref()), (Outcome::Failed, Some("ciba.undeliverable")));
    assert_eq!(poll(&mut counter, &id).await.status, StatusCode::OK, "it may ask all the same");
}
