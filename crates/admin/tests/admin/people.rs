//! People, their logins, and what can be revoked of them.

use durward_base::TokenId;
use durward_model::RevocationKind;
use http::{Method, StatusCode};
use serde_json::json;

use crate::fixture::{NOW, OWN, PASSWORD, World, shop};

#[tokio::test]
async fn a_person_is_disabled_and_enabled_again() {
    let world = World::with_shop().await;
    assert_eq!(world.post("people/alice/disable", &json!({})).await.body["applied"], true);
    assert!(world.person("alice").await.disabled);
    assert_eq!(world.post("people/alice/disable", &json!({})).await.body["applied"], false, "they are already");
    assert_eq!(world.post("people/alice/enable", &json!({})).await.body["applied"], true);
    let alice = world.person("alice").await;
    assert!(!alice.disabled && alice.roles == ["customer"]);
    assert_eq!(world.post("people/nobody/disable", &json!({})).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_name_is_found_in_any_spelling_and_shown_in_its_one() {
    let world = World::with_shop().await;
    assert_eq!(world.get("people/ALICE").await.body["username"], "alice");
    assert_eq!(world.get("people/a%20b").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn logins_are_listed_with_their_clients_and_ended_one_by_one_or_all() {
    let world = World::with_shop().await;
    let (first, family) = world.log_in("alice").await;
    let (second, _) = world.log_in("alice").await;
    let listed = world.get("people/alice/sessions").await.body;
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let shown = world.get(&format!("sessions/{}", first.id)).await.body;
    assert_eq!((&shown["families"][0]["id"], &shown["families"][0]["client_name"]), (&json!(family.id), &json!("web")));
    let ended = world.call(OWN, Method::DELETE, &format!("sessions/{}", first.id), None).await;
    assert_eq!((ended.status, ended.event.target), (StatusCode::NO_CONTENT, Some(format!("session/{}", first.id))));
    assert_eq!(world.get("people/alice/sessions").await.body.as_array().unwrap().len(), 1);
    assert_eq!(world.call(OWN, Method::DELETE, "people/alice/sessions", None).await.status, StatusCode::NO_CONTENT);
    assert!(world.store.session("main", second.id).await.unwrap().unwrap().revoked.is_some());
    assert_eq!(world.call(OWN, Method::DELETE, "sessions/nonsense", None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn anything_that_was_issued_can_be_revoked_by_name() {
    let world = World::with_shop().await;
    let (session, family) = world.log_in("alice").await;
    let jti = TokenId::new(NOW, &world.rng);
    for (what, kind, key) in [
        (json!({"token": jti}), RevocationKind::Token, jti.to_string()),
        (json!({"family": family.id}), RevocationKind::Family, family.id.to_string()),
        (json!({"session": session.id}), RevocationKind::Session, session.id.to_string()),
        (json!({"client": "web"}), RevocationKind::Client, "web".to_owned()),
        (json!({"person": "alice"}), RevocationKind::Subject, world.person("alice").await.sub),
    ] {
        assert_eq!(world.post("revocations", &what).await.status, StatusCode::NO_CONTENT, "{what}");
        assert!(world.revocations().await.iter().any(|revocation| revocation.kind == kind && revocation.key == key), "{what}");
    }
    for (what, status) in [
        (json!({"token": "nonsense"}), StatusCode::BAD_REQUEST),
        (json!({"family": "nonsense"}), StatusCode::NOT_FOUND),
        (json!({"client": "nobody"}), StatusCode::NOT_FOUND),
        (json!({"person": "nobody"}), StatusCode::NOT_FOUND),
        (json!({"realm": "main"}), StatusCode::BAD_REQUEST),
        (json!({"key": "x"}), StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(world.post("revocations", &what).await.status, status, "{what}");
    }
}

#[tokio::test]
async fn passwords_are_set_when_they_differ_and_kept_as_hashes_only() {
    let world = World::with_shop().await;
    let hash = async || world.store.person_by_username("main", "alice").await.unwrap().unwrap().password_hash.unwrap();
    let first = hash().await;
    assert!(first.expose().starts_with("$argon2id$") && !first.expose().contains(PASSWORD));
    world.post("apply", &shop()).await;
    assert_eq!(hash().await, first, "the same password is not set again");
    let mut other = shop();
    other["passwords"]["alice"] = json!("a different one");
    let plan = world.post("apply", &other).await.body;
    assert_eq!(
        plan["update"],
        json!([{"kind": "person", "name": "alice", "fields": [{"field": "password", "from": null, "to": "(new)"}]}])
    );
    assert_ne!(hash().await, first);
    assert!(!world.get("people/alice").await.body.to_string().contains("argon2"));
    let short = world.call(OWN, Method::PUT, "people/alice/password", Some(&json!({"password": "short"}))).await;
    assert_eq!(short.status, StatusCode::BAD_REQUEST);
    assert!(!short.body.to_string().contains("\"short\""));
}

#[tokio::test]
async fn a_secret_is_given_once_and_those_before_it_end_after_the_overlap() {
    let world = World::with_shop().await;
    let made = world.post("clients/payments-program/secrets", &json!({"overlap_seconds": 60})).await;
    assert_eq!(made.body["secret"].as_str().unwrap().len(), 43);
    assert_eq!(made.event.target.as_deref(), Some("client/payments-program"));
    let listed = world.get("clients/payments-program/secrets").await.body;
    let expiries: Vec<_> = listed.as_array().unwrap().iter().map(|secret| secret["expires"].as_i64()).collect();
    assert_eq!(expiries, [Some(NOW.millis() + 60_000), None]);
    assert!(!listed.to_string().contains(made.body["secret"].as_str().unwrap()));
    let id = made.body["id"].as_str().unwrap();
    let ended = world.call(OWN, Method::DELETE, &format!("clients/payments-program/secrets/{id}"), None).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    for (client, body, status) in [
        ("web", json!({}), StatusCode::CONFLICT),
        ("nobody", json!({}), StatusCode::NOT_FOUND),
        ("payments-program", json!({"overlap_seconds": 31 * 86_400}), StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(world.post(&format!("clients/{client}/secrets"), &body).await.status, status, "{client}");
    }
}
