//! What has expired goes; what has not, stays.

use durward_base::Duration;
use durward_model::{Revocation, RevocationKind, Spent, Write};

use super::bench::{Bench, REALM};
use super::on_both;

on_both! {
    only_what_has_expired_is_dropped,
}

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

async fn only_what_has_expired_is_dropped(bench: Bench) {
    let session = bench.session(&bench.person("alice").await).await;
    let family = bench.family(&session).await;
    let expires = bench.now() + Duration::from_secs(300);
    let key = "jti".to_owned();
    let revoked = Revocation {
        realm: REALM.to_owned(),
        kind: RevocationKind::Token,
        key,
        not_before: bench.now(),
        expires,
        reason: "revoked".to_owned(),
    };
    let event = bench.event();
    let spend = Write::Spend { realm: REALM.to_owned(), what: Spent::Code, id: [1; 16], expires };
    bench.store.commit(&[spend, Write::Revoke(revoked)], event.clone()).await.unwrap();
    let all = bench.store.events_to_journal("authority").await.unwrap();
    bench.store.journaled(&all.iter().map(|event| event.id).collect::<Vec<_>>()).await.unwrap();
    assert_eq!(bench.store.expire(bench.now()).await.unwrap(), 0);

    bench.time.pass(HOUR);
    assert_eq!(bench.store.expire(bench.now()).await.unwrap(), 1, "the revocation");
    assert!(bench.store.is_spent(REALM, Spent::Code, [1; 16]).await.unwrap(), "clocks may have jumped");
    bench.time.pass(HOUR);
    assert_eq!(bench.store.expire(bench.now()).await.unwrap(), 1, "the spent id");
    assert!(!bench.store.is_spent(REALM, Spent::Code, [1; 16]).await.unwrap());
    bench.time.pass(HOUR * 3);
    assert_eq!(bench.store.expire(bench.now()).await.unwrap(), 1, "the change");
    bench.time.pass(DAY * 30);
    assert_eq!(bench.store.expire(bench.now()).await.unwrap(), all.len() as u64 + 1, "the events, and that the family came to its end");
    assert!(bench.store.family_facts(REALM, family.id).await.unwrap().is_some());
    bench.time.pass(DAY * 31);
    assert_eq!(bench.store.expire(bench.now()).await.unwrap(), 2, "the family, then the login");
    assert_eq!(bench.store.expire(bench.now()).await.unwrap(), 0);
}
