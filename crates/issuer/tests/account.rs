//! People's own account: who they are here, and where they are signed in.

use http::StatusCode;

use crate::fixture::{PASSWORD, World, web_request};

const SESSIONS: &str = "/realms/main/account/sessions";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

#[tokio::test]
async fn people_see_who_they_are_after_logging_in_for_it() {
    let world = World::new().await;
    let mut browser = world.browser();
    let asked = browser.get("/realms/main/account").await;
    let page = browser.follow(&asked).await;
    assert!(page.body.contains("your account"));
    let arrived = browser.log_in(&page, "alice", PASSWORD).await;
    let account = browser.follow(&arrived).await;
    for text in ["alice of the harbour", "alice@shop.example", SESSIONS] {
        assert!(account.body.contains(text), "{text}");
    }
}

#[tokio::test]
async fn people_see_their_logins_with_their_applications_and_end_others() {
    let world = World::new().await;
    let (mut phone, mut desk) = (world.browser(), world.browser());
    let tokens = phone.tokens().await;
    let asked = desk.ask(&web_request(&[])).await;
    let page = desk.follow(&asked).await;
    desk.with("user-agent", FIREFOX);
    desk.log_in(&page, "alice", PASSWORD).await;
    let listed = desk.get(SESSIONS).await;
    assert_eq!(listed.body.matches("Since <time").count(), 2);
    assert_eq!(listed.body.matches("Harbour Web").count(), 2);
    let (own, other) = listed.body.split_at(listed.body.rfind("<h2>").unwrap());
    assert!(own.contains("Firefox on Linux<span class=\"badge\">This browser") && other.contains("Unknown browser"));
    assert!(listed.body.contains("192.0.2.7"));

    let token = listed.attribute("name=\"transaction\"", "value");
    let ended = desk.post(SESSIONS, &[("transaction", &token), ("end", "others")]).await;
    assert_eq!(ended.location(), "https://auth.shop.example/realms/main/account/sessions");
    phone.userinfo(tokens["access_token"].as_str().unwrap()).await.is_error(401, "invalid_token");
    assert!(phone.get(SESSIONS).await.location().contains("/login?"));
    assert_eq!(desk.get(SESSIONS).await.body.matches("Since <time").count(), 1);
}

#[tokio::test]
async fn ending_ones_own_login_signs_out() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.tokens().await;
    let listed = browser.get(SESSIONS).await;
    let (token, own) = (listed.attribute("name=\"transaction\"", "value"), listed.attribute("name=\"end\"", "value"));
    browser.post(SESSIONS, &[("transaction", &token), ("end", &own)]).await;
    assert!(!browser.cookies.contains_key("__Host-dw-sso-main"));
    assert!(browser.get(SESSIONS).await.location().contains("/login?"));
}

/// ADM-001 for people's own pages: no other site, no other browser, nobody else's login.
#[tokio::test]
async fn nobody_ends_anybody_elses_login() {
    let world = World::new().await;
    let (mut alice, mut bob) = (world.browser(), world.browser());
    alice.tokens().await;
    bob.arrive(&web_request(&[]), "bob").await;
    let of_alice = alice.get(SESSIONS).await;
    let of_bob = bob.get(SESSIONS).await;
    let (token, target) = (of_bob.attribute("name=\"transaction\"", "value"), of_alice.attribute("name=\"end\"", "value"));
    let nothing = bob.post(SESSIONS, &[("transaction", &token), ("end", &target)]).await;
    assert_eq!(nothing.status, StatusCode::SEE_OTHER);
    assert_eq!(world.logins_of("alice").await, 1);
    let alices = of_alice.attribute("name=\"transaction\"", "value");
    for (token, header) in [(alices.as_str(), "same-origin"), ("", "same-origin"), (&token, "cross-site")] {
        let refused = bob.with("sec-fetch-site", header).post(SESSIONS, &[("transaction", token), ("end", "others")]).await;
        assert!([StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN].contains(&refused.status));
    }
}
