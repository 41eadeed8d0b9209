//! What a request may look like: strict bodies, strict queries, bounded pages.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::fixture::{OWN, World};

/// ADM-005
#[tokio::test]
async fn a_field_that_is_not_known_is_refused_everywhere() {
    let world = World::with_shop().await;
    for (method, path, body) in [
        (Method::PUT, "clients/new", json!({"name": "new"})),
        (Method::PUT, "roles/new", json!({"name": "new"})),
        (Method::PUT, "groups/new", json!({"name": "new"})),
        (Method::PUT, "services/new", json!({"name": "new"})),
        (Method::PUT, "realms/new", json!({"name": "new"})),
        (Method::PUT, "policies/new", json!({"name": "new", "text": ""})),
        (Method::PUT, "schemas/new", json!({"name": "new", "text": ""})),
        (Method::PUT, "routes/new", json!({"name": "new", "path": "/new", "upstream": "http://127.0.0.1:1", "service": "shop"})),
        (Method::PUT, "people/new", json!({"name": "new"})),
        (Method::PUT, "people/alice/password", json!({"password": "long enough"})),
        (Method::POST, "clients/payments-program/secrets", json!({})),
        (Method::POST, "apply", json!({"resources": []})),
        (Method::POST, "revocations", json!({"person": "alice"})),
    ] {
        for field in ["is_admin", "tenant_id", "realm", "id", "sub", "version", "created_by", "verified", "mfa_enrolled", "password_hash"] {
            let mut body = body.clone();
            body[field] = json!(true);
            let answer = world.call(OWN, method.clone(), path, Some(&body)).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {field}: {}", answer.body);
        }
    }
    let nested = json!({"resources": [{"kind": "person", "name": "new", "is_admin": true}]});
    assert_eq!(world.post("apply", &nested).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_body_with_two_meanings_is_refused() {
    let world = World::empty().await;
    for text in [r#"{"name":"a","name":"b"}"#, r#"{"name":"a"} {}"#, "", "[]", "{\"name\":\"a\\u0000\"}", "not json"] {
        let request =
            http::Request::put("/admin/v1/roles/a").header("content-type", "application/json").body(text.to_owned().into()).unwrap();
        assert_eq!(world.send(OWN, request).await.status, StatusCode::BAD_REQUEST, "{text}");
    }
    let other = world.call(OWN, Method::PUT, "roles/a", Some(&json!({"name": "b"}))).await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST, "the address and the body name the same");
}

/// ADM-010
#[tokio::test]
async fn pages_are_bounded_and_cursors_are_checked() {
    let world = World::with_shop().await;
    for path in ["clients", "people"] {
        for query in [
            "page_size=0",
            "page_size=-1",
            "page_size=201",
            "page_size=1e9",
            "page_size=",
            "cursor=%27",
            "cursor=_",
            "sort=(select+1)",
            "filter=x",
            "page_size=1&page_size=2",
            "realm=main&realm=main",
        ] {
            let answer = world.get(&format!("{path}?{query}")).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}?{query}: {}", answer.body);
        }
        let (mut names, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = world.get(&format!("{path}?page_size=1{cursor}")).await.body;
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= 1);
            names.extend(items.iter().map(|item| item["username"].as_str().or(item["resource"]["name"].as_str()).unwrap().to_owned()));
            match &page["next"] {
                Value::String(next) => cursor = format!("&cursor={next}"),
                _ => break,
            }
        }
        let expected: &[&str] = if path == "clients" { &["payments-program", "web"] } else { &["alice", "bob"] };
        assert_eq!(names, expected);
    }
    for query in ["page_size=0", "page_size=201", "before=xyz", "kind=token.isued", "outcome=maybe", "since=yesterday"] {
        assert_eq!(world.get(&format!("audit?{query}")).await.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

/// ADM-002
#[tokio::test]
async fn nothing_of_one_realm_is_found_through_another() {
    let world = World::with_shop().await;
    assert_eq!(world.call(OWN, Method::PUT, "realms/other", Some(&json!({"name": "other"}))).await.status, StatusCode::OK);
    let (session, family) = world.log_in("alice").await;
    let made = world.post("clients/payments-program/secrets", &json!({})).await.body;
    let secret = made["id"].as_str().unwrap();
    let kid = world.keys().await.remove(0).kid;
    for (method, path, body) in [
        (Method::GET, "clients/web".to_owned(), None),
        (Method::DELETE, "clients/web".to_owned(), None),
        (Method::GET, "people/alice".to_owned(), None),
        (Method::DELETE, "people/alice".to_owned(), None),
        (Method::GET, "people/alice/sessions".to_owned(), None),
        (Method::DELETE, "people/alice/sessions".to_owned(), None),
        (Method::POST, "people/alice/disable".to_owned(), Some(json!({}))),
        (Method::PUT, "people/alice/password".to_owned(), Some(json!({"password": "another one"}))),
        (Method::GET, format!("sessions/{}", session.id), None),
        (Method::DELETE, format!("sessions/{}", session.id), None),
        (Method::GET, "clients/payments-program/secrets".to_owned(), None),
        (Method::DELETE, format!("clients/payments-program/secrets/{secret}"), None),
        (Method::POST, format!("keys/{kid}/revoke"), Some(json!({}))),
        (Method::POST, "revocations".to_owned(), Some(json!({"session": session.id}))),
        (Method::POST, "revocations".to_owned(), Some(json!({"family": family.id}))),
    ] {
        let answer = world.call(OWN, method.clone(), &format!("{path}?realm=other"), body.as_ref()).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}: {}", answer.body);
    }
    // A foreign child under one's own parent.
    let foreign = world.call(OWN, Method::DELETE, &format!("clients/web/secrets/{secret}"), None).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("people?realm=other").await.body["items"], json!([]));
    assert_eq!(world.get("people?realm=nowhere").await.status, StatusCode::NOT_FOUND);
    assert!(world.store.session("main", session.id).await.unwrap().unwrap().revoked.is_none());
}
