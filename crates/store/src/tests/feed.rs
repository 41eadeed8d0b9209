//! The feed, and events: what was committed is told, in order, once.

use std::collections::BTreeMap;

use durward_audit::Query as Asked;
use durward_model::{KeyState, Position, Record, Revocation, RevocationKind, Stored, Write};

use super::bench::{Bench, REALM};
use super::on_both;
use crate::{CHANGES_PAGE, CommitError, StoreError};

on_both! {
    positions_are_dense_and_a_commit_says_how_far_to_follow,
    a_batch_that_lost_leaves_nothing_on_the_feed,
    the_snapshot_is_what_the_changes_lead_to,
    another_epoch_a_hole_or_the_future_asks_for_a_snapshot,
    long_feeds_come_in_pages,
    subscribers_are_rung_when_the_head_moves,
    a_restore_begins_an_epoch_that_never_was,
    events_are_found_by_whatever_joins_them,
    an_event_is_recorded_once,
    events_wait_for_the_journal_of_their_node,
}

fn put(stored: &Stored, expected: Option<u64>) -> Write {
    Write::PutResource { stored: Box::new(stored.clone()), expected }
}

async fn positions_are_dense_and_a_commit_says_how_far_to_follow(bench: Bench) {
    let begin = bench.store.head().await.unwrap();
    assert_eq!(begin.seq, 0);
    let one = bench.commit(&[put(&bench.role("a", 1), None)]).await.position;
    let three = bench.commit(&[put(&bench.role("b", 1), None), put(&bench.role("c", 1), None)]).await.position;
    assert_eq!((one, three), (Position { seq: 1, ..begin }, Position { seq: 3, ..begin }));
    assert_eq!(bench.store.head().await.unwrap(), three);
    let seqs = |changes: Vec<durward_model::Change>| changes.into_iter().map(|change| change.position.seq).collect::<Vec<_>>();
    assert_eq!(seqs(bench.store.changes(begin).await.unwrap()), [1, 2, 3]);
    assert_eq!(seqs(bench.store.changes(one).await.unwrap()), [2, 3]);
    assert_eq!(bench.store.changes(three).await.unwrap(), []);
    let person = bench.new_person("alice");
    let quiet = bench.commit(&[Write::CreatePerson { person, password_hash: None }]).await.position;
    assert_eq!(quiet, three, "what is no change leaves the head where it is");
}

async fn a_batch_that_lost_leaves_nothing_on_the_feed(bench: Bench) {
    let role = bench.role("a", 1);
    bench.commit(&[put(&role, None)]).await;
    let lost = bench.try_commit(&[put(&bench.role("b", 1), None), put(&role, None)]).await;
    assert_eq!(lost, Err(CommitError::Conflict { write_index: 1 }));
    assert_eq!(bench.records().await.len(), 1);
    assert_eq!(bench.commit(&[put(&bench.role("c", 1), None)]).await.position.seq, 2);
}

async fn the_snapshot_is_what_the_changes_lead_to(bench: Bench) {
    let role = bench.role("a", 1);
    let token = |key: &str, lives| Revocation {
        realm: REALM.to_owned(),
        kind: RevocationKind::Token,
        key: key.to_owned(),
        not_before: bench.now(),
        expires: bench.now() + durward_base::Duration::from_secs(lives),
        reason: "revoked".to_owned(),
    };
    bench
        .commit(&[
            put(&bench.realm(), None),
            put(&role, None),
            put(&bench.role("b", 1), None),
            put(&Stored { version: 2, ..role }, Some(1)),
            Write::PutKey(Box::new(bench.key("k1", KeyState::Published))),
            Write::MoveKey { kid: "k1".to_owned(), from: KeyState::Published, to: KeyState::Active, at: bench.now() },
            Write::Revoke(token("live", 300)),
            Write::Revoke(token("dead", 0)),
            Write::DeleteResource { realm: REALM.to_owned(), kind: durward_model::ResourceKind::Role, name: "b".to_owned(), expected: 1 },
        ])
        .await;
    let name = |record: &Record| match record {
        Record::Resource(stored) => format!("{}/{}", stored.resource.kind().name(), stored.resource.name()),
        Record::ResourceDeleted { kind, name, .. } => format!("{}/{name}", kind.name()),
        Record::Key(key) => format!("key/{}", key.kid),
        Record::Revocation(revocation) => format!("revocation/{}", revocation.key),
        Record::ClientSecret(secret) => format!("secret/{}", secret.id),
    };
    let mut followed: BTreeMap<String, Record> = bench.records().await.into_iter().map(|record| (name(&record), record)).collect();
    followed.retain(|key, record| key != "revocation/dead" && !matches!(record, Record::ResourceDeleted { .. }));
    let (position, records) = bench.store.snapshot().await.unwrap();
    let present: BTreeMap<String, Record> = records.into_iter().map(|record| (name(&record), record)).collect();
    assert_eq!(present, followed);
    assert_eq!(position, bench.store.head().await.unwrap());
}

