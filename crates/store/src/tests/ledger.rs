//! Sessions, families, codes, consents: what each guard asks, and what ending one means.

use durward_base::{ClientId, Duration, FamilyId, PersonId, SessionId};
use durward_model::{Consent, Family, Person, Record, Revocation, RevocationKind, Session, Spent, Write};

use super::bench::{Bench, REALM};
use super::on_both;
use crate::{CommitError, FamilyFacts};

on_both! {
    a_family_is_read_with_its_login_and_person,
    a_login_of_nobody_or_of_someone_disabled_is_not_opened,
    a_family_opens_only_in_a_live_login_of_its_live_person,
    a_rotation_moves_one_generation_from_the_one_presented,
    nothing_rotates_once_family_login_or_person_is_gone,
    ending_a_login_revokes_it_and_each_live_family_once,
    ending_a_family_leaves_the_login,
    ending_all_logins_of_a_person_leaves_those_of_others,
    deleting_a_person_ends_their_logins_on_the_feed_and_removes_all_that_hung_on_them,
    an_id_is_spent_once_per_realm_and_kind,
    a_consent_replaces_the_one_before,
    a_watermark_never_moves_back,
}

const CONFLICT: CommitError = CommitError::Conflict { write_index: 0 };

fn end_session(session: &Session, bench: &Bench) -> Write {
    Write::EndSession { realm: session.realm.clone(), session: session.id, at: bench.now(), reason: "logout" }
}

fn end_family(family: &Family, bench: &Bench) -> Write {
    Write::EndFamily { realm: family.realm.clone(), family: family.id, at: bench.now(), reason: "refresh_reuse" }
}

fn rotate(family: &Family, from: u32, bench: &Bench) -> Write {
    Write::RotateFamily { realm: family.realm.clone(), family: family.id, from, at: bench.now() }
}

fn disable(person: &Person) -> Write {
    Write::UpdatePerson(Person { disabled: true, version: person.version + 1, ..person.clone() })
}

async fn revocations(bench: &Bench) -> Vec<(RevocationKind, String)> {
    let records = bench.records().await.into_iter();
    records.filter_map(|record| if let Record::Revocation(revoked) = record { Some((revoked.kind, revoked.key)) } else { None }).collect()
}

async fn a_family_is_read_with_its_login_and_person(bench: Bench) {
    let person = bench.person("alice").await;
    let session = bench.session(&person).await;
    let family = bench.family(&session).await;
    let facts = bench.store.family_facts(REALM, family.id).await.unwrap();
    assert_eq!(facts, Some(FamilyFacts { family: family.clone(), session: session.clone(), person: person.clone(), consent: None }));
    assert_eq!(bench.store.family_facts("other", family.id).await.unwrap(), None);
    assert_eq!(bench.store.family_facts(REALM, FamilyId::from_bytes([9; 16])).await.unwrap(), None);
    assert_eq!(bench.store.session(REALM, session.id).await.unwrap(), Some(session.clone()));
    assert_eq!(bench.store.sessions_of(REALM, person.id, bench.now()).await.unwrap(), std::slice::from_ref(&session));
    assert_eq!(bench.store.sessions_of(REALM, person.id, session.expires).await.unwrap(), []);
    assert_eq!(bench.store.families_of_session(REALM, session.id).await.unwrap(), [family]);
}

async fn a_login_of_nobody_or_of_someone_disabled_is_not_opened(bench: Bench) {
    let person = bench.person("alice").await;
    let session = bench.session(&person).await;
    assert_eq!(bench.try_commit(&[Write::OpenSession(session)]).await, Err(CONFLICT), "the same id again");
    let nobody = Person { id: PersonId::from_bytes([9; 16]), ..person.clone() };
    assert_eq!(bench.try_commit(&[Write::OpenSession(bench.new_session(&nobody))]).await, Err(CONFLICT));
    let elsewhere = Person { realm: "other".to_owned(), ..person.clone() };
    assert_eq!(bench.try_commit(&[Write::OpenSession(bench.new_session(&elsewhere))]).await, Err(CONFLICT));
    bench.commit(&[disable(&person)]).await;
    assert_eq!(bench.try_commit(&[Write::OpenSession(bench.new_session(&person))]).await, Err(CONFLICT));
}

