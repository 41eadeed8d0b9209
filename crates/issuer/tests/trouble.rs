//! A store that fails, and more people than can be served: clear answers, nothing done by halves.

use std::net::SocketAddr;
use std::sync::Arc;

use http::StatusCode;

use crate::fixture::{PASSWORD, World, web_request};

/// TOK-004, FLT-009
#[tokio::test]
async fn a_revocation_that_is_not_durable_is_not_reported_as_done() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.tokens().await;
    let program = browser.program_token("payments-program").await;
    world.lose("family");
    let form = [("token", tokens["refresh_token"].as_str().unwrap()), ("client_id", "web")];
    let failed = browser.post("/realms/main/oauth2/revoke", &form).await;
    failed.is_error(503, "temporarily_unavailable");
    assert_eq!(failed.header("retry-after"), "1");
    browser.refresh(form[0].1, &[]).await.is_error(503, "temporarily_unavailable");
    let again = browser.program_token("payments-program").await;
    assert_eq!((program.status, again.status), (StatusCode::OK, StatusCode::OK), "programs need no store");
}

/// FLT-009
#[tokio::test]
async fn nobody_is_half_logged_in_when_the_store_fails() {
    let world = World::new().await;
    let mut browser = world.browser();
    let asked = browser.ask(&web_request(&[])).await;
    let page = browser.follow(&asked).await;
    world.lose("family");
    let failed = browser.log_in(&page, "alice", PASSWORD).await;
    assert_eq!((failed.status, failed.reason(), failed.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", "1"));
    assert!(failed.body.contains("try again in a few seconds"));
    assert!(!browser.cookies.contains_key("__Host-dw-sso-main"));
    assert_eq!(world.logins_of("alice").await, 0, "the session went with the family");
}

/// LOGIN-006
#[tokio::test]
async fn more_logins_than_can_be_checked_are_told_to_come_back() {
    let world = Arc::new(World::new().await);
    let mut browser = world.browser();
    let asked = browser.ask(&web_request(&[])).await;
    let page = browser.follow(&asked).await;
    let transaction = page.attribute("name=\"transaction\"", "value");
    let cookie = format!("__Host-dw-login-main={}", browser.cookies["__Host-dw-login-main"]);
    let attempts = (0..200_u8).map(|number| {
        let (world, cookie) = (Arc::clone(&world), cookie.clone());
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("transaction", transaction.as_str()), ("username", &format!("person{number}")), ("password", "wrong password")])
            .finish();
        async move {
            let request = http::Request::post("/realms/main/login")
                .header("host", "auth.shop.example")
                .header("content-type", "application/x-www-form-urlencoded")
                .header("cookie", cookie)
                .body(form.into())
                .unwrap();
            let address = Some(SocketAddr::from(([10, 0, number, 1], 1)));
            let response = world.surface.call(durward_net::Peer { address, ..durward_net::Peer::default() }, request).await;
            (response.status(), response.headers().contains_key("retry-after"))
        }
    });
    let answers = futures_util::future::join_all(attempts).await;
    let busy = answers.iter().filter(|answer| **answer == (StatusCode::TOO_MANY_REQUESTS, true)).count();
    let checked = answers.iter().filter(|answer| **answer == (StatusCode::FORBIDDEN, false)).count();
    assert!(busy > 0 && checked > 0, "{busy} told to come back, {checked} checked");
    assert_eq!(busy + checked, 200);
}
