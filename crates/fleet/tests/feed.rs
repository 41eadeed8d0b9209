//! The feed from a store to nodes over loopback.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod fixture;

use std::sync::Arc;

use durward_base::Duration;
use durward_feed::{Frame, FrameDecoder, Snapshot};
use durward_model::{EventKind, Position, Revocation, RevocationKind, Write};
use durward_net::Shutdown;
use durward_node::{FeedClient, FeedSettings, Shared};
use fixture::{Authority, Token, journal};
use http_body_util::BodyExt as _;
use serde_json::json;

struct Node {
    shared: Shared<Snapshot>,
    shutdown: Shutdown,
    _directory: tempfile::TempDir,
}

impl Node {
    fn follow(authority: &Authority) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let shared = Shared::new(Snapshot::default(), journal(&directory, "service/payments", &authority.clock, &authority.rng));
        let settings = FeedSettings {
            authority: authority.url.clone(),
            client: authority.client.clone(),
            token: Arc::new(Token(authority.token(json!({})))),
            directory: None,
            clock: authority.clock.clock(),
            rng: authority.rng.clone(),
        };
        let client = FeedClient::new(settings, shared.following(|snapshot, _| snapshot.clone()));
        let shutdown = Shutdown::new();
        tokio::spawn(client.run(shutdown.clone()));
        Self { shared, shutdown, _directory: directory }
    }

    /// Waits as long as a revocation may take to be everywhere.
    async fn reached(&self, position: Position) {
        let reached = tokio::time::timeout(Duration::from_secs(1), self.shared.reached(position)).await;
        assert!(reached.is_ok(), "{position:?} did not come within a second: {:?}", self.shared.position());
    }

    fn knows(&self, key: &str) -> bool {
        self.shared.view().revocations().iter().any(|revocation| revocation.key == key)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

fn revoke(authority: &Authority, kind: RevocationKind, key: &str) -> Write {
    let now = authority.shared_now();
    Write::Revoke(Revocation {
        realm: "main".to_owned(),
        kind,
        key: key.to_owned(),
        not_before: now,
        expires: now + Duration::from_secs(3600),
        reason: "revoked".to_owned(),
    })
}

#[tokio::test]
async fn a_revocation_is_with_every_node_within_a_second_of_its_commit() {
    let authority = Authority::start().await;
    let nodes: Vec<_> = (0..5).map(|_| Node::follow(&authority)).collect();
    for node in &nodes {
        node.shared.loaded().await;
    }
    for number in 0..20 {
        let key = format!("token-{number}");
        let position = authority.commit(&[revoke(&authority, RevocationKind::Token, &key)]).await;
        for node in &nodes {
            node.reached(position).await;
            assert!(node.knows(&key));
        }
        authority.shared.reached(position).await;
    }
}

#[tokio::test]
async fn a_node_that_comes_late_and_one_that_comes_back_know_the_same() {
    let mut authority = Authority::start().await;
    let early = Node::follow(&authority);
    early.shared.loaded().await;
    let position = authority.commit(&[revoke(&authority, RevocationKind::Token, "a")]).await;
    early.reached(position).await;
    authority.serve().await;
    let late = Node::follow(&authority);
    late.reached(position).await;
    assert!(early.knows("a") && late.knows("a"));
    let (early, late) = (early.shared.view(), late.shared.view());
    assert_eq!(early.resources(), late.resources());
    assert_eq!(early.keys(), late.keys());
    assert!(late.client_secrets().is_empty());
}

#[tokio::test]
async fn a_restore_takes_every_node_to_the_new_epoch_and_un_revokes_nothing() {
    let authority = Authority::start().await;
    let node = Node::follow(&authority);
    let position = authority.commit(&[revoke(&authority, RevocationKind::Token, "a")]).await;
    node.reached(position).await;
    authority.clock.advance(Duration::from_secs(1));
    let restored = authority.store.restore_epoch().await.unwrap();
    let after = authority.commit(&[revoke(&authority, RevocationKind::Token, "b")]).await;
    assert!(after.epoch == restored.epoch && restored.epoch > position.epoch);
    // A pump that polls, an ended stream, a pause, a new stream.
    tokio::time::timeout(Duration::from_secs(5), node.shared.reached(after)).await.unwrap();
    assert!(node.knows("a") && node.knows("b"));
}

/// The frames of a stream until it ends.
async fn read(mut body: hyper::body::Incoming) -> Vec<Frame> {
    let (mut decoder, mut frames) = (FrameDecoder::default(), Vec::new());
    while let Some(Ok(data)) = body.frame().await {
        decoder.push(&data.into_data().unwrap());
        while let Some(frame) = decoder.next_frame().unwrap() {
            frames.push(frame);
        }
    }
    frames
}

#[tokio::test]
async fn a_stream_ends_when_the_token_that_opened_it_dies() {
    let authority = Authority::start().await;
    let token = authority.token(json!({}));
    let revoked = authority.feed(Some(&token), "").await;
    assert_eq!((revoked.status(), revoked.headers()["content-type"].to_str().unwrap()), (http::StatusCode::OK, "application/x-ndjson"));
    authority.commit(&[revoke(&authority, RevocationKind::Client, "payments-program")]).await;
    let frames = tokio::time::timeout(Duration::from_secs(5), read(revoked.into_body())).await.unwrap();
    assert!(matches!(frames.first(), Some(Frame::Hello { .. })), "{frames:?}");
    assert!(matches!(frames.get(1), Some(Frame::Snapshot { .. })), "{frames:?}");

    let expired = authority.feed(Some(&authority.token(json!({"sub": "other", "client_id": "other"}))), "").await;
    authority.clock.advance(Duration::from_secs(600));
    tokio::time::timeout(Duration::from_secs(5), read(expired.into_body())).await.unwrap();
}

#[tokio::test]
async fn the_feed_is_for_nodes_only() {
    let authority = Authority::start().await;
    let person = json!({"sub": "nF3qZ0rS1mC4b9xQe7tYuA", "svc": null, "sid": "f", "ses": "s"});
    let mut tampered = authority.token(json!({}));
    tampered.pop();
    for (token, status, reason) in [
        (None, 401, "no_credential"),
        (Some(tampered), 401, "signature_malformed"),
        (Some(authority.token(json!({"aud": "payments"}))), 401, "audience_mismatch"),
        (Some(authority.token(json!({"exp": authority.shared_now().seconds() - 60}))), 401, "token_expired"),
        (Some(authority.token(person)), 403, "not_a_node"),
        (Some(authority.token(json!({"svc": null}))), 403, "not_a_node"),
    ] {
        let answer = authority.feed(token.as_deref(), "").await;
        assert_eq!(answer.status().as_u16(), status, "{reason}");
        assert_eq!(answer.headers().contains_key("www-authenticate"), status == 401, "{reason}");
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let newest = authority.newest(EventKind::FeedRead).await;
        assert_eq!((newest.reason.as_deref(), newest.request.as_ref().unwrap().status), (problem["code"].as_str(), status));
        if reason != "signature_malformed" && reason != "token_expired" {
            assert_eq!(problem["code"], reason);
        }
    }
}

#[tokio::test]
async fn a_position_that_is_none_is_refused() {
    let authority = Authority::start().await;
    let token = authority.token(json!({}));
    for query in ["?epoch=x", "?since=-1", "?epoch=1&since=2&since=3", "?other=1", "?since=18446744073709551616"] {
        let answer = authority.feed(Some(&token), query).await;
        assert_eq!(answer.status().as_u16(), 400, "{query}");
    }
    let ahead = authority.store.head().await.unwrap();
    let query = format!("?epoch={}&since={}", ahead.epoch, ahead.seq + 10);
    assert_eq!(authority.feed(Some(&token), &query).await.status().as_u16(), 503);
}
