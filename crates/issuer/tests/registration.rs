//! RFC 7591 and RFC 7592 over a real store.

use axum::body::Body;
use durward_base::{Duration, KeyId};
use durward_model::resource::Registrations;
use durward_model::{InitialAccess, ResourceKind, Write};
use durward_oauth::registration::{AN_HOUR, CHANGES_AN_HOUR, initial_access};
use durward_seal::{HandleKeys, RootKey};
use durward_testkit::seeded;
use durward_testsite::Site;
use http::Method;
use serde_json::{Value, json};

use crate::fixture::{Answer, Browser, NOW, World, web_request};

const REGISTER: &str = "/realms/main/oauth2/register";

async fn open(registration: Registrations, roots: &str) -> World {
    let world = World::trusting(roots).await;
    world
        .change_realm("main", |realm| {
            realm.registration = registration;
            realm.registration_scopes = ["openid", "profile", "orders:read"].map(str::to_owned).to_vec();
            realm.registration_services = vec!["shop".to_owned()];
        })
        .await;
    world
}

async fn send(browser: &mut Browser<'_>, method: Method, target: &str, token: Option<&str>, body: &Value) -> Answer {
    if let Some(token) = token {
        browser.bearer(token);
    }
    browser.with("content-type", "application/json");
    browser.call(method, target, Body::from(body.to_string())).await
}

async fn register(world: &World, body: Value) -> Answer {
    let answer = send(&mut world.browser(), Method::POST, REGISTER, None, &body).await;
    world.sync().await;
    answer
}

fn web() -> Value {
    json!({ "client_name": "Parcel Radar", "redirect_uris": ["https://radar.example/cb"], "scope": "openid orders:read orders:write" })
}

fn with(name: &str, value: Value) -> Value {
    let mut body = web();
    body[name] = value;
    body
}

#[tokio::test]
async fn a_client_registers_reads_changes_and_removes_itself() {
    let world = open(Registrations::Open, "").await;
    let answer = register(&world, web()).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (201, "no-store"), "{}", answer.body);
    let told = answer.json();
    let (client_id, token) = (told["client_id"].as_str().unwrap(), told["registration_access_token"].as_str().unwrap());
    assert_eq!((&told["scope"], &told["token_endpoint_auth_method"]), (&json!("openid orders:read"), &json!("client_secret_basic")));
    assert_eq!((&told["grant_types"], &told["response_types"]), (&json!(["authorization_code"]), &json!(["code"])));
    assert!(told["client_secret"].as_str().unwrap().len() >= 43 && told["client_secret_expires_at"] == 0);
    let uri = told["registration_client_uri"].as_str().unwrap().strip_prefix("https://auth.shop.example").unwrap();

    let mut browser = world.browser();
    let read = send(&mut browser, Method::GET, uri, Some(token), &json!({})).await.json();
    assert_eq!(
        (&read["client_id"], &read["client_secret"], &read["client_name"]),
        (&told["client_id"], &Value::Null, &json!("Parcel Radar"))
    );
    for wrong in [None, Some("dw_reg_x"), Some(told["client_secret"].as_str().unwrap())] {
        send(&mut world.browser(), Method::GET, uri, wrong, &json!({})).await.is_error(401, "invalid_token");
    }

    let mut changed = with("client_name", json!("Parcel Sonar"));
    changed["client_id"] = json!(client_id);
    changed["scope"] = json!("openid");
    let after = send(&mut browser, Method::PUT, uri, Some(token), &changed).await;
    assert_eq!(after.status, 200, "{}", after.body);
    world.sync().await;
    let next = after.text("registration_access_token");
    assert_ne!(next, token, "RFC 7592: another one, and the old one is dead");
    send(&mut browser, Method::GET, uri, Some(token), &json!({})).await.is_error(401, "invalid_token");

    let gone = send(&mut browser, Method::DELETE, uri, Some(&next), &json!({})).await;
    assert_eq!(gone.status, 204, "{}", gone.body);
    world.sync().await;
    send(&mut browser, Method::GET, uri, Some(&next), &json!({})).await.is_error(401, "invalid_token");
    assert!(world.store.resource("main", ResourceKind::Client, client_id).await.unwrap().is_none());
}