async fn a_family_opens_only_in_a_live_login_of_its_live_person(bench: Bench) {
    let (alice, bob) = (bench.person("alice").await, bench.person("bob").await);
    let session = bench.session(&alice).await;
    let open = |family: Family| [Write::OpenFamily(family)];
    assert_eq!(bench.try_commit(&open(Family { person: bob.id, ..bench.new_family(&session) })).await, Err(CONFLICT));
    assert_eq!(bench.try_commit(&open(Family { realm: "other".to_owned(), ..bench.new_family(&session) })).await, Err(CONFLICT));
    let unknown = SessionId::from_bytes([9; 16]);
    assert_eq!(bench.try_commit(&open(Family { session: unknown, ..bench.new_family(&session) })).await, Err(CONFLICT));
    let family = bench.family(&session).await;
    assert_eq!(bench.try_commit(&open(family)).await, Err(CONFLICT), "the same id again");
    bench.commit(&[end_session(&session, &bench)]).await;
    assert_eq!(bench.try_commit(&open(bench.new_family(&session))).await, Err(CONFLICT));
    let session = bench.session(&bob).await;
    bench.commit(&[disable(&bob)]).await;
    assert_eq!(bench.try_commit(&open(bench.new_family(&session))).await, Err(CONFLICT));
}

async fn a_rotation_moves_one_generation_from_the_one_presented(bench: Bench) {
    let session = bench.session(&bench.person("alice").await).await;
    let family = bench.family(&session).await;
    bench.time.pass(Duration::from_secs(60));
    bench.commit(&[rotate(&family, 1, &bench)]).await;
    let now = bench.store.family_facts(REALM, family.id).await.unwrap().unwrap().family;
    assert_eq!(now, Family { generation: 2, rotated: bench.now(), ..family.clone() });
    for wrong in [0, 1, 3, u32::MAX] {
        assert_eq!(bench.try_commit(&[rotate(&family, wrong, &bench)]).await, Err(CONFLICT), "{wrong}");
    }
    let elsewhere = Family { realm: "other".to_owned(), ..family };
    assert_eq!(bench.try_commit(&[rotate(&elsewhere, 2, &bench)]).await, Err(CONFLICT));
}

async fn nothing_rotates_once_family_login_or_person_is_gone(bench: Bench) {
    let (alice, bob) = (bench.person("alice").await, bench.person("bob").await);
    let session = bench.session(&alice).await;
    let (one, two) = (bench.family(&session).await, bench.family(&session).await);
    bench.commit(&[end_family(&one, &bench)]).await;
    assert_eq!(bench.try_commit(&[rotate(&one, 1, &bench)]).await, Err(CONFLICT));
    bench.commit(&[rotate(&two, 1, &bench)]).await;
    bench.commit(&[end_session(&session, &bench)]).await;
    assert_eq!(bench.try_commit(&[rotate(&two, 2, &bench)]).await, Err(CONFLICT));
    let three = bench.family(&bench.session(&bob).await).await;
    bench.commit(&[disable(&bob)]).await;
    assert_eq!(bench.try_commit(&[rotate(&three, 1, &bench)]).await, Err(CONFLICT));
}

async fn ending_a_login_revokes_it_and_each_live_family_once(bench: Bench) {
    let session = bench.session(&bench.person("alice").await).await;
    let (one, two) = (bench.family(&session).await, bench.family(&session).await);
    bench.commit(&[end_family(&one, &bench)]).await;
    bench.time.pass(Duration::from_secs(1));
    bench.commit(&[end_session(&session, &bench)]).await;
    bench.commit(&[end_session(&session, &bench)]).await;
    let expected = [
        (RevocationKind::Family, one.id.to_string()),
        (RevocationKind::Session, session.id.to_string()),
        (RevocationKind::Family, two.id.to_string()),
    ];
    assert_eq!(revocations(&bench).await, expected);
    assert_eq!(bench.store.session(REALM, session.id).await.unwrap().unwrap().revoked, Some(bench.now()));
    assert_eq!(bench.store.family_facts(REALM, two.id).await.unwrap().unwrap().family.revoked, Some(bench.now()));
    let (_, records) = bench.store.snapshot().await.unwrap();
    assert!(records.contains(&Record::Revocation(Revocation {
        realm: REALM.to_owned(),
        kind: RevocationKind::Session,
        key: session.id.to_string(),
        not_before: bench.now(),
        expires: bench.now() + Duration::from_secs(3_660),
        reason: "logout".to_owned(),
    })));
}

async fn ending_a_family_leaves_the_login(bench: Bench) {
    let session = bench.session(&bench.person("alice").await).await;
    let (one, two) = (bench.family(&session).await, bench.family(&session).await);
    bench.commit(&[end_family(&one, &bench), end_family(&one, &bench)]).await;
    assert_eq!(revocations(&bench).await, [(RevocationKind::Family, one.id.to_string())]);
    bench.commit(&[rotate(&two, 1, &bench)]).await;
}

