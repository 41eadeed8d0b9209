//! Second factors: each code once, whoever asks at the same moment.

use durward_base::PersonId;
use durward_model::{Assurance, Person, Totp, Write};

use super::bench::{Bench, REALM};
use super::on_both;
use crate::CommitError;

on_both! {
    a_person_has_one_second_factor_and_nobody_puts_another_in_its_place,
    of_two_that_use_one_code_at_once_one_is_refused,
    a_recovery_code_is_good_once_and_new_ones_end_the_old,
    removing_a_second_factor_takes_its_recovery_codes_along,
    a_raised_login_is_worth_what_was_proved_and_an_ended_one_is_not_raised,
}

const CONFLICT: CommitError = CommitError::Conflict { write_index: 0 };

fn enrol(bench: &Bench, person: &Person, sealed: &[u8]) -> Write {
    Write::EnrolTotp { realm: REALM.to_owned(), person: person.id, sealed: sealed.to_vec(), used: 100, at: bench.now() }
}

fn spend(person: &Person, step: u64) -> Write {
    Write::SpendTotp { realm: REALM.to_owned(), person: person.id, step }
}

fn codes(person: &Person, hashes: &[[u8; 32]]) -> Write {
    Write::PutRecoveryCodes { realm: REALM.to_owned(), person: person.id, hashes: hashes.to_vec() }
}

fn recover(person: &Person, hash: [u8; 32]) -> Write {
    Write::SpendRecoveryCode { realm: REALM.to_owned(), person: person.id, hash }
}

/// MFA-004
async fn a_person_has_one_second_factor_and_nobody_puts_another_in_its_place(bench: Bench) {
    let alice = bench.person("alice").await;
    bench.commit(&[enrol(&bench, &alice, b"sealed"), codes(&alice, &[[1; 32], [2; 32]])]).await;
    let kept = Totp { sealed: b"sealed".to_vec(), used: 100, enrolled: bench.now(), recovery_codes: 2 };
    assert_eq!(bench.store.totp(REALM, alice.id).await.unwrap(), Some(kept.clone()));
    assert_eq!(bench.try_commit(&[enrol(&bench, &alice, b"another")]).await.unwrap_err(), CONFLICT);
    assert_eq!(bench.store.totp(REALM, alice.id).await.unwrap(), Some(kept));
    assert_eq!(bench.store.totp("other", alice.id).await.unwrap(), None);
    assert_eq!(bench.store.totp(REALM, PersonId::from_bytes([9; 16])).await.unwrap(), None);
}

/// MFA-001
async fn of_two_that_use_one_code_at_once_one_is_refused(bench: Bench) {
    let alice = bench.person("alice").await;
    bench.commit(&[enrol(&bench, &alice, b"sealed")]).await;
    let (ours, theirs) = ([spend(&alice, 101)], [spend(&alice, 101)]);
    let both = tokio::join!(bench.try_commit(&ours), bench.try_commit(&theirs));
    let lost = [both.0.is_err(), both.1.is_err()];
    assert!(lost == [true, false] || lost == [false, true], "{both:?}");
    for (step, good) in [(101, false), (99, false), (102, true), (102, false)] {
        assert_eq!(bench.try_commit(&[spend(&alice, step)]).await.is_ok(), good, "step {step}");
    }
    assert_eq!(bench.store.totp(REALM, alice.id).await.unwrap().unwrap().used, 102);
}

/// MFA-012
async fn a_recovery_code_is_good_once_and_new_ones_end_the_old(bench: Bench) {
    let (alice, bob) = (bench.person("alice").await, bench.person("bob").await);
    bench.commit(&[enrol(&bench, &alice, b"a"), enrol(&bench, &bob, b"b"), codes(&alice, &[[1; 32], [2; 32], [3; 32]])]).await;
    assert_eq!(bench.try_commit(&[recover(&bob, [1; 32])]).await.unwrap_err(), CONFLICT, "it is somebody else's");
    let (ours, theirs) = ([recover(&alice, [1; 32])], [recover(&alice, [1; 32])]);
    let both = tokio::join!(bench.try_commit(&ours), bench.try_commit(&theirs));
    assert_eq!(usize::from(both.0.is_ok()) + usize::from(both.1.is_ok()), 1, "{both:?}");
    assert_eq!(bench.store.totp(REALM, alice.id).await.unwrap().unwrap().recovery_codes, 2);
    bench.commit(&[codes(&alice, &[[4; 32]])]).await;
    assert_eq!(bench.try_commit(&[recover(&alice, [2; 32])]).await.unwrap_err(), CONFLICT);
    bench.commit(&[recover(&alice, [4; 32])]).await;
}

async fn removing_a_second_factor_takes_its_recovery_codes_along(bench: Bench) {
    let alice = bench.person("alice").await;
    let remove = Write::RemoveTotp { realm: REALM.to_owned(), person: alice.id };
    assert_eq!(bench.try_commit(std::slice::from_ref(&remove)).await.unwrap_err(), CONFLICT);
    bench.commit(&[enrol(&bench, &alice, b"a"), codes(&alice, &[[1; 32]])]).await;
    bench.commit(&[remove]).await;
    assert_eq!(bench.try_commit(&[recover(&alice, [1; 32])]).await.unwrap_err(), CONFLICT);
    assert_eq!(bench.store.totp(REALM, alice.id).await.unwrap(), None);
    bench.commit(&[enrol(&bench, &alice, b"b")]).await;
}

async fn a_raised_login_is_worth_what_was_proved_and_an_ended_one_is_not_raised(bench: Bench) {
    let alice = bench.person("alice").await;
    let session = bench.session(&alice).await;
    let assurance = Assurance { acr: Some("mfa".to_owned()), amr: vec!["otp".to_owned()], auth_time: Some(bench.now()) };
    let raise = Write::RaiseSession { realm: REALM.to_owned(), session: session.id, assurance: assurance.clone() };
    bench.commit(std::slice::from_ref(&raise)).await;
    assert_eq!(bench.store.session(REALM, session.id).await.unwrap().unwrap().assurance, assurance);
    bench.commit(&[Write::EndSession { realm: REALM.to_owned(), session: session.id, at: bench.now(), reason: "logout" }]).await;
    assert_eq!(bench.try_commit(&[raise]).await.unwrap_err(), CONFLICT);
}
