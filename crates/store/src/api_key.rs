//! API keys. The texts of those made here are handles on these rows; those taken over are found by their keyed hash.

use durward_base::{ClientId, KeyId, Timestamp};
use durward_model::{ApiKey, RevocationKind};

use crate::batch::Batch;
use crate::housekeeping::KEPT;
use crate::revocation::ended;
use crate::sql::{Invalid, Query, Row, Sql, Step, Value, statements};
use crate::{Store, StoreError};

/// The columns of an API key, for [`read`].
macro_rules! columns {
    () => {
        "id, realm, client, client_name, note, audience, scopes, limits, hash, created, expires, used, revoked"
    };
}

statements! {
    PUT = Sql::shared(
        "INSERT INTO api_key (id, realm, client, client_name, note, audience, scopes, limits, hash, created, expires)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
    );
    EXPIRE_AT = Sql::shared(
        "UPDATE api_key SET expires = $3 WHERE realm = $1 AND id = $2 AND revoked IS NULL AND (expires IS NULL OR expires >= $3)",
    );
    END = Sql::shared("UPDATE api_key SET revoked = $3 WHERE realm = $1 AND id = $2 AND revoked IS NULL RETURNING id");
    /// Never back: nodes report late, and in no order.
    USED = Sql::shared("UPDATE api_key SET used = $3 WHERE realm = $1 AND id = $2 AND (used IS NULL OR used < $3)");
    FIND = Sql::shared(concat!("SELECT ", columns!(), " FROM api_key WHERE realm = $1 AND id = $2"));
    FIND_TAKEN_OVER = Sql::shared(concat!("SELECT ", columns!(), " FROM api_key WHERE realm = $1 AND hash = $2"));
    OF_REALM = Sql::shared(concat!(
        "SELECT ", columns!(), " FROM api_key WHERE realm = $1 AND id > $2 AND revoked IS NULL AND (expires IS NULL OR expires > $3)
         ORDER BY id LIMIT 1000"
    ));
    EXPIRE = Sql::shared(
        "DELETE FROM api_key WHERE (realm, id) IN (SELECT realm, id FROM api_key WHERE expires < $1 OR revoked < $1 LIMIT $2)",
    );
}

impl Store {
    /// The API key with this id, good or not.
    pub async fn api_key(&self, realm: &str, id: KeyId) -> Result<Option<ApiKey>, StoreError> {
        self.one(Query { what: "API key", sql: FIND, params: vec![realm.into(), Value::Id(id.to_bytes())], read }).await
    }

    /// The API key that was taken over with this keyed hash, good or not.
    pub async fn api_key_taken_over(&self, realm: &str, hash: &str) -> Result<Option<ApiKey>, StoreError> {
        self.one(Query { what: "API key", sql: FIND_TAKEN_OVER, params: vec![realm.into(), hash.into()], read }).await
    }

    /// The realm's API keys that are good at `now`, the oldest first, at most 1,000 of those after `after`.
    pub async fn api_keys(&self, realm: &str, after: Option<KeyId>, now: Timestamp) -> Result<Vec<ApiKey>, StoreError> {
        let after = after.map_or([0; 16], KeyId::to_bytes);
        let params = vec![realm.into(), Value::Id(after), now.into()];
        self.list(Query { what: "API key", sql: OF_REALM, params, read }).await
    }

    /// Notes when keys were last used, all in one transaction.
    pub async fn api_keys_used(&self, uses: &[(String, KeyId, Timestamp)], now: Timestamp) -> Result<(), StoreError> {
        let used =
            |(realm, key, at): &(String, KeyId, Timestamp)| Step::any(USED, [Value::from(realm), Value::Id(key.to_bytes()), (*at).into()]);
        self.run(Batch::of_steps(uses.iter().map(used).collect(), now)).await.map(drop)
    }
}

pub(crate) fn put(key: &ApiKey) -> Vec<Step> {
    vec![Step::one(
        PUT,
        [
            Value::Id(key.id.to_bytes()),
            Value::from(&key.realm),
            Value::Id(key.client.to_bytes()),
            Value::from(&key.client_name),
            Value::from(&key.note),
            Value::from(&key.audience),
            Value::json(&key.scopes),
            Value::json(&key.limits),
            Value::from(&key.taken_over),
            key.created.into(),
            key.expires.into(),
        ],
    )]
}

pub(crate) fn expire_at(realm: &str, key: KeyId, at: Timestamp) -> Vec<Step> {
    vec![Step::one(EXPIRE_AT, [realm.into(), Value::Id(key.to_bytes()), at.into()])]
}

pub(crate) fn end(realm: &str, key: KeyId, at: Timestamp) -> Vec<Step> {
    let params = [realm.into(), Value::Id(key.to_bytes()), at.into()];
    vec![Step::any(END, params).revoke(ended(realm, RevocationKind::Token, at, "revoked"))]
}

pub(crate) fn expire(now: Timestamp, limit: u64) -> Step {
    Step::any(EXPIRE, [(now - KEPT).into(), limit.into()])
}

/// Reads [`columns`].
fn read(row: &mut Row<'_>) -> Result<ApiKey, Invalid> {
    Ok(ApiKey {
        id: KeyId::from_bytes(row.id()?),
        realm: row.text()?,
        client: ClientId::from_bytes(row.id()?),
        client_name: row.text()?,
        note: row.text()?,
        audience: row.text()?,
        scopes: row.json()?,
        limits: row.json()?,
        taken_over: row.optional_text()?,
        created: row.time()?,
        expires: row.optional_time()?,
        used: row.optional_time()?,
        revoked: row.optional_time()?,
    })
}
