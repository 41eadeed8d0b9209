//! Events from nodes to the authority's journal over loopback.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod fixture;

use std::sync::Arc;

use durward_audit::{BATCH_EVENTS, BATCH_LIMIT, encode_batch};
use durward_base::{Duration, EventId};
use durward_model::{Event, EventKind, Outcome};
use durward_net::Shutdown;
use durward_node::{EventShipper, ShipperSettings};
use fixture::{Authority, Token, journal};
use serde_json::json;

const BATCH: &str = "application/cbor-seq";

fn event(authority: &Authority, kind: EventKind) -> Event {
    let now = authority.shared_now();
    Event::new(EventId::new(now, &authority.rng), now, "forged/name".into(), kind)
}

fn ids(events: &[Event]) -> Vec<EventId> {
    events.iter().map(|event| event.id).collect()
}

/// The nodes' events in the journal.
async fn kept(authority: &Authority) -> Vec<Event> {
    let mut record = authority.record().await;
    record.retain(|event| event.kind == EventKind::ServiceRequest);
    record
}

#[tokio::test]
async fn a_batch_is_on_disk_under_the_nodes_own_name_when_it_is_acknowledged() {
    let authority = Authority::start().await;
    let mut sent: Vec<_> = (0..3).map(|_| event(&authority, EventKind::ServiceRequest)).collect();
    sent[1].realm = Some("another".into());
    sent[2].issued = Some("the jti of somebody's token".to_owned());
    let answer = authority.post(Some(&authority.token(json!({}))), BATCH, encode_batch(&sent)).await;
    assert_eq!(answer.status().as_u16(), 204);
    let kept = kept(&authority).await;
    assert_eq!(ids(&kept), ids(&sent));
    assert!(
        kept.iter().all(|event| &*event.node == "service/payments" && event.realm.as_deref() == Some("main") && event.issued.is_none())
    );
}

#[tokio::test]
async fn a_batch_that_comes_again_is_taken_once_even_after_a_restart() {
    let mut authority = Authority::start().await;
    let token = authority.token(json!({}));
    let mut sent: Vec<_> = (0..3).map(|_| event(&authority, EventKind::ServiceRequest)).collect();
    for restart in [false, false, true] {
        if restart {
            authority.serve().await;
            authority.feed(Some(&token), "").await;
            sent.push(event(&authority, EventKind::ServiceRequest));
        }
        let once = authority.post(Some(&token), BATCH, encode_batch(&sent));
        let again = authority.post(Some(&token), BATCH, encode_batch(&sent));
        let (once, again) = tokio::join!(once, again);
        assert_eq!((once.status().as_u16(), again.status().as_u16()), (204, 204));
        assert_eq!(ids(&kept(&authority).await), ids(&sent));
    }
}

#[tokio::test]
async fn what_a_node_may_not_say_and_what_is_no_batch_is_refused_whole() {
    let authority = Authority::start().await;
    let token = authority.token(json!({}));
    let good = event(&authority, EventKind::ServiceRequest);
    let forged = encode_batch(&[good.clone(), event(&authority, EventKind::KeyChanged)]);
    let login = encode_batch(&[good.clone(), event(&authority, EventKind::LoginSubmitted)]);
    let torn = encode_batch([&good]).split_last().unwrap().1.to_vec();
    let many = encode_batch(&vec![good.clone(); BATCH_EVENTS + 1]);
    for (body, kind, status, code) in [
        (forged, BATCH, 400, "bad_event"),
        (login, BATCH, 400, "bad_event"),
        (torn, BATCH, 400, "bad_batch"),
        (many, BATCH, 400, "bad_batch"),
        (b"{}".to_vec(), BATCH, 400, "bad_batch"),
        (vec![0; BATCH_LIMIT + 1], BATCH, 413, "batch_too_large"),
        (encode_batch(&[good]), "application/json", 415, "not_cbor_seq"),
    ] {
        let answer = authority.post(Some(&token), kind, body).await;
        let problem: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!((answer.status().as_u16(), problem["code"].as_str()), (status, Some(code)));
    }
    assert_eq!(kept(&authority).await, []);
}

#[tokio::test]
async fn only_nodes_send_events() {
    let authority = Authority::start().await;
    let body = encode_batch(&[event(&authority, EventKind::ServiceRequest)]);
    let person = authority.token(json!({"sub": "nF3qZ0rS1mC4b9xQe7tYuA", "svc": null, "sid": "f", "ses": "s"}));
    let elsewhere = authority.token(json!({"aud": "payments"}));
    for (token, status) in [(None, 401_u16), (Some(elsewhere), 401), (Some(person), 403)] {
        let answer = authority.post(token.as_deref(), BATCH, body.clone()).await;
        assert_eq!(answer.status().as_u16(), status);
        let newest = authority.newest(EventKind::EventsReceived).await;
        assert_eq!((newest.outcome, newest.request.unwrap().status), (Outcome::Denied, status));
    }
    assert_eq!(kept(&authority).await, []);
}

#[tokio::test]
async fn a_nodes_journal_arrives_whole_and_in_order() {
    let authority = Authority::start().await;
    let directory = tempfile::tempdir().unwrap();
    let journal = journal(&directory, "service/payments", &authority.clock, &authority.rng);
    let settings = ShipperSettings {
        journal: journal.clone(),
        node: "service/payments".into(),
        authority: authority.url.clone(),
        client: authority.client.clone(),
        token: Arc::new(Token(authority.token(json!({})))),
        clock: authority.clock.clock(),
        rng: authority.rng.clone(),
    };
    let shutdown = Shutdown::new();
    let running = tokio::spawn(EventShipper::new(settings).run(shutdown.clone()));
    let mut sent = Vec::new();
    for number in 0..3_000 {
        let mut event = event(&authority, EventKind::ServiceRequest);
        event.outcome = if number % 1_000 == 0 { Outcome::Denied } else { Outcome::Allowed };
        sent.push(event.id);
        journal.record(event).await.unwrap();
    }
    shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(10), running).await.unwrap().unwrap();
    assert!(ids(&kept(&authority).await) == sent);
}

#[tokio::test]
async fn events_that_were_committed_with_writes_come_into_the_journal_once() {
    let authority = Authority::start().await;
    authority.commit(&[]).await;
    let carried = async { while !authority.store.events_to_journal("authority").await.unwrap().is_empty() {} };
    tokio::time::timeout(Duration::from_secs(10), carried).await.unwrap();
    // The realm and the key of the fixture were one commit.
    assert_eq!(authority.record().await.len(), 2);
    authority.shared.journal().verify().await.unwrap();
}
