//! Scripts of other origins: what they may send, and whose may read what is answered.

use axum::body::Body;
use http::{Method, StatusCode};

use crate::fixture::{Answer, Browser, ISSUER, World, authorize, web_request};

const OWN: &str = "https://shop.example";
const SHARED: [(&str, &str); 3] = [("oauth2/token", "POST"), ("oauth2/revoke", "POST"), ("oauth2/userinfo", "GET, POST")];

async fn preflight(browser: &mut Browser<'_>, path: &str, origin: &str) -> Answer {
    browser.with("origin", origin).with("access-control-request-method", "POST").with("access-control-request-headers", "authorization");
    browser.call(Method::OPTIONS, &format!("{ISSUER}/{path}"), Body::empty()).await
}

fn assert_closed(answer: &Answer, place: &str) {
    let opened = answer.headers.keys().filter(|name| name.as_str().starts_with("access-control-")).collect::<Vec<_>>();
    assert!(opened.is_empty(), "{place}: {opened:?}");
}

#[tokio::test]
async fn an_application_in_a_browser_logs_people_in_from_its_own_origin() {
    let world = World::new().await;
    let mut browser = world.browser();
    for (path, methods) in SHARED {
        let allowed = preflight(&mut browser, path, OWN).await;
        assert_eq!(allowed.status, StatusCode::NO_CONTENT, "{path}");
        assert_eq!(allowed.header("access-control-allow-origin"), OWN);
        assert_eq!(allowed.header("access-control-allow-methods"), methods);
        assert_eq!(allowed.header("access-control-allow-headers"), "authorization, content-type, dpop");
        assert_eq!(allowed.header("vary"), "Origin");
    }
    let code = browser.arrive(&web_request(&[]), "alice").await.code();
    browser.with("origin", OWN);
    let redeemed = browser.redeem(&code, &[]).await;
    assert_eq!((redeemed.status, redeemed.header("access-control-allow-origin")), (StatusCode::OK, OWN));
    browser.with("origin", OWN);
    let userinfo = browser.userinfo(&redeemed.text("access_token")).await;
    assert_eq!((userinfo.status, userinfo.header("access-control-allow-origin")), (StatusCode::OK, OWN));
    browser.with("origin", OWN);
    let again = browser.redeem(&code, &[]).await;
    again.is_error(400, "invalid_grant");
    assert_eq!(again.header("access-control-allow-origin"), OWN, "errors are for it to read as well");
    for answer in [redeemed, userinfo, again] {
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    }
}

/// AUTHZ-013: `null`, suffixes, other ports, other schemes, lists, userinfo tricks, other clients' and disabled ones'.
#[tokio::test]
async fn scripts_of_no_other_origin_read_anything() {
    let world = World::new().await;
    let mut browser = world.browser();
    let code = browser.arrive(&web_request(&[]), "alice").await.code();
    let token = browser.redeem(&code, &[]).await.text("access_token");
    for origin in [
        "null",
        "*",
        "https:",
        "https://",
        "https://shop.example/",
        "https://shop.example/callback",
        "https://shop.example.evil.example",
        "https://evilshop.example",
        "https://evil.shop.example",
        "https://shop.example:443",
        "https://shop.example:8443",
        "https://shop.example@evil.example",
        "https://SHOP.example",
        "http://shop.example",
        "https://shop.example https://evil.example",
        "https://evil.example",
        "https://auth.shop.example",
    ] {
        for (path, _) in SHARED {
            let refused = preflight(&mut browser, path, origin).await;
            assert_eq!((refused.status, refused.reason()), (StatusCode::FORBIDDEN, "origin.unregistered"), "{path} {origin}");
            assert_closed(&refused, origin);
        }
        browser.with("origin", origin);
        let read = browser.userinfo(&token).await;
        assert_eq!((read.status, read.header("vary")), (StatusCode::OK, "Origin"), "the token decides what is answered, not the origin");
        assert_closed(&read, origin);
        browser.with("origin", origin);
        assert_closed(&browser.redeem("x", &[]).await, origin);
    }
    browser.with("origin", OWN).with("origin", OWN);
    assert_closed(&browser.userinfo(&token).await, "an origin twice");
    world.change_client("web", |client| client.disabled = true).await;
    assert_closed(&preflight(&mut browser, "oauth2/token", OWN).await, "a disabled client's");
}

#[tokio::test]
async fn documents_are_for_everybodys_scripts_and_pages_for_nobodys() {
    let world = World::new().await;
    let mut browser = world.browser();
    for path in ["oauth2/jwks", ".well-known/openid-configuration"] {
        browser.with("origin", "https://anybody.example");
        let read = browser.get(&format!("{ISSUER}/{path}")).await;
        assert_eq!((read.status, read.header("access-control-allow-origin")), (StatusCode::OK, "*"), "{path}");
        assert!(!read.headers.contains_key("access-control-allow-credentials"));
    }
    let page = authorize(&web_request(&[]));
    for path in [page.as_str(), "/realms/main/login", "/realms/main/consent", "/realms/main/account", "/realms/main/oauth2/logout"] {
        browser.with("origin", OWN);
        assert_closed(&browser.get(path).await, path);
        browser.with("origin", OWN).with("access-control-request-method", "POST");
        let refused = browser.call(Method::OPTIONS, path, Body::empty()).await;
        assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_closed(&refused, path);
    }
    let introspect = preflight(&mut browser, "oauth2/introspect", OWN).await;
    assert_eq!(introspect.status, StatusCode::METHOD_NOT_ALLOWED, "for clients with a credential of their own, which no browser keeps");
    assert_closed(&introspect, "oauth2/introspect");
}
