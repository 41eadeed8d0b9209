//! RFC 9470: a policy that reads the login says by its answer which one it would take.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the fixture has more than this needs")]

mod fixture;

use fixture::Fixture;
use serde_json::json;

const VAULT: &str = r#"permit (principal in Durward::Role::"clerk", action == Action::"inventory:restock", resource == Stock::"vault")
when { context has acr && context.acr == "mfa" && context has auth_age && context.auth_age < 300 };"#;

#[tokio::test]
async fn a_login_that_a_policy_would_take_is_named_to_who_has_another() {
    let mut gateway = Fixture::start().await;
    gateway.declare([json!({"kind": "policy", "name": "vault", "text": VAULT})]);
    let now = gateway.clock.clock().now().seconds();
    let rows = [
        ("clerk", "vault", "mfa", 30, 200, None),
        ("clerk", "vault", "mfa", 600, 401, Some("error=\"insufficient_user_authentication\", max_age=\"0\"")),
        ("clerk", "vault", "pwd", 30, 401, Some("error=\"insufficient_user_authentication\", acr_values=\"mfa\"")),
        // No login makes a clerk of a customer, or opens what is open to nobody.
        ("customer", "vault", "pwd", 600, 403, None),
        ("clerk", "cellar", "pwd", 600, 403, None),
        ("clerk", "lamp", "pwd", 600, 200, None),
    ];
    for (role, sku, acr, seconds, status, challenge) in rows {
        let token = gateway.token_with(role, json!({"acr": acr, "auth_time": now - seconds}));
        let answer = gateway.get_as(&format!("/stock/{sku}/restock"), &token).await;
        assert_eq!(answer.status, status, "{sku} by a {role} with {acr}, {seconds} s ago: {answer:?}");
        let said = answer.header("www-authenticate").filter(|said| said.contains("insufficient_user_authentication"));
        assert_eq!(said.is_some(), challenge.is_some(), "{said:?}");
        assert!(said.unwrap_or_default().contains(challenge.unwrap_or_default()), "{said:?}");
        let event = gateway.event(&answer).await;
        assert_eq!(event.reason.as_deref(), (status != 200).then_some("not_permitted"), "{sku} by a {role}");
    }
}
