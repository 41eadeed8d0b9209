//! A realm `main` with its keys, and a small shop declared in it.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use durward_admin::{Admin, AdminSettings};
use durward_audit::{NoteKey, Query};
use durward_authn::password::{Breached, BreachedUnavailable};
use durward_base::{EventId, FamilyId, RealmId, ResourceId, Rng, SecretBytes, SessionId, Timestamp, TokenId};
use durward_enforce::{View, realm_issuer};
use durward_feed::Snapshot;
use durward_jose::SigningKey;
use durward_model::resource::{Realm, Stored};
use durward_model::{
    AdminRole, Assurance, AuthorizationDetails, Event, EventKind, Family, Key, KeyState, Outcome, Person, Record as FeedRecord, Resource,
    Revocation, Session, Write,
};
use durward_net::{HttpMetrics, Peer, Record, RecordError, Surface, SurfaceSettings};
use durward_node::{Journal, JournalSettings, Shared};
use durward_oauth::ADMIN_AUDIENCE;
use durward_oauth::key_schedule::KeySchedule;
use durward_seal::{Purpose, RootKey, SealedRoot};
use durward_store::{Store, StoreSettings};
use durward_testkit::{FakeClock, seeded};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

pub const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
pub const PUBLIC_URL: &str = "https://auth.shop.example";
/// The user that the authority runs as.
pub const OWNER: u32 = 1_000;
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub const PASSWORD: &str = "correct horse battery";

/// A password that was published, and the SHA-1 digest it was published under.
pub const LEAKED: &str = "dover sole and chips";
const LEAKED_SHA1: [u8; 20] =
    [0x2b, 0xbb, 0xf3, 0xbf, 0x67, 0xdd, 0xdf, 0xc5, 0xa0, 0xc3, 0xca, 0xef, 0x47, 0x42, 0xed, 0x9d, 0xd8, 0xe3, 0x15, 0xd7];

struct Leaked;

impl Breached for Leaked {
    fn contains(&self, sha1: &[u8; 20]) -> Result<bool, BreachedUnavailable> {
        Ok(*sha1 == LEAKED_SHA1)
    }
}

/// Who calls, and how.
#[derive(Clone, Copy)]
pub enum By<'a> {
    /// Over the socket, as this user.
    Socket(u32),
    /// Over TLS, with this token.
    Token(&'a str),
    /// Over TLS, with nothing.
    Nobody,
}

/// The process's owner.
pub const OWN: By<'static> = By::Socket(OWNER);

pub struct World {
    pub admin: Admin,
    pub store: Store,
    pub clock: FakeClock,
    pub rng: Rng,
    pub root: Arc<RootKey>,
    pub directory: tempfile::TempDir,
    surface: Surface,
    recorded: Sink,
}

pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
    pub bytes: Vec<u8>,
    pub event: Event,
}

/// Keeps what the journal is given in memory as well.
#[derive(Clone)]
struct Sink(Arc<Mutex<Vec<Event>>>, Journal);

impl Record for Sink {
    fn record(&self, event: Event) -> std::pin::Pin<Box<dyn Future<Output = Result<(), RecordError>> + Send + '_>> {
        self.0.lock().unwrap().push(event.clone());
        drop(Journal::record(&self.1, event));
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A store with the realm `main`, its keys and the root key, made once: RSA keys take their time.
static TEMPLATE: OnceCell<tempfile::TempDir> = OnceCell::const_new();

fn root() -> RootKey {
    new_root().sealed.open_with_seal(&new_root().seal_key).unwrap()
}

pub fn new_root() -> durward_seal::NewRoot {
    SealedRoot::create(&seeded(1))
}

async fn template() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let (clock, rng) = (FakeClock::at(NOW), seeded(2));
    let store = Store::open(&StoreSettings::sqlite(directory.path().join("first.db")), clock.clock()).await.unwrap();
    let id = ResourceId::new(NOW, &rng);
    let realm = Stored { id, realm: "main".to_owned(), version: 1, resource: Resource::Realm(Realm::named("main")) };
    let sealer = root().derive(Purpose::Signing, Some(RealmId::from_bytes(id.to_bytes()))).sealer();
    let issuer = realm_issuer(PUBLIC_URL, "main");
    let schedule = KeySchedule { realm: "main", issuer: &issuer, sealer: &sealer, rng: &rng, now: NOW };
    let mut writes = schedule.due(&[]).unwrap();
    writes.push(Write::PutResource { stored: Box::new(realm), expected: None });
    store.commit(&writes, Event::new(EventId::new(NOW, &rng), NOW, "test".into(), EventKind::ResourceChanged)).await.unwrap();
    store.put_material_if_absent("root", &SecretBytes::new(new_root().sealed.to_bytes())).await.unwrap();
    store.backup(&directory.path().join("store.db")).await.unwrap();
    directory
}

