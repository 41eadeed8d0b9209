//! The plans Basic and Form Post of OpenID Connect Core: a client with a secret, `response_type=code`, and no PKCE unless a line says so.

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use durward_base::{Duration, base64url};
use durward_jose::UnverifiedJwt;
use durward_model::resource::{Profile, Trust};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use crate::fixture::{Answer, Browser, ISSUER, NOW, PASSWORD, World, partner, secret_of, web_request};

const CALLBACK: &str = "https://parcels.example/cb";

/// A realm for applications of before PKCE, and `partner` as one of its own.
pub async fn world() -> World {
    let world = World::new().await;
    world.change_realm("main", |realm| realm.code_challenge_optional = true).await;
    world
        .change_client("partner", |client| {
            client.trust = Trust::FirstParty;
            client.id_token_signed_response_alg = None;
        })
        .await;
    world
}

/// An authentication request of `partner`, without PKCE.
pub fn request<'a>(otherwise: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = partner(otherwise).into_iter().filter(|(name, _)| !name.starts_with("code_challenge"));
    let given = otherwise.iter().copied().filter(|(name, value)| name.starts_with("code_challenge") && !value.is_empty());
    kept.chain(given).collect()
}

/// Redeems a code of `partner`.
pub async fn redeem(browser: &mut Browser<'_>, code: &str, otherwise: &[(&'static str, &str)]) -> Answer {
    let secret = secret_of("partner");
    let usual = [("client_id", "partner"), ("client_secret", secret.as_str()), ("redirect_uri", CALLBACK), ("code_verifier", "")];
    let kept = usual.into_iter().filter(|(name, _)| otherwise.iter().all(|(other, _)| other != name));
    let form: Vec<_> = kept.chain(otherwise.iter().copied()).collect();
    browser.redeem(code, &form).await
}

/// The tokens of a request.
async fn tokens(browser: &mut Browser<'_>, otherwise: &[(&str, &str)]) -> Answer {
    let asked = browser.ask(&request(otherwise)).await;
    let arrived = if asked.location().contains("/login?") {
        let page = browser.follow(&asked).await;
        browser.log_in(&page, "alice", PASSWORD).await
    } else {
        asked
    };
    let allowed = if arrived.location().contains("/consent?") {
        let page = browser.follow(&arrived).await;
        browser.decide(&page, "allow").await
    } else {
        arrived
    };
    let tokens = redeem(browser, &allowed.code(), &[]).await;
    assert_eq!(tokens.status, StatusCode::OK, "{otherwise:?}: {}", tokens.body);
    tokens
}

/// `oidcc-server`: what a relying party checks of every answer on its way.
#[tokio::test]
async fn a_login_is_what_a_relying_party_expects() {
    let world = world().await;
    let mut browser = world.browser();
    let arrived = browser.arrive(&request(&[]), "alice").await;
    assert_eq!(arrived.parameter("state").as_deref(), Some("af0ifjsldkj"));
    assert_eq!(arrived.parameter("iss").as_deref(), Some(ISSUER), "RFC 9207");
    let answer = redeem(&mut browser, &arrived.code(), &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    for (name, value) in [("cache-control", "no-store"), ("pragma", "no-cache"), ("content-type", "application/json")] {
        assert_eq!(answer.header(name), value);
    }
    assert_eq!((answer.text("token_type").as_str(), answer.json()["expires_in"].as_i64()), ("Bearer", Some(300)));

    let id_token = answer.text("id_token");
    let header: Value = serde_json::from_slice(&base64url::decode(id_token.split('.').next().unwrap()).unwrap()).unwrap();
    assert_eq!(header["alg"], "RS256", "OpenID Connect Registration 2: the default");
    let keys = browser.get("/realms/main/oauth2/jwks").await.json();
    let published = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).unwrap();
    assert_eq!((&published["use"], &published["alg"]), (&json!("sig"), &json!("RS256")));
    assert!(UnverifiedJwt::parse(&id_token).is_ok());
    let claims = answer.claims("id_token");
    assert_eq!((&claims["iss"], &claims["aud"], &claims["nonce"]), (&json!(ISSUER), &json!("partner"), &json!("n-0S6_WzA2Mj")));
    assert_eq!((&claims["iat"], &claims["auth_time"]), (&json!(NOW.seconds()), &json!(NOW.seconds())));
    assert!(claims["exp"].as_i64() > claims["iat"].as_i64() && claims["sub"].as_str().unwrap().len() <= 255);
    let hash = digest(&SHA256, answer.text("access_token").as_bytes());
    assert_eq!(claims["at_hash"], base64url::encode(&hash.as_ref()[..16]));
    let told = browser.userinfo(&answer.text("access_token")).await;
    assert_eq!((told.header("content-type"), &told.json()["sub"]), ("application/json", &claims["sub"]));
}

