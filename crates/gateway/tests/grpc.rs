//! gRPC through the gateway, by a client and a service that nobody here wrote.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the fixture has more than this needs")]

mod fixture;
mod script;

use durward_model::{Outcome, RevocationKind};
use fixture::Fixture;
use script::Script;
use serde_json::json;

/// GWPATH-011: a call is authenticated like any other request, its trailers come through, and its stream ends with its credential.
#[tokio::test(flavor = "multi_thread")]
async fn calls_of_every_kind_pass_and_refusals_are_statuses() {
    let mut service = Script::start("grpc_server.py", &[]);
    let port: u16 = service.line().parse().unwrap();
    let mut gateway = Fixture::start().await;
    let route = |name: &str, more: serde_json::Value| {
        let mut route = json!({
            "kind": "route", "name": name.to_lowercase(), "path": format!("/shop.{name}"), "upstream": format!("h2c://127.0.0.1:{port}"),
            "service": "inventory", "audience": "shop", "require": {"authenticated": true},
        });
        more.as_object().unwrap().iter().for_each(|(name, value)| route[name] = value.clone());
        route
    };
    gateway.declare([
        route("Orders", json!({})),
        route("Admin", json!({"require": {"roles": ["clerk"]}})),
        route("Gone", json!({"upstream": "h2c://127.0.0.1:1"})),
        route("Rare", json!({"limits": [{"per": "principal", "requests": 1}]})),
    ]);
    let address = gateway.address.to_string();
    let mut client = Script::start("grpc_client.py", &[&address, &gateway.token("customer")]);
    assert_eq!(client.json(), json!({"unary": "lamp|Bearer|nobody", "head": "orders", "trailer": "7"}));
    assert_eq!(client.json(), json!({"failed": ["FAILED_PRECONDITION", "the shop is closed: 100 %"]}));
    assert_eq!(client.json(), json!({"counted": 1000}));
    assert_eq!(client.json(), json!({"added": ["42"]}));
    assert_eq!(client.json(), json!({"echoed": 20}));
    let refused = json!({
        "no_credential": "UNAUTHENTICATED", "not_allowed": "PERMISSION_DENIED", "nowhere": "UNIMPLEMENTED", "not_there": "UNAVAILABLE",
        "too_often": "RESOURCE_EXHAUSTED",
    });
    assert_eq!(client.json(), refused);
    assert_eq!(client.json(), json!({"watching": "watching"}));
    // One event a call: five that passed, five that were refused, one that the first of the rare ones was, and the one that goes on.
    let events = gateway.events().await;
    let outcomes = |outcome| events.iter().filter(|event| event.outcome == outcome).count();
    assert_eq!((outcomes(Outcome::Allowed), outcomes(Outcome::Denied) + outcomes(Outcome::Failed)), (7, 5), "{events:?}");

    gateway.revoke(RevocationKind::Session, "session-1");
    let cut = client.json();
    for call in cut["cut"].as_array().unwrap() {
        assert_eq!(call[0], "UNAUTHENTICATED", "{cut}");
        assert!(call[1].as_str().unwrap().starts_with("credential_ended: "), "{cut}");
    }
}