/// DCR-004: each write is judged as a whole.
#[tokio::test]
async fn a_change_is_judged_as_a_registration_is() {
    let world = open(Registrations::Open, "").await;
    let told = register(&world, web()).await.json();
    let (client_id, token) = (&told["client_id"], told["registration_access_token"].as_str().unwrap());
    let uri = format!("{REGISTER}/{}", client_id.as_str().unwrap());
    let wrong = [
        ("redirect_uris", json!(["http://radar.example/cb"])),
        ("application_type", json!("sideways")),
        ("grant_types", json!(["urn:ietf:params:oauth:grant-type:token-exchange"])),
        ("token_endpoint_auth_method", json!("private_key_jwt")),
        ("client_id", json!("web")),
        ("client_secret", json!("another")),
        ("registration_access_token", json!(token)),
        ("jwks_uri", json!("https://127.0.0.2.example.internal/keys")),
    ];
    for (name, value) in wrong {
        let mut body = with("client_id", client_id.clone());
        body[name] = value;
        let refused = send(&mut world.browser(), Method::PUT, &uri, Some(token), &body).await;
        assert_eq!(refused.status, 400, "DCR-004 {name}: {}", refused.body);
    }
}

#[tokio::test]
async fn no_url_of_a_registration_leads_inside() {
    let world = open(Registrations::Token, "").await;
    let token = initial_token(&world, 1).await;
    let inside = [
        "http://example.com/",
        "https://169.254.169.254/",
        "https://10.0.0.1/",
        "https://[fd00::1]/",
        "https://0x0a000001/",
        "https://metadata.google.internal/",
        "https://user@example.com/",
        "https://example.com:22/",
        "ftp://example.com/",
        "javascript:alert(1)",
    ];
    for name in ["jwks_uri", "sector_identifier_uri", "client_uri", "logo_uri", "policy_uri", "tos_uri"] {
        for url in inside {
            let refused = send(&mut world.browser(), Method::POST, REGISTER, Some(&token), &with(name, json!(url))).await;
            refused.is_error(400, "invalid_client_metadata");
        }
    }
    for url in ["http://radar.example/cb", "https://radar.example/cb#a", "javascript:alert(1)", "http://127.0.0.1/cb", "com.example:/cb"] {
        let refused = send(&mut world.browser(), Method::POST, REGISTER, Some(&token), &with("redirect_uris", json!([url]))).await;
        refused.is_error(400, "invalid_redirect_uri");
    }
    let native = json!({ "application_type": "native", "redirect_uris": ["http://127.0.0.1/cb", "com.example.app:/cb"],
        "token_endpoint_auth_method": "none" });
    assert_eq!(send(&mut world.browser(), Method::POST, REGISTER, Some(&token), &native).await.status, 201);
    send(&mut world.browser(), Method::POST, REGISTER, Some(&token), &native).await.is_error(401, "invalid_token");
}

/// OpenID Connect Registration section 5.
#[tokio::test]
async fn a_sector_lists_every_address_of_its_clients() {
    let site = Site::open().await;
    let world = open(Registrations::Open, site.roots()).await;
    let asked = with("sector_identifier_uri", json!(site.url("/sector")));
    register(&world, asked.clone()).await.is_error(400, "invalid_client_metadata");
    site.answers("/sector", http::Response::new(json!(["https://other.example/cb"]).to_string()));
    register(&world, asked.clone()).await.is_error(400, "invalid_client_metadata");
    site.answers("/sector", http::Response::new(json!(["https://radar.example/cb"]).to_string()));
    assert_eq!(register(&world, asked).await.status, 201);
    let logo = register(&world, with("logo_uri", json!(site.url("/logo.svg")))).await;
    assert!(logo.status == 201 && site.seen().iter().all(|request| request.uri().path() == "/sector"), "DCR-002 a logo is never fetched");
}

