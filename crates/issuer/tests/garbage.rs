//! Every endpoint, given what makes no sense: an answer that says so, one event, and never a 500.

use axum::body::Body;
use http::{HeaderValue, Method, StatusCode};

use crate::fixture::{Answer, Browser, World, secret_of};

const FORM: &str = "application/x-www-form-urlencoded";

/// Queries and bodies that nobody means.
fn garbage() -> Vec<Vec<u8>> {
    let long = "x".repeat(70_000);
    let many = (0..100).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
    let texts = [
        "",
        "&&&===&",
        "%",
        "%zz=%zz",
        "=",
        "a=b&a=b",
        "client_id=web&client_id=web",
        "client_id=%00",
        "client_id=%ff%fe",
        "client_id=web&redirect_uri=%20javascript:alert(1)",
        "client_id=nobody&client_secret=nothing",
        "client_id=web&response_type=code&request=a.b.c",
        "client_id=web&request=eyJhbGciOiJub25lIn0.e30.",
        "client_id=web&request_uri=urn:ietf:params:oauth:request_uri:AAAA",
        "client_id=web&request_uri=http://169.254.169.254/",
        "client_id=web&response_type=code&claims=%7B%7B%7B",
        "client_id=web&response_type=code&max_age=99999999999999999999",
        "client_id=web&response_type=code&prompt=none+none&response_mode=web_message",
        "grant_type=",
        "grant_type=implicit&client_id=web",
        "grant_type=authorization_code&client_id=web&code=AAAA&code_verifier=AAAA",
        "grant_type=refresh_token&client_id=web&refresh_token=dw_rt_AAAA",
        "grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=web&device_code=A",
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&client_id=web&subject_token=a.b.c",
        "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&client_id=web&assertion=a.b.c",
        "grant_type=password&client_id=web&username=a&password=b",
        "client_assertion=a.b.c&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "token=%F0%9F%A6%80&client_id=web",
        "transaction=AAAA&username=alice&password=x&decision=allow",
        "transaction=%F0%9F%A6%80",
        "user_code=AAAA-AAAA",
        "id_token_hint=a.b.c&post_logout_redirect_uri=https://evil.example",
        many.as_str(),
        long.as_str(),
    ];
    let mut all: Vec<Vec<u8>> = texts.into_iter().map(|text| text.as_bytes().to_vec()).collect();
    all.push(vec![0xff; 64]);
    all.push(b"{\"grant_type\":\"client_credentials\"}".to_vec());
    all
}

/// What holds of whatever is answered to whatever was asked.
fn is_sane(answer: &Answer, asked: &str) {
    assert!(!answer.status.is_server_error(), "{asked}: {} {}", answer.status, answer.body);
    if answer.status.is_client_error() {
        assert_ne!(answer.header("cache-control"), "public", "{asked}");
        assert!(!answer.reason().is_empty() || answer.status == StatusCode::NOT_FOUND, "{asked}: a refusal says why: {:?}", answer.event);
        if answer.header("content-type") == "application/json" && answer.json().get("error").is_some() {
            assert_eq!(answer.header("cache-control"), "no-store", "{asked}");
        }
    }
}

async fn call(browser: &mut Browser<'_>, method: &str, target: &str, body: &[u8]) {
    let asked = format!("{method} {target} {}", String::from_utf8_lossy(body.get(..60).unwrap_or(body)));
    browser.cookies.clear();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let answer = browser.call(method, target, Body::from(body.to_vec())).await;
    is_sane(&answer, &asked);
}

/// AUTHZ-008, AUTHZ-023
#[tokio::test]
async fn whatever_is_sent_to_an_endpoint_is_answered_and_never_breaks_it() {
    let world = World::new().await;
    let mut browser = world.browser();
    let rows: Vec<_> = world.issuer.endpoints().iter().map(|row| (row.method, row.path)).collect();
    for (method, path) in rows {
        let path = path.replace("{realm}", "main").replace("{name}", "nobody").replace("{file}", "none");
        for text in garbage() {
            if method == "POST" {
                browser.headers.insert("content-type", HeaderValue::from_static(FORM));
                browser.headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
                call(&mut browser, method, &path, &text).await;
            } else if let Ok(query) = std::str::from_utf8(&text)
                && query.len() < 8000
                && !query.contains('{')
            {
                call(&mut browser, method, &format!("{path}?{query}"), b"").await;
            }
        }
        for (name, value) in [
            ("authorization", "Bearer"),
            ("authorization", "Bearer a.b.c"),
            ("authorization", "DPoP eyJ.."),
            ("authorization", "Basic !!!"),
            ("authorization", "Basic Og=="),
            ("authorization", "\u{e9}"),
            ("dpop", "a.b.c"),
            ("content-type", "application/json"),
            ("cookie", "__Host-dw-main=AAAA"),
        ] {
            browser.headers.insert(http::HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
            call(&mut browser, method, &path, b"a=b").await;
        }
    }
}

/// Unknown parameters are ignored (RFC 6749 section 3.1), duplicates are refused, and a body ends at 64 KiB.
#[tokio::test]
async fn unknown_parameters_are_ignored_and_bodies_end() {
    let world = World::new().await;
    let mut browser = world.browser();
    let secret = secret_of("payments-program");
    browser.basic("payments-program", &secret);
    let fine = browser.token(&[("grant_type", "client_credentials"), ("utm_source", "x"), ("nonsense", "\u{1F980}")]).await;
    assert_eq!(fine.status, StatusCode::OK, "{}", fine.body);
    browser.basic("payments-program", &secret);
    browser.token(&[("grant_type", "client_credentials"), ("x", "1"), ("x", "2")]).await.is_error(400, "invalid_request");
    for (length, status) in [(60 * 1024, StatusCode::OK), (64 * 1024, StatusCode::PAYLOAD_TOO_LARGE)] {
        browser.basic("payments-program", &secret);
        let padding = "x".repeat(length);
        let answer = browser.token(&[("grant_type", "client_credentials"), ("padding", &padding)]).await;
        assert_eq!(answer.status, status, "{length}: {}", answer.body);
    }
}
