//! Families: one client in one login, and how far its refresh tokens have come.

use durward_base::{ClientId, FamilyId, PersonId, SessionId, Timestamp};
use durward_model::{BoundKey, Consent, Family, Person, RevocationKind, Session};

use crate::housekeeping::KEPT;
use crate::revocation::ended;
use crate::sql::{Invalid, Query, Row, Sql, Step, Value, locked, statements};
use crate::{Store, StoreError, person, session};

/// The columns of a family, for [`read`].
macro_rules! columns {
    () => {
        "family.id, family.realm, family.session, family.person, family.client, family.client_name, family.scopes, family.audience, \
         family.assurance, family.generation, family.rotated, family.created, family.expires, family.revoked, family.bound_key, \
         family.authorization_details"
    };
}

statements! {
    /// The guard is in the statement: the login and the person are live, and stay so until this is committed.
    OPEN = locked!(
        "INSERT INTO family (realm, id, session, person, client, client_name, scopes, audience, assurance, generation, rotated, created,
                             expires, bound_key, authorization_details)
         SELECT $1, $2, session.id, session.person, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15
         FROM session JOIN person ON person.realm = session.realm AND person.id = session.person
         WHERE session.realm = $1 AND session.id = $3 AND session.person = $4 AND session.revoked IS NULL AND NOT person.disabled",
        " FOR SHARE OF session, person"
    );
    /// Compare and swap on the generation. Ending the family touches the same row, so one of the two sees the other.
    ROTATE = Sql::shared(
        "UPDATE family SET generation = generation + 1, rotated = $4
         WHERE realm = $1 AND id = $2 AND generation = $3 AND revoked IS NULL
           AND EXISTS (SELECT 1 FROM session JOIN person ON person.realm = session.realm AND person.id = session.person
                       WHERE session.realm = family.realm AND session.id = family.session
                         AND session.revoked IS NULL AND NOT person.disabled)",
    );
    ADOPT = Sql::shared(
        "UPDATE family SET generation = $3, rotated = $4 WHERE realm = $1 AND id = $2 AND generation < $3 AND revoked IS NULL",
    );
    BIND = Sql::shared("UPDATE family SET bound_key = $3 WHERE realm = $1 AND id = $2 AND bound_key IS NULL AND revoked IS NULL");
    END = Sql::shared("UPDATE family SET revoked = $3 WHERE realm = $1 AND id = $2 AND revoked IS NULL RETURNING id");
    pub(crate) END_IN_SESSION =
        Sql::shared("UPDATE family SET revoked = $3 WHERE realm = $1 AND session = $2 AND revoked IS NULL RETURNING id");
    pub(crate) END_ALL_OF = Sql::shared(
        "UPDATE family SET revoked = $3
         WHERE realm = $1 AND session IN (SELECT id FROM session WHERE realm = $1 AND person = $2) AND revoked IS NULL RETURNING id",
    );
    pub(crate) END_OF_CONSENT = Sql::shared(
        "UPDATE family SET revoked = $5
         WHERE realm = $1 AND person = $2 AND client = $3 AND audience = $4 AND revoked IS NULL RETURNING id",
    );
    FACTS = Sql::shared(concat!(
        "SELECT ", columns!(), ", ", session::columns!(), ", ", person::columns!(), ", consent.scopes, consent.declined, consent.shown, consent.granted
          FROM family
          JOIN session ON session.realm = family.realm AND session.id = family.session
          JOIN person ON person.realm = session.realm AND person.id = session.person
          LEFT JOIN consent ON consent.realm = family.realm AND consent.person = family.person
                           AND consent.client = family.client AND consent.audience = family.audience
          WHERE family.realm = $1 AND family.id = $2"
    ));
    OF_SESSION =
        Sql::shared(concat!("SELECT ", columns!(), " FROM family WHERE realm = $1 AND session = $2 ORDER BY id DESC LIMIT 200"));
    EXPIRE = Sql::shared(
        "DELETE FROM family WHERE (realm, id) IN (SELECT realm, id FROM family WHERE expires < $1 ORDER BY expires LIMIT $2)",
    );
}

/// A family with the login and the person it hangs on, and what the person allowed the client, as of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FamilyFacts {
    /// The family.
    pub family: Family,
    /// Its login.
    pub session: Session,
    /// Its person.
    pub person: Person,
    /// What the person allowed its client for its audience.
    pub consent: Option<Consent>,
}

