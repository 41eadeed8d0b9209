//! Clients that are to be told of a logout: whoever ends what, each is told once, and a day long.

use durward_base::{ClientId, Duration, ResourceId};
use durward_model::resource::Client;
use durward_model::{EgressUrl, Family, LogoutNotice, Resource, ResourceKind, Session, Stored, Write};

use super::bench::{Bench, REALM};
use super::on_both;

on_both! {
    whatever_ends_a_family_tells_its_client,
    a_client_that_does_not_want_to_know_is_not_told,
    of_two_nodes_one_takes_a_notice_and_it_comes_again_later_and_later,
    a_notice_outlives_the_person_and_goes_when_told,
    a_natural_end_is_told_of_once_and_an_old_one_not_at_all,
}

/// A client under this id; `at` is where it wants to be told.
async fn client(bench: &Bench, id: ClientId, at: Option<&str>) {
    let name = format!("client-{id}").to_ascii_lowercase();
    let client = Client { name, backchannel_logout_uri: at.map(|uri| EgressUrl::parse(uri).unwrap()), ..Client::default() };
    let id = ResourceId::from_bytes(id.to_bytes());
    let stored = Stored { id, realm: REALM.to_owned(), version: 1, resource: Resource::Client(client) };
    bench.commit(&[Write::PutResource { stored: Box::new(stored), expected: None }]).await;
}

async fn told(bench: &Bench) -> ClientId {
    let id = ClientId::from_bytes([7; 16]);
    client(bench, id, Some("https://shop.example/logout")).await;
    id
}

async fn due(bench: &Bench) -> Vec<LogoutNotice> {
    bench.store.logout_notices_due(bench.now(), 100).await.unwrap()
}

fn end(session: &Session, bench: &Bench) -> Write {
    Write::EndSession { realm: REALM.to_owned(), session: session.id, at: bench.now(), reason: "logout" }
}

async fn whatever_ends_a_family_tells_its_client(bench: Bench) {
    let id = told(&bench).await;
    let person = bench.person("alice").await;
    type Ending = fn(&Bench, &Session, &Family) -> Write;
    let endings: [(&str, Ending); 4] = [
        ("the login", |bench, session, _| end(session, bench)),
        ("the family", |bench, _, family| Write::EndFamily {
            realm: REALM.to_owned(),
            family: family.id,
            at: bench.now(),
            reason: "revoked",
        }),
        ("the person's logins", |bench, session, _| Write::EndSessionsOf {
            realm: REALM.to_owned(),
            person: session.person,
            at: bench.now(),
            reason: "disabled",
        }),
        ("the consent", |bench, session, family| Write::EndConsent {
            realm: REALM.to_owned(),
            person: session.person,
            client: family.client,
            audience: family.audience.clone(),
            at: bench.now(),
        }),
    ];
    for (what, ending) in endings {
        let session = bench.session(&person).await;
        let family = bench.family(&session).await;
        assert_eq!(due(&bench).await, [], "{what}");
        let end = ending(&bench, &session, &family);
        bench.commit(std::slice::from_ref(&end)).await;
        let found = due(&bench).await;
        let [notice] = found.as_slice() else { panic!("{what}: {found:?}") };
        assert_eq!((notice.family, notice.client, notice.subject.as_str()), (family.id, id, person.sub.as_str()), "{what}");
        bench.commit(&[Write::DropLogoutNotice { realm: REALM.to_owned(), family: family.id }]).await;
        bench.time.pass(Duration::from_secs(1));
        bench.commit(&[ending(&bench, &session, &family)]).await;
        assert_eq!(due(&bench).await, [], "{what}, ended twice");
    }
}

async fn a_client_that_does_not_want_to_know_is_not_told(bench: Bench) {
    client(&bench, ClientId::from_bytes([7; 16]), None).await;
    let session = bench.session(&bench.person("alice").await).await;
    bench.family(&session).await;
    bench.commit(&[end(&session, &bench)]).await;
    assert_eq!(due(&bench).await, []);
}

