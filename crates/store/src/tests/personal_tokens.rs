//! Personal access tokens: whose they are, when they were used, how they end.

use durward_base::{Duration, PersonId, TokenId};
use durward_model::{Person, PersonalToken, Record, RevocationKind, Write};

use super::bench::{Bench, REALM};
use super::on_both;
use crate::{CommitError, PersonalTokenFacts};

on_both! {
    a_token_is_read_with_its_person,
    nobody_makes_a_token_for_somebody_disabled,
    a_token_is_ended_by_its_person_alone_and_everybody_is_told,
    the_last_use_never_moves_back,
    what_is_long_over_goes_and_what_has_no_end_stays,
    a_person_who_goes_takes_their_tokens_along,
}

fn token(bench: &Bench, person: &Person) -> PersonalToken {
    PersonalToken {
        id: TokenId::new(bench.now(), &bench.rng),
        realm: person.realm.clone(),
        person: person.id,
        name: "backup".to_owned(),
        scopes: vec!["orders:read".to_owned()],
        audience: "orders".to_owned(),
        created: bench.now(),
        expires: Some(bench.now() + Duration::from_secs(86_400)),
        used: None,
        revoked: None,
    }
}

fn end(token: &PersonalToken, bench: &Bench) -> Write {
    Write::EndPersonalToken { realm: token.realm.clone(), person: token.person, token: token.id, at: bench.now() }
}

async fn a_token_is_read_with_its_person(bench: Bench) {
    let alice = bench.person("alice").await;
    let (token, unending) = (token(&bench, &alice), PersonalToken { expires: None, ..token(&bench, &alice) });
    bench.commit(&[Write::PutPersonalToken(token.clone()), Write::PutPersonalToken(unending.clone())]).await;
    let found = bench.store.personal_token(REALM, token.id).await.unwrap();
    assert_eq!(found, Some(PersonalTokenFacts { token: token.clone(), person: alice.clone() }));
    assert_eq!(bench.store.personal_token("other", token.id).await.unwrap(), None);
    assert_eq!(bench.store.personal_tokens_of(REALM, alice.id, bench.now()).await.unwrap().len(), 2);
    let later = token.expires.unwrap();
    assert_eq!(bench.store.personal_tokens_of(REALM, alice.id, later).await.unwrap(), [unending]);
}

async fn nobody_makes_a_token_for_somebody_disabled(bench: Bench) {
    let alice = bench.person("alice").await;
    let conflict = Err(CommitError::Conflict { write_index: 0 });
    let token = token(&bench, &alice);
    let of_nobody = PersonalToken { person: PersonId::from_bytes([9; 16]), ..token.clone() };
    assert_eq!(bench.try_commit(&[Write::PutPersonalToken(of_nobody)]).await, conflict);
    bench.commit(&[Write::UpdatePerson(Person { disabled: true, version: 2, ..alice })]).await;
    assert_eq!(bench.try_commit(&[Write::PutPersonalToken(token)]).await, conflict);
}

async fn a_token_is_ended_by_its_person_alone_and_everybody_is_told(bench: Bench) {
    let (alice, bob) = (bench.person("alice").await, bench.person("bob").await);
    let token = token(&bench, &alice);
    bench.commit(&[Write::PutPersonalToken(token.clone())]).await;
    bench.commit(&[end(&PersonalToken { person: bob.id, ..token.clone() }, &bench)]).await;
    assert_eq!(bench.records().await, [], "not somebody else's");
    bench.commit(&[end(&token, &bench)]).await;
    bench.commit(&[end(&token, &bench)]).await;
    let records = bench.records().await;
    let [Record::Revocation(revocation)] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((revocation.kind, &revocation.key), (RevocationKind::Token, &token.id.to_string()));
    assert!(bench.store.personal_token(REALM, token.id).await.unwrap().unwrap().token.revoked.is_some());
    assert_eq!(bench.store.personal_tokens_of(REALM, alice.id, bench.now()).await.unwrap(), []);
}

async fn the_last_use_never_moves_back(bench: Bench) {
    let alice = bench.person("alice").await;
    let (one, two) = (token(&bench, &alice), token(&bench, &alice));
    bench.commit(&[Write::PutPersonalToken(one.clone()), Write::PutPersonalToken(two.clone())]).await;
    let at = |seconds| bench.now() + Duration::from_secs(seconds);
    let used = |id, seconds| (REALM.to_owned(), id, at(seconds));
    bench.store.personal_tokens_used(&[used(one.id, 60), used(two.id, 10), used(two.id, 50)], bench.now()).await.unwrap();
    bench.store.personal_tokens_used(&[used(one.id, 30)], bench.now()).await.unwrap();
    for (id, seconds) in [(one.id, 60), (two.id, 50)] {
        assert_eq!(bench.store.personal_token(REALM, id).await.unwrap().unwrap().token.used, Some(at(seconds)));
    }
}

async fn what_is_long_over_goes_and_what_has_no_end_stays(bench: Bench) {
    let alice = bench.person("alice").await;
    let expiring = token(&bench, &alice);
    let [ended, unending] = [0, 1].map(|_| PersonalToken { expires: None, ..token(&bench, &alice) });
    let all = [&expiring, &ended, &unending];
    bench.commit(&all.map(|token| Write::PutPersonalToken(token.clone()))).await;
    bench.commit(&[end(&ended, &bench)]).await;
    bench.time.pass(Duration::from_secs(29 * 86_400));
    bench.store.expire(bench.now()).await.unwrap();
    assert!(bench.store.personal_token(REALM, ended.id).await.unwrap().is_some());
    bench.time.pass(Duration::from_secs(3 * 86_400));
    bench.store.expire(bench.now()).await.unwrap();
    for (token, stays) in [(&expiring, false), (&ended, false), (&unending, true)] {
        assert_eq!(bench.store.personal_token(REALM, token.id).await.unwrap().is_some(), stays);
    }
}

async fn a_person_who_goes_takes_their_tokens_along(bench: Bench) {
    let alice = bench.person("alice").await;
    let token = token(&bench, &alice);
    bench.commit(&[Write::PutPersonalToken(token.clone())]).await;
    bench.commit(&[Write::DeletePerson { realm: REALM.to_owned(), person: alice.id }]).await;
    assert_eq!(bench.store.personal_token(REALM, token.id).await.unwrap(), None);
}
