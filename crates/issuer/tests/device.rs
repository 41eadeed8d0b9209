//! The device grant: a television, a person with a browser, and who would be either.

use durward_base::Duration;
use http::StatusCode;

use crate::fixture::{Answer, Browser, World};

const DEVICE: &str = "/realms/main/device";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn ask(tv: &mut Browser<'_>) -> Answer {
    let asked =
        tv.post("/realms/main/oauth2/device_authorization", &[("client_id", "tv"), ("scope", "openid orders:read orders:write")]).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
    asked
}

async fn poll(tv: &mut Browser<'_>, device_code: &str) -> Answer {
    tv.token(&[("grant_type", GRANT), ("client_id", "tv"), ("device_code", device_code)]).await
}

/// A browser in which somebody is logged in, at the form for a code.
async fn at_the_form<'w>(world: &'w World, username: &str) -> (Browser<'w>, Answer) {
    let mut browser = world.browser();
    let asked = browser.get(DEVICE).await;
    let page = browser.follow(&asked).await;
    assert!(page.body.contains("connect a device"));
    let arrived = browser.log_in(&page, username, crate::fixture::PASSWORD).await;
    let form = browser.follow(&arrived).await;
    assert!(form.body.contains("id=\"user-code\""), "{}", form.body);
    (browser, form)
}

async fn submit(browser: &mut Browser<'_>, shown: &Answer, fields: &[(&str, &str)]) -> Answer {
    let transaction = shown.attribute("name=\"transaction\"", "value");
    browser.with("sec-fetch-site", "same-origin").with("origin", "null");
    browser.post(DEVICE, &[&[("transaction", transaction.as_str())], fields].concat()).await
}

#[tokio::test]
async fn a_person_connects_a_device_by_the_code_it_shows() {
    let world = World::new().await;
    let mut tv = world.browser();
    let asked = ask(&mut tv).await;
    let (user_code, device_code) = (asked.text("user_code"), asked.text("device_code"));
    assert_eq!(user_code.len(), 9);
    assert_eq!(asked.text("verification_uri"), "https://auth.shop.example/realms/main/device");
    assert_eq!(asked.text("verification_uri_complete"), format!("https://auth.shop.example/realms/main/device?user_code={user_code}"));
    assert_eq!((asked.json()["interval"].as_u64(), asked.json()["expires_in"].as_u64()), (Some(5), Some(600)));
    poll(&mut tv, &device_code).await.is_error(400, "authorization_pending");
    poll(&mut tv, &device_code).await.is_error(400, "slow_down");

    let (mut browser, form) = at_the_form(&world, "alice").await;
    let typed = user_code.to_lowercase().replace('-', " ");
    let confirm = submit(&mut browser, &form, &[("user_code", &typed)]).await;
    for text in ["Connect Harbour TV to your account?", &user_code, "192.0.2.7", "alice", "See your orders", "Order in your name"] {
        assert!(confirm.body.contains(text), "{text}: {}", confirm.body);
    }
    poll(&mut tv, &device_code).await.is_error(400, "slow_down");
    let allowed = submit(&mut browser, &confirm, &[("decision", "allow")]).await;
    assert!(allowed.body.contains("Harbour TV is connected"), "{}", allowed.body);

    let tokens = poll(&mut tv, &device_code).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
    assert_eq!(tokens.text("scope"), "openid orders:read", "what was left out is not in it");
    assert!(tokens.json()["refresh_token"].is_string() && tokens.json()["id_token"].is_string());
    assert_eq!(tv.userinfo(&tokens.text("access_token")).await.status, StatusCode::OK);
}

