use axum::Router;
use axum::routing::{get, post};
use durward_base::{ResourceId, TokenId};
use durward_enforce::{IdentityIssuer, View};
use durward_feed::Snapshot;
use durward_jose::{Algorithm, SigningKey};
use durward_model::resource::{Policy, Realm, Resource, Role, Schema, Stored};
use durward_model::{Key, KeyState, KeyUse, Position, Record, Revocation, RevocationKind};
use durward_node::Shared;
use durward_testkit::{FakeClock, seeded};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;

mod ways_in;

const ISSUER: &str = "https://auth.example/realms/main";
const GATEWAY: &str = "https://auth.example/gateways/main";

struct Fixture {
    verifier: Verifier,
    clock: FakeClock,
    key: SigningKey,
    gateway: IdentityIssuer,
    router: Router,
    _directory: tempfile::TempDir,
}

async fn read(caller: Authenticated) -> Result<String, Problem> {
    let caller = caller.authorize("inventory:read", ("Stock", "lamp"))?;
    Ok(caller.id.clone())
}

async fn restock(caller: Authenticated, transaction: Transaction) -> Result<String, Problem> {
    caller.require_role("clerk")?;
    Ok(transaction.trace_id().to_owned())
}

async fn reserve(caller: Authenticated) -> Result<(), Problem> {
    caller.require_caller("payments").map(|_| ())
}

async fn forgetful(_: Authenticated) -> &'static str {
    "secret"
}

async fn busy(caller: Authenticated) -> Result<(), Problem> {
    caller.allow_any()?;
    Err(Problem::new(StatusCode::CONFLICT, "out_of_stock", "There are none left."))
}

impl Fixture {
    fn new() -> Self {
        Self::asking(Arc::new(durward_node::NoAuthority))
    }

    fn asking(authority: Arc<dyn durward_node::Resolve>) -> Self {
        let clock = FakeClock::at(Timestamp::from_seconds(1_800_000_000));
        let rng = seeded(1);
        let directory = tempfile::tempdir().unwrap();
        let journal = crate::journal::open(directory.path(), &"service/inventory".into(), clock.clock(), rng.clone()).unwrap();
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let gateway = IdentityIssuer::new(GATEWAY.to_owned(), SigningKey::generate(Algorithm::ES256).unwrap());
        let verifier = Verifier::for_tests(Shared::new(View::default(), journal), authority, clock.clock(), rng);
        let router = Router::new()
            .route("/stock/lamp", get(read))
            .route("/stock/lamp/restock", post(restock))
            .route("/stock/lamp/reserve", post(reserve))
            .route("/forgetful", get(forgetful))
            .route("/busy", get(busy))
            .layer(verifier.layer("inventory"));
        let fixture = Self { verifier, clock, key, gateway, router, _directory: directory };
        fixture.publish(1, Vec::new());
        fixture
    }

    fn publish(&self, seq: u64, further: Vec<Record>) {
        let mut records = records(&[(&self.key, ISSUER, KeyUse::Token), (self.gateway.key(), GATEWAY, KeyUse::Identity)]);
        records.extend(further);
        let follow = self.verifier.0.shared.following(|snapshot, previous: &View| View::compile(snapshot, Some(previous)).0);
        follow.snapshot(&Snapshot::new(Position { epoch: 1, seq }, records));
        follow.heard(self.clock.clock().now());
    }

    fn token(&self, changed: Value) -> String {
        let now = self.clock.clock().now();
        let mut claims = json!({
            "iss": ISSUER, "sub": "carla", "aud": "inventory", "client_id": "web", "scope": "shop", "roles": ["customer"], "sid": "family-1",
            "ses": "session-1", "iat": now.seconds(), "exp": now.seconds() + 300, "jti": TokenId::new(now, &seeded(7)).to_string(),
        });
        for (name, value) in changed.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let claims: serde_json::Map<_, _> = claims.as_object().unwrap().clone().into_iter().filter(|(_, value)| !value.is_null()).collect();
        self.key.sign("at+jwt", &claims).unwrap()
    }

