//! RFC 9728 at the gateway, over a real socket.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the fixture has more than this needs")]

mod fixture;

use durward_model::{EventKind, Outcome};
use fixture::{Fixture, ISSUER, PUBLIC_URL};
use serde_json::json;

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

#[tokio::test]
async fn each_protected_resource_says_what_a_client_must_know() {
    let gateway = Fixture::start().await;
    for (path, scopes) in [("/me", json!(null)), ("/orders", json!(null)), ("/stock", json!(null))] {
        let answer = gateway.get(&format!("{WELL_KNOWN}{path}"), &[]).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")), "{path}");
        let document = answer.json();
        assert_eq!(document["resource"], format!("{PUBLIC_URL}{path}"), "3.3: what the address was made of");
        assert_eq!((&document["authorization_servers"], &document["scopes_supported"]), (&json!([ISSUER]), &scopes));
        assert_eq!((&document["resource_name"], &document["bearer_methods_supported"]), (&json!("shop"), &json!(["header"])));
        let event = gateway.event(&answer).await;
        assert_eq!((event.kind, event.outcome), (EventKind::DocumentRead, Outcome::Allowed));
    }
    for nothing in ["", "/", "/public", "/orders/", "/order", "/stock/lamp", "evil", "/me?resource=/orders/none"] {
        let answer = gateway.get(&format!("{WELL_KNOWN}{nothing}"), &[]).await;
        assert_eq!(answer.status, if nothing.starts_with("/me?") { 200 } else { 404 }, "{nothing}");
    }
}

#[tokio::test]
async fn a_challenge_leads_to_the_document() {
    let gateway = Fixture::start().await;
    let expired = gateway.token_with("customer", json!({"exp": 1_700_000_000, "iat": 1_699_999_000}));
    for (answer, path) in [
        (gateway.get("/me", &[]).await, "/me"),
        (gateway.get("/stock/lamp/restock", &[]).await, "/stock"),
        (gateway.get_as("/me/below", &expired).await, "/me"),
    ] {
        let challenge = answer.header("www-authenticate").unwrap();
        let metadata = format!("resource_metadata=\"{PUBLIC_URL}{WELL_KNOWN}{path}\"");
        assert!(answer.status == 401 && challenge.ends_with(&metadata), "{challenge}");
    }
    assert_eq!(gateway.get("/nowhere", &[]).await.header("www-authenticate"), None);
}
