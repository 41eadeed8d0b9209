//! Declared resources, keys and client secrets: versions, legal moves, and what the feed carries.

use durward_base::{ClientId, Duration};
use durward_model::resource::PersonResource;
use durward_model::{ClientSecret, KeyState, Record, Resource, ResourceKind, Stored, Write};

use super::bench::{Bench, REALM};
use super::on_both;
use crate::CommitError;

on_both! {
    a_resource_is_made_changed_and_removed_by_version,
    a_name_made_anew_has_another_id,
    a_text_that_no_row_can_hold_finds_nothing,
    a_person_is_no_resource_of_the_feed,
    a_key_moves_through_its_life_forward_only,
    a_realm_has_one_active_key_per_algorithm,
    a_sealed_key_comes_back_and_its_private_half_is_not_on_the_feed,
    a_client_secret_ends_no_later_than_was_said,
}

const CONFLICT: CommitError = CommitError::Conflict { write_index: 0 };

fn put(stored: &Stored, expected: Option<u64>) -> Write {
    Write::PutResource { stored: Box::new(stored.clone()), expected }
}

async fn a_resource_is_made_changed_and_removed_by_version(bench: Bench) {
    let first = bench.role("clerk", 1);
    let second = Stored { version: 2, ..first.clone() };
    let delete = |expected| Write::DeleteResource { realm: REALM.to_owned(), kind: ResourceKind::Role, name: "clerk".to_owned(), expected };
    bench.commit(&[put(&first, None)]).await;
    assert_eq!(bench.try_commit(&[put(&first, None)]).await, Err(CONFLICT));
    bench.commit(&[put(&second, Some(1))]).await;
    assert_eq!(bench.try_commit(&[put(&second, Some(1))]).await, Err(CONFLICT));
    assert_eq!(bench.store.resource(REALM, ResourceKind::Role, "clerk").await.unwrap(), Some(second.clone()));
    assert_eq!(bench.store.resources(REALM, ResourceKind::Role).await.unwrap(), std::slice::from_ref(&second));
    assert_eq!(bench.store.resources("other", ResourceKind::Role).await.unwrap(), []);
    assert_eq!(bench.try_commit(&[delete(1)]).await, Err(CONFLICT));
    bench.commit(&[delete(2)]).await;
    let deleted = Record::ResourceDeleted { realm: REALM.to_owned(), kind: ResourceKind::Role, name: "clerk".to_owned() };
    assert_eq!(bench.records().await, [Record::Resource(Box::new(first)), Record::Resource(Box::new(second)), deleted]);
}

async fn a_name_made_anew_has_another_id(bench: Bench) {
    let (one, other) = (bench.role("clerk", 1), bench.role("clerk", 2));
    bench.commit(&[put(&one, None)]).await;
    assert_eq!(bench.try_commit(&[put(&other, Some(1))]).await, Err(CONFLICT), "an update under another id");
    let twin = Stored { resource: bench.role("porter", 1).resource, ..one };
    assert_eq!(bench.try_commit(&[put(&twin, None)]).await, Err(CONFLICT), "another name under the same id");
}

async fn a_text_that_no_row_can_hold_finds_nothing(bench: Bench) {
    for name in ["a\0b", "\0"] {
        assert_eq!(bench.store.resource(REALM, ResourceKind::Role, name).await.unwrap(), None);
        assert_eq!(bench.store.resources(name, ResourceKind::Role).await.unwrap(), []);
        assert_eq!(bench.store.person_by_username(REALM, name).await.unwrap().map(|found| found.person), None);
        assert!(bench.store.people(name, None, 1).await.unwrap().people.is_empty());
    }
}

async fn a_person_is_no_resource_of_the_feed(bench: Bench) {
    let resource = Resource::Person(PersonResource {
        name: "alice".to_owned(),
        display_name: None,
        email: None,
        roles: vec![],
        groups: vec![],
        password: None,
        disabled: false,
    });
    let stored = Stored { resource, ..bench.role("alice", 1) };
    assert!(matches!(bench.try_commit(&[put(&stored, None)]).await, Err(CommitError::Unavailable(_))));
}

