//! Taking back what was allowed.

use durward_base::ClientId;
use durward_model::{Consent, Family, Record, RevocationKind, Write};

use super::bench::{Bench, REALM};
use super::on_both;

on_both! {
    what_is_taken_back_is_forgotten_and_ends_what_stood_on_it,
}

async fn what_is_taken_back_is_forgotten_and_ends_what_stood_on_it(bench: Bench) {
    let (alice, bob) = (bench.person("alice").await, bench.person("bob").await);
    let (login, another, of_bob) = (bench.session(&alice).await, bench.session(&alice).await, bench.session(&bob).await);
    let (one, two, bobs) = (bench.family(&login).await, bench.family(&another).await, bench.family(&of_bob).await);
    let stock = Family { audience: "stock".to_owned(), ..bench.new_family(&login) };
    let other = Family { client: ClientId::from_bytes([8; 16]), ..bench.new_family(&login) };
    bench.commit(&[Write::OpenFamily(stock.clone()), Write::OpenFamily(other.clone())]).await;
    let consent = |audience: &str| Consent {
        realm: REALM.to_owned(),
        person: alice.id,
        client: one.client,
        client_name: one.client_name.clone(),
        scopes: vec!["orders:read".to_owned()],
        declined: Vec::new(),
        audience: audience.to_owned(),
        shown: "digest".to_owned(),
        granted: bench.now(),
    };
    bench.commit(&[Write::PutConsent(consent("orders")), Write::PutConsent(consent("stock"))]).await;
    assert_eq!(bench.store.consents_of(REALM, alice.id).await.unwrap().len(), 2);
    for (family, allowed) in [(&one, Some("orders")), (&stock, Some("stock")), (&bobs, None), (&other, None)] {
        let facts = bench.store.family_facts(REALM, family.id).await.unwrap().unwrap();
        assert_eq!(facts.consent, allowed.map(consent), "{family:?}");
    }

    let end = || Write::EndConsent {
        realm: REALM.to_owned(),
        person: alice.id,
        client: one.client,
        audience: "orders".to_owned(),
        at: bench.now(),
    };
    bench.commit(&[end()]).await;
    assert_eq!(bench.store.consents_of(REALM, alice.id).await.unwrap(), [consent("stock")]);
    for (family, ended) in [(&one, true), (&two, true), (&bobs, false), (&stock, false), (&other, false)] {
        let facts = bench.store.family_facts(REALM, family.id).await.unwrap().unwrap();
        assert_eq!(facts.family.revoked.is_some(), ended, "{family:?}");
    }
    let mut revoked: Vec<_> = bench.records().await;
    revoked.retain(|record| matches!(record, Record::Revocation(revoked) if revoked.kind == RevocationKind::Family));
    assert_eq!(revoked.len(), 2, "each is told of");
    bench.commit(&[end()]).await;
    assert_eq!(bench.records().await.len(), revoked.len(), "ending twice is ending");
}