    fn service_token(&self, service: &str) -> String {
        self.token(json!({"sub": service, "client_id": service, "svc": service, "sid": null, "ses": null, "roles": []}))
    }

    async fn call(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> (u16, Value, Event) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (status, id) = (response.status().as_u16(), response.headers()["x-request-id"].to_str().unwrap().to_owned());
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let body = serde_json::from_slice(&body).unwrap_or_else(|_| json!(String::from_utf8_lossy(&body)));
        let mut events = self.verifier.0.shared.journal().tail(100).await.unwrap();
        events.retain(|event| event.id.to_string() == id);
        assert_eq!(events.len(), 1, "exactly one event for {method} {path}");
        (status, body, events.remove(0))
    }

    async fn call_as(&self, method: &str, path: &str, token: &str) -> (u16, Value, Event) {
        self.call(method, path, &[("authorization", &format!("Bearer {token}"))]).await
    }
}

fn records(keys: &[(&SigningKey, &str, KeyUse)]) -> Vec<Record> {
    let schema = r#"entity Stock; action "inventory:read" appliesTo { principal: [Durward::User, Durward::Service], resource: [Stock] };"#;
    let policy = r#"permit (principal in Durward::Role::"customer", action == Action::"inventory:read", resource == Stock::"lamp");"#;
    let resources = [
        Resource::Realm(Realm::named("main")),
        Resource::Role(Role { name: "customer".to_owned(), description: None }),
        Resource::Schema(Schema { name: "inventory".to_owned(), text: schema.to_owned() }),
        Resource::Policy(Policy { name: "inventory".to_owned(), text: policy.to_owned() }),
    ];
    let stored = |(resource, number)| {
        let id = ResourceId::from_bytes([number; 16]);
        Record::Resource(Box::new(Stored { id, realm: "main".to_owned(), version: 1, resource }))
    };
    let key = |(key, issuer, key_use): &(&SigningKey, &str, KeyUse)| {
        Record::Key(Key {
            kid: key.kid().to_owned(),
            realm: "main".to_owned(),
            issuer: (*issuer).to_owned(),
            key_use: *key_use,
            algorithm: key.algorithm().to_string(),
            state: KeyState::Active,
            since: Timestamp::default(),
            jwk: serde_json::to_value(key.jwk()).unwrap(),
        })
    };
    resources.into_iter().zip(1_u8..).map(stored).chain(keys.iter().map(key)).collect()
}

#[tokio::test]
async fn only_a_credential_made_for_the_service_comes_in() {
    let shop = Fixture::new();
    let token = shop.token(json!({}));
    let altered = format!("{}A{}", &token[..token.len() - 20], &token[token.len() - 19..]);
    let bearer = |token: &str| format!("Bearer {token}");
    let rows = [
        ("none", None, 401, "no_credential"),
        ("its own", Some(bearer(&token)), 200, ""),
        ("one for another audience", Some(bearer(&shop.token(json!({"aud": "shop"})))), 401, "audience_mismatch"),
        ("one altered in one character", Some(bearer(&altered)), 401, "signature_invalid"),
        ("one that has expired", Some(bearer(&shop.token(json!({"iat": 1_700_000_000, "exp": 1_700_000_300})))), 401, "token_expired"),
        ("an opaque one", Some(bearer("abc")), 401, "credential_unknown"),
        ("Basic", Some("Basic YTpi".to_owned()), 401, "credential_not_accepted"),
    ];
    for (name, authorization, status, reason) in rows {
        let fields: Vec<_> = authorization.iter().map(|value| ("authorization", value.as_str())).collect();
        let (answered, body, event) = shop.call("GET", "/stock/lamp", &fields).await;
        assert_eq!((answered, event.reason.as_deref().unwrap_or_default()), (status, reason), "{name}: {body}");
        assert_eq!(event.request.unwrap().status, status, "{name}");
        assert_eq!(event.outcome == Outcome::Allowed, status == 200, "{name}");
    }
}

