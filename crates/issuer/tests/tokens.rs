//! Machines: client credentials, introspection, revocation, userinfo.

use durward_base::Duration;
use http::{Method, StatusCode};
use serde_json::json;

use crate::fixture::{ISSUER, World, secret_of, web_request};

const TOKEN: &str = "/realms/main/oauth2/token";
const PAR: &str = "/realms/main/oauth2/par";

#[tokio::test]
async fn a_program_gets_its_token_without_a_look_at_the_store() {
    let world = World::new().await;
    let mut browser = world.browser();
    let answer = browser.program_token("payments-program").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.json()["refresh_token"], json!(null));
    assert_eq!(answer.event.caller.as_ref().unwrap().id, "shop");
    assert_eq!(answer.event.target.as_deref(), Some("service/inventory"));
    assert!(answer.event.issued.is_some());
    assert!(
        world.store.events(&Default::default(), 10).await.unwrap().iter().all(|event| event.id != answer.event.id),
        "nothing was committed"
    );
    assert!(browser.is_active(&answer.text("access_token"), "inventory-program").await, "the service asks about tokens for it");
}

/// TOK-001
#[tokio::test]
async fn the_token_endpoint_takes_forms_in_the_body_and_nothing_else() {
    let world = World::new().await;
    let mut browser = world.browser();
    let form = "grant_type=client_credentials&client_id=web";
    browser.headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    browser.call(Method::POST, &format!("{TOKEN}?{form}"), form.into()).await.is_error(400, "invalid_request");
    for (content_type, body, status) in [
        ("application/json", "{}".to_owned(), 415),
        ("application/x-www-form-urlencoded; charset=utf-16", form.to_owned(), 415),
        ("multipart/form-data; boundary=x", form.to_owned(), 415),
        ("text/plain", form.to_owned(), 415),
        ("application/x-www-form-urlencoded", "x".repeat(10 << 20), 413),
        ("application/x-www-form-urlencoded", format!("{form}&grant_type=password"), 400),
        ("application/x-www-form-urlencoded", "a=%zz".to_owned(), 400),
        ("application/x-www-form-urlencoded", "a=%00".to_owned(), 400),
        ("application/x-www-form-urlencoded; charset=ISO-8859-1", "a=%e9".to_owned(), 400),
    ] {
        browser.headers.insert("content-type", content_type.parse().unwrap());
        browser.call(Method::POST, TOKEN, body.into()).await.is_error(status, "invalid_request");
    }
    let read = "grant_type=password&username=j%C3%BCrgen&client_id=web";
    for charset in ["utf-8", "UTF8", "us-ascii", "ISO-8859-1", "\"iso-8859-1\""] {
        browser.headers.insert("content-type", format!("application/x-www-form-urlencoded; charset={charset}").parse().unwrap());
        assert_ne!(browser.call(Method::POST, TOKEN, read.into()).await.status, 415, "{charset}");
    }
    browser.headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    for grant in ["implicit", "urn:ietf:params:oauth:grant-type:saml2-bearer"] {
        browser.token(&[("grant_type", grant), ("client_id", "web")]).await.is_error(400, "unsupported_grant_type");
    }
}

/// CLI-002, CLI-008
#[tokio::test]
async fn clients_authenticate_as_registered_or_not_at_all() {
    let world = World::new().await;
    let mut browser = world.browser();
    let secret = secret_of("payments-program");
    let form = [("grant_type", "client_credentials")];
    for (client, secret) in
        [("payments-program", "wrong"), ("nobody", "wrong"), ("payments-program", ""), ("inventory-program", &secret), ("web", &secret)]
    {
        browser.basic(client, secret);
        let refused = browser.token(&form).await;
        refused.is_error(401, "invalid_client");
        assert_eq!(refused.body, "{\"error\":\"invalid_client\",\"error_description\":\"client authentication failed\"}");
        assert!(refused.header("www-authenticate").starts_with("Basic "));
    }
    let posted = browser.token(&[form[0], ("client_id", "payments-program"), ("client_secret", &secret)]).await;
    posted.is_error(401, "invalid_client");
    assert_eq!(posted.reason(), "client.auth_method_mismatch");
    browser.basic("payments-program", &secret);
    browser.token(&[form[0], ("client_id", "payments-program"), ("client_secret", &secret)]).await.is_error(400, "invalid_request");
    let bare = browser.token(&[form[0], ("client_id", "payments-program")]).await;
    bare.is_error(401, "invalid_client");
}

