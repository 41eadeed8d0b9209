//! The authorization endpoint: what it refuses, where it sends people, what it asks of them.

use durward_base::Duration;
use http::{Method, StatusCode};

use crate::fixture::{World, authorize, partner, web_request};

/// AUTHZ-003, AUTHZ-005, AUTHZ-006, AUTHZ-007, AUTHZ-008, AUTHZ-012
#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_the_clients() {
    let world = World::new().await;
    let mut browser = world.browser();
    for uri in [
        "https://shop.example/callback/",
        "https://shop.example/callback?x=1",
        "https://shop.example@evil.example/callback",
        "https://shop.example/callback#x",
        "https://evil.example/",
        "//shop.example/callback",
        "javascript:alert(1)",
        "\"><script>alert(1)</script>",
    ] {
        let refused = browser.ask(&web_request(&[("redirect_uri", uri)])).await;
        assert_eq!((refused.status, refused.reason()), (StatusCode::BAD_REQUEST, "redirect_uri.unregistered"), "{uri}");
        assert!(!refused.body.contains("evil") && !refused.body.contains("alert(1)"));
    }
    for query in
        ["client_id=web&client_id=desktop", "client_id=nobody", "", "redirect_uri=https%3A%2F%2Fshop.example%2Fcallback&client_id=%00"]
    {
        let refused = browser.get(&format!("/realms/main/oauth2/authorize?{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(!refused.headers.contains_key("location"));
    }
    browser.headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    let split = browser.call(Method::POST, &authorize(&web_request(&[])), "state=other".into()).await;
    assert_eq!((split.status, split.reason()), (StatusCode::BAD_REQUEST, "parameters.duplicate"));
}

/// AUTHZ-013, AUTHZ-014, AUTHZ-023
#[tokio::test]
async fn what_is_wrong_with_a_request_of_our_own_application_is_told_to_it() {
    let world = World::new().await;
    let mut browser = world.browser();
    let long = "x".repeat(513);
    for (otherwise, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("response_mode", "fragment"), "invalid_request"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge_method", ""), "invalid_request"),
        (("scope", "openid admin"), "invalid_scope"),
        (("nonce", &long), "invalid_request"),
        (("resource", "inventory"), "invalid_target"),
        (("request_uri", "https://evil.example"), "request_uri_not_supported"),
        (("prompt", "none login"), "invalid_request"),
    ] {
        let refused = browser.ask(&web_request(&[otherwise])).await;
        assert_eq!(refused.parameter("error").as_deref(), Some(error), "{otherwise:?}");
        assert_eq!(refused.parameter("iss").as_deref(), Some(crate::fixture::ISSUER));
        assert_eq!(refused.parameter("state").as_deref(), Some("af0ifjsldkj"));
        assert_eq!(refused.parameter("code"), None);
    }
    let longest = "x".repeat(512);
    let fine = browser.ask(&web_request(&[("state", &longest), ("nonce", &longest)])).await;
    assert_eq!(browser.follow(&fine).await.status, StatusCode::OK);
}

/// AUTHZ-009
#[tokio::test]
async fn somebody_elses_application_cannot_use_us_to_send_people_anywhere_without_a_click() {
    let world = World::new().await;
    let mut browser = world.browser();
    for otherwise in [("scope", "no such"), ("prompt", "none"), ("response_type", "token")] {
        let shown = browser.ask(&partner(&[otherwise])).await;
        assert_eq!(shown.status, StatusCode::BAD_REQUEST, "{otherwise:?}");
        assert!(
            shown.body.contains("Return to Parcel Tracker") && shown.body.contains("href=\"https://parcels.example/cb?error="),
            "{}",
            shown.body
        );
    }
}

/// AUTHZ-025
#[tokio::test]
async fn prompt_none_says_that_something_must_be_asked_and_nothing_about_whom() {
    let world = World::new().await;
    let mut browser = world.browser();
    let nobody = browser.ask(&web_request(&[("prompt", "none")])).await;
    assert_eq!(nobody.parameter("error").as_deref(), Some("login_required"));
    browser.arrive(&web_request(&[]), "alice").await;
    assert!(browser.ask(&web_request(&[("prompt", "none")])).await.parameter("code").is_some());
    let stranger = browser.ask(&partner(&[("prompt", "none")])).await;
    assert!(stranger.body.contains("error=interaction_required"), "{}", stranger.body);
    assert!(!stranger.body.contains("alice"));
    let consent = browser.ask(&partner(&[])).await;
    let page = browser.follow(&consent).await;
    browser.decide(&page, "allow").await;
    assert!(browser.ask(&partner(&[("prompt", "none")])).await.parameter("code").is_some());
}

#[tokio::test]
async fn a_login_that_is_too_old_or_asked_for_anew_is_made_anew() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.arrive(&web_request(&[]), "alice").await;
    world.clock.advance(Duration::from_secs(61));
    assert!(browser.ask(&web_request(&[("max_age", "3600")])).await.parameter("code").is_some());
    for otherwise in [("max_age", "60"), ("prompt", "login"), ("prompt", "select_account")] {
        let asked = browser.ask(&web_request(&[otherwise])).await;
        assert!(asked.location().contains("/login?"), "{otherwise:?}");
    }
    let arrived = browser.arrive(&web_request(&[("max_age", "60")]), "alice").await;
    assert!(arrived.parameter("code").is_some());
}

