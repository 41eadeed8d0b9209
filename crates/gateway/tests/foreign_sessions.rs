//! Browsers' sessions of people who log in at another OpenID provider.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "the fixture has more than this needs")]

mod fixture;

use std::collections::BTreeMap;

use durward_base::{Duration, Secret, Timestamp, base64url};
use durward_gateway::{BrowserSettings, ForeignProvider};
use durward_jose::{Algorithm, HmacKey, SigningKey};
use durward_model::{CredentialKind, EgressRules};
use durward_net::{Client, Egress};
use durward_node::KeySets;
use durward_seal::{BrowserMarks, RootKey, StateKeys};
use durward_testkit::{FakeClock, seeded};
use durward_testsite::Site;
use fixture::{Answer, Fixture, NAVIGATES, PUBLIC_URL, SCRIPT};
use http::Response;
use serde_json::{Value, json};
use url::Url;

const CLIENT: &str = "shop-gateway";

/// A gateway, another provider, and one browser.
struct World {
    gateway: Fixture,
    provider: Site,
    key: SigningKey,
    cookies: BTreeMap<String, String>,
}

fn policy() -> Value {
    let text = r#"permit (principal, action == Action::"inventory:read", resource is Stock) when { context has known_browser && context.known_browser };"#;
    json!({"kind": "policy", "name": "known", "text": text})
}

impl World {
    async fn new() -> Self {
        let (provider, key) = (Site::open().await, SigningKey::generate(Algorithm::ES256).unwrap());
        let egress = Egress::new(EgressRules { loopback: true }, provider.roots().as_bytes().to_vec());
        let key_sets = KeySets::new(egress.clone(), FakeClock::at(Timestamp::from_seconds(1_800_000_000)).clock());
        let scopes = vec!["openid".to_owned(), "shop".to_owned()];
        let settings = BrowserSettings {
            realm: "main".to_owned(),
            issuer: provider.url(""),
            reached_at: String::new(),
            foreign: Some(ForeignProvider { service: "shop".to_owned(), scopes, egress, key_sets }),
            client: CLIENT.to_owned(),
            secret: Secret::new("the gateway's secret"),
            idle: Duration::from_secs(8 * 3600),
        };
        let root = RootKey::generate(&seeded(7));
        let keys = (StateKeys::of_gateways(&root), BrowserMarks::of_gateways(&root));
        let upstream = fixture::upstream().await;
        let mut gateway = Fixture::made(upstream, |gateway| gateway.with_browsers(vec![settings], keys, Client::new(None))).await;
        let route = |name: &str, more: Value| {
            let mut route = json!({"kind": "route", "name": name, "path": format!("/{name}"), "upstream": format!("http://{upstream}"),
                "service": "shop", "accept": ["browser_session"]});
            more.as_object().unwrap().iter().for_each(|(name, value)| route[name] = value.clone());
            route
        };
        let known = json!({"authorize": {"action": "inventory:read", "resource": "Stock::\"lamp\""}});
        gateway.declare([
            route("app", json!({"require": {"roles": ["customer"], "scopes": ["shop"]}})),
            route("elsewhere", json!({"service": "other", "require": {"authenticated": true}})),
            route("known", known),
            policy(),
            Self::issuer(&provider, false),
        ]);
        let world = Self { gateway, provider, key, cookies: BTreeMap::new() };
        world.describes(json!({}));
        world.provider.answers("/jwks", Response::new(json!({"keys": [world.key.jwk()]}).to_string()));
        world
    }

    fn issuer(provider: &Site, disabled: bool) -> Value {
        json!({"kind": "trusted_issuer", "name": "partner", "issuer": provider.url(""), "jwks_uri": provider.url("/jwks"), "algorithms": ["ES256"],
            "roles_claim": "groups", "roles": {"buyers": "customer"}, "scopes": ["shop"], "disabled": disabled})
    }

    /// What the provider says of itself.
    fn describes(&self, changed: Value) {
        let at = |path| self.provider.url(path);
        let mut description = json!({"issuer": at(""), "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
            "revocation_endpoint": at("/revoke"), "end_session_endpoint": at("/end"), "jwks_uri": at("/jwks"),
            "authorization_response_iss_parameter_supported": true});
        changed.as_object().unwrap().iter().for_each(|(name, value)| description[name] = value.clone());
        self.provider.answers("/.well-known/openid-configuration", Response::new(description.to_string()));
    }

