//! People: names, versions, pages, and the border between realms.

use durward_model::{Person, Write};

use super::bench::{Bench, REALM};
use super::on_both;
use crate::{CommitError, PEOPLE_PAGE};

on_both! {
    a_person_is_found_by_id_sub_and_username_in_their_realm_only,
    a_taken_username_sub_or_id_is_a_lost_race_and_takes_the_whole_batch_with_it,
    an_update_names_the_version_it_saw,
    a_rename_to_a_taken_name_is_a_lost_race,
    a_password_is_set_for_people_who_exist,
    pages_of_people_join_without_gap_or_overlap,
}

async fn a_person_is_found_by_id_sub_and_username_in_their_realm_only(bench: Bench) {
    let alice = bench.person("alice").await;
    let store = &bench.store;
    assert_eq!(store.person(REALM, alice.id).await.unwrap().as_ref(), Some(&alice));
    assert_eq!(store.person_by_sub(REALM, &alice.sub).await.unwrap().as_ref(), Some(&alice));
    let found = store.person_by_username(REALM, "alice").await.unwrap().unwrap();
    assert_eq!(found.person, alice);
    assert_eq!(found.password_hash.unwrap().expose(), "$argon2id$stored");

    assert_eq!(store.person("other", alice.id).await.unwrap(), None);
    assert_eq!(store.person_by_sub("other", &alice.sub).await.unwrap(), None);
    assert!(store.person_by_username("other", "alice").await.unwrap().is_none());
    assert!(store.people("other", None, 10).await.unwrap().people.is_empty());
}

async fn a_taken_username_sub_or_id_is_a_lost_race_and_takes_the_whole_batch_with_it(bench: Bench) {
    let alice = bench.person("alice").await;
    let bob = bench.new_person("bob");
    for taken in [
        Person { username: alice.username.clone(), ..bench.new_person("x") },
        Person { sub: alice.sub.clone(), ..bench.new_person("x") },
        Person { id: alice.id, ..bench.new_person("x") },
    ] {
        let create = |person: &Person| Write::CreatePerson { person: person.clone(), password_hash: None };
        let event = bench.event();
        let lost = bench.store.commit(&[create(&bob), create(&taken)], event.clone()).await;
        assert_eq!(lost, Err(CommitError::Conflict { write_index: 1 }));
        assert_eq!(bench.store.person(REALM, bob.id).await.unwrap(), None);
        let asked = durward_audit::Query { event: Some(event.id), ..Default::default() };
        assert!(bench.store.events(&asked, 1).await.unwrap().is_empty());
    }
}

async fn an_update_names_the_version_it_saw(bench: Bench) {
    let alice = bench.person("alice").await;
    let disabled = Person { disabled: true, version: 2, roles: vec![], ..alice.clone() };
    bench.commit(&[Write::UpdatePerson(disabled.clone())]).await;
    assert_eq!(bench.store.person(REALM, alice.id).await.unwrap(), Some(disabled));
    let late = Person { display_name: Some("Alice".to_owned()), version: 2, ..alice };
    assert_eq!(bench.try_commit(&[Write::UpdatePerson(late)]).await, Err(CommitError::Conflict { write_index: 0 }));
    assert!(bench.store.person_by_username(REALM, "alice").await.unwrap().unwrap().password_hash.is_some());
}

async fn a_rename_to_a_taken_name_is_a_lost_race(bench: Bench) {
    let alice = bench.person("alice").await;
    bench.person("bob").await;
    let renamed = Person { username: "bob".to_owned(), version: 2, ..alice };
    assert_eq!(bench.try_commit(&[Write::UpdatePerson(renamed)]).await, Err(CommitError::Conflict { write_index: 0 }));
}

async fn a_password_is_set_for_people_who_exist(bench: Bench) {
    let alice = bench.person("alice").await;
    let set = |realm: &str| Write::SetPassword { realm: realm.to_owned(), person: alice.id, hash: Some("$argon2id$new".to_owned()) };
    bench.commit(&[set(REALM)]).await;
    let found = bench.store.person_by_username(REALM, "alice").await.unwrap().unwrap();
    assert_eq!(found.password_hash.unwrap().expose(), "$argon2id$new");
    assert_eq!(bench.try_commit(&[set("other")]).await, Err(CommitError::Conflict { write_index: 0 }));
}

async fn pages_of_people_join_without_gap_or_overlap(bench: Bench) {
    let names: Vec<String> = (0..7).map(|number| format!("person-{number}")).collect();
    let create = |name: &String| Write::CreatePerson { person: bench.new_person(name), password_hash: None };
    bench.commit(&names.iter().map(create).collect::<Vec<_>>()).await;
    let (mut seen, mut next) = (Vec::new(), None);
    loop {
        let page = bench.store.people(REALM, next.as_ref(), 3).await.unwrap();
        seen.extend(page.people.into_iter().map(|person| person.username));
        let Some(cursor) = page.next else { break };
        next = Some(cursor.to_string().parse().unwrap());
    }
    assert_eq!(seen, names);
    assert_eq!(bench.store.people(REALM, None, PEOPLE_PAGE * 10).await.unwrap().people.len(), names.len());
}
