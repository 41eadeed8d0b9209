//! The password grant, for a client that is named for it: with the login page's own proof.

use durward_model::LegacyGrant;
use http::StatusCode;

use crate::fixture::{Answer, Browser, PASSWORD, World};

async fn ask(browser: &mut Browser<'_>, username: &str, password: &str) -> Answer {
    let form =
        [("grant_type", "password"), ("client_id", "desktop"), ("username", username), ("password", password), ("scope", "orders:read")];
    browser.token(&form).await
}

#[tokio::test]
async fn a_client_that_is_not_named_for_it_finds_no_such_grant() {
    let world = World::new().await;
    let refused = ask(&mut world.browser(), "alice", PASSWORD).await;
    refused.is_error(400, "unsupported_grant_type");
    assert_eq!(world.logins_of("alice").await, 0);
}

#[tokio::test]
async fn each_use_opens_a_login_that_can_be_seen_and_is_on_record_with_its_reason() {
    let world = World::new().await;
    world.change_client("desktop", |client| client.legacy_grants = vec![LegacyGrant::Password]).await;
    let mut browser = world.browser();
    let granted = ask(&mut browser, "alice", PASSWORD).await;
    assert_eq!((granted.status, granted.text("scope").as_str()), (StatusCode::OK, "orders:read"), "{}", granted.body);
    assert_eq!(granted.reason(), "legacy_grant.password");
    assert_eq!(world.logins_of("alice").await, 1);
}

#[tokio::test]
async fn guesses_are_counted_as_on_the_login_page_and_answered_alike() {
    let world = World::new().await;
    world.change_client("desktop", |client| client.legacy_grants = vec![LegacyGrant::Password]).await;
    let mut browser = world.browser();
    let mut answers = Vec::new();
    for (username, reason) in [("alice", "login.password_wrong"), ("nobody", "login.person_unknown")] {
        let refused = ask(&mut browser, username, "wrong").await;
        refused.is_error(400, "invalid_grant");
        assert_eq!(refused.reason(), reason);
        answers.push(refused.body);
    }
    assert_eq!(answers[0], answers[1]);
    for _ in 0..4 {
        ask(&mut browser, "alice", "wrong").await;
    }
    let throttled = ask(&mut browser, "alice", PASSWORD).await;
    assert_eq!((throttled.status, throttled.reason()), (StatusCode::TOO_MANY_REQUESTS, "login.throttled"), "{}", throttled.body);
    assert!(!throttled.header("retry-after").is_empty());
}
