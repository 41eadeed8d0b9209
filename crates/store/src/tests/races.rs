//! Races: whatever the interleaving, one wins, and what is revoked stays revoked.

use std::collections::BTreeSet;
use std::sync::Arc;

use durward_base::Duration;
use durward_model::{KeyState, Person, Position, Record, RevocationKind, Spent, Stored, Write};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::bench::{Bench, REALM};
use super::on_both;
use crate::{CommitError, Committed, Store};

on_both! {
    of_two_hundred_redemptions_of_one_code_exactly_one_wins,
    of_eight_rotations_at_once_exactly_one_wins_in_each_of_sixty_rounds,
    of_five_key_rotations_at_once_exactly_one_wins,
    no_family_is_left_alive_in_a_login_that_was_ended_meanwhile,
    nothing_is_left_alive_of_a_person_who_was_disabled_meanwhile,
    of_changes_decided_over_the_same_declaration_exactly_one_happens,
    an_exactly_once_change_comes_from_each_winner_only,
    the_feed_of_twelve_writers_is_dense_and_complete,
}

/// Commits all batches at once; says which came through. Whoever lost must have lost a race, nothing else.
async fn at_once(bench: &Bench, batches: Vec<Vec<Write>>) -> Vec<Option<Committed>> {
    let barrier = Arc::new(Barrier::new(batches.len()));
    let tasks: Vec<_> = batches
        .into_iter()
        .map(|writes| {
            let (store, event, barrier): (Store, _, _) = (bench.store.clone(), bench.event(), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                store.commit(&writes, event).await
            })
        })
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(match task.await.unwrap() {
            Ok(committed) => Some(committed),
            Err(CommitError::Conflict { .. }) => None,
            Err(CommitError::Unavailable(cause)) => panic!("{cause}"),
        });
    }
    outcomes
}

async fn of_two_hundred_redemptions_of_one_code_exactly_one_wins(bench: Bench) {
    let session = bench.session(&bench.person("alice").await).await;
    let spend = Write::Spend { realm: REALM.to_owned(), what: Spent::Code, id: [5; 16], expires: bench.now() };
    let redeem = || vec![spend.clone(), Write::OpenFamily(bench.new_family(&session))];
    let outcomes = at_once(&bench, (0..200).map(|_| redeem()).collect()).await;
    assert_eq!(outcomes.iter().flatten().count(), 1);
    assert_eq!(bench.store.families_of_session(REALM, session.id).await.unwrap().len(), 1);
}

async fn of_eight_rotations_at_once_exactly_one_wins_in_each_of_sixty_rounds(bench: Bench) {
    let family = bench.family(&bench.session(&bench.person("alice").await).await).await;
    for generation in 1..=60 {
        let rotate = || vec![Write::RotateFamily { realm: REALM.to_owned(), family: family.id, from: generation, at: bench.now() }];
        let outcomes = at_once(&bench, (0..8).map(|_| rotate()).collect()).await;
        assert_eq!(outcomes.iter().flatten().count(), 1);
        let now = bench.store.family_facts(REALM, family.id).await.unwrap().unwrap().family;
        assert_eq!(now.generation, generation + 1);
    }
}

async fn of_five_key_rotations_at_once_exactly_one_wins(bench: Bench) {
    let key = |kid: String, state| Write::PutKey(Box::new(bench.key(&kid, state)));
    let step = |kid: &str, from, to| Write::MoveKey { kid: kid.to_owned(), from, to, at: bench.now() };
    bench.commit(&[key("k0".to_owned(), KeyState::Active), key("k1".to_owned(), KeyState::Published)]).await;
    for round in 1..=10_usize {
        let keys = bench.store.sealed_keys(REALM).await.unwrap();
        let kid = |state| keys.iter().find(|sealed| sealed.key.state == state).unwrap().key.kid.as_str();
        let rotation = |node: usize| {
            vec![
                step(kid(KeyState::Active), KeyState::Active, KeyState::Retiring),
                step(kid(KeyState::Published), KeyState::Published, KeyState::Active),
                key(format!("next-{round}-{node}"), KeyState::Published),
            ]
        };
        let outcomes = at_once(&bench, (0..5).map(rotation).collect()).await;
        assert_eq!(outcomes.iter().flatten().count(), 1);
        let keys = bench.store.sealed_keys(REALM).await.unwrap();
        let in_state = |state| keys.iter().filter(|sealed| sealed.key.state == state).count();
        assert_eq!((in_state(KeyState::Retiring), in_state(KeyState::Active), in_state(KeyState::Published)), (round, 1, 1));
    }
}

async fn no_family_is_left_alive_in_a_login_that_was_ended_meanwhile(bench: Bench) {
    let person = bench.person("alice").await;
    for _ in 0..40 {
        let session = bench.session(&person).await;
        let before = bench.family(&session).await;
        let end = Write::EndSession { realm: REALM.to_owned(), session: session.id, at: bench.now(), reason: "logout" };
        let rotate = Write::RotateFamily { realm: REALM.to_owned(), family: before.id, from: 1, at: bench.now() };
        let opens = (0..4).map(|_| vec![Write::OpenFamily(bench.new_family(&session))]);
        at_once(&bench, opens.chain([vec![end], vec![rotate]]).collect()).await;
        assert!(bench.store.session(REALM, session.id).await.unwrap().unwrap().revoked.is_some());
        let families = bench.store.families_of_session(REALM, session.id).await.unwrap();
        assert!(families.iter().all(|family| family.revoked.is_some()), "{families:?}");
        let revoked = revoked(&bench, RevocationKind::Family).await;
        assert!(families.iter().all(|family| revoked.contains(&family.id.to_string())));
    }
}