async fn ending_all_logins_of_a_person_leaves_those_of_others(bench: Bench) {
    let (alice, bob) = (bench.person("alice").await, bench.person("bob").await);
    let (phone, desk, other) = (bench.session(&alice).await, bench.session(&alice).await, bench.session(&bob).await);
    let (one, two, three) = (bench.family(&phone).await, bench.family(&desk).await, bench.family(&other).await);
    bench.commit(&[Write::EndSessionsOf { realm: REALM.to_owned(), person: alice.id, at: bench.now(), reason: "disabled" }]).await;
    let mut ended: Vec<String> = revocations(&bench).await.into_iter().map(|(_, key)| key).collect();
    let mut expected = [phone.id.to_string(), desk.id.to_string(), one.id.to_string(), two.id.to_string()];
    ended.sort();
    expected.sort();
    assert_eq!(ended, expected);
    bench.commit(&[rotate(&three, 1, &bench)]).await;
}

async fn deleting_a_person_ends_their_logins_on_the_feed_and_removes_all_that_hung_on_them(bench: Bench) {
    let alice = bench.person("alice").await;
    let session = bench.session(&alice).await;
    let family = bench.family(&session).await;
    let delete = [Write::DeletePerson { realm: REALM.to_owned(), person: alice.id }];
    bench.commit(&delete).await;
    let expected = [(RevocationKind::Session, session.id.to_string()), (RevocationKind::Family, family.id.to_string())];
    assert_eq!(revocations(&bench).await, expected);
    assert_eq!(bench.store.person(REALM, alice.id).await.unwrap(), None);
    assert_eq!(bench.store.session(REALM, session.id).await.unwrap(), None);
    assert_eq!(bench.store.families_of_session(REALM, session.id).await.unwrap(), []);
    assert_eq!(bench.try_commit(&delete).await, Err(CONFLICT));
}

async fn an_id_is_spent_once_per_realm_and_kind(bench: Bench) {
    let spend = |realm: &str, what| Write::Spend { realm: realm.to_owned(), what, id: [5; 16], expires: bench.now() };
    assert!(!bench.store.is_spent(REALM, Spent::Code, [5; 16]).await.unwrap());
    bench.commit(&[spend(REALM, Spent::Code)]).await;
    assert!(bench.store.is_spent(REALM, Spent::Code, [5; 16]).await.unwrap());
    assert!(!bench.store.is_spent(REALM, Spent::Transaction, [5; 16]).await.unwrap());
    let others = [spend(REALM, Spent::ClientAssertion), spend("other", Spent::Code), spend(REALM, Spent::Code)];
    assert_eq!(bench.try_commit(&others).await, Err(CommitError::Conflict { write_index: 2 }));
    bench.commit(&others[..2]).await;
}

async fn a_consent_replaces_the_one_before(bench: Bench) {
    let alice = bench.person("alice").await;
    let consent = |scopes: &[&str], audience: &str| Consent {
        realm: REALM.to_owned(),
        person: alice.id,
        client: ClientId::from_bytes([7; 16]),
        client_name: "web".to_owned(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        declined: vec!["z".to_owned()],
        audience: audience.to_owned(),
        shown: "digest".to_owned(),
        granted: bench.now(),
    };
    let (first, second, other) = (consent(&["a"], "orders"), consent(&["a", "b"], "orders"), consent(&["c"], "stock"));
    bench.commit(&[Write::PutConsent(first.clone()), Write::PutConsent(other.clone()), Write::PutConsent(second.clone())]).await;
    let found = |audience| bench.store.consent(REALM, alice.id, first.client, audience);
    assert_eq!(found("orders").await.unwrap(), Some(second));
    assert_eq!(found("stock").await.unwrap(), Some(other));
    assert_eq!(found("accounts").await.unwrap(), None);
}

async fn a_watermark_never_moves_back(bench: Bench) {
    let mark = |after: u64| Revocation {
        realm: REALM.to_owned(),
        kind: RevocationKind::Subject,
        key: "sub".to_owned(),
        not_before: bench.now() + Duration::from_secs(after),
        expires: bench.now() + Duration::from_secs(after + 3_660),
        reason: "role_lost".to_owned(),
    };
    bench.commit(&[Write::Revoke(mark(20)), Write::Revoke(mark(10))]).await;
    assert_eq!(bench.records().await, [Record::Revocation(mark(20)), Record::Revocation(mark(20))]);
    assert_eq!(bench.store.snapshot().await.unwrap().1, [Record::Revocation(mark(20))]);
}