/// DCR-002, DCR-004: what keeps strangers out of a sector is that they are told of people at its addresses alone.
#[tokio::test]
async fn nobody_is_told_what_people_are_called_in_a_sector_that_is_not_theirs() {
    let site = Site::open().await;
    let world = open(Registrations::Token, site.roots()).await;
    let token = initial_token(&world, 10).await;
    site.answers(
        "/sector",
        http::Response::new(json!(["https://radar.example/cb", "https://sonar.example/cb", "com.radar.app:/cb"]).to_string()),
    );
    let post = async |body: &Value| send(&mut world.browser(), Method::POST, REGISTER, Some(&token), body).await;
    let pairwise = with("subject_type", json!("pairwise"));
    let more = |members: Value| {
        let mut body = pairwise.clone();
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        body
    };
    let sector = site.url("/sector");
    let notified =
        json!({ "grant_types": ["urn:openid:params:grant-type:ciba"], "redirect_uris": [], "backchannel_token_delivery_mode": "poll" });
    for (attack, members) in [
        ("logout tokens", json!({ "backchannel_logout_uri": "https://evil.example/logout" })),
        ("logout tokens at another name of the host", json!({ "backchannel_logout_uri": "https://a.radar.example/logout" })),
        ("a device", json!({ "grant_types": ["urn:ietf:params:oauth:grant-type:device_code"] })),
        ("CIBA", notified),
        (
            "a sector that lists nothing of it",
            json!({ "sector_identifier_uri": sector, "redirect_uris": [], "grant_types": ["client_credentials"] }),
        ),
        (
            "an application of the sector",
            json!({ "sector_identifier_uri": sector, "application_type": "native", "redirect_uris": ["com.radar.app:/cb"] }),
        ),
    ] {
        let refused = post(&more(members)).await;
        assert_eq!(
            (refused.status.as_u16(), refused.text("error").as_str()),
            (400, "invalid_client_metadata"),
            "{attack}: {}",
            refused.body
        );
    }
    for members in [
        json!({ "backchannel_logout_uri": "https://radar.example:8443/logout" }),
        json!({ "sector_identifier_uri": sector, "backchannel_logout_uri": "https://radar.example/logout" }),
    ] {
        let answer = post(&more(members)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }
    let elsewhere = with("backchannel_logout_uri", json!("https://elsewhere.example/logout"));
    assert_eq!(post(&elsewhere).await.status, 201, "who knows people by their common name is told anywhere");
}

/// DCR-004: a client stays in the sector it was registered in, and outside if it was.
#[tokio::test]
async fn a_change_never_leads_into_another_sector() {
    let world = open(Registrations::Open, "").await;
    let (public, paired) = (web(), with("subject_type", json!("pairwise")));
    let elsewhere = |body: &Value| {
        let mut body = body.clone();
        body["redirect_uris"] = json!(["https://victim.example/cb"]);
        body
    };
    for (before, after, good) in [
        (&paired, elsewhere(&paired), false),
        (&paired, public.clone(), false),
        (&public, paired.clone(), false),
        (&public, elsewhere(&paired), false),
        (&public, elsewhere(&public), true),
    ] {
        let told = register(&world, before.clone()).await.json();
        let (client_id, token) = (told["client_id"].as_str().unwrap(), told["registration_access_token"].as_str().unwrap());
        let mut body = after.clone();
        body["client_id"] = json!(client_id);
        let answer = send(&mut world.browser(), Method::PUT, &format!("{REGISTER}/{client_id}"), Some(token), &body).await;
        assert_eq!(answer.status == 200, good, "{before} to {after}: {}", answer.body);
    }
}

/// DCR-004: a secret that was given up never comes back, and there is one at a time.
#[tokio::test]
async fn a_client_that_goes_over_to_keys_and_back_has_its_latest_secret_alone() {
    let world = open(Registrations::Open, "").await;
    let told = register(&world, with("grant_types", json!(["client_credentials"]))).await.json();
    let client_id = told["client_id"].as_str().unwrap();
    let uri = format!("{REGISTER}/{client_id}");
    let (mut token, mut secrets) = (told["registration_access_token"].as_str().unwrap().to_owned(), Vec::new());
    secrets.push(told["client_secret"].as_str().unwrap().to_owned());
    // The feed tells of nothing meanwhile: what counts is what the store has.
    for method in ["none", "client_secret_post", "client_secret_basic", "none", "client_secret_basic"] {
        let mut body = web();
        body["client_id"] = json!(client_id);
        body["token_endpoint_auth_method"] = json!(method);
        let answer = send(&mut world.browser(), Method::PUT, &uri, Some(&token), &body).await;
        assert_eq!(answer.status, 200, "{method}: {}", answer.body);
        token = answer.text("registration_access_token");
        secrets.extend(answer.json()["client_secret"].as_str().map(str::to_owned));
    }
    assert_eq!(secrets.len(), 3);
    let id = world.store.resource("main", ResourceKind::Client, client_id).await.unwrap().unwrap().id;
    let kept = world.store.client_secrets("main", durward_base::ClientId::from_bytes(id.to_bytes())).await.unwrap();
    assert_eq!(kept.iter().filter(|secret| secret.expires.is_none_or(|end| end > NOW)).count(), 1, "{kept:?}");
    world.sync().await;
    for (secret, good) in secrets.iter().zip([false, false, true]) {
        let mut browser = world.browser();
        browser.basic(client_id, secret);
        let answer =
            browser.token(&[("grant_type", "authorization_code"), ("code", "x"), ("redirect_uri", "https://radar.example/cb")]).await;
        answer.is_error(if good { 400 } else { 401 }, if good { "invalid_grant" } else { "invalid_client" });
    }
}

/// DCR-004: what people allowed, they allowed what they were shown.
#[tokio::test]
async fn a_client_that_changes_its_name_is_asked_about_again_even_while_somebody_reads() {
    let world = open(Registrations::Open, "").await;
    let told = register(&world, web()).await.json();
    let client_id = told["client_id"].as_str().unwrap();
    let mut token = told["registration_access_token"].as_str().unwrap().to_owned();
    let mut rename = async |name: &str| {
        let mut body = with("client_name", json!(name));
        body["client_id"] = json!(client_id);
        let answer = send(&mut world.browser(), Method::PUT, &format!("{REGISTER}/{client_id}"), Some(&token), &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        token = answer.text("registration_access_token");
        world.sync().await;
    };
    let asked = [("client_id", client_id), ("redirect_uri", "https://radar.example/cb"), ("scope", "openid")];
    let mut browser = world.browser();
    let consent = browser.arrive(&web_request(&asked), "alice").await;
    let page = browser.follow(&consent).await;
    rename("Your Bank").await;
    let late = browser.decide(&page, "allow").await;
    assert_eq!((late.status.as_u16(), late.reason()), (400, "form.stale"), "{}", late.body);
    let consent = browser.ask(&web_request(&asked)).await;
    let page = browser.follow(&consent).await;
    assert!(browser.decide(&page, "allow").await.parameter("code").is_some());
    assert!(browser.ask(&web_request(&asked)).await.parameter("code").is_some(), "what was allowed is remembered");
    rename("Parcel Radar").await;
    assert!(browser.ask(&web_request(&asked)).await.location().contains("/consent?"));
}

/// DCR-007: whoever has a client changes it so often and no more, whatever the changes are.
#[tokio::test]
async fn a_client_is_changed_so_often_an_hour_and_told_when_to_come_back() {
    let world = open(Registrations::Open, "").await;
    let told = register(&world, web()).await.json();
    let (client_id, token) = (told["client_id"].as_str().unwrap(), told["registration_access_token"].as_str().unwrap());
    let uri = format!("{REGISTER}/{client_id}");
    let put = async || send(&mut world.browser(), Method::PUT, &uri, Some(token), &web()).await;
    for _ in 0..CHANGES_AN_HOUR {
        assert_eq!(put().await.status, 400, "client_id is missing");
    }
    world.clock.advance(Duration::from_secs(60));
    let refused = put().await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "3540"));
    world.clock.advance(Duration::from_secs(3540));
    assert_eq!(put().await.status, 400);
}