impl Store {
    /// All that a decision about a refresh token or a code asks for, in one query.
    pub async fn family_facts(&self, realm: &str, id: FamilyId) -> Result<Option<FamilyFacts>, StoreError> {
        let params = vec![realm.into(), Value::Id(id.to_bytes())];
        self.one(Query { what: "family", sql: FACTS, params, read: read_facts }).await
    }

    /// The families of a login, ended ones too, newest first, at most 200.
    pub async fn families_of_session(&self, realm: &str, session: SessionId) -> Result<Vec<Family>, StoreError> {
        let params = vec![realm.into(), Value::Id(session.to_bytes())];
        self.list(Query { what: "family", sql: OF_SESSION, params, read }).await
    }
}

pub(crate) fn open(family: &Family) -> Vec<Step> {
    vec![Step::one(
        OPEN,
        [
            Value::from(&family.realm),
            Value::Id(family.id.to_bytes()),
            Value::Id(family.session.to_bytes()),
            Value::Id(family.person.to_bytes()),
            Value::Id(family.client.to_bytes()),
            Value::from(&family.client_name),
            Value::json(&family.scopes),
            Value::from(&family.audience),
            Value::json(&family.assurance),
            family.generation.into(),
            family.rotated.into(),
            family.created.into(),
            family.expires.into(),
            family.bound_key.as_ref().map_or(Value::Null, Value::json),
            Some(&family.authorization_details).filter(|details| !details.is_empty()).map_or(Value::Null, Value::json),
        ],
    )]
}

pub(crate) fn rotate(realm: &str, family: FamilyId, from: u32, at: Timestamp) -> Vec<Step> {
    vec![Step::one(ROTATE, [realm.into(), Value::Id(family.to_bytes()), from.into(), at.into()])]
}

pub(crate) fn adopt(realm: &str, family: FamilyId, generation: u32, at: Timestamp) -> Vec<Step> {
    vec![Step::any(ADOPT, [realm.into(), Value::Id(family.to_bytes()), generation.into(), at.into()])]
}

pub(crate) fn bind(realm: &str, family: FamilyId, key: &BoundKey) -> Vec<Step> {
    vec![Step::one(BIND, [realm.into(), Value::Id(family.to_bytes()), Value::json(key)])]
}

pub(crate) fn end(realm: &str, family: FamilyId, at: Timestamp, reason: &'static str) -> Vec<Step> {
    let params = [realm.into(), Value::Id(family.to_bytes()), at.into()];
    vec![Step::any(END, params).revoke(ended(realm, RevocationKind::Family, at, reason))]
}

pub(crate) fn expire(now: Timestamp, limit: u64) -> Step {
    Step::any(EXPIRE, [(now - KEPT).into(), limit.into()])
}

/// Reads [`columns`].
fn read(row: &mut Row<'_>) -> Result<Family, Invalid> {
    Ok(Family {
        id: FamilyId::from_bytes(row.id()?),
        realm: row.text()?,
        session: SessionId::from_bytes(row.id()?),
        person: PersonId::from_bytes(row.id()?),
        client: ClientId::from_bytes(row.id()?),
        client_name: row.text()?,
        scopes: row.json()?,
        audience: row.text()?,
        assurance: row.json()?,
        generation: row.number()?,
        rotated: row.time()?,
        created: row.time()?,
        expires: row.time()?,
        revoked: row.optional_time()?,
        bound_key: row.optional_json()?,
        authorization_details: row.optional_json()?.unwrap_or_default(),
    })
}

fn read_facts(row: &mut Row<'_>) -> Result<FamilyFacts, Invalid> {
    let (family, session, person) = (read(row)?, session::read(row)?, person::read(row)?);
    let consent = match (row.optional_json()?, row.optional_json()?, row.optional_text()?, row.optional_time()?) {
        (Some(scopes), Some(declined), Some(shown), Some(granted)) => Some(Consent {
            realm: family.realm.clone(),
            person: family.person,
            client: family.client,
            client_name: family.client_name.clone(),
            scopes,
            declined,
            audience: family.audience.clone(),
            shown,
            granted,
        }),
        _ => None,
    };
    Ok(FamilyFacts { family, session, person, consent })
}