impl World {
    /// The realm `main` with nothing in it.
    pub async fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("store.db");
        std::fs::copy(TEMPLATE.get_or_init(template).await.path().join("store.db"), &database).unwrap();
        let (clock, rng, root) = (FakeClock::at(NOW), seeded(3), Arc::new(root()));
        let store = Store::open(&StoreSettings::sqlite(&database), clock.clock()).await.unwrap();
        Self::over(store, directory, clock, rng, root).await
    }

    /// Another authority over the same store.
    pub async fn beside(&self) -> Self {
        Self::over(self.store.clone(), tempfile::tempdir().unwrap(), self.clock.clone(), seeded(4), Arc::clone(&self.root)).await
    }

    async fn over(store: Store, directory: tempfile::TempDir, clock: FakeClock, rng: Rng, root: Arc<RootKey>) -> Self {
        let key = NoteKey::generate("test").unwrap().0;
        let journal =
            Journal::open(JournalSettings::new(directory.path().join("journal"), "authority".into(), key), clock.clock(), rng.clone());
        let shared = Shared::new(View::default(), journal.unwrap());
        follow(&store, &shared).await;
        let admin = Admin::new(AdminSettings {
            public_url: PUBLIC_URL.to_owned(),
            gateway_url: None,
            nodes_url: "https://auth.shop.example:8446".to_owned(),
            trust_pem: "-----BEGIN CERTIFICATE-----".to_owned(),
            node: "authority".into(),
            uid: OWNER,
            store: store.clone(),
            shared: shared.clone(),
            scratch: directory.path().to_owned(),
            breached: Some(Arc::new(Leaked)),
            root: Arc::clone(&root),
            clock: clock.clock(),
            rng: rng.clone(),
        });
        let recorded = Sink(Arc::default(), shared.journal().clone());
        let surface = Surface::new(
            SurfaceSettings {
                listener: "admin",
                node: "authority".into(),
                hosts: Vec::new(),
                strict_transport: durward_net::StrictTransport::default(),
                gate: Arc::new(admin.gate()),
                record: Arc::new(recorded.clone()),
                metrics: HttpMetrics::register(&mut prometheus_client::registry::Registry::default()),
                clock: clock.clock(),
                rng: rng.clone(),
            },
            admin.endpoints(),
        );
        Self { admin, store, clock, rng, root, directory, surface, recorded }
    }

    /// With the shop of [`shop`] declared.
    pub async fn with_shop() -> Self {
        let world = Self::empty().await;
        let answer = world.post("apply", &shop()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        world
    }

    /// `POST` by the owner.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(OWN, Method::POST, path, Some(body)).await
    }

    /// `GET` by the owner.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(OWN, Method::GET, path, None).await
    }

    /// Calls an endpoint, and checks what holds of every call: no 5xx, and exactly one event.
    pub async fn call(&self, by: By<'_>, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mut request = Request::builder().method(method.clone()).uri(format!("/admin/v1/{path}"));
        if matches!(method, Method::POST | Method::PUT) {
            request = request.header("content-type", "application/json");
        }
        if let By::Token(token) = by {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        self.send(by, request.body(Body::from(body)).unwrap()).await
    }

    /// Sends a request as it is.
    pub async fn send(&self, by: By<'_>, request: Request<Body>) -> Answer {
        let peer = match by {
            By::Socket(uid) => Peer { uid: Some(uid), ..Peer::default() },
            By::Token(_) | By::Nobody => Peer { address: Some("203.0.113.9:4711".parse().unwrap()), tls: true, ..Peer::default() },
        };
        let response = self.surface.call(peer, request).await;
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 64 << 20).await.unwrap().to_vec();
        assert!(!parts.status.is_server_error(), "{}", String::from_utf8_lossy(&bytes));
        let id: EventId = parts.headers["x-request-id"].to_str().unwrap().parse().unwrap();
        let query = Query { event: Some(id), ..Query::default() };
        let mut events = self.store.events(&query, 10).await.unwrap();
        events.extend(self.recorded.0.lock().unwrap().iter().filter(|event| event.id == id).cloned());
        assert_eq!(events.len(), 1, "exactly one event per request: {events:?}");
        let event = events.remove(0);
        assert_eq!(event.request.as_ref().unwrap().status, parts.status.as_u16());
        Answer { status: parts.status, body: serde_json::from_slice(&bytes).unwrap_or_default(), bytes, event }
    }

    /// An access token for the admin audience of a person with these roles and scopes, signed by the realm's own key.
    pub async fn token(&self, roles: &[&str], scopes: &[&str]) -> String {
        self.token_for(ADMIN_AUDIENCE, roles, scopes).await
    }

    pub async fn token_for(&self, audience: &str, roles: &[&str], scopes: &[&str]) -> String {
        let now = self.clock.clock().now();
        let claims = json!({
            "iss": realm_issuer(PUBLIC_URL, "main"), "aud": audience, "sub": "admin-subject", "client_id": "durward-cli",
            "iat": now.seconds(), "exp": now.seconds() + 300, "jti": TokenId::new(now, &self.rng).to_string(),
            "scope": scopes.join(" "), "roles": roles, "acr": "pwd", "auth_time": now.seconds(),
            "sid": FamilyId::new(now, &self.rng).to_string(), "ses": SessionId::new(now, &self.rng).to_string(),
        });
        self.signer().await.sign("at+jwt", &claims).unwrap()
    }

    /// A token of a holder of this role and no other.
    pub async fn token_of(&self, role: AdminRole) -> String {
        self.token(&[role.name()], &["openid", role.name()]).await
    }

    async fn signer(&self) -> SigningKey {
        let realm = self.store.resource("main", durward_model::ResourceKind::Realm, "main").await.unwrap().unwrap();
        let sealer = self.root.derive(Purpose::Signing, Some(RealmId::from_bytes(realm.id.to_bytes()))).sealer();
        let keys = self.store.sealed_keys("main").await.unwrap();
        let active = keys.iter().find(|key| key.key.state == KeyState::Active && key.key.algorithm == "ES256").unwrap();
        let schedule = KeySchedule { realm: "main", issuer: "", sealer: &sealer, rng: &self.rng, now: NOW };
        schedule.open(active).unwrap()
    }

    /// Everything that is revoked now.
    pub async fn revocations(&self) -> Vec<Revocation> {
        let (_, records) = self.store.snapshot().await.unwrap();
        records
            .into_iter()
            .filter_map(|record| if let FeedRecord::Revocation(revocation) = record { Some(revocation) } else { None })
            .collect()
    }

    pub async fn keys(&self) -> Vec<Key> {
        self.store.sealed_keys("main").await.unwrap().into_iter().map(|sealed| sealed.key).collect()
    }

    pub async fn person(&self, name: &str) -> Person {
        self.store.person_by_username("main", name).await.unwrap().unwrap().person
    }

    /// A login of a person with the client `web` in it.
    pub async fn log_in(&self, name: &str) -> (Session, Family) {
        let (now, person) = (self.clock.clock().now(), self.person(name).await);
        let end = now + durward_base::Duration::from_secs(3600);
        let session = Session {
            id: SessionId::new(now, &self.rng),
            realm: "main".to_owned(),
            person: person.id,
            assurance: Assurance::default(),
            created: now,
            expires: end,
            revoked: None,
            address: None,
            user_agent: None,
        };
        let client = self.store.resource("main", durward_model::ResourceKind::Client, "web").await.unwrap().unwrap();
        let family = Family {
            id: FamilyId::new(now, &self.rng),
            realm: "main".to_owned(),
            session: session.id,
            person: person.id,
            client: durward_base::ClientId::from_bytes(client.id.to_bytes()),
            client_name: "web".to_owned(),
            scopes: vec![],
            audience: "shop".to_owned(),
            authorization_details: AuthorizationDetails::default(),
            assurance: Assurance::default(),
            generation: 0,
            bound_key: None,
            rotated: now,
            created: now,
            expires: end,
            revoked: None,
        };
        let mut event = Event::new(EventId::new(now, &self.rng), now, "authority".into(), EventKind::LoginSubmitted);
        event.realm = Some("main".into());
        event.outcome = Outcome::Allowed;
        self.store.commit(&[Write::OpenSession(session.clone()), Write::OpenFamily(family.clone())], event).await.unwrap();
        (session, family)
    }
}

