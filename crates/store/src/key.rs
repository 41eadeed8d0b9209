//! Signing keys, their private halves sealed.

use durward_base::{SecretBytes, Timestamp};
use durward_model::key::SealedKey;
use durward_model::{Key, KeyState, Record};

use crate::sql::{Invalid, Query, Row, Sql, Step, Value, statements};
use crate::{Store, StoreError};

/// The columns of a key's public side, for [`read`].
macro_rules! columns {
    () => {
        "kid, realm, issuer, key_use, algorithm, state, since, jwk"
    };
}

statements! {
    PUT = Sql::shared(concat!(
        "INSERT INTO key (", columns!(), ", sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING ",
        columns!()
    ));
    MOVE = Sql::shared(concat!("UPDATE key SET state = $3, since = $4 WHERE kid = $1 AND state = $2 RETURNING ", columns!()));
    SEALED = Sql::shared(concat!("SELECT ", columns!(), ", sealed FROM key WHERE realm = $1 ORDER BY since, kid"));
    pub(crate) ALL = Sql::shared(concat!("SELECT ", columns!(), " FROM key ORDER BY since, kid"));
}

impl Store {
    /// A realm's keys with their sealed private halves, the oldest first.
    pub async fn sealed_keys(&self, realm: &str) -> Result<Vec<SealedKey>, StoreError> {
        self.list(Query { what: "key", sql: SEALED, params: vec![realm.into()], read: read_sealed }).await
    }
}

pub(crate) fn put(sealed: &SealedKey) -> Vec<Step> {
    let key = &sealed.key;
    let private = sealed.sealed.as_ref().map_or(Value::Null, |bytes| Value::Bytes(bytes.expose().to_vec()));
    vec![
        Step::one(
            PUT,
            [
                Value::from(&key.kid),
                Value::from(&key.realm),
                Value::from(&key.issuer),
                Value::word(&key.key_use),
                Value::from(&key.algorithm),
                Value::word(&key.state),
                key.since.into(),
                Value::json(&key.jwk),
                private,
            ],
        )
        .append(read_record),
    ]
}

/// A move that the model forbids starts from no state at all, so its guard misses.
pub(crate) fn advance(kid: &str, from: KeyState, to: KeyState, at: Timestamp) -> Vec<Step> {
    let legal = if from.may_become(to) { Value::word(&from) } else { Value::Null };
    vec![Step::one(MOVE, [kid.into(), legal, Value::word(&to), at.into()]).append(read_record)]
}

/// Reads [`columns`].
pub(crate) fn read(row: &mut Row<'_>) -> Result<Key, Invalid> {
    Ok(Key {
        kid: row.text()?,
        realm: row.text()?,
        issuer: row.text()?,
        key_use: row.word()?,
        algorithm: row.text()?,
        state: row.word()?,
        since: row.time()?,
        jwk: row.json()?,
    })
}

fn read_record(row: &mut Row<'_>) -> Result<Record, Invalid> {
    read(row).map(Record::Key)
}

fn read_sealed(row: &mut Row<'_>) -> Result<SealedKey, Invalid> {
    Ok(SealedKey { key: read(row)?, sealed: row.optional_bytes()?.map(SecretBytes::new) })
}
