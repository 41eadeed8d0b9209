//! The gateway as a decision point: OpenID AuthZEN Authorization API 1.0 over a real socket.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the fixture has more than this needs")]

mod fixture;

use durward_jose::UnverifiedJwt;
use durward_model::{EventKind, Outcome};
use fixture::Fixture;
use serde_json::{Value, json};

fn fields(token: &str, body: &str) -> Vec<(&'static str, String)> {
    let (authorization, length) = (format!("Bearer {token}"), body.len().to_string());
    vec![
        ("Authorization", authorization),
        ("Content-Type", "application/json".to_owned()),
        ("Content-Length", length),
        ("X-Request-Id", "mine".to_owned()),
    ]
}

async fn ask(gateway: &Fixture, path: &str, token: &str, body: &Value) -> fixture::Answer {
    let body = body.to_string();
    let fields = fields(token, &body);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    gateway.send("POST", path, &fields, &body).await
}

fn restock(gateway: &Fixture, identity: &str, sku: &str) -> Value {
    assert!(UnverifiedJwt::parse(identity).unwrap().verify(&gateway.identity_key).is_ok());
    json!({
        "subject": {"type": "user", "id": "carla", "properties": {"token": identity}},
        "action": {"name": "inventory:restock"}, "resource": {"type": "Stock", "id": sku},
    })
}

#[tokio::test]
async fn a_service_asks_about_the_caller_whose_identity_it_was_shown() {
    let gateway = Fixture::start().await;
    let service = gateway.token_with("", json!({"sub": "inventory-program", "aud": "urn:durward:fleet", "svc": "inventory", "client_id": "inventory-program", "scope": "", "roles": null, "sid": null, "ses": null}));
    let shown = gateway.get_as("/me", &gateway.token("clerk")).await.json()["fields"]["authorization"].as_str().unwrap().to_owned();
    let identity = shown.strip_prefix("Bearer ").unwrap();
    let (lamp, desk) = (restock(&gateway, identity, "lamp"), restock(&gateway, identity, "desk"));

    let allowed = ask(&gateway, "/access/v1/evaluation", &service, &lamp).await;
    assert_eq!((allowed.status, allowed.json(), allowed.header("x-request-id")), (200, json!({"decision": true}), Some("mine")));
    let both = ask(&gateway, "/access/v1/evaluations", &service, &json!({"evaluations": [lamp, desk]})).await;
    let no = json!({"decision": false, "context": {"reason": "not_permitted"}});
    assert_eq!((both.status, both.json()), (200, json!({"evaluations": [{"decision": true}, no]})));

    let events: Vec<_> = gateway.events().await.into_iter().filter(|event| event.kind == EventKind::AccessEvaluated).collect();
    let [second, first] = &events[..] else { panic!("exactly one event a request") };
    assert_eq!((first.outcome, first.caller.as_ref().unwrap().id.as_str()), (Outcome::Allowed, "inventory"));
    assert_eq!((second.outcome, second.reason.as_deref()), (Outcome::Denied, Some("not_permitted")));
    assert_eq!(second.detail.as_deref(), Some("1 of 2 questions allowed"));
    assert_eq!(first.decided.as_ref().unwrap().by, "policy");
    assert!(!format!("{first:?}").contains(identity));
}

#[tokio::test]
async fn nobody_else_may_ask() {
    let gateway = Fixture::start().await;
    let question = json!({"subject": {"type": "user", "id": "carla"}, "action": {"name": "x"}, "resource": {"type": "Stock", "id": "y"}});
    for token in [gateway.token("clerk"), gateway.token_with("clerk", json!({"aud": "urn:durward:fleet"})), "a.b.c".to_owned()] {
        let answer = ask(&gateway, "/access/v1/evaluation", &token, &question).await;
        assert_eq!(answer.status, 401, "{answer:?}");
    }
    let answer = gateway.send("POST", "/access/v1/evaluation", &[("Content-Length", "0")], "").await;
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some(r#"Bearer realm="main""#)));
}

#[tokio::test]
async fn the_document_says_where_to_ask() {
    let gateway = Fixture::start().await;
    let document = gateway.get("/.well-known/authzen-configuration", &[]).await.json();
    let at = |path: &str| format!("{}{path}", fixture::PUBLIC_URL);
    assert_eq!(
        document,
        json!({
            "policy_decision_point": at(""), "access_evaluation_endpoint": at("/access/v1/evaluation"),
            "access_evaluations_endpoint": at("/access/v1/evaluations"),
        })
    );
}
