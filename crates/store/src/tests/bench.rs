//! A store of its own for each test, and short ways to fill it.

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use durward_base::{
    ClientId, Clock, Duration, Entropy, EntropyError, EventId, FamilyId, KeyId, PersonId, ResourceId, Rng, Secret, SessionId, Time,
    Timestamp,
};
use durward_model::key::SealedKey;
use durward_model::resource::{Realm, Role};
use durward_model::{
    Assurance, AuthorizationDetails, Event, EventKind, Family, Key, KeyState, KeyUse, Outcome, Person, Record, Resource, Session, Stored,
    Write,
};
use durward_testsite::Postgres;
use tempfile::TempDir;
use tokio_postgres::NoTls;

use crate::{CommitError, Committed, Store, StoreSettings};

pub(super) const REALM: &str = "main";

pub(super) struct Bench {
    pub store: Store,
    pub settings: StoreSettings,
    pub time: FakeTime,
    pub rng: Rng,
    pub directory: TempDir,
}

impl Bench {
    pub async fn sqlite() -> Self {
        let directory = TempDir::new().unwrap();
        let settings = StoreSettings::sqlite(directory.path().join("durward.db"));
        Self::open(settings, directory).await
    }

    pub async fn postgres() -> Self {
        let dsn = database().await;
        Self::open(StoreSettings::postgres(Secret::new(dsn)), TempDir::new().unwrap()).await
    }

    async fn open(settings: StoreSettings, directory: TempDir) -> Self {
        let time = FakeTime::default();
        let store = Store::open(&settings, time.clock()).await.unwrap();
        Self { store, settings, time, rng: rng(), directory }
    }

    /// Another node over the same database.
    pub async fn another_node(&self) -> Store {
        Store::open(&self.settings, self.time.clock()).await.unwrap()
    }

    /// Runs SQL behind the store's back.
    pub async fn tamper(&self, sql: &str) {
        match &self.settings {
            StoreSettings::Sqlite { path } => rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap(),
            StoreSettings::Postgres { dsn } => connect(dsn.expose()).await.batch_execute(sql).await.unwrap(),
        }
    }

    pub fn now(&self) -> Timestamp {
        self.time.now()
    }

    pub fn event(&self) -> Event {
        let id = EventId::new(self.now(), &self.rng);
        let mut event = Event::new(id, self.now(), "authority".into(), EventKind::TokenIssued);
        event.realm = Some(REALM.into());
        event.outcome = Outcome::Changed;
        event
    }

    pub async fn try_commit(&self, writes: &[Write]) -> Result<Committed, CommitError> {
        self.store.commit(writes, self.event()).await
    }

    pub async fn commit(&self, writes: &[Write]) -> Committed {
        self.try_commit(writes).await.unwrap()
    }

    pub fn new_person(&self, username: &str) -> Person {
        Person {
            id: PersonId::new(self.now(), &self.rng),
            realm: REALM.to_owned(),
            sub: durward_base::base64url::encode(&self.rng.bytes::<16>()),
            username: username.to_owned(),
            display_name: None,
            email: Some(format!("{username}@example.org")),
            roles: vec!["clerk".to_owned()],
            groups: vec![],
            disabled: false,
            version: 1,
            created: self.now(),
        }
    }

    pub async fn person(&self, username: &str) -> Person {
        let person = self.new_person(username);
        self.commit(&[Write::CreatePerson { person: person.clone(), password_hash: Some("$argon2id$stored".to_owned()) }]).await;
        person
    }

    pub fn new_session(&self, person: &Person) -> Session {
        Session {
            id: SessionId::new(self.now(), &self.rng),
            realm: person.realm.clone(),
            person: person.id,
            assurance: Assurance { acr: Some("pwd".to_owned()), amr: vec!["pwd".to_owned()], auth_time: Some(self.now()) },
            created: self.now(),
            expires: self.now() + Duration::from_secs(36_000),
            revoked: None,
            address: Some("127.0.0.1".to_owned()),
            user_agent: None,
        }
    }

