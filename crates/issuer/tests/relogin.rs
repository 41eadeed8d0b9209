//! Logging in again: a new login each time, and the one before is over.

use http::StatusCode;

use crate::fixture::{World, partner, web_request};

const COOKIE: &str = "__Host-dw-sso-main";

/// SESS-001, SESS-006: again as oneself, for the account page, for somebody else's application, and as another person.
#[tokio::test]
async fn each_login_has_an_id_of_its_own_and_the_one_before_is_dead_at_once() {
    let world = World::new().await;
    let mut browser = world.browser();
    let first = browser.tokens().await;
    let mut known = vec![browser.cookies[COOKIE].clone()];
    let again = web_request(&[("prompt", "login")]);
    let consenting = partner(&[("prompt", "login")]);
    for (request, person) in [(&again, "alice"), (&consenting, "alice"), (&again, "bob"), (&again, "alice")] {
        let arrived = browser.arrive(request, person).await;
        assert_eq!(arrived.status, StatusCode::SEE_OTHER, "{}", arrived.body);
        let cookie = browser.cookies[COOKIE].clone();
        assert!(!known.contains(&cookie), "a login has a cookie of its own");
        for old in &known {
            let mut thief = world.browser();
            thief.cookies.insert(COOKIE.to_owned(), old.clone());
            let asked = thief.ask(&web_request(&[("prompt", "none")])).await;
            assert_eq!(asked.parameter("error").as_deref(), Some("login_required"), "the old cookie is no login");
        }
        known.push(cookie);
        assert_eq!(world.logins_of("alice").await + world.logins_of("bob").await, 1, "this browser has one login");
    }
    browser.refresh(first["refresh_token"].as_str().unwrap(), &[]).await.is_error(400, "invalid_grant");
    let userinfo = browser.userinfo(first["access_token"].as_str().unwrap()).await;
    assert_eq!(userinfo.status, StatusCode::UNAUTHORIZED, "what hung on the old login is dead with it");
}

/// SESS-001: an attacker's own login, planted into the browser of somebody who then logs in.
#[tokio::test]
async fn a_planted_login_is_not_what_the_person_is_logged_in_to() {
    let world = World::new().await;
    let mut attacker = world.browser();
    attacker.arrive(&web_request(&[]), "bob").await;
    let planted = attacker.cookies[COOKIE].clone();
    let mut victim = world.browser();
    victim.cookies.insert(COOKIE.to_owned(), planted.clone());
    let arrived = victim.arrive(&web_request(&[("prompt", "login")]), "alice").await;
    assert_eq!(arrived.event.caller.as_ref().unwrap().id, world.person("alice").await.sub);
    assert_ne!(victim.cookies[COOKIE], planted);
    let asked = attacker.ask(&web_request(&[("prompt", "none")])).await;
    assert_eq!(asked.parameter("error").as_deref(), Some("login_required"));
}

/// SESS-001: signing out and in again.
#[tokio::test]
async fn signing_out_and_in_again_leaves_nothing_of_the_login_before() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.arrive(&web_request(&[]), "alice").await;
    let old = browser.cookies[COOKIE].clone();
    let shown = browser.get("/realms/main/oauth2/logout").await;
    browser.decide(&shown, "yes").await;
    assert_eq!(world.logins_of("alice").await, 0);
    browser.arrive(&web_request(&[]), "alice").await;
    assert_ne!(browser.cookies[COOKIE], old);
    let mut thief = world.browser();
    thief.cookies.insert(COOKIE.to_owned(), old);
    assert_eq!(thief.ask(&web_request(&[("prompt", "none")])).await.parameter("error").as_deref(), Some("login_required"));
}
