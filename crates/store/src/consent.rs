//! What people allowed clients.

use durward_base::{ClientId, PersonId, Timestamp};
use durward_model::{Consent, RevocationKind};

use crate::revocation::ended;
use crate::sql::{Invalid, Query, Row, Sql, Step, Value, statements};
use crate::{Store, StoreError, family};

/// The columns of a consent, for [`read`].
macro_rules! columns {
    () => {
        "realm, person, client, client_name, scopes, declined, audience, shown, granted"
    };
}

statements! {
    PUT = Sql::shared(concat!(
        "INSERT INTO consent (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (realm, person, client, audience)
         DO UPDATE SET client_name = excluded.client_name, scopes = excluded.scopes, declined = excluded.declined,
                       shown = excluded.shown, granted = excluded.granted",
    ));
    END = Sql::shared("DELETE FROM consent WHERE realm = $1 AND person = $2 AND client = $3 AND audience = $4");
    FIND = Sql::shared(concat!(
        "SELECT ", columns!(), " FROM consent WHERE realm = $1 AND person = $2 AND client = $3 AND audience = $4"
    ));
    OF_PERSON = Sql::shared(concat!(
        "SELECT ", columns!(), " FROM consent WHERE realm = $1 AND person = $2 ORDER BY granted DESC LIMIT 200"
    ));
}

impl Store {
    /// What a person allowed a client for an audience.
    pub async fn consent(&self, realm: &str, person: PersonId, client: ClientId, audience: &str) -> Result<Option<Consent>, StoreError> {
        let params = vec![realm.into(), Value::Id(person.to_bytes()), Value::Id(client.to_bytes()), audience.into()];
        self.one(Query { what: "consent", sql: FIND, params, read }).await
    }

    /// What a person allowed, the latest first, at most 200.
    pub async fn consents_of(&self, realm: &str, person: PersonId) -> Result<Vec<Consent>, StoreError> {
        let params = vec![realm.into(), Value::Id(person.to_bytes())];
        self.list(Query { what: "consent", sql: OF_PERSON, params, read }).await
    }
}

pub(crate) fn put(consent: &Consent) -> Vec<Step> {
    vec![Step::any(
        PUT,
        [
            Value::from(&consent.realm),
            Value::Id(consent.person.to_bytes()),
            Value::Id(consent.client.to_bytes()),
            Value::from(&consent.client_name),
            Value::json(&consent.scopes),
            Value::json(&consent.declined),
            Value::from(&consent.audience),
            Value::from(&consent.shown),
            consent.granted.into(),
        ],
    )]
}

/// The consent first: a family that is being opened on it loads it again and finds it gone.
pub(crate) fn end(realm: &str, person: PersonId, client: ClientId, audience: &str, at: Timestamp) -> Vec<Step> {
    let params = || vec![realm.into(), Value::Id(person.to_bytes()), Value::Id(client.to_bytes()), Value::from(audience)];
    let families = params().into_iter().chain([at.into()]).collect::<Vec<_>>();
    vec![
        Step::any(END, params()),
        Step::any(family::END_OF_CONSENT, families).revoke(ended(realm, RevocationKind::Family, at, "consent_withdrawn")),
    ]
}

/// Reads [`columns`].
fn read(row: &mut Row<'_>) -> Result<Consent, Invalid> {
    Ok(Consent {
        realm: row.text()?,
        person: PersonId::from_bytes(row.id()?),
        client: ClientId::from_bytes(row.id()?),
        client_name: row.text()?,
        scopes: row.json()?,
        declined: row.json()?,
        audience: row.text()?,
        shown: row.text()?,
        granted: row.time()?,
    })
}