#[tokio::test]
async fn a_handlers_questions_decide_and_are_on_record() {
    let shop = Fixture::new();
    let (customer, clerk) = (shop.token(json!({})), shop.token(json!({"roles": ["clerk"]})));
    let (payments, accounts) = (shop.service_token("payments"), shop.service_token("accounts"));
    let rows = [
        ("GET", "/stock/lamp", &customer, 200, "policy", "inventory"),
        ("GET", "/stock/lamp", &clerk, 403, "default", ""),
        ("POST", "/stock/lamp/restock", &clerk, 200, "requirement", "role clerk"),
        ("POST", "/stock/lamp/restock", &customer, 403, "requirement", "role clerk"),
        ("POST", "/stock/lamp/reserve", &payments, 200, "requirement", "caller payments"),
        ("POST", "/stock/lamp/reserve", &accounts, 403, "requirement", "caller payments"),
        ("POST", "/stock/lamp/reserve", &customer, 403, "requirement", "caller payments"),
    ];
    for (method, path, token, status, by, rule) in rows {
        let (answered, body, event) = shop.call_as(method, path, token).await;
        let decided = event.decided.unwrap();
        assert_eq!((answered, decided.by.as_str(), decided.rule.as_str()), (status, by, rule), "{method} {path}: {body}");
        assert!(event.caller.is_some());
    }
}

/// RFC 9470.
#[tokio::test]
async fn a_login_that_a_policy_would_take_is_named_to_who_has_another() {
    let shop = Fixture::new();
    let text = r#"forbid (principal is Durward::User, action == Action::"inventory:read", resource)
        unless { context has acr && context.acr == "mfa" && context has auth_age && context.auth_age < 300 };"#;
    let strong = Resource::Policy(Policy { name: "strong".to_owned(), text: text.to_owned() });
    let id = ResourceId::from_bytes([99; 16]);
    shop.publish(2, vec![Record::Resource(Box::new(Stored { id, realm: "main".to_owned(), version: 1, resource: strong }))]);
    let now = shop.clock.clock().now().seconds();
    for (role, acr, seconds, status, challenge) in [
        ("customer", "mfa", 30, 200, None),
        ("customer", "mfa", 600, 401, Some("error=\"insufficient_user_authentication\", max_age=\"0\"")),
        ("customer", "pwd", 30, 401, Some("error=\"insufficient_user_authentication\", acr_values=\"mfa\"")),
        ("clerk", "pwd", 600, 403, None),
    ] {
        let token = shop.token(json!({"roles": [role], "acr": acr, "auth_time": now - seconds}));
        let request = Request::builder().uri("/stock/lamp").header("authorization", format!("Bearer {token}")).body(Body::empty());
        let response = shop.router.clone().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "a {role} with {acr}, {seconds} s ago");
        let said = response.headers().get("www-authenticate").map_or("", |said| said.to_str().unwrap());
        assert!(said.contains(challenge.unwrap_or_default()), "{said}");
        assert_eq!(said.contains("insufficient_user_authentication"), challenge.is_some(), "{said}");
    }
}

#[tokio::test]
async fn a_handler_that_answers_without_asking_gives_nothing_away() {
    let shop = Fixture::new();
    let (status, body, event) = shop.call_as("GET", "/forgetful", &shop.token(json!({}))).await;
    assert_eq!((status, body["code"].as_str(), event.reason.as_deref()), (500, Some("undecided"), Some("undecided")));
    assert!(!body.to_string().contains("secret"));
    let (status, _, event) = shop.call_as("GET", "/nowhere", &shop.token(json!({}))).await;
    assert_eq!((status, event.reason.as_deref()), (404, Some("status_404")));
}

