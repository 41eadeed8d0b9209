//! WebSocket through the gateway, by a client and a service that nobody here wrote.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the fixture has more than this needs")]

mod fixture;
mod script;

use durward_model::RevocationKind;
use fixture::Fixture;
use script::Script;
use serde_json::json;

/// A gateway before a service that echoes.
async fn echo() -> (Script, Fixture) {
    let mut service = Script::start("websocket_server.py", &[]);
    let upstream = format!("http://127.0.0.1:{}", service.line());
    let mut gateway = Fixture::start().await;
    gateway.declare([json!({
        "kind": "route", "name": "socket", "path": "/socket", "upstream": upstream, "service": "inventory", "audience": "shop",
        "require": {"authenticated": true},
    })]);
    (service, gateway)
}

/// GWPATH-011
#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_opened_by_a_credential_and_cut_with_it() {
    let (_service, gateway) = echo().await;
    let mut client = Script::start("websocket_client.py", &[&gateway.address.to_string(), &gateway.token("customer")]);
    assert_eq!(client.json(), json!({"without": 401, "of_another_origin": 403}));
    assert_eq!(client.json(), json!({"hello": "/socket?a=1 Bearer None"}));
    assert_eq!(client.json(), json!({"text": "text", "large": true, "pong": true}));
    gateway.revoke(RevocationKind::Session, "session-1");
    assert_eq!(client.json(), json!({"cut": true}));
    assert_eq!(gateway.events().await.len(), 3);
}

/// GWPATH-011: RFC 8441.
#[tokio::test(flavor = "multi_thread")]
async fn a_socket_may_be_a_stream_of_http_2() {
    let (_service, gateway) = echo().await;
    let mut client = Script::start("websocket_http2.mjs", &[&gateway.address.to_string(), &gateway.token("customer")]);
    assert_eq!(client.json(), json!({"offered": true}));
    assert_eq!(client.json(), json!({"without": 401}));
    assert_eq!(client.json(), json!({"answered": 200}));
    assert_eq!(client.json(), json!({"hello": "/socket?a=1 Bearer None"}));
    assert_eq!(client.json(), json!({"text": "text"}));
    gateway.revoke(RevocationKind::Session, "session-1");
    assert_eq!(client.json(), json!({"cut": true}));
    assert_eq!(gateway.events().await.len(), 2);
}
