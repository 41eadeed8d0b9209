//! The login page: who may try, how often, and what it gives away.

use std::net::SocketAddr;

use durward_base::Duration;
use http::StatusCode;

use crate::fixture::{Answer, Browser, PASSWORD, World, web_request};

async fn page(browser: &mut Browser<'_>) -> Answer {
    let asked = browser.ask(&web_request(&[])).await;
    browser.follow(&asked).await
}

#[tokio::test]
async fn the_page_has_what_people_and_programs_look_for() {
    let world = World::new().await;
    let mut browser = world.browser();
    let asked = browser.ask(&web_request(&[("login_hint", "\"><script>alert(1)</script>")])).await;
    let page = browser.follow(&asked).await;
    for text in [
        "<label for=\"username\">",
        "id=\"username\"",
        "<label for=\"password\">",
        "id=\"password\"",
        "id=\"login-submit\"",
        "Harbour Shop",
        "Harbour Web",
    ] {
        assert!(page.body.contains(text), "{text}");
    }
    assert!(
        page.header("content-security-policy").contains("form-action 'self' https://shop.example;"),
        "browsers hold redirects against it"
    );
}

/// LOGIN-001
#[tokio::test]
async fn five_wrong_passwords_slow_the_account_down_whatever_its_spelling_and_network() {
    let world = World::new().await;
    let mut browser = world.browser();
    let page = page(&mut browser).await;
    for (number, alias) in ["alice", "ALICE", " alice", "Ａlice", "alice"].into_iter().enumerate() {
        browser.address = SocketAddr::from(([198, 51, u8::try_from(number).unwrap(), 1], 1));
        let wrong = browser.log_in(&page, alias, "wrong password").await;
        assert_eq!((wrong.status, wrong.reason()), (StatusCode::FORBIDDEN, "login.password_wrong"));
    }
    let throttled = browser.log_in(&page, "alice", PASSWORD).await;
    assert_eq!((throttled.status, throttled.reason()), (StatusCode::TOO_MANY_REQUESTS, "login.throttled"));
    assert_eq!(throttled.header("retry-after"), "1");
    assert!(throttled.body.contains("There were too many attempts. Wait a second and try again."), "{}", throttled.body);
    assert!(throttled.body.contains("role=\"alert\""));
    assert_eq!(browser.log_in(&page, "bob", PASSWORD).await.status, StatusCode::SEE_OTHER, "others are not concerned");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(browser.log_in(&page, "alice", PASSWORD).await.status, StatusCode::SEE_OTHER, "nobody is locked out");
}

/// LOGIN-001, R17
#[tokio::test]
async fn fifty_failures_a_minute_slow_a_network_down() {
    let world = World::new().await;
    let mut browser = world.browser();
    let page = page(&mut browser).await;
    let mut tried = 0;
    let throttled = loop {
        let answer = browser.log_in(&page, &format!("nobody{tried}"), &"x".repeat(1025)).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            break answer;
        }
        tried += 1;
        assert!(tried <= 50);
    };
    assert_eq!((tried, throttled.reason()), (50, "login.throttled"));
    browser.address = SocketAddr::from(([198, 51, 100, 1], 1));
    assert_eq!(browser.log_in(&page, "alice", PASSWORD).await.status, StatusCode::SEE_OTHER, "another network is not concerned");
}

/// LOGIN-006, LOGIN-007
#[tokio::test]
async fn passwords_are_compared_whole_and_overlong_ones_cost_nothing() {
    let world = World::new().await;
    let mut browser = world.browser();
    for wrong in [&format!("{PASSWORD}\u{a0}"), &PASSWORD[..PASSWORD.len() - 1], &format!("{PASSWORD} "), "", &"x".repeat(60_000)] {
        let page = page(&mut browser).await;
        let refused = browser.log_in(&page, "alice", wrong).await;
        assert!([StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS].contains(&refused.status), "{}", refused.body);
        world.clock.advance(Duration::from_secs(901));
    }
    let page = page(&mut browser).await;
    let endless = browser.log_in(&page, "alice", &"x".repeat(1 << 20)).await;
    assert_eq!((endless.status, endless.reason()), (StatusCode::PAYLOAD_TOO_LARGE, "body.too_large"));
}

/// LOGIN-016
#[tokio::test]
async fn who_is_logged_in_is_whose_password_was_right() {
    let world = World::new().await;
    let mut browser = world.browser();
    let page = page(&mut browser).await;
    let wrong = browser.log_in(&page, "alice", "wrong password").await;
    let arrived = browser.log_in(&wrong, "bob", PASSWORD).await;
    assert_eq!(arrived.event.caller.as_ref().unwrap().id, world.person("bob").await.sub);
}

/// LOGIN-017
#[tokio::test]
async fn no_request_names_where_people_go_after_logging_in() {
    let world = World::new().await;
    for target in
        ["//evil.example", "/\\evil.example", "https:evil.example", "javascript:alert(1)", "%2f%2fevil.example", "https://a@evil.example"]
    {
        let mut browser = world.browser();
        let asked = browser.get(&format!("/realms/main/account?return_to={target}&redirect={target}&next={target}")).await;
        let page = browser.with("referer", target).get(asked.location()).await;
        let (action, transaction) = (page.attribute("<form", "action"), page.attribute("name=\"transaction\"", "value"));
        let arrived = browser
            .post(&action, &[("transaction", &transaction), ("username", "bob"), ("password", PASSWORD), ("return_to", target)])
            .await;
        assert_eq!(arrived.location(), "https://auth.shop.example/realms/main/account");
    }
}
