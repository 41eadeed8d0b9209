//! Clients that nobody registered, and that are known by a document of their own.

use durward_base::Duration;
use durward_testsite::Site;
use http::Response;
use serde_json::{Value, json};

use crate::fixture::{Answer, Browser, World, web_request};

const REDIRECT: &str = "https://radar.example/cb";

/// A realm that takes such clients, and a site where one describes itself.
async fn world(site: &Site) -> World {
    let world = World::trusting(site.roots()).await;
    world
        .change_realm("main", |realm| {
            realm.client_id_metadata_documents = true;
            realm.registration_scopes = ["openid", "profile", "orders:read", "offline_access"].map(str::to_owned).to_vec();
            realm.registration_services = vec!["shop".to_owned()];
        })
        .await;
    world
}

fn document(site: &Site) -> Value {
    json!({
        "client_id": site.url("/client.json"), "client_name": "Parcel Radar", "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none",
        "policy_uri": "https://radar.example/privacy?a=1&b=2", "tos_uri": "https://radar.example/terms",
    })
}

fn publish(site: &Site, path: &str, document: &Value) {
    site.answers(path, json_answer(document.to_string()));
}

fn json_answer(body: String) -> Response<String> {
    Response::builder().header("content-type", "application/json").body(body).unwrap()
}

async fn ask(browser: &mut Browser<'_>, client_id: &str) -> Answer {
    browser.ask(&request(client_id)).await
}

/// The page that asks alice about the client whose document stands at `/client.json`.
async fn asked_for_consent(site: &Site, browser: &mut Browser<'_>) -> Answer {
    publish(site, "/client.json", &document(site));
    let arrived = browser.arrive(&request(&site.url("/client.json")), "alice").await;
    browser.follow(&arrived).await
}

fn request(client_id: &str) -> Vec<(&str, &str)> {
    web_request(&[("client_id", client_id), ("redirect_uri", REDIRECT), ("scope", "openid orders:read")])
}

#[tokio::test]
async fn a_client_is_known_by_its_document_from_the_request_to_the_last_token() {
    let site = Site::open().await;
    let world = world(&site).await;
    let client_id = site.url("/client.json");
    let mut browser = world.browser();
    let page = asked_for_consent(&site, &mut browser).await;
    assert!(
        page.body.contains("Parcel Radar") && page.body.contains("id=\"known-by\"") && page.body.contains("<strong>localhost</strong>")
    );
    for link in ["href=\"https://radar.example/privacy?a=1&#38;b=2\"", ">Terms of service</a>"] {
        assert!(page.body.contains(link), "{link}: {}", page.body);
    }
    let allowed = browser.decide(&page, "allow").await;
    assert!(allowed.location().starts_with(&format!("{REDIRECT}?code=")), "{}", allowed.location());

    let client = [("client_id", client_id.as_str()), ("redirect_uri", REDIRECT)];
    let tokens = browser.redeem(&allowed.code(), &client).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let told = browser.userinfo(&tokens.text("access_token")).await;
    assert_eq!(told.status, 200, "{}", told.body);
    let refreshed = browser.refresh(&tokens.text("refresh_token"), &[("client_id", &client_id)]).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.body);
    assert_eq!(site.seen().len(), 1, "the document was read once");
    let consents = browser.get("/realms/main/account/consents").await.body;
    assert!(consents.contains(&client_id) && !consents.contains("that is gone"), "{consents}");
    let discovery = browser.get("/realms/main/.well-known/openid-configuration").await.json();
    assert_eq!(discovery["client_id_metadata_document_supported"], true);
    assert!(ask(&mut browser, &client_id).await.location().starts_with(REDIRECT), "what was allowed is remembered");

    world.change_realm("main", |realm| realm.client_id_metadata_documents = false).await;
    browser.refresh(&refreshed.text("refresh_token"), &[("client_id", &client_id)]).await.is_error(401, "invalid_client");
    assert_eq!(ask(&mut browser, &client_id).await.reason(), "client.unknown");
    let discovery = browser.get("/realms/main/.well-known/openid-configuration").await.json();
    assert!(discovery.get("client_id_metadata_document_supported").is_none());
}