async fn another_epoch_a_hole_or_the_future_asks_for_a_snapshot(bench: Bench) {
    for name in ["a", "b", "c"] {
        bench.commit(&[put(&bench.role(name, 1), None)]).await;
    }
    let head = bench.store.head().await.unwrap();
    for since in [Position::default(), Position { epoch: head.epoch + 1, ..head }, Position { seq: head.seq + 1, ..head }] {
        assert_eq!(bench.store.changes(since).await, Err(StoreError::Gap { since }));
    }
    bench.tamper("DELETE FROM feed WHERE seq = 2").await;
    let begin = Position { seq: 0, ..head };
    assert_eq!(bench.store.changes(begin).await.unwrap().len(), 1, "what comes before the hole is good");
    let before_hole = Position { seq: 1, ..head };
    assert_eq!(bench.store.changes(before_hole).await, Err(StoreError::Gap { since: before_hole }));
    assert_eq!(bench.store.changes(Position { seq: 2, ..head }).await.unwrap().len(), 1);
}

async fn long_feeds_come_in_pages(bench: Bench) {
    let many: Vec<Write> = (0..CHANGES_PAGE + 5).map(|number| put(&bench.role(&format!("role-{number}"), 1), None)).collect();
    bench.commit(&many).await;
    let head = bench.store.head().await.unwrap();
    let first = bench.store.changes(Position { seq: 0, ..head }).await.unwrap();
    assert_eq!(first.len(), CHANGES_PAGE);
    assert_eq!(bench.store.changes(first.last().unwrap().position).await.unwrap().len(), 5);
}

async fn subscribers_are_rung_when_the_head_moves(bench: Bench) {
    let mut bell = bench.store.subscribe();
    let begin = *bell.borrow_and_update();
    bench.person("alice").await;
    assert!(!bell.has_changed().unwrap(), "what is no change does not ring");
    let committed = bench.commit(&[put(&bench.role("a", 1), None)]).await;
    tokio::time::timeout(std::time::Duration::from_secs(2), bell.changed()).await.unwrap().unwrap();
    assert_eq!(*bell.borrow_and_update(), committed.position);
    assert_eq!(committed.position, Position { seq: 1, ..begin });
}

async fn a_restore_begins_an_epoch_that_never_was(bench: Bench) {
    let role = bench.role("a", 1);
    let before = bench.commit(&[put(&role, None)]).await.position;
    assert_eq!(bench.store.restored_at().await.unwrap(), None);
    bench.time.pass(durward_base::Duration::from_secs(5));
    let restored = bench.store.restore_epoch().await.unwrap();
    assert_eq!(restored, Position { epoch: bench.now().millis().unsigned_abs(), seq: 0 });
    assert_eq!(bench.store.restored_at().await.unwrap(), Some(bench.now()));
    assert_eq!(bench.store.changes(before).await, Err(StoreError::Gap { since: before }));
    assert_eq!(bench.store.snapshot().await.unwrap(), (restored, vec![Record::Resource(Box::new(role))]));
    let again = bench.store.restore_epoch().await.unwrap();
    assert!(again.epoch > restored.epoch, "even within the same millisecond");
    assert_eq!(bench.commit(&[put(&bench.role("b", 1), None)]).await.position, Position { seq: 1, ..again });
}

async fn events_are_found_by_whatever_joins_them(bench: Bench) {
    let mut event = bench.event();
    event.chain.transaction = Some("00000000000000000000000000000001".to_owned());
    event.chain.family = Some("family".to_owned());
    event.chain.session = Some("session".to_owned());
    event.issued = Some("jti".to_owned());
    bench.store.commit(&[], event.clone()).await.unwrap();
    bench.store.commit(&[], bench.event()).await.unwrap();
    let chain = event.chain.clone();
    for asked in [
        Asked { event: Some(event.id), ..Asked::default() },
        Asked { transaction: chain.transaction, ..Asked::default() },
        Asked { family: chain.family, ..Asked::default() },
        Asked { session: chain.session, realm: Some(REALM.to_owned()), ..Asked::default() },
        Asked { issued: event.issued.clone(), from: Some(bench.now()), to: Some(bench.now()), ..Asked::default() },
    ] {
        assert_eq!(bench.store.events(&asked, 10).await.unwrap(), [event.clone()], "{asked:?}");
        let elsewhere = Asked { realm: Some("other".to_owned()), ..asked };
        assert_eq!(bench.store.events(&elsewhere, 10).await.unwrap(), []);
    }
    assert_eq!(bench.store.events(&Asked::default(), 10).await.unwrap().len(), 2);
    assert_eq!(bench.store.events(&Asked::default(), 1).await.unwrap().len(), 1);
}

async fn an_event_is_recorded_once(bench: Bench) {
    let event = bench.event();
    bench.store.commit(&[], event.clone()).await.unwrap();
    let role = put(&bench.role("a", 1), None);
    assert_eq!(bench.store.commit(&[role], event).await, Err(CommitError::Conflict { write_index: 1 }));
}

async fn events_wait_for_the_journal_of_their_node(bench: Bench) {
    let (first, second, mut other) = (bench.event(), bench.event(), bench.event());
    other.node = "authority-2".into();
    for event in [&first, &second, &other] {
        bench.store.commit(&[], event.clone()).await.unwrap();
    }
    let waiting = bench.store.events_to_journal("authority").await.unwrap();
    assert_eq!(waiting.len(), 2);
    bench.store.journaled(&[first.id]).await.unwrap();
    assert_eq!(bench.store.events_to_journal("authority").await.unwrap(), [second]);
    assert_eq!(bench.store.events_to_journal("authority-2").await.unwrap(), [other]);
}