    async fn ask(&mut self, method: &str, target: &str, fields: &[(&str, &str)], body: &str) -> Answer {
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        let mut fields = fields.to_vec();
        if !cookies.is_empty() {
            fields.push(("Cookie", &cookies));
        }
        let answer = self.gateway.send(method, target, &fields, body).await;
        for line in answer.head.lines().filter_map(|line| line.strip_prefix("set-cookie: ")) {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            match value {
                "" => self.cookies.remove(name),
                value => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        answer
    }

    async fn navigate(&mut self, target: &str) -> Answer {
        self.ask("GET", target, &NAVIGATES, "").await
    }

    async fn script(&mut self, target: &str) -> (u16, String) {
        let answer = self.ask("GET", target, &SCRIPT, "").await;
        (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
    }

    fn claims(&self, changed: Value) -> Value {
        let now = self.gateway.clock.clock().now();
        let mut claims = json!({"iss": self.provider.url(""), "sub": "dora", "aud": CLIENT, "sid": "s1", "iat": now.seconds(),
            "auth_time": now.seconds(), "exp": now.seconds() + 3600, "groups": ["buyers"]});
        changed.as_object().unwrap().iter().for_each(|(name, value)| claims[name] = value.clone());
        claims
    }

    /// From now on, what the token endpoint grants.
    fn grants(&self, changed: Value) {
        self.answers(json!({"refresh_token": "r1", "id_token": self.key.sign("JWT", &self.claims(changed)).unwrap()}));
    }

    fn answers(&self, changed: Value) {
        let mut body = json!({"access_token": "opaque", "token_type": "Bearer"});
        changed.as_object().unwrap().iter().for_each(|(name, value)| body[name] = value.clone());
        self.provider.answers("/token", Response::new(body.to_string()));
    }

    /// Goes where an address leads, to the provider and back with a code: what it was asked, and the callback's address.
    async fn sent(&mut self, target: &str) -> (BTreeMap<String, String>, String) {
        let mut answer = self.navigate(target).await;
        if let Some(own) = answer.header("location").filter(|to| to.starts_with("/.durward/login?")).map(str::to_owned) {
            answer = self.navigate(&own).await;
        }
        assert_eq!(answer.status, 303, "{answer:?}");
        let url = Url::parse(answer.header("location").unwrap()).unwrap();
        assert_eq!(url.as_str().split('?').next().unwrap(), self.provider.url("/authorize"));
        let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        let back = format!("/.durward/callback/main?code=c&state={}&iss={}", query["state"], self.provider.url(""));
        (query, back)
    }

    async fn log_in(&mut self) {
        let (query, back) = self.sent("/app?page=2").await;
        self.grants(json!({"nonce": query["nonce"]}));
        let answer = self.navigate(&back).await;
        assert_eq!((answer.status, answer.header("location").unwrap()), (303, format!("{PUBLIC_URL}/app?page=2").as_str()), "{answer:?}");
    }

    fn later(&mut self, seconds: u64) {
        self.gateway.clock.advance(Duration::from_secs(seconds));
        self.gateway.declare([]);
    }
}

#[tokio::test]
async fn somebody_who_logs_in_elsewhere_is_a_principal_of_that_issuer() {
    let mut world = World::new().await;
    let (query, back) = world.sent("/app?page=2").await;
    assert_eq!(query["redirect_uri"], format!("{PUBLIC_URL}/.durward/callback/main"));
    assert_eq!((query["scope"].as_str(), query["code_challenge_method"].as_str()), ("openid shop", "S256"));
    world.grants(json!({"nonce": query["nonce"]}));
    let answer = world.navigate(&back).await;
    assert_eq!((answer.status, answer.header("location").unwrap()), (303, format!("{PUBLIC_URL}/app?page=2").as_str()), "{answer:?}");
    assert_eq!(world.gateway.event(&answer).await.target.as_deref(), Some("person/partner|dora"));
    let answer = world.navigate("/app?page=2").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["fields"]["cookie"], Value::Null, "the session goes no further");
    let caller = world.gateway.event(&answer).await.caller.clone().unwrap();
    let credential = caller.credential.as_ref().unwrap();
    assert_eq!((caller.id.as_str(), caller.roles.as_slice()), ("partner|dora", &["customer".to_owned()][..]));
    assert_eq!((credential.kind, credential.issuer.as_str()), (CredentialKind::BrowserSession, world.provider.url("").as_str()));
    assert_eq!(credential.key.as_deref(), Some(world.key.kid()));
    assert_eq!(world.script("/elsewhere").await, (401, "audience_mismatch".to_owned()), "a session is for one service");
    let record = format!("{:?}", world.gateway.events().await);
    assert!(!record.contains("opaque") && !record.contains("r1\""), "SESS-005");
}

/// RP-001, RP-009, JOSE-003, SESS-001: a login ends in the browser and with the provider it began with, or not at all.
#[tokio::test]
async fn what_is_no_answer_of_that_provider_to_this_login_makes_no_session() {
    let mut world = World::new().await;
    let (query, back) = world.sent("/app").await;
    world.grants(json!({"nonce": query["nonce"]}));
    let kept = world.cookies.clone();
    for wrong in [
        back.replace("/callback/main", "/callback"),
        back.replace("/callback/main", "/callback/other"),
        back.replace("state=", "state=x"),
        back.split("&iss").next().unwrap().to_owned(),
        back.replace(&world.provider.url(""), "https://evil.example"),
        back.replace(&world.provider.url(""), fixture::ISSUER),
    ] {
        assert_eq!(world.navigate(&wrong).await.json()["code"], "login_unexpected", "{wrong}");
        world.cookies.clone_from(&kept);
    }
    let public = serde_json::to_string(&world.key.jwk()).unwrap();
    let stranger = SigningKey::generate(Algorithm::ES256).unwrap();
    for (case, reason) in [
        (json!({"nonce": "another"}), "nonce_mismatch"),
        (json!({"aud": "another"}), "audience_mismatch"),
        (json!({"aud": [CLIENT, "another"]}), "audience_mismatch"),
        (json!({"azp": "another"}), "azp_mismatch"),
        (json!({"iss": "https://evil.example"}), "issuer_mismatch"),
        (json!({"exp": 1}), "token_expired"),
        (json!({"sub": ""}), "claim_missing"),
    ] {
        let (query, back) = world.sent("/app").await;
        let mut claims = json!({"nonce": query["nonce"]});
        case.as_object().unwrap().iter().for_each(|(name, value)| claims[name] = value.clone());
        world.grants(claims);
        let answer = world.navigate(&back).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (502, Some(reason)), "{case}");
    }
    let (query, _) = world.sent("/app").await;
    let claims = world.claims(json!({"nonce": query["nonce"]}));
    for (id_token, reason) in [
        (stranger.sign("JWT", &claims).unwrap(), "assertion.key_unknown"),
        (HmacKey::new(world.key.kid(), public.as_bytes()).unwrap().sign("JWT", &claims).unwrap(), "alg_mismatch"),
        (world.key.sign("at+jwt", &claims).unwrap(), "typ_mismatch"),
    ] {
        let (_, back) = world.sent("/app").await;
        world.answers(json!({"id_token": id_token}));
        assert_eq!(world.navigate(&back).await.json()["code"], reason);
    }
    let (_, back) = world.sent("/app").await;
    let away = Response::builder().status(302).header("location", "https://evil.example/token").body("").unwrap();
    world.provider.answers("/token", away);
    assert_eq!(world.navigate(&back).await.json()["code"], "login_unavailable");
    assert!(!world.cookies.contains_key("__Host-dw-app-main"));
}

#[tokio::test]
async fn a_provider_that_says_it_is_another_is_not_gone_to() {
    for lie in [
        json!({"issuer": "https://evil.example"}),
        json!({"authorization_endpoint": "http://evil.example"}),
        json!({"token_endpoint": null}),
    ] {
        let mut world = World::new().await;
        world.describes(lie.clone());
        let own = world.navigate("/app").await.header("location").unwrap().to_owned();
        assert!(own.starts_with("/.durward/login?"), "{own}");
        assert_eq!(world.navigate(&own).await.json()["code"], "login_unavailable", "{lie}");
    }
}

/// SESS-009, SESS-010
#[tokio::test]
async fn a_session_lasts_as_long_as_the_provider_says_that_it_is_the_same_person() {
    let mut world = World::new().await;
    world.log_in().await;
    world.later(301);
    world.grants(json!({"groups": []}));
    assert_eq!(world.script("/app").await, (403, "role_missing".to_owned()), "what they are is asked again");
    world.later(301);
    world.provider.answers("/token", Response::builder().status(500).body("").unwrap());
    assert_eq!(world.script("/app").await, (503, "cannot_resolve".to_owned()), "nobody is logged out by a provider that is away");
    world.grants(json!({}));
    assert_eq!(world.script("/app").await.0, 200);
    for somebody_else in [false, true] {
        let mut world = World::new().await;
        world.log_in().await;
        world.later(301);
        let id_token = somebody_else.then(|| world.key.sign("JWT", &world.claims(json!({"sub": "eve"}))).unwrap());
        world.answers(json!({"id_token": id_token}));
        assert_eq!(world.script("/app").await, (401, "credential_unknown".to_owned()));
        assert_eq!(world.navigate("/app").await.status, 303, "they log in again");
    }
    let mut world = World::new().await;
    world.log_in().await;
    world.later(301);
    world.provider.answers("/token", Response::builder().status(400).body(r#"{"error":"invalid_grant"}"#).unwrap());
    assert_eq!(world.script("/app").await, (401, "credential_unknown".to_owned()));
}

#[tokio::test]
async fn a_session_that_nothing_renews_ends_with_its_id_token() {
    let mut world = World::new().await;
    let (query, back) = world.sent("/app").await;
    world.answers(json!({"id_token": world.key.sign("JWT", &world.claims(json!({"nonce": query["nonce"]}))).unwrap()}));
    assert_eq!(world.navigate(&back).await.status, 303);
    world.later(3599);
    assert_eq!(world.script("/app").await.0, 200);
    let asked = world.provider.seen().len();
    world.later(1);
    assert_eq!(world.script("/app").await, (401, "credential_unknown".to_owned()));
    assert_eq!(world.provider.seen().len(), asked);
}

#[tokio::test]
async fn a_session_is_dead_when_its_issuer_is_trusted_no_more() {
    let mut world = World::new().await;
    world.log_in().await;
    assert_eq!(world.script("/app").await.0, 200);
    world.gateway.declare([World::issuer(&world.provider, true)]);
    assert_eq!(world.script("/app").await.0, 401);
}

/// JOSE-054
#[tokio::test]
async fn a_logout_token_of_that_provider_ends_the_sessions_it_names_and_a_bad_one_none() {
    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
    let mut world = World::new().await;
    world.log_in().await;
    let now = world.gateway.clock.clock().now().seconds();
    let event = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    let claims =
        json!({"iss": world.provider.url(""), "aud": CLIENT, "iat": now, "exp": now + 120, "jti": "j1", "sid": "s1", "events": event});
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims
    };
    let stranger = SigningKey::generate(Algorithm::ES256).unwrap();
    for bad in [
        stranger.sign("logout+jwt", &claims).unwrap(),
        world.key.sign("at+jwt", &claims).unwrap(),
        world.key.sign("logout+jwt", &changed("aud", json!("another"))).unwrap(),
        world.key.sign("logout+jwt", &changed("nonce", json!("n"))).unwrap(),
        world.key.sign("logout+jwt", &changed("events", json!({}))).unwrap(),
        world.key.sign("logout+jwt", &changed("iss", json!(fixture::ISSUER))).unwrap(),
        world.key.sign("logout+jwt", &changed("exp", json!(now + 3600))).unwrap(),
    ] {
        let body = format!("logout_token={bad}");
        let length = body.len().to_string();
        let answer = world.gateway.send("POST", "/.durward/backchannel-logout", &[FORM, ("content-length", &length)], &body).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert_eq!(world.script("/app").await.0, 200);
    }
    let body = format!("logout_token={}", world.key.sign("logout+jwt", &claims).unwrap());
    let length = body.len().to_string();
    let answer = world.gateway.send("POST", "/.durward/backchannel-logout", &[FORM, ("content-length", &length)], &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(world.script("/app").await.0, 401);
    let answer = world.gateway.send("POST", "/.durward/backchannel-logout", &[FORM, ("content-length", &length)], &body).await;
    assert_eq!(answer.status, 400, "a second time");
}

/// SESS-006
#[tokio::test]
async fn who_signs_out_here_signs_out_there_and_the_cookie_of_before_is_dead() {
    let mut world = World::new().await;
    world.log_in().await;
    let kept = world.cookies.clone();
    world.provider.answers("/revoke", Response::new(""));
    world.answers(json!({"refresh_token": "r2", "id_token": world.key.sign("JWT", &world.claims(json!({}))).unwrap()}));
    let own = [("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "navigate"), ("content-length", "0")];
    let answer = world.ask("POST", "/.durward/logout", &own, "").await;
    let url = Url::parse(answer.header("location").unwrap_or_else(|| panic!("{answer:?}"))).unwrap();
    let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    assert_eq!(url.path(), "/end");
    assert_eq!((query["client_id"].as_str(), query["post_logout_redirect_uri"].clone()), (CLIENT, format!("{PUBLIC_URL}/")));
    assert!(query.contains_key("id_token_hint"));
    let revoked = world.provider.seen().into_iter().find(|request| request.uri().path() == "/revoke").unwrap();
    assert!(String::from_utf8(revoked.body().to_vec()).unwrap().contains("token=r2"), "the last of them");
    world.cookies = kept;
    assert_eq!(world.script("/app").await.0, 401);
}

#[tokio::test]
async fn policies_may_ask_whether_the_person_had_used_this_browser_before() {
    let mut world = World::new().await;
    world.log_in().await;
    assert_eq!(world.script("/known").await.0, 403, "the first time");
    world.cookies.remove("__Host-dw-app-main");
    world.later(60);
    world.log_in().await;
    assert_eq!(world.script("/known").await.0, 200, "the next time");
    let mark = world.cookies["__Host-dw-known-main"].clone();
    assert!(!String::from_utf8_lossy(&base64url::decode(&mark).unwrap()).contains("dora"));
    for forged in ["AAAA".to_owned(), mark.replace(&mark[..4], "AAAB"), String::new()] {
        world.cookies.insert("__Host-dw-known-main".to_owned(), forged);
        assert_eq!(world.script("/known").await.0, 403, "a mark of nobody's making");
    }
}
