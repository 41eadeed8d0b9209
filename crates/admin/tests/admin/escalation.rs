//! Nobody grants more than they hold: an operator against every write there is.

use std::sync::Arc;

use durward_base::TokenId;
use durward_model::{AdminRole, Caller};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::fixture::{By, OWN, PASSWORD, SECRET, World};

const NO_TOKENS: &str = r#"forbid (principal, action == Action::"issue", resource);"#;

/// The shop, and in it an administrator of each kind there can be: by role, by group, and a program.
async fn with_administrators() -> World {
    let world = World::with_shop().await;
    let administrators = json!({"resources": [
        {"kind": "group", "name": "admins", "roles": ["durward-admin"]},
        {"kind": "person", "name": "root", "roles": ["durward-admin"]},
        {"kind": "person", "name": "carol", "groups": ["admins"]},
        {"kind": "person", "name": "olga", "roles": ["durward-operator"]},
        {"kind": "client", "name": "robot", "authentication": "client_secret_basic", "grants": ["client_credentials"], "roles": ["durward-auditor"]},
    ], "secrets": {"robot": [SECRET]}});
    let answer = world.post("apply", &administrators).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    world
}

/// R14, POL-012
#[tokio::test]
async fn an_operator_touches_no_administrator_no_realm_and_no_key() {
    let world = with_administrators().await;
    let operator = world.token_of(AdminRole::Operator).await;
    let (session, family) = world.log_in("root").await;
    let kid = world.keys().await.remove(0).kid;
    let robot = world.get("clients/robot/secrets").await.body[0]["id"].as_str().unwrap().to_owned();
    let head = world.store.head().await.unwrap();
    let person = |name: &str, roles: Value, groups: Value| json!({"name": name, "roles": roles, "groups": groups});
    let writes: Vec<(Method, String, Value)> = vec![
        // Giving an administrative role.
        (Method::PUT, "people/alice".into(), person("alice", json!(["durward-admin"]), json!([]))),
        (Method::PUT, "people/alice".into(), person("alice", json!(["durward-operator"]), json!([]))),
        (Method::PUT, "people/alice".into(), person("alice", json!(["durward-auditor"]), json!([]))),
        (Method::PUT, "people/alice".into(), person("alice", json!([]), json!(["admins"]))),
        (Method::PUT, "people/mallory".into(), person("mallory", json!(["durward-admin"]), json!([]))),
        (Method::PUT, "groups/staff".into(), json!({"name": "staff", "roles": ["durward-operator"]})),
        (Method::PUT, "groups/mine".into(), json!({"name": "mine", "roles": ["durward-admin"]})),
        (Method::PUT, "roles/durward-admin".into(), json!({"name": "durward-admin"})),
        (
            Method::PUT,
            "clients/payments-program".into(),
            json!({"name": "payments-program", "authentication": "client_secret_basic", "grants": ["client_credentials"], "roles": ["durward-admin"]}),
        ),
        (Method::POST, "apply".into(), json!({"resources": [person_in("mallory", "durward-admin")]})),
        (Method::POST, "apply".into(), json!({"resources": [person_in("mallory", "durward-admin")], "dry_run": true})),
        // Changing who has one, taking it away included.
        (Method::PUT, "people/root".into(), person("root", json!([]), json!([]))),
        (Method::PUT, "people/carol".into(), person("carol", json!([]), json!([]))),
        (Method::PUT, "people/olga".into(), person("olga", json!([]), json!([]))),
        (Method::DELETE, "people/root".into(), Value::Null),
        (Method::DELETE, "people/carol".into(), Value::Null),
        (Method::POST, "people/root/disable".into(), json!({})),
        (Method::POST, "people/carol/disable".into(), json!({})),
        (Method::PUT, "people/root/password".into(), json!({"password": "mallory knows this"})),
        (Method::PUT, "people/carol/password".into(), json!({"password": "mallory knows this"})),
        (
            Method::POST,
            "apply".into(),
            json!({"resources": [person_in("root", "durward-admin")], "passwords": {"root": "mallory knows this"}}),
        ),
        (Method::DELETE, "people/root/sessions".into(), Value::Null),
        (Method::DELETE, format!("sessions/{}", session.id), Value::Null),
        (Method::POST, "revocations".into(), json!({"person": "root"})),
        (Method::POST, "revocations".into(), json!({"session": session.id})),
        (Method::POST, "revocations".into(), json!({"family": family.id})),
        (Method::POST, "revocations".into(), json!({"client": "robot"})),
        // A token of whom nobody here knows, and what has an id of the same form.
        (Method::POST, "revocations".into(), json!({"token": TokenId::new(world.now(), &world.rng)})),
        (Method::POST, "revocations".into(), json!({"token": robot})),
        // Leaving administrators without a token.
        (Method::PUT, "policies/locked".into(), json!({"name": "locked", "text": NO_TOKENS})),
        (Method::POST, "apply".into(), json!({"resources": [{"kind": "policy", "name": "locked", "text": NO_TOKENS}]})),
        (Method::PUT, "groups/admins".into(), json!({"name": "admins", "roles": []})),
        (Method::DELETE, "groups/admins".into(), Value::Null),
        (Method::PUT, "clients/robot".into(), json!({"name": "robot"})),
        (Method::DELETE, "clients/robot".into(), Value::Null),
        (Method::POST, "clients/robot/secrets".into(), json!({})),
        (Method::DELETE, format!("clients/robot/secrets/{robot}"), Value::Null),
        (Method::POST, "apply".into(), json!({"resources": [{"kind": "person", "name": "alice", "roles": ["customer"]}], "prune": true})),
        // Realms and keys.
        (Method::PUT, "realms/main".into(), json!({"name": "main", "access_token_seconds": 3600})),
        (Method::PUT, "realms/mine".into(), json!({"name": "mine"})),
        (Method::DELETE, "realms/main".into(), Value::Null),
        (Method::POST, "apply".into(), json!({"resources": [{"kind": "realm", "name": "main", "access_token_seconds": 3600}]})),
        (Method::POST, "apply?realm=mine".into(), json!({"resources": [{"kind": "realm", "name": "mine"}]})),
        (Method::POST, "keys/rotate".into(), json!({})),
        (Method::POST, format!("keys/{kid}/revoke"), json!({})),
        (Method::POST, "backup".into(), json!({})),
    ];
    for (method, path, body) in writes {
        let answer = world.call(By::Token(&operator), method.clone(), &path, Some(&body)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path} {body}: {}", answer.body);
        assert_eq!(world.store.head().await.unwrap(), head, "{method} {path} changed something");
    }
    let password = world.store.person_by_username("main", "root").await.unwrap().unwrap().password_hash;
    assert!(password.is_none());
}