#[tokio::test]
async fn a_document_is_read_again_when_its_time_is_over_and_a_missing_one_ends_its_client() {
    let site = Site::open().await;
    let world = world(&site).await;
    let client_id = site.url("/client.json");
    let mut browser = world.browser();
    assert_eq!(ask(&mut browser, &client_id).await.reason(), "client.unknown");
    let answer = Response::builder()
        .header("content-type", "application/json")
        .header("cache-control", "max-age=120")
        .body(document(&site).to_string())
        .unwrap();
    site.answers("/client.json", answer);
    assert!(ask(&mut browser, &client_id).await.location().contains("/login?"), "a document that is missing is not remembered so");
    site.answers("/client.json", Response::builder().status(404).body(String::new()).unwrap());
    world.clock.advance(Duration::from_secs(119));
    assert!(ask(&mut browser, &client_id).await.location().contains("/login?"));
    world.clock.advance(Duration::from_secs(1));
    let gone = ask(&mut browser, &client_id).await;
    assert_eq!((gone.reason(), gone.event.detail.as_deref()), ("client.unknown", Some("client_document/localhost")));
    assert_eq!(site.seen().len(), 3);
}

/// DCR-002, DCR-006: what a document may not say, each of which leaves the client unknown.
#[tokio::test]
async fn a_document_that_is_not_one_of_its_client_is_none() {
    let site = Site::open().await;
    let world = world(&site).await;
    let wrong = [
        ("another client_id", "client_id", json!("https://other.example/client.json")),
        ("a client_id in another spelling", "client_id", json!(site.url("/wrong.json").replace("localhost", "LOCALHOST"))),
        ("no client_id", "client_id", Value::Null),
        ("a secret", "client_secret", json!("s3cret")),
        ("a secret's end", "client_secret_expires_at", json!(0)),
        ("a secret in Basic", "token_endpoint_auth_method", json!("client_secret_basic")),
        ("a secret in the body", "token_endpoint_auth_method", json!("client_secret_post")),
        ("a JWT under a secret", "token_endpoint_auth_method", json!("client_secret_jwt")),
        ("an ID token under a secret", "id_token_signed_response_alg", json!("HS256")),
        ("a redirect in the clear", "redirect_uris", json!(["http://radar.example/cb"])),
        ("a redirect with a wildcard", "redirect_uris", json!(["https://*.example/cb"])),
        ("no redirect", "redirect_uris", json!([])),
        ("itself", "grant_types", json!(["client_credentials"])),
        ("a device", "grant_types", json!(["urn:ietf:params:oauth:grant-type:device_code"])),
        ("a second document", "sector_identifier_uri", json!(site.url("/sector"))),
        ("keys inside", "jwks_uri", json!("https://10.0.0.1/jwks")),
        ("a logo inside", "logo_uri", json!("https://169.254.169.254/logo")),
        ("people as another host knows them", "subject_type", json!("pairwise")),
        ("our name", "client_name", json!("Harbour Web")),
        ("an invisible name", "client_name", json!("a\u{202e}b")),
    ];
    for (attack, name, value) in wrong {
        let mut document = document(&site);
        document["client_id"] = json!(site.url("/wrong.json"));
        document[name] = value;
        publish(&site, "/wrong.json", &document);
        let refused = ask(&mut world.browser(), &site.url("/wrong.json")).await;
        assert_eq!((refused.status.as_u16(), refused.reason()), (400, "client.unknown"), "{attack}");
        world.clock.advance(Duration::from_secs(300));
    }
    assert!(site.seen().iter().all(|request| request.uri().path() == "/wrong.json"), "nothing else is fetched");
    let mut wrong = document(&site);
    wrong["client_id"] = json!(site.url("/wrong.json"));
    publish(&site, "/wrong.json", &wrong);
    assert!(ask(&mut world.browser(), &site.url("/wrong.json")).await.location().contains("/login?"), "but for what follows");
    world.clock.advance(Duration::from_secs(300));
    for (attack, answer) in [
        ("no JSON", json_answer("<html>".to_owned())),
        ("an array", json_answer("[]".to_owned())),
        ("a member twice", json_answer(r#"{"client_id":"a","client_id":"b"}"#.to_owned())),
        ("endless", json_answer(" ".repeat(17 * 1024))),
        ("a text", Response::builder().header("content-type", "text/plain").body(wrong.to_string()).unwrap()),
        ("of no type", Response::new(wrong.to_string())),
        ("a redirect", Response::builder().status(302).header("location", site.url("/client.json")).body(String::new()).unwrap()),
        ("not quite success", Response::builder().status(203).header("content-type", "application/json").body(wrong.to_string()).unwrap()),
    ] {
        publish(&site, "/client.json", &document(&site));
        site.answers("/wrong.json", answer);
        assert_eq!(ask(&mut world.browser(), &site.url("/wrong.json")).await.reason(), "client.unknown", "{attack}");
        world.clock.advance(Duration::from_secs(300));
    }
}

/// DCR-001, DCR-002: nothing inside is ever called, however it is spelled.
#[tokio::test]
async fn no_client_id_leads_inside() {
    let site = Site::open().await;
    let world = world(&site).await;
    publish(&site, "/client.json", &document(&site));
    let spelled = |from: &str, to: &str| site.url("/client.json").replace(from, to);
    let attacks = [
        "http://localhost/client.json".to_owned(),
        "https://10.0.0.1/client.json".to_owned(),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://[fd00::1]/client.json".to_owned(),
        "https://0x0a000001/client.json".to_owned(),
        "https://167772161/client.json".to_owned(),
        "https://metadata.google.internal/client.json".to_owned(),
        "https://intranet/client.json".to_owned(),
        "https://localhost:22/client.json".to_owned(),
        "ftp://localhost/client.json".to_owned(),
        "javascript:alert(1)".to_owned(),
        spelled("https://", "https://user@"),
        spelled("https://", "https://user:secret@"),
        spelled("/client.json", "/client.json#a"),
        spelled("/client.json", "/client.json?a=b"),
        spelled("/client.json", "/a/../client.json"),
        spelled("/client.json", "/./client.json"),
        spelled("/client.json", "/%2e/client.json"),
        spelled("/client.json", ""),
        spelled("localhost", "LOCALHOST"),
        spelled("https", "HTTPS"),
        spelled("/client.json", &format!("/{}", "a".repeat(255))),
    ];
    for attack in &attacks {
        let refused = ask(&mut world.browser(), attack).await;
        assert_eq!((refused.status.as_u16(), refused.reason()), (400, "client.unknown"), "DCR-001 {attack}");
        let token = [("grant_type", "refresh_token"), ("client_id", attack.as_str()), ("refresh_token", "x")];
        world.browser().token(&token).await.is_error(401, "invalid_client");
    }
    assert!(site.seen().is_empty(), "{:?}", site.seen());
}

/// DCR-007: nobody makes us fetch without end.
#[tokio::test]
async fn one_address_causes_so_many_fetches_a_minute() {
    let site = Site::open().await;
    let world = world(&site).await;
    let mut browser = world.browser();
    for number in 0..70 {
        assert_eq!(ask(&mut browser, &site.url(&format!("/{number}"))).await.reason(), "client.unknown");
    }
    assert_eq!(site.seen().len(), 60);
    publish(&site, "/client.json", &document(&site));
    assert_eq!(ask(&mut browser, &site.url("/client.json")).await.reason(), "client.unknown");
    let mut other = world.browser();
    other.address = ([198, 51, 100, 9], 4711).into();
    assert!(ask(&mut other, &site.url("/client.json")).await.location().contains("/login?"));
}

/// The pages of such a client read what they are answered, by the document that is read for them; which one is on its way, a preflight does
/// not know.
#[tokio::test]
async fn a_client_in_a_browser_is_answered_at_its_own_origin() {
    let site = Site::open().await;
    let world = world(&site).await;
    let client_id = site.url("/client.json");
    let mut browser = world.browser();
    let page = asked_for_consent(&site, &mut browser).await;
    let code = browser.decide(&page, "allow").await.code();
    for (origin, allowed) in
        [("https://radar.example", true), ("https://evil.example", true), ("http://radar.example", false), ("null", false)]
    {
        browser.with("origin", origin).with("access-control-request-method", "GET");
        let asked = browser.call(http::Method::OPTIONS, "/realms/main/oauth2/userinfo", axum::body::Body::empty()).await;
        assert_eq!(asked.header("access-control-allow-origin") == origin, allowed, "{origin}");
    }
    browser.with("origin", "https://radar.example");
    let tokens = browser.redeem(&code, &[("client_id", &client_id), ("redirect_uri", REDIRECT)]).await;
    assert_eq!(tokens.header("access-control-allow-origin"), "https://radar.example", "{}", tokens.body);
    for (origin, reads) in [("https://radar.example", true), ("https://evil.example", false)] {
        browser.with("origin", origin);
        let told = browser.userinfo(&tokens.text("access_token")).await;
        assert_eq!((told.status.as_u16(), told.header("access-control-allow-origin") == origin), (200, reads), "{origin}");
    }
}