/// `oidcc-ensure-request-with-…-succeeds`, `oidcc-display-*`, `oidcc-ui-locales`, `oidcc-claims-locales`, `oidcc-login-hint`,
/// `oidcc-max-age-10000`, `oidcc-scope-*`, `oidcc-prompt-none-logged-in`, `oidcc-id-token-hint`: what changes nothing is taken.
#[tokio::test]
async fn whatever_a_request_may_say_beside_it_is_answered_with_a_code() {
    let world = world().await;
    let mut browser = world.browser();
    let first = tokens(&mut browser, &[]).await;
    let (hint, subject) = (first.text("id_token"), first.claims("id_token")["sub"].clone());
    let long = "x".repeat(384);
    for otherwise in [
        vec![("nonce", "")],
        vec![("state", "")],
        vec![("nonce", long.as_str())],
        vec![("state", long.as_str())],
        vec![("extra", "foobar")],
        vec![("display", "page")],
        vec![("display", "popup")],
        vec![("ui_locales", "se")],
        vec![("claims_locales", "se")],
        vec![("login_hint", "alice")],
        vec![("acr_values", "1 2")],
        vec![("acr_values", "pwd mfa")],
        vec![("max_age", "10000")],
        vec![("scope", "email profile openid")],
        vec![("scope", "openid offline_access")],
        vec![("prompt", "none")],
        vec![("prompt", "none"), ("id_token_hint", hint.as_str())],
        vec![("registration", "{}")],
        vec![("response_mode", "query")],
        vec![("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), ("code_challenge_method", "S256")],
    ] {
        let answer = browser.ask(&request(&otherwise)).await;
        let verifier = if otherwise[0].0 == "code_challenge" { crate::fixture::VERIFIER } else { "" };
        let answer = redeem(&mut browser, &answer.code(), &[("code_verifier", verifier)]).await;
        let claims = answer.claims("id_token");
        assert_eq!((&claims["sub"], &claims["acr"]), (&subject, &json!("pwd")), "{otherwise:?}");
        assert!(claims["auth_time"].is_i64(), "{otherwise:?}");
    }
    let body = Serializer::new(String::new()).extend_pairs(request(&[])).finish();
    browser.with("content-type", "application/x-www-form-urlencoded");
    let posted = browser.call(Method::POST, "/realms/main/oauth2/authorize", Body::from(body)).await;
    assert!(posted.parameter("code").is_some(), "oidcc-ensure-post-request-succeeds");
}

/// `oidcc-response-type-missing`, `oidcc-ensure-registered-redirect-uri`, `oidcc-ensure-redirect-uri-in-authorization-request`,
/// `oidcc-redirect-uri-query-*`, `oidcc-unsigned-request-object-…`, `oidcc-request-uri-…`, `oidcc-prompt-none-not-logged-in`.
#[tokio::test]
async fn what_is_wrong_is_told_to_the_client_or_to_the_person() {
    let world = world().await;
    world.change_client("partner", |client| client.redirect_uris.push("https://parcels.example/cb?a=1".to_owned())).await;
    let mut browser = world.browser();
    for uri in [
        "",
        "https://parcels.example/cb?b=2",
        "https://parcels.example/cb?a=1&b=2",
        "https://parcels.example/cb#x",
        "https://evil.example/",
    ] {
        let shown = browser.ask(&request(&[("redirect_uri", uri)])).await;
        assert_eq!((shown.status, shown.header("location")), (StatusCode::BAD_REQUEST, ""), "{uri}");
    }
    world.change_client("partner", |client| client.redirect_uris.truncate(1)).await;
    let shown = browser.ask(&request(&[("redirect_uri", "")])).await;
    assert_eq!((shown.status, shown.reason()), (StatusCode::BAD_REQUEST, "redirect_uri.missing"), "Core 3.1.2.1: REQUIRED");
    let plain = browser
        .ask(&request(&[
            ("redirect_uri", ""),
            ("scope", "orders:read"),
            ("code_challenge", crate::fixture::CHALLENGE),
            ("code_challenge_method", "S256"),
        ]))
        .await;
    assert!(plain.location().contains("/login?"), "RFC 6749 3.1.2.3: the only one that is registered");

    let unsigned = format!("{}.{}.", base64url::encode(br#"{"alg":"none"}"#), base64url::encode(br#"{"state":"inside"}"#));
    for (otherwise, error) in [
        (("response_type", ""), "invalid_request"),
        (("response_type", "code token"), "unsupported_response_type"),
        (("response_type", "none"), "unsupported_response_type"),
        (("request", unsigned.as_str()), "invalid_request_object"),
        (("request_uri", "https://rp.example/request.jwt"), "request_uri_not_supported"),
        (("prompt", "none"), "login_required"),
        (("prompt", "none consent"), "invalid_request"),
        (("prompt", "create"), "invalid_request"),
        (("max_age", "-1"), "invalid_request"),
        (("max_age", "99999999999999999999"), "invalid_request"),
        (("id_token_hint", "x"), "invalid_request"),
        (("claims", "{"), "invalid_request"),
        (("code_challenge", "x"), "invalid_request"),
        (("code_challenge_method", "S256"), "invalid_request"),
        (("scope", "openid unheard-of"), "invalid_scope"),
    ] {
        let refused = browser.ask(&request(&[otherwise])).await;
        assert_eq!(refused.parameter("error").as_deref(), Some(error), "{otherwise:?}");
        assert_eq!((refused.parameter("state").as_deref(), refused.parameter("iss").as_deref()), (Some("af0ifjsldkj"), Some(ISSUER)));
        let posted = browser.ask(&request(&[otherwise, ("response_mode", "form_post")])).await;
        assert_eq!(posted.attribute("name=\"error\"", "value"), error, "{otherwise:?}");
    }
}

/// `oidcc-prompt-login`, `oidcc-max-age-1`: the person proves it anew, and the ID token says when.
#[tokio::test]
async fn a_login_that_must_be_new_is_new_and_says_so() {
    let world = world().await;
    let mut browser = world.browser();
    let mut before = tokens(&mut browser, &[]).await.claims("id_token");
    for otherwise in [("prompt", "login"), ("max_age", "1"), ("max_age", "0"), ("prompt", "select_account")] {
        world.clock.advance(Duration::from_secs(2));
        let asked = browser.ask(&request(&[otherwise])).await;
        assert!(asked.location().contains("/login?"), "{otherwise:?}");
        let claims = tokens(&mut browser, &[otherwise]).await.claims("id_token");
        assert_eq!(claims["sub"], before["sub"]);
        assert!(claims["auth_time"].as_i64() > before["auth_time"].as_i64(), "{otherwise:?}");
        before = claims;
    }
    let hint = tokens(&mut browser, &[]).await.text("id_token");
    let mut bob = world.browser();
    bob.arrive(&request(&[]), "bob").await;
    let refused = bob.ask(&request(&[("prompt", "none"), ("id_token_hint", &hint)])).await;
    assert_eq!(refused.parameter("error").as_deref(), Some("login_required"), "another person's hint");
}

/// `oidcc-userinfo-get`, `-post-header`, `-post-body`, RFC 6750 sections 2 and 3.
#[tokio::test]
async fn userinfo_is_asked_in_each_of_its_ways_and_in_one_at_a_time() {
    const USERINFO: &str = "/realms/main/oauth2/userinfo";
    let world = world().await;
    let mut browser = world.browser();
    let token = tokens(&mut browser, &[("scope", "openid profile email")]).await.text("access_token");
    let form = [("access_token", token.as_str())];
    let by_header = browser.userinfo(&token).await;
    let by_post = browser.bearer(&token).call(Method::POST, USERINFO, Body::empty()).await;
    let by_form = browser.post(USERINFO, &form).await;
    for answer in [&by_header, &by_post, &by_form] {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        for claim in ["sub", "name", "preferred_username", "email", "email_verified"] {
            assert!(!answer.json()[claim].is_null(), "{claim}");
        }
    }
    let empty_form = browser.bearer(&token).post(USERINFO, &[]).await;
    assert_eq!(empty_form.status, StatusCode::OK);
    browser.bearer(&token).post(USERINFO, &form).await.is_error(400, "invalid_request");
    browser.post(&format!("{USERINFO}?access_token={token}"), &form).await.is_error(400, "invalid_request");
    for query in [format!("access_token={token}"), "access_token=a&access_token=b".to_owned(), "access_token=a&x=%".to_owned()] {
        browser.bearer(&token).get(&format!("{USERINFO}?{query}")).await.is_error(400, "invalid_request");
    }
    for query in ["utm=1&utm=2", "x=%zz", "x=%ff"] {
        assert_eq!(browser.bearer(&token).get(&format!("{USERINFO}?{query}")).await.status, StatusCode::OK, "{query}");
    }
    let bare = browser.get(USERINFO).await;
    assert_eq!(bare.is_error(401, "invalid_token").header("www-authenticate"), "Bearer realm=\"main\"", "RFC 6750 3.1");
    let in_query = browser.get(&format!("{USERINFO}?access_token={token}")).await;
    in_query.is_error(401, "invalid_token");
    let wrong = browser.userinfo("x").await;
    assert!(wrong.is_error(401, "invalid_token").header("www-authenticate").contains("error=\"invalid_token\""));
    browser.post(USERINFO, &[("access_token", "x")]).await.is_error(401, "invalid_token");
}

/// `oidcc-claims-essential`, `oidcc-ensure-other-scope-order-succeeds`
#[tokio::test]
async fn a_claim_that_is_asked_for_by_name_is_told() {
    let world = world().await;
    let mut browser = world.browser();
    let claims = json!({ "userinfo": { "name": { "essential": true }, "unheard_of": null }, "id_token": { "auth_time": { "essential": true }, "email": null } });
    let answer = tokens(&mut browser, &[("scope", "openid"), ("claims", &claims.to_string())]).await;
    assert!(answer.claims("id_token")["email"].is_string() && answer.claims("id_token")["auth_time"].is_i64());
    assert!(browser.userinfo(&answer.text("access_token")).await.json()["name"].is_string());
}

/// `oidcc-codereuse`, `oidcc-codereuse-30seconds`, `oidcc-refresh-token`
#[tokio::test]
async fn a_code_is_good_once_and_a_refreshed_login_is_the_same_login() {
    let world = world().await;
    let mut browser = world.browser();
    let code = browser.arrive(&request(&[]), "alice").await.code();
    let bought = redeem(&mut browser, &code, &[]).await.text("access_token");
    world.clock.advance(Duration::from_secs(30));
    redeem(&mut browser, &code, &[]).await.is_error(400, "invalid_grant");
    browser.userinfo(&bought).await.is_error(401, "invalid_token");

    let first = tokens(&mut browser, &[("scope", "openid offline_access"), ("prompt", "consent")]).await;
    let secret = secret_of("partner");
    world.clock.advance(Duration::from_secs(2));
    let client = [("client_id", "partner"), ("client_secret", secret.as_str())];
    let second = browser.refresh(&first.text("refresh_token"), &client).await;
    let (before, after) = (first.claims("id_token"), second.claims("id_token"));
    for claim in ["iss", "sub", "aud", "auth_time", "sid"] {
        assert_eq!(before[claim], after[claim], "Core 12.2: {claim}");
    }
    assert!(after["iat"].as_i64() > before["iat"].as_i64() && after["nonce"].is_null());
    browser.refresh(&second.text("refresh_token"), &[]).await.is_error(400, "invalid_grant");
}

/// RFC 9700 section 2.1.1; CODE-006, CODE-009.
#[tokio::test]
async fn pkce_is_left_out_by_clients_that_authenticate_where_their_realm_lets_them() {
    let world = world().await;
    let mut browser = world.browser();
    browser.arrive(&request(&[]), "alice").await;
    let code = browser.ask(&request(&[])).await.code();
    for (attack, otherwise, reason) in [
        ("a verifier of no challenge", ("code_verifier", crate::fixture::VERIFIER), "code.verifier_mismatch"),
        ("no redirect_uri", ("redirect_uri", ""), "code.redirect_uri_mismatch"),
        ("another redirect_uri", ("redirect_uri", "https://parcels.example/other"), "code.redirect_uri_mismatch"),
    ] {
        let refused = redeem(&mut browser, &code, &[otherwise]).await;
        assert_eq!(refused.is_error(400, "invalid_grant").reason(), reason, "{attack}");
    }
    assert_eq!(redeem(&mut browser, &code, &[]).await.status, StatusCode::OK);

    let bound = browser.ask(&partner(&[])).await.code();
    redeem(&mut browser, &bound, &[]).await.is_error(400, "invalid_grant");
    let lacks = |answer: Answer| assert_eq!(answer.reason(), "pkce.missing", "{}", answer.body);
    lacks(browser.ask(&web_request(&[("code_challenge", ""), ("code_challenge_method", "")])).await);
    lacks(browser.ask(&request(&[("scope", "orders:read")])).await);
    world.change_realm("main", |realm| realm.code_challenge_optional = false).await;
    lacks(browser.ask(&request(&[])).await);
    world.change_realm("main", |realm| realm.code_challenge_optional = true).await;
    world.change_client("partner", |client| client.profile = Some(Profile::Fapi2Security)).await;
    let pushed =
        browser.post("/realms/main/oauth2/par", &[request(&[]), vec![("client_secret", secret_of("partner").as_str())]].concat()).await;
    assert_eq!(pushed.is_error(400, "invalid_request").reason(), "pkce.missing");
}

/// A client that is no service's asks only who logged in.
#[tokio::test]
async fn a_client_without_a_service_logs_people_in() {
    let world = world().await;
    world
        .change_client("partner", |client| {
            client.services.clear();
            client.scopes = ["openid", "profile", "offline_access"].map(str::to_owned).to_vec();
            client.optional_scopes.clear();
            client.trust = Trust::ThirdParty;
        })
        .await;
    let mut browser = world.browser();
    let consent = browser.arrive(&request(&[("scope", "openid profile offline_access")]), "alice").await;
    let page = browser.follow(&consent).await;
    let allowed = browser.decide(&page, "allow").await;
    let answer = redeem(&mut browser, &allowed.code(), &[]).await;
    assert_eq!(answer.claims("access_token")["aud"], "urn:durward:userinfo");
    assert!(browser.userinfo(&answer.text("access_token")).await.json()["name"].is_string());
    assert!(browser.get("/realms/main/account/consents").await.body.contains("Parcel Tracker"));
    let secret = secret_of("partner");
    let client = [("client_id", "partner"), ("client_secret", secret.as_str())];
    assert_eq!(browser.refresh(&answer.text("refresh_token"), &client).await.status, StatusCode::OK);
    let nothing = browser.ask(&partner(&[("scope", "")])).await;
    assert!(nothing.body.contains("invalid_target"), "{}", nothing.body);
}
