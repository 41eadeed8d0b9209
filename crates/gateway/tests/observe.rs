//! Routes that only observe: what passes, what the upstream hears, and what is on record.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the fixture has more than this needs")]

mod fixture;

use durward_jose::UnverifiedJwt;
use durward_model::{Outcome, RevocationKind};
use fixture::Fixture;
use serde_json::{Value, json};

#[tokio::test]
async fn an_observing_route_lets_pass_what_it_would_refuse_and_says_why() {
    // GWID-001, GWID-010: nothing that claims an identity passes because nobody is refused.
    let gateway = Fixture::start().await;
    let clerk = format!("Bearer {}", gateway.token("clerk"));
    let rows = [
        ("nobody", vec![], "no_credential", false),
        ("a token that is none", vec![("Authorization", "Bearer a.b.c")], "not_base64url", false),
        ("two credentials", vec![("Authorization", clerk.as_str()), ("X-Api-Key", "x")], "two_credentials", false),
        ("a role that is missing", vec![("Authorization", clerk.as_str())], "role_missing", true),
    ];
    for (name, mut fields, reason, known) in rows {
        fields.extend([("X-User", "admin"), ("X-Forwarded-For", "10.0.0.1")]);
        let answer = gateway.get("/observed", &fields).await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        let heard = &answer.json()["fields"];
        assert_eq!((&heard["x-user"], &heard["x-forwarded-for"]), (&Value::Null, &json!("127.0.0.1")), "{name}");
        let identity = heard["authorization"].as_str();
        assert_eq!(identity.is_some(), known, "{name}");
        if let Some(identity) = identity.and_then(|identity| identity.strip_prefix("Bearer ")) {
            let identity = UnverifiedJwt::parse(identity).unwrap().verify(&gateway.identity_key).unwrap();
            assert_eq!(identity.claims().str("sub").unwrap(), Some("carla"), "{name}");
        }
        let event = gateway.event(&answer).await;
        assert_eq!((event.outcome, event.caller.is_some(), event.issued.is_some()), (Outcome::WouldDeny, known, known), "{name}");
        assert_eq!(event.reason.as_deref(), Some(reason), "{name}");
    }
    assert_eq!(gateway.events().await.len(), 4);
}

#[tokio::test]
async fn an_observing_route_forwards_nothing_that_can_be_read_in_two_ways() {
    let gateway = Fixture::start().await;
    for target in ["/observed/../me", "/observed/%2e%2e/me", "/observed//x"] {
        assert_eq!(gateway.get(target, &[]).await.status, 400, "{target}");
    }
}

#[tokio::test]
async fn whoever_may_pass_an_observing_route_is_recorded_as_ever() {
    let gateway = Fixture::start().await;
    let token = gateway.token("customer");
    let allowed = gateway.get_as("/observed", &token).await;
    gateway.revoke(RevocationKind::Family, "family-1");
    let revoked = gateway.get_as("/observed", &token).await;
    assert_eq!((allowed.status, revoked.status), (200, 200));
    assert_eq!(gateway.event(&allowed).await.outcome, Outcome::Allowed);
    let event = gateway.event(&revoked).await;
    assert_eq!((event.outcome, event.reason.as_deref(), event.issued), (Outcome::WouldDeny, Some("family_revoked"), None));
}
