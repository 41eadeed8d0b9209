//! Clients that registered themselves, on both databases.

use durward_base::{ClientId, Duration, KeyId, ResourceId};
use durward_model::resource::{Client, Origin};
use durward_model::{InitialAccess, Registration, Resource, ResourceKind, Stored, Write};

use super::bench::{Bench, REALM};
use super::on_both;

on_both! {
    a_registered_client_goes_unless_it_was_used,
    a_registration_token_is_followed_by_the_next_once,
    an_initial_access_token_is_good_as_often_as_it_says,
}

async fn register(bench: &Bench, name: &str, ends: bool) -> ClientId {
    let id = ResourceId::new(bench.now(), &bench.rng);
    let client = ClientId::from_bytes(id.to_bytes());
    let resource = Resource::Client(Client { name: name.to_owned(), origin: Origin::Registered, ..Client::default() });
    let stored = Stored { id, realm: REALM.to_owned(), version: 1, resource };
    let ends = ends.then_some(bench.now() + Duration::from_secs(60));
    let registration = Registration { realm: REALM.to_owned(), client, name: name.to_owned(), generation: 0, created: bench.now(), ends };
    let writes = [Write::PutResource { stored: Box::new(stored), expected: None }, Write::OpenRegistration(registration)];
    bench.commit(&writes).await;
    client
}

async fn a_registered_client_goes_unless_it_was_used(bench: Bench) {
    let (unused, used, kept) = (register(&bench, "a", true).await, register(&bench, "b", true).await, register(&bench, "c", false).await);
    bench.store.registration_used(REALM, used, bench.now()).await.unwrap();
    bench.store.expire(bench.now() + Duration::from_secs(61)).await.unwrap();
    let left = bench.store.resources(REALM, ResourceKind::Client).await.unwrap();
    assert_eq!(left.iter().map(|stored| stored.resource.name()).collect::<Vec<_>>(), ["b", "c"]);
    assert!(bench.store.registration(REALM, unused).await.unwrap().is_none());
    assert!(bench.store.registration(REALM, kept).await.unwrap().is_some());
    let (_, records) = bench.store.snapshot().await.unwrap();
    assert_eq!(records.len(), 2, "and the feed says so");
}

async fn a_registration_token_is_followed_by_the_next_once(bench: Bench) {
    let client = register(&bench, "a", false).await;
    let rotate = || [Write::RotateRegistration { realm: REALM.to_owned(), client, from: 0 }];
    bench.commit(&rotate()).await;
    assert!(bench.try_commit(&rotate()).await.is_err());
    assert_eq!(bench.store.registration(REALM, client).await.unwrap().unwrap().generation, 1);
}

async fn an_initial_access_token_is_good_as_often_as_it_says(bench: Bench) {
    let id = KeyId::new(bench.now(), &bench.rng);
    let expires = bench.now() + Duration::from_secs(60);
    let access = InitialAccess { id, realm: REALM.to_owned(), note: "partner".to_owned(), created: bench.now(), expires, uses: 2 };
    bench.commit(&[Write::PutInitialAccess(access)]).await;
    let once = |at| [Write::UseInitialAccess { realm: REALM.to_owned(), id, at }];
    assert!(bench.try_commit(&once(expires)).await.is_err(), "expired");
    bench.commit(&once(bench.now())).await;
    bench.commit(&once(bench.now())).await;
    assert!(bench.try_commit(&once(bench.now())).await.is_err(), "used up");
    assert_eq!(bench.store.initial_accesses(REALM).await.unwrap()[0].uses, 0);
}
