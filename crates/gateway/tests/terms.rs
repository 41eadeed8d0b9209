//! What routes say besides who may pass: rates, other origins, headers, the path behind.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the fixture has more than this needs")]

mod fixture;

use durward_base::Duration;
use durward_model::{EventKind, Outcome};
use fixture::Fixture;

const ORIGIN: (&str, &str) = ("Origin", "https://app.example");

#[tokio::test]
async fn a_caller_that_asks_too_often_is_told_when_to_come_back() {
    let gateway = Fixture::start().await;
    let token = gateway.token("customer");
    let first = gateway.get_as("/terms/a?x=1", &token).await;
    assert_eq!((first.status, first.json()["target"].as_str()), (200, Some("/v2/a?x=1")));
    assert_eq!(first.header("ratelimit"), Some("\"principal\";r=1;t=30"));
    assert_eq!(first.header("ratelimit-policy"), Some("\"principal\";q=2;w=60"));
    assert_eq!(first.header("durward-decision"), Some("requirement; rule=\"authenticated\""));
    assert_eq!((first.header("x-content-type-options"), first.header("x-frame-options")), (Some("nosniff"), Some("DENY")));
    assert_eq!(gateway.get_as("/terms/a", &token).await.status, 200);
    // Another token of the same person is no other person.
    let limited = gateway.get_as("/terms/a", &gateway.token("clerk")).await;
    assert_eq!((limited.status, limited.json()["code"].as_str(), limited.header("retry-after")), (429, Some("rate_limited"), Some("30")));
    let event = gateway.event(&limited).await;
    assert_eq!(
        (event.kind, event.outcome, event.request.unwrap().route.as_deref()),
        (EventKind::Forwarded, Outcome::Denied, Some("terms"))
    );
    // Who proves nothing is counted by address, and refused before anything is looked at.
    assert_eq!(gateway.get("/terms/a", &[]).await.status, 401);
    assert_eq!(gateway.get("/terms/a", &[]).await.status, 429);
    gateway.clock.advance(Duration::from_secs(5));
    assert_eq!(gateway.get("/terms/a", &[]).await.status, 429);
    assert_eq!(gateway.get("/public", &[]).await.status, 200);
}

#[tokio::test]
async fn pages_of_allowed_origins_may_call_and_no_others() {
    let gateway = Fixture::start().await;
    let asks = ("Access-Control-Request-Method", "PUT");
    let preflight = gateway.send("OPTIONS", "/terms/a", &[ORIGIN, asks], "").await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, Some("https://app.example")));
    assert_eq!(preflight.header("access-control-allow-methods"), Some("GET, PUT"));
    assert_eq!(preflight.header("access-control-allow-headers"), Some("authorization"));
    assert_eq!(preflight.header("access-control-allow-credentials"), Some("true"));
    for origin in ["https://evil.example", "https://app.example.evil.example", "https://app.example:444", "null"] {
        let preflight = gateway.send("OPTIONS", "/terms/a", &[("Origin", origin), asks], "").await;
        assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, None), "{origin}");
        assert_eq!(preflight.header("access-control-allow-methods"), None, "{origin}");
    }
    // A refusal can be read, so that a page knows what to do.
    let refused = gateway.get("/terms/a", &[ORIGIN]).await;
    assert_eq!(
        (refused.status, refused.header("access-control-allow-origin"), refused.header("vary")),
        (401, Some("https://app.example"), Some("Origin"))
    );
    // What the service says of other origins does not count, and what it says its answers depend on does.
    let token = format!("Bearer {}", gateway.token("customer"));
    for (origin, granted) in [(ORIGIN, Some("https://app.example")), (("Origin", "https://evil.example"), None)] {
        let answer = gateway.get("/terms/a", &[origin, ("Authorization", &token)]).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, granted), "{origin:?}");
        let varies: Vec<_> = answer.head.lines().filter(|line| line.starts_with("vary: ")).collect();
        assert_eq!(varies, ["vary: accept-language", "vary: Origin"], "{origin:?}");
    }
    // A route without rules answers no preflight.
    assert_eq!(gateway.send("OPTIONS", "/orders", &[ORIGIN, asks], "").await.status, 405);
}

#[tokio::test]
async fn an_answer_names_the_policy_that_decided_where_the_route_says_so() {
    let mut gateway = Fixture::start().await;
    let route = |name: &str, more: bool| {
        serde_json::json!({
            "kind": "route", "name": name, "path": format!("/{name}/{{sku}}"), "upstream": format!("http://{}", gateway.upstream),
            "service": "inventory", "audience": "shop", "show_decision": more,
            "authorize": {"action": "inventory:restock", "resource": "Stock::\"{sku}\""},
        })
    };
    let routes = [route("shown", true), route("hidden", false)];
    gateway.declare(routes);
    for (path, role, status, named) in [
        ("/shown/lamp", "clerk", 200, Some("policy; rule=\"inventory\"")),
        ("/shown/lamp", "customer", 403, Some("default; rule=\"\"")),
        ("/hidden/lamp", "clerk", 200, None),
        ("/hidden/lamp", "customer", 403, None),
    ] {
        let answer = gateway.get_as(path, &gateway.token(role)).await;
        assert_eq!((answer.status, answer.header("durward-decision")), (status, named), "{path} by a {role}");
    }
}

#[tokio::test]
async fn browsers_are_told_to_come_by_tls_alone_to_the_host_of_the_public_url_and_to_no_other() {
    let gateway = Fixture::start().await;
    for (host, told) in [("api.shop.example", true), ("API.shop.example:443", true), ("shop.example", false), ("[::1]", false)] {
        for path in ["/nothing", "/me"] {
            let answer = gateway.raw(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")).await;
            assert_eq!(answer.header("strict-transport-security"), told.then_some("max-age=60"), "{host} {path}: {answer:?}");
        }
    }
}
