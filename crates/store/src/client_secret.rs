//! Secrets of clients, as keyed hashes.

use durward_base::{ClientId, KeyId, Timestamp};
use durward_model::{ClientSecret, Record};

use crate::sql::{Invalid, Query, Row, Sql, Step, Value, statements};
use crate::{Store, StoreError};

/// The columns of a secret, for [`read`].
macro_rules! columns {
    () => {
        "id, realm, client, hash, created, expires"
    };
}

statements! {
    PUT = Sql::shared(concat!(
        "INSERT INTO client_secret (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING ", columns!()
    ));
    EXPIRE = Sql::shared(concat!(
        "UPDATE client_secret SET expires = $3 WHERE realm = $1 AND id = $2 AND (expires IS NULL OR expires >= $3) RETURNING ",
        columns!()
    ));
    OF_CLIENT = Sql::shared(concat!("SELECT ", columns!(), " FROM client_secret WHERE realm = $1 AND client = $2 ORDER BY id"));
    pub(crate) ALL = Sql::shared(concat!("SELECT ", columns!(), " FROM client_secret ORDER BY realm, id"));
}

impl Store {
    /// A client's secrets, retired ones too, the oldest first.
    pub async fn client_secrets(&self, realm: &str, client: ClientId) -> Result<Vec<ClientSecret>, StoreError> {
        let params = vec![realm.into(), Value::Id(client.to_bytes())];
        self.list(Query { what: "client secret", sql: OF_CLIENT, params, read }).await
    }
}

pub(crate) fn put(secret: &ClientSecret) -> Vec<Step> {
    vec![
        Step::one(
            PUT,
            [
                Value::Id(secret.id.to_bytes()),
                Value::from(&secret.realm),
                Value::Id(secret.client.to_bytes()),
                Value::from(&secret.hash),
                secret.created.into(),
                secret.expires.into(),
            ],
        )
        .append(read_record),
    ]
}

pub(crate) fn expire(realm: &str, secret: KeyId, at: Timestamp) -> Vec<Step> {
    vec![Step::one(EXPIRE, [realm.into(), Value::Id(secret.to_bytes()), at.into()]).append(read_record)]
}

/// Reads [`columns`].
pub(crate) fn read(row: &mut Row<'_>) -> Result<ClientSecret, Invalid> {
    Ok(ClientSecret {
        id: KeyId::from_bytes(row.id()?),
        realm: row.text()?,
        client: ClientId::from_bytes(row.id()?),
        hash: row.text()?,
        created: row.time()?,
        expires: row.optional_time()?,
    })
}

fn read_record(row: &mut Row<'_>) -> Result<Record, Invalid> {
    read(row).map(Record::ClientSecret)
}