/// R14: a stolen token is ended by whoever is on duty, and an administrator's by an administrator.
#[tokio::test]
async fn an_operator_revokes_the_tokens_of_those_whom_operators_may_touch() {
    let world = with_administrators().await;
    let operator = world.token_of(AdminRole::Operator).await;
    for (name, status) in [("bob", StatusCode::NO_CONTENT), ("root", StatusCode::FORBIDDEN), ("carol", StatusCode::FORBIDDEN)] {
        let (_, family) = world.log_in(name).await;
        let issued = world.issued(&family).await;
        let body = json!({"token": issued});
        let answer = world.call(By::Token(&operator), Method::POST, "revocations", Some(&body)).await;
        assert_eq!(answer.status, status, "{name}: {}", answer.body);
        let answer = world.call(OWN, Method::POST, "revocations", Some(&body)).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{name}: {}", answer.body);
    }
}

/// R14: a token that was exchanged is of whoever was given it and of whom it speaks for, not of the client that had what it was made of.
#[tokio::test]
async fn an_exchanged_token_is_judged_by_whom_it_was_issued_to() {
    let world = with_administrators().await;
    let steward = json!({"kind": "client", "name": "steward", "authentication": "client_secret_basic", "grants": ["client_credentials"],
        "runs": "shop", "roles": ["durward-auditor"]});
    assert_eq!(world.post("apply", &json!({"resources": [steward]})).await.status, StatusCode::OK);
    let operator = world.token_of(AdminRole::Operator).await;
    let (bob, root) = (world.person("bob").await.sub, world.person("root").await.sub);
    for (service, person, through, status) in [
        ("inventory", Some(&bob), Some("robot"), StatusCode::NO_CONTENT),
        ("inventory", Some(&bob), Some("web"), StatusCode::NO_CONTENT),
        ("inventory", None, None, StatusCode::NO_CONTENT),
        ("shop", Some(&bob), Some("web"), StatusCode::FORBIDDEN),
        ("shop", None, None, StatusCode::FORBIDDEN),
        ("inventory", Some(&root), Some("web"), StatusCode::FORBIDDEN),
        ("nobody", None, Some("web"), StatusCode::FORBIDDEN),
    ] {
        let caller: Caller = serde_json::from_value(json!({
            "kind": "service", "id": service, "roles": [], "scopes": [], "assurance": {"amr": []},
            "acts_for": person.map(|sub| json!({"kind": "user", "id": sub})),
            "credential": through.map(|client| json!({
                "kind": "jwt", "id": "x", "issuer": "x", "client": client, "issued": 1_800_000_000_000_u64, "expires": 1_800_000_300_000_u64,
            })),
        }))
        .unwrap();
        let token = world.issued_to(|event| event.caller = Some(Arc::new(caller))).await;
        let answer = world.call(By::Token(&operator), Method::POST, "revocations", Some(&json!({"token": token}))).await;
        assert_eq!(answer.status, status, "{service} for {person:?}, through {through:?}: {}", answer.body);
    }
}

