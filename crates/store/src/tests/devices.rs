//! Devices: one answer, one redemption, each in time.

use std::sync::Arc;

use durward_base::{ClientId, DeviceId, Duration, FamilyId, PersonId};
use durward_model::{Answerer, BackchannelRequest, DeviceAuthorization, DeviceState, Write};

use super::bench::{Bench, REALM};
use super::on_both;
use crate::CommitError;

on_both! {
    a_device_is_found_by_its_id_and_by_its_user_code,
    a_device_goes_only_where_it_may_and_once,
    a_thousand_redemptions_at_once_are_one,
    a_device_that_is_over_stays_for_an_hour,
    what_waits_for_a_person_is_theirs_and_goes_with_them,
}

const CONFLICT: CommitError = CommitError::Conflict { write_index: 0 };

fn device(bench: &Bench, user_code: &str) -> DeviceAuthorization {
    DeviceAuthorization {
        id: DeviceId::new(bench.now(), &bench.rng),
        realm: REALM.to_owned(),
        answerer: Answerer::UserCode(user_code.to_owned()),
        client: ClientId::from_bytes([7; 16]),
        client_name: "tv".to_owned(),
        scopes: vec!["orders:read".to_owned()],
        audience: "orders".to_owned(),
        address: Some("192.0.2.7".to_owned()),
        state: DeviceState::Pending,
        family: None,
        created: bench.now(),
        expires: bench.now() + Duration::from_secs(600),
    }
}

fn advance(device: &DeviceAuthorization, from: DeviceState, to: DeviceState, bench: &Bench) -> Write {
    let family = (to == DeviceState::Approved).then(|| FamilyId::from_bytes([5; 16]));
    Write::MoveDevice { realm: device.realm.clone(), device: device.id, from, to, family, at: bench.now() }
}

async fn a_device_is_found_by_its_id_and_by_its_user_code(bench: Bench) {
    let tv = device(&bench, "WDJBMJHT");
    bench.commit(&[Write::OpenDevice(tv.clone())]).await;
    assert_eq!(bench.store.device(REALM, tv.id).await.unwrap(), Some(tv.clone()));
    assert_eq!(bench.store.device_by_user_code(REALM, "WDJBMJHT").await.unwrap(), Some(tv.clone()));
    assert_eq!(bench.store.device_by_user_code("other", "WDJBMJHT").await.unwrap(), None);
    assert_eq!(bench.store.device_by_user_code(REALM, "WDJBMJHX").await.unwrap(), None);
    let same_code = device(&bench, "WDJBMJHT");
    assert_eq!(bench.try_commit(&[Write::OpenDevice(same_code)]).await, Err(CONFLICT));
}

async fn a_device_goes_only_where_it_may_and_once(bench: Bench) {
    use DeviceState::{Approved, Denied, Pending, Redeemed};
    let tv = device(&bench, "WDJBMJHT");
    bench.commit(&[Write::OpenDevice(tv.clone())]).await;
    for (from, to) in [(Pending, Redeemed), (Approved, Redeemed), (Approved, Pending), (Denied, Approved), (Pending, Pending)] {
        assert_eq!(bench.try_commit(&[advance(&tv, from, to, &bench)]).await, Err(CONFLICT), "{from:?} {to:?}");
    }
    bench.commit(&[advance(&tv, Pending, Approved, &bench)]).await;
    for to in [Approved, Denied] {
        assert_eq!(bench.try_commit(&[advance(&tv, Pending, to, &bench)]).await, Err(CONFLICT), "answered twice");
    }
    let approved = bench.store.device(REALM, tv.id).await.unwrap().unwrap();
    assert_eq!((approved.state, approved.family), (Approved, Some(FamilyId::from_bytes([5; 16]))));
    bench.commit(&[advance(&tv, Approved, Redeemed, &bench)]).await;
    assert_eq!(bench.try_commit(&[advance(&tv, Approved, Redeemed, &bench)]).await, Err(CONFLICT));
    let redeemed = bench.store.device(REALM, tv.id).await.unwrap().unwrap();
    assert_eq!((redeemed.state, redeemed.family), (Redeemed, approved.family), "what it bought stays known");

    let late = device(&bench, "BCDFGHJK");
    bench.commit(&[Write::OpenDevice(late.clone())]).await;
    bench.time.pass(Duration::from_secs(600));
    assert_eq!(bench.try_commit(&[advance(&late, Pending, Approved, &bench)]).await, Err(CONFLICT), "too late");
}