async fn nothing_is_left_alive_of_a_person_who_was_disabled_meanwhile(bench: Bench) {
    for round in 0..20 {
        let person = bench.person(&format!("person-{round}")).await;
        let session = bench.session(&person).await;
        let disable = vec![
            Write::UpdatePerson(Person { disabled: true, version: 2, ..person.clone() }),
            Write::EndSessionsOf { realm: REALM.to_owned(), person: person.id, at: bench.now(), reason: "disabled" },
        ];
        let logins = (0..3).map(|_| {
            let session = bench.new_session(&person);
            vec![Write::OpenSession(session.clone()), Write::OpenFamily(bench.new_family(&session))]
        });
        let opens = (0..3).map(|_| vec![Write::OpenFamily(bench.new_family(&session))]);
        let bare = (0..3).map(|_| vec![Write::OpenSession(bench.new_session(&person))]);
        at_once(&bench, logins.chain(opens).chain([disable]).chain(bare).collect()).await;
        assert!(bench.store.person(REALM, person.id).await.unwrap().unwrap().disabled);
        assert_eq!(bench.store.sessions_of(REALM, person.id, bench.now()).await.unwrap(), []);
        let families = bench.store.families_of_session(REALM, session.id).await.unwrap();
        assert!(families.iter().all(|family| family.revoked.is_some()), "{families:?}");
    }
}

async fn of_changes_decided_over_the_same_declaration_exactly_one_happens(bench: Bench) {
    for round in 0..20 {
        let seen = bench.store.declaration().await.unwrap();
        let change = |number: usize| {
            let role = Box::new(bench.role(&format!("{round}-{number}"), 1));
            vec![Write::Declare { seen }, Write::PutResource { stored: role, expected: None }]
        };
        let outcomes = at_once(&bench, (0..6).map(change).collect()).await;
        assert_eq!(outcomes.iter().flatten().count(), 1);
        assert_eq!(bench.store.declaration().await.unwrap(), seen + 1);
    }
    let seen = bench.store.declaration().await.unwrap();
    bench.commit(&[Write::PutResource { stored: Box::new(bench.role("unguarded", 1)), expected: None }]).await;
    let late = [Write::Declare { seen }, Write::PutResource { stored: Box::new(bench.role("late", 1)), expected: None }];
    assert_eq!(bench.try_commit(&late).await, Err(CommitError::Conflict { write_index: 0 }), "decided before another's change");
}

async fn an_exactly_once_change_comes_from_each_winner_only(bench: Bench) {
    let first = bench.role("clerk", 1);
    bench.commit(&[Write::PutResource { stored: Box::new(first.clone()), expected: None }]).await;
    for version in 2..=20 {
        let stored = Box::new(Stored { version, ..first.clone() });
        let put = vec![Write::PutResource { stored, expected: Some(version - 1) }];
        let outcomes = at_once(&bench, vec![put; 6]).await;
        assert_eq!(outcomes.iter().flatten().count(), 1);
    }
    let versions: Vec<_> = bench
        .records()
        .await
        .into_iter()
        .map(|record| if let Record::Resource(stored) = record { stored.version } else { panic!("{record:?}") })
        .collect();
    assert_eq!(versions, (1..=20).collect::<Vec<_>>(), "in the order in which they happened");
}

async fn the_feed_of_twelve_writers_is_dense_and_complete(bench: Bench) {
    const WRITERS: usize = 12;
    const EACH: usize = 40;

    let begin = bench.store.head().await.unwrap();
    let follower = tokio::spawn(follow(bench.store.clone(), begin, WRITERS * EACH));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = bench.store.clone();
        let batches: Vec<_> = (0..EACH).map(|number| (bench.role(&format!("{writer}-{number}"), 1), bench.event())).collect();
        writers.spawn(async move {
            for (role, event) in batches {
                let put = Write::PutResource { stored: Box::new(role), expected: None };
                let committed = store.commit(std::slice::from_ref(&put), event).await.unwrap();
                let upto = store.changes(begin).await.unwrap();
                assert!(upto.len() < crate::CHANGES_PAGE && committed.position.seq <= upto.len() as u64);
                let Write::PutResource { stored, .. } = put else { unreachable!() };
                let mine = |change: &durward_model::Change| change.record == Record::Resource(stored.clone());
                assert!(upto.iter().take(committed.position.seq as usize).any(mine), "a commit's position covers its own change");
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    let seen = tokio::time::timeout(Duration::from_secs(20), follower).await.unwrap().unwrap();
    let distinct: BTreeSet<_> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (WRITERS * EACH, WRITERS * EACH));
}

/// Follows the feed by its bell, as a node does, and fails at the first hole.
async fn follow(store: Store, mut at: Position, until: usize) -> Vec<String> {
    let (mut bell, mut names) = (store.subscribe(), Vec::new());
    while names.len() < until {
        for change in store.changes(at).await.unwrap() {
            assert_eq!(change.position.seq, at.seq + 1);
            at = change.position;
            let Record::Resource(stored) = change.record else { panic!("a role was expected") };
            names.push(stored.resource.name().to_owned());
        }
        if names.len() < until && *bell.borrow_and_update() <= at {
            bell.changed().await.unwrap();
        }
    }
    names
}

async fn revoked(bench: &Bench, of: RevocationKind) -> BTreeSet<String> {
    let (_, records) = bench.store.snapshot().await.unwrap();
    let key = |record| if let Record::Revocation(revocation) = record { (revocation.kind == of).then_some(revocation.key) } else { None };
    records.into_iter().filter_map(key).collect()
}