/// DEV-004
#[tokio::test]
async fn a_device_code_is_for_its_client_once_in_time_and_not_after_a_denial() {
    let world = World::new().await;
    let mut tv = world.browser();
    for forged in ["", "dw_dc_x", "dw_rt_AAAA"] {
        let refused = poll(&mut tv, forged).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{forged}");
    }
    let asked = ask(&mut tv).await;
    let device_code = asked.text("device_code");
    let (mut browser, form) = at_the_form(&world, "alice").await;
    let confirm = submit(&mut browser, &form, &[("user_code", &asked.text("user_code"))]).await;
    submit(&mut browser, &confirm, &[("decision", "allow"), ("scope-2", "on")]).await;
    let other = tv.token(&[("grant_type", GRANT), ("client_id", "web"), ("device_code", &device_code)]).await;
    other.is_error(400, "unauthorized_client");
    let tokens = poll(&mut tv, &device_code).await;
    assert_eq!(tokens.text("scope"), "openid orders:read orders:write");
    let again = poll(&mut tv, &device_code).await;
    again.is_error(400, "invalid_grant");
    assert_eq!(again.reason(), "device.replayed");
    tv.userinfo(&tokens.text("access_token")).await.is_error(401, "invalid_token");

    let asked = ask(&mut tv).await;
    let form = browser.get(DEVICE).await;
    let confirm = submit(&mut browser, &form, &[("user_code", &asked.text("user_code"))]).await;
    let denied = submit(&mut browser, &confirm, &[("decision", "deny")]).await;
    assert!(denied.body.contains("is not connected"));
    assert_eq!(submit(&mut browser, &confirm, &[("decision", "allow")]).await.status, StatusCode::CONFLICT);
    poll(&mut tv, &asked.text("device_code")).await.is_error(400, "access_denied");

    let asked = ask(&mut tv).await;
    world.clock.advance(Duration::from_secs(600));
    poll(&mut tv, &asked.text("device_code")).await.is_error(400, "expired_token");
}

/// DEV-003
#[tokio::test]
async fn a_device_gets_nothing_for_a_person_who_was_disabled_since() {
    let world = World::new().await;
    let mut tv = world.browser();
    let asked = ask(&mut tv).await;
    let (mut browser, form) = at_the_form(&world, "alice").await;
    let confirm = submit(&mut browser, &form, &[("user_code", &asked.text("user_code"))]).await;
    submit(&mut browser, &confirm, &[("decision", "allow")]).await;
    world.disable("alice").await;
    let refused = poll(&mut tv, &asked.text("device_code")).await;
    refused.is_error(400, "invalid_grant");
    assert_eq!(refused.reason(), "person_disabled");
}

/// DEV-001
#[tokio::test]
async fn five_wrong_codes_are_all_that_anybody_may_type() {
    let world = World::new().await;
    let mut tv = world.browser();
    let asked = ask(&mut tv).await;
    let (mut browser, form) = at_the_form(&world, "alice").await;
    for wrong in ["BBBB-BBBB", "bbbb bbbb", "BBBBBBBB", "AAAA-0000", "x"] {
        let refused = submit(&mut browser, &form, &[("user_code", wrong)]).await;
        assert_eq!((refused.status, refused.reason()), (StatusCode::BAD_REQUEST, "device.code_wrong"), "{wrong}");
    }
    let refused = submit(&mut browser, &form, &[("user_code", &asked.text("user_code"))]).await;
    assert_eq!((refused.status, refused.reason()), (StatusCode::TOO_MANY_REQUESTS, "device.throttled"), "the right one too");
    assert!(!refused.header("retry-after").is_empty());
    let (mut elsewhere, form) = at_the_form(&world, "bob").await;
    elsewhere.address = ([198, 51, 100, 7], 4711).into();
    let found = submit(&mut elsewhere, &form, &[("user_code", &asked.text("user_code"))]).await;
    assert_eq!(found.status, StatusCode::OK, "others go on");
}

#[tokio::test]
async fn a_link_with_a_code_asks_all_the_same_and_no_other_page_answers() {
    let world = World::new().await;
    let mut tv = world.browser();
    let asked = ask(&mut tv).await;
    let (mut browser, _) = at_the_form(&world, "alice").await;
    let form = browser.get(&asked.text("verification_uri_complete")).await;
    assert_eq!(form.attribute("id=\"user-code\"", "value"), asked.text("user_code"));
    assert!(!form.body.contains("Harbour TV"), "nothing is looked up by following a link");
    let confirm = submit(&mut browser, &form, &[("user_code", &asked.text("user_code"))]).await;
    let transaction = confirm.attribute("name=\"transaction\"", "value");
    let answer = [("transaction", transaction.as_str()), ("decision", "allow")];
    let foreign = browser.with("sec-fetch-site", "cross-site").post(DEVICE, &answer).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    let (mut bob, _) = at_the_form(&world, "bob").await;
    assert_eq!(bob.post(DEVICE, &answer).await.status, StatusCode::BAD_REQUEST, "shown to somebody else");
    poll(&mut tv, &asked.text("device_code")).await.is_error(400, "authorization_pending");
}
