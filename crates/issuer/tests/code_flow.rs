//! From the application's request to its tokens.

use durward_base::Duration;
use durward_model::EventKind;
use http::StatusCode;
use serde_json::Value;

use crate::fixture::{ISSUER, World, partner, web_request};

#[tokio::test]
async fn a_person_logs_in_once_and_the_application_gets_its_tokens() {
    let world = World::new().await;
    let mut browser = world.browser();
    let arrived = browser.arrive(&web_request(&[]), "Alice").await;
    assert!(arrived.location().starts_with("https://shop.example/callback?code="), "{}", arrived.location());
    assert_eq!(arrived.parameter("state").as_deref(), Some("af0ifjsldkj"));
    assert_eq!(arrived.parameter("iss").as_deref(), Some(ISSUER));
    let event = &arrived.event;
    assert_eq!(event.kind, EventKind::LoginSubmitted);
    assert_eq!(event.caller.as_ref().unwrap().id, world.person("alice").await.sub);
    assert!(event.chain.session.is_some() && event.chain.family.is_some());
    assert_eq!(event.target.as_deref(), Some("client/web"));
    let redeemed = browser.redeem(&arrived.code(), &[]).await;
    assert_eq!(redeemed.status, StatusCode::OK, "{}", redeemed.body);
    assert_eq!(redeemed.header("cache-control"), "no-store");
    let tokens = redeemed.json();
    assert_eq!(
        (&tokens["token_type"], &tokens["expires_in"], &tokens["scope"]),
        (&"Bearer".into(), &300.into(), &"openid profile offline_access orders:read".into())
    );
    assert!(tokens["id_token"].is_string() && tokens["refresh_token"].is_string());
    assert_eq!(redeemed.event.chain.family, event.chain.family, "explain joins the login with what it bought");
    let known = browser.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    assert_eq!(known["preferred_username"], "alice");
    assert_eq!(known["email"], Value::Null, "not asked for");
}

#[tokio::test]
async fn a_second_application_gets_its_code_without_another_login() {
    let world = World::new().await;
    let mut browser = world.browser();
    let first = browser.arrive(&web_request(&[]), "alice").await;
    let second = browser.ask(&web_request(&[])).await;
    assert!(second.location().starts_with("https://shop.example/callback?code="));
    assert_eq!(second.event.chain.session, first.event.chain.session);
    assert_ne!(second.event.chain.family, first.event.chain.family);
    assert_eq!(world.logins_of("alice").await, 1);
}

#[tokio::test]
async fn looking_at_pages_writes_nothing() {
    let world = World::new().await;
    let before = world.store.head().await.unwrap();
    let mut browser = world.browser();
    for _ in 0..3 {
        let asked = browser.ask(&web_request(&[])).await;
        browser.follow(&asked).await;
    }
    assert_eq!(world.store.head().await.unwrap(), before);
    assert_eq!(world.logins_of("alice").await, 0);
}

/// CODE-002, CODE-004, CODE-006, CODE-009
#[tokio::test]
async fn a_code_is_good_only_with_everything_it_is_bound_to_and_is_not_spoilt_by_a_wrong_try() {
    let world = World::new().await;
    let mut browser = world.browser();
    let code = browser.arrive(&web_request(&[]), "alice").await.code();
    let plain =
        browser.post("/realms/other/oauth2/token", &[("grant_type", "authorization_code"), ("client_id", "web"), ("code", &code)]).await;
    plain.is_error(400, "invalid_grant");
    for otherwise in [
        [("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl")],
        [("code_verifier", "")],
        [("code_verifier", crate::fixture::CHALLENGE)],
        [("redirect_uri", "https://shop.example/callback2")],
        [("client_id", "desktop")],
    ] {
        browser.redeem(&code, &otherwise).await.is_error(400, "invalid_grant");
    }
    let redeemed = browser.redeem(&code, &[]).await;
    assert_eq!(redeemed.status, StatusCode::OK, "{}", redeemed.body);
    let wrong = browser.redeem(&code, &[("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl")]).await;
    wrong.is_error(400, "invalid_grant");
    assert_eq!(browser.userinfo(&redeemed.text("access_token")).await.status, StatusCode::OK, "nothing was revoked");
}

