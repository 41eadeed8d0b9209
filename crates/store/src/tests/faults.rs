//! FLT-013: rows that hold nonsense are an error for that object only.

use durward_audit::Query as Asked;
use durward_model::{KeyState, Record, Write};

use super::bench::{Bench, REALM};
use super::on_both;
use crate::StoreError;

on_both! {
    an_invalid_row_is_an_error_for_that_object_only,
    an_error_names_no_stored_value,
    an_unreadable_change_asks_for_a_snapshot,
}

async fn an_invalid_row_is_an_error_for_that_object_only(bench: Bench) {
    let (alice, bob) = (bench.person("alice").await, bench.person("bob").await);
    let put = |name: &str| Write::PutResource { stored: Box::new(bench.role(name, 1)), expected: None };
    let key = |kid: &str, state| Write::PutKey(Box::new(bench.key(kid, state)));
    bench.commit(&[put("good"), put("bad"), key("good", KeyState::Active), key("bad", KeyState::Published)]).await;
    let event = bench.event();
    bench.store.commit(&[], event.clone()).await.unwrap();
    bench
        .tamper(
            "UPDATE person SET roles = 'no list' WHERE username = 'bob';
             UPDATE resource SET body = '{\"kind\":\"unheard\"}' WHERE name = 'bad';
             UPDATE key SET state = 'unheard' WHERE kid = 'bad'",
        )
        .await;
    let corrupt = bench.store.person(REALM, bob.id).await.unwrap_err();
    let expected = "a stored person is invalid: column `roles` does not hold JSON of the right shape";
    assert_eq!(corrupt.to_string(), expected);
    assert!(matches!(bench.store.person_by_username(REALM, "bob").await, Err(StoreError::Corrupt { .. })));
    assert_eq!(bench.store.person(REALM, alice.id).await.unwrap().as_ref(), Some(&alice));
    assert_eq!(bench.store.people(REALM, None, 10).await.unwrap().people, [alice]);
    assert_eq!(bench.store.sealed_keys(REALM).await.unwrap().len(), 1);
    let (_, records) = bench.store.snapshot().await.unwrap();
    assert_eq!(records.len(), 2, "{records:?}");
    let found = bench.store.events(&Asked { event: Some(event.id), ..Asked::default() }, 1).await.unwrap();
    assert_eq!(found, [event]);
}

async fn an_error_names_no_stored_value(bench: Bench) {
    bench.person("alice").await;
    bench.tamper("UPDATE person SET groups = 'swordfish', password_hash = 'swordfish'").await;
    let error = bench.store.person_by_username(REALM, "alice").await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("swordfish"));
    let taken = Write::CreatePerson { person: bench.new_person("alice"), password_hash: Some("swordfish".to_owned()) };
    let error = bench.try_commit(&[taken]).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("swordfish"));
}

async fn an_unreadable_change_asks_for_a_snapshot(bench: Bench) {
    for name in ["one", "two"] {
        bench.commit(&[Write::PutResource { stored: Box::new(bench.role(name, 1)), expected: None }]).await;
    }
    let head = bench.store.head().await.unwrap();
    bench.tamper("UPDATE feed SET record = '{\"type\":\"unheard\"}' WHERE seq = 2").await;
    let since = durward_model::Position { seq: 0, ..head };
    let [first] = bench.store.changes(since).await.unwrap().try_into().unwrap();
    assert_eq!(bench.store.changes(first.position).await, Err(StoreError::Gap { since: first.position }));
    assert!(matches!(bench.store.snapshot().await.unwrap().1.as_slice(), [Record::Resource(_), Record::Resource(_)]));
}