/// CLI-004, CLI-005, CLI-006
#[tokio::test]
async fn a_client_assertion_is_good_once_and_only_for_us() {
    let world = World::new().await;
    let mut browser = world.browser();
    let now = world.clock.clock().now().seconds();
    let assertion = |otherwise: serde_json::Value| {
        let mut claims = json!({ "iss": "signer", "sub": "signer", "aud": ISSUER, "exp": now + 60, "iat": now, "jti": "one" });
        claims.as_object_mut().unwrap().extend(otherwise.as_object().unwrap().clone());
        world.signer.sign("JWT", &claims).unwrap()
    };
    let ask = |assertion: String| {
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        [("grant_type", "client_credentials".to_owned()), ("client_assertion_type", kind.to_owned()), ("client_assertion", assertion)]
    };
    async fn send(browser: &mut crate::fixture::Browser<'_>, target: &str, form: &[(&str, String)]) -> crate::fixture::Answer {
        let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.post(target, &form).await
    }
    for wrong in [
        json!({ "aud": format!("{ISSUER}/oauth2/token") }),
        json!({ "aud": [ISSUER, "https://other.example"] }),
        json!({ "aud": format!("{ISSUER}/") }),
        json!({ "aud": format!("{ISSUER}/oauth2/par") }),
        json!({ "sub": "web" }),
        json!({ "exp": now + 86_400 }),
        json!({ "exp": now - 60 }),
        json!({ "nbf": now + 600 }),
        json!({ "jti": null }),
    ] {
        for endpoint in [TOKEN, PAR] {
            send(&mut browser, endpoint, &ask(assertion(wrong.clone()))).await.is_error(401, "invalid_client");
        }
    }
    let good = ask(assertion(json!({})));
    let answer = send(&mut browser, TOKEN, &good).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    for endpoint in [TOKEN, PAR, "/realms/main/oauth2/revoke", "/realms/main/oauth2/introspect"] {
        let mut form = good.to_vec();
        form.push(("token", "x".to_owned()));
        let replayed = send(&mut browser, endpoint, &form).await;
        replayed.is_error(401, "invalid_client");
        assert_eq!(replayed.reason(), "client.assertion_replayed", "{endpoint}");
    }
    let at_introspection = [&ask(assertion(json!({ "jti": "two" })))[1..], &[("token", answer.text("access_token"))]].concat();
    assert!(send(&mut browser, "/realms/main/oauth2/introspect", &at_introspection).await.json()["active"].as_bool().unwrap());
    send(&mut browser, TOKEN, &ask(assertion(json!({ "jti": "two" })))).await.is_error(401, "invalid_client");
}

/// CLI-005
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_uses_of_an_assertion_at_once_one_is_good_and_the_others_are_replays() {
    let world = std::sync::Arc::new(World::new().await);
    let now = world.clock.clock().now().seconds();
    let claims = json!({ "iss": "signer", "sub": "signer", "aud": ISSUER, "exp": now + 60, "iat": now, "jti": "one" });
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &world.signer.sign("JWT", &claims).unwrap()),
        ])
        .finish();
    let tries = (0..20).map(|_| {
        let (world, form) = (std::sync::Arc::clone(&world), form.clone());
        tokio::spawn(async move {
            let request = http::Request::post(TOKEN)
                .header("host", "auth.shop.example")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.into())
                .unwrap();
            world.surface.call(durward_net::Peer::default(), request).await.status()
        })
    });
    let mut answers: Vec<_> = futures_util::future::join_all(tries).await.into_iter().map(Result::unwrap).collect();
    answers.sort();
    assert_eq!(answers[0], StatusCode::OK);
    assert!(answers[1..].iter().all(|status| *status == StatusCode::UNAUTHORIZED), "{answers:?}");
    let issued: Vec<_> = world.events().await.into_iter().filter_map(|event| event.issued).collect();
    assert_eq!(issued.len(), 1, "only what was issued is said to be: {issued:?}");
}