async fn of_two_nodes_one_takes_a_notice_and_it_comes_again_later_and_later(bench: Bench) {
    told(&bench).await;
    let session = bench.session(&bench.person("alice").await).await;
    bench.family(&session).await;
    bench.commit(&[end(&session, &bench)]).await;
    let other = bench.another_node().await;
    for wait in [10, 20, 40, 80] {
        let notice = due(&bench).await.remove(0);
        assert_eq!(notice.wait, Duration::from_secs(wait));
        assert!(other.take_logout_notice(&notice, bench.now()).await.unwrap());
        assert!(!bench.store.take_logout_notice(&notice, bench.now()).await.unwrap(), "the other node has it");
        bench.time.pass(Duration::from_millis(wait * 1000 - 1));
        assert_eq!(due(&bench).await, []);
        bench.time.pass(Duration::from_millis(1));
    }
}

async fn a_notice_outlives_the_person_and_goes_when_told(bench: Bench) {
    let id = told(&bench).await;
    let person = bench.person("alice").await;
    let family = bench.family(&bench.session(&person).await).await;
    bench.commit(&[Write::DeletePerson { realm: REALM.to_owned(), person: person.id }]).await;
    let notice = due(&bench).await.remove(0);
    assert_eq!((notice.family, notice.subject), (family.id, person.sub));
    let name = format!("client-{id}").to_ascii_lowercase();
    bench.commit(&[Write::DeleteResource { realm: REALM.to_owned(), kind: ResourceKind::Client, name, expected: 1 }]).await;
    assert_eq!(due(&bench).await.len(), 1);
    bench.time.pass(Duration::from_secs(7 * 86_400 + 1));
    bench.store.expire(bench.now()).await.unwrap();
    assert_eq!(due(&bench).await, [], "nobody was there to deliver or give it up");
}

async fn a_natural_end_is_told_of_once_and_an_old_one_not_at_all(bench: Bench) {
    let id = told(&bench).await;
    let person = bench.person("alice").await;
    let session = bench.session(&person).await;
    let until = |hours: u64| Family { expires: bench.now() + Duration::from_secs(hours * 3_600), ..bench.new_family(&session) };
    let (soon, ended, later, old) = (until(1), until(1), until(3), until(4));
    let families = [&soon, &ended, &later, &old].map(|family| Write::OpenFamily(family.clone()));
    bench.commit(&families).await;
    let end = Write::EndFamily { realm: REALM.to_owned(), family: ended.id, at: bench.now(), reason: "revoked" };
    bench.commit(&[end, Write::DropLogoutNotice { realm: REALM.to_owned(), family: ended.id }]).await;
    bench.store.expire(bench.now()).await.unwrap();
    assert_eq!(due(&bench).await, [], "they are good");
    bench.time.pass(Duration::from_secs(3_600));
    bench.store.expire(bench.now()).await.unwrap();
    let found = due(&bench).await;
    let [notice] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((notice.family, notice.client, &notice.subject), (soon.id, id, &person.sub));
    bench.commit(&[Write::DropLogoutNotice { realm: REALM.to_owned(), family: soon.id }]).await;
    bench.store.expire(bench.now()).await.unwrap();
    assert_eq!(due(&bench).await, [], "once told is told");
    bench.time.pass(Duration::from_secs(2 * 3_600));
    let other = bench.another_node().await;
    let (one, two) = tokio::join!(bench.store.expire(bench.now()), other.expire(bench.now()));
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    assert_eq!(due(&bench).await.iter().map(|notice| notice.family).collect::<Vec<_>>(), [later.id]);
    bench.commit(&[Write::DropLogoutNotice { realm: REALM.to_owned(), family: later.id }]).await;
    bench.time.pass(Duration::from_secs(3_600 + 86_400));
    bench.store.expire(bench.now()).await.unwrap();
    assert_eq!(due(&bench).await, [], "nobody waits to hear of yesterday");
}