impl World {
    pub fn now(&self) -> Timestamp {
        self.clock.clock().now()
    }

    /// The id of an access token that was issued to a family, as the record has it.
    pub async fn issued(&self, family: &Family) -> TokenId {
        self.issued_to(|event| event.chain.family = Some(family.id.to_string())).await
    }

    /// The same of one that was issued to whom an event comes to name.
    pub async fn issued_to(&self, name: impl FnOnce(&mut Event)) -> TokenId {
        let (now, token) = (self.now(), TokenId::new(self.now(), &self.rng));
        let mut event = Event::new(EventId::new(now, &self.rng), now, "authority".into(), EventKind::TokenIssued);
        event.realm = Some("main".into());
        event.outcome = Outcome::Allowed;
        name(&mut event);
        event.issued = Some(token.to_string());
        self.store.commit(&[], event).await.unwrap();
        token
    }
}

/// Lets the view follow the store, as the feed does.
async fn follow(store: &Store, shared: &Shared<View>) {
    let follow = shared.following(|snapshot, previous: &View| View::compile(snapshot, Some(previous)).0);
    let (store, mut moved) = (store.clone(), store.subscribe());
    let weak = shared.clone();
    tokio::spawn(async move {
        loop {
            let Ok((position, records)) = store.snapshot().await else { return };
            follow.snapshot(&Snapshot::new(position, records));
            if moved.changed().await.is_err() {
                return;
            }
        }
    });
    weak.loaded().await;
}