#[tokio::test]
async fn a_registration_is_json_in_utf_8_and_what_it_says_twice_is_said() {
    let world = open(Registrations::Open, "").await;
    let twice = with("grant_types", json!(["authorization_code", "refresh_token", "authorization_code"]));
    assert_eq!(register(&world, twice).await.json()["grant_types"], json!(["authorization_code", "refresh_token"]));
    for (media, status) in [
        ("application/json; charset=UTF-8", 201),
        ("application/json;charset=\"utf-8\"", 201),
        ("application/json; charset=iso-8859-1", 415),
        ("application/json; charset=utf-16", 415),
        ("text/json", 415),
    ] {
        let mut browser = world.browser();
        let answer = browser.with("content-type", media).call(Method::POST, REGISTER, Body::from(web().to_string())).await;
        assert_eq!(answer.status.as_u16(), status, "{media}: {}", answer.body);
    }
}

/// DCR-006.
#[tokio::test]
async fn a_name_neither_hides_nor_passes_for_ours() {
    let world = open(Registrations::Open, "").await;
    for name in ["Harbour Web", "HARB0UR-WEB", "Нarbour\u{202e}", "a\u{200b}b", "", &"x".repeat(101), "Hаrbour Wеb"] {
        register(&world, with("client_name", json!(name))).await.is_error(400, "invalid_client_metadata");
    }
    let marked = register(&world, with("client_name", json!("<img src=x onerror=alert(1)>"))).await;
    assert_eq!(marked.status, 201, "it is text, and escaped wherever it is shown");
    let client_id = marked.text("client_id");
    let asked = [("client_id", client_id.as_str()), ("redirect_uri", "https://radar.example/cb"), ("scope", "openid")];
    let mut browser = world.browser();
    let consent = browser.arrive(&web_request(&asked), "alice").await;
    let page = browser.follow(&consent).await.body;
    assert!(page.contains("id=\"unverified\"") && page.contains("onerror") && !page.contains("<img src=x"), "{page}");
}