#[tokio::test]
async fn a_replayed_code_revokes_the_tokens_it_bought() {
    let world = World::new().await;
    let mut browser = world.browser();
    let code = browser.arrive(&web_request(&[]), "alice").await.code();
    let tokens = browser.redeem(&code, &[]).await.json();
    let replayed = browser.redeem(&code, &[]).await;
    replayed.is_error(400, "invalid_grant");
    assert_eq!(replayed.reason(), "code.replayed");
    let (access, refresh) = (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    browser.userinfo(access).await.is_error(401, "invalid_token");
    browser.refresh(refresh, &[]).await.is_error(400, "invalid_grant");
}

/// CODE-003
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_redemptions_at_once_one_is_answered_with_tokens() {
    let world = std::sync::Arc::new(World::new().await);
    let code = world.browser().arrive(&web_request(&[]), "alice").await.code();
    let tries = (0..50).map(|_| {
        let (world, code) = (std::sync::Arc::clone(&world), code.clone());
        tokio::spawn(async move {
            let form = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs([
                    ("grant_type", "authorization_code"),
                    ("client_id", "web"),
                    ("code", &code),
                    ("code_verifier", crate::fixture::VERIFIER),
                ])
                .finish();
            let request = http::Request::post("/realms/main/oauth2/token")
                .header("host", "auth.shop.example")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.into())
                .unwrap();
            world.surface.call(durward_net::Peer::default(), request).await.status()
        })
    });
    let mut won = 0;
    for outcome in futures_util::future::join_all(tries).await {
        won += usize::from(outcome.unwrap() == StatusCode::OK);
    }
    assert_eq!(won, 1);
}

/// CODE-008
#[tokio::test]
async fn a_code_lives_for_a_minute() {
    let world = World::new().await;
    let mut browser = world.browser();
    let code = browser.arrive(&web_request(&[]), "alice").await.code();
    let second = browser.ask(&web_request(&[])).await.code();
    world.clock.advance(Duration::from_secs(59));
    assert_eq!(browser.redeem(&code, &[]).await.status, StatusCode::OK);
    world.clock.advance(Duration::from_secs(2));
    let late = browser.redeem(&second, &[]).await;
    late.is_error(400, "invalid_grant");
    assert_eq!(late.reason(), "code.expired");
}

/// AUTHZ-029
#[tokio::test]
async fn nothing_of_one_realm_counts_in_another() {
    let world = World::new().await;
    let mut browser = world.browser();
    let asked = browser.ask(&web_request(&[])).await;
    let elsewhere = asked.location().replace("/realms/main/", "/realms/other/");
    let cookie = browser.cookies["__Host-dw-login-main"].clone();
    browser.cookies.insert("__Host-dw-login-other".to_owned(), cookie);
    assert_eq!(browser.get(&elsewhere).await.status, StatusCode::BAD_REQUEST);
    let tokens = browser.tokens().await;
    let session = browser.cookies["__Host-dw-sso-main"].clone();
    browser.cookies.insert("__Host-dw-sso-other".to_owned(), session);
    let asked = browser.get(&crate::fixture::authorize(&web_request(&[])).replace("/main/", "/other/")).await;
    assert!(asked.location().starts_with("https://auth.shop.example/realms/other/login?"), "{}", asked.location());
    browser.bearer(tokens["access_token"].as_str().unwrap());
    browser.get("/realms/other/oauth2/userinfo").await.is_error(401, "invalid_token");
    assert_eq!(browser.get("/realms/nowhere/oauth2/jwks").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_disabled_person_gets_nothing_more_from_a_login_they_have() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.arrive(&web_request(&[]), "alice").await;
    world.change_person("alice", |person| person.disabled = true).await;
    let asked = browser.ask(&web_request(&[])).await;
    assert!(asked.location().contains("/login?"), "{}", asked.location());
    let page = browser.follow(&asked).await;
    let refused = browser.log_in(&page, "alice", crate::fixture::PASSWORD).await;
    assert_eq!((refused.status, refused.reason()), (StatusCode::FORBIDDEN, "login.person_disabled"));
    assert!(refused.body.contains("The username or the password is not right"), "no hint about the account");
}

#[tokio::test]
async fn a_partners_code_is_redeemed_with_its_secret_alone() {
    let world = World::new().await;
    let mut browser = world.browser();
    let consent = browser.arrive(&partner(&[]), "alice").await;
    let page = browser.follow(&consent).await;
    let code = browser.decide(&page, "allow").await.code();
    let bare = browser.redeem(&code, &[("client_id", "partner"), ("redirect_uri", "")]).await;
    bare.is_error(401, "invalid_client");
    let secret = crate::fixture::secret_of("partner");
    let redeemed = browser.redeem(&code, &[("client_id", "partner"), ("redirect_uri", ""), ("client_secret", &secret)]).await;
    assert_eq!(redeemed.status, StatusCode::OK, "{}", redeemed.body);
}
