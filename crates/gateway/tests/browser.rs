//! Browsers' sessions: logging in, coming back, renewal, logout, and all that must not get in.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the fixture has more than this needs")]

mod fixture;

use std::collections::BTreeMap;

use durward_base::{Duration, Secret, TokenId, base64url};
use durward_gateway::BrowserSettings;
use durward_model::{EventKind, Outcome, RevocationKind};
use durward_net::{Client, Trust};
use durward_seal::{BrowserMarks, RootKey, StateKeys};
use durward_testkit::seeded;
use durward_testsite::Site;
use fixture::{Answer, Fixture, ISSUER, NAVIGATES, PUBLIC_URL, SCRIPT};
use http::Response;
use serde_json::{Value, json};
use url::Url;

const CLIENT: &str = "shop-gateway";

/// A gateway with sessions, the authority's token endpoint, and one browser.
struct World {
    gateway: Fixture,
    authority: Site,
    cookies: BTreeMap<String, String>,
}

impl World {
    async fn new() -> Self {
        let authority = Site::open().await;
        let settings = BrowserSettings {
            realm: "main".to_owned(),
            issuer: ISSUER.to_owned(),
            reached_at: authority.url(""),
            foreign: None,
            client: CLIENT.to_owned(),
            secret: Secret::new("the gateway's secret"),
            idle: Duration::from_secs(8 * 3600),
        };
        let http = Client::new(Some(Trust::from_pem(authority.roots().as_bytes()).unwrap()));
        let root = RootKey::generate(&seeded(7));
        let keys = (StateKeys::of_gateways(&root), BrowserMarks::of_gateways(&root));
        let upstream = fixture::upstream().await;
        let mut gateway = Fixture::made(upstream, |gateway| gateway.with_browsers(vec![settings], keys, http)).await;
        let to = format!("http://{upstream}");
        let route = |name: &str, more: Value| {
            let mut route = json!({"kind": "route", "name": name, "path": format!("/{name}"), "upstream": to, "service": "shop",
                "accept": ["browser_session", "jwt"], "require": {"authenticated": true}});
            more.as_object().unwrap().iter().for_each(|(name, value)| route[name] = value.clone());
            route
        };
        gateway.declare([
            json!({"kind": "client", "name": CLIENT, "authentication": "client_secret_basic", "scopes": ["openid", "offline_access"],
                "redirect_uris": [format!("{PUBLIC_URL}/.durward/callback")], "post_logout_redirect_uris": [format!("{PUBLIC_URL}/")],
                "grants": ["authorization_code", "refresh_token"], "services": ["shop"]}),
            route("app", json!({})),
            route("strong", json!({"require": {"acr": "mfa"}})),
            route("elsewhere", json!({"service": "other"})),
        ]);
        Self { gateway, authority, cookies: BTreeMap::new() }
    }

