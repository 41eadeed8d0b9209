//! Refresh tokens over the real store.

use durward_base::{Duration, Timestamp};
use durward_model::{Revocation, RevocationKind, Write};
use http::StatusCode;

use crate::fixture::World;

/// RT-001, RT-009
#[tokio::test]
async fn rotation_has_one_successor_a_grace_and_an_alarm() {
    let world = World::new().await;
    let mut browser = world.browser();
    let first = browser.tokens().await["refresh_token"].as_str().unwrap().to_owned();
    world.clock.advance(Duration::from_secs(60));
    let rotated = browser.refresh(&first, &[]).await;
    assert_eq!(rotated.status, StatusCode::OK, "{}", rotated.body);
    let second = rotated.text("refresh_token");
    assert_ne!(first, second);
    world.clock.advance(Duration::from_secs(10));
    let retried = browser.refresh(&first, &[]).await;
    assert_eq!(retried.text("refresh_token"), second, "the same successor for a client that lost the answer");
    world.clock.advance(Duration::from_secs(1));
    let stolen = browser.refresh(&first, &[]).await;
    stolen.is_error(400, "invalid_grant");
    assert_eq!(stolen.reason(), "refresh_token.reused");
    browser.refresh(&second, &[]).await.is_error(400, "invalid_grant");
    browser.userinfo(&retried.text("access_token")).await.is_error(401, "invalid_token");
}

/// RT-004
#[tokio::test]
async fn a_refresh_token_is_its_own_clients_alone() {
    let world = World::new().await;
    let mut browser = world.browser();
    let token = browser.tokens().await["refresh_token"].as_str().unwrap().to_owned();
    let other = browser.refresh(&token, &[("client_id", "desktop")]).await;
    other.is_error(400, "invalid_grant");
    assert_eq!(other.reason(), "refresh_token.client_mismatch");
    for forged in [&token[..token.len() - 1], &token.replace("dw_rt_", "dw_ac_"), "dw_rt_", "x"] {
        browser.refresh(forged, &[]).await.is_error(400, "invalid_grant");
    }
    assert_eq!(browser.refresh(&token, &[]).await.status, StatusCode::OK, "not consumed");
}

/// RT-005
#[tokio::test]
async fn refreshing_asks_anew_whether_the_person_and_the_client_are_good() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.tokens().await;
    let token = tokens["refresh_token"].as_str().unwrap().to_owned();
    world.change_client("web", |client| client.disabled = true).await;
    browser.refresh(&token, &[]).await.is_error(401, "invalid_client");
    world.change_client("web", |client| client.disabled = false).await;
    world.change_person("alice", |person| person.disabled = true).await;
    let refused = browser.refresh(&token, &[]).await;
    refused.is_error(400, "invalid_grant");
    assert_eq!(refused.reason(), "person_disabled");
    browser.userinfo(tokens["access_token"].as_str().unwrap()).await.is_error(401, "invalid_token");
}

/// RT-008
#[tokio::test]
async fn rotation_never_extends_the_end() {
    let world = World::new().await;
    let mut browser = world.browser();
    let mut token = browser.tokens().await["refresh_token"].as_str().unwrap().to_owned();
    for _ in 0..6 {
        world.clock.advance(Duration::from_secs(5 * 86_400 - 10));
        let refreshed = browser.refresh(&token, &[]).await;
        assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.body);
        token = refreshed.text("refresh_token");
    }
    world.clock.advance(Duration::from_secs(61));
    let ended = browser.refresh(&token, &[]).await;
    assert_eq!(ended.reason(), "family_expired");
}

#[tokio::test]
async fn a_token_is_not_made_in_the_margin_of_a_watermark_but_right_after_it() {
    let world = World::new().await;
    let mut browser = world.browser();
    let token = browser.tokens().await["refresh_token"].as_str().unwrap().to_owned();
    let now = world.clock.clock().now();
    let mark = now + durward_model::revocation::WATERMARK_MARGIN;
    world.write(&[Write::Revoke(watermark(world.person("alice").await.sub, mark))]).await;
    let clock = world.clock.clone();
    let moved = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        clock.advance(Duration::from_millis(251));
    });
    let refreshed = browser.refresh(&token, &[]).await;
    moved.await.unwrap();
    assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.body);
    assert_eq!(browser.userinfo(&refreshed.text("access_token")).await.status, StatusCode::OK, "it lives");
}

#[tokio::test]
async fn a_narrower_scope_may_be_asked_for_and_a_wider_one_not() {
    let world = World::new().await;
    let mut browser = world.browser();
    let token = browser.tokens().await["refresh_token"].as_str().unwrap().to_owned();
    browser.refresh(&token, &[("scope", "openid email")]).await.is_error(400, "invalid_scope");
    let narrowed = browser.refresh(&token, &[("scope", "orders:read")]).await;
    assert_eq!(narrowed.text("scope"), "orders:read");
}

fn watermark(sub: String, not_before: Timestamp) -> Revocation {
    Revocation {
        realm: "main".to_owned(),
        kind: RevocationKind::Subject,
        key: sub,
        not_before,
        expires: not_before + Duration::from_secs(3660),
        reason: "role_lost".to_owned(),
    }
}