async fn a_key_moves_through_its_life_forward_only(bench: Bench) {
    use KeyState::{Active, Published, Removed, Retiring};

    bench.commit(&[Write::PutKey(Box::new(bench.key("k1", Published)))]).await;
    assert_eq!(bench.try_commit(&[Write::PutKey(Box::new(bench.key("k1", Published)))]).await, Err(CONFLICT));
    let step = |from, to| [Write::MoveKey { kid: "k1".to_owned(), from, to, at: bench.now() }];
    for (from, to) in [(Published, Retiring), (Published, Published), (Active, Retiring), (Removed, Active)] {
        assert_eq!(bench.try_commit(&step(from, to)).await, Err(CONFLICT), "{from:?} → {to:?}");
    }
    for (from, to) in [(Published, Active), (Active, Retiring), (Retiring, Removed)] {
        bench.commit(&step(from, to)).await;
        assert_eq!(bench.store.sealed_keys(REALM).await.unwrap()[0].key.state, to);
    }
    assert_eq!(bench.try_commit(&step(Removed, Published)).await, Err(CONFLICT));
}

async fn a_realm_has_one_active_key_per_algorithm(bench: Bench) {
    bench.commit(&[Write::PutKey(Box::new(bench.key("k1", KeyState::Active)))]).await;
    let mut rsa = bench.key("r1", KeyState::Active);
    rsa.key.algorithm = "RS256".to_owned();
    bench.commit(&[Write::PutKey(Box::new(rsa)), Write::PutKey(Box::new(bench.key("k2", KeyState::Published)))]).await;
    let promote = Write::MoveKey { kid: "k2".to_owned(), from: KeyState::Published, to: KeyState::Active, at: bench.now() };
    let retire = Write::MoveKey { kid: "k1".to_owned(), from: KeyState::Active, to: KeyState::Retiring, at: bench.now() };
    assert_eq!(bench.try_commit(std::slice::from_ref(&promote)).await, Err(CONFLICT));
    bench.commit(&[retire, promote]).await;
}

async fn a_sealed_key_comes_back_and_its_private_half_is_not_on_the_feed(bench: Bench) {
    let sealed = bench.key("k1", KeyState::Published);
    bench.commit(&[Write::PutKey(Box::new(sealed.clone()))]).await;
    let back = bench.store.sealed_keys(REALM).await.unwrap().pop().unwrap();
    assert_eq!((back.key, back.sealed), (sealed.key.clone(), sealed.sealed));
    assert_eq!(bench.records().await, [Record::Key(sealed.key)]);
    assert!(bench.store.sealed_keys("other").await.unwrap().is_empty());
}

async fn a_client_secret_ends_no_later_than_was_said(bench: Bench) {
    let client = ClientId::from_bytes([7; 16]);
    let secret =
        ClientSecret { id: bench.key_id(), realm: REALM.to_owned(), client, hash: "hash".to_owned(), created: bench.now(), expires: None };
    let expire = |seconds| {
        [Write::ExpireClientSecret { realm: REALM.to_owned(), secret: secret.id, at: bench.now() + Duration::from_secs(seconds) }]
    };
    let ending = |seconds| ClientSecret { expires: Some(bench.now() + Duration::from_secs(seconds)), ..secret.clone() };
    bench.commit(&[Write::PutClientSecret(secret.clone())]).await;
    assert_eq!(bench.try_commit(&[Write::PutClientSecret(secret.clone())]).await, Err(CONFLICT));
    bench.commit(&expire(60)).await;
    assert_eq!(bench.try_commit(&expire(61)).await, Err(CONFLICT));
    bench.commit(&expire(30)).await;
    assert_eq!(bench.store.client_secrets(REALM, client).await.unwrap(), [ending(30)]);
    assert_eq!(bench.records().await, [secret.clone(), ending(60), ending(30)].map(Record::ClientSecret));
}