    /// What the browser is answered; it keeps the cookies.
    async fn ask(&mut self, method: &str, target: &str, fields: &[(&str, &str)]) -> Answer {
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let mut fields = fields.to_vec();
        if !cookies.is_empty() {
            fields.push(("Cookie", &cookies));
        }
        let answer = self.gateway.send(method, target, &fields, "").await;
        for line in answer.head.lines().filter_map(|line| line.strip_prefix("set-cookie: ")) {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            assert!(line.contains("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{line}");
            match value {
                "" => self.cookies.remove(name),
                value => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        answer
    }

    async fn navigate(&mut self, target: &str) -> Answer {
        self.ask("GET", target, &NAVIGATES).await
    }

    /// From now on, what the token endpoint grants.
    fn grants(&self, changed: Value, nonce: &str) {
        let id_token = self.id_token(json!({"nonce": nonce}));
        self.answers(json!({"access_token": self.gateway.token_with("customer", changed), "token_type": "Bearer",
            "refresh_token": "dw_rt_1", "id_token": id_token, "expires_in": 300}));
    }

    fn answers(&self, body: Value) {
        self.authority.answers("/oauth2/token", Response::new(body.to_string()));
    }

    fn id_token(&self, changed: Value) -> String {
        let now = self.gateway.clock.clock().now();
        let mut claims = json!({"iss": ISSUER, "sub": "carla", "aud": CLIENT, "sid": "family-1", "acr": "pwd", "iat": now.seconds(),
            "exp": now.seconds() + 300});
        changed.as_object().unwrap().iter().for_each(|(name, value)| claims[name] = value.clone());
        self.gateway.key.sign("JWT", &claims).unwrap()
    }

    /// Goes where an address leads, to the authority and back with a code; the callback's address.
    async fn sent(&mut self, target: &str) -> (BTreeMap<String, String>, String) {
        let answer = self.navigate(target).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        let url = Url::parse(answer.header("location").unwrap()).unwrap();
        assert_eq!(url.as_str().split('?').next().unwrap(), format!("{ISSUER}/oauth2/authorize"));
        let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        let back = format!("/.durward/callback?code=c&state={}&iss={}", query["state"], ISSUER);
        (query, back)
    }

    async fn log_in(&mut self) {
        let (query, back) = self.sent("/app/orders?page=2").await;
        self.grants(json!({}), &query["nonce"]);
        let answer = self.navigate(&back).await;
        assert_eq!(
            (answer.status, answer.header("location").unwrap()),
            (303, format!("{PUBLIC_URL}/app/orders?page=2").as_str()),
            "{answer:?}"
        );
    }

    fn session(&self) -> &str {
        &self.cookies["__Host-dw-app-main"]
    }
}

#[tokio::test]
async fn somebody_who_shows_up_with_a_browser_logs_in_and_gets_what_they_came_for() {
    let mut world = World::new().await;
    let (query, back) = world.sent("/app/orders?page=2").await;
    assert_eq!(query["redirect_uri"], format!("{PUBLIC_URL}/.durward/callback"));
    assert_eq!(
        (query["scope"].as_str(), query["code_challenge_method"].as_str(), query["response_type"].as_str()),
        ("openid", "S256", "code")
    );
    world.grants(json!({}), &query["nonce"]);
    let answer = world.navigate(&back).await;
    assert_eq!(
        (answer.status, answer.header("location").unwrap()),
        (303, format!("{PUBLIC_URL}/app/orders?page=2").as_str()),
        "{answer:?}"
    );
    let event = world.gateway.event(&answer).await;
    assert_eq!((event.kind, event.chain.family.as_deref()), (EventKind::BrowserLoginEnded, Some("family-1")));
    // RFC 7636: what was sent then is what hashes to what was sent first.
    let asked = world.authority.asked(1).await;
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(asked[0].body()).into_owned().collect();
    let challenge = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, form["code_verifier"].as_bytes());
    assert_eq!(base64url::encode(challenge.as_ref()), query["code_challenge"]);

    let answer = world.navigate("/app/orders?page=2").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let heard = &answer.json()["fields"];
    assert!(heard["authorization"].as_str().unwrap().starts_with("Bearer "), "{heard}");
    assert_eq!(heard["cookie"], Value::Null, "the session goes no further");
    assert_eq!(answer.header("cache-control"), Some("private"), "GWPATH-013: the service saw an Authorization, and shared caches do not");
    let caller = world.gateway.event(&answer).await.caller.clone().unwrap();
    assert_eq!(caller.id, "carla");
    assert_eq!(caller.credential.as_ref().unwrap().kind, durward_model::CredentialKind::BrowserSession);
    // SESS-005: neither the session nor what is in it stands in the record.
    let record = format!("{:?}", world.gateway.events().await);
    assert!(!record.contains(world.session()) && !record.contains("dw_rt_1"));
    assert!(!String::from_utf8(base64url::decode(world.session()).unwrap()).is_ok_and(|clear| clear.contains("dw_rt_1")));
}

#[tokio::test]
async fn scripts_are_told_that_nobody_is_logged_in_and_decide_for_themselves() {
    let mut world = World::new().await;
    for fields in [&SCRIPT[..], &[("accept", "application/json")], &[("sec-fetch-mode", "no-cors"), ("accept", "text/html")]] {
        let answer = world.ask("GET", "/app", fields).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (401, Some("no_credential")), "{fields:?}");
        assert_eq!(answer.header("set-cookie"), None);
    }
    let answer = world.ask("GET", "/.durward/session", &SCRIPT).await;
    assert_eq!((answer.status, answer.json()), (401, json!({"authenticated": false, "login": "/.durward/login"})));
    world.log_in().await;
    let answer = world.ask("GET", "/.durward/session", &SCRIPT).await;
    assert_eq!((answer.status, &answer.json()["sub"], &answer.json()["roles"]), (200, &json!("carla"), &json!(["customer"])));
    let answer = world.ask("GET", "/.durward/login?return_to=//evil.example", &NAVIGATES).await;
    assert_eq!(answer.status, 303);
    let answer = world.ask("DELETE", "/.durward/session", &SCRIPT).await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET")));
}

#[tokio::test]
async fn a_login_ends_only_in_the_browser_it_began_in_and_only_once() {
    // RP-001, SESS-001
    let mut world = World::new().await;
    let (query, back) = world.sent("/app").await;
    world.grants(json!({}), &query["nonce"]);
    let kept = std::mem::take(&mut world.cookies);
    assert_eq!(world.navigate(&back).await.json()["code"], "login_unexpected", "another browser");
    world.cookies.clone_from(&kept);
    for wrong in [
        back.replace("state=", "state=x"),
        back.replace(ISSUER, "https://evil.example"),
        back.split("&iss").next().unwrap().to_owned(),
        back.replace("code=c", "code=c&code=d"),
        format!("{back}&state=x"),
    ] {
        assert_eq!(world.navigate(&wrong).await.json()["code"], "login_unexpected", "{wrong}");
        world.cookies.clone_from(&kept);
    }
    assert!(world.authority.seen().is_empty(), "the token endpoint was asked");
    assert_eq!(world.navigate(&back).await.status, 303);
    assert_eq!(world.navigate(&back).await.json()["code"], "login_unexpected", "a second time");
}

#[tokio::test]
async fn an_id_token_that_is_not_the_answer_to_this_login_makes_no_session() {
    let mut world = World::new().await;
    let rows = [
        (json!({"nonce": "another"}), "nonce_mismatch"),
        (json!({"nonce": null}), "claim_malformed"),
        (json!({"aud": "another"}), "audience_mismatch"),
        (json!({"aud": [CLIENT, "another"]}), "audience_mismatch"),
        (json!({"iss": "https://evil.example"}), "issuer_mismatch"),
        (json!({"exp": 1}), "token_expired"),
    ];
    for (changed, reason) in rows {
        let (query, back) = world.sent("/app").await;
        world.grants(json!({}), &query["nonce"]);
        let mut claims = json!({"nonce": query["nonce"]});
        changed.as_object().unwrap().iter().for_each(|(name, value)| claims[name] = value.clone());
        world.answers(json!({"access_token": world.gateway.token("customer"), "refresh_token": "r", "id_token": world.id_token(claims)}));
        let answer = world.navigate(&back).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (502, Some(reason)), "{changed}");
        assert!(!world.cookies.contains_key("__Host-dw-app-main"), "{changed}");
    }
    // RP-009
    let (_, back) = world.sent("/app").await;
    let away = Response::builder().status(302).header("location", "https://evil.example/token").body("").unwrap();
    world.authority.answers("/oauth2/token", away);
    assert_eq!(world.navigate(&back).await.json()["code"], "login_unavailable");
}

