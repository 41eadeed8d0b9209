//! Records for the tests of this crate.

use durward_base::{ClientId, KeyId, ResourceId, Timestamp};
use durward_model::resource::{Realm, Role};
use durward_model::{Change, ClientSecret, Key, KeyState, KeyUse, Position, Record, Resource, Revocation, RevocationKind, Stored};

pub fn stored(resource: Resource) -> Record {
    Record::Resource(Box::new(Stored { id: ResourceId::from_bytes([1; 16]), realm: "main".into(), version: 1, resource }))
}

pub fn role(name: &str) -> Record {
    stored(Resource::Role(Role { name: name.into(), description: None }))
}

pub fn realm() -> Record {
    stored(Resource::Realm(Realm::named("main")))
}

pub fn revocation(key: &str, not_before: i64, expires: i64) -> Revocation {
    Revocation {
        realm: "main".into(),
        kind: RevocationKind::Subject,
        key: key.into(),
        not_before: Timestamp::from_seconds(not_before),
        expires: Timestamp::from_seconds(expires),
        reason: "disabled".into(),
    }
}

pub fn client_secret() -> Record {
    Record::ClientSecret(ClientSecret {
        id: KeyId::from_bytes([2; 16]),
        realm: "main".into(),
        client: ClientId::from_bytes([1; 16]),
        hash: "the-keyed-hash".into(),
        created: Timestamp::default(),
        expires: None,
    })
}

pub fn key() -> Record {
    Record::Key(Key {
        kid: "kid".into(),
        realm: "main".into(),
        issuer: "https://auth.example/realms/main".into(),
        key_use: KeyUse::Token,
        algorithm: "ES256".into(),
        state: KeyState::Active,
        since: Timestamp::default(),
        jwk: serde_json::json!({"kty": "EC"}),
    })
}

pub fn at(epoch: u64, seq: u64) -> Position {
    Position { epoch, seq }
}

pub fn change(seq: u64, record: Record) -> Change {
    Change { position: at(1, seq), record }
}
