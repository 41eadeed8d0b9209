//! Signing keys: rotated and revoked ahead of their schedule.

use durward_model::{Key, KeyState, RevocationKind};
use http::StatusCode;
use serde_json::json;

use crate::fixture::World;

fn in_state(keys: &[Key], state: KeyState) -> Vec<&str> {
    let mut kids: Vec<&str> = keys.iter().filter(|key| key.state == state).map(|key| key.kid.as_str()).collect();
    kids.sort_unstable();
    kids
}

#[tokio::test]
async fn rotation_promotes_the_keys_that_were_published_and_publishes_the_next() {
    let world = World::empty().await;
    let before = world.keys().await;
    let answer = world.post("keys/rotate", &json!({})).await;
    assert_eq!((answer.status, answer.event.target.as_deref()), (StatusCode::OK, Some("realm/main")));
    let after = world.keys().await;
    assert_eq!(in_state(&after, KeyState::Active), in_state(&before, KeyState::Published), "published before used");
    assert_eq!(in_state(&after, KeyState::Retiring), in_state(&before, KeyState::Active), "still verifying");
    assert_eq!(in_state(&after, KeyState::Published).len(), 2);
    assert!(!answer.body.to_string().contains("sealed"));
}

/// FLT-005
#[tokio::test]
async fn however_many_rotate_at_once_one_new_key_signs() {
    let world = World::empty().await;
    let before = world.keys().await;
    let body = json!({});
    let answers = futures_util::future::join_all((0..5).map(|_| world.post("keys/rotate", &body))).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK));
    let after = world.keys().await;
    assert_eq!(in_state(&after, KeyState::Active), in_state(&before, KeyState::Published));
    assert_eq!(after.len(), before.len() + 2, "one rotation answered them all");
}

#[tokio::test]
async fn a_compromised_key_is_gone_at_once_and_its_successor_signs() {
    let world = World::empty().await;
    let before = world.keys().await;
    let active = before.iter().find(|key| key.state == KeyState::Active && key.algorithm == "ES256").unwrap();
    let next = before.iter().find(|key| key.state == KeyState::Published && key.algorithm == "ES256").unwrap();
    let answer = world.post(&format!("keys/{}/revoke", active.kid), &json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let after = world.keys().await;
    assert_eq!(in_state(&after, KeyState::Removed), [active.kid.as_str()]);
    assert!(in_state(&after, KeyState::Active).contains(&next.kid.as_str()));
    assert_eq!(in_state(&after, KeyState::Published).len(), 2);
    let revoked = world.revocations().await;
    assert_eq!(
        revoked.iter().map(|revocation| (revocation.kind, revocation.key.as_str())).collect::<Vec<_>>(),
        [(RevocationKind::Key, active.kid.as_str())]
    );
    assert_eq!(world.post(&format!("keys/{}/revoke", active.kid), &json!({})).await.status, StatusCode::OK, "revoking twice is revoking");
    assert_eq!(world.post("keys/nonsense/revoke", &json!({})).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn revoking_the_key_that_is_next_publishes_another() {
    let world = World::empty().await;
    let before = world.keys().await;
    let next = before.iter().find(|key| key.state == KeyState::Published).unwrap();
    world.post(&format!("keys/{}/revoke", next.kid), &json!({})).await;
    let after = world.keys().await;
    assert_eq!(in_state(&after, KeyState::Active), in_state(&before, KeyState::Active));
    let published = in_state(&after, KeyState::Published);
    assert!(published.len() == 2 && !published.contains(&next.kid.as_str()));
}

/// A token that an administrator came with is dead with the key that signed it.
#[tokio::test]
async fn the_admin_api_itself_refuses_tokens_of_a_revoked_key() {
    let world = World::empty().await;
    let token = world.token_of(durward_model::AdminRole::Admin).await;
    let call = async || world.call(crate::fixture::By::Token(&token), http::Method::GET, "roles", None).await.status;
    assert_eq!(call().await, StatusCode::OK);
    let active = world.keys().await.into_iter().find(|key| key.state == KeyState::Active && key.algorithm == "ES256").unwrap();
    world.post(&format!("keys/{}/revoke", active.kid), &json!({})).await;
    assert_eq!(call().await, StatusCode::UNAUTHORIZED);
}
