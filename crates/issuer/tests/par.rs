//! RFC 9126: requests by the back channel, and what comes of a request URI in a browser.

use durward_base::Duration;
use durward_testkit::dpop::DpopKey;
use http::StatusCode;

use crate::fixture::{Answer, Browser, ISSUER, NOW, World, authorize, partner, secret_of, web_request};

const PAR: &str = "/realms/main/oauth2/par";

async fn push(browser: &mut Browser<'_>, otherwise: &[(&str, &str)]) -> Answer {
    let secret = secret_of("partner");
    let request = [partner(otherwise), vec![("client_secret", secret.as_str())]].concat();
    browser.post(PAR, &request).await
}

async fn pushed(browser: &mut Browser<'_>) -> String {
    let answer = push(browser, &[]).await;
    assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::CREATED, "no-store"), "{}", answer.body);
    assert_eq!(answer.json()["expires_in"], 60);
    answer.text("request_uri")
}

fn at(client: &str, uri: &str) -> String {
    authorize(&[("client_id", client), ("request_uri", uri)])
}

/// PAR-001: one code for one request URI, whoever else has seen it.
#[tokio::test]
async fn a_request_uri_is_good_for_one_login() {
    let world = World::new().await;
    let (mut browser, mut other) = (world.browser(), world.browser());
    let uri = pushed(&mut browser).await;
    // Loading the page takes nothing away: programs load pages before people do.
    let theirs = other.get(&at("partner", &uri)).await;
    let asked = browser.get(&at("partner", &uri)).await;
    let page = browser.follow(&asked).await;
    let consent = browser.log_in(&page, "alice", crate::fixture::PASSWORD).await;
    let page = browser.follow(&consent).await;
    let arrived = browser.decide(&page, "allow").await;
    assert!(browser.redeem_as_partner(&arrived.code()).await.status.is_success());

    let again = browser.get(&at("partner", &uri)).await;
    assert_eq!((again.status, again.reason()), (StatusCode::BAD_REQUEST, "request_uri.replayed"));
    let page = other.follow(&theirs).await;
    let consent = other.log_in(&page, "bob", crate::fixture::PASSWORD).await;
    let page = other.follow(&consent).await;
    let late = other.decide(&page, "allow").await;
    assert_eq!((late.status, late.reason()), (StatusCode::BAD_REQUEST, "request_uri.replayed"), "the guard decides");
}

/// PAR-001, PAR-002
#[tokio::test]
async fn a_request_uri_of_others_or_of_long_ago_is_refused_here() {
    let world = World::new().await;
    let mut browser = world.browser();
    let uri = pushed(&mut browser).await;
    let foreign = browser.get(&at("web", &uri)).await;
    assert_eq!((foreign.status, foreign.reason()), (StatusCode::BAD_REQUEST, "request_uri.client_mismatch"));
    for elsewhere in ["https://evil.example/x", "http://127.0.0.1:1/", "http://169.254.169.254/latest", "file:///etc/passwd", "gopher://x/"]
    {
        let refused = browser.ask(&web_request(&[("request_uri", elsewhere)])).await;
        assert_eq!(refused.parameter("error").as_deref(), Some("request_uri_not_supported"), "{elsewhere}");
    }
    world.clock.advance(Duration::from_secs(60));
    let late = browser.get(&at("partner", &uri)).await;
    assert_eq!((late.status, late.reason()), (StatusCode::BAD_REQUEST, "request_uri.expired"));
    assert!(!late.headers.contains_key("location"));
}

/// PAR-003, PAR-004
#[tokio::test]
async fn only_the_client_itself_pushes_and_who_must_push_does() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.post(PAR, &partner(&[])).await.is_error(401, "invalid_client");
    browser.post(PAR, &[partner(&[]), vec![("client_secret", "wrong")]].concat()).await.is_error(401, "invalid_client");
    browser.basic("payments-program", &secret_of("payments-program"));
    browser.post(PAR, &partner(&[])).await.is_error(401, "invalid_client");
    push(&mut browser, &[("request_uri", "urn:ietf:params:oauth:request_uri:x")]).await.is_error(400, "invalid_request");
    push(&mut browser, &[("redirect_uri", "https://evil.example/")]).await.is_error(400, "invalid_request");

    world.change_client("partner", |client| client.require_pushed_authorization_requests = true).await;
    let plain = browser.ask(&partner(&[])).await;
    assert_eq!((plain.status, plain.reason()), (StatusCode::BAD_REQUEST, "request.not_pushed"));
    let uri = pushed(&mut browser).await;
    let asked = browser.get(&at("partner", &uri)).await;
    assert!(asked.location().contains("/login?"));

    world.change_realm("main", |realm| realm.require_pushed_authorization_requests = true).await;
    let document = browser.get("/realms/main/.well-known/openid-configuration").await.json();
    assert_eq!(document["require_pushed_authorization_requests"], true);
    assert_eq!(document["pushed_authorization_request_endpoint"], format!("{ISSUER}/oauth2/par"));
    assert_eq!(browser.ask(&web_request(&[])).await.parameter("error").as_deref(), Some("invalid_request"));
}

/// RFC 9449 10.1
#[tokio::test]
async fn a_proof_that_comes_with_a_pushed_request_binds_its_code() {
    let world = World::new().await;
    let (mut browser, key) = (world.browser(), DpopKey::generate());
    let url = ("POST", "https://auth.shop.example/realms/main/oauth2/par");
    browser.with("dpop", &key.proof(url, None, None, NOW));
    let nonce = push(&mut browser, &[]).await.is_error(400, "use_dpop_nonce").header("dpop-nonce").to_owned();
    browser.with("dpop", &key.proof(url, Some(&nonce), None, NOW));
    let other = DpopKey::generate().thumbprint();
    push(&mut browser, &[("dpop_jkt", &other)]).await.is_error(400, "invalid_dpop_proof");
    assert_eq!(push(&mut browser, &[("dpop_jkt", &other)]).await.status, StatusCode::CREATED);
}

/// AUTHZ-012: the page takes the answer along by itself, or by its button.
#[tokio::test]
async fn an_answer_can_be_posted_or_signed() {
    let world = World::new().await;
    let mut browser = world.browser();
    let page = browser.arrive(&web_request(&[("response_mode", "form_post")]), "alice").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert_eq!(page.attribute("<form", "action"), crate::fixture::WEB);
    assert_eq!(page.attribute("name=\"state\"", "value"), "af0ifjsldkj");
    let code = page.attribute("name=\"code\"", "value");
    assert!(browser.redeem(&code, &[]).await.status.is_success());

    let script = "\"><script>alert(1)</script>";
    let refused = browser.ask(&web_request(&[("response_mode", "form_post"), ("scope", "nonsense"), ("state", script)])).await;
    assert!(refused.body.contains("invalid_scope") && !refused.body.contains(script), "{}", refused.body);
    let theirs = browser.ask(&partner(&[("response_mode", "form_post"), ("scope", "nonsense")])).await;
    assert_eq!(theirs.status, StatusCode::BAD_REQUEST);
    assert_eq!(theirs.attribute("<form", "action"), "https://parcels.example/cb");

    let signed = browser.ask(&web_request(&[("response_mode", "jwt")])).await;
    assert!(signed.parameter("response").is_some() && signed.parameter("code").is_none());
}