/// R14: what an administrator has locked, an operator does not unlock.
#[tokio::test]
async fn policies_about_issuing_are_an_administrators() {
    let world = with_administrators().await;
    let operator = world.token_of(AdminRole::Operator).await;
    let declared = json!({"name": "locked", "text": NO_TOKENS});
    assert_eq!(world.call(OWN, Method::PUT, "policies/locked", Some(&declared)).await.status, StatusCode::OK);
    let other = json!({"name": "locked", "text": r#"forbid (principal, action == Action::"stock:read", resource);"#});
    for (method, body) in [(Method::PUT, Some(&other)), (Method::DELETE, None)] {
        let answer = world.call(By::Token(&operator), method.clone(), "policies/locked", body).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method}: {}", answer.body);
    }
}

/// R17: a password that is compared for somebody who may not set it would be a guess that no throttle counts.
#[tokio::test]
async fn an_operator_cannot_try_an_administrators_password() {
    let world = with_administrators().await;
    let operator = world.token_of(AdminRole::Operator).await;
    let set = world.call(OWN, Method::PUT, "people/root/password", Some(&json!({"password": PASSWORD}))).await;
    assert_eq!(set.status, StatusCode::NO_CONTENT, "{}", set.body);
    for (guess, dry_run) in [(PASSWORD, true), (PASSWORD, false), ("a wrong guess", true), ("a wrong guess", false)] {
        let body = json!({"resources": [person_in("root", "durward-admin")], "passwords": {"root": guess}, "dry_run": dry_run});
        let answer = world.call(By::Token(&operator), Method::POST, "apply", Some(&body)).await;
        assert_eq!((answer.status, &answer.body["code"]), (StatusCode::FORBIDDEN, &json!("beyond_role")), "{guess}: {}", answer.body);
    }
}

fn person_in(name: &str, role: &str) -> Value {
    json!({"kind": "person", "name": name, "roles": [role]})
}

#[tokio::test]
async fn an_operator_does_the_days_work() {
    let world = with_administrators().await;
    let operator = world.token_of(AdminRole::Operator).await;
    let (session, _) = world.log_in("bob").await;
    for (method, path, body) in [
        (Method::PUT, "people/alice".to_owned(), json!({"name": "alice", "roles": ["customer", "clerk"]})),
        (Method::PUT, "people/dora".to_owned(), json!({"name": "dora"})),
        (Method::PUT, "people/dora/password".to_owned(), json!({"password": "long enough"})),
        (Method::POST, "people/dora/disable".to_owned(), json!({})),
        (Method::POST, "people/dora/enable".to_owned(), json!({})),
        (Method::DELETE, "people/dora".to_owned(), Value::Null),
        (Method::DELETE, format!("sessions/{}", session.id), Value::Null),
        (Method::PUT, "roles/baker".to_owned(), json!({"name": "baker"})),
        (Method::PUT, "groups/staff".to_owned(), json!({"name": "staff", "roles": ["clerk", "baker"]})),
        (Method::PUT, "services/bakery".to_owned(), json!({"name": "bakery"})),
        (Method::POST, "clients/payments-program/secrets".to_owned(), json!({})),
        (Method::POST, "revocations".to_owned(), json!({"client": "web"})),
        (Method::DELETE, "routes/stock".to_owned(), Value::Null),
    ] {
        let answer = world.call(By::Token(&operator), method.clone(), &path, Some(&body)).await;
        assert!(answer.status.is_success(), "{method} {path}: {} {}", answer.status, answer.body);
    }
}

#[tokio::test]
async fn a_refusal_says_which_role_is_needed() {
    let world = with_administrators().await;
    let operator = world.token_of(AdminRole::Operator).await;
    let answer = world.call(By::Token(&operator), Method::DELETE, "people/root", None).await;
    assert_eq!(answer.body["code"], "beyond_role");
    assert_eq!(answer.body["detail"], "person \"root\" may be changed with the role durward-admin only");
    assert_eq!(answer.event.reason.as_deref(), Some("beyond_role"));
    let everything = world.call(OWN, Method::DELETE, "people/root", None).await;
    assert_eq!(everything.status, StatusCode::OK);
}

/// POL-012: a request for nothing does nothing, for whoever may ask.
#[tokio::test]
async fn an_empty_request_changes_nothing() {
    let world = World::with_shop().await;
    let head = world.store.head().await.unwrap();
    assert_eq!(world.post("apply", &json!({"resources": []})).await.body["applied"], false);
    assert_eq!(world.post("apply", &json!({})).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(world.post("revocations", &json!({})).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(world.post("revocations", &json!({"person": "alice", "client": "web"})).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(world.store.head().await.unwrap(), head);
}