/// DCR-007.
#[tokio::test]
async fn registrations_are_bounded_and_what_is_not_used_goes() {
    let world = open(Registrations::Off, "").await;
    register(&world, web()).await.is_error(401, "invalid_token");
    world.change_realm("main", |realm| realm.registration = Registrations::Open).await;
    let mut last = String::new();
    for _ in 0..AN_HOUR {
        let answer = register(&world, web()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        last = answer.text("client_id");
    }
    world.clock.advance(Duration::from_secs(600));
    let refused = register(&world, web()).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "3000"), "none of an hour's comes back before it is over");
    refused.is_error(429, "temporarily_unavailable");
    world.store.expire(NOW + Duration::from_secs(25 * 3600)).await.unwrap();
    assert!(world.store.resource("main", ResourceKind::Client, &last).await.unwrap().is_none());
}

/// An initial access token, as an administrator makes it.
async fn initial_token(world: &World, uses: u32) -> String {
    let id = KeyId::new(NOW, &world.rng);
    let expires = NOW + Duration::from_secs(3600);
    let access = InitialAccess { id, realm: "main".to_owned(), note: "radar".to_owned(), created: NOW, expires, uses };
    world.write(&[Write::PutInitialAccess(access.clone())]).await;
    let realm = world.store.resource("main", ResourceKind::Realm, "main").await.unwrap().unwrap();
    let keys = HandleKeys::from_root(&RootKey::generate(&seeded(1)));
    initial_access(&access, &keys, durward_base::RealmId::from_bytes(realm.id.to_bytes())).expose().to_owned()
}

/// While two secrets are accepted, the record says which one was used.
#[tokio::test]
async fn of_two_secrets_each_is_good_until_it_ends_and_the_record_says_which_was_used() {
    use durward_base::{Secret, base64url};
    use durward_model::ClientSecret;
    use durward_seal::SecretHasher;

    let world = World::new().await;
    let named = |name: &'static str| async { world.store.resource("main", ResourceKind::Client, name).await.unwrap().unwrap().id };
    let client = durward_base::ClientId::from_bytes(named("payments-program").await.to_bytes());
    let realm = world.store.resource("main", ResourceKind::Realm, "main").await.unwrap().unwrap().id;
    let old = world.store.client_secrets("main", client).await.unwrap()[0].id;
    let (id, secret) = (KeyId::new(NOW, &world.rng), "n".repeat(43));
    let hasher = SecretHasher::from_root(&RootKey::generate(&seeded(1)));
    let realm_id = durward_base::RealmId::from_bytes(realm.to_bytes());
    let hash = base64url::encode(&hasher.hash(realm_id, client, &Secret::new(secret.as_str())));
    let at = NOW + Duration::from_secs(60);
    world
        .write(&[
            Write::ExpireClientSecret { realm: "main".to_owned(), secret: old, at },
            Write::PutClientSecret(ClientSecret { id, realm: "main".to_owned(), client, hash, created: NOW, expires: None }),
        ])
        .await;
    let ask = |secret: String| {
        let mut browser = world.browser();
        browser.basic("payments-program", &secret);
        async move { browser.token(&[("grant_type", "client_credentials")]).await }
    };
    let before = crate::fixture::secret_of("payments-program");
    for (secret, used) in [(&before, old), (&secret, id)] {
        let answer = ask(secret.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.event.detail.as_deref()), (200, Some(format!("client_secret/{used}").as_str())));
    }
    world.clock.advance(Duration::from_secs(60));
    ask(before).await.is_error(401, "invalid_client");
    assert_eq!(ask(secret).await.status, 200);
}