/// A shop: services, clients, roles, people, a policy and its route.
pub fn shop() -> Value {
    json!({
        "resources": [
            {"kind": "role", "name": "clerk"},
            {"kind": "role", "name": "customer"},
            {"kind": "group", "name": "staff", "roles": ["clerk"]},
            {"kind": "service", "name": "shop", "scopes": [{"name": "order"}, {"name": "look"}]},
            {"kind": "service", "name": "inventory"},
            {"kind": "client", "name": "web", "trust": "first-party", "redirect_uris": ["https://shop.example/callback"],
             "grants": ["authorization_code", "refresh_token"], "scopes": ["openid", "order", "look"], "services": ["shop", "inventory"]},
            {"kind": "client", "name": "payments-program", "authentication": "client_secret_basic", "grants": ["client_credentials"],
             "services": ["inventory"], "roles": ["clerk"], "runs": "inventory"},
            {"kind": "schema", "name": "stock", "text": "entity Stock;\naction \"inventory:read\" appliesTo { principal: [Durward::User], resource: [Stock] };\n"},
            {"kind": "policy", "name": "stock", "text": "permit (principal in Durward::Role::\"clerk\", action == Action::\"inventory:read\", resource is Stock);\n"},
            {"kind": "route", "name": "stock", "path": "/stock/{sku}", "upstream": "http://127.0.0.1:9003", "service": "inventory", "audience": "shop",
             "authorize": {"action": "inventory:read", "resource": "Stock::\"{sku}\""}},
            {"kind": "person", "name": "alice", "roles": ["customer"]},
            {"kind": "person", "name": "bob", "groups": ["staff"]},
        ],
        "secrets": {"payments-program": [SECRET]},
        "passwords": {"alice": PASSWORD},
    })
}

/// The shop with some of its resources replaced, or left out where the replacement is null.
pub fn shop_with(changes: &[(&str, &str, Value)]) -> Value {
    let mut shop = shop();
    let resources = shop["resources"].as_array_mut().unwrap();
    for (kind, name, to) in changes {
        let at = resources.iter().position(|resource| resource["kind"] == *kind && resource["name"] == *name);
        match (at, to) {
            (Some(at), Value::Null) => drop(resources.remove(at)),
            (Some(at), to) => to.as_object().unwrap().iter().for_each(|(field, value)| resources[at][field] = value.clone()),
            (None, to) => {
                let mut new = json!({"kind": kind, "name": name});
                to.as_object().unwrap().iter().for_each(|(field, value)| new[field] = value.clone());
                resources.push(new);
            }
        }
    }
    shop
}