#[tokio::test]
async fn another_site_changes_nothing_with_a_session_and_reads_nothing() {
    let mut world = World::new().await;
    world.log_in().await;
    for fields in [
        &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")][..],
        &[("sec-fetch-site", "same-site"), ("origin", "https://other.shop.example")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[],
    ] {
        for method in ["POST", "PUT", "DELETE"] {
            let answer = world.ask(method, "/app", fields).await;
            assert_eq!((answer.status, answer.json()["code"].as_str()), (403, Some("session_foreign_origin")), "{method} {fields:?}");
        }
        let answer = world.ask("POST", "/.durward/logout", fields).await;
        assert_eq!(answer.status, 403, "{fields:?}");
    }
    let own = [("sec-fetch-site", "same-origin"), ("origin", PUBLIC_URL), ("content-length", "0")];
    assert_eq!(world.ask("POST", "/app", &own).await.status, 200);
    // GWID-008
    let bearer = format!("Bearer {}", world.gateway.token("clerk"));
    let answer = world.ask("GET", "/app", &[("authorization", &bearer)]).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (400, Some("two_credentials")));
    let answer = world.ask("GET", "/me", &SCRIPT).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (401, Some("credential_not_accepted")));
}

#[tokio::test]
async fn a_session_is_renewed_once_for_all_tabs_and_nobody_loses_it() {
    // SESS-009, SESS-010
    let mut world = World::new().await;
    world.log_in().await;
    let before = world.session().to_owned();
    world.gateway.clock.advance(Duration::from_secs(320));
    world.gateway.declare([]);
    world.grants(json!({}), "");
    let asked = world.authority.seen().len();
    let mut renewed = None;
    for _ in 0..3 {
        world.cookies.insert("__Host-dw-app-main".to_owned(), before.clone());
        let answer = world.ask("GET", "/app", &SCRIPT).await;
        assert_eq!(
            (answer.status, answer.header("cache-control")),
            (200, Some(if answer.header("set-cookie").is_some() { "no-store" } else { "private" }))
        );
        renewed = renewed.or_else(|| Some(world.session().to_owned()).filter(|session| *session != before));
    }
    assert_eq!(world.authority.seen().len(), asked + 1, "renewed once");
    world.cookies.insert("__Host-dw-app-main".to_owned(), renewed.expect("one of the tabs is given the next cookie"));
    // The authority is away: nobody is logged out by that.
    world.gateway.clock.advance(Duration::from_secs(320));
    world.gateway.declare([]);
    world.authority.answers("/oauth2/token", Response::builder().status(500).body("").unwrap());
    let answer = world.ask("GET", "/app", &SCRIPT).await;
    assert_eq!((answer.status, answer.json()["code"].as_str(), answer.header("set-cookie")), (503, Some("cannot_resolve"), None));
    // It says that the login is over.
    world.authority.answers("/oauth2/token", Response::builder().status(400).body(r#"{"error":"invalid_grant"}"#).unwrap());
    let answer = world.ask("GET", "/app", &SCRIPT).await;
    assert_eq!((answer.status, answer.json()["code"].as_str(), answer.header("set-cookie")), (401, Some("credential_unknown"), None));
    assert_eq!(world.navigate("/app").await.status, 303);
    // Nobody came for eight hours.
    world.grants(json!({}), "");
    world.gateway.clock.advance(Duration::from_secs(8 * 3600));
    world.gateway.declare([]);
    assert_eq!(world.ask("GET", "/app", &SCRIPT).await.status, 401);
}

#[tokio::test]
async fn a_session_dies_with_what_it_hangs_on_and_survives_a_change_of_roles() {
    let mut world = World::new().await;
    world.log_in().await;
    assert_eq!(world.ask("GET", "/app", &SCRIPT).await.status, 200);
    // A watermark ends the token: the next one says what is so since.
    world.gateway.revoke(RevocationKind::Subject, "carla");
    world.gateway.clock.advance(Duration::from_secs(1));
    world.grants(json!({"roles": ["clerk"]}), "");
    let answer = world.ask("GET", "/app", &SCRIPT).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(world.gateway.event(&answer).await.caller.as_ref().unwrap().roles, ["clerk"]);
    world.gateway.revoke(RevocationKind::Family, "family-1");
    let answer = world.ask("GET", "/app", &SCRIPT).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (401, Some("family_revoked")));
    let answer = world.navigate("/app").await;
    assert_eq!(answer.status, 303);
    let event = world.gateway.event(&answer).await;
    assert_eq!((event.outcome, event.reason.as_deref()), (Outcome::Denied, Some("family_revoked")));
}

#[tokio::test]
async fn a_planted_or_mangled_cookie_is_no_session() {
    // SESS-003, SESS-004
    let mut world = World::new().await;
    world.log_in().await;
    let good = world.session().to_owned();
    let clear = base64url::encode(br#"{"sub":"carla","roles":["admin"]}"#);
    let long = "A".repeat(5000);
    for planted in [clear.as_str(), &good[..good.len() - 4], &format!("{good}AAAA"), "x", &long] {
        world.cookies.insert("__Host-dw-app-main".to_owned(), planted.to_owned());
        let answer = world.ask("GET", "/app", &SCRIPT).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (401, Some("credential_unknown")), "{planted:.40}");
        assert_eq!(world.ask("GET", "/.durward/session", &SCRIPT).await.status, 401);
        assert!(!world.cookies.contains_key("__Host-dw-app-main"), "what is nobody's is removed");
    }
    let twice = format!("__Host-dw-app-main={good}; __Host-dw-app-main={good}");
    let answer = world.gateway.get("/app", &[("Cookie", &twice)]).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (400, Some("two_credentials")));
    // What is sealed for a login under way is no session.
    world.cookies.clear();
    world.sent("/app").await;
    let pending = world.cookies["__Host-dw-pending-main"].clone();
    world.cookies.insert("__Host-dw-app-main".to_owned(), pending);
    assert_eq!(world.ask("GET", "/app", &SCRIPT).await.status, 401);
}

