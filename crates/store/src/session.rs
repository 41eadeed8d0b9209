//! Logins.

use durward_base::{PersonId, SessionId, Timestamp};
use durward_model::{Assurance, RevocationKind, Session};

use crate::housekeeping::KEPT;
use crate::revocation::ended;
use crate::sql::{Invalid, Query, Row, Sql, Step, Value, locked, statements};
use crate::{Store, StoreError, family};

/// The columns of a session, for [`read`].
macro_rules! columns {
    () => {
        "session.id, session.realm, session.person, session.assurance, session.created, session.expires, session.revoked, \
         session.address, session.user_agent"
    };
}

pub(crate) use columns;

statements! {
    /// Whoever disables the person meanwhile waits for this, or this for them.
    OPEN = locked!(
        "INSERT INTO session (realm, id, person, assurance, created, expires, address, user_agent)
         SELECT $1, $2, person.id, $4, $5, $6, $7, $8 FROM person
         WHERE person.realm = $1 AND person.id = $3 AND NOT person.disabled",
        " FOR SHARE OF person"
    );
    RAISE = Sql::shared("UPDATE session SET assurance = $3 WHERE realm = $1 AND id = $2 AND revoked IS NULL");
    END = Sql::shared("UPDATE session SET revoked = $3 WHERE realm = $1 AND id = $2 AND revoked IS NULL RETURNING id");
    END_ALL_OF = Sql::shared("UPDATE session SET revoked = $3 WHERE realm = $1 AND person = $2 AND revoked IS NULL RETURNING id");
    BY_ID = Sql::shared(concat!("SELECT ", columns!(), " FROM session WHERE realm = $1 AND id = $2"));
    BY_PERSON = Sql::shared(concat!(
        "SELECT ",
        columns!(),
        " FROM session WHERE realm = $1 AND person = $2 AND revoked IS NULL AND expires > $3 ORDER BY id DESC LIMIT 200"
    ));
    EXPIRE = Sql::shared(
        "DELETE FROM session WHERE (realm, id) IN (
             SELECT realm, id FROM session AS old WHERE expires < $1
               AND NOT EXISTS (SELECT 1 FROM family WHERE family.realm = old.realm AND family.session = old.id)
             ORDER BY expires LIMIT $2)",
    );
}

impl Store {
    /// The login with this id, ended or not.
    pub async fn session(&self, realm: &str, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.one(query(BY_ID, vec![realm.into(), Value::Id(id.to_bytes())])).await
    }

    /// The logins of a person that are good at `now`, newest first, at most 200.
    pub async fn sessions_of(&self, realm: &str, person: PersonId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        self.list(query(BY_PERSON, vec![realm.into(), Value::Id(person.to_bytes()), now.into()])).await
    }
}

pub(crate) fn open(session: &Session) -> Vec<Step> {
    vec![Step::one(
        OPEN,
        [
            Value::from(&session.realm),
            Value::Id(session.id.to_bytes()),
            Value::Id(session.person.to_bytes()),
            Value::json(&session.assurance),
            session.created.into(),
            session.expires.into(),
            Value::from(&session.address),
            Value::from(&session.user_agent),
        ],
    )]
}

pub(crate) fn raise(realm: &str, session: SessionId, assurance: &Assurance) -> Vec<Step> {
    vec![Step::one(RAISE, [realm.into(), Value::Id(session.to_bytes()), Value::json(assurance)])]
}

/// The session first: a family that is being opened holds its row, so the second statement sees every family there will ever be.
pub(crate) fn end(realm: &str, session: SessionId, at: Timestamp, reason: &'static str) -> Vec<Step> {
    let params = || [realm.into(), Value::Id(session.to_bytes()), at.into()];
    vec![
        Step::any(END, params()).revoke(ended(realm, RevocationKind::Session, at, reason)),
        Step::any(family::END_IN_SESSION, params()).revoke(ended(realm, RevocationKind::Family, at, reason)),
    ]
}

pub(crate) fn end_all_of(realm: &str, person: PersonId, at: Timestamp, reason: &'static str) -> Vec<Step> {
    let params = || [realm.into(), Value::Id(person.to_bytes()), at.into()];
    vec![
        Step::any(END_ALL_OF, params()).revoke(ended(realm, RevocationKind::Session, at, reason)),
        Step::any(family::END_ALL_OF, params()).revoke(ended(realm, RevocationKind::Family, at, reason)),
    ]
}

pub(crate) fn expire(now: Timestamp, limit: u64) -> Step {
    Step::any(EXPIRE, [(now - KEPT).into(), limit.into()])
}

/// Reads [`columns`].
pub(crate) fn read(row: &mut Row<'_>) -> Result<Session, Invalid> {
    Ok(Session {
        id: SessionId::from_bytes(row.id()?),
        realm: row.text()?,
        person: PersonId::from_bytes(row.id()?),
        assurance: row.json()?,
        created: row.time()?,
        expires: row.time()?,
        revoked: row.optional_time()?,
        address: row.optional_text()?,
        user_agent: row.optional_text()?,
    })
}

fn query(sql: Sql, params: Vec<Value>) -> Query<Session> {
    Query { what: "session", sql, params, read }
}