/// DEV-004
async fn a_thousand_redemptions_at_once_are_one(bench: Bench) {
    let tv = device(&bench, "WDJBMJHT");
    bench.commit(&[Write::OpenDevice(tv.clone()), advance(&tv, DeviceState::Pending, DeviceState::Approved, &bench)]).await;
    let bench = Arc::new(bench);
    let redeem = || {
        let (bench, tv) = (Arc::clone(&bench), tv.clone());
        tokio::spawn(async move { bench.try_commit(&[advance(&tv, DeviceState::Approved, DeviceState::Redeemed, &bench)]).await.is_ok() })
    };
    let racing: Vec<_> = (0..64).map(|_| redeem()).collect();
    let mut won = 0;
    for redemption in racing {
        won += u32::from(redemption.await.unwrap());
    }
    assert_eq!(won, 1);
}

async fn a_device_that_is_over_stays_for_an_hour(bench: Bench) {
    let tv = device(&bench, "WDJBMJHT");
    bench.commit(&[Write::OpenDevice(tv.clone())]).await;
    bench.time.pass(Duration::from_secs(600 + 3_599));
    bench.store.expire(bench.now()).await.unwrap();
    assert!(bench.store.device(REALM, tv.id).await.unwrap().is_some());
    bench.time.pass(Duration::from_secs(2));
    bench.store.expire(bench.now()).await.unwrap();
    assert_eq!(bench.store.device(REALM, tv.id).await.unwrap(), None);
}

fn for_person(bench: &Bench, person: PersonId) -> DeviceAuthorization {
    let named = BackchannelRequest {
        person,
        binding_message: Some("Counter 4".to_owned()),
        acr: Some("mfa".to_owned()),
        notification: Some(vec![0, 255, 7]),
    };
    DeviceAuthorization { answerer: Answerer::Person(named), ..device(bench, "") }
}

async fn what_waits_for_a_person_is_theirs_and_goes_with_them(bench: Bench) {
    let (alice, bob) = (bench.person("alice").await, bench.person("bob").await);
    let (first, other) = (for_person(&bench, alice.id), for_person(&bench, bob.id));
    bench.time.pass(Duration::from_millis(1));
    let second = for_person(&bench, alice.id);
    let tv = device(&bench, "WDJBMJHT");
    bench.commit(&[&first, &second, &other, &tv].map(|device| Write::OpenDevice(device.clone()))).await;
    assert_eq!(bench.store.device(REALM, first.id).await.unwrap(), Some(first.clone()));
    let waiting = |person| bench.store.waiting_for(REALM, person, bench.now());
    let ids = |found: Vec<DeviceAuthorization>| found.into_iter().map(|device| device.id).collect::<Vec<_>>();
    assert_eq!(ids(waiting(alice.id).await.unwrap()), [second.id, first.id], "newest first, and no device that shows a code");
    assert_eq!(ids(bench.store.waiting_for("other", alice.id, bench.now()).await.unwrap()), []);
    bench.commit(&[advance(&first, DeviceState::Pending, DeviceState::Denied, &bench)]).await;
    assert_eq!(ids(waiting(alice.id).await.unwrap()), [second.id]);
    bench.commit(&[Write::DeletePerson { realm: REALM.to_owned(), person: bob.id }]).await;
    assert_eq!(bench.store.device(REALM, other.id).await.unwrap(), None);
    bench.time.pass(Duration::from_secs(600));
    assert_eq!(ids(waiting(alice.id).await.unwrap()), []);
}