#[tokio::test]
async fn a_services_own_problem_is_answered_and_recorded_as_such() {
    let shop = Fixture::new();
    let (status, body, event) = shop.call_as("GET", "/busy", &shop.token(json!({}))).await;
    assert_eq!((status, body["code"].as_str()), (409, Some("out_of_stock")));
    assert!(body["instance"].as_str().unwrap().ends_with(&event.id.to_string()));
    assert_eq!((event.reason.as_deref(), event.decided.unwrap().rule.as_str()), (Some("out_of_stock"), "authenticated"));
}

#[tokio::test]
async fn a_gateways_identity_token_dies_with_what_it_stands_for() {
    let shop = Fixture::new();
    let now = shop.clock.clock().now();
    let view = shop.verifier.0.shared.view();
    let token = shop.token(json!({"aud": "shop"}));
    let customer = shop.verifier.0.cache.verify(&view, &Consumer::entrance("main", "shop"), &token, now).unwrap();
    let identity = shop.gateway.token(&customer, "inventory", "dw-id+jwt", now, &shop.verifier.0.rng).unwrap();
    let fields = [("authorization", identity.authorization().to_str().unwrap())];
    let (status, body, event) = shop.call("GET", "/stock/lamp", &fields).await;
    assert_eq!((status, body), (200, json!("carla")));
    assert_eq!(
        (event.chain.family.as_deref(), event.caller.as_ref().unwrap().credential.as_ref().unwrap().id.as_str()),
        (Some("family-1"), identity.jti())
    );
    shop.publish(
        2,
        vec![Record::Revocation(Revocation {
            realm: "main".to_owned(),
            kind: RevocationKind::Family,
            key: "family-1".to_owned(),
            not_before: now,
            expires: now + Duration::from_secs(60),
            reason: "revoked".to_owned(),
        })],
    );
    let (status, _, event) = shop.call("GET", "/stock/lamp", &fields).await;
    assert_eq!((status, event.reason.as_deref()), (401, Some("family_revoked")));
}

#[tokio::test]
async fn a_service_takes_up_the_transaction_and_names_its_cause() {
    let shop = Fixture::new();
    let cause = EventId::from_bytes([9; 16]);
    let none = http::HeaderMap::new();
    let (transaction, _) = Transaction::of(cause, &Hop::open(cause, "service/payments", &Method::GET, &none), &none);
    let token = format!("Bearer {}", shop.token(json!({"roles": ["clerk"]})));
    let headers = transaction.headers();
    let mut fields: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    fields.push(("authorization", &token));
    let (_, body, event) = shop.call("POST", "/stock/lamp/restock", &fields).await;
    assert_eq!(body, json!(transaction.trace_id()));
    assert_eq!((event.chain.transaction.as_deref(), event.chain.parent), (Some(transaction.trace_id()), Some(cause.to_string())));
}

#[tokio::test]
async fn a_service_cut_off_for_longer_than_a_token_lives_verifies_nothing() {
    let shop = Fixture::new();
    shop.clock.advance(STALE);
    assert_eq!(shop.call_as("GET", "/stock/lamp", &shop.token(json!({}))).await.0, 200);
    shop.clock.advance(Duration::from_secs(1));
    let (status, body, _) = shop.call_as("GET", "/stock/lamp", &shop.token(json!({}))).await;
    assert_eq!((status, body["code"].as_str()), (503, Some("cannot_verify")));
}

#[tokio::test]
async fn a_journal_is_opened_again_with_its_own_key() {
    let directory = tempfile::tempdir().unwrap();
    let clock = FakeClock::at(Timestamp::from_seconds(1_800_000_000));
    let mut keys = Vec::new();
    for _ in 0..2 {
        let journal = crate::journal::open(directory.path(), &"service/x".into(), clock.clock(), seeded(1)).unwrap();
        journal.close().await;
        keys.push(std::fs::read(directory.path().join("journal.key")).unwrap());
    }
    assert_eq!(keys[0], keys[1]);
}
