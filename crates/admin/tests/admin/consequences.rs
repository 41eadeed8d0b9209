//! What is taken away is taken away at once: the matching watermark is written in the same transaction.

use durward_base::Duration;
use durward_model::{Revocation, RevocationKind};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::fixture::{NOW, OWN, World, shop_with};

async fn revoked_by(world: &World, changes: &[(&str, &str, Value)]) -> Vec<(RevocationKind, String, String)> {
    let before = world.revocations().await;
    let answer = world.post("apply", &shop_with(changes)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    new_since(&before, &world.revocations().await)
}

fn new_since(before: &[Revocation], after: &[Revocation]) -> Vec<(RevocationKind, String, String)> {
    let new = after.iter().filter(|revocation| !before.contains(revocation));
    new.map(|revocation| (revocation.kind, revocation.key.clone(), revocation.reason.clone())).collect()
}

#[tokio::test]
async fn whoever_loses_something_loses_the_tokens_that_carry_it() {
    use RevocationKind::{Client, Realm};
    for (kind, name, change, expected) in [
        ("client", "web", json!({"scopes": ["openid", "order"]}), Some((Client, "web", "role_lost"))),
        ("client", "web", json!({"services": ["shop"]}), Some((Client, "web", "role_lost"))),
        ("client", "web", json!({"grants": ["authorization_code"]}), Some((Client, "web", "role_lost"))),
        ("client", "web", json!({"disabled": true}), Some((Client, "web", "disabled"))),
        ("client", "payments-program", json!({"roles": []}), Some((Client, "payments-program", "role_lost"))),
        ("client", "payments-program", json!({"runs": "shop"}), Some((Client, "payments-program", "role_lost"))),
        ("service", "inventory", json!({"disabled": true}), Some((Realm, "main", "disabled"))),
        ("group", "staff", json!({"roles": []}), Some((Realm, "main", "role_lost"))),
        ("realm", "main", json!({"disabled": true}), Some((Realm, "main", "disabled"))),
        // Nothing is lost here.
        ("client", "web", json!({"title": "The Shop"}), None),
        ("client", "web", json!({"scopes": ["openid", "order", "look", "profile"]}), None),
        ("group", "staff", json!({"roles": ["clerk", "customer"]}), None),
        ("service", "shop", json!({"description": "ours"}), None),
        ("role", "clerk", json!({"description": "restocks"}), None),
        ("person", "alice", json!({"display_name": "Alice"}), None),
        ("realm", "main", json!({"title": "The Shop"}), None),
        ("route", "stock", json!({"exact": true}), None),
    ] {
        let world = World::with_shop().await;
        let expected: Vec<_> = expected.into_iter().map(|(kind, key, reason)| (kind, key.to_owned(), reason.to_owned())).collect();
        assert_eq!(revoked_by(&world, &[(kind, name, change.clone())]).await, expected, "{kind} {name} {change}");
    }
}

#[tokio::test]
async fn a_service_that_loses_a_scope_loses_it_in_every_token() {
    let world = World::with_shop().await;
    let changes = [("service", "shop", json!({"scopes": [{"name": "order"}]})), ("client", "web", json!({"scopes": ["openid", "order"]}))];
    let mut revoked = revoked_by(&world, &changes).await;
    revoked.sort();
    let expected = [(RevocationKind::Client, "web", "role_lost"), (RevocationKind::Realm, "main", "role_lost")];
    assert_eq!(revoked, expected.map(|(kind, key, reason)| (kind, key.to_owned(), reason.to_owned())));
}

#[tokio::test]
async fn a_person_who_loses_a_role_or_group_keeps_the_login_and_loses_the_tokens() {
    for (name, change) in [("alice", json!({"roles": []})), ("bob", json!({"groups": []}))] {
        let world = World::with_shop().await;
        let (session, _) = world.log_in(name).await;
        let sub = world.person(name).await.sub;
        assert_eq!(revoked_by(&world, &[("person", name, change)]).await, [(RevocationKind::Subject, sub, "role_lost".to_owned())]);
        assert!(world.store.session("main", session.id).await.unwrap().unwrap().revoked.is_none());
    }
}

#[tokio::test]
async fn disabling_or_deleting_a_person_ends_every_login_and_token_of_theirs() {
    for (method, path, reason) in [(Method::POST, "people/alice/disable", "disabled"), (Method::DELETE, "people/alice", "deleted")] {
        let world = World::with_shop().await;
        let (session, family) = world.log_in("alice").await;
        let sub = world.person("alice").await.sub;
        let answer = world.call(OWN, method, path, Some(&json!({}))).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let mut revoked = new_since(&[], &world.revocations().await);
        revoked.sort();
        let expected = [
            (RevocationKind::Family, family.id.to_string()),
            (RevocationKind::Session, session.id.to_string()),
            (RevocationKind::Subject, sub),
        ];
        assert_eq!(revoked, expected.map(|(kind, key)| (kind, key, reason.to_owned())));
    }
}

#[tokio::test]
async fn deleting_a_client_ends_its_tokens_and_its_secrets() {
    let world = World::with_shop().await;
    let answer = world.call(OWN, Method::DELETE, "clients/payments-program", None).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let revoked = new_since(&[], &world.revocations().await);
    assert_eq!(revoked, [(RevocationKind::Client, "payments-program".to_owned(), "deleted".to_owned())]);
    let (_, records) = world.store.snapshot().await.unwrap();
    let live = records
        .iter()
        .any(|record| matches!(record, durward_model::Record::ClientSecret(secret) if secret.expires.is_none_or(|end| end > NOW)));
    assert!(!live, "its secret is good no more");
}

#[tokio::test]
async fn a_client_that_is_declared_with_another_method_has_no_secret_to_come_back_to() {
    let world = World::with_shop().await;
    let live = async || {
        let (_, records) = world.store.snapshot().await.unwrap();
        let is_live = |record: &durward_model::Record| matches!(record, durward_model::Record::ClientSecret(secret) if secret.expires.is_none_or(|end| end > NOW));
        records.iter().filter(|record| is_live(record)).count()
    };
    assert_ne!(live().await, 0);
    let by_certificate = json!({"authentication": "tls_client_auth", "tls_client_auth_san_dns": "payments.example"});
    let mut asked = shop_with(&[("client", "payments-program", by_certificate)]);
    asked["secrets"] = json!({});
    let answer = world.post("apply", &asked).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(live().await, 0);
    let basic = json!({"authentication": "client_secret_basic"});
    let mut back = shop_with(&[("client", "payments-program", basic)]);
    back["secrets"] = json!({});
    assert_eq!(world.post("apply", &back).await.status, StatusCode::OK);
    assert_eq!(live().await, 0);
}

#[tokio::test]
async fn a_watermark_reaches_past_the_commit_and_lives_as_long_as_any_token_could() {
    let world = World::with_shop().await;
    revoked_by(&world, &[("client", "web", json!({"disabled": true}))]).await;
    let watermark = world.revocations().await.remove(0);
    assert_eq!(watermark.not_before, NOW + Duration::from_millis(250));
    assert_eq!(watermark.expires, watermark.not_before + Duration::from_secs(3_660));
}

#[tokio::test]
async fn a_new_password_ends_the_logins_that_the_old_one_opened() {
    let world = World::with_shop().await;
    let (session, _) = world.log_in("alice").await;
    let answer = world.call(OWN, Method::PUT, "people/alice/password", Some(&json!({"password": "an entirely new one"}))).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(world.store.session("main", session.id).await.unwrap().unwrap().revoked.is_some());
    let hash = world.store.person_by_username("main", "alice").await.unwrap().unwrap().password_hash.unwrap();
    let verify = |password: &str| durward_authn::password::verify(&durward_base::Secret::new(password), hash.expose()).unwrap();
    assert!(verify("an entirely new one") && !verify(crate::fixture::PASSWORD));
}