#[tokio::test]
async fn a_stronger_login_is_asked_for_where_one_is_needed_and_a_session_is_for_its_own_service() {
    let mut world = World::new().await;
    world.log_in().await;
    let (query, back) = world.sent("/strong").await;
    assert_eq!(query["acr_values"], "mfa");
    // The login was as weak as before: nobody is sent round and round.
    world.grants(json!({}), &query["nonce"]);
    assert_eq!(world.navigate(&back).await.json()["code"], "login_too_weak");
    let answer = world.navigate("/elsewhere").await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (401, Some("audience_mismatch")));
}

#[tokio::test]
async fn signing_out_ends_the_family_and_goes_on_to_where_the_person_logged_in() {
    // SESS-006
    let mut world = World::new().await;
    world.log_in().await;
    world.authority.answers("/oauth2/revoke", Response::builder().status(500).body("").unwrap());
    let own = [("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "navigate"), ("origin", PUBLIC_URL), ("content-length", "0")];
    let answer = world.ask("POST", "/.durward/logout", &own).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (503, Some("logout_unavailable")), "half a logout is none");
    world.authority.answers("/oauth2/revoke", Response::new(""));
    let answer = world.ask("POST", "/.durward/logout", &own).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    let url = Url::parse(answer.header("location").unwrap()).unwrap();
    let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!((query["client_id"].as_str(), query["post_logout_redirect_uri"].as_str()), (CLIENT, format!("{PUBLIC_URL}/").as_str()));
    assert!(!query["id_token_hint"].is_empty());
    assert!(!world.cookies.contains_key("__Host-dw-app-main"));
    let revoked = world.authority.seen().into_iter().rfind(|request| request.uri().path() == "/oauth2/revoke").unwrap();
    assert_eq!(revoked.body().as_ref(), b"token=dw_rt_1&token_type_hint=refresh_token");
    assert_eq!(world.gateway.event(&answer).await.kind, EventKind::BrowserLoggedOut);
}

#[tokio::test]
async fn a_logout_token_ends_the_sessions_it_names_and_a_bad_one_none() {
    // JOSE-054
    let mut world = World::new().await;
    world.log_in().await;
    let now = world.gateway.clock.clock().now();
    let token = |typ: &str, changed: Value| {
        let mut claims = json!({"iss": ISSUER, "aud": CLIENT, "sub": "carla", "sid": "family-1", "iat": now.seconds(),
            "exp": now.seconds() + 120, "jti": TokenId::new(now, &world.gateway.rng).to_string(),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}}});
        changed.as_object().unwrap().iter().for_each(|(name, value)| claims[name] = value.clone());
        let claims: serde_json::Map<_, _> = claims.as_object().unwrap().clone().into_iter().filter(|(_, value)| !value.is_null()).collect();
        world.gateway.key.sign(typ, &claims).unwrap()
    };
    let none = format!("{}.{}.", base64url::encode(br#"{"alg":"none","typ":"logout+jwt"}"#), base64url::encode(b"{}"));
    let bad = [
        none,
        token("JWT", json!({})),
        token("logout+jwt", json!({"nonce": "x"})),
        token("logout+jwt", json!({"events": null})),
        token("logout+jwt", json!({"events": {}})),
        token("logout+jwt", json!({"sub": null, "sid": null})),
        token("logout+jwt", json!({"iat": now.seconds() - 3600})),
        token("logout+jwt", json!({"iat": null})),
        token("logout+jwt", json!({"aud": "another"})),
        token("logout+jwt", json!({"jti": null})),
        token("logout+jwt", json!({"iss": "https://evil.example"})),
    ];
    let good = token("logout+jwt", json!({}));
    for token in bad {
        let answer = told(&world.gateway, &token).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (400, Some("logout_rejected")), "{token}");
        assert_eq!(world.gateway.event(&answer).await.kind, EventKind::LogoutReceived);
    }
    assert_eq!(world.ask("GET", "/app", &SCRIPT).await.status, 200);
    assert_eq!(told(&world.gateway, &good).await.status, 200);
    assert_eq!(world.ask("GET", "/app", &SCRIPT).await.status, 401);
    assert_eq!(told(&world.gateway, &good).await.status, 400, "replayed");
}

async fn told(gateway: &Fixture, token: &str) -> Answer {
    let body = format!("logout_token={token}");
    let length = body.len().to_string();
    let fields = [("content-type", "application/x-www-form-urlencoded"), ("content-length", length.as_str())];
    gateway.send("POST", "/.durward/backchannel-logout", &fields, &body).await
}
