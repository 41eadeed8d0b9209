//! What people allowed clients.

use durward_base::{ClientId, PersonId};
use durward_model::Consent;

use crate::sql::{Invalid, Query, Row, Sql, Step, Value, statements};
use crate::{Store, StoreError};

statements! {
    PUT = Sql::shared(
        "INSERT INTO consent (realm, person, client, audience, scopes, granted) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (realm, person, client, audience) DO UPDATE SET scopes = excluded.scopes, granted = excluded.granted",
    );
    FIND = Sql::shared(
        "SELECT realm, person, client, scopes, audience, granted FROM consent
         WHERE realm = $1 AND person = $2 AND client = $3 AND audience = $4",
    );
}

impl Store {
    /// What a person allowed a client for an audience.
    pub async fn consent(&self, realm: &str, person: PersonId, client: ClientId, audience: &str) -> Result<Option<Consent>, StoreError> {
        let params = vec![realm.into(), Value::Id(person.to_bytes()), Value::Id(client.to_bytes()), audience.into()];
        self.one(Query { what: "consent", sql: FIND, params, read }).await
    }
}

pub(crate) fn put(consent: &Consent) -> Vec<Step> {
    vec![Step::any(
        PUT,
        [
            Value::from(&consent.realm),
            Value::Id(consent.person.to_bytes()),
            Value::Id(consent.client.to_bytes()),
            Value::from(&consent.audience),
            Value::json(&consent.scopes),
            consent.granted.into(),
        ],
    )]
}

fn read(row: &mut Row<'_>) -> Result<Consent, Invalid> {
    Ok(Consent {
        realm: row.text()?,
        person: PersonId::from_bytes(row.id()?),
        client: ClientId::from_bytes(row.id()?),
        scopes: row.json()?,
        audience: row.text()?,
        granted: row.time()?,
    })
}
