//! Clients that registered themselves, and the tokens that let them.

use durward_base::{ClientId, KeyId, Timestamp};
use durward_model::{InitialAccess, Record, Registration, ResourceKind};

use crate::batch::Batch;
use crate::sql::{Invalid, Query, Row, Sql, Step, Value, statements};
use crate::{Store, StoreError};

statements! {
    OPEN = Sql::shared(
        "INSERT INTO registration (realm, client, name, generation, created, ends) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT DO NOTHING",
    );
    ROTATE = Sql::shared("UPDATE registration SET generation = generation + 1 WHERE realm = $1 AND client = $2 AND generation = $3");
    END = Sql::shared("DELETE FROM registration WHERE realm = $1 AND client = $2");
    USED = Sql::shared("UPDATE registration SET ends = NULL WHERE realm = $1 AND client = $2");
    FIND = Sql::shared("SELECT realm, client, name, generation, created, ends FROM registration WHERE realm = $1 AND client = $2");
    PUT_ACCESS = Sql::shared(
        "INSERT INTO initial_access (realm, id, note, created, expires, uses) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
    );
    USE_ACCESS = Sql::shared("UPDATE initial_access SET uses = uses - 1 WHERE realm = $1 AND id = $2 AND uses > 0 AND expires > $3");
    END_ACCESS = Sql::shared("DELETE FROM initial_access WHERE realm = $1 AND id = $2");
    ACCESSES = Sql::shared("SELECT id, realm, note, created, expires, uses FROM initial_access WHERE realm = $1 ORDER BY id");
    /// The client goes, and with it what was known of it: the next statement finds none of its name.
    EXPIRE = Sql::shared(
        "DELETE FROM resource WHERE (realm, kind, name) IN (
             SELECT registration.realm, 'client', registration.name FROM registration WHERE registration.ends < $1
             ORDER BY registration.ends LIMIT $2)
         RETURNING realm, name",
    );
    FORGET = Sql::shared(
        "DELETE FROM registration WHERE ends < $1 AND NOT EXISTS (
             SELECT 1 FROM resource
             WHERE resource.realm = registration.realm AND resource.kind = 'client' AND resource.name = registration.name)",
    );
    EXPIRE_ACCESS = Sql::shared(
        "DELETE FROM initial_access WHERE (realm, id) IN (SELECT realm, id FROM initial_access WHERE expires < $1 LIMIT $2)",
    );
}

impl Store {
    /// What is known of a client that registered itself.
    pub async fn registration(&self, realm: &str, client: ClientId) -> Result<Option<Registration>, StoreError> {
        let params = vec![realm.into(), Value::Id(client.to_bytes())];
        self.one(Query { what: "registration", sql: FIND, params, read }).await
    }

    /// Lets a registered client stay: it was used.
    pub async fn registration_used(&self, realm: &str, client: ClientId, now: Timestamp) -> Result<(), StoreError> {
        let used = Step::any(USED, [realm.into(), Value::Id(client.to_bytes())]);
        self.run(Batch::of_steps(vec![used], now)).await.map(drop)
    }

    /// A realm's initial access tokens, the oldest first.
    pub async fn initial_accesses(&self, realm: &str) -> Result<Vec<InitialAccess>, StoreError> {
        self.list(Query { what: "initial access token", sql: ACCESSES, params: vec![realm.into()], read: read_access }).await
    }
}

pub(crate) fn open(registration: &Registration) -> Vec<Step> {
    let Registration { realm, client, name, generation, created, ends } = registration;
    let params = [
        Value::from(realm),
        Value::Id(client.to_bytes()),
        Value::from(name),
        u64::from(*generation).into(),
        (*created).into(),
        (*ends).into(),
    ];
    vec![Step::one(OPEN, params)]
}

pub(crate) fn rotate(realm: &str, client: ClientId, from: u32) -> Vec<Step> {
    vec![Step::one(ROTATE, [realm.into(), Value::Id(client.to_bytes()), u64::from(from).into()])]
}

pub(crate) fn end(realm: &str, client: ClientId) -> Vec<Step> {
    vec![Step::any(END, [realm.into(), Value::Id(client.to_bytes())])]
}

pub(crate) fn put_access(access: &InitialAccess) -> Vec<Step> {
    let InitialAccess { id, realm, note, created, expires, uses } = access;
    let params =
        [Value::from(realm), Value::Id(id.to_bytes()), Value::from(note), (*created).into(), (*expires).into(), u64::from(*uses).into()];
    vec![Step::one(PUT_ACCESS, params)]
}

pub(crate) fn use_access(realm: &str, id: KeyId, at: Timestamp) -> Vec<Step> {
    vec![Step::one(USE_ACCESS, [realm.into(), Value::Id(id.to_bytes()), at.into()])]
}

pub(crate) fn end_access(realm: &str, id: KeyId) -> Vec<Step> {
    vec![Step::one(END_ACCESS, [realm.into(), Value::Id(id.to_bytes())])]
}

pub(crate) fn expire(now: Timestamp, limit: u64) -> [Step; 3] {
    let gone = |row: &mut Row<'_>| Ok(Record::ResourceDeleted { realm: row.text()?, kind: ResourceKind::Client, name: row.text()? });
    [
        Step::any(EXPIRE, [now.into(), limit.into()]).append(gone),
        Step::any(FORGET, [now.into()]),
        Step::any(EXPIRE_ACCESS, [now.into(), limit.into()]),
    ]
}

fn read(row: &mut Row<'_>) -> Result<Registration, Invalid> {
    Ok(Registration {
        realm: row.text()?,
        client: ClientId::from_bytes(row.id()?),
        name: row.text()?,
        generation: row.number()?,
        created: row.time()?,
        ends: row.optional_time()?,
    })
}

fn read_access(row: &mut Row<'_>) -> Result<InitialAccess, Invalid> {
    Ok(InitialAccess {
        id: KeyId::from_bytes(row.id()?),
        realm: row.text()?,
        note: row.text()?,
        created: row.time()?,
        expires: row.time()?,
        uses: row.number()?,
    })
}