/// TOK-004
#[tokio::test]
async fn only_its_own_client_revokes_a_token_and_it_is_dead_then() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.tokens().await;
    let (access, refresh) = (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    let revoke = "/realms/main/oauth2/revoke";
    for token in [access, refresh] {
        let other = browser.post(revoke, &[("token", token), ("client_id", "desktop")]).await;
        other.is_error(400, "unauthorized_client");
    }
    assert_eq!(browser.userinfo(access).await.status, StatusCode::OK);
    let unknown = browser.post(revoke, &[("token", "unknown"), ("client_id", "web")]).await;
    assert_eq!((unknown.status, unknown.body.as_str()), (StatusCode::OK, ""));
    browser.post(revoke, &[("token", access), ("client_id", "web")]).await;
    browser.userinfo(access).await.is_error(401, "invalid_token");
    let refreshed = browser.refresh(refresh, &[]).await;
    assert_eq!(refreshed.status, StatusCode::OK, "the rest of the login lives");
    let (access, refresh) = (refreshed.text("access_token"), refreshed.text("refresh_token"));
    assert_eq!(browser.post(revoke, &[("token", &refresh), ("client_id", "web")]).await.status, StatusCode::OK);
    browser.userinfo(&access).await.is_error(401, "invalid_token");
    browser.refresh(&refresh, &[]).await.is_error(400, "invalid_grant");
}

#[tokio::test]
async fn introspection_tells_nothing_to_those_it_does_not_concern() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.tokens().await;
    let access = tokens["access_token"].as_str().unwrap();
    assert!(browser.is_active(access, "payments-program").await, "it runs the service that the token is for");
    assert!(!browser.is_active(access, "inventory-program").await);
    assert!(!browser.is_active("unknown", "payments-program").await);
    assert!(!browser.is_active(tokens["id_token"].as_str().unwrap(), "payments-program").await, "JOSE-031");
    let public = browser.post("/realms/main/oauth2/introspect", &[("token", access), ("client_id", "web")]).await;
    public.is_error(401, "invalid_client");
    world.clock.advance(Duration::from_secs(311));
    assert!(!browser.is_active(access, "payments-program").await);
}

/// TOK-005, TOK-008, JOSE-031
#[tokio::test]
async fn userinfo_takes_one_access_token_with_openid_from_the_header() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.tokens().await;
    let access = tokens["access_token"].as_str().unwrap();
    let in_query = browser.get(&format!("/realms/main/oauth2/userinfo?access_token={access}")).await;
    in_query.is_error(401, "invalid_token");
    assert_eq!(in_query.header("www-authenticate"), "Bearer realm=\"main\"");
    browser.userinfo(tokens["id_token"].as_str().unwrap()).await.is_error(401, "invalid_token");
    browser.userinfo(tokens["refresh_token"].as_str().unwrap()).await.is_error(401, "invalid_token");
    let program = browser.program_token("payments-program").await.text("access_token");
    browser.userinfo(&program).await.is_error(401, "invalid_token");
    browser.bearer(access);
    browser.userinfo(access).await.is_error(400, "invalid_request");
    let mut altered = access.to_owned();
    let last = altered.pop().unwrap();
    altered.push(if last == 'A' { 'B' } else { 'A' });
    let refused = browser.userinfo(&altered).await;
    refused.is_error(401, "invalid_token");
    assert!(refused.header("www-authenticate").starts_with("Bearer realm=\"main\", error=\"invalid_token\""));
    let narrow = browser.ask(&web_request(&[("scope", "orders:read")])).await.code();
    let narrow = browser.redeem(&narrow, &[]).await.text("access_token");
    browser.userinfo(&narrow).await.is_error(403, "insufficient_scope");
}