    pub async fn session(&self, person: &Person) -> Session {
        let session = self.new_session(person);
        self.commit(&[Write::OpenSession(session.clone())]).await;
        session
    }

    pub fn new_family(&self, session: &Session) -> Family {
        Family {
            id: FamilyId::new(self.now(), &self.rng),
            realm: session.realm.clone(),
            session: session.id,
            person: session.person,
            client: ClientId::from_bytes([7; 16]),
            client_name: "web".to_owned(),
            scopes: vec!["openid".to_owned(), "orders:read".to_owned()],
            audience: "orders".to_owned(),
            authorization_details: AuthorizationDetails::default(),
            assurance: session.assurance.clone(),
            generation: 1,
            bound_key: None,
            rotated: self.now(),
            created: self.now(),
            expires: self.now() + Duration::from_secs(30 * 86_400),
            revoked: None,
        }
    }

    pub async fn family(&self, session: &Session) -> Family {
        let family = self.new_family(session);
        self.commit(&[Write::OpenFamily(family.clone())]).await;
        family
    }

    pub fn role(&self, name: &str, version: u64) -> Stored {
        let resource = Resource::Role(Role { name: name.to_owned(), description: None });
        Stored { id: ResourceId::new(self.now(), &self.rng), realm: REALM.to_owned(), version, resource }
    }

    pub fn realm(&self) -> Stored {
        let resource = Resource::Realm(Realm::named(REALM));
        Stored { id: ResourceId::new(self.now(), &self.rng), realm: REALM.to_owned(), version: 1, resource }
    }

    pub fn key(&self, kid: &str, state: KeyState) -> SealedKey {
        let key = Key {
            kid: kid.to_owned(),
            realm: REALM.to_owned(),
            issuer: "https://localhost/realms/main".to_owned(),
            key_use: KeyUse::Token,
            algorithm: "ES256".to_owned(),
            state,
            since: self.now(),
            jwk: serde_json::json!({"kty": "EC"}),
        };
        SealedKey { key, sealed: Some(durward_base::SecretBytes::new(*b"sealed")) }
    }

    pub fn key_id(&self) -> KeyId {
        KeyId::new(self.now(), &self.rng)
    }

    /// What the feed says since its beginning.
    pub async fn records(&self) -> Vec<Record> {
        let head = self.store.head().await.unwrap();
        let since = durward_model::Position { epoch: head.epoch, seq: 0 };
        self.store.changes(since).await.unwrap().into_iter().map(|change| change.record).collect()
    }
}

/// A clock that moves when told.
#[derive(Clone)]
pub(super) struct FakeTime(Arc<AtomicI64>);

impl Default for FakeTime {
    fn default() -> Self {
        Self(Arc::new(AtomicI64::new(1_800_000_000_000)))
    }
}

impl FakeTime {
    pub fn clock(&self) -> Clock {
        Clock::new(self.clone())
    }

    pub fn pass(&self, duration: Duration) {
        self.0.fetch_add(i64::try_from(duration.as_millis()).unwrap(), Ordering::Relaxed);
    }
}

impl Time for FakeTime {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// SplitMix64 from a fixed seed: distinct, and the same in each run.
struct Seeded(AtomicU64);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for chunk in bytes.chunks_mut(8) {
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

pub(super) fn rng() -> Rng {
    Rng::new(Seeded(AtomicU64::new(1)))
}

/// The server of this test binary.
pub(super) fn server() -> &'static Postgres {
    static SERVER: OnceLock<Postgres> = OnceLock::new();
    SERVER.get_or_init(Postgres::start)
}

/// The DSN of a new, empty database.
pub(super) async fn database() -> String {
    static DATABASES: AtomicU32 = AtomicU32::new(0);
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    connect(&server().dsn("postgres")).await.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    server().dsn(&name)
}

/// A connection past the store.
pub(super) async fn connect(dsn: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(dsn, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