#[tokio::test]
async fn an_application_that_expects_one_person_does_not_get_another() {
    let world = World::new().await;
    let mut browser = world.browser();
    let hint = browser.tokens().await["id_token"].as_str().unwrap().to_owned();
    let mut other = world.browser();
    let asked = other.ask(&web_request(&[("id_token_hint", &hint)])).await;
    let page = other.follow(&asked).await;
    let refused = other.log_in(&page, "bob", crate::fixture::PASSWORD).await;
    assert_eq!(refused.parameter("error").as_deref(), Some("login_required"));
    assert_eq!(world.logins_of("bob").await, 0);
    assert!(other.log_in(&page, "alice", crate::fixture::PASSWORD).await.parameter("code").is_some());
}

/// AUTHZ-018
#[tokio::test]
async fn a_program_on_the_persons_device_never_gets_a_code_in_silence() {
    let world = World::new().await;
    let mut browser = world.browser();
    let desktop = web_request(&[("client_id", "desktop"), ("redirect_uri", "http://127.0.0.1:49152/callback")]);
    assert!(browser.arrive(&desktop, "alice").await.parameter("code").is_some(), "logging in for it was interaction");
    let silent = browser.ask(&desktop).await;
    assert!(silent.location().contains("/consent?"), "{}", silent.location());
    let page = browser.follow(&silent).await;
    assert!(page.body.contains("a program on this device"));
    assert!(browser.decide(&page, "allow").await.parameter("code").is_some());
    assert!(browser.ask(&desktop).await.location().contains("/consent?"), "every time");
}

/// AUTHZ-019, AUTHZ-020
#[tokio::test]
async fn what_one_browser_began_goes_on_in_no_other_and_no_step_is_skipped() {
    let world = World::new().await;
    let (mut attacker, mut victim) = (world.browser(), world.browser());
    let asked = attacker.ask(&web_request(&[])).await;
    let page = attacker.follow(&asked).await;
    victim.arrive(&web_request(&[]), "bob").await;
    let shown = victim.get(asked.location()).await;
    assert_eq!((shown.status, shown.reason()), (StatusCode::BAD_REQUEST, "form.stale"));
    let fixed = victim.log_in(&page, "bob", crate::fixture::PASSWORD).await;
    assert_eq!((fixed.status, fixed.reason()), (StatusCode::BAD_REQUEST, "form.stale"));

    let transaction = page.attribute("name=\"transaction\"", "value");
    for (target, form) in [
        ("/realms/main/consent", [("transaction", transaction.as_str()), ("decision", "allow")]),
        ("/realms/main/account/sessions", [("token", &transaction), ("end", "others")]),
        ("/realms/main/oauth2/logout", [("transaction", &transaction), ("x", "y")]),
        ("/realms/main/login", [("transaction", ""), ("username", "")]),
    ] {
        let skipped = victim.post(target, &form).await;
        assert_eq!((skipped.status, skipped.reason()), (StatusCode::BAD_REQUEST, "form.stale"), "{target}");
    }
    world.clock.advance(Duration::from_secs(30 * 60));
    assert_eq!(attacker.get(asked.location()).await.status, StatusCode::BAD_REQUEST, "too old");
}

/// SESS-001, SESS-003
#[tokio::test]
async fn a_planted_or_mangled_session_cookie_is_no_session() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.arrive(&web_request(&[]), "alice").await;
    let name = "__Host-dw-sso-main";
    let good = browser.cookies[name].clone();
    for planted in [&good[..good.len() - 1], &good.to_uppercase(), "e30", "", &browser.cookies["__Host-dw-login-main"].clone()] {
        browser.cookies.insert(name.to_owned(), planted.to_owned());
        assert!(browser.ask(&web_request(&[])).await.location().contains("/login?"), "{planted}");
    }
    browser.cookies.insert(name.to_owned(), good.clone());
    browser.arrive(&web_request(&[("prompt", "login")]), "alice").await;
    assert_ne!(browser.cookies[name], good, "a login has a cookie of its own");
}

/// AUTHZ-022
#[tokio::test]
async fn an_unknown_host_is_not_answered() {
    let world = World::new().await;
    let mut browser = world.browser();
    for host in ["evil.example", "auth.shop.example.evil.example", "auth.shop.example:444"] {
        for target in ["/realms/main/.well-known/openid-configuration", &authorize(&web_request(&[]))] {
            let refused = browser.with("host", host).get(target).await;
            assert_eq!((refused.status, refused.reason()), (StatusCode::MISDIRECTED_REQUEST, "unknown_host"), "{host}");
        }
    }
    browser.with("x-forwarded-host", "evil.example").with("forwarded", "host=evil.example");
    let document = browser.get("/realms/main/.well-known/openid-configuration").await;
    assert!(!document.body.contains("evil"));
}
